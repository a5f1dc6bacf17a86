"""Verifying against our own records: at once, without a request, storing nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from kpass_vc.actions.sign import signing_with
from kpass_vc.actions.verify import gather, own_did_document
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.formats import FORMATS
from kpass_vc.records.definition import DefinitionVersion
from kpass_vc.records.key import SigningKey
from kpass_vc.verification import VerificationReport, Wanted
from tests.sample import outcome
from tests.world import World, body_of, failed_checks

ISSUER = "stadsnat-exempel"


@pytest.fixture
def writes(world: World) -> Iterator[list[str]]:
    """The statements that are no reading ones."""
    found: list[str] = []

    def note(*arguments: Any) -> None:
        if (
            not arguments[2]
            .lstrip()
            .upper()
            .startswith(("SELECT", "BEGIN", "PRAGMA", "COMMIT", "ROLLBACK"))
        ):
            found.append(arguments[2])

    event.listen(world.env.engine, "before_cursor_execute", note)
    yield found
    event.remove(world.env.engine, "before_cursor_execute", note)


def resigned(world: World, credential: dict[str, Any], slug: str, form: str = "ldp_vc") -> bytes:
    """The credential signed by an organisation here."""
    organization = world.organization(slug)
    algorithm = FORMATS[form].algorithm
    with world.reading() as session:
        signing = signing_with(
            world.env, session, organization, organization.did, algorithm, world.clock()
        )
    return FORMATS[form].secure(credential, signing, world.env.contexts)


def test_verifying_writes_nothing(world: World, writes: list[str]) -> None:
    world.published_definition()
    issued = world.issued()
    writes.clear()

    assert world.verified(body_of(issued)).verified
    assert not world.verified(b"{}").verified

    assert writes == []


def test_all_that_our_records_say_is_asked_in_ten_questions(world: World) -> None:
    world.published_definition()
    body = body_of(world.issued())
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        if arguments[2].lstrip().upper().startswith("SELECT"):
            asked.append(arguments[2])

    event.listen(world.env.engine, "before_cursor_execute", note)
    report = world.verified(body)
    event.remove(world.env.engine, "before_cursor_execute", note)

    assert report.verified
    assert outcome_of_authorization(report) == "authorised"
    assert len(asked) <= 10


def outcome_of_authorization(report: VerificationReport) -> str:
    (found,) = [each for each in report.findings if each.check == "authorization"]
    return found.code


def test_another_organisation_cannot_sign_in_the_issuers_name(world: World) -> None:
    world.published_definition()
    credential = json.loads(body_of(world.issued()))
    del credential["proof"]
    world.organization("annan")

    for form in FORMATS.keys() - {"jwt", "vp+jwt", "vp+sd-jwt", "vp+cose"}:
        report = world.verified(resigned(world, credential, "annan", form))
        assert report.verdict == "refused"
        assert outcome(report, "key") == ("failed", "not_the_issuers")


def test_another_organisation_cannot_issue_the_owners_achievement_in_its_own_name(
    world: World,
) -> None:
    world.published_definition()
    credential = json.loads(body_of(world.issued()))
    other = world.organization("annan")
    for name in ("proof", "credentialStatus"):
        del credential[name]
    credential["issuer"]["id"] = other.did

    report = world.verified(resigned(world, credential, "annan"))

    assert failed_checks(report) == ["authorization"]
    assert outcome(report, "authorization") == ("failed", "another_issuer")


def test_an_issuer_that_is_no_longer_named_is_refused(world: World) -> None:
    world.published_definition(authorised_issuers=["sobona"])
    issued = world.issued(issuer="sobona")
    with world.writing() as session:
        session.execute(update(DefinitionVersion).values(authorised_issuers=[]))

    report = world.verified(body_of(issued))

    assert failed_checks(report) == ["authorization"]


def test_a_definition_that_was_changed_in_the_database_is_found(world: World) -> None:
    version, _, _ = world.published_definition()
    issued = world.issued()
    with world.writing() as session:
        row = session.get_one(DefinitionVersion, version.id)
        row.document = (row.document or b"") + b" "

    report = world.verified(body_of(issued))

    assert failed_checks(report) == ["definition"]
    assert outcome(report, "definition") == ("failed", "differs")


def test_what_lies_elsewhere_is_unknown(world: World) -> None:
    world.published_definition()
    text = body_of(world.issued()).decode()
    foreign = text.replace("localhost:8000", "elsewhere.example").replace(
        "localhost%3A8000", "elsewhere.example"
    )

    report = world.verified(foreign.encode())

    assert report.verdict == "unknown"
    assert {
        name: outcome(report, name)[0]
        for name in ("did", "key", "proof", "status", "definition", "achievement")
    } == dict.fromkeys(("did", "key", "proof", "status", "definition", "achievement"), "unknown")


def test_a_list_elsewhere_is_unknown_and_another_organisations_is_not_used(world: World) -> None:
    world.published_definition()
    credential = json.loads(body_of(world.issued()))
    del credential["proof"]
    own = credential["credentialStatus"]["statusListCredential"]
    other = world.organization("annan")
    answers = {}

    for url in ("https://elsewhere.example/list", own.replace(ISSUER, other.slug)):
        credential["credentialStatus"]["statusListCredential"] = url
        answers[url] = outcome(world.verified(resigned(world, credential, ISSUER)), "status")

    assert list(answers.values()) == [("unknown", "not_fetched"), ("failed", "list_unusable")]


def test_a_retired_key_still_verifies_and_a_compromised_one_never(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    organization = world.organization(ISSUER)

    def states(state: str) -> None:
        with world.writing() as session:
            session.execute(
                update(SigningKey)
                .where(SigningKey.organization_id == organization.id)
                .where(SigningKey.algorithm == Algorithm.P256.value)
                .values(state=state)
            )

    states("retired")
    retired = world.verified(body_of(issued, form="vc-jwt"))
    states("compromised")
    compromised = world.verified(body_of(issued, form="vc-jwt"))

    assert retired.verified
    assert outcome(compromised, "key") == ("failed", "failed")
    assert world.verified(body_of(issued)).verified


def test_evidence_is_what_was_asked_for_and_nothing_more(world: World) -> None:
    version, _, _ = world.published_definition()
    issuer = world.organization(ISSUER)

    with world.reading() as session:
        nothing = gather(world.env, session, Wanted())
        strange = gather(
            world.env,
            session,
            Wanted(dids=("did:web:'; --",), status_lists=("x" * 10_000,), resources=("å", "%", "")),
        )
        wanted = gather(
            world.env, session, Wanted(dids=(issuer.did,), resources=(str(version.document_url),))
        )

    for found in (nothing, strange):
        assert (found.did_documents, found.status_lists, found.resources) == ({}, {}, {})
    assert set(wanted.did_documents) == {issuer.did}
    assert wanted.resources == {version.document_url: version.document}
    assert wanted.authorised == {version.document_url: frozenset({issuer.did})}


def test_a_draft_is_not_evidence(world: World) -> None:
    _, line, owner = world.draft()
    url = world.env.addresses.definition(owner.slug, line.code, "1.0.0").document

    with world.reading() as session:
        assert gather(world.env, session, Wanted(resources=(url,))).resources == {}


def test_a_document_has_active_keys_first_and_no_compromised_one(world: World) -> None:
    organization = world.organization("sobona")
    with world.writing() as session:
        session.execute(
            update(SigningKey).where(SigningKey.algorithm == "Ed25519").values(state="retired")
        )

    def kinds(session: Session) -> list[str]:
        document: Any = own_did_document(session, organization.did)
        return [method["type"] for method in document["verificationMethod"]]

    with world.reading() as session:
        assert kinds(session) == ["JsonWebKey", "Multikey"]
    with world.writing() as session:
        session.execute(
            update(SigningKey).where(SigningKey.algorithm == "Ed25519").values(state="compromised")
        )
    with world.reading() as session:
        assert kinds(session) == ["JsonWebKey"]
        assert own_did_document(session, "did:web:localhost%3A8000:o:nobody") is None
        assert len(session.scalars(select(SigningKey)).all()) == 2
