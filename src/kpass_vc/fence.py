"""The high-water mark: how far the status lists have come, kept outside of the database.

A database that was put back to an earlier day has forgotten indexes that it gave out and
revocations that it acknowledged. It does not know; this file does. It is written after
each commit, beside the keys, and a database that is behind it issues nothing until
`kpass restore` has closed the lists that there were.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Lock
from typing import Final

NAME: Final = "high-water.json"


class Fence:
    """The mark of one installation."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._lock = Lock()
        self.is_passed = False
        """Whether the database was found not to be behind."""

    def read(self) -> dict[str, tuple[int, int]]:
        """By the address of each list: the version that was signed last, and how many of its indexes are given out."""
        try:
            found = json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return {str(url): (int(mark[0]), int(mark[1])) for url, mark in found.items()}

    def lift(self, marks: Mapping[str, tuple[int, int]]) -> None:
        """Raise the mark of some lists; nothing ever lowers one, of this process or another."""
        with self._alone():
            known = self.read()
            for url, (version, used) in marks.items():
                before = known.get(url, (0, 0))
                known[url] = (max(version, before[0]), max(used, before[1]))
            self._write(known)

    def reset(self, marks: Mapping[str, tuple[int, int]]) -> None:
        """Set the mark to what a database has that was put right."""
        with self._alone():
            self._write(dict(marks))
        self.is_passed = True

    def behind(self, marks: Callable[[], Mapping[str, tuple[int, int]]]) -> list[str]:
        """The lists of which a database knows less than was published.

        `marks` asks the database, and does so after the file was read: what another process commits and
        notes down in between is then ahead of the file, and never behind it.
        """
        noted = self.read()
        known = marks()
        found = []
        for url, (version, used) in noted.items():
            has = known.get(url, (0, 0))
            if has[0] < version or has[1] < used:
                found.append(url)
        return sorted(found)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread and no other process on this machine reads and writes the file meanwhile."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        with (
            self._lock,
            os.fdopen(os.open(self._path.with_name(f"{NAME}.lock"), flags, 0o600)) as held,
        ):
            flock(held, LOCK_EX)
            yield

    def _write(self, marks: Mapping[str, tuple[int, int]]) -> None:
        # Not synced to disk: after a power cut the database is ahead of it, which harms nothing.
        beside = self._path.with_name(f"{NAME}.{os.getpid()}.new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({url: list(mark) for url, mark in sorted(marks.items())}, file)
        beside.replace(self._path)
