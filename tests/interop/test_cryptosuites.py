"""Every cryptosuite with Digital Bazaar's implementation of it as the other side, both ways."""

from copy import deepcopy
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pytest

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.signers import signer_of
from kpass_vc.cryptosuites import CRYPTOSUITES, DERIVING
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.errors import KpassError
from kpass_vc.formats import FORMATS
from kpass_vc.jsonld.contexts import CREDENTIALS_V1, DATA_INTEGRITY_V2, Contexts
from kpass_vc.model.document import compact
from tests.cryptosuites.documents import (
    ED25519_2020,
    PLAIN,
    SIGNERS,
    document,
    leaves,
    options,
    other,
    without,
)
from tests.interop.foreign import ask_cryptosuites
from tests.sample import Json, at, replaced, sample

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]

THEIRS = [pair for pair in PLAIN if pair[0] != "eddsa-2022"]
"""What they have besides ecdsa-sd-2023; their eddsa-2022 was another suite than the drafts'."""
SD = DERIVING["ecdsa-sd-2023"]
MANDATORY = ["/issuer", "/validFrom"]
CHOSEN: list[list[str]] = [
    ["/credentialSubject/id"],
    ["/credentialSubject/course"],
    ["/credentialSubject/course/code", "/credentialSubject/parts/1"],
    ["/credentialSubject/visits/1/place", "/credentialSubject/visits/0"],
    ["/credentialSubject"],
    ["/credentialSubject/parts"],
    [""],
]
BADGE_CHOSEN: list[list[str]] = [
    ["/credentialSubject/achievement/name"],
    ["/credentialSubject/achievement/criteria", "/evidence/1"],
    ["/credentialSubject"],
]


def badge() -> Json:
    """A badge of ours with a dozen blank nodes, without what they would have to fetch."""
    made = sample().credential
    for name in ("credentialStatus", "credentialSchema", "termsOfUse", "validUntil"):
        made.pop(name, None)
    return made | {"validFrom": "2025-01-01T00:00:00Z"}


def texts() -> Json:
    """A credential whose texts are hard to write in one way."""
    made = document()
    made["name"] = {
        "@value": 'Svetsning\n\t"grund" \\ \u2028 å\u0308 \U0001f600',
        "@language": "sv",
    }
    made["credentialSubject"]["\u20ac"] = "\u0080\ufb33"
    made["credentialSubject"]["course"]["points"] = 2**53 - 1
    return made


def first_model() -> Json:
    """A credential of VCDM 1.1."""
    made = document()
    made["@context"] = [CREDENTIALS_V1, DATA_INTEGRITY_V2, made["@context"][1]]
    made["issuanceDate"] = made.pop("validFrom")
    return made


def documents(suite: str) -> list[Json]:
    """What is signed with a suite, on either side."""
    own = [ED25519_2020] if suite == "Ed25519Signature2020" else []
    found = [document(), badge(), texts(), first_model()]
    for made in found:
        made["@context"] = [*made["@context"], *own]
        # older than either side's clock
        made["validFrom" if "validFrom" in made else "issuanceDate"] = "2025-01-01T00:00:00Z"
    return found


def ours(signer: Signer, suite: str, whole: Json, pointers: list[str] | None = None) -> Json:
    """A document signed by us, with the did:key of a key as its issuer."""
    contexts = sample().contexts
    made = deepcopy(whole)
    made["issuer"]["id"] = f"did:key:{signer.public_key.multikey()}"
    given = options(signer) | {"created": "2025-06-01T00:00:00Z"}
    disclosure = Disclosure(tuple(pointers or ()), lambda length: bytes(range(7, 7 + length)))
    proof = CRYPTOSUITES[suite].add_proof(made, given, signer, contexts, disclosure=disclosure)
    return made | {"proof": proof}


def holds(signed: Json, contexts: Contexts) -> bool:
    """Whether we say that the one proof of a document holds."""
    form = FORMATS["ldp_vc"]
    try:
        presented = form.read(compact(signed))
        (proof,) = presented.proofs
        key = PublicKey.from_multikey(str(proof.verification_method).partition("#")[2])
        form.check_proof(presented, proof, key, contexts)
    except KpassError:
        return False
    return True


def ask(contexts: Contexts, tasks: list[Json]) -> list[Json]:
    found = ask_cryptosuites(contexts.documents, tasks)
    assert len(found) == len(tasks)
    return found


@lru_cache
def signed_by_them() -> dict[tuple[str, Algorithm], list[Json]]:
    """Every document in every suite, as they sign it."""
    kinds = [(suite, algorithm, whole) for suite, algorithm in THEIRS for whole in documents(suite)]
    tasks = [
        {"do": "sign", "suite": suite, "curve": algorithm.value, "document": whole}
        for suite, algorithm, whole in kinds
    ]
    made: dict[tuple[str, Algorithm], list[Json]] = {}
    answers = ask(sample().contexts, tasks)
    for (suite, algorithm, _), answer in zip(kinds, answers, strict=True):
        assert "document" in answer, (suite, algorithm, answer)
        made.setdefault((suite, algorithm), []).append(answer["document"])
    return made


@pytest.mark.parametrize(("suite", "algorithm"), THEIRS)
def test_what_they_signed_holds_with_us_and_changed_it_does_not(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    for signed in signed_by_them()[suite, algorithm]:
        name = signed["proof"].get("cryptosuite", signed["proof"]["type"])
        assert name == suite
        assert holds(signed, contexts)

        for place in leaves(signed):
            assert not holds(replaced(signed, place, other(at(signed, place))), contexts), place


@pytest.mark.parametrize(("suite", "algorithm"), THEIRS)
def test_what_we_signed_holds_with_them_and_changed_it_does_not(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed = [ours(SIGNERS[algorithm], suite, whole) for whole in documents(suite)]
    changed = [
        replaced(signed[0], place, other(at(signed[0], place)))
        for place in leaves(signed[0])
        if place[0] not in {"@context", "proof", "type"}
    ]

    found = ask(
        contexts,
        [{"do": "verify", "suite": suite, "document": whole} for whole in signed + changed],
    )

    assert [answer.get("verified") for answer in found[: len(signed)]] == [True] * len(signed), (
        found[: len(signed)]
    )
    assert not any(answer.get("verified") for answer in found[len(signed) :])


def cases() -> list[tuple[Json, list[str], list[list[str]]]]:
    """Documents, what is always shown of them, and what may be chosen."""
    whole, hard, made = document(), texts(), badge()
    old = first_model()
    for found in (whole, hard):
        found["validFrom"] = "2025-01-01T00:00:00Z"
    old["issuanceDate"] = "2025-01-01T00:00:00Z"
    for result in made["credentialSubject"]["achievement"]["resultDescription"]:
        del result["allowedValue"]  # a list with an order, which they cannot name
    return [
        (whole, MANDATORY, CHOSEN),
        (whole, [], [[*MANDATORY, *chosen] for chosen in CHOSEN]),
        (hard, ["/issuer", "/validFrom", "/name"], CHOSEN),
        (old, ["/issuer", "/issuanceDate"], CHOSEN),
        (made, MANDATORY, BADGE_CHOSEN),
    ]


def test_what_they_signed_for_selective_disclosure_is_derived_alike_and_holds_on_both_sides(
    contexts: Contexts,
) -> None:
    signing = [
        {
            "do": "sign",
            "suite": "ecdsa-sd-2023",
            "curve": "P-256",
            "document": whole,
            "pointers": mandatory,
        }
        for whole, mandatory, _ in cases()
    ]
    based = [answer["document"] for answer in ask(contexts, signing)]

    _compare_derived(based, contexts)


def test_what_we_signed_for_selective_disclosure_is_derived_alike_and_holds_on_both_sides(
    contexts: Contexts,
) -> None:
    based = [
        ours(SIGNERS[Algorithm.P256], "ecdsa-sd-2023", whole, mandatory)
        for whole, mandatory, _ in cases()
    ]

    _compare_derived(based, contexts)


def _compare_derived(based: list[Json], contexts: Contexts) -> None:
    """That deriving gives the same bytes on both sides, which hold on both, and changed on neither."""
    wanted = [
        (whole, chosen)
        for whole, (_, _, choices) in zip(based, cases(), strict=True)
        for chosen in choices
    ]
    theirs = ask(
        contexts,
        [{"do": "derive", "document": whole, "pointers": chosen} for whole, chosen in wanted],
    )
    derived: list[Json] = []
    for (whole, chosen), answer in zip(wanted, theirs, strict=True):
        base = {name: value for name, value in whole.items() if name != "proof"}
        made: Json = SD.derive(base, whole["proof"], tuple(chosen), contexts)
        assert made == answer.get("document"), (chosen, answer)
        assert holds(made, contexts), chosen
        derived.append(made)
    swapped = [
        first | {"proof": second["proof"]}
        for first, second in pairwise(derived)
        if first["proof"] != second["proof"]
    ]
    thinned = [without(whole, ("issuer", "name")) for whole in derived]
    asked = [*derived, *swapped, *thinned]

    found = ask(
        contexts,
        [{"do": "verify", "suite": "ecdsa-sd-2023", "document": whole} for whole in asked],
    )

    verified: list[Any] = [answer.get("verified") for answer in found]
    assert verified == [True] * len(derived) + [False] * len(swapped + thinned), found
    assert [holds(whole, contexts) for whole in asked] == verified


def test_they_verify_our_lists_with_an_order_and_refuse_to_sign_or_derive_any(
    contexts: Contexts,
) -> None:
    # Their skolemization gives an @id to list objects, which JSON-LD refuses (di-sd-primitives 3.3.0)
    place = "/credentialSubject/achievement/resultDescription"
    signed = ours(SIGNERS[Algorithm.P256], "ecdsa-sd-2023", badge(), MANDATORY)
    base = {name: value for name, value in signed.items() if name != "proof"}
    derived: list[Json] = [
        SD.derive(base, signed["proof"], chosen, contexts) for chosen in ((place,), ("",))
    ]
    assert derived[0]["credentialSubject"]["achievement"]["resultDescription"][0]["allowedValue"]
    sign = {"do": "sign", "suite": "ecdsa-sd-2023", "curve": "P-256", "document": badge()}

    found = ask(
        contexts,
        [
            *({"do": "verify", "suite": "ecdsa-sd-2023", "document": whole} for whole in derived),
            {"do": "derive", "document": signed, "pointers": [place]},
            sign | {"pointers": MANDATORY},
        ],
    )

    assert [answer.get("verified") for answer in found[:2]] == [True, True], found[:2]
    assert all("@list" in answer["error"] for answer in found[2:])
    assert all(holds(whole, contexts) for whole in derived)


def test_we_refuse_what_another_key_signed(contexts: Contexts) -> None:
    stranger = signer_of(Algorithm.P256, b"\x09" * 32).public_key.multikey()
    signed = signed_by_them()["ecdsa-rdfc-2019", Algorithm.P256][0]
    renamed = replaced(signed, ("proof", "verificationMethod"), f"did:key:{stranger}#{stranger}")

    assert not holds(renamed, contexts)
