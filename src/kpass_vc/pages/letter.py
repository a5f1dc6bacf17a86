"""The page that a letter leads to: a learner types its code, and comes to their own page."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from kpass_vc.actions.letter import open_letter
from kpass_vc.edge import REVALIDATE, Env, RawBody, ReadTx, WriteTx
from kpass_vc.errors import Malformed, NotFound
from kpass_vc.pages.form import read_texts
from kpass_vc.pages.private import PRIVATE, private_html
from kpass_vc.pages.render import chosen, html, in_each_language, places, render

router = APIRouter(include_in_schema=False)


@router.api_route("/letter", methods=["GET", "HEAD"])
def letter(request: Request, env: Env, _: ReadTx, language: str | None = None) -> Response:
    """The form."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    address = env.addresses.letter
    page = render(
        "letter.html",
        shown,
        address=address,
        elsewhere=in_each_language(address),
        wrong=False,
        **places(env),
    )
    return html(page, shown, caching=REVALIDATE)


@router.post("/letter")
def post_letter(
    request: Request, env: Env, session: WriteTx, body: RawBody, language: str | None = None
) -> Response:
    """On to the learner's own page; the form again for a code that is wrong, used or too old."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    try:
        given = read_texts(body, "code")
        link = open_letter(env, session, given.get("code", ""))
    except (NotFound, Malformed):
        address = env.addresses.letter
        page = render(
            "letter.html",
            shown,
            address=address,
            elsewhere=in_each_language(address),
            wrong=True,
            **places(env),
        )
        return private_html(page, shown, status=404)
    return RedirectResponse(f"{link}?language={shown}", status_code=303, headers=dict(PRIVATE))
