"""A spy on this process's sockets: which names were looked up and which addresses were connected to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """What the interpreter was asked to do while the spy looked."""

    looked_up: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            self.looked_up.append(str(arguments[0]))
        elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
            self.connected.append(f"{arguments[1][0]}:{arguments[1][1]}")


_LOOKING: list[Seen] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _LOOKING and event.startswith("socket."):
        for seen in _LOOKING:
            seen.note(event, arguments)


sys.addaudithook(_hook)  # for good: an audit hook cannot be taken away, so it looks only when asked


@contextmanager
def spying() -> Iterator[Seen]:
    """Everything any thread does with internet sockets until the end of the block."""
    seen = Seen()
    _LOOKING.append(seen)
    try:
        yield seen
    finally:
        _LOOKING.remove(seen)
