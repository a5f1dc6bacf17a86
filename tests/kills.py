"""Single credentials over HTTP, from a server that is killed meanwhile: what was acknowledged is there.

`python -m tests.drill --http 5` runs it at length, `tests/test_kill.py` briefly. It asks the service from outside
and reads the database afterwards, and nothing of how a credential is issued: one at a time, or in groups.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from kpass_vc.healthy import is_healthy
from kpass_vc.model.document import compact
from kpass_vc.records.award import Award, IdempotencyKey, Representation
from kpass_vc.settings import Settings
from tests.api.http import free_port, variables
from tests.world import World, issue_order

ISSUER = "stadsnat-exempel"
CLIENTS = 16
PATIENCE = 60.0


@dataclass
class Told:
    """What the clients were told, by Idempotency-Key, and what they had asked for."""

    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken_off: int = 0
    """How many requests got no answer: the server was killed meanwhile."""


@dataclass
class _Client:
    """Orders one credential after another until told to stop; each under a key of its own."""

    number: int
    port: int
    token: str
    told: Told
    stopped: threading.Event

    def run(self) -> None:
        count = 0
        while not self.stopped.is_set():
            count += 1
            key = f"{self.number}-{count}-{time.monotonic_ns()}"
            self.told.asked.append(key)
            try:
                status, found = order(self.port, self.token, key)
            except (OSError, HTTPException):
                self.told.broken_off += 1
                time.sleep(0.05)  # until it listens again
                continue
            assert status == 201, found
            self.told.acknowledged[key] = found


def order(port: int, token: str, key: str) -> tuple[int, dict[str, Any]]:
    """The status and the answer to one order."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    body = issue_order() | {"languages": ["sv"], "externalReference": f"ref-{key}"}
    try:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        connection.request("POST", "/v1/credentials", json.dumps(body).encode(), headers)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


class Server:
    """`kpass serve`, killed and started again at one address."""

    def __init__(self, settings: Settings, folder: Path, processes: int) -> None:
        self.port = free_port()
        self._values = variables(settings, KPASS_PORT=str(self.port), KPASS_WORKER="drill")
        self._command = [sys.executable, "-m", "kpass_vc", "serve", "--processes", str(processes)]
        self._log = folder / "serve.log"
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            found = subprocess.Popen(
                self._command, env=self._values, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < until, self._log.read_text()
            assert found.poll() is None, self._log.read_text()
            if is_healthy(self.port, tls=False):
                return found
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to all of its processes: as if the plug were pulled, but for what the system has not yet written."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def start_again(self) -> None:
        self._process = self._started()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def _ordering(server: Server, token: str, told: Told) -> Iterator[None]:
    """All clients order at once; within it their answers come in."""
    stopped = threading.Event()
    clients = [_Client(number, server.port, token, told, stopped) for number in range(CLIENTS)]
    failed: list[BaseException] = []

    def run(client: _Client) -> None:
        try:
            client.run()
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that looks
            failed.append(error)

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert not failed, failed[0]


def kill_while_issuing(
    world: World, settings: Settings, folder: Path, *, kills: int, seed: int, processes: int = 1
) -> dict[str, object]:
    """Kill the server so many times; what was counted. AssertionError for anything lost, changed or given out twice."""
    chance = random.Random(seed)
    world.published_definition()
    token = world.token(ISSUER)
    told = Told()
    server = Server(settings, folder, processes)
    by_round = []
    try:
        for _ in range(kills):
            before = len(told.acknowledged)
            with _ordering(server, token, told):
                _wait_for_more(told, before + chance.randrange(5, 40))
                time.sleep(chance.uniform(0.0, 0.1))
                server.kill()
            by_round.append(len(told.acknowledged) - before)
            server.start_again()
        again = _asked_again(server.port, token, told)
    finally:
        server.stop()
    lost, changed = _compared(world, told)
    counted = _counted(world)
    assert not lost, lost
    assert not changed, changed
    assert counted["places"] == counted["awards"] == counted["keys"] == len(told.asked), counted
    assert counted["forms"] == 2 * counted["awards"], counted
    assert again == {"same": len(told.acknowledged), "different": 0}, again
    return counted | {
        "acknowledged": len(told.acknowledged),
        "in each round": by_round,
        "broken off": told.broken_off,
        "kills": kills,
    }


def _wait_for_more(told: Told, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(told.acknowledged) < count:
        assert time.monotonic() < until, len(told.acknowledged)
        time.sleep(0.002)


def _asked_again(port: int, token: str, told: Told) -> dict[str, int]:
    """Send every order again under its key: the acknowledged ones must be answered as they were before.

    Those that were broken off make their credential now, or are told of the one that they made.
    """
    found = {"same": 0, "different": 0}
    for key in told.asked:
        status, answer = order(port, token, key)
        assert status == 201, answer
        before = told.acknowledged.get(key)
        if before is not None:
            found["same" if answer == before else "different"] += 1
    return found


def _compared(world: World, told: Told) -> tuple[list[str], list[str]]:
    """Of what was acknowledged: what is not in the database, and what is there in other bytes than were answered."""
    with world.reading() as session:
        stored = {
            (row.award_id, row.format): row for row in session.scalars(select(Representation))
        }
    lost, changed = [], []
    for key, answer in told.acknowledged.items():
        edition = answer["editions"][0]
        answered = {
            "ldp_vc": compact(edition["credential"]),
            "vc-jwt": edition["jwt"].encode("ascii"),
        }
        for form, body in answered.items():
            row = stored.get((answer["id"], form))
            if row is None:
                lost.append(f"{key} {form}")
            elif row.body != body or row.sha256 != hashlib.sha256(body).hexdigest():
                changed.append(f"{key} {form}")
    return lost, changed


def _counted(world: World) -> dict[str, int]:
    places = select(Award.status_list_id, Award.status_index).distinct().subquery()
    with world.reading() as session:
        return {
            "awards": session.scalar(select(func.count()).select_from(Award)) or 0,
            "places": session.scalar(select(func.count()).select_from(places)) or 0,
            "keys": session.scalar(select(func.count()).select_from(IdempotencyKey)) or 0,
            "forms": session.scalar(select(func.count()).select_from(Representation)) or 0,
        }
