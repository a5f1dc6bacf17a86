"""The owner's word for a published definition: a credential over line, version and digests.

Without it the `creator` of an achievement is only what the issuer says. It is
an EndorsementCredential with a type of ours, so that any Open Badges verifier
can check it.
"""

from collections.abc import Mapping
from datetime import datetime

from kpass_vc.addresses import DefinitionAddresses
from kpass_vc.compose.credential import CONTEXTS
from kpass_vc.compose.definition import Owner
from kpass_vc.language import say
from kpass_vc.model.dates import utc_text
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import JsonObject


def publication(
    definition: Definition,
    owner: Owner,
    addresses: DefinitionAddresses,
    digests: Mapping[str, str],
    *,
    country: str,
    vocabulary: str,
    now: datetime,
) -> JsonObject:
    """The unsigned publication; `digests` are those of the document and its Achievements, by URL."""
    words = {
        "code": definition.code,
        "version": definition.version,
        "title": definition.title["sv"],
    }
    issuer: JsonObject = {"id": owner.did, "type": ["Profile"], "name": owner.names["sv"]}
    if owner.url:
        issuer["url"] = owner.url
    issuer["address"] = {"type": ["Address"], "addressCountryCode": country}
    return {
        "@context": list(CONTEXTS),
        "id": addresses.publication,
        "type": [
            "VerifiableCredential",
            "EndorsementCredential",
            f"{vocabulary}DefinitionPublication",
        ],
        "name": say("sv", "definition.publication.name", **words),
        "description": say("sv", "definition.publication.description"),
        "issuer": issuer,
        "validFrom": utc_text(now),
        "credentialSubject": {
            "id": addresses.line,
            "type": ["EndorsementSubject"],
            "endorsementComment": say(
                "sv", "definition.publication.comment", owner=owner.names["sv"], **words
            ),
            f"{vocabulary}version": definition.version,
        },
        "relatedResource": [
            {
                "id": url,
                "mediaType": "application/json"
                if url == addresses.document
                else "application/ld+json",
                "digestSRI": digest,
            }
            for url, digest in digests.items()
        ],
    }
