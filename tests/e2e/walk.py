"""Walk a page as its readers meet it: two languages, an old phone and a desk, and axe, which looks for barriers."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

WIDTHS = (360, 1280)
HEIGHTS = {360: 740, 1280: 900}
LANGUAGES = ("sv", "en")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_ASK_AXE = """async (rules) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: rules}});
  return found.violations.map(
    each => `${each.id}: ${each.help} (${each.nodes.map(node => node.target.join(" ")).join(", ")})`);
}"""
_TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(each => `${each.tagName.toLowerCase()}.${each.className}`).slice(0, 5)"""


@dataclass
class Walker:
    """Opens pages of one server in one browser and says what is wrong with them."""

    browser: Browser
    base: str
    axe: str
    screenshots: Path | None = field(
        default_factory=lambda: (
            Path(found) if (found := os.environ.get("KPASS_SCREENSHOTS")) else None
        )
    )

    def walk(self, address: str, *, name: str | None = None, status: int = 200) -> None:
        """Open a page in each language and width; AssertionError lists all that is wrong with it.

        `{language}` in the address stands for the language; where it is not in the address the
        reader's browser asks for it. `name` is what the screenshots are called.
        """
        wrong: list[str] = []
        for language in LANGUAGES:
            for width in WIDTHS:
                with self.visiting(language=language, width=width) as visit:
                    visit.open(address.replace("{language}", language), status=status)
                    visit.keep(name or address.replace("{language}", "").strip("/") or "start")
                    wrong += [f"{language} {width}: {each}" for each in visit.faults()]
        assert wrong == [], "\n".join(wrong)

    @contextmanager
    def visiting(
        self, *, language: str = "sv", width: int = 1280, script: bool = True
    ) -> Iterator["Visit"]:
        """One reader with a browser window of their own."""
        context = self.browser.new_context(
            base_url=self.base,
            locale=language,
            viewport={"width": width, "height": HEIGHTS[width]},
            java_script_enabled=script,
            accept_downloads=True,
        )
        context.set_default_timeout(10_000)
        try:
            yield Visit(self, context, context.new_page(), language, width)
        finally:
            context.close()


@dataclass
class Visit:
    """One reader on one page after the other."""

    walker: Walker
    context: BrowserContext
    page: Page
    language: str
    width: int
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on(
            "console",
            lambda said: (
                self.complaints.append(f"console: {said.text}")
                if said.type in {"error", "warning"}
                else None
            ),
        )
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on(
            "request",
            lambda asked: (
                self.complaints.append(f"asks elsewhere: {asked.url}")
                if not asked.url.startswith((self.walker.base, "data:", "blob:"))
                else None
            ),
        )

    def open(self, address: str, *, status: int = 200) -> None:
        """Go to a page, which answers with the status."""
        reply = self.page.goto(address)
        assert reply is not None
        assert reply.status == status, (address, reply.status)
        if status >= 400:
            # the browser itself says so on the console
            self.complaints[:] = [each for each in self.complaints if f"{status}" not in each]

    def faults(self) -> list[str]:
        """What is wrong with the page as it is now."""
        found = list(self.complaints)
        if self.page.locator("html").get_attribute("lang") != self.language:
            found.append(f"lang is not {self.language}")
        wide: list[str] = self.page.evaluate(_TOO_WIDE) if self._scrolls_sideways() else []
        found += [f"too wide: {each}" for each in wide]
        self.page.evaluate(self.walker.axe)
        barriers: list[Any] = self.page.evaluate(_ASK_AXE, RULES)
        return found + [f"axe: {each}" for each in barriers]

    def keep(self, name: str) -> None:
        """A screenshot of the whole page in $KPASS_SCREENSHOTS, if there is such a folder."""
        if self.walker.screenshots is not None:
            plain = re.sub(r"[^A-Za-z0-9.-]+", "-", name)
            file = f"{plain}.{self.language}.{self.width}.png"
            self.page.screenshot(path=self.walker.screenshots / file, full_page=True)

    def _scrolls_sideways(self) -> bool:
        script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(script))
