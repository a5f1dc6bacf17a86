"""The pages over HTTP: status, language, security headers, no script."""

import re

import pytest
from starlette.testclient import TestClient

from tests.api.http import PROBLEM, client_of
from tests.pages.reading import Page
from tests.world import World

pytestmark = pytest.mark.sqlite

FOLDER = "/o/sobona/definitions/SOB-OPTO-01/1.0.0"
PAIR = "/compare?a=sobona/SOB-OPTO-01&b=sobona/SOB-OPTO-02"
CHOOSING = ("/", "/docs", "/catalogue", "/catalogue?a=sobona/SOB-OPTO-01", PAIR, "/verify")
PAGES = (*CHOOSING, "/catalogue?q=nothing+of+this", f"{FOLDER}/sv.html", f"{FOLDER}/en.html")
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NO_PICTURE = 100_000
REFERENCE = 200_000
"""It has a paragraph for each operation, and its readers sit at a desk."""


@pytest.fixture
def http(world: World) -> TestClient:
    world.published_definition()
    world.published_definition(code="SOB-OPTO-02")
    return client_of(world.env)


def language_of(html: str) -> str:
    """The language that a page says it is in."""
    return Page(html).tags[0][1]["lang"]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_html_with_no_script_and_a_policy_that_allows_none(
    http: TestClient, address: str
) -> None:
    reply = http.get(address)

    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy
    assert "unsafe" not in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    page = Page(reply.text)
    assert not {"script", "style", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    most = REFERENCE if address == "/docs" else NO_PICTURE
    assert len(reply.content) + len(http.get("/static/kpass.css").content) < most


@pytest.mark.parametrize("address", PAGES)
def test_head_answers_as_get_does_without_the_page(http: TestClient, address: str) -> None:
    whole, head = http.get(address), http.head(address)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_of_a_definition_is_in_the_language_of_its_address(
    http: TestClient, language: str
) -> None:
    other = "en" if language == "sv" else "sv"

    reply = http.get(f"{FOLDER}/{language}.html", headers={"Accept-Language": other})

    assert reply.headers["Content-Language"] == language
    assert language_of(reply.text) == language
    titles = {"sv": "Fibersvetsning i fält", "en": "Fibre splicing in the field"}
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", reply.text, re.DOTALL)
    assert heading is not None
    assert titles[language] in heading[1]
    assert titles[other] not in heading[1]


@pytest.mark.parametrize("address", CHOOSING)
@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", None, "sv"),
        ("", "en", "en"),
        ("", "de, en;q=0.5, sv;q=0.4", "en"),
        ("", "de", "sv"),
        ("?language=en", "sv", "en"),
        ("?language=sv", "en", "sv"),
        ("?language=xx", "en", "en"),
        ("", ";q=,,=", "sv"),
    ],
)
def test_a_page_without_a_language_in_its_address_is_in_the_readers(
    http: TestClient, address: str, query: str, accepted: str | None, language: str
) -> None:
    headers = {"Accept-Language": accepted} if accepted is not None else {"Accept-Language": ""}

    joined = query.replace("?", "&") if "?" in address else query
    reply = http.get(f"{address}{joined}", headers=headers)

    assert language_of(reply.text) == language
    assert reply.headers["Content-Language"] == language
    assert reply.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize("address", PAGES)
def test_every_link_to_this_service_answers(world: World, http: TestClient, address: str) -> None:
    base = world.env.addresses.base
    links = {
        link.removeprefix(base).partition("#")[0] or "/"
        for link in Page(http.get(address).text).addresses
        if link.startswith((base, "/"))
    }

    answers = {link: http.get(link).status_code for link in links}

    assert len(answers) >= 3
    assert set(answers.values()) <= {200, 302}, answers


def test_the_iri_of_a_definition_leads_to_the_page_of_its_published_version(
    world: World, http: TestClient
) -> None:
    world.published_definition(version="1.1.0")
    line = "/o/sobona/definitions/SOB-OPTO-01"

    found = {
        language: http.get(line, headers={"Accept-Language": language}).headers["Location"]
        for language in ("sv", "en")
    }

    base = world.env.addresses.base
    assert found == {language: f"{base}{line}/1.1.0/{language}.html" for language in ("sv", "en")}
    assert http.head(line).status_code == 302


def test_the_page_of_a_superseded_version_stays_and_says_so(world: World, http: TestClient) -> None:
    before = http.get(f"{FOLDER}/en.html").text

    world.published_definition(version="1.1.0")
    after = http.get(f"{FOLDER}/en.html")

    assert after.status_code == 200
    assert "superseded" not in before.lower().replace("not superseded", "")
    assert after.text != before
    document = http.get(f"{FOLDER}/definition.json")
    assert document.status_code == 200


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize(("name", "side"), [("badge", 1024), ("badge-64", 64)])
def test_the_badge_is_a_square_png_and_the_same_each_time(
    http: TestClient, language: str, name: str, side: int
) -> None:
    first, second = (http.get(f"{FOLDER}/{name}.{language}.png") for _ in range(2))

    assert first.headers["Content-Type"] == "image/png"
    assert first.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert [int.from_bytes(first.content[at : at + 4]) for at in (16, 20)] == [side, side]
    assert first.content == second.content


@pytest.mark.parametrize("name", ["badge", "badge-small"])
def test_an_svg_opened_by_itself_may_run_nothing(http: TestClient, name: str) -> None:
    swedish, english = (http.get(f"{FOLDER}/{name}.{language}.svg") for language in ("sv", "en"))
    known = http.get(f"{FOLDER}/{name}.sv.svg", headers={"If-None-Match": swedish.headers["ETag"]})

    assert swedish.headers["Content-Type"] == "image/svg+xml"
    assert swedish.text.startswith("<svg ")
    assert "Fibersvetsning i f\u00e4lt" in swedish.text
    assert "Fibre splicing in the field" in english.text
    assert known.status_code == 304
    for reply in (swedish, known):
        assert reply.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "address",
    [
        "/o/nobody/definitions/SOB-OPTO-01/1.0.0/sv.html",
        "/o/sobona/definitions/NO-SUCH-01/1.0.0/sv.html",
        "/o/sobona/definitions/SOB-OPTO-01/9.0.0/sv.html",
        "/o/sobona/definitions/SOB-OPTO-01/1.0.0/badge.fi.png",
        "/o/sobona/definitions/SOB-OPTO-01/1.0.0/badge.fi.svg",
        "/o/sobona/definitions/SOB-OPTO-01/9.0.0/badge-small.sv.svg",
        "/o/sobona/definitions/NO-SUCH-01",
        "/static/other.css",
        "/nothing",
    ],
)
def test_what_is_not_there_is_a_problem(http: TestClient, address: str) -> None:
    reply = http.get(address)

    assert reply.status_code in {404, 422}
    assert reply.headers["Content-Type"] == PROBLEM


@pytest.mark.parametrize(
    "address",
    [
        "/o/nobody/definitions/SOB-OPTO-01/1.0.0/{}.html",
        "/o/sobona/definitions/NO-SUCH-01?language={}",
        "/compare?a=sobona/SOB-OPTO-01&b=sobona/NO-SUCH-01&language={}",
        "/nothing?language={}",
    ],
)
@pytest.mark.parametrize(
    ("language", "heading"), [("sv", "Sidan finns inte"), ("en", "There is no such page")]
)
def test_what_is_not_there_is_a_page_for_a_browser_in_its_readers_language(
    http: TestClient, address: str, language: str, heading: str
) -> None:
    reply = http.get(address.format(language), headers=BROWSER)

    assert (reply.status_code, reply.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert reply.headers["Content-Language"] == language
    assert "script" not in reply.headers["Content-Security-Policy"]
    assert reply.headers["Cache-Control"] == "no-store"
    page = Page(reply.text)
    assert page.heading == heading
    assert language_of(reply.text) == language
    known = {http.get(link).status_code for link in page.addresses if link.startswith("http")}
    assert known == {200}


@pytest.mark.parametrize(
    ("address", "accept"),
    [
        ("/v1/nothing", BROWSER["Accept"]),
        ("/o/sobona/definitions/NO-SUCH-01/1.0.0/definition.json", BROWSER["Accept"]),
        ("/o/nobody/did.json", BROWSER["Accept"]),
        ("/static/other.css", BROWSER["Accept"]),
        ("/nothing", "application/json"),
        ("/nothing", "application/problem+json, text/html;q=0.5"),
        ("/nothing", "text/html;q=0"),
        ("/nothing", "text/html;q=x, */*"),
        ("/nothing", "*/*"),
        ("/nothing", ",;q=;,"),
    ],
)
def test_a_program_gets_the_problem_as_json(http: TestClient, address: str, accept: str) -> None:
    reply = http.get(address, headers={"Accept": accept})

    assert (reply.status_code, reply.headers["Content-Type"]) == (404, PROBLEM)


def test_a_method_that_a_page_does_not_take_is_a_page_for_a_browser(http: TestClient) -> None:
    reply = http.post("/catalogue", headers=BROWSER)

    assert (reply.status_code, reply.headers["Content-Type"]) == (405, "text/html; charset=utf-8")
    assert "GET" in reply.headers["Allow"]


def test_a_draft_has_no_page_and_is_not_in_the_catalogue(world: World, http: TestClient) -> None:
    world.draft(version="2.0.0", title={"sv": "Ett utkast som ingen ser", "en": "A draft"})

    assert http.get("/o/sobona/definitions/SOB-OPTO-01/2.0.0/sv.html").status_code == 404
    assert "Ett utkast som ingen ser" not in http.get("/catalogue?language=sv").text


def test_the_start_page_of_an_empty_installation_works(world: World) -> None:
    assert client_of(world.env).get("/").status_code == 200


def test_what_an_owner_writes_is_shown_as_text_and_never_runs(world: World) -> None:
    title = "<script>alert(1)</script> & “x”"
    world.published_definition(code="SOB-OPTO-96", title={"sv": title, "en": title})
    http = client_of(world.env)

    for address in ("/catalogue", "/o/sobona/definitions/SOB-OPTO-96/1.0.0/sv.html"):
        text = http.get(address).text
        assert "<script>" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_the_stylesheet_is_css(http: TestClient) -> None:
    reply = http.get("/static/kpass.css")

    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


def test_the_icon_is_a_picture_without_script(http: TestClient) -> None:
    reply = http.get("/static/icon.svg")

    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/svg+xml")
    assert b"<script" not in reply.content
