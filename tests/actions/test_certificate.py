"""The credential on paper: tagged for readers, with a share link alone, and refused where it is not valid."""

import io
from typing import Any

import pytest
import typst
from pypdf import PdfReader

from kpass_vc.links import written_code
from kpass_vc.records.award import Award
from tests.actions.test_letter import tags
from tests.api.http import client_of
from tests.world import LEARNER, World

pytestmark = pytest.mark.sqlite
PAPERS = ("certificate", "badge")


def lacks(document: bytes, language: str) -> list[str]:
    """What a PDF lacks of what a screen reader needs (ISO 14289-1, 7)."""
    reader = PdfReader(io.BytesIO(document))
    root: Any = reader.trailer["/Root"]
    tree = root.get("/StructTreeRoot")
    kinds = tags(tree) if tree else set()
    figures = figures_of(tree) if tree else []
    has = {
        "marked": bool(root.get("/MarkInfo", {}).get("/Marked")),
        "language": root.get("/Lang") == language,
        "title": bool(reader.metadata and reader.metadata.title),
        "shows title": bool(root.get("/ViewerPreferences", {}).get("/DisplayDocTitle")),
        "identifier": "/Metadata" in root and b"pdfuaid" in root["/Metadata"].get_data(),
        "heading": "/H1" in kinds,
        "paragraphs": "/P" in kinds,
        "figures with text": len(figures) == 2 and all(figures),
    }
    return [name for name, there in has.items() if not there]


def figures_of(node: Any) -> list[str]:
    """The text of each figure."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [text for each in node for text in figures_of(each)]
    if not isinstance(node, dict):
        return []
    own = [str(node.get("/Alt", ""))] if node.get("/S") == "/Figure" else []
    return own + (figures_of(node["/K"]) if "/K" in node else [])


def printed(world: World, award: Award, form: str, language: str = "sv") -> tuple[bytes, str]:
    link = world.shared(award.id, language=language)
    address = f"/c/{world.token_of(award.id)}/shares/{link.id}/{form}.pdf"
    reply = client_of(world.env).get(address)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "application/pdf"
    assert reply.headers["Cache-Control"] == "private, no-store"
    return reply.content, world.code_of(link)


def text_of(document: bytes) -> str:
    pages = PdfReader(io.BytesIO(document)).pages
    assert len(pages) == 1
    return " ".join(pages[0].extract_text().split())


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("form", PAPERS)
def test_paper_is_tagged_and_has_the_share_link_alone(
    world: World, form: str, language: str
) -> None:
    world.published_definition()
    award = world.issued().award

    document, code = printed(world, award, form, language)

    text = text_of(document)
    assert lacks(document, language) == []
    titles = {"sv": "Fibersvetsning i fält", "en": "Fibre splicing in the field"}
    assert [each for each in (titles[language], LEARNER) if each not in text] == []
    assert written_code(code) in text
    assert f"/s/{code}" in text
    assert "/c/" not in text


def test_a_certificate_says_who_vouches_when_and_what_it_means(world: World) -> None:
    world.published_definition()
    award = world.issued().award

    text = text_of(printed(world, award, "certificate")[0])

    assert "som låter Stadsnat-Exempel (exempel) utfärda mikromeriten" in text
    assert f"Bedömt {award.assessed_on.isoformat()}" in text
    assert "Det här kan innehavaren" in text


def test_a_pdf_without_tags_fails_the_reader() -> None:
    plain = typst.compile(b"= Intyg\nText", format="pdf", pdf_tags=False)

    assert {"marked", "heading", "paragraphs", "identifier"} <= set(lacks(plain, "sv"))


@pytest.mark.parametrize("form", PAPERS)
def test_nothing_is_printed_of_what_is_revoked(world: World, form: str) -> None:
    world.published_definition()
    issued = world.issued()
    link = world.shared(issued.award.id)
    world.set_status(issued, "revoked")

    address = f"/c/{world.token_of(issued.award.id)}/shares/{link.id}/{form}.pdf"

    assert client_of(world.env).get(address).status_code == 409


def test_nothing_is_printed_with_a_link_that_has_ended_or_is_of_another(world: World) -> None:
    world.published_definition()
    one, another = world.issued().award, world.issued().award
    link = world.shared(one.id, lasts="day")
    http = client_of(world.env)

    def status(award: Award) -> int:
        address = f"/c/{world.token_of(award.id)}/shares/{link.id}/certificate.pdf"
        return http.get(address).status_code

    assert (status(one), status(another)) == (200, 404)
    world.clock.advance(days=2)
    assert status(one) == 404


@pytest.mark.parametrize("name", ["محمد الأمين", "李 小龙", "#sys.inputs *x* $y$"])
def test_any_name_is_set_as_text(world: World, name: str) -> None:
    world.published_definition()
    award = world.issued(holder={"name": name}).award

    document, _ = printed(world, award, "certificate")

    assert lacks(document, "sv") == []
    if name.isascii():
        assert name in text_of(document)
