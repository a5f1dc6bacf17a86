"""The verify page in a browser, without script: every form in which a credential may reach an employer."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from kpass_vc.links import written_code
from tests.e2e.walk import Visit, Walker
from tests.world import LEARNER, World, body_of

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


@dataclass(frozen=True)
class Held:
    """What a learner has of one credential: her private link, and a share link's code."""

    private: str
    code: str
    body: str


@pytest.fixture
def held(served_world: World) -> Held:
    issued = served_world.issued()
    return Held(
        f"/c/{served_world.token_of(issued.award.id)}",
        served_world.code_of(served_world.shared(issued.award.id)),
        body_of(issued).decode(),
    )


def paste(visit: Visit, text: str) -> None:
    visit.open("/verify")
    visit.page.locator("#text").fill(text)
    visit.page.locator("form.ask button").click()


def upload(visit: Visit, file: Path) -> None:
    visit.open("/verify")
    visit.page.locator("#file").set_input_files(file)
    visit.page.locator("form.ask button").click()


def assert_verified(visit: Visit) -> None:
    assert visit.page.locator(".verdict-word").inner_text().strip() == "Verifierat"
    assert LEARNER in visit.page.locator("main").inner_text()


@pytest.mark.parametrize("kind", ["json", "jwt", "png", "svg"])
def test_what_a_learner_saved_is_verified_when_it_is_uploaded(
    walker: Walker, held: Held, tmp_path: Path, kind: str
) -> None:
    with walker.visiting(width=360, script=False) as visit:
        visit.open(held.private)
        with visit.page.expect_download() as started:
            visit.page.locator(f"a[href$='credential.sv.{kind}']").click()
        started.value.save_as(tmp_path / f"saved.{kind}")

        upload(visit, tmp_path / f"saved.{kind}")

        assert_verified(visit)


@pytest.mark.parametrize("form", ["json", "link", "code", "written code"])
def test_what_an_employer_pastes_or_types_is_verified(
    walker: Walker, held: Held, form: str
) -> None:
    given = {
        "json": held.body,
        "link": f"{walker.base}/s/{held.code}",
        "code": held.code.lower(),
        "written code": f" {written_code(held.code)} ",
    }
    with walker.visiting(script=False) as visit:
        paste(visit, given[form])

        assert_verified(visit)


def test_a_screenshot_of_the_share_image_at_half_size_as_jpeg_is_verified(
    walker: Walker, held: Held, tmp_path: Path
) -> None:
    with walker.visiting() as visit:
        visit.open(f"/s/{held.code}/image.png")
        shown = visit.page.locator("img").bounding_box()
        assert shown is not None
        visit.page.set_viewport_size({"width": 1080, "height": 1350})
        visit.open(f"/s/{held.code}/image.png")
        taken = Image.open(io.BytesIO(visit.page.screenshot())).convert("RGB")
        assert taken.size == (1080, 1350)
        taken.resize((540, 675)).save(tmp_path / "screenshot.jpg", quality=75)

        upload(visit, tmp_path / "screenshot.jpg")

        assert_verified(visit)


def test_a_link_that_was_withdrawn_verifies_nothing_any_more(walker: Walker, held: Held) -> None:
    with walker.visiting(width=360, script=False) as visit:
        visit.open(held.private)
        visit.page.locator("form[action*='/withdrawal'] button").click()

        paste(visit, held.code)

        assert visit.page.locator(".verdict-word").count() == 0
        assert LEARNER not in visit.page.locator("main").inner_text()


def test_a_credential_that_was_revoked_is_refused_on_both_pages(
    walker: Walker, served_world: World
) -> None:
    issued = served_world.issued()
    code = served_world.code_of(served_world.shared(issued.award.id))
    served_world.set_status(issued, "revoked")
    with walker.visiting(script=False) as visit:
        paste(visit, code)

        assert visit.page.locator(".verdict-word").inner_text().strip() == "Underkänt"
        visit.open(f"/s/{code}")
        assert visit.page.locator(".verdict-word").inner_text().strip() == "Underkänt"
