"""From a published achievement, an issuer, a holder and a status entry to an unsigned OpenBadgeCredential.

The embedded achievement is the published language edition minus its @context,
verbatim, so that anyone can compare the two. One IRI stands in one role:
`relatedResource` names the definition document, never the achievement.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from kpass_vc.jsonld.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from kpass_vc.language import Language, say
from kpass_vc.model.dates import end_of_day, local_text, start_of_day, utc_text
from kpass_vc.model.document import JsonObject
from kpass_vc.model.slots import Place

CONTEXTS: Final = (CREDENTIALS_V2, OPEN_BADGES_3)
_TYPES: Final = ("VerifiableCredential", "OpenBadgeCredential")
TEST: Final = "TestCredential"
"""What a credential is, in our vocabulary, that is a test."""
PART: Final = "CredentialPart"
"""What a piece of evidence is, in our vocabulary, that is another credential of the learner."""
AUTHORIZATION: Final = "IssuingAuthorization"
CONFIRMED: Final = "ConfirmedOrganizations"
"""An operator's list of the organisations it has made sure of."""
"""What the authorisation is called that `termsOfUse` names, in our vocabulary."""


@dataclass(frozen=True)
class Issuer:
    """An organisation as its credentials show it, in one language."""

    did: str
    name: str
    url: str | None
    email: str | None
    image: str | None
    country: str


@dataclass(frozen=True)
class Holder:
    """The learner: the subject's id, and a name and an e-mail hash where they are to stand in the credential."""

    id: str
    name: str | None = None
    email: str | None = None
    email_salt: str = ""


@dataclass(frozen=True)
class StatusEntry:
    """Where the credential's status bit lies."""

    list_url: str
    purpose: str
    index: int


@dataclass(frozen=True)
class Piece:
    """One piece of evidence."""

    name: str | None = None
    narrative: str | None = None
    genre: str | None = None
    url: str | None = None
    is_part: bool = False
    """Whether it is another credential of the learner, which this one is made of."""


@dataclass(frozen=True)
class Award:
    """What one credential says beside the achievement."""

    credential_id: str
    holder: Holder
    assessed_on: date
    valid_from: datetime
    valid_until: date | None
    evidence: Sequence[Piece]
    status: StatusEntry
    definition_url: str
    definition_digest: str
    authorization_url: str | None = None
    """The owner's authorisation that it is issued under."""
    replaces: str | None = None
    """The id of the credential that it corrects."""
    endorsements: Sequence[JsonObject] = ()
    """What others have signed about its definition."""
    is_test: bool = False
    """Whether it is a test, which it then says itself."""


def compose(
    award: Award,
    issuer: Issuer,
    edition: Mapping[str, object],
    *,
    vocabulary: str,
    language: Language = "sv",
) -> JsonObject:
    """The unsigned credential; `edition` is the published Achievement document of its language."""
    achievement = {name: value for name, value in edition.items() if name != "@context"}
    credential: JsonObject = {
        "@context": list(CONTEXTS),
        "id": award.credential_id,
        "type": list(_TYPES),
        "name": achievement["name"],
        "description": achievement["description"],
        "issuer": issuer_profile(issuer, achievement),
        "awardedDate": _first_moment(award.assessed_on),
        "validFrom": utc_text(award.valid_from),
    }
    if award.valid_until is not None:
        credential["validUntil"] = _last_moment(award.valid_until)
    credential["credentialSubject"] = _subject(award.holder, achievement)
    if award.evidence:
        credential["evidence"] = [_evidence(piece, vocabulary) for piece in award.evidence]
    credential["credentialStatus"] = status_entry(award.status)
    credential["relatedResource"] = [
        {
            "id": award.definition_url,
            "mediaType": "application/json",
            "digestSRI": award.definition_digest,
        }
    ]
    if award.authorization_url is not None:
        credential["termsOfUse"] = [
            {"id": award.authorization_url, "type": f"{vocabulary}{AUTHORIZATION}"}
        ]
    if award.endorsements:
        credential["endorsement"] = list(award.endorsements)
    if award.is_test:
        credential["type"] = [*_TYPES, f"{vocabulary}{TEST}"]
        for member in ("name", "description"):
            credential[member] = say(language, "credential.test", text=credential[member])
    if award.replaces is not None:
        credential[f"{vocabulary}replaces"] = {"id": award.replaces}
    return credential


def slots(award: Award) -> list[tuple[Place, str]]:
    """The places in a credential of `compose` where awards of one kind differ, and the texts of this one."""
    subject: Place = ("credentialSubject",)
    found: list[tuple[Place, str]] = [
        (("id",), award.credential_id),
        (("awardedDate",), _first_moment(award.assessed_on)),
        (("validFrom",), utc_text(award.valid_from)),
        ((*subject, "id"), award.holder.id),
        (("credentialStatus", "id"), f"{award.status.list_url}#{award.status.index}"),
        (("credentialStatus", "statusListIndex"), str(award.status.index)),
    ]
    if award.valid_until is not None:
        found.append((("validUntil",), _last_moment(award.valid_until)))
    if award.holder.name is not None:
        found.append(((*subject, "identifier", 0, "identityHash"), award.holder.name))
    if award.holder.email is not None:
        at: Place = (*subject, "identifier", 0 if award.holder.name is None else 1)
        digest = identity_hash(award.holder.email.lower(), award.holder.email_salt)
        found += [((*at, "identityHash"), digest), ((*at, "salt"), award.holder.email_salt)]
    for number, piece in enumerate(award.evidence):
        found += [
            (("evidence", number, name), text)
            for name, text in (
                ("id", piece.url),
                ("name", piece.name),
                ("narrative", piece.narrative),
                ("genre", piece.genre),
            )
            if text is not None
        ]
    return found


def kind_of(award: Award) -> tuple[object, ...] | None:
    """What awards have in common whose credentials differ only in their slots, of one edition and issuer.

    None for one that is of no kind: it names another credential, or holds what others have signed.
    """
    if award.replaces is not None or award.endorsements:
        return None
    return (
        award.valid_until is None,
        award.holder.name is None,
        award.holder.email is None,
        tuple(
            (piece.url is None, piece.name is None, piece.narrative is None, piece.genre is None)
            for piece in award.evidence
        ),
        tuple(piece.is_part for piece in award.evidence),
        award.status.list_url,
        award.status.purpose,
        award.definition_url,
        award.definition_digest,
        award.authorization_url,
        award.is_test,
    )


@lru_cache(maxsize=4096)
def _first_moment(day: date) -> str:
    return local_text(start_of_day(day))


@lru_cache(maxsize=4096)
def _last_moment(day: date) -> str:
    return local_text(end_of_day(day))


def issuer_profile(issuer: Issuer, achievement: Mapping[str, object] | None = None) -> JsonObject:
    """The issuer as Open Badges shows it.

    Where it is also the achievement's creator, it holds exactly what stands there:
    one IRI described in two ways could be re-spelled under the same signature.
    """
    creator = achievement.get("creator") if achievement else None
    if isinstance(creator, Mapping) and creator.get("id") == issuer.did:
        return dict(creator)
    profile: JsonObject = {"id": issuer.did, "type": ["Profile"], "name": issuer.name}
    if issuer.url:
        profile["url"] = issuer.url
    if issuer.email:
        profile["email"] = issuer.email
    if issuer.image:
        profile["image"] = {"id": issuer.image, "type": "Image"}
    profile["address"] = {"type": ["Address"], "addressCountryCode": issuer.country}
    return profile


def status_entry(status: StatusEntry) -> JsonObject:
    """The `credentialStatus` of a credential: one object, as 1EdTech's schema demands."""
    return {
        "id": f"{status.list_url}#{status.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": status.purpose,
        "statusListIndex": str(status.index),
        "statusListCredential": status.list_url,
    }


def identity_hash(identifier: str, salt: str) -> str:
    """The hash of an identifier and its salt (Open Badges 3.0, IdentityHash)."""
    return "sha256$" + hashlib.sha256((identifier + salt).encode("utf-8")).hexdigest()


def _subject(holder: Holder, achievement: Mapping[str, object]) -> JsonObject:
    subject: JsonObject = {"id": holder.id, "type": ["AchievementSubject"]}
    identifiers: list[JsonObject] = []
    if holder.name is not None:
        identifiers.append(
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": holder.name,
                "identityType": "name",
            }
        )
    if holder.email is not None:
        identifiers.append(
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": identity_hash(holder.email.lower(), holder.email_salt),
                "identityType": "emailAddress",
                "salt": holder.email_salt,
            }
        )
    if identifiers:
        subject["identifier"] = identifiers
    subject["achievement"] = dict(achievement)
    result = _result(achievement)
    if result:
        subject["result"] = [result]
    return subject


def _result(achievement: Mapping[str, object]) -> JsonObject | None:
    descriptions = achievement.get("resultDescription")
    if not isinstance(descriptions, list):
        return None
    described: JsonObject = descriptions[0]
    return {
        "type": ["Result"],
        "resultDescription": described["id"],
        "status": "Completed",
        "value": described["requiredValue"],
    }


def _evidence(piece: Piece, vocabulary: str) -> JsonObject:
    members = {
        "id": piece.url,
        "name": piece.name,
        "narrative": piece.narrative,
        "genre": piece.genre,
    }
    types = ["Evidence", f"{vocabulary}{PART}"] if piece.is_part else ["Evidence"]
    return {"type": types} | {name: value for name, value in members.items() if value is not None}
