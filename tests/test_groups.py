"""Orders that are done together, and each is told its own outcome."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from kpass_vc.groups import Group, Later

pytestmark = pytest.mark.sqlite


def ask_all(group: Group[int, int], orders: list[int]) -> list[int | BaseException]:
    async def all_at_once() -> list[int | BaseException]:
        asked = (group.ask(order) for order in orders)
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(all_at_once())


def recording(
    work: Callable[[int], int | Exception],
) -> tuple[list[list[int]], Callable[[list[int]], list[int | Exception]]]:
    groups: list[list[int]] = []

    def done(orders: list[int]) -> list[int | Exception]:
        groups.append(orders)
        return [work(order) for order in orders]

    return groups, done


def test_what_comes_while_a_group_is_done_makes_the_next_and_each_has_its_own_outcome() -> None:
    groups, work = recording(lambda order: order * 2)

    outcomes = ask_all(Group("test", work, most=8), list(range(100)))

    assert outcomes == [order * 2 for order in range(100)]
    assert sorted(order for group in groups for order in group) == list(range(100))
    assert max(map(len, groups)) <= 8
    assert len(groups) < 100


def test_one_error_is_told_to_its_own_order_and_what_is_raised_to_the_whole_group() -> None:
    def odd_is_wrong(order: int) -> int | Exception:
        return ValueError(str(order)) if order % 2 else order

    _, work = recording(odd_is_wrong)

    outcomes = ask_all(Group("test", work, most=8), list(range(20)))

    assert [str(o) if isinstance(o, ValueError) else o for o in outcomes] == [
        str(order) if order % 2 else order for order in range(20)
    ]

    def broken(_orders: list[int]) -> list[int | Exception]:
        raise OSError("disk")

    group: Group[int, int] = Group("test", broken, most=8)
    for _ in range(2):  # and the group after it is done as well
        assert {str(outcome) for outcome in ask_all(group, [1, 2, 3])} == {"disk"}


def test_a_group_that_may_not_be_done_yet_is_done_later_with_those_who_have_come_since() -> None:
    groups: list[list[int]] = []

    def work(orders: list[int]) -> list[int | Exception]:
        groups.append(list(orders))
        if len(groups) == 1:
            raise Later(0.2)
        return list(orders)

    group: Group[int, int] = Group("test", work, most=3)

    async def one_after_the_other() -> tuple[list[int], float]:
        started = time.monotonic()
        first = asyncio.ensure_future(group.ask(1))
        await asyncio.sleep(0.05)
        outcomes = await asyncio.gather(first, group.ask(2), group.ask(3), group.ask(4))
        return list(outcomes), time.monotonic() - started

    outcomes, spent = asyncio.run(one_after_the_other())

    assert outcomes == [1, 2, 3, 4]
    assert groups == [[1], [1, 2, 3], [4]]
    assert spent >= 0.2


def test_who_stops_waiting_leaves_the_others_their_outcomes() -> None:
    release = threading.Event()

    def work(orders: list[int]) -> list[int | Exception]:
        release.wait(5)
        return list(orders)

    group = Group("test", work, most=8)

    async def run() -> tuple[bool, int]:
        gone = asyncio.ensure_future(group.ask(1))
        stays = asyncio.ensure_future(group.ask(2))
        await asyncio.sleep(0.01)
        gone.cancel()
        release.set()
        return gone.cancelled() or gone.cancelling() > 0, await stays

    assert asyncio.run(run()) == (True, 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_force_is_followed_by_another() -> None:
    ended: list[threading.Thread] = []

    def work(orders: list[int]) -> list[int | Exception]:
        if not ended:
            ended.append(threading.current_thread())
            raise SystemExit
        return list(orders)

    group: Group[int, int] = Group("test", work, most=8)

    async def run() -> int:
        with pytest.raises(RuntimeError, match="SystemExit"):
            await asyncio.wait_for(group.ask(1), 5)
        return await asyncio.wait_for(group.ask(2), 5)

    assert asyncio.run(run()) == 2
    ended[0].join(5)


def test_who_asks_while_there_can_be_no_thread_is_told_and_the_next_is_done() -> None:
    groups, work = recording(lambda order: order)
    group = Group("test", work, most=8)

    usual = threading.stack_size(1 << 46)  # more than there is memory for
    try:
        told = ask_all(group, [1])
    finally:
        threading.stack_size(usual)

    assert isinstance(told[0], RuntimeError)
    assert ask_all(group, [2]) == [2]
    assert groups == [[2]]
