"""Learners in a table: what Excel writes is read, what is wrong is said by cell, and no formula goes in or out."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from python_calamine import CalamineWorkbook

from kpass_vc.errors import FieldError, KpassError, Malformed, TooLarge
from kpass_vc.language import LANGUAGES, say
from kpass_vc.learner_table import COLUMNS, in_cells, read_learners, template
from kpass_vc.spreadsheets import Column, neutral, read_table, write_csv, write_table

CSV = "Namn;E-post;Bedömningsdag\r\nÅsa Öberg;asa@example.org;2026-11-20\r\nÄrla;;20261119\r\n"
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@A1",
    "\t=1",
    "\r=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "  =1",
    "\u00a0=1",
    "\ufeff=1",
    "\n=1",
]


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode("utf-8"),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.encode("cp1252"),
        CSV.encode("cp850"),
        CSV.replace("\r\n", "\r").encode("mac_roman"),
        CSV.replace(";", ",").encode(),
        CSV.replace(";", "\t").encode("utf-16"),
        workbook(
            ["Namn", "E-post", "Bedömningsdag"],
            ["Åsa Öberg", "asa@example.org", "2026-11-20"],
            ["Ärla", None, 20261119],
        ),
    ],
)
def test_every_way_excel_writes_is_read_the_same(content: bytes) -> None:
    rows, wrong = read_learners(content)

    assert wrong == []
    assert [row.item for row in rows] == [
        {
            "holder": {"name": "Åsa Öberg", "contact": {"email": "asa@example.org"}},
            "assessedOn": "2026-11-20",
        },
        {"holder": {"name": "Ärla"}, "assessedOn": "2026-11-19"},
    ]
    assert [row.number for row in rows] == [2, 3]
    assert rows[0].cells["/assessedOn"] == "C2"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_opens_elsewhere_with_its_headings_and_is_read_in_both_languages(
    language: str,
) -> None:
    content = template("en" if language == "en" else "sv", about="Hej")
    headings = [say("en" if language == "en" else "sv", f"table.column.{name}") for name in COLUMNS]

    other = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert other.get_sheet_by_index(0).to_python()[0] == headings
    book = load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    sheet.append(["Li", "li@example.org", "2026-11-20"])
    filled = io.BytesIO()
    book.save(filled)
    rows, wrong = read_learners(filled.getvalue())
    assert wrong == []
    assert [row.item and row.item["holder"] for row in rows] == [
        {"name": "Li", "contact": {"email": "li@example.org"}}
    ]


@pytest.mark.parametrize("formula", FORMULAS)
def test_what_begins_like_a_formula_is_refused_at_its_cell(formula: str) -> None:
    for content in (
        workbook(["Namn", "Bedömningsdag"], [formula, "2026-11-20"]),
        write_table("x", [Column("Namn", ""), Column("Bedömningsdag", "")], [[formula, "x"]]),
    ):
        rows, _ = read_learners(content)
        assert [(error.field, error.rule) for error in rows[0].errors] == [("A2", "table_formula")]


@pytest.mark.parametrize("formula", FORMULAS)
def test_nothing_that_is_written_out_is_a_live_formula(formula: str) -> None:
    content = write_table("x", [Column("a", "")], [[formula]], about=f"Hej\n{formula}")
    cells = [
        cell
        for sheet in load_workbook(io.BytesIO(content))
        for row in sheet.iter_rows()
        for cell in row
    ]
    assert "f" not in {cell.data_type for cell in cells}
    assert neutral(formula).startswith("'")
    assert b"\"'" in write_csv(["a"], [[formula]])


def test_a_text_that_begins_with_a_dash_is_told_from_a_formula_where_the_file_tells_them_apart() -> (
    None
):
    content = write_table("x", [Column("a", "")], [["- ett\n- två"]])
    (cell,) = read_table(content)[1]
    assert (cell.text, cell.is_formula, cell.live) == ("- ett\n- två", True, False)
    for live in (workbook(["a"], ["=1+1"]), workbook(["a"], ["#REF!"]), b"a\n-1\n"):
        assert read_table(live)[1][0].live


def test_a_heading_that_nobody_knows_or_that_is_missing_or_twice_is_said() -> None:
    _, wrong = read_learners(workbook(["Namn", "Skostorlek", "name"], ["Li", "38", "Bo"]))
    assert [(error.field, error.rule) for error in wrong] == [
        ("B1", "table_column_unknown"),
        ("C1", "table_column_twice"),
        ("A1", "table_column_missing"),
    ]


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04 no zip", b"\x00\x01\x02", b"", b'"open', workbook(["Namn", "Bedömningsdag"])],
)
def test_what_is_no_table_is_refused_and_never_an_accident(content: bytes) -> None:
    try:
        rows, wrong = read_learners(content)
    except Malformed:
        return
    assert rows == []
    assert wrong


SHEET = "xl/worksheets/sheet1.xml"
TABLE = workbook(["Namn", "Bedömningsdag"], ["Åsa", "2026-11-20"], ["Bo", "2026-11-20"])


def changed(name: str, change: Callable[[bytes], bytes], content: bytes = TABLE) -> bytes:
    """A workbook of which one part is another."""
    found = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for each in before.namelist():
            part = before.read(each)
            after.writestr(each, change(part) if each == name else part)
    return found.getvalue()


def with_rows(more: bytes) -> bytes:
    return changed(SHEET, lambda part: part.replace(b"</sheetData>", more + b"</sheetData>"))


def names(content: bytes) -> list[Any]:
    rows, wrong = read_learners(content)
    assert wrong == []
    items: list[Any] = [row.item for row in rows]
    return [item["holder"]["name"] for item in items]


def test_every_row_is_read_whatever_the_file_says_about_its_size() -> None:
    lying = changed(SHEET, lambda part: part.replace(b'ref="A1:B3"', b'ref="A1:B2"'))
    assert lying != TABLE
    assert names(lying) == ["Åsa", "Bo"]


def test_formats_far_below_the_last_row_are_no_rows_but_a_value_there_is_too_many() -> None:
    empty = b"".join(b'<row r="%d"><c r="A%d"/></row>' % (n, n) for n in range(4, 20_000))
    assert names(with_rows(empty)) == ["Åsa", "Bo"]
    value = b'<row r="20000"><c r="A20000"><v>1</v></c></row>'
    with pytest.raises(TooLarge):
        read_table(with_rows(value))
    with pytest.raises(TooLarge):
        read_table(workbook(["Namn"] * 201))


@pytest.mark.parametrize(
    "content",
    [
        changed(SHEET, lambda part: part[:-40]),
        changed("xl/workbook.xml", lambda part: part[:-40]),
        changed("xl/styles.xml", lambda part: part[9:]),
        changed(SHEET, lambda part: b'<!DOCTYPE a [<!ENTITY b "c">]>' + part),
        with_rows(b'<row r="99999999999"><c><v>1</v></c></row>'),
        TABLE[:100] + b"\xff" * 40 + TABLE[140:],
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    ],
)
def test_a_damaged_file_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read_table(content)
    assert "Excel" in caught.value.sentence("sv")


def test_letters_that_cannot_be_told_are_refused_and_not_guessed() -> None:
    table = "Name;Day of assessment\r\nBjörn;2026-11-20\r\n"
    assert names(table.encode("cp1252")) == ["Björn"]
    for encoding in ("cp850", "mac_roman"):
        with pytest.raises(KpassError) as caught:
            read_learners(table.encode(encoding))
        assert "UTF-8" in caught.value.sentence("en")


def test_a_line_that_only_says_the_delimiter_is_no_heading() -> None:
    rows, wrong = read_learners("sep=,\r\nNamn,Bedömningsdag\r\nLi,2026-11-20\r\n".encode())
    assert wrong == []
    assert rows[0].cells["/holder/name"] == "A2"


def test_what_excel_makes_of_days_breaks_and_failed_formulas_is_understood() -> None:
    content = workbook(
        ["Namn", "Bedömningsdag", "Underlag"],
        ["Li", datetime(2026, 11, 20, 14, 30), "ett_x000D_\ntvå"],  # noqa: DTZ001 - as openpyxl takes it
        ["#N/A", "2026-11-20"],
    )
    rows, _ = read_learners(content)
    assert rows[0].item == {
        "holder": {"name": "Li"},
        "assessedOn": "2026-11-20",
        "evidence": [{"narrative": "ett\ntvå"}],
    }
    assert [(error.field, error.rule) for error in rows[1].errors] == [("A3", "table_formula")]


def test_what_is_missing_or_wrong_is_said_at_the_cell_where_it_should_be() -> None:
    content = "Namn;Bedömningsdag;Språk i beviset;\r\nLi\r\nBo;2026-11-20;xx;hej\r\n".encode()
    rows, _ = read_learners(content)
    given = [FieldError("/assessedOn", "missing"), FieldError("/items/0/languages/0", "type")]
    assert [error.field for error in in_cells(rows[0], given)] == ["B2", "C2"]
    assert [(error.field, error.rule) for error in rows[1].errors] == [("D3", "table_no_heading")]


def test_the_template_keeps_zeros_that_a_reference_begins_with() -> None:
    columns = load_workbook(io.BytesIO(template("sv", about=""))).worksheets[0].column_dimensions
    formats = [columns[letter].number_format for letter in "ABCDEFGHI"]
    assert formats == ["@", "@", "yyyy-mm-dd", *["@"] * 6]


def test_a_file_that_unpacks_to_too_much_is_not_unpacked() -> None:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * (101 * 1024 * 1024))
    with pytest.raises(TooLarge):
        read_table(found.getvalue())


@pytest.mark.parametrize("more", [b"<row>" + b"<c/>" * 1_500_000 + b"</row>", b"<c/>" * 1_500_000])
def test_a_small_file_with_millions_of_cells_is_not_opened(more: bytes) -> None:
    content = with_rows(more)
    assert len(content) < 100_000
    with pytest.raises(TooLarge) as caught:
        read_table(content)
    assert "celler" in caught.value.sentence("sv")


def test_a_million_empty_rows_of_a_formatted_sheet_cost_nothing() -> None:
    heading = "Namn;Bedömningsdag\r\nLi;2026-11-20\r\n".encode()
    empty = b";" * 199 + b"\r\n"
    tracemalloc.start()
    try:
        found = read_table(heading + empty * 20_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 2
    assert peak < 60_000_000


def test_more_rows_than_a_sheet_has_are_too_many() -> None:
    with pytest.raises(TooLarge):
        read_table(b"Namn\n" + b"\n" * 1_048_577)
