"""The verify page: one form for whatever a credential reaches a reader in, and the answer.

Nothing that is handed in is kept: it is read in memory, checked and forgotten, and the
answer may be stored nowhere. It is handed in by POST alone: in an address it would stand
in histories and logs, and any page could make this service fetch things by a link.
"""

from typing import Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from kpass_vc.actions.lint_badge import lint_badge
from kpass_vc.actions.recognise import find_credential
from kpass_vc.edge import Env
from kpass_vc.environment import Environment
from kpass_vc.errors import Malformed, TooLarge
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.document import MAX_PICTURE
from kpass_vc.pages.form import MOST_MEGABYTES, read_body, read_multipart
from kpass_vc.pages.render import chosen, html, in_each_language, places, render
from kpass_vc.pages.report import probe_lines, report_parts

router = APIRouter(include_in_schema=False)

NO_STORE: Final = "no-store"
_FIELDS: Final = frozenset({"text", "file", "language"})
_PICTURES: Final = frozenset({"png", "svg", "qr"})
_ANSWER_IN: Final = "answer_in"


@router.api_route("/verify", methods=["GET", "HEAD"])
def ask(request: Request, env: Env, language: str | None = None) -> Response:
    """The form."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    return html(form_page(env, shown), shown, vary="Accept-Language")


@router.post("/verify")
async def answer(request: Request, env: Env) -> Response:
    """The answer to what was handed in; what is none of what we take is a problem, shown with the form."""
    body = await read_body(request)
    return await run_sync(_answer, request, env, body)


def language_of_form(request: Request) -> Language:
    """The language that the form was in, else the one asked for in the address, else the reader's."""
    found: Language | None = getattr(request.state, _ANSWER_IN, None)
    return found or chosen(
        request.query_params.get("language"), request.headers.get("Accept-Language")
    )


def form_page(env: Environment, language: Language, problem: dict[str, str] | None = None) -> str:
    """The form, under what was wrong with the last try if there was one."""
    return render(
        "verify.html",
        language,
        problem=problem,
        most=MOST_MEGABYTES,
        elsewhere=_elsewhere(env),
        **places(env),
    )


def _answer(request: Request, env: Environment, body: bytes) -> Response:
    fields = read_multipart(body, request.headers.get("Content-Type", ""), _FIELDS)
    for known in LANGUAGES:
        if fields.get("language") == known.encode():
            setattr(request.state, _ANSWER_IN, known)
    language = language_of_form(request)
    found = find_credential(env, _given(fields))
    report, probes = lint_badge(env, found.secured)
    page = render(
        "verified.html",
        language,
        parts=report_parts(report, language, home=env.addresses.base),
        probes=probe_lines(probes, language),
        way=found.way(language),
        elsewhere=_elsewhere(env),
        from_picture=bool(_PICTURES.intersection(found.route)),
        **places(env),
    )
    return html(page, language, caching=NO_STORE)


def _elsewhere(env: Environment) -> dict[str, str]:
    """The form in each language: an answer cannot be asked for again by its address."""
    return in_each_language(f"{env.addresses.base}/verify")


def _given(fields: dict[str, bytes]) -> bytes:
    """What was pasted or chosen; Malformed for nothing and for both, TooLarge past what is taken."""
    text, file = fields.get("text", b"").strip(), fields.get("file", b"")
    if text and file:
        raise Malformed("form_both")
    if not (text or file):
        raise Malformed("form_nothing")
    if len(text or file) > MAX_PICTURE:
        raise TooLarge("form", most=MOST_MEGABYTES)
    return text or file
