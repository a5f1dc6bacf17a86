"""Words as outlines: wrapped, hyphenated and made smaller until they fit their zone, never cut.

A renderer without the font would otherwise draw none of them, silently.
Characters the font lacks are drawn as its empty box, left to right.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib import resources
from io import BytesIO
from itertools import pairwise
from threading import Lock
from typing import Any, Final, Literal, NamedTuple

from fontTools.pens.recordingPen import (
    DecomposingRecordingPen,
)
from fontTools.ttLib import TTFont

_LEADING: Final = 1.1
_CAPITAL: Final = 0.66  # the height of a capital, in ems
_LONELY: Final = 0.25  # what a line may not be shorter than, of the longest
_SMALLER: Final = 0.75  # how much smaller the words may become so that no line is
_OVERHANG: Final = 0.36  # what accents and descenders need beyond the capitals, in ems


class Zone(NamedTuple):
    """A place for words: its top, height, middle line and width, the weight, the largest size, the most lines."""

    top: float
    height: float
    middle: float
    width: float
    weight: "Weight"
    size: float
    lines: int
    align: Literal["middle", "left"] = "middle"

    def fill(self, text: str, colour: str) -> Iterator[str]:
        """The text as outlines, as large as it fits, centred in height."""
        lines = self._fit(clean(text).replace(" \u2013 ", _DASH))
        if not lines:
            return
        leading = lines[0].size * _LEADING
        capital = lines[0].size * _CAPITAL
        above = (self.height - leading * (len(lines) - 1) - capital) / 2
        for place, line in enumerate(lines):
            free = 0.0 if self.align == "left" else (self.width - line.width) / 2
            left = self.middle - self.width / 2 + free
            yield line.path(left, self.top + above + capital + leading * place, colour)

    def _fit(self, text: str) -> "list[Line]":
        typeface = _typeface(self.weight)
        for split, largest, smallest in _PASSES:
            pieces = split(text)
            widths = [typeface.width(piece.text) for piece in pieces]
            lonely: list[Line] = []
            for step in range(round(largest * 50), round(smallest * 50) - 1, -1):
                size = self.size * step / 50
                if lonely and size < _SMALLER * lonely[0].size:
                    break
                if sum(widths) * size > self.width * self._most_lines(size):
                    continue
                lines = self._set(pieces, widths, size)
                if len(lines) <= self.lines and self._excess(lines) <= 1:
                    if not _has_lonely(lines):
                        return lines
                    lonely = lonely or lines
            if lonely:
                return lonely
        lines = self._set(pieces, widths, size)
        excess = self._excess(lines)
        return [line._replace(size=line.size / excess) for line in lines]

    def _set(
        self, pieces: "Sequence[_Piece]", widths: Sequence[float], size: float
    ) -> "list[Line]":
        texts = _wrap(pieces, widths, _typeface(self.weight), self.width / size)
        return [Line(text, self.weight, size) for text in texts]

    def _most_lines(self, size: float) -> int:
        room = self.height / size - _CAPITAL - _OVERHANG
        return min(self.lines, int(room / _LEADING + 1))

    def _excess(self, lines: "Sequence[Line]") -> float:
        """How many times too large the lines are; 1 or less when they fit."""
        if not lines:
            return 0.0
        ems = _LEADING * (len(lines) - 1) + _CAPITAL + _OVERHANG
        return max(
            ems * lines[0].size / self.height, max(line.width for line in lines) / self.width
        )


def _has_lonely(lines: "Sequence[Line]") -> bool:
    """Whether a short word, such as "och", stands alone between two long ones."""
    longest = max((line.width for line in lines), default=0.0)
    return any(line.width < _LONELY * longest for line in lines[1:-1])


class Line(NamedTuple):
    """One line of words; `tracking` is extra space between letters, in thousandths of an em."""

    text: str
    weight: "Weight"
    size: float
    tracking: int = 0

    @property
    def width(self) -> float:
        """The width from the first letter's origin to the last letter's advance."""
        spread = self.tracking * max(len(self.text) - 1, 0) / 1000
        return (_typeface(self.weight).width(self.text) + spread) * self.size

    def path(self, left: float, baseline: float, colour: str) -> str:
        """The outlines, from the first letter's origin at the left."""
        scale = self.size / 1000
        outlines = "".join(
            f"M{place + self.tracking * index} 0{outline}"
            for index, (place, outline) in enumerate(_typeface(self.weight).outlines(self.text))
            if outline
        )
        return (
            f'<path fill="{colour}" transform="matrix({number(scale)} 0 0 -{number(scale)} '
            f'{number(left)} {number(baseline)})" d="{outlines}"/>'
        )


def number(value: float) -> str:
    """A number as SVG takes it, as short as it goes."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


# --- Where a line may break -----------------------------------------------------------------


class _Piece(NamedTuple):
    """Text that stays together, and what follows: a hyphen stands only where the line ends."""

    text: str
    after: Literal["space", "nothing", "hyphen"]


SOFT_HYPHEN: Final = "\u00ad"
_DASH: Final = "\u00a0\u2013 "  # a dash ends a line and never begins one
_VOWELS: Final = frozenset("aeiouyåäöéèêàáíóúüøæœ")
_JOINTS: Final = ("ings", "ions", "hets", "skaps", "tets")  # a compound's binding s
_TOGETHER: Final = frozenset({"ck", "ng", "sj", "sk", "tj", "ch", "sh", "th", "ph", "kj"})
# What it costs to end a line so, in squared ems of ragged edge
_END_COSTS: Final = {"space": 0.0, "nothing": 12.0, "hyphen": 40.0}


def _at_spaces(text: str) -> list[_Piece]:
    return [piece for word in text.split(" ") for piece in _pieces(word, [])]


def _at_syllables(text: str) -> list[_Piece]:
    return [piece for word in text.split(" ") for piece in _pieces(word, _syllables(word))]


def _anywhere(text: str) -> list[_Piece]:
    words = [word.replace(SOFT_HYPHEN, "") for word in text.split(" ")]
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
        if held and (letter == SOFT_HYPHEN or place in syllables):
            found.append(_Piece(held, "hyphen"))
            held = ""
        if letter != SOFT_HYPHEN:
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
    if SOFT_HYPHEN in word:
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
        after = pieces[end - 1].after if end < len(pieces) else "space"
        used = hyphen if after == "hyphen" else 0.0
        options: list[tuple[float, int]] = []
        for start in range(end - 1, -1, -1):
            used += widths[start]
            if start < end - 1 and pieces[start].after == "space":
                used += space
            if used > width and options:
                break
            ragged = (width - used) ** 2 + _END_COSTS[after]
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


def clean(text: str) -> str:
    """The text composed (NFC) and on one line, without what XML or a direction mark could spoil."""
    kept = "".join(
        letter
        for letter in unicodedata.normalize("NFC", text)
        if letter.isspace()
        or letter == SOFT_HYPHEN
        or (
            unicodedata.category(letter) not in {"Cc", "Cf", "Cs"}
            and ord(letter) & 0xFFFE != 0xFFFE
        )
    )
    return " ".join(kept.split())


# --- Letters --------------------------------------------------------------------------------

Weight = Literal["Regular", "Semibold", "Bold"]


@lru_cache
def _typeface(weight: Weight) -> "_Typeface":
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
