"""What holds for pages that only whoever has their address shall see: kept by nobody, found by no search engine.

The secret is in the address, so there is no cookie and nothing to forge a request
with. `no-referrer` keeps the address from every page that is linked to.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import Response
from fastapi.responses import HTMLResponse

from kpass_vc.errors import Conflict, InvalidInput, KpassError
from kpass_vc.language import Language, has, say
from kpass_vc.pages.render import SECURITY_HEADERS, html

PRIVATE: Final[Mapping[str, str]] = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def private_html(page: str, language: Language, *, status: int = 200) -> HTMLResponse:
    """A page that is kept by nobody."""
    reply = html(
        page,
        language,
        vary="Accept, Accept-Language",
        caching=PRIVATE["Cache-Control"],
        status=status,
    )
    reply.headers.update(PRIVATE)
    return reply


def private_file(body: bytes, media_type: str, *, name: str | None = None) -> Response:
    """A file that is kept by nobody; to be saved under a name, if it is given one."""
    headers = {**SECURITY_HEADERS, **PRIVATE, "Vary": "Accept"}
    if name is not None:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, media_type=media_type, headers=headers)


def status_of(error: KpassError) -> int:
    """The HTTP status of a form that was not taken."""
    return 409 if isinstance(error, Conflict) else 422


def refusals(error: KpassError, language: Language) -> list[str]:
    """What is wrong with what was filled in, a sentence for each field, in words of the form."""
    if not isinstance(error, InvalidInput):
        return [error.sentence(language)]
    found = []
    for field in error.fields:
        name = field.field.strip("/")
        keys = (f"private.refused.{name}_{field.rule}", f"private.refused.{name}")
        known = next(filter(has, keys), "private.refused.other")
        found.append(say(language, known))
    return list(dict.fromkeys(found))
