"""`kpass sunset`, `kpass export`, `kpass erase`: how a service, an organisation and a learner leave."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Final

import typer

from kpass_vc import resources
from kpass_vc.actions.artefacts import Ask, artefacts, credential_documents
from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.close import close_lists
from kpass_vc.actions.erase import erase as act_erase
from kpass_vc.actions.export import export as act_export
from kpass_vc.actions.learner_export import export_learner as act_export_learner
from kpass_vc.actions.offline import bundled, verify_offline
from kpass_vc.cli.console import (
    CHOICE,
    acting_for,
    acting_for_issuer_of,
    answer,
    opened,
    operator,
    progress,
    report_table,
    say_line,
    step,
)
from kpass_vc.environment import Environment
from kpass_vc.language import say
from kpass_vc.own_service import own_service
from kpass_vc.records import organization as organizations
from kpass_vc.verification import VerificationReport

MEDIA_TYPES: Final = "media-types.json"
"""Beside the artefacts: what each file was served as."""


def sunset(
    folder: Annotated[Path, typer.Argument(help="The folder to write; it becomes the web root.")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Nothing is issued or revoked any more after this.")
    ] = False,
) -> None:
    """End the service: every public artefact as a file, with final status lists, for any plain web server.

    Issuing and revoking stop for good. Files lie at the paths of their addresses; a status list's JWT lies beside it
    as .jwt, for a server that can answer `Accept: application/vc+jwt` with it, and the page of a definition in all
    its versions is the index.html of its folder. media-types.json says what each file was served as.
    """
    if not yes:
        raise typer.BadParameter("nothing is issued or revoked any more after this; say --yes")
    actor = operator()
    env = opened()
    with env.writing() as session, session.begin():
        close_lists(env, session, actor)
    chain_all(env)
    count = write_public(env, folder)
    if CHOICE.as_json:
        answer({"folder": str(folder), "files": count})
    else:
        say_line(say(CHOICE.language, "leave.sunset", folder=folder, count=count))


def export(
    organization: Annotated[str, typer.Argument(help="The organisation's slug.")],
    file: Annotated[Path, typer.Argument(help="The .zip to write.")],
) -> None:
    """All of an organisation in one file: definitions, DID documents with key history, lists, credentials, audit.

    `kpass verify --offline FILE CREDENTIAL` verifies from it with no network and no database.
    """
    env = opened()
    actor = acting_for(env, organization)
    with written(file) as out, our_service(env) as ask:
        count = act_export(env, actor, ask, out)
    if CHOICE.as_json:
        answer({"file": str(file), "credentials": count})
    else:
        say_line(say(CHOICE.language, "leave.exported", file=file, count=count))


def export_learner(
    credential_id: Annotated[str, typer.Argument(help="The id that issuing gave.")],
    file: Annotated[Path, typer.Argument(help="The .zip to write.")],
) -> None:
    """All that is stored about the learner of a credential, in one file for a learner who asks.

    Of all that your organisation has issued to the same learner, as `kpass erase` would forget it.
    """
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    with written(file) as out, env.writing() as session, session.begin():
        out.write(act_export_learner(env, session, actor, credential_id))
    answer({"file": str(file)}) if CHOICE.as_json else say_line(str(file))


def erase(
    credential_id: Annotated[str, typer.Argument(help="The id that issuing gave.")],
) -> None:
    """Forget a learner: name, addresses, files, disputes and links go; hash, status bit and audit stay."""
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    with env.writing() as session, session.begin():
        found = act_erase(env, session, actor, credential_id)
    if CHOICE.as_json:
        answer({"erased": [award.id for award in found]})
    else:
        say_line(say(CHOICE.language, "leave.erased", count=len(found)))


def offline(bundle: Path, body: bytes) -> VerificationReport:
    """The report on a credential by a bundle alone; it is shown."""
    report = verify_offline(body, bundled(bundle), resources.contexts(), datetime.now(UTC))
    if CHOICE.as_json:
        found = [
            {"check": each.check, "outcome": each.outcome, "code": each.code}
            for each in report.findings
        ]
        answer({"verdict": report.verdict, "checks": found})
    else:
        report_table(report, say(CHOICE.language, f"verdict.{report.verdict}"))
    return report


@contextmanager
def written(file: Path) -> Iterator[IO[bytes]]:
    """A file that nobody else may read, in its place once it is whole; nothing is left of it otherwise."""
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600, exist_ok=False)
    try:
        with beside.open("wb") as out:
            yield out
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def write_public(env: Environment, folder: Path) -> int:
    """Write every public artefact at the path of its address, and what each was served as; says how many files."""
    with env.reading() as session:
        owners = organizations.every(session)
        operator_row = organizations.the_operator(session)
        if operator_row is not None:
            owners.append(operator_row)
        found = list(artefacts(env, session, owners))
        for owner in owners:
            found += credential_documents(session, owner)
    types: dict[str, str] = {}
    with (
        our_service(env) as ask,
        progress(say(CHOICE.language, "leave.writing"), len(found)) as shown,
    ):
        for each in found:
            published = ask(each.address, each.accept)
            step(shown, "")
            if published is not None:
                _write(folder / each.file, published.body)
                types[each.file] = published.media_type
    _write(folder / MEDIA_TYPES, json.dumps(types, indent=1, sort_keys=True).encode() + b"\n")
    return len(types) + 1


def _write(place: Path, body: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)


@contextmanager
def our_service(env: Environment) -> Iterator[Ask]:
    """Gives what our own service answers."""
    from kpass_vc.app import create_app  # noqa: PLC0415 - other commands start without it

    with own_service(create_app(env), env.addresses.base) as ask:
        yield ask
