"""Tables as people keep them: .xlsx and .csv in, safe .xlsx out; the one module that knows openpyxl.

Every cell keeps its name ("C17"), so that whoever filled the table in is told where. A
formula is never taken in, and nothing that a spreadsheet would read as one is written out.
A file is bounded before it is opened: a small one can unpack to gigabytes. openpyxl reads XML
by defusedxml where that is installed, which it is.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from kpass_vc.errors import KpassError, Malformed, TooLarge

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_UNPACKED: Final = 100 * 1024 * 1024
MOST_TAGS: Final = 1_500_000
"""Twice what a full table of learners has."""
MOST_ROWS: Final = 10_050
MOST_COLUMNS: Final = 200
MOST_TEXT: Final = 32_767
"""As much as Excel keeps in a cell."""
MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FORMULA: Final = frozenset("=+-@")
_ERROR: Final = re.compile(r"#(N/A|[A-ZÅÄÖ]+(/0)?[!?])")
"""What a formula that fails leaves behind, in English and Swedish: #N/A, #REF!, #SAKNAS!"""
_PART: Final = 1024 * 1024
_LAST_ROW: Final = 1_048_576
_OLD: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How an .xls begins, and any Excel file with a password."""
_SWEDISH: Final = frozenset("åäöéÅÄÖÉ")
_OTHERS: Final = ("cp1252", "cp850", "mac_roman")
"""What Excel writes beside Unicode: CSV, CSV (MS-DOS) and CSV (Macintosh)."""
_UNLIKELY: Final = re.compile(r"[^\W\d_][€\u201a\u0192„…†‡\u02c6‰Š\u2039ŒŽ“”•™š\u203aœžŸ][^\W\d_]")
"""Inside a word, what the å, ä and ö of MS-DOS and Macintosh read as in Windows."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its name, its text as a person sees it, and whether it holds a formula or what one left behind.

    A text that only begins like a formula counts as one. It is not `live` where the file says that
    it is a text, as an .xlsx can and a CSV cannot: there prose may begin with a dash.
    """

    name: str
    text: str
    is_formula: bool = False
    live: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table that is written: its heading, what it is for, and what may be chosen."""

    heading: str
    note: str
    width: int = 22
    choices: tuple[str, ...] = ()
    is_day: bool = False


def column_letter(place: int) -> str:
    """What a spreadsheet calls a column, counted from zero."""
    return str(get_column_letter(place + 1))


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
    while rows and not any(cell.text.strip() or cell.is_formula for cell in rows[-1]):
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
        # as text, 0017 stays what it is
        sheet.column_dimensions[letter].number_format = "yyyy-mm-dd" if column.is_day else "@"
        if column.choices:
            listed = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"')
            sheet.add_data_validation(listed)
            listed.add(f"{letter}2:{letter}{MOST_ROWS}")
    for row_number, row in enumerate(rows, 2):
        for number, text in enumerate(row, 1):
            cell = sheet.cell(row_number, number)
            _put(cell, text)
            cell.number_format = "@"
            if text[:1] and _begins_formula(text):
                cell.quotePrefix = True  # Excel shows it as text whatever it begins with
    if about:
        notes = book.create_sheet("Info")
        for number, line in enumerate(about.splitlines(), 1):
            _put(notes.cell(number, 1), line)
        notes.column_dimensions["A"].width = 100
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def as_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table that was read, for `read_table` to read again with every cell where it was; for no spreadsheet."""
    found = io.StringIO()
    writer = csv.writer(found, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([cell.text for cell in row] for row in rows)
    return found.getvalue().encode("utf-8-sig")


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
    if text[:1] in {"\t", "\r"}:
        return True
    for character in text:
        if not character.isspace() and unicodedata.category(character) != "Cf":
            return unicodedata.normalize("NFKC", character)[:1] in _FORMULA
    return False


def _put(cell: Any, text: str) -> None:  # noqa: ANN401 - openpyxl has no types
    """Write a text as a text, without the control characters that XML has no room for."""
    cell.value, cell.data_type = ILLEGAL_CHARACTERS_RE.sub("", text), "s"


def _workbook(content: bytes) -> list[list[Cell]]:
    try:
        _bound(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write that there is less than there is
        return _sheet(sheet.iter_rows(max_col=MOST_COLUMNS + 1))
    except KpassError:
        raise
    except Exception as error:  # zipfile, zlib, two XML parsers and openpyxl raise what they like
        raise Malformed("workbook") from error


def _bound(content: bytes) -> None:
    """Read it all once, in small parts: how much it is, and how many elements, each of which costs memory."""
    size = tags = 0
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for each in packed.infolist():
            with packed.open(each) as member:
                while part := member.read(_PART):
                    size += len(part)
                    tags += part.count(b"<")
                    if size > MOST_UNPACKED:
                        raise TooLarge(limit=MOST_UNPACKED)
                    if tags > MOST_TAGS:
                        raise TooLarge("cells")


def _sheet(given: Iterable[tuple[Any, ...]]) -> list[list[Cell]]:
    """The rows with something in them and the empty ones between: a sheet may have formats to its end."""
    rows: list[list[Cell]] = []
    empty: tuple[Any, ...] | None = None
    for number, row in enumerate(given, 1):
        if number > _LAST_ROW:
            raise Malformed("workbook")
        if row is empty:  # openpyxl gives the same one for each row that is not there
            continue
        used = max(
            (place for place, each in enumerate(row, 1) if each.value is not None), default=0
        )
        if not used:
            empty = row
            continue
        if number > MOST_ROWS:
            raise TooLarge("rows", limit=MOST_ROWS)
        if used > MOST_COLUMNS:
            raise TooLarge("columns", limit=MOST_COLUMNS)
        rows += [[] for _ in range(len(rows) + 1, number)]
        rows.append(
            [
                _cell(f"{get_column_letter(place)}{number}", each)
                for place, each in enumerate(row[:used], 1)
            ]
        )
    return rows


def _cell(name: str, cell: Any) -> Cell:  # noqa: ANN401 - openpyxl has no types
    if cell.data_type in {"f", "e"}:
        return Cell(name, "", is_formula=True, live=True)
    text = _text(cell.value)
    return Cell(name, text, is_formula=_looks_like_formula(text), live=bool(_ERROR.fullmatch(text)))


def _looks_like_formula(text: str) -> bool:
    return _begins_formula(text) or bool(_ERROR.fullmatch(text))


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
    return re.sub(r"_x000D_\n?", "\n", str(value)[:MOST_TEXT])  # so Excel writes a carriage return


def _csv(content: bytes) -> list[list[Cell]]:
    if content.startswith(_OLD):
        raise Malformed("workbook_old")
    text = _decoded(content)
    if "\0" in text:
        raise Malformed("table")
    first = text.splitlines()[0] if text else ""
    if said := re.fullmatch(r"\"?sep=(.)\"?", first):
        text = re.sub(r"\A[^\r\n]*(\r\n|\r|\n|$)", "", text)
    delimiter = said[1] if said else max(";,\t", key=first.count)
    rows: list[list[Cell]] = []
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
        ):
            if number > _LAST_ROW or (number > MOST_ROWS and any(row)):
                raise TooLarge("rows", limit=MOST_ROWS)
            if (
                number > MOST_ROWS
            ):  # a sheet that was formatted to its end leaves a million of these
                continue
            used = max((place for place, each in enumerate(row, 1) if each), default=0)
            if used > MOST_COLUMNS:
                raise TooLarge("columns", limit=MOST_COLUMNS)
            rows.append(
                [
                    Cell(f"{get_column_letter(place)}{number}", value, is_formula=bad, live=bad)
                    for place, value in enumerate(row[:used], 1)
                    for bad in (_looks_like_formula(value),)
                ]
            )
    except csv.Error as error:
        raise Malformed("table") from error
    return rows


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif content[1:2] == b"\0":
        encoding = "utf-16-le"
    elif _is_utf8(content):
        encoding = "utf-8-sig"
    else:
        encoding = _by_its_heading(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Malformed("encoding") from error
    if encoding == "cp1252" and _UNLIKELY.search(text):
        raise Malformed("encoding")
    return text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _by_its_heading(content: bytes) -> str:
    """The encoding in which the letters of the heading are Swedish; Windows where it has none that tell."""
    heading = re.split(rb"[\r\n]", content, maxsplit=1)[0]
    for encoding in _OTHERS:
        letters = set(heading.decode(encoding, "replace")) - set(map(chr, range(128)))
        if letters <= _SWEDISH:
            return encoding
    return "cp1252"
