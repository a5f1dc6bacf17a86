"""`kpass sunset`, `kpass export`, `kpass erase`: how a service, an organisation and a learner leave."""

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from sqlalchemy.orm import Session

from kpass_vc import resources
from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.close import close_lists
from kpass_vc.actions.erase import erase as act_erase
from kpass_vc.actions.offline import PUBLIC, bundled, verify_offline
from kpass_vc.authz import Permission
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
from kpass_vc.compose.authorization import withdrawal_url
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound, Unavailable
from kpass_vc.formats import FORMATS
from kpass_vc.language import LANGUAGES, say
from kpass_vc.records import audit as audits
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.organization import OPERATOR_SLUG, Organization
from kpass_vc.verification import VerificationReport

_PAGE = 200


def sunset(
    folder: Annotated[Path, typer.Argument(help="The folder to write; it becomes the web root.")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Nothing is issued or revoked any more after this.")
    ] = False,
) -> None:
    """End the service: every public artefact as a file, with final status lists, for any plain web server.

    Issuing and revoking stop for good. Files lie at the paths of their addresses; a status list's JWT lies beside it
    as .jwt, for a server that can answer `Accept: application/vc+jwt` with it.
    """
    if not yes:
        raise typer.BadParameter("nothing is issued or revoked any more after this; say --yes")
    env = opened()
    chain_all(env)
    with env.writing() as session, session.begin():
        close_lists(env, session, operator())
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
    actor.require(Permission.ORGANIZATION_EXPORT)
    chain_all(env)
    with env.reading() as session:
        owner = organizations.by_id(session, actor.own_organization())
        if owner is None:
            raise NotFound("organization", organization=organization)
        addresses = list(_addresses(env, session, [owner]))
        if organizations.the_operator(session) is not None:
            addresses += (env.addresses.did_document(OPERATOR_SLUG), env.addresses.confirmed)
        ask = _our_service(env)
        served = {each: ask(each, "*/*") for each in dict.fromkeys(addresses)}
        beside = file.with_name(f"{file.name}.new")
        beside.touch(mode=0o600)
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as packed:
            for address, body in served.items():
                if body is not None:
                    packed.writestr(PUBLIC + urlsplit(address).path.lstrip("/"), body)
            count = _credentials(session, owner, packed)
            _audit(session, owner, packed)
        beside.replace(file)
    if CHOICE.as_json:
        answer({"file": str(file), "credentials": count})
    else:
        say_line(say(CHOICE.language, "leave.exported", file=file, count=count))


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


def write_public(env: Environment, folder: Path) -> int:
    """Write every public artefact at the path of its address; says how many files that is."""
    with env.reading() as session:
        owners = organizations.every(session)
        operator_row = organizations.the_operator(session)
        if operator_row is not None:
            owners.append(operator_row)
        addresses = list(dict.fromkeys(_addresses(env, session, owners)))
    count, ask = 0, _our_service(env)
    with progress(say(CHOICE.language, "leave.writing"), len(addresses)) as shown:
        for address in addresses:
            body = ask(address, "*/*")
            step(shown, "")
            if body is None:
                continue
            _write(folder, address, body)
            count += 1
            if "/status/" in address:
                jwt = ask(address, "application/vc+jwt")
                _write(folder, address.removesuffix(".json") + ".jwt", jwt or b"")
                count += 1
    return count


def _write(folder: Path, address: str, body: bytes) -> None:
    place = folder / urlsplit(address).path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)


def _addresses(env: Environment, session: Session, owners: list[Organization]) -> Iterator[str]:
    """The address of every public artefact of some organisations."""
    base = env.addresses.base
    yield f"{base}/.well-known/jwks.json"
    for owner in owners:
        yield env.addresses.did_document(owner.slug)
        yield env.addresses.keys(owner.slug)
        if owner.slug == OPERATOR_SLUG:
            yield env.addresses.confirmed
            yield f"{env.addresses.organization(owner.slug)}/registry.json"
        for row, _ in status_lists.every(session, organization_id=owner.id):
            yield row.url
        for version in definitions.hold_published(session, organization_id=owner.id):
            at = env.addresses.definition_at(version.document_url or "")
            yield from (at.document, at.publication, f"{at.folder}/endorsements.json")
            for language in LANGUAGES:
                yield from (
                    at.achievement(language),
                    at.page(language),
                    at.badge(language),
                    at.badge_svg(language),
                    at.badge_small(language),
                    at.badge_64(language),
                )
            for review in reviews.of_version(session, definition_version_id=version.id):
                if review.endorsement_url:
                    yield review.endorsement_url
        for delegation in delegations.of_organization(session, organization_id=owner.id):
            yield from (delegation.url, withdrawal_url(delegation.url))
        head = audits.last_head(session, organization_id=owner.id)
        if head is not None:
            yield env.addresses.audit_head(owner.slug, head.day.isoformat())
        yield from _others_of(env, session, owner)
    yield f"{base}/static/kpass.css"


def _others_of(env: Environment, session: Session, owner: Organization) -> Iterator[str]:
    """What it takes to verify what an organisation has issued of others' definitions."""
    for delegation in delegations.of_organization(session, organization_id=owner.id):
        other = organizations.by_id(session, delegation.organization_id)
        if other is None or other.id == owner.id or other.is_elsewhere:
            continue
        yield env.addresses.did_document(other.slug)
        for row, _ in status_lists.every(session, organization_id=other.id):
            yield row.url
        for version in definitions.hold_published(session, organization_id=other.id):
            found = definitions.by_id(session, version.id)
            if found is None or not delegation.covers(found[1].code):
                continue
            at = env.addresses.definition_at(version.document_url or "")
            yield from (at.document, at.publication)
            for language in LANGUAGES:
                yield at.achievement(language)


def _credentials(session: Session, owner: Organization, packed: zipfile.ZipFile) -> int:
    offset = 0
    lines = io.StringIO()
    while True:
        page, total = awards.search(session, organization_id=owner.id, limit=_PAGE, offset=offset)
        for award in page:
            rows = awards.representations(session, award_id=award.id)
            for row in rows:
                name = f"credentials/{award.id}.{row.language}.{FORMATS[row.format].extension}"
                if row.body:
                    packed.writestr(name, row.body)
            lines.write(
                json.dumps(
                    {
                        "id": award.id,
                        "state": award.state,
                        "reason": award.reason,
                        "issuedAt": award.issued_at.isoformat(),
                        "externalReference": award.external_reference,
                        "sha256": {f"{r.language}.{r.format}": r.sha256 for r in rows},
                    }
                )
                + "\n"
            )
        offset += _PAGE
        if offset >= total:
            packed.writestr("credentials.jsonl", lines.getvalue())
            return total


def _audit(session: Session, owner: Organization, packed: zipfile.ZipFile) -> None:
    lines = [
        json.dumps(
            {
                "number": entry.number,
                "at": entry.at.isoformat(),
                "organization": entry.organization_id or "",
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "details": entry.details,
                "hash": entry.entry_hash,
            }
        )
        for entry in audits.every(session, organization_id=owner.id)
    ]
    packed.writestr("audit.jsonl", "\n".join(lines))


def _our_service(env: Environment) -> Callable[[str, str], bytes | None]:
    """Gives what our own service answers at an address to whoever accepts a media type; None if that is not there."""
    from kpass_vc.app import create_app  # noqa: PLC0415 - other commands start without it

    app = create_app(env)

    def ask(address: str, accept: str) -> bytes | None:
        return asyncio.run(_ask(app, address.removeprefix(env.addresses.base), accept))

    return ask


async def _ask(app: Any, path: str, accept: str) -> bytes | None:  # noqa: ANN401 - an ASGI application
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"accept", accept.encode()), (b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 443),
    }
    status = 0
    body = b""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, body
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            body += message.get("body", b"")

    await app(scope, receive, send)
    if status >= 500:
        raise Unavailable("unexpected", reference=path)
    return body if status == 200 else None
