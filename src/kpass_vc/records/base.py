"""Base of all tables, constraint naming, aware timestamps, and the engine.

SQLite runs in WAL mode with synchronous=FULL (NORMAL loses acknowledged
credentials at power loss) and our write transactions begin IMMEDIATE: without
it a read-modify-write loses updates. Only ours: the listener acts on
connections that carry the execution option `kpass_write`.

Errors hide the statements' parameters, among which there are people.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, ClassVar, Final

from sqlalchemy import DateTime, Engine, MetaData, create_engine, event, insert
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

WRITE: Final = "kpass_write"
_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=60000",
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC; ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(value)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime}


def open_engine(url: str) -> Engine:
    """The engine of a database URL: `sqlite:///file` or `postgresql://…`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(
        parsed, pool_size=20, max_overflow=20, pool_pre_ping=True, hide_parameters=True
    )


def store(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Store many rows of a table by one statement; every row names the same columns."""
    if rows:
        session.connection().execute(insert(table.__table__), list(rows))  # type: ignore[arg-type]


MARKS: Final = "kpass_marks"
"""Where a session keeps how far it has brought the status lists, until it is committed."""


def note_mark(session: Session, url: str, version: int, used: int) -> None:
    """Remember how far a status list has come, for the high-water mark that is written after the commit."""
    known = session.info.setdefault(MARKS, {})
    before = known.get(url, (0, 0))
    known[url] = (max(version, before[0]), max(used, before[1]))


def write_session(engine: Engine) -> Session:
    """A session whose transaction may write."""
    return Session(engine.execution_options(**{WRITE: True}), expire_on_commit=False)


def read_session(engine: Engine) -> Session:
    """A session that only reads, and so waits for no writer."""
    return Session(engine, expire_on_commit=False)


def snapshot_engine(engine: Engine) -> Engine:
    """The engine whose connections see one moment, from their first statement to the end of the transaction."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


@contextmanager
def changing_tables(engine: Engine) -> Iterator[Connection]:
    """A connection for migrations, in a transaction that ends here.

    SQLite changes a table by making it anew and dropping the old one, which the rows that refer to
    it forbid; so references are looked at once, before the commit (lang_altertable.html section 7).
    """
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            yield connection
            connection.commit()
            return
        _pragma(connection, "foreign_keys=OFF")
        try:
            yield connection
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if lost is not None:
                raise RuntimeError(f"a row of {lost[0]} refers to a row of {lost[2]} that is gone")
            connection.commit()
        finally:
            connection.rollback()
            _pragma(connection, "foreign_keys=ON")


def _pragma(connection: Connection, setting: str) -> None:
    """Outside of a transaction: within one SQLite takes no notice."""
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def durable_engine(engine: Engine) -> Engine:
    """The engine for durable workflows: on SQLite one of its own to the same file, else the same.

    DBOS begins its SQLite transactions itself, which our listener would do a second time; the SQLite
    library is the same one.
    """
    if engine.dialect.name != "sqlite":
        return engine
    own = create_engine(
        engine.url,
        module=_sqlite_module(),
        pool_size=10,
        max_overflow=20,
        connect_args={"timeout": 60, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(own, "connect")
    def _configure(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return own


def _sqlite_module() -> ModuleType:
    try:
        import pysqlite3 as module  # noqa: PLC0415 - the wheel is not there on every platform
    except ImportError:
        import sqlite3 as module  # noqa: PLC0415
    found: ModuleType = module
    return found


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        module=_sqlite_module(),
        pool_size=20,
        max_overflow=40,
        connect_args={"timeout": 60},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
