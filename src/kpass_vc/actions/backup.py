"""Write everything that is stored into one file, and read it back into an empty installation.

One format for both databases: each table as lines of JSON, from one moment, and the
encrypted key files; never the key-encryption key. What a restored database cannot know is
what happened after the copy was made, so every status list that there was is closed, and
the last published bits are merged into it: no index is given out twice and no revocation
is lost.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, insert, select, text
from sqlalchemy.orm import Session

from kpass_vc import __version__, statuslist
from kpass_vc.actions.audit import audit
from kpass_vc.actions.notify import DELIVER
from kpass_vc.actions.publish_status import sign_list
from kpass_vc.actions.verify import gather
from kpass_vc.authz import OPERATOR, Actor
from kpass_vc.environment import Environment
from kpass_vc.errors import Malformed, Unavailable
from kpass_vc.formats import read
from kpass_vc.keystores.file import sync_folder
from kpass_vc.model.document import read_json
from kpass_vc.records import Base
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.award import Award
from kpass_vc.records.base import snapshot_engine
from kpass_vc.records.batch import Batch, BatchRow
from kpass_vc.records.delivery import Delivery
from kpass_vc.records.status_list import StatusList, StatusPublication
from kpass_vc.settings import Settings
from kpass_vc.verification import STANDARD, Evidence, verify, wanted
from kpass_vc.verification.case import member
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
    """Read a copy into an installation that has none of its own; then as `accept`.

    Malformed for what is no copy, Unavailable if there is something already or the copy is of another version.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            manifest = _manifest(packed)
            with env.writing() as session, session.begin():
                _require_empty(session, env, manifest)
                for table in Base.metadata.sorted_tables:
                    _read(packed, session, table, manifest)
                _sequences(session)
            _restore_keys(packed, settings.keys_dir)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise Malformed("backup") from error
    return accept(env, published)


def accept(env: Environment, published: Iterable[bytes]) -> list[Merged]:
    """Close every list that there is and merge published bits into it; then issuing may go on.

    For a database that was put back by other means as well: it may be behind what was published.
    """
    actor = Actor("cli", None, OPERATOR)
    given = [_bits_of(body) for body in signed_lists(env, published)]
    found: list[Merged] = []
    with env.writing() as session, session.begin():
        for organization in organizations.every(session):
            for row, publication in status_lists.every(session, organization_id=organization.id):
                bits = [bits for url, bits in given if url == row.url]
                found.append(_close(env, session, row, publication, bits))
        _settle(env, session)
        audit(env, session, actor, "service.restored", env.addresses.base, organization_id=None)
    with env.reading() as session:
        env.fence.reset(status_lists.marks(session))
    return found


def _close(
    env: Environment,
    session: Session,
    row: StatusList,
    publication: StatusPublication,
    published: list[bytes],
) -> Merged:
    """A list that gives out nothing more, with every bit that was ever published of it."""
    owner = organizations.by_id(session, row.organization_id)
    before = publication.bits
    merged = int.from_bytes(before)
    for bits in published:
        if row.purpose == "revocation":
            merged |= int.from_bytes(bits)
    publication.bits = merged.to_bytes(len(before))
    raised = merged.bit_count() - int.from_bytes(before).bit_count()
    row.used = row.size
    mark = env.fence.read().get(row.url, (0, 0))[0]
    publication.version = max(publication.version, mark)
    if owner is not None:
        sign_list(env, session, row, owner, publication)
    if raised:
        _follow(env, session, row, publication.bits)
    session.flush()
    return Merged(row.url, bool(published), raised)


def _follow(env: Environment, session: Session, row: StatusList, bits: bytes) -> None:
    """Have the awards say what the list says."""
    query = select(Award).where(Award.status_list_id == row.id).where(Award.state == "active")
    for award in session.scalars(query):
        if statuslist.get(bits, award.status_index):
            award.state, award.reason, award.status_changed_at = "revoked", "other", env.now()


def _settle(env: Environment, session: Session) -> None:
    """What was under way: rows of batches are not issued, since they may have been; notices that wait are sent."""
    for batch in session.scalars(select(Batch).where(Batch.state == "running")):
        batch.state, batch.finished_at = "finished", env.now()
    for row in session.scalars(select(BatchRow).where(BatchRow.state == "waiting")):
        row.state, row.sealed_order = "withdrawn", None
    for delivery in session.scalars(select(Delivery).where(Delivery.state == "waiting")):
        env.enqueue(
            session,
            "deliveries",
            DELIVER,
            delivery.organization_id,
            delivery.id,
            key=f"deliver/{delivery.id}/restored",
        )


def _bits_of(body: bytes) -> tuple[str, bytes]:
    """The address and the bits of a published list."""
    document = read(body).document
    encoded = text_of(member(document, "credentialSubject", "encodedList"))
    url = text_of(document.get("id"))
    if encoded is None or url is None:
        raise Malformed("backup_list")
    return url, statuslist.decode(encoded)


def signed_lists(env: Environment, bodies: Iterable[bytes]) -> list[bytes]:
    """Those published lists that our own keys have signed; Malformed for any other."""
    found = []
    for body in bodies:
        report = verify(body, _own_evidence(env, body), STANDARD)
        bad = next(
            (
                each
                for each in report.findings
                if each.check in {"key", "proof", "parsed"} and each.outcome != "passed"
            ),
            None,
        )
        if bad is not None:
            raise Malformed("backup_list")
        found.append(body)
    return found


def _own_evidence(env: Environment, body: bytes) -> Evidence:
    with env.reading() as session:
        return gather(env, session, wanted(body, STANDARD))


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
    with packed.open(f"tables/{table.name}.jsonl") as file:
        for line in file:
            digest.update(line)
            page.append({name: _in(value) for name, value in json.loads(line).items()})
            if len(page) == _PAGE:
                session.execute(insert(table), page)
                page = []
    if page:
        session.execute(insert(table), page)
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


def _restore_keys(packed: zipfile.ZipFile, folder: Path) -> None:
    for name in packed.namelist():
        plain = Path(name)
        if plain.parent != Path("keys") or plain.suffix not in {".key", ".secret"}:
            continue
        place = folder / plain.name
        place.unlink(missing_ok=True)
        place.touch(mode=0o600)
        place.write_bytes(packed.read(name))
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
    """The published lists in a folder of files, wherever they lie in it."""
    for path in sorted(folder.rglob("status/*.json")):
        yield path.read_bytes()
