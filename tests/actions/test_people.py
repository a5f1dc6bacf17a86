"""People, roles and personal tokens."""

from collections.abc import Callable

import pytest

from kpass_vc.actions.people import (
    PersonalTokenOrder,
    PersonOrder,
    RolesOrder,
    add_person,
    grant_personal_token,
    members,
    revoke_personal_token,
    set_roles,
)
from kpass_vc.actions.tokens import authenticate, myself
from kpass_vc.authz import ORGANIZATION, ROLES, SYSTEM, Actor, Permission, Role
from kpass_vc.errors import Conflict, Forbidden, InvalidInput, KpassError, NotFound, Unauthenticated
from tests.world import OPERATOR_ACTOR, World, actor_of


def personal_token(world: World, slug: str, roles: list[str], email: str) -> tuple[str, str, str]:
    """A person with roles: their id, a token of theirs, and its id."""
    world.organization(slug)
    with world.writing() as session:
        order = PersonOrder.model_validate({"name": "Rut Exempel", "email": email, "roles": roles})
        made = add_person(world.env, session, OPERATOR_ACTOR, slug, order)
        token = grant_personal_token(
            world.env, session, OPERATOR_ACTOR, made.person.id, PersonalTokenOrder(label="x")
        )
    return made.person.id, token.token, token.row.id


def person(world: World, slug: str, *roles: str, email: str = "rut@example.org") -> Actor:
    """A person with roles in an organisation, as their own token opens it."""
    _, token, _ = personal_token(world, slug, list(roles), email)
    with world.reading() as session:
        return authenticate(session, token, world.env.now(), slug)


def refused(error: type[KpassError], rule: str, act: Callable[[], object]) -> None:
    with pytest.raises(error) as caught:
        act()
    assert caught.value.rule == rule


def test_a_person_may_what_the_roles_say_and_nothing_else(world: World) -> None:
    for number, role in enumerate(Role):
        acting = person(world, "sobona", role, email=f"p{number}@example.org")
        assert acting.permissions == ROLES[role] - {Permission.KEYS_WRITE}
    both = person(world, "sobona", "author", "issuer", email="both@example.org")
    assert both.permissions == ROLES[Role.AUTHOR] | ROLES[Role.ISSUER]


def test_the_matrix_keeps_apart_what_must_be_apart() -> None:
    assert Permission.CREDENTIALS_ISSUE not in ROLES[Role.OWNER]
    assert Permission.DEFINITIONS_REVIEW not in ROLES[Role.AUTHOR] | ROLES[Role.OWNER]
    assert not {Permission.CREDENTIALS_READ, Permission.CREDENTIALS_ISSUE} & ROLES[Role.AUDITOR]
    assert not {Permission.PEOPLE_WRITE, Permission.DEFINITIONS_REVIEW} & SYSTEM
    assert frozenset().union(*ROLES.values()) == ORGANIZATION | {Permission.KEYS_WRITE}


def test_a_role_that_is_taken_away_opens_nothing_from_then_on(world: World) -> None:
    acting = person(world, "sobona", "author")
    with world.writing() as session:
        token = grant_personal_token(
            world.env, session, acting, acting.own_person(), PersonalTokenOrder(label="y")
        ).token
        order = RolesOrder.model_validate({"roles": ["auditor"]})
        set_roles(world.env, session, OPERATOR_ACTOR, acting.own_person(), order, "sobona")
        found = authenticate(session, token, world.env.now())

    assert found.permissions == ROLES[Role.AUDITOR]


def test_who_has_roles_in_two_organisations_says_which_one_is_meant(world: World) -> None:
    acting = person(world, "sobona", "author")
    world.organization("annan")
    with world.writing() as session:
        order = PersonOrder.model_validate(
            {"name": "R", "email": "RUT@example.org", "roles": ["reviewer"]}
        )
        same = add_person(world.env, session, OPERATOR_ACTOR, "annan", order)
        assert same.person.id == acting.person_id
        token = grant_personal_token(
            world.env, session, acting, same.person.id, PersonalTokenOrder(label="y")
        ).token
        now = world.env.now()
        refused(Forbidden, "which_organization", lambda: authenticate(session, token, now))
        refused(Forbidden, "not_a_member", lambda: authenticate(session, token, now, "ingen"))
        found = authenticate(session, token, now, "annan")
    assert found.permissions == ROLES[Role.REVIEWER]


def test_two_tokens_live_at_a_time_and_one_of_them_can_be_changed_for_another(
    world: World,
) -> None:
    acting = person(world, "sobona", "author")
    order = PersonalTokenOrder(label="y")
    with world.writing() as session:
        second = grant_personal_token(world.env, session, acting, acting.own_person(), order)
    with world.writing() as session, pytest.raises(Conflict) as caught:
        grant_personal_token(world.env, session, acting, acting.own_person(), order)
    assert caught.value.rule == "tokens_live"
    with world.writing() as session:
        revoke_personal_token(world.env, session, acting, acting.own_person(), second.row.id)
        grant_personal_token(world.env, session, acting, acting.own_person(), order)
        refused(
            Unauthenticated,
            "revoked",
            lambda: authenticate(session, second.token, world.env.now()),
        )
    world.clock.advance(days=91)
    with world.reading() as session:
        refused(
            Unauthenticated,
            "revoked",
            lambda: authenticate(session, second.token, world.env.now()),
        )


def test_an_owner_makes_no_token_that_opens_another_organisation(world: World) -> None:
    both = person(world, "sobona", "author")
    person(world, "annan", "author", email="only@example.org")
    with world.writing() as session:
        order = PersonOrder.model_validate(
            {"name": "R", "email": "rut@example.org", "roles": ["issuer"]}
        )
        add_person(world.env, session, OPERATOR_ACTOR, "annan", order)
    owner = actor_of(world.organization("sobona"))
    for person_id in (both.own_person(), "nobody"):
        with world.writing() as session, pytest.raises(NotFound):
            grant_personal_token(
                world.env, session, owner, person_id, PersonalTokenOrder(label="y")
            )


def test_an_organisation_keeps_an_owner(world: World) -> None:
    acting = person(world, "sobona", "owner")
    with world.writing() as session, pytest.raises(Conflict) as caught:
        set_roles(world.env, session, acting, acting.own_person(), RolesOrder(roles=[Role.AUDITOR]))
    assert caught.value.rule == "last_owner"
    person(world, "sobona", "owner", email="b@example.org")
    with world.writing() as session:
        set_roles(world.env, session, acting, acting.own_person(), RolesOrder(roles=[]))
    with world.reading() as session:
        found = members(session, actor_of(world.organization("sobona")))
    assert [member.person.email for member in found] == ["b@example.org"]


def test_anothers_people_are_not_there(world: World) -> None:
    acting = person(world, "sobona", "owner")
    other = person(world, "annan", "owner", email="b@example.org")
    with world.writing() as session, pytest.raises(NotFound):
        set_roles(world.env, session, acting, other.own_person(), RolesOrder(roles=[]))
    with world.writing() as session, pytest.raises(NotFound):
        add_person(
            world.env,
            session,
            acting,
            "annan",
            PersonOrder.model_validate({"name": "R", "email": "c@example.org", "roles": ["owner"]}),
        )


def test_a_narrow_token_makes_no_wider_one(world: World) -> None:
    person_id, _, first = personal_token(world, "sobona", ["owner"], "rut@example.org")
    narrow = PersonalTokenOrder(label="x", permissions=[Permission.PEOPLE_WRITE])
    with world.writing() as session:
        made = grant_personal_token(world.env, session, OPERATOR_ACTOR, person_id, narrow)
        revoke_personal_token(world.env, session, OPERATOR_ACTOR, person_id, first)
    with world.reading() as session:
        acting = authenticate(session, made.token, world.env.now())

    with world.writing() as session:
        wide = PersonalTokenOrder(label="y", permissions=[Permission.ORGANIZATION_EXPORT])
        with pytest.raises(InvalidInput):
            grant_personal_token(world.env, session, acting, person_id, wide)
        same = grant_personal_token(
            world.env, session, acting, person_id, PersonalTokenOrder(label="y")
        )
    assert same.row.permissions == [Permission.PEOPLE_WRITE]


def test_a_token_that_an_owner_made_for_somebody_opens_that_organisation_alone(
    world: World,
) -> None:
    owner = person(world, "sobona", "owner", email="owner@example.org")
    victor, _, first = personal_token(world, "sobona", ["author"], "victor@example.org")
    world.organization("annan")
    order = PersonalTokenOrder(label="x")
    elsewhere = PersonOrder.model_validate(
        {"name": "V", "email": "victor@example.org", "roles": ["owner", "issuer"]}
    )
    with world.writing() as session:
        revoke_personal_token(world.env, session, OPERATOR_ACTOR, victor, first)
        token = grant_personal_token(world.env, session, owner, victor, order).token
        add_person(world.env, session, OPERATOR_ACTOR, "annan", elsewhere)
        acting = authenticate(session, token, world.env.now())
        again = [
            grant_personal_token(world.env, session, each, victor, order).token
            for each in (myself(session, token, world.env.now()),)
        ]

        assert acting.organization_id == owner.organization_id
        for each in (token, *again):
            with pytest.raises(Forbidden):
                authenticate(session, each, world.env.now(), "annan")
