"""What outlives a request: durable workflows on DBOS, whose tables lie in our database.

A workflow is put into the transaction that it belongs to: it runs if that one is
committed, and never otherwise. A workflow that is broken off goes on where it was;
a step may run twice, so each is made to bear it. The arguments are ids, kept as JSON.
"""

import logging
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from threading import Event
from typing import Any, Final

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from dbos._sys_db import SystemDatabase
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kpass_vc.records.base import durable_engine

NAME: Final = "kpass"
VERSION: Final = "1"
"""Of the workflows' steps: raised only when what is under way could not go on by the new code."""
QUEUES: Final[Mapping[str, int]] = {"batches": 1, "deliveries": 16}
"""The queues, and how many of each one process works at a time."""

Workflow = Callable[..., None]
PutOff = Callable[[str, tuple[Any, ...], str, int], None]
"""Has a workflow run again: its name, its arguments, a key of that run's own, and the delay in seconds."""
PUT_OFF: Final = (1, 10, 60, 300, 1800)
"""Seconds until what went wrong is tried again; the last one from then on."""
_PATIENCE: Final = (1, 10, 60)
"""Seconds until putting off is tried again, where that went wrong too."""
_stopping: Final = Event()
_log: Final = logging.getLogger("kpass")
logging.getLogger("dbos").setLevel(logging.WARNING)


class Enqueuer:
    """Puts workflows into transactions."""

    def __init__(self, engine: Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=durable_engine(engine),  # it is never connected to: a session is
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            lazy=True,
        )

    def __call__(
        self,
        session: Session,
        queue: str,
        workflow: str,
        *arguments: str | int,
        key: str = "",
        delay: int = 0,
    ) -> None:
        """Have a workflow run once the session's transaction is committed; once only for each `key`.

        With a `delay` of so many seconds it holds up nobody meanwhile.
        """
        options: dict[str, Any] = {
            "queue_name": queue,
            "workflow_name": workflow,
            "app_version": VERSION,
        }
        if key:
            options["workflow_id"] = key
        if delay:
            options["delay_seconds"] = float(delay)
        self._client.enqueue_in_transaction(session, options, *arguments)  # type: ignore[arg-type]


def make_tables(engine: Engine) -> None:
    """Bring the tables of the workflows to what the library wants."""
    own = durable_engine(engine)
    database = SystemDatabase.create(
        system_database_url="sqlite://" if engine.dialect.name == "sqlite" else "postgresql://",
        engine_kwargs={},
        engine=own,
        schema="dbos",
        serializer=DBOSPortableJSONSerializer(),
        executor_id=None,
        use_listen_notify=False,
    )
    try:
        database.run_migrations()
    finally:
        if own is not engine:
            own.dispose()


def start(
    engine: Engine, workflows: Mapping[str, Workflow], *, worker: str, put_off: PutOff
) -> None:
    """Work on what is queued, in threads of this process, until `stop`.

    `worker` is the name of this process, the same at each start: what it left unfinished it takes up.
    A workflow that raises is put off, never given up: a database that was full or a defect that has
    been mended since loses nobody's credential.
    """
    config: DBOSConfig = {
        "name": NAME,
        "system_database_engine": durable_engine(engine),
        "executor_id": worker,
        "application_version": VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "use_listen_notify": False,
        "log_level": "WARNING",
        "enable_otlp": False,
        "run_migrations": False,
    }
    _stopping.clear()
    DBOS(config=config)
    for name, workflow in workflows.items():
        DBOS.workflow(name=name)(_lasting(name, workflow, put_off))
    DBOS.launch()
    for queue, most in QUEUES.items():
        DBOS.register_queue(queue, worker_concurrency=most, polling_interval_sec=0.2)


def adopt(workers: list[str]) -> int:
    """Take up what workers have left that will not come back; says how many workflows that are."""
    return len(DBOS._recover_pending_workflows(workers))  # noqa: SLF001 - the library has no other way


def _lasting(name: str, workflow: Workflow, put_off: PutOff) -> Workflow:
    def run(*arguments: Any) -> None:  # noqa: ANN401 - ids
        try:
            workflow(*arguments)
        except Exception as error:  # whatever it is, the work is still to be done
            if _stopping.is_set():
                raise _Stopped from error
            key, _, run_before = str(DBOS.workflow_id).partition("~")
            number = int(run_before or 0)
            delay = PUT_OFF[min(number, len(PUT_OFF) - 1)]
            _log.exception("%s is tried again in %d seconds: %s", name, delay, type(error).__name__)
            _at_last(lambda: put_off(name, arguments, f"{key}~{number + 1}", delay), name)

    return run


def _at_last(work: Callable[[], None], name: str) -> None:
    """Do it however often it goes wrong: the database that a workflow failed for may take nothing for a while.

    What is stopped meanwhile is left as it was begun, and goes on at the next start.
    """
    for delay in chain(_PATIENCE, repeat(_PATIENCE[-1])):
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the work is still to be done
            _log.exception("%s cannot be put off yet: %s", name, type(error).__name__)
        else:
            return
        if _stopping.wait(delay):
            raise _Stopped


class _Stopped(BaseException):
    """What was under way at a stop goes on at the next start.

    The library takes an Exception for a workflow's outcome, and never does it again; it takes this for none.
    """


def step(name: str, work: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - whatever the step gives
    """Within a workflow: do a part of it, whose outcome is kept and which is not done again once it is done."""
    return DBOS.run_step({"name": name}, work, *arguments)


def stop() -> None:
    """Stop working; what is not finished waits for the next start."""
    _stopping.set()
    DBOS.destroy(destroy_registry=True)
