"""What is measured from outside: HTTP issuing, a batch, and the memory of a server; the real service on SQLite.

CPU time is that of the serving or working process and its children. The load comes from another
process, and so does what takes the batch in.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO

from sqlalchemy import func, select

from kpass_vc.actions.batch import look_through, read_items, take_in
from kpass_vc.actions.initialise import initialise
from kpass_vc.formats import ISSUED
from kpass_vc.records import batch as batches
from kpass_vc.records.award import Representation
from kpass_vc.records.batch import Batch
from kpass_vc.settings import Settings
from tests import npm
from tests.api.http import bearer, free_port, serving, variables
from tests.bench.family import cpu_seconds, resident_bytes
from tests.bench.lines import Question
from tests.bench.programs import MICRO, NODE, ROOT, ProgramFailed
from tests.bench.subject import ISSUER, Subject
from tests.conftest import settings_for
from tests.drill import Workers
from tests.world import Clock, World, actor_of, definition_document, open_test_environment

Measured = dict[str, list[float]]

CONNECTIONS: Final = 64
"""As many learners' systems that ask at once, of both sides: orders that come together share a commit."""
FORMS: Final = len(ISSUED)
"""Secured forms that an order in one language is issued in; the server in Node makes one."""
TURN: Final = 4.0
"""Seconds of load for one side in one round."""
MOST_TURNS: Final = 5
BATCHES: Final = 3
BATCH_PATIENCE: Final = 60.0
"""No further batch is begun once so many seconds are gone."""
SOME: Final = 10_000
MANY: Final = 100_000
"""Issues after which the memory of a server is looked at."""
MEGA: Final = 1_000_000


@dataclass(frozen=True)
class Installation:
    """A service set up and empty but for one definition, which `ISSUER` may issue."""

    world: World
    settings: Settings
    folder: Path
    definition: str

    def values(self) -> dict[str, str]:
        """The environment variables of a process of it."""
        return variables(self.settings)


@contextmanager
def installation(folder: Path, code: str) -> Iterator[Installation]:
    """A new one on SQLite in a folder."""
    folder.mkdir()
    settings = settings_for(f"sqlite:///{folder}/kpass.db", folder)
    initialise(settings)
    clock = Clock()
    world = World(open_test_environment(settings, clock), clock)
    # Counted entropy would give this process and the serving one the same ids.
    world.env = replace(world.env, entropy=os.urandom)
    world.published_definition(**definition_document(code))
    yield Installation(world, settings, folder, f"sobona/{code}")
    world.env.engine.dispose()


def http_by_turns(subject: Subject, rounds: int, folder: Path, say: TextIO) -> Measured:
    """The CPU microseconds of one request: ours, durable, and those of the server in Node, without a database."""
    found: Measured = {
        "http/ours": [],
        "http/ours, a form": [],
        "http/node": [],
        "http/ours, wall": [],
        "http/node, wall": [],
    }
    with (
        installation(folder / "http", subject.code) as place,
        node_server(subject.question, folder) as (node, node_port),
    ):
        headers, port = _token(place), free_port()
        with serving(place.values(), place.folder, port=port) as (server, _):
            sides: dict[str, tuple[int, Callable[..., dict[str, float]]]] = {
                "http/ours": (server.pid, _load_on(port, headers, place.definition)),
                "http/node": (node.pid, _load_on(node_port, {}, place.definition)),
            }
            for _, load in sides.values():
                load(requests=10 * CONNECTIONS)
            for number in range(min(rounds, MOST_TURNS)):
                say.write(f"HTTP round {number + 1} of {min(rounds, MOST_TURNS)}\n")
                say.flush()
                for key in sides if number % 2 == 0 else reversed(sides):
                    pid, load = sides[key]
                    before = cpu_seconds(pid)
                    answered = load(seconds=TURN)
                    used = cpu_seconds(pid) - before
                    found[key].append(used / answered["requests"] * MICRO)
                    wall = answered["seconds"] / answered["requests"] * MICRO
                    found[f"{key}, wall"].append(wall)
    found["http/ours, a form"] = [each / FORMS for each in found["http/ours"]]
    return found


def memory(code: str, folder: Path, say: TextIO) -> Measured:
    """The megabytes that a server holds after some issues and after many."""
    found: Measured = {}
    with installation(folder / "memory", code) as place:
        headers, port = _token(place), free_port()
        with serving(place.values(), place.folder, port=port) as (server, _):
            load, done = _load_on(port, headers, place.definition), 0
            for wanted, key in ((SOME, "memory/some"), (MANY, "memory/many")):
                say.write(f"{wanted:,} issues over HTTP, for the memory\n")
                say.flush()
                load(requests=wanted - done)
                done = wanted
                found[key] = [resident_bytes(server.pid) / MEGA]
    return found


def batch(code: str, rows: int, folder: Path, say: TextIO) -> Measured:
    """The CPU microseconds of the worker and its children for an award, and for a secured form, in each batch."""
    found: Measured = {"batch/award": [], "batch/form": [], "batch/award, wall": []}
    with installation(folder / "batch", code) as place:
        workers = Workers(place.settings, place.folder, 1, free_port())
        try:
            workers.wait_until_all_work()
            pid = workers.running[0].pid
            began = time.monotonic()
            for number in range(BATCHES):
                if time.monotonic() - began > BATCH_PATIENCE:
                    break
                say.write(f"batch {number + 1} of {BATCHES}, {rows:,} rows\n")
                say.flush()
                before, forms = cpu_seconds(pid), _forms(place.world)
                wall = _issue_batch(place, rows, number)
                used, forms = cpu_seconds(pid) - before, _forms(place.world) - forms
                found["batch/award"].append(used / rows * MICRO)
                found["batch/form"].append(used / forms * MICRO)
                found["batch/award, wall"].append(wall / rows * MICRO)
        finally:
            workers.stop()
    return found


@contextmanager
def node_server(question: Question, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The server around @digitalbazaar/vc, and its port."""
    npm.install(NODE)
    with (folder / "server.log").open("w+") as log:
        process = subprocess.Popen(
            [npm.node(), "server.mjs"],
            cwd=NODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            port = process.stdout.readline()
            if not port:
                log.seek(0)
                raise ProgramFailed(f"server.mjs: {log.read()[-2000:]}")
            yield process, int(port)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def _token(place: Installation) -> dict[str, str]:
    return bearer(place.world.token(ISSUER))


def _load_on(
    port: int, headers: Mapping[str, str], definition: str
) -> Callable[..., dict[str, float]]:
    """Puts load on a port for some `seconds`, or of so many `requests`."""
    order = {
        "port": port,
        "path": "/v1/credentials",
        "headers": headers,
        "bodies": [json.dumps({"definition": definition, **_item(number)}) for number in range(97)],
        "connections": CONNECTIONS,
    }

    def load(**until: float) -> dict[str, float]:
        finished = subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            cwd=ROOT,
            input=json.dumps(order | until),
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise ProgramFailed(f"the load: {finished.stderr[-3000:]}")
        answered: dict[str, float] = json.loads(finished.stdout)
        return answered

    return load


def _item(number: int) -> dict[str, Any]:
    day = (datetime.now(UTC) - timedelta(days=4)).date().isoformat()
    return {
        "holder": {"name": f"Elev Åäö {number}"},
        "assessedOn": day,
        "languages": ["sv"],
    }


def _issue_batch(place: Installation, rows: int, number: int) -> float:
    """Take a batch in and wait until it is issued: the seconds after it was taken in. ProgramFailed if a row fails."""
    items = [_item(row) | {"externalReference": f"batch-{number}-{row}"} for row in range(rows)]
    world, definition = place.world, place.definition
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        orders = read_items(definition, items)
        looked = look_through(world.env, session, actor, definition, orders)
        made = take_in(world.env, session, actor, definition, looked)
        organization_id, batch_id = made.organization_id, made.id
    started = time.monotonic()
    state = "running"
    while state == "running":
        time.sleep(0.1)
        with world.reading() as session:
            state = session.get_one(Batch, batch_id).state
    took = time.monotonic() - started
    with world.reading() as session:
        counts = batches.counts(session, organization_id=organization_id, batch_id=batch_id)
    if counts != {"issued": rows}:
        raise ProgramFailed(f"the batch: {counts}")
    return took


def _forms(world: World) -> int:
    with world.reading() as session:
        return session.scalar(select(func.count()).select_from(Representation)) or 0
