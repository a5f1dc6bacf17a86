"""The badge picture of a definition version, as SVG and as PNG.

Every word is drawn as outlines: a renderer without the font would otherwise
draw none, silently. Nothing in the picture has an id, so that several can
stand inline on one page, and nothing refers to anything outside it. The same
face gives the same bytes.

A title is wrapped, hyphenated and made smaller until it fits; it is never cut.
Characters the font lacks are drawn as its empty box, left to right.
"""

import hashlib
import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO
from itertools import pairwise
from threading import Lock
from typing import Any, Final, Literal, NamedTuple
from xml.sax.saxutils import escape

import resvg_py
from fontTools.pens.recordingPen import (
    DecomposingRecordingPen,
)
from fontTools.ttLib import TTFont

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
    language: Language
    colour_seed: str
    illustrative: bool


@dataclass(frozen=True)
class Palette:
    """The colours of one organisation, `#rrggbb`, all of one hue but `accent`."""

    deep: str
    soft: str
    accent: str
    ink: str
    paper: str
    notice: str
    notice_ink: str


def draw(face: BadgeFace) -> str:
    """The badge picture as SVG, 1024 units square."""
    colours = palette(face.colour_seed)
    parts = (
        f"<title>{escape(_alternative(face))}</title>",
        *_shield(colours),
        _emblem(face.colour_seed, colours),
        *_notice(face, colours),
        *_words(face, colours),
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" '
        f'width="{SIDE}" height="{SIDE}" role="img">{"".join(parts)}</svg>\n'
    )


def rasterise(svg: str, size: int) -> bytes:
    """The picture as a PNG of `size` by `size` pixels with a transparent ground."""
    return resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)


# --- Colour ---------------------------------------------------------------------------------

# Degrees of OKLCH; without the yellows, which turn to mud when they are dark enough to read on.
_HUES: Final = (12, 24, 36, 136, 148, 160, 174, 190, 208, 228, 244, 256, 268, 282, 300, 322, 342)
_SALT: Final = b"badge 152:"


@lru_cache
def palette(seed: str) -> Palette:
    """The colours for an organisation's slug: always the same, always readable.

    Lightness is fixed and only the hue follows the slug, so that the contrast hardly
    differs between organisations.
    """
    hue = _HUES[_digest(seed)[0] % len(_HUES)]
    return Palette(
        deep=_oklch(0.38, 0.105, hue),
        soft=_oklch(0.91, 0.045, hue),
        accent=_oklch(0.81, 0.11, 74),
        ink=_oklch(0.24, 0.03, hue),
        paper=_oklch(0.985, 0.004, hue),
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


def _digest(seed: str) -> bytes:
    return hashlib.sha256(_SALT + seed.encode("utf-8", "replace")).digest()


# --- Shape ----------------------------------------------------------------------------------

_MIDDLE: Final = SIDE / 2
_OUTER: Final = (
    "M152 16H872C934 16 984 66 984 128V610C984 808 842 936 512 1010C182 936 40 808 40 610V128"
    "C40 66 90 16 152 16Z"
)
_PAPER: Final = "M64 366Q512 414 960 366V610C960 794 826 914 512 985C198 914 64 794 64 610Z"
_FLANK: Final = ((960.0, 610.0), (960.0, 794.0), (826.0, 914.0), (512.0, 985.0))


def _shield(colours: Palette) -> Iterator[str]:
    yield f'<path fill="{colours.deep}" d="{_OUTER}"/>'
    yield f'<path fill="{colours.paper}" d="{_PAPER}"/>'


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


def _emblem(seed: str, colours: Palette) -> str:
    """A figure of four equal quarters."""
    digest = _digest(seed)
    ground, figure = _GROUNDS[digest[1] % len(_GROUNDS)], _FIGURES[digest[2] % len(_FIGURES)]
    main, second = (
        (colours.soft, colours.accent),
        (colours.soft, colours.soft),
        (colours.accent, colours.accent),
    )[digest[3] % 3]
    parts = (
        (ground, main, (0, 1, 2, 3)),
        *(((ground, second, (1, 3)),) if second != main else ()),
        (figure, colours.deep, (0, 1, 2, 3)),
    )
    paths = "".join(
        f'<path fill="{colour}" d="{"".join(_turned(outline, turn) for turn in turns)}"/>'
        for outline, colour, turns in parts
    )
    return f'<g transform="translate(512 188) scale(1.42)">{paths}</g>'


def _turned(outline: _Outline, quarters: int) -> str:
    """The outline as path commands, turned clockwise by so many quarters."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    commands = (
        (f"A{radius} {radius} 0 0 1 " if radius else "L" if place else "M")
        + f"{x * cosine - y * sine} {x * sine + y * cosine}"
        for place, (radius, x, y) in enumerate(outline)
    )
    return "".join(commands) + "Z"


# --- Words ----------------------------------------------------------------------------------


def _alternative(face: BadgeFace) -> str:
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
        **{name: _clean(text).replace(_SOFT_HYPHEN, "") for name, text in spoken.items()},
    )


def _level(face: BadgeFace) -> str:
    if face.level is None:
        return face.level_basis[:1].upper() + face.level_basis[1:]
    return f"{say(face.language, 'badge.level', level=face.level)} · {face.level_basis}"


def _notice(face: BadgeFace, colours: Palette) -> Iterator[str]:
    if not face.illustrative:
        return
    word = _Line(say(face.language, "badge.illustrative"), "Bold", 38, tracking=110)
    width = word.width + 76
    yield (
        f'<rect x="{_number(_MIDDLE - width / 2)}" y="356" width="{_number(width)}" height="66" '
        f'rx="33" fill="{colours.notice}"/>'
    )
    yield word.path(402, colours.notice_ink)


def _words(face: BadgeFace, colours: Palette) -> Iterator[str]:
    code = f"{face.code} \u00b7 {face.version}"
    yield from _Zone(434, 84, "Semibold", 40, 2).fill(face.organisation, colours.deep)
    yield from _Zone(522, 236, "Bold", 96, 9).fill(face.title, colours.ink)
    yield f'<rect x="452" y="782" width="120" height="5" rx="2.5" fill="{colours.deep}"/>'
    yield from _Zone(798, 48, "Semibold", 39, 1).fill(_level(face), colours.ink)
    yield from _Zone(846, 44, "Regular", 35, 1).fill(code, colours.ink)
    yield (
        f'<rect x="473" y="900" width="78" height="40" rx="20" fill="none" '
        f'stroke="{colours.deep}" stroke-width="3"/>'
    )
    yield from _Zone(900, 40, "Bold", 27, 1).fill(face.language.upper(), colours.deep)


_MARGIN: Final = 52
_LEADING: Final = 1.1
_CAPITAL: Final = 0.66  # the height of a capital, in ems
_OVERHANG: Final = 0.36  # what accents and descenders need beyond the capitals, in ems


class _Zone(NamedTuple):
    """A place for words: its top and height, the weight, the largest size, the most lines."""

    top: float
    height: float
    weight: "_Weight"
    size: float
    lines: int

    @property
    def width(self) -> float:
        """What the paper leaves at the narrow end of the zone."""
        return 2 * (half_width(self.top + self.height) - _MARGIN)

    def fill(self, text: str, colour: str) -> Iterator[str]:
        """The text as outlines, as large as it fits, centred in both directions."""
        lines = self._fit(_clean(text).replace(" \u2013 ", _DASH))
        if not lines:
            return
        leading = lines[0].size * _LEADING
        capital = lines[0].size * _CAPITAL
        above = (self.height - leading * (len(lines) - 1) - capital) / 2
        for place, line in enumerate(lines):
            yield line.path(self.top + above + capital + leading * place, colour)

    def _fit(self, text: str) -> "list[_Line]":
        typeface = _typeface(self.weight)
        for split, largest, smallest in _PASSES:
            pieces = split(text)
            widths = [typeface.width(piece.text) for piece in pieces]
            for step in range(round(largest * 50), round(smallest * 50) - 1, -1):
                size = self.size * step / 50
                if sum(widths) * size > self.width * self._most_lines(size):
                    continue
                lines = self._set(pieces, widths, size)
                if len(lines) <= self.lines and self._excess(lines) <= 1:
                    return lines
        lines = self._set(pieces, widths, size)
        excess = self._excess(lines)
        return [line._replace(size=line.size / excess) for line in lines]

    def _set(
        self, pieces: "Sequence[_Piece]", widths: Sequence[float], size: float
    ) -> "list[_Line]":
        texts = _wrap(pieces, widths, _typeface(self.weight), self.width / size)
        return [_Line(text, self.weight, size) for text in texts]

    def _most_lines(self, size: float) -> int:
        room = self.height / size - _CAPITAL - _OVERHANG
        return min(self.lines, int(room / _LEADING + 1))

    def _excess(self, lines: "Sequence[_Line]") -> float:
        """How many times too large the lines are; 1 or less when they fit."""
        if not lines:
            return 0.0
        ems = _LEADING * (len(lines) - 1) + _CAPITAL + _OVERHANG
        return max(
            ems * lines[0].size / self.height, max(line.width for line in lines) / self.width
        )


class _Line(NamedTuple):
    """One line of words; `tracking` is extra space between letters, in thousandths of an em."""

    text: str
    weight: "_Weight"
    size: float
    tracking: int = 0

    @property
    def width(self) -> float:
        """The width from the first letter's origin to the last letter's advance."""
        spread = self.tracking * max(len(self.text) - 1, 0) / 1000
        return (_typeface(self.weight).width(self.text) + spread) * self.size

    def path(self, baseline: float, colour: str) -> str:
        """The outlines, centred on the middle line."""
        scale = self.size / 1000
        left = _MIDDLE - self.width / 2
        outlines = "".join(
            f"M{place + self.tracking * index} 0{outline}"
            for index, (place, outline) in enumerate(_typeface(self.weight).outlines(self.text))
            if outline
        )
        return (
            f'<path fill="{colour}" transform="matrix({_number(scale)} 0 0 -{_number(scale)} '
            f'{_number(left)} {_number(baseline)})" d="{outlines}"/>'
        )


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


# --- Where a line may break -----------------------------------------------------------------


class _Piece(NamedTuple):
    """Text that stays together, and what follows: a hyphen stands only where the line ends."""

    text: str
    after: Literal["space", "nothing", "hyphen"]


_SOFT_HYPHEN: Final = "\u00ad"
_DASH: Final = "\u00a0\u2013 "  # a dash ends a line and never begins one
_VOWELS: Final = frozenset("aeiouyåäöéèêàáíóúüøæœ")
_JOINTS: Final = ("ings", "ions", "hets", "skaps", "tets")  # a compound's binding s
_TOGETHER: Final = frozenset({"ck", "ng", "sj", "sk", "tj", "ch", "sh", "th", "ph", "kj"})
_HYPHEN_COST: Final = 40.0  # in squared ems of ragged edge


def _at_spaces(text: str) -> list[_Piece]:
    return [piece for word in text.split(" ") for piece in _pieces(word, [])]


def _at_syllables(text: str) -> list[_Piece]:
    return [piece for word in text.split(" ") for piece in _pieces(word, _syllables(word))]


def _anywhere(text: str) -> list[_Piece]:
    words = [word.replace(_SOFT_HYPHEN, "") for word in text.split(" ")]
    return [
        _Piece(letter, "space" if place == len(word) else "nothing")
        for word in words
        for place, letter in enumerate(word, 1)
    ]


_PASSES: Final[tuple[tuple[Callable[[str], list[_Piece]], float, float], ...]] = (
    (_at_spaces, 1.0, 0.5),
    (_at_syllables, 0.84, 0.36),
    (_anywhere, 0.6, 0.12),
)


def _pieces(word: str, syllables: Sequence[int]) -> list[_Piece]:
    """One word cut at its hyphens and slashes, its soft hyphens and the given places."""
    found: list[_Piece] = []
    held = ""
    for place, letter in enumerate(word):
        if held and (letter == _SOFT_HYPHEN or place in syllables):
            found.append(_Piece(held, "hyphen"))
            held = ""
        if letter != _SOFT_HYPHEN:
            held += letter
        if letter in "-/" and 1 < place < len(word) - 2:
            found.append(_Piece(held, "nothing"))
            held = ""
    return [*found, _Piece(held, "space")] if held else found


def _syllables(word: str) -> list[int]:
    """Where a word may be hyphenated: one consonant goes with the vowel after it.

    That is the one-consonant rule of Swedish spelling; it knows no compounds, so a writer's
    own soft hyphens count instead where there are any.
    """
    lower = word.lower()
    if _SOFT_HYPHEN in word:
        return []
    return [
        at
        for at in range(3, len(word) - 2)
        if lower[:at].endswith(_JOINTS)
        or (
            lower[at].isalpha()
            and lower[at] not in _VOWELS
            and lower[at + 1] in _VOWELS
            and lower[at - 2 : at].isalpha()
            and lower[at - 1 : at + 1] not in _TOGETHER
            and not lower[: at + 1].endswith(_JOINTS)
            and not _VOWELS.isdisjoint(lower[:at])
        )
    ]


def _wrap(
    pieces: Sequence[_Piece], widths: Sequence[float], typeface: "_Typeface", width: float
) -> list[str]:
    """The pieces in lines of even length; a piece wider than `width` overflows its line."""
    space, hyphen = typeface.width(" "), typeface.width("-")
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(pieces) + 1):
        hyphenated = pieces[end - 1].after == "hyphen" and end < len(pieces)
        used = hyphen if hyphenated else 0.0
        options: list[tuple[float, int]] = []
        for start in range(end - 1, -1, -1):
            used += widths[start]
            if start < end - 1 and pieces[start].after == "space":
                used += space
            if used > width and options:
                break
            ragged = (width - used) ** 2 + (_HYPHEN_COST if hyphenated else 0.0)
            options.append((best[start][0] + ragged, start))
        best.append(min(options))
    lines: list[str] = []
    end = len(pieces)
    while end:
        start = best[end][1]
        lines.append(_joined(pieces[start:end], last=end == len(pieces)))
        end = start
    return lines[::-1]


def _joined(pieces: Sequence[_Piece], *, last: bool) -> str:
    text = "".join(piece.text + (" " if piece.after == "space" else "") for piece in pieces)
    return text.rstrip(" ") + ("-" if pieces[-1].after == "hyphen" and not last else "")


def _clean(text: str) -> str:
    """The text composed (NFC) and on one line, without what XML or a direction mark could spoil."""
    kept = "".join(
        letter
        for letter in unicodedata.normalize("NFC", text)
        if letter.isspace()
        or letter == _SOFT_HYPHEN
        or (
            unicodedata.category(letter) not in {"Cc", "Cf", "Cs"}
            and ord(letter) & 0xFFFE != 0xFFFE
        )
    )
    return " ".join(kept.split())


# --- Letters --------------------------------------------------------------------------------

_Weight = Literal["Regular", "Semibold", "Bold"]


@lru_cache
def _typeface(weight: _Weight) -> "_Typeface":
    folder = resources.files("font_source_sans_pro").joinpath("files")
    return _Typeface(folder.joinpath(f"SourceSansPro-{weight}.otf").read_bytes())


class _Typeface:
    """One weight of the typeface: advances, kerning and outlines, in thousandths of an em."""

    def __init__(self, data: bytes) -> None:
        font = TTFont(BytesIO(data))
        self._names: dict[int, str] = font.getBestCmap()
        self._glyphs: Any = font.getGlyphSet()
        self._kerning = _kerning(font["GPOS"].table)
        self._drawing = Lock()
        self._drawn: dict[str, tuple[int, str]] = {}

    def width(self, text: str) -> float:
        """The width of a line of text, in ems."""
        names = self._spelled(text)
        kerned = sum(self._kern(left, right) for left, right in pairwise(names))
        return (sum(self._draw(name)[0] for name in names) + kerned) / 1000

    def outlines(self, text: str) -> Iterator[tuple[int, str]]:
        """Each letter's place and its outline as SVG path commands relative to it."""
        place = 0
        names = self._spelled(text)
        for name, following in zip(names, [*names, ""][1:], strict=True):
            advance, outline = self._draw(name)
            yield place, outline
            place += advance + self._kern(name, following)

    def _spelled(self, text: str) -> list[str]:
        """The glyphs; a mark that NFC could not compose has no place of its own and is left out."""
        return [
            self._names.get(ord(letter), ".notdef")
            for letter in text
            if unicodedata.category(letter) not in {"Mn", "Me"}
        ]

    def _kern(self, left: str, right: str) -> int:
        for table in self._kerning:
            found = table(left, right)
            if found is not None:
                return found
        return 0

    def _draw(self, name: str) -> tuple[int, str]:
        if name not in self._drawn:
            with self._drawing:
                pen = DecomposingRecordingPen(self._glyphs)
                glyph = self._glyphs[name]
                glyph.draw(pen)
                self._drawn[name] = (round(glyph.width), _relative(pen.value))
        return self._drawn[name]


def _kerning(table: Any) -> list[Callable[[str, str], int | None]]:  # noqa: ANN401 - fontTools is untyped
    """The pair adjustments of the `kern` feature (OpenType GPOS, lookup type 2), in order."""
    features = [
        entry.Feature for entry in table.FeatureList.FeatureRecord if entry.FeatureTag == "kern"
    ]
    indexes = sorted({index for feature in features for index in feature.LookupListIndex})
    subtables = [
        subtable
        for index in indexes
        for subtable in table.LookupList.Lookup[index].SubTable
        if subtable.LookupType == 2
    ]
    return [_by_pair(each) if each.Format == 1 else _by_class(each) for each in subtables]


def _by_pair(table: Any) -> Callable[[str, str], int | None]:  # noqa: ANN401
    pairs = {
        (left, record.SecondGlyph): _advance(record.Value1)
        for left, following in zip(table.Coverage.glyphs, table.PairSet, strict=True)
        for record in following.PairValueRecord
    }
    return lambda left, right: pairs.get((left, right))


def _by_class(table: Any) -> Callable[[str, str], int | None]:  # noqa: ANN401
    covered = frozenset(table.Coverage.glyphs)
    first, second = table.ClassDef1.classDefs, table.ClassDef2.classDefs
    values = [
        [_advance(record.Value1) for record in row.Class2Record] for row in table.Class1Record
    ]

    def adjustment(left: str, right: str) -> int | None:
        return values[first.get(left, 0)][second.get(right, 0)] if left in covered else None

    return adjustment


def _advance(value: Any) -> int:  # noqa: ANN401
    return int(getattr(value, "XAdvance", 0) or 0)


def _relative(commands: Sequence[tuple[str, Any]]) -> str:
    """Drawing commands as relative SVG path commands, so that a letter is the same anywhere."""
    letters = {"moveTo": "m", "lineTo": "l", "curveTo": "c", "closePath": "z", "endPath": ""}
    written: list[str] = []
    x = y = start_x = start_y = 0
    for command, points in commands:
        steps = [(round(to_x) - x, round(to_y) - y) for to_x, to_y in points]
        written.append(
            letters[command] + " ".join(f"{dx} {dy}" for dx, dy in steps).replace(" -", "-")
        )
        if points:
            x, y = round(points[-1][0]), round(points[-1][1])
        if command == "moveTo":
            start_x, start_y = x, y
        elif command == "closePath":
            x, y = start_x, start_y
    return "".join(written)
