"""Issue to one, or to many from a table: looked at and mended before anything is sent, followed, and undone.

A table that is looked at is kept nowhere: it goes back and forth in the form, until it is sent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, get_args

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.batch import (
    BatchStatusOrder,
    about,
    look_through,
    own_batch,
    read_file,
    read_items,
    take_in,
    undo,
)
from kpass_vc.actions.change_status import Reason
from kpass_vc.actions.issuable import issuable, require_issuable
from kpass_vc.actions.issue import IssueOrder, find_definition, issue
from kpass_vc.actions.letter import MOST as MOST_LETTERS
from kpass_vc.actions.letter import batch_letters
from kpass_vc.actions.try_table import Tried, try_table
from kpass_vc.authz import Permission
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    KpassError,
    Malformed,
    NotFound,
    Unavailable,
)
from kpass_vc.learner_table import template
from kpass_vc.model.dates import STOCKHOLM, day_text, minute_text
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.frame import (
    AtWork,
    Desk,
    Faults,
    Form,
    Posted,
    dressed_file,
    faults_of,
    in_words,
    posted_with,
)
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import organization as organizations
from kpass_vc.records.batch import Batch, BatchRow
from kpass_vc.records.definition import Found
from kpass_vc.spreadsheets import (
    MEDIA_TYPE,
    Cell,
    Column,
    column_letter,
    is_workbook,
    write_table,
)

router = APIRouter(prefix="/console", include_in_schema=False)

REFUSED: Final = (Malformed, Conflict, Forbidden, NotFound, Unavailable)
MOST_SHOWN: Final = 100
"""Rows that are shown on one page."""
MOST_MENDED: Final = 200
"""Cells that can be written in at once: a page of them is no burden to a slow line."""
MOST_LINKED: Final = 10
"""Faults that are named above the table, each with a link to its cell."""
FOLLOWED: Final = timedelta(minutes=10)
"""How long letters that wait are looked for by themselves once all is issued: a server may be away for days."""
SHOWN: Final = ("all", "failed", "unopened", "undelivered")
"""Which rows of a batch may be asked for."""
ONE: Final = (
    "name", "email", "mail_language", "assessed_on", "external_reference", "reference",
    "evidence", "valid_until", "protected",
)  # fmt: skip
_NAMES: Final[Mapping[str, str]] = {
    "/holder": "name",
    "/holder/name": "name",
    "/holder/contact/email": "email",
    "/holder/contact": "email",
    "/holder/contact/language": "mail_language",
    "/holder/reference": "reference",
    "/holder/protectedIdentity": "protected",
    "/assessedOn": "assessed_on",
    "/externalReference": "external_reference",
    "/evidence/0/narrative": "evidence",
    "/validUntil": "valid_until",
    "/definition": "definition",
}
_NO_END: Final = frozenset({"under_investigation", "investigation_closed"})
"""Reasons to suspend, not to revoke."""
_CELL: Final = re.compile(r"cell:([A-Z]{1,3}[0-9]{1,7})")
_PART: Final = re.compile(r"[1-9][0-9]?")


@dataclass(frozen=True)
class ShownCell:
    """One cell: its name, the heading above it, its text, and what is wrong with it."""

    name: str
    heading: str
    text: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class ShownRow:
    """One row of a table, and what comes of it."""

    number: int
    cells: tuple[ShownCell, ...]
    """In the order of the heading, without the columns that nobody wrote in."""
    outcome: str
    """`good`, `bad` or `before`."""


@router.api_route("/issue", methods=["GET", "HEAD"])
def start(env: Env, session: ReadTx, desk: AtWork) -> Response:
    """What one may issue, to one or many, and what was sent before."""
    found = issuable(env, session, desk.who.actor)
    sent = []
    if desk.may(Permission.CREDENTIALS_READ):
        rows, _ = batches.of_organization(
            session, organization_id=desk.who.actor.own_organization(), limit=20, offset=0
        )
        sent = [_batch(session, desk, row) for row in rows]
    return desk.page(
        "issue.html",
        here="issue",
        choices=[_choice(desk, each) for each in found],
        sent=sent,
    )


@router.api_route("/issue/one", methods=["GET", "HEAD"])
def one(env: Env, session: ReadTx, desk: AtWork, definition: str = "") -> Response:
    """The form for one."""
    return _one_page(env, session, desk, definition, {})


@router.post("/issue/one")
def post_one(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """What would be issued, to be looked at; issued, once it was."""
    definition, given = form.text("definition"), form.texts()
    try:
        order = validated(IssueOrder, _order(form, definition))
        if form.text("step") == "send":
            ask_owner(env, desk.who.actor, definition)
            with session.begin_nested():
                made = issue(
                    env,
                    session,
                    desk.who.actor,
                    order,
                    form.text("key") or None,
                    channel="console",
                )
            return desk.to(f"/credentials/{made.award.id}", "issued")
        if form.text("step") == "change":
            return _one_page(env, session, desk, definition, given)
        is_known = _would(env, session, desk, definition, _order(form, definition))
    except REFUSED as error:
        faults = faults_of(error, desk.language, _NAMES)
        return _one_page(env, session, desk, definition, given, faults)
    return desk.page(
        "issue_one_look.html",
        here="issue",
        given=given,
        names=("definition", *ONE),
        order=order,
        is_known=is_known,
        sends_mail="email" in env.channels,
        about=_choice(desk, _definition(env, session, desk, definition)),
        assessed=order.assessed_on.isoformat(),
        valid_until=order.valid_until.isoformat() if order.valid_until else "",
        key=env.new_id(),
    )


@router.api_route("/issue/many", methods=["GET", "HEAD"])
def many(env: Env, session: ReadTx, desk: AtWork, definition: str = "") -> Response:
    """Where the table is dropped."""
    return _many_page(env, session, desk, definition)


@router.api_route("/issue/many/template.xlsx", methods=["GET", "HEAD"])
def many_template(env: Env, session: ReadTx, desk: AtWork, definition: str) -> Response:
    """The table to fill in."""
    found = _definition(env, session, desk, definition)
    body = template(desk.language, about=about(found, desk.language))
    return dressed_file(body, MEDIA_TYPE, name=f"{found[1].code}.{desk.language}.xlsx")


@router.post("/issue/many")
def post_many(
    env: Env,
    session: ReadTx,
    desk: AtWork,
    form: Annotated[Form, Depends(posted_with("definition", "file"))],
) -> Response:
    """The table as it was read, with what is wrong at its cell; nothing is sent or kept."""
    content = form.files.get("file", b"")
    if not content:
        faults = Faults({"file": (desk.say("issue.no_file"),)}, (), 422)
        return _many_page(env, session, desk, form.text("definition"), faults)
    return _looked_at(env, session, desk, form.text("definition"), content, {})


@router.post("/issue/many/check")
def post_check(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """The table with what was mended, looked at anew; sent, if that was asked for and may be."""
    definition, content = form.text("definition"), form.text("table").encode()
    written = {
        found[1]: text for name, text in form.texts().items() if (found := _CELL.fullmatch(name))
    }
    step = form.text("step")
    try:
        tried = try_table(env, session, desk.who.actor, definition, content, written)
        if step == "download":
            return _wrong_rows(desk, tried)
        if step not in {"send", "send_good"}:
            return _table_page(env, session, desk, definition, tried)
        if (tried.looked.bad and step == "send") or not tried.looked.good or _too_many(tried):
            wrong = Faults({}, (desk.say("issue.not_sent"),), 422)
            return _table_page(env, session, desk, definition, tried, wrong)
        rows = [
            row for row in read_file(definition, tried.content) if row.number in _sendable(tried)
        ]
        with session.begin_nested():
            looked = look_through(env, session, desk.who.actor, definition, rows)
            batch = take_in(env, session, desk.who.actor, definition, looked)
    except REFUSED as error:
        return _refused(env, session, desk, definition, content, written, error)
    return desk.to(f"/issue/many/{batch.id}", "sent")


@router.api_route("/issue/many/{batch_id}", methods=["GET", "HEAD"])
def batch_page(
    batch_id: str,
    env: Env,
    session: ReadTx,
    desk: AtWork,
    show: str = "all",
    after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """How far it has come, who has got theirs and who has opened it."""
    batch = own_batch(session, desk.who.actor, batch_id)
    return _batch_page(env, session, desk, batch, show if show in SHOWN else "all", after)


@router.post("/issue/many/{batch_id}/letters")
def post_letters(batch_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Letters to print, for those who left no address."""
    part = int(form.text("part")) if _PART.fullmatch(form.text("part")) else 1
    try:
        with session.begin_nested():
            body = batch_letters(env, session, desk.who.actor, batch_id, desk.language, part)
    except Conflict as error:
        batch = own_batch(session, desk.who.actor, batch_id)
        faults = faults_of(error, desk.language)
        return _batch_page(env, session, desk, batch, "all", 0, faults)
    return dressed_file(body, "application/pdf", name=f"brev-{part}.pdf")


@router.api_route("/issue/many/{batch_id}/undo", methods=["GET", "HEAD"])
def undo_page(batch_id: str, session: ReadTx, desk: AtWork) -> Response:
    """What undoing it does, to be thought over."""
    return _undo_page(session, desk, batch_id)


@router.post("/issue/many/{batch_id}/undo")
def post_undo(batch_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Every credential of it is revoked, and what still waits is not issued."""
    desk.require_fresh()
    given = {"status": "undone", "reason": form.text("reason")}
    try:
        with session.begin_nested():
            undo(env, session, desk.who.actor, batch_id, validated(BatchStatusOrder, given))
    except (Malformed, Conflict) as error:
        return _undo_page(session, desk, batch_id, faults_of(error, desk.language))
    return desk.to(f"/issue/many/{batch_id}", "undone")


def _order(form: Form, definition: str) -> dict[str, object]:
    """An order as the API takes it, of what was filled in."""
    holder: dict[str, object] = {}
    if form.text("protected"):
        holder["protectedIdentity"] = True
    if form.text("name"):
        holder["name"] = form.text("name")
    if form.text("reference"):
        holder["reference"] = form.text("reference")
    if form.text("email"):
        holder["contact"] = {
            "email": form.text("email"),
            "language": form.text("mail_language") or "sv",
        }
    found: dict[str, object] = {
        "definition": definition,
        "holder": holder,
        "assessedOn": form.text("assessed_on"),
    }
    if form.text("external_reference"):
        found["externalReference"] = form.text("external_reference")
    if form.text("evidence"):
        found["evidence"] = [{"narrative": form.text("evidence")}]
    if form.text("valid_until"):
        found["validUntil"] = form.text("valid_until")
    return found


def _would(
    env: Environment, session: Session, desk: Desk, definition: str, item: dict[str, object]
) -> bool:
    """Whether it was issued before; refuses whatever a look through it finds wrong, and stores nothing."""
    ask_owner(env, desk.who.actor, definition)
    require_issuable(env, session, desk.who.actor, definition)
    rows = read_items(definition, [item])
    looked = look_through(env, session, desk.who.actor, definition, rows)
    errors = [
        FieldError(error.field.removeprefix("/items/0"), error.rule, **error.data)
        for row in looked.bad
        for error in row.errors
    ]
    if errors:
        raise InvalidInput(*errors)
    return bool(looked.issued_before)


def _one_page(
    env: Environment,
    session: Session,
    desk: Desk,
    definition: str,
    given: Mapping[str, str],
    faults: Faults | None = None,
) -> Response:
    found = _definition(env, session, desk, definition)
    return desk.page(
        "issue_one.html",
        here="issue",
        faults=faults,
        about=_choice(desk, found),
        given=given,
        today=env.now().astimezone(STOCKHOLM).date().isoformat(),
    )


def _many_page(
    env: Environment,
    session: Session,
    desk: Desk,
    definition: str,
    faults: Faults | None = None,
    table: str = "",
    written: Mapping[str, str] | None = None,
) -> Response:
    """Where a file is chosen; with `table`, what was refused can be looked at again as it was."""
    found = _definition(env, session, desk, definition)
    return desk.page(
        "issue_many.html",
        here="issue",
        faults=faults,
        about=_choice(desk, found),
        table=table,
        written=written or {},
    )


def _definition(env: Environment, session: Session, desk: Desk, reference: str) -> Found:
    desk.who.actor.require(Permission.CREDENTIALS_ISSUE)
    issuer = organizations.by_id(session, desk.who.actor.own_organization())
    if issuer is None:
        raise NotFound("organization")
    return find_definition(env, session, issuer, reference)


def _choice(desk: Desk, found: Found) -> dict[str, str]:
    version, line, owner = found
    return {
        "reference": str(version.document_url)
        if owner.is_elsewhere
        else f"{owner.slug}/{line.code}",
        "title": version.title(desk.language),
        "code": line.code,
        "version": version.version,
        "owner": owner.name(desk.language),
        "badge": desk.env.addresses.definition_at(version.document_url or "").badge_small(
            desk.language
        )
        if not owner.is_elsewhere
        else "",
    }


def _looked_at(
    env: Environment,
    session: Session,
    desk: Desk,
    definition: str,
    content: bytes,
    written: Mapping[str, str],
) -> Response:
    try:
        tried = try_table(env, session, desk.who.actor, definition, content, written)
    except REFUSED as error:
        return _refused(env, session, desk, definition, content, written, error)
    return _table_page(env, session, desk, definition, tried)


def _refused(
    env: Environment,
    session: Session,
    desk: Desk,
    definition: str,
    content: bytes,
    written: Mapping[str, str],
    error: KpassError,
) -> Response:
    """The page of the file again, with why it was not taken.

    What is not wrong with the table itself may be right in a moment: then the table is not lost.
    """
    if isinstance(error, InvalidInput):
        sentences = tuple(each.sentence(desk.language) for each in error.fields)
    else:
        sentences = (error.sentence(desk.language),)
    if isinstance(error, Malformed):
        faults = Faults({"file": sentences}, (), 422)
        return _many_page(env, session, desk, definition, faults)
    faults = Faults({}, sentences, faults_of(error, desk.language).status)
    kept = "" if is_workbook(content) else content.decode("utf-8", "replace")
    return _many_page(env, session, desk, definition, faults, kept, written)


def _wrong_rows(desk: Desk, tried: Tried) -> Response:
    """The rows with something wrong as a table of their own, to be mended and sent later."""
    columns = [Column(cell.text, "") for cell in tried.rows[0]]
    body = write_table(desk.say("issue.wrong_rows"), columns, tried.wrong_rows)
    return dressed_file(body, MEDIA_TYPE, name=f"{desk.say('issue.wrong_rows_file')}.xlsx")


def _table_page(
    env: Environment,
    session: Session,
    desk: Desk,
    definition: str,
    tried: Tried,
    faults: Faults | None = None,
) -> Response:
    rows = _rows(desk, tried)
    wrong = [row for row in rows if row.outcome == "bad"]
    right = [row for row in rows if row.outcome != "bad"]
    width = max((len(row.cells) for row in rows), default=1) or 1
    mended = wrong[: MOST_MENDED // width]
    shown = sorted(
        [*mended, *right[: max(0, MOST_SHOWN - len(mended))]], key=lambda row: row.number
    )
    contacts = [row.order.holder.contact for row in tried.looked.good if row.order is not None]
    linked = [
        (row.number, cell.name, sentence)
        for row in mended
        for cell in row.cells
        for sentence in cell.faults
    ]
    return desk.page(
        "issue_table.html",
        here="issue",
        faults=faults,
        about=_choice(desk, _definition(env, session, desk, definition)),
        heading=[cell.heading for cell in rows[0].cells] if rows else [],
        rows=shown,
        linked=linked[:MOST_LINKED],
        left_out=len(rows) - len(shown),
        total=len(rows),
        good=len(tried.looked.good),
        bad=len(wrong),
        before=len(tried.looked.issued_before),
        letters=sum(each is not None for each in contacts),
        without=sum(each is None for each in contacts),
        room=tried.room if _too_many(tried) else None,
        sends_mail="email" in env.channels,
        table=tried.content.decode("utf-8-sig"),
    )


def _rows(desk: Desk, tried: Tried) -> list[ShownRow]:
    bad = {row.number for row in tried.looked.bad}
    before = set(tried.looked.issued_before)
    numbers = [row.number for row in tried.looked.rows]
    width = max((len(tried.rows[number - 1]) for number in numbers), default=0)
    headings = [cell.text for cell in tried.rows[0]]
    headings += [""] * (width - len(headings))
    used = {
        place
        for number in numbers
        for place, cell in enumerate(tried.rows[number - 1])
        if cell.text or cell.name in tried.faults
    }
    found = []
    for number in numbers:
        row = tried.rows[number - 1]
        cells = tuple(
            ShownCell(
                cell.name,
                headings[place],
                cell.text,
                tuple(
                    in_words(
                        FieldError(headings[place] or cell.name, each.rule, **each.data),
                        desk.language,
                    )
                    for each in tried.faults.get(cell.name, ())
                ),
            )
            for place in sorted(used)
            for cell in [row[place] if place < len(row) else Cell(_name(place, number), "")]
        )
        outcome = "bad" if number in bad else "before" if number in before else "good"
        found.append(ShownRow(number, cells, outcome))
    return found


def _name(place: int, number: int) -> str:
    return f"{column_letter(place)}{number}"


def _too_many(tried: Tried) -> bool:
    """Whether more would be issued than the definition's owner allows."""
    return tried.room is not None and len(tried.looked.good) > tried.room


def _sendable(tried: Tried) -> set[int]:
    return {row.number for row in tried.looked.rows if not row.errors}


def _batch(session: Session, desk: Desk, row: Batch) -> dict[str, object]:
    counts = batches.counts(session, organization_id=row.organization_id, batch_id=row.id)
    found = definitions.by_id(session, row.definition_version_id)
    return {
        "id": row.id,
        "title": found[0].title(desk.language) if found else "",
        "when": minute_text(row.created_at),
        "state": row.state,
        "total": row.total,
        "issued": counts.get("issued", 0),
        "waiting": counts.get("waiting", 0),
    }


def _batch_page(
    env: Environment,
    session: Session,
    desk: Desk,
    batch: Batch,
    show: str,
    after: int,
    faults: Faults | None = None,
) -> Response:
    organization_id = batch.organization_id
    which = {"organization_id": organization_id, "batch_id": batch.id}
    counts = batches.counts(session, **which)
    have = awards.opened(organization_id=organization_id, is_open=True)
    have_not = awards.opened(organization_id=organization_id, is_open=False)
    undelivered = deliveries.undelivered(organization_id=organization_id)
    unaddressed = deliveries.unaddressed(organization_id=organization_id)
    without = batches.count_among(session, **which, among=unaddressed)
    rows = batches.rows(
        session,
        organization_id=organization_id,
        batch_id=batch.id,
        states=("failed", "withdrawn") if show == "failed" else (),
        among={"unopened": have_not, "undelivered": undelivered}.get(show),
        first=after + 1,
        limit=MOST_SHOWN + 1,
    )
    shown = _batch_rows(session, desk, organization_id, rows[:MOST_SHOWN])
    is_running = batch.state in {"running", "undoing"}
    ended = batch.finished_at or batch.created_at
    letters_go = env.now() < ended + FOLLOWED and any(each["letter"] == "waiting" for each in shown)
    address = env.addresses.console(f"/issue/many/{batch.id}")
    here = f"{address}?show={show}&after={after}"
    return desk.page(
        "issue_batch.html",
        here="issue",
        faults=faults,
        batch=_batch(session, desk, batch),
        counts=counts,
        done_count=batch.total - counts.get("waiting", 0),
        opened=batches.count_among(session, **which, among=have),
        unopened=batches.count_among(session, **which, among=have_not),
        undelivered=batches.count_among(session, **which, among=undelivered),
        rows=shown,
        show=show,
        address=address,
        this=here,
        further=f"{address}?show={show}&after={rows[MOST_SHOWN - 1].number}"
        if len(rows) > MOST_SHOWN
        else "",
        is_first=after == 0,
        look=here if is_running or letters_go else "",
        is_running=is_running,
        parts=range(1, -(-without // MOST_LETTERS) + 1)
        if desk.may(Permission.CREDENTIALS_ISSUE) and not is_running
        else (),
        without=without,
        may_undo=desk.may(Permission.CREDENTIALS_REVOKE)
        and batch.state in {"running", "finished"}
        and bool(counts.get("issued") or counts.get("waiting")),
    )


def _batch_rows(
    session: Session, desk: Desk, organization_id: str, rows: Sequence[BatchRow]
) -> list[dict[str, object]]:
    ids = [row.award_id for row in rows if row.award_id]
    found = awards.by_ids(session, organization_id=organization_id, award_ids=ids)
    letters = deliveries.last_of(session, organization_id=organization_id, award_ids=ids)
    shown: list[dict[str, object]] = []
    for row in rows:
        award = found.get(row.award_id or "")
        letter = letters.get(row.award_id or "")
        nobody = desk.say("issue.protected")
        shown.append(
            {
                "number": row.number,
                "state": row.state,
                "award_id": row.award_id or "",
                "name": (award.holder_name or nobody) if award else "",
                "letter": letter.state if letter else "none" if award else "",
                "opened": day_text(award.claimed_at) if award and award.claimed_at else "",
                "errors": [each[desk.language] for each in row.errors or []],
            }
        )
    return shown


def _undo_page(
    session: Session, desk: Desk, batch_id: str, faults: Faults | None = None
) -> Response:
    desk.require_fresh()
    desk.who.actor.require(Permission.CREDENTIALS_REVOKE)
    batch = own_batch(session, desk.who.actor, batch_id)
    return desk.page(
        "issue_undo.html",
        here="issue",
        faults=faults,
        batch=_batch(session, desk, batch),
        reasons=[
            (each, desk.say(f"reason.{each}")) for each in get_args(Reason) if each not in _NO_END
        ],
    )
