"""The colours of an organisation: a hue of its own, and always enough contrast to read by."""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True)
class Palette:
    """The colours of one organisation, `#rrggbb`, all of one hue but `accent`."""

    deep: str
    soft: str
    woven: str
    unlit: str
    accent: str
    ink: str
    paper: str
    wall: str
    notice: str
    notice_ink: str


# Degrees of OKLCH; without the yellows, which turn to mud when they are dark enough to read on.
_HUES: Final = (12, 24, 36, 136, 148, 160, 174, 190, 208, 228, 244, 256, 268, 282, 300, 322, 342)
_SALT: Final = b"badge 2492061:"  # the one of many that sets the demo organisations furthest apart


@lru_cache
def palette(seed: str) -> Palette:
    """The colours for an organisation's slug: always the same, always readable.

    Lightness is fixed and only the hue follows the slug, so that the contrast hardly
    differs between organisations.
    """
    hue = _HUES[digest(seed)[0] % len(_HUES)]
    return Palette(
        deep=_oklch(0.38, 0.13, hue),
        soft=_oklch(0.91, 0.045, hue),
        woven=_oklch(0.45, 0.13, hue),
        unlit=_oklch(0.85, 0.05, hue),
        accent=_oklch(0.81, 0.11, 74),
        ink=_oklch(0.24, 0.03, hue),
        paper=_oklch(0.985, 0.004, hue),
        wall=_oklch(0.962, 0.018, hue),
        notice="#ffc845",
        notice_ink="#241a00",
    )


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(lightness: float, chroma: float, hue: float) -> str:
    """A colour of OKLCH as `#rrggbb`, with less chroma where sRGB does not reach."""
    while True:
        linear = _linear_srgb(lightness, chroma, hue)
        if all(-0.0005 <= part <= 1.0005 for part in linear):
            break
        chroma *= 0.95
    gamma = (
        12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
        for part in (min(max(part, 0.0), 1.0) for part in linear)
    )
    return "#" + "".join(f"{round(part * 255):02x}" for part in gamma)


def _linear_srgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    # CSS Color 4, section 9.4: OKLab to linear sRGB.
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def digest(seed: str) -> bytes:
    """What the looks of an organisation or a definition are chosen by."""
    return hashlib.sha256(_SALT + seed.encode("utf-8", "replace")).digest()
