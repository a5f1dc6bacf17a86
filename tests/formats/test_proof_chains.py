"""Proof sets and chains: what a proof builds on was signed with the document, and must hold itself."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from kpass_vc.crypto.keys import Algorithm, Signer
from kpass_vc.crypto.signers import signer_of
from kpass_vc.cryptosuites import CRYPTOSUITES
from kpass_vc.errors import KpassError, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS, is_supported
from kpass_vc.formats.format import Presented
from kpass_vc.jsonld.contexts import Contexts
from tests.cryptosuites.documents import SIGNERS, document, options
from tests.sample import Json, outcome, sample

FORM = FORMATS["ldp_vc"]
FIRST, SECOND, THIRD = "urn:uuid:1", "urn:uuid:2", "urn:uuid:3"
OTHER = signer_of(Algorithm.ED25519, b"\x05" * 32)
SUITES = {
    "eddsa-rdfc-2022": OTHER,
    "eddsa-jcs-2022": OTHER,
    "ecdsa-rdfc-2019": SIGNERS[Algorithm.P384],
    "ecdsa-jcs-2019": SIGNERS[Algorithm.P256],
}


def prove(
    contexts: Contexts,
    suite: str = "eddsa-rdfc-2022",
    signer: Signer = OTHER,
    *,
    over: Sequence[Json] = (),
    **members: object,
) -> Json:
    """A proof of the document, over the ones it builds on."""
    whole = document() | ({"proof": list(over)} if over else {})
    return CRYPTOSUITES[suite].add_proof(whole, options(signer) | members, signer, contexts)


def read(*proofs: Json, **members: object) -> Presented:
    return FORM.read(json.dumps(document() | members | {"proof": list(proofs)}).encode())


def holding(presented: Presented, contexts: Contexts) -> list[bool]:
    """Which of the proofs hold, in their order."""
    return [_holds(presented, number, contexts) for number in range(len(presented.proofs))]


def _holds(presented: Presented, number: int, contexts: Contexts) -> bool:
    proof = presented.proofs[number]
    method = str(proof.verification_method).partition("#")[2]
    keys = {
        signer.public_key.multikey(): signer.public_key for signer in (OTHER, *SIGNERS.values())
    }
    try:
        FORM.check_proof(presented, proof, keys[method], contexts)
    except KpassError:
        return False
    return True


def rule_of(presented: Presented, number: int, contexts: Contexts) -> str:
    with pytest.raises(ProofInvalid) as caught:
        FORM.check_proof(presented, presented.proofs[number], OTHER.public_key, contexts)
    return caught.value.rule


@pytest.mark.parametrize("suite", SUITES)
def test_each_proof_of_a_set_holds_by_itself(suite: str, contexts: Contexts) -> None:
    first = prove(contexts, id=FIRST)
    second = prove(contexts, suite, SUITES[suite])

    for proofs in ((first, second), (second, first), (first,), (second,)):
        assert all(holding(read(*proofs), contexts))
    assert holding(read(first | {"nonce": "x"}, second), contexts) == [False, True]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("named", [FIRST, [FIRST]], ids=["text", "list"])
def test_a_proof_holds_only_over_the_one_it_builds_on(
    named: object, suite: str, contexts: Contexts
) -> None:
    first = prove(contexts, id=FIRST)
    second = prove(contexts, suite, SUITES[suite], over=[first], previousProof=named)
    alone = prove(contexts, suite, SUITES[suite], previousProof=named)
    again = prove(contexts, id=FIRST, created="2026-02-02T00:00:00Z")

    assert holding(read(first, second), contexts) == [True, True]
    assert holding(read(second, first), contexts) == [True, True]
    # not over the document alone, nor over another proof of the same name, however sound that is
    assert holding(read(first, alone), contexts) == [True, False]
    assert holding(read(again, second), contexts) == [True, False]


@pytest.mark.parametrize("suite", SUITES)
def test_a_proof_that_builds_on_two_holds_in_whatever_order_it_names_them(
    suite: str, contexts: Contexts
) -> None:
    first, second = prove(contexts, id=FIRST), prove(contexts, id=SECOND, nonce="2")

    for named in ([FIRST, SECOND], [SECOND, FIRST]):
        third = prove(
            contexts, suite, SUITES[suite], over=[first, second], previousProof=named, id=THIRD
        )
        assert holding(read(first, second, third), contexts) == [True, True, True]
        assert holding(read(first, third), contexts) == [True, False]
        assert holding(read(second, third), contexts) == [True, False]


def test_a_broken_proof_breaks_all_that_build_on_it_and_no_other(contexts: Contexts) -> None:
    first = prove(contexts, id=FIRST)
    second = prove(contexts, over=[first], id=SECOND, previousProof=FIRST)
    third = prove(contexts, over=[second], previousProof=SECOND)
    beside = prove(contexts, nonce="beside")
    assert holding(read(first, second, third, beside), contexts) == [True] * 4

    broken = first | {"created": "2026-02-02T00:00:00Z"}

    assert holding(read(broken, second, third, beside), contexts) == [False, False, True, True]
    assert holding(read(first, second | {"created": "2026-02-02T00:00:00Z"}, third), contexts) == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "named",
    ["urn:uuid:9", ["urn:uuid:9"], [FIRST, "urn:uuid:9"], "", None, [None], 5, {}, [[FIRST]], True],
    ids=repr,
)
def test_a_proof_that_is_not_there_is_named(named: Any, contexts: Contexts) -> None:
    first, bare = prove(contexts, id=FIRST), prove(contexts)
    second = prove(contexts) | {"previousProof": named}

    assert rule_of(read(first, bare, second), 2, contexts) == "previous_proof"


def test_two_proofs_of_one_name_are_not_built_on(contexts: Contexts) -> None:
    first = prove(contexts, id=FIRST)
    twin = prove(contexts, id=FIRST, nonce="twin")
    second = prove(contexts, over=[first], previousProof=FIRST)

    assert rule_of(read(first, twin, second), 2, contexts) == "previous_proof"
    assert rule_of(read(first, first, second), 2, contexts) == "previous_proof"


def test_a_proof_does_not_build_on_itself(contexts: Contexts) -> None:
    own = prove(contexts, id=FIRST, previousProof=FIRST)

    assert rule_of(read(own), 0, contexts) == "previous_proof"
    assert rule_of(read(own, prove(contexts)), 0, contexts) == "previous_proof"


def test_proofs_that_build_on_each_other_do_not_hold(contexts: Contexts) -> None:
    first = prove(contexts, id=FIRST, previousProof=SECOND)
    second = prove(contexts, over=[first], id=SECOND, previousProof=FIRST)
    first = prove(contexts, over=[second], id=FIRST, previousProof=SECOND)

    # whichever was signed last holds, and the other does not
    assert holding(read(first, second), contexts) == [True, False]
    ring = [
        prove(contexts, id=f"urn:x:{n}", previousProof=f"urn:x:{(n + 1) % 5}") for n in range(5)
    ]
    assert not any(holding(read(*ring), contexts))


def test_a_proof_that_builds_on_one_we_cannot_check_does_not_hold(contexts: Contexts) -> None:
    unknown = prove(contexts, id=FIRST) | {"cryptosuite": "suite-of-2040"}
    second = prove(contexts, over=[unknown], previousProof=FIRST)

    assert rule_of(read(unknown, second), 1, contexts) == "previous_unknown"


def test_a_chain_with_a_link_that_we_cannot_check_is_not_genuine_to_anybody() -> None:
    made = sample()
    proof = made.signed["proof"]
    unknown = proof | {"cryptosuite": "suite-of-2040", "id": FIRST}
    signer = made.signing.signer
    given = {name: proof[name] for name in ("created", "verificationMethod", "proofPurpose")} | {
        "previousProof": FIRST
    }
    second = CRYPTOSUITES["eddsa-rdfc-2022"].add_proof(
        made.credential | {"proof": [unknown]}, given, signer, made.contexts
    )

    beside = made.judge(made.credential | {"proof": [unknown, proof]})
    upon = made.judge(made.credential | {"proof": [unknown, second]})

    assert outcome(beside, "proof") == ("passed", "passed")
    assert outcome(upon, "proof") == ("failed", "failed")


@pytest.mark.parametrize(
    "foreign",
    [
        {"type": "JsonWebSignature2020", "jws": "eyJ..x"},
        {"type": "BbsBlsSignature2020", "proofValue": "AAAA", "created": "2024-01-01T00:00:00Z"},
        {"type": "X", "verificationMethod": {"id": "did:x:y"}, "proofPurpose": ["assertionMethod"]},
    ],
    ids=lambda proof: proof["type"],
)
def test_a_proof_of_a_type_we_do_not_know_is_passed_over_beside_one_that_holds(
    foreign: Json, contexts: Contexts
) -> None:
    made = sample()

    presented = read(foreign, prove(contexts))
    report = made.judge(made.credential | {"proof": [foreign, made.signed["proof"]]})
    alone = made.judge(made.credential | {"proof": foreign})

    assert [is_supported(presented, proof) for proof in presented.proofs] == [False, True]
    assert rule_of(presented, 0, contexts) == "cryptosuite"
    assert outcome(report, "proof") == ("passed", "passed")
    assert outcome(alone, "proof")[0] != "passed"
    assert not alone.verified


@pytest.mark.parametrize("kind", [None, 5, [], {}, ["Ed25519Signature2020"]], ids=repr)
def test_a_proof_whose_type_is_no_text_is_refused_wherever_it_stands(
    kind: Any, contexts: Contexts
) -> None:
    with pytest.raises(Malformed) as caught:
        read(prove(contexts), prove(contexts) | {"type": kind})

    assert (caught.value.rule, caught.value.data["field"]) == ("proof_member", "/proof/1/type")


@pytest.mark.parametrize("member", ["created", "verificationMethod", "proofPurpose", "proofValue"])
def test_an_ed25519_signature_2020_has_all_its_members(member: str, contexts: Contexts) -> None:
    signer = SIGNERS[Algorithm.ED25519]
    whole = document("Ed25519Signature2020")
    proof = CRYPTOSUITES["Ed25519Signature2020"].add_proof(whole, options(signer), signer, contexts)
    assert "cryptosuite" not in proof
    presented = FORM.read(json.dumps(whole | {"proof": proof}).encode())
    FORM.check_proof(presented, presented.proofs[0], signer.public_key, contexts)

    value: Any
    for value in (None, 5, [], {}):
        with pytest.raises(Malformed) as caught:
            FORM.read(json.dumps(whole | {"proof": proof | {member: value}}).encode())
        assert caught.value.data["field"] == f"/proof/{member}"
    del proof[member]
    with pytest.raises(Malformed) as caught:
        FORM.read(json.dumps(whole | {"proof": proof}).encode())

    assert caught.value.data["field"] == f"/proof/{member}"
