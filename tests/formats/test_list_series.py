"""Status lists that are filled in: byte for byte those that are read as a whole, and signed as those are."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kpass_vc import statuslist
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.signers import signer_of
from kpass_vc.errors import ProofInvalid
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Signing
from kpass_vc.formats.list_series import ListSeries, secure_list
from kpass_vc.jsonld.contexts import CREDENTIALS_V2, Contexts
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.model.document import compact
from kpass_vc.resources import contexts as pinned_contexts

MOMENT = datetime(2026, 11, 20, 10, tzinfo=UTC)
URL = "https://kpass.example/o/sobona/status/revocation-1.json"


@pytest.fixture
def contexts() -> Contexts:
    """Contexts that templates are made with, whatever this run does elsewhere."""
    return pinned_contexts()


def signing(seed: int = 1, created: datetime = MOMENT) -> Signing:
    signer = signer_of(Algorithm.ED25519, bytes([seed]) * 32)
    return Signing(
        signer, f"did:web:kpass.example:o:sobona#{signer.public_key.multikey()}", created
    )


def a_list(bits: bytes = statuslist.empty(), **changes: Any) -> dict[str, Any]:
    subject = {
        "id": f"{URL}#list",
        "type": "BitstringStatusList",
        "statusPurpose": changes.pop("purpose", "revocation"),
        "encodedList": changes.pop("encoded", statuslist.encode(bits)),
    }
    return {
        "@context": [CREDENTIALS_V2],
        "id": URL,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "did:web:kpass.example:o:sobona",
        "validFrom": "2026-11-20T10:00:00Z",
        "validUntil": "2026-12-20T10:00:00Z",
        "credentialSubject": subject,
        **changes,
    }


def read_as_a_whole(
    document: dict[str, Any], by: Signing, contexts: Contexts
) -> tuple[bytes, bytes]:
    return FORMATS["ldp_vc"].secure(document, by, contexts), compact(document)


def test_lists_of_any_bits_issuer_purpose_and_time_are_the_same_bytes_either_way(
    contexts: Contexts,
) -> None:
    series = ListSeries(a_list(), contexts)
    chance = random.Random(5)

    for number in range(60):
        count = chance.choice([0, 1, 131, 6_554, statuslist.SIZE])
        indexes = chance.sample(range(statuslist.SIZE), count)
        document = a_list(
            statuslist.put_many(statuslist.empty(), indexes, value=True),
            id=f"{URL}?{number}",
            issuer=chance.choice(
                ["did:web:a.example", "did:key:zA", f"did:web:a.example:o:{number}"]
            ),
            validFrom=f"2026-0{chance.randint(1, 9)}-20T10:00:00Z",
            purpose=chance.choice(["revocation", "suspension", "zzz", 'åäö\n"\\']),
        )
        by = signing(number % 3 + 1, MOMENT.replace(minute=number))

        assert series.secure(document, by) == read_as_a_whole(document, by, contexts)


@pytest.mark.parametrize(
    "document",
    [
        a_list(issuer=URL),
        a_list(id="u-bits-of-the-list"),
        a_list(id="https://kpass.example/u-bits-of-the-list"),
        a_list(purpose="u-bits-of-the-list"),
        a_list(id="not an IRI"),
        a_list(encoded="uåäö"),
    ],
    ids=range(6),
)
def test_a_list_that_could_be_read_otherwise_is_read_as_a_whole(
    document: dict[str, Any], contexts: Contexts
) -> None:
    with pytest.raises((Unusual, UnicodeEncodeError)):
        ListSeries(a_list(), contexts).secure(document, signing())
    try:
        expected: object = read_as_a_whole(document, signing(), contexts)
    except Exception as error:  # noqa: BLE001 - the same must come of it, whatever it is
        expected = type(error)

    try:
        found: object = secure_list(document, signing(), contexts)
    except Exception as error:  # noqa: BLE001 - as above
        found = type(error)

    assert found == expected


@pytest.mark.parametrize("is_fast", [True, False])
def test_what_is_signed_holds_and_another_bit_does_not(
    contexts: Contexts, *, is_fast: bool
) -> None:
    by = signing()
    document = a_list(statuslist.put(statuslist.empty(), 7, value=True))

    body, unsigned = secure_list(document, by, replace(contexts, is_fast=is_fast))

    assert unsigned == compact(document)
    form = FORMATS["ldp_vc"]
    read = form.read(body)
    form.check_proof(read, read.proofs[0], by.signer.public_key, contexts)
    forged = form.read(
        body.replace(
            document["credentialSubject"]["encodedList"].encode(),
            statuslist.encode(statuslist.empty()).encode(),
        )
    )
    with pytest.raises(ProofInvalid):
        form.check_proof(forged, forged.proofs[0], by.signer.public_key, contexts)
