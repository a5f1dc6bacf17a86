"""All of an organisation in one file: what it has published, its credentials and its log.

It verifies offline. The published artefacts are what the service itself answers, asked one by one,
so that no transaction is open meanwhile.
"""

import io
import json
import zipfile
from typing import IO, Final

from sqlalchemy.orm import Session

from kpass_vc.actions.artefacts import Ask, artefacts, confirmations
from kpass_vc.actions.audit import audit
from kpass_vc.actions.chain import chain_audit, sign_head
from kpass_vc.actions.offline import PUBLIC
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.records import audit as audits
from kpass_vc.records import award as awards
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import Organization

_PAGE: Final = 200


def export(env: Environment, actor: Actor, ask: Ask, out: IO[bytes]) -> int:
    """Write the zip of the actor's own organisation; says how many credentials are in it."""
    actor.require(Permission.ORGANIZATION_EXPORT)
    organization_id = actor.own_organization()
    with env.writing() as session, session.begin():
        audit(
            env,
            session,
            actor,
            "organization.exported",
            organization_id,
            organization_id=organization_id,
        )
    chain_audit(env, organization_id)
    sign_head(env, organization_id)
    with env.reading() as session:
        found = [
            *artefacts(env, session, [_owner(session, organization_id)]),
            *confirmations(env, session),
        ]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in found:
            published = ask(each.address, each.accept)
            if published is not None:
                packed.writestr(PUBLIC + each.file, published.body)
        with env.snapshot() as session:
            owner = _owner(session, organization_id)
            count = _credentials(session, owner, packed)
            _audit(session, owner, packed)
    return count


def _owner(session: Session, organization_id: str) -> Organization:
    found = organizations.by_id(session, organization_id)
    if found is None:
        raise NotFound("organization", organization=organization_id)
    return found


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
