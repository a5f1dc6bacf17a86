"""The whole story from an empty database, clicked and typed by three people: on a phone, and with a keyboard alone.

One signs in by the first link, defines, and invites another, who reviews. Eighteen names go out from a file
that is mended first. A learner opens, accepts and shares; a recruiter verifies from a screenshot of the
picture; one name is corrected, one credential revoked, and the recruiter sees it. No page has a barrier.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from kpass_vc.language import Language, say
from kpass_vc.learner_table import COLUMNS
from kpass_vc.spreadsheets import Column, write_table
from tests.e2e.chromium import axe
from tests.e2e.office import Colleague, Office, colleague, office, walker_of
from tests.e2e.walk import Walker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

DEFINITION = {
    "code": "KUR-HLR-01",
    "title_sv": "Hjärt-lungräddning för vuxna",
    "title_en": "Adult resuscitation",
    "description_sv": "Kan ge hjärt-lungräddning till en vuxen tills hjälpen kommer.",
    "description_en": "Can give an adult resuscitation until help arrives.",
    "learning_outcomes_0_text_sv": "Utföra hjärt-lungräddning på vuxen",
    "learning_outcomes_0_text_en": "Carry out resuscitation on an adult",
    "workload_hours": "8",
    "assessment_criteria_sv": "Visar alla moment utan hjälp.",
    "assessment_criteria_en": "Shows every part without help.",
    "quality_assurance_description_sv": "Vi ser över den varje år.",
    "quality_assurance_description_en": "We look it over every year.",
}
CHOSEN = {
    "learning_outcomes_0_domain": "skill",
    "level_basis": "not_levelled",
    "assessment_supervision": "supervised_with_id",
}
TICKED = {
    "participation_forms": "onsite",
    "assessment_types": "practical",
    "quality_assurance_types": "internal_quality_assurance",
}
LEARNERS = [f"Deltagare {chr(65 + number)}" for number in range(18)]
AMINA = "Amina Exempelsson"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KPASS_")}
    with office(tmp_path, ours | {"LC_ALL": "C.UTF-8", "NO_COLOR": "1"}) as found:
        yield found


def test_from_an_empty_database_to_a_recruiter_who_sees_what_was_revoked_on_a_phone(
    browser: Browser, place: Office, tmp_path: Path
) -> None:
    Story(place, walker_of(browser, place, axe()), tmp_path, "sv", 360).play()


def test_the_same_story_in_english_with_a_keyboard_alone(
    browser: Browser, place: Office, tmp_path: Path
) -> None:
    walker = walker_of(browser, place, axe())

    Story(place, walker, tmp_path, "en", 1280, has_mouse=False).play()


class Story:
    """The people of the story, each with a browser of their own."""

    def __init__(
        self,
        place: Office,
        walker: Walker,
        folder: Path,
        language: Language,
        width: int,
        *,
        has_mouse: bool = True,
    ) -> None:
        self.place, self.walker, self.folder = place, walker, folder
        self.language, self.width, self.has_mouse = language, width, has_mouse

    def t(self, key: str, **values: object) -> str:
        """What a button or link is called."""
        return say(self.language, key, **values)

    def somebody(self) -> Any:
        return colleague(
            self.walker, language=self.language, width=self.width, has_mouse=self.has_mouse
        )

    def play(self) -> None:
        with self.somebody() as karin, self.somebody() as rut:
            self.signs_in_first(karin)
            version = self.defines(karin)
            self.invites(karin)
            self.reviews(rut)
            self.publishes(karin, version)
            self.sends_eighteen(karin)
            with self.somebody() as learner, self.somebody() as recruiter:
                shared = self.opens_and_shares(learner)
                picture = self.photographs(learner, shared)
                self.verifies(recruiter, picture, "verified")
                self.corrects(karin)
                self.revokes(karin, AMINA)
                self.verifies(recruiter, picture, "refused")
            self.looks_around(karin)

    def signs_in_first(self, karin: Colleague) -> None:
        karin.visit.open(self.place.kpass("invite"))
        karin.look("first")
        karin.fill(
            name="Karin Kurs",
            email="karin@exempel.se",
            organization_name_sv="Kursgården (exempel)",
            organization_name_en="Kursgården (example)",
            organization_slug="kursgarden",
        )
        karin.click(self.t("console.invitation.next"))
        karin.look("mailed")
        karin.visit.open(self.place.letters.link_to("karin@exempel.se"))
        karin.look("choose")
        karin.click(self.t("console.invitation.go_passkey"))
        karin.page.wait_for_url("**/console?done=welcome")
        karin.look("start")
        karin.click(self.t("console.nav.sign_out"))
        karin.look("sign-in")
        karin.click(self.t("console.sign_in.go_passkey"))
        karin.page.wait_for_url("**/console")

    def defines(self, karin: Colleague) -> str:
        karin.click(self.t("console.home.first_definition_go"), "link")
        karin.look("definition-new")
        karin.fill(**{**DEFINITION, "workload_hours": ""})
        for name, value in CHOSEN.items():
            karin.choose(name, value)
        for name, value in TICKED.items():
            karin.tick(name, value)
        karin.click(self.t("console.definitions.save_stay"))
        karin.look("definition-gap")
        karin.press(karin.page.locator('aside a[href="#field:workload_hours"]'))
        karin.fill(workload_hours="8")
        karin.click(self.t("console.definitions.save"))
        karin.look("definition-draft")
        version = str(karin.page.url).partition("?")[0]
        karin.click(self.t("console.definitions.submit"))
        karin.look("definition-in-review")
        return version

    def invites(self, karin: Colleague) -> None:
        karin.visit.open(self.place.base + "/console")
        karin.click(self.t("console.home.find_reviewer_go"), "link")
        karin.look("people")
        karin.fill(name="Rut Rättvis", email="rut@exempel.se")
        karin.tick("roles", "reviewer")
        karin.click(self.t("console.people.invite_go"))
        karin.look("people-invited")

    def reviews(self, rut: Colleague) -> None:
        rut.visit.open(self.place.letters.link_to("rut@exempel.se"))
        rut.click(self.t("console.invitation.go_passkey"))
        rut.page.wait_for_url("**/console?done=welcome")
        rut.click(re.compile(self.t("console.home.to_review_go")), "link")
        rut.look("review")
        rut.fill(comment="Tydligt och lagom stort.")
        rut.click(self.t("console.definitions.approve"))
        rut.look("reviewed")

    def publishes(self, karin: Colleague, version: str) -> None:
        karin.visit.open(version)
        assert "Tydligt och lagom stort." in karin.text()
        karin.look("definition-approved")
        karin.click(self.t("console.definitions.publish"))
        karin.look("definition-published")

    def sends_eighteen(self, karin: Colleague) -> None:
        karin.click(self.t("console.nav.issue"), "link")
        karin.look("issue")
        karin.click(re.compile(re.escape(self.t("console.issue.to_many"))), "link")
        karin.look("issue-many")
        karin.attach(self.table())
        karin.click(self.t("console.issue.look_at"))
        karin.look("issue-wrong")
        assert self.t("console.issue.count_bad", total=18, good=15, bad=3) in karin.text()
        for cell, text in (("A3", AMINA), ("B5", "p5@exempel.se"), ("C9", self.day())):
            karin.write(karin.page.locator(f'[name="cell:{cell}"]'), text)
        karin.click(self.t("console.issue.check_again"))
        karin.look("issue-right")
        karin.click(self.t("console.issue.send", count=18))
        progress = karin.page.locator("#progress")
        expect(progress).to_contain_text(
            self.t("console.issue.progress", count=18, total=18), timeout=30_000
        )
        expect(progress.get_by_text(self.t("console.issue.letter_state.sent"))).to_have_count(
            18, timeout=60_000
        )
        karin.look("issue-sent")

    def opens_and_shares(self, learner: Colleague) -> str:
        learner.visit.open(self.place.letters.link_to("p3@exempel.se"))
        self.in_own_language(learner)
        learner.look("learner")
        learner.click(self.t("holder.accept"))
        learner.fill(label="Chefen")
        learner.click(self.t("holder.make_link"))
        learner.look("learner-shared")
        shared = learner.page.locator(".links a").first.get_attribute("href")
        assert shared
        return str(shared)

    def photographs(self, learner: Colleague, shared: str) -> Path:
        """A screenshot of the picture that she shares, as it stands on a screen."""
        learner.page.goto(f"{shared}/image.png")
        learner.page.set_viewport_size({"width": 1280, "height": 900})
        file = self.folder / "screenshot.png"
        learner.page.screenshot(path=file)
        return file

    def verifies(self, recruiter: Colleague, picture: Path, verdict: str) -> None:
        recruiter.visit.open(self.place.base + "/verify")
        recruiter.attach(picture)
        recruiter.press(recruiter.page.locator("form.ask button"))
        recruiter.page.wait_for_selector(f".verdict.{verdict}")
        assert AMINA in recruiter.text()
        recruiter.look(f"recruiter-{verdict}")

    def corrects(self, karin: Colleague) -> None:
        self.finds(karin, LEARNERS[1 + 2])
        karin.click(self.t("console.credential.correct"), "link")
        karin.look("correct")
        karin.fill(holder_name="Dina Deltagare")
        karin.press(karin.page.locator("form.ask button").last)
        assert "Dina Deltagare" in karin.text()
        karin.look("corrected")
        old = self.place.letters.link_to("p5@exempel.se")
        with self.somebody() as learner:
            learner.visit.open(old)
            assert "Dina Deltagare" in learner.text()

    def revokes(self, karin: Colleague, name: str) -> None:
        self.finds(karin, name)
        karin.choose("revoked_reason", "issued_in_error")
        karin.press(karin.page.locator('form:has([value="revoked"]) button'))
        karin.look("revoked")
        assert self.t("console.credentials.state.revoked") in karin.text()

    def finds(self, karin: Colleague, name: str) -> None:
        karin.visit.open(self.place.base + "/console/credentials")
        karin.fill(q=name)
        karin.click(self.t("console.credentials.search"))
        karin.look("credentials")
        karin.click(name, "link")
        karin.look("credential")

    def looks_around(self, karin: Colleague) -> None:
        for section in ("", "/statistics", "/log", "/delegations", "/organization", "/account"):
            karin.visit.open(f"{self.place.base}/console{section}")
            karin.look(f"section{section.replace('/', '-')}")

    def in_own_language(self, learner: Colleague) -> None:
        """The letter is in the learner's language; the page is read in the one of the story."""
        address = str(learner.page.url).partition("?")[0]
        learner.visit.open(f"{address}?language={self.language}")

    def day(self) -> str:
        return (datetime.now(UTC) - timedelta(days=3)).date().isoformat()

    def table(self) -> Path:
        """The class as its teacher has it: three rows are wrong."""
        headings = [
            Column(self.t(f"table.column.{name}"), "", is_day=name == "assessed_on")
            for name in COLUMNS[:3]
        ]
        rows = [
            [name, f"p{number}@exempel.se", self.day()] for number, name in enumerate(LEARNERS, 2)
        ]
        rows[1][0], rows[3][1], rows[7][2] = "811228-9874", "ingen adress", "i tisdags"
        file = self.folder / "klass.xlsx"
        file.write_bytes(write_table("Klass", headings, rows))
        return file
