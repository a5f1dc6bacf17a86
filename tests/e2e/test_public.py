"""The catalogue, two definitions side by side and the verify page, walked in a browser."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from kpass_vc.api.verifications import EXAMPLE
from tests.e2e.walk import LANGUAGES, WIDTHS, Visit, Walker
from tests.injections import INJECTIONS
from tests.pages.test_injections import presented
from tests.world import LEARNER, World, body_of

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PAIR = "/compare?a=sobona/SOB-OPTO-01&b=sobona/SOB-OPTO-02"
WORDS = {"sv": ("Verifierat", "Underkänt", "Oklart"), "en": ("Verified", "Refused", "Unknown")}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/catalogue", "catalogue"),
        ("/catalogue?q=fiber", "catalogue-search"),
        ("/catalogue?q=qqqq", "catalogue-empty"),
        ("/catalogue?a=sobona/SOB-OPTO-01", "catalogue-pick"),
        (PAIR, "compare"),
        ("/verify", "verify"),
    ],
)
def test_a_page_has_no_barrier_in_either_language_and_width(
    walker: Walker, address: str, name: str
) -> None:
    walker.walk(address, name=name)


def test_what_is_not_there_is_a_page_without_barriers(walker: Walker) -> None:
    walker.walk("/nothing", name="not-found", status=404)


def hand_in(visit: Visit, file: Path) -> None:
    visit.page.locator("#file").set_input_files(file)
    visit.page.locator("form.ask button").click()


@pytest.fixture
def handed(served_world: World, tmp_path: Path) -> dict[str, Path]:
    """One credential of each verdict."""
    issued = served_world.issued()
    body = body_of(issued)
    given: dict[str, Any] = {
        "verified": body,
        "refused": body.replace(LEARNER.encode(), b"Anders Bedragare"),
        "unknown": json.dumps(EXAMPLE).encode(),
    }
    for name, content in given.items():
        (tmp_path / f"{name}.json").write_bytes(content)
    return {name: tmp_path / f"{name}.json" for name in given}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_file_is_answered_with_its_verdict_first(
    walker: Walker, handed: dict[str, Path], language: str, width: int
) -> None:
    for verdict, word in zip(("verified", "refused", "unknown"), WORDS[language], strict=True):
        with walker.visiting(language=language, width=width) as visit:
            visit.open("/verify")
            hand_in(visit, handed[verdict])
            assert visit.page.locator(".verdict-word").inner_text().strip() == word
            visit.keep(f"answer-{verdict}")
            assert visit.faults() == []


def test_a_file_that_is_too_large_is_answered_after_it_was_sent(
    walker: Walker, tmp_path: Path
) -> None:
    (tmp_path / "large.jpg").write_bytes(b"x" * 20_000_000)
    with walker.visiting(language="en", width=360) as visit:
        visit.open("/verify")
        hand_in(visit, tmp_path / "large.jpg")

        assert "at most 5 MB" in visit.page.locator("main").inner_text()
        visit.keep("answer-too-large")


def test_the_catalogue_is_searched_and_two_are_compared_without_script(walker: Walker) -> None:
    with walker.visiting(language="en", script=False) as visit:
        visit.open("/")
        visit.page.get_by_role("link", name="To the catalogue").click()
        visit.page.get_by_label("Words").fill("splicing")
        visit.page.get_by_role("button", name="Search").click()
        visit.page.get_by_role(
            "link", name="Compare with another: Fibre splicing in the field"
        ).click()
        visit.page.get_by_role("link", name="Compare with this one").first.click()

        assert visit.page.locator("h1").inner_text() == "Compare two micro-credentials"


@pytest.mark.parametrize("address", ["/", "/catalogue", "/verify"])
def test_the_keyboard_reaches_everything_in_the_order_of_the_page(
    walker: Walker, address: str
) -> None:
    with walker.visiting(language="sv") as visit:
        visit.open(address)
        wanted = visit.page.locator(
            "a, button, input:not([type=hidden]), select, textarea, summary"
        ).count()
        seen = []
        for _ in range(wanted):
            visit.page.keyboard.press("Tab")
            seen.append(
                visit.page.evaluate(
                    """() => [...document.querySelectorAll(
                      "a, button, input:not([type=hidden]), select, textarea, summary"
                    )].indexOf(document.activeElement)"""
                )
            )

        assert seen == list(range(wanted))


def test_none_of_two_hundred_strings_runs_or_is_even_stopped_by_the_policy(
    walker: Walker, tmp_path: Path
) -> None:
    shown = ""
    with walker.visiting(language="en") as visit:
        for texts in batched(INJECTIONS, 10):
            (tmp_path / "said.json").write_bytes(presented(*texts))
            visit.open("/verify")
            hand_in(visit, tmp_path / "said.json")
            assert visit.page.locator(".verdict-word").inner_text().strip() == "Refused"
            shown += visit.page.locator("main").inner_text()
        for texts in batched(INJECTIONS, 2):
            asked = " ".join(texts)
            visit.open(f"/catalogue?{urlencode({'q': asked})}")
            assert visit.page.locator("#q").input_value() == asked

        assert visit.complaints == []
    assert sum(text in shown for text in INJECTIONS) > 150


def batched(texts: tuple[str, ...], count: int) -> list[tuple[str, ...]]:
    """The texts, `count` at a time."""
    return [texts[start : start + count] for start in range(0, len(texts), count)]
