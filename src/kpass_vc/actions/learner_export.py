"""Everything that is stored about a learner's credential, in one file for the learner."""

import io
import json
import zipfile
from typing import Any

from sqlalchemy.orm import Session

from kpass_vc.actions.bake import baked
from kpass_vc.actions.learners import open_contact
from kpass_vc.actions.share import code_of, open_holder
from kpass_vc.environment import Environment
from kpass_vc.formats import FORMATS
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import learner as learners


def learner_export(env: Environment, session: Session, token: str) -> bytes:
    """A zip: each form of the credential, its pictures, and `about.json` with all else that is kept."""
    held = open_holder(env, session, token)
    award = held.award
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        for row in held.representations:
            form = FORMATS[row.format]
            packed.writestr(f"credential.{row.language}.{form.extension}", row.body)
            if form.extension == "json":
                packed.writestr(f"badge.{row.language}.png", baked(session, award, row, "png"))
        packed.writestr(
            "about.json", json.dumps(_about(env, session, token), indent=2, default=str)
        )
    return found.getvalue()


def _about(env: Environment, session: Session, token: str) -> dict[str, Any]:
    held = open_holder(env, session, token)
    award = held.award
    learner = (
        learners.by_id(session, organization_id=award.organization_id, learner_id=award.learner_id)
        if award.learner_id
        else None
    )
    contact = (
        open_contact(env, learner.id, learner.sealed_contact)
        if learner and learner.sealed_contact
        else None
    )
    notices = deliveries.of_award(session, organization_id=award.organization_id, award_id=award.id)
    return {
        "id": award.id,
        "holderId": award.holder_id,
        "holderName": award.holder_name,
        "assessedOn": award.assessed_on,
        "issuedAt": award.issued_at,
        "validUntil": award.valid_until,
        "status": award.state,
        "reason": award.reason,
        "externalReference": award.external_reference,
        "accepted": award.claimed_at,
        "address": {"email": contact.email, "language": contact.language} if contact else None,
        "knownByAReferenceOfTheIssuers": bool(learner and learner.reference_index),
        "shareLinks": [
            {
                "label": link.label,
                "code": code_of(env, link),
                "until": link.expires_at,
                "withdrawn": link.revoked_at,
            }
            for link in held.links
        ],
        "dispute": {
            "text": held.dispute.text,
            "openedAt": held.dispute.opened_at,
            "answer": held.dispute.answer,
        }
        if held.dispute
        else None,
        "notices": [
            {"kind": row.kind, "state": row.state, "sentAt": row.sent_at} for row in notices
        ],
    }
