"""Write everything that is stored into one file, and read it back into an empty installation.

One format for both databases: each table as lines of JSON, from one moment, and the
encrypted key files; never the key-encryption key. What a restored database cannot know is
what happened after the copy was made, so every status list that there was is closed, and
the last published bits are merged into it: no index is given out twice and no revocation
is lost. Lists that were begun after the copy are taken from what was published, and new
ones get numbers that none of them can have had.

A restore is one transaction: broken off anywhere it has changed nothing but key files,
and is done again.
"""

import base64
import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    BindParameter,
    Connection,
    Table,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from kpass_vc import __version__, statuslist
from kpass_vc.actions.audit import audit
from kpass_vc.actions.batch import undo_again
from kpass_vc.actions.notify import DELIVER
from kpass_vc.actions.publish_status import sign_list
from kpass_vc.actions.verify import own_did_document
from kpass_vc.authz import OPERATOR, Actor
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, Malformed, Unavailable
from kpass_vc.formats import read
from kpass_vc.keystores.file import sync_folder
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.records import Base
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.award import Award
from kpass_vc.records.base import snapshot_engine
from kpass_vc.records.batch import Batch, BatchRow, no_longer_issued
from kpass_vc.records.definition import no_longer_named
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.delivery import Delivery
from kpass_vc.records.service import the_service
from kpass_vc.records.status_list import StatusList, StatusPublication
from kpass_vc.records.vc_api import VcApiCredential
from kpass_vc.settings import Settings
from kpass_vc.verification import STANDARD, Evidence, verify
from kpass_vc.verification.case import issuer_of, member
from kpass_vc.verification.case import text as text_of

FORMAT: Final = "kpass-backup/1"
_PAGE: Final = 500
_NOT_IN_IT: Final = (
    "the key-encryption key",
    "the tables of the durable workflows: batches that were running are ended, notices that waited are sent",
)


@dataclass(frozen=True)
class Merged:
    """What became of one status list that existed before a restore."""

    url: str
    merged: bool
    """Whether published bits were at hand to merge; without them later revocations may be missing."""
    raised: int
    """How many bits the published list had and the copy had not."""
    known: bool = True
    """Whether the organisation that it is of is in the copy; if not, nothing can be done for it."""
    vouched: bool = False
    """Whether its key is known only by a DID document that was handed in: it was made after the copy."""


@dataclass(frozen=True)
class _Published:
    """A list as it was published."""

    url: str
    issuer: str
    purpose: str
    bits: bytes
    since: datetime
    vouched: bool


def backup(env: Environment, settings: Settings, file: Path) -> dict[str, int]:
    """Write the copy, which nobody else may read; says how many rows each table has."""
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    beside = file.with_name(f"{file.name}.new")
    beside.touch(mode=0o600)
    with (
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as packed,
        snapshot_engine(env.engine).connect() as connection,
    ):
        revision = MigrationContext.configure(connection).get_current_heads()
        for table in Base.metadata.sorted_tables:
            counts[table.name], digests[table.name] = _write(packed, connection, table)
        for path in sorted(settings.keys_dir.glob("*")):
            if path.suffix in {".key", ".secret"}:
                packed.writestr(f"keys/{path.name}", path.read_bytes())
        manifest = {
            "format": FORMAT,
            "version": __version__,
            "revision": sorted(revision),
            "publicUrl": env.addresses.base,
            "at": env.now().isoformat(),
            "rows": counts,
            "sha256": digests,
            "notInIt": list(_NOT_IN_IT),
        }
        packed.writestr("manifest.json", json.dumps(manifest, indent=2))
    beside.replace(file)
    return counts


def restore(
    env: Environment, settings: Settings, file: Path, published: Iterable[bytes]
) -> list[Merged]:
    """Read a copy into an installation that has none of its own; then as `accept`, in one transaction.

    Malformed for what is no copy, Unavailable if there is something already or the copy is of another version.
    """
    bodies = list(published)
    with env.writing() as session, session.begin():
        with _reading_a_copy(), zipfile.ZipFile(file) as packed:
            manifest = _manifest(packed)
            _require_empty(session, env, manifest)
            for table in Base.metadata.sorted_tables:
                _read(packed, session, table, manifest)
            _sequences(session)
            kept = _keys_in(packed)
        _restore_keys(kept, settings.keys_dir)
        found = _put_right(env, session, bodies)
    _reset_fence(env)
    return found


def accept(env: Environment, published: Iterable[bytes]) -> list[Merged]:
    """Close every list that there is and merge published bits into it; then issuing may go on.

    For a database that was put back by other means as well: it may be behind what was published.
    """
    with env.writing() as session, session.begin():
        found = _put_right(env, session, list(published))
    _reset_fence(env)
    return found


def _put_right(env: Environment, session: Session, bodies: list[bytes]) -> list[Merged]:
    known, unknown = _published(env, session, bodies)
    _leave_numbers_out(env, session, known)
    for url in dict.fromkeys(each.url for each in known):
        if status_lists.by_url(session, url) is None:
            _take_back(env, session, [each for each in known if each.url == url])
    found = [Merged(url, merged=False, raised=0, known=False) for url in unknown]
    for organization in organizations.every(session):
        for row, publication in status_lists.every(
            session, organization_id=organization.id, for_update=True
        ):
            given = [each for each in known if each.url == row.url]
            found.append(_close(env, session, row, publication, given))
    _settle(env, session)
    actor = Actor("cli", None, OPERATOR)
    audit(env, session, actor, "service.restored", env.addresses.base, organization_id=None)
    session.flush()
    return found


def _reset_fence(env: Environment) -> None:
    with env.reading() as session:
        env.fence.reset(status_lists.marks(session))


@contextmanager
def _reading_a_copy() -> Iterator[None]:
    """Malformed for whatever is wrong with the file; what is wrong with the database stays what it is."""
    try:
        yield
    except (KpassError, OperationalError):
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
        OSError,
        SQLAlchemyError,
    ) as error:
        raise Malformed("backup") from error


def _close(
    env: Environment,
    session: Session,
    row: StatusList,
    publication: StatusPublication,
    published: list[_Published],
) -> Merged:
    """A list that gives out nothing more, with every bit that was ever published of it.

    A list of suspensions has bits that are lifted again, so only what was published last counts; a bit that
    it raises shows as a suspension, which can be lifted, since the bit does not tell whether it was revoked.
    """
    before = publication.bits
    merged = int.from_bytes(before)
    counted = published
    if row.purpose != "revocation":
        counted = [max(published, key=lambda each: each.since)] if published else []
    for each in counted:
        if row.purpose == "revocation" or each.since >= publication.valid_from:
            merged |= int.from_bytes(each.bits)
    publication.bits = merged.to_bytes(len(before))
    raised = merged.bit_count() - int.from_bytes(before).bit_count()
    row.used = row.size
    mark = env.fence.read().get(row.url, (0, 0))[0]
    publication.version = max(publication.version, mark)
    if raised:
        _follow(env, session, row, publication.bits)
    _sign(env, session, row, publication)
    session.flush()
    return Merged(row.url, bool(published), raised, vouched=any(each.vouched for each in published))


def _sign(
    env: Environment, session: Session, row: StatusList, publication: StatusPublication
) -> None:
    owner = organizations.by_id(session, row.organization_id)
    if owner is None:
        return
    try:
        sign_list(env, session, row, owner, publication)
    except Unavailable as error:
        if error.rule != "no_active_key":
            raise  # else of a DID whose key was withdrawn: it runs out as it is


def _follow(env: Environment, session: Session, row: StatusList, bits: bytes) -> None:
    """Have our records say what the list says."""
    now = env.now()
    state = "revoked" if row.purpose == "revocation" else "suspended"
    query = select(Award).where(Award.status_list_id == row.id).where(Award.state == "active")
    for award in session.scalars(query):
        if statuslist.get(bits, award.status_index):
            award.state, award.reason, award.status_changed_at = state, "other", now
            if state == "revoked":
                no_longer_issued(
                    session, organization_id=award.organization_id, award_ids=[award.id]
                )
    running = (
        select(Delegation)
        .where(Delegation.status_list_id == row.id)
        .where(Delegation.state.in_(("offered", "active")))
    )
    for delegation in session.scalars(running):
        if statuslist.get(bits, delegation.status_index or 0):
            delegation.state, delegation.ended_at = "withdrawn", now
            no_longer_named(
                session, organization_id=delegation.organization_id, delegation=delegation
            )
    issued = (
        select(VcApiCredential)
        .where(VcApiCredential.status_list_id == row.id)
        .where(VcApiCredential.is_revoked.is_(False))
    )
    for credential in session.scalars(issued):
        if statuslist.get(bits, credential.status_index or 0):
            credential.is_revoked = True


def _take_back(env: Environment, session: Session, published: list[_Published]) -> None:
    """A list that was begun after the copy: what was given out of it is not known, so it gives out nothing more."""
    first = published[0]
    slug, purpose, number = _parts_of(env, first.url)
    owner = organizations.by_slug(session, slug)
    if owner is None or len({len(each.bits) for each in published}) != 1:
        raise Malformed("backup_list", list=first.url)
    row = StatusList(
        id=env.new_id(),
        organization_id=owner.id,
        issuer=first.issuer,
        purpose=purpose,
        number=number,
        url=first.url,
        size=len(first.bits) * 8,
        used=len(first.bits) * 8,
        permutation_key=env.entropy(32),
    )
    session.add(row)
    session.flush()
    session.add(
        StatusPublication(
            status_list_id=row.id,
            bits=bytes(len(first.bits)),
            version=0,
            body=b"",
            body_jwt=b"",
            valid_from=datetime.min.replace(tzinfo=UTC),
            valid_until=datetime.min.replace(tzinfo=UTC),
        )
    )
    session.flush()


def _leave_numbers_out(env: Environment, session: Session, known: list[_Published]) -> None:
    """Have new lists numbered past every one that there can have been: what came after the copy is not all known."""
    service = the_service(session, for_update=True)
    if service is None:
        return
    urls = {
        *(each.url for each in known),
        *env.fence.read(),
        *status_lists.marks(session),
    }
    numbers = [_parts_of(env, url)[2] for url in urls if _LIST.fullmatch(url)]
    minutes = int(env.now().timestamp()) // 60
    service.lists_from = max([service.lists_from, minutes, *numbers]) + 1


def _settle(env: Environment, session: Session) -> None:
    """What was under way: rows of batches are not issued, since they may have been; notices that wait are sent."""
    for batch in session.scalars(select(Batch).where(Batch.state == "running")):
        batch.state, batch.finished_at = "finished", env.now()
    for row in session.scalars(select(BatchRow).where(BatchRow.state == "waiting")):
        row.state, row.sealed_order = "withdrawn", None
    for batch in session.scalars(select(Batch).where(Batch.state == "undoing")):
        undo_again(env, session, batch)
    for delivery in session.scalars(select(Delivery).where(Delivery.state == "waiting")):
        env.enqueue(
            session,
            "deliveries",
            DELIVER,
            delivery.organization_id,
            delivery.id,
            key=f"deliver/{delivery.id}/restored",
        )


def _published(
    env: Environment, session: Session, bodies: list[bytes]
) -> tuple[list[_Published], list[str]]:
    """The lists that our own keys have signed, and the addresses of those whose organisation the copy lacks.

    Malformed for a list that somebody else has signed, or that says of itself what it is not. A key that was
    made after the copy is known by no record: it counts if a DID document that was handed in as well has it.
    """
    documents = [(body, _as_did_document(body)) for body in bodies]
    vouchers = {str(found["id"]): found for _, found in documents if found is not None}
    known: list[_Published] = []
    unknown: list[str] = []
    for body in [body for body, found in documents if found is None]:
        document = _list_document(body)
        url, issuer = str(document["id"]), str(issuer_of(document))
        slug, purpose, _ = _parts_of(env, url)
        owner = organizations.by_slug(session, slug)
        if owner is None:
            unknown.append(url)
            continue
        row = status_lists.by_url(session, url)
        signer = row.issuer if row else issuer
        if signer != issuer or keys.owner(session, did=issuer) != owner.id:
            raise Malformed("backup_list", list=url)
        vouched = not _stands(env, session, body, own_did_document(session, issuer), issuer)
        if vouched and not _stands(env, session, body, vouchers.get(issuer), issuer):
            raise Malformed("backup_list", list=url)
        bits = statuslist.decode(
            text_of(member(document, "credentialSubject", "encodedList")) or ""
        )
        since = parse_date_time(text_of(document.get("validFrom")) or "")
        says = member(document, "credentialSubject", "statusPurpose")
        if since is None or says != purpose or (row and row.size != len(bits) * 8):
            raise Malformed("backup_list", list=url)
        known.append(_Published(url, issuer, purpose, bits, since, vouched))
    return known, unknown


def _as_did_document(body: bytes) -> JsonObject | None:
    with suppress(Malformed):
        found = read_json(body)
        if "verificationMethod" in found and str(found.get("id")).startswith("did:"):
            return found
    return None


def _list_document(body: bytes) -> JsonObject:
    try:
        document = read(body).document
    except KpassError as error:
        raise Malformed("backup_no_list") from error
    if not isinstance(document.get("id"), str) or issuer_of(document) is None:
        raise Malformed("backup_no_list")
    return document


def _stands(
    env: Environment, session: Session, body: bytes, document: JsonObject | None, did: str
) -> bool:
    """Whether a key of a DID document, and none that was withdrawn as compromised, has signed a list."""
    if document is None:
        return False
    evidence = Evidence(
        now=env.now(),
        contexts=env.contexts,
        did_documents={did: document},
        withdrawn_keys=keys.compromised(session, did=did),
    )
    outcomes = {each.check: each.outcome for each in verify(body, evidence, STANDARD).findings}
    demanded = [outcomes.get(check, "passed") for check in ("parsed", "key")]
    return {*demanded, outcomes.get("proof")} == {"passed"}


_LIST: Final = re.compile(
    r"https?://.+/o/([^/]+)/status/(revocation|suspension)-([0-9]{1,9})\.json"
)


def _parts_of(env: Environment, url: str) -> tuple[str, str, int]:
    """The slug, purpose and number of one of our lists; Malformed for an address that is none."""
    found = _LIST.fullmatch(url)
    if found is None or url != env.addresses.status_list(found[1], found[2], int(found[3])):
        raise Malformed("backup_list", list=url[:300])
    return found[1], found[2], int(found[3])


def _write(packed: zipfile.ZipFile, connection: Connection, table: Table) -> tuple[int, str]:
    count = 0
    digest = hashlib.sha256()
    order = list(table.primary_key.columns)
    if table.name == "award":
        order = [table.c.issued_at, table.c.id]
    with packed.open(f"tables/{table.name}.jsonl", "w") as file:
        rows = connection.execution_options(stream_results=True).execute(
            select(table).order_by(*order)
        )
        for row in rows.mappings():
            line = json.dumps({name: _out(value) for name, value in row.items()}).encode() + b"\n"
            file.write(line)
            digest.update(line)
            count += 1
    return count, digest.hexdigest()


def _read(
    packed: zipfile.ZipFile, session: Session, table: Table, manifest: Mapping[str, Any]
) -> None:
    digest = hashlib.sha256()
    page: list[dict[str, object]] = []
    within = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    later: list[dict[str, object]] = []
    with packed.open(f"tables/{table.name}.jsonl") as file:
        for line in file:
            digest.update(line)
            row = {name: _in(value) for name, value in json.loads(line).items()}
            if any(row[name] is not None for name in within):
                later.append({"b_id": row["id"], **{f"b_{name}": row[name] for name in within}})
                row |= dict.fromkeys(within)
            page.append(row)
            if len(page) == _PAGE:
                session.execute(insert(table), page)
                page = []
    if page:
        session.execute(insert(table), page)
    if later:  # rows that refer to each other: the one referred to may come after
        values: dict[str, BindParameter[object]] = {name: bindparam(f"b_{name}") for name in within}
        session.connection().execute(
            update(table).where(table.c.id == bindparam("b_id")).values(values), later
        )
    if digest.hexdigest() != manifest["sha256"][table.name]:
        raise Malformed("backup")


def _out(value: object) -> object:
    match value:
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case datetime():
            return {"$moment": value.astimezone(UTC).isoformat()}
        case date():
            return {"$day": value.isoformat()}
        case list() | dict():
            return {"$json": value}
        case _:
            return value


def _in(value: object) -> object:
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    match kind:
        case "$bytes":
            return base64.b64decode(inner)
        case "$moment":
            return datetime.fromisoformat(inner)
        case "$day":
            return date.fromisoformat(inner)
        case "$json":
            return inner
        case _:
            raise Malformed("backup")


def _manifest(packed: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = read_json(packed.read("manifest.json"))
    if found.get("format") != FORMAT:
        raise Malformed("backup")
    return found


def _require_empty(session: Session, env: Environment, manifest: Mapping[str, Any]) -> None:
    heads = sorted(MigrationContext.configure(session.connection()).get_current_heads())
    if manifest["revision"] != heads:
        raise Unavailable("backup_version", version=manifest["version"])
    if manifest["publicUrl"] != env.addresses.base:
        raise Unavailable("other_url", stored=manifest["publicUrl"], given=env.addresses.base)
    if organizations.every(session):
        raise Unavailable("not_empty")
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(table.delete())


def _keys_in(packed: zipfile.ZipFile) -> dict[str, bytes]:
    """The key files of a copy, by their plain names."""
    found: dict[str, bytes] = {}
    for name in packed.namelist():
        plain = Path(name)
        if plain.parent == Path("keys") and plain.suffix in {".key", ".secret"}:
            found[plain.name] = packed.read(name)
    return found


def _restore_keys(kept: Mapping[str, bytes], folder: Path) -> None:
    """Each file whole and on disk, before the database says that there is such a key."""
    for name, content in kept.items():
        beside = folder / f"{name}.new"
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / name)
    sync_folder(folder)


def _sequences(session: Session) -> None:
    """Have PostgreSQL count on from what was read in."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('audit_entry', 'id'),"
                " GREATEST((SELECT MAX(id) FROM audit_entry), 1))"
            )
        )


def lists_in(folder: Path) -> Iterator[bytes]:
    """The published lists and DID documents in a folder of files, wherever they lie in it."""
    for pattern in ("status/*.json", "did.json"):
        for path in sorted(folder.rglob(pattern)):
            yield path.read_bytes()
