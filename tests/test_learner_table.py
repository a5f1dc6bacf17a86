"""Learners in a table: what Excel writes is read, what is wrong is said by cell, and no formula goes in or out."""

import io
import zipfile

import pytest
from openpyxl import Workbook, load_workbook
from python_calamine import CalamineWorkbook

from kpass_vc.errors import Malformed, TooLarge
from kpass_vc.language import LANGUAGES, say
from kpass_vc.learner_table import COLUMNS, read_learners, template
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
    book = load_workbook(io.BytesIO(write_table("x", [Column("a", "")], [[formula]])))
    assert book.worksheets[0]["A2"].data_type != "f"
    assert neutral(formula).startswith("'")
    assert b"\"'" in write_csv(["a"], [[formula]])


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


def test_a_file_that_unpacks_to_too_much_is_not_unpacked() -> None:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * (201 * 1024 * 1024))
    with pytest.raises(TooLarge):
        read_table(found.getvalue())
