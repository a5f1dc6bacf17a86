"""Correcting: said rightly, against what was defined then, by who may still issue it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from kpass_vc.actions.close import close_lists
from kpass_vc.actions.correct import CorrectionOrder, correct
from kpass_vc.actions.delegate import (
    DelegationStatusOrder,
    GrantOrder,
    change,
    grant,
    own_delegations,
)
from kpass_vc.actions.issue import Issued
from kpass_vc.actions.publish import publish, retire
from kpass_vc.actions.recheck import recheck
from kpass_vc.authz import Actor
from kpass_vc.crypto.jose import read_compact
from kpass_vc.errors import Conflict, Forbidden, InvalidInput
from kpass_vc.records import award as awards
from kpass_vc.records.award import Award
from kpass_vc.records.definition import DefinitionVersion
from tests.actions.test_people import person
from tests.actions.test_review import decided, handed_in
from tests.world import (
    LEARNER,
    OPERATOR_ACTOR,
    World,
    actor_of,
    body_of,
    definition_document,
    failed_checks,
    issue_order,
)

ISSUER, CODE = "stadsnat-exempel", "SOB-OPTO-01"
FORMS = [(language, form) for language in ("sv", "en") for form in ("ldp_vc", "vc-jwt")]
RIGHT = {"name": "Amina Exempelsson-Berg"}


def corrected(world: World, old: Issued, *, by: Actor | None = None, **changes: object) -> Issued:
    order = {"holder": RIGHT, "assessedOn": str(issue_order()["assessedOn"])} | changes
    actor = by or actor_of(world.organization(ISSUER))
    with world.writing() as session:
        wanted = CorrectionOrder.model_validate(order)
        return correct(world.env, session, actor, old.award.id, wanted)


def said(issued: Issued, language: str, form: str) -> dict[str, Any]:
    body = body_of(issued, language, form)
    found: dict[str, Any] = (
        json.loads(body) if form == "ldp_vc" else json.loads(read_compact(body.decode()).payload)
    )
    return found


def state_of(world: World, issued: Issued) -> str:
    with world.reading() as session:
        return session.get_one(Award, issued.award.id).state


def end(world: World, version: DefinitionVersion) -> None:
    """The version retired by its owner."""
    with world.writing() as session:
        retire(world.env, session, actor_of(world.organization("sobona")), version.id)


def notes(world: World, issued: Issued) -> Sequence[str]:
    report = world.verified(body_of(issued))
    assert report.verified, [each for each in report.findings if each.outcome != "passed"]
    return [each.code for each in report.notes if each.code.startswith("definition_")]


def test_the_new_credential_names_the_old_one_signed_in_each_form_and_language(
    world: World,
) -> None:
    world.published_definition()
    old = world.issued()

    new = corrected(world, old)

    member = f"{world.env.vocabulary}replaces"
    for language, form in FORMS:
        credential = said(new, language, form)
        assert credential[member] == {"id": said(old, language, form)["id"]}
        assert member not in said(old, language, form)
        assert world.verified(body_of(new, language, form)).verified
        assert failed_checks(world.verified(body_of(old, language, form))) == ["status"]
    assert len({said(new, language, "ldp_vc")[member]["id"] for language in ("sv", "en")}) == 2
    assert (new.award.replaces_id, state_of(world, old)) == (old.award.id, "revoked")


def test_who_says_that_it_corrects_another_is_not_believed(world: World) -> None:
    world.published_definition()
    new = corrected(world, world.issued())
    other = world.issued()
    member = f"{world.env.vocabulary}replaces"

    for language in ("sv", "en"):
        forged = said(new, language, "ldp_vc")
        forged[member] = {"id": said(other, language, "ldp_vc")["id"]}
        report = world.verified(json.dumps(forged).encode())
        assert "proof" in [each.check for each in report.findings if each.outcome == "failed"]
        del forged[member]
        assert not world.verified(json.dumps(forged).encode()).verified


def test_a_correction_of_one_language_names_what_there_was(world: World) -> None:
    world.published_definition()
    old = world.issued(languages=["en"])

    new = corrected(world, old)

    assert {row.language for row in new.representations} == {"en"}
    assert said(new, "en", "vc-jwt")[f"{world.env.vocabulary}replaces"] == {
        "id": said(old, "en", "ldp_vc")["id"]
    }


@pytest.mark.parametrize("what", ["superseded", "retired", "both"])
def test_it_stays_under_the_version_of_the_old_one_whatever_has_become_of_that(
    world: World, what: str
) -> None:
    first, _, _ = world.published_definition()
    old = world.issued()
    before = notes(world, old)
    world.clock.advance(days=1)
    if what != "retired":
        world.published_definition(version="2.0.0", title={"sv": "Annat innehåll", "en": "Other"})
    if what != "superseded":
        end(world, first)
    world.clock.advance(days=1)

    new = corrected(world, old)

    assert new.award.definition_version_id == first.id
    for language, form in FORMS:
        was, is_now = said(old, language, form), said(new, language, form)
        assert is_now["relatedResource"] == was["relatedResource"]
        assert is_now["credentialSubject"]["achievement"] == was["credentialSubject"]["achievement"]
        assert world.verified(body_of(new, language, form)).verified
    found = [f"definition_{'superseded' if what == 'superseded' else 'retired'}"]
    assert (before, notes(world, new)) == ([], found)
    report = world.verified(body_of(new))
    assert all(each.sentence("sv") != each.sentence("en") for each in report.notes)
    issuer = world.organization(ISSUER)
    with world.reading() as session:
        assert list(recheck(world.env, session, actor_of(issuer), ISSUER)) == []


def test_it_stays_correctable_when_the_review_of_its_version_is_overdue(world: World) -> None:
    version, _, owner = world.published_definition(validity=None)
    old = world.issued()
    assert version.review_due is not None
    while world.env.now().date() <= version.review_due:
        world.clock.advance(days=60)
    world.clock.advance(days=owner.review_grace_days)
    with pytest.raises(Conflict) as caught:
        world.issued()
    assert caught.value.rule == "review_overdue"

    new = corrected(world, old)

    assert new.award.definition_version_id == version.id


def test_who_is_not_authorised_any_more_corrects_nothing_and_may_revoke(world: World) -> None:
    version, _, owner = world.published_definition()
    old = world.issued()
    with world.writing() as session:
        for row in own_delegations(session, actor_of(owner)):
            gone = DelegationStatusOrder(status="withdrawn", reason="Avtalet är slut.")
            change(world.env, session, actor_of(owner), row.id, gone)

    with pytest.raises(Forbidden) as caught:
        corrected(world, old)

    assert caught.value.rule == "not_authorised_issuer"
    assert state_of(world, old) == "active"
    with world.reading() as session:
        assert awards.search(session, organization_id=old.award.organization_id)[1] == 1
    with world.writing() as session:
        allowed = grant(
            world.env, session, actor_of(owner), GrantOrder(issuer=ISSUER, definitions=[CODE])
        )
    end(world, version)
    new = corrected(world, old)
    assert said(new, "sv", "ldp_vc")["termsOfUse"][0]["id"] == allowed.url
    assert notes(world, new) == ["definition_retired"]
    world.set_status(new, "revoked")


def test_an_owner_that_issues_its_own_no_more_corrects_it_no_more(world: World) -> None:
    version, _, owner = world.published_definition(authorised_issuers=["sobona"])
    old = world.issued(issuer="sobona")
    with world.writing() as session:
        session.get_one(DefinitionVersion, version.id).authorised_issuers = []

    with pytest.raises(Forbidden):
        corrected(world, old, by=actor_of(owner))

    assert state_of(world, old) == "active"


def test_nothing_is_corrected_after_the_service_has_ended(world: World) -> None:
    world.published_definition()
    old = world.issued()
    with world.writing() as session:
        close_lists(world.env, session, OPERATOR_ACTOR)

    with pytest.raises(Conflict) as caught:
        corrected(world, old)

    assert caught.value.rule == "sunset"


@pytest.mark.parametrize("asked_for", [True, False])
def test_it_carries_the_approvals_if_the_old_one_does(world: World, *, asked_for: bool) -> None:
    version_id = handed_in(world, "sektorn", external=1)
    decided(world, person(world, "sektorn", "reviewer"), version_id)
    with world.writing() as session:
        publish(world.env, session, actor_of(world.organization("sobona")), version_id)
    old = world.issued(endorsements=asked_for)

    new = corrected(world, corrected(world, old))

    for language, form in FORMS:
        was, is_now = said(old, language, form), said(new, language, form)
        assert is_now.get("endorsement") == was.get("endorsement")
        assert ("endorsement" in is_now) == asked_for
        report = world.verified(body_of(new, language, form))
        assert report.verified
        codes = [each.code for each in report.findings if each.check == "endorsements"]
        assert ("passed" in codes) == asked_for


OWNER = "skelleftea-kraft"
PARTS = ("SKR-DT-01", "SKR-DT-02")


def test_the_parts_of_a_stack_are_handed_in_as_when_it_was_issued(world: World) -> None:
    for code in PARTS:
        world.published_definition(**definition_document(code))
    stack = definition_document("SKR-DT-99") | {"prerequisites": None}
    world.published_definition(
        **stack | {"stackability": {"kind": "stack", "requires_all_of": list(PARTS)}}
    )

    def award(code: str, **changes: object) -> Issued:
        order = {"definition": f"{OWNER}/{code}", "holder": {"name": LEARNER}} | changes
        return world.issued(issuer=OWNER, **order)

    first, second = (award(code) for code in PARTS)
    handed = {
        "parts": [said(first, "sv", "ldp_vc")["id"]],
        "presented": [json.loads(body_of(second))],
    }
    old = award("SKR-DT-99", **handed)
    acting = actor_of(world.organization(OWNER))

    with pytest.raises(InvalidInput) as caught:
        corrected(world, old, by=acting, holder={"name": LEARNER})
    assert [error.rule for error in caught.value.fields] == ["parts_missing"]
    with pytest.raises(InvalidInput) as caught:
        corrected(world, old, by=acting, **handed)
    assert [error.field for error in caught.value.fields] == ["/presented/0"]
    assert state_of(world, old) == "active"
    new = corrected(world, old, by=acting, holder={"name": LEARNER}, **handed)

    was, is_now = said(old, "sv", "ldp_vc"), said(new, "sv", "ldp_vc")
    assert is_now["evidence"] == was["evidence"]
    (note,) = [each for each in world.verified(body_of(new)).notes if each.code == "parts"]
    assert note.data == {"count": 2, "valid": 2}
