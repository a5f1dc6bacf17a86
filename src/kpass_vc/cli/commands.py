"""The sub-commands of `kpass`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel
from sqlalchemy.orm import Session

from kpass_vc import __version__, definition_table
from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.define import define as act_define
from kpass_vc.actions.define import source_of
from kpass_vc.actions.enrol import EnrolOrder
from kpass_vc.actions.enrol import enrol as act_enrol
from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import IssueOrder
from kpass_vc.actions.issue import issue as act_issue
from kpass_vc.actions.publish import missing
from kpass_vc.actions.publish import publish as act_publish
from kpass_vc.actions.publish import retire as act_retire
from kpass_vc.actions.share import private_link
from kpass_vc.actions.tokens import TokenOrder, grant_token, revoke_token
from kpass_vc.authz import Actor, Permission
from kpass_vc.cli import (
    audit,
    backup,
    carry,
    doctor,
    holder,
    invite,
    jose,
    keys,
    leave,
    people,
    pilot,
    story,
    systems,
    together,
    vc_api,
    work,
)
from kpass_vc.cli.console import (
    CHOICE,
    acting_for,
    acting_for_issuer_of,
    answer,
    language_of_terminal,
    opened,
    operator,
    say_line,
    table,
)
from kpass_vc.cli.files import input_bytes, write_files
from kpass_vc.completeness import element
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError, InvalidInput, NotFound
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.document import MAX_BYTES, MAX_VALUES, JsonObject, read_json
from kpass_vc.model.field_errors import validated
from kpass_vc.records import access, award, definition
from kpass_vc.records import delivery as deliveries
from kpass_vc.settings import MOST_PROCESSES, Settings

Message = TypeVar("Message", bound=BaseModel)

app = typer.Typer(
    name="kpass",
    help="Issue, carry and verify micro-credentials: Open Badges 3.0 on W3C Verifiable Credentials 2.0.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
tokens = typer.Typer(help="API tokens: grant, list, withdraw.", no_args_is_help=True)
app.add_typer(tokens, name="token")


@app.callback(invoke_without_command=True)
def options(
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")] = False,
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="sv or en; the terminal's if left out.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Say the version and stop.", is_eager=True)
    ] = False,
) -> None:
    """What holds for every command."""
    if version:
        say_line(f"kpass {__version__}")
        raise typer.Exit
    if language is not None and language not in LANGUAGES:
        raise typer.BadParameter("sv or en", param_hint="--language")
    CHOICE.as_json = as_json
    CHOICE.language = language_of_terminal() if language is None else _language(language)


@app.command()
def init() -> None:
    """Set up this installation: folders, key-encryption key, tables. May be run again."""
    operator()
    settings = Settings.read()
    initialise(settings)
    opened().engine.dispose()
    where = {
        "publicUrl": settings.public_url,
        "database": settings.database_url.rpartition("@")[2],
        "keys": str(settings.keys_dir),
        "keyEncryptionKey": "KPASS_KEK" if settings.kek else str(settings.kek_file),
    }
    _shown(where)


@app.command()
def enrol(
    slug: Annotated[
        str,
        typer.Argument(help="Its short name in addresses and DID; never used again for another."),
    ],
    name_sv: Annotated[str, typer.Option(help="Its name in Swedish.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    number: Annotated[str | None, typer.Option(help="Its organisation number, ten digits.")] = None,
    url: Annotated[str | None, typer.Option(help="Its web address.")] = None,
    email: Annotated[str | None, typer.Option(help="Its e-mail address.")] = None,
    image: Annotated[str | None, typer.Option(help="The address of its picture.")] = None,
    country: Annotated[str, typer.Option(help="Its country, two letters.")] = "SE",
) -> None:
    """Register an organisation with its DID and keys, and give it its first API token."""
    order = _model(
        EnrolOrder,
        {
            "slug": slug,
            "name": {"sv": name_sv, "en": name_en},
            "organizationNumber": number,
            "url": url,
            "email": email,
            "image": image,
            "country": country,
        },
    )
    env = opened()
    with env.writing() as session, session.begin():
        made = act_enrol(env, session, operator(), order)
        token = grant_token(env, session, operator(), made.slug, TokenOrder(label="first"))
    _shown(
        {
            "slug": made.slug,
            "did": made.did,
            "didDocument": env.addresses.did_document(made.slug),
            "token": token.token,
        }
    )


@app.command()
def define(
    file: Annotated[
        Path,
        typer.Argument(
            help="A definition, or a catalogue with `definitions`, as JSON; or an .xlsx by the template."
        ),
    ],
    *,
    make_template: Annotated[
        bool, typer.Option("--template", help="Write the .xlsx to fill in, and nothing else.")
    ] = False,
    export: Annotated[
        list[str] | None,
        typer.Option("--export", help="owner/CODE/version: write these into the .xlsx instead."),
    ] = None,
) -> None:
    """Take in definitions as drafts, and say what each still lacks and which element of the EU it belongs to."""
    if make_template:
        file.write_bytes(definition_table.template(CHOICE.language))
        say_line(str(file))
        return
    if export:
        _export(file, export)
        return
    env = opened()
    cells: list[Mapping[str, str]] = []
    if file.suffix.lower() == ".xlsx":
        read = definition_table.read_definitions(input_bytes(file))
        given: object = [document for document, _ in read]
        cells = [places for _, places in read]
    else:
        document = read_json(
            input_bytes(file),
            max_bytes=20 * MAX_BYTES,
            max_values=50 * MAX_VALUES,
            max_items=MAX_VALUES,
        )
        given = document.get("definitions", [document])
    rows: list[list[str]] = []
    found: list[tuple[str, FieldError]] = []
    with env.writing() as session, session.begin():
        for number, entry in enumerate(given if isinstance(given, list) else [given]):
            if not isinstance(entry, dict):
                raise InvalidInput(FieldError("/definitions", "type", expected="object"))
            actor = acting_for(env, str(entry.get("owner", "")))
            try:
                (version, line, owner), is_new = act_define(env, session, actor, entry)
            except InvalidInput as error:
                raise definition_table.at_cells(error, cells[number]) if cells else error from error
            lacks = missing(session, source_of(version), owner)
            name = f"{owner.slug}/{line.code}/{version.version}"
            rows.append([name, version.title_sv, "new" if is_new else "replaced", str(len(lacks))])
            found += [(name, gap) for gap in lacks]
    if CHOICE.as_json:
        answer(
            {
                "definitions": [
                    {"reference": row[0], "title": row[1], "gaps": int(row[3])} for row in rows
                ],
                "gaps": [
                    {
                        "reference": name,
                        "field": gap.field,
                        "rule": gap.rule,
                        "detail": gap.sentence(CHOICE.language),
                        "element": element(gap.field),
                    }
                    for name, gap in found
                ],
            }
        )
        return
    table("Drafts", ["Definition", "Title", "", "Gaps"], rows)
    for name, gap in found:
        found_element = element(gap.field)
        where = f" [{say(CHOICE.language, f'element.{found_element}')}]" if found_element else ""
        say_line(f"  {name} {gap.sentence(CHOICE.language)}{where}", "yellow")


def _export(file: Path, references: list[str]) -> None:
    env = opened()
    sources = []
    with env.reading() as session:
        for reference in references:
            actor, version_id = _version(env, reference)
            actor.require(Permission.DEFINITIONS_READ)
            found = definition.by_id(session, version_id)
            if found is not None:
                sources.append(source_of(found[0]))
    file.write_bytes(definition_table.write_definitions(CHOICE.language, sources))
    say_line(str(file))


@app.command()
def publish(reference: Annotated[str, typer.Argument(help="owner/CODE/version")]) -> None:
    """Publish a draft: it becomes immutable and is signed by its owner."""
    env = opened()
    actor, version_id = _version(env, reference)
    with env.writing() as session, session.begin():
        version, line, owner = act_publish(env, session, actor, version_id)
    at = env.addresses.definition(owner.slug, line.code, version.version)
    _shown(
        {
            "definition": at.document,
            "digestSRI": version.digest_sri or "",
            "publication": at.publication,
            **{f"page.{language}": at.page(language) for language in LANGUAGES},
        }
    )


@app.command()
def retire(reference: Annotated[str, typer.Argument(help="owner/CODE/version")]) -> None:
    """Retire a published version: nothing more is issued under it; what was issued stays valid."""
    env = opened()
    actor, version_id = _version(env, reference)
    with env.writing() as session, session.begin():
        version, _, _ = act_retire(env, session, actor, version_id)
    _shown({"definition": version.document_url or "", "state": version.state})


@app.command()
def issue(
    issuer: Annotated[str, typer.Argument(help="The issuing organisation's slug.")],
    definition_reference: Annotated[str, typer.Argument(metavar="DEFINITION", help="owner/CODE")],
    name: Annotated[str | None, typer.Option(help="The learner's name.")] = None,
    assessed_on: Annotated[
        str | None, typer.Option(help="The day of the assessment, 2026-11-20.")
    ] = None,
    did: Annotated[str | None, typer.Option(help="The learner's DID.")] = None,
    email: Annotated[
        str | None, typer.Option(help="Stands in the credential as a salted hash.")
    ] = None,
    reference: Annotated[str | None, typer.Option(help="Your own reference.")] = None,
    order_file: Annotated[
        Path | None, typer.Option("--order", help="The whole order as JSON, as the API takes it.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The folder the credential's files are written to.")
    ] = Path(),
) -> None:
    """Issue a credential and write its files: JSON and JWT in each language."""
    given: JsonObject = {"definition": definition_reference}
    if order_file is not None:
        if any(value is not None for value in (name, assessed_on, did, email, reference)):
            raise typer.BadParameter(
                "holds the whole order; leave the others out", param_hint="--order"
            )
        given = read_json(input_bytes(order_file)) | given
    else:
        holder = {"name": name, "id": did, "email": email}
        given["holder"] = {member: value for member, value in holder.items() if value is not None}
        given["assessedOn"] = assessed_on or date.today().isoformat()  # noqa: DTZ011 - the day where one sits
    if reference is not None:
        given["externalReference"] = reference
    order = _model(IssueOrder, given)
    env = opened()
    actor = acting_for(env, issuer)
    ask_owner(env, actor, order.definition)
    with env.writing() as session, session.begin():
        issued = act_issue(env, session, actor, order, channel="cli")
    files = write_files(issued, out)
    if CHOICE.as_json:
        answer(
            {
                "id": issued.award.id,
                "holderId": issued.award.holder_id,
                "holderLink": private_link(env, issued.award),
                "files": [str(path) for path in files],
            }
        )
        return
    say_line(f"id  {issued.award.id}", "bold")
    for path in files:
        say_line(str(path))
    say_line(say(CHOICE.language, "link.for_the_learner"))
    say_line(private_link(env, issued.award))


@app.command("list")
def list_credentials(
    issuer: Annotated[str, typer.Argument(help="The issuing organisation's slug.")],
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Only those that a withdrawn key has signed.")
    ] = False,
    disputed: Annotated[
        bool, typer.Option("--disputed", help="Only those that the learner says are wrong.")
    ] = False,
    undelivered: Annotated[
        bool, typer.Option("--undelivered", help="Only those whose last notice was given up.")
    ] = False,
) -> None:
    """The credentials of an organisation, newest first."""
    env = opened()
    actor = acting_for(env, issuer)
    actor.require(Permission.CREDENTIALS_READ)
    organization_id = actor.own_organization()
    with env.reading() as session:
        found, total = award.search(
            session,
            organization_id=organization_id,
            compromised=compromised,
            disputed=disputed or None,
            among=deliveries.undelivered(organization_id=organization_id) if undelivered else None,
            limit=limit,
        )
        rows = [
            [
                row.id,
                row.holder_name or "-",
                _code(session, row),
                row.state,
                f"{row.issued_at:%Y-%m-%d %H:%M}",
            ]
            for row in found
        ]
    if CHOICE.as_json:
        names = ["id", "holderName", "definition", "status", "issuedAt"]
        answer(
            {"credentials": [dict(zip(names, row, strict=True)) for row in rows], "total": total}
        )
        return
    table(f"{issuer}: {total}", ["Id", "Holder", "Definition", "Status", "Issued"], rows)


@app.command()
def revoke(
    credential_id: Annotated[str, typer.Argument(help="The id that issuing gave.")],
    reason: Annotated[
        str | None,
        typer.Option(help="A reason code; issued_in_error for a revocation if left out."),
    ] = None,
    suspend: Annotated[
        bool, typer.Option("--suspend", help="Suspend, where the definition allows it.")
    ] = False,
    reinstate: Annotated[bool, typer.Option("--reinstate", help="End a suspension.")] = False,
) -> None:
    """Revoke a credential for ever; or suspend and reinstate it."""
    if suspend and reinstate:
        raise typer.BadParameter("one of --suspend and --reinstate")
    status = "suspended" if suspend else "active" if reinstate else "revoked"
    if reason is None and status != "revoked":
        raise typer.BadParameter("say why", param_hint="--reason")
    order = _model(StatusOrder, {"status": status, "reason": reason or "issued_in_error"})
    env = opened()
    actor = acting_for_issuer_of(env, credential_id)
    with env.writing() as session, session.begin():
        changed = change_status(env, session, actor, credential_id, order)
    _shown({"id": changed.id, "status": changed.state, "reason": changed.reason or ""})


@app.command()
def serve(
    demo_data: Annotated[
        bool, typer.Option("--demo", help="Set up, and fill an empty installation with demo data.")
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(
            help="How many server processes, on PostgreSQL; KPASS_PROCESSES, or 1, if left out.",
            min=1,
            max=MOST_PROCESSES,
        ),
    ] = None,
) -> None:
    """Serve the API and the pages."""
    operator()
    from kpass_vc.cli.server import serve as act_serve  # noqa: PLC0415 - it alone needs the API

    settings = Settings.read()
    act_serve(replace(settings, processes=processes or settings.processes), demo=demo_data)


@app.command()
def demo(
    *,
    organisations: Annotated[
        bool,
        typer.Option(
            "--organisations",
            help="The pilot's story: define, review, authorise two, issue to classes, withdraw.",
        ),
    ] = False,
    learners: Annotated[
        int, typer.Option(min=1, max=5000, help="How many in each class of that story.")
    ] = 25,
) -> None:
    """Play the whole story in a place of its own: 23 micromerits, one learner, verify, revoke, verify."""
    operator()
    if organisations:
        pilot.play(learners)
    else:
        story.play()


@tokens.command("grant")
def token_grant(
    organization: Annotated[
        str | None, typer.Argument(help="A slug; left out, the operator's.")
    ] = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "cli",
    permission: Annotated[
        list[Permission] | None, typer.Option(help="May be given several times; all if left out.")
    ] = None,
    days: Annotated[int, typer.Option(help="For how long it is good.", min=1, max=1095)] = 365,
    *,
    test: Annotated[
        bool, typer.Option("--test", help="What is issued with it says TEST and is never genuine.")
    ] = False,
) -> None:
    """Make a token. It is shown this once."""
    env = opened()
    order = TokenOrder(label=label, permissions=permission or None, expires_in_days=days, test=test)
    with env.writing() as session, session.begin():
        made = grant_token(env, session, operator(), organization, order)
    permissions = ", ".join(made.row.permissions)
    _shown(
        {"id": made.row.id, "token": made.token, "permissions": permissions}
        | ({"test": "TEST"} if test else {})
    )


@tokens.command("list")
def token_list(
    organization: Annotated[
        str | None, typer.Argument(help="A slug; left out, the operator's.")
    ] = None,
) -> None:
    """The tokens of an organisation, without their secrets."""
    operator()
    env = opened()
    organization_id = acting_for(env, organization).own_organization() if organization else None
    with env.reading() as session:
        rows = [
            [
                row.id,
                row.label,
                ", ".join(row.permissions),
                f"{row.expires_at:%Y-%m-%d}",
                _token_state(row, env),
            ]
            for row in access.every(session, organization_id=organization_id)
        ]
    if CHOICE.as_json:
        names = ["id", "label", "permissions", "expires", "state"]
        answer({"tokens": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    table("Tokens", ["Id", "Label", "Permissions", "Expires", ""], rows)


@tokens.command("revoke")
def token_revoke(token_id: Annotated[str, typer.Argument(help="The id of the token.")]) -> None:
    """Withdraw a token: it opens nothing from now on."""
    env = opened()
    with env.writing() as session, session.begin():
        revoke_token(env, session, operator(), token_id)
    _shown({"id": token_id, "state": "withdrawn"})


for command in (
    carry.verify,
    carry.lint,
    carry.bake,
    carry.unbake,
    holder.link,
    holder.dispute,
    keys.keys,
    keys.rotate_key,
    keys.rotate_kek,
    doctor.doctor,
):
    app.command()(command)
app.add_typer(keys.domains, name="own-domain")
app.add_typer(people.app, name="person")
app.add_typer(work.app, name="batch")
app.add_typer(together.delegations, name="delegation")
app.add_typer(together.reviews, name="review")
app.command("invite")(invite.invite_somebody)
app.command("confirm")(together.confirm)
app.command("correct")(together.correct)
app.command("notice")(holder.notice)
app.command("resend")(holder.resend_all)
app.command("letter")(together.letter)
app.command("statistics")(together.statistics)
app.command("work")(work.work)
app.command("audit")(audit.audit)
app.command("backup")(backup.backup)
app.command("sunset")(leave.sunset)
app.command("export")(leave.export)
app.command("export-learner")(leave.export_learner)
app.command("erase")(leave.erase)
app.command("restore")(backup.restore)
app.command("login")(people.login)
app.command("logout")(people.logout)
app.command("whoami")(people.whoami)
app.add_typer(systems.systems, name="system")
app.add_typer(systems.webhooks, name="webhook")
app.add_typer(vc_api.app, name="vc-api")
app.add_typer(jose.app, name="jose")


def _token_state(row: access.ApiToken, env: Environment) -> str:
    if row.revoked_at is not None:
        return "withdrawn"
    return "expired" if row.expires_at is not None and row.expires_at <= env.now() else "good"


def _code(session: Session, row: award.Award) -> str:
    found = definition.by_id(session, row.definition_version_id)
    return found[1].code if found else ""


def _version(env: Environment, reference: str) -> tuple[Actor, str]:
    slug, _, rest = reference.partition("/")
    code, _, version = rest.partition("/")
    with env.reading() as session:
        found = definition.by_address(session, slug=slug, code=code, version=version)
    if found is None:
        raise NotFound("definition", definition=reference)
    return acting_for(env, slug), found[0].id


def _model(model: type[Message], given: dict[str, object]) -> Message:
    return validated(model, {name: value for name, value in given.items() if value is not None})


def _shown(members: dict[str, str]) -> None:
    if CHOICE.as_json:
        answer(members)
        return
    width = max(map(len, members)) + 2
    for name, value in members.items():
        say_line(f"{name:<{width}}{value}")


def _language(text: str) -> Language:
    return "sv" if text == "sv" else "en"
