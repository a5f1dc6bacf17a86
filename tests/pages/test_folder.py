"""The learner's folder over HTTP: what lies in it, who opens it, and what ends its link."""

import io
import zipfile
from typing import Any

import pytest
from starlette.testclient import TestClient

from kpass_vc.actions.correct import CorrectionOrder, correct
from kpass_vc.actions.erase import erase
from kpass_vc.actions.folder import folder_link
from kpass_vc.actions.issue import Issued
from kpass_vc.links import folder_token, holder_token
from kpass_vc.records.award import Award
from tests.api.http import client_of
from tests.pages.reading import Page
from tests.world import LEARNER, World, actor_of, issue_order

pytestmark = pytest.mark.sqlite
KNOWN = {"name": LEARNER, "reference": "anst-17"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def http(world: World) -> TestClient:
    world.published_definition()
    world.published_definition(
        code="SOB-OPTO-02", title={"sv": "Mätning av fiber", "en": "Fibre measurement"}
    )
    found = client_of(world.env)
    found.headers.update({"Accept": BROWSER, "Accept-Language": "sv"})
    return found


def given(world: World, code: str = "SOB-OPTO-01", **changes: Any) -> Issued:
    """A credential for her whom the issuer knows by its own reference."""
    return world.issued(definition=f"sobona/{code}", **({"holder": KNOWN} | changes))


def folder_of(world: World, issued: Issued) -> str:
    with world.reading() as session:
        found = folder_link(world.env, session, session.get_one(Award, issued.award.id))
    assert found is not None
    return found


def corrected(world: World, issued: Issued, **order: object) -> Issued:
    wanted = CorrectionOrder.model_validate(
        {"holder": KNOWN, "assessedOn": issue_order()["assessedOn"]} | order
    )
    with world.writing() as session:
        actor = actor_of(world.organization("stadsnat-exempel"))
        return correct(world.env, session, actor, issued.award.id, wanted)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("sv", ["Allt du har fått av Stadsnat-Exempel (exempel)", "dina 2 bevis", LEARNER]),
        ("en", ["Everything that Stadsnat-Exempel (example) has given you", "your 2 credentials"]),
    ],
)
def test_the_folder_holds_all_that_the_organisation_gave_her_the_newest_first(
    world: World, http: TestClient, language: str, said: list[str]
) -> None:
    first = given(world)
    world.clock.advance(minutes=1)
    second = given(world, "SOB-OPTO-02")
    given(world, holder={"name": "Bo", "reference": "anst-18"})

    reply = http.get(f"{folder_of(world, first)}?language={language}")

    page = Page(reply.text)
    opened = [each for each in page.all("href") if "/c/" in each]
    tokens = [world.token_of(each.award.id) for each in (second, first)]
    base = world.env.addresses.base
    assert opened == [f"{base}/c/{token}?language={language}" for token in tokens]
    assert [text for text in said if text not in page.text] == []
    assert "Bo" not in page.text.split()
    assert folder_of(world, first) == folder_of(world, second)
    assert reply.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in reply.headers["X-Robots-Tag"]


def test_what_another_organisation_gave_her_is_not_in_it(world: World, http: TestClient) -> None:
    both = ["stadsnat-exempel", "handelsradet"]
    world.published_definition(code="SOB-OPTO-03", authorised_issuers=both)
    ours = given(world, "SOB-OPTO-03")
    theirs = given(world, "SOB-OPTO-03", issuer="handelsradet")

    page = http.get(folder_of(world, ours)).text

    assert world.token_of(ours.award.id) in page
    assert world.token_of(theirs.award.id) not in page


def test_the_learners_page_leads_to_the_folder_where_there_is_one(
    world: World, http: TestClient
) -> None:
    known, unknown = given(world), world.issued()

    pages = [
        Page(http.get(f"/c/{world.token_of(issued.award.id)}").text) for issued in (known, unknown)
    ]

    assert [any("/f/" in each for each in page.all("href")) for page in pages] == [True, False]
    assert f"{folder_of(world, known)}?language=sv" in pages[0].all("href")


def test_a_corrected_credential_says_that_it_is_replaced_and_leads_to_the_new(
    world: World, http: TestClient
) -> None:
    old = given(world)
    new = corrected(world, old)

    page = Page(http.get(folder_of(world, new)).text)

    assert "Ersatt av ett nytt" in page.text
    token = world.token_of(new.award.id)
    assert len([each for each in page.all("href") if f"/c/{token}" in each]) == 2


def test_a_withdrawn_credential_says_so(world: World, http: TestClient) -> None:
    issued = given(world)
    world.set_status(issued, "revoked")

    assert "Återkallat" in Page(http.get(folder_of(world, issued)).text).text


def test_what_turned_out_to_be_somebody_elses_is_in_nobodys_folder(
    world: World, http: TestClient
) -> None:
    hers, wrong = given(world), given(world, "SOB-OPTO-02", holder=KNOWN)
    corrected(world, wrong, holder={"name": "Bo", "reference": "anst-18"}, reason="wrong_holder")

    page = http.get(folder_of(world, hers)).text
    theirs = Page(http.get(f"/c/{world.token_of(wrong.award.id)}").text)

    assert "Mätning av fiber" not in page
    assert not [each for each in theirs.all("href") if "/f/" in each]


@pytest.mark.parametrize("where", ["award", "folder"])
def test_a_renewed_link_renews_all_of_her_links(world: World, http: TestClient, where: str) -> None:
    replaced = given(world)
    first, second = corrected(world, replaced), given(world, "SOB-OPTO-02")
    before = folder_of(world, first)
    tokens = [world.token_of(each.award.id) for each in (replaced, first, second)]
    place = f"/c/{tokens[0]}" if where == "award" else before

    reply = http.post(f"{place}/renewal?language=sv", follow_redirects=False)

    assert reply.status_code == 303
    assert http.get(reply.headers["Location"]).status_code == 200
    gone = [before, f"{before}/all.zip", *(f"/c/{token}" for token in tokens)]
    assert {http.get(each).status_code for each in gone} == {404}
    assert http.get(folder_of(world, first)).status_code == 200
    assert http.get(folder_of(world, first)).text.count("/c/") == 3


def test_nobody_else_opens_it(world: World, http: TestClient) -> None:
    issued = given(world)
    learner_id = str(issued.award.learner_id)
    key = world.env.link_key
    forged = [
        folder_token(b"x" * 32, learner_id, 0),
        folder_token(key, learner_id, 1),
        folder_token(key, issued.award.id, 0),
        holder_token(key, learner_id, 0),
        world.token_of(issued.award.id),
        "A" * 43,
        "x",
    ]

    replies = [http.get(f"/f/{token}{rest}") for token in forged for rest in ("", "/all.zip")]
    replies += [http.post(f"/f/{token}/renewal") for token in forged]

    assert {reply.status_code for reply in replies} == {404}
    assert "leder ingenstans" in replies[0].text


def test_of_a_forgotten_learner_there_is_no_folder(world: World, http: TestClient) -> None:
    issued = given(world)
    address = folder_of(world, issued)

    with world.writing() as session:
        actor = actor_of(world.organization("stadsnat-exempel"))
        erase(world.env, session, actor, issued.award.id)

    assert http.get(address).status_code == 404
    assert http.get(f"{address}/all.zip").status_code == 404


def test_all_of_it_is_one_file(world: World, http: TestClient) -> None:
    first = given(world)
    world.clock.advance(minutes=1)
    given(world, "SOB-OPTO-02")

    reply = http.get(f"{folder_of(world, first)}/all.zip")

    with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
        names = packed.namelist()
    assert {name.partition("/")[0] for name in names} == {"01-SOB-OPTO-02", "02-SOB-OPTO-01"}
    assert "02-SOB-OPTO-01/credential.sv.json" in names
