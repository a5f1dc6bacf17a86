"""Awards: each organisation sees its own, and the database itself keeps what is unique."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from kpass_vc.actions.issue import Issued
from kpass_vc.records import award as awards
from kpass_vc.records.award import Award, IdempotencyKey
from tests.world import World

ISSUER = "stadsnat-exempel"


@pytest.fixture
def two(world: World) -> tuple[Issued, Issued]:
    """One award of each of two organisations."""
    world.published_definition(authorised_issuers=[ISSUER, "annan"])
    return (
        world.issued(externalReference="A-1"),
        world.issued(issuer="annan", externalReference="A-1"),
    )


def copied(award: Award, **changes: object) -> Award:
    members = {column.name: getattr(award, column.name) for column in Award.__table__.columns}
    return Award(
        **{**members, "id": "copy", "status_index": 1, "external_reference": None, **changes}
    )


def test_an_organisation_finds_its_own_award_and_no_other(
    world: World, two: tuple[Issued, Issued]
) -> None:
    own, other = two[0].award, two[1].award

    with world.reading() as session:
        for locked in (False, True):
            assert awards.by_id(
                session, organization_id=own.organization_id, award_id=own.id, for_update=locked
            )
            assert (
                awards.by_id(
                    session,
                    organization_id=own.organization_id,
                    award_id=other.id,
                    for_update=locked,
                )
                is None
            )
        found = awards.by_reference(
            session, organization_id=own.organization_id, external_reference="A-1", is_test=False
        )
        assert found is not None
        assert found.id == own.id
        listed, total = awards.search(session, organization_id=own.organization_id)
        assert ([row.id for row in listed], total) == ([own.id], 1)
        assert awards.search(session, organization_id="nobody") == ([], 0)


def test_a_search_is_narrowed_and_paged_newest_first(world: World) -> None:
    world.published_definition()
    issued = []
    for number in range(5):
        issued.append(world.issued(externalReference=f"R-{number}", languages=["sv"]))
        world.clock.advance(minutes=1)
    world.set_status(issued[1], "revoked")
    owner = issued[0].award.organization_id
    ids = [each.award.id for each in reversed(issued)]

    with world.reading() as session:

        def found(**wanted: object) -> tuple[list[str], int]:
            rows, total = awards.search(session, organization_id=owner, **wanted)  # type: ignore[arg-type]
            return [row.id for row in rows], total

        assert found() == (ids, 5)
        assert found(limit=2, offset=1) == (ids[1:3], 5)
        assert found(offset=9) == ([], 5)
        assert found(state="revoked") == ([issued[1].award.id], 1)
        assert found(external_reference="R-3") == ([issued[3].award.id], 1)
        assert found(definition_version_id=issued[0].award.definition_version_id)[1] == 5
        assert found(definition_version_id="x") == ([], 0)


def test_no_two_awards_have_the_same_index_of_a_list(
    world: World, two: tuple[Issued, Issued]
) -> None:
    award = two[0].award

    with pytest.raises(IntegrityError), world.writing() as session:
        session.add(copied(award, status_index=award.status_index))


def test_the_database_keeps_a_reference_for_one_award_that_is_not_revoked(
    world: World, two: tuple[Issued, Issued]
) -> None:
    award = two[0].award

    for state in ("active", "suspended"):
        with pytest.raises(IntegrityError), world.writing() as session:
            session.add(copied(award, external_reference="A-1", state=state))
    with world.writing() as session:
        session.add(copied(award, external_reference="A-1", state="revoked"))


def test_a_key_is_claimed_once_per_organisation(world: World) -> None:
    first, second = world.organization("sobona"), world.organization("annan")

    def claim(owner: str, digest: str) -> bool:
        row = IdempotencyKey(
            organization_id=owner,
            key="k",
            request_sha256=digest,
            award_id="a",
            created_at=world.clock(),
        )
        with world.writing() as session:
            return awards.claim_key(session, row)

    assert [claim(first.id, "1"), claim(first.id, "2"), claim(second.id, "3")] == [
        True,
        False,
        True,
    ]
    with world.reading() as session:
        kept = awards.used_key(session, organization_id=first.id, key="k")
        assert kept is not None
        assert kept.request_sha256 == "1"
        assert awards.used_key(session, organization_id=first.id, key="other") is None


def test_a_credential_is_found_by_its_id_in_each_language(
    world: World, two: tuple[Issued, Issued]
) -> None:
    with world.reading() as session:
        for representation in two[0].representations:
            found = awards.by_credential_id(session, representation.credential_id)
            assert found is not None
            assert found[0].id == two[0].award.id
            assert found[1].language == representation.language
        assert awards.by_credential_id(session, "urn:uuid:nothing") is None


def test_representations_come_swedish_first(world: World, two: tuple[Issued, Issued]) -> None:
    with world.reading() as session:
        rows = awards.representations(session, award_id=two[0].award.id)

    assert [(row.language, row.format) for row in rows] == [
        ("sv", "ldp_vc"),
        ("sv", "vc-jwt"),
        ("en", "ldp_vc"),
        ("en", "vc-jwt"),
    ]


def test_an_award_that_is_read_for_a_change_is_read_anew(
    world: World, two: tuple[Issued, Issued]
) -> None:
    award = two[0].award
    with world.writing() as session:
        loaded = awards.by_id(session, organization_id=award.organization_id, award_id=award.id)
        assert loaded is not None
        session.execute(text("UPDATE award SET state = 'revoked'"))

        again = awards.by_id(
            session, organization_id=award.organization_id, award_id=award.id, for_update=True
        )

        assert again is loaded
        assert again.state == "revoked"


def test_the_moment_of_issue_is_kept_to_the_second(
    world: World, two: tuple[Issued, Issued]
) -> None:
    with world.reading() as session:
        kept = session.get_one(Award, two[0].award.id)

    assert abs(kept.issued_at - world.clock()) < timedelta(seconds=1)
