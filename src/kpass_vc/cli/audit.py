"""`kpass audit`: check again everything that is stored."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from kpass_vc.actions.chain import chain_all, chain_audit, sign_head
from kpass_vc.actions.recheck import Fault, recheck, recheck_operator
from kpass_vc.authz import Permission
from kpass_vc.cli.console import CHOICE, acting_for, answer, logged_in, opened, operator, say_line
from kpass_vc.environment import Environment
from kpass_vc.language import say
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import OPERATOR_SLUG


def audit(
    organization: Annotated[
        str | None, typer.Argument(help="A slug; all organisations and the operator if left out.")
    ] = None,
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A signed head of the organisation's log that was kept elsewhere."),
    ] = None,
) -> None:
    """Re-check every credential, status list, definition, key period and the log: exit status 1 for a fault.

    Who has logged in re-checks an organisation of their own; all of them the operator alone.
    """
    if head and organization is None:
        raise typer.BadParameter("needs an organisation", param_hint="--head")
    kept = [_read(path) for path in head or []]
    env = opened()
    actor = acting_for(env, organization) if organization and logged_in() else operator()
    if actor.organization_id is None:
        chain_all(env)
    else:
        actor.require(Permission.AUDIT_READ)
        chain_audit(env, actor.organization_id)
        sign_head(env, actor.organization_id)
    slugs = [organization] if organization else _all(env)
    found: list[tuple[str, Fault]] = []

    def show(name: str, faults: Iterable[Fault]) -> None:
        for fault in faults:
            found.append((name, fault))
            if not CHOICE.as_json:
                say_line(f"{name}: {fault.sentence(CHOICE.language)}", "red")

    for slug in slugs:
        with env.snapshot() as session:
            show(slug, recheck(env, session, actor, slug, kept))
    if organization is None:
        with env.snapshot() as session:
            show(OPERATOR_SLUG, recheck_operator(session, actor))
    if CHOICE.as_json:
        answer(
            {
                "faults": [
                    {
                        "organization": name,
                        "kind": fault.kind,
                        "subject": fault.subject,
                        "detail": fault.sentence(CHOICE.language),
                    }
                    for name, fault in found
                ]
            }
        )
    elif not found:
        say_line(say(CHOICE.language, "recheck.none", count=len(slugs)), "green")
    raise typer.Exit(1 if found else 0)


def _all(env: Environment) -> list[str]:
    with env.reading() as session:
        return [row.slug for row in organizations.every(session)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--head") from error
