"""What all pages have in common: landmarks, headings, labels, the order of the keyboard."""

from itertools import pairwise

import pytest
from starlette.testclient import TestClient

from tests.api.http import client_of
from tests.pages.reading import Page
from tests.pages.test_routes import BROWSER, FOLDER, PAIR
from tests.world import World, body_of

pytestmark = pytest.mark.sqlite

PAGES = (
    "/", "/catalogue", "/catalogue?a=sobona/SOB-OPTO-01", "/catalogue?q=nothing+of+this", PAIR,
    "/verify", "/docs", f"{FOLDER}/sv.html", "/nothing", "answer", "refused", "again",
)  # fmt: skip


@pytest.fixture
def pages(world: World) -> dict[str, Page]:
    """Every kind of page, in both languages."""
    world.published_definition()
    world.published_definition(code="SOB-OPTO-02")
    http = client_of(world.env)
    credential = body_of(world.issued())
    given = {"answer": credential, "refused": credential.replace(b"Amina", b"Anders"), "again": b""}
    found = {}
    for language in ("sv", "en"):
        for name in PAGES:
            if name in given:
                reply = handed_in(http, given[name], language)
            else:
                reply = http.get(
                    f"{name}{'&' if '?' in name else '?'}language={language}", headers=BROWSER
                ).text
            found[f"{name} {language}"] = Page(reply)
    return found


def handed_in(http: TestClient, body: bytes, language: str) -> str:
    return http.post(
        f"/verify?language={language}", files={"file": ("x", body)}, headers=BROWSER
    ).text


def test_every_page_has_its_landmarks_and_one_first_heading(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        tags = [tag for tag, _ in page.tags]
        for landmark in ("header", "main", "footer"):
            assert tags.count(landmark) >= 1, name
        assert tags.count("main") == tags.count("h1") == tags.count("title") == 1, name
        labels = [nav.get("aria-label", "") for nav in page.of("nav")]
        assert all(labels), name
        assert len(set(labels)) == len(labels), name
        levels = [int(tag[1]) for tag in tags if tag in {"h1", "h2", "h3", "h4"}]
        assert levels[0] == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels)), (name, levels)


def test_every_reference_inside_a_page_has_what_it_refers_to(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        ids = page.all("id")
        assert len(ids) == len(set(ids)), name
        referred = {
            each
            for attribute in ("aria-labelledby", "aria-describedby", "for")
            for value in page.all(attribute)
            for each in value.split()
        }
        referred |= {link[1:] for link in page.all("href") if link.startswith("#")}
        assert referred <= set(ids), name


def test_every_field_has_its_label_and_every_picture_its_words(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        labelled = {label["for"] for label in page.of("label")}
        for tag in ("input", "select", "textarea"):
            for field in page.of(tag):
                assert field.get("type") == "hidden" or field["id"] in labelled, (name, field)
        assert all("alt" in picture for picture in page.of("img")), name
        assert all(sign["aria-hidden"] == "true" for sign in page.of("svg")), name


def test_the_keyboard_goes_as_the_page_reads_and_first_past_the_menu(
    pages: dict[str, Page],
) -> None:
    for name, page in pages.items():
        stops = [attributes for tag, attributes in page.tags if tag in {"a", "button", "input"}]
        assert stops[0] == {"class": "skip", "href": "#main:content"}, name
        assert not [value for value in page.all("tabindex") if value not in {"0", "-1"}], name
        assert all(link.get("href") for link in page.of("a")), name


def test_the_menu_is_the_same_everywhere_and_says_where_one_is(pages: dict[str, Page]) -> None:
    current = {
        name: [link["href"] for link in page.of("a") if "aria-current" in link]
        for name, page in pages.items()
    }

    assert all(len(found) <= 1 for found in current.values())
    assert {name for name, found in current.items() if not found} == {"/nothing sv", "/nothing en"}
    assert current["answer sv"] == ["http://localhost:8000/verify?language=sv"]
    for name, page in pages.items():
        language = page.tags[0][1]["lang"]
        menu = [link["href"] for link in page.of("a")][1:7]
        assert len([link for link in menu if link.endswith(f"language={language}")]) == 5, name


def test_two_links_of_the_same_words_lead_to_the_same_place_or_are_told_apart(world: World) -> None:
    world.published_definition()
    world.published_definition(code="SOB-OPTO-02", title={"sv": "Annat", "en": "Other"})
    http = client_of(world.env)

    for address in ("/catalogue", "/catalogue?a=sobona/SOB-OPTO-01", PAIR):
        labels = Page(http.get(address).text).all("aria-label")
        assert len(labels) == len(set(labels)), address
