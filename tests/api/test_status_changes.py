"""Changes of status that come at the same time: published together, each told its own outcome, none before its time."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from kpass_vc import statuslist
from kpass_vc.actions.change_status import StatusOrder
from kpass_vc.actions.change_status_together import StatusChange, change_status_together
from kpass_vc.actions.issue import Issued
from kpass_vc.api.status_changes import StatusChanges
from kpass_vc.authz import ORGANIZATION, Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, Forbidden, NotFound, Unavailable
from kpass_vc.records.award import Award
from kpass_vc.records.key import SigningKey
from kpass_vc.records.status_list import StatusPublication
from tests.world import World, actor_of

ISSUER = "stadsnat-exempel"
A_MOMENT = timedelta(seconds=0.5)


def every(env: Environment, least: timedelta, *, is_fast: bool = True) -> StatusChanges:
    return StatusChanges(replace(env, publish_every=least, is_fast=is_fast))


def change(world: World, issued: Issued, status: str = "revoked") -> StatusChange:
    order = StatusOrder.model_validate({"status": status, "reason": "other"})
    return StatusChange(actor_of(world.organization(ISSUER)), issued.award.id, order)


def asked(changes: StatusChanges, *orders: StatusChange) -> list[str]:
    """The outcomes in short: the state of the credential, or the rule of the error."""

    async def all_at_once() -> list[object]:
        asking = (changes.ask(order) for order in orders)
        return await asyncio.gather(*asking, return_exceptions=True)

    return [short(outcome) for outcome in asyncio.run(all_at_once())]


def short(outcome: object) -> str:
    match outcome:
        case (Award() as award, _):
            return award.state
        case Conflict() | Unavailable():
            return outcome.rule
        case _:
            return type(outcome).__name__


def published(world: World, issued: Issued) -> tuple[int, int]:
    """The version of a credential's list, and how many of its bits are raised in what was signed."""
    with world.reading() as session:
        row = session.get_one(StatusPublication, issued.award.status_list_id)
    signed = statuslist.decode(json.loads(row.body)["credentialSubject"]["encodedList"])
    assert signed == row.bits
    return row.version, sum(byte.bit_count() for byte in signed)


def test_a_lone_revocation_of_a_list_that_was_not_published_just_now_waits_for_nothing(
    world: World,
) -> None:
    world.published_definition()
    issued = world.issued()
    world.clock.advance(minutes=2)
    started = time.monotonic()

    outcome = asked(every(world.env, timedelta(minutes=1)), change(world, issued))

    assert outcome == ["revoked"]
    assert published(world, issued) == (2, 1)
    assert time.monotonic() - started < 30


def test_those_who_come_right_after_a_publication_share_the_next_when_its_time_has_come(
    world: World,
) -> None:
    world.published_definition()
    issued = [world.issued(languages=["sv"]) for _ in range(12)]
    world.clock.advance(minutes=2)
    changes = every(world.env, A_MOMENT)

    first = asked(changes, change(world, issued[0]))
    after_first = published(world, issued[0])
    started = time.monotonic()
    rest = asked(changes, *(change(world, each) for each in issued[1:]))
    spent = time.monotonic() - started

    assert (first, after_first) == (["revoked"], (2, 1))
    assert rest == ["revoked"] * 11
    assert spent >= A_MOMENT.total_seconds()
    assert published(world, issued[0]) == (3, 12)


def test_lists_of_two_organisations_do_not_wait_for_each_other(world: World) -> None:
    world.published_definition(authorised_issuers=[ISSUER, "annan"])
    here, there = world.issued(), world.issued(issuer="annan")
    changes = every(world.env, timedelta(minutes=1))
    elsewhere = replace(change(world, there), actor=actor_of(world.organization("annan")))
    world.clock.advance(minutes=2)
    assert asked(changes, change(world, here)) == ["revoked"]

    assert asked(changes, elsewhere) == ["revoked"]

    assert published(world, there) == (2, 1)


def test_each_of_those_who_come_together_is_judged_by_itself(world: World) -> None:
    world.published_definition()
    good, revoked, other = (world.issued(languages=["sv"]) for _ in range(3))
    world.set_status(revoked, "revoked")
    lesser = Actor("x", good.award.organization_id, frozenset({Permission.CREDENTIALS_READ}))
    foreign = Actor("x", world.organization("sobona").id, ORGANIZATION)
    orders = [
        change(world, good),
        change(world, revoked, "active"),
        change(world, other, "suspended"),
        replace(change(world, other), actor=lesser),
        replace(change(world, other), actor=foreign),
        replace(change(world, other), award_id="no-such-award"),
        change(world, good),
        change(world, good, "active"),
        change(world, other, "active"),
    ]

    outcomes = asked(every(world.env, A_MOMENT), *orders)

    assert outcomes == [
        "revoked",
        "revoked_for_ever",
        "not_suspendable",
        "Forbidden",
        "NotFound",
        "NotFound",
        "revoked",
        "revoked_for_ever",
        "active",
    ]
    assert published(world, good) == (3, 2)


def test_in_one_transaction_the_outcomes_are_those_of_one_after_the_other(world: World) -> None:
    world.published_definition(status_purpose="suspension")
    first, second = world.issued(languages=["sv"]), world.issued(languages=["sv"])
    orders = [
        change(world, first, "suspended"),
        change(world, second, "revoked"),
        change(world, first, "active"),
        change(world, second, "active"),
        change(world, first, "suspended"),
    ]

    with world.writing() as session:
        outcomes = change_status_together(world.env, session, orders)

    assert [
        short((each, None)) if isinstance(each, Award) else short(each) for each in outcomes
    ] == [
        "suspended",
        "revoked",
        "suspended",
        "revoked_for_ever",
        "suspended",
    ]
    assert published(world, first) == (2, 2)


def test_where_a_list_cannot_be_signed_all_of_it_are_told_so_and_those_of_others_nothing(
    world: World,
) -> None:
    world.published_definition(authorised_issuers=[ISSUER, "annan"])
    here, there = world.issued(), world.issued(issuer="annan")
    with world.writing() as session:
        for key in session.query(SigningKey).filter_by(organization_id=here.award.organization_id):
            key.state = "retired"
    elsewhere = replace(change(world, there), actor=actor_of(world.organization("annan")))

    with world.writing() as session:
        outcomes = change_status_together(
            world.env, session, [change(world, here), elsewhere, change(world, here, "suspended")]
        )
        found = [each if isinstance(each, Exception) else each.state for each in outcomes]

    assert [short(each) for each in found[::2]] == ["no_active_key"] * 2
    assert found[1] == "revoked"
    assert (published(world, here), published(world, there)) == ((1, 0), (2, 1))
    with world.reading() as session:
        assert session.get_one(Award, here.award.id).state == "active"


def test_without_the_fast_ways_each_change_is_published_alone_and_at_once(world: World) -> None:
    world.published_definition()
    issued = [world.issued(languages=["sv"]) for _ in range(3)]
    changes = every(world.env, timedelta(minutes=1), is_fast=False)

    outcomes = asked(changes, *(change(world, each) for each in issued), change(world, issued[0]))

    assert outcomes == ["revoked"] * 4
    assert published(world, issued[0]) == (4, 3)


@pytest.mark.parametrize(
    ("actor", "error"),
    [
        (Actor("x", None, ORGANIZATION), Forbidden),
        (Actor("x", "no-organisation", ORGANIZATION), NotFound),
        (Actor("x", "no-organisation", frozenset()), Forbidden),
    ],
)
@pytest.mark.parametrize("is_fast", [True, False])
def test_who_may_not_is_told_the_same_either_way(
    world: World, actor: Actor, error: type[Exception], *, is_fast: bool
) -> None:
    order = StatusChange(actor, "no-such-award", StatusOrder(status="revoked", reason="other"))

    with pytest.raises(error):
        asyncio.run(every(world.env, A_MOMENT, is_fast=is_fast).ask(order))
