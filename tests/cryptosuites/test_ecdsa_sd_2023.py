"""ecdsa-sd-2023: what is shown holds, nothing else is shown, and nothing can be swapped."""

import hashlib
import hmac
import tomllib
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from kpass_vc.crypto import cbor
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import (
    base64url_decode,
    base64url_encode,
    multibase_decode,
    multibase_encode,
)
from kpass_vc.crypto.signers import signer_of
from kpass_vc.cryptosuites import CRYPTOSUITES, DERIVING
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.cryptosuites.ecdsa_sd_2023 import read_base, read_derived
from kpass_vc.cryptosuites.selective_disclosure import hmac_labels, select
from kpass_vc.errors import DataLoss, KeyRefused, KpassError, Malformed, ProofInvalid
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import Contexts
from tests.cryptosuites.documents import SIGNERS, document, leaves, options, other, without
from tests.sample import Json, at, replaced

FACTS = tomllib.loads(
    (Path(__file__).parent.parent / "vectors/ecdsa-sd-2023.toml").read_text("utf-8")
)["example"]
SUITE = DERIVING["ecdsa-sd-2023"]
SIGNER = SIGNERS[Algorithm.P256]
KEY = SIGNER.public_key
MANDATORY = ("/issuer", "/validFrom")
CHOICES = (
    "/credentialSubject/course/code",
    "/credentialSubject/course/points",
    "/credentialSubject/course/passed",
    "/credentialSubject/parts/1",
    "/credentialSubject/visits/1/place",
)


def entropy(first: int = 0) -> Callable[[int], bytes]:
    """Bytes that differ from call to call and are the same each time."""
    calls = iter(range(first, 100))
    return lambda length: hashlib.shake_256(bytes([next(calls)])).digest(length)


def based(
    contexts: Contexts, mandatory: tuple[str, ...] = MANDATORY, whole: Json | None = None
) -> Json:
    """A base proof."""
    return SUITE.add_proof(
        whole or document(),
        options(SIGNER),
        SIGNER,
        contexts,
        disclosure=Disclosure(mandatory, entropy()),
    )


def derived(
    contexts: Contexts, *chosen: str, mandatory: tuple[str, ...] = MANDATORY
) -> tuple[Json, Json]:
    """What is shown with some pointers chosen, and its proof."""
    shown: Json = SUITE.derive(document(), based(contexts, mandatory), chosen, contexts)
    return shown, shown.pop("proof")


@pytest.mark.parametrize("facts", FACTS)
def test_w3cs_key_signs_the_two_hashes_and_the_key_of_one_use(
    facts: Json, contexts: Contexts
) -> None:
    public = PublicKey.from_multikey(facts["public_key"])
    signer = signer_of(Algorithm.P256, multibase_decode(facts["private_key"])[2:])
    once = signer_of(Algorithm.P256, multibase_decode(facts["proof_private_key"])[2:])
    assert (signer.public_key, once.public_key.multikey()) == (public, facts["proof_public_key"])
    full = {
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-sd-2023",
        "created": facts["created"],
        "verificationMethod": f"did:key:{facts['public_key']}#{facts['public_key']}",
        "proofPurpose": "assertionMethod",
        "@context": facts["contexts"],
    }
    canonical = canonicalize(full, contexts)
    assert hashlib.sha256(canonical.encode()).hexdigest() == facts["proof_hash"]

    signed = (
        bytes.fromhex(facts["proof_hash"])
        + multibase_decode(facts["proof_public_key"])
        + bytes.fromhex(facts["mandatory_hash"])
    )

    assert signer.sign(signed).hex() == facts["base_signature"]
    public.verify(bytes.fromhex(facts["base_signature"]), signed)


def test_a_blank_node_is_called_by_the_hmac_of_its_canonical_name() -> None:
    key = bytes.fromhex(FACTS[0]["hmac_key"])
    made = hmac_labels(key)({"_:b7": "_:c14n0"})

    digest = hmac.digest(key, b"c14n0", "sha256")
    assert made == {"_:b7": f"_:u{base64url_encode(digest)}"}


def test_a_base_proof_holds_key_hmac_key_signatures_and_pointers(contexts: Contexts) -> None:
    proof = based(contexts)

    value = proof["proofValue"]
    parts = read_base(value)
    assert value.startswith("u2V0A")
    assert base64url_decode(value[1:])[:3] == b"\xd9\x5d\x00"
    assert parts.mandatory_pointers == MANDATORY
    made = entropy()
    once = signer_of(Algorithm.P256, made(32))
    assert multibase_encode(parts.public_key) == once.public_key.multikey()
    assert parts.hmac_key == made(32)
    assert {len(signature) for signature in parts.signatures} == {64}


def test_without_mandatory_pointers_the_proof_has_an_empty_list_of_them(contexts: Contexts) -> None:
    assert read_base(based(contexts, ())["proofValue"]).mandatory_pointers == ()
    shown, proof = derived(contexts, CHOICES[0], mandatory=())

    SUITE.check_proof(shown, proof, KEY, contexts)
    assert read_derived(proof["proofValue"]).mandatory_indexes == frozenset()


@pytest.mark.parametrize("count", range(len(CHOICES) + 1))
def test_whatever_is_chosen_holds_and_nothing_else_is_shown(count: int, contexts: Contexts) -> None:
    base = based(contexts)
    whole = document()

    for chosen in combinations(CHOICES, count):
        shown: Json = SUITE.derive(whole, base, chosen, contexts)
        proof = shown.pop("proof")

        SUITE.check_proof(shown, proof, KEY, contexts)
        assert shown == select(whole, (*MANDATORY, *chosen))
        assert shown["issuer"] == whole["issuer"]
        text = str(shown)
        assert [("SVET-1" in text), ("Praktik" in text), ("Luleå" in text)] == [
            CHOICES[0] in chosen,
            CHOICES[3] in chosen,
            CHOICES[4] in chosen,
        ]
        assert "Teori" not in text
        assert "Umeå" not in text


def test_everything_can_be_shown(contexts: Contexts) -> None:
    shown, proof = derived(contexts, "")

    SUITE.check_proof(shown, proof, KEY, contexts)
    assert shown == document()


def test_what_is_mandatory_cannot_be_left_out(contexts: Contexts) -> None:
    shown, proof = derived(contexts, CHOICES[0])

    for place in (("validFrom",), ("issuer", "name")):
        with pytest.raises(ProofInvalid):
            SUITE.check_proof(without(shown, place), proof, KEY, contexts)


def test_every_leaf_of_what_is_shown_is_under_the_proof(contexts: Contexts) -> None:
    shown, proof = derived(contexts, *CHOICES)
    found = leaves(shown)
    assert len(found) >= 14

    for place in found:
        changes = [replaced(shown, place, other(at(shown, place)))]
        if place[0] != "@context":
            changes.append(without(shown, place))
        for changed in changes:
            with pytest.raises(KpassError):
                SUITE.check_proof(changed, proof, KEY, contexts)
    with pytest.raises(KpassError):
        SUITE.check_proof(shown | {"name": "x"}, proof, KEY, contexts)


def test_every_option_of_a_derived_proof_is_signed(contexts: Contexts) -> None:
    shown, proof = derived(contexts, *CHOICES)

    for place in leaves(proof):
        for changed in (replaced(proof, place, other(at(proof, place))), without(proof, place)):
            with pytest.raises(KpassError):
                SUITE.check_proof(shown, changed, KEY, contexts)
    for member in ("expires", "domain", "challenge", "nonce", "previousProof", "id"):
        with pytest.raises(ProofInvalid):
            SUITE.check_proof(shown, proof | {member: "urn:uuid:1"}, KEY, contexts)


def test_a_line_of_another_credential_of_the_same_issuer_does_not_fit_in(
    contexts: Contexts,
) -> None:
    _, proof = derived(contexts, CHOICES[1])
    better = replaced(document(), ("credentialSubject", "course", "points"), 500)
    theirs: Json = SUITE.add_proof(
        better, options(SIGNER), SIGNER, contexts, disclosure=Disclosure(MANDATORY, entropy(50))
    )
    their_shown: Json = SUITE.derive(better, theirs, (CHOICES[1],), contexts)
    their_proof = their_shown.pop("proof")
    SUITE.check_proof(their_shown, their_proof, KEY, contexts)

    ours, foreign = parts_of(proof), parts_of(their_proof)
    for mixed in (
        [ours[0], ours[1], foreign[2], ours[3], ours[4]],
        [ours[0], foreign[1], foreign[2], ours[3], ours[4]],
        [ours[0], foreign[1], foreign[2], foreign[3], foreign[4]],
    ):
        value = f"u{base64url_encode(DERIVED + cbor.encode(mixed))}"
        with pytest.raises(ProofInvalid):
            SUITE.check_proof(their_shown, proof | {"proofValue": value}, KEY, contexts)


@pytest.mark.parametrize(
    "pointer",
    [
        "/nowhere",
        "/credentialSubject/nowhere",
        "/credentialSubject/parts/2",
        "/credentialSubject/parts/01",
        "/credentialSubject/parts/-",
        "/credentialSubject/parts/-1",
        "/credentialSubject/parts/\u0660",
        "/credentialSubject/parts/",
        "/validFrom/0",
        "/",
        "issuer",
        "#/issuer",
        "/issuer~2",
    ],
)
def test_a_pointer_that_leads_nowhere_is_named(pointer: str, contexts: Contexts) -> None:
    with pytest.raises(Malformed) as issuing:
        based(contexts, ("/issuer", pointer))
    with pytest.raises(Malformed) as deriving:
        SUITE.derive(document(), based(contexts), (pointer,), contexts)

    for caught in (issuing, deriving):
        assert (caught.value.rule, caught.value.data["pointer"]) == ("pointer", pointer)


def test_pointers_escape_slashes_and_tildes() -> None:
    whole = {"@context": [], "type": "T", "a/b": {"c~d": 1, "x": 2}, "e": [{"f": 1, "g": 2}, 3]}

    assert select(whole, ("/a~1b/c~0d",)) == {"@context": [], "type": "T", "a/b": {"c~d": 1}}
    assert select(whole, ("/e/1", "/e/0/g")) == {
        "@context": [],
        "type": "T",
        "e": [{"g": 2}, 3],
    }
    assert select(whole, ("/e/0/f", "/e/0", "/e/0/g"))["e"] == [{"f": 1, "g": 2}]  # type: ignore[index]
    assert select(whole, ("/e", "/e/0/f"))["e"] == whole["e"]  # type: ignore[index]
    assert select(whole, ()) is None


def test_ids_and_types_of_what_leads_to_a_selected_part_are_shown_with_it() -> None:
    selected = select(document(), ("/credentialSubject/course/code",))

    assert selected == {
        "@context": document()["@context"],
        "id": document()["id"],
        "type": document()["type"],
        "credentialSubject": {
            "id": "did:example:learner",
            "course": {"type": "ExampleCourse", "code": "SVET-1"},
        },
    }


def test_there_is_nothing_to_derive_where_nothing_is_selected(contexts: Contexts) -> None:
    with pytest.raises(Malformed) as caught:
        SUITE.derive(document(), based(contexts, ()), (), contexts)

    assert caught.value.rule == "nothing_selected"


def test_only_p256_signs_and_checks(contexts: Contexts) -> None:
    shown, proof = derived(contexts)

    for algorithm in (Algorithm.P384, Algorithm.ED25519):
        signer = SIGNERS[algorithm]
        with pytest.raises(KeyRefused):
            SUITE.add_proof(
                document(),
                options(signer),
                signer,
                contexts,
                disclosure=Disclosure((), entropy()),
            )
        with pytest.raises(KeyRefused):
            SUITE.check_proof(shown, proof, signer.public_key, contexts)
    with pytest.raises(ProofInvalid):
        SUITE.check_proof(
            shown, proof, signer_of(Algorithm.P256, b"\x07" * 32).public_key, contexts
        )


def test_fractions_and_undefined_terms_are_not_signed(contexts: Contexts) -> None:
    with pytest.raises(DataLoss) as fraction:
        based(contexts, whole=document() | {"credentialSubject": {"points": 0.5}})
    with pytest.raises(DataLoss) as undefined:
        based(
            contexts,
            whole=document()
            | {"@context": document()["@context"][:1], "type": ["VerifiableCredential"]},
        )

    assert fraction.value.rule == "float"
    assert undefined.value.rule == "undefined_term"


def test_a_base_proof_shows_too_much_and_is_refused_with_its_own_reason(
    contexts: Contexts,
) -> None:
    with pytest.raises(ProofInvalid) as caught:
        SUITE.check_proof(document(), based(contexts), KEY, contexts)

    assert caught.value.rule == "base_proof"


def test_iris_of_somebodys_own_that_look_like_ours_of_blank_nodes_stay_theirs(
    contexts: Contexts,
) -> None:
    whole = replaced(document(), ("credentialSubject", "id"), "urn:bnid:b0")
    whole = replaced(whole, ("issuer", "id"), "urn:bnid:_b1")
    base = based(contexts, whole=whole)
    shown: Json = SUITE.derive(whole, base, CHOICES, contexts)
    proof = shown.pop("proof")

    SUITE.check_proof(shown, proof, KEY, contexts)
    assert shown["credentialSubject"]["id"] == "urn:bnid:b0"


def test_iris_that_only_a_prefix_makes_look_like_ours_stay_theirs(contexts: Contexts) -> None:
    whole = document()
    whole["@context"] = [*whole["@context"], {"p": {"@id": "urn:bn", "@prefix": True}}]
    whole["credentialSubject"]["id"] = "p:id:b0"
    inline = contexts.allowing_inline()
    base = based(inline, whole=whole)
    shown: Json = SUITE.derive(whole, base, CHOICES, inline)

    SUITE.check_proof(shown, shown.pop("proof"), KEY, inline)


LISTS = {
    "@context": [
        *document()["@context"],
        {
            "steps": {"@id": "https://x.example/steps", "@container": "@list"},
            "rows": {"@id": "https://x.example/rows", "@container": "@list"},
            "raw": {"@id": "https://x.example/raw", "@type": "@json"},
        },
    ],
    "credentialSubject": {
        "id": "did:example:learner",
        "name": "Amina",
        "steps": ["a", {"type": "ExampleStep", "steps": ["b", "a"]}, "a"],
        "rows": [["a"], ["a", "b"], ["a"]],
        "raw": {"a": [1, 2], "b": 3},
    },
}


@pytest.mark.parametrize(
    "chosen",
    [
        ("/credentialSubject/steps",),
        ("/credentialSubject/rows",),
        ("/credentialSubject/raw",),
        ("/credentialSubject/rows", "/credentialSubject/steps"),
        ("/credentialSubject",),
        ("",),
    ],
    ids=", ".join,
)
@pytest.mark.parametrize("mandatory", [MANDATORY, ("/credentialSubject/steps",)], ids=", ".join)
def test_lists_with_an_order_are_shown_whole(
    mandatory: tuple[str, ...], chosen: tuple[str, ...], contexts: Contexts
) -> None:
    whole, inline = document() | LISTS, contexts.allowing_inline()
    shown: Json = SUITE.derive(whole, based(inline, mandatory, whole), chosen, inline)
    proof = shown.pop("proof")

    SUITE.check_proof(shown, proof, KEY, inline)
    for place in leaves({name: part for name, part in shown.items() if name != "@context"}):
        with pytest.raises(KpassError):
            SUITE.check_proof(replaced(shown, place, other(at(shown, place))), proof, KEY, inline)


@pytest.mark.parametrize(
    "pointer",
    [
        "/credentialSubject/steps/0",
        "/credentialSubject/steps/1/steps",
        "/credentialSubject/rows/1/0",
        "/credentialSubject/raw/a",
    ],
)
def test_a_part_of_what_is_only_signed_whole_is_named(pointer: str, contexts: Contexts) -> None:
    whole, inline = document() | LISTS, contexts.allowing_inline()

    with pytest.raises(Malformed) as issuing:
        based(inline, (*MANDATORY, pointer), whole)
    with pytest.raises(Malformed) as deriving:
        SUITE.derive(whole, based(inline, MANDATORY, whole), ("/issuer", pointer), inline)

    for caught in (issuing, deriving):
        assert (caught.value.rule, caught.value.data["pointer"]) == ("pointer_part", pointer)


DERIVED = b"\xd9\x5d\x01"


def parts_of(proof: Json) -> list[Any]:
    parts = cbor.decode(base64url_decode(proof["proofValue"][1:])[3:])
    assert isinstance(parts, list)
    return parts


def tagged(value: object) -> bytes:
    """A CBOR value under the tag 99, which nobody gave a meaning."""
    return b"\xd8\x63" + cbor.encode(value)


def packed(parts: list[Any], tagging: int | None = None) -> bytes:
    """A list in CBOR, one of its parts under a tag."""
    found = (tagged(part) if at == tagging else cbor.encode(part) for at, part in enumerate(parts))
    return bytes([0x80 + len(parts)]) + b"".join(found)


DERIVED_CHANGES: dict[str, Callable[[list[Any]], bytes]] = {
    "another header": lambda p: b"\xd9\x5d\x02" + packed(p),
    "the header of bbs-2023": lambda p: b"\xd9\x5d\x03" + packed(p),
    "the header of a base proof": lambda p: b"\xd9\x5d\x00" + packed(p),
    "no header": packed,
    "half a header": lambda p: b"\xd9\x5d" + packed(p),
    "nothing": lambda _: b"",
    "a header alone": lambda _: DERIVED,
    "four parts": lambda p: DERIVED + packed(p[:4]),
    "six parts": lambda p: DERIVED + packed([*p, 0]),
    "a map": lambda p: DERIVED + cbor.encode(dict(enumerate(p))),
    "text": lambda _: DERIVED + cbor.encode("x"),
    "a byte more": lambda p: DERIVED + packed(p) + b"\0",
    "a byte less": lambda p: DERIVED + packed(p)[:-1],
    "a list of no stated length": lambda p: DERIVED + b"\x9f" + packed(p)[1:] + b"\xff",
    "a length longer than it need be": lambda p: DERIVED + b"\x98\x05" + packed(p)[1:],
    **{f"a tag on part {at}": lambda p, at=at: DERIVED + packed(p, at) for at in range(5)},  # type: ignore[misc]
    "a tag on the whole": lambda p: DERIVED + b"\xd8\x63" + packed(p),
    "a short base signature": lambda p: DERIVED + packed([p[0][:-1], *p[1:]]),
    "a long base signature": lambda p: DERIVED + packed([p[0] + b"\0", *p[1:]]),
    "a base signature of noughts": lambda p: DERIVED + packed([bytes(64), *p[1:]]),
    "a base signature as text": lambda p: DERIVED + packed(["x" * 64, *p[1:]]),
    "a base signature as a list": lambda p: DERIVED + packed([list(p[0]), *p[1:]]),
    "a short key": lambda p: DERIVED + packed([p[0], p[1][:-1], *p[2:]]),
    "a key off its curve": lambda p: DERIVED + packed([p[0], p[1][:3] + b"\xff" * 32, *p[2:]]),
    "a key without its kind": lambda p: DERIVED + packed([p[0], b"\0\0" + p[1][2:], *p[2:]]),
    "an Ed25519 key": lambda p: (
        DERIVED
        + packed([p[0], multibase_decode(SIGNERS[Algorithm.ED25519].public_key.multikey()), *p[2:]])
    ),
    "the issuer's key in its place": lambda p: (
        DERIVED + packed([p[0], multibase_decode(KEY.multikey()), *p[2:]])
    ),
    "a signature less": lambda p: DERIVED + packed([*p[:2], p[2][:-1], *p[3:]]),
    "a signature more": lambda p: DERIVED + packed([*p[:2], [*p[2], p[2][0]], *p[3:]]),
    "no signatures": lambda p: DERIVED + packed([*p[:2], [], *p[3:]]),
    "signatures in another order": lambda p: DERIVED + packed([*p[:2], p[2][::-1], *p[3:]]),
    "a short signature": lambda p: DERIVED + packed([*p[:2], [p[2][0][:-1], *p[2][1:]], *p[3:]]),
    "signatures in one": lambda p: DERIVED + packed([*p[:2], b"".join(p[2]), *p[3:]]),
    "no labels": lambda p: DERIVED + packed([*p[:3], {}, p[4]]),
    "a label less": lambda p: DERIVED + packed([*p[:3], dict(list(p[3].items())[:-1]), p[4]]),
    "a label more": lambda p: DERIVED + packed([*p[:3], p[3] | {len(p[3]): bytes(32)}, p[4]]),
    "labels swapped": lambda p: (
        DERIVED + packed([*p[:3], dict(zip(p[3], [*p[3].values()][::-1], strict=True)), p[4]])
    ),
    "one label twice": lambda p: DERIVED + packed([*p[:3], dict.fromkeys(p[3], p[3][0]), p[4]]),
    "labels by name": lambda p: (
        DERIVED + packed([*p[:3], {f"c14n{n}": label for n, label in p[3].items()}, p[4]])
    ),
    "labels below nought": lambda p: (
        DERIVED + packed([*p[:3], {-1 - n: label for n, label in p[3].items()}, p[4]])
    ),
    "labels by truth": lambda p: DERIVED + packed([*p[:3], {False: p[3][0], True: p[3][1]}, p[4]]),
    "a label as text": lambda p: DERIVED + packed([*p[:3], p[3] | {0: "x" * 32}, p[4]]),
    "a short label": lambda p: DERIVED + packed([*p[:3], p[3] | {0: p[3][0][:-1]}, p[4]]),
    "labels in a list": lambda p: DERIVED + packed([*p[:3], [*p[3].values()], p[4]]),
    "an index less": lambda p: DERIVED + packed([*p[:4], p[4][:-1]]),
    "an index twice": lambda p: DERIVED + packed([*p[:4], [*p[4], p[4][0]]]),
    "an index past the end": lambda p: DERIVED + packed([*p[:4], [*p[4], 9999]]),
    "an index below nought": lambda p: DERIVED + packed([*p[:4], [*p[4], -1]]),
    "an index of another line": lambda p: DERIVED + packed([*p[:4], [n + 1 for n in p[4]]]),
    "indexes as text": lambda p: DERIVED + packed([*p[:4], [str(n) for n in p[4]]]),
    "indexes as a map": lambda p: DERIVED + packed([*p[:4], dict.fromkeys(p[4], 0)]),
    "no indexes": lambda p: DERIVED + packed([*p[:4], []]),
}


@pytest.mark.parametrize("change", DERIVED_CHANGES)
def test_a_derived_proof_in_another_form_does_not_hold(change: str, contexts: Contexts) -> None:
    shown, proof = derived(contexts, *CHOICES)
    parts = parts_of(proof)
    assert DERIVED + packed(parts) == base64url_decode(proof["proofValue"][1:])
    assert len(parts[3]) >= 2

    value = f"u{base64url_encode(DERIVED_CHANGES[change](parts))}"

    with pytest.raises(ProofInvalid):
        SUITE.check_proof(shown, proof | {"proofValue": value}, KEY, contexts)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[1:],
        lambda value: "z" + value[1:],
        lambda value: multibase_encode(base64url_decode(value[1:])),
        lambda value: value + "=",
        lambda value: value + " ",
        lambda value: value[:-1],
        lambda value: value + "A",
        lambda _: "u",
        lambda _: "",
        lambda _: None,
        lambda value: [value],
        lambda _: 5,
    ],
)
def test_a_derived_proof_value_in_another_spelling_does_not_hold(
    change: Any, contexts: Contexts
) -> None:
    shown, proof = derived(contexts, *CHOICES)

    with pytest.raises(ProofInvalid):
        SUITE.check_proof(shown, proof | {"proofValue": change(proof["proofValue"])}, KEY, contexts)


BASE = b"\xd9\x5d\x00"
BASE_CHANGES: dict[str, Callable[[list[Any]], bytes]] = {
    "the header of a derived proof": lambda p: DERIVED + packed(p),
    "four parts": lambda p: BASE + packed(p[:4]),
    "six parts": lambda p: BASE + packed([*p, 0]),
    "a byte more": lambda p: BASE + packed(p) + b"\0",
    **{f"a tag on part {at}": lambda p, at=at: BASE + packed(p, at) for at in range(5)},  # type: ignore[misc]
    "a short signature": lambda p: BASE + packed([p[0][:-1], *p[1:]]),
    "a short key": lambda p: BASE + packed([p[0], p[1][:-1], *p[2:]]),
    "a short HMAC key": lambda p: BASE + packed([*p[:2], p[2][:-1], *p[3:]]),
    "a long HMAC key": lambda p: BASE + packed([*p[:2], p[2] + b"\0", *p[3:]]),
    "an HMAC key as text": lambda p: BASE + packed([*p[:2], "x" * 32, *p[3:]]),
    "a signature less": lambda p: BASE + packed([*p[:3], p[3][:-1], p[4]]),
    "a signature more": lambda p: BASE + packed([*p[:3], [*p[3], p[3][0]], p[4]]),
    "a short line signature": lambda p: BASE + packed([*p[:3], [p[3][0][:-1], *p[3][1:]], p[4]]),
    "signatures in a map": lambda p: BASE + packed([*p[:3], dict(enumerate(p[3])), p[4]]),
    "pointers that are no texts": lambda p: BASE + packed([*p[:4], [1]]),
    "pointers as text": lambda p: BASE + packed([*p[:4], "/issuer"]),
    "pointers as bytes": lambda p: BASE + packed([*p[:4], [b"/issuer"]]),
}


@pytest.mark.parametrize("change", BASE_CHANGES)
def test_nothing_is_derived_from_a_base_proof_in_another_form(
    change: str, contexts: Contexts
) -> None:
    base = based(contexts)
    value = f"u{base64url_encode(BASE_CHANGES[change](parts_of(base)))}"

    with pytest.raises(ProofInvalid):
        SUITE.derive(document(), base | {"proofValue": value}, CHOICES, contexts)


def test_what_is_derived_from_a_changed_document_does_not_hold(contexts: Contexts) -> None:
    changed = replaced(document(), ("credentialSubject", "course", "points"), 500)
    shown: Json = SUITE.derive(changed, based(contexts), CHOICES, contexts)

    with pytest.raises(ProofInvalid):
        SUITE.check_proof(shown, shown.pop("proof"), KEY, contexts)


def test_hundreds_of_thousands_of_indexes_are_refused_before_any_work(contexts: Contexts) -> None:
    shown, proof = derived(contexts, *CHOICES)
    parts = parts_of(proof)
    value = f"u{base64url_encode(DERIVED + cbor.encode([*parts[:4], list(range(180_000))]))}"

    with pytest.raises(ProofInvalid) as caught:
        SUITE.check_proof(shown, proof | {"proofValue": value}, KEY, contexts)

    assert caught.value.data["part"] == "mandatoryIndexes"


def test_more_than_two_hundred_pointers_are_not_followed(contexts: Contexts) -> None:
    with pytest.raises(Malformed) as caught:
        SUITE.derive(document(), based(contexts), ("/issuer",) * 200, contexts)

    assert caught.value.rule == "pointer"


def test_it_is_the_suite_that_the_registry_has() -> None:
    assert CRYPTOSUITES["ecdsa-sd-2023"] is SUITE
