"""Every page in Swedish and English, on an old phone and on a desk: no barrier, nothing cut off, no complaint."""

import pytest

from tests.e2e.walk import Walker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

DEFINITION = "/o/sobona/definitions/SOB-OPTO-01/1.0.0"


@pytest.mark.parametrize("address", ["/", "/docs", f"{DEFINITION}/{{language}}.html"])
def test_a_page_has_no_barrier_in_either_language_and_width(walker: Walker, address: str) -> None:
    walker.walk(address)


def test_a_barrier_would_be_found(walker: Walker) -> None:
    with walker.visiting(width=360) as visit:
        visit.open("/")
        visit.page.evaluate(
            """() => {
              document.documentElement.lang = "en";
              document.querySelector("main").innerHTML =
                '<img src="/none.png"><p class="wide">x</p>';
              document.querySelector(".wide").style.width = "2000px";
            }"""
        )
        visit.page.wait_for_event("console")

        found = visit.faults()

    assert {each.partition(":")[0] for each in found} == {
        "console", "lang is not sv", "too wide", "axe",
    }  # fmt: skip


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_start_page_leads_to_a_definition_without_script(walker: Walker, language: str) -> None:
    titles = {"sv": "Fibersvetsning i fält", "en": "Fibre splicing in the field"}
    with walker.visiting(language=language, script=False) as visit:
        visit.open("/")

        visit.page.get_by_role("link", name="Sobona").first.click()
        visit.page.get_by_role("link", name=titles[language], exact=True).click()

        assert titles[language] in visit.page.locator("h1").inner_text()
