"""`kpass keys`, `rotate-key` and `own-domain`: the keys that an organisation signs with."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kpass_vc.actions import own_domain
from kpass_vc.actions.rotate_kek import rotate_kek as act_rotate_kek
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.cli.console import CHOICE, answer, opened, operator, say_line, table
from kpass_vc.crypto.keys import ORGANIZATION_KEYS, Algorithm
from kpass_vc.errors import NotFound
from kpass_vc.language import say
from kpass_vc.model.dates import utc_text
from kpass_vc.records import key as records
from kpass_vc.records import organization as organizations
from kpass_vc.records.key import SigningKey
from kpass_vc.settings import Settings

Slug = Annotated[str, typer.Argument(help="The organisation's slug.")]
domains = typer.Typer(
    help="An organisation's own domain as its DID: prepare, check, activate.",
    no_args_is_help=True,
)


def keys(organization: Slug) -> None:
    """The keys of an organisation, and when each signed."""
    env = opened()
    with env.reading() as session:
        found = organizations.by_slug(session, organization)
        if found is None:
            raise NotFound("organization", organization=organization)
        rows = records.of_organization(session, organization_id=found.id)
    _show(organization, rows)


def rotate_key(
    organization: Slug,
    algorithm: Annotated[
        Algorithm | None, typer.Option(help="Only the key of this kind; both if left out.")
    ] = None,
    compromised: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Withdraw this key (verification method or multikey): what it signed holds no more.",
        ),
    ] = None,
) -> None:
    """Sign with new keys from now on. What the old ones signed still verifies, unless one is compromised."""
    env = opened()
    with env.writing() as session, session.begin():
        if compromised is not None:
            if algorithm is not None:
                raise typer.BadParameter("goes without --algorithm", param_hint="--compromised")
            done = compromise_key(env, session, operator(), organization, compromised)
            rows = [done.key, *([done.replacement] if done.replacement else [])]
            count: int | None = done.awards
        else:
            if algorithm is not None and algorithm not in ORGANIZATION_KEYS:
                raise typer.BadParameter(" or ".join(ORGANIZATION_KEYS), param_hint="--algorithm")
            chosen = ORGANIZATION_KEYS if algorithm is None else (algorithm,)
            rows, count = rotate_keys(env, session, operator(), organization, chosen), None
    _show(organization, rows, awards=count)
    if count is not None and not CHOICE.as_json:
        say_line(say(CHOICE.language, "keys.reissue", count=count, organization=organization))
    if any(row.state == "pending" for row in rows) and not CHOICE.as_json:
        say_line(say(CHOICE.language, "keys.pending", organization=organization))


def rotate_kek() -> None:
    """Seal all private keys under a new key-encryption key. May be broken off and run again."""
    operator()
    count = act_rotate_kek(Settings.read())
    if CHOICE.as_json:
        answer({"sealed": count})
        return
    say_line(say(CHOICE.language, "keys.sealed", count=count), "green")


@domains.command("prepare")
def prepare(
    organization: Slug,
    domain: Annotated[str, typer.Argument(help="example.se, or example.se/part")],
    out: Annotated[
        Path, typer.Option(help="The folder that the files for the domain are written to.")
    ] = Path(),
) -> None:
    """Make keys for the domain, and the files to put there."""
    env = opened()
    with env.writing() as session, session.begin():
        found = own_domain.prepare(env, session, operator(), organization, domain)
    place = out / found.address.removeprefix("https://").partition("/")[2]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found.document, ensure_ascii=False, indent=2) + "\n", "utf-8")
    named = {"file": place, "address": found.address, "organization": organization}
    lines = [say(CHOICE.language, f"own_domain.{key}", **named) for key in ("put", "type", "then")]
    (out / "README.txt").write_text("\n\n".join(lines) + "\n", "utf-8")
    if CHOICE.as_json:
        answer({"did": found.did, "address": found.address, "file": str(place)})
        return
    for line in lines:
        say_line(line)


@domains.command("check")
def check(organization: Slug) -> None:
    """Fetch the document from the domain and compare it: exit status 1 if something is wrong with it."""
    operator()
    found, problem = own_domain.check(opened(), organization)
    sentence = (
        problem.sentence(CHOICE.language)
        if problem
        else say(CHOICE.language, "own_domain.good", address=found.address)
    )
    if CHOICE.as_json:
        answer(
            {"did": found.did, "address": found.address, "good": not problem, "detail": sentence}
        )
    else:
        say_line(sentence, "red" if problem else "green")
    raise typer.Exit(1 if problem else 0)


@domains.command("activate")
def activate(organization: Slug) -> None:
    """Issue as the domain from now on; refused unless the document that lies there is right."""
    actor = operator()
    env = opened()
    found, problem = own_domain.check(env, organization)
    if problem is not None:
        raise problem
    with env.writing() as session, session.begin():
        rows = own_domain.activate(env, session, actor, organization, found)
    _show(organization, rows)


def _show(organization: str, rows: list[SigningKey], *, awards: int | None = None) -> None:
    """Keys as a table, or as JSON."""
    if CHOICE.as_json:
        found = [
            {
                "id": row.verification_method,
                "algorithm": row.algorithm,
                "state": row.state,
                "activeFrom": utc_text(row.active_from),
                "activeUntil": utc_text(row.active_until) if row.active_until else None,
                "compromisedAt": utc_text(row.compromised_at) if row.compromised_at else None,
            }
            for row in rows
        ]
        answer({"keys": found} | ({} if awards is None else {"credentials": awards}))
        return
    lines = [
        [
            row.state,
            row.algorithm,
            f"{row.active_from:%Y-%m-%d %H:%M}",
            f"{row.active_until:%Y-%m-%d %H:%M}" if row.active_until else "",
            row.verification_method,
        ]
        for row in rows
    ]
    table(organization, ["State", "Algorithm", "From", "Until", "Key"], lines)
