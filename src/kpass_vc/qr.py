"""QR codes: drawn as a path, and read from a photograph or a screenshot.

Whatever is handed in is read within bounds: so many bytes, and so many pixels
by the header, before one of them is decoded. Only four file formats reach a
decoder, and of moving pictures only the first.

A code is found whichever way up it lies and mirrored too, so the orientation
that a camera notes in EXIF makes no difference and is not read.
"""

import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from io import BytesIO
from threading import Lock
from typing import Final

import segno
import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

from kpass_vc.errors import Malformed, TooLarge
from kpass_vc.model.document import MAX_PICTURE

MAX_PIXELS: Final = 40_000_000
_MAX_WEBP_PIXELS: Final = 16_000_000  # its decoder holds each pixel four times, at four bytes
_MAX_SIDE: Final = 65_535  # every row costs a pointer, however short it is
_STRIP: Final = 256
QUIET_ZONE: Final = 4  # modules of white around the code (ISO/IEC 18004, 9.1)

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
_MOST_SCANS: Final = 100
_MOST_TEXTS: Final = 16
_LONGEST: Final = 3200
_LARGE: Final = 8_000_000
_START_OF_SCAN: Final = b"\xff\xda"
_WHITE: Final = 255
_BLACK: Final = 0
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)

# Decoding 40 million pixels takes up to 350 MB: one at a time
_one_large: Final = Lock()

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def qr_path(text: str) -> tuple[str, int]:
    """The dark modules as SVG path data, one unit each, and the side with its quiet zone.

    Error correction is M, or better where it costs no space; ValueError if no code can hold the text.
    """
    code = segno.make_qr(text, error="m", boost_error=True)
    rows = [list(row) for row in code.matrix_iter(border=QUIET_ZONE)]
    path = "".join(
        f"M{start} {y}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length in _runs(row)
    )
    return path, len(rows)


def qr_svg(text: str) -> str:
    """The code as a picture of its own, with its quiet zone; ValueError if no code can hold the text."""
    path, side = qr_path(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )


def read_qr(picture: bytes) -> tuple[str, ...]:
    """The texts of all QR codes in a picture, from the top down; Malformed if it is no picture that we take."""
    if len(picture) > MAX_PICTURE:
        raise TooLarge(limit=MAX_PICTURE)
    try:
        for grey in _readings(picture):
            if texts := _texts(grey):
                return texts
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        large = isinstance(error, Image.DecompressionBombError)
        raise (_too_many_pixels() if large else Malformed("picture_format")) from error
    except Malformed:
        raise
    except Image.DecompressionBombWarning as error:
        raise _too_many_pixels() from error
    except Exception as error:
        raise Malformed("picture_broken") from error
    return ()


def _runs(row: list[int]) -> Iterator[tuple[int, int]]:
    """Where each run of dark modules starts, and how long it is."""
    start = None
    for x, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            yield start, x - start
            start = None


def _too_many_pixels(limit: int = MAX_PIXELS) -> Malformed:
    return Malformed("picture_pixels", limit=limit // 1_000_000)


def _readings(picture: bytes) -> Iterator[Image.Image]:
    """The picture in grey at several sizes and contrasts, the likeliest first."""
    for grey in _greys(picture):
        longest = max(grey.size)
        for side in (min(longest, 1600), 800, _LONGEST, 2 * longest):
            if side <= _LONGEST and (side < longest or side in {longest, 2 * longest}):
                yield _scaled(grey, side)
        yield ImageOps.autocontrast(_scaled(grey, min(longest, 1200)), cutoff=5)


def _greys(picture: bytes) -> list[Image.Image]:
    """The picture in grey, not much longer than _LONGEST; where it is transparent, on white and on black."""
    with Image.open(BytesIO(picture), formats=_FORMATS) as opened:
        pixels = opened.width * opened.height
        limit = _MAX_WEBP_PIXELS if opened.format == "WEBP" else MAX_PIXELS
        if pixels > limit:
            raise _too_many_pixels(limit)
        if max(opened.size) > _MAX_SIDE:
            raise Malformed("picture_broken")
        # A progressive JPEG of a few MB can hold so many scans that decoding takes an hour
        if opened.format in {"JPEG", "MPO"} and picture.count(_START_OF_SCAN) > _MOST_SCANS:
            raise Malformed("picture_broken")
        opened.draft("L", (_LONGEST, _LONGEST))
        with _one_large if pixels > _LARGE else nullcontext():
            opened.load()
            smaller = max(opened.size) // _LONGEST + 1
            reduced = _reduced(opened, smaller) if smaller > 1 else opened
            grounds = (_WHITE, _BLACK) if reduced.has_transparency_data else (_WHITE,)
            return [_on(reduced, ground) for ground in grounds]


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """The picture in grey, or with its transparency, so many times smaller.

    Strip by strip: a large picture copied whole in another mode takes four bytes a pixel.
    """
    mode = "RGBA" if picture.has_transparency_data else "L"
    small = Image.new(mode, (-(-picture.width // factor), -(-picture.height // factor)))
    for top in range(0, picture.height, factor * _STRIP):
        bottom = min(top + factor * _STRIP, picture.height)
        strip = picture.crop((0, top, picture.width, bottom))
        small.paste(strip.convert(mode).reduce(factor), (0, top // factor))
    return small


def _on(picture: Image.Image, ground: int) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("L")
    layers = picture.convert("LA")
    flat = Image.new("L", layers.size, ground)
    flat.paste(layers.getchannel("L"), mask=layers.getchannel("A"))
    return flat


def _scaled(grey: Image.Image, longest: int) -> Image.Image:
    factor = longest / max(grey.size)
    if factor == 1:
        return grey
    size = (max(round(grey.width * factor), 1), max(round(grey.height * factor), 1))
    return grey.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _texts(grey: Image.Image) -> tuple[str, ...]:
    found = zxingcpp.read_barcodes(grey, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    placed = sorted(
        (code.position.top_left.y, code.position.top_left.x, code.text)
        for code in found
        if code.valid and code.text
    )
    return tuple(dict.fromkeys(text for *_, text in placed))[:_MOST_TEXTS]
