"""What a holder derives from a document of our own: what is chosen is shown, what is not stays hidden."""

import itertools
import json
from typing import Any

import pytest

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.signers import new_private_key, signer_of
from kpass_vc.cryptosuites import CRYPTOSUITES, DERIVING
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.errors import DataLoss, KeyRefused, KpassError, Malformed, ProofInvalid
from kpass_vc.jsonld.contexts import Contexts
from tests.sample import Json, at, places, replaced

SUITE, DERIVE = CRYPTOSUITES["ecdsa-sd-2023"], DERIVING["ecdsa-sd-2023"]
V2, EXAMPLES = (
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/credentials/examples/v2",
)
DOCUMENT: Json = {
    "@context": [V2, EXAMPLES],
    "id": "urn:uuid:11111111-1111-4111-8111-111111111111",
    "type": ["VerifiableCredential", "SeamCredential"],
    "issuer": "did:example:issuer",
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:holder",
        "seams": [{"kind": "flat", "length": "2 m"}, {"kind": "french", "length": "1 m"}],
        "teacher": {"name": "Åsa", "city": "Borås"},
    },
}
SIGNER = signer_of(Algorithm.P256, new_private_key(Algorithm.P256))
KEY = SIGNER.public_key
OPTIONS = {
    "created": "2026-01-01T00:00:00Z",
    "verificationMethod": "did:example:issuer#key",
    "proofPurpose": "assertionMethod",
}


def base(
    contexts: Contexts, document: Json = DOCUMENT, mandatory: tuple[str, ...] = ("/issuer",)
) -> Json:
    numbers = itertools.count(1)

    def entropy(length: int) -> bytes:
        return bytes([next(numbers)]) * length

    return SUITE.add_proof(
        document, OPTIONS, SIGNER, contexts, disclosure=Disclosure(mandatory, entropy)
    )


def derived(contexts: Contexts, *pointers: str, **more: Any) -> tuple[Json, Json]:
    document = more.pop("document", DOCUMENT)
    shown: Json = DERIVE.derive(document, base(contexts, document, **more), pointers, contexts)
    return {name: value for name, value in shown.items() if name != "proof"}, shown["proof"]


@pytest.mark.parametrize(
    ("pointers", "subject"),
    [
        (("/credentialSubject/id",), {"id": "did:example:holder"}),
        (
            ("/credentialSubject/seams/1/kind",),
            {"id": "did:example:holder", "seams": [{"kind": "french"}]},
        ),
        (
            ("/credentialSubject/seams/0", "/credentialSubject/teacher/city"),
            {
                "id": "did:example:holder",
                "seams": [{"kind": "flat", "length": "2 m"}],
                "teacher": {"city": "Borås"},
            },
        ),
        (("/credentialSubject",), DOCUMENT["credentialSubject"]),
    ],
)
def test_what_is_chosen_is_shown_with_what_is_mandatory_and_nothing_more(
    pointers: tuple[str, ...], subject: Json, contexts: Contexts
) -> None:
    shown, proof = derived(contexts, *pointers)

    assert shown["credentialSubject"] == subject
    assert shown["issuer"] == DOCUMENT["issuer"]
    assert "validFrom" not in shown
    SUITE.check_proof(shown, proof, KEY, contexts)


def test_every_text_that_is_shown_is_signed(contexts: Contexts) -> None:
    shown, proof = derived(contexts, "/credentialSubject", "/validFrom")

    for place in places(shown):
        if place and place[0] != "@context" and isinstance(at(shown, place), str):
            changed = replaced(shown, place, f"{at(shown, place)}x")
            with pytest.raises(KpassError):
                SUITE.check_proof(changed, proof, KEY, contexts)
    for name in ("created", "verificationMethod", "proofPurpose"):
        with pytest.raises(KpassError):
            SUITE.check_proof(shown, proof | {name: "2027-01-01T00:00:00Z"}, KEY, contexts)


def test_nothing_can_be_left_out_of_what_was_derived_or_put_back_into_it(
    contexts: Contexts,
) -> None:
    shown, proof = derived(contexts, "/credentialSubject/teacher")

    without = {name: value for name, value in shown.items() if name != "issuer"}
    for changed in (without, shown | {"validFrom": DOCUMENT["validFrom"]}, DOCUMENT):
        with pytest.raises(ProofInvalid):
            SUITE.check_proof(changed, proof, KEY, contexts)


def test_two_derivations_of_one_credential_cannot_be_mixed(contexts: Contexts) -> None:
    first, _ = derived(contexts, "/credentialSubject/teacher")
    _, second = derived(contexts, "/credentialSubject/seams")

    with pytest.raises(ProofInvalid):
        SUITE.check_proof(first, second, KEY, contexts)


@pytest.mark.parametrize(
    "pointer",
    [
        "/nothing",
        "/credentialSubject/seams/9",
        "/credentialSubject/seams/01",
        "issuer",
        "/issuer/id/x",
        "/issuer/id/id",
    ],
)
def test_a_pointer_that_leads_nowhere_is_named(pointer: str, contexts: Contexts) -> None:
    for change in ({"mandatory": (pointer,)}, {}):
        with pytest.raises(Malformed) as caught:
            derived(contexts, *(() if change else (pointer,)), **change)
        assert caught.value.rule == "pointer"


def test_a_subject_that_is_only_an_id_can_be_shown(contexts: Contexts) -> None:
    document = DOCUMENT | {"credentialSubject": {"id": "did:example:holder"}}

    shown, proof = derived(contexts, "/credentialSubject/id", document=document)

    assert shown["credentialSubject"] == {"id": "did:example:holder"}
    SUITE.check_proof(shown, proof, KEY, contexts)


def test_without_mandatory_pointers_the_proof_still_holds_a_list_of_none(
    contexts: Contexts,
) -> None:
    shown, proof = derived(contexts, "/issuer", mandatory=())

    assert shown.keys() == {"@context", "id", "type", "issuer"}
    SUITE.check_proof(shown, proof, KEY, contexts)
    with pytest.raises(Malformed) as caught:
        derived(contexts, mandatory=())
    assert caught.value.rule == "nothing_selected"


def test_only_p_256_signs_and_no_number_with_a_fraction_is_signed(contexts: Contexts) -> None:
    other = signer_of(Algorithm.P384, new_private_key(Algorithm.P384))

    with pytest.raises(KeyRefused):
        SUITE.add_proof(DOCUMENT, OPTIONS, other, contexts, disclosure=Disclosure((), bytes))
    with pytest.raises(DataLoss):
        base(contexts, json.loads(json.dumps(DOCUMENT)) | {"credentialSubject": {"points": 0.5}})
    shown, proof = derived(contexts, "/validFrom")
    with pytest.raises(KeyRefused):
        SUITE.check_proof(shown, proof, other.public_key, contexts)
