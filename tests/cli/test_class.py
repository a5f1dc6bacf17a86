"""Issue to a class, correct, write to, forget, count, copy, restore and leave: by commands."""

import json
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from kpass_vc.settings import Settings
from tests.api.http import variables
from tests.cli.test_cli import ISSUER, Kpass
from tests.world import World

pytestmark = pytest.mark.sqlite
DEFINITION = "sobona/SOB-OPTO-01"


@pytest.fixture
def kpass(settings: Settings, tmp_path: Path, world: World) -> Kpass:
    world.published_definition()
    return Kpass(variables(settings) | {"HOME": str(tmp_path)}, tmp_path)


def states(kpass: Kpass) -> dict[str, str]:
    """The status of each credential of the issuer."""
    listed = kpass.json("list", ISSUER)["credentials"]
    return {each["id"]: each["status"] for each in listed}


def filled(kpass: Kpass, *names: str) -> str:
    """The template with a row for each name."""
    place = str(kpass.folder / "klass.xlsx")
    kpass.json("batch", "template", DEFINITION, place)
    book = openpyxl.load_workbook(place)
    sheet = book.worksheets[0]
    heads = {str(cell.value): cell.column for cell in sheet[1]}
    for number, name in enumerate(names, 2):
        sheet.cell(number, heads["Name"], name)
        sheet.cell(number, heads["Day of assessment"], "2026-11-20")
    book.save(place)
    return place


def test_a_class_from_a_file_is_tried_issued_written_to_and_undone(kpass: Kpass) -> None:
    wrong = kpass.json("batch", "send", ISSUER, DEFINITION, filled(kpass, ""), status=1)
    place = filled(kpass, "Åsa Öberg", "Bo Ek")
    tried = kpass.json("batch", "send", ISSUER, DEFINITION, place, "--dry-run")
    sent = kpass.json("batch", "send", ISSUER, DEFINITION, place, "--work")
    again = kpass.json("batch", "send", ISSUER, DEFINITION, place, "--dry-run")
    letters = kpass.folder / "brev.pdf"
    kpass.json("batch", "letters", ISSUER, sent["id"], str(letters))
    before = kpass.json("batch", "show", ISSUER, sent["id"])
    kpass.json("batch", "undo", ISSUER, sent["id"], "--work")
    after = kpass.json("batch", "show", ISSUER, sent["id"], "--wait")

    assert "A2" in json.dumps(wrong)
    assert (tried["waiting"], again["alreadyIssued"]) == (2, 2)
    assert before["rows"]["issued"] == 2
    assert "Åsa Öberg" in "".join(page.extract_text() for page in PdfReader(letters).pages)
    assert (after["status"], after["rows"]["revoked"]) == ("undone", 2)


def test_one_is_corrected_written_to_and_forgotten_and_all_are_counted(kpass: Kpass) -> None:
    day = ("--assessed-on", "2026-11-20")
    issued = kpass.json("issue", ISSUER, DEFINITION, "--name", "Bo E", *day)
    new = kpass.json(
        "correct", issued["id"], "--name", "Bo Ek", *day, "--out", str(kpass.folder / "ny")
    )
    kpass.json("letter", new["id"], str(kpass.folder / "ett.pdf"))
    counts = kpass.json("statistics", ISSUER)
    forgotten = kpass.json("erase", new["id"])

    assert states(kpass) == {issued["id"]: "revoked", new["id"]: "active"}
    assert len(PdfReader(kpass.folder / "ett.pdf").pages) == 1
    assert [(row["issued"], row["revoked"]) for row in counts["own"]] == [(2, 1)]
    assert new["id"] in forgotten["erased"]
    assert "Bo Ek" not in json.dumps(kpass.json("list", ISSUER))


def test_an_installation_is_copied_restored_elsewhere_and_left(
    kpass: Kpass, tmp_path: Path
) -> None:
    day = ("--assessed-on", "2026-11-20")
    out = ("--out", str(tmp_path / "filer"))
    issued = kpass.json("issue", ISSUER, DEFINITION, "--name", "Bo Ek", *day, *out)
    kpass.json("backup", str(tmp_path / "kopia.zip"))
    kpass.json("revoke", issued["id"])
    kpass.json("sunset", str(tmp_path / "webb"), "--yes")
    lists = tmp_path / "webb"
    (tmp_path / "ny").mkdir()
    elsewhere = {
        "KPASS_DATABASE_URL": f"sqlite:///{tmp_path}/ny/kpass.db",
        "KPASS_KEYS_DIR": f"{tmp_path}/ny/keys",
    }
    new = Kpass(kpass.values | elsewhere, tmp_path)
    new.json("init")
    restored = new.json("restore", str(tmp_path / "kopia.zip"), "--published", str(lists))
    audited = new.json("audit")

    assert sum(each["raised"] for each in restored["lists"]) == 1
    assert states(new) == {issued["id"]: "revoked"}
    assert audited["faults"] == []
    (file,) = (tmp_path / "filer").glob("*.sv.json")
    offline = new.json("verify", "--offline", str(lists), str(file), status=1)
    assert offline["verdict"] == "refused"
    ended = kpass.json("issue", ISSUER, DEFINITION, "--name", "Li", *day, status=1)
    assert "ended" in ended["detail"]
