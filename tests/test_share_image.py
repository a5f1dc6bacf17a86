"""The share image: what it says fits, and its code survives what apps and phones do to it."""

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from PIL import Image

from kpass_vc.badges import ShareFace, contrast, draw_share, palette, rasterise
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.qr import read_qr
from tests.test_badges import FACE, HOSTILE, SVG, words

SHARE = ShareFace(
    face=FACE,
    holder="Amina Exempelsson",
    awarded="21 november 2026",
    url="https://kompetenspasset.example/s/7K3P9QXM2WTB",
    code="7K3P-9QXM-2WTB",
    verify_at="kompetenspasset.example/verify",
)


def shown(share: ShareFace = SHARE, width: int = 1080) -> Image.Image:
    """The share image as pixels."""
    png = rasterise(draw_share(share), width, width * 1350 // 1080)
    return Image.open(io.BytesIO(png)).convert("RGB")


def jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def half(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BILINEAR)


def in_perspective(picture: Image.Image) -> Image.Image:
    """The picture as a phone sees it that is held askew."""
    wide, high = picture.width * 5 // 4, picture.height * 5 // 4
    table = Image.new("RGB", (wide, high), "#777")
    table.paste(picture, (wide // 10, high // 10))
    seen = (1, 0.06, -0.05 * wide, 0.04, 1, -0.03 * high, 0.00009, 0.00006)
    return table.transform(
        (wide, high), Image.Transform.PERSPECTIVE, seen, Image.Resampling.BICUBIC, fillcolor="#777"
    )


def on_a_screen(picture: Image.Image, ground: str) -> Image.Image:
    """A screenshot of an app that shows the picture."""
    screen = Image.new("RGB", (picture.width + 60, picture.height * 2), ground)
    screen.paste(picture, (30, picture.height // 3))
    return screen


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("quality", [60, 40])
def test_the_code_survives_half_the_size_and_jpeg(language: Language, quality: int) -> None:
    picture = shown(replace(SHARE, face=replace(FACE, language=language)))

    assert read_qr(jpeg(half(picture), quality)) == (SHARE.url,)


@pytest.mark.parametrize("quality", [60, 40])
@pytest.mark.parametrize("angle", [-6, 4, 90])
def test_the_code_survives_a_photograph_askew(quality: int, angle: int) -> None:
    photograph = in_perspective(shown()).rotate(
        angle, Image.Resampling.BICUBIC, expand=True, fillcolor="#777"
    )

    assert read_qr(jpeg(half(photograph), quality)) == (SHARE.url,)


@pytest.mark.parametrize("ground", ["#ffffff", "#000000"])
def test_the_code_survives_a_screenshot(ground: str) -> None:
    screenshot = on_a_screen(half(shown()), ground)

    assert read_qr(jpeg(screenshot, 40)) == (SHARE.url,)


def test_the_code_of_a_long_address_survives_too() -> None:
    url = "https://kompetensbevis.en-kommun-med-langt-namn.example:8443/tjanst/s/7K3P9QXM2WTB"

    assert read_qr(jpeg(half(shown(replace(SHARE, url=url))), 40)) == (url,)


def test_the_code_is_at_least_300_units_and_black_enough() -> None:
    root = ET.fromstring(draw_share(SHARE))
    [code] = [path for path in root.findall(f"{SVG}path") if "h1v1" in path.get("d", "")]
    scale = float(re.search(r"scale\((.*)\)", code.get("transform", ""))[1])  # type: ignore[index]
    right = max(int(x) + int(run) for x, run in re.findall(r"M(\d+) \d+h(\d+)", code.get("d", "")))

    assert scale * (right - 4) >= 300
    assert contrast(str(code.get("fill")), "#ffffff") >= 12


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["holder", "awarded", "code", "verify_at"])
def test_no_text_breaks_the_share_image_or_lies_on_another(text: str, field: str) -> None:
    share = replace(SHARE, **{field: text})  # type: ignore[arg-type]  # all four are texts

    root = ET.fromstring(draw_share(share))
    for group in root.findall(f"{SVG}g"):
        root.remove(group)  # the badge, which has its own tests
    boxes = [box for _, box in words(ET.tostring(root, "unicode"))]

    zones = [(740, 852), (856, 908), (958, 1018), (1026, 1098), (1108, 1198), (1204, 1280)]
    for left, top, right, bottom in boxes:
        assert any(low <= top and bottom <= high for low, high in zones), (top, bottom)
        assert (448 if top > 920 else 50) - 4 <= left <= right <= 1030
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "path", "rect", "g"
    }  # fmt: skip


def test_without_a_name_there_is_no_name_line() -> None:
    named, unnamed = draw_share(SHARE), draw_share(replace(SHARE, holder=None))

    ink = palette(FACE.colour_seed).ink
    assert "Amina Exempelsson" in named
    assert "Amina" not in unnamed
    assert [colour for colour, _ in words(named)].count(ink) == 1 + [
        colour for colour, _ in words(unnamed)
    ].count(ink)


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_an_example_is_shared_as_one(language: Language) -> None:
    face = replace(FACE, language=language)
    example = draw_share(replace(SHARE, face=face))
    real = draw_share(replace(SHARE, face=replace(face, illustrative=False)))

    notice = palette(FACE.colour_seed).notice
    assert notice in example
    assert notice not in real


def test_the_share_image_says_in_words_how_to_check_it() -> None:
    title = ET.fromstring(draw_share(SHARE)).findtext(f"{SVG}title", "")

    assert title.startswith("Amina Exempelsson: ")
    assert "7K3P-9QXM-2WTB på kompetenspasset.example/verify" in title


def test_words_stand_out_on_the_share_image_for_two_hundred_organisations() -> None:
    for number in range(200):
        colours = palette(f"org-{number}")

        assert contrast(colours.deep, colours.wall) >= 4.5
        assert contrast(colours.ink, colours.wall) >= 7


def test_the_same_share_gives_the_same_bytes() -> None:
    assert draw_share(SHARE) == draw_share(replace(SHARE))
