"""The right to issue at the console: given, answered, asked for, withdrawn; many from a table, all or none."""

import pytest

from kpass_vc.authz import Role
from kpass_vc.delegation_table import COLUMNS
from kpass_vc.language import say
from kpass_vc.records import delegation as delegations
from kpass_vc.records.delegation import Delegation
from kpass_vc.spreadsheets import write_csv
from tests.api.http import rows
from tests.pages.desk import Visitor, alerts, signed_in
from tests.pages.test_console_issue import day
from tests.world import World

pytestmark = pytest.mark.sqlite


@pytest.fixture
def owner(world: World) -> Visitor:
    world.published_definition()
    world.organization("natet")
    return signed_in(world, "sobona", Role.OWNER)


def other(world: World, owner: Visitor, *roles: Role) -> Visitor:
    return signed_in(
        world, "natet", *roles, name="Nils", email=f"nils{len(roles)}@exempel.se", http=owner.http
    )


def rights(world: World) -> list[Delegation]:
    """Those of natet."""
    found = delegations
    organization_id = world.organization("natet").id
    with world.reading() as session:
        return found.of_organization(session, organization_id=organization_id)


def test_a_right_is_given_accepted_and_withdrawn(world: World, owner: Visitor) -> None:
    given = {"issuer": "natet", "definitions": ["SOB-OPTO-01"], "note": "Enligt <b>avtal</b>."}
    reply = owner.post("/delegations/new", given)
    assert reply.status_code == 303, alerts(reply.text)
    [row] = rights(world)
    place = f"/delegations/{row.id}"
    assert "&lt;b&gt;avtal&lt;/b&gt;" in owner.get(place).text
    nils = other(world, owner)
    assert "Svara" in nils.get("").text
    assert nils.post(f"{place}/status", {"status": "accepted"}).status_code == 303
    assert rights(world)[0].state == "active"
    assert "SOB-OPTO-01" in nils.get("/issue").text

    owner.post(f"{place}/status", {"status": "withdrawn", "reason": "Avtalet är slut."})

    assert rights(world)[0].state == "withdrawn"
    assert "SOB-OPTO-01" not in nils.get("/issue").text


def test_a_right_is_asked_for_and_given(world: World, owner: Visitor) -> None:
    nils = other(world, owner)
    asked = nils.post("/delegations/ask", {"owner": "sobona", "families": "sob-opto"})
    assert asked.status_code == 303, alerts(asked.text)
    [row] = rights(world)

    owner.post(f"/delegations/{row.id}/status", {"status": "granted"})

    assert rights(world)[0].state in {"offered", "active"}


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(owner: Visitor) -> None:
    given = {
        "issuer": "natet", "definitions": ["SOB-OPTO-01"], "validUntil": "i morgon", "note": "Kvar",
    }  # fmt: skip

    reply = owner.post("/delegations/new", given)

    assert (reply.status_code, "Kvar" in reply.text) == (422, True)
    assert 'id="fault:validUntil:1"' in reply.text
    assert 'value="SOB-OPTO-01" checked' in reply.text


def test_who_has_no_part_in_a_right_does_not_see_it(world: World, owner: Visitor) -> None:
    owner.post("/delegations/new", {"issuer": "natet", "definitions": ["SOB-OPTO-01"]})
    [row] = rights(world)
    stranger = signed_in(world, "annan", name="S", email="s@exempel.se", http=owner.http)
    author = other(world, owner, Role.AUTHOR)

    assert stranger.get(f"/delegations/{row.id}").status_code == 404
    status = {"status": "accepted"}
    assert stranger.post(f"/delegations/{row.id}/status", status).status_code == 404
    assert author.post(f"/delegations/{row.id}/status", status).status_code == 403
    assert author.get("/delegations/new").status_code == 403


def table(*given: tuple[str, str, str]) -> bytes:
    headings = [say("sv", f"grant_table.column.{name}") for name in COLUMNS]
    return write_csv(
        headings, [[issuer, codes, "", "", until, "", ""] for issuer, codes, until in given]
    )


def test_many_are_given_from_a_table_all_or_none(world: World, owner: Visitor) -> None:
    wrong = table(
        ("natet", "SOB-OPTO-01", ""), ("ingen-alls", "SOB-OPTO-01", ""), ("natet", "FEL", "")
    )
    before = rows(world.env)
    page = owner.post("/delegations/many", files={"file": ("x.csv", wrong)}).text
    assert "finns inte här" in page
    assert "Ge 3 rätter" not in page
    right = table(("natet", "SOB-OPTO-01", day(world, -30)), ("annan", "SOB-OPTO-01", ""))
    world.organization("annan")
    page = owner.post("/delegations/many", files={"file": ("x.csv", right)}).text
    assert "2 rader, och allt går bra" in page
    assert rows(world.env)["delegation"] == before["delegation"]

    sent = owner.post("/delegations/many/grant", {"table": right.decode("utf-8-sig")})

    assert sent.status_code == 303
    assert rows(world.env)["delegation"] == before["delegation"] + 2
    refused = owner.post("/delegations/many/grant", {"table": wrong.decode("utf-8-sig")})
    assert refused.status_code in {200, 422}
    assert rows(world.env)["delegation"] == before["delegation"] + 2
    issued = signed_in(world, "stadsnat-exempel", name="I", email="i@exempel.se", http=owner.http)
    one = {
        "definition": "sobona/SOB-OPTO-01", "step": "send", "name": "Ada", "assessed_on": day(world),
    }  # fmt: skip
    assert issued.post("/issue/one", one).status_code == 303
