"""Everything that is stored about a learner, in one file for the learner.

Behind a private link it is what belongs to that one credential. The organisation, which answers who asks what is
known about them, gets all that it has issued to the same learner, as far as it knows that it is the same.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.bake import baked
from kpass_vc.actions.erase import of_the_same
from kpass_vc.actions.learners import open_contact
from kpass_vc.actions.share import code_of, open_holder
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.records import audit as audits
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import dispute as disputes
from kpass_vc.records import learner as learners
from kpass_vc.records import letter as letters
from kpass_vc.records import share_link as share_links
from kpass_vc.records.award import Award


def learner_export(env: Environment, session: Session, token: str) -> bytes:
    """What a private link opens as a zip: each form of the credential, its pictures, and `about.json` with all else."""
    award = open_holder(env, session, token).award
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        pack(env, session, award, packed, "", by_learner=True)
    return found.getvalue()


def export_learner(env: Environment, session: Session, actor: Actor, award_id: str) -> bytes:
    """The same of every credential of the learner of an award: those that `erase` would forget, a folder for each.

    Who may have a learner forgotten may read what would be. What share links are called, and their codes, is not
    in it: that nobody else sees it is what the learner was told. It stands on the learner's own page.
    """
    actor.require(Permission.LEARNERS_ERASE)
    organization_id = actor.own_organization()
    first = awards.by_id(
        session, organization_id=organization_id, award_id=award_id, tests_only=actor.is_test
    )
    if first is None:
        raise NotFound("credential", credential=award_id)
    held = sorted(of_the_same(session, first), key=lambda award: (award.issued_at, award.id))
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        for award in held:
            pack(env, session, award, packed, f"{award.id}/", by_learner=False)
    for award in held:
        audit(env, session, actor, "learner.exported", award.id, organization_id=organization_id)
    return found.getvalue()


def pack(
    env: Environment,
    session: Session,
    award: Award,
    packed: zipfile.ZipFile,
    folder: str,
    *,
    by_learner: bool,
) -> None:
    """Put all that is stored about an award into a zip, under a folder."""
    for row in awards.representations(session, award_id=award.id):
        if not row.body:
            continue  # of a learner who was forgotten
        form = FORMATS[row.format]
        packed.writestr(f"{folder}credential.{row.language}.{form.extension}", row.body)
        if form.extension == "json":
            packed.writestr(f"{folder}badge.{row.language}.png", baked(session, award, row, "png"))
    about = _about(env, session, award, by_learner=by_learner)
    text = json.dumps(about, ensure_ascii=False, indent=2, default=str)
    packed.writestr(f"{folder}about.json", text)


def _about(
    env: Environment, session: Session, award: Award, *, by_learner: bool
) -> Mapping[str, Any]:
    organization_id = award.organization_id
    version = definitions.by_id(session, award.definition_version_id)
    letter = letters.of_award(session, award_id=award.id)
    rows = batches.of_award(session, organization_id=organization_id, award_id=award.id)
    done = audits.of_subjects(session, organization_id=organization_id, subjects=[award.id])
    return {
        "id": award.id,
        "definition": version[0].document_url if version else None,
        "holderId": award.holder_id,
        "holderName": award.holder_name,
        "assessedOn": award.assessed_on,
        "issuedAt": award.issued_at,
        "validUntil": award.valid_until,
        "status": award.state,
        "reason": award.reason,
        "statusChangedAt": award.status_changed_at,
        "replaces": award.replaces_id,
        "externalReference": award.external_reference,
        "test": award.is_test,
        "channel": award.channel,
        "accepted": award.claimed_at,
        "forgotten": award.erased_at,
        **_learner(env, session, award),
        "shareLinks": [
            {
                "language": link.language,
                "made": link.created_at,
                "until": link.expires_at,
                "withdrawn": link.revoked_at,
            }
            | ({"label": link.label, "code": code_of(env, link)} if by_learner else {})
            for link in share_links.of_award(session, award_id=award.id)
        ],
        "disputes": [
            {
                "text": row.text,
                "openedAt": row.opened_at,
                "answer": row.answer,
                "closedAt": row.closed_at,
            }
            for row in disputes.of_award(session, award_id=award.id)
        ],
        "notices": [
            {
                "kind": row.kind,
                "state": row.state,
                "madeAt": row.created_at,
                "sentAt": row.sent_at,
                "error": row.last_error,
            }
            for row in deliveries.of_award(
                session, organization_id=organization_id, award_id=award.id
            )
        ],
        "letter": {"madeAt": letter.made_at, "until": letter.expires_at, "used": letter.used_at}
        if letter
        else None,
        "batchRows": [
            {"batch": row.batch_id, "row": row.number, "state": row.state, "errors": row.errors}
            for row in rows
        ],
        "done": done.get(award.id, []),
    }


def _learner(env: Environment, session: Session, award: Award) -> Mapping[str, Any]:
    row = (
        learners.by_id(session, organization_id=award.organization_id, learner_id=award.learner_id)
        if award.learner_id
        else None
    )
    contact = open_contact(env, row.id, row.sealed_contact) if row and row.sealed_contact else None
    return {
        "address": {"email": contact.email, "language": contact.language} if contact else None,
        "knownByAReferenceOfTheIssuers": bool(row and row.reference_index),
        "knownSince": row.created_at if row else None,
    }
