"""The pilot's largest stack as its catalogue has it: "Jouransvarig drifttekniker" out of 23 micromerits."""

import json

import pytest

from kpass_vc.actions.issue import Issued
from kpass_vc.errors import InvalidInput
from tests.world import LEARNER, World, body_of, definition_document

OWNER, STACK = "skelleftea-kraft", "SKR-DT-99"
PARTS = [f"SKR-DT-{number:02}" for number in range(1, 24)]


def test_the_on_call_technicians_stack_takes_all_23_and_shows_the_one_that_is_revoked(
    world: World,
) -> None:
    for code in (*PARTS, STACK):
        world.published_definition(**definition_document(code))
    awards: dict[str, Issued] = {}
    holder = {"name": LEARNER, "reference": "tekniker-1"}

    def issued(code: str) -> bytes:
        made = world.issued(
            issuer=OWNER, definition=f"{OWNER}/{code}", holder=holder, languages=["sv"]
        )
        awards[code] = made
        return body_of(made)

    bodies = [issued(code) for code in PARTS[:-1]]
    with pytest.raises(InvalidInput) as caught:
        issued(STACK)
    assert [error.data["codes"] for error in caught.value.fields] == ["SKR-DT-23"]
    bodies.append(issued(PARTS[-1]))

    stack = issued(STACK)

    named = [entry["id"] for entry in json.loads(stack)["evidence"]]
    assert named == [json.loads(body)["id"] for body in bodies]
    report = world.verified(stack)
    assert report.verified
    assert [note.data for note in report.notes if note.code == "parts"] == [
        {"count": 23, "valid": 23}
    ]
    world.set_status(awards[PARTS[6]], "revoked")
    report = world.verified(stack)
    assert [note.data for note in report.notes if note.code == "parts"] == [
        {"count": 23, "valid": 22}
    ]
    assert [note.code for note in report.notes].count("part_revoked") == 1
