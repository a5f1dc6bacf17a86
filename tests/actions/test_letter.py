"""Letters to learners without e-mail: accessible, with a code that works once, and no private link on paper."""

import io
import re
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageDraw
from pypdf import PdfReader

from kpass_vc.actions.letter import letter, open_letter
from kpass_vc.errors import NotFound
from kpass_vc.letters import Letter, write_letters
from kpass_vc.links import read_code
from tests.api.http import bearer, client_of
from tests.injections import INJECTIONS
from tests.world import World, actor_of

ISSUER = "stadsnat-exempel"


def written(world: World, *award_ids: str, language: str = "sv") -> PdfReader:
    with world.writing() as session:
        body = letter(
            world.env,
            session,
            actor_of(world.organization(ISSUER)),
            award_ids,
            "en" if language == "en" else "sv",
        )
    return PdfReader(io.BytesIO(body))


def code_in(reader: PdfReader, page: int = 0) -> str:
    lines = reader.pages[page].extract_text().splitlines()
    return next(line for line in lines if read_code(line) and "-" in line)


@pytest.mark.parametrize(("language", "word"), [("sv", "Du har fått"), ("en", "You have been")])
def test_a_letter_is_tagged_and_says_its_title_and_language(
    world: World, language: str, word: str
) -> None:
    world.published_definition()
    reader = written(world, world.issued().award.id, language=language)

    root: Any = reader.trailer["/Root"]
    text = reader.pages[0].extract_text()
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith(word)
    kinds = tags(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/P", "/L", "/Figure"} <= kinds
    assert "Amina Exempelsson" in text
    assert "/c/" not in text


def tags(node: Any, found: set[str] | None = None) -> set[str]:
    """The kinds of all structure elements."""
    found = set() if found is None else found
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for each in node:
            tags(each, found)
    elif isinstance(node, dict):
        if "/S" in node:
            found.add(str(node["/S"]))
        if "/K" in node:
            tags(node["/K"], found)
    return found


def qr_in(reader: PdfReader) -> str:
    """What the QR says: its black squares, drawn anew from the page's paths and read by a reader of QRs."""
    drawn = reader.pages[0].get_contents()
    assert drawn is not None
    corner = rb"\s*(-?[\d.]+) (-?[\d.]+)"
    squares = []
    for found in re.findall(corner + rb" m" + (corner + rb" l") * 3, drawn.get_data()):
        across, down = ([round(float(each)) for each in found[start::2]] for start in (0, 1))
        squares.append((min(across), min(down), max(across), max(down)))
    ground = next(number for number, each in enumerate(squares) if each[:2] == (0, 0))
    picture = Image.new("L", (squares[ground][2] * 8,) * 2, 255)
    for left, top, right, bottom in squares[ground + 1 :]:
        black = (left * 8, top * 8, right * 8 - 1, bottom * 8 - 1)
        ImageDraw.Draw(picture).rectangle(black, fill=0)
    (read,) = zxingcpp.read_barcodes(picture)
    return str(read.text)


def test_its_qr_leads_to_where_the_code_is_typed_and_holds_no_secret(world: World) -> None:
    world.published_definition()
    reader = written(world, world.issued().award.id)
    assert qr_in(reader) == "http://localhost:8000/letter"


def test_its_code_leads_to_the_learners_page_once_and_for_ninety_days(world: World) -> None:
    world.published_definition()
    award_id = world.issued().award.id
    code = code_in(written(world, award_id))
    http = client_of(world.env)

    reply = http.post("/letter", data={"code": code.lower().replace("-", " ")})
    assert reply.status_code == 303
    assert http.get(reply.headers["Location"]).status_code == 200
    assert http.post("/letter", data={"code": code}).status_code == 404
    late = code_in(written(world, award_id))
    world.clock.advance(days=91)
    with world.writing() as session, pytest.raises(NotFound):
        open_letter(world.env, session, late)


def test_a_new_letter_ends_the_code_of_the_one_before(world: World) -> None:
    world.published_definition()
    award_id = world.issued().award.id
    first, second = code_in(written(world, award_id)), code_in(written(world, award_id))
    with world.writing() as session:
        with pytest.raises(NotFound):
            open_letter(world.env, session, first)
        assert "/c/" in open_letter(world.env, session, second)


@pytest.mark.parametrize("typed", ["", "AAAA-AAAA-AAAA", "x" * 200, "<script>"])
def test_a_wrong_code_shows_the_form_again(world: World, typed: str) -> None:
    world.organization(ISSUER)
    reply = client_of(world.env).post("/letter?language=sv", data={"code": typed})
    assert reply.status_code == 404
    assert "Koden är fel" in reply.text
    assert "<script>" not in reply.text


def test_anothers_letter_is_not_written(world: World) -> None:
    world.published_definition()
    award_id = world.issued().award.id
    with world.writing() as session, pytest.raises(NotFound):
        letter(world.env, session, actor_of(world.organization("sobona")), [award_id], "sv")


def test_several_letters_are_pages_of_one_file_over_http(world: World) -> None:
    world.published_definition()
    ids = [world.issued().award.id for _ in range(3)]
    assert len(written(world, *ids).pages) == 3
    http, headers = client_of(world.env), bearer(world.token(ISSUER))
    reply = http.post(f"/v1/credentials/{ids[0]}/letter", headers=headers)
    assert reply.headers["Content-Type"] == "application/pdf"
    assert reply.content.startswith(b"%PDF")


def test_a_class_whose_script_the_font_lacks_gets_its_letters(world: World) -> None:
    names = [f"Åsa {chr(0x4E00 + number)}{chr(0x1200 + number)}" for number in range(260)]
    given = [
        Letter(
            language="sv", issuer="Kommunen", day="2026-11-25", title="Bevis", greeting=name,
            lines=(name,), how="Så", steps=("Ett",), address="https://x.example/letter",
            addresslabel="Adress", code="ABC", codelabel="Kod", until="i dag", qrtext="QR", ends=("Slut",),
        )
        for name in names
    ]  # fmt: skip
    pages = PdfReader(io.BytesIO(write_letters(given, world.env.now()))).pages
    assert len(pages) == 260
    assert "Åsa ??" in pages[259].extract_text()


@pytest.mark.parametrize(
    "odd", ["\ue000", "\u0378", "\U000f0000", "e\u20dd", "\u200d", "\u00ad", "\ufffc"]
)
def test_a_letter_that_cannot_be_seen_stops_nobody_s_letter(world: World, odd: str) -> None:
    world.published_definition()
    made = [world.issued(holder={"name": name}).award.id for name in (f"Li {odd}", "Bo")]
    with world.writing() as session:
        issuer = actor_of(world.organization("stadsnat-exempel"))
        body = letter(world.env, session, issuer, [*made, made[0]], "sv")
    pages = PdfReader(io.BytesIO(body)).pages
    assert [page.extract_text().count("Hej ") for page in pages] == [1, 1]


def test_whatever_a_text_says_is_set_as_text(world: World) -> None:
    markup = ["#sys.inputs", "*fet*", "= rubrik", "$x^2$", '#include "x"', "\\u{41}", "`kod`"]
    for payload in [*INJECTIONS, *markup]:
        given = Letter(
            language="sv", issuer=payload, day="2026-11-25", title=payload, greeting=payload,
            lines=(payload,), how=payload, steps=(payload,), address="https://x.example/letter",
            addresslabel=payload, code=payload, codelabel=payload, until=payload,
            qrtext=payload, ends=(payload,),
        )  # fmt: skip
        text = (
            PdfReader(io.BytesIO(write_letters([given], world.env.now()))).pages[0].extract_text()
        )
        plain = "".join(letter for letter in payload if letter.isascii() and not letter.isspace())
        shown = "".join(letter for letter in text if letter.isascii() and not letter.isspace())
        assert plain.replace("?", "") in shown.replace("?", ""), payload
