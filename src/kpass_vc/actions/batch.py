"""Issue to many: look through every row first, take the rows in, issue them a slice at a time, undo the whole.

A row is a learner. A bad one is an outcome of its own and stops no other; one that
was issued before, in this file or another, is not issued again. What is taken in is
durable: a slice that is broken off is done again, and its rows that are done stay done.
"""

import json
import time
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.audit import audit
from kpass_vc.actions.change_status import Reason, revoke_together
from kpass_vc.actions.define import source_of
from kpass_vc.actions.issue import IssueOrder, check_order, find_definition, issue
from kpass_vc.actions.issue_together import Asked, issue_as_series
from kpass_vc.actions.parts import demanded
from kpass_vc.actions.publish_status import next_index
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.sealing import keyed_hash, seal, unseal
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, KpassError, NotFound, Unavailable
from kpass_vc.language import Language, say
from kpass_vc.learner_table import TableRow, in_cells, read_learners
from kpass_vc.model.document import JsonObject
from kpass_vc.model.field_errors import validated
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records.base import store
from kpass_vc.records.batch import Batch, BatchRow
from kpass_vc.records.definition import DefinitionVersion
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList

MOST_ROWS: Final = 10_000
SLICE: Final = 1000
"""Rows that one workflow issues in one transaction as a series."""
AT_ONCE: Final = 50
"""The same where each row takes its time: others wait for the database meanwhile, and workers share the slices."""
ISSUE_SLICE: Final = "issue_slice"
UNDO_SLICE: Final = "undo_slice"
"""The workflows that work on a slice."""
_REFERENCES: Final[tuple[tuple[str, Callable[[IssueOrder], str | None]], ...]] = (
    ("/externalReference", lambda order: order.external_reference),
    ("/holder/reference", lambda order: order.holder.reference),
)
"""What is one learner's own."""
_BREATH: Final = 0.02
"""Seconds between two transactions on SQLite, whose writers queue for nothing: whoever looks then gets a turn."""


class BatchOrder(BaseModel):
    """An order for many, as a system sends it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    definition: Annotated[str, Field(min_length=3, max_length=500)]
    items: Annotated[list[JsonObject], Field(min_length=1, max_length=MOST_ROWS)]
    """Each as an order for one, without the definition."""
    dry_run: Annotated[bool, Field(alias="dryRun")] = False
    """Only say what would come of it; nothing is stored."""


class BatchStatusOrder(BaseModel):
    """What is to become of a batch: it is undone, every credential of it revoked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    status: Literal["undone"]
    reason: Reason


@dataclass(frozen=True)
class Row:
    """One row as it was read: an order, or what is wrong with it."""

    number: int
    order: IssueOrder | None
    errors: tuple[FieldError, ...] = ()
    table: TableRow | None = None
    """The row of a table that it was read from."""


@dataclass(frozen=True)
class Looked:
    """What a look through all rows found."""

    rows: tuple[Row, ...]
    fingerprints: dict[int, str] = field(default_factory=dict)
    issued_before: dict[int, str] = field(default_factory=dict)
    """The award of each row that was issued before, by the row's number."""

    @property
    def bad(self) -> list[Row]:
        """The rows with something wrong."""
        return [row for row in self.rows if row.errors]

    @property
    def good(self) -> list[Row]:
        """The rows that would be issued."""
        return [row for row in self.rows if not row.errors and row.number not in self.issued_before]


def read_items(definition: str, items: Sequence[JsonObject]) -> list[Row]:
    """The rows of a JSON order, numbered from one; what is wrong with one stands under /items/N.

    One that names another definition is wrong: it is nobody's wish that it is issued for this one.
    """
    found: list[Row] = []
    for number, item in enumerate(items, 1):
        try:
            found.append(Row(number, _for(definition, item)))
        except InvalidInput as error:
            found.append(Row(number, None, _at(f"/items/{number - 1}", error.fields)))
    return found


def _for(definition: str, item: JsonObject) -> IssueOrder:
    if item.get("definition", definition) != definition:
        raise InvalidInput(FieldError("/definition", "definition_differs"))
    return validated(IssueOrder, {**item, "definition": definition})


def read_file(definition: str, content: bytes) -> list[Row]:
    """The rows of an .xlsx or .csv, by their numbers in it; what is wrong with one stands at its cell.

    InvalidInput for what is wrong with the heading, Malformed for what is no table.
    """
    rows, wrong = read_learners(content)
    if wrong:
        raise InvalidInput(*wrong)
    found: list[Row] = []
    for row in rows:
        if row.item is None:
            found.append(Row(row.number, None, row.errors, row))
            continue
        try:
            order = validated(IssueOrder, {**row.item, "definition": definition})
            found.append(Row(row.number, order, (), row))
        except InvalidInput as error:
            found.append(Row(row.number, None, in_cells(row, error.fields), row))
    return found


def look_through(
    env: Environment, session: Session, actor: Actor, definition: str, rows: Sequence[Row]
) -> Looked:
    """What would come of each row. Stores nothing; NotFound or Conflict for the definition itself.

    Conflict also while a batch is being undone that has issued one of them: it is issued anew after that.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    issuer = _own(session, actor)
    found = find_definition(env, session, issuer, definition)
    looked: list[Row] = []
    fingerprints: dict[int, str] = {}
    first_with: dict[str, int] = {}
    in_use = awards.references_in_use(
        session,
        organization_id=issuer.id,
        references={
            row.order.external_reference
            for row in rows
            if row.order is not None and row.order.external_reference is not None
        },
        is_test=actor.is_test,
    )
    referred: dict[int, str] = {}
    for row in _shared(rows):
        errors = row.errors
        if row.order is not None and not errors:
            errors, known = _wrong_with(env, session, actor, issuer, row, row.order, found, in_use)
            if known is not None:
                referred[row.number] = known
            if row.table is not None:
                errors = in_cells(row.table, errors)
            mark = fingerprint(env, actor, issuer, found[1].id, row.order)
            if mark in first_with and not errors:
                place = f"A{row.number}" if row.table else f"/items/{row.number - 1}"
                errors = (FieldError(place, "row_twice", row=first_with[mark]),)
            first_with.setdefault(mark, row.number)
            fingerprints[row.number] = mark
        looked.append(Row(row.number, row.order, errors, row.table))
    before = batches.issued_before(
        session, organization_id=issuer.id, fingerprints=list(first_with)
    )
    issued = {
        row.number: known
        for row in looked
        if not row.errors
        and (known := before.get(fingerprints.get(row.number, "")) or referred.get(row.number))
    }
    _require_not_undoing(session, actor, list(issued.values()))
    return Looked(tuple(looked), fingerprints, issued)


def take_in(
    env: Environment, session: Session, actor: Actor, definition: str, looked: Looked
) -> Batch:
    """The batch, whose rows are issued after this transaction."""
    actor.require(Permission.CREDENTIALS_ISSUE)
    issuer = _own(session, actor)
    version, _, _ = find_definition(env, session, issuer, definition)
    batch = Batch(
        id=env.new_id(),
        organization_id=issuer.id,
        definition_version_id=version.id,
        state="running",
        actor=actor.name,
        permissions=sorted(actor.permissions),
        is_test=actor.is_test,
        total=len(looked.rows),
        sends_mail=any(row.order and row.order.holder.contact for row in looked.rows),
        created_at=env.now(),
    )
    session.add(batch)
    session.flush()
    store(session, BatchRow, [_stored(env, batch, row, looked) for row in looked.rows])
    numbers = [row.number for row in looked.good]
    most = _at_once(env, version, sends_mail=batch.sends_mail)
    for start in range(0, len(numbers), most):
        part = numbers[start : start + most]
        env.enqueue(
            session,
            "batches",
            ISSUE_SLICE,
            issuer.id,
            batch.id,
            part[0],
            part[-1],
            key=f"issue/{batch.id}/{part[0]}",
        )
    if not numbers:
        batch.state, batch.finished_at = "finished", env.now()
    audit(
        env,
        session,
        actor,
        "batch.taken_in",
        batch.id,
        organization_id=issuer.id,
        rows=str(len(looked.rows)),
    )
    return batch


def reserve(env: Environment, organization_id: str, batch_id: str, first: int, last: int) -> None:
    """Give every waiting row of a slice its place in a status list, once, so that workers wait for no other.

    Rows that are issued as a series take their places all at once, and need none before.
    """
    if env.is_fast:
        return
    with env.writing() as session, session.begin():
        issuer = organizations.by_id(session, organization_id)
        batch = batches.by_id(session, organization_id=organization_id, batch_id=batch_id)
        version = definitions.by_id(session, batch.definition_version_id) if batch else None
        if issuer is None or version is None:
            raise NotFound("batch", batch=batch_id)
        purpose = source_of(version[0]).status_purpose
        for row in _slice(session, organization_id, batch_id, first, last, ("waiting",)):
            if row.status_list_id is None:
                status_list, row.status_index = next_index(env, session, issuer, purpose)
                row.status_list_id = status_list.id


def issue_slice(
    env: Environment, organization_id: str, batch_id: str, first: int, last: int
) -> None:
    """Issue every waiting row of a slice, so many in one transaction; each succeeds or fails by itself.

    An owner elsewhere of its definition is asked before, at most once in some minutes and not for each row.
    """
    with env.reading() as session:
        running = batches.by_id(session, organization_id=organization_id, batch_id=batch_id)
        found = definitions.by_id(session, running.definition_version_id) if running else None
    if running is None or found is None or running.state != "running":
        return
    actor = Actor(
        running.actor,
        organization_id,
        frozenset(each for each in Permission if each.value in running.permissions),
        is_test=running.is_test,
    )
    ask_owner(env, actor, found[0].document_url or "")
    at_once = _at_once(env, found[0], sends_mail=running.sends_mail)
    while True:
        with env.writing() as session, session.begin():
            batch = batches.by_id(session, organization_id=organization_id, batch_id=batch_id)
            if batch is None or batch.state != "running":
                return
            rows = _slice(
                session, organization_id, batch_id, first, last, ("waiting",), limit=at_once
            )
            left = _left_of(env, session, actor, rows)
            if at_once > AT_ONCE:
                at_once = AT_ONCE  # what is left is out of the ordinary, and goes no further than its own few
                continue
            for row in left:
                _issue(env, session, actor, row)
            session.flush()
            if len(rows) < at_once:
                _finish(env, session, organization_id, batch_id, actor)
                return
        if env.engine.dialect.name == "sqlite":
            time.sleep(_BREATH)


def undo(
    env: Environment, session: Session, actor: Actor, batch_id: str, order: BatchStatusOrder
) -> Batch:
    """The batch, whose credentials are revoked after this transaction; what still waited is not issued any more."""
    actor.require(Permission.CREDENTIALS_REVOKE)
    organization_id = actor.own_organization()
    batch = batches.by_id(
        session,
        organization_id=organization_id,
        batch_id=batch_id,
        tests_only=actor.is_test,
        for_update=True,
    )
    if batch is None:
        raise NotFound("batch", batch=batch_id)
    if batch.state in {"undoing", "undone"}:
        raise Conflict("batch_undone", batch=batch_id)
    batch.state, batch.reason = "undoing", order.reason
    _enqueue_undo(env, session, batch, actor.name, "undo")
    audit(
        env,
        session,
        actor,
        "batch.undone",
        batch.id,
        organization_id=organization_id,
        reason=order.reason,
    )
    return batch


def undo_again(env: Environment, session: Session, batch: Batch) -> None:
    """Go on with what was being undone when the workflows were lost; the operator does it."""
    _enqueue_undo(env, session, batch, "cli", f"undo-{env.now():%Y%m%d%H%M%S}")


def _enqueue_undo(env: Environment, session: Session, batch: Batch, actor: str, key: str) -> None:
    # not their count: the rows of a file are numbered as they lie in it, below its heading
    most = batches.last_number(session, organization_id=batch.organization_id, batch_id=batch.id)
    for start in range(1, most + 1, AT_ONCE):
        env.enqueue(
            session,
            "batches",
            UNDO_SLICE,
            batch.organization_id,
            batch.id,
            start,
            min(start + AT_ONCE - 1, most),
            actor,
            key=f"{key}/{batch.id}/{start}",
        )


def undo_slice(
    env: Environment, organization_id: str, batch_id: str, first: int, last: int, actor_name: str
) -> None:
    """Revoke what a slice has issued, and drop what it has not."""
    with env.writing() as session, session.begin():
        batch = batches.by_id(session, organization_id=organization_id, batch_id=batch_id)
        if batch is None:
            return
        actor = Actor(actor_name, organization_id, frozenset({Permission.CREDENTIALS_REVOKE}))
        rows = _slice(session, organization_id, batch_id, first, last, ("issued", "waiting"))
        issued = [row.award_id for row in rows if row.state == "issued" and row.award_id]
        revoke_together(env, session, actor, issued, str(batch.reason))
        for row in rows:
            row.state = "revoked" if row.state == "issued" else "withdrawn"
            row.sealed_order = None
        session.flush()
        held = batches.by_id(
            session, organization_id=organization_id, batch_id=batch_id, for_update=True
        )
        left = batches.counts(session, organization_id=organization_id, batch_id=batch_id)
        if held is not None and not left.get("issued") and not left.get("waiting"):
            held.state, held.finished_at = "undone", env.now()


def own_batch(session: Session, actor: Actor, batch_id: str) -> Batch:
    """A batch of the actor's organisation, else NotFound."""
    actor.require(Permission.CREDENTIALS_READ)
    found = batches.by_id(
        session,
        organization_id=actor.own_organization(),
        batch_id=batch_id,
        tests_only=actor.is_test,
    )
    if found is None:
        raise NotFound("batch", batch=batch_id)
    return found


def fingerprint(
    env: Environment, actor: Actor, issuer: Organization, line_id: str, order: IssueOrder
) -> str:
    """By what a row is known again: who gets what, assessed when; nothing of it can be read from this.

    A test is never what was issued before in earnest, nor the other way about.
    """
    holder = order.holder
    contact = holder.contact.email if holder.contact else None
    who = order.external_reference or holder.reference or holder.id or holder.email or contact
    parts = [line_id, order.assessed_on.isoformat(), who or "", holder.name or ""]
    text = "\0".join([*parts, "test"] if actor.is_test else parts)
    return keyed_hash(env.contact_key, text, within=issuer.id)


def _own(session: Session, actor: Actor) -> Organization:
    found = organizations.by_id(session, actor.own_organization())
    if found is None:
        raise NotFound("organization")
    return found


def _wrong_with(
    env: Environment,
    session: Session,
    actor: Actor,
    issuer: Organization,
    row: Row,
    order: IssueOrder,
    found: definitions.Found,
    in_use: Collection[str],
) -> tuple[tuple[FieldError, ...], str | None]:
    """What is wrong with a row, or the award that has its reference already."""
    try:
        check_order(env, session, issuer, found, order, is_test=actor.is_test, in_use=in_use)
    except InvalidInput as error:
        return _at(f"/items/{row.number - 1}", error.fields), None
    except KpassError as error:
        known = _with_reference(session, actor, found, order)
        if error.rule == "reference_in_use" and known is not None:
            return (), known
        return (_as_field(row.number, error),), None
    return (), None


def _with_reference(
    session: Session, actor: Actor, found: definitions.Found, order: IssueOrder
) -> str | None:
    """The award that has the order's reference, where it is of this definition and says the same name.

    Any other is in the way, and that is said: a reference that stands for a whole class loses nobody theirs.
    """
    if order.external_reference is None:
        return None
    used = awards.by_reference(
        session,
        organization_id=actor.own_organization(),
        external_reference=order.external_reference,
        is_test=actor.is_test,
    )
    if used is None or _folded(used.holder_name) != _folded(order.holder.name):
        return None
    of = definitions.by_id(session, used.definition_version_id)
    return used.id if of and of[1].id == found[1].id else None


def _folded(name: str | None) -> str:
    return unicodedata.normalize("NFKC", name or "").casefold()


def _shared(rows: Sequence[Row]) -> list[Row]:
    """The rows, those wrong whose reference stands at another name too: a class's number is nobody's own."""
    found = list(rows)
    for place, of in _REFERENCES:
        first: dict[str, Row] = {}
        shared: dict[int, int] = {}
        for row in rows:
            reference = of(row.order) if row.order and not row.errors else None
            if reference is None or row.order is None:
                continue
            other = first.setdefault(_folded(reference), row)
            if other.order and _folded(other.order.holder.name) != _folded(row.order.holder.name):
                shared[row.number] = other.number
                shared.setdefault(other.number, row.number)
        for at, row in enumerate(found):
            if row.number in shared:
                field = f"/items/{row.number - 1}{place}"
                error = FieldError(field, "reference_shared", row=shared[row.number])
                errors = in_cells(row.table, [error]) if row.table else (error,)
                found[at] = Row(row.number, row.order, (*row.errors, *errors), row.table)
    return found


def _require_not_undoing(session: Session, actor: Actor, award_ids: list[str]) -> None:
    """Conflict if one of the awards is about to be revoked with its batch: who has it would be left with none."""
    going = batches.undoing(session, organization_id=actor.own_organization(), award_ids=award_ids)
    if going is not None:
        raise Conflict("batch_undoing", batch=going)


def _as_field(number: int, error: KpassError) -> FieldError:
    place = f"/items/{number - 1}{error.data.get('field', '')}"
    return FieldError(place, "row_refused", sv=error.sentence("sv"), en=error.sentence("en"))


def _at(place: str, fields: Sequence[FieldError]) -> tuple[FieldError, ...]:
    return tuple(FieldError(f"{place}{each.field}", each.rule, **each.data) for each in fields)


def _stored(env: Environment, batch: Batch, row: Row, looked: Looked) -> dict[str, object]:
    award_id = looked.issued_before.get(row.number)
    state = "failed" if row.errors else "already_issued" if award_id else "waiting"
    sealed = None
    if state == "waiting" and row.order is not None:
        text = json.dumps(row.order.model_dump(mode="json", by_alias=True, exclude_none=True))
        sealed = seal(env.contact_key, text, env.entropy(12), about=f"{batch.id}/{row.number}")
    return {
        "batch_id": batch.id,
        "number": row.number,
        "organization_id": batch.organization_id,
        "state": state,
        "fingerprint": looked.fingerprints.get(row.number, ""),
        "sealed_order": sealed,
        "status_list_id": None,
        "status_index": None,
        "award_id": award_id,
        "errors": [written(error) for error in row.errors] or None,
    }


def written(error: FieldError) -> dict[str, str]:
    """An error of a row, with its sentence in each language."""
    return {
        "field": error.field,
        "rule": error.rule,
        "sv": error.sentence("sv"),
        "en": error.sentence("en"),
    }


def _slice(
    session: Session,
    organization_id: str,
    batch_id: str,
    first: int,
    last: int,
    states: tuple[str, ...],
    limit: int | None = None,
) -> list[BatchRow]:
    return batches.rows(
        session,
        organization_id=organization_id,
        batch_id=batch_id,
        states=states,
        first=first,
        last=last,
        limit=limit,
        for_update=True,
    )


def _at_once(env: Environment, version: DefinitionVersion, *, sends_mail: bool) -> int:
    """How many rows of a batch are issued in one transaction."""
    every, some, _ = demanded(source_of(version))
    return SLICE if env.is_fast and not (sends_mail or every or some) else AT_ONCE


def _left_of(
    env: Environment, session: Session, actor: Actor, rows: Sequence[BatchRow]
) -> list[BatchRow]:
    """Issue those rows as a series that are in no way out of the ordinary; the others, which are not done yet."""
    orders: dict[int, IssueOrder] = {}
    known = batches.issued_before(
        session,
        organization_id=actor.own_organization(),
        fingerprints=[row.fingerprint for row in rows] if env.is_fast else [],
    )
    for number, row in enumerate(rows if env.is_fast else ()):
        if row.fingerprint not in known:
            with suppress(InvalidInput, Unavailable):
                orders[number] = _order_of(env, row)
    asked = [
        Asked(actor, order, channel="batch", index=_place_of(session, rows[number]))
        for number, order in orders.items()
    ]
    numbers = list(orders)
    try:
        with session.begin_nested():
            made = issue_as_series(env, session, asked)
            done = {rows[numbers[at]].number: found.id for at, found in made.items()}
            batches.note_issued(
                session,
                organization_id=actor.own_organization(),
                batch_id=rows[0].batch_id if rows else "",
                made=done,
            )
    except SQLAlchemyError:  # another batch has just issued one, or one is not to be stored
        return list(rows)
    for row in rows:
        if row.number in done:
            session.expunge(row)
    return [row for row in rows if row.number not in done]


def _order_of(env: Environment, row: BatchRow) -> IssueOrder:
    text = unseal(env.contact_key, row.sealed_order or b"", about=f"{row.batch_id}/{row.number}")
    return validated(IssueOrder, json.loads(text))


def _place_of(session: Session, row: BatchRow) -> tuple[StatusList, int] | None:
    """The place in a status list that is kept for a row."""
    if row.status_list_id is None or row.status_index is None:
        return None
    return session.get_one(StatusList, row.status_list_id), row.status_index


def _issue(env: Environment, session: Session, actor: Actor, row: BatchRow) -> None:
    try:
        order = _order_of(env, row)
        found = find_definition(env, session, _own(session, actor), order.definition)
    except InvalidInput as error:
        _fail(row, *_at(f"/items/{row.number - 1}", error.fields))
        return
    except Unavailable:  # the order is not lost for a key that is not there: the slice is put off
        raise
    except KpassError as error:
        _fail(row, _as_field(row.number, error))
        return
    if _is_known(session, actor, found, row, order):
        return
    place = _place_of(session, row)
    try:
        with session.begin_nested():
            made = issue(env, session, actor, order, channel="batch", index=place)
            row.state, row.award_id, row.sealed_order = "issued", made.award.id, None
            session.flush()
    except IntegrityError:
        session.refresh(row)
        if not _is_known(session, actor, found, row, order):
            raise
    except Unavailable:  # it may answer again: the slice is put off
        raise
    except KpassError as error:
        session.refresh(row)
        _fail(row, _as_field(row.number, error))


def _is_known(
    session: Session, actor: Actor, found: definitions.Found, row: BatchRow, order: IssueOrder
) -> bool:
    """Whether a row was issued before, which is then its outcome; Conflict while that is being undone."""
    before = batches.issued_before(
        session, organization_id=row.organization_id, fingerprints=[row.fingerprint]
    )
    known = before.get(row.fingerprint) or _with_reference(session, actor, found, order)
    if known is None:
        return False
    _require_not_undoing(session, actor, [known])
    row.state, row.award_id, row.sealed_order = "already_issued", known, None
    return True


def _fail(row: BatchRow, *errors: FieldError) -> None:
    row.state, row.sealed_order = "failed", None
    row.errors = [written(error) for error in errors]


def _finish(
    env: Environment, session: Session, organization_id: str, batch_id: str, actor: Actor
) -> None:
    """The batch is done when no row waits; the last slice to commit sees that, under the batch's own row."""
    held = batches.by_id(
        session, organization_id=organization_id, batch_id=batch_id, for_update=True
    )
    left = batches.counts(session, organization_id=organization_id, batch_id=batch_id)
    if held is not None and held.state == "running" and not left.get("waiting"):
        held.state, held.finished_at = "finished", env.now()
        audit(
            env,
            session,
            actor,
            "batch.finished",
            batch_id,
            organization_id=organization_id,
            issued=str(left.get("issued", 0)),
            failed=str(left.get("failed", 0)),
        )


def each_error(looked: Looked) -> Iterator[tuple[int, FieldError]]:
    """Everything that is wrong, with its row's number, in the order of the rows."""
    for row in looked.bad:
        for error in row.errors:
            yield row.number, error


def about(found: definitions.Found, language: Language) -> str:
    """What stands beside a template: which definition it is for, and how it is filled in."""
    version, line, owner = found
    words = {"title": version.title(language), "code": line.code, "owner": owner.name(language)}
    return say(language, "table.about", **words)
