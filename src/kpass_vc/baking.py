"""Put a credential into a PNG or an SVG, and take it out again (Open Badges 3.0 section 5.3).

PNG: one iTXt chunk `openbadgecredential`, never compressed, before the picture's
data so that a reader that stops early has seen it. SVG: one `openbadges:credential`
as the first child of `<svg>`, a JWT in its attribute `verify`, JSON in its body.

What is read comes from anyone: no picture is decoded, nothing is inflated past
MAX_SECURED, and every byte has to belong where the format says.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from kpass_vc.errors import Malformed, TooLarge
from kpass_vc.model.document import MAX_PICTURE

Kind: TypeAlias = Literal["png", "svg"]

MAX_SECURED: Final = 1024 * 1024
MAX_PIXELS: Final = 4096 * 4096
MAX_CHUNKS: Final = 10_000
MAX_ELEMENTS: Final = 50_000
MAX_DEPTH: Final = 100

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEYWORD: Final = b"openbadgecredential"
_TEXT_CHUNKS: Final = frozenset({b"iTXt", b"tEXt", b"zTXt"})
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})

_SVG: Final = "{http://www.w3.org/2000/svg}"
_DECLARATION: Final = b' xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
_CREDENTIAL: Final = "{https://purl.imsglobal.org/ob/v3p0}credential"
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_TAG: Final = re.compile(rb"""<(?:[^>"']|"[^"]*+"|'[^']*+')*+>""")
_COMPACT_JWS: Final = re.compile(rb"ey[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")
_NOT_IN_XML: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""Characters that no XML can hold, and that no JSON we read does either."""

_DRAWN: Final = frozenset({
    "svg", "g", "defs", "symbol", "use", "path", "rect", "circle", "ellipse", "line", "polyline",
    "polygon", "text", "tspan", "textPath", "linearGradient", "radialGradient", "stop",
    "clipPath", "mask", "pattern", "marker", "image", "title", "desc", "metadata", "style",
    "filter", "feBlend", "feColorMatrix", "feComponentTransfer", "feComposite", "feFlood",
    "feFuncA", "feFuncB", "feFuncG", "feFuncR", "feGaussianBlur", "feMerge", "feMergeNode",
    "feMorphology", "feOffset", "feDropShadow",
})  # fmt: skip
"""SVG elements that draw or describe and can neither run nor change anything."""
_INERT: Final = (
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}",
    "{http://creativecommons.org/ns#}",
    "{http://web.resource.org/cc/}",
    "{http://purl.org/dc/elements/1.1/}",
    "{http://www.inkscape.org/namespaces/inkscape}",
    "{http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd}",
)
"""Namespaces of notes that drawing programs leave and no browser acts on."""
_LEADS_OUT: Final = re.compile(r"url\(\s*(?!['\"]?#)|image-set|src\(|@import|\\", re.IGNORECASE)
"""What in a style leads out of the drawing, or spells it so that we would not see it."""
_CONTAINED: Final = re.compile(r"#|data:image/(?:png|jpeg|gif|webp);base64,", re.IGNORECASE)


def kind_of(picture: bytes) -> Kind | None:
    """What the bytes begin like, or None."""
    if picture.startswith(_SIGNATURE):
        return "png"
    if picture.startswith(_UTF16):
        picture = picture[:4096].replace(b"\x00", b"").lstrip(b"\xff\xfe")
    head = picture.removeprefix(_BOM).lstrip(b" \t\r\n")[:4096]
    if head.startswith((b"<svg:", b"<svg")):
        return "svg"
    prolog = head.startswith((b"<?xml", b"<!--")) or head[:13].lower() == b"<!doctype svg"
    return "svg" if prolog and re.search(rb"<(?:\w+:)?svg[\s>]", picture) else None


def bake_png(picture: bytes, secured: bytes) -> bytes:
    """The PNG with the credential in it, in place of one it had; Malformed if either is not sound."""
    text = _secured(secured)
    chunk = _Chunk(b"iTXt", _KEYWORD + b"\x00\x00\x00\x00\x00" + text)
    kept = [each for each in _chunks(picture) if not each.carries]
    place = next(number for number, each in enumerate(kept) if each.kind == b"IDAT")
    return _bounded(
        _SIGNATURE + b"".join(each.written() for each in (*kept[:place], chunk, *kept[place:]))
    )


def bake_svg(picture: bytes, secured: bytes) -> bytes:
    """The SVG with the credential in it, in place of one it had; Malformed if it holds what could run or be fetched."""
    text = _secured(secured)
    body = _xml(picture)
    drawing = _Drawing(body)
    for start, end in reversed(drawing.places):
        body = body[:start] + body[end:]
    tag = _tag(body, drawing.root)
    after = drawing.root + len(tag)
    name = re.split(rb"[\s/>]", tag[1:], maxsplit=1)[0]
    own = b""
    if _DECLARATION not in tag:  # on <svg>, unless the prefix already means something else there
        if b"xmlns:openbadges" in tag:
            own = _DECLARATION
        else:
            tag = b"<" + name + _DECLARATION + tag[1 + len(name) :]
    inside = b"<openbadges:credential" + own + _carried(text)
    if tag.endswith(b"/>"):
        tag, inside = tag[:-2] + b">", inside + b"</" + name + b">"
    return _bounded(body[: drawing.root] + tag + inside + body[after:])


def unbake(picture: bytes) -> bytes | None:
    """The secured credential in a picture, or None if it is sound and has none; Malformed says what is wrong."""
    match kind_of(picture):
        case "png":
            return _only([chunk for chunk in _chunks(picture) if chunk.carries])
        case "svg":
            return _Svg(_xml(picture)).credential()
        case None:
            raise Malformed("picture_kind")


def _bounded(picture: bytes) -> bytes:
    if len(picture) > MAX_PICTURE:
        raise TooLarge(limit=MAX_PICTURE)
    return picture


def _secured(given: bytes) -> bytes:
    """The text to carry: a JSON object or a compact JWS; Malformed if it is neither."""
    text = given.removeprefix(_BOM).strip()
    if len(text) > MAX_SECURED:
        raise TooLarge(limit=MAX_SECURED)
    if _COMPACT_JWS.fullmatch(text):
        return text
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise Malformed("baked_text") from error
    if not (text.startswith(b"{") and text.endswith(b"}")) or _NOT_IN_XML.search(text):
        raise Malformed("baked_text")
    return text


# --- PNG (W3C PNG, third edition, section 5) ------------------------------------------------------


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    data: bytes

    @property
    def carries(self) -> bool:
        """Whether a credential stands in it: 1EdTech's validator takes any kind of text chunk, and so do we."""
        return self.kind in _TEXT_CHUNKS and self.data.partition(b"\x00")[0] == _KEYWORD

    def written(self) -> bytes:
        checksum = zlib.crc32(self.kind + self.data)
        return (
            len(self.data).to_bytes(4, "big") + self.kind + self.data + checksum.to_bytes(4, "big")
        )

    def text(self) -> bytes:
        """The text of a text chunk, inflated if it must be."""
        _, _, rest = self.data.partition(b"\x00")
        if self.kind == b"iTXt":
            flags, rest = rest[:2], rest[2:]
            _, language_ends, rest = rest.partition(b"\x00")
            _, keyword_ends, rest = rest.partition(b"\x00")
            if flags not in {b"\x00\x00", b"\x01\x00"} or not (language_ends and keyword_ends):
                raise Malformed("png_text")
            return _inflated(rest) if flags[0] else rest
        if self.kind == b"zTXt":
            if rest[:1] != b"\x00":
                raise Malformed("png_text")
            rest = _inflated(rest[1:])
        if not rest.isascii():  # Latin-1 by the standard, UTF-8 by some writers: two readings
            raise Malformed("png_text")
        return rest


def _chunks(picture: bytes) -> list[_Chunk]:
    """Every chunk from IHDR to IEND; Malformed unless each is whole, in order and has its checksum."""
    found = list(_walk(_bounded(picture)))
    kinds = [each.kind for each in found]
    if kinds[0] != b"IHDR" or len(found[0].data) != 13 or kinds.count(b"IHDR") != 1:
        raise Malformed("png_order", chunk="IHDR")
    width, height = (int.from_bytes(found[0].data[at : at + 4], "big") for at in (0, 4))
    if not width or not height or width * height > MAX_PIXELS:
        raise Malformed("png_pixels", width=width, height=height, limit=MAX_PIXELS)
    if kinds[-1] != b"IEND" or found[-1].data or kinds.count(b"PLTE") > 1:
        raise Malformed("png_order", chunk="IEND")
    data = [number for number, kind in enumerate(kinds) if kind == b"IDAT"]
    if not data or data[-1] - data[0] != len(data) - 1:
        raise Malformed("png_order", chunk="IDAT")
    return found


def _walk(picture: bytes) -> Iterator[_Chunk]:
    if not picture.startswith(_SIGNATURE):
        raise Malformed("picture_kind")
    at, number = len(_SIGNATURE), 0
    while True:
        length = int.from_bytes(picture[at : at + 4], "big")
        kind, data = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        checksum = picture[at + 8 + length : at + 12 + length]
        at += 12 + length
        number += 1
        if at > len(picture):
            raise Malformed("png_cut")
        if not (kind.isalpha() and kind.isascii()):
            raise Malformed("png_chunk", number=number)
        if zlib.crc32(kind + data) != int.from_bytes(checksum, "big"):
            raise Malformed("png_checksum", chunk=kind.decode())
        if kind[:1].isupper() and kind not in _CRITICAL:
            raise Malformed("png_chunk", number=number)
        if number > MAX_CHUNKS:
            raise Malformed("png_chunks", limit=MAX_CHUNKS)
        yield _Chunk(kind, data)
        if kind == b"IEND":
            break
    if at != len(picture):
        raise Malformed("png_trailing")


def _inflated(data: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(data, MAX_SECURED + 1)
    except zlib.error as error:
        raise Malformed("png_text") from error
    if len(text) > MAX_SECURED:
        raise TooLarge(limit=MAX_SECURED)
    if not inflate.eof or inflate.unused_data:
        raise Malformed("png_text")
    return text


def _only(carriers: list[_Chunk]) -> bytes | None:
    if len(carriers) > 1:
        raise Malformed("two_credentials")
    return _secured(carriers[0].text()) if carriers else None


# --- SVG ------------------------------------------------------------------------------------------


def _xml(picture: bytes) -> bytes:
    """The bytes of an SVG in UTF-8, without a byte order mark; Malformed for any other encoding."""
    body = _bounded(picture).removeprefix(_BOM)
    declared = _DECLARED.match(body)
    if picture.startswith(_UTF16) or (declared and declared[1].lower() != b"utf-8"):
        raise Malformed("svg_encoding")
    return body


def _carried(text: bytes) -> bytes:
    """The rest of the credential's element: a JWT in its attribute, JSON as its body."""
    if text.startswith(b"ey"):
        return b' verify="' + text + b'"/>'
    plain = text.replace(b"\r", b" ").replace(b"]]>", b"]]]]><![CDATA[>")
    return b"><![CDATA[" + plain + b"]]></openbadges:credential>"


def _tag(body: bytes, start: int) -> bytes:
    """The whole start tag that begins at `start`."""
    found = _TAG.match(body, start)
    if found is None:
        raise Malformed("svg_xml")
    return found.group()


class _Svg:
    """An SVG as its parser tells it, part by part: nothing but the credentials is kept."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.root = 0
        self.places: list[tuple[int, int]] = []
        self.open: list[str] = []
        self._elements = 0
        self._found: list[tuple[str | None, list[str]]] = []
        self._parser = DefusedXMLParser(target=self, encoding="utf-8", forbid_dtd=True)
        try:
            self._parser.feed(body)
            self._parser.close()
        except DefusedXmlException as error:
            raise Malformed("svg_dtd") from error
        except ParseError as error:
            raise Malformed("svg_xml") from error

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self.open) >= MAX_DEPTH:
            raise Malformed("svg_size", elements=MAX_ELEMENTS, depth=MAX_DEPTH)
        if not self.open:
            self.root = self._here()
            if tag != f"{_SVG}svg":
                raise Malformed("svg_root")
        elif self.open[-1] == _CREDENTIAL or (tag == _CREDENTIAL and len(self.open) > 1):
            raise Malformed("svg_place")
        elif tag == _CREDENTIAL:
            self.places.append((self._here(), 0))
            self._found.append((attributes.get("verify"), []))
        self.open.append(tag)

    def data(self, text: str) -> None:
        if self.open and self.open[-1] == _CREDENTIAL:
            self._found[-1][1].append(text)

    def end(self, tag: str) -> None:
        self.open.pop()
        if tag == _CREDENTIAL:
            start = self.places[-1][0]
            whole = _tag(self.body, start)
            after = start + len(whole)
            if not whole.endswith(b"/>"):
                after = self.body.index(b">", self._here()) + 1
            self.places[-1] = (start, after)

    def close(self) -> None:
        """Nothing is left to do."""

    def credential(self) -> bytes | None:
        """The one credential, or None; Malformed if there are several or it is none."""
        carried = [
            text for verify, parts in self._found for text in (verify, "".join(parts).strip())
        ]
        texts = [text for text in carried if text]
        if len(texts) > 1 or len(self._found) > 1:
            raise Malformed("two_credentials")
        if self._found and not texts:
            raise Malformed("baked_text")
        return _secured(texts[0].encode()) if texts else None

    def _here(self) -> int:
        """Where in the bytes the tag begins that is being told of."""
        return int(self._parser.parser.CurrentByteIndex)


class _Drawing(_Svg):
    """The same, and Malformed if anything in it could run, be fetched or change the picture."""

    def __init__(self, body: bytes) -> None:
        self._style: list[str] = []
        super().__init__(body)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        name = tag.rpartition("}")[2][:80]
        drawn = tag.startswith(_SVG) and tag.removeprefix(_SVG) in _DRAWN
        if not drawn and tag != _CREDENTIAL and not tag.startswith(_INERT):
            raise Malformed("svg_element", element=name)
        for attribute, value in attributes.items():
            local = attribute.rpartition("}")[2].lower()
            if (
                local.startswith("on")
                or local == "base"
                or (local in {"href", "src"} and not _CONTAINED.match(value.strip()))
                or ("}" not in attribute and _LEADS_OUT.search(value))
            ):
                raise Malformed("svg_attribute", attribute=local[:80], element=name)

    def data(self, text: str) -> None:
        super().data(text)
        if self.open and self.open[-1] == f"{_SVG}style":
            self._style.append(text)

    def end(self, tag: str) -> None:
        if tag == f"{_SVG}style" and _LEADS_OUT.search("".join(self._style)):
            raise Malformed("svg_attribute", attribute="style", element="style")
        super().end(tag)

    def pi(self, target: str, _text: str | None = None) -> None:
        """Refuse a style sheet or a program named before the drawing."""
        raise Malformed("svg_element", element=f"?{target[:80]}")
