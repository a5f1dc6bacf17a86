"""Tables as people keep them: .xlsx and .csv in, safe .xlsx out; the one module that knows openpyxl.

Every cell keeps its name ("C17"), so that whoever filled the table in is told where. A
formula is never taken in, and nothing that a spreadsheet would read as one is written out.
A file is bounded before it is opened: a small one can unpack to gigabytes. openpyxl reads XML
by defusedxml where that is installed, which it is.
"""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from kpass_vc.errors import Malformed, TooLarge

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_UNPACKED: Final = 200 * 1024 * 1024
MOST_ROWS: Final = 10_050
MOST_COLUMNS: Final = 200
MOST_TEXT: Final = 32_767
"""As much as Excel keeps in a cell."""
MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FORMULA: Final = frozenset("=+-@\t\r")


@dataclass(frozen=True)
class Cell:
    """One cell: its name, its text as a person sees it, and whether it holds a formula."""

    name: str
    text: str
    is_formula: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table that is written: its heading, what it is for, and what may be chosen."""

    heading: str
    note: str
    width: int = 22
    choices: tuple[str, ...] = ()


def is_workbook(content: bytes) -> bool:
    """Whether bytes are those of an .xlsx, by what they begin with."""
    return content.startswith(b"PK\x03\x04")


def read_table(content: bytes) -> list[list[Cell]]:
    """The rows of the first sheet, or of a CSV in any encoding that Excel writes; empty rows at the end are left out.

    Malformed says why it cannot be read, TooLarge that it is more than we take.
    """
    if len(content) > MOST_BYTES:
        raise TooLarge(limit=MOST_BYTES)
    rows = _workbook(content) if is_workbook(content) else _csv(content)
    while rows and not any(cell.text.strip() for cell in rows[-1]):
        rows.pop()
    return rows


def write_table(
    title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]] = (), *, about: str = ""
) -> bytes:
    """An .xlsx with headings, notes and drop-down lists; no cell of it is ever read as a formula."""
    book = Workbook()
    sheet = book.active
    sheet.title = title[:31]
    sheet.freeze_panes = "A2"
    fill = PatternFill("solid", fgColor="FFE8EEF4")
    for number, column in enumerate(columns, 1):
        letter = get_column_letter(number)
        cell = sheet.cell(1, number, column.heading)
        cell.font, cell.fill = Font(bold=True), fill
        cell.comment = Comment(column.note, "kpass") if column.note else None
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[letter].width = column.width
        if column.choices:
            listed = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"')
            sheet.add_data_validation(listed)
            listed.add(f"{letter}2:{letter}{MOST_ROWS}")
    for row_number, row in enumerate(rows, 2):
        for number, text in enumerate(row, 1):
            cell = sheet.cell(row_number, number)
            cell.value, cell.data_type = text, "s"
            cell.number_format = "@"
            if text[:1] and _begins_formula(text):
                cell.quotePrefix = True  # Excel shows it as text whatever it begins with
    if about:
        notes = book.create_sheet("Info")
        for number, line in enumerate(about.splitlines(), 1):
            notes.cell(number, 1, line)
        notes.column_dimensions["A"].width = 100
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV as Excel in Swedish opens it: UTF-8 with its mark, semicolons; what would be a formula is text."""
    found = io.StringIO()
    writer = csv.writer(found, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([neutral(text) for text in row] for row in rows)
    return found.getvalue().encode("utf-8-sig")


def neutral(text: str) -> str:
    """A text that no spreadsheet reads as a formula: with an apostrophe before what would begin one."""
    return f"'{text}" if _begins_formula(text) else text


def _begins_formula(text: str) -> bool:
    first = unicodedata.normalize("NFKC", text.lstrip(" "))[:1]
    return first in _FORMULA if first else False


def _workbook(content: bytes) -> list[list[Cell]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise TooLarge(limit=MOST_UNPACKED)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        rows: list[list[Cell]] = []
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number > MOST_ROWS:
                raise TooLarge(limit=MOST_ROWS)
            cells = [
                _cell(f"{get_column_letter(place)}{number}", each)
                for place, each in enumerate(row[:MOST_COLUMNS], 1)
            ]
            while cells and not (cells[-1].text or cells[-1].is_formula):
                cells.pop()
            rows.append(cells)
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        KeyError,
        ValueError,
        IndexError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
    ) as error:
        raise Malformed("workbook") from error
    return rows


def _cell(name: str, cell: object) -> Cell:
    value = getattr(cell, "value", None)
    if getattr(cell, "data_type", "") == "f":
        return Cell(name, "", is_formula=True)
    return Cell(name, _text(value), is_formula=isinstance(value, str) and _begins_formula(value))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:MOST_TEXT]


def _csv(content: bytes) -> list[list[Cell]]:
    text = _decoded(content)
    if "\0" in text:
        raise Malformed("table")
    delimiter = _delimiter(text)
    rows: list[list[Cell]] = []
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
        ):
            if number > MOST_ROWS or len(row) > MOST_COLUMNS:
                raise TooLarge(limit=MOST_ROWS)
            rows.append(
                [
                    Cell(
                        f"{get_column_letter(place)}{number}",
                        value,
                        is_formula=_begins_formula(value),
                    )
                    for place, value in enumerate(row, 1)
                ]
            )
    except csv.Error as error:
        raise Malformed("table") from error
    return rows


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif content[1:2] == b"\0":
        encodings = ("utf-16-le",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Malformed("table")


def _delimiter(text: str) -> str:
    """What stands between the columns, by the first line; `sep=;` says it itself."""
    first = text.partition("\n")[0]
    return max(";,\t", key=first.count)
