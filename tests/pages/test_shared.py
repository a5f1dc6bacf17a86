"""The shared view over HTTP: the verdict first, the credential for programs, and nothing once the link has ended."""

import io
import re

import pytest
from PIL import Image

from kpass_vc.baking import unbake
from kpass_vc.links import written_code
from kpass_vc.qr import read_qr
from tests.api.http import rows
from tests.pages.reading import Page
from tests.pages.test_holder import BROWSER, Learner
from tests.world import LEARNER, World, body_of

pytestmark = pytest.mark.sqlite

HTML, JSON = "text/html; charset=utf-8", "application/vc+ld+json"


@pytest.fixture
def learner(world: World) -> Learner:
    world.published_definition()
    return Learner(world)


def shown(learner: Learner, code: str, language: str = "sv") -> Page:
    reply = learner.http.get(f"/s/{code}?language={language}", headers={"Accept": BROWSER})
    assert reply.status_code == 200
    return Page(reply.text)


def heading(html: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_verdict_comes_first_and_the_name_is_to_be_compared(learner: Learner) -> None:
    code = learner.share()

    for language, verdict, compare in (
        ("sv", "Beviset är äkta", "Jämför namnet med en id-handling"),
        ("en", "The credential is genuine", "identity document"),
    ):
        html = learner.http.get(f"/s/{code}?language={language}").text
        page = Page(html)
        assert verdict in heading(html)
        assert page.text.index(verdict) < page.text.index(LEARNER)
        assert compare in page.text
        assert "Stadsnat-Exempel" in page.text
        assert "Sobona" in page.text


def test_the_link_is_said_to_be_the_holders_own_and_when_it_ends(learner: Learner) -> None:
    page = shown(learner, learner.share(lasts="day"))

    assert "Innehavaren av beviset har gjort länken" in page.text
    assert "Den gäller till " in page.text
    assert "Den gäller till " not in shown(learner, learner.share(lasts="until_withdrawn")).text


@pytest.mark.parametrize("status", ["revoked", "expired"])
def test_a_credential_that_holds_no_more_is_refused_in_the_first_sentence(
    learner: Learner, status: str
) -> None:
    code = learner.share(lasts="until_withdrawn")
    if status == "revoked":
        learner.world.set_status(learner.issued, "revoked")
        said = "har återkallat det"
    else:
        learner.world.clock.advance(days=4000)
        said = "löpte ut"

    html = learner.http.get(f"/s/{code}?language=sv").text

    assert said in heading(html)
    assert "Underkänt" in Page(html).text


def test_a_link_shows_the_edition_it_was_made_for(learner: Learner) -> None:
    code = learner.share(language="en")

    reply = learner.http.get(f"/s/{code}/credential.json")

    assert reply.content == body_of(learner.issued, "en")
    assert learner.http.get(f"/s/{code}/credential.jwt").content == body_of(
        learner.issued, "en", "vc-jwt"
    )


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("application/vc+ld+json", JSON),
        ("application/vc", JSON),
        ("application/json", JSON),
        ("application/ld+json, */*;q=0.1", JSON),
        ("APPLICATION/JSON;q=0.9", JSON),
        (BROWSER, HTML),
        ("text/html, application/json", HTML),
        ("*/*", HTML),
        ("image/png", HTML),
        (",,;q=", HTML),
    ],
)
def test_a_program_gets_the_credential_at_the_same_address(
    learner: Learner, accept: str, answer: str
) -> None:
    code = learner.share()

    reply = learner.http.get(f"/s/{code}", headers={"Accept": accept})

    assert reply.headers["Content-Type"] == answer
    assert (reply.content == body_of(learner.issued)) is (answer == JSON)
    assert "Accept" in reply.headers["Vary"]


def test_the_share_image_holds_the_credential(learner: Learner) -> None:
    code = learner.share()

    reply = learner.http.get(f"/s/{code}/image.png")

    assert reply.headers["Content-Type"] == "image/png"
    assert unbake(reply.content) == body_of(learner.issued)


def test_the_share_image_leads_back_to_the_link_when_it_is_half_as_large_and_a_jpeg(
    learner: Learner,
) -> None:
    code = learner.share()
    body = learner.http.get(f"/s/{code}/image.png").content
    assert read_qr(body) == (learner.world.env.addresses.share(code),)
    with Image.open(io.BytesIO(body)) as whole:
        assert whole.size == (1080, 1350)
        half = whole.convert("RGB").resize((540, 675))
    screenshot = io.BytesIO()
    half.save(screenshot, "JPEG", quality=75)

    reply = learner.http.post(
        "/verify",
        data={"language": "sv", "text": ""},
        files={"file": ("skärmbild.jpg", screenshot.getvalue(), "image/jpeg")},
    )

    assert reply.status_code == 200
    assert "Beviset är äkta" in heading(reply.text)
    assert LEARNER in reply.text


def test_a_preview_names_what_was_achieved_and_the_image_and_no_person(learner: Learner) -> None:
    code = learner.share()
    page = shown(learner, code)
    preview = {
        attributes["property"]: attributes["content"]
        for tag, attributes in page.tags
        if tag == "meta" and "property" in attributes
    }

    assert preview["og:title"] == "Fibersvetsning i fält"
    address = learner.world.env.addresses.share(code)
    assert (preview["og:url"], preview["og:image"]) == (address, f"{address}/image.png")
    assert LEARNER not in str(preview)


@pytest.mark.parametrize("end", ["withdrawn", "expired", "unknown"])
def test_nothing_of_a_link_that_has_ended_is_served(learner: Learner, end: str) -> None:
    code = learner.share(lasts="day")
    if end == "withdrawn":
        (action,) = [each for each in learner.page().all("action") if "withdrawal" in each]
        learner.http.post(action)
    elif end == "expired":
        learner.world.clock.advance(days=1)
    else:
        code = "0" * 12

    for rest in ("", "/credential.json", "/credential.jwt", "/image.png"):
        for accept in (BROWSER, "application/vc+ld+json"):
            reply = learner.http.get(f"/s/{code}{rest}", headers={"Accept": accept})

            assert reply.status_code == 404
            assert LEARNER not in reply.text
            assert "Fibersvetsning" not in reply.text
            assert "no-store" in reply.headers["Cache-Control"]
    page = Page(learner.http.get(f"/s/{code}").text)
    said = "ingen delningslänk" if end == "unknown" else "gäller inte längre"
    assert said in page.text
    assert page.heading == "Länken fungerar inte"
    assert "adressen" not in page.text


def test_a_code_typed_with_hyphens_and_small_letters_opens_the_page(learner: Learner) -> None:
    code = learner.share()

    assert LEARNER in shown(learner, written_code(code).lower()).text


@pytest.mark.parametrize(
    "code", ["x", "0" * 10_000, "%C3%A5" * 12, "%F0%9F%92%A9", "a%20b", "%E2%80%AE" * 12]
)
def test_a_code_of_nobody_is_a_plain_page(learner: Learner, code: str) -> None:
    for rest in ("", "/credential.json", "/image.png"):
        assert learner.http.get(f"/s/{code}{rest}").status_code == 404


def test_the_page_is_kept_by_nobody_and_head_answers_as_get(learner: Learner) -> None:
    code = learner.share()

    whole, head = learner.http.get(f"/s/{code}"), learner.http.head(f"/s/{code}")

    assert whole.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in whole.headers["X-Robots-Tag"]
    assert whole.headers["Referrer-Policy"] == "no-referrer"
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert learner.http.head(f"/s/{code}/image.png").status_code == 200


def test_nothing_leads_from_the_shared_view_to_the_private_link(learner: Learner) -> None:
    code = learner.share(label="Hemlig arbetsgivare")

    html = learner.http.get(f"/s/{code}").text

    assert learner.world.token_of(learner.award.id) not in html
    assert "/c/" not in html
    assert learner.award.id not in html
    assert "Hemlig arbetsgivare" not in html


def test_a_protected_identity_has_no_name_in_the_shared_view(world: World) -> None:
    world.published_definition()
    learner = Learner(world, holder={"protectedIdentity": True})

    page = shown(learner, learner.share())

    assert LEARNER not in page.text
    assert "Jämför namnet" not in page.text
    assert "Beviset är äkta" in page.text


def test_looking_at_a_shared_credential_stores_nothing(learner: Learner) -> None:
    code = learner.share()
    before = rows(learner.world.env)

    learner.http.get(f"/s/{code}")
    learner.http.get(f"/s/{code}/image.png")

    assert rows(learner.world.env) == before
