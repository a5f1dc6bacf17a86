"""The learner's page over HTTP: what it shows, its forms without script, its files, and what it keeps from others."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from kpass_vc.actions.rotate_key import compromise_key
from kpass_vc.actions.share import AnswerOrder, answer
from kpass_vc.authz import ORGANIZATION, Actor
from kpass_vc.baking import unbake
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.links import written_code
from kpass_vc.records.award import Award
from kpass_vc.records.dispute import Dispute
from kpass_vc.records.organization import Organization
from kpass_vc.records.share_link import ShareLink
from tests.api.http import client_of, rows
from tests.injections import INJECTIONS
from tests.pages.reading import Page
from tests.world import LEARNER, OPERATOR_ACTOR, World, body_of

pytestmark = pytest.mark.sqlite

FORM = "application/x-www-form-urlencoded"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SHARE = {"label": "Chefen", "lasts": "month", "language": "sv"}
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</textarea><script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "&lt;script&gt;&#x3c;b&#x3e;",
    "<!--<bdi>",
    "]]><x>",
)


class Learner:
    """A learner with a credential, and a browser without script."""

    def __init__(self, world: World, **order: Any) -> None:
        self.world = world
        self.issued = world.issued(**order)
        self.http = client_of(world.env)
        self.http.headers.update({"Accept": BROWSER, "Accept-Language": "sv"})

    @property
    def award(self) -> Award:
        return self.issued.award

    @property
    def address(self) -> str:
        return f"/c/{self.world.token_of(self.award.id)}"

    def page(self, language: Language = "sv") -> Page:
        reply = self.http.get(f"{self.address}?language={language}")
        assert reply.status_code == 200
        return Page(reply.text)

    def share(self, **form: str) -> str:
        """The code of a link that the form makes."""
        given = SHARE | form
        before = self.codes()
        reply = self.http.post(f"{self.address}/shares", data=given)
        assert reply.status_code == 303, reply.text
        (code,) = self.codes() - before
        return code

    def codes(self) -> set[str]:
        """The codes that the page shows."""
        return set(re.findall(r"/s/([0-9A-Z]{12})/image", self.http.get(self.address).text))


@pytest.fixture
def learner(world: World) -> Learner:
    world.published_definition()
    return Learner(world)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "sv",
            ["Fibersvetsning i fält", LEARNER, "Gäller", "Färdigheter", "16 timmar",
             "enligt ägarens egen bedömning", "Stadsnat-Exempel (exempel)", "Sobona (exempel)",
             "Länken till den här sidan är bara din", "Du delar inte beviset med någon nu."],
        ),
        (
            "en",
            ["Fibre splicing in the field", LEARNER, "Valid", "Skills", "16 hours",
             "in the owner's own assessment", "Stadsnat-Exempel (example)", "Sobona (example)",
             "The link to this page is yours alone", "not sharing the credential with anybody"],
        ),
    ],
)  # fmt: skip
def test_the_page_says_what_the_credential_is_in_its_language(
    learner: Learner, language: Language, said: list[str]
) -> None:
    page = learner.page(language)

    assert page.tags[0] == ("html", {"lang": language, "dir": "ltr"})
    assert [text for text in said if text not in page.text] == []
    other = "en" if language == "sv" else "sv"
    base = learner.world.env.addresses.base
    assert f"{base}{learner.address}?language={other}" in page.all("href")


def test_whoever_made_a_link_is_led_to_it(learner: Learner) -> None:
    made = learner.http.post(f"{learner.address}/shares", data=SHARE, follow_redirects=False)

    assert made.headers["Location"].endswith("#section:links")
    assert "section:links" in learner.page().all("id")


def test_the_page_is_for_nobody_else(learner: Learner) -> None:
    reply = learner.http.get(learner.address)

    assert reply.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in reply.headers["X-Robots-Tag"]
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in reply.headers
    policy = reply.headers["Content-Security-Policy"]
    assert "script" not in policy
    assert "unsafe" not in policy


def test_the_page_is_well_formed_and_names_what_it_refers_to(learner: Learner) -> None:
    learner.share()
    learner.world.disputed(learner.award.id)
    learner.http.post(f"{learner.address}/dispute", data={"text": "en gång till"})

    for language in LANGUAGES:
        page = learner.page(language)
        ids = page.all("id")
        assert len(ids) == len(set(ids))
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert {each for found in page.all(name) for each in found.split()} <= set(ids)
        assert not {"script", "style", "iframe"} & {tag for tag, _ in page.tags}
        names = {name for _, attributes in page.tags for name in attributes}
        assert not [name for name in names if name == "style" or name.startswith("on")]
        levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3"}]
        assert levels.count(1) == 1


@pytest.mark.parametrize(
    ("become", "said"),
    [
        ("revoked", "har återkallat beviset"),
        ("expired", "Beviset gällde till och med"),
        ("compromised", "Be om ett nytt."),
        ("disputed", "Du har sagt att något är fel"),
    ],
)
def test_the_page_says_what_became_of_the_credential(
    learner: Learner, become: str, said: str
) -> None:
    match become:
        case "revoked":
            learner.world.set_status(learner.issued, "revoked", "wrong_details")
            assert "uppgifterna är fel" in learner.page().text
        case "expired":
            learner.world.clock.advance(days=4000)
        case "compromised":
            _compromise(learner)
        case _:
            learner.world.disputed(learner.award.id)

    assert said in learner.page().text


def test_a_credential_under_a_compromised_key_is_nowhere_said_to_be_valid(
    learner: Learner,
) -> None:
    code = learner.share()
    assert "gäller till och med" in learner.page().text

    _compromise(learner)

    assert "gäller till och med" not in learner.page().text
    assert "Beviset gäller inte nu." in learner.page().text
    shared = Page(learner.http.get(f"/s/{code}?language=sv").text)
    assert "nyckeln som det är underskrivet med har röjts" in shared.heading
    assert "det har ändrats" not in shared.heading


def _compromise(learner: Learner) -> None:
    (method,) = {
        row.verification_method
        for row in learner.issued.representations
        if row.format == "ldp_vc" and row.language == "sv"
    }
    with learner.world.writing() as session:
        compromise_key(learner.world.env, session, OPERATOR_ACTOR, "stadsnat-exempel", method)


def test_a_suspended_credential_is_said_to_be_suspended_and_then_valid_again(world: World) -> None:
    world.published_definition(status_purpose="suspension")
    learner = Learner(world)

    world.set_status(learner.issued, "suspended", "under_investigation")
    assert "har pausat beviset" in learner.page().text
    world.set_status(learner.issued, "active", "investigation_closed")

    assert "har pausat beviset" not in learner.page().text


@pytest.mark.parametrize("language", ["sv", "en"])
def test_what_is_downloaded_are_the_signed_bytes_alone_or_in_a_picture(
    learner: Learner, language: str
) -> None:
    found = {
        kind: learner.http.get(f"{learner.address}/credential.{language}.{kind}")
        for kind in ("json", "jwt", "png", "svg")
    }

    document = body_of(learner.issued, language)
    assert found["json"].content == document
    assert found["jwt"].content == body_of(learner.issued, language, "vc-jwt")
    assert unbake(found["png"].content) == document
    assert unbake(found["svg"].content) == document
    for kind, reply in found.items():
        assert reply.headers["Cache-Control"] == "private, no-store"
        name = f'attachment; filename="SOB-OPTO-01.{language}.{kind}"'
        assert reply.headers["Content-Disposition"] == name


def test_a_share_link_is_made_shown_with_its_qr_and_code_and_removed(learner: Learner) -> None:
    code = learner.share(label="Chefen på Nätet", lasts="day", language="en")

    page = learner.page()
    address = learner.world.env.addresses.share(code)
    assert {address, f"{address}/image.png"} <= set(page.all("href"))
    assert written_code(code) in page.text
    assert "Chefen på Nätet" in page.text
    assert "QR-kod för länken till Chefen på Nätet" in page.all("aria-label")
    (action,) = [each for each in page.all("action") if "withdrawal" in each]
    assert learner.http.get(f"/s/{code}").status_code == 200

    reply = learner.http.post(action)

    assert reply.status_code == 303
    assert reply.headers["Location"].startswith(learner.world.env.addresses.base)
    assert learner.http.get(f"/s/{code}").status_code == 404
    assert "Du delar inte beviset med någon nu." in learner.page().text
    assert "Borttagen" in learner.page().text


def test_the_learner_says_once_that_it_is_right_and_sees_that_it_was_said(learner: Learner) -> None:
    button = f"{learner.address}/acceptance"
    assert f"{button}?" in learner.http.get(learner.address).text
    reply = learner.http.post(f"{button}?language=sv", follow_redirects=True)
    assert reply.status_code == 200
    with learner.world.reading() as session:
        claimed_at = session.get_one(Award, learner.award.id).claimed_at
    assert claimed_at is not None

    page = learner.http.get(f"{learner.address}?language=sv").text
    assert f"{claimed_at:%Y-%m-%d}" in page
    assert f"{button}?" not in page
    learner.world.clock.advance(days=1)
    learner.http.post(button)
    with learner.world.reading() as session:
        assert session.get_one(Award, learner.award.id).claimed_at == claimed_at


def test_the_learner_changes_the_link_and_the_one_before_leads_nowhere(learner: Learner) -> None:
    before = learner.address
    assert f"{before}/renewal?" in learner.http.get(before).text

    reply = learner.http.post(f"{before}/renewal?language=sv", follow_redirects=False)

    assert reply.status_code == 303
    assert learner.address != before
    assert learner.address in reply.headers["Location"]
    assert learner.http.get(reply.headers["Location"]).status_code == 200
    assert learner.http.get(before).status_code == 404
    assert learner.http.post(f"{before}/acceptance").status_code == 404


def test_a_form_that_is_refused_comes_back_with_what_was_written(learner: Learner) -> None:
    given = {"label": "Till 811228-9874 & co", "lasts": "year", "language": "en"}

    reply = learner.http.post(f"{learner.address}/shares?language=sv", data=given)

    page = Page(reply.text)
    assert reply.status_code == 422
    assert "Skriv inget personnummer." in page.text
    assert given["label"] in page.all("value")
    chosen = [attributes["value"] for tag, attributes in page.tags if "selected" in attributes]
    assert chosen == ["year", "en"]
    assert "/label" not in page.text


def test_a_dispute_goes_to_the_issuer_and_the_answer_is_shown(learner: Learner) -> None:
    text = "Datumet är fel.\r\nDet var i maj & inte i juni."

    reply = learner.http.post(f"{learner.address}/dispute?language=sv", data={"text": text})
    assert reply.status_code == 303
    assert "har inte svarat ännu" in learner.page().text
    again = learner.http.post(f"{learner.address}/dispute?language=sv", data={"text": "Hallå?"})
    assert again.status_code == 409
    assert "Hallå?" in Page(again.text).text
    order = AnswerOrder(status="closed", answer="Vi har utfärdat ett nytt.")
    actor = Actor("test", learner.award.organization_id, ORGANIZATION)
    with learner.world.writing() as session:
        answer(learner.world.env, session, actor, learner.award.id, order)

    page = learner.page()
    assert "Datumet är fel.\nDet var i maj & inte i juni." in page.text
    assert "Vi har utfärdat ett nytt." in page.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Skriv vad som är fel, med högst 2\u00a0000 tecken."),
        ("x" * 2001, "Skriv vad som är fel, med högst 2\u00a0000 tecken."),
        ("Jag är 19811228-9874.", "Utfärdaren vet vem du är."),
        ("a\u202eb", "ett tecken som inte går att visa"),
        ("a\0b", "ett tecken som inte går att visa"),
    ],
)
def test_a_dispute_that_is_refused_says_why_in_plain_words(
    learner: Learner, text: str, said: str
) -> None:
    reply = learner.http.post(f"{learner.address}/dispute?language=sv", data={"text": text})

    assert reply.status_code == 422
    assert said in Page(reply.text).text
    assert rows(learner.world.env)["dispute"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"label",
        b"label=%00&lasts=day&language=sv",
        b"label=%ff%fe&lasts=day&language=sv",
        b"label=%ed%a0%80&lasts=day&language=sv",
        "label=åäö&lasts=day&language=sv".encode(),
        b"label=a&lasts=day&language=sv&" + b"&".join(b"x%d=1" % n for n in range(30)),
        b'{"label": "a"}',
        b"\0" * 100,
        b"label=" + b"%41" * 10_000 + b"&lasts=day&language=sv",
        b"label=a&lasts=week&language=sv",
        b"label=a&lasts=day&language=de",
        b"label=a&lasts=day&language=%F0%9F%92%A9",
    ],
)
def test_whatever_is_posted_is_answered_with_a_page(learner: Learner, body: bytes) -> None:
    for form in ("shares", "dispute"):
        reply = learner.http.post(
            f"{learner.address}/{form}", content=body, headers={"Content-Type": FORM}
        )

        assert reply.status_code == 422
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        Page(reply.text)


@pytest.mark.parametrize(
    "token",
    ["x", "A" * 43, "A" * 10_000, "%C3%A5" * 43, "7K1P-9QXM-20TB", "%F0%9F%92%A9", "a%20b"],
)
def test_a_token_of_nobody_leads_to_a_plain_page_for_every_request(
    learner: Learner, token: str
) -> None:
    for method, rest in (
        ("GET", ""),
        ("GET", "/credential.sv.json"),
        ("GET", "/credential.sv.png"),
        ("POST", "/shares/x/withdrawal"),
    ):
        reply = learner.http.request(method, f"/c/{token}{rest}")

        assert reply.status_code == 404
        assert "no-store" in reply.headers["Cache-Control"]
    for form, given in (("shares", SHARE), ("dispute", {"text": "Fel."})):
        reply = learner.http.post(f"/c/{token}/{form}", data=given)

        assert reply.status_code == 404
        assert "leder ingenstans" in Page(reply.text).text


@pytest.mark.parametrize("token", ["%00", "a%00b", "%0a"])
def test_a_control_character_in_the_address_is_refused(learner: Learner, token: str) -> None:
    assert learner.http.get(f"/c/{token}").status_code == 422
    assert learner.http.get(f"/s/{token}").status_code == 422
    assert learner.http.get(f"{learner.address}?language={token}").status_code == 422


@pytest.mark.parametrize("name", ["credential.de.json", "credential.sv.exe", "credential.sv", "x"])
def test_a_file_that_is_not_there_is_not_found(learner: Learner, name: str) -> None:
    assert learner.http.get(f"{learner.address}/{name}").status_code == 404


def test_a_link_of_another_award_cannot_be_removed_from_here(learner: Learner) -> None:
    another = Learner(learner.world)
    code = another.share()
    (action,) = [each for each in another.page().all("action") if "withdrawal" in each]
    share_id = action.split("/")[-2]

    reply = learner.http.post(f"{learner.address}/shares/{share_id}/withdrawal")

    assert reply.status_code == 404
    assert learner.http.get(f"/s/{code}").status_code == 200


def test_a_protected_identity_has_no_name_on_the_page(world: World) -> None:
    world.published_definition()
    learner = Learner(world, holder={"protectedIdentity": True})
    learner.share()

    page = learner.page()

    assert "Tilldelat" not in page.text
    assert LEARNER not in page.text


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_people_wrote_is_never_markup(world: World, attack: str) -> None:
    world.published_definition(
        title={"sv": attack, "en": attack}, description={"sv": attack, "en": attack}
    )
    world.organization("stadsnat-exempel")
    learner = Learner(world, holder={"name": f"A {attack}"})
    code = learner.share(label=f"B {attack}")
    learner.http.post(f"{learner.address}/dispute", data={"text": f"C {attack}"})
    pages = [
        learner.http.get(learner.address).text,
        learner.http.get(f"/s/{code}").text,
        learner.http.post(f"{learner.address}/dispute", data={"text": f"D {attack}"}).text,
        learner.http.post(f"{learner.address}/shares", data={"label": f"E {attack}"}).text,
    ]

    for html in pages:
        page = Page(html)
        assert "script" not in {tag for tag, _ in page.tags}
        assert "onerror" not in {name for _, found in page.tags for name in found}
        names = {name for _, found in page.tags for name in found}
        assert not [name for name in names if name.startswith("on")]
        assert attack in page.text
    assert f"C {attack}" in Page(pages[0]).text
    assert f"D {attack}" in Page(pages[2]).text
    assert f"E {attack}" in Page(pages[3]).all("value")


def test_two_hundred_injected_strings_change_no_element_of_the_page(learner: Learner) -> None:
    """As they would stand in the records, whatever an order refuses."""
    learner.share()
    learner.world.disputed(learner.award.id)

    def shape(text: str, state: str) -> list[tuple[str, tuple[str, ...]]]:
        with learner.world.writing() as session:
            session.execute(update(Award).values(holder_name=text))
            session.execute(update(ShareLink).values(label=text))
            session.execute(update(Dispute).values(text=text, answer=text, state=state))
            session.execute(update(Organization).values(name_sv=text))
        reply = learner.http.get(learner.address)
        assert reply.status_code == 200
        return Page(reply.text).shape

    for state in ("open", "closed"):
        plain = shape("plain words", state)
        for injected in INJECTIONS:
            assert shape(injected.replace("\0", ""), state) == plain, injected


def test_head_answers_as_get_does(learner: Learner) -> None:
    whole, head = learner.http.get(learner.address), learner.http.head(learner.address)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert learner.http.head(f"{learner.address}/credential.sv.json").status_code == 200


def test_the_link_of_the_api_leads_to_the_page(learner: Learner, world: World) -> None:
    token = world.token("stadsnat-exempel")
    reply = learner.http.get(
        f"/v1/credentials/{learner.award.id}", headers={"Authorization": f"Bearer {token}"}
    )

    link = json.loads(reply.text)["holderLink"]

    assert learner.http.get(link).status_code == 200
    assert isinstance(learner.http, TestClient)
