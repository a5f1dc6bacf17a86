"""Learners in a table: the template that an issuer fills in, and its rows as orders or errors by cell.

The headings are Swedish or English, in any order; a column that nobody knows is an error, so
that nothing that somebody wrote is passed over in silence.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from kpass_vc.errors import FieldError
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.document import JsonObject
from kpass_vc.spreadsheets import Cell, Column, column_letter, read_table, write_table

COLUMNS: Final = (
    "name",
    "email",
    "assessed_on",
    "external_reference",
    "reference",
    "mail_language",
    "languages",
    "evidence",
    "protected",
)
_REQUIRED: Final = ("assessed_on",)
_PLACES: Final[Mapping[str, str]] = {
    "name": "/holder/name",
    "email": "/holder/contact/email",
    "assessed_on": "/assessedOn",
    "external_reference": "/externalReference",
    "reference": "/holder/reference",
    "mail_language": "/holder/contact/language",
    "languages": "/languages",
    "evidence": "/evidence/0/narrative",
    "protected": "/holder/protectedIdentity",
}
"""Where what stands in a column goes in an order."""
_YES: Final = frozenset({"ja", "yes", "x", "true", "1"})
_NO: Final = frozenset({"", "nej", "no", "false", "0"})
_DAY: Final = re.compile(r"(\d{4})[-./]?(\d{2})[-./]?(\d{2})([ T]\d\d:\d\d.*)?")


@dataclass(frozen=True)
class TableRow:
    """One row of a table: an order as the API takes it, or what is wrong with it by cell."""

    number: int
    item: JsonObject | None
    errors: tuple[FieldError, ...]
    cells: Mapping[str, str]
    """The name of the cell that each part of the order stands in, by its place in the order."""


def template(language: Language, *, about: str) -> bytes:
    """The .xlsx to fill in."""
    columns = [
        Column(
            say(language, f"table.column.{name}"),
            say(language, f"table.note.{name}"),
            width=34 if name in {"name", "email", "evidence"} else 20,
            choices=_choices(name, language),
            is_day=name == "assessed_on",
        )
        for name in COLUMNS
    ]
    return write_table(say(language, "table.title"), columns, about=about)


def read_learners(content: bytes) -> tuple[list[TableRow], list[FieldError]]:
    """The rows under the heading, and what is wrong with the heading; Malformed if it is no table at all."""
    rows = read_table(content)
    if not rows:
        return [], [FieldError("A1", "table_empty")]
    columns, wrong = _columns(rows[0])
    if wrong:
        return [], wrong
    found = [
        _row(number, row, columns)
        for number, row in enumerate(rows[1:], 2)
        if any(cell.text.strip() or cell.is_formula for cell in row)
    ]
    return found, ([] if found else [FieldError("A2", "table_empty")])


def in_cells(row: TableRow, errors: Sequence[FieldError]) -> tuple[FieldError, ...]:
    """Errors of an order, each with the cell that its field was read from."""
    found = []
    for error in errors:
        place = re.sub(r"^/items/\d+", "", error.field)
        near = [each for each in row.cells if place and _within(each, place)]
        cell = row.cells[max(near, key=len)] if near else f"A{row.number}"
        found.append(FieldError(cell, error.rule, **error.data))
    return tuple(found)


def _within(one: str, other: str) -> bool:
    """Whether one place is the other, or within it, or around it."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _choices(name: str, language: Language) -> tuple[str, ...]:
    if name == "mail_language":
        return LANGUAGES
    if name == "languages":
        return ("sv", "en", "sv en")
    return (say(language, "table.yes"), say(language, "table.no")) if name == "protected" else ()


def _columns(heading: Sequence[Cell]) -> tuple[dict[str, int], list[FieldError]]:
    known = {
        _plain(say(language, f"table.column.{name}")): name
        for name in COLUMNS
        for language in LANGUAGES
    }
    found: dict[str, int] = {}
    wrong: list[FieldError] = []
    for place, cell in enumerate(heading):
        text = _plain(cell.text)
        if not text:
            continue
        name = known.get(text)
        if name is None or name in found:
            rule = "table_column_unknown" if name is None else "table_column_twice"
            wrong.append(FieldError(cell.name, rule, heading=cell.text[:100]))
        else:
            found[name] = place
    missing = [name for name in _REQUIRED if name not in found]
    wrong += [
        FieldError(
            heading[0].name if heading else "A1",
            "table_column_missing",
            heading=say("sv", f"table.column.{name}"),
        )
        for name in missing
    ]
    return found, wrong


def _plain(text: str) -> str:
    return re.sub(r"[\s*:]+", " ", text).strip().casefold()


def _row(number: int, row: Sequence[Cell], columns: Mapping[str, int]) -> TableRow:
    given = {name: row[place] for name, place in columns.items() if place < len(row)}
    cells = {_PLACES[name]: f"{column_letter(place)}{number}" for name, place in columns.items()}
    errors = [FieldError(cell.name, "table_formula") for cell in given.values() if cell.is_formula]
    errors += [
        FieldError(cell.name, "table_no_heading")
        for place, cell in enumerate(row)
        if place not in columns.values() and (cell.text.strip() or cell.is_formula)
    ]
    texts = {name: cell.text.strip() for name, cell in given.items()}
    item: JsonObject = {}
    holder: JsonObject = {}
    for name, member in (("name", "name"), ("reference", "reference")):
        if texts.get(name):
            holder[member] = texts[name]
    if texts.get("email"):
        holder["contact"] = {"email": texts["email"]} | (
            {"language": texts["mail_language"].lower()} if texts.get("mail_language") else {}
        )
    protected = texts.get("protected", "").casefold()
    if protected in _YES:
        holder["protectedIdentity"] = True
    elif protected not in _NO:
        errors.append(FieldError(given["protected"].name, "table_yes_or_no"))
    item["holder"] = holder
    item["assessedOn"] = _day(texts.get("assessed_on", ""))
    if texts.get("external_reference"):
        item["externalReference"] = texts["external_reference"]
    if texts.get("languages"):
        item["languages"] = [
            part for part in re.split(r"[\s,;+/]+", texts["languages"].lower()) if part
        ]
    if texts.get("evidence"):
        item["evidence"] = [{"narrative": texts["evidence"]}]
    return TableRow(number, None if errors else item, tuple(errors), cells)


def _day(text: str) -> str:
    """A day as people write it, as the API takes it; anything else as it is, for the API to refuse."""
    found = _DAY.fullmatch(text)
    if not found:
        return text
    year, month, day = (int(part) for part in found.groups()[:3])
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return text
