"""Environment: what an action may need from outside, opened once at start.

Tests make one of their own, with a frozen clock and counted ids; nothing else
has to be replaced.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Engine, event, inspect
from sqlalchemy.orm import Session, SessionTransaction

from kpass_vc import resources
from kpass_vc.addresses import Addresses
from kpass_vc.delivery import CHANNELS
from kpass_vc.delivery.channel import Channel
from kpass_vc.durable import Enqueuer
from kpass_vc.errors import Unavailable
from kpass_vc.fence import Fence
from kpass_vc.fetch import Fetcher, HttpsFetcher
from kpass_vc.formats.series import SeriesKept
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.keystores import KEY_STORES
from kpass_vc.keystores.file import KEK_BYTES, require_private, sync_folder
from kpass_vc.keystores.keystore import KeyStore
from kpass_vc.oidc import OidcProvider
from kpass_vc.records import organization, service
from kpass_vc.records.base import MARKS, open_engine, read_session, snapshot_engine, write_session
from kpass_vc.settings import Settings
from kpass_vc.verification.known_lists import KnownLists


class Enqueue(Protocol):
    """Puts a durable workflow into a session's transaction."""

    def __call__(
        self,
        session: Session,
        queue: str,
        workflow: str,
        *arguments: str | int,
        key: str = "",
        delay: int = 0,
    ) -> None:
        """Have it run once the transaction is committed and `delay` seconds are over; once only for each `key`."""


LINK_KEY: Final = "links"
"""The secret that private links and share links are made from."""
CONTACT_KEY: Final = "contacts"
"""The secret that learners' references and addresses are sealed with."""


@dataclass(frozen=True)
class Environment:
    """The outside, handed in."""

    addresses: Addresses
    vocabulary: str
    contexts: Contexts
    engine: Engine
    key_stores: Mapping[str, KeyStore]
    default_store: str
    fetcher: Fetcher
    clock: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    link_key: bytes = field(repr=False)
    contact_key: bytes = field(repr=False)
    enqueue: Enqueue
    channels: Mapping[str, Channel]
    fence: Fence
    is_fast: bool = True
    """Whether orders that come together are done together, by what was compiled; what comes of them is the same."""
    publish_every: timedelta = timedelta(seconds=1)
    """How long a status list is not published again after it was, while several want to have it changed."""
    oidc: OidcProvider | None = None
    """Who people may sign in with, beside what the service does itself."""
    series: SeriesKept = field(default_factory=SeriesKept, repr=False)
    """What was compiled of the definitions that are issued."""
    signed: dict[bytes, int] = field(default_factory=dict, repr=False)
    """How many signatures this process has made with a key, by the public key, where not each is verified."""
    asked: dict[str, datetime] = field(default_factory=dict, repr=False)
    """When an owner elsewhere was last asked whether a delegation holds, by its id: remembered, and nowhere kept."""
    known_lists: KnownLists = field(default_factory=KnownLists, repr=False)
    """Status lists whose signatures were seen to hold: so too."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self.clock()

    def new_id(self) -> str:
        """A random UUID (version 4)."""
        octets = bytearray(self.entropy(16))
        octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
        text = octets.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def key_store(self, uri: str) -> KeyStore:
        """The store of a key's URI."""
        scheme = uri.partition(":")[0]
        if scheme not in self.key_stores:
            raise Unavailable("key_store", scheme=scheme)
        return self.key_stores[scheme]

    def writing(self) -> Session:
        """A session whose transaction may write; what it did to status lists lifts the high-water mark.

        When the whole is committed, and not at the end of a savepoint, which SQLAlchemy tells of as well:
        what is rolled back after that, or killed, was never there.
        """
        session = write_session(self.engine)

        @event.listens_for(session, "after_commit")
        def _lift(committed: Session) -> None:
            if committed.in_nested_transaction():
                return
            marks = committed.info.pop(MARKS, None)
            if marks:
                self.fence.lift(marks)

        @event.listens_for(session, "after_soft_rollback")
        def _forget(rolled_back: Session, _: SessionTransaction) -> None:
            # of a savepoint as well: which marks were made within it is not known, and the next change lifts it
            rolled_back.info.pop(MARKS, None)

        return session

    def reading(self) -> Session:
        """A session that only reads."""
        return read_session(self.engine)

    def snapshot(self) -> Session:
        """A session that only reads, and sees one moment however long it takes."""
        return read_session(snapshot_engine(self.engine))


def open_environment(settings: Settings) -> Environment:
    """The environment of an installation that `kpass init` has set up; Unavailable says what is wrong."""
    stores = open_stores(settings)
    for store in stores.values():
        store.check()
    engine = open_engine(settings.database_url)
    environment = Environment(
        addresses=Addresses(settings.public_url),
        vocabulary=settings.vocabulary,
        contexts=replace(resources.contexts(), is_fast=settings.fast),
        is_fast=settings.fast,
        key_stores=stores,
        engine=engine,
        enqueue=Enqueuer(engine),
        channels=open_channels(settings),
        fence=Fence(settings.keys_dir),
        oidc=open_oidc(settings),
        default_store="file",
        fetcher=HttpsFetcher(settings.fetch_allow, settings.ca_file),
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        link_key=stores["file"].secret(LINK_KEY),
        contact_key=stores["file"].secret(CONTACT_KEY),
    )
    try:
        _require_same_url(environment)
    except Exception:
        environment.engine.dispose()
        raise
    return environment


def open_channels(settings: Settings) -> dict[str, Channel]:
    """The channels that this installation is set up for."""
    if settings.smtp_url is None:
        return {}
    return {"email": CHANNELS["email"](settings.smtp_url, settings.mail_from, settings.ca_file)}


def open_oidc(settings: Settings) -> OidcProvider | None:
    """The OpenID provider that this installation is set up for."""
    given = settings.oidc
    if given is None:
        return None
    return OidcProvider(given.issuer, given.client_id, given.client_secret, given.name)


def open_stores(settings: Settings) -> dict[str, KeyStore]:
    """The stores of an installation's keys, under their URI schemes."""
    return {"file": KEY_STORES["file"](settings.keys_dir, lambda: read_keks(settings))}


def read_keks(settings: Settings) -> tuple[bytes, ...]:
    """The key-encryption keys that are good now, the one that seals first; Unavailable if there is none.

    From KPASS_KEK and KPASS_KEK_PREVIOUS, or from the file and the one beside it that is to take its
    place; Unavailable also if a file is open to others.
    """
    if settings.kek is not None:
        return (settings.kek, *([settings.kek_previous] if settings.kek_previous else []))
    path = settings.kek_file
    if _inside(path, settings.keys_dir):
        raise Unavailable("kek_with_keys", path=path)
    found = [each for each in (next_kek(settings), path) if each.is_file()]
    if not found:
        raise Unavailable("kek_missing", path=path)
    for each in found:
        require_private(each, owner=os.geteuid())
    return tuple(each.read_bytes() for each in found)


def next_kek(settings: Settings) -> Path:
    """Where a key-encryption key lies that is to take the place of the one in the file."""
    return settings.kek_file.with_name(f"{settings.kek_file.name}.next")


def make_kek(settings: Settings) -> None:
    """Write a new random key-encryption key where there is none, readable by nobody else."""
    path = settings.kek_file
    if settings.kek is not None or path.exists():
        return
    if _inside(path, settings.keys_dir):
        raise Unavailable("kek_with_keys", path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_kek(path)


def write_kek(path: Path) -> None:
    """Write a new random key-encryption key unless there is one: on disk, and whole, before this returns."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(KEK_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        path.hardlink_to(beside)
    beside.unlink()
    sync_folder(path.parent)


def _inside(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


def _require_same_url(environment: Environment) -> None:
    if not inspect(environment.engine).has_table(service.Service.__tablename__):
        raise Unavailable("not_initialised")
    with environment.reading() as session:
        found = service.the_service(session)
        if found is None:
            raise Unavailable("not_initialised")
        if found.public_url != environment.addresses.base and organization.every(session):
            raise Unavailable(
                "other_url", stored=found.public_url, given=environment.addresses.base
            )
