"""What may lead to a credential in a PDF: its attachments, its pictures, its links and its text.

Only this module knows pypdf. Whatever is handed in is read within bounds: so many pages, pictures
and bytes. A page is not drawn: a code that is drawn as lines is not seen, but the link and the
typed code beside it are.
"""

import logging
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from pypdf import PdfReader, apply_configuration
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject, TextStringObject

from kpass_vc.errors import KpassError, Malformed
from kpass_vc.model.document import MAX_PICTURE

MOST_PAGES: Final = 50
MOST_ATTACHMENTS: Final = 50
MOST_PICTURES: Final = 60
MOST_PIXELS: Final = 12_000_000
_MOST_TEXT: Final = 200_000
_MOST_DEPTH: Final = 4
_MOST_LINKS: Final = 200
_LARGEST: Final = 48 * 1024 * 1024
_MOST_CONTENT: Final = 2 * 1024 * 1024
_JPEG: Final = "/DCTDecode"
_PLAIN: Final = frozenset(
    {"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCIIHexDecode", "/ASCII85Decode", "None"}
)
_COLOURS: Final = {"/DeviceGray": 1, "/CalGray": 1, "/DeviceRGB": 3, "/CalRGB": 3}
_GREY: Final = 0
_RGB: Final = 2
_PALETTE: Final = 3

# it would write of what it meets, and what is handed in is nobody's to log
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class PdfContents:
    """What is in a PDF: attachments, pictures as PNG or JPEG, the addresses of its links, its text."""

    attachments: tuple[bytes, ...]
    pictures: tuple[bytes, ...]
    links: tuple[str, ...]
    text: str


def is_pdf(body: bytes) -> bool:
    """Whether the bytes begin like a PDF; a reader allows for some bytes in front."""
    return b"%PDF-" in body[:1024]


def read_pdf(body: bytes) -> PdfContents:
    """What is in a PDF; Malformed if it cannot be read, or only with a password."""
    try:
        with apply_configuration(
            zlib_maximum_output_length=_LARGEST,
            lzw_maximum_output_length=_LARGEST,
            run_length_maximum_output_length=_LARGEST,
            image_maximum_buffer_size=_LARGEST,
            stream_filters_maximum_length=3,
            stream_decoding_work_maximum_length=2 * _LARGEST,
            stream_parsing_work_maximum_count=300_000,
            xform_maximum_invocations_per_extraction=200,
            page_tree_maximum_entries=10_000,
            jbig2dec_binary=None,
            disable_legacy_handling=True,
        ):
            return _contents(body)
    except KpassError:
        raise
    except Exception as error:
        raise Malformed("pdf_broken") from error


def _contents(body: bytes) -> PdfContents:
    reader = PdfReader(BytesIO(body), xref_stream_maximum_entries=200_000)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Malformed("pdf_encrypted")
    pictures = _Pictures()
    attachments: list[bytes] = []
    links: list[str] = []
    texts: list[str] = []
    for number, attached in enumerate(reader.attachment_list):
        if number >= MOST_ATTACHMENTS:
            break
        content = attached.content
        if len(content) <= MAX_PICTURE:
            attachments.append(content)
    left = _MOST_TEXT
    for page in reader.pages[:MOST_PAGES]:
        pictures.look(page.get("/Resources"), 0)
        links += _links(page)
        text = _text(page) if left > 0 else ""
        left -= len(text)
        texts.append(text)
    return PdfContents(
        tuple(attachments),
        tuple(pictures.found),
        tuple(dict.fromkeys(links))[:_MOST_LINKS],
        "\n".join(texts)[:_MOST_TEXT],
    )


def _links(page: DictionaryObject) -> Iterator[str]:
    annotations = _of(page.get("/Annots"))
    for each in annotations if isinstance(annotations, ArrayObject) else ():
        annotation = _of(each)
        action = _of(annotation.get("/A")) if isinstance(annotation, DictionaryObject) else None
        address = _of(action.get("/URI")) if isinstance(action, DictionaryObject) else None
        if isinstance(address, bytes):
            yield address.decode("utf-8", "replace")
        elif isinstance(address, str):
            yield str(address)


def _text(page: Any) -> str:  # noqa: ANN401 - a page, which has more members than its type says
    """The text of a page, or nothing where it is broken or takes too long to read."""
    try:
        content = page.get_contents()
        if content is None or len(content.get_data()) > _MOST_CONTENT:
            return ""
        found: str = page.extract_text()
    except Exception:  # noqa: BLE001 - one broken page must not hide the others
        return ""
    return found


class _Pictures:
    """The pictures that pages use, each once."""

    def __init__(self) -> None:
        self.found: list[bytes] = []
        self._seen: set[int] = set()
        self._opened = 0

    def look(self, resources: object, depth: int) -> None:
        """Take the pictures among the resources of a page, or of a drawing within one."""
        held = _of(resources)
        drawings = _of(held.get("/XObject")) if isinstance(held, DictionaryObject) else None
        for each in drawings.values() if isinstance(drawings, DictionaryObject) else ():
            drawing = _of(each)
            if not isinstance(drawing, StreamObject) or id(drawing) in self._seen:
                continue
            self._seen.add(id(drawing))
            self._opened += 1
            if self._opened > 10 * MOST_PICTURES or len(self.found) >= MOST_PICTURES:
                return
            if drawing.get("/Subtype") == "/Image":
                try:
                    picture = _picture(drawing)
                except Exception:  # noqa: BLE001 - one broken picture must not hide the others
                    picture = None
                if picture is not None:
                    self.found.append(picture)
            elif depth < _MOST_DEPTH:
                self.look(drawing.get("/Resources"), depth + 1)


def _picture(drawing: StreamObject) -> bytes | None:
    """A picture as a file; None for kinds that no code is written in."""
    filters = _of(drawing.get("/Filter"))
    names = [_of(each) for each in filters] if isinstance(filters, ArrayObject) else [filters]
    if names == [_JPEG]:
        raw: bytes = drawing._data  # noqa: SLF001 - a JPEG as it lies there: decoding is done elsewhere
        return raw if len(raw) <= MAX_PICTURE else None
    if not _PLAIN.issuperset(map(str, names)):
        return None
    width, height = _of(drawing.get("/Width")), _of(drawing.get("/Height"))
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        return None
    if width * height > MOST_PIXELS:
        return None
    bits = _of(drawing.get("/BitsPerComponent"))
    if drawing.get("/ImageMask"):
        bits = 1
    kind, parts, palette = _colours(_of(drawing.get("/ColorSpace")))
    if bits not in {1, 2, 4, 8} or (kind == _RGB and bits != 8):
        return None
    return _png(drawing.get_data(), (width, height), (int(str(bits)), kind, parts), palette)


def _colours(space: object) -> tuple[int, int, bytes]:
    """The colour type of a PNG, its parts to a pixel, and its palette; grey for what is not known."""
    if isinstance(space, ArrayObject) and len(space) > 1:
        name, second = _of(space[0]), _of(space[1])
        if name == "/ICCBased" and isinstance(second, DictionaryObject):
            return (_RGB, 3, b"") if second.get("/N") == 3 else (_GREY, 1, b"")
        if name == "/Indexed" and len(space) > 3:
            looked_up = _of(space[3])
            table = looked_up.get_data() if isinstance(looked_up, StreamObject) else looked_up
            if isinstance(table, TextStringObject):
                table = table.original_bytes
            _, parts, _ = _colours(second)
            if isinstance(table, bytes) and parts == 3:
                return _PALETTE, 1, table[: len(table) // 3 * 3][:768]
            if isinstance(table, bytes):
                return _PALETTE, 1, b"".join(bytes([each] * 3) for each in table[:256])
        space = name
    parts = _COLOURS.get(str(space), 1)
    return (_RGB if parts == 3 else _GREY), parts, b""


def _png(
    pixels: bytes, size: tuple[int, int], form: tuple[int, int, int], palette: bytes
) -> bytes | None:
    """Rows of pixels as a PNG; None if there are too few."""
    (width, height), (bits, kind, parts) = size, form
    row = (width * bits * parts + 7) // 8
    if len(pixels) < row * height:
        return None
    rows = b"".join(b"\0" + pixels[row * y : row * (y + 1)] for y in range(height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))]
    if palette:
        chunks.append((b"PLTE", palette))
    chunks += [(b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _of(value: object) -> object:
    """What a reference leads to, or the value itself."""
    resolve = getattr(value, "get_object", None)
    found: object = resolve() if resolve is not None else value
    return found
