"""QR codes: read from whatever a phone makes of them, and nothing else is decoded."""

import io
import struct
import zlib
from typing import Any

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from kpass_vc.badges import rasterise
from kpass_vc.errors import Malformed, TooLarge
from kpass_vc.model.document import MAX_PICTURE
from kpass_vc.qr import MAX_PIXELS, qr_path, read_qr

TEXT = "https://kompetenspasset.example/s/7K3P9QXM2WTB"
SIDE = 400


def drawn(text: str = TEXT, size: int = SIDE) -> Image.Image:
    """Our own drawing of a code, as grey pixels."""
    path, side = qr_path(text)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}"/></svg>'
    )
    return Image.open(io.BytesIO(rasterise(svg, size))).convert("L")


def saved(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of that size by its header, with a few bytes of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_code_is_read_from_each_kind_of_picture(form: str) -> None:
    assert read_qr(saved(drawn(), form)) == (TEXT,)


@pytest.mark.parametrize("text", ["a", TEXT, "å ä ö · 🔥", "x" * 1200])
def test_what_we_draw_is_what_is_read(text: str) -> None:
    assert read_qr(saved(drawn(text, 1200))) == (text,)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_code_is_read_whichever_way_the_camera_was_held(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = saved(drawn(), "JPEG", exif=exif)
    turned = saved(ImageOps.exif_transpose(Image.open(io.BytesIO(upright))), "JPEG")

    assert read_qr(upright) == (TEXT,)
    assert read_qr(turned) == (TEXT,)


@pytest.mark.parametrize("angle", [3, -7, 20, 45, 100])
def test_a_code_is_read_from_a_crooked_photograph(angle: int) -> None:
    photograph = drawn().rotate(angle, expand=True, fillcolor=140)

    assert read_qr(saved(photograph, "JPEG", quality=50)) == (TEXT,)


def test_a_code_is_read_in_dark_mode() -> None:
    screen = Image.new("L", (900, 1800), 18)
    screen.paste(ImageOps.invert(drawn()), (250, 700))

    assert read_qr(saved(screen)) == (TEXT,)


@pytest.mark.parametrize("paint", [0, 255])
def test_a_code_is_read_that_is_drawn_on_nothing(paint: int) -> None:
    code = drawn()
    layer = Image.new("LA", code.size, (paint, 0))
    layer.putalpha(ImageOps.invert(code))

    assert read_qr(saved(layer)) == (TEXT,)


def test_a_small_code_is_found_in_a_large_photograph() -> None:
    photograph = Image.new("L", (6500, 6100), 170)
    photograph.paste(drawn(size=520), (4100, 900))

    assert read_qr(saved(photograph, "JPEG", quality=60)) == (TEXT,)


def test_several_codes_come_from_the_top_down_and_each_once() -> None:
    sheet = Image.new("L", (500, 1400), 255)
    for place, text in enumerate(
        ("https://one.example", "https://two.example", "https://one.example")
    ):
        sheet.paste(drawn(text), (40, 20 + place * 450))

    assert read_qr(saved(sheet)) == ("https://one.example", "https://two.example")


def test_a_picture_without_a_code_has_no_texts() -> None:
    assert read_qr(saved(Image.effect_noise((300, 200), 60))) == ()
    assert read_qr(saved(Image.new("L", (1, 1)))) == ()
    assert read_qr(saved(Image.new("L", (30_000, 1)))) == ()


def test_only_qr_codes_count() -> None:
    micro = io.BytesIO()
    segno.make_micro("1234567").save(micro, kind="png", scale=12, border=4)

    assert read_qr(micro.getvalue()) == ()


@pytest.mark.parametrize(
    ("width", "height"), [(30_000, 30_000), (9000, 9000), (MAX_PIXELS + 1, 1), (65_000, 617)]
)
def test_too_many_pixels_are_refused_by_the_header(width: int, height: int) -> None:
    with pytest.raises(Malformed) as refused:
        read_qr(png_header(width, height))

    assert refused.value.rule == "picture_pixels"


def test_a_webp_is_refused_sooner_since_its_decoder_takes_more() -> None:
    with pytest.raises(Malformed) as caught:
        read_qr(saved(Image.new("L", (4001, 4000)), "WEBP"))

    assert (caught.value.rule, caught.value.data["limit"]) == ("picture_pixels", 16)


def test_a_picture_of_endless_rows_is_refused() -> None:
    with pytest.raises(Malformed) as caught:
        read_qr(png_header(1, 70_000))

    assert caught.value.rule == "picture_broken"


@pytest.mark.parametrize("mode", ["P", "RGBA", "1", "L"])
def test_a_code_is_read_from_a_large_picture_that_is_transparent(mode: str) -> None:
    large = drawn(size=4000).convert(mode)
    options: dict[str, Any] = {} if mode == "RGBA" else {"transparency": 1 if mode == "1" else 255}

    assert read_qr(saved(large, **options)) == (TEXT,)


def test_as_many_pixels_as_we_take_reach_the_decoder() -> None:
    with pytest.raises(Malformed) as refused:
        read_qr(png_header(8000, 5000))

    assert refused.value.rule == "picture_broken"


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(TooLarge):
        read_qr(saved(drawn()) + b"\0" * MAX_PICTURE)


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    picture = saved(drawn(), "JPEG", progressive=True)
    last = picture.rindex(b"\xff\xda")
    bomb = picture[:-2] + picture[last:-2] * 200 + b"\xff\xd9"

    with pytest.raises(Malformed) as refused:
        read_qr(bomb)

    assert refused.value.rule == "picture_broken"
    assert read_qr(picture) == (TEXT,)


@pytest.mark.parametrize("form", ["BMP", "TIFF", "PPM", "ICO", "TGA", "PDF", "EPS"])
def test_other_formats_reach_no_decoder(form: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_qr(saved(drawn(size=64).convert("RGB"), form))

    assert refused.value.rule == "picture_format"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_that_breaks_off_is_broken(form: str) -> None:
    picture = saved(drawn(), form)

    for part in (30, len(picture) // 2):
        with pytest.raises(Malformed):
            read_qr(picture[:part])


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    try:
        read_qr(body)
    except Malformed:
        return


@given(
    form=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=12),
)
def test_a_picture_with_changed_bytes_is_read_or_malformed(
    form: str, places: list[tuple[float, int]]
) -> None:
    picture = bytearray(PICTURES[form])
    for place, value in places:
        picture[int(place * len(picture))] = value

    try:
        texts = read_qr(bytes(picture))
    except Malformed:
        return

    assert all(isinstance(text, str) for text in texts)


PICTURES = {form: saved(drawn(size=120), form) for form in ("PNG", "JPEG", "WEBP", "GIF")}
