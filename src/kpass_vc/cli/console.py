"""How the command line speaks: tables for people, JSON for programs, errors as sentences."""

import gc
import json
import locale
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from kpass_vc.actions.tokens import authenticate
from kpass_vc.authz import OPERATOR, ORGANIZATION, Actor
from kpass_vc.environment import Environment, open_environment
from kpass_vc.errors import (
    DefinitionIncomplete,
    FieldError,
    Forbidden,
    InvalidInput,
    KpassError,
    NotFound,
)
from kpass_vc.language import Language, say
from kpass_vc.probes import ProbeResult
from kpass_vc.records import award as awards
from kpass_vc.records import organization as organizations
from kpass_vc.settings import Settings
from kpass_vc.verification import VerificationReport

OUT: Final = Console()
ERR: Final = Console(stderr=True)
COLOURS: Final = {"passed": "green", "failed": "red", "unknown": "yellow"}
LEVELS: Final = {
    "ok": "green",
    "warning": "yellow",
    "error": "red",
    "fatal": "bold red",
    "not_run": "dim",
}
MARKS: Final = {"passed": "✓", "failed": "✗", "unknown": "?"}


@dataclass
class Choice:
    """What holds for every command of one run."""

    as_json: bool = False
    language: Language = "en"


CHOICE: Final = Choice()


def language_of_terminal() -> Language:
    """Swedish where the terminal is, else English."""
    found = (
        os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    )
    return "sv" if (found or (locale.getlocale()[0] or "")).lower().startswith("sv") else "en"


def opened() -> Environment:
    """The environment of the installation that the KPASS_* variables name."""
    return open_environment(Settings.read())


def settle() -> None:
    """Spare the garbage collector what a long-lived process made at its start, and have it look less often.

    Contexts, models and routes stay for ever: to look through them again and again took a tenth of the time of issuing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def login_file() -> Path:
    """Where `kpass login` keeps a person's token."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "kpass" / "token"


def logged_in() -> str | None:
    """The personal token of who sits here: KPASS_TOKEN, or what `kpass login` has kept."""
    given = os.environ.get("KPASS_TOKEN")
    if given:
        return given
    with suppress(OSError):
        return login_file().read_text().strip() or None
    return None


def operator() -> Actor:
    """Whoever runs the command line, as the operator; a person who has logged in acts as themselves only."""
    if logged_in():
        raise Forbidden("operator_only")
    return Actor("cli", None, OPERATOR)


def acting_for(env: Environment, slug: str) -> Actor:
    """Whoever runs the command line, acting for an organisation: a person as what they are in it."""
    token = logged_in()
    with env.reading() as session:
        found = organizations.by_slug(session, slug)
        if found is None:
            raise NotFound("organization", organization=slug)
        if token:
            return authenticate(session, token, env.now(), slug)
    return Actor("cli", found.id, ORGANIZATION)


def acting_for_issuer_of(env: Environment, credential_id: str) -> Actor:
    """Whoever runs the command line, acting for the organisation that issued a credential."""
    with env.reading() as session:
        organization_id = awards.organization_of(session, credential_id)
        issuer = organizations.by_id(session, organization_id) if organization_id else None
    if issuer is None:
        raise NotFound("credential", credential=credential_id)
    return acting_for(env, issuer.slug)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; what came from outside is shown as it is, never read as markup."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold", no_wrap=column == "Id")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    OUT.print(shown)


def say_line(text: str, style: str = "") -> None:
    """One line of plain text, never broken, so that links and tokens can be copied."""
    OUT.print(Text(text, style=style), soft_wrap=True)


def answer(document: Mapping[str, object]) -> None:
    """A document as JSON."""
    OUT.print_json(json.dumps(document, ensure_ascii=False, default=str), highlight=False)


def wrote(*files: Path) -> None:
    """Say which files were written."""
    if CHOICE.as_json:
        answer({"files": [str(file) for file in files]})
        return
    for file in files:
        say_line(str(file))


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Progress]:
    """A progress bar that leaves nothing behind; none where the output is for programs."""
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=ERR, transient=True, disable=CHOICE.as_json) as shown:
        shown.add_task("", total=total)
        yield shown


def step(shown: Progress, text: str) -> None:
    """One step further on a progress bar."""
    shown.update(shown.task_ids[0], advance=1, description=text[:60])


def report_table(report: VerificationReport, summary: str) -> None:
    """A verification report: the verdict first, every check under it."""
    colour = {"verified": "green", "refused": "red", "unknown": "yellow"}[report.verdict]
    findings = (*report.findings, *report.notes)
    lines = [
        (
            Text(MARKS[finding.outcome], style=COLOURS[finding.outcome]),
            say(CHOICE.language, f"check.name.{finding.check}"),
            finding.sentence(CHOICE.language),
        )
        for finding in findings
    ]
    marked(Text(summary, style=f"bold {colour}"), lines)


def probe_table(results: Sequence[ProbeResult]) -> None:
    """What each probe of the public validator would say, the gravest in the summary."""
    grave = [
        level for level in ("fatal", "error", "warning") if any(r.level == level for r in results)
    ]
    summary = say(CHOICE.language, f"probe.summary.{grave[0] if grave else 'ok'}")
    lines = [
        (
            Text(say(CHOICE.language, f"probe.level.{result.level}"), style=LEVELS[result.level]),
            result.probe,
            result.sentence(CHOICE.language),
        )
        for result in results
    ]
    marked(Text(summary, style=f"bold {LEVELS[grave[0] if grave else 'ok']}"), lines)


def marked(summary: Text, lines: Iterable[tuple[Text, str, str]]) -> None:
    """A summary, and under it lines of a mark, a name and a sentence."""
    OUT.print(summary)
    shown = Table(show_header=False, box=None, padding=(0, 1))
    shown.add_column()
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for mark, name, sentence in lines:
        shown.add_row(mark, Text(name, style="bold"), Text(sentence))
    OUT.print(shown)


def failed(error: KpassError) -> None:
    """An error for whoever sits at the terminal: the kind, and every rule that was broken."""
    fields: tuple[FieldError, ...] = ()
    if isinstance(error, InvalidInput):
        fields = error.fields
    elif isinstance(error, DefinitionIncomplete):
        fields = error.gaps
    if CHOICE.as_json:
        entries = [
            {"field": f.field, "rule": f.rule, "detail": f.sentence(CHOICE.language)}
            for f in fields
        ]
        answer({"error": error.code, "detail": error.sentence(CHOICE.language), "errors": entries})
        return
    if not fields:
        ERR.print(Text(error.sentence(CHOICE.language), style="red"), soft_wrap=True)
        return
    ERR.print(Text(error.title(CHOICE.language), style="red"))
    for field in fields:
        ERR.print(Text(f"  • {field.sentence(CHOICE.language)}"), soft_wrap=True)
