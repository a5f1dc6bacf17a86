"""Come in and go out: sign in, take up an invitation, prove anew who one is, choose an organisation."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.orm import Session

from kpass_vc.actions.enrol import EnrolOrder
from kpass_vc.actions.invite import (
    FirstPersonOrder,
    Invited,
    open_invitation,
    settle_first,
    use,
)
from kpass_vc.actions.means import (
    NewPasswordOrder,
    NewTotp,
    PasskeyOrder,
    add_passkey,
    ask_for_totp,
    ask_to_make_passkey,
    asked_totp,
    set_password,
)
from kpass_vc.actions.sign_in import (
    PasswordOrder,
    act_for,
    ask_for_passkey,
    open_session,
    prove_again,
    sign_in_by_passkey,
    sign_in_by_password,
    sign_out,
)
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    FieldError,
    InvalidInput,
    Malformed,
    NotFound,
    Unauthenticated,
)
from kpass_vc.language import LANGUAGES, say
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.frame import (
    ANYBODYS,
    COOKIE,
    HEADERS,
    AnybodysForm,
    Faults,
    Form,
    Posted,
    Somebody,
    dressed,
    drop_cookie,
    faults_of,
    frame,
    keep_language,
    next_place,
    set_cookie,
    spoken,
)
from kpass_vc.pages.render import render
from kpass_vc.qr import qr_path
from kpass_vc.records.person import Person

router = APIRouter(prefix="/console", include_in_schema=False)

REFUSED: Final = (Malformed, Conflict, Unauthenticated)


@router.api_route("/sign-in", methods=["GET", "HEAD"])
def sign_in_page(request: Request, env: Env, next: str = "") -> Response:
    """The page to sign in on."""
    return _sign_in_page(request, env, next)


@router.post("/sign-in/passkey/options", dependencies=[ANYBODYS])
def passkey_options(env: Env, session: WriteTx) -> Response:
    """What the browser is to ask the device."""
    return _json(ask_for_passkey(env, session))


@router.post("/sign-in/passkey")
def sign_in_with_passkey(
    request: Request, env: Env, session: WriteTx, form: AnybodysForm, next: str = ""
) -> Response:
    """Signed in, if a passkey of ours answered."""
    try:
        with session.begin_nested():
            person = sign_in_by_passkey(env, session, form.text("ceremony"), form.text("answer"))
    except REFUSED as error:
        return _sign_in_page(request, env, next, faults_of(error, spoken(request)))
    return _signed_in(env, session, person, next)


@router.post("/sign-in")
def sign_in_with_password(
    request: Request, env: Env, session: WriteTx, form: AnybodysForm, next: str = ""
) -> Response:
    """Signed in, if address, password and code belong together."""
    language = spoken(request)
    try:
        order = validated(PasswordOrder, _by_name(form, "email", "password", "code"))
        person = sign_in_by_password(env, session, order)
    except REFUSED as error:
        return _sign_in_page(request, env, next, faults_of(error, language), form)
    if person is None:
        wrong = Faults({}, (say(language, "console.sign_in.wrong"),), 401)
        return _sign_in_page(request, env, next, wrong, form)
    return _signed_in(env, session, person, next)


@router.post("/sign-out")
def post_sign_out(session: WriteTx, desk: Somebody, form: Posted) -> Response:
    """Signed out, here or everywhere."""
    sign_out(session, desk.who, everywhere=form.text("where") == "everywhere")
    reply = desk.to("/sign-in", "signed_out")
    drop_cookie(reply, COOKIE)
    return reply


@router.post("/acting-for")
def post_acting_for(session: WriteTx, desk: Somebody, form: Posted) -> Response:
    """On for another organisation."""
    act_for(session, desk.who, form.text("organization"))
    return desk.to("")


@router.api_route("/prove", methods=["GET", "HEAD"])
def prove_page(desk: Somebody, next: str = "") -> Response:
    """Asked to prove anew who one is, before something that cannot be taken back."""
    return desk.page("prove.html", next=next_place(next), given={})


@router.post("/prove/passkey")
def prove_by_passkey(
    env: Env, session: WriteTx, desk: Somebody, form: Posted, next: str = ""
) -> Response:
    """Proved by a passkey."""
    try:
        with session.begin_nested():
            person = sign_in_by_passkey(env, session, form.text("ceremony"), form.text("answer"))
            prove_again(env, session, desk.who, person)
    except REFUSED as error:
        faults = faults_of(error, desk.language)
        return desk.page("prove.html", faults=faults, next=next_place(next), given={})
    return desk.to(next_place(next))


@router.post("/prove")
def prove_by_password(
    env: Env, session: WriteTx, desk: Somebody, form: Posted, next: str = ""
) -> Response:
    """Proved by password and code."""
    place = next_place(next)
    try:
        given = _by_name(form, "password", "code") | {"email": desk.who.person.email}
        person = sign_in_by_password(env, session, validated(PasswordOrder, given))
        if person is not None:
            prove_again(env, session, desk.who, person)
    except REFUSED as error:
        return desk.page("prove.html", faults=faults_of(error, desk.language), next=place, given={})
    if person is None:
        wrong = Faults({}, (desk.say("sign_in.wrong"),), 401)
        return desk.page("prove.html", faults=wrong, next=place, given={})
    return desk.to(place)


@router.api_route("/invitation/{token}", methods=["GET", "HEAD"])
def invitation(token: str, request: Request, env: Env, session: ReadTx) -> Response:
    """Who is invited to what; the first person says who they are, everybody how they will sign in."""
    return _invitation_page(request, env, open_invitation(env, session, token), token)


@router.post("/invitation/{token}/first")
def first_person(
    token: str, request: Request, env: Env, session: WriteTx, form: AnybodysForm
) -> Response:
    """The first person, and the organisation if it is registered with them; then on to how they sign in."""
    invited = open_invitation(env, session, token)
    try:
        with session.begin_nested():
            person, registered = _first(form, is_new=invited.organization is None)
            by_mail = settle_first(env, session, token, person, registered, spoken(request))
    except (InvalidInput, Conflict) as error:
        faults = faults_of(error, spoken(request))
        session.refresh(invited.row)
        return _invitation_page(request, env, invited, token, faults, form)
    if by_mail:
        around = _around(env, "/sign-in")
        page = render("console/mailed.html", spoken(request), address=person.email, **around)
        return dressed(page, spoken(request))
    return _to_invitation(request, env, token)


@router.post("/invitation/{token}/passkey/options", dependencies=[ANYBODYS])
def invitation_passkey_options(token: str, env: Env, session: WriteTx) -> Response:
    """What the browser is to ask the device for."""
    return _json(ask_to_make_passkey(env, session, _invited(env, session, token)[1]))


@router.post("/invitation/{token}/passkey")
def invitation_passkey(
    token: str, request: Request, env: Env, session: WriteTx, form: AnybodysForm
) -> Response:
    """The passkey is theirs, and they are signed in."""
    invited, person = _invited(env, session, token)
    try:
        with session.begin_nested():
            order = validated(PasskeyOrder, _by_name(form, "label", "ceremony", "answer"))
            add_passkey(env, session, person, order)
            use(env, session, invited)
    except REFUSED as error:
        return _invitation_page(
            request, env, invited, token, faults_of(error, spoken(request)), form
        )
    return _signed_in(env, session, person, "/console", "welcome")


@router.post("/invitation/{token}/password")
def invitation_password(
    token: str, request: Request, env: Env, session: WriteTx, form: AnybodysForm
) -> Response:
    """A password is wanted: the page to choose it and set up the app; filled in, they are signed in."""
    invited, person = _invited(env, session, token)
    address = f"{env.addresses.console(f'/invitation/{token}')}/password"
    if not form.text("ceremony"):
        return password_page(request, env, address, ask_for_totp(env, session, person))
    return with_new_password(
        request, env, session, person, form, address, lambda: use(env, session, invited)
    ) or _signed_in(env, session, person, "/console", "welcome")


def with_new_password(
    request: Request,
    env: Environment,
    session: Session,
    person: Person,
    form: Form,
    address: str,
    then: Callable[[], None] = lambda: None,
    csrf: str = "",
) -> Response | None:
    """None once the password is set; the page with what is wrong with it, if it was refused."""
    try:
        with session.begin_nested():
            order = validated(NewPasswordOrder, _by_name(form, "password", "ceremony", "code"))
            set_password(env, session, person, order)
            then()
    except InvalidInput as error:
        totp = asked_totp(env, session, person, form.text("ceremony"))
        faults = faults_of(error, spoken(request))
        return password_page(request, env, address, totp, faults, csrf)
    return None


def password_page(
    request: Request,
    env: Environment,
    address: str,
    totp: NewTotp,
    faults: Faults | None = None,
    csrf: str = "",
) -> Response:
    """The page to choose a password and set up an authenticator app."""
    language = spoken(request)
    path, side = qr_path(totp.address)
    page = render(
        "console/password.html",
        language,
        address=address,
        totp=totp,
        secret=" ".join(totp.secret[start : start + 4] for start in range(0, 32, 4)),
        qr=path,
        side=side,
        csrf=csrf,
        faults=faults or Faults(),
        **_around(env, "/sign-in"),
    )
    return dressed(page, language, status=faults.status if faults else 200)


def _first(form: Form, *, is_new: bool) -> tuple[FirstPersonOrder, EnrolOrder | None]:
    """What the first person fills in, all that is wrong with it at once."""
    broken: list[FieldError] = []
    person = registered = None
    try:
        person = validated(FirstPersonOrder, _by_name(form, "name", "email"))
    except InvalidInput as error:
        broken += error.fields
    if is_new:
        try:
            registered = validated(EnrolOrder, _organization(form))
        except InvalidInput as error:
            for each in error.fields:
                each.field = f"/organization{each.field}"
            broken += error.fields
    if broken or person is None:
        raise InvalidInput(*broken)
    return person, registered


def _organization(form: Form) -> dict[str, object]:
    names = {"sv": form.text("organization_name_sv")}
    names["en"] = form.text("organization_name_en") or names["sv"]
    found: dict[str, object] = {"slug": form.text("organization_slug"), "name": names}
    if form.text("organization_organizationNumber"):
        found["organizationNumber"] = form.text("organization_organizationNumber")
    return found


def _invited(env: Environment, session: Session, token: str) -> tuple[Invited, Person]:
    invited = open_invitation(env, session, token)
    if invited.person is None or invited.row.purpose == "review":
        raise NotFound("invitation")
    return invited, invited.person


def _invitation_page(
    request: Request,
    env: Environment,
    invited: Invited,
    token: str,
    faults: Faults | None = None,
    form: Form | None = None,
) -> Response:
    if invited.row.purpose == "review":
        return RedirectResponse(env.addresses.console(f"/guest/{token}"), status_code=303)
    language = spoken(request)
    around = _around(env, f"/invitation/{token}")
    page = render(
        "console/invitation.html",
        language,
        invited=invited,
        address=env.addresses.console(f"/invitation/{token}"),
        given=form.texts() if form is not None else {},
        faults=faults or Faults(),
        **around,
    )
    reply = dressed(page, language, status=faults.status if faults else 200)
    keep_language(reply, request.query_params.get("language"))
    return reply


def _to_invitation(request: Request, env: Environment, token: str) -> Response:
    address = env.addresses.console(f"/invitation/{token}?language={spoken(request)}")
    return RedirectResponse(address, status_code=303, headers=dict(HEADERS))


def _sign_in_page(
    request: Request,
    env: Environment,
    asked: str,
    faults: Faults | None = None,
    form: Form | None = None,
) -> Response:
    language = spoken(request)
    place = next_place(asked)
    after = f"?next={quote('/console' + place)}" if place else ""
    done = request.query_params.get("done", "")
    around = _around(env, f"/sign-in{after}")
    if done == "signed_out":
        around["done"] = done
    page = render(
        "console/sign_in.html",
        language,
        after=after,
        email=form.text("email") if form is not None else "",
        faults=faults or Faults(),
        **around,
    )
    reply = dressed(page, language, status=faults.status if faults else 200)
    keep_language(reply, request.query_params.get("language"))
    return reply


def _around(env: Environment, place: str) -> dict[str, object]:
    mark = "&" if "?" in place else "?"
    return {
        **frame(env),
        "elsewhere": {
            each: f"{env.addresses.console(place)}{mark}language={each}" for each in LANGUAGES
        },
    }


def _signed_in(
    env: Environment, session: Session, person: Person, asked: str, done: str = ""
) -> Response:
    address = env.addresses.console(next_place(asked)) + (f"?done={done}" if done else "")
    reply = RedirectResponse(address, status_code=303, headers=dict(HEADERS))
    set_cookie(reply, COOKIE, open_session(env, session, person))
    return reply


def _json(content: dict[str, object]) -> Response:
    return JSONResponse(content, headers=dict(HEADERS))


def _by_name(form: Form, *names: str) -> dict[str, str]:
    return {name: form.text(name) for name in names}
