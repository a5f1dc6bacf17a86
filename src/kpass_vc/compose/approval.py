"""A reviewer's word for a definition version: an EndorsementCredential over code, version and content hash."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kpass_vc.addresses import DefinitionAddresses
from kpass_vc.compose.authorization import owner_profile
from kpass_vc.compose.credential import CONTEXTS
from kpass_vc.compose.definition import Owner
from kpass_vc.language import say
from kpass_vc.model.dates import utc_text
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import JsonObject

APPROVAL: Final = "DefinitionApproval"


def approval(
    definition: Definition,
    reviewer: Owner,
    addresses: DefinitionAddresses,
    digest_sri: str,
    *,
    url: str,
    country: str,
    vocabulary: str,
    owner_name: str,
    now: datetime,
) -> JsonObject:
    """The unsigned approval; `digest_sri` is that of the document that is to be published."""
    words: Mapping[str, str] = {
        "code": definition.code,
        "version": definition.version,
        "title": definition.title["sv"],
        "reviewer": reviewer.names["sv"],
        "owner": owner_name,
    }
    return {
        "@context": list(CONTEXTS),
        "id": url,
        "type": ["VerifiableCredential", "EndorsementCredential", f"{vocabulary}{APPROVAL}"],
        "name": say("sv", "review.approval.name", **words),
        "description": say("sv", "review.approval.description"),
        "issuer": owner_profile(reviewer, country),
        "validFrom": utc_text(now),
        "credentialSubject": {
            "id": addresses.line,
            "type": ["EndorsementSubject"],
            "endorsementComment": say("sv", "review.approval.comment", **words),
            f"{vocabulary}version": definition.version,
        },
        "relatedResource": [
            {
                "id": addresses.document,
                "mediaType": "application/json",
                "digestSRI": digest_sri,
            }
        ],
    }
