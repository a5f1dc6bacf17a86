"""A process and its children, as Linux tells of them: the CPU time they used and the memory they hold."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_PROC: Final = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, of its children that ended, and of those that live."""
    return sum(sum(map(int, _fields(each)[11:15])) for each in _family(pid)) / _TICK


def resident_bytes(pid: int) -> int:
    """The memory that a process and its living children hold."""
    return sum(int(_fields(each)[21]) for each in _family(pid)) * _PAGE


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in (_PROC / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, which may hold anything."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
