"""The badge picture: readable, contained, the same every time."""

import colorsys
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest
from fontTools.misc.transform import Transform
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.transformPen import TransformPen
from fontTools.svgLib.path import parse_path

from kpass_vc.badges import BadgeFace, contrast, draw, draw_small, half_width, palette, rasterise
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES, Language

SVG = "{http://www.w3.org/2000/svg}"
FACE = BadgeFace(
    title="Läcksökning och rörlagning på dricksvattennät",
    organisation="Vatten och Avlopp i Övertorneå (exempel)",
    code="VA-02",
    version="1.0.0",
    level=3,
    level_basis="egen bedömning",
    level_is_decided=False,
    language="sv",
    colour_seed="vatten-exempel",
    illustrative=True,
)
LONG = (
    "Grundläggande drift, underhåll och felsökning av reservkraftsanläggningar "
    "inom kommunal vatten- och avloppsverksamhet, A1"
)
HOSTILE = [
    "<script>alert('x')</script>",
    "]]><svg onload=alert(1)>",
    "Salt & peppar &amp; \"citat\" 'enkla'",
    "{title} {0} %s",
    LONG[:120],
    "W" * 120,
    "W" * 1500,
    "ett ord till " * 120,
    "Reservkraftsanläggningsunderhållsteknikerkompetensbevisningsx",
    "Brandkunskap 🔥👩‍🚒🇸🇪",
    "שלום עולם مرحبا",
    "\u202eevitisop\u202c \u200bnoll",
    "styr\x00tecken\x07 och \ud800 och \ufffe",
    "A\u030angstro\u0308m, e\u0302\u0323\u0301\u0301\u0301",
    "bindestreck-" * 12,
    "\u00ad\u00ad\u00ad",
    "-/-/-",
    "   ",
    "",
]

Box = tuple[float, float, float, float]
Drawing = Callable[[BadgeFace], str]


def words(svg: str) -> list[tuple[str, Box]]:
    """Every line of words: its colour and the extents of its outlines."""
    found = []
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        matrix = re.fullmatch(r"matrix\((.*)\)", path.get("transform", ""))
        if matrix and path.get("d"):
            pen = BoundsPen(None)
            transform = Transform(*map(float, matrix[1].split()))
            parse_path(path.get("d"), TransformPen(pen, transform))
            found.append((str(path.get("fill")), pen.bounds))
    return found


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("field", ["title", "organisation", "code", "version", "level_basis"])
def test_no_text_breaks_the_picture_or_leaves_the_paper(title: str, field: str) -> None:
    face = replace(FACE, **{field: title})  # type: ignore[arg-type]  # all five are texts

    svg = draw(face)

    lines = words(svg)
    assert lines
    for _, (left, top, right, bottom) in lines:
        reach = min(half_width(top), half_width(bottom))
        assert 512 - reach < left <= right < 512 + reach
        assert 16 < top <= bottom < 985


@pytest.mark.parametrize("title", HOSTILE)
def test_lines_of_words_never_lie_on_each_other(title: str) -> None:
    svg = draw(replace(FACE, title=title, organisation=title))

    boxes = [box for _, box in words(svg)][1:]
    zones = [(430, 520), (520, 782), (790, 848), (846, 892), (896, 944)]
    for _, top, _, bottom in boxes:
        assert any(low <= top and bottom <= high for low, high in zones), (top, bottom)


@pytest.mark.parametrize("drawing", [draw, draw_small])
@pytest.mark.parametrize("title", HOSTILE)
def test_the_svg_holds_shapes_and_a_title_only(title: str, drawing: Drawing) -> None:
    root = ET.fromstring(drawing(replace(FACE, title=title, code=title)))

    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "path", "rect", "g"
    }  # fmt: skip
    attributes = {name for element in root.iter() for name in element.attrib}
    assert attributes.isdisjoint({"id", "style", "class", "href", "onload"})
    assert not any("url(" in value for element in root.iter() for value in element.attrib.values())


def test_markup_in_a_title_is_read_out_as_it_was_written() -> None:
    root = ET.fromstring(draw(replace(FACE, title="<b>A & B</b>")))

    assert root.findtext(f"{SVG}title", "").startswith("Exempel: <b>A & B</b>. ")


@pytest.mark.parametrize("title", [LONG, "W" * 120, "W" * 1500, "kompetensbevisning" * 6])
def test_every_letter_of_a_title_is_drawn(title: str) -> None:
    root = ET.fromstring(draw(replace(FACE, title=title)))

    ink = palette(FACE.colour_seed).ink
    lines = [path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("fill") == ink]
    *titles, _, _ = (len(re.findall(r"M-?\d+ 0", outlines)) for outlines in lines)
    hyphens = sum(titles) - len(title.replace(" ", ""))
    assert 0 <= hyphens < len(titles)


def test_rings_and_dots_stand_above_their_letters() -> None:
    plain = words(draw(replace(FACE, title="AAO")))
    ringed = words(draw(replace(FACE, title="ÅÄÖ")))
    composed = words(draw(replace(FACE, title="A\u030aA\u0308O\u0308")))

    heights = [min(box[1] for _, box in each[2:3]) for each in (plain, ringed)]
    assert heights[1] < heights[0] - 10
    assert composed == ringed


def test_a_long_word_breaks_where_its_writer_says() -> None:
    joined = draw(replace(FACE, title="Elinstallationsövervakningsansvarsutbildning för alla"))
    marked = draw(
        replace(FACE, title="Elinstallations\u00adövervakningsansvars\u00adutbildning för alla")
    )

    assert joined != marked
    assert "\u00ad" not in marked


def test_the_same_face_gives_the_same_bytes() -> None:
    first, second = draw(FACE), draw(replace(FACE))

    assert first == second
    assert rasterise(first, 256) == rasterise(second, 256)


def test_two_organisations_do_not_look_alike() -> None:
    looks = {draw(replace(FACE, colour_seed=f"organisation-{number}")) for number in range(40)}

    assert draw(FACE) != draw(replace(FACE, colour_seed="energi-exempel"))
    assert len(looks) >= 36


@pytest.mark.parametrize("size", [64, 256, 1024])
def test_the_png_has_the_size_asked_for(size: int) -> None:
    assert size_of(rasterise(draw(FACE), size)) == (size, size)


def test_words_stand_out_from_their_ground_for_two_hundred_organisations() -> None:
    for number in range(200):
        seed = f"org-{number}"
        colours = palette(seed)

        notice, *others = (colour for colour, _ in words(draw(replace(FACE, colour_seed=seed))))

        assert contrast(notice, colours.notice) >= 4.5
        assert all(contrast(colour, colours.paper) >= 4.5 for colour in others)
        assert (
            min(contrast(colours.soft, colours.deep), contrast(colours.accent, colours.deep)) >= 3
        )


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_an_example_is_marked_as_one(language: Language) -> None:
    example = draw(replace(FACE, language=language))
    real = draw(replace(FACE, language=language, illustrative=False))

    notice = palette(FACE.colour_seed).notice
    assert notice in example
    assert notice not in real
    assert len(words(example)) == len(words(real)) + 1


def test_a_definition_without_a_level_says_so_and_shows_no_number() -> None:
    unlevelled = draw(replace(FACE, level=None, level_basis="ej nivåplacerad"))

    assert "Ej nivåplacerad." in unlevelled
    assert "SeQF" not in unlevelled


@pytest.mark.parametrize("title", ["\u0300", "\u0300" * 150, "a \u0300 b", "\u0308 x", "\ufe0f"])
@pytest.mark.parametrize("field", ["title", "organisation", "code", "version", "level_basis"])
def test_marks_without_a_letter_break_no_picture(title: str, field: str) -> None:
    face = replace(FACE, **{field: title})  # type: ignore[arg-type]  # all five are texts

    assert size_of(rasterise(draw(face), 64)) == (64, 64)


def test_two_definitions_of_one_organisation_do_not_look_alike() -> None:
    """But for the words: the band beside the emblem is each code's own."""
    faces = [replace(FACE, code=f"VA-{number:02}") for number in range(1, 41)]

    bands = {
        tuple(
            path.get("d") for path in ET.fromstring(draw(face)).findall(f"{SVG}g[@fill]/{SVG}path")
        )
        for face in faces
    }

    assert len(bands) == len(faces)
    assert all(bands)


@pytest.mark.parametrize("level", range(1, 9))
def test_the_level_is_as_many_pips_of_eight(level: int) -> None:
    colours = palette(FACE.colour_seed)
    face = replace(FACE, level=level, level_is_decided=True)

    def pips(svg: str, colour: str) -> int:
        return sum(
            rect.get("fill") == colour and rect.get("width") == rect.get("height")
            for rect in ET.fromstring(svg).iter(f"{SVG}rect")
        )

    assert (pips(draw(face), colours.deep), pips(draw(face), colours.unlit)) == (level, 8 - level)
    assert pips(draw_small(face), colours.deep) == level
    assert pips(draw_small(replace(face, level=None)), colours.deep) == 0


@pytest.mark.parametrize("level", [1, 8])
def test_a_level_that_the_owner_assessed_alone_is_drawn_as_rings(level: int) -> None:
    own = replace(FACE, level=level)
    decided = replace(own, level_is_decided=True)

    def rings(svg: str) -> int:
        return sum(
            rect.get("fill") == "none" and rect.get("width") == rect.get("height")
            for rect in ET.fromstring(svg).iter(f"{SVG}rect")
        )

    assert rings(draw(own)) == rings(draw_small(own)) == level
    assert rings(draw(decided)) == rings(draw_small(decided)) == 0


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("illustrative", [True, False])
def test_no_code_leaves_the_paper_of_the_small_picture(title: str, illustrative: bool) -> None:  # noqa: FBT001
    face = replace(FACE, code=title, level=8, illustrative=illustrative)

    for colour, (left, top, right, bottom) in words(draw_small(face)):
        ground = (484, 628) if colour == palette(FACE.colour_seed).notice_ink else (560, 836)
        assert 512 - half_width(bottom) + 24 < left <= right < 512 + half_width(bottom) - 24
        assert ground[0] < top <= bottom < ground[1]


def test_the_small_picture_has_the_code_without_the_part_that_all_share() -> None:
    def outlines(code: str) -> str:
        ink = palette(FACE.colour_seed).ink
        root = ET.fromstring(draw_small(replace(FACE, code=code)))
        return next(p.get("d", "") for p in root.iter(f"{SVG}path") if p.get("fill") == ink)

    assert outlines("SKR-DT-16") == outlines("X-DT-16")
    assert outlines("SKR-DT-16") != outlines("SKR-DT-17")
    assert outlines("HAN-01") != outlines("SKR-01")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_small_example_is_marked_as_one_too(language: Language) -> None:
    example = draw_small(replace(FACE, language=language))
    real = draw_small(replace(FACE, language=language, illustrative=False))

    notice = palette(FACE.colour_seed).notice
    assert notice in example
    assert notice not in real
    assert len(words(example)) == len(words(real)) + 1


def test_the_demo_organisations_have_hues_far_apart() -> None:
    owners = {definition["owner"] for found in catalogues() for definition in found["definitions"]}
    hues = sorted(hue_of(palette(owner).deep) for owner in owners)

    gaps = [(after - hue) % 360 for hue, after in zip(hues, hues[1:] + hues[:1], strict=True)]
    assert len(owners) == 6
    assert min(gaps) >= 18


def hue_of(colour: str) -> float:
    """The hue of a `#rrggbb` colour in degrees, as CSS's hsl() counts it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return colorsys.rgb_to_hls(*parts)[0] * 360


def test_no_short_word_has_a_line_of_its_own_in_the_middle() -> None:
    face = replace(FACE, title="Driftdokumentation och avvikelserapportering")

    ink = palette(FACE.colour_seed).ink
    *title, _, _ = (box for colour, box in words(draw(face)) if colour == ink)
    assert len(title) == 2
