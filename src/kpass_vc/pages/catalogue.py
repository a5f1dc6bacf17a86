"""The page and the badge pictures of each definition, the stylesheet and the icon."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from kpass_vc.actions.define import source_of
from kpass_vc.actions.picture import badge_face, badge_png
from kpass_vc.actions.profile import EXTENSIONS
from kpass_vc.badges import BadgeFace, draw, draw_small, rasterise
from kpass_vc.edge import REVALIDATE, Env, PublishedVersion, ReadTx, served
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.language import Language
from kpass_vc.model.document import read_json
from kpass_vc.pages.definition import DefinitionState, Link, definition_page
from kpass_vc.pages.render import catalogue_address, chosen, html, places
from kpass_vc.records import definition as definitions
from kpass_vc.records import image as images
from kpass_vc.records import organization as organizations
from kpass_vc.records.definition import Found

router = APIRouter(include_in_schema=False)

_SMALL_SIZE: Final = 64
_STATIC: Final = {
    "kpass.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "console.js": "text/javascript; charset=utf-8",
}
_A_DAY: Final = "public, max-age=86400"


@router.api_route("/o/{slug}/definitions/{code}", methods=["GET", "HEAD"])
def line(slug: str, code: str, request: Request, env: Env, session: ReadTx) -> Response:
    """The IRI of a definition in all its versions leads to the page of the published one."""
    found = definitions.published_of_line(session, slug=slug, code=code)
    if found is None:
        raise NotFound("definition", definition=f"{slug}/{code}")
    at = env.addresses.definition(slug, code, found[0].version)
    shown = chosen(None, request.headers.get("Accept-Language"))
    return RedirectResponse(at.page(shown), status_code=302, headers={"Vary": "Accept-Language"})


@router.api_route("/o/{slug}/definitions/{code}/{version}/{language}.html", methods=["GET", "HEAD"])
def definition(language: Language, env: Env, session: ReadTx, found: PublishedVersion) -> Response:
    """One published definition, for people."""
    row = found[0]
    at = env.addresses.definition(found[2].slug, found[1].code, row.version)
    page = definition_page(
        cast("Mapping[str, Any]", read_json(row.document or b"")),
        language,
        addresses=at,
        state=cast("DefinitionState", row.state),
        badge_url=at.badge(language),
        compare=catalogue_address(env, language, a=f"{found[2].slug}/{found[1].code}"),
        digest=row.digest_sri,
        others=_links(env, session, found, language),
        **places(env),
    )
    return html(page, language)


_VERSION: Final = "/o/{slug}/definitions/{code}/{version}"


@router.api_route(_VERSION + "/badge.{language}.png", methods=["GET", "HEAD"])
def badge(language: Language, request: Request, found: PublishedVersion) -> Response:
    """The badge picture, drawn from the definition: this is the one that credentials name."""
    return served(request, badge_png(badge_face(found, language)), "image/png", _A_DAY)


@router.api_route(_VERSION + "/badge-64.{language}.png", methods=["GET", "HEAD"])
def badge_64(language: Language, request: Request, found: PublishedVersion) -> Response:
    """The small badge picture, 64 pixels."""
    return served(request, _small_png(badge_face(found, language)), "image/png", _A_DAY)


@router.api_route(_VERSION + "/badge.{language}.svg", methods=["GET", "HEAD"])
def badge_svg(language: Language, request: Request, found: PublishedVersion) -> Response:
    """The badge picture as shapes."""
    return _svg(request, draw(badge_face(found, language)))


@router.api_route(_VERSION + "/badge-small.{language}.svg", methods=["GET", "HEAD"])
def badge_small(language: Language, request: Request, found: PublishedVersion) -> Response:
    """The badge picture for 128 pixels and less, as shapes."""
    return _svg(request, draw_small(badge_face(found, language)))


@router.api_route("/o/{slug}/image.{extension}", methods=["GET", "HEAD"])
def image(slug: str, extension: str, request: Request, session: ReadTx) -> Response:
    """The picture of an organisation, which may do nothing but be looked at, even opened by itself."""
    owner = organizations.by_slug(session, slug)
    found = images.of_organization(session, organization_id=owner.id) if owner else None
    if found is None or EXTENSIONS[found.media_type] != extension:
        raise NotFound
    reply = served(request, found.body, found.media_type, REVALIDATE)
    reply.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return reply


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
def static(name: str, request: Request) -> Response:
    """The stylesheet, the icon, and the console's script."""
    if name not in _STATIC:
        raise NotFound
    body = resources.files("kpass_vc.pages").joinpath("static", name).read_bytes()
    return served(request, body, _STATIC[name], REVALIDATE)


@lru_cache(maxsize=512)
def _small_png(face: BadgeFace) -> bytes:
    return rasterise(draw_small(face), _SMALL_SIZE)


def _svg(request: Request, drawing: str) -> Response:
    """An SVG that may do nothing but be looked at, even opened by itself."""
    reply = served(request, drawing.encode(), "image/svg+xml", _A_DAY)
    reply.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return reply


def _links(env: Environment, session: Session, found: Found, language: Language) -> dict[str, Link]:
    """The pages of the definitions that this one names, as far as they are published."""
    source, owner = source_of(found[0]), found[2]
    codes = set(source.prerequisites.required_definitions if source.prerequisites else ())
    codes |= set(source.stackability.parts if source.stackability else ())
    links: dict[str, Link] = {}
    for code in sorted(codes):
        other = definitions.published_of_line(session, slug=owner.slug, code=code)
        if other is not None:
            at = env.addresses.definition(owner.slug, code, other[0].version)
            links[code] = Link(at.page(language), other[0].title(language))
    return links
