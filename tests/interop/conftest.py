"""One installation for all of these tests: everything that the catalogues hold, issued once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from kpass_vc.actions.initialise import initialise
from kpass_vc.settings import Settings
from tests.interop.catalogue import Catalogue, issue_the_catalogue
from tests.interop.served import Served, serving_over_tls
from tests.tls import Authority
from tests.world import Clock, World, open_test_environment


@pytest.fixture(scope="session")
def interop_settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings of the one installation, set up and empty."""
    folder = tmp_path_factory.mktemp("interop")
    if request.config.getoption("--database") == "postgresql":
        url = _new_database(request.getfixturevalue("postgresql_server"))
    else:
        url = f"sqlite:///{folder}/kpass.db"
    settings = _settings(url, folder)
    initialise(settings)
    return settings


@pytest.fixture(scope="session")
def catalogue(interop_settings: Settings) -> Iterator[Catalogue]:
    """All catalogue definitions published, and one award of each issued in Swedish and English."""
    clock = Clock()
    environment = open_test_environment(interop_settings, clock)
    yield issue_the_catalogue(World(environment, clock))
    environment.engine.dispose()


@pytest.fixture(scope="session")
def served(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Our service over TLS, and the site of others on a second port; on SQLite."""
    folder = tmp_path_factory.mktemp("served")
    settings = _settings(f"sqlite:///{folder}/kpass.db", folder)
    with serving_over_tls(settings, authority, folder) as found:
        yield found


def _settings(database_url: str, folder: Path) -> Settings:
    return Settings.read(
        {
            "KPASS_DATABASE_URL": database_url,
            "KPASS_KEYS_DIR": str(folder / "keys"),
            "KPASS_KEK_FILE": str(folder / "kek"),
        }
    )


def _new_database(server: str) -> str:
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE kpass_interop"))
    engine.dispose()
    named = make_url(server).set(database="kpass_interop")
    return named.render_as_string(hide_password=False)
