"""A problem as a page, for a reader who came with a browser.

Programs get the same problem as JSON (api/problems.py): whoever does not ask for
HTML, and every address that is no page.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from kpass_vc.language import LANGUAGES, Language
from kpass_vc.pages.render import chosen, html, in_each_language, places, render
from kpass_vc.pages.verify import NO_STORE, form_page, language_of_form

_FOR_PROGRAMS: Final = ("/v1/", "/static/", "/.well-known/")

_OF_LINKS: Final = {"share_link", "share_link_ended", "holder_link", "folder_link"}


class ProblemPages:
    """Which problems are shown as pages, in what language, and how."""

    def language(self, request: Request) -> Language | None:
        """The language of the page that is wanted; None where a program asks."""
        path = request.url.path
        name = path.rpartition("/")[2]
        if path.startswith(_FOR_PROGRAMS) or ("." in name and not name.endswith(".html")):
            return None
        if not _prefers_html(request.headers.get("Accept", "")):
            return None
        if path == "/verify":
            return language_of_form(request)
        for language in LANGUAGES:
            if name == f"{language}.html":
                return language
        return chosen(request.query_params.get("language"), request.headers.get("Accept-Language"))

    def page(self, request: Request, problem: Mapping[str, object], language: Language) -> Response:
        """The problem in plain words with where to go from there; on the verify page, the form again."""
        env = request.app.state.environment
        words = {name: str(problem.get(name, "")) for name in ("title", "detail", "code", "rule")}
        status = int(str(problem["status"]))
        if request.url.path == "/verify" and request.method == "POST":
            page = form_page(env, language, words)
        else:
            kind = _kind(status, words["rule"])
            page = render(
                "problem.html",
                language,
                problem=words,
                kind=kind,
                elsewhere=in_each_language(f"{env.addresses.base}/"),
                **places(env),
            )
        return html(page, language, caching=NO_STORE, status=status)


def _kind(status: int, rule: str) -> str:
    """Which heading and hint a problem has."""
    if rule in _OF_LINKS:
        return "link"
    return "not_found" if status == 404 else "gone_wrong" if status >= 500 else "other"


def _prefers_html(accept: str) -> bool:
    """Whether HTML is asked for by name, and no less than JSON is (RFC 9110 section 12.5.1)."""
    found: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            found[kind] = float(quality)
        except ValueError:
            found[kind] = 0.0
    html_wanted = max(found.get("text/html", 0.0), found.get("application/xhtml+xml", 0.0))
    json_wanted = max((found[kind] for kind in found if kind.endswith("json")), default=0.0)
    return html_wanted > 0 and html_wanted >= json_wanted
