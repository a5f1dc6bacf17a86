"""Definitions in a table: a row for each field, a column for each definition; out, filled in, and back in.

A field is named by where it stands in the definition, with what it means beside it and the
element of the EU recommendation that it belongs to. Fields that are left empty are gaps,
which a draft may have.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kpass_vc.completeness import element
from kpass_vc.errors import FieldError, InvalidInput
from kpass_vc.language import Language, has, say
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import JsonObject
from kpass_vc.spreadsheets import Cell, Column, read_table, write_table

FIRST: Final = 3
"""The first column of a definition, from zero: before it stand the field, its meaning and its element."""
_NUMBERS: Final = frozenset(
    {
        "workload/hours",
        "level/level",
        "level/eqf_level",
        "quality_assurance/review_interval_months",
        "stackability/requires_count_from/count",
    }
)
_TRUTHS: Final = frozenset({"illustrative", "participation/recognition_of_prior_learning"})
_LISTS: Final = frozenset(
    {
        "authorised_issuers",
        "participation/forms",
        "participation/activity_types",
        "assessment/types",
        "quality_assurance/types",
        "prerequisites/required_definitions",
        "stackability/requires_all_of",
        "stackability/requires_count_from/definitions",
        "target_groups",
        "tags",
    }
)
"""Fields whose cell holds several values, each on a line of its own."""
_YES: Final = frozenset({"ja", "yes", "true"})
_NO: Final = frozenset({"nej", "no", "false"})
_FIELD: Final = re.compile(r"[a-z_]{1,40}(/([a-z_]{1,40}|[1-9][0-9]{0,2})){0,4}")
_MOST_DIGITS: Final = 9
_OUTCOMES: Final = 5
_TEMPLATE: Final = (
    "code", "version", "owner", "title/sv", "title/en", "description/sv", "description/en", "credential_kind",
    "authorised_issuers", "country", "language",
    *(
        f"learning_outcomes/{number}/{part}"
        for number in range(1, _OUTCOMES + 1)
        for part in ("id", "domain", "text/sv", "text/en")
    ),
    "level/level", "level/eqf_level", "level/basis", "level/decision_reference", "level/decision_valid_until",
    "workload/hours", "workload/ects", "workload/yh_points", "participation/forms", "participation/learning_setting",
    "participation/activity_types", "participation/recognition_of_prior_learning", "assessment/types",
    "assessment/mode", "assessment/supervision", "assessment/grading", "assessment/criteria/sv",
    "assessment/criteria/en", "quality_assurance/types", "quality_assurance/description/sv",
    "quality_assurance/description/en", "quality_assurance/review_interval_months", "prerequisites/text/sv",
    "prerequisites/text/en", "prerequisites/required_definitions", "stackability/kind",
    "stackability/requires_all_of", "validity/duration", "validity/renewal_method", "target_groups", "tags",
)  # fmt: skip


def template(language: Language) -> bytes:
    """The .xlsx to fill in, with an empty column."""
    return _written(language, [dict.fromkeys(_TEMPLATE, "")])


def write_definitions(language: Language, definitions: Sequence[Definition]) -> bytes:
    """An .xlsx with a column for each definition: what `read_definitions` reads back."""
    return _written(
        language, [dict(_flat(source.model_dump(mode="json"), "")) for source in definitions]
    )


def read_definitions(content: bytes) -> list[tuple[JsonObject, Mapping[str, str]]]:
    """Each definition of a table as it is imported, with the cell of each of its fields by JSON pointer.

    InvalidInput names the cell of whatever cannot be read as what it should be.
    """
    rows, wrong = _fields(read_table(content)[1:])
    width = max((len(row) for row in rows.values()), default=0)
    found: list[tuple[JsonObject, Mapping[str, str]]] = []
    for column in range(FIRST, width):
        document: dict[str, Any] = {}
        cells: dict[str, str] = {}
        for path, row in rows.items():
            if column < len(row) and _is_filled(row[column]):
                cells["/" + _pointer(path)] = row[column].name
                try:
                    _put(document, path, _value(path, row[column]), row[column].name)
                except InvalidInput as error:
                    wrong += error.fields
        if document:
            found.append((_listed(document), cells))
    if wrong:
        raise InvalidInput(*wrong)
    if not found:
        raise InvalidInput(FieldError("D2", "table_empty"))
    return found


def at_cells(error: InvalidInput, cells: Mapping[str, str]) -> InvalidInput:
    """The same errors at the cells that their fields stand in."""
    return InvalidInput(
        *(
            FieldError(cells.get(each.field, each.field), each.rule, **each.data)
            for each in error.fields
        )
    )


def _fields(given: Sequence[Sequence[Cell]]) -> tuple[dict[str, Sequence[Cell]], list[FieldError]]:
    """Each row by the field it names, and what is wrong with the naming."""
    rows: dict[str, Sequence[Cell]] = {}
    wrong: list[FieldError] = []
    for row in given:
        path = row[0].text.strip() if row else ""
        if not path and not any(_is_filled(cell) for cell in row):
            continue
        if not _FIELD.fullmatch(path):
            wrong.append(FieldError(row[0].name, "table_field_unknown", name=path[:100]))
        elif path in rows:
            wrong.append(FieldError(row[0].name, "table_field_twice", name=path))
        else:
            rows[path] = row
    return rows, wrong


def _is_filled(cell: Cell) -> bool:
    return bool(cell.text.strip()) or cell.is_formula


def _written(language: Language, columns: Sequence[Mapping[str, str]]) -> bytes:
    names = list(dict.fromkeys(name for column in columns for name in column))
    headings = [
        Column(say(language, "definition_table.field"), "", 34),
        Column(say(language, "definition_table.meaning"), "", 44),
        Column(say(language, "definition_table.element"), "", 28),
        *(
            Column(say(language, "definition_table.definition", number=number), "", 60)
            for number in range(1, len(columns) + 1)
        ),
    ]
    rows = [
        [
            name,
            _meaning(language, name),
            _element(language, name),
            *(column.get(name, "") for column in columns),
        ]
        for name in names
    ]
    about = say(language, "definition_table.about")
    return write_table(say(language, "definition_table.title"), headings, rows, about=about)


def _meaning(language: Language, name: str) -> str:
    plain = re.sub(r"/\d+/", "/", name)
    plain = re.sub(r"/(sv|en)$", "", plain).replace("/", ".")
    tag = {"sv": " (svenska)", "en": " (English)"}.get(name.rpartition("/")[2], "")
    key = f"definition_table.meanings.{plain.replace('.', '_')}"
    return (say(language, key) + tag) if has(key) else ""


def _element(language: Language, name: str) -> str:
    found = element(f"/{name}")
    return say(language, f"element.{found}") if found else ""


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _flat(member, f"{path}/{name}" if path else str(name))
    elif isinstance(value, list) and path in _LISTS:
        if value:
            yield path, "\n".join(str(each) for each in value)
    elif isinstance(value, list):
        for number, member in enumerate(value, 1):
            yield from _flat(member, f"{path}/{number}")
    elif isinstance(value, bool):
        yield path, "ja" if value else "nej"
    else:
        yield path, str(value)


def _value(path: str, cell: Cell) -> object:
    if cell.live:
        raise InvalidInput(FieldError(cell.name, "table_formula"))
    text = cell.text.strip()
    if path in _NUMBERS:
        if not text.isdecimal() or len(text) > _MOST_DIGITS:
            raise InvalidInput(FieldError(cell.name, "type", expected="integer"))
        return int(text)
    if path in _TRUTHS:
        if text.casefold() not in _YES | _NO:
            raise InvalidInput(FieldError(cell.name, "table_yes_or_no"))
        return text.casefold() in _YES
    if path in _LISTS:
        return [line.strip() for line in cell.text.splitlines() if line.strip()]
    return cell.text.strip("\r\n ")


def _put(document: dict[str, Any], path: str, value: object, cell: str) -> None:
    *folders, last = path.split("/")
    place: object = document
    for folder in folders:
        place = place.setdefault(folder, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last in place:
        raise InvalidInput(FieldError(cell, "table_field_twice", name=path))
    place[last] = value


def _listed(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Members that are named by numbers as the list that they are."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(member) for name, member in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def _pointer(path: str) -> str:
    return "/".join(str(int(part) - 1) if part.isdecimal() else part for part in path.split("/"))
