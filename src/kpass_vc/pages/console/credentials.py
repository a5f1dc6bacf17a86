"""The credentials of an organisation: search them, and revoke several at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from kpass_vc.actions.change_status import Reason, revoke_several
from kpass_vc.authz import Permission
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.errors import Conflict, Malformed, NotFound
from kpass_vc.model.dates import day_text
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.frame import AtWork, Desk, Faults, Posted, faults_of
from kpass_vc.pages.console.paging import PER_PAGE, page_number, paging
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delivery as deliveries
from kpass_vc.records.award import Award

router = APIRouter(prefix="/console", include_in_schema=False)

STATES: Final = ("active", "suspended", "revoked")
SHOWN: Final = ("disputed", "undelivered", "unopened", "compromised")
REVOKED_FOR: Final = (
    "issued_in_error",
    "wrong_holder",
    "wrong_details",
    "assessment_annulled",
    "fraud",
    "holder_request",
    "other",
)
"""Why a credential is revoked, in the order of a form."""
_MOST_WORDS: Final = 200
_BETWEEN: Final = ","
"""Between the ids of those that are chosen: they stand in the path, which is kept where one must prove who one is."""


class SeveralOrder(BaseModel):
    """Why the credentials that were chosen are revoked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reason: Reason


@dataclass(frozen=True)
class Line:
    """One credential as a list shows it."""

    id: str
    name: str
    """Empty where there is none."""
    without_name: str
    """The key of why there is no name."""
    title: str
    issued: str
    state: str
    claimed: str
    disputed: bool


@router.api_route("/credentials", methods=["GET", "HEAD"])
def credentials(
    desk: AtWork,
    session: ReadTx,
    q: str = "",
    state: str = "",
    show: str = "",
    definition: str = "",
    page: str = "",
) -> Response:
    """Those that are looked for, newest first."""
    asked = {"q": q.strip()[:_MOST_WORDS], "state": state, "show": show, "definition": definition}
    return _list(desk, session, asked, page_number(page))


@router.api_route("/credentials/revocation", methods=["GET", "HEAD"])
def chosen(
    desk: AtWork, session: ReadTx, award: Annotated[Sequence[str], Query()] = ()
) -> Response:
    """On to the form for those that are ticked; back to the list if none is."""
    desk.who.actor.require(Permission.CREDENTIALS_REVOKE)
    ids = list(dict.fromkeys(award))
    if not ids:
        faults = Faults({}, (desk.say("credentials.none_ticked"),), 422)
        return _list(desk, session, {}, 1, faults)
    return desk.to(f"/credentials/revocation/{_BETWEEN.join(ids[:PER_PAGE])}")


@router.api_route("/credentials/revocation/{ids}", methods=["GET", "HEAD"])
def revocation(ids: str, desk: AtWork, session: ReadTx) -> Response:
    """Which are to be revoked, and why."""
    return _several(desk, session, ids)


@router.post("/credentials/revocation/{ids}")
def post_revocation(ids: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """All of them revoked, or none."""
    desk.require_fresh()
    try:
        with session.begin_nested():
            order = validated(SeveralOrder, form.given("reason"))
            revoke_several(env, session, desk.who.actor, ids.split(_BETWEEN), order.reason)
    except (Malformed, Conflict) as error:
        return _several(desk, session, ids, faults_of(error, desk.language), form.text("reason"))
    return desk.to("/credentials", "several_revoked")


def lines_of(desk: Desk, session: Session, rows: Sequence[Award]) -> list[Line]:
    """Some awards of the organisation as a list shows them."""
    organization_id = desk.who.actor.own_organization()
    ids = [row.id for row in rows]
    disputed = awards.disputed_among(session, organization_id=organization_id, ids=ids)
    compromised = awards.compromised_among(session, organization_id=organization_id, ids=ids)
    titles = titles_of(desk, session, [row.definition_version_id for row in rows])
    return [
        Line(
            id=row.id,
            name=row.holder_name or "",
            without_name="erased" if row.erased_at is not None else "protected",
            title=titles[row.definition_version_id],
            issued=day_text(row.issued_at),
            state=state_of(desk, row, compromised=row.id in compromised),
            claimed=day_text(row.claimed_at) if row.claimed_at else "",
            disputed=row.id in disputed,
        )
        for row in rows
    ]


def titles_of(desk: Desk, session: Session, version_ids: Sequence[str]) -> dict[str, str]:
    """What some definition versions are called, by id."""
    found = {each: definitions.by_id(session, each) for each in dict.fromkeys(version_ids)}
    return {each: row[0].title(desk.language) for each, row in found.items() if row is not None}


def state_of(desk: Desk, award: Award, *, compromised: bool) -> str:
    """What state an award is in, as people are told of it: `console.credentials.state.<state>`."""
    if award.state == "revoked":
        return "revoked"
    if award.valid_until is not None and award.valid_until < desk.env.now():
        return "expired"
    if compromised:
        return "compromised"
    return award.state


def reasons(desk: Desk, names: Sequence[str]) -> list[tuple[str, str]]:
    """The options of a form that asks for a reason; none is chosen beforehand."""
    words = [(name, desk.say(f"credentials.reason.{name}")) for name in names]
    return [("", desk.say("credentials.choose")), *words]


def _list(
    desk: Desk,
    session: Session,
    asked: Mapping[str, str],
    number: int,
    faults: Faults | None = None,
) -> Response:
    actor = desk.who.actor
    actor.require(Permission.CREDENTIALS_READ)
    organization_id = actor.own_organization()
    show = asked.get("show", "")
    wanted: dict[str, Any] = {
        "organization_id": organization_id,
        "words": asked.get("q") or None,
        "state": asked["state"] if asked.get("state") in STATES else None,
        "definition_version_id": asked.get("definition") or None,
        "claimed": False if show == "unopened" else None,
        "compromised": show == "compromised",
        "disputed": True if show == "disputed" else None,
        "tests_only": actor.is_test,
        "among": deliveries.undelivered(organization_id=organization_id)
        if show == "undelivered"
        else None,
    }
    if show == "unopened" and wanted["state"] is None:
        wanted["state"] = "active"
    rows, total = awards.search(session, **wanted, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    version_ids = awards.issued_under(session, organization_id=organization_id)
    return desk.page(
        "credentials.html",
        here="credentials",
        faults=faults,
        asked={name: asked.get(name, "") for name in ("q", "state", "show", "definition")},
        is_asked=any(asked.values()),
        states=STATES,
        shown=SHOWN,
        definitions=_definitions(desk, session, version_ids),
        lines=lines_of(desk, session, rows),
        total=total,
        paging=paging(number, total, asked),
    )


def _definitions(desk: Desk, session: Session, version_ids: Sequence[str]) -> list[tuple[str, str]]:
    """The definitions to choose among, with the version where there are several of a title."""
    found = [row for each in version_ids if (row := definitions.by_id(session, each)) is not None]
    titles = [row[0].title(desk.language) for row in found]
    options = [
        (row[0].id, f"{title} ({row[0].version})" if titles.count(title) > 1 else title)
        for row, title in zip(found, titles, strict=True)
    ]
    return sorted(options, key=lambda option: option[1].casefold())


def _several(
    desk: Desk, session: Session, ids: str, faults: Faults | None = None, reason: str = ""
) -> Response:
    actor = desk.who.actor
    actor.require(Permission.CREDENTIALS_READ)
    actor.require(Permission.CREDENTIALS_REVOKE)
    desk.require_fresh()
    rows = [
        awards.by_id(
            session,
            organization_id=actor.own_organization(),
            award_id=each,
            tests_only=actor.is_test,
        )
        for each in dict.fromkeys(ids.split(_BETWEEN)[:PER_PAGE])
    ]
    if None in rows:
        raise NotFound("credential", credential=ids)
    return desk.page(
        "credentials_revocation.html",
        here="credentials",
        faults=faults,
        lines=lines_of(desk, session, cast("list[Award]", rows)),
        address=desk.env.addresses.console(f"/credentials/revocation/{ids}"),
        options=reasons(desk, REVOKED_FOR),
        reason=reason,
    )
