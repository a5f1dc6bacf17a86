"""Examine an installation: what is wrong with it, and what to do.

Nothing is made or mended here, and nothing is taken for granted: an
installation that does not even open is the one that needs a doctor. What
cannot be looked at because something before it is wrong is left out, and said
to be. Only `reachable` asks anybody else, and only with a fetcher.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, Literal

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kpass_vc import resources
from kpass_vc.actions.initialise import migration_state
from kpass_vc.actions.publish_status import is_ageing
from kpass_vc.actions.verify import own_did_document
from kpass_vc.crypto.keys import ORGANIZATION_KEYS, Algorithm, Signer
from kpass_vc.dids.web import DidWeb, verification_method_id
from kpass_vc.environment import CONTACT_KEY, LINK_KEY, read_keks
from kpass_vc.errors import KpassError, ProofInvalid, Unavailable
from kpass_vc.fetch import Fetcher
from kpass_vc.keystores import KEY_STORES
from kpass_vc.keystores.keystore import KeyStore
from kpass_vc.language import Language, say
from kpass_vc.model.did import find_method
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import service
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.base import open_engine, read_session
from kpass_vc.records.key import SigningKey
from kpass_vc.records.organization import Organization
from kpass_vc.settings import Settings

Outcome = Literal["well", "warning", "wrong", "left_out"]

OLDEST_PYTHON: Final = (3, 11)
LITTLE_SPACE: Final = 500 * 1024 * 1024
NO_SPACE: Final = 50 * 1024 * 1024
CLOCK_TOLERANCE: Final = timedelta(minutes=1)
PATIENCE: Final = timedelta(hours=6)
"""How long what is queued may wait before somebody should look."""
_PROBE: Final = b"kpass doctor"
_FULL: Final = 2
_OTHERS_READ: Final = 0o004
_OTHERS_ENTER: Final = 0o001


@dataclass(frozen=True)
class Sign:
    """What one check found; the sentence says what is so and, unless it is well, what to do."""

    check: str
    outcome: Outcome
    code: str
    data: Mapping[str, object] = field(default_factory=dict)
    error: KpassError | None = None

    def sentence(self, language: Language) -> str:
        """What was found, for whoever keeps the installation."""
        if self.error is not None:
            return self.error.sentence(language)
        part = "" if self.code.startswith("needs_") else f"{self.check}."
        return say(language, f"doctor.{part}{self.code}", **self.data)

    def name(self, language: Language) -> str:
        """What was looked at, in a word or two."""
        return say(language, f"doctor.name.{self.check}")


@dataclass(frozen=True)
class Machine:
    """What a check asks of the machine, handed in."""

    python: tuple[int, ...] = sys.version_info[:3]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
    fetcher: Fetcher | None = None
    """Asks from outside whether our DID documents are there; without it nobody is asked."""


@dataclass
class _Case:
    """One installation under examination, and how far it could be opened."""

    settings: Settings
    machine: Machine
    engine: Engine
    has_database: bool = False
    has_tables: bool = False
    keks: tuple[bytes, ...] | None = field(default=None, repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database."""
        return Path(self.engine.url.database or "") if self.is_sqlite else None

    def organizations(self) -> Iterator[tuple[Session, Organization]]:
        """Every organisation, in a session that only reads."""
        with read_session(self.engine) as session:
            for organization in organizations.every(session):
                yield session, organization


def examine(variables: Mapping[str, str], machine: Machine) -> tuple[Sign, ...]:
    """Every sign, in the order of CHECKS; raises for nothing that may be wrong with an installation."""
    try:
        settings = Settings.read(variables)
        engine = open_engine(settings.database_url)
    except KpassError as error:
        return (Sign("settings", "wrong", "", error=error),)
    except (SQLAlchemyError, ValueError):
        return (Sign("settings", "wrong", "database_url"),)
    case = _Case(settings, machine, engine)
    try:
        return tuple(sign for name in CHECKS for sign in _run(case, name))
    finally:
        engine.dispose()


def _run(case: _Case, name: str) -> Iterator[Sign]:
    check, needs = CHECKS[name]
    if (needs == "database" and not case.has_database) or (
        needs == "tables" and not case.has_tables
    ):
        yield Sign(name, "left_out", "needs_database")
        return
    try:
        yield from check(case)
    except KpassError as error:
        yield Sign(name, "wrong", "", error=error)
    except SQLAlchemyError as error:
        yield Sign(name, "wrong", "", error=_unreachable(error))


def _unreachable(error: SQLAlchemyError) -> Unavailable:
    reason = str(getattr(error, "orig", None) or type(error).__name__)
    return Unavailable("database_unreachable", reason=reason.partition("\n")[0])


def check_settings(case: _Case) -> Iterator[Sign]:
    """That every KPASS_* variable could be read."""
    yield Sign("settings", "well", "well", {"url": case.settings.public_url})


def check_python(case: _Case) -> Iterator[Sign]:
    """Whether the interpreter is one that we are tested on."""
    version = ".".join(map(str, case.machine.python))
    if case.machine.python < OLDEST_PYTHON:
        yield Sign("python", "wrong", "old", {"version": version})
    else:
        yield Sign("python", "well", "well", {"version": version})


def check_contexts(_: _Case) -> Iterator[Sign]:
    """Whether the pinned JSON-LD contexts are the bytes that were pinned."""
    yield Sign("contexts", "well", "well", {"count": len(resources.contexts().documents)})


def check_kek(case: _Case) -> Iterator[Sign]:
    """Whether the key-encryption key is there, of its length, closed to others and apart from the keys."""
    keks = read_keks(case.settings)
    KEY_STORES["file"](case.settings.keys_dir, lambda: keks)
    case.keks = keks
    where = "KPASS_KEK" if case.settings.kek is not None else str(case.settings.kek_file)
    if len(keks) > 1:
        yield Sign("kek", "warning", "unfinished", {"where": where})
    else:
        yield Sign("kek", "well", "well", {"where": where})


def check_keys_folder(case: _Case) -> Iterator[Sign]:
    """Whether the keys are closed to others."""
    folder = case.settings.keys_dir
    # opens nothing, so any key-encryption key will do
    KEY_STORES["file"](folder, lambda: (bytes(32),)).check()
    yield Sign("keys_folder", "well", "well", {"path": folder})


def check_writing(case: _Case) -> Iterator[Sign]:
    """Whether we may write where we have to, and whether there is room."""
    for folder in _folders(case):
        try:
            with TemporaryFile(dir=folder) as probe:
                probe.write(_PROBE)
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            yield Sign("writing", "wrong", "refused", {"path": folder, "reason": error.strerror})
            continue
        free = case.machine.free(folder)
        found = {"path": folder, "free": f"{free / 1_000_000:.0f}"}
        if free < NO_SPACE:
            yield Sign("writing", "wrong", "full", found)
        elif free < LITTLE_SPACE:
            yield Sign("writing", "warning", "nearly_full", found)
        else:
            yield Sign("writing", "well", "well", found)


def check_database(case: _Case) -> Iterator[Sign]:
    """Whether the database answers and its tables are those of this version."""
    if case.file is not None and not case.file.is_file():
        yield Sign("database", "wrong", "no_file", {"path": case.file})
        return
    state = migration_state(case.engine)
    case.has_database = True
    case.has_tables = state == "newest" and _is_initialised(case.engine)
    if state == "newest" and not case.has_tables:
        raise Unavailable("not_initialised")
    yield Sign("database", "well" if state == "newest" else "wrong", state)


def check_privacy(case: _Case) -> Iterator[Sign]:
    """Whether others on the machine may read the file in which people are."""
    file = case.file
    if file is None:
        yield Sign("privacy", "well", "server")
        return
    folder = file.resolve().parent
    if file.stat().st_mode & _OTHERS_READ and folder.stat().st_mode & _OTHERS_ENTER:
        yield Sign("privacy", "warning", "open", {"path": file, "folder": folder})
    else:
        yield Sign("privacy", "well", "well", {"path": file})


def check_durability(case: _Case) -> Iterator[Sign]:
    """Whether what is acknowledged is on disk, and the SQLite without known faults."""
    with case.engine.connect() as connection:
        if not case.is_sqlite:
            yield _server_durability(connection)
            return
        version = str(_value(connection, "SELECT sqlite_version()"))
        journal = str(_value(connection, "PRAGMA journal_mode")).lower()
        synchronous = _value(connection, "PRAGMA synchronous")
    if has_wal_reset_fault(version):
        yield Sign("durability", "warning", "sqlite_fault", {"version": version})
    if journal != "wal":
        yield Sign("durability", "wrong", "no_wal", {"mode": journal})
    elif synchronous != _FULL:
        yield Sign("durability", "wrong", "not_full")
    else:
        yield Sign("durability", "well", "sqlite", {"version": version})


def check_public_url(case: _Case) -> Iterator[Sign]:
    """Whether the address in every DID is the one we serve under, and one that others resolve."""
    given = case.settings.public_url
    with read_session(case.engine) as session:
        row = service.the_service(session)
        if row is not None and row.public_url != given and organizations.every(session):
            raise Unavailable("other_url", stored=row.public_url, given=given)
    if given.startswith("https://"):
        yield Sign("public_url", "well", "well", {"url": given})
    else:
        yield Sign("public_url", "warning", "not_https", {"url": given})


def check_keys(case: _Case) -> Iterator[Sign]:
    """Whether every active key opens, signs what its published half verifies, and stands in the document.

    And whether the secret opens that all private and shared links are made from.
    """
    keks = case.keks
    if keks is None:
        yield Sign("keys", "left_out", "needs_kek")
        return
    store = KEY_STORES["file"](case.settings.keys_dir, lambda: keks)
    count = 0
    is_well = True
    try:
        for name in (LINK_KEY, CONTACT_KEY):
            store.secret(name)
    except KpassError as error:
        is_well = False
        yield Sign("keys", "wrong", "", error=error)
    for session, organization in case.organizations():
        for algorithm in ORGANIZATION_KEYS:
            key = keys.active(
                session,
                organization_id=organization.id,
                did=organization.did,
                algorithm=algorithm,
            )
            count += 1
            trouble = _trouble_with(session, store, organization, algorithm, key)
            if trouble is not None:
                is_well = False
                yield trouble
    if is_well:
        yield Sign("keys", "well", "well", {"count": count})


def check_status_lists(case: _Case) -> Iterator[Sign]:
    """Whether the lists that verifiers read are within their time."""
    now = case.machine.clock()
    count = 0
    is_well = True
    for session, organization in case.organizations():
        for row, publication in status_lists.every(session, organization_id=organization.id):
            count += 1
            found = {"url": row.url, "until": f"{publication.valid_until:%Y-%m-%d %H:%M} UTC"}
            if publication.valid_until <= now:
                is_well = False
                yield Sign("status_lists", "wrong", "expired", found)
            elif is_ageing(publication.valid_until, now):
                is_well = False
                yield Sign("status_lists", "warning", "ageing", found)
    if is_well:
        yield Sign("status_lists", "well", "well", {"count": count})


def check_clock(case: _Case) -> Iterator[Sign]:
    """Whether the clock is behind what it already said once."""
    now = case.machine.clock()
    latest: datetime | None = None
    for session, organization in case.organizations():
        found, _ = awards.search(session, organization_id=organization.id, limit=1)
        moments = [award.issued_at for award in found]
        latest = max([*moments, *([latest] if latest else [])], default=None)
    data = {"now": f"{now:%Y-%m-%d %H:%M:%S} UTC"}
    if latest is not None and now + CLOCK_TOLERANCE < latest:
        yield Sign(
            "clock", "wrong", "behind", {**data, "latest": f"{latest:%Y-%m-%d %H:%M:%S} UTC"}
        )
    else:
        yield Sign("clock", "well", "well", data)


def check_work(case: _Case) -> Iterator[Sign]:
    """Whether what is queued gets done: batches, and notices to learners."""
    before = case.machine.clock() - PATIENCE
    is_well = True
    for session, organization in case.organizations():
        for batch in batches.running_since(session, organization_id=organization.id, before=before):
            is_well = False
            data = {"batch": batch.id, "organization": organization.slug}
            yield Sign("work", "warning", "batch", data)
        count, error = deliveries.waiting_since(
            session, organization_id=organization.id, before=before
        )
        if count:
            is_well = False
            told = {"count": count, "organization": organization.slug, "reason": error or "-"}
            code = "notices" if case.settings.smtp_url else "no_mail_server"
            yield Sign("work", "warning", code, told)
    if is_well:
        yield Sign("work", "well", "well" if case.settings.smtp_url else "no_mail")


def check_reachable(case: _Case) -> Iterator[Sign]:
    """Whether the world gets the DID documents that we have; no session is held while it is asked."""
    fetcher = case.machine.fetcher
    if fetcher is None:
        yield Sign("reachable", "left_out", "not_asked")
        return
    is_well = True
    documents = {
        organization.did: own_did_document(session, organization.did)
        for session, organization in case.organizations()
    }
    for did, document in documents.items():
        trouble = _trouble_from_outside(fetcher, did, document)
        if trouble is not None:
            is_well = False
            yield trouble
    if is_well:
        yield Sign("reachable", "well", "well", {"count": len(documents)})


Check = Callable[[_Case], Iterator[Sign]]

CHECKS: Final[Mapping[str, tuple[Check, Literal["", "database", "tables"]]]] = {
    "settings": (check_settings, ""),
    "python": (check_python, ""),
    "contexts": (check_contexts, ""),
    "kek": (check_kek, ""),
    "keys_folder": (check_keys_folder, ""),
    "database": (check_database, ""),
    "privacy": (check_privacy, "database"),
    "durability": (check_durability, "database"),
    "writing": (check_writing, ""),
    "public_url": (check_public_url, "tables"),
    "keys": (check_keys, "tables"),
    "status_lists": (check_status_lists, "tables"),
    "clock": (check_clock, "tables"),
    "work": (check_work, "tables"),
    "reachable": (check_reachable, "tables"),
}
"""In the order of the report, each with what must be well before it; a later check reads what an earlier one found."""


def has_wal_reset_fault(version: str) -> bool:
    """Whether a SQLite may damage a WAL database when two connections write at once: 3.7.0 to 3.51.2."""
    parts = tuple(int(part) for part in version.split("."))
    return (3, 7, 0) <= parts < (3, 51, 3)


def _folders(case: _Case) -> list[Path]:
    found = [case.settings.keys_dir]
    if case.file is not None:
        found.append(case.file.parent)
    return [folder for folder in found if folder.is_dir()]


def _is_initialised(engine: Engine) -> bool:
    if not inspect(engine).has_table(service.Service.__tablename__):
        return False
    with read_session(engine) as session:
        return service.the_service(session) is not None


def _value(connection: Connection, statement: str) -> object:
    return connection.exec_driver_sql(statement).scalar()


def _server_durability(connection: Connection) -> Sign:
    version = str(_value(connection, "SHOW server_version"))
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        if _value(connection, f"SHOW {name}") == "off":
            return Sign("durability", "wrong", "server_off", {"setting": name})
    return Sign("durability", "well", "server", {"version": version})


def _trouble_with(
    session: Session,
    store: KeyStore,
    organization: Organization,
    algorithm: Algorithm,
    key: SigningKey | None,
) -> Sign | None:
    """What is wrong with an active key; None if others will be able to check what it signs."""
    whose = {"organization": organization.slug, "algorithm": algorithm.value}
    if key is None:
        return Sign("keys", "wrong", "none", whose)
    document = own_did_document(session, organization.did) or {}
    try:
        signer: Signer = store.signer(key.uri, organization_id=organization.id)
        method = verification_method_id(organization.did, key.public_key)
        find_method(document, method, "assertionMethod")
        key.public_key.verify(signer.sign(_PROBE), _PROBE)
    except ProofInvalid:
        return Sign("keys", "wrong", "other_key", whose)
    except KpassError as error:
        return Sign("keys", "wrong", "", error=error)
    return None


def _trouble_from_outside(fetcher: Fetcher, did: str, document: JsonObject | None) -> Sign | None:
    try:
        address = DidWeb().address(did)
        got = fetcher.get(str(address), accept="application/did+json, application/json")
        published = read_json(got.body)
    except KpassError as error:
        return Sign("reachable", "wrong", "", error=error)
    if json.loads(json.dumps(document)) != published:
        return Sign("reachable", "wrong", "differs", {"url": address})
    return None
