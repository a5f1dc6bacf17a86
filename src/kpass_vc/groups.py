"""Do together what many ask for at the same time: a thread takes all that has come, does it at once, and tells each.

A commit costs the same for one order as for fifty. Who asks alone is not made to wait: what comes
while a group is being done makes the next one. Only where several asked at once just now, and more
keep coming, the next group is given some milliseconds to become as large.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition, Thread
from typing import Final, Generic, TypeVar

Order = TypeVar("Order")
Outcome = TypeVar("Outcome")

_IDLE: Final = 5.0
"""Seconds without an order after which the thread ends; the next order starts another."""
_PAUSE: Final = 0.002
_MOST_PAUSES: Final = 12
"""While more orders come in each pause, so many are made before a group that follows one of several."""


class Later(Exception):
    """Raised by the work of a group that may not be done yet: what comes meanwhile joins it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not for {seconds} seconds")
        self.seconds = seconds


class Group(Generic[Order, Outcome]):
    """Orders of one kind, done in groups of `most` at a time."""

    def __init__(
        self,
        name: str,
        work: Callable[[list[Order]], Sequence[Outcome | Exception]],
        *,
        most: int,
    ) -> None:
        """`work` gives the outcome of each order in their order, an Exception for who is to be told that.

        What it raises, all of the group are told; but after Later it is done again so many seconds later.
        """
        self._name, self._work, self._most = name, work, most
        self._waiting: deque[tuple[Order, asyncio.Future[Outcome]]] = deque()
        self._changed = Condition()
        self._is_running = False

    async def ask(self, order: Order) -> Outcome:
        """The outcome of an order once its group is done; no thread is held meanwhile.

        RuntimeError if there can be no thread that does it, or if that ended by force. Who stops waiting does
        not take the order back.
        """
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        with self._changed:
            self._waiting.append((order, future))
            if self._is_running:
                self._changed.notify()
            else:
                try:
                    self._start()
                except RuntimeError:
                    self._waiting.pop()
                    raise
        return await future

    def _start(self) -> None:
        """Start the thread; RuntimeError if there can be none now."""
        Thread(target=self._run, name=self._name, daemon=True).start()
        self._is_running = True

    def _run(self) -> None:
        try:
            self._work_on()
        except BaseException:
            with self._changed:  # what waits, or the next order, has another thread
                self._is_running = False
                if self._waiting:
                    self._start()
            raise

    def _work_on(self) -> None:
        size = 1
        while group := self._next(size):
            size = len(group)
            try:
                outcomes = self._work([order for order, _ in group])
            except Later as later:
                with self._changed:
                    self._waiting.extendleft(reversed(group))
                time.sleep(later.seconds)
                continue
            except Exception as error:  # noqa: BLE001 - whoever asked is told, the next group is done
                outcomes = [error] * len(group)
            except BaseException as error:  # a library that panics: nobody is to wait for ever
                ended = RuntimeError(f"{self._name} ended by {type(error).__name__}")
                _tell([future for _, future in group], [ended] * len(group))
                raise
            _tell([future for _, future in group], outcomes)

    def _next(self, before: int) -> list[tuple[Order, asyncio.Future[Outcome]]]:
        """What has come, so many at most; nothing when none has come for a while, and then the thread ends.

        `before` is how many the last group had.
        """
        if before > 1:
            known = -1
            for _ in range(_MOST_PAUSES):
                if len(self._waiting) >= self._most or len(self._waiting) == known:
                    break
                known = len(self._waiting)
                time.sleep(_PAUSE)
        with self._changed:
            if not self._waiting and not self._changed.wait_for(lambda: self._waiting, _IDLE):
                self._is_running = False
                return []
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]


def _tell(
    futures: Sequence[asyncio.Future[Outcome]], outcomes: Sequence[Outcome | Exception]
) -> None:
    """Give each future its outcome, in its own loop: one call for each loop, for they are dear."""
    by_loop: dict[
        asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Outcome], Outcome | Exception]]
    ] = {}
    for future, outcome in zip(futures, outcomes, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, pairs in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed, and nobody waits in it
            loop.call_soon_threadsafe(_settle, pairs)


def _settle(pairs: list[tuple[asyncio.Future[Outcome], Outcome | Exception]]) -> None:
    for future, outcome in pairs:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
