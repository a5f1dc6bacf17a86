"""Credentials in pictures: in and out again unchanged, and nothing hostile gets further than Malformed."""

import io
import json
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openbadgeslib import baking as theirs
from PIL import Image, PngImagePlugin

from kpass_vc import badges
from kpass_vc.baking import MAX_SECURED, bake_png, bake_svg, kind_of, unbake
from kpass_vc.errors import KpassError, Malformed, TooLarge
from kpass_vc.model.document import MAX_PICTURE
from tests.test_badges import FACE

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"
DOCUMENT = '{"name":"Läcksökning ]]> & <b> \\"x\\""}'.encode()
JWT = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"E"}', b"{}", b"sig"))
OPEN = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0">'
ELEMENT = b'<openbadges:credential verify="%s"/>' % JWT
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1v1z"/></svg>'


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + data)
    return len(data).to_bytes(4, "big") + kind + data + checksum.to_bytes(4, "big")


def header(width: int = 1, height: int = 1) -> bytes:
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return chunk(b"IHDR", size + bytes([8, 0, 0, 0, 0]))


def png(*before: bytes, first: bytes = b"", after: tuple[bytes, ...] = ()) -> bytes:
    data = chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    return b"".join([SIGNATURE, first or header(), *before, data, *after, chunk(b"IEND")])


def text_chunk(text: bytes, flags: bytes = b"\x00\x00") -> bytes:
    return chunk(b"iTXt", KEYWORD + b"\x00" + flags + b"\x00\x00" + text)


def rule_of_reading(picture: bytes) -> str:
    return rule_of(lambda: unbake(picture))


def rule_of(call: Callable[[], object]) -> str:
    with pytest.raises(Malformed) as refused:
        call()
    assert refused.value.sentence("sv")
    assert refused.value.sentence("en")
    return refused.value.rule or type(refused.value).__name__


@pytest.fixture(scope="module")
def drawing() -> bytes:
    return badges.draw(FACE).encode()


@pytest.fixture(scope="module")
def picture(drawing: bytes) -> bytes:
    return badges.rasterise(drawing.decode(), 64)


# --- in and out again -----------------------------------------------------------------------------


@pytest.mark.parametrize("secured", [DOCUMENT, JWT], ids=["json", "jwt"])
def test_what_was_baked_into_a_png_comes_out_here_and_in_other_readers(
    picture: bytes, secured: bytes
) -> None:
    baked = bake_png(picture, secured)

    assert unbake(baked) == secured
    assert theirs.extract_png(baked, keyword=theirs.ITXT_KEYWORD_OB3) == secured.decode()
    assert _texts_of(baked) == {KEYWORD.decode(): secured.decode()}


@pytest.mark.parametrize("secured", [DOCUMENT, JWT], ids=["json", "jwt"])
def test_what_was_baked_into_an_svg_comes_out_here_and_in_other_readers(
    drawing: bytes, secured: bytes
) -> None:
    baked = bake_svg(drawing, secured)

    found = theirs.extract_svg(baked, element=theirs.SVG_ELEMENT_OB3, text_fallback=True)
    assert unbake(baked) == secured
    assert found == secured.decode()


def test_what_another_baked_comes_out_here(picture: bytes, drawing: bytes) -> None:
    text = JWT.decode()
    bake = partial(theirs.bake_svg, element=theirs.SVG_ELEMENT_OB3, namespace=theirs.SVG_NS_OB3)

    assert unbake(theirs.bake_png(picture, text, keyword=theirs.ITXT_KEYWORD_OB3)) == JWT
    assert unbake(bake(drawing, text)) == JWT
    assert unbake(bake(drawing, DOCUMENT.decode(), as_text=True)) == DOCUMENT


def test_the_chunk_follows_the_standard_to_the_byte_and_stands_before_the_data() -> None:
    baked = bake_png(png(), DOCUMENT)

    assert baked == png(chunk(b"iTXt", KEYWORD + b"\x00" * 5 + DOCUMENT))


def test_the_element_is_the_first_in_the_svg_and_its_prefix_is_declared_there() -> None:
    as_jwt = bake_svg(DRAWING, JWT)
    as_json = bake_svg(DRAWING, b"{}")

    declared = b'<svg xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0" '
    assert as_jwt.startswith(declared)
    assert b'/svg"><openbadges:credential verify="%s"/><path' % JWT in as_jwt
    assert b'/svg"><openbadges:credential><![CDATA[{}]]></openbadges:credential><path' in as_json


@pytest.mark.parametrize(
    ("bake", "before"), [(bake_png, png()), (bake_svg, DRAWING)], ids=["png", "svg"]
)
def test_baking_again_replaces_and_never_adds(
    bake: Callable[[bytes, bytes], bytes], before: bytes
) -> None:
    once = bake(before, DOCUMENT)

    again = bake(once, JWT)

    assert unbake(again) == JWT
    assert again == bake(before, JWT)
    assert bake(again, DOCUMENT) == once


def test_baking_mends_a_picture_that_had_two() -> None:
    two_chunks = png(text_chunk(JWT), after=(text_chunk(DOCUMENT),))
    two_elements = OPEN + ELEMENT + b"<g/>" + ELEMENT.replace(b"/>", b"></openbadges:credential >")

    assert bake_png(two_chunks, JWT) == png(text_chunk(JWT))
    assert bake_svg(two_elements + b"</svg>", JWT) == OPEN + ELEMENT + b"<g/></svg>"


@pytest.mark.parametrize(
    "before",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        (
            b'<?xml version="1.0" encoding="UTF-8"?><!-- <svg a="> --><s:svg\n a=\'>"\' '
            b'xmlns:s="http://www.w3.org/2000/svg"\n></s:svg\n>'
        ),
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://other.example/"/>',
        b'\xef\xbb\xbf  <svg xmlns="http://www.w3.org/2000/svg"><style>a{fill:url(#b)}</style></svg>',
    ],
)
def test_any_way_to_begin_an_svg_can_be_baked(before: bytes) -> None:
    for secured in (DOCUMENT, JWT):
        assert unbake(bake_svg(before, secured)) == secured


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_any_json_that_we_read_survives_both_pictures(members: dict[str, str]) -> None:
    secured = json.dumps(members, ensure_ascii=False).encode()
    if b"\xef\xbf\xbe" in secured or b"\xef\xbf\xbf" in secured:
        assert rule_of(lambda: bake_png(png(), secured)) == "baked_text"
        return

    assert unbake(bake_png(png(), secured)) == secured
    assert unbake(bake_svg(DRAWING, secured)) == secured


def test_json_with_windows_line_ends_is_the_same_json_in_an_svg() -> None:
    baked = bake_svg(DRAWING, b'{\r\n "a": 1\r\n}')

    found = unbake(baked)

    assert found is not None
    assert json.loads(found) == {"a": 1}


def test_a_sound_picture_without_a_credential_gives_none(picture: bytes, drawing: bytes) -> None:
    other = png(chunk(b"iTXt", b"openbadges\x00\x00\x00\x00\x00{}"))

    assert unbake(picture) is None
    assert unbake(drawing) is None
    assert unbake(other) is None


@pytest.mark.parametrize("secured", [b"", b"hello", b"[1]", b"ey.a", b"{\xff}", b"{\x00}", b"{"])
def test_what_is_no_credential_is_baked_into_nothing(secured: bytes) -> None:
    assert rule_of(lambda: bake_png(png(), secured)) == "baked_text"
    assert rule_of(lambda: bake_svg(DRAWING, secured)) == "baked_text"


# --- what foreign bakers do against the standard, and is read all the same ------------------------


@pytest.mark.parametrize(
    "carrier",
    [
        text_chunk(zlib.compress(DOCUMENT), b"\x01\x00"),
        chunk(b"iTXt", KEYWORD + b"\x00\x00\x00en-GB\x00Credential\x00" + DOCUMENT),
        chunk(b"tEXt", KEYWORD + b"\x00" + JWT),
        chunk(b"zTXt", KEYWORD + b"\x00\x00" + zlib.compress(JWT)),
    ],
    ids=["compressed", "language", "tEXt", "zTXt"],
)
def test_other_text_chunks_are_read(carrier: bytes) -> None:
    assert unbake(png(carrier)) in {DOCUMENT, JWT}
    assert unbake(png(after=(carrier,))) in {DOCUMENT, JWT}


def test_a_credential_anywhere_directly_under_the_svg_element_is_read() -> None:
    assert unbake(OPEN + b"<g/>" + ELEMENT + b"</svg>") == JWT


# --- hostile PNG ----------------------------------------------------------------------------------


def test_two_credential_chunks_are_refused_whatever_their_kinds() -> None:
    carriers = [text_chunk(JWT), chunk(b"tEXt", KEYWORD + b"\x00" + JWT)]

    for one in carriers:
        for other in carriers:
            for two in (png(one, other), png(one, after=(other,))):
                assert rule_of_reading(two) == "two_credentials"


def test_a_broken_checksum_is_refused_in_every_chunk() -> None:
    sound = bake_png(png(), DOCUMENT)
    ends = [at - 1 for at in _chunk_ends(sound)]

    broken = [sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :] for at in ends]

    assert len(broken) == 4
    for each in broken:
        assert rule_of_reading(each) == "png_checksum"


@pytest.mark.parametrize(
    ("width", "height"), [(30_000, 30_000), (4097, 4096), (0, 1), (1, 0), (2**31 - 1, 2**31 - 1)]
)
def test_too_many_pixels_or_none_are_refused_by_the_header(width: int, height: int) -> None:
    large = png(first=header(width, height))

    assert rule_of(lambda: unbake(large)) == "png_pixels"
    assert rule_of(lambda: bake_png(large, JWT)) == "png_pixels"


@pytest.mark.parametrize("length", [2**31 - 1, 2**31, 2**32 - 1, 100])
def test_a_length_past_the_end_is_refused(length: int) -> None:
    lying = SIGNATURE + header() + length.to_bytes(4, "big") + b"iTXt" + KEYWORD + b"\x00" * 20

    assert rule_of(lambda: unbake(lying)) == "png_cut"


@pytest.mark.parametrize("kind", [b"iTXt", b"zTXt"])
def test_a_compressed_text_that_swells_is_refused(kind: bytes) -> None:
    bomb = zlib.compress(b"{" + b" " * (200 * 1024 * 1024) + b"}", 9)
    before = KEYWORD + (b"\x00\x01\x00\x00\x00" if kind == b"iTXt" else b"\x00\x00")

    with pytest.raises(TooLarge):
        unbake(png(chunk(kind, before + bomb)))


@pytest.mark.parametrize(
    "data",
    [
        KEYWORD,
        KEYWORD + b"\x00",
        KEYWORD + b"\x00\x00\x00",
        KEYWORD + b"\x00\x00\x00\x00",
        KEYWORD + b"\x00\x02\x00\x00\x00{}",
        KEYWORD + b"\x00\x00\x01\x00\x00{}",
        KEYWORD + b"\x00\x01\x00\x00\x00not zlib",
        KEYWORD + b"\x00\x01\x00\x00\x00" + zlib.compress(DOCUMENT)[:-2],
        KEYWORD + b"\x00\x01\x00\x00\x00" + zlib.compress(DOCUMENT) + b"more",
    ],
)
def test_a_text_chunk_against_the_rules_is_refused(data: bytes) -> None:
    assert rule_of(lambda: unbake(png(chunk(b"iTXt", data)))) == "png_text"


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("png_trailing", png() + b"\x00"),
        ("png_trailing", png() + png()),
        ("png_order", png(chunk(b"IDAT"), chunk(b"tIME"))),
        ("png_order", png(header())),
        ("png_order", png(first=chunk(b"tIME"))),
        ("png_order", SIGNATURE + header() + chunk(b"IEND")),
        ("png_order", png(first=chunk(b"IHDR", b"\x00" * 12))),
        ("png_chunk", png(chunk(b"EVIL"))),
        ("png_chunk", png(chunk(b"a\x00bc"))),
        ("png_chunks", png(chunk(b"tIME") * 10_000)),
        ("png_text", png(chunk(b"tEXt", KEYWORD + b"\x00" + DOCUMENT))),
        ("baked_text", png(text_chunk(b""))),
        ("baked_text", png(text_chunk(b"hello"))),
        ("baked_text", png(text_chunk(b"{\xff}"))),
    ],
)
def test_a_png_out_of_order_is_refused(rule: str, broken: bytes) -> None:
    assert rule_of(lambda: unbake(broken)) == rule


def test_a_picture_larger_than_we_take_is_refused_before_it_is_read() -> None:
    for start in (SIGNATURE, b"<svg "):
        with pytest.raises(TooLarge):
            unbake(start + b" " * MAX_PICTURE)
    with pytest.raises(TooLarge):
        bake_png(png(), b"{" + b" " * MAX_SECURED + b"}")


def test_a_png_cut_anywhere_is_refused() -> None:
    whole = bake_png(png(), DOCUMENT)

    for at in range(len(whole)):
        assert rule_of_reading(whole[:at]) in {"png_cut", "picture_kind"}


def test_an_svg_cut_anywhere_is_refused() -> None:
    for secured in (DOCUMENT, JWT):
        whole = bake_svg(DRAWING, secured)
        for at in range(len(whole)):
            assert rule_of_reading(whole[:at]) in {
                "svg_xml", "picture_kind", "baked_text"
            }  # fmt: skip


# --- hostile SVG ----------------------------------------------------------------------------------

LAUGHS = (
    b"<!DOCTYPE svg ["
    b'<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (n, b"&%c;" % (n - 1) * 10) for n in range(98, 107))
    + b"]>"
    + DRAWING.replace(b"<path", b"<text>&j;</text><path")
)


@pytest.mark.parametrize(
    ("rule", "hostile"),
    [
        ("svg_dtd", LAUGHS),
        ("svg_dtd", b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + DRAWING),
        ("svg_dtd", b'<!DOCTYPE svg SYSTEM "https://evil.example/x.dtd">' + DRAWING),
        ("svg_dtd", b'<!DOCTYPE svg [<!ENTITY % p SYSTEM "https://e.example/"> %p;]>' + DRAWING),
        ("svg_dtd", b"<!DOCTYPE svg>" + DRAWING),
        ("svg_xml", DRAWING.replace(b"<path", b"&nbsp;<path")),
        ("svg_xml", DRAWING + DRAWING),
        ("svg_xml", DRAWING.replace(b"M0", b"\x00")),
        ("svg_xml", DRAWING.replace(b"M0", b"\xff")),
        ("svg_encoding", DRAWING.decode().encode("utf-16")),
        ("svg_encoding", DRAWING.decode().encode("utf-16-le")),
        ("svg_encoding", b'<?xml version="1.0" encoding="UTF-16"?>' + DRAWING),
        ("svg_encoding", b"<?xml version='1.0' encoding = 'iso-8859-1'?>" + DRAWING),
        ("svg_root", b"<svg/>"),
        ("svg_root", b"<!-- <svg > --><html/>"),
        ("svg_size", OPEN + b"<g>" * 200 + b"</g>" * 200 + b"</svg>"),
        ("svg_size", OPEN + b"<g/>" * 60_000 + b"</svg>"),
        ("two_credentials", OPEN + ELEMENT * 2 + b"</svg>"),
        ("two_credentials", OPEN + ELEMENT + b"<g/>" + ELEMENT + b"</svg>"),
        ("svg_place", OPEN + b"<g>" + ELEMENT + b"</g></svg>"),
        ("svg_place", OPEN + ELEMENT.replace(b"/>", b"><g/></openbadges:credential>") + b"</svg>"),
        (
            "two_credentials",
            OPEN + ELEMENT.replace(b"/>", b">{}</openbadges:credential>") + b"</svg>",
        ),
        ("baked_text", OPEN + b"<openbadges:credential/></svg>"),
        ("baked_text", OPEN + b'<openbadges:credential verify="x"/></svg>'),
    ],
)
def test_a_hostile_svg_is_refused_in_reading_and_in_baking(rule: str, hostile: bytes) -> None:
    assert rule_of(lambda: unbake(hostile)) == rule
    if rule not in {"two_credentials", "baked_text"}:
        assert rule_of(lambda: bake_svg(hostile, JWT)) == rule


@pytest.mark.parametrize(
    "inside",
    [
        b"<script>alert(1)</script>",
        b"<s:script xmlns:s='http://www.w3.org/2000/svg'>alert(1)</s:script>",
        b"<script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>",
        b"<foreignObject/>",
        b"<animate attributeName='href' to='javascript:alert(1)'/>",
        b"<set attributeName='onload' to='x'/>",
        b"<a href='https://evil.example/'><path/></a>",
        b"<g onload='alert(1)'/>",
        b"<g ONLOAD='alert(1)'/>",
        b"<use href='https://evil.example/x.svg#a'/>",
        b"<use xmlns:x='http://www.w3.org/1999/xlink' x:href='//evil.example/x'/>",
        b"<image href='http://evil.example/x.png'/>",
        b"<image href='&#106;avascript:alert(1)'/>",
        b"<image href='data:image/svg+xml;base64,PHN2Zy8+'/>",
        b"<image href='data:text/html,x'/>",
        b"<g xml:base='https://evil.example/'/>",
        b"<path style='fill:url(https://evil.example/x)'/>",
        b"<path style=\"fill: URL( '//evil.example/x')\"/>",
        b"<path fill='url(https://evil.example/#x)'/>",
        b"<path style='fill:u\\72l(https://evil.example/)'/>",
        b"<style>@import 'https://evil.example/x.css';</style>",
        b"<style>@im<!-- -->port 'https://evil.example/x.css';</style>",
        b"<style><![CDATA[a{background:url(https://evil.example/)}]]></style>",
        b"<?xml-stylesheet href='https://evil.example/x.css'?>",
        b"<iframe src='https://evil.example/'/>",
        b"<handler xmlns='http://www.w3.org/2001/xml-events'/>",
    ],
)
def test_nothing_that_could_run_or_be_fetched_is_baked(inside: bytes) -> None:
    hostile = DRAWING.replace(b"<path", inside + b"<path", 1)

    assert rule_of(lambda: bake_svg(hostile, JWT)) in {"svg_element", "svg_attribute"}
    assert unbake(hostile) is None


def test_what_drawing_programs_write_is_baked() -> None:
    drawn = (
        b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!-- Created elsewhere -->\n'
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        b'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        b'inkscape:export-filename="C:\\badge.png" viewBox="0 0 1 1"><metadata><r:RDF '
        b'xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata><defs>'
        b'<linearGradient id="a" xlink:href="#b"/></defs><g style="fill:url(#a)" opacity="1">'
        b'<image xlink:href="data:image/png;base64,AAAA"/></g></svg>'
    )

    assert unbake(bake_svg(drawn, DOCUMENT)) == DOCUMENT


# --- any bytes ------------------------------------------------------------------------------------


@given(st.binary() | st.binary().map(SIGNATURE.__add__) | st.binary().map(OPEN.__add__))
def test_any_bytes_are_answered_or_refused_by_name(given_bytes: bytes) -> None:
    for call in (unbake, lambda each: bake_png(each, JWT), lambda each: bake_svg(each, JWT)):
        with suppress(KpassError):
            call(given_bytes)


@given(st.data())
def test_a_baked_picture_with_bytes_changed_is_answered_or_refused_by_name(
    data: st.DataObject,
) -> None:
    whole = data.draw(st.sampled_from([bake_png(png(), JWT), bake_svg(DRAWING, DOCUMENT)]))
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = (
        whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + data.draw(st.integers(0, 6)) :]
    )

    with suppress(Malformed):
        unbake(changed)


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("png", png()),
        ("svg", DRAWING),
        ("svg", b"\xef\xbb\xbf \n<?xml version='1.0'?>" + DRAWING),
        ("svg", b"<!-- made here -->" + DRAWING),
        ("svg", b"<!DOCTYPE svg>" + DRAWING),
        (None, b"<!DOCTYPE html><html><body>" + DRAWING),
        (None, DOCUMENT),
        (None, JWT),
        (None, b""),
        (None, b"\xff\xd8\xff\xe0JFIF"),
    ],
)
def test_a_picture_is_told_by_how_it_begins(kind: str | None, head: bytes) -> None:
    assert kind_of(head) == kind


def _texts_of(picture: bytes) -> dict[str, str]:

    with Image.open(io.BytesIO(picture)) as opened:
        assert isinstance(opened, PngImagePlugin.PngImageFile)
        opened.load()
        return {name: str(text) for name, text in opened.text.items()}


def _chunk_ends(picture: bytes) -> list[int]:
    ends, at = [], len(SIGNATURE)
    while at < len(picture):
        at += 12 + int.from_bytes(picture[at : at + 4], "big")
        ends.append(at)
    return ends
