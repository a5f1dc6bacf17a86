"""Issuing from the console: to one, and to many from a table that is mended before it is sent."""

import io
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from openpyxl import Workbook

from kpass_vc.actions.batch import issue_slice, reserve, undo_slice
from kpass_vc.actions.delegate import GrantOrder, grant
from kpass_vc.authz import Role
from kpass_vc.language import say
from kpass_vc.learner_table import COLUMNS
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.spreadsheets import read_table, write_csv
from tests.api.http import rows
from tests.pages.desk import Visitor, alerts, signed_in
from tests.world import World, actor_of

pytestmark = pytest.mark.sqlite
DEFINITION = "sobona/SOB-OPTO-01"
ISSUER = "stadsnat-exempel"


@pytest.fixture
def visitor(world: World) -> Visitor:
    """A coordinator at an organisation that may issue SOB-OPTO-01."""
    world.published_definition()
    return signed_in(world, ISSUER, Role.ISSUER, Role.REVOKER)


def day(world: World, ago: int = 4) -> str:
    return (world.clock().date() - timedelta(days=ago)).isoformat()


def table(world: World, *names: str, **changed: str) -> bytes:
    """A table of these learners, three columns of it filled in; `changed` is texts by cell, like C3."""
    headings = [say("sv", f"table.column.{name}") for name in COLUMNS]
    found = []
    for number, name in enumerate(names, 2):
        texts = [name, f"p{number}@example.org", day(world)] + [""] * (len(COLUMNS) - 3)
        for place in range(3):
            cell = f"{'ABC'[place]}{number}"
            texts[place] = changed.get(cell, texts[place])
        found.append(texts)
    return write_csv(headings, found)


def dropped(visitor: Visitor, content: bytes) -> Any:
    return visitor.post(
        "/issue/many", {"definition": DEFINITION}, {"file": ("klass.csv", content, "text/csv")}
    )


def form_of(html: str) -> dict[str, str]:
    """What the form of a looked-at table holds: the table, and the cells that can be written in."""
    kept = re.search(r'<textarea name="table" hidden readonly>\n(.*?)</textarea>', html, re.DOTALL)
    assert kept
    cells = re.findall(r'name="(cell:[A-Z]+\d+)" value="([^"]*)"', html)
    found = {name: unescape(text) for name, text in cells}
    return {"definition": DEFINITION, "table": unescape(kept[1]), **found}


def worked(world: World, batch_id: str) -> None:
    """What the workers do with a batch."""
    organization_id = world.organization(ISSUER).id
    reserve(world.env, organization_id, batch_id, 1, 1000)
    issue_slice(world.env, organization_id, batch_id, 1, 1000)


EIGHTEEN = [f"Deltagare {chr(65 + number)}" for number in range(18)]


def test_eighteen_rows_of_which_three_are_wrong_are_mended_in_place_and_sent(
    world: World, visitor: Visitor
) -> None:
    wrong = {"A4": "811228-9874", "B7": "inte en adress", "C9": "i tisdags"}
    before = rows(world.env)

    page = dropped(visitor, table(world, *EIGHTEEN, **wrong)).text

    assert "18 rader: 15 går bra, 3 behöver rättas." in page
    assert set(re.findall(r'id="fault:([A-Z]\d+)"', page)) == {"A4", "B7", "C9"}
    assert rows(world.env) == before
    form = form_of(page) | {"cell:A4": "Deltagare C", "cell:B7": "p7@example.org"}
    page = visitor.post("/issue/many/check", form | {"step": "send"}).text
    assert "17 går bra, 1 behöver rättas" in page
    assert "Inget är skickat" in page
    assert rows(world.env) == before
    form = form_of(page) | {"cell:C9": day(world)}
    page = visitor.post("/issue/many/check", form | {"step": "check"}).text
    assert "18 rader, och 18 går bra att skicka." in page

    reply = visitor.post("/issue/many/check", form_of(page) | {"step": "send"})
    place = reply.headers["Location"].partition("/console")[2].partition("?")[0]
    worked(world, place.rpartition("/")[2])
    page = visitor.get(place).text

    assert "18 av 18 klara." in page
    assert all(f"<bdi>{name}</bdi>" in page for name in EIGHTEEN)


def test_only_the_right_rows_are_sent_if_that_is_asked_for(world: World, visitor: Visitor) -> None:
    page = dropped(visitor, table(world, "Ada", "Bo", C3="aldrig")).text

    reply = visitor.post("/issue/many/check", form_of(page) | {"step": "send_good"})

    batch_id = reply.headers["Location"].rpartition("/")[2].partition("?")[0]
    worked(world, batch_id)
    assert "1 av 1 klara." in visitor.get(f"/issue/many/{batch_id}").text


def test_a_batch_is_undone_by_who_has_just_proved_who_they_are(
    world: World, visitor: Visitor
) -> None:
    page = dropped(visitor, table(world, "Ada", "Bo")).text
    sent = visitor.post("/issue/many/check", form_of(page) | {"step": "send"})
    batch_id = sent.headers["Location"].rpartition("/")[2].partition("?")[0]
    worked(world, batch_id)
    world.clock.advance(minutes=11)
    assert "/prove" in visitor.get(f"/issue/many/{batch_id}/undo").headers["Location"]
    assert "/prove" in visitor.post(f"/issue/many/{batch_id}/undo").headers["Location"]
    visitor = signed_in(world, ISSUER, http=visitor.http)
    assert "2 bevis dras in för alltid" in visitor.get(f"/issue/many/{batch_id}/undo").text

    visitor.post(f"/issue/many/{batch_id}/undo", {"reason": "issued_in_error"})
    organization_id = world.organization(ISSUER).id
    with world.reading() as session:
        batch = batches.by_id(session, organization_id=organization_id, batch_id=batch_id)
        assert batch
        actor = batch.actor
    undo_slice(world.env, organization_id, batch_id, 1, 10, actor)

    with world.reading() as session:
        found, _ = awards.search(session, organization_id=organization_id)
    assert [each.state for each in found] == ["revoked", "revoked"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Välj en fil."),
        (b"PK\x03\x04 not a workbook", "går inte att läsa"),
        (b"Namn;Hemligt\nAda;x\n", "ingen känner kolumnen"),
    ],
)
def test_a_file_that_is_no_table_is_said_at_the_file(
    visitor: Visitor, content: bytes, sentence: str
) -> None:
    reply = dropped(visitor, content)

    assert reply.status_code == 422
    assert any(sentence in each for each in alerts(reply.text)), alerts(reply.text)


def test_one_is_looked_at_before_it_is_issued(world: World, visitor: Visitor) -> None:
    given = {
        "definition": DEFINITION, "step": "look", "name": "Amina <b>Ali</b>",
        "email": "amina@example.org", "mail_language": "sv", "assessed_on": day(world),
    }  # fmt: skip
    before = rows(world.env)
    page = visitor.post("/issue/one", given).text
    assert "Amina &lt;b&gt;Ali&lt;/b&gt;" in page
    assert rows(world.env) == before

    reply = visitor.post("/issue/one", given | {"step": "send"})

    assert "/console/credentials/" in reply.headers["Location"]
    organization_id = world.organization(ISSUER).id
    with world.reading() as session:
        [award], _ = awards.search(session, organization_id=organization_id)
    assert (award.holder_name, award.channel) == ("Amina <b>Ali</b>", "console")


def test_what_is_wrong_with_one_stands_at_its_field_and_nothing_is_lost(visitor: Visitor) -> None:
    given = {
        "definition": DEFINITION, "step": "look", "name": "811228-9874",
        "email": "amina", "assessed_on": "3020-01-01", "evidence": "Såg henne göra det.",
    }  # fmt: skip

    reply = visitor.post("/issue/one", given)

    assert reply.status_code == 422
    assert "Såg henne göra det." in reply.text
    assert 'id="fault:email:1"' in reply.text


def test_who_may_not_issue_sees_and_does_nothing_of_it(world: World, visitor: Visitor) -> None:
    author = signed_in(world, ISSUER, Role.AUTHOR, name="Å", email="a@exempel.se")
    stranger = signed_in(world, "annan", name="S", email="s@exempel.se")
    sent = visitor.post(
        "/issue/many/check", form_of(dropped(visitor, table(world, "Ada")).text) | {"step": "send"}
    )
    place = sent.headers["Location"].partition("/console")[2].partition("?")[0]

    assert author.get("/issue").status_code == 403
    assert dropped(author, table(world, "Ada")).status_code == 403
    assert stranger.get(place).status_code == 404
    assert stranger.post(f"{place}/undo", {"reason": "fraud"}).status_code in {404, 422}
    assert DEFINITION not in stranger.get("/issue").text


def workbook(world: World, name: str, email: str) -> bytes:
    """An .xlsx whose e-mail may be a formula, as a register writes it."""
    book = Workbook()
    sheet = book.active
    sheet.append([say("sv", f"table.column.{each}") for each in COLUMNS[:3]])
    sheet.append([name, email, day(world)])
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def test_a_formula_is_never_taken_for_an_empty_cell(world: World, visitor: Visitor) -> None:
    page = dropped(visitor, workbook(world, "Ada", '=A2&"@example.org"')).text

    assert "1 rader: 0 går bra, 1 behöver rättas." in page
    assert 'id="fault:B2"' in page
    again = visitor.post("/issue/many/check", form_of(page) | {"step": "send_good"})
    assert (again.status_code, "Inget är skickat" in again.text) == (422, True)


def test_a_personal_number_that_is_written_in_a_mended_cell_is_refused_again(
    world: World, visitor: Visitor
) -> None:
    page = dropped(visitor, table(world, "Ada", "Bo", B3="ingen")).text
    form = form_of(page) | {"cell:B3": "bo@example.org", "cell:A3": "Bo 811228-9874"}

    page = visitor.post("/issue/many/check", form | {"step": "send"}).text

    assert "Rad 3</a>: Namn: skriv inget personnummer." in page
    assert 'value="Bo 811228-9874"' in page
    assert 'value="bo@example.org"' in page


def test_rows_that_are_to_be_mended_elsewhere_come_as_a_table_that_is_read_again(
    world: World, visitor: Visitor
) -> None:
    page = dropped(visitor, table(world, "Ada", "Bo", "Cia", B3="ingen", C4="aldrig")).text

    reply = visitor.post("/issue/many/check", form_of(page) | {"step": "download"})

    texts = [[cell.text for cell in row][:3] for row in read_table(reply.content)]
    assert texts[1:] == [["Bo", "ingen", day(world)], ["Cia", "p4@example.org", "aldrig"]]


def test_more_than_the_owner_allows_are_not_sent(world: World) -> None:
    world.published_definition(authorised_issuers=["sobona"])
    world.organization(ISSUER)
    visitor = signed_in(world, ISSUER, Role.ISSUER)
    assert dropped(visitor, table(world, "Ada")).status_code == 403
    terms = GrantOrder(issuer=ISSUER, definitions=["SOB-OPTO-01"], quota=1)
    with world.writing() as session:
        grant(world.env, session, actor_of(world.organization("sobona")), terms)

    page = dropped(visitor, table(world, "Ada", "Bo")).text
    reply = visitor.post("/issue/many/check", form_of(page) | {"step": "send"})

    assert "Ägaren låter er utfärda 1 till, och här är det 2." in page
    assert (reply.status_code, "Inget är skickat" in reply.text) == (422, True)
    assert 'value="send"' in dropped(visitor, table(world, "Ada")).text


def test_one_that_is_sent_twice_by_a_hasty_hand_is_issued_once(
    world: World, visitor: Visitor
) -> None:
    given = {"definition": DEFINITION, "name": "Amina Ali", "assessed_on": day(world)}
    page = visitor.post("/issue/one", given | {"step": "look"}).text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    sent = given | {"step": "send", "key": key[1]}

    first, second = visitor.post("/issue/one", sent), visitor.post("/issue/one", sent)

    assert first.headers["Location"] == second.headers["Location"]
    assert 'value="Amina Ali"' in visitor.post("/issue/one", sent | {"step": "change"}).text


def test_who_has_opened_theirs_is_seen_and_who_has_no_address_gets_a_letter(
    world: World, visitor: Visitor
) -> None:
    page = dropped(visitor, table(world, "Ada", "Bo", B3="")).text
    sent = visitor.post("/issue/many/check", form_of(page) | {"step": "send"})
    place = sent.headers["Location"].partition("/console")[2].partition("?")[0]
    worked(world, place.rpartition("/")[2])
    with world.writing() as session:
        found, _ = awards.search(session, organization_id=world.organization(ISSUER).id)
        ada = next(each for each in found if each.holder_name == "Ada")
        ada.claimed_at = world.clock()

    unopened = visitor.get(f"{place}?show=unopened").text
    letters = visitor.post(f"{place}/letters", {"part": "1"})

    assert "<bdi>Bo</bdi>" in unopened
    assert "<bdi>Ada</bdi>" not in unopened
    assert "1 har ingen e-postadress." in unopened
    assert (letters.status_code, letters.content[:5]) == (200, b"%PDF-")


def test_what_was_refused_after_a_place_was_taken_stops_nothing_that_comes_after(
    world: World, visitor: Visitor
) -> None:
    given = {
        "definition": DEFINITION, "step": "send", "name": "Ada", "assessed_on": day(world),
        "external_reference": "kurs-17/1",
    }  # fmt: skip
    assert visitor.post("/issue/one", given).status_code == 303
    refused = visitor.post("/issue/one", given | {"name": "Bo"})
    assert refused.status_code == 409

    reply = visitor.post("/issue/one", given | {"external_reference": "kurs-17/2"})

    assert reply.status_code == 303, alerts(reply.text)
