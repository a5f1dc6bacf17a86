"""Sign in with an OpenID provider: off to it, and back.

Only our own pages lead there: a link of a stranger's would have somebody accept the
stranger's invitation with an account of theirs.
"""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from kpass_vc.actions.sign_in import open_session, prove_again, who_is_there
from kpass_vc.actions.sign_in_oidc import Begun, begin, finish
from kpass_vc.edge import Env, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    KpassError,
    NotFound,
    OidcRefused,
    Unauthenticated,
    Unavailable,
)
from kpass_vc.language import LANGUAGES
from kpass_vc.oidc import Answer
from kpass_vc.pages.console.frame import (
    COOKIE,
    HEADERS,
    Somebody,
    dressed,
    drop_cookie,
    frame,
    set_cookie,
    spoken,
)
from kpass_vc.pages.render import render

router = APIRouter(prefix="/console", include_in_schema=False)

ATTEMPT_COOKIE: Final = "__Host-kpass-oidc"
REFUSED: Final = (OidcRefused, Unavailable, NotFound, Conflict, Unauthenticated)
_MOST: Final = 4000


@router.get("/oidc/begin")
def begin_sign_in(request: Request, env: Env, next: str = "") -> Response:
    """Off to the provider, to sign in."""
    if not _is_ours(request, env):
        return _to(env.addresses.console("/sign-in"))
    try:
        return _off(begin(env, next_path=next))
    except REFUSED as error:
        return _refused(request, env, error)


@router.get("/oidc/prove")
def begin_proof(request: Request, env: Env, desk: Somebody, next: str = "") -> Response:
    """Off to the provider, to prove anew who one is."""
    if not _is_ours(request, env):
        return _to(env.addresses.console("/prove"))
    try:
        return _off(begin(env, next_path=next, prover_id=desk.who.person.id))
    except REFUSED as error:
        return _refused(request, env, error)


@router.get("/invitation/{token}/provider")
def begin_invitation(token: str, request: Request, env: Env) -> Response:
    """Off to the provider, to accept an invitation with an account there."""
    if not _is_ours(request, env):
        return _to(env.addresses.console(f"/invitation/{token}"))
    try:
        return _off(begin(env, next_path="/console?done=welcome", invitation=token))
    except REFUSED as error:
        return _refused(request, env, error)


@router.get("/oidc/callback")
def callback(request: Request, env: Env, session: WriteTx) -> Response:
    """Back from the provider: signed in, and on to where one was going."""
    secret = request.cookies.get(ATTEMPT_COOKIE, "")
    try:
        finished = finish(env, _answer(request), secret=secret)
        reply = _to(f"{env.addresses.base}{finished.next_path}")
        if finished.is_proof:
            who = who_is_there(env, request.cookies.get(COOKIE, ""))
            prove_again(env, session, who, finished.person)
        else:
            opened = open_session(env, session, finished.person, proved_at=finished.proved_at)
            set_cookie(reply, COOKIE, opened)
    except REFUSED as error:
        return _refused(request, env, error)
    drop_cookie(reply, ATTEMPT_COOKIE)
    return reply


def _answer(request: Request) -> Answer:
    """What the provider says; OidcRefused if it says anything twice (RFC 6749 section 3.1)."""
    found = request.query_params.multi_items()
    given = dict(found)
    if len(given) != len(found) or any(len(text) > _MOST for _, text in found):
        raise OidcRefused("state")
    return Answer(
        state=given.get("state", ""),
        code=given.get("code"),
        error=given.get("error"),
        iss=given.get("iss"),
    )


def _is_ours(request: Request, env: Environment) -> bool:
    """Whether one of our own pages leads here, as the browser tells (Fetch Metadata; of old ones, the Referer)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Referer", "").startswith(f"{env.addresses.origin}/")


def _off(begun: Begun) -> Response:
    reply = _to(begun.address)
    set_cookie(reply, ATTEMPT_COOKIE, begun.secret)
    return reply


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, status_code=303, headers=dict(HEADERS))


def _refused(request: Request, env: Environment, error: KpassError) -> Response:
    language = spoken(request)
    status = 503 if isinstance(error, Unavailable) else 403
    page = render(
        "console/provider_refused.html",
        language,
        sentence=error.sentence(language),
        **frame(env)
        | {
            "elsewhere": {
                each: f"{env.addresses.console('/sign-in')}?language={each}" for each in LANGUAGES
            }
        },
    )
    reply = dressed(page, language, status=status)
    drop_cookie(reply, ATTEMPT_COOKIE)
    return reply
