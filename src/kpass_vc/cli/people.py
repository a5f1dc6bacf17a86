"""`kpass person`, `kpass login`, `kpass logout`, `kpass whoami`: people, and who sits at this terminal."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from kpass_vc.actions.people import (
    PersonalTokenOrder,
    PersonOrder,
    RolesOrder,
    add_person,
    grant_personal_token,
    members,
    person_of,
    personal_tokens,
    revoke_personal_token,
    set_roles,
)
from kpass_vc.actions.tokens import myself
from kpass_vc.authz import ROLES, Actor, Permission, Role
from kpass_vc.cli.console import (
    CHOICE,
    acting_for,
    answer,
    logged_in,
    login_file,
    opened,
    operator,
    say_line,
    table,
)
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.language import say
from kpass_vc.model.field_errors import validated
from kpass_vc.records import person as people

app = typer.Typer(
    help="People and their roles: add, roles, list, token, tokens.", no_args_is_help=True
)
_ROLES = ", ".join(ROLES)


@app.command("add")
def add(
    organization: Annotated[str, typer.Argument(help="The organisation's slug.")],
    name: Annotated[str, typer.Argument(help="What the person is called.")],
    email: Annotated[str, typer.Argument(help="Their e-mail address; the account.")],
    role: Annotated[list[Role], typer.Option(help=f"One or several of {_ROLES}.")],
) -> None:
    """Let a person in with one or several roles."""
    given = {"name": name, "email": email, "roles": [each.value for each in role]}
    order = validated(PersonOrder, given)
    env = opened()
    actor = acting_for(env, organization) if logged_in() else operator()
    with env.writing() as session, session.begin():
        made = add_person(env, session, actor, organization, order)
    shown = {"id": made.person.id, "roles": " ".join(made.roles)}
    answer(shown) if CHOICE.as_json else say_line(f"{shown['id']}  {shown['roles']}")


@app.command("roles")
def roles(
    organization: Annotated[str, typer.Argument(help="The organisation's slug.")],
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    role: Annotated[
        list[Role] | None, typer.Option(help=f"One or several of {_ROLES}; none takes them out.")
    ] = None,
) -> None:
    """Set a person's roles in an organisation: these and no others."""
    env = opened()
    order = validated(RolesOrder, {"roles": [each.value for each in role or []]})
    actor = acting_for(env, organization) if logged_in() else operator()
    with env.writing() as session, session.begin():
        person = people.by_email(session, email.lower())
        if person is None:
            raise NotFound("person", person=email)
        made = set_roles(env, session, actor, person.id, order, organization)
    shown = {"id": made.person.id, "roles": " ".join(made.roles)}
    answer(shown) if CHOICE.as_json else say_line(f"{shown['id']}  {shown['roles']}")


@app.command("list")
def list_people(
    organization: Annotated[str, typer.Argument(help="The organisation's slug.")],
) -> None:
    """The people of an organisation, and what they are there."""
    env = opened()
    with env.reading() as session:
        found = members(session, acting_for(env, organization))
    rows = [
        [member.person.id, member.person.name, member.person.email, " ".join(member.roles)]
        for member in found
    ]
    if CHOICE.as_json:
        names = ["id", "name", "email", "roles"]
        answer({"people": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        table(organization, ["Id", "Name", "E-mail", "Roles"], rows)


@app.command("token")
def token(
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    label: Annotated[str, typer.Option(help="Where it is used.")] = "cli",
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it is good for.")] = 90,
    permission: Annotated[
        list[Permission] | None,
        typer.Option(help="At most these, of what the person's roles give; all if left out."),
    ] = None,
) -> None:
    """A new personal token, shown this once: your own, or as the operator anybody's. `kpass login` takes it."""
    given = {"label": label, "expiresInDays": days}
    order = validated(
        PersonalTokenOrder, given | ({"permissions": permission} if permission else {})
    )
    env = opened()
    with env.writing() as session, session.begin():
        person = people.by_email(session, email.lower())
        if person is None:
            raise NotFound("person", person=email)
        made = grant_personal_token(env, session, _myself(env, session), person.id, order)
    answer({"id": made.row.id, "token": made.token}) if CHOICE.as_json else say_line(made.token)


@app.command("tokens")
def tokens(
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    revoke: Annotated[str | None, typer.Option(help="The id of one to withdraw.")] = None,
) -> None:
    """The personal tokens of yourself, or as the operator of anybody, without their secrets; withdraw one."""
    env = opened()
    with env.writing() as session, session.begin():
        person = people.by_email(session, email.lower())
        if person is None:
            raise NotFound("person", person=email)
        actor = _myself(env, session)
        if revoke:
            revoke_personal_token(env, session, actor, person.id, revoke)
        rows = [
            [
                row.id,
                row.label,
                row.expires_at.date().isoformat() if row.expires_at else "",
                row.revoked_at.date().isoformat() if row.revoked_at else "",
            ]
            for row in personal_tokens(session, actor, person.id)
        ]
    names = ["id", "label", "expires", "withdrawn"]
    if CHOICE.as_json:
        answer({"tokens": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        table(email, ["Id", *names[1:]], rows)


def _myself(env: Environment, session: Session) -> Actor:
    """Whoever has logged in, in no organisation; else the operator."""
    token = logged_in()
    return myself(session, token, env.now()) if token else operator()


def login() -> None:
    """Say who sits here: takes a personal token from the prompt or from standard input, and keeps it."""
    given = (
        typer.prompt("Personal token", hide_input=True)
        if sys.stdin.isatty()
        else sys.stdin.readline()
    ).strip()
    env = opened()
    with env.reading() as session:
        actor = myself(session, given, env.now())
        person, _ = person_of(session, actor)
    path = login_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(given + "\n")
    path.chmod(0o600)
    say_line(say(CHOICE.language, "people.welcome", name=person.name))


def logout() -> None:
    """Forget who sits here. The token goes on living: withdraw it if somebody else may have it."""
    Path(login_file()).unlink(missing_ok=True)


def whoami() -> None:
    """Who sits here, and what they are in each organisation."""
    given = logged_in()
    if not given:
        say_line(say(CHOICE.language, "people.nobody"))
        return
    env = opened()
    with env.reading() as session:
        actor = myself(session, given, env.now())
        person, found = person_of(session, actor)
    if CHOICE.as_json:
        roles = [{"organization": each.slug, "role": role} for each, role in found]
        answer({"id": person.id, "name": person.name, "email": person.email, "roles": roles})
        return
    table(
        f"{person.name} <{person.email}>", ["Organisation", "Role"], [[o.slug, r] for o, r in found]
    )
