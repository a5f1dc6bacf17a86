"""API tokens: kept as hashes, bound to one organisation, and gone when withdrawn."""

import hashlib

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from kpass_vc.actions.tokens import NewToken, TokenOrder, authenticate, grant_token, revoke_token
from kpass_vc.authz import OPERATOR, ORGANIZATION, SYSTEM, Actor, Permission
from kpass_vc.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from kpass_vc.records import access
from kpass_vc.records.access import ApiToken
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.base import Base
from tests.world import OPERATOR_ACTOR, World, actor_of


def actor(world: World, token: str) -> Actor:
    with world.reading() as session:
        return authenticate(session, token, world.clock())


def refusal(world: World, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        actor(world, token)
    assert token not in caught.value.sentence("en") or not token
    return caught.value.rule


def token_id(token: str) -> str:
    return token.split("_")[1]


def test_a_token_opens_what_its_organisation_may_do(world: World) -> None:
    organization = world.organization("sobona")

    found = actor(world, world.token("sobona"))

    assert (found.organization_id, found.permissions) == (organization.id, SYSTEM)
    operator = actor(world, world.token(None))
    assert (operator.organization_id, operator.permissions) == (None, OPERATOR)


def test_the_operator_issues_nothing_and_an_organisation_registers_nobody() -> None:
    assert Permission.CREDENTIALS_ISSUE not in OPERATOR
    assert Permission.CREDENTIALS_REVOKE not in OPERATOR
    assert not {Permission.ORGANIZATIONS_WRITE, Permission.TOKENS_WRITE} & ORGANIZATION
    assert set(Permission) == OPERATOR | ORGANIZATION


def test_the_secret_is_256_bits_and_stands_nowhere_in_the_database(world: World) -> None:
    world.organization("sobona")

    token = world.token("sobona")

    head, identifier, secret = token.split("_", 2)
    assert (head, len(identifier), len(secret)) == ("kp", 18, 43)
    with world.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                assert not any(secret in str(value) for value in row)
        kept = session.get_one(ApiToken, identifier)
        assert kept.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()


def test_a_new_token_does_not_show_itself(world: World) -> None:
    world.organization("sobona")

    with world.writing() as session:
        made = grant_token(world.env, session, OPERATOR_ACTOR, "sobona", TokenOrder(label="x"))

    assert isinstance(made, NewToken)
    assert made.token not in repr(made) + str(made)
    assert made.token.split("_", 2)[2] not in repr(made)


def test_what_is_no_token_of_ours_opens_nothing(world: World) -> None:
    world.organization("sobona")
    token = world.token("sobona")
    other = world.token("sobona")
    secret = other.split("_", 2)[2]
    wrong = [
        "",
        "kp_",
        "kp__",
        "kp_x_y",
        token[3:],
        token.upper(),
        token[:-1],
        token + "x",
        " " + token,
        f"kp_{token_id(token)}_",
        f"kp_{token_id(token)}_{secret}",
        f"kp_{token_id(token)}_{'0' * 43}",
        f"kp_{'0' * 18}_{token.split('_', 2)[2]}",
        "kp_å_ö",
        "kp_x_\ud800",
        "kp_" + "x" * 100_000,
    ]

    assert {refusal(world, text) for text in wrong} == {"unknown"}
    actor(world, token)


def test_a_token_runs_out(world: World) -> None:
    world.organization("sobona")
    token = world.token("sobona", expiresInDays=1)

    world.clock.advance(days=1, seconds=-1)
    actor(world, token)
    world.clock.advance(seconds=1)

    assert refusal(world, token) == "expired"


def test_a_withdrawn_token_opens_nothing_and_its_neighbour_still_does(world: World) -> None:
    world.organization("sobona")
    first, second = world.token("sobona"), world.token("sobona")

    with world.writing() as session:
        revoke_token(world.env, session, OPERATOR_ACTOR, token_id(first))
        revoke_token(world.env, session, OPERATOR_ACTOR, token_id(first))

    assert refusal(world, first) == "revoked"
    actor(world, second)
    with world.reading() as session:
        actions = [entry.action for entry in session.scalars(select(AuditEntry))]
    assert actions.count("token.revoked") == 1


def test_a_token_may_be_given_less_and_never_more(world: World) -> None:
    world.organization("sobona")

    lesser = actor(world, world.token("sobona", permissions=["credentials:read"]))
    assert lesser.permissions == {Permission.CREDENTIALS_READ}
    with pytest.raises(Forbidden) as caught:
        lesser.require(Permission.CREDENTIALS_ISSUE)
    assert "credentials:issue" in caught.value.sentence("sv")
    for slug, permission in (
        ("sobona", "organizations:write"),
        ("sobona", "tokens:write"),
        (None, "credentials:issue"),
    ):
        with pytest.raises(InvalidInput):
            world.token(slug, permissions=[permission])


def test_only_the_operator_hands_out_and_withdraws_tokens(world: World) -> None:
    organization = world.organization("sobona")
    token = world.token("sobona")

    with world.writing() as session:
        with pytest.raises(Forbidden):
            grant_token(world.env, session, actor_of(organization), "sobona", TokenOrder(label="x"))
        with pytest.raises(Forbidden):
            revoke_token(world.env, session, actor_of(organization), token_id(token))
        with pytest.raises(NotFound):
            grant_token(world.env, session, OPERATOR_ACTOR, "nobody", TokenOrder(label="x"))
        with pytest.raises(NotFound):
            revoke_token(world.env, session, OPERATOR_ACTOR, "nothing")


def test_the_tokens_of_an_organisation_are_its_own(world: World) -> None:
    first, second = world.organization("sobona"), world.organization("annan")
    tokens = [world.token(slug) for slug in ("sobona", "annan", None)]

    with world.reading() as session:
        found = [
            [row.id for row in access.every(session, organization_id=owner)]
            for owner in (first.id, second.id, None)
        ]

    assert found == [[token_id(token)] for token in tokens]


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"label": ""},
        {"label": "x" * 101},
        {"label": "x", "permissions": []},
        {"label": "x", "permissions": ["all"]},
        {"label": "x", "expiresInDays": 0},
        {"label": "x", "expiresInDays": 1096},
        {"label": "x", "expiresInDays": "1"},
        {"label": "x", "secret": "mine"},
    ],
    ids=repr,
)
def test_an_order_outside_the_rules_is_no_order(order: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TokenOrder.model_validate(order)


def test_a_permission_that_is_no_more_opens_nothing_and_the_others_still_do(world: World) -> None:
    world.organization("sobona")
    token = world.token("sobona", permissions=["credentials:read"])
    with world.writing() as session:
        session.get_one(ApiToken, token_id(token)).permissions = ["gone:read", "credentials:read"]

    with world.reading() as session:
        actor = authenticate(session, token, world.env.now())

    assert actor.permissions == {Permission.CREDENTIALS_READ}
