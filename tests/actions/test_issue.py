"""Issuing: what stands in a credential, who may issue what, and what is refused whole."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import delete, func, select, text, update

from kpass_vc import statuslist
from kpass_vc.actions.issue import Issued, IssueOrder, issue
from kpass_vc.actions.publish import retire
from kpass_vc.authz import OPERATOR, Actor, Permission
from kpass_vc.crypto.jose import read_compact
from kpass_vc.errors import (
    Conflict,
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    KpassError,
    Malformed,
    NotFound,
    Unavailable,
)
from kpass_vc.model.dates import STOCKHOLM, end_of_day, plus_duration
from kpass_vc.model.field_errors import field_errors
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.award import Award, IdempotencyKey, Representation
from kpass_vc.records.base import Base
from kpass_vc.records.definition import Achievement
from kpass_vc.records.key import SigningKey
from kpass_vc.records.status_list import StatusList
from tests.world import LEARNER, World, actor_of, body_of, failed_checks, issue_order

ISSUER = "stadsnat-exempel"
PERSONAL = "19121212-1212"
EMAIL = "Amina.Exempelsson@Example.org"


def credential_of(issued: Issued, language: str = "sv", form: str = "ldp_vc") -> dict[str, Any]:
    body = body_of(issued, language, form)
    found: dict[str, Any] = (
        json.loads(body) if form == "ldp_vc" else json.loads(read_compact(body.decode()).payload)
    )
    return found


def with_key(world: World, key: str, **changes: object) -> Issued:
    """The answer to an order that carries an Idempotency-Key."""
    organization = world.organization(ISSUER)
    with world.writing() as session:
        order = IssueOrder.model_validate(issue_order() | changes)
        return issue(world.env, session, actor_of(organization), order, key)


def counted(world: World) -> dict[str, int]:
    """How many rows issuing has written, and how many indexes are given out."""
    with world.reading() as session:
        rows = {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Award, Representation, IdempotencyKey, AuditEntry, StatusList)
        }
        return rows | {"used": session.scalar(select(func.sum(StatusList.used))) or 0}


def refused(world: World, error: type[KpassError], act: Callable[[], object]) -> Any:
    """The error of an act that leaves nothing behind."""
    world.organization(ISSUER)
    before = counted(world)
    with pytest.raises(error) as caught:
        act()
    assert counted(world) == before
    assert caught.value.sentence("sv") != caught.value.sentence("en")
    return caught.value


def test_what_is_issued_verifies_in_both_formats_and_languages(world: World) -> None:
    world.published_definition()

    issued = world.issued()

    for language in ("sv", "en"):
        for form in ("ldp_vc", "vc-jwt"):
            report = world.verified(body_of(issued, language, form))
            assert failed_checks(report) == []
            assert report.verified


def test_the_two_formats_of_a_language_share_id_and_all_languages_share_the_status_entry(
    world: World,
) -> None:
    world.published_definition()

    issued = world.issued()

    found = {
        (language, form): credential_of(issued, language, form)
        for language in ("sv", "en")
        for form in ("ldp_vc", "vc-jwt")
    }
    for language in ("sv", "en"):
        plain = dict(found[language, "ldp_vc"])
        del plain["proof"]
        jwt = found[language, "vc-jwt"]
        assert {name: jwt[name] for name in plain} == plain
    assert found["sv", "ldp_vc"]["id"] != found["en", "ldp_vc"]["id"]
    entries = {json.dumps(each["credentialStatus"], sort_keys=True) for each in found.values()}
    assert len(entries) == 1
    assert len({each["credentialSubject"]["id"] for each in found.values()}) == 1


def test_the_stored_bytes_are_those_that_were_signed(world: World) -> None:
    world.published_definition()

    issued = world.issued()

    with world.reading() as session:
        rows = session.scalars(select(Representation)).all()
        assert len(rows) == 4
        for row in rows:
            assert row.body == body_of(issued, row.language, row.format)
            assert row.sha256 == hashlib.sha256(row.body).hexdigest()
            assert row.credential_id == credential_of(issued, row.language, row.format)["id"]
        (entry,) = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "credential.issued")
        )
        assert entry.subject == issued.award.id
        assert LEARNER not in json.dumps(entry.details)


def test_the_embedded_achievement_is_the_published_one_without_its_context(world: World) -> None:
    version, _, _ = world.published_definition()

    issued = world.issued()

    with world.reading() as session:
        for language in ("sv", "en"):
            edition = session.get_one(Achievement, (version.id, language))
            published = json.loads(edition.body)
            del published["@context"]
            assert credential_of(issued, language)["credentialSubject"]["achievement"] == published
    assert credential_of(issued)["relatedResource"] == [
        {
            "id": version.document_url,
            "mediaType": "application/json",
            "digestSRI": version.digest_sri,
        }
    ]


def test_the_result_is_that_of_the_achievement(world: World) -> None:
    world.published_definition()

    subject = credential_of(world.issued(), "en")["credentialSubject"]

    (result,) = subject["result"]
    (described,) = subject["achievement"]["resultDescription"]
    assert (result["resultDescription"], result["value"]) == (described["id"], "Passed")
    assert result["status"] == "Completed"


def test_the_dates_are_those_of_assessment_issue_and_the_last_swedish_second(world: World) -> None:
    world.published_definition()
    day = world.clock().astimezone(STOCKHOLM).date() - timedelta(days=4)

    issued = world.issued(assessedOn=day.isoformat())

    credential = credential_of(issued)
    assert (
        datetime.fromisoformat(credential["awardedDate"]).astimezone(STOCKHOLM).isoformat()[:19]
        == f"{day}T00:00:00"
    )
    assert datetime.fromisoformat(credential["validFrom"]) == world.clock()
    end = end_of_day(plus_duration(day, "P3Y"))
    assert datetime.fromisoformat(credential["validUntil"]) == end
    assert credential["validUntil"][10:19] == "T23:59:59"
    assert issued.award.valid_until == end.astimezone(UTC)
    assert not {"activityStartDate", "activityEndDate"} & set(json.dumps(credential).split('"'))


def test_an_earlier_last_day_may_be_given_and_a_later_one_not(world: World) -> None:
    world.published_definition()
    today = world.clock().astimezone(STOCKHOLM).date()
    soon, late = today + timedelta(days=30), today + timedelta(days=4000)

    assert credential_of(world.issued(validUntil=soon.isoformat()))["validUntil"].startswith(
        f"{soon}T23:59:59"
    )
    error = refused(world, InvalidInput, lambda: world.issued(validUntil=late.isoformat()))
    assert [(found.field, found.rule) for found in error.fields] == [
        ("/validUntil", "valid_until_too_late")
    ]


def test_a_definition_without_an_end_gives_a_credential_without_one(world: World) -> None:
    world.published_definition(validity={"duration": None, "renewal_method": "none"})

    issued = world.issued()

    assert "validUntil" not in credential_of(issued)
    assert "exp" not in credential_of(issued, form="vc-jwt")
    assert issued.award.valid_until is None
    assert world.verified(body_of(issued, form="vc-jwt")).verified


@pytest.mark.parametrize(
    ("days", "rule"), [(1, "assessed_on"), (365, "assessed_on"), (-4 * 366, "already_expired")]
)
def test_an_assessment_in_the_future_or_too_long_ago_is_refused(
    world: World, days: int, rule: str
) -> None:
    world.published_definition()
    day = world.clock().astimezone(STOCKHOLM).date() + timedelta(days=days)

    error = refused(world, InvalidInput, lambda: world.issued(assessedOn=day.isoformat()))

    assert [(found.field, found.rule) for found in error.fields] == [("/assessedOn", rule)]


def test_a_last_day_that_has_passed_is_refused(world: World) -> None:
    world.published_definition()
    yesterday = world.clock().astimezone(STOCKHOLM).date() - timedelta(days=1)

    error = refused(world, InvalidInput, lambda: world.issued(validUntil=yesterday.isoformat()))

    assert [found.rule for found in error.fields] == ["already_expired"]


# ---- the holder


def test_a_known_did_is_the_subject_and_else_a_fresh_urn(world: World) -> None:
    world.published_definition()
    did = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"

    known = credential_of(world.issued(holder={"name": LEARNER, "id": did}))
    first, second = (credential_of(world.issued())["credentialSubject"]["id"] for _ in range(2))

    assert known["credentialSubject"]["id"] == did
    assert first.startswith("urn:uuid:")
    assert first != second


@pytest.mark.parametrize(
    "did", ["did:web:EXAMPLE.org", "did:key:z6Mk", "did:web:a:..", "did:web:a/b"]
)
def test_a_did_that_breaks_its_methods_rules_is_refused(world: World, did: str) -> None:
    world.published_definition()

    error = refused(world, InvalidInput, lambda: world.issued(holder={"name": LEARNER, "id": did}))

    assert [(found.field, found.rule) for found in error.fields] == [("/holder/id", "did")]


def test_a_name_stands_in_clear_and_an_email_only_as_a_salted_hash(world: World) -> None:
    world.published_definition()

    issued = world.issued(holder={"name": LEARNER, "email": EMAIL})

    for language in ("sv", "en"):
        name, email = credential_of(issued, language)["credentialSubject"]["identifier"]
        assert (name["identityHash"], name["hashed"], name["identityType"]) == (
            LEARNER,
            False,
            "name",
        )
        expected = hashlib.sha256((EMAIL.lower() + email["salt"]).encode()).hexdigest()
        assert email["identityHash"] == f"sha256${expected}"
        assert (email["hashed"], email["identityType"]) == (True, "emailAddress")
        assert len(email["salt"]) >= 32


def test_two_credentials_have_different_salts(world: World) -> None:
    world.published_definition()

    salts = {
        credential_of(world.issued(holder={"name": LEARNER, "email": EMAIL}))["credentialSubject"][
            "identifier"
        ][1]["salt"]
        for _ in range(2)
    }

    assert len(salts) == 2


def test_the_email_stands_nowhere_in_the_database(world: World) -> None:
    world.published_definition()
    with_key(world, "k1", holder={"name": LEARNER, "email": EMAIL})

    with world.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                kept = " ".join(
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for value in row
                )
                assert EMAIL.lower() not in kept.lower(), table.name


def test_a_protected_identity_leaves_neither_name_nor_email(world: World) -> None:
    world.published_definition()

    issued = world.issued(holder={"protectedIdentity": True})

    assert "identifier" not in credential_of(issued)["credentialSubject"]
    assert issued.award.holder_name is None
    assert world.verified(body_of(issued)).verified
    for extra in ({"name": LEARNER}, {"email": EMAIL}):
        with pytest.raises(ValidationError, match="protected_identity"):
            IssueOrder.model_validate(
                issue_order() | {"holder": {"protectedIdentity": True} | extra}
            )


@pytest.mark.parametrize(
    "holder",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": " Amina"},
        {"name": "Amina\nExempelsson"},
        {"name": 5},
        {"name": "x" * 201},
        {"name": LEARNER, "email": "amina"},
        {"name": LEARNER, "email": "a@b.se\r\nBcc: x@y.se"},
        {"name": LEARNER, "id": "https://amina.example/"},
        {"name": LEARNER, "personnummer": "x"},
        {"name": "Amina\ud800"},
    ],
    ids=repr,
)
def test_a_holder_outside_the_rules_is_no_order(holder: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IssueOrder.model_validate(issue_order() | {"holder": holder})


@pytest.mark.parametrize("character", ["\ufffe", "\ufdd0", "\U0001ffff"])
@pytest.mark.parametrize("field", ["holder", "externalReference", "evidence"])
def test_what_is_no_character_is_refused_in_every_text(
    world: World, character: str, field: str
) -> None:
    world.published_definition()
    bad = f"a{character}b"
    changes: dict[str, dict[str, Any]] = {
        "holder": {"holder": {"name": bad}},
        "externalReference": {"externalReference": bad},
        "evidence": {"evidence": [{"narrative": bad}]},
    }

    error = refused(world, Malformed, lambda: world.issued(**changes[field]))

    assert error.rule == "character"
    assert field in error.data["field"]


COORDINATION = "701063-2391"


@pytest.mark.parametrize("number", [PERSONAL, "121212-1212", "191212121212", COORDINATION])
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("/holder/name", lambda number: {"holder": {"name": f"Amina {number}"}}),
        ("/holder/id", lambda number: {"holder": {"name": LEARNER, "id": f"did:example:{number}"}}),
        (
            "/holder/email",
            lambda number: {"holder": {"name": LEARNER, "email": f"{number}@example.org"}},
        ),
        ("/externalReference", lambda number: {"externalReference": f"ref {number}"}),
        ("/evidence/0/name", lambda number: {"evidence": [{"name": number}]}),
        (
            "/evidence/1/narrative",
            lambda number: {"evidence": [{"name": "x"}, {"narrative": f"för {number}."}]},
        ),
        ("/evidence/0/genre", lambda number: {"evidence": [{"name": "x", "genre": number}]}),
        ("/evidence/0/url", lambda number: {"evidence": [{"url": f"https://x.example/{number}"}]}),
        ("/definition", lambda number: {"definition": f"sobona/{number}"}),
    ],
)
def test_a_personal_number_is_refused_in_every_text_field(
    world: World, number: str, field: str, change: Callable[[str], dict[str, Any]]
) -> None:
    error = refused(world, InvalidInput, lambda: world.issued(**change(number)))

    assert [(found.field, found.rule) for found in error.fields] == [(field, "personal_number")]
    assert number not in error.sentence("sv") + error.sentence("en")


# ---- who may issue what


def test_a_definition_can_be_named_in_four_ways(world: World) -> None:
    version, line, owner = world.published_definition()
    base = world.env.addresses.definition_line(owner.slug, line.code)

    for name in (
        f"sobona/{line.code}",
        f"sobona/{line.code}/1.0.0",
        base,
        str(version.document_url),
    ):
        assert world.issued(definition=name).award.definition_version_id == version.id


@pytest.mark.parametrize(
    "name",
    [
        "sobona/NO-SUCH",
        "nobody/SOB-OPTO-01",
        "sobona/SOB-OPTO-01/9.9.9",
        "x/y/z/å",
        "///",
        "https://elsewhere.example/o/sobona/definitions/SOB-OPTO-01",
    ],
)
def test_a_definition_that_is_not_there_is_not_found(world: World, name: str) -> None:
    world.published_definition()

    refused(world, NotFound, lambda: world.issued(definition=name))


def test_a_draft_of_ones_own_is_a_conflict_and_anothers_is_not_there(world: World) -> None:
    world.draft(authorised_issuers=["sobona", ISSUER])

    own = refused(world, Conflict, lambda: world.issued(issuer="sobona"))
    refused(world, NotFound, world.issued)
    refused(world, NotFound, lambda: world.issued(definition="sobona/SOB-OPTO-01/1.0.0"))

    assert (own.rule, own.data["state"]) == ("definition_not_published", "draft")


def test_a_retired_definition_is_a_conflict(world: World) -> None:
    version, _, owner = world.published_definition()
    with world.writing() as session:
        retire(world.env, session, actor_of(owner), version.id)

    error = refused(world, Conflict, world.issued)

    assert error.data["state"] == "retired"


def test_a_superseded_version_is_a_conflict_and_the_line_means_the_new_one(world: World) -> None:
    world.published_definition()
    newer, _, _ = world.published_definition(version="1.1.0")

    error = refused(world, Conflict, lambda: world.issued(definition="sobona/SOB-OPTO-01/1.0.0"))

    assert error.data["state"] == "superseded"
    assert world.issued().award.definition_version_id == newer.id


def test_an_issuer_whom_the_owner_does_not_name_is_forbidden_the_owner_too(world: World) -> None:
    world.published_definition()

    for slug in ("annan", "sobona"):
        world.organization(slug)
        error = refused(world, Forbidden, lambda slug=slug: world.issued(issuer=slug))  # type: ignore[misc]
        assert error.rule == "not_authorised_issuer"


def test_a_token_without_the_permission_or_without_an_organisation_issues_nothing(
    world: World,
) -> None:
    world.published_definition()
    organization = world.organization(ISSUER)
    order = IssueOrder.model_validate(issue_order())
    actors = [
        Actor("x", organization.id, frozenset({Permission.CREDENTIALS_READ})),
        Actor("x", None, OPERATOR),
        Actor("x", None, frozenset(Permission)),
    ]

    for actor in actors:
        with world.writing() as session, pytest.raises(Forbidden):
            issue(world.env, session, actor, order)
    assert counted(world)["award"] == 0


# ---- once only


def test_the_same_key_gives_the_same_award_and_issues_no_second(world: World) -> None:
    world.published_definition()

    first = with_key(world, "k1")
    before = counted(world)
    world.clock.advance(days=1)
    again = with_key(world, "k1")

    assert (first.is_new, again.is_new) == (True, False)
    assert again.award.id == first.award.id
    assert {each.body for each in again.representations} == {
        each.body for each in first.representations
    }
    assert counted(world) == before


@pytest.mark.parametrize(
    "change",
    [{"holder": {"name": "Annan"}}, {"languages": ["sv"]}, {"externalReference": "x"}],
    ids=repr,
)
def test_the_same_key_with_another_body_is_refused(world: World, change: dict[str, object]) -> None:
    world.published_definition()
    with_key(world, "k1")

    refused(world, IdempotencyMismatch, lambda: with_key(world, "k1", **change))


def test_two_organisations_may_use_the_same_key(world: World) -> None:
    world.published_definition(authorised_issuers=[ISSUER, "sobona"])
    first = with_key(world, "k1")
    owner = world.organization("sobona")

    with world.writing() as session:
        order = IssueOrder.model_validate(issue_order())
        second = issue(world.env, session, actor_of(owner), order, "k1")

    assert second.is_new
    assert second.award.id != first.award.id


def test_a_key_whose_order_was_refused_is_free_again(world: World) -> None:
    world.published_definition()
    refused(world, InvalidInput, lambda: with_key(world, "k1", externalReference=PERSONAL))

    assert with_key(world, "k1").is_new


@pytest.mark.parametrize("key", ["", "x" * 256, "å", "a\nb", "\x7f"])
def test_a_key_outside_the_rules_is_refused(world: World, key: str) -> None:
    world.published_definition()

    error = refused(world, InvalidInput, lambda: with_key(world, key))

    assert [(found.field, found.rule) for found in error.fields] == [
        ("Idempotency-Key", "idempotency_key")
    ]


def test_a_reference_is_in_use_until_its_award_is_revoked(world: World) -> None:
    world.published_definition()
    first = world.issued(externalReference="LADOK-1")

    error = refused(world, Conflict, lambda: world.issued(externalReference="LADOK-1"))
    world.set_status(first, "revoked")
    second = world.issued(externalReference="LADOK-1")

    assert (error.rule, error.data["credential"]) == ("reference_in_use", first.award.id)
    assert second.award.id != first.award.id


def test_two_organisations_may_use_the_same_reference(world: World) -> None:
    world.published_definition(authorised_issuers=[ISSUER, "sobona"])

    world.issued(externalReference="1")

    assert world.issued(issuer="sobona", externalReference="1").is_new


# ---- the status list


def list_rows(world: World, purpose: str = "revocation") -> list[StatusList]:
    issuer = world.organization(ISSUER)
    with world.reading() as session:
        query = select(StatusList).where(StatusList.organization_id == issuer.id)
        return list(
            session.scalars(query.where(StatusList.purpose == purpose).order_by(StatusList.number))
        )


def test_a_list_has_its_full_size_from_the_first_day_and_indexes_in_no_order(world: World) -> None:
    world.published_definition()

    indexes = [world.issued().award.status_index for _ in range(5)]

    (row,) = list_rows(world)
    assert (row.size, row.used) == (131_072, 5)
    assert len(set(indexes)) == 5
    assert indexes != sorted(indexes) or max(indexes) - min(indexes) > 5
    assert indexes == [statuslist.nth_index(n, row.permutation_key) for n in range(5)]


def test_a_full_list_opens_a_new_one(world: World) -> None:
    world.published_definition()
    before = world.issued()
    with world.writing() as session:
        session.execute(
            update(StatusList)
            .where(StatusList.id == before.award.status_list_id)
            .values(used=statuslist.SIZE - 1)
        )

    last, first, second = world.issued(), world.issued(), world.issued()

    rows = list_rows(world)
    assert [(row.number, row.used) for row in rows] == [(1, statuslist.SIZE), (2, 2)]
    assert last.award.status_list_id == rows[0].id
    assert first.award.status_list_id == second.award.status_list_id == rows[1].id
    assert rows[0].permutation_key != rows[1].permutation_key
    status = credential_of(first)["credentialStatus"]
    assert status["statusListCredential"].endswith("/status/revocation-2.json")
    assert status["id"] == f"{status['statusListCredential']}#{status['statusListIndex']}"
    for issued in (last, first, second):
        assert world.verified(body_of(issued)).verified


def test_the_purpose_is_the_definitions(world: World) -> None:
    world.published_definition(status_purpose="suspension")

    issued = world.issued()

    status = credential_of(issued)["credentialStatus"]
    assert status["statusPurpose"] == "suspension"
    assert "/status/suspension-1.json" in status["statusListCredential"]
    assert isinstance(status, dict)
    assert world.verified(body_of(issued)).verified


# ---- all or nothing


def key_paths(world: World, slug: str = ISSUER) -> dict[str, Any]:
    organization = world.organization(slug)
    with world.reading() as session:
        rows = session.scalars(
            select(SigningKey).where(SigningKey.organization_id == organization.id)
        )
        store: Any = world.env.key_stores["file"]
        return {
            row.algorithm: store.folder / f"{row.uri.removeprefix('file:')}.key" for row in rows
        }


def forget_signers(world: World) -> None:
    """As after a new start: no decrypted key in memory."""
    store: Any = world.env.key_stores["file"]
    kek = (store.folder.parent / "kek").read_bytes()
    opened = type(store)(store.folder, lambda: (kek,))
    world.env = replace(world.env, key_stores={"file": opened})


@pytest.mark.parametrize("algorithm", ["Ed25519", "P-256"])
def test_a_missing_key_file_leaves_nothing_behind(world: World, algorithm: str) -> None:
    world.published_definition()
    key_paths(world)[algorithm].unlink()
    forget_signers(world)

    error = refused(world, Unavailable, lambda: with_key(world, "k1"))

    assert error.rule == "key_missing"


@pytest.mark.parametrize("algorithm", ["Ed25519", "P-256"])
def test_a_key_that_does_not_fit_its_record_signs_nothing_that_is_stored(
    world: World, algorithm: str
) -> None:
    world.published_definition()
    organization, other = world.organization(ISSUER), world.organization("annan")
    with world.writing() as session:

        def key(owner: str) -> SigningKey:
            query = select(SigningKey).where(SigningKey.organization_id == owner)
            return session.scalars(query.where(SigningKey.algorithm == algorithm)).one()

        theirs, ours = key(other.id), key(organization.id)
        wrong = theirs.multikey
        session.execute(delete(SigningKey).where(SigningKey.id == theirs.id))
        session.flush()
        ours.multikey = wrong

    error = refused(world, Unavailable, world.issued)

    assert error.rule == "wrong_key"


def test_a_compromised_key_is_not_signed_with(world: World) -> None:
    world.published_definition()
    with world.writing() as session:
        session.execute(update(SigningKey).values(state="compromised"))

    assert refused(world, Unavailable, world.issued).rule == "no_active_key"


def test_a_commit_that_does_not_come_leaves_no_credential(world: World) -> None:
    world.published_definition()
    organization = world.organization(ISSUER)
    before = counted(world)

    with world.env.writing() as session:
        issue(
            world.env,
            session,
            actor_of(organization),
            IssueOrder.model_validate(issue_order()),
            "k1",
        )

    assert counted(world) == before


def test_a_database_that_refuses_the_last_row_leaves_no_credential(world: World) -> None:
    world.published_definition()
    before = counted(world)
    with world.writing() as session:
        session.execute(text("ALTER TABLE audit_entry RENAME TO audit_entry_gone"))

    with pytest.raises(Exception, match="audit_entry"):
        world.issued()

    with world.writing() as session:
        session.execute(text("ALTER TABLE audit_entry_gone RENAME TO audit_entry"))
    assert counted(world) == before


@pytest.mark.parametrize(
    "change",
    [
        {"languages": []},
        {"languages": ["sv", "sv"]},
        {"languages": ["fi"]},
        {"result": "failed"},
        {"assessedOn": "20 november"},
        {"assessedOn": "2026-02-30"},
        {"validFrom": "2026-01-01"},
        {"externalReference": ""},
        {"externalReference": " x"},
        {"evidence": [{}]},
        {"evidence": [{"genre": "x"}]},
        {"evidence": [{"url": "http://x.example/"}]},
        {"evidence": [{"url": "https://a b/"}]},
        {"evidence": [{"name": "x"}] * 11},
        {"holder": None},
        {"definition": ""},
        {"undefined": 1},
    ],
    ids=repr,
)
def test_an_order_outside_the_rules_is_no_order(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IssueOrder.model_validate(issue_order() | change)


def test_one_language_alone_may_be_ordered(world: World) -> None:
    world.published_definition()

    issued = world.issued(languages=["en"])

    assert {(each.language, each.format) for each in issued.representations} == {
        ("en", "ldp_vc"),
        ("en", "vc-jwt"),
    }


def test_evidence_stands_in_the_credential_as_it_was_given(world: World) -> None:
    world.published_definition()
    piece = {
        "name": "Prov",
        "narrative": "Rad ett\nrad två",
        "genre": "Bedömning",
        "url": "https://x.example/1",
    }

    (found,) = credential_of(world.issued(evidence=[piece]))["evidence"]

    assert found == {
        "type": ["Evidence"],
        "id": piece["url"],
        "name": piece["name"],
        "narrative": piece["narrative"],
        "genre": piece["genre"],
    }


def test_an_owner_that_issues_is_described_once(world: World) -> None:
    world.published_definition(authorised_issuers=["sobona"])

    credential = credential_of(world.issued(issuer="sobona"))

    assert credential["issuer"] == credential["credentialSubject"]["achievement"]["creator"]
    assert set(credential["issuer"]) == {"id", "type", "name", "url"}


def test_a_day_of_today_is_taken_even_when_utc_is_still_at_yesterday(world: World) -> None:
    world.published_definition()
    midnight = datetime.combine(date(2027, 1, 10), datetime.min.time(), STOCKHOLM)
    world.clock.moment = midnight.astimezone(UTC) + timedelta(minutes=5)

    assert world.issued(assessedOn="2027-01-10").is_new


UNSEEN = ["\u202egnoS", "a\u2066b", "a\u200bb", "a\u200fb", "a\ufeffb", "a\u0085b", "a\u2028b",
          "A\U000e0041", "a\0b", "a\x0bb", "a\x1bb", "a\x7fb"]  # fmt: skip


@pytest.mark.parametrize("given", UNSEEN, ids=ascii)
@pytest.mark.parametrize(
    "place",
    [
        lambda text: {"holder": {"name": text}},
        lambda text: {"externalReference": text},
        lambda text: {"evidence": [{"name": text}]},
        lambda text: {"evidence": [{"genre": text, "name": "x"}]},
        lambda text: {"evidence": [{"narrative": text}]},
    ],
    ids=["holder", "reference", "evidence", "genre", "narrative"],
)
def test_a_text_that_reads_otherwise_than_it_is_written_is_no_order(
    place: Callable[[str], dict[str, object]], given: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        IssueOrder.model_validate(issue_order() | place(given))

    assert [error.rule for error in field_errors(caught.value)] == ["control_character"]


@pytest.mark.parametrize("name", ["\u0300\u0301", "\u200d", "-", "\u3164", "\u115f"], ids=ascii)
def test_a_name_has_a_letter_or_a_digit_that_can_be_seen(name: str) -> None:
    for change in ({"holder": {"name": name}}, {"evidence": [{"name": name}]}):
        with pytest.raises(ValidationError) as caught:
            IssueOrder.model_validate(issue_order() | change)

        assert [error.rule for error in field_errors(caught.value)] == ["no_letter"]


def test_a_narrative_may_have_lines_and_names_may_be_of_any_script() -> None:
    order = IssueOrder.model_validate(
        issue_order()
        | {
            "holder": {"name": "\u0639\u0644\u064a O\u2019Hara-\u00c5str\u00f6m"},
            "evidence": [{"name": "\u6f22\u5b57", "narrative": "En rad.\nEn till."}],
        }
    )

    assert order.evidence[0].narrative == "En rad.\nEn till."


@pytest.mark.parametrize("field", ["assessedOn", "validUntil"])
@pytest.mark.parametrize(
    "day",
    [0, 1763596800, "1763596800", 20.0, True, "2026-11-20T00:00:00", "2026-11-20T00:00:00Z",
     "20261120", "2026-W47-5", "2026-02-30", "\uff12026-11-20", " 2026-11-20"],
    ids=repr,
)  # fmt: skip
def test_a_day_is_written_as_year_month_and_day(field: str, day: object) -> None:
    with pytest.raises(ValidationError) as caught:
        IssueOrder.model_validate(issue_order() | {field: day})

    assert [(error.field, error.rule) for error in field_errors(caught.value)] == [
        (f"/{field}", "date")
    ]


@pytest.mark.parametrize("slug", [ISSUER, "sobona"])
def test_neither_the_issuer_nor_the_owner_is_the_holder(world: World, slug: str) -> None:
    world.published_definition()
    did = world.organization(slug).did

    with pytest.raises(InvalidInput) as caught:
        world.issued(holder={"name": LEARNER, "id": did})

    assert [(error.field, error.rule) for error in caught.value.fields] == [
        ("/holder/id", "holder_is_party")
    ]


def test_what_is_kept_of_an_order_tells_nobody_its_email_who_lacks_the_key(world: World) -> None:
    world.published_definition()
    holder = {"name": LEARNER, "email": EMAIL}
    with_key(world, "5f0c1d9e", holder=holder)
    with_key(world, "a87b2c44", holder=holder)

    with world.reading() as session:
        kept = set(session.scalars(select(IdempotencyKey.request_sha256)))

    order = IssueOrder.model_validate(issue_order() | {"holder": holder})
    guessed = json.dumps(order.model_dump(mode="json"), sort_keys=True).encode()
    assert len(kept) == 2
    assert hashlib.sha256(guessed).hexdigest() not in kept
    with pytest.raises(IdempotencyMismatch):
        with_key(world, "5f0c1d9e", holder=holder | {"email": "annan@example.org"})
