"""Rights to issue in a table: the template that an owner fills in, and its rows as orders or errors by cell."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kpass_vc.errors import FieldError
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.document import JsonObject
from kpass_vc.spreadsheets import Cell, Column, write_table

COLUMNS: Final[Mapping[str, str]] = {
    "issuer": "/issuer",
    "definitions": "/definitions",
    "families": "/families",
    "from": "/validFrom",
    "until": "/validUntil",
    "quota": "/quota",
    "note": "/note",
}
"""The columns, and where in an order what stands in them goes."""
MOST: Final = 500
_SEVERAL: Final = frozenset({"definitions", "families"})


@dataclass(frozen=True)
class GrantRow:
    """One row: an order as the API takes it, the cells of its parts, and its texts in the order of the columns."""

    number: int
    item: JsonObject
    cells: Mapping[str, str]
    """The name of the cell of each part of the order, by its place in the order."""
    texts: tuple[tuple[str, str], ...]
    errors: tuple[FieldError, ...]


def template(language: Language, *, about: str) -> bytes:
    """The .xlsx to fill in."""
    columns = [
        Column(
            say(language, f"grant_table.column.{name}"),
            say(language, f"grant_table.note.{name}"),
            width=16 if name in {"from", "until", "quota"} else 34,
            is_day=name in {"from", "until"},
        )
        for name in COLUMNS
    ]
    return write_table(say(language, "grant_table.title"), columns, about=about)


def read_grants(rows: Sequence[Sequence[Cell]]) -> tuple[list[GrantRow], list[FieldError]]:
    """The rows under the heading, and what is wrong with the heading, by its cells."""
    if not rows:
        return [], [FieldError("A1", "table_empty")]
    places, wrong = _places(rows[0])
    found = [
        _row(number, row, places)
        for number, row in enumerate(rows[1:], 2)
        if any(cell.text.strip() or cell.is_formula for cell in row)
    ]
    if not wrong and (not found or len(found) > MOST):
        rule = "table_rows" if found else "table_empty"
        wrong = [FieldError("A2", rule, limit=MOST)]
    return found, wrong


def in_cells(row: GrantRow, errors: Sequence[FieldError]) -> tuple[FieldError, ...]:
    """Errors of an order, each with the cell that its field was read from."""
    return tuple(
        FieldError(
            next(
                (
                    cell
                    for place, cell in row.cells.items()
                    if error.field == place or error.field.startswith(f"{place}/")
                ),
                f"A{row.number}",
            ),
            error.rule,
            **error.data,
        )
        for error in errors
    )


def _places(heading: Sequence[Cell]) -> tuple[dict[str, int], list[FieldError]]:
    known = {
        say(language, f"grant_table.column.{name}").casefold(): name
        for name in COLUMNS
        for language in LANGUAGES
    }
    found: dict[str, int] = {}
    wrong = []
    for place, cell in enumerate(heading):
        text = " ".join(cell.text.split()).casefold()
        name = known.get(text)
        if not text:
            continue
        if name is None or name in found:
            rule = "table_column_unknown" if name is None else "table_column_twice"
            wrong.append(FieldError(cell.name, rule, heading=cell.text[:100]))
        else:
            found[name] = place
    if "issuer" not in found:
        heading_said = say("sv", "grant_table.column.issuer")
        wrong.append(FieldError("A1", "table_column_missing", heading=heading_said))
    return found, wrong


def _row(number: int, row: Sequence[Cell], places: Mapping[str, int]) -> GrantRow:
    item: JsonObject = {}
    cells: dict[str, str] = {}
    texts: list[tuple[str, str]] = []
    errors: list[FieldError] = []
    for name, place in places.items():
        cell = row[place] if place < len(row) else Cell(f"A{number}", "")
        text = cell.text.strip()
        cells[COLUMNS[name]] = cell.name
        texts.append((cell.name, text))
        if cell.is_formula:
            errors.append(FieldError(cell.name, "table_formula"))
        elif text:
            item[COLUMNS[name].strip("/")] = _value(name, text)
    return GrantRow(number, item, cells, tuple(texts), tuple(errors))


def _value(name: str, text: str) -> object:
    if name in _SEVERAL:
        return re.split(r"[\s,;]+", text.upper().strip(" ,;"))
    if name == "quota" and text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    return text
