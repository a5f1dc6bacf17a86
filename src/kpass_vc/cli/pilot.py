"""`kpass demo --organisations`: the pilot's story, in a place of its own."""

import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import IssueOrder, issue
from kpass_vc.actions.offline import bundled, verify_offline
from kpass_vc.actions.pilot import (
    CODE,
    OWNER,
    Prepared,
    acting_for,
    class_list,
    prepare,
    send_class,
    withdraw,
)
from kpass_vc.actions.verify import verify
from kpass_vc.cli.console import CHOICE, answer, operator, progress, report_table, say_line, step
from kpass_vc.cli.leave import write_public
from kpass_vc.delivery.channel import Notice
from kpass_vc.environment import Environment, open_environment
from kpass_vc.errors import Forbidden, Unavailable
from kpass_vc.language import say
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records.batch import Batch
from kpass_vc.records.delivery import Delivery
from kpass_vc.settings import Settings
from kpass_vc.verification import VerificationReport
from kpass_vc.workflows import start_work, stop_work

_LOOK_EVERY = 0.2
_STALLED = 120.0


@dataclass
class Kept:
    """A channel that keeps what it is given: a demo sends nothing to anybody."""

    notices: list[Notice] = field(default_factory=list)

    def deliver(self, notice: Notice) -> None:
        """Keep it."""
        self.notices.append(notice)


@dataclass(frozen=True)
class Told:
    """What came of the story."""

    issued: dict[str, int]
    mails: int
    online: VerificationReport
    offline: VerificationReport
    after: VerificationReport
    other: VerificationReport
    refused: str


def play(learners: int) -> None:
    """Play it, and leave nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(
            {
                "KPASS_DATABASE_URL": f"sqlite:///{folder}/kpass.db",
                "KPASS_KEYS_DIR": f"{folder}/keys",
                "KPASS_KEK_FILE": f"{folder}/kek",
                "KPASS_PUBLIC_URL": "https://mikromerit.example",
            }
        )
        initialise(settings)
        opened = open_environment(settings)
        kept = Kept()
        env = replace(opened, channels={"email": kept})
        try:
            told = tell(env, learners)
        finally:
            env.engine.dispose()
        _show(told, kept)


def tell(env: Environment, learners: int) -> Told:
    """The story over an empty installation; its mails go through the environment's channel."""
    actor = operator()
    with (
        progress(say(CHOICE.language, "pilot.preparing"), 4) as shown,
        env.writing() as session,
        session.begin(),
    ):
        made = prepare(env, session, actor, lambda text: step(shown, text))
    start_work(env, "demo")
    try:
        running = []
        for network in made.networks:
            content = class_list(env, network, learners)
            with env.writing() as session, session.begin():
                running.append(send_class(env, session, actor, network, content)[1])
        _wait(env, running, learners)
    finally:
        stop_work()
    return _employer(env, made, running)


def _wait(env: Environment, running: list[Batch], learners: int) -> None:
    """Return when all is issued and sent; Unavailable when nothing has moved for two minutes."""
    with progress(say(CHOICE.language, "pilot.issuing"), learners * len(running)) as shown:
        moved, before = time.monotonic(), (-1, -1)
        while True:
            with env.reading() as session:
                left = [
                    batches.counts(
                        session, organization_id=batch.organization_id, batch_id=batch.id
                    )
                    for batch in running
                ]
                unsent = session.scalar(
                    select(func.count()).select_from(Delivery).where(Delivery.state == "waiting")
                )
            waiting = sum(each.get("waiting", 0) for each in left)
            shown.update(shown.task_ids[0], completed=learners * len(running) - waiting)
            if not waiting and not unsent:
                return
            if (waiting, unsent or 0) != before:
                moved, before = time.monotonic(), (waiting, unsent or 0)
            elif time.monotonic() - moved > _STALLED:
                raise Unavailable("work_stalled", waiting=waiting, unsent=unsent)
            time.sleep(_LOOK_EVERY)


def _employer(env: Environment, made: Prepared, running: list[Batch]) -> Told:
    """Somebody who verifies: one with the service, one from a folder of what is public, and both after a withdrawal."""
    bodies = []
    issued = {}
    mails = 0
    with env.reading() as session:
        for network, batch in zip(made.networks, running, strict=True):
            rows = batches.rows(session, organization_id=network.id, batch_id=batch.id)
            issued[network.slug] = sum(row.state == "issued" for row in rows)
            first = next(row.award_id for row in rows if row.award_id)
            bodies.append(awards.representations(session, award_id=first)[0].body)
        mails = (
            session.scalar(
                select(func.count()).select_from(Delivery).where(Delivery.state == "sent")
            )
            or 0
        )
    online = verify(env, bodies[0])
    with tempfile.TemporaryDirectory() as folder:
        write_public(env, Path(folder))
        offline = verify_offline(bodies[1], bundled(Path(folder)), env.contexts, env.now())
    time.sleep(1.1)  # dates are whole seconds
    with env.writing() as session, session.begin():
        withdraw(env, session, operator(), made.delegations[0])
    refused = _refused(env, made)
    return Told(
        issued,
        mails,
        online,
        offline,
        verify(env, bodies[0]),
        verify(env, bodies[1]),
        refused,
    )


def _refused(env: Environment, made: Prepared) -> str:
    """What an issuer is told whose authorisation has ended."""
    network = made.networks[0]
    day = (env.now() - timedelta(days=4)).date().isoformat()
    order = {"definition": f"{OWNER}/{CODE}", "holder": {"name": "Ny Elev"}, "assessedOn": day}
    try:
        with env.writing() as session, session.begin():
            acting = acting_for(network, operator())
            issue(env, session, acting, IssueOrder.model_validate(order))
    except Forbidden as error:
        return error.sentence(CHOICE.language)
    return ""


def _show(told: Told, kept: Kept) -> None:
    language = CHOICE.language
    if CHOICE.as_json:
        answer(
            {
                "definition": f"{OWNER}/{CODE}",
                "issued": told.issued,
                "mails": told.mails,
                "online": told.online.verdict,
                "offline": told.offline.verdict,
                "afterWithdrawal": [
                    next(f.code for f in told.after.findings if f.check == "authorization"),
                    next(f.code for f in told.other.findings if f.check == "authorization"),
                ],
                "refused": told.refused,
            }
        )
        return
    for slug, count in told.issued.items():
        say_line(say(language, "pilot.issued", slug=slug, count=count))
    say_line(say(language, "pilot.mails", count=told.mails))
    if kept.notices:
        say_line(kept.notices[0].text)
    report_table(told.online, say(language, f"verdict.{told.online.verdict}"))
    say_line(
        say(language, "pilot.offline", verdict=say(language, f"verdict.{told.offline.verdict}"))
    )
    say_line(say(language, "pilot.withdrawn"), "bold")
    for report in (told.after, told.other):
        found = next(f for f in report.findings if f.check == "authorization")
        say_line(f"  {found.sentence(language)}")
    say_line(say(language, "pilot.refused", reason=told.refused), "bold")
