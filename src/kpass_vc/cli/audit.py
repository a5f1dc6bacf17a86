"""`kpass audit`: check again everything that is stored."""

from typing import Annotated

import typer

from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.recheck import Fault, recheck
from kpass_vc.cli.console import CHOICE, acting_for, answer, logged_in, opened, operator, say_line
from kpass_vc.language import say
from kpass_vc.records import organization as organizations


def audit(
    organization: Annotated[
        str | None, typer.Argument(help="A slug; all organisations if left out.")
    ] = None,
) -> None:
    """Re-check every credential, status bit, definition, key period and the audit chain: exit status 1 for a fault."""
    env = opened()
    chain_all(env)
    with env.reading() as session:
        slugs = (
            [organization] if organization else [row.slug for row in organizations.every(session)]
        )
    found: list[tuple[str, Fault]] = []
    for slug in slugs:
        actor = acting_for(env, slug) if logged_in() else operator()
        with env.reading() as session:
            for fault in recheck(env, session, actor, slug):
                found.append((slug, fault))
                if not CHOICE.as_json:
                    say_line(f"{slug}: {fault.sentence(CHOICE.language)}", "red")
    if CHOICE.as_json:
        answer(
            {
                "faults": [
                    {
                        "organization": slug,
                        "kind": fault.kind,
                        "subject": fault.subject,
                        "detail": fault.sentence(CHOICE.language),
                    }
                    for slug, fault in found
                ]
            }
        )
    elif not found:
        say_line(say(CHOICE.language, "recheck.none", count=len(slugs)), "green")
    raise typer.Exit(1 if found else 0)
