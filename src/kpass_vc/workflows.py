"""Durable workflows: batches, and notices to learners. Each step calls one action.

A workflow's arguments are ids. What it does is noted in our own tables, in the
transaction that does it, so that a step that is done twice does nothing the second time.
"""

import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any, Final

from kpass_vc.actions.batch import ISSUE_SLICE, UNDO_SLICE, issue_slice, reserve, undo_slice
from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.deliver import deliver
from kpass_vc.actions.invite import INVITE, deliver_invitation
from kpass_vc.actions.notify import DELIVER
from kpass_vc.actions.webhooks import tell
from kpass_vc.durable import Workflow, adopt, start, step, stop
from kpass_vc.environment import Environment

LOOK_EVERY: Final = 5.0
"""Seconds between one look at what waits to be chained or told, and the next."""
PATIENCE: Final = 10.0
"""Seconds that a stop waits for what is under way."""
QUEUE_OF: Final = {
    ISSUE_SLICE: "batches",
    UNDO_SLICE: "batches",
    DELIVER: "deliveries",
    INVITE: "deliveries",
}
_log: Final = logging.getLogger("kpass")

__all__ = ["adopt", "start_work", "stop_work"]


def start_work(env: Environment, worker: str) -> None:
    """Work on what is queued in threads of this process; `worker` is its name, the same at each start."""

    def put_off(name: str, arguments: tuple[Any, ...], key: str, delay: int) -> None:
        with env.writing() as session, session.begin():
            env.enqueue(session, QUEUE_OF[name], name, *arguments, key=key, delay=delay)

    start(env.engine, workflows(env), worker=worker, put_off=put_off)
    for each in _LOOKS:
        each.start(env)


def stop_work() -> None:
    """Stop; what is under way goes on at the next start."""
    for each in _LOOKS:
        each.end()
    for each in _LOOKS:
        each.wait()
    stop()


class _Look:
    """Does what has come to wait, now and then, in a thread of its own: a slow receiver holds up no chain."""

    def __init__(self, name: str, work: Callable[[Environment], int]) -> None:
        self._name, self._work = name, work
        self._stopped = Event()
        self._thread: Thread | None = None

    def start(self, env: Environment) -> None:
        """Begin, unless it has begun."""
        if self._thread is None:
            self._stopped.clear()
            self._thread = Thread(target=self._run, args=(env,), name=self._name, daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    def wait(self) -> None:
        """Until what is being done is done, or so long: whatever is broken off is done again."""
        if self._thread is not None:
            self._thread.join(timeout=PATIENCE)
            self._thread = None

    def _run(self, env: Environment) -> None:
        while not self._stopped.wait(LOOK_EVERY):
            try:
                self._work(env)
            except Exception as error:  # noqa: BLE001 - the next round tries again; who else would?
                _log.exception("%s waits: %s", self._name, type(error).__name__)


_LOOKS: Final = (_Look("the audit chain", chain_all), _Look("webhooks", tell))


def workflows(env: Environment) -> Mapping[str, Workflow]:
    """The workflows by name."""

    def issue_rows(organization_id: str, batch_id: str, first: int, last: int) -> None:
        step("reserve", reserve, env, organization_id, batch_id, first, last)
        step("issue", issue_slice, env, organization_id, batch_id, first, last)

    def undo_rows(organization_id: str, batch_id: str, first: int, last: int, actor: str) -> None:
        step("undo", undo_slice, env, organization_id, batch_id, first, last, actor)

    def send(organization_id: str, delivery_id: str) -> None:
        step("attempt", deliver, env, organization_id, delivery_id)

    def send_invitation(invitation_id: str) -> None:
        step("attempt", deliver_invitation, env, invitation_id)

    return {
        ISSUE_SLICE: issue_rows,
        UNDO_SLICE: undo_rows,
        DELIVER: send,
        INVITE: send_invitation,
    }
