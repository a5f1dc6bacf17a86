"""The learner's page and the shared view in a browser: no barrier, and all of it without script."""

import pytest

from kpass_vc.actions.folder import folder_link
from tests.e2e.walk import Walker
from tests.world import LEARNER, World

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


@pytest.fixture
def award_id(served_world: World) -> str:
    """A fresh credential of the demo's SOB-OPTO-01."""
    return served_world.issued().award.id


def private(world: World, award_id: str) -> str:
    return f"/c/{world.token_of(award_id)}"


def test_the_learners_page_has_no_barrier(
    walker: Walker, served_world: World, award_id: str
) -> None:
    walker.walk(private(served_world, award_id), name="holder-new")


def test_the_learners_page_has_no_barrier_with_links_and_an_open_dispute(
    walker: Walker, served_world: World, award_id: str
) -> None:
    served_world.shared(award_id, label="Jobbet på Stadsnätet")
    served_world.shared(
        award_id, label="Arbetsförmedlingen", lasts="until_withdrawn", language="en"
    )
    served_world.disputed(award_id, "Datumet är fel.\nJag gjorde provet i maj.")

    walker.walk(private(served_world, award_id), name="holder")


def test_the_folder_has_no_barrier(walker: Walker, served_world: World) -> None:
    known = {"name": LEARNER, "reference": "the-folder"}
    first, second = (served_world.issued(holder=known) for _ in range(2))
    served_world.set_status(first, "revoked")
    with served_world.reading() as session:
        address = folder_link(served_world.env, session, second.award)
    assert address is not None

    walker.walk(address.removeprefix(served_world.env.addresses.base), name="folder")


@pytest.mark.parametrize("status", ["revoked", "valid"])
def test_the_shared_view_has_no_barrier(walker: Walker, served_world: World, status: str) -> None:
    issued = served_world.issued()
    code = served_world.code_of(served_world.shared(issued.award.id))
    if status == "revoked":
        served_world.set_status(issued, "revoked")

    walker.walk(f"/s/{code}", name=f"shared-{status}")


def test_a_link_that_leads_nowhere_has_no_barrier(walker: Walker) -> None:
    walker.walk("/s/000000000000", name="shared-ended", status=404)
    walker.walk("/c/nobody", name="holder-nobody", status=404)


def test_a_link_is_made_opened_and_removed_without_script(
    walker: Walker, served_world: World, award_id: str
) -> None:
    with walker.visiting(width=360, script=False) as visit:
        page = visit.page
        visit.open(private(served_world, award_id))
        page.get_by_label("Vem är länken till?").fill("Chefen 811228-9874")
        page.get_by_role("button", name="Gör en delningslänk").click()
        visit.keep("holder-refused")
        assert "Skriv inget personnummer." in page.get_by_role("alert").inner_text()
        page.get_by_label("Vem är länken till?").fill("Chefen")
        page.get_by_label("Hur länge ska den gälla?").select_option("day")
        page.get_by_role("button", name="Gör en delningslänk").click()
        assert page.get_by_role("img", name="QR-kod för länken till Chefen").is_visible()

        page.locator(".links a").first.click()
        assert "Beviset är äkta" in page.locator("h1").inner_text()
        assert LEARNER in page.locator("main").inner_text()
        shared = page.url
        page.go_back()
        page.get_by_role("button", name="Ta bort länken: Chefen").click()

        assert "Du delar inte beviset med någon nu." in page.locator("main").inner_text()
        visit.open(shared, status=404)
        assert "gäller inte längre" in page.locator("main").inner_text()


def test_a_dispute_is_sent_without_script(
    walker: Walker, served_world: World, award_id: str
) -> None:
    with walker.visiting(language="en", width=360, script=False) as visit:
        visit.open(private(served_world, award_id))
        visit.page.get_by_label("What is wrong in the credential?").fill(
            "The date.\nIt was in May."
        )

        visit.page.get_by_role("button", name="Send to the issuer").click()

        text = visit.page.locator("main").inner_text()
        assert "You have said that something is wrong" in text
        assert "It was in May." in text


@pytest.mark.parametrize("kind", ["json", "jwt", "png", "svg"])
def test_a_download_is_a_file_with_a_name(
    walker: Walker, served_world: World, award_id: str, kind: str
) -> None:
    with walker.visiting(script=False) as visit:
        visit.open(private(served_world, award_id))

        with visit.page.expect_download() as started:
            visit.page.locator(f"a[href$='credential.sv.{kind}']").click()

        assert started.value.suggested_filename == f"SOB-OPTO-01.sv.{kind}"


def test_the_learners_page_reads_from_right_to_left_as_well(
    walker: Walker, served_world: World, award_id: str
) -> None:
    """A language that is written so needs sentences and `page.direction`, and no other stylesheet."""
    with walker.visiting(width=360) as visit:
        visit.open(private(served_world, award_id))

        visit.page.evaluate("document.documentElement.dir = 'rtl'")

        visit.keep("holder-rtl")
        assert visit.faults() == []
        begins = "getComputedStyle(document.querySelector('h1')).textAlign"
        assert visit.page.evaluate(begins) in {"start", "right"}
