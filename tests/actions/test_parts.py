"""Stacks and prerequisites: out of the learner's valid credentials, named in the stack, followed by verify."""

import json
from datetime import timedelta

import pytest

from kpass_vc.actions.issue import Issued, IssueOrder, issue
from kpass_vc.authz import Actor
from kpass_vc.errors import InvalidInput
from kpass_vc.records import award as awards
from tests.world import LEARNER, World, actor_of, body_of, definition_document

OWNER = "skelleftea-kraft"
PARTS = ("SKR-DT-01", "SKR-DT-02", "SKR-DT-03")
HOLDER = {"name": LEARNER, "reference": "elev-1"}


@pytest.fixture(autouse=True)
def _definitions(world: World) -> None:
    for code in PARTS:
        world.published_definition(**definition_document(code))
    stack = definition_document("SKR-DT-99")
    stack["stackability"] = {"kind": "stack", "requires_all_of": list(PARTS)}
    stack["prerequisites"] = None
    world.published_definition(**stack)


def award(world: World, code: str, **changes: object) -> Issued:
    order = {"definition": f"{OWNER}/{code}", "holder": HOLDER} | changes
    return world.issued(issuer=OWNER, **order)


def stack(world: World, **changes: object) -> Issued:
    return award(world, "SKR-DT-99", **changes)


def test_a_stack_takes_all_its_parts_and_says_which_are_missing(world: World) -> None:
    award(world, PARTS[0])
    with pytest.raises(InvalidInput) as caught:
        stack(world)
    (error,) = caught.value.fields
    assert error.rule == "parts_missing"
    assert error.data["codes"] == "SKR-DT-02, SKR-DT-03"
    assert "SKR-DT-02" in error.sentence("sv")


def test_it_names_its_parts_as_evidence_and_verify_follows_them(world: World) -> None:
    parts = [award(world, code) for code in PARTS]

    made = stack(world)

    for language in ("sv", "en"):
        credential = json.loads(body_of(made, language))
        ids = [entry["id"] for entry in credential["evidence"]]
        assert ids == [json.loads(body_of(part, language))["id"] for part in parts]
        assert LEARNER not in json.dumps(credential["evidence"])
    report = world.verified(body_of(made))
    assert report.verified
    (note,) = [each for each in report.notes if each.code == "parts"]
    assert note.data == {"count": 3, "valid": 3}
    world.set_status(parts[1], "revoked")
    report = world.verified(body_of(made))
    assert report.verified
    assert "part_revoked" in [each.code for each in report.notes]
    assert all(each.sentence("sv") != each.sentence("en") for each in report.notes)


def test_a_revoked_expired_or_anothers_part_does_not_count(world: World) -> None:
    for code in PARTS[1:]:
        award(world, code)
    first = award(world, PARTS[0])
    world.set_status(first, "revoked")
    with pytest.raises(InvalidInput):
        stack(world)
    award(world, PARTS[0], holder={"name": LEARNER, "reference": "elev-2"})
    award(world, PARTS[0], holder={"name": LEARNER})
    with pytest.raises(InvalidInput):
        stack(world)
    day = world.env.now().date().isoformat()
    award(world, PARTS[0], validUntil=day, assessedOn=day)
    world.clock.advance(days=2)
    with pytest.raises(InvalidInput):
        stack(world)


def test_it_ends_when_the_first_of_its_parts_does(world: World) -> None:
    last = (world.env.now() + timedelta(days=100)).date().isoformat()
    award(world, PARTS[0], validUntil=last)
    for code in PARTS[1:]:
        award(world, code)
    made = stack(world)
    assert json.loads(body_of(made))["validUntil"].startswith(last)


def test_a_part_is_handed_in_by_its_id_or_whole_for_the_same_person_only(world: World) -> None:
    for code in PARTS[2:]:
        award(world, code)
    by_id = award(world, PARTS[0], holder={"name": LEARNER})
    whole = award(world, PARTS[1], holder={"name": LEARNER})
    other = award(world, PARTS[1], holder={"name": "Bo Annan"})
    handed = {"parts": [json.loads(body_of(by_id))["id"]]}

    with pytest.raises(InvalidInput) as caught:
        stack(world, **handed, presented=[json.loads(body_of(other))])
    assert caught.value.fields[0].rule == "part_of_another"
    tampered = json.loads(body_of(whole))
    tampered["name"] = "Något annat"
    with pytest.raises(InvalidInput) as caught:
        stack(world, **handed, presented=[tampered])
    assert caught.value.fields[0].field == "/presented/0"
    made = stack(world, **handed, presented=[json.loads(body_of(whole))])

    assert world.verified(body_of(made)).verified
    with pytest.raises(InvalidInput) as caught:
        stack(world, parts=["https://nowhere.example/1"])
    assert caught.value.fields[0].rule == "part_not_valid"


def test_a_choice_of_some_takes_as_many_as_it_says(world: World) -> None:
    document = definition_document("SKR-DT-99") | {"code": "SKR-DT-98", "prerequisites": None}
    document["stackability"] = {
        "kind": "stack",
        "requires_all_of": [],
        "requires_count_from": {"count": 2, "definitions": list(PARTS)},
    }
    world.published_definition(**document)
    award(world, PARTS[2])
    with pytest.raises(InvalidInput) as caught:
        award(world, "SKR-DT-98")
    assert caught.value.fields[0].rule == "parts_too_few"
    award(world, PARTS[0])
    made = award(world, "SKR-DT-98")
    assert len(json.loads(body_of(made))["evidence"]) == 2


def _issue(world: World, issuer: Actor, order: IssueOrder) -> None:
    with world.writing() as session:
        issue(world.env, session, issuer, order)


def test_a_refused_stack_leaves_nothing_behind(world: World) -> None:
    issuer = actor_of(world.organization(OWNER))
    given = {"definition": f"{OWNER}/SKR-DT-99", "holder": HOLDER, "assessedOn": "2026-11-20"}
    order = IssueOrder.model_validate(given)
    with pytest.raises(InvalidInput):
        _issue(world, issuer, order)
    with world.reading() as session:
        assert awards.search(session, organization_id=issuer.own_organization())[1] == 0
