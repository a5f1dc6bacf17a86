"""An owner's signed authorisation of an issuer, and the signed notice that withdraws it.

An authorisation is an EndorsementCredential with a type of ours and a claim that
names definition lines, or a family of them; a credential issued under it names it
in `termsOfUse`. A status bit has no time, so a withdrawal is a notice with a date
beside the bit, at an address that follows from the authorisation's own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kpass_vc.compose.credential import AUTHORIZATION, CONTEXTS, StatusEntry, status_entry
from kpass_vc.compose.definition import Owner
from kpass_vc.jsonld.rdfc import Quad
from kpass_vc.language import say
from kpass_vc.model.dates import day_text, utc_text
from kpass_vc.model.document import JsonObject

WITHDRAWAL: Final = "AuthorizationWithdrawal"
MAY_ISSUE: Final = "mayIssue"
MAY_ISSUE_FAMILY: Final = "mayIssueFamily"


@dataclass(frozen=True)
class Authorization:
    """What an owner lets an issuer do."""

    url: str
    issuer_did: str
    issuer_name: str
    lines: Sequence[str]
    """The IRIs of definition lines."""
    families: Sequence[str]
    """IRIs that the IRIs of all lines of a family begin with; what goes on after it begins with a hyphen."""
    codes: Sequence[str]
    """All of these as people call them."""
    valid_from: datetime
    valid_until: datetime | None
    status: StatusEntry


def withdrawal_url(authorization_url: str) -> str:
    """Where the notice lies that withdraws an authorisation, if there is one."""
    return authorization_url.removesuffix(".json") + ".withdrawal.json"


def authorization(
    given: Authorization, owner: Owner, *, country: str, vocabulary: str
) -> JsonObject:
    """The unsigned authorisation."""
    codes = ", ".join(given.codes)
    words = {
        "codes": codes,
        "owner": owner.names["sv"],
        "issuer": given.issuer_name,
        "since": day_text(given.valid_from),
        "until": day_text(given.valid_until) if given.valid_until else "",
    }
    period = "from_until" if given.valid_until else "from"
    subject: JsonObject = {
        "id": given.issuer_did,
        "type": ["EndorsementSubject"],
        "endorsementComment": say("sv", f"authorization.comment.{period}", **words),
    }
    for claim, iris in ((MAY_ISSUE, given.lines), (MAY_ISSUE_FAMILY, given.families)):
        if iris:
            subject[f"{vocabulary}{claim}"] = [{"id": iri} for iri in iris]
    document: JsonObject = {
        "@context": list(CONTEXTS),
        "id": given.url,
        "type": ["VerifiableCredential", "EndorsementCredential", f"{vocabulary}{AUTHORIZATION}"],
        "name": say("sv", "authorization.name", **words),
        "description": say("sv", "authorization.description"),
        "issuer": owner_profile(owner, country),
        "validFrom": utc_text(given.valid_from),
    }
    if given.valid_until is not None:
        document["validUntil"] = utc_text(given.valid_until)
    document["credentialSubject"] = subject
    document["credentialStatus"] = status_entry(given.status)
    return document


def withdrawal(
    authorization_url: str, owner: Owner, *, country: str, vocabulary: str, now: datetime
) -> JsonObject:
    """The unsigned notice: from `now` on nothing more may be issued under the authorisation."""
    return {
        "@context": list(CONTEXTS),
        "id": withdrawal_url(authorization_url),
        "type": ["VerifiableCredential", "EndorsementCredential", f"{vocabulary}{WITHDRAWAL}"],
        "name": say("sv", "authorization.withdrawal.name"),
        "description": say("sv", "authorization.withdrawal.description"),
        "issuer": owner_profile(owner, country),
        "validFrom": utc_text(now),
        "credentialSubject": {
            "id": authorization_url,
            "type": ["EndorsementSubject"],
            "endorsementComment": say(
                "sv", "authorization.withdrawal.comment", owner=owner.names["sv"], day=day_text(now)
            ),
        },
    }


def owner_profile(owner: Owner, country: str) -> JsonObject:
    """An organisation as it signs what it vouches for."""
    profile: JsonObject = {"id": owner.did, "type": ["Profile"], "name": owner.names["sv"]}
    if owner.url:
        profile["url"] = owner.url
    profile["address"] = {"type": ["Address"], "addressCountryCode": country}
    return profile


def covers(quads: Iterable[Quad], issuer_did: str, vocabulary: str, line: str) -> bool:
    """Whether signed quads say that an issuer may issue a definition line, or a family that it belongs to.

    The quads are what was signed; where in the JSON a statement stands says nothing.
    """
    said = list(quads)
    families = _named(said, issuer_did, f"{vocabulary}{MAY_ISSUE_FAMILY}")
    return line in _named(said, issuer_did, f"{vocabulary}{MAY_ISSUE}") or any(
        line.startswith(f"{family}-") for family in families
    )


def families_in(quads: Iterable[Quad], issuer_did: str, vocabulary: str) -> list[str]:
    """The IRIs of the families that signed quads let an issuer issue."""
    return _named(quads, issuer_did, f"{vocabulary}{MAY_ISSUE_FAMILY}")


def _named(quads: Iterable[Quad], subject: str, predicate: str) -> list[str]:
    return [
        quad.object.removeprefix("<").removesuffix(">")
        for quad in quads
        if quad.subject == f"<{subject}>" and quad.predicate == f"<{predicate}>" and not quad.graph
    ]
