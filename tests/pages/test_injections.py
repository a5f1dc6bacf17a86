"""Two hundred strings in every text that a page shows: none becomes an element, an attribute or an address."""

import json
from collections.abc import Callable
from itertools import cycle
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from kpass_vc.addresses import Addresses
from kpass_vc.compose.definition import Owner, published_definition
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.definition import read_definition
from kpass_vc.pages.definition import definition_page
from kpass_vc.pages.render import strangers_markdown
from kpass_vc.records.organization import Organization
from tests.api.http import client_of
from tests.injections import INJECTIONS
from tests.pages.reading import Page
from tests.world import World, definition_document

pytestmark = pytest.mark.sqlite

PLAIN = "plain words"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ADDRESSES = Addresses("http://localhost:8000")
OF_MARKDOWN = {
    "p", "h3", "ul", "ol", "li", "em", "strong", "code", "pre", "blockquote", "hr", "br",
}  # fmt: skip


def both(text: str) -> dict[Language, str]:
    return {"sv": text, "en": text}


def saying(text: str, code: str = "SOB-OPTO-01") -> dict[str, Any]:
    """A definition that says `text` wherever its owner may write."""
    document: dict[str, Any] = json.loads(json.dumps(definition_document()))
    document |= {"code": code, "title": both(text), "description": both(text), "tags": [text]}
    for outcome in document["learning_outcomes"]:
        outcome["text"] = both(text)
    document["assessment"] |= {"criteria": both(text), "assessor_requirement": both(text)}
    document["quality_assurance"] |= {
        "description": both(text),
        "accreditations": [{"name": both(text)}],
    }
    document["prerequisites"] = {"text": both(text)}
    for alignment in document["alignments"]:
        alignment |= {"target_name": both(text), "target_type": text}
    for area in document["thematic_areas"]:
        area["name"] = both(text)
    return document


def test_there_are_two_hundred_different_ones() -> None:
    assert len(set(INJECTIONS)) == len(INJECTIONS) == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_an_owner_writes_changes_the_shape_of_a_definitions_page(
    language: Language,
) -> None:
    def page(text: str) -> Page:
        definition = read_definition(saying(text))
        at = ADDRESSES.definition("sobona", definition.code, definition.version)
        owner = Owner(did="did:web:localhost%3A8000:o:sobona", names=both(text), url=None)
        document = published_definition(definition, owner, at)
        html = definition_page(
            document,
            language,
            addresses=at,
            state="published",
            badge_url=at.badge("sv"),
        )
        return Page(html)

    harmless = page(PLAIN)
    for text in INJECTIONS:
        shown = page(text)

        assert shown.shape == harmless.shape, text
        assert shown.comments == [], text
        assert shown.addresses == harmless.addresses, text
        assert shown.text.count(text) >= 10, text


def test_nothing_an_owner_writes_changes_the_shape_of_catalogue_or_comparison(world: World) -> None:
    world.published_definition(**saying(PLAIN, "SOB-PLAIN-01"))
    world.published_definition(**saying(PLAIN, "SOB-PLAIN-02"))
    http = client_of(world.env)
    card = Page(http.get("/catalogue?q=SOB-PLAIN-01").text)
    pair = Page(http.get("/compare?a=sobona/SOB-PLAIN-01&b=sobona/SOB-PLAIN-02").text)
    codes = {f"SOB-KPX-{number:03}": text for number, text in enumerate(INJECTIONS)}
    for code, text in codes.items():
        world.published_definition(**saying(text, code))

    for code, text in codes.items():
        shown = Page(http.get(f"/catalogue?q={code}").text)
        compared = Page(http.get(f"/compare?a=sobona/{code}&b=sobona/{code}").text)

        assert shown.shape == card.shape, text
        assert text in shown.text
        assert compared.shape[:40] == pair.shape[:40], text
        assert {tag for tag, _ in compared.shape} == {tag for tag, _ in pair.shape}, text
        assert all(
            found.startswith(("http://localhost:8000/", "#")) for found in compared.addresses
        )
        assert text in compared.text


def test_no_name_of_an_organisation_changes_the_shape_of_a_page(world: World) -> None:
    world.published_definition()
    world.published_definition(code="SOB-OPTO-02")
    http = client_of(world.env)
    addresses = ("/", "/catalogue", "/compare?a=sobona/SOB-OPTO-01&b=sobona/SOB-OPTO-02")
    harmless = {address: Page(http.get(address).text).shape for address in addresses}

    for text in INJECTIONS:
        with world.writing() as session:
            session.execute(update(Organization).values(name_sv=text, name_en=text))

        for address in addresses[:2]:
            shown = Page(http.get(address).text)
            assert shown.shape == harmless[address], text
            assert text in shown.text
        assert Page(http.get(addresses[2]).text).shape == harmless[addresses[2]], text


def test_no_address_of_an_organisation_leaves_its_attribute(world: World) -> None:
    world.published_definition()
    http = client_of(world.env)
    harmless = Page(http.get("/").text).shape

    for text in INJECTIONS:
        url = f"https://sobona.example/{text.replace(' ', '')}"
        with world.writing() as session:
            session.execute(update(Organization).values(url=url))

        shown = Page(http.get("/").text)

        assert shown.shape == harmless, text
        assert url in shown.all("href")


def test_nothing_that_is_searched_for_changes_the_shape_of_the_catalogue(world: World) -> None:
    world.published_definition()
    http = client_of(world.env)
    asked = {
        "q": PLAIN,
        "owner": PLAIN,
        "level": PLAIN,
        "a": PLAIN,
        "page": PLAIN,
        "language": PLAIN,
    }
    harmless = Page(http.get(f"/catalogue?{urlencode(asked)}").text).shape

    for text in INJECTIONS:
        reply = http.get(f"/catalogue?{urlencode(dict.fromkeys(asked, text))}")

        assert reply.status_code == 200, text
        shown = Page(reply.text)
        assert shown.shape == harmless, text
        assert text in shown.all("value")


def test_no_address_that_is_asked_for_changes_the_shape_of_the_problem_page(world: World) -> None:
    http = client_of(world.env)

    def problem(text: str, address: str) -> Page:
        reply = http.get(address.format(quote(text, safe="")), headers=BROWSER)
        assert reply.status_code == 404, text
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8", text
        return Page(reply.text)

    anywhere = problem(PLAIN, "/{}").shape
    for address in ("/o/sobona/definitions/{}", "/compare?a={0}&b={0}", "/{}"):
        harmless = (problem(PLAIN, address).shape, anywhere)  # one with / in it is none of ours
        for text in INJECTIONS:
            # What has an extension is a file, whose problem is JSON; / at the end is led on
            if "?" in address or not ("." in text.rpartition("/")[2] or text.endswith("/")):
                assert problem(text, address).shape in harmless, text


def presented(*texts: str) -> bytes:
    """A credential that says these texts, one after the other, wherever the answer shows something.

    It has no narrative: what is written there as Markdown may have elements of its own.
    """
    says = cycle(texts)
    credential = _credential()
    return json.dumps(_filled(credential, lambda: next(says))).encode()


def _filled(part: Any, text: Callable[[], str]) -> Any:
    """The same with a text of its own in each place that is None."""
    if isinstance(part, dict):
        return {name: _filled(member, text) for name, member in part.items()}
    if isinstance(part, list):
        return [_filled(member, text) for member in part]
    return text() if part is None else part


def _credential() -> dict[str, Any]:
    text = None
    profile = {"id": text, "type": ["Profile"], "name": text, "url": text}
    return {
        "@context": [text],
        "id": text,
        "type": [text],
        "name": text,
        "issuer": profile,
        "validFrom": text,
        "validUntil": text,
        "awardedDate": text,
        "credentialSubject": {
            "id": text,
            "type": [text],
            "identifier": [
                {"type": text, "hashed": False, "identityType": "name", "identityHash": text}
            ],
            "achievement": {
                "id": text,
                "type": [text],
                "name": text,
                "description": text,
                "humanCode": text,
                "version": text,
                "inLanguage": text,
                "creator": profile,
                "criteria": {"id": text},
            },
        },
        "relatedResource": [{"id": text, "digestSRI": text}],
        "proof": {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "verificationMethod": text,
            "proofPurpose": text,
            "proofValue": text,
        },
    }


def test_nothing_that_a_credential_says_changes_the_shape_of_the_answer(world: World) -> None:
    http = client_of(world.env)

    def answer(text: str) -> Page:
        files = {"file": ("x.json", presented(text), "application/json")}
        reply = http.post("/verify", files=files, headers=BROWSER)
        assert reply.status_code == 200, text
        return Page(reply.text)

    harmless = answer(PLAIN)
    for text in INJECTIONS:
        shown = answer(text)

        assert shown.shape == harmless.shape, text
        assert shown.addresses == harmless.addresses, text
        assert shown.text.count(text) >= 6, text
        assert shown.comments == [], text


def test_a_narrative_is_shown_with_none_of_its_own_elements_and_addresses() -> None:
    for text in INJECTIONS:
        for written in (text, f"# {text}", f"- {text}\n\n> {text}", f"```{text}\n{text}\n```"):
            shown = Page(str(strangers_markdown(written)))

            assert {tag for tag, _ in shown.tags} <= OF_MARKDOWN, written
            assert {name for _, names in shown.shape for name in names} <= {"class", "start"}
            assert shown.addresses == []
            assert shown.comments == []


def test_the_name_and_kind_of_a_file_are_never_shown(world: World) -> None:
    http: TestClient = client_of(world.env)

    for text in INJECTIONS:
        name = text.encode("latin-1", "replace").decode("latin-1")
        reply = http.post(
            "/verify", files={"file": (name, b"nothing", "text/plain")}, headers=BROWSER
        )

        assert reply.status_code in {200, 422}, text
        assert "kpx" not in reply.text


def test_nothing_a_learner_or_an_issuer_writes_changes_the_shape_of_her_pages(world: World) -> None:
    world.published_definition()
    http = client_of(world.env)

    def pages(*texts: str) -> tuple[Page, Page]:
        """Her own page and the shared view of a credential of somebody of these names."""
        name = " ".join(texts)
        issued = world.issued(holder={"name": name}, evidence=[{"name": name, "narrative": name}])
        codes = [world.code_of(world.shared(issued.award.id, label=text)) for text in texts]
        world.disputed(issued.award.id, name)
        own = world.env.addresses.holder_page(world.token_of(issued.award.id))
        shared = world.env.addresses.share(codes[0])
        return Page(http.get(own, headers=BROWSER).text), Page(
            http.get(shared, headers=BROWSER).text
        )

    harmless = pages(PLAIN, f"{PLAIN} too")
    for texts in zip(INJECTIONS[::2], INJECTIONS[1::2], strict=True):
        for shown, expected in zip(pages(*texts), harmless, strict=True):
            assert shown.shape == expected.shape, texts
            assert " ".join(texts) in shown.text
            assert shown.comments == [], texts


def test_nothing_an_owner_writes_changes_the_shape_of_a_learners_pages(world: World) -> None:
    http = client_of(world.env)

    def pages(code: str, text: str, whole: str) -> tuple[Page, Page]:
        document = saying(whole, code) | {"title": both(text), "tags": [text]}
        document["alignments"], document["thematic_areas"] = (
            [],
            definition_document()["thematic_areas"],
        )
        document["quality_assurance"]["accreditations"] = [{"name": both(text)}]
        world.published_definition(**document)
        issued = world.issued(definition=f"sobona/{code}")
        own = world.env.addresses.holder_page(world.token_of(issued.award.id))
        shared = world.env.addresses.share(world.code_of(world.shared(issued.award.id)))
        return Page(http.get(own, headers=BROWSER).text), Page(
            http.get(shared, headers=BROWSER).text
        )

    harmless = pages("SOB-PLAIN-03", PLAIN, PLAIN)
    for number in range(0, len(INJECTIONS), 20):
        batch = INJECTIONS[number : number + 20]
        found = pages(f"SOB-KPX-{number:03}", batch[0], " ".join(batch))
        for shown, expected in zip(found, harmless, strict=True):
            assert shown.shape == expected.shape, batch
            assert batch[-1] in shown.text
            assert shown.comments == []
