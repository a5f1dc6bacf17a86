"""Webhooks: every change in order, signed, until it is taken; nothing lost while the receiver is down."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.webhooks import (
    ReplayOrder,
    WebhookOrder,
    add_webhook,
    end_webhook,
    replay,
    signature,
    tell,
)
from kpass_vc.errors import InvalidInput, NotFetched, NotFound
from kpass_vc.records.webhook import Webhook
from tests.api.http import bearer, client_of
from tests.world import Clock, NothingElsewhere, World, actor_of

ISSUER = "stadsnat-exempel"


@dataclass
class Receiver(NothingElsewhere):
    """Takes what is posted, unless it is down."""

    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    is_down: bool = False
    clock: Clock | None = None
    takes: int = 0
    """Seconds before it answers."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        if self.is_down:
            raise NotFetched("unreachable", url=url)
        if self.clock is not None:
            self.clock.advance(seconds=self.takes)
        self.got.append((url, body, headers))

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["type"] for _, body, _ in self.got]


@pytest.fixture
def receiver(world: World) -> Receiver:
    found = Receiver(clock=world.clock)
    world.env = replace(world.env, fetcher=found)
    world.published_definition()
    return found


def hook(world: World, *events: str) -> tuple[Webhook, str]:
    chain_all(world.env)
    with world.writing() as session:
        order = WebhookOrder(url="https://system.example/in", events=list(events))
        return add_webhook(world.env, session, actor_of(world.organization(ISSUER)), order)


def told(world: World) -> int:
    chain_all(world.env)
    return tell(world.env)


def test_changes_come_in_order_and_signed_and_hold_no_name(
    world: World, receiver: Receiver
) -> None:
    _, secret = hook(world)
    issued = world.issued()
    world.set_status(issued, "revoked")

    assert told(world) >= 2
    assert told(world) == 0

    assert [event for event in receiver.events if event.startswith("credential")] == [
        "credential.issued",
        "credential.revoked",
    ]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    for _, body, headers in receiver.got:
        moment = int(headers["webhook-timestamp"])
        expected = signature(key, headers["webhook-id"], moment, body)
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert b"Amina" not in body


def test_a_receiver_that_is_down_loses_nothing_and_is_not_hammered(
    world: World, receiver: Receiver
) -> None:
    row, _ = hook(world, "credential.issued")
    receiver.is_down = True
    first = world.issued()
    assert told(world) == 0
    second = world.issued()
    assert told(world) == 0
    receiver.is_down = False
    assert told(world) == 0
    world.clock.advance(minutes=10)
    assert told(world) == 2
    ids = [json.loads(body)["data"]["id"] for _, body, _ in receiver.got]
    assert ids == [first.award.id, second.award.id]
    with world.reading() as session:
        held = session.get_one(Webhook, row.id)
        assert (held.failures, held.last_error) == (0, None)


def test_a_slow_receiver_and_a_broken_webhook_hold_up_nobody_else(
    world: World, receiver: Receiver
) -> None:
    broken, _ = hook(world, "credential.issued")
    hook(world, "credential.issued")
    with world.writing() as session:
        session.get_one(Webhook, broken.id).sealed_secret = b"damaged"
    for _ in range(4):
        world.issued()
    receiver.takes = 12
    assert told(world) == 3
    receiver.takes = 0
    assert told(world) == 1
    assert len({headers["webhook-id"] for _, _, headers in receiver.got}) == 4


def test_replay_sends_the_same_events_under_the_same_ids(world: World, receiver: Receiver) -> None:
    row, _ = hook(world, "credential.issued")
    world.issued()
    told(world)
    with world.writing() as session:
        actor = actor_of(world.organization(ISSUER))
        replay(world.env, session, actor, row.id, ReplayOrder(since=0))
    told(world)
    (_, one, first), (_, other, again) = receiver.got
    assert one == other
    assert first["webhook-id"] == again["webhook-id"]


def test_an_ended_webhook_and_anothers_are_told_nothing(world: World, receiver: Receiver) -> None:
    row, _ = hook(world)
    with world.writing() as session, pytest.raises(NotFound):
        end_webhook(world.env, session, actor_of(world.organization("sobona")), row.id)
    with world.writing() as session:
        end_webhook(world.env, session, actor_of(world.organization(ISSUER)), row.id)
    world.issued()
    assert told(world) == 0
    assert receiver.got == []


@pytest.mark.parametrize("url", ["http://x.example/", "https://u@x.example/", "ftp://x", "x"])
def test_only_plain_https_is_told(world: World, url: str) -> None:
    actor = actor_of(world.organization(ISSUER))
    order = WebhookOrder(url=url)
    with world.writing() as session, pytest.raises(InvalidInput):
        add_webhook(world.env, session, actor, order)


def test_the_change_feed_tells_each_change_once_and_goes_on_where_it_was(world: World) -> None:
    world.published_definition()
    http, headers = client_of(world.env), bearer(world.token(ISSUER))
    found = [world.issued() for _ in range(5)]
    world.set_status(found[0], "revoked")

    seen: list[tuple[str, str]] = []
    since = 0
    for _ in range(20):
        reply = http.get(f"/v1/changes?since={since}&limit=2", headers=headers).json()
        seen += [(each["change"], each["id"]) for each in reply["changes"]]
        since = reply["next"]
        if not reply["more"]:
            break
    credentials = [each for each in seen if each[0] in {"issued", "revoked"}]
    assert credentials == [
        *(("issued", each.award.id) for each in found),
        ("revoked", found[0].award.id),
    ]
    assert http.get(f"/v1/changes?since={since}", headers=headers).json()["changes"] == []
    assert len(seen) == len(set(seen))
