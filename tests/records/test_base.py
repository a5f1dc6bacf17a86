"""What all tables share: aware moments, foreign keys, and how transactions begin."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from kpass_vc.records import Base
from kpass_vc.records.audit import AuditEntry, of_organization
from tests.world import World


def entry(at: datetime, organization_id: str | None = None) -> AuditEntry:
    return AuditEntry(
        at=at, organization_id=organization_id, actor="x", action="a", subject="s", details={}
    )


def test_the_migrations_make_the_tables_that_the_code_knows(world: World) -> None:
    found = inspect(world.env.engine)

    assert set(found.get_table_names()) >= set(Base.metadata.tables) | {"alembic_version"}
    for table in Base.metadata.sorted_tables:
        assert {column["name"]: column["nullable"] for column in found.get_columns(table.name)} == {
            column.name: column.nullable for column in table.columns
        }


def test_a_moment_comes_back_aware_and_in_utc(world: World) -> None:
    moment = datetime(2026, 7, 1, 12, 30, 15, 250000, timezone(timedelta(hours=2)))
    with world.writing() as session:
        session.add(entry(moment))

    with world.reading() as session:
        found = session.get_one(AuditEntry, 1).at

    assert found == moment
    assert found.tzinfo == UTC


def test_a_moment_without_a_zone_is_never_stored(world: World) -> None:
    with pytest.raises(StatementError), world.writing() as session:
        session.add(entry(datetime(2026, 7, 1)))  # noqa: DTZ001 - that is the point


def test_a_row_that_points_nowhere_is_refused(world: World) -> None:
    with pytest.raises(IntegrityError), world.writing() as session:
        session.add(entry(datetime.now(UTC), "no-such-organization"))


def test_an_error_does_not_show_what_was_to_be_stored(world: World) -> None:
    with pytest.raises(DBAPIError) as caught, world.reading() as session:
        session.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "Kanarie"})

    assert "nowhere" in str(caught.value)
    assert "Kanarie" not in str(caught.value)


@pytest.mark.sqlite
def test_sqlite_loses_nothing_at_power_loss_and_readers_wait_for_no_writer(world: World) -> None:
    with world.env.engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 60000,
    }

    with world.writing() as first:
        first.execute(text("SELECT 1"))
        with world.reading() as reader:
            assert reader.execute(text("SELECT count(*) FROM award")).scalar() == 0


@pytest.mark.sqlite
def test_a_second_writer_waits_for_the_first(world: World) -> None:
    with world.writing() as first:
        first.execute(text("SELECT 1"))
        with world.env.engine.connect() as other:
            raw = other.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA busy_timeout=1")
            other.rollback()
            with pytest.raises(OperationalError, match="locked"):
                other.exec_driver_sql("BEGIN IMMEDIATE")


def test_the_audit_of_an_organisation_is_its_own_in_order(world: World) -> None:
    first, second = world.organization("sobona"), world.organization("annan")
    with world.writing() as session:
        session.add_all(entry(world.clock(), owner.id) for owner in (second, first, first))

    with world.reading() as session:
        found = of_organization(session, organization_id=first.id)

    assert [row.action for row in found] == ["organization.enrolled", "a", "a"]
    assert [row.id for row in found] == sorted(row.id for row in found)
