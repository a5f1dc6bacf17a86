"""Templates, security headers, and which language to answer in.

Every page works without script, and the policy allows none: nothing inline, and
nothing from anywhere but this service.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from kpass_vc.edge import REVALIDATE
from kpass_vc.environment import Environment as Service
from kpass_vc.language import LANGUAGES, Language, preferred, say

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def render(template: str, language: Language, **values: object) -> str:
    """The page made of a template in pages/templates, with `t(key)` for its sentences.

    `elsewhere` says where the page is in each language; left out, at its own address.
    """
    translate: Callable[..., str] = partial(say, language)
    shown = {
        "language": language,
        "other_languages": [other for other in LANGUAGES if other != language],
        "elsewhere": in_each_language(""),
        "t": translate,
        **values,
    }
    return _environment().get_template(template).render(shown)


def html(
    page: str,
    language: Language,
    *,
    vary: str | None = None,
    caching: str = REVALIDATE,
    status: int = 200,
) -> HTMLResponse:
    """A page with its security headers."""
    headers = {**SECURITY_HEADERS, "Content-Language": language, "Cache-Control": caching}
    if vary:
        headers["Vary"] = vary
    return HTMLResponse(page, status_code=status, headers=headers)


def places(env: Service) -> dict[str, str]:
    """What the layout links to: the start page, which all others stand under, and the stylesheet's folder."""
    return {"home": f"{env.addresses.base}/", "static": f"{env.addresses.base}/static"}


def in_each_language(address: str) -> dict[str, str]:
    """The address of a page that takes its language from there."""
    return {language: f"{address}?language={language}" for language in LANGUAGES}


def catalogue_address(env: Service, language: Language, **asked: str) -> str:
    """The catalogue with a question, less what was not asked."""
    query = {"language": language, **{name: value for name, value in asked.items() if value}}
    return f"{env.addresses.base}/catalogue?{urlencode(query)}"


def chosen(asked: str | None, accept_language: str | None) -> Language:
    """The language asked for in the address, else the best that is accepted, else Swedish."""
    for language in LANGUAGES:
        if asked == language:
            return language
    return preferred(accept_language, "sv")


def markdown(text: str) -> Markup:
    """Markdown as HTML; HTML in it and pictures are shown as text."""
    return Markup(_markdown().render(text))  # noqa: S704 - markdown-it escapes all HTML


def strangers_markdown(text: str, *, heading: str = "h3") -> Markup:
    """Markdown that anyone may have written: nothing in it leads away, and every heading is of one kind.

    A link on our page would look like ours, and headings of its own would break the page's order.
    """
    renderer = _strangers_markdown()
    tokens = renderer.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = heading
    shown = renderer.renderer.render(tokens, renderer.options, {})
    return Markup(shown)  # noqa: S704 - markdown-it escapes all HTML


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("kpass_vc", "pages/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable("image")


@lru_cache
def _strangers_markdown() -> MarkdownIt:
    rules = ["image", "link", "autolink", "reference"]
    return MarkdownIt("commonmark", {"html": False}).disable(rules)
