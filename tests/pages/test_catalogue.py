"""The start page, the catalogue and two definitions side by side: what they find and say."""

from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from kpass_vc.actions.browse import Question, browse, published
from kpass_vc.actions.load_demo import load_demo
from tests.api.http import client_of
from tests.pages.reading import Page, words
from tests.world import OPERATOR_ACTOR, World

pytestmark = pytest.mark.sqlite

SPLICING = "/compare?a=sobona/SOB-OPTO-01&b=sobona/SOB-OPTO-02"


@pytest.fixture
def http(world: World) -> TestClient:
    with world.writing() as session:
        load_demo(world.env, session, OPERATOR_ACTOR, lambda _: None)
    return client_of(world.env)


def found(http: TestClient, **asked: object) -> tuple[str, list[str]]:
    """How many the catalogue says it found, and the codes on the page."""
    reply = http.get(f"/catalogue?{urlencode({'language': 'sv', **asked})}")
    assert reply.status_code == 200
    page = Page(reply.text)
    counted = " ".join(page.words_of["h2"].split())
    codes = [link.split("/")[-3] for link in page.all("href") if link.endswith("/sv.html")]
    return counted, codes


def test_the_whole_catalogue_stands_on_four_pages_with_nothing_twice(http: TestClient) -> None:
    seen = [code for page in (1, 2, 3, 4) for code in found(http, page=page)[1]]

    assert "63 mikromeriter Sida 1 av 4" in words(http.get("/catalogue?language=sv").text)
    assert len(seen) == len(set(seen)) == 63


def test_a_page_number_that_is_none_shows_a_page_all_the_same(http: TestClient) -> None:
    for page in ("0", "-1", "x", "", "1e9", "²", "99999", "9" * 400, "1; DROP"):
        assert len(found(http, page=page)[1]) > 0, page


def test_words_are_found_in_code_title_description_and_outcomes_whatever_their_case(
    http: TestClient,
) -> None:
    for words_asked in (
        "SOB-OPTO-01", "sob-opto-01", "fibersvetsning", "FIBERSVETSNING I FÄLT", "splicing fibre",
        "mätprotokollet", "provisorisk miljö",
    ):  # fmt: skip
        assert found(http, q=words_asked)[1][0] == "SOB-OPTO-01", words_asked


def test_every_word_must_stand_in_a_definition_and_titles_come_first(world: World) -> None:
    with world.writing() as session:
        load_demo(world.env, session, OPERATOR_ACTOR, lambda _: None)
    with world.reading() as session:
        entries = published(session)

        hits = browse(entries, Question("fiber"))
        both = browse(entries, Question("fiber skarv"))

        in_title = ["fiber" in " ".join(hit.source.title.values()).lower() for hit in hits]
        assert in_title == sorted(in_title, reverse=True)
        assert {hit.code for hit in both} < {hit.code for hit in hits}


def test_organisation_and_level_narrow_what_is_found(http: TestClient) -> None:
    assert found(http, owner="sobona")[0] == "14 mikromeriter"
    assert all(code.startswith("SOB-") for code in found(http, owner="sobona")[1])
    levels = {level: found(http, owner="sobona", level=level)[0] for level in ("2", "3", "4", "5")}
    numbers = [int(count.split()[0]) for count in levels.values() if count[0].isdigit()]
    assert sum(numbers) <= 14
    assert len(set(levels.values())) > 1
    assert found(http, owner="nobody") == ("Inga träffar", [])
    assert found(http, level="9") == ("Inga träffar", [])


def test_what_was_asked_stands_in_the_form_and_in_the_links_to_other_pages(
    http: TestClient,
) -> None:
    page = Page(http.get("/catalogue?q=&owner=skelleftea-kraft&language=en").text)

    chosen = [option["value"] for option in page.of("option") if "selected" in option]
    (following,) = [link["href"] for link in page.of("a") if link.get("rel") == "next"]
    assert chosen == ["skelleftea-kraft"]
    assert "owner=skelleftea-kraft" in following
    assert "page=2" in following
    assert http.get(following).status_code == 200
    languages = [link["href"] for link in page.of("a") if link.get("hreflang") == "sv"]
    assert "owner=skelleftea-kraft" in languages[0]


def test_finding_nothing_says_what_to_do(http: TestClient) -> None:
    for language, advice in (
        ("sv", "Sök med färre eller kortare ord."),
        ("en", "Search with fewer or shorter words."),
    ):
        reply = http.get(f"/catalogue?q=qqqq&language={language}")

        assert reply.status_code == 200
        assert advice in words(reply.text)


def test_two_are_picked_one_after_the_other_by_links_alone(http: TestClient) -> None:
    first = Page(http.get("/catalogue?q=SOB-OPTO-01&language=sv").text)
    carried = next(link for link in first.all("href") if "a=sobona" in link)
    second = Page(http.get(carried).text)
    both = next(link for link in second.all("href") if "/compare?" in link)

    page = http.get(both)

    assert page.status_code == 200
    assert "sobona/SOB-OPTO-01" in both
    assert "Jämför två mikromeriter" in words(page.text)
    assert all("b=sobona/SOB-OPTO-01" not in link for link in second.all("href"))


def test_a_comparison_that_lacks_one_leads_to_the_catalogue(http: TestClient) -> None:
    for query in ("", "?a=sobona/SOB-OPTO-01", "?b=sobona/SOB-OPTO-01"):
        reply = http.get(f"/compare{query}")

        assert reply.status_code == 302
        assert http.get(reply.headers["Location"]).status_code == 200


def test_a_comparison_with_what_is_not_there_is_not_found(http: TestClient) -> None:
    for name in ("x", "/", "sobona/", "sobona/NO-SUCH-01", "a/b/c", "%00x", "ö/Ö"):
        reply = http.get(f"/compare?a=sobona/SOB-OPTO-01&b={name}")

        assert reply.status_code == (422 if "%00" in name else 404), name


def test_rows_that_differ_say_so_in_words_and_the_others_are_said_once(http: TestClient) -> None:
    page = http.get(f"{SPLICING}&language=en").text
    same = http.get("/compare?a=sobona/SOB-OPTO-01&b=sobona/SOB-OPTO-01&language=en").text

    assert page.count('class="differs"') == page.count('class="difference">Differs') > 3
    assert '<td role="cell" colspan="2">' in page
    assert "16 hours" in words(page)
    assert "12 hours" in words(page)
    assert 'class="differs"' not in same


def test_a_comparison_has_the_fields_of_a_definitions_page(http: TestClient) -> None:
    labels = Page(http.get(f"{SPLICING}&language=en").text).words_of["th"]

    for label in (
        "Description", "Knowledge", "Skills", "Responsibility and autonomy", "Workload", "Level",
        "Participation", "Assessment", "Assessor", "Quality assurance", "Validity", "Stackability",
        "Language of instruction", "Country", "Field of education", "Corresponds to",
    ):  # fmt: skip
        assert label in labels, label


def test_the_start_page_has_three_doors_and_every_organisation(http: TestClient) -> None:
    page = Page(http.get("/?language=sv").text)

    assert [link["href"] for link in page.of("a") if link.get("class") == "button"] == [
        "http://localhost:8000/verify?language=sv",
        "http://localhost:8000/verify?language=sv",
        "http://localhost:8000/catalogue?language=sv",
    ]
    for said in ("Jag har fått ett bevis", "Jag ska kontrollera ett bevis", "Sobona (exempel)"):
        assert said in page.text
    assert "14 mikromeriter" in page.text
    assert "illustrativa exempel" in page.text
    assert {"http://localhost:8000/openapi.json", "http://localhost:8000/o/sobona/did.json"} <= set(
        page.all("href")
    )


def test_the_start_page_of_an_empty_service_says_that_it_is_empty(world: World) -> None:
    http = client_of(world.env)

    assert "Ännu har ingen organisation publicerat" in http.get("/?language=sv").text
    assert "No organisation has published" in http.get("/?language=en").text
    assert "Inga träffar" in http.get("/catalogue?language=sv").text
