"""What is a test and what is real: neither is taken for the other, and a test system reaches nothing real."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kpass_vc.actions.batch import look_through, read_items, take_in
from kpass_vc.actions.correct import CorrectionOrder, correct
from kpass_vc.actions.erase import erase
from kpass_vc.actions.issue import Issued, IssueOrder, issue
from kpass_vc.authz import TEST, Actor
from kpass_vc.errors import InvalidInput, KpassError, NotFound
from kpass_vc.records.award import Award
from kpass_vc.records.batch import Batch, BatchRow
from kpass_vc.records.learner import Learner
from tests.actions.test_batch import DEFINITION, item, states, taken, work
from tests.api.http import bearer, client_of
from tests.world import World, actor_of, body_of, issue_order

ISSUER = "stadsnat-exempel"
DAY = (datetime.now(UTC) - timedelta(days=4)).date().isoformat()
HOLDER = {"name": "Amina Ek", "reference": "elev-1", "contact": {"email": "amina@example.org"}}
"""A learner as both systems name her."""


def supplier(world: World) -> Actor:
    return replace(actor_of(world.organization(ISSUER)), permissions=TEST, is_test=True)


def tried(world: World, **changes: object) -> Issued:
    actor = supplier(world)
    with world.writing() as session:
        order = IssueOrder.model_validate(issue_order() | changes)
        return issue(world.env, session, actor, order)


def earnest(world: World, **changes: object) -> Issued:
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        order = IssueOrder.model_validate(issue_order() | changes)
        return issue(world.env, session, actor, order)


def test_a_reference_that_a_test_has_used_is_free(world: World) -> None:
    world.published_definition()
    test = tried(world, externalReference="prov-1")
    real = world.issued(externalReference="prov-1")

    assert (test.award.is_test, real.award.is_test) == (True, False)
    assert not world.verified(body_of(test)).verified
    assert world.verified(body_of(real)).verified


def test_an_idempotency_key_that_a_test_has_used_gives_no_test_to_who_is_in_earnest(
    world: World,
) -> None:
    world.published_definition()
    order = IssueOrder.model_validate(issue_order())
    made = []
    for actor in (supplier(world), actor_of(world.organization(ISSUER))):
        with world.writing() as session:
            made.append(issue(world.env, session, actor, order, "en-nyckel"))

    assert [each.is_new for each in made] == [True, True]
    assert [each.award.is_test for each in made] == [True, False]


def test_a_class_that_was_tried_first_is_issued_in_earnest(world: World) -> None:
    world.published_definition()
    items = [item("Li", externalReference="a1"), item("Bo")]
    actor = supplier(world)
    with world.writing() as session:
        looked = look_through(world.env, session, actor, DEFINITION, read_items(DEFINITION, items))
        batch = take_in(world.env, session, actor, DEFINITION, looked)
    work(world, batch)
    assert states(world, batch) == ["issued", "issued"]

    again = taken(world, items)
    work(world, again)

    assert states(world, again) == ["issued", "issued"]
    with world.reading() as session:
        rows = session.query(BatchRow).where(BatchRow.batch_id == again.id)
        assert not any(session.get_one(Award, row.award_id).is_test for row in rows)
        assert session.get_one(Batch, batch.id).is_test


def test_a_test_changes_no_learners_address(world: World) -> None:
    world.published_definition()
    real = world.issued(holder=HOLDER)
    with world.reading() as session:
        before = session.get_one(Learner, real.award.learner_id).sealed_contact
    tried(world, holder=HOLDER | {"contact": {"email": "leverantor@example.org"}})

    with world.reading() as session:
        assert session.get_one(Learner, real.award.learner_id).sealed_contact == before


def test_a_stack_is_not_made_of_tests(world: World) -> None:
    world.published_definition()
    world.published_definition(
        code="SOB-OPTO-99",
        credential_kind="stack",
        stackability={"kind": "stack", "requires_all_of": ["SOB-OPTO-01"]},
        validity=None,
    )
    stack: dict[str, object] = {"definition": "sobona/SOB-OPTO-99", "holder": HOLDER}
    part = tried(world, holder=HOLDER)
    ids = [row.credential_id for row in part.representations[:1]]
    for parts in ([], ids):
        with pytest.raises(InvalidInput):
            earnest(world, parts=parts, **stack)

    assert tried(world, **stack).award.is_test
    world.issued(holder=HOLDER)
    assert not earnest(world, **stack).award.is_test


def test_a_test_system_neither_sees_nor_changes_what_is_real(world: World) -> None:
    world.published_definition()
    real, test = world.issued(holder=HOLDER), tried(world, holder=HOLDER)
    batch = taken(world, [item("Li")])
    http, headers = client_of(world.env), bearer(world.token(ISSUER, test=True))
    at = f"/v1/credentials/{real.award.id}"
    correction = {"holder": {"name": "Bo Ek"}, "assessedOn": DAY}
    tries: list[tuple[str, str, object]] = [
        ("GET", at, None),
        ("GET", f"{at}/notices", None),
        ("GET", f"{at}/sv.json", None),
        ("POST", f"{at}/status", {"status": "revoked", "reason": "other"}),
        ("POST", f"{at}/correction", correction),
        ("POST", f"{at}/notice", {"contact": {"email": "x@example.org"}}),
        ("POST", f"{at}/link", None),
        ("POST", f"{at}/letter", None),
        ("POST", f"{at}/dispute", {"status": "closed", "answer": "Nej."}),
        ("POST", f"{at}/erasure", None),
        ("GET", f"/v1/batches/{batch.id}", None),
        ("GET", f"/v1/batches/{batch.id}/rows", None),
        ("POST", f"/v1/batches/{batch.id}/letters", None),
        ("POST", f"/v1/batches/{batch.id}/status", {"status": "undone", "reason": "other"}),
    ]
    operations = client_of(world.env).get("/openapi.json").json()["paths"]
    known = {(method.upper(), path) for path, each in operations.items() for method in each}
    for method, path, body in tries:
        template = path.replace(real.award.id, "{credential_id}").replace(batch.id, "{batch_id}")
        template = template.replace("sv.json", "{language}.{extension}")
        assert (method, template) in known, template
        reply = http.request(method, path, headers=headers, json=body)
        assert reply.status_code == 404, (method, path, reply.text)

    listed = http.get("/v1/credentials", headers=headers).json()
    assert [each["id"] for each in listed["credentials"]] == [test.award.id]
    assert http.get("/v1/batches", headers=headers).json()["batches"] == []
    for path in ("/v1/audit", "/v1/statistics"):
        assert http.get(path, headers=headers).status_code == 403
    assert world.verified(body_of(real)).verified


def test_a_test_system_has_its_own_in_hand(world: World) -> None:
    world.published_definition()
    first, second = tried(world, holder=HOLDER), tried(world)
    order = CorrectionOrder.model_validate({"holder": {"name": "Bo Ek"}, "assessedOn": DAY})
    actor = supplier(world)
    with world.writing() as session:
        new = correct(world.env, session, actor, second.award.id, order)
    assert new.award.is_test
    own = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        assert correct(world.env, session, own, new.award.id, order).award.is_test
    with world.writing() as session:
        assert len(erase(world.env, session, actor, first.award.id)) == 1


def test_no_test_token_is_given_more_than_a_test_may_do(world: World) -> None:
    world.organization(ISSUER)
    with pytest.raises(InvalidInput):
        world.token(ISSUER, test=True, permissions=["definitions:publish"])
    with pytest.raises(KpassError):
        world.token(None, test=True)


def test_a_real_learner_of_the_same_reference_is_not_there_for_a_test(world: World) -> None:
    world.published_definition()
    real, actor = world.issued(holder=HOLDER), supplier(world)
    with world.writing() as session, pytest.raises(NotFound):
        erase(world.env, session, actor, real.award.id)


def test_the_learner_sees_that_it_is_a_test(world: World) -> None:
    world.published_definition()
    http = client_of(world.env)
    for language, words in (("sv", "gäller inte"), ("en", "not valid")):
        made, genuine = tried(world), world.issued()
        page = http.get(f"/c/{world.token_of(made.award.id)}?language={language}").text
        assert '<p class="held-status test">' in page
        assert words in page
        assert re.search("<h1>(<span[^>]*>)?TEST: ", page)
        shared = http.get(f"/s/{world.code_of(world.shared(made.award.id))}?language={language}")
        assert "TEST: " in shared.text
        plain = http.get(f"/c/{world.token_of(genuine.award.id)}?language={language}").text
        assert "TEST" not in plain
