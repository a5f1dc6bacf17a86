"""Durable workflows in this process: what is put off holds nobody up, and nothing is given up for an accident."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kpass_vc.delivery.channel import Notice
from kpass_vc.environment import Environment
from kpass_vc.errors import NotDelivered
from kpass_vc.records.delivery import Delivery
from kpass_vc.workflows import start_work, stop_work
from tests.world import World

SLOTS = 16


@dataclass
class Channel:
    """A channel that does with a notice what it is told to."""

    act: Callable[[int, Notice], None]
    tried: list[str] = field(default_factory=list)

    def deliver(self, notice: Notice) -> None:
        self.tried.append(notice.message_id)
        self.act(len(self.tried), notice)


@contextmanager
def working(env: Environment) -> Iterator[None]:
    start_work(env, "test")
    try:
        yield
    finally:
        stop_work()


def until(what: Callable[[], bool]) -> None:
    """Return once it is so; it is never timed, only bounded."""
    ends = time.monotonic() + 60
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.1)


def issued(world: World, number: int) -> str:
    contact = {"email": f"elev{number}@example.org"}
    return world.issued(
        holder={"name": f"Elev {number}", "contact": contact},
        externalReference=f"{number}",
        languages=["sv"],
    ).award.id


def states(world: World) -> dict[str, int]:
    with world.reading() as session:
        query = select(Delivery.state, func.count()).group_by(Delivery.state)
        return {row[0]: row[1] for row in session.execute(query)}


def test_notices_to_servers_that_are_down_hold_up_no_other(world: World) -> None:
    def busy(_: int, notice: Notice) -> None:
        if notice.address != f"elev{SLOTS}@example.org":
            raise NotDelivered("refused", channel="email")

    world.env = replace(world.env, channels={"email": Channel(busy)})
    world.published_definition()
    for number in range(SLOTS + 1):
        issued(world, number)

    with working(world.env):
        until(lambda: states(world).get("sent") == 1)

    assert states(world) == {"sent": 1, "waiting": SLOTS}


def test_a_workflow_that_meets_an_accident_is_done_again(world: World) -> None:
    def first_time(number: int, _: Notice) -> None:
        if number == 1:
            raise RuntimeError("the disk was full")

    channel = Channel(first_time)
    world.env = replace(world.env, channels={"email": channel})
    world.published_definition()
    issued(world, 1)

    with working(world.env):
        until(lambda: states(world) == {"sent": 1})

    assert len(channel.tried) == 2
    assert len(set(channel.tried)) == 1


@dataclass
class Full:
    """A database that takes no workflow so many times."""

    env: Environment
    times: int
    refused: list[str] = field(default_factory=list)

    def __call__(
        self,
        session: Session,
        queue: str,
        workflow: str,
        *arguments: str | int,
        key: str = "",
        delay: int = 0,
    ) -> None:
        if len(self.refused) < self.times:
            self.refused.append(key)
            raise OSError
        self.env.enqueue(session, queue, workflow, *arguments, key=key, delay=delay)


def test_what_cannot_even_be_put_off_is_not_given_up(world: World) -> None:
    def first_time(number: int, _: Notice) -> None:
        if number == 1:
            raise RuntimeError("the disk was full")

    channel = Channel(first_time)
    world.env = replace(world.env, channels={"email": channel})
    world.published_definition()
    issued(world, 1)
    full = Full(world.env, times=2)

    with working(replace(world.env, enqueue=full)):
        until(lambda: bool(full.refused))
    assert states(world) == {"waiting": 1}
    with working(world.env):
        until(lambda: states(world) == {"sent": 1})
    assert len(set(channel.tried)) == 1


def test_what_could_not_be_put_off_at_first_is_put_off_later(world: World) -> None:
    def first_time(number: int, _: Notice) -> None:
        if number == 1:
            raise RuntimeError("the disk was full")

    world.env = replace(world.env, channels={"email": Channel(first_time)})
    world.published_definition()
    issued(world, 1)
    full = Full(world.env, times=1)

    with working(replace(world.env, enqueue=full)):
        until(lambda: states(world) == {"sent": 1})
    assert full.refused
