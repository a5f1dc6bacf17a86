"""`kpass delegation`, `kpass review`, `kpass confirm`: what organisations do together."""

from pathlib import Path
from typing import Annotated

import typer

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.confirm import ConfirmationOrder, unconfirm
from kpass_vc.actions.confirm import confirm as act_confirm
from kpass_vc.actions.correct import CorrectionOrder, definition_of
from kpass_vc.actions.correct import correct as act_correct
from kpass_vc.actions.delegate import (
    AskOrder,
    DelegationStatusOrder,
    GrantOrder,
    ask,
    change,
    grant,
    own_delegations,
    own_did,
)
from kpass_vc.actions.letter import letter as act_letter
from kpass_vc.actions.review import (
    CommentOrder,
    DecisionOrder,
    ReviewPolicyOrder,
    SubmitOrder,
    comment,
    decide,
    set_policy,
    submit,
    take_back,
    under_review,
    waiting,
)
from kpass_vc.actions.share import private_link
from kpass_vc.actions.statistics import others_counts, own_counts
from kpass_vc.actions.take_authorization import (
    TakeOrder,
    gather_authorization,
    take_authorization,
)
from kpass_vc.cli.console import (
    CHOICE,
    acting_for,
    acting_for_issuer_of,
    answer,
    opened,
    operator,
    say_line,
    table,
    wrote,
)
from kpass_vc.cli.files import input_bytes, write_files
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.language import say
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.model.field_errors import validated
from kpass_vc.records import definition as definitions
from kpass_vc.records.delegation import Delegation

delegations = typer.Typer(
    help="Who may issue whose definitions: grant, ask, accept, withdraw.", no_args_is_help=True
)
reviews = typer.Typer(
    help="Definitions under review: submit, comment, approve, return.", no_args_is_help=True
)
_Org = Annotated[str, typer.Argument(metavar="ORGANISATION", help="Whom you act for: its slug.")]
_Reference = Annotated[str, typer.Argument(metavar="DEFINITION", help="owner/CODE/version")]
_Codes = Annotated[
    list[str] | None, typer.Option("--definition", help="A code; may be given several times.")
]
_Families = Annotated[
    list[str] | None, typer.Option("--family", help="The beginning of codes: SOB-OPTO.")
]


@delegations.command("grant")
def delegation_grant(
    owner: _Org,
    issuer: Annotated[str, typer.Argument(help="A slug of this service, or a DID of any other.")],
    definition: _Codes = None,
    family: _Families = None,
    since: Annotated[str | None, typer.Option("--from", help="2026-12-01")] = None,
    until: Annotated[str | None, typer.Option(help="The last day, 2028-08-31.")] = None,
    quota: Annotated[int | None, typer.Option(help="How many may be issued under it.")] = None,
) -> None:
    """Let an organisation issue: signs the authorisation, which lies at a permanent address."""
    given = {
        "issuer": issuer,
        "definitions": definition or [],
        "families": family or [],
        "validFrom": since,
        "validUntil": until,
        "quota": quota,
    }
    order = validated(
        GrantOrder, {name: value for name, value in given.items() if value is not None}
    )
    env = opened()
    with env.writing() as session, session.begin():
        row = grant(env, session, acting_for(env, owner), order)
    _show([row])


@delegations.command("ask")
def delegation_ask(
    issuer: _Org,
    owner: Annotated[str, typer.Argument(help="The owner's slug.")],
    definition: _Codes = None,
    family: _Families = None,
) -> None:
    """Ask an owner to let you issue."""
    given = {"owner": owner, "definitions": definition or [], "families": family or []}
    order = validated(AskOrder, given)
    env = opened()
    with env.writing() as session, session.begin():
        row = ask(env, session, acting_for(env, issuer), order)
    _show([row])


@delegations.command("set")
def delegation_set(
    organization: _Org,
    delegation_id: Annotated[str, typer.Argument(help="Its id.")],
    status: Annotated[str, typer.Argument(help="accepted, declined, granted or withdrawn")],
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Accept, decline, grant or withdraw. A withdrawal is a signed, dated notice."""
    given = {"status": status} | ({"reason": reason} if reason else {})
    order = validated(DelegationStatusOrder, given)
    env = opened()
    with env.writing() as session, session.begin():
        row = change(env, session, acting_for(env, organization), delegation_id, order)
    _show([row])


@delegations.command("list")
def delegation_list(organization: _Org) -> None:
    """Those you have granted, and those you were granted."""
    env = opened()
    with env.reading() as session:
        _show(own_delegations(session, acting_for(env, organization)))


@delegations.command("take")
def delegation_take(
    issuer: _Org,
    authorization: Annotated[str, typer.Argument(help="Where it lies, https.")],
    definition: Annotated[
        list[str], typer.Option(help="The address of a definition document, https.")
    ],
) -> None:
    """Take in an authorisation from another service with its definitions, to issue under it.

    Again, with what its owner has published since: new versions, and new definitions of its family.
    """
    order = validated(TakeOrder, {"authorization": authorization, "definitions": definition})
    env = opened()
    actor = acting_for(env, issuer)
    found = gather_authorization(env, actor, own_did(env, actor), order)
    with env.writing() as session, session.begin():
        row = take_authorization(env, session, actor, found)
    _show([row])


@reviews.command("submit")
def review_submit(
    reference: _Reference,
    reviewer: Annotated[
        list[str] | None, typer.Option(help="An organisation to ask beside your own reviewers.")
    ] = None,
) -> None:
    """Hand a draft in for review."""
    env = opened()
    order = validated(SubmitOrder, {"reviewers": reviewer or []})
    with env.writing() as session, session.begin():
        actor = acting_for(env, reference.partition("/")[0])
        version, _, _ = submit(env, session, actor, _version(env, reference), order)
    _say(reference, version.state)


@reviews.command("back")
def review_back(reference: _Reference) -> None:
    """Take a version back from review: it is a draft again."""
    env = opened()
    with env.writing() as session, session.begin():
        actor = acting_for(env, reference.partition("/")[0])
        version, _, _ = take_back(env, session, actor, _version(env, reference))
    _say(reference, version.state)


@reviews.command("decide")
def review_decide(
    organization: _Org,
    reference: _Reference,
    decision: Annotated[str, typer.Argument(help="approved or changes_requested")],
    comment: Annotated[str | None, typer.Option(help="A word to its owner.")] = None,
) -> None:
    """Approve a version, or ask for changes. Takes a person who has logged in and has not written in it."""
    given = {"decision": decision} | ({"comment": comment} if comment else {})
    order = validated(DecisionOrder, given)
    env = opened()
    with env.writing() as session, session.begin():
        actor = acting_for(env, organization)
        found = decide(env, session, actor, _version(env, reference), order)
    _say(reference, found.found[0].state)


@reviews.command("comment")
def review_comment(
    organization: _Org,
    reference: _Reference,
    text: Annotated[str, typer.Argument(help="The remark.")],
    field: Annotated[str, typer.Option(help="Which field: /learning_outcomes/0")] = "",
) -> None:
    """Remark on a version under review, or on one field of it."""
    order = validated(CommentOrder, {"field": field, "text": text})
    env = opened()
    with env.writing() as session, session.begin():
        comment(env, session, acting_for(env, organization), _version(env, reference), order)
    _say(reference, text)


@reviews.command("list")
def review_list(organization: _Org) -> None:
    """The versions that wait for a word of yours: your own, and those you are asked to review."""
    env = opened()
    actor = acting_for(env, organization)
    with env.reading() as session:
        rows = [
            [f"{owner.slug}/{line.code}/{version.version}", version.state]
            for version, line, owner in waiting(session, actor)
        ]
    if CHOICE.as_json:
        answer({"waiting": [reference for reference, _ in rows]})
    else:
        table(organization, ["Definition", "State"], rows)


@reviews.command("show")
def review_show(organization: _Org, reference: _Reference) -> None:
    """What was said about a version, and what it changes."""
    env = opened()
    with env.reading() as session:
        found = under_review(session, acting_for(env, organization), _version(env, reference))
    if CHOICE.as_json:
        answer(
            {
                "state": found.found[0].state,
                "reviews": [[each.slug, row.decision] for row, each in found.reviews],
                "comments": [[row.field, row.text] for row in found.comments],
                "changes": [[each.field, each.step] for each in found.changes],
            }
        )
        return
    _say(reference, found.found[0].state)
    for row, each in found.reviews:
        say_line(f"  {row.round}  {each.slug}  {row.decision}  {row.decided_at:%Y-%m-%d}")
    for remark in found.comments:
        say_line(f"  {remark.field or '/'}  {remark.text}")
    for difference in found.changes:
        say_line(f"  {difference.step}  {difference.field}")


@reviews.command("policy")
def review_policy(
    owner: _Org,
    approvals: Annotated[int, typer.Argument(help="How many must approve; 0 to publish alone.")],
    external: Annotated[
        int, typer.Option(help="How many of them from elsewhere; the others from within.")
    ] = 0,
    grace: Annotated[int, typer.Option(help="Days of issuing when a review is due.")] = 180,
) -> None:
    """Say what your versions take to be published."""
    given = {"approvals": approvals, "externalApprovals": external, "graceDays": grace}
    env = opened()
    with env.writing() as session, session.begin():
        set_policy(env, session, acting_for(env, owner), validated(ReviewPolicyOrder, given))
    _say(owner, f"{approvals} ({external})")


def confirm(
    organization: Annotated[str, typer.Argument(help="Its slug.")],
    how: Annotated[str, typer.Option(help="What you looked at.")] = "",
    *,
    back: Annotated[bool, typer.Option("--back", help="Take the confirmation back.")] = False,
) -> None:
    """Say that an organisation is who it says: it stands in the operator's signed list."""
    env = opened()
    with env.writing() as session, session.begin():
        if back:
            unconfirm(env, session, operator(), organization)
        else:
            order = validated(ConfirmationOrder, {"how": how})
            act_confirm(env, session, operator(), organization, order)
    say_line(env.addresses.confirmed)


def correct(
    credential_id: Annotated[str, typer.Argument(help="The id that issuing gave.")],
    name: Annotated[str | None, typer.Option(help="What the learner is called.")] = None,
    assessed_on: Annotated[
        str | None, typer.Option(help="The day of the assessment, 2026-11-20.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="wrong_details, wrong_holder or issued_in_error")
    ] = None,
    order_file: Annotated[
        Path | None, typer.Option("--order", help="The whole order as JSON, as the API takes it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder the files are written to.")] = Path(),
) -> None:
    """Issue a credential anew as it should have been; the old one is revoked and leads to it.

    Where it was somebody else's (wrong_holder) it leads to nothing, and no address of theirs is used.
    """
    holder = {"name": name} if name is not None else None
    members = {"holder": holder, "assessedOn": assessed_on, "reason": reason}
    given: JsonObject = {member: value for member, value in members.items() if value is not None}
    if order_file is not None and given:
        raise typer.BadParameter(
            "holds the whole order; leave the others out", param_hint="--order"
        )
    if order_file is not None:
        given = read_json(input_bytes(order_file))
    order = validated(CorrectionOrder, given)
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    ask_owner(env, actor, definition_of(env, actor, credential_id))
    with env.writing() as session, session.begin():
        made = act_correct(env, session, actor, credential_id, order, channel="cli")
    files = write_files(made, out)
    if CHOICE.as_json:
        answer({"id": made.award.id, "holderLink": private_link(env, made.award)})
        return
    say_line(f"id  {made.award.id}", "bold")
    for path in files:
        say_line(str(path))
    say_line(private_link(env, made.award))


def _version(env: Environment, reference: str) -> str:
    slug, _, rest = reference.partition("/")
    code, _, version = rest.partition("/")
    with env.reading() as session:
        found = definitions.by_address(session, slug=slug, code=code, version=version)
    if found is None:
        raise NotFound("definition", definition=reference)
    return found[0].id


def _say(name: str, state: str) -> None:
    if CHOICE.as_json:
        answer({"reference": name, "state": state})
    else:
        say_line(f"{name}  {state}")


def _show(rows: list[Delegation]) -> None:
    names = ["id", "status", "issuer", "definitions", "authorization"]
    shown = [
        [
            row.id,
            row.state,
            row.issuer_did,
            " ".join([*row.codes, *(f"{each}-*" for each in row.families)]),
            row.url if row.body is not None else "",
        ]
        for row in rows
    ]
    if CHOICE.as_json:
        answer({"delegations": [dict(zip(names, row, strict=True)) for row in shown]})
        return
    headings = [say(CHOICE.language, f"together.{name}") for name in names]
    table("", ["Id", *headings[1:]], shown)


def letter(
    credential_id: Annotated[str, typer.Argument(help="The id that issuing gave.")],
    out: Annotated[Path, typer.Argument(help="The .pdf to write.")],
) -> None:
    """Write a letter to a learner without e-mail: an accessible PDF with a code to type, good once."""
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    with env.writing() as session, session.begin():
        body = act_letter(env, session, actor, [credential_id], CHOICE.language)
    out.write_bytes(body)
    wrote(out)


def statistics(organization: _Org) -> None:
    """What was issued, claimed and revoked: your own exactly, others' of your definitions where no few show."""
    env = opened()
    actor = acting_for(env, organization)
    with env.reading() as session:
        own, others = own_counts(session, actor), others_counts(session, actor)
    if CHOICE.as_json:
        answer({"own": [vars(row) for row in own], "others": [vars(row) for row in others]})
        return
    names = ["definition", "month", "channel", "issued", "claimed", "revoked"]
    table(organization, names, [[str(value) for value in vars(row).values()] for row in own])
    names = ["definition", "issuer", "issued", "claimed", "revoked"]
    rows = [
        ["<5" if value is None else str(value) for value in vars(row).values()] for row in others
    ]
    table("", names, rows)
