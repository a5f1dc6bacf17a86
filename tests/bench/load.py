"""A load generator: `python -m tests.bench.load` with an order on standard input.

In:  {port, path, headers: {…}, bodies: […], connections, seconds?, requests?}
Out: {requests, seconds, middle, slow}: what was answered, and the latency of the middle and the slowest 1 %
     in milliseconds. Connections are kept alive, and each sends its next request once the last is answered.
     It ends with a failure if an answer is not 201.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from tests.bench.lines import Question


class Refused(Exception):
    """The server answered with something else than a credential."""


async def load(order: dict[str, Any]) -> dict[str, float]:
    """What was answered until the time is over, or as many as were asked for."""
    requests = cycle([_request(order, body) for body in order["bodies"]])
    most = order.get("requests", sys.maxsize)
    started = time.monotonic()
    until = started + order.get("seconds", float("inf"))
    took: list[float] = []
    left = iter(range(most))

    async def one_after_another() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", order["port"])
        try:
            while time.monotonic() < until and next(left, None) is not None:
                sent = time.monotonic()
                writer.write(next(requests))
                await _answer(reader)
                took.append(time.monotonic() - sent)
        finally:
            writer.close()
            await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(order["connections"]):
            group.create_task(one_after_another())
    seconds = time.monotonic() - started
    took.sort()
    return {
        "requests": len(took),
        "seconds": seconds,
        "middle": took[len(took) // 2] * 1000,
        "slow": took[len(took) * 99 // 100] * 1000,
    }


def _request(order: Question, body: str) -> bytes:
    encoded = body.encode()
    lines = [
        f"POST {order['path']} HTTP/1.1",
        f"Host: 127.0.0.1:{order['port']}",
        "Content-Type: application/json",
        f"Content-Length: {len(encoded)}",
        *(f"{name}: {value}" for name, value in order["headers"].items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + encoded


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(_length(head))
    if not head.startswith(b"HTTP/1.1 201 "):
        raise Refused((head + body)[:1000])


def _length(head: bytes) -> int:
    lengths: Iterator[bytes] = (
        value
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))
        if name.lower() == b"content-length"
    )
    return int(next(lengths))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(load(json.load(sys.stdin)))))
