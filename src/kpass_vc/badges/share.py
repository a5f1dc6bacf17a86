"""The image to share: the badge, whose it is, and how to check it once an app has stripped its data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from kpass_vc.badges.badge import SIDE, BadgeFace, alternative, badge
from kpass_vc.badges.colour import Palette, palette
from kpass_vc.badges.lettering import SOFT_HYPHEN, Weight, Zone, clean
from kpass_vc.language import say
from kpass_vc.qr import qr_path

WIDTH: Final = 1080
HEIGHT: Final = 1350


@dataclass(frozen=True)
class ShareFace:
    """What a share image says.

    `awarded` is a day written for the reader, `url` what the code holds, `code` what people type
    at `verify_at`, a host and a path.
    """

    face: BadgeFace
    holder: str | None
    awarded: str
    url: str
    code: str
    verify_at: str


def draw_share(share: ShareFace) -> str:
    """The share image as SVG, 1080 by 1350 units."""
    colours = palette(share.face.colour_seed)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img">'
        f"<title>{escape(_alternative(share))}</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{colours.wall}"/>'
        f"{_placed_badge(share)}"
        f"{''.join(_holder(share, colours))}{''.join(_check(share, colours))}</svg>\n"
    )


def _alternative(share: ShareFace) -> str:
    spoken = {
        "holder": share.holder or "",
        "awarded": share.awarded,
        "code": share.code,
        "at": share.verify_at,
    }
    return say(
        share.face.language,
        "share.alternative" if share.holder else "share.alternative_unnamed",
        badge=alternative(share.face),
        **{name: clean(text).replace(SOFT_HYPHEN, "") for name, text in spoken.items()},
    )


_MIDDLE: Final = WIDTH / 2


def _placed_badge(share: ShareFace) -> str:
    top, side = (36, 700) if share.holder else (56, 760)
    return (
        f'<g transform="translate({_MIDDLE - side / 2:g} {top}) scale({side / SIDE:g})">'
        f"{''.join(badge(share.face))}</g>"
    )


def _holder(share: ShareFace, colours: Palette) -> Iterator[str]:
    language = share.face.language
    if share.holder is None:
        told = say(language, "share.awarded_unnamed", awarded=share.awarded)
        yield from Zone(836, 60, _MIDDLE, 920, "Semibold", 38, 1).fill(told, colours.deep)
        return
    yield from Zone(740, 110, _MIDDLE, 960, "Bold", 72, 2).fill(share.holder, colours.ink)
    told = say(language, "share.awarded", awarded=share.awarded)
    yield from Zone(856, 52, _MIDDLE, 920, "Semibold", 36, 1).fill(told, colours.deep)


# The panel with the code: white to its edge, so that a camera finds it on any screen.
_PANEL_TOP: Final = 924
_PANEL_SIDE: Final = 380
_TEXT_LEFT: Final = 448
_TEXT_WIDTH: Final = 560


def _check(share: ShareFace, colours: Palette) -> Iterator[str]:
    path, side = qr_path(share.url)
    scale = _PANEL_SIDE / side
    language = share.face.language
    yield (
        f'<rect x="40" y="{_PANEL_TOP}" width="{WIDTH - 80}" height="{_PANEL_SIDE + 6}" rx="36" '
        f'fill="#ffffff" stroke="{colours.soft}" stroke-width="4"/>'
        f'<path fill="{colours.ink}" transform="translate(46 {_PANEL_TOP + 3}) scale({scale:.5f})" '
        f'd="{path}"/>'
    )
    yield from _beside(958, 60, "Bold", 46, 1).fill(say(language, "share.check"), colours.deep)
    yield from _beside(1026, 72, "Regular", 36, 2).fill(say(language, "share.scan"), colours.ink)
    yield from _beside(1108, 90, "Bold", 70, 1).fill(share.code, colours.ink)
    at = say(language, "share.at", at=share.verify_at)
    yield from _beside(1204, 76, "Regular", 36, 2).fill(at, colours.ink)


def _beside(top: float, height: float, weight: Weight, size: float, lines: int) -> Zone:
    """A zone to the right of the code."""
    middle = _TEXT_LEFT + _TEXT_WIDTH / 2
    return Zone(top, height, middle, _TEXT_WIDTH, weight, size, lines, "left")
