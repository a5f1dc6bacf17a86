"""The right to issue others' definitions: granted, asked for, accepted and withdrawn; many at once from a table."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from kpass_vc.actions.delegate import (
    AskOrder,
    DelegationStatusOrder,
    GrantOrder,
    ask,
    change,
    grant,
    own_delegation,
    own_delegations,
    own_did,
)
from kpass_vc.actions.grant_table import look_at_grants
from kpass_vc.actions.take_authorization import (
    TakeOrder,
    gather_authorization,
    take_authorization,
)
from kpass_vc.authz import Permission
from kpass_vc.delegation_table import template
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, KpassError, Malformed, NotFetched, NotFound
from kpass_vc.language import say
from kpass_vc.model.dates import day_text
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
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records.delegation import Delegation
from kpass_vc.spreadsheets import MEDIA_TYPE

router = APIRouter(prefix="/console", include_in_schema=False)
_FAMILY_MEMBERS: Final = 200
_REFUSED: Final = (Malformed, Conflict, NotFound)
_Show = Callable[[Faults], Response]
TableForm = Annotated[Form, Depends(posted_with("file"))]


@router.api_route("/delegations", methods=["GET", "HEAD"])
def overview(session: ReadTx, desk: AtWork) -> Response:
    """What the organisation has let others issue, and what it may issue itself."""
    own = desk.who.actor.own_organization()
    found = own_delegations(session, desk.who.actor)
    return desk.page(
        "delegations.html",
        here="delegations",
        given=[_shown(desk, session, row) for row in found if row.organization_id == own],
        taken=[_shown(desk, session, row) for row in found if row.organization_id != own],
    )


@router.api_route("/delegations/new", methods=["GET", "HEAD"])
def new(session: ReadTx, desk: AtWork) -> Response:
    """The form to let somebody issue."""
    return _grant_page(desk, session)


@router.post("/delegations/new")
def post_new(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """The authorisation, signed."""
    given: dict[str, object] = {
        "definitions": form.every("definitions"),
        "families": _lines(form.text("families")),
        "issuer": form.text("issuer_did") or form.text("issuer"),
    }
    given |= form.given("note", "validFrom", "validUntil")
    given |= _number(form, "quota")

    def show(faults: Faults) -> Response:
        return _grant_page(desk, session, faults, form)

    def act() -> Response:
        with session.begin_nested():
            row = grant(env, session, desk.who.actor, validated(GrantOrder, given))
        return desk.to(f"/delegations/{row.id}", f"delegation_{row.state}")

    return _or_again(desk, act, show, {"/issuer": _issuer_field(form)})


@router.api_route("/delegations/ask", methods=["GET", "HEAD"])
def asking(session: ReadTx, desk: AtWork) -> Response:
    """The form to ask an owner."""
    return _ask_page(desk, session)


@router.post("/delegations/ask")
def post_ask(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Asked; the owner answers."""
    given: dict[str, object] = {
        "definitions": _lines(form.text("definitions")),
        "families": _lines(form.text("families")),
    }
    given |= form.given("owner", "note")

    def show(faults: Faults) -> Response:
        return _ask_page(desk, session, faults, form)

    def act() -> Response:
        with session.begin_nested():
            row = ask(env, session, desk.who.actor, validated(AskOrder, given))
        return desk.to(f"/delegations/{row.id}", "delegation_asked")

    return _or_again(desk, act, show)


@router.api_route("/delegations/elsewhere", methods=["GET", "HEAD"])
def elsewhere(desk: AtWork) -> Response:
    """The form to take in an authorisation from another service."""
    desk.who.actor.require(Permission.DELEGATIONS_WRITE)
    return _elsewhere_page(desk)


@router.post("/delegations/elsewhere")
def post_elsewhere(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Fetched, looked through and taken in; the session's connection is taken after the last fetch."""
    actor = desk.who.actor
    given = {
        **form.given("authorization"),
        "definitions": _lines(form.text("definitions")),
    }

    def act() -> Response:
        order = validated(TakeOrder, given)
        found = gather_authorization(env, actor, own_did(env, actor), order)
        with session.begin_nested():
            row = take_authorization(env, session, actor, found)
        return desk.to(f"/delegations/{row.id}", "delegation_taken")

    return _or_again(desk, act, lambda faults: _elsewhere_page(desk, faults, form))


@router.api_route("/delegations/many", methods=["GET", "HEAD"])
def many(desk: AtWork) -> Response:
    """The form to grant many from a table."""
    desk.who.actor.require(Permission.DELEGATIONS_WRITE)
    return desk.page("delegations_many.html", here="delegations")


@router.api_route("/delegations/template.xlsx", methods=["GET", "HEAD"])
def get_template(desk: AtWork) -> Response:
    """The table to fill in."""
    desk.who.actor.require(Permission.DELEGATIONS_WRITE)
    about = desk.say("delegations.template_about")
    name = "utfardare.xlsx" if desk.language == "sv" else "issuers.xlsx"
    return dressed_file(template(desk.language, about=about), MEDIA_TYPE, name=name)


@router.post("/delegations/many")
def post_many(env: Env, session: WriteTx, desk: AtWork, form: TableForm) -> Response:
    """The table as it was read, with what is wrong in it; nothing is granted."""
    return _table_page(env, session, desk, form.files.get("file", b""))


@router.post("/delegations/many/grant")
def post_grant_all(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """All of the table, or nothing of it."""
    content = form.text("table").encode("utf-8-sig")
    return _table_page(env, session, desk, content, send=True)


@router.api_route("/delegations/{delegation_id}", methods=["GET", "HEAD"])
def one(delegation_id: str, session: ReadTx, desk: AtWork) -> Response:
    """One of them, and what can be done with it."""
    row = own_delegation(session, desk.who.actor, delegation_id)
    return _one_page(desk, session, row)


@router.post("/delegations/{delegation_id}/status")
def post_status(
    delegation_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """Accepted, declined, granted or withdrawn."""
    given = form.given("status", "reason")

    def show(faults: Faults) -> Response:
        row = own_delegation(session, desk.who.actor, delegation_id)
        return _one_page(desk, session, row, faults, form.text("reason"))

    try:
        order = validated(DelegationStatusOrder, given)
        with session.begin_nested():
            change(env, session, desk.who.actor, delegation_id, order)
    except (Malformed, Conflict) as error:
        return show(faults_of(error, desk.language))
    return desk.to(f"/delegations/{delegation_id}", f"delegation_{order.status}")


def _or_again(
    desk: Desk,
    act: Callable[[], Response],
    show: _Show,
    names: Mapping[str, str] | None = None,
) -> Response:
    """What comes of it, or the form again with what is wrong with it."""
    try:
        return act()
    except NotFound as error:
        field = (names or {}).get("/issuer", "owner")
        return show(Faults({field: (error.sentence(desk.language),)}, (), 422))
    except (Malformed, Conflict, NotFetched) as error:
        found = faults_of(error, desk.language, names)
        return show(found)


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.replace(",", "\n").splitlines())
    return [line if "/" in line else line.upper() for line in lines if line]


def _number(form: Form, name: str) -> dict[str, object]:
    text = form.text(name)
    if not text:
        return {}
    return {name: int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text}


def _issuer_field(form: Form) -> str:
    return "issuer_did" if form.text("issuer_did") else "issuer"


def _others(session: Session, desk: Desk) -> list[tuple[str, str]]:
    own = desk.who.actor.own_organization()
    return [
        (each.slug, f"{each.name(desk.language)} ({each.slug})")
        for each in organizations.every(session)
        if each.id != own
    ]


def _codes(session: Session, desk: Desk) -> list[tuple[str, str]]:
    """The codes of what the organisation has published, with their titles."""
    slug = desk.who.organization.slug if desk.who.organization else ""
    found, _ = definitions.search(session, states=("published",), owner=slug, limit=_FAMILY_MEMBERS)
    titles = {line.code: version.title(desk.language) for version, line, _ in found}
    return [(code, f"{code}: {title}") for code, title in sorted(titles.items())]


def _grant_page(
    desk: Desk, session: Session, faults: Faults | None = None, form: Form | None = None
) -> Response:
    desk.who.actor.require(Permission.DELEGATIONS_WRITE)
    return desk.page(
        "delegation_new.html",
        here="delegations",
        faults=faults,
        given=form.texts() if form is not None else {},
        chosen=form.every("definitions") if form is not None else (),
        codes=_codes(session, desk),
        others=_others(session, desk),
    )


def _ask_page(
    desk: Desk, session: Session, faults: Faults | None = None, form: Form | None = None
) -> Response:
    desk.who.actor.require(Permission.DELEGATIONS_WRITE)
    return desk.page(
        "delegation_ask.html",
        here="delegations",
        faults=faults,
        given=form.texts() if form is not None else {},
        others=_others(session, desk),
    )


def _elsewhere_page(desk: Desk, faults: Faults | None = None, form: Form | None = None) -> Response:
    return desk.page(
        "delegation_elsewhere.html",
        here="delegations",
        faults=faults,
        given=form.texts() if form is not None else {},
    )


def _one_page(
    desk: Desk,
    session: Session,
    row: Delegation,
    faults: Faults | None = None,
    reason: str = "",
) -> Response:
    is_owner = row.organization_id == desk.who.actor.own_organization()
    verbs: Mapping[tuple[str, bool], tuple[str, ...]] = {
        ("offered", False): ("accepted", "declined"),
        ("asked", True): ("granted", "declined"),
        ("offered", True): ("withdrawn",),
        ("active", True): ("withdrawn",),
    }
    return desk.page(
        "delegation.html",
        here="delegations",
        faults=faults,
        row=_shown(desk, session, row),
        used=awards.count_under(session, delegation_id=row.id),
        verbs=verbs.get((row.state, is_owner), ()),
        reason=reason,
    )


def _shown(desk: Desk, session: Session, row: Delegation) -> dict[str, object]:
    owner = organizations.by_id(session, row.organization_id)
    issuer = organizations.by_id(session, row.issuer_id) if row.issuer_id else None
    own = desk.who.actor.own_organization()
    return {
        "id": row.id,
        "owner": owner.name(desk.language) if owner else "",
        "issuer": issuer.name(desk.language) if issuer else row.issuer_did,
        "is_owner": row.organization_id == own,
        "codes": row.codes,
        "families": row.families,
        "state": row.state,
        "said": say(desk.language, f"console.delegations.state.{row.state}"),
        "since": day_text(row.valid_from),
        "until": day_text(row.valid_until) if row.valid_until else "",
        "quota": row.quota,
        "note": row.note or "",
        "reason": row.reason or "",
        "url": row.url if row.body else "",
    }


def _table_page(
    env: Environment, session: Session, desk: Desk, content: bytes, *, send: bool = False
) -> Response:
    """The table, looked at; with `send`, granted if nothing is wrong with it."""
    try:
        looked = look_at_grants(env, session, desk.who.actor, content, keep=send)
    except (Malformed, KpassError) as error:
        if not isinstance(error, _REFUSED):
            raise
        faults = faults_of(error, desk.language)
        shown = Faults({"file": tuple(each for _, each in faults.every)}, (), 422)
        return desk.page("delegations_many.html", here="delegations", faults=shown)
    if send and not looked.faults:
        return desk.to("/delegations", "delegations_granted")
    wrong = {
        name: tuple(in_words(error, desk.language) for error in errors)
        for name, errors in looked.faults.items()
    }
    return desk.page(
        "delegations_table.html",
        here="delegations",
        heading=looked.heading,
        rows=looked.rows,
        wrong=wrong,
        count=len(looked.rows),
        table=looked.content.decode("utf-8-sig"),
    )
