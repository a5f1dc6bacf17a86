"""The badge: a shield with the organisation's emblem, and beside it a figure of the definition's own.

The small one, for 128 pixels and less, keeps what can be read there: the
emblem, the code without the organisation's part, and the level as pips.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from xml.sax.saxutils import escape

from kpass_vc.badges.colour import Palette, digest, palette
from kpass_vc.badges.lettering import SOFT_HYPHEN, Line, Weight, Zone, clean, number
from kpass_vc.language import Language, say

SIDE: Final = 1024


@dataclass(frozen=True)
class BadgeFace:
    """What a badge picture says; `colour_seed` is the organisation's slug."""

    title: str
    organisation: str
    code: str
    version: str
    level: int | None
    level_basis: str
    level_is_decided: bool
    """Whether somebody other than the owner has placed it at the level."""
    language: Language
    colour_seed: str
    illustrative: bool


def draw(face: BadgeFace) -> str:
    """The badge picture as SVG, 1024 units square."""
    return _svg(face, *badge(face))


def draw_small(face: BadgeFace) -> str:
    """The badge picture for 128 pixels and less as SVG, 1024 units square."""
    colours = palette(face.colour_seed)
    return _svg(
        face,
        *_shield(colours, _SMALL_PAPER),
        _emblem(face.colour_seed, colours, *_SMALL_EMBLEM[face.illustrative]),
        *_small_notice(face, colours),
        *_small_words(face, colours),
    )


def badge(face: BadgeFace) -> Iterator[str]:
    """The shapes of the badge picture, to stand alone or in another."""
    colours = palette(face.colour_seed)
    yield from _shield(colours, _PAPER)
    yield f'<path fill="none" stroke="{colours.soft}" stroke-width="4" d="{_KEYLINE}"/>'
    yield f'<path fill="none" stroke="{colours.accent}" stroke-width="8" d="{_EDGE}"/>'
    yield _ornament(face, colours)
    yield _emblem(face.colour_seed, colours, 184, 1.36)
    yield from _notice(face, colours)
    yield from _words(face, colours)


def alternative(face: BadgeFace) -> str:
    """The picture in words, for those who hear it."""
    spoken = {
        "title": face.title,
        "organisation": face.organisation,
        "level": _level(face),
        "code": face.code,
        "version": face.version,
    }
    return say(
        face.language,
        "badge.alternative_illustrative" if face.illustrative else "badge.alternative",
        **{name: clean(text).replace(SOFT_HYPHEN, "") for name, text in spoken.items()},
    )


def _svg(face: BadgeFace, *parts: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" '
        f'width="{SIDE}" height="{SIDE}" role="img">'
        f"<title>{escape(alternative(face))}</title>{''.join(parts)}</svg>\n"
    )


# --- Shape ----------------------------------------------------------------------------------

_MIDDLE: Final = SIDE / 2
_OUTER: Final = (
    "M152 16H872C934 16 984 66 984 128V610C984 808 842 936 512 1010C182 936 40 808 40 610V128"
    "C40 66 90 16 152 16Z"
)
_PAPER: Final = "M64 366Q512 414 960 366V610C960 794 826 914 512 985C198 914 64 794 64 610Z"
_EDGE: Final = "M64 362Q512 410 960 362"
_KEYLINE: Final = "M80 386V610C80 784 208 900 512 969C816 900 944 784 944 610V386"
_SMALL_PAPER: Final = "M88 560H936V610C936 776 806 892 512 960C218 892 88 776 88 610Z"
_FLANK: Final = ((960.0, 610.0), (960.0, 794.0), (826.0, 914.0), (512.0, 985.0))


def _shield(colours: Palette, paper: str) -> Iterator[str]:
    yield f'<path fill="{colours.deep}" d="{_OUTER}"/>'
    yield f'<path fill="{colours.paper}" d="{paper}"/>'


def half_width(y: float) -> float:
    """How far the paper reaches from the middle line at height `y`."""
    start, *_, end = _FLANK
    if y <= start[1]:
        return start[0] - _MIDDLE
    if y >= end[1]:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(24):
        at = (low + high) / 2
        low, high = (at, high) if _bezier(at, 1) < y else (low, at)
    return _bezier(low, 0) - _MIDDLE


def _bezier(at: float, axis: Literal[0, 1]) -> float:
    one, two, three, four = (point[axis] for point in _FLANK)
    back = 1 - at
    return back**3 * one + 3 * back**2 * at * two + 3 * back * at**2 * three + at**3 * four


# --- Emblem ---------------------------------------------------------------------------------

# One quarter of the emblem, its inner corner at (0, 0) and 100 units wide. Each corner is
# (radius, x, y): the radius of the arc that leads to it, or 0 for a straight line. All are
# mirrored about their diagonal, so that no emblem seems to turn.
_Outline = tuple[tuple[int, int, int], ...]
_GROUNDS: Final[tuple[_Outline, ...]] = (
    ((0, 0, 0), (0, 100, 0), (100, 0, 100)),
    ((0, 0, 0), (0, 100, 0), (0, 100, 100), (0, 0, 100)),
    ((0, 0, 0), (0, 100, 0), (0, 100, 42), (0, 42, 100), (0, 0, 100)),
    ((0, 0, 0), (0, 50, 0), (50, 100, 50), (0, 100, 100), (0, 50, 100), (50, 0, 50)),
    ((0, 0, 0), (100, 100, 100), (100, 0, 0)),
    ((0, 0, 0), (0, 100, 0), (0, 100, 50), (50, 50, 100), (0, 0, 100)),
)
_FIGURES: Final[tuple[_Outline, ...]] = (
    ((0, 0, 0), (0, 50, 0), (50, 0, 50)),
    ((0, 0, 0), (0, 52, 0), (0, 0, 52)),
    ((0, 0, 0), (62, 62, 62), (62, 0, 0)),
    ((0, 46, 20), (26, 46, 72), (26, 46, 20)),
    ((0, 44, 12), (0, 76, 44), (0, 44, 76), (0, 12, 44)),
    ((0, 0, 34), (0, 34, 34), (0, 34, 0), (0, 62, 0), (62, 0, 62)),
)


def _emblem(seed: str, colours: Palette, y: float, scale: float) -> str:
    """A figure of four equal quarters."""
    chosen = digest(seed)
    ground, figure = _GROUNDS[chosen[1] % len(_GROUNDS)], _FIGURES[chosen[2] % len(_FIGURES)]
    main, second = (
        (colours.soft, colours.accent),
        (colours.soft, colours.soft),
        (colours.accent, colours.accent),
    )[chosen[3] % 3]
    parts = (
        (ground, main, (0, 1, 2, 3)),
        *(((ground, second, (1, 3)),) if second != main else ()),
        (figure, colours.deep, (0, 1, 2, 3)),
    )
    paths = "".join(
        f'<path fill="{colour}" d="{"".join(_turned(outline, turn) for turn in turns)}"/>'
        for outline, colour, turns in parts
    )
    return f'<g transform="translate(512 {y:g}) scale({scale:g})">{paths}</g>'


def _turned(outline: _Outline, quarters: int) -> str:
    """The outline as path commands, turned clockwise by so many quarters."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    commands = (
        (f"A{radius} {radius} 0 0 1 " if radius else "L" if place else "M")
        + f"{x * cosine - y * sine} {x * sine + y * cosine}"
        for place, (radius, x, y) in enumerate(outline)
    )
    return "".join(commands) + "Z"


# --- Ornament -------------------------------------------------------------------------------

# One tile of the band beside the emblem, 100 units wide; each is mirrored in all directions.
_TILES: Final = (
    "M0 0H100A100 100 0 0 1 0 100Z",
    "M100 0V100H0A100 100 0 0 1 100 0Z",
    "M0 0A100 100 0 0 1 100 100A100 100 0 0 1 0 0Z",
    "M100 0A100 100 0 0 1 0 100A100 100 0 0 1 100 0Z",
    "M0 0H100L0 100Z",
    "M100 0V100H0Z",
    "M50 14L86 50L50 86L14 50Z",
    "M50 22A28 28 0 0 1 50 78A28 28 0 0 1 50 22Z",
)
_TILE: Final = 76
_ROWS: Final = (70, 146, 222)
_COLUMNS: Final = (98, 174, 250)


def _ornament(face: BadgeFace, colours: Palette) -> str:
    """A woven band on both sides of the emblem, different for every code."""
    chosen = digest(f"{face.colour_seed}/{face.code}")
    scale = _TILE / 100
    found = []
    for column, x in enumerate(_COLUMNS):
        for row, y in enumerate(_ROWS):
            tile = _TILES[chosen[column * 2 + row % 2] % len(_TILES)]
            down, at = (-1, y + _TILE) if row == 2 else (1, y)
            found += [
                f'<path transform="translate({left} {at}) scale({across * scale:g} {down * scale:g})" '
                f'd="{tile}"/>'
                for across, left in ((1, x), (-1, SIDE - x))
            ]
    return f'<g fill="{colours.woven}">{"".join(found)}</g>'


# --- Words ----------------------------------------------------------------------------------

_MARGIN: Final = 52


def _level(face: BadgeFace) -> str:
    if face.level is None:
        return face.level_basis[:1].upper() + face.level_basis[1:]
    return f"{say(face.language, 'badge.level', level=face.level)} · {face.level_basis}"


def _notice(face: BadgeFace, colours: Palette) -> Iterator[str]:
    if not face.illustrative:
        return
    word = Line(say(face.language, "badge.illustrative"), "Bold", 38, tracking=110)
    width = word.width + 76
    yield (
        f'<rect x="{number(_MIDDLE - width / 2)}" y="356" width="{number(width)}" height="66" '
        f'rx="33" fill="{colours.notice}"/>'
    )
    yield word.path(_MIDDLE - word.width / 2, 402, colours.notice_ink)


def _words(face: BadgeFace, colours: Palette) -> Iterator[str]:
    code = f"{face.code} \u00b7 {face.version}"
    yield from _on_paper(430, 82, "Semibold", 40, 2).fill(face.organisation, colours.deep)
    yield from _on_paper(526, 220, "Bold", 96, 9).fill(face.title, colours.ink)
    yield from _pips(face, colours)
    yield from _on_paper(800, 48, "Semibold", 39, 1).fill(_level(face), colours.ink)
    yield from _on_paper(848, 44, "Regular", 35, 1).fill(code, colours.ink)
    yield (
        f'<rect x="473" y="900" width="78" height="40" rx="20" fill="none" '
        f'stroke="{colours.deep}" stroke-width="3"/>'
    )
    yield from _on_paper(900, 40, "Bold", 27, 1).fill(face.language.upper(), colours.deep)


def _on_paper(top: float, height: float, weight: Weight, size: float, lines: int) -> Zone:
    """A zone as wide as the paper is at its narrow end."""
    width = 2 * (half_width(top + height) - _MARGIN)
    return Zone(top, height, _MIDDLE, width, weight, size, lines)


_STEPS: Final = 8  # SeQF 1 to 8


def _pips(face: BadgeFace, colours: Palette) -> Iterator[str]:
    """The level as so many of eight pips, or a plain line where there is none.

    They are filled where the level was decided, and rings where it is the owner's own assessment.
    """
    if face.level is None:
        yield f'<rect x="452" y="776" width="120" height="5" rx="2.5" fill="{colours.deep}"/>'
        return
    for step in range(_STEPS):
        lit = step < face.level
        x = _MIDDLE + (step - (_STEPS - 1) / 2) * 32
        yield _pip(x, 780, 20, colours.deep if lit else colours.unlit, ring=lit and _rings(face))


def _rings(face: BadgeFace) -> bool:
    return not face.level_is_decided


def _pip(x: float, y: float, size: float, colour: str, *, ring: bool) -> str:
    line = size * 0.26 if ring else 0
    inner = size - line
    drawn = f'fill="none" stroke="{colour}" stroke-width="{line:g}"' if ring else f'fill="{colour}"'
    return (
        f'<rect x="{x - inner / 2:g}" y="{y - inner / 2:g}" width="{inner:g}" height="{inner:g}" '
        f'rx="{inner / 2:g}" {drawn}/>'
    )


# --- Small ----------------------------------------------------------------------------------

_SMALL_EMBLEM: Final = {True: (254, 1.92), False: (296, 2.2)}


def _small_notice(face: BadgeFace, colours: Palette) -> Iterator[str]:
    if not face.illustrative:
        return
    yield f'<rect x="40" y="480" width="944" height="152" fill="{colours.notice}"/>'
    zone = Zone(480, 152, _MIDDLE, 860, "Bold", 150, 1)
    yield from zone.fill(say(face.language, "badge.illustrative"), colours.notice_ink)


def _small_words(face: BadgeFace, colours: Palette) -> Iterator[str]:
    level = face.level or 0
    top = (646 if face.illustrative else 590) + (0 if level else 24)
    yield from Zone(top, 180, _MIDDLE, 684, "Bold", 230, 1).fill(_short(face.code), colours.ink)
    apart = min(84, 512 / max(level, 1))
    for step in range(level):
        x = _MIDDLE + (step - (level - 1) / 2) * apart
        yield _pip(x, 864, apart * 2 / 3, colours.deep, ring=_rings(face))


def _short(code: str) -> str:
    """The code without its first part, which all of an organisation's share."""
    rest = code.partition("-")[2]
    return rest if "-" in rest else code
