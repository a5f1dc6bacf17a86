"""Several server processes on one database: all of them answer, and one that is killed comes back."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from kpass_vc.actions.batch import look_through, read_items, take_in
from kpass_vc.errors import Unavailable
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.batch import Batch
from kpass_vc.settings import MOST_PROCESSES, Settings
from tests.api.http import free_port, serving, stop, variables
from tests.world import World, actor_of, issue_order

ISSUER, DEFINITION = "stadsnat-exempel", "sobona/SOB-OPTO-01"
PATIENCE = 120.0
GONE = 0
"""In place of the number of a process that was killed after it had answered."""


@dataclass
class Served:
    """A running `kpass serve --processes 2`."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def children(self) -> dict[int, int]:
        """The process ids that there are now, by number; the log says them."""
        said = re.findall(r"server process (\d+) is (\d+)", self.log.read_text())
        return {int(number): int(pid) for number, pid in said}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes, int]:
        """Over a connection of its own: the status, the body, and the number of the process that has answered."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            status, found = reply.status, reply.read()
            return status, found, self._holder(connection.sock.getsockname()[1])
        finally:
            connection.close()

    def _holder(self, port: int) -> int:
        """Which process holds the other end of a connection of ours: the kernel knows; 0 if it is gone by now."""
        ends = f"0100007F:{self.port:04X} 0100007F:{port:04X}"
        lines = Path("/proc/net/tcp").read_text().splitlines()
        inode = next((line.split()[9] for line in lines if ends in line), None)
        for number, pid in self.children.items():
            with suppress(OSError):
                for handle in Path(f"/proc/{pid}/fd").iterdir():
                    with suppress(OSError):
                        if str(handle.readlink()) == f"socket:[{inode}]":
                            return number
        return GONE

    def answering(self) -> set[int]:
        """The numbers of those that answer, of ten that were asked."""
        found = set()
        for _ in range(10):
            with suppress(OSError, HTTPException):
                found.add(self.ask("GET", "/healthz")[2])
        return found - {GONE}


@pytest.fixture
def served(world: World, settings: Settings, tmp_path: Path) -> Iterator[Served]:
    """Two processes that answer."""
    world.published_definition()
    values = variables(settings, KPASS_WORKER="here")
    with serving(values, tmp_path, "--processes", "2") as (process, base):
        found = Served(process, int(base.rpartition(":")[2]), tmp_path / "serve.log")
        until(lambda: found.answering() == {1, 2})
        yield found


def until(what: Callable[[], bool]) -> None:
    """Return once it is so; it is never timed, only bounded."""
    ends = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


@pytest.mark.postgresql
def test_two_processes_share_200_credentials_and_a_killed_one_comes_back_with_nothing_lost(
    world: World, served: Served
) -> None:
    headers = {"Authorization": f"Bearer {world.token(ISSUER)}"}
    body = json.dumps(issue_order() | {"languages": ["sv"]}).encode()
    first = served.children

    def order_it(number: int) -> tuple[int, dict[str, object], int] | None:
        if number == 100:
            os.kill(first[1], signal.SIGKILL)
        try:
            status, found, by = served.ask("POST", "/v1/credentials", body, headers)
        except (OSError, HTTPException):
            return None  # it was with the one that was killed: nobody was told of a credential
        return status, json.loads(found), by

    with ThreadPoolExecutor(16) as pool:
        answers = [each for each in pool.map(order_it, range(200)) if each is not None]
    until(lambda: served.answering() == {1, 2})

    assert len(answers) >= 200 - 16
    assert {status for status, _, _ in answers} == {201}
    assert {by for _, _, by in answers} - {GONE} == {1, 2}
    places = [json.dumps(found["statusEntry"], sort_keys=True) for _, found, _ in answers]
    assert len(set(places)) == len(answers)
    with world.reading() as session:
        stored = set(session.scalars(select(Award.id)))
        indexes = session.scalars(select(Award.status_index)).all()
        forms = session.scalar(select(func.count()).select_from(Representation))
    assert {str(found["id"]) for _, found, _ in answers} <= stored
    assert len(set(indexes)) == len(indexes) == len(stored)
    assert forms == 2 * len(stored)
    assert served.children[1] != first[1]
    assert served.children[2] == first[2]
    assert stop(served.process) == 0
    assert all(map(is_gone, served.children.values()))
    assert "leaked" not in served.log.read_text()


def taken_in(world: World, count: int) -> Batch:
    """A batch of so many learners, on record."""
    day = (datetime.now(UTC) - timedelta(days=4)).date().isoformat()
    items: list[dict[str, object]] = [
        {"holder": {"name": f"Elev {number}"}, "assessedOn": day, "languages": ["sv"]}
        for number in range(count)
    ]
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        looked = look_through(world.env, session, actor, DEFINITION, read_items(DEFINITION, items))
        return take_in(world.env, session, actor, DEFINITION, looked)


def under_way(world: World) -> list[str]:
    """By whom workflows are being worked on that are not finished."""
    query = "SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING'"
    with world.reading() as session:
        return list(session.scalars(text(query)))


def done_by(world: World) -> set[str]:
    """Who has finished workflows."""
    query = "SELECT executor_id FROM dbos.workflow_status WHERE status = 'SUCCESS'"
    with world.reading() as session:
        return set(session.scalars(text(query)))


def is_finished(world: World, batch: Batch) -> bool:
    with world.reading() as session:
        return session.get_one(Batch, batch.id).state == "finished"


@pytest.mark.postgresql
def test_what_a_killed_process_had_begun_is_finished_by_those_that_there_are(
    world: World, served: Served
) -> None:
    batch = taken_in(world, 2_500)
    until(lambda: bool(under_way(world)))
    name = under_way(world)[0]

    os.kill(served.children[int(name.rpartition(":")[2])], signal.SIGKILL)
    until(lambda: is_finished(world, batch))

    assert name in {"here:1", "here:2"}
    until(lambda: under_way(world) == [])
    assert done_by(world) <= {"here:1", "here:2"}
    with world.reading() as session:
        assert session.scalar(select(func.count()).select_from(Award)) == 2_500


@pytest.mark.postgresql
def test_what_a_process_had_begun_that_there_is_no_more_is_finished_by_those_that_there_are(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    command = [sys.executable, "-m", "kpass_vc", "work", "--name", "here:2"]
    with (tmp_path / "work.log").open("w") as log:
        one_of_two = subprocess.Popen(command, env=variables(settings), stdout=log, stderr=log)
    batch = taken_in(world, 2_500)
    until(lambda: bool(under_way(world)))

    one_of_two.kill()
    one_of_two.wait()
    assert under_way(world) == ["here:2"]
    with serving(variables(settings, KPASS_WORKER="here"), tmp_path):
        until(lambda: is_finished(world, batch))
        until(lambda: under_way(world) == [])

    assert "here" in done_by(world)


@pytest.mark.postgresql
def test_processes_end_with_their_parent_and_an_address_that_they_hold_is_refused_with_a_sentence(
    served: Served, settings: Settings, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "kpass_vc", "serve", "--processes", "2"]
    values = variables(settings, KPASS_PORT=str(served.port), COLUMNS="200")
    done = subprocess.run(
        command, env=values, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    children = served.children

    served.process.kill()
    served.process.wait()

    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1:{served.port}" in done.stderr
    until(lambda: all(map(is_gone, children.values())))
    with pytest.raises(ConnectionRefusedError):
        served.ask("GET", "/healthz")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "SQLite is for one server process"),
        ("sv", "SQLite är till för en enda serverprocess"),
    ],
)
@pytest.mark.sqlite
def test_several_processes_on_sqlite_are_refused_with_a_sentence(
    settings: Settings, tmp_path: Path, language: str, sentence: str
) -> None:
    command = [sys.executable, "-m", "kpass_vc", "--language", language, "serve"]
    values = variables(settings, KPASS_PORT=str(free_port()), KPASS_PROCESSES="2", COLUMNS="200")

    done = subprocess.run(
        command, env=values, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("given", ["0", "-1", "two", str(MOST_PROCESSES + 1)])
def test_a_number_of_processes_that_makes_no_sense_is_named(given: str) -> None:
    with pytest.raises(Unavailable, match="KPASS_PROCESSES"):
        Settings.read({"KPASS_PROCESSES": given})
