"""`kpass link`, `kpass notice` and `kpass dispute`: what an issuer does for the learner, and hears from the learner."""

from datetime import datetime
from typing import Annotated

import typer

from kpass_vc.actions.deliver import resend, resend_undelivered
from kpass_vc.actions.learners import ContactOrder
from kpass_vc.actions.share import AnswerOrder, private_link, renew_link
from kpass_vc.actions.share import answer as act_answer
from kpass_vc.authz import Permission
from kpass_vc.cli.console import (
    CHOICE,
    acting_for,
    acting_for_issuer_of,
    answer,
    opened,
    say_line,
    table,
)
from kpass_vc.errors import NotFound
from kpass_vc.language import say
from kpass_vc.model.dates import utc_text
from kpass_vc.model.field_errors import validated
from kpass_vc.records import award as awards
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import dispute as disputes
from kpass_vc.records.dispute import Dispute

_Id = Annotated[str, typer.Argument(help="The id that issuing gave.")]


def link(
    credential_id: _Id,
    renew: Annotated[
        bool, typer.Option("--renew", help="Make a new one; the one before it opens nothing more.")
    ] = False,
) -> None:
    """The learner's private link to a credential. Give it to the learner and to nobody else."""
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    with env.writing() as session, session.begin():
        if renew:
            renew_link(env, session, actor, credential_id)
        else:
            actor.require(Permission.CREDENTIALS_READ)
        found = awards.by_id(
            session, organization_id=actor.own_organization(), award_id=credential_id
        )
    if found is None:
        raise NotFound("credential", credential=credential_id)
    address = private_link(env, found)
    if CHOICE.as_json:
        answer({"id": credential_id, "holderLink": address})
    else:
        say_line(address)


def notice(
    credential_id: _Id,
    email: Annotated[
        str | None, typer.Option(help="An address that takes the place of the one before.")
    ] = None,
    mail_language: Annotated[str, typer.Option(help="sv or en; with a new address.")] = "sv",
    *,
    send: Annotated[bool, typer.Option("--send", help="Send the link again.")] = False,
) -> None:
    """What was sent to the learner, and how it went; send the link again, to a corrected address too."""
    given = {"email": email, "language": mail_language}
    contact = validated(ContactOrder, given) if email is not None else None
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    if send or contact is not None:
        with env.writing() as session, session.begin():
            resend(env, session, actor, credential_id, contact)
    actor.require(Permission.CREDENTIALS_READ)
    with env.reading() as session:
        rows = deliveries.of_award(
            session, organization_id=actor.own_organization(), award_id=credential_id
        )
    names = ["kind", "state", "attempts", "created", "error"]
    shown = [
        [row.kind, row.state, str(row.attempts), utc_text(row.created_at), row.last_error or ""]
        for row in rows
    ]
    if CHOICE.as_json:
        answer({"notices": [dict(zip(names, row, strict=True)) for row in shown]})
    else:
        table(credential_id, names, shown)


def resend_all(
    organization: Annotated[str, typer.Argument(help="The issuing organisation's slug.")],
) -> None:
    """Send again every notice that was given up, once the mail server answers."""
    env = opened()
    actor = acting_for(env, organization)
    with env.writing() as session, session.begin():
        count = resend_undelivered(env, session, actor)
    if CHOICE.as_json:
        answer({"sentAgain": count})
    else:
        say_line(say(CHOICE.language, "link.sent_again", count=count))


def dispute(
    credential_id: _Id,
    text: Annotated[
        str | None, typer.Option("--answer", help="Answer the learner, which closes the dispute.")
    ] = None,
) -> None:
    """What the learner says is wrong with a credential; answer it."""
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    if text is not None:
        order = validated(AnswerOrder, {"status": "closed", "answer": text})
        with env.writing() as session, session.begin():
            found: Dispute | None = act_answer(env, session, actor, credential_id, order)
    else:
        actor.require(Permission.CREDENTIALS_READ)
        with env.reading() as session:
            found = disputes.newest(session, award_id=credential_id)
    if CHOICE.as_json:
        answer({"dispute": _members(found) if found else None})
        return
    if found is None:
        say_line(say(CHOICE.language, "link.no_dispute"))
        return
    for line in (found.text, found.answer):
        if line is not None:
            say_line(line)


def _members(found: Dispute) -> dict[str, object]:
    """A dispute as the API gives it."""
    return {
        "status": found.state,
        "text": found.text,
        "openedAt": _utc(found.opened_at),
        "answer": found.answer,
        "closedAt": _utc(found.closed_at),
    }


def _utc(moment: datetime | None) -> str | None:
    return utc_text(moment) if moment is not None else None
