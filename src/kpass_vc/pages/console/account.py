"""One's own account: passkeys, password, where one is signed in."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from kpass_vc.actions.means import (
    PasskeyOrder,
    add_passkey,
    ask_for_totp,
    ask_to_make_passkey,
    remove_passkey,
)
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.errors import Conflict, Malformed, Unauthenticated
from kpass_vc.model.dates import minute_text
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.frame import (
    HEADERS,
    OWN,
    Desk,
    Faults,
    Posted,
    Somebody,
    faults_of,
)
from kpass_vc.pages.console.sign_in import password_page, with_new_password
from kpass_vc.records import sign_in as sign_ins

router = APIRouter(prefix="/console", include_in_schema=False)


@router.api_route("/account", methods=["GET", "HEAD"])
def account(desk: Somebody, session: ReadTx) -> Response:
    """Who one is here, and how one signs in."""
    return _page(desk, session)


@router.post("/account/passkeys/options", dependencies=[OWN])
def options(env: Env, session: WriteTx, desk: Somebody) -> Response:
    """What the browser is to ask the device for."""
    desk.require_fresh()
    asked = ask_to_make_passkey(env, session, desk.who.person)
    return JSONResponse(asked, headers=dict(HEADERS))


@router.post("/account/passkeys")
def post_passkey(env: Env, session: WriteTx, desk: Somebody, form: Posted) -> Response:
    """One more passkey."""
    desk.require_fresh()
    given = {name: form.text(name) for name in ("label", "ceremony", "answer")}
    try:
        with session.begin_nested():
            add_passkey(env, session, desk.who.person, validated(PasskeyOrder, given))
    except (Malformed, Conflict, Unauthenticated) as error:
        return _page(desk, session, faults_of(error, desk.language))
    return desk.to("/account", "passkey_added")


@router.post("/account/passkeys/{passkey_id}/removal", dependencies=[OWN])
def post_removal(passkey_id: str, env: Env, session: WriteTx, desk: Somebody) -> Response:
    """One passkey less."""
    desk.require_fresh()
    try:
        with session.begin_nested():
            remove_passkey(env, session, desk.who.person, passkey_id)
    except Conflict as error:
        return _page(desk, session, faults_of(error, desk.language))
    return desk.to("/account", "passkey_removed")


@router.post("/account/password")
def post_password(
    request: Request, env: Env, session: WriteTx, desk: Somebody, form: Posted
) -> Response:
    """A password is wanted: the page to choose it; filled in, it is theirs, and they stay signed in here alone."""
    desk.require_fresh()
    address, person = env.addresses.console("/account/password"), desk.who.person
    if not form.text("ceremony"):
        totp = ask_for_totp(env, session, person)
        return password_page(request, env, address, totp, csrf=desk.csrf)
    refused = with_new_password(request, env, session, person, form, address, csrf=desk.csrf)
    if refused is not None:
        return refused
    sign_ins.end_sessions(session, person_id=person.id, but=desk.who.session_id)
    return desk.to("/account", "password_set")


def _page(desk: Desk, session: Session, faults: Faults | None = None) -> Response:
    person_id = desk.who.person.id
    return desk.page(
        "account.html",
        here="account",
        faults=faults,
        passkeys=[
            {
                "id": each.id,
                "label": each.label,
                "made": minute_text(each.created_at),
                "used": minute_text(each.used_at) if each.used_at else "",
            }
            for each in sign_ins.passkeys(session, person_id=person_id)
        ],
        has_password=sign_ins.password(session, person_id=person_id) is not None,
    )
