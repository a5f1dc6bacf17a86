"""A definition's way from draft to publication past its reviewers."""

import json
from collections.abc import Callable

import pytest

from kpass_vc.actions.define import define
from kpass_vc.actions.publish import publish
from kpass_vc.actions.review import (
    CommentOrder,
    DecisionOrder,
    ReviewPolicyOrder,
    SubmitOrder,
    comment,
    decide,
    set_policy,
    submit,
    take_back,
    under_review,
    waiting,
)
from kpass_vc.actions.verify import verify
from kpass_vc.authz import Actor
from kpass_vc.errors import Conflict, DefinitionIncomplete, Forbidden, KpassError, NotFound
from kpass_vc.records.organization import Organization
from kpass_vc.records.review import Review
from kpass_vc.verification.endorsement import ENDORSEMENT
from tests.actions.test_people import person
from tests.world import World, actor_of, body_of, definition_document

APPROVE = DecisionOrder(decision="approved")


def handed_in(world: World, *reviewers: str, **policy: int) -> str:
    """The id of a version that is handed in, under a policy of its owner."""
    owner = world.organization("sobona")
    for slug in reviewers:
        world.organization(slug)
    with world.writing() as session:
        row = session.get_one(Organization, owner.id)
        row.approvals = policy.get("approvals", 1)
        row.external_approvals = policy.get("external", 0)
    version, _, _ = world.draft()
    with world.writing() as session:
        submit(
            world.env, session, actor_of(owner), version.id, SubmitOrder(reviewers=list(reviewers))
        )
    return version.id


def decided(world: World, actor: Actor, version_id: str, order: DecisionOrder = APPROVE) -> str:
    with world.writing() as session:
        return decide(world.env, session, actor, version_id, order).found[0].state


def published(world: World, version_id: str) -> str:
    with world.writing() as session:
        return publish(world.env, session, actor_of(world.organization("sobona")), version_id)[
            0
        ].state


def fails(error: type[KpassError], rule: str, act: Callable[[], object]) -> None:
    with pytest.raises(error) as caught:
        act()
    assert caught.value.rule == rule


def test_an_approval_is_a_signed_endorsement_over_what_is_published(world: World) -> None:
    version_id = handed_in(world, "sektorn", approvals=2, external=1)
    own = person(world, "sobona", "reviewer")
    theirs = person(world, "sektorn", "reviewer", email="b@example.org")

    assert decided(world, own, version_id) == "in_review"
    fails(Conflict, "version_is_final", lambda: published(world, version_id))
    assert decided(world, theirs, version_id) == "approved"
    assert published(world, version_id) == "published"

    with world.reading() as session:
        rows = session.query(Review).order_by(Review.decided_at).all()
        found = under_review(session, own, version_id).found[0]
    assert len(rows) == 2
    for row in rows:
        endorsement = json.loads(row.endorsement or b"")
        assert endorsement["relatedResource"][0]["digestSRI"] == found.digest_sri
        assert verify(world.env, row.endorsement or b"", ENDORSEMENT).verified
    issued = world.issued()
    plain = world.verified(body_of(issued))
    assert [note.data for note in plain.notes if note.code == "reviewed"] == [
        {"reviewers": "Sobona (exempel), Sektorn (exempel)"}
    ]


def test_approvals_stand_in_a_credential_that_asks_for_them_and_are_checked(world: World) -> None:
    version_id = handed_in(world, "sektorn", external=1)
    decided(world, person(world, "sektorn", "reviewer"), version_id)
    published(world, version_id)

    issued = world.issued(endorsements=True)

    for language in ("sv", "en"):
        for form in ("ldp_vc", "vc-jwt"):
            report = world.verified(body_of(issued, language, form))
            assert report.verified, [f for f in report.findings if f.outcome != "passed"]
            assert "passed" in [f.code for f in report.findings if f.check == "endorsements"]


@pytest.mark.parametrize(
    ("approvals", "external", "said", "state"),
    [
        (0, 0, ["sektorn"], "approved"),
        (1, 0, ["sektorn", "radet"], "in_review"),
        (1, 0, ["sobona"], "approved"),
        (1, 1, ["sobona", "sobona"], "in_review"),
        (1, 1, ["sektorn"], "approved"),
        (2, 1, ["sektorn", "radet"], "in_review"),
        (2, 1, ["sobona", "sobona"], "in_review"),
        (2, 1, ["sektorn", "radet", "sobona"], "approved"),
        (3, 2, ["sektorn", "sobona", "sobona"], "in_review"),
        (3, 2, ["sektorn", "sektorn", "sobona"], "approved"),
        (2, 2, ["sobona", "sektorn", "radet"], "approved"),
    ],
)
def test_neither_internal_nor_external_approvals_stand_in_for_the_others(
    world: World, approvals: int, external: int, said: list[str], state: str
) -> None:
    version_id = handed_in(world, "sektorn", "radet", approvals=approvals, external=external)
    states = [
        decided(world, person(world, slug, "reviewer", email=f"{number}@example.org"), version_id)
        for number, slug in enumerate(said)
    ]
    assert states == [*["in_review"] * (len(said) - 1), state]


def test_who_has_written_in_it_does_not_approve_it_and_a_system_never(world: World) -> None:
    acting = person(world, "sobona", "author", "reviewer")
    world.organization("stadsnat-exempel")
    with world.writing() as session:
        found, _ = define(world.env, session, acting, definition_document())
        submit(world.env, session, acting, found[0].id, SubmitOrder())
    fails(Forbidden, "own_work", lambda: decided(world, acting, found[0].id))
    system = actor_of(world.organization("sobona"))
    fails(Forbidden, "no_person", lambda: decided(world, system, found[0].id))
    other = person(world, "sobona", "reviewer", email="b@example.org")
    assert decided(world, other, found[0].id) == "approved"


def test_changes_that_are_asked_for_make_it_a_draft_and_a_new_round(world: World) -> None:
    version_id = handed_in(world)
    reviewer = person(world, "sobona", "reviewer")
    owner = actor_of(world.organization("sobona"))
    wanted = DecisionOrder(decision="changes_requested", comment="Nivån saknar grund.")

    assert decided(world, reviewer, version_id, wanted) == "draft"
    with world.writing() as session:
        define(world.env, session, owner, definition_document())
        submit(world.env, session, owner, version_id, SubmitOrder())
    assert decided(world, reviewer, version_id) == "approved"
    with world.reading() as session:
        found = under_review(session, reviewer, version_id)
    assert [row.decision for row, _ in found.reviews] == ["changes_requested", "approved"]
    assert [row.text for row in found.comments] == ["Nivån saknar grund."]


def test_one_person_counts_once_and_what_was_taken_back_counts_no_more(world: World) -> None:
    version_id = handed_in(world, approvals=2)
    reviewer = person(world, "sobona", "reviewer")
    owner = actor_of(world.organization("sobona"))
    decided(world, reviewer, version_id)
    fails(Conflict, "reviewed_already", lambda: decided(world, reviewer, version_id))
    with world.writing() as session:
        take_back(world.env, session, owner, version_id)
        submit(world.env, session, owner, version_id, SubmitOrder())
    second = person(world, "sobona", "reviewer", email="b@example.org")
    assert decided(world, second, version_id) == "in_review"
    assert decided(world, reviewer, version_id) == "approved"


def test_what_is_looked_at_is_not_changed_and_what_was_approved_is_what_is_published(
    world: World,
) -> None:
    version_id = handed_in(world)
    owner = world.organization("sobona")
    with world.writing() as session, pytest.raises(Conflict):
        define(world.env, session, actor_of(owner), definition_document())
    decided(world, person(world, "sobona", "reviewer"), version_id)
    with world.writing() as session:
        session.get_one(Organization, owner.id).name_sv = "Ett annat namn"
    fails(Conflict, "changed_since_approval", lambda: published(world, version_id))


def test_a_policy_keeps_a_draft_from_being_published(world: World) -> None:
    version, _, owner = world.draft()
    acting = person(world, "sobona", "owner")
    with world.writing() as session:
        set_policy(world.env, session, acting, ReviewPolicyOrder(approvals=1))
    fails(Conflict, "not_approved", lambda: published(world, version.id))
    with world.writing() as session:
        define(world.env, session, actor_of(owner), definition_document() | {"country": None})
    with world.writing() as session, pytest.raises(DefinitionIncomplete):
        submit(world.env, session, actor_of(owner), version.id, SubmitOrder())


def test_only_who_is_asked_reads_and_remarks(world: World) -> None:
    version_id = handed_in(world, "sektorn")
    stranger = person(world, "annan", "reviewer")
    asked = person(world, "sektorn", "reviewer", email="b@example.org")
    order = CommentOrder(field="/level", text="Vilken grund?")

    with world.reading() as session:
        assert [found[0].id for found in waiting(session, asked)] == [version_id]
        assert waiting(session, stranger) == []
        with pytest.raises(NotFound):
            under_review(session, stranger, version_id)
    with world.writing() as session:
        with pytest.raises(NotFound):
            comment(world.env, session, stranger, version_id, order)
        with pytest.raises(NotFound):
            decide(world.env, session, stranger, version_id, APPROVE)
        comment(world.env, session, asked, version_id, order)
        assert len(under_review(session, asked, version_id).comments) == 1


def test_a_definition_that_is_due_for_review_is_said_and_then_issues_no_more(world: World) -> None:
    version, _, owner = world.published_definition()
    assert version.review_due is not None
    issued = world.issued()
    world.clock.moment = world.clock.moment.replace(
        year=version.review_due.year, month=version.review_due.month, day=version.review_due.day
    )
    world.clock.advance(days=2)

    late = body_of(world.issued(assessedOn=world.clock.moment.date().isoformat()))
    report = world.verified(late)
    assert report.verified
    assert "review_due" in [note.code for note in report.notes]
    world.clock.advance(days=owner.review_grace_days)
    with pytest.raises(Conflict) as caught:
        world.issued(assessedOn=world.clock.moment.date().isoformat())
    assert caught.value.rule == "review_overdue"
    assert issued.award.state == "active"


@pytest.mark.parametrize(
    ("change", "refused", "taken"),
    [
        ({"workload": {"hours": 17}}, "1.1.0", "2.0.0"),
        ({"tags": ["annat"]}, "1.0.1", "1.1.0"),
        ({}, None, "1.0.1"),
    ],
)
def test_a_change_takes_its_step_in_the_version_number(
    world: World, change: dict[str, object], refused: str | None, taken: str
) -> None:
    world.published_definition()
    if refused is not None:
        version, _, _ = world.draft(version=refused, **change)
        with pytest.raises(DefinitionIncomplete) as caught:
            published(world, version.id)
        assert [gap.field for gap in caught.value.gaps] == ["/version"]
    version, _, _ = world.draft(version=taken, **change)
    assert published(world, version.id) == "published"
