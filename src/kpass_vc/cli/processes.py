"""Several server processes behind one listening socket: one that dies is started again, under its number.

They are spawned, not forked: none has the parent's threads, connections or keys in memory. The parent
answers nothing itself. Whoever ends the parent, however hard, ends them all.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from threading import Event, Thread
from types import FrameType
from typing import Final, NoReturn

ENDING: Final = 28.0
"""Seconds that they have to end in; less than the 30 that containers are given."""
SOON: Final = 10.0
"""Who ends sooner after its start than this is given a pause before the next."""
LONGEST_PAUSE: Final = 30.0
_TICK: Final = 0.5
SPAWN: Final = get_context("spawn")
_log: Final = logging.getLogger("kpass")

Begin = Callable[[int, bool], SpawnProcess]
"""Makes the process of a number, not started yet; it is told whether there has been one before it."""


@dataclass
class _Child:
    """The process of one number, and how the ones before it went."""

    number: int
    process: SpawnProcess
    since: float = field(default_factory=time.monotonic)
    short_lives: int = 0
    again_at: float | None = None
    """When the next one is started, if this one has ended."""


def keep(count: int, begin: Begin) -> bool:
    """Run so many processes, numbered from 1, until SIGTERM or SIGINT; all of them have ended then.

    False if one of them ended by itself at its first start: what never came up is not tried again.
    """
    told = Event()
    before = {
        number: signal.signal(number, lambda *_: told.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    children = [_Child(number, _started(begin, number)) for number in range(1, count + 1)]
    try:
        while not told.is_set():
            wait([each.process.sentinel for each in children if each.again_at is None], _TICK)
            if not all(_looked_after(each, begin) for each in children):
                return False
        return True
    finally:
        _end([each.process for each in children])
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_the_parent() -> None:
    """In a child: end as if told to, once the parent is gone."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=watch, name="the parent", daemon=True).start()


def end_when_told() -> None:
    """SIGTERM leaves the main thread by SystemExit, so that what has begun is put in order on the way out."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)


def leave(code: int) -> NoReturn:
    """End this process: all is in order, and what libraries say at the interpreter's own end helps nobody."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _started(begin: Begin, number: int, *, again: bool = False) -> SpawnProcess:
    process = begin(number, again)
    process.start()
    _log.info("server process %d is %s", number, process.pid)
    return process


def _looked_after(child: _Child, begin: Begin) -> bool:
    """Start the next process of a number when it is time; False if there is no point in it."""
    now = time.monotonic()
    if child.again_at is None and child.process.exitcode is not None:
        is_soon = now - child.since < SOON
        if is_soon and child.process.exitcode > 0 and child.short_lives == 0:
            _log.error("server process %d did not come up", child.number)
            return False
        child.short_lives = child.short_lives + 1 if is_soon else 1
        pause = min(2.0 ** (child.short_lives - 2), LONGEST_PAUSE) if child.short_lives > 1 else 0
        child.again_at = now + pause
        _log.warning(
            "server process %d ended (%d); the next in %d s",
            child.number,
            child.process.exitcode,
            pause,
        )
    if child.again_at is not None and now >= child.again_at:
        child.process.close()
        child.process = _started(begin, child.number, again=True)
        child.since, child.again_at = now, None
    return True


def _end(processes: list[SpawnProcess]) -> None:
    """Tell them to end, and kill what does not."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + ENDING
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        if process.exitcode is None:
            _log.warning("server process %s does not end; it is killed", process.pid)
            process.kill()
            process.join()
