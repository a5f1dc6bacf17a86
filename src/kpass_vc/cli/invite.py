"""`kpass invite`: a link that lets somebody into the console, printed here and nowhere else."""

from typing import Annotated

import typer

from kpass_vc.actions.invite import address_of, invite, invite_first
from kpass_vc.cli.console import CHOICE, answer, opened, operator, say_line
from kpass_vc.errors import NotFound
from kpass_vc.records import person as people


def invite_somebody(
    email: Annotated[
        str | None,
        typer.Argument(help="Somebody who has a role; left out, the first person of all."),
    ] = None,
    organization: Annotated[
        str | None,
        typer.Option(
            help="The first person works for this organisation; left out, they register their own."
        ),
    ] = None,
) -> None:
    """Print a link that lets somebody into the console once: hand it to that person alone."""
    env = opened()
    with env.writing() as session, session.begin():
        if email is None:
            link = invite_first(env, session, operator(), organization, CHOICE.language)
        else:
            person = people.by_email(session, email.lower())
            if person is None:
                raise NotFound("person", person=email)
            row, _ = invite(env, session, operator(), person.id, CHOICE.language)
            link = address_of(env, row)
    answer({"link": link}) if CHOICE.as_json else say_line(link)
