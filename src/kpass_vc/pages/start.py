"""The start page: what this is, where to go, and who publishes here."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from kpass_vc.actions.browse import published
from kpass_vc.edge import Env, ReadTx
from kpass_vc.language import Language, say
from kpass_vc.pages.render import catalogue_address, chosen, html, places, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Publisher:
    """An organisation that has published something."""

    slug: str
    name: str
    count: str
    catalogue: str
    url: str | None
    did_document: str


@router.api_route("/", methods=["GET", "HEAD"])
def start(request: Request, env: Env, session: ReadTx, language: str | None = None) -> Response:
    """Three doors, the organisations, and where the programming interface is described."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    entries = published(session)
    owners = {entry.owner.slug: entry.owner for entry in entries}
    publishers = [
        Publisher(
            slug=slug,
            name=owner.name(shown),
            count=_count(sum(entry.owner.slug == slug for entry in entries), shown),
            catalogue=catalogue_address(env, shown, owner=slug),
            url=owner.url,
            did_document=env.addresses.did_document(slug),
        )
        for slug, owner in owners.items()
    ]
    base = env.addresses.base
    page = render(
        "start.html",
        shown,
        doors=[
            ("learner", f"{base}/verify?language={shown}"),
            ("verifier", f"{base}/verify?language={shown}"),
            ("issuer", catalogue_address(env, shown)),
        ],
        publishers=sorted(publishers, key=lambda found: found.name.casefold()),
        illustrative=any(entry.source.illustrative for entry in entries),
        documentation=f"{base}/docs?language={shown}",
        openapi=f"{base}/openapi.json",
        **places(env),
    )
    return html(page, shown, vary="Accept-Language")


def _count(number: int, language: Language) -> str:
    key = "one" if number == 1 else "many"
    return say(language, f"page.start.{key}", count=number)
