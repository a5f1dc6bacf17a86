"""Issuers that are not ours, under did:web on a site of their own, with lists that say who is revoked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from openbadgeslib.ob3 import status_entry

from kpass_vc.jsonld.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from tests.interop.foreign import Foreign, Jws, OpenBadgesLibIssuer
from tests.interop.site import Site
from tests.world import LEARNER

SEED = bytes(range(32))
INDEX = {"good": 3, "revoked": 94_567}
ALGORITHMS: tuple[Jws, ...] = ("EdDSA", "ES256")


@dataclass(frozen=True)
class Theirs:
    """What an issuer issued, by the form and then by "good" and "revoked"."""

    did: str
    forms: Mapping[str, Mapping[str, bytes]]


def publish_as_digitalbazaar(foreign: Foreign, site: Site) -> Theirs:
    """Two badges and a JSON-LD list by @digitalbazaar/vc and its companions.

    The host itself is the DID; all that has to lie on the site lies there.
    """
    document, listed = "/.well-known/did.json", "/status/1.json"
    issued = foreign.publish_digitalbazaar(
        [_with_status(site.url(listed), index) for index in INDEX.values()],
        SEED,
        at=site.url(document),
        lists={site.url(listed): [INDEX["revoked"]]},
    )
    site.put(document, "application/json", _json(issued.document))
    site.put(listed, "application/json", _json(issued.lists[site.url(listed)]))
    bodies = map(_json, issued.credentials)
    forms = {"document": dict(zip(INDEX, bodies, strict=True))}
    return Theirs(str(issued.document["id"]), forms)


def publish_as_openbadgeslib(site: Site, folder: str) -> Theirs:
    """Badges in three forms and two JWT lists by openbadgeslib, whose DID is this folder of the site."""
    issuer = OpenBadgesLibIssuer(site.url(folder), SEED)
    site.put(f"{folder}/did.json", "application/json", _json(issuer.document()))
    publish_openbadgeslib_lists(site, folder, [INDEX["revoked"]])
    unsigned = {
        algorithm: {
            name: _with_status(issuer.list_url(algorithm), index) for name, index in INDEX.items()
        }
        for algorithm in ALGORITHMS
    }
    forms = {
        f"jwt {algorithm}": {
            name: issuer.issue_jwt(each, algorithm) for name, each in unsigned[algorithm].items()
        }
        for algorithm in ALGORITHMS
    }
    forms["document"] = {
        name: _json(json.loads(issuer.issue(each))) for name, each in unsigned["EdDSA"].items()
    }
    return Theirs(issuer.did, forms)


def publish_openbadgeslib_lists(site: Site, folder: str, raised: Sequence[int]) -> None:
    """Its lists with these bits raised, as a server gives them that has not heard of JWT."""
    issuer = OpenBadgesLibIssuer(site.url(folder), SEED)
    for algorithm in ALGORITHMS:
        path = issuer.list_url(algorithm).removeprefix(site.url(""))
        body = issuer.status_list(algorithm, raised).encode()
        site.put(path, "application/octet-stream", body)


def _with_status(list_url: str, index: int) -> dict[str, object]:
    entry = status_entry(list_url, "revocation", index)
    return their_credential(id=f"urn:uuid:{uuid4()}", credentialStatus=entry)


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def their_credential(**more: object) -> dict[str, object]:
    """A badge that has nothing to do with this service, unsigned; the issuer puts its DID in."""
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "id": "urn:uuid:5f2c1f7e-3a0b-4a57-9c35-0d2b8f1c6a11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Svetsning, grundnivå",
        "issuer": {
            "id": "https://utfardare.example/",
            "type": ["Profile"],
            "name": "Verkstadsskolan (påhittad)",
        },
        "validFrom": yesterday.isoformat().replace("+00:00", "Z"),
        "credentialSubject": {
            "id": "urn:uuid:0b8f5b0c-95cf-4a0e-8e0a-6a4d7d1d2f10",
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": False,
                    "identityHash": LEARNER,
                    "identityType": "name",
                }
            ],
            "achievement": {
                "id": "https://utfardare.example/svetsning",
                "type": ["Achievement"],
                "name": "Svetsning, grundnivå",
                "description": "Kan lägga en kälfog i stål.",
                "criteria": {"narrative": "Tre godkända provbitar."},
            },
        },
    } | more
