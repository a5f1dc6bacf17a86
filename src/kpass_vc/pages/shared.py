"""The shared view: what the learner has let somebody see, verified at the moment it is looked at.

For people a page with the verdict first; for programs, at the same address, the
credential. A link that has expired or was withdrawn shows nothing at all.
"""

from datetime import date
from functools import lru_cache
from typing import Final

from fastapi import APIRouter, Request, Response

from kpass_vc.actions.picture import badge_face, badge_text, marked
from kpass_vc.actions.share import SharedAward, code_of, open_share
from kpass_vc.actions.verify import verify
from kpass_vc.badges import ShareFace, draw_share, rasterise
from kpass_vc.badges.share import HEIGHT, WIDTH
from kpass_vc.baking import bake_png
from kpass_vc.edge import Env
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.language import Language, say
from kpass_vc.links import written_code
from kpass_vc.model.dates import minute_text
from kpass_vc.pages.private import private_file, private_html
from kpass_vc.pages.render import chosen, in_each_language, places, render
from kpass_vc.pages.report import report_parts
from kpass_vc.records import definition as definitions
from kpass_vc.records.award import Representation
from kpass_vc.records.definition import Found

router = APIRouter(include_in_schema=False)

_FOR_PROGRAMS: Final = frozenset(
    {"application/vc+ld+json", "application/vc", "application/ld+json", "application/json"}
)
_FOR_PEOPLE: Final = frozenset({"text/html", "application/xhtml+xml"})
"""Whoever takes a page gets one, whatever else is taken."""


@router.api_route("/s/{code}", methods=["GET", "HEAD"])
def shared(code: str, request: Request, env: Env, language: str | None = None) -> Response:
    """The page, or for whoever asks for it and not for a page, the credential as JSON."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    found, definition = _opened(env, code)
    row = _representation(found, "json")
    if _is_program(request.headers.get("Accept")):
        return private_file(row.body, row.media_type)
    report = verify(env, row.body)
    version, _, owner = definition
    at = env.addresses.definition_at(version.document_url or "")
    address = env.addresses.share(code_of(env, found.link))
    page = render(
        "shared.html",
        shown,
        parts=report_parts(report, shown, home=env.addresses.base),
        title=marked(version.title(shown), shown, is_test=found.award.is_test),
        owner_name=owner.name(shown),
        badge_url=at.badge(found.language),
        badge_text=badge_text(definition, shown),
        address=address,
        elsewhere=in_each_language(address),
        until=minute_text(found.link.expires_at) if found.link.expires_at else "",
        code=written_code(code_of(env, found.link)),
        credential_language=found.language,
        **places(env),
    )
    return private_html(page, shown)


@router.api_route("/s/{code}/credential.{extension}", methods=["GET", "HEAD"])
def credential(code: str, extension: str, env: Env) -> Response:
    """Exactly the bytes that were signed: json, or jwt."""
    found, definition = _opened(env, code)
    row = _representation(found, extension)
    name = f"{definition[1].code}.{found.language}.{extension}"
    return private_file(row.body, row.media_type, name=name)


@router.api_route("/s/{code}/image.png", methods=["GET", "HEAD"])
def image(code: str, env: Env) -> Response:
    """The share image: the badge, the name, a QR and the code; it holds the credential as well."""
    found, definition = _opened(env, code)
    picture = _picture(_face(env, found, definition))
    body = bake_png(picture, _representation(found, "json").body)
    return private_file(body, "image/png")


def _opened(env: Environment, code: str) -> tuple[SharedAward, Found]:
    """What a code opens and the definition of it; NotFound if it opens nothing."""
    with env.reading() as session:
        found = open_share(env, session, code)
        definition = definitions.by_id(session, found.award.definition_version_id)
    if definition is None:
        raise NotFound("share_link")
    return found, definition


def _representation(found: SharedAward, extension: str) -> Representation:
    for row in found.representations:
        if FORMATS[row.format].extension == extension:
            return row
    raise NotFound


def _face(env: Environment, found: SharedAward, definition: Found) -> ShareFace:
    code = code_of(env, found.link)
    return ShareFace(
        face=badge_face(definition, found.language, is_test=found.award.is_test),
        holder=found.award.holder_name,
        awarded=_written(found.award.assessed_on, found.language),
        url=env.addresses.share(code),
        code=written_code(code),
        verify_at=env.addresses.base.partition("://")[2] + "/verify",
    )


def _written(day: date, language: Language) -> str:
    """A day as it is written in a sentence: 20 november 2026."""
    return f"{day.day} {say(language, f'shared.month.{day.month}')} {day.year}"


@lru_cache(maxsize=64)
def _picture(face: ShareFace) -> bytes:
    return rasterise(draw_share(face), WIDTH, HEIGHT)


def _is_program(accept: str | None) -> bool:
    asked = {part.partition(";")[0].strip().lower() for part in (accept or "").split(",")}
    return bool(asked & _FOR_PROGRAMS) and not asked & _FOR_PEOPLE
