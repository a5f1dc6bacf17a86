"""The page of a definition: what it says and how it is built."""

from importlib import resources
from itertools import pairwise
from typing import Any

import pytest

from kpass_vc.addresses import Addresses
from kpass_vc.compose.definition import Owner, digest_sri, published_definition, to_bytes
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.definition import read_definition
from kpass_vc.pages.definition import DefinitionState, Link, definition_page
from kpass_vc.pages.render import SECURITY_HEADERS, chosen, markdown, strangers_markdown
from tests.pages.reading import Page

pytestmark = pytest.mark.sqlite

ADDRESSES = Addresses("http://localhost:8000")
SOBONA = Owner(
    did="did:web:localhost%3A8000:o:sobona",
    names={"sv": "Sobona (exempel)", "en": "Sobona (example)"},
    url="https://sobona.example/",
)


def document(code: str, **changes: object) -> dict[str, Any]:
    (found,) = [
        definition
        for catalogue in catalogues()
        for definition in catalogue["definitions"]
        if definition["code"] == code
    ]
    definition = read_definition({**found, **changes})
    addresses = ADDRESSES.definition("sobona", definition.code, definition.version)
    return published_definition(definition, SOBONA, addresses)


def shown(
    published: dict[str, Any],
    language: Language = "sv",
    state: DefinitionState = "published",
    others: dict[str, Link] | None = None,
) -> str:
    addresses = ADDRESSES.definition("sobona", published["code"], published["version"])
    return definition_page(
        published,
        language,
        addresses=addresses,
        state=state,
        badge_url=addresses.badge(language),
        others=others,
    )


def every_page() -> list[str]:
    pages = []
    for catalogue in catalogues():
        for definition in catalogue["definitions"]:
            pages += [shown(document(definition["code"]), language) for language in LANGUAGES]
    return pages


def test_every_page_is_well_formed_and_names_what_it_refers_to() -> None:
    for html in every_page():
        page = Page(html)

        ids = page.all("id")
        assert len(ids) == len(set(ids))
        assert set(page.all("aria-labelledby")) <= set(ids)
        assert {href[1:] for href in page.all("href") if href.startswith("#")} <= set(ids)
        assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")
        assert all(attributes.get("href") for tag, attributes in page.tags if tag == "a")


def test_headings_go_down_one_step_at_a_time() -> None:
    for html in every_page():
        levels = [int(tag[1]) for tag, _ in Page(html).tags if tag in {"h1", "h2", "h3"}]

        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_no_page_needs_what_the_policy_forbids() -> None:
    assert "'unsafe-inline'" not in SECURITY_HEADERS["Content-Security-Policy"]
    for html in every_page():
        tags = Page(html).tags

        assert not {"script", "style", "iframe", "object", "base"} & {tag for tag, _ in tags}
        names = {name for _, attributes in tags for name in attributes}
        assert not [name for name in names if name == "style" or name.startswith("on")]
        assert [
            attributes["href"] for tag, attributes in tags if attributes.get("rel") == "stylesheet"
        ] == ["/static/kpass.css"]


def test_the_stylesheet_fetches_nothing() -> None:
    css = resources.files("kpass_vc").joinpath("pages/static/kpass.css").read_text("utf-8")

    assert "url(" not in css
    assert "@import" not in css


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "sv",
            [
                "Fibersvetsning i fält",
                "Innehållet kommer inte från Sobona",
                "Färdigheter",
                "16 timmar",
                "enligt ägarens egen bedömning",
                "Under tillsyn, med kontrollerad identitet",
                "Elektronik och automation",
                "Publicerad",
                "Sverige",
            ],
        ),
        (
            "en",
            [
                "Fibre splicing in the field",
                "The content does not come from Sobona",
                "Skills",
                "16 hours",
                "in the owner's own assessment",
                "supervised, with the identity checked",
                "Electronics and automation",
                "Published",
                "Sweden",
            ],
        ),
    ],
)
def test_a_page_says_the_elements_in_its_language(language: Language, said: list[str]) -> None:
    page = Page(shown(document("SOB-OPTO-01"), language))

    assert page.tags[0] == ("html", {"lang": language, "dir": "ltr"})
    assert [text for text in said if text.lower() not in page.text.lower()] == []


def test_a_page_links_to_its_documents_and_shows_the_digest_of_the_bytes() -> None:
    published = document("SOB-OPTO-01")
    folder = "http://localhost:8000/o/sobona/definitions/SOB-OPTO-01/1.0.0"

    page = Page(shown(published, "sv"))

    assert {
        f"{folder}/definition.json",
        f"{folder}/achievement.sv.json",
        f"{folder}/achievement.en.json",
        f"{folder}/publication.json",
        f"{folder}/en.html",
        "http://data.europa.eu/snb/isced-f/0714",
        "http://data.jobtechdev.se/taxonomy/concept/qyxC_Z7Z_dXH",
    } <= set(page.all("href"))
    assert digest_sri(to_bytes(published)) in page.text


@pytest.mark.parametrize(
    ("state", "swedish", "english"),
    [
        ("published", "Det här är den version som gäller.", "This is the version in force."),
        ("superseded", "Det finns en nyare version.", "There is a newer version."),
        ("retired", "Inga nya bevis utfärdas.", "No new credentials are issued."),
    ],
)
def test_a_page_says_its_state(state: DefinitionState, swedish: str, english: str) -> None:
    assert swedish in shown(document("SOB-OPTO-01"), "sv", state)
    assert english in shown(document("SOB-OPTO-01"), "en", state)


def test_the_parts_of_a_stack_are_linked_where_they_have_pages() -> None:
    others = {"SOB-OPTO-01": Link("http://localhost:8000/x.html", "Fibersvetsning i fält")}

    page = Page(shown(document("SOB-OPTO-99"), "sv", others=others))

    assert "http://localhost:8000/x.html" in page.all("href")
    assert "SOB-OPTO-04" in page.text


def test_a_text_in_another_language_than_the_page_says_so() -> None:
    html = shown(document("SOB-OPTO-01"), "sv")

    assert '<span lang="en">fibre optics</span>' in html
    assert '<span lang="sv">Fiberoptik</span>' in shown(document("SOB-OPTO-01"), "en")


def test_what_an_owner_wrote_is_never_markup() -> None:
    attack = '"><script>alert(1)</script>{{ 7 * 7 }}'
    published = document("SOB-OPTO-01", title={"sv": attack, "en": attack})
    published["owner"]["name"] = {"sv": attack}

    page = Page(shown(published))

    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count(attack) >= 4


def test_a_definition_that_is_no_illustration_has_no_notice() -> None:
    html = shown(document("SOB-OPTO-01", illustrative=False))

    assert 'class="notice"' not in html


@pytest.mark.parametrize(
    ("asked", "accepted", "answer"),
    [
        ("en", "sv", "en"),
        ("de", "en-GB,sv;q=0.5", "en"),
        (None, "sv-SE", "sv"),
        (None, None, "sv"),
        ("<x>", "de", "sv"),
    ],
)
def test_a_page_answers_in_the_best_language(
    asked: str | None, accepted: str | None, answer: str
) -> None:
    assert chosen(asked, accepted) == answer


def test_markdown_shows_html_and_pictures_as_text() -> None:
    html = markdown("**x** <b>y</b> ![z](https://example.org/z.png) [l](javascript:alert(1))")

    assert "<strong>x</strong>" in html
    assert "&lt;b&gt;" in html
    assert "<img" not in html
    assert 'href="javascript' not in html


def test_a_strangers_markdown_leads_nowhere_and_keeps_to_one_kind_of_heading() -> None:
    text = "# a\n\n###### b\n\n[c](https://example.org/) <https://example.org/> ![d](e.png)"

    page = Page(str(strangers_markdown(text)))

    assert [tag for tag, _ in page.tags] == ["h3", "h3", "p"]
    assert "[c](https://example.org/)" in page.text


def test_a_definition_in_force_can_be_compared_and_a_superseded_one_cannot() -> None:
    current, old = (
        shown(document("SOB-OPTO-01"), "sv", state) for state in ("published", "superseded")
    )

    assert "Jämför med en annan" in current
    assert "Jämför med en annan" not in old
