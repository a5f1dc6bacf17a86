"""Definitions in a table: everything goes out and comes back, gaps are kept, what is wrong is said by cell."""

import io

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from kpass_vc.completeness import element, gaps
from kpass_vc.definition_table import read_definitions, template, write_definitions
from kpass_vc.demo import catalogues
from kpass_vc.errors import InvalidInput
from kpass_vc.language import LANGUAGES, say
from kpass_vc.model.definition import Definition, Prerequisites, read_definition
from kpass_vc.settings import Settings
from kpass_vc.spreadsheets import Column, write_table
from tests.api.http import variables
from tests.cli.test_cli import Kpass
from tests.world import World

DOCUMENTS = [document for catalogue in catalogues() for document in catalogue["definitions"]]


def meant(source: Definition) -> Definition:
    """A definition that says outright that nothing is demanded beforehand, as an empty list does and no list too."""
    return source.model_copy(update={"prerequisites": source.prerequisites or Prerequisites()})


def test_all_definitions_of_the_catalogues_come_back_as_they_were() -> None:
    sources = [read_definition(document) for document in DOCUMENTS]

    content = write_definitions("sv", sources)
    back = [read_definition(document) for document, _ in read_definitions(content)]

    assert len(back) == 63
    for one, other in zip(sources, back, strict=True):
        assert meant(other) == meant(one), one.code
        assert [*map(repr, gaps(other))] == [*map(repr, gaps(one))]
    book = load_workbook(io.BytesIO(content))
    assert not [c for row in book.worksheets[0].iter_rows() for c in row if c.data_type == "f"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_opens_elsewhere_and_a_filled_one_is_a_draft_with_gaps(language: str) -> None:
    content = template("en" if language == "en" else "sv")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[1:5]] == ["code", "version", "owner", "title/sv"]
    assert any(row[2] for row in rows)
    book = load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    given = {"code": "SOB-NY-01", "version": "1.0.0", "owner": "sobona", "title/sv": "Ny åäö"}
    for row in sheet.iter_rows(min_row=2):
        if row[0].value in given:
            row[3].value = given[row[0].value]
    filled = io.BytesIO()
    book.save(filled)

    ((document, cells),) = read_definitions(filled.getvalue())

    assert document == {
        "code": "SOB-NY-01", "version": "1.0.0", "owner": "sobona", "title": {"sv": "Ny åäö"},
    }  # fmt: skip
    assert cells["/title/sv"] == "D5"
    assert len(gaps(read_definition(document))) > 10


def test_what_is_wrong_is_said_at_its_cell() -> None:
    content = write_definitions("sv", [read_definition(DOCUMENTS[0])])
    book = load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    for row in sheet.iter_rows(min_row=2):
        if row[0].value == "workload/hours":
            row[3].value, wrong = "många", row[3].coordinate
        if row[0].value == "title/en":
            row[3].value, formula = "=1+1", row[3].coordinate
    filled = io.BytesIO()
    book.save(filled)
    with pytest.raises(InvalidInput) as caught:
        read_definitions(filled.getvalue())
    assert {(each.field, each.rule) for each in caught.value.fields} == {
        (wrong, "type"),
        (formula, "table_formula"),
    }


def filled(*rows: tuple[str, str]) -> bytes:
    columns = [Column(each, "") for each in ("Fält", "Betydelse", "EU-element", "Definition 1")]
    return write_table("x", columns, [[name, "", "", value] for name, value in rows])


@pytest.mark.parametrize(
    ("rows", "cell", "rule"),
    [
        ([("title", "x"), ("title/sv", "y")], "D3", "table_field_twice"),
        ([("title/sv", "x"), ("title", "y")], "D3", "table_field_twice"),
        ([("tags", "x"), ("tags/1", "y")], "D3", "table_field_twice"),
        ([("code", "x"), ("code", "y")], "A3", "table_field_twice"),
        ([("", "x")], "A2", "table_field_unknown"),
        ([("a/" * 9000 + "a", "x")], "A2", "table_field_unknown"),
        ([("learning_outcomes/0/id", "x")], "A2", "table_field_unknown"),
        ([("workload/hours", "9" * 5000)], "D2", "type"),
        ([("illustrative", "kanske")], "D2", "table_yes_or_no"),
    ],
)
def test_no_row_is_passed_over_overwritten_or_guessed_at(
    rows: list[tuple[str, str]], cell: str, rule: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_definitions(filled(*rows))
    assert [(each.field, each.rule) for each in caught.value.fields] == [(cell, rule)]


def test_a_list_in_prose_comes_back_and_is_not_taken_for_a_formula() -> None:
    source = read_definition(DOCUMENTS[0] | {"description": {"sv": "- ett\n- två", "en": "+ one"}})
    ((document, _),) = read_definitions(write_definitions("sv", [source]))
    assert document["description"] == {"sv": "- ett\n- två", "en": "+ one"}


def test_every_gap_names_the_element_it_belongs_to_in_both_languages() -> None:
    bare = read_definition(
        {"code": "SOB-NY-01", "version": "1.0.0", "owner": "sobona", "title": {"sv": "Ny"}}
    )
    found = {element(gap.field) for gap in gaps(bare)}
    assert {
        "title", "country", "awarding_body", "learning_outcomes", "level", "workload", "participation",
        "assessment", "supervision", "quality_assurance",
    } <= found  # fmt: skip
    for name in found - {None}:
        assert say("sv", f"element.{name}") != say("en", f"element.{name}")


def test_on_the_command_line_a_table_goes_in_as_drafts_and_out_again(
    world: World, settings: Settings
) -> None:
    world.organization("sobona")
    kpass = Kpass(variables(settings), settings.keys_dir)
    assert kpass.run("define", "--template", "mall.xlsx").returncode == 0
    given = next(each for each in DOCUMENTS if each["owner"] == "sobona")
    sources = [read_definition(given)]
    (settings.keys_dir / "in.xlsx").write_bytes(write_definitions("sv", sources))
    taken = kpass.json("define", "in.xlsx")
    assert [row["reference"] for row in taken["definitions"]] == [
        f"sobona/{given['code']}/{given['version']}"
    ]
    reference = taken["definitions"][0]["reference"]
    assert kpass.run("define", "ut.xlsx", "--export", reference).returncode == 0
    ((document, _),) = read_definitions((settings.keys_dir / "ut.xlsx").read_bytes())
    assert meant(read_definition(document)) == meant(sources[0])
