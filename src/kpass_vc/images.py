"""Pictures that an organisation hands in, made anew: what comes out holds nothing but the picture.

A PNG or JPEG is read and written again, without whatever else was in the file. An SVG is
built anew from an allow-list of elements and attributes: no script, no handler, no link, no
style sheet, nothing from elsewhere. What is left of a hostile file is shapes.
"""

import io
import re
from typing import Any, Final
from xml.etree import ElementTree as ET

from defusedxml import ElementTree as SafeTree
from defusedxml.common import DefusedXmlException
from PIL import Image, UnidentifiedImageError

from kpass_vc.errors import Malformed, TooLarge

MOST_BYTES: Final = 1024 * 1024
MOST_PIXELS: Final = 4096 * 4096
SIDE: Final = 1024
"""Pixels that the longer side has at most, of what is kept."""
_JPEG: Final = b"\xff\xd8"
_START_OF_SCAN: Final = b"\xff\xda"
_MOST_SCANS: Final = 100
"""A progressive JPEG can hold so many scans that decoding takes minutes; a real one has about ten."""
_MOST_ELEMENTS: Final = 5000
_MOST_DEPTH: Final = 50
_SVG: Final = "http://www.w3.org/2000/svg"
_ELEMENTS: Final = frozenset(
    {
        "svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline",
        "polygon", "linearGradient", "radialGradient", "stop", "clipPath",
    }
)  # fmt: skip
_ATTRIBUTES: Final = frozenset(
    {
        "id", "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry",
        "fx", "fy", "d", "points", "transform", "fill", "fill-opacity", "fill-rule", "stroke",
        "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
        "stroke-dasharray", "stroke-dashoffset", "opacity", "offset", "stop-color", "stop-opacity",
        "gradientUnits", "gradientTransform", "spreadMethod", "clip-path", "clip-rule", "clipPathUnits",
        "preserveAspectRatio", "color",
    }
)  # fmt: skip
_VALUE: Final = re.compile(r"(?:url\(#[A-Za-z_][\w.-]{0,100}\)|[\w\s.,#%()+-]*)\Z")
"""Numbers, colours and paths, or a place in the same picture."""


def rebuilt(content: bytes) -> tuple[str, bytes]:
    """The media type and the bytes of the picture, made anew; Malformed or TooLarge for what is none that we take."""
    if len(content) > MOST_BYTES:
        raise TooLarge("image", most=MOST_BYTES // 1024)
    head = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((b"<?xml", b"<svg", b"<!")):
        return "image/svg+xml", _svg(content)
    return "image/png", _png(content)


def _png(content: bytes) -> bytes:
    if content.startswith(_JPEG) and content.count(_START_OF_SCAN) > _MOST_SCANS:
        raise Malformed("image")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as found:
            if found.width * found.height > MOST_PIXELS:
                raise TooLarge("image_pixels", most=4096)
            picture: Any = found.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Malformed("image") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge("image_pixels", most=4096) from error
    picture.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _svg(content: bytes) -> bytes:
    try:
        root = SafeTree.fromstring(content, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Malformed("image") from error
    if _name(root.tag) != "svg" or sum(1 for _ in root.iter()) > _MOST_ELEMENTS:
        raise Malformed("image")
    made = _rebuilt(root, 0)
    if made is None or not any(_name(each.tag) == "path" or len(each.attrib) for each in made):
        raise Malformed("image_empty")
    ET.register_namespace("", _SVG)
    found: bytes = ET.tostring(made, encoding="utf-8", xml_declaration=True)
    return found


def _rebuilt(given: Any, depth: int) -> ET.Element | None:  # noqa: ANN401 - defusedxml has no types
    name = _name(given.tag)
    if name not in _ELEMENTS or depth > _MOST_DEPTH:
        return None
    kept = {
        attribute: value
        for attribute, value in given.attrib.items()
        if attribute in _ATTRIBUTES and _VALUE.match(value)
    }
    made = ET.Element(f"{{{_SVG}}}{name}", kept)
    if name in {"title", "desc"}:
        made.text = given.text
        return made
    for child in given:
        inner = _rebuilt(child, depth + 1)
        if inner is not None:
            made.append(inner)
    return made


def _name(tag: object) -> str:
    """The name of an element of SVG, or of none; anything else has no name here."""
    if not isinstance(tag, str):
        return ""
    namespace, _, name = tag.removeprefix("{").rpartition("}")
    return name if namespace in {"", _SVG} else ""
