"""The chart: how many credentials a CPU second gives, as an SVG that is read in light and in dark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 800
_MARGIN: Final = 28
_LEFT: Final = 214
_RIGHT: Final = 696
_TOP: Final = 86
_BAR: Final = 18
_STEP: Final = 27
_HEADING: Final = 30
_BETWEEN: Final = 16
_STYLE: Final = """
svg { color-scheme: light dark; font-family: system-ui, sans-serif; font-size: 13px }
.card { fill: #ffffff; stroke: #d5dae1 }
text { fill: #26303b }
.title { font-size: 18px; font-weight: 600 }
.quiet { fill: #5b6774; font-size: 12px }
.group { font-size: 14px; font-weight: 600 }
.ours { font-weight: 600 }
.grid { stroke: #e3e7ec }
.bar { fill: #9aa6b4 }
.bar.ours { fill: #0b6e8f }
@media (prefers-color-scheme: dark) {
  .card { fill: #12171d; stroke: #323c47 }
  text { fill: #e4e9ee }
  .quiet { fill: #a3afbb }
  .grid { stroke: #28313b }
  .bar { fill: #6a7785 }
  .bar.ours { fill: #4fc0e3 }
}
"""


@dataclass(frozen=True)
class Bar:
    """One implementation and what a CPU second of it gives; ours stand out."""

    label: str
    per_second: float
    is_ours: bool


def draw(groups: Mapping[str, Sequence[Bar]], note: str) -> str:
    """The SVG: a group of bars under each heading, all on one logarithmic scale."""
    bars = [bar for group in groups.values() for bar in group]
    first = floor(log10(min(bar.per_second for bar in bars)))
    last = ceil(log10(max(bar.per_second for bar in bars)))
    lines: list[str] = []
    top = _TOP
    for heading, group in groups.items():
        lines.append(f'<text class="group" x="{_MARGIN}" y="{top + 14}">{escape(heading)}</text>')
        top += _HEADING
        for bar in group:
            lines += _drawn(bar, top, _place(bar.per_second, first, last))
            top += _STEP
        top += _BETWEEN
    grid = [part for power in range(first, last + 1) for part in _grid(power, top, first, last)]
    height = top + 34
    spoken = "; ".join(f"{bar.label}: {_rate(bar.per_second)}" for bar in bars)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
            f' width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">',
            '<title id="title">Credentials per CPU second</title>',
            f'<desc id="desc">{escape(spoken)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>',
            f'<text class="title" x="{_MARGIN}" y="38">Credentials per CPU second</text>',
            f'<text class="quiet" x="{_MARGIN}" y="60">{escape(note)}</text>',
            *grid,
            *lines,
            "</svg>",
            "",
        ]
    )


def _drawn(bar: Bar, top: int, end: float) -> list[str]:
    mark = ' class="ours"' if bar.is_ours else ""
    kind = "bar ours" if bar.is_ours else "bar"
    middle = top + _BAR - 5
    return [
        f'<text{mark} x="{_LEFT - 12}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{end - _LEFT:.1f}" height="{_BAR}" rx="3"/>',
        f'<text{mark} x="{end + 8:.1f}" y="{middle}">{_rate(bar.per_second)}</text>',
    ]


def _grid(power: int, bottom: int, first: int, last: int) -> list[str]:
    x = _place(10.0**power, first, last)
    return [
        f'<line class="grid" x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{bottom - 6}"/>',
        f'<text class="quiet" x="{x:.1f}" y="{bottom + 12}" text-anchor="middle">{10**power:,}</text>',
    ]


def _place(per_second: float, first: int, last: int) -> float:
    return _LEFT + (log10(per_second) - first) / (last - first) * (_RIGHT - _LEFT)


def _rate(per_second: float) -> str:
    """Two or three digits that mean something."""
    digits = -floor(log10(per_second)) + 2
    return f"{round(per_second, digits):,.0f}"
