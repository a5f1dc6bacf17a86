"""Upgrading an installation that has been in use since the first tables."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from kpass_vc import statuslist
from kpass_vc.actions.initialise import initialise, migrate, migration_config
from kpass_vc.actions.issue import Issued
from kpass_vc.records.base import Base, changing_tables, open_engine
from kpass_vc.settings import Settings
from tests.world import World, body_of

FIRST_TABLES = {
    "achievement", "alembic_version", "api_token", "audit_entry", "award", "definition", "definition_version",
    "idempotency_key", "organization", "representation", "service", "signing_key", "status_list", "status_publication",
}  # fmt: skip
NEW_TABLES = set(Base.metadata.tables) - FIRST_TABLES


@pytest.fixture
def issued(world: World) -> Issued:
    """A credential of an installation whose tables are as they were at first."""
    # by its owner: what an issuer is authorised by has no place in the first tables
    world.published_definition(authorised_issuers=["sobona"])
    found = world.issued(issuer="sobona")
    downgrade(world.env.engine, "0001")
    return found


@pytest.mark.usefixtures("issued")
def test_every_row_of_the_first_tables_is_there_after_the_upgrade(
    world: World, settings: Settings
) -> None:
    before = rows(world.env.engine)

    initialise(settings)

    assert not NEW_TABLES & before.keys()
    assert before["award"] == before["representation"] / 4 == 1
    assert rows(world.env.engine) == before | dict.fromkeys(NEW_TABLES, 0)


def test_what_was_issued_before_the_upgrade_verifies_and_is_revoked_and_shared_after_it(
    world: World, settings: Settings, issued: Issued
) -> None:
    initialise(settings)

    assert world.verified(body_of(issued)).verified
    assert world.shared(issued.award.id).award_id == issued.award.id
    assert world.verified(body_of(world.issued(issuer="sobona"))).verified
    world.set_status(issued, "revoked")
    assert world.verified(body_of(issued)).verdict == "refused"


@pytest.mark.usefixtures("issued")
def test_keys_and_lists_of_the_first_tables_belong_to_the_did_of_their_own_organisation(
    world: World, settings: Settings
) -> None:
    initialise(settings)

    with world.env.engine.connect() as connection:
        for table, column in (("signing_key", "did"), ("status_list", "issuer")):
            found = connection.execute(
                text(
                    f"SELECT {table}.{column}, organization.did FROM {table}"
                    f" JOIN organization ON organization.id = {table}.organization_id"
                )
            ).all()
            assert found
            assert all(own == did for own, did in found)


@pytest.mark.usefixtures("issued")
def test_an_upgraded_installation_has_the_constraints_and_indexes_of_the_models(
    world: World, settings: Settings
) -> None:
    initialise(settings)
    upgraded = shape(world.env.engine)
    downgrade(world.env.engine, "base")

    Base.metadata.create_all(world.env.engine)

    assert upgraded == shape(world.env.engine)
    assert {"uq_dispute_open", "uq_award_external_reference"} <= set(upgraded)


@pytest.mark.usefixtures("issued")
def test_the_rows_that_refer_to_a_changed_table_are_held_to_it_after_the_upgrade(
    world: World, settings: Settings
) -> None:
    initialise(settings)

    with world.env.writing() as session, pytest.raises(IntegrityError):
        session.execute(text("DELETE FROM status_list"))


@pytest.mark.sqlite
def test_a_change_of_tables_that_leaves_a_reference_to_nothing_is_not_committed(
    tmp_path: Path,
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/new.db")
    migrate(engine)

    with pytest.raises(RuntimeError, match="definition"), changing_tables(engine) as connection:
        connection.execute(text("INSERT INTO definition VALUES ('1', 'nobody', 'A-1')"))

    assert rows(engine)["definition"] == 0


@pytest.mark.postgresql
def test_on_postgresql_bodies_are_compressed_by_lz4_where_the_server_has_it_and_lists_not_at_all(
    world: World, settings: Settings
) -> None:
    world.published_definition()
    world.issued()
    downgrade(world.env.engine, "0009")
    before = compressions(world.env.engine)
    initialise(settings)
    world.set_status(world.issued(), "revoked")

    after = compressions(world.env.engine)

    with world.env.engine.connect() as connection:
        has_lz4 = connection.scalar(text(HAS_LZ4))
        stored = set(
            connection.scalars(text("SELECT pg_column_compression(body) FROM representation"))
        )
        lists = connection.scalars(text("SELECT pg_column_size(bits) FROM status_publication"))
        sizes = set(lists)
    untouched = {"body": ("", "x"), "bits": ("", "x"), "body_jwt": ("", "x")}
    assert before == {"representation": {"body": ("", "x")}, "status_publication": untouched}
    assert after["representation"] == {"body": ("l" if has_lz4 else "", "x")}
    assert set(after["status_publication"].values()) == {("", "e")}
    assert stored == ({"pglz", "lz4"} if has_lz4 else {"pglz"})
    assert max(sizes) == statuslist.SIZE // 8


HAS_LZ4 = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"


def compressions(engine: Engine) -> dict[str, dict[str, tuple[str, str]]]:
    """How PostgreSQL compresses and stores the columns of bytes of two tables."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    query = text(
        "SELECT relname, attname, attcompression::text, attstorage::text FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid WHERE atttypid = 'bytea'::regtype"
        " AND relname IN ('representation', 'status_publication') AND NOT attisdropped"
    )
    with engine.connect() as connection:
        for table, column, compression, storage in connection.execute(query):
            found.setdefault(table, {})[column] = (compression, storage)
    return found


def downgrade(engine: Engine, revision: str) -> None:
    with changing_tables(engine) as connection:
        command.downgrade(migration_config(connection), revision)


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        return {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in inspect(connection).get_table_names()
            if name != "alembic_version"
        }


def shape(engine: Engine) -> dict[str, object]:
    """Columns by table, and every index, unique and foreign-key constraint by its name."""
    found: dict[str, object] = {}
    with engine.connect() as connection:
        tables = inspect(connection)
        for name in tables.get_table_names():
            columns = tables.get_columns(name)
            found[name] = sorted((c["name"], str(c["type"]), c["nullable"]) for c in columns)
            for index in tables.get_indexes(name):
                where = str(
                    index.get("dialect_options", {}).get(f"{engine.dialect.name}_where", "")
                )
                found[str(index["name"])] = (name, index["column_names"], index["unique"], where)
            for unique in tables.get_unique_constraints(name):
                found[str(unique["name"])] = (name, unique["column_names"])
            for key in tables.get_foreign_keys(name):
                found[str(key["name"])] = (
                    name,
                    key["constrained_columns"],
                    key["referred_table"],
                    key["referred_columns"],
                )
    return found
