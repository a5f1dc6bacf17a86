"""Statistics and the log at the console: the sums are right, few people are not made out, everything has words."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import kpass_vc.actions
from kpass_vc.authz import Role
from kpass_vc.language import has
from tests.api.http import client_of
from tests.pages.desk import signed_in
from tests.world import World

pytestmark = pytest.mark.sqlite
ISSUER = "stadsnat-exempel"
NOTED = {f"credential.{status}" for status in ("revoked", "suspended", "active")} | {
    "definition.approved",
    "definition.changes_requested",
    "definition.submitted",
    "definition.taken_back",
    "definition.commented",
    "delegation.asked",
    "delegation.granted",
    "delegation.accepted",
    "delegation.declined",
    "delegation.withdrawn",
    "delegation.renewed",
    "key.rotated",
    "key.compromised",
    "passkey.added",
    "passkey.removed",
    "password.set",
}
"""What is written down under a name that is put together, or handed on."""


def rows_of(html: str, caption: str) -> list[list[str]]:
    """The texts of a table's rows."""
    table = re.search(rf"<caption>{caption}</caption>(.*?)</table>", html, re.DOTALL)
    assert table, caption
    found = re.findall(r'<tr role="row">(.*?)</tr>', table[1], re.DOTALL)
    cells = [re.findall(r"<t[hd] role=[^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[re.sub(r"<[^>]*>", "", cell) for cell in row] for row in cells]


def many(world: World, count: int) -> None:
    for number in range(count):
        world.issued(holder={"name": f"Deltagare {number}"})


def test_the_figures_are_the_same_in_the_drawing_and_in_the_table_and_add_up(world: World) -> None:
    world.published_definition()
    many(world, 3)
    world.set_status(world.issued(), "revoked")
    visitor = signed_in(world, ISSUER)

    page = visitor.get("/statistics").text

    month = world.clock().strftime("%Y-%m")
    assert rows_of(page, "Samma siffror som tabell, per månad")[1:] == [
        [month, "4", "0", "1"],
        ["Tillsammans", "4", "0", "1"],
    ]
    assert rows_of(page, "Samma siffror som tabell, per mikromerit")[2][1:] == ["4", "0", "1"]
    assert f'aria-label="{month}: 4 utfärdade, 0 bekräftade, 1 återkallade"' in page
    assert re.findall(r'width="(\d+)" height="17" fill="url\(#(pattern-\w+)\)"', page)[:3] == [
        ("230", "pattern-issued"),
        ("0", "pattern-claimed"),
        ("58", "pattern-revoked"),
    ]


def test_an_owner_sees_no_few_of_anothers_neither_on_the_page_nor_in_the_file(
    world: World,
) -> None:
    world.published_definition()
    many(world, 4)
    owner = signed_in(world, "sobona")

    few = owner.get("/statistics").text
    table = owner.get("/statistics/csv")
    many(world, 1)
    enough = owner.get("/statistics").text

    caption = "Alla månader tillsammans, per utfärdare"
    assert rows_of(few, caption)[1][2:] == ["färre än 5"] * 3
    assert '"färre än 5";"färre än 5";"färre än 5"' in table.content.decode("utf-8-sig")
    assert table.headers["Content-Disposition"] == 'attachment; filename="statistik.csv"'
    assert rows_of(enough, caption)[1][2:] == ["5", "0", "0"]


def test_the_log_tells_in_words_who_did_what_of_this_organisation_alone(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    visitor = signed_in(world, ISSUER, name="Karin <b>Kurs</b> أمينة")
    place = f"/credentials/{issued.award.id}"
    visitor.post(f"{place}/status", {"status": "revoked", "revoked_reason": "fraud"})

    newest = rows_of(visitor.get("/log").text, "Tiderna är svensk tid.")[1]
    about = rows_of(visitor.get(f"/log?subject={issued.award.id}").text, "Tiderna är svensk tid.")
    today = world.clock().date().isoformat()

    assert newest[1:] == [
        "Ett bevis återkallades",
        "Karin &lt;b&gt;Kurs&lt;/b&gt; أمينة",
        issued.award.id,
    ]
    assert [row[1] for row in about[1:]] == ["Ett bevis återkallades", "Ett bevis utfärdades"]
    assert issued.award.id in visitor.get(f"/log?day={today}").text
    assert issued.award.id not in visitor.get("/log?day=2001-01-01").text
    refused = visitor.get("/log?day=i går")
    assert (refused.status_code, 'value="i går"' in refused.text) == (422, True)
    other = signed_in(world, "sobona", email="annan@exempel.se").get("/log").text
    assert ("En definition publicerades" in other, issued.award.id in other) == (True, False)


def test_a_section_is_for_those_whose_role_opens_it(world: World) -> None:
    http = client_of(world.env)
    places = ("/log", "/statistics", "/statistics/csv", "/credentials")
    found = {}
    for role in (Role.AUDITOR, Role.ISSUER, Role.REVOKER):
        visitor = signed_in(world, "sobona", role, email=f"{role}@exempel.se", http=http)
        found[role] = [visitor.get(place).status_code for place in places]

    assert found == {
        Role.AUDITOR: [200, 200, 200, 403],
        Role.ISSUER: [403, 200, 200, 200],
        Role.REVOKER: [403, 403, 403, 200],
    }


def test_everything_that_is_written_down_has_words_in_the_log() -> None:
    folder = Path(inspect.getfile(kpass_vc.actions)).parent
    found = set(NOTED)
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "audit":
                found |= {
                    each.value
                    for each in node.args[3:4]
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }

    assert len(found) > 40
    assert [each for each in sorted(found) if not has(f"console.log.action.{each}")] == []
