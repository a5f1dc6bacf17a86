"""`kpass work` and `kpass batch`: the durable workflows, and issuing to many."""

import signal
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.batch import (
    BatchStatusOrder,
    Looked,
    Row,
    about,
    each_error,
    look_through,
    own_batch,
    read_file,
    read_items,
    take_in,
    undo,
)
from kpass_vc.actions.letter import batch_letters
from kpass_vc.authz import Permission
from kpass_vc.cli.console import (
    CHOICE,
    acting_for,
    answer,
    opened,
    operator,
    progress,
    say_line,
    settle,
    table,
    wrote,
)
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.language import say
from kpass_vc.learner_table import template
from kpass_vc.model.document import read_json
from kpass_vc.model.field_errors import validated
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.settings import Settings
from kpass_vc.workflows import adopt, start_work, stop_work

app = typer.Typer(help="Issue to many: send, show, undo.", no_args_is_help=True)
_MOST_BYTES: Final = 20 * 1024 * 1024
_LOOK_EVERY: Final = 0.5
_SHOWN: Final = 40


def work(
    name: Annotated[
        str | None,
        typer.Option(help="What this worker is called, the same at each start; KPASS_WORKER."),
    ] = None,
    take_over: Annotated[
        list[str] | None,
        typer.Option("--adopt", help="A worker that will not come back: its work is taken up."),
    ] = None,
) -> None:
    """Work on what is queued: batches, and notices to learners. Several may, on PostgreSQL.

    `kpass serve` works as well, so that one process is enough.
    """
    operator()
    env = opened()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    start_work(env, name or f"{Settings.read().worker}-work")
    settle()
    if take_over:
        say_line(say(CHOICE.language, "work.adopted", count=adopt(take_over)))
    say_line(say(CHOICE.language, "work.started"))
    stopped.wait()
    stop_work()
    env.engine.dispose()


@app.command("send")
def send(
    organization: Annotated[str, typer.Argument(help="The issuing organisation's slug.")],
    definition: Annotated[str, typer.Argument(help="owner/CODE")],
    file: Annotated[
        Path,
        typer.Argument(help="The learners: .xlsx or .csv by the template, or JSON with `items`."),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would come of it.")
    ] = False,
    here: Annotated[
        bool, typer.Option("--work", help="Work on it here, and wait until it is done.")
    ] = False,
) -> None:
    """Issue a definition to many learners. Exit status 1 if a row has something wrong."""
    env = opened()
    actor = acting_for(env, organization)
    rows = read_rows(definition, file)
    ask_owner(env, actor, definition)
    with env.writing() as session, session.begin():
        looked = look_through(env, session, actor, definition, rows)
        batch = None if dry_run else take_in(env, session, actor, definition, looked)
    if not CHOICE.as_json:
        _show_looked(looked)
    if batch is None:
        if CHOICE.as_json:
            answer(_as_json(looked))
        raise typer.Exit(1 if looked.bad else 0)
    if here:
        start_work(env, f"{Settings.read().worker}-batch")
        _wait(env.reading, batch.organization_id, batch.id)
        stop_work()
    _show(organization, batch.id)
    raise typer.Exit(1 if looked.bad else 0)


@app.command("template")
def template_file(
    definition: Annotated[str, typer.Argument(help="owner/CODE")],
    out: Annotated[Path, typer.Argument(help="The .xlsx to write.")],
) -> None:
    """Write the table to fill in for a definition."""
    env = opened()
    slug, _, code = definition.partition("/")
    with env.reading() as session:
        found = definitions.published_of_line(session, slug=slug, code=code)
    if found is None:
        raise NotFound("definition", definition=definition)
    out.write_bytes(template(CHOICE.language, about=about(found, CHOICE.language)))
    wrote(out)


@app.command("show")
def show(
    organization: Annotated[str, typer.Argument(help="The issuing organisation's slug.")],
    batch_id: Annotated[str, typer.Argument(help="The id that sending gave.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is done.")] = False,
) -> None:
    """How far a batch is."""
    env = opened()
    if wait:
        actor = acting_for(env, organization)
        actor.require(Permission.CREDENTIALS_READ)
        _wait(env.reading, actor.own_organization(), batch_id)
    _show(organization, batch_id)


@app.command("letters")
def letters_of(
    organization: Annotated[str, typer.Argument(help="The issuing organisation's slug.")],
    batch_id: Annotated[str, typer.Argument(help="The id that sending gave.")],
    out: Annotated[Path, typer.Argument(help="The .pdf to write.")],
) -> None:
    """Write letters to the learners of a batch who left no e-mail address, a thousand in each PDF."""
    env = opened()
    actor = acting_for(env, organization)
    files: list[Path] = []
    for part in count(1):
        try:
            with env.writing() as session, session.begin():
                body = batch_letters(env, session, actor, batch_id, CHOICE.language, part)
        except Conflict:
            if part == 1:
                raise
            wrote(*files)
            return
        file = out if part == 1 else out.with_stem(f"{out.stem}-{part}")
        file.write_bytes(body)
        files.append(file)


@app.command("undo")
def undo_batch(
    organization: Annotated[str, typer.Argument(help="The issuing organisation's slug.")],
    batch_id: Annotated[str, typer.Argument(help="The id that sending gave.")],
    reason: Annotated[str, typer.Option(help="A reason code.")] = "issued_in_error",
    *,
    here: Annotated[
        bool, typer.Option("--work", help="Work on it here, and wait until it is done.")
    ] = False,
) -> None:
    """Revoke every credential of a batch, and issue nothing more of it."""
    env = opened()
    actor = acting_for(env, organization)
    order = validated(BatchStatusOrder, {"status": "undone", "reason": reason})
    with env.writing() as session, session.begin():
        batch = undo(env, session, actor, batch_id, order)
    if here:
        start_work(env, f"{Settings.read().worker}-batch")
        _wait(env.reading, batch.organization_id, batch.id)
        stop_work()
    _show(organization, batch_id)


def read_rows(definition: str, file: Path) -> list[Row]:
    """The rows of a file."""
    try:
        given = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    if file.suffix.lower() in {".xlsx", ".csv"}:
        return read_file(definition, given)
    document = read_json(given, max_bytes=_MOST_BYTES, max_values=500_000, max_items=10_000)
    items = document.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise typer.BadParameter("`items` is a list of orders", param_hint="FILE")
    return read_items(definition, items)


def _wait(reading: Callable[[], Session], organization_id: str, batch_id: str) -> None:
    """Show progress until no row waits."""
    with reading() as session:
        found = batches.by_id(session, organization_id=organization_id, batch_id=batch_id)
    if found is None:
        raise NotFound("batch", batch=batch_id)
    with progress(say(CHOICE.language, "work.issuing"), found.total) as shown:
        while found is not None and found.state in {"running", "undoing"}:
            time.sleep(_LOOK_EVERY)
            with reading() as session:
                found = batches.by_id(session, organization_id=organization_id, batch_id=batch_id)
                left = batches.counts(session, organization_id=organization_id, batch_id=batch_id)
            done = sum(left.values()) - left.get("waiting", 0)
            shown.update(shown.task_ids[0], completed=done)


def _show(organization: str, batch_id: str) -> None:
    env = opened()
    actor = acting_for(env, organization)
    with env.reading() as session:
        batch = own_batch(session, actor, batch_id)
        left = batches.counts(session, organization_id=batch.organization_id, batch_id=batch.id)
        failed = batches.rows(
            session,
            organization_id=batch.organization_id,
            batch_id=batch.id,
            states=("failed",),
            limit=_SHOWN,
        )
    if CHOICE.as_json:
        errors = [
            {"row": row.number, "field": error["field"], "detail": error[CHOICE.language]}
            for row in failed
            for error in row.errors or []
        ]
        told = {"id": batch.id, "status": batch.state, "total": batch.total, "rows": left}
        answer(told | {"errors": errors})
        return
    say_line(f"id  {batch.id}", "bold")
    found = {"status": batch.state, "total": str(batch.total)}
    found |= {state: str(count) for state, count in sorted(left.items())}
    for name, value in found.items():
        say_line(f"{name:<16}{value}")
    for row in failed:
        for error in row.errors or []:
            say_line(f"  {row.number}: {error[CHOICE.language]}", "yellow")


def _show_looked(looked: Looked) -> None:
    counted = {
        "good": len(looked.good),
        "already": len(looked.issued_before),
        "bad": len(looked.bad),
    }
    say_line(say(CHOICE.language, "work.looked", **counted))
    rows = [[str(number), error.sentence(CHOICE.language)] for number, error in each_error(looked)]
    if rows:
        table("", ["", ""], rows[:_SHOWN])


def _as_json(looked: Looked) -> dict[str, object]:
    return {
        "total": len(looked.rows),
        "waiting": len(looked.good),
        "alreadyIssued": len(looked.issued_before),
        "failed": len(looked.bad),
        "errors": [
            {"row": number, "field": error.field, "detail": error.sentence(CHOICE.language)}
            for number, error in each_error(looked)
        ],
    }
