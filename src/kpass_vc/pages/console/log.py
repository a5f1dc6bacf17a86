"""The log: what was done in the organisation, by whom and when, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from kpass_vc.authz import Permission
from kpass_vc.edge import ReadTx
from kpass_vc.language import has
from kpass_vc.model.dates import STOCKHOLM, start_of_day
from kpass_vc.pages.console.frame import AtWork, Desk, Faults
from kpass_vc.pages.console.paging import PER_PAGE, page_number, paging
from kpass_vc.records import access
from kpass_vc.records import audit as audits
from kpass_vc.records import person as people
from kpass_vc.records.audit import AuditEntry

router = APIRouter(prefix="/console", include_in_schema=False)

_MOST_SUBJECT = 500


@dataclass(frozen=True)
class Entry:
    """One thing that was done, as the page tells of it."""

    when: str
    what: str
    """Empty for what has no words."""
    action: str
    who: str
    is_name: bool
    subject: str
    place: str
    """Where the subject is shown in the console; empty if nowhere, or not to them."""


@router.api_route("/log", methods=["GET", "HEAD"])
def log(
    desk: AtWork, session: ReadTx, day: str = "", subject: str = "", page: str = ""
) -> Response:
    """Newest first; all of it, or of one day, or about one thing."""
    actor = desk.who.actor
    actor.require(Permission.AUDIT_READ)
    faults = None
    since = before = None
    if day.strip():
        try:
            asked = date.fromisoformat(day.strip())
            since, before = start_of_day(asked), start_of_day(asked + timedelta(days=1))
        except (ValueError, OverflowError):
            faults = Faults({"day": (desk.say("log.no_day"),)}, (), 422)
    number = page_number(page)
    about = subject.strip()[:_MOST_SUBJECT]
    rows, total = audits.search(
        session,
        organization_id=actor.own_organization(),
        since=since,
        before=before,
        subject=about or None,
        limit=PER_PAGE,
        offset=(number - 1) * PER_PAGE,
    )
    names = _names(desk, session)
    here = desk.who.organization
    return desk.page(
        "log.html",
        here="log",
        faults=faults,
        asked={"day": day, "subject": about},
        entries=[_entry(desk, names, row) for row in rows],
        total=total,
        paging=paging(number, total, {"day": day, "subject": about}),
        head_address=desk.env.addresses.audit_head(
            here.slug if here else "", desk.say("log.day_form")
        ),
    )


def _names(desk: Desk, session: Session) -> Mapping[str, str]:
    """Who acts here by name: the organisation's people, and its systems."""
    organization_id = desk.who.actor.own_organization()
    names = {
        f"person:{each.id}": each.name
        for each in people.members(session, organization_id=organization_id)
    }
    tokens = access.every(session, organization_id=organization_id)
    return names | {f"token:{each.id}": each.label for each in tokens}


def _entry(desk: Desk, names: Mapping[str, str], row: AuditEntry) -> Entry:
    key = f"log.action.{row.action}"
    kind = row.actor.partition(":")[0]
    named = names.get(row.actor)
    other = f"log.actor.{kind}"
    return Entry(
        when=f"{row.at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M:%S}",
        what=desk.say(key) if has(f"console.{key}") else "",
        action=row.action,
        who=named or (desk.say(other) if has(f"console.{other}") else row.actor),
        is_name=named is not None,
        subject=row.subject,
        place=_place(desk, row),
    )


def _place(desk: Desk, row: AuditEntry) -> str:
    kind = row.action.partition(".")[0]
    if kind == "credential" and desk.may(Permission.CREDENTIALS_READ):
        return f"/credentials/{row.subject}"
    if kind == "batch" and desk.may(Permission.CREDENTIALS_ISSUE):
        return f"/issue/many/{row.subject}"
    return ""
