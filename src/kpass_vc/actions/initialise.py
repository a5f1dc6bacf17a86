"""Set up an installation: folders, secrets, tables, and the public URL on record. May be run again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from kpass_vc import resources
from kpass_vc.durable import make_tables
from kpass_vc.environment import CONTACT_KEY, LINK_KEY, make_kek, open_stores
from kpass_vc.errors import Unavailable
from kpass_vc.records import organization as organizations
from kpass_vc.records.base import changing_tables, open_engine, write_session
from kpass_vc.records.service import Service, the_service
from kpass_vc.settings import Settings


def initialise(settings: Settings) -> None:
    """Make what is missing; Unavailable if it would change the public URL of organisations that exist."""
    if settings.database_url.startswith("sqlite:///"):
        # there will be people in it
        Path(settings.database_url.removeprefix("sqlite:///")).parent.mkdir(
            0o700, parents=True, exist_ok=True
        )
    settings.keys_dir.mkdir(parents=True, exist_ok=True)
    settings.keys_dir.chmod(0o700)
    make_kek(settings)
    for name in (LINK_KEY, CONTACT_KEY):
        open_stores(settings)["file"].make_secret(name)
    engine = open_engine(settings.database_url)
    try:
        migrate(engine)
        make_tables(engine)
        _record_url(engine, settings.public_url)
    finally:
        engine.dispose()


def _record_url(engine: Engine, public_url: str) -> None:
    with write_session(engine) as session, session.begin():
        row = the_service(session)
        if row is None:
            session.add(Service(id=1, public_url=public_url, created_at=datetime.now(UTC)))
        elif row.public_url != public_url:
            if organizations.every(session):
                raise Unavailable("other_url", stored=row.public_url, given=public_url)
            row.public_url = public_url


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest migration."""
    with changing_tables(engine) as connection:
        command.upgrade(migration_config(connection), "head")


def migration_state(engine: Engine) -> Literal["newest", "older", "unknown"]:
    """Whether the tables are at the newest migration, at one before it (or none), or at one we do not know."""
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(migration_config(connection))
        found = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if not set(found) <= known:
        return "unknown"
    return "newest" if set(found) == set(scripts.get_heads()) else "older"


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration, bound to a connection."""
    config = Config()
    config.set_main_option("script_location", str(resources.folder("alembic")))
    config.attributes["connection"] = connection
    return config
