"""What is remembered of status lists saves work and changes no answer: nobody profits from another's list."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from kpass_vc import statuslist
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.signers import signer_of
from kpass_vc.dids.web import did_document
from kpass_vc.model.dates import utc_text
from kpass_vc.verification import Evidence
from kpass_vc.verification.known_lists import MOST_BYTES, MOST_LISTS, KnownLists
from tests.sample import Json, Sample, outcome, sample
from tests.world import failed_checks


def warm(made: Sample) -> Evidence:
    """Evidence whose memory has seen the list that the credential names."""
    evidence = replace(made.evidence, known_lists=KnownLists())
    assert made.judge(made.body, evidence).verified
    assert made.judge(made.body, evidence).verified
    return evidence


def url_of(made: Sample) -> str:
    found: str = made.credential["credentialStatus"]["statusListCredential"]
    return found


def with_list(evidence: Evidence, made: Sample, body: bytes) -> Evidence:
    """The same evidence, its memory too, with another list under the address."""
    return replace(evidence, status_lists={**evidence.status_lists, url_of(made): body})


def unsigned(made: Sample) -> Json:
    found: Json = json.loads(made.evidence.status_lists[url_of(made)])
    del found["proof"]
    return found


def raised(made: Sample) -> str:
    index = int(made.credential["credentialStatus"]["statusListIndex"])
    return statuslist.encode(statuslist.put(statuslist.empty(), index, value=True))


def held_list(evidence: Evidence, made: Sample) -> bytes:
    """The list that the credential names, which the memory has seals of."""
    body = evidence.status_lists[url_of(made)]
    assert evidence.known_lists.read(body).seals
    return body


def test_a_list_that_was_seen_to_hold_is_remembered_with_its_bits() -> None:
    made = sample()
    evidence = warm(made)

    body = held_list(evidence, made)

    remembered = evidence.known_lists.read(body)
    assert remembered is evidence.known_lists.read(body)
    assert remembered.bits == statuslist.empty()
    assert remembered.seals[0][1] == made.signing.signer.public_key


def test_a_bit_that_is_raised_shows_at_once() -> None:
    made = sample()
    evidence = warm(made)
    document = unsigned(made)
    document["credentialSubject"]["encodedList"] = raised(made)

    report = made.judge(made.body, with_list(evidence, made, made.sign(document)))

    assert outcome(report, "status") == ("failed", "revoked")
    assert made.judge(made.body, evidence).verified


def tampered(body: bytes) -> list[bytes]:
    """The list with something changed that its signature is to protect, and with another signature."""
    document: Json = json.loads(body)
    bits = statuslist.encode(statuslist.put(statuslist.empty(), 7, value=True))
    subject, proof = document["credentialSubject"], document["proof"]
    changed = [
        {**document, "credentialSubject": {**subject, "encodedList": bits}},
        {**document, "validUntil": "2099-01-01T00:00:00Z"},
        {**document, "name": "Another"},
        {**document, "proof": {**proof, "created": "2020-01-01T00:00:00Z"}},
        {**document, "proof": {**proof, "proofValue": proof["proofValue"][:-1] + "1"}},
    ]
    return [json.dumps(each).encode() for each in changed]


@pytest.mark.parametrize("number", range(5))
def test_a_list_that_is_changed_does_not_profit_from_the_one_that_held(number: int) -> None:
    made = sample()
    evidence = warm(made)
    body = tampered(held_list(evidence, made))[number]

    for _ in range(2):
        report = made.judge(made.body, with_list(evidence, made, body))
        assert outcome(report, "status") == ("failed", "list_unusable")
    assert evidence.known_lists.read(body).seals == ()


def test_a_list_of_another_key_than_the_one_it_held_under_is_checked_anew() -> None:
    made = sample()
    evidence = warm(made)
    did = made.signing.verification_method.partition("#")[0]
    other = signer_of(Algorithm.ED25519, bytes(range(32)))
    method = made.signing.verification_method
    swapped: Json = did_document(did, [other.public_key])
    swapped["verificationMethod"][0]["id"] = method
    swapped["assertionMethod"] = [method]
    documents = {**evidence.did_documents, did: swapped}
    credential = made.sign(made.credential, replace(made.signing, signer=other))

    report = made.judge(credential, replace(evidence, did_documents=documents))

    assert outcome(report, "proof") == ("passed", "passed")
    assert outcome(report, "status") == ("failed", "list_unusable")
    assert made.judge(made.body, evidence).verified


def test_a_key_that_has_gone_or_ended_since_is_no_longer_good() -> None:
    made = sample()
    evidence = warm(made)
    did = made.signing.verification_method.partition("#")[0]
    document = evidence.did_documents[did]
    ended = json.loads(json.dumps(document))
    for method in ended["verificationMethod"]:
        method["revoked"] = utc_text(made.now - timedelta(days=1))
    gone = {**document, "assertionMethod": []}

    for changed in (ended, gone):
        documents = {**evidence.did_documents, did: changed}
        report = made.judge(made.body, replace(evidence, did_documents=documents))
        assert "status" in failed_checks(report)


def as_other_purpose(entry: Json) -> Json:
    return {**entry, "statusPurpose": "suspension"}


def as_other_list(entry: Json) -> Json:
    return {**entry, "statusListCredential": f"{entry['statusListCredential']}#2"}


@pytest.mark.parametrize("change", [as_other_purpose, as_other_list])
def test_a_credential_that_asks_it_for_something_else_does_not_profit(
    change: Callable[[Json], Json],
) -> None:
    made = sample()
    evidence = warm(made)
    body = held_list(evidence, made)
    entry = change(made.credential["credentialStatus"])
    credential = made.sign(made.credential | {"credentialStatus": entry})
    lists = {**evidence.status_lists, entry["statusListCredential"]: body}

    report = made.judge(credential, replace(evidence, status_lists=lists))

    assert outcome(report, "status") == ("failed", "list_unusable")


def test_another_issuers_credential_does_not_profit() -> None:
    made = sample()
    evidence = warm(made)
    owner = made.owner_signing.verification_method.partition("#")[0]
    credential = made.credential
    credential["issuer"]["id"] = owner

    report = made.judge(made.sign(credential, made.owner_signing), evidence)

    assert outcome(report, "proof") == ("passed", "passed")
    assert outcome(report, "status") == ("failed", "list_unusable")


def test_a_list_that_held_runs_out_like_any_other() -> None:
    made = sample()
    evidence = warm(made)

    for later in (timedelta(days=40), timedelta(days=-40)):
        report = made.judge(made.body, replace(evidence, now=made.now + later))
        assert outcome(report, "status") == ("unknown", "list_out_of_date")


def test_an_index_beyond_the_list_is_refused_however_well_it_is_known() -> None:
    made = sample()
    evidence = warm(made)
    entry = made.credential["credentialStatus"] | {"statusListIndex": str(statuslist.SIZE)}

    report = made.judge(made.sign(made.credential | {"credentialStatus": entry}), evidence)

    assert outcome(report, "status") == ("failed", "list_unusable")


def test_only_so_many_lists_are_remembered_and_the_one_in_use_stays() -> None:
    made = sample()
    evidence = warm(made)

    for number in range(MOST_LISTS + 5):
        document = unsigned(made) | {"name": f"List {number}"}
        body = made.sign(document)
        assert made.judge(made.body, with_list(evidence, made, body)).verified
        assert made.judge(made.body, evidence).verified

    assert len(evidence.known_lists) == MOST_LISTS
    held_list(evidence, made)


@pytest.mark.parametrize("size", [MOST_BYTES * 8 + 8, MOST_BYTES * 64])
def test_a_list_that_is_too_large_is_read_each_time(size: int) -> None:
    made = sample()
    evidence = replace(made.evidence, known_lists=KnownLists())
    document = unsigned(made)
    document["credentialSubject"]["encodedList"] = statuslist.encode(statuslist.empty(size))
    body = made.sign(document)

    assert made.judge(made.body, with_list(evidence, made, body)).verified

    assert evidence.known_lists.read(body).seals == ()


def test_many_threads_share_a_memory_and_agree() -> None:
    made = sample()
    evidence = replace(made.evidence, known_lists=KnownLists())
    document = unsigned(made)
    document["credentialSubject"]["encodedList"] = raised(made)
    revoked = with_list(evidence, made, made.sign(document))
    forged = with_list(evidence, made, tampered(evidence.status_lists[url_of(made)])[0])
    asked = [evidence, revoked, forged] * 20

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda each: made.judge(made.body, each), asked))

    codes = [outcome(report, "status")[1] for report in found]
    assert codes == ["passed", "revoked", "list_unusable"] * 20
