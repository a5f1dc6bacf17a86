"""What makes a credential a badge: its definition, its achievement, who vouches for it; and notes on the issuer."""

import base64
import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from kpass_vc.compose.credential import PART
from kpass_vc.errors import Malformed
from kpass_vc.formats import missing_claims
from kpass_vc.model.dates import day_text
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.model.status import only
from kpass_vc.verification.case import (
    Case,
    entries,
    issuer_of,
    member,
    not_had,
    text,
    unchecked,
    worst,
)
from kpass_vc.verification.confirmation import host_of, is_confirmed_there, service_of
from kpass_vc.verification.endorsement import ENDORSEMENT, endorsement_case
from kpass_vc.verification.evidence import stands_under
from kpass_vc.verification.report import Finding

MOST_PARTS: Final = 100


def check_definition(case: Case) -> Finding:
    """Whether the definition it binds by digest is the one that lies there."""
    if case.model is None:
        return unchecked("definition")
    resources = case.model.related_resource
    if resources is None:
        return Finding("definition", "passed", "none")
    for resource in resources:
        if resource.digest_sri is None:
            return Finding("definition", "unknown", "no_digest", {"url": resource.id[:300]})
        body = case.evidence.resources.get(resource.id, case.evidence.fetched.get(resource.id))
        if body is None:
            return not_had(case, "definition", resource.id, {"url": resource.id[:300]})
        if not _digest_holds(resource.digest_sri, body):
            return Finding("definition", "failed", "differs", {"url": resource.id[:300]})
    return Finding("definition", "passed", "passed")


def check_achievement(case: Case) -> Finding:
    """Whether the achievement is the published one, and its owner lets this issuer issue it."""
    if case.model is None:
        return unchecked("achievement")
    achievement = case.model.credential_subject.achievement
    issuer, creator = case.model.issuer.id, achievement.creator
    published = case.evidence.resources.get(achievement.id)
    claimed = _claimed_here(case)
    if published is None and claimed is not None:
        return Finding("achievement", "failed", "not_published", {"url": claimed[:300]})
    if published is None and (creator is None or creator.id == issuer):
        return Finding("achievement", "passed", "issuers_own")
    if published is None:
        return _published_elsewhere(case, achievement.id)
    edition = _published(published)
    if not _is_embedded(case, edition):
        return Finding("achievement", "failed", "differs", {"url": achievement.id[:300]})
    document = _definition_url(case, achievement.id)
    if document is None:
        return Finding("achievement", "failed", "definition_missing")
    case.document_url = document
    held = case.evidence.resources.get(document)
    case.line = text(_published(held).get("definition")) if held is not None else None
    return Finding(
        "achievement", "passed", "passed", {"owner": str(member(edition, "creator", "name"))}
    )


@lru_cache(maxsize=128)
def _published(body: bytes) -> JsonObject:
    """What we have published, read; for reading only, as every credential of a definition is held against it."""
    found: JsonObject = json.loads(body)
    return found


def publication_of(achievement_url: str) -> str:
    """Where the owner's signed publication lies of a definition that an achievement is an edition of."""
    return f"{achievement_url.rpartition('/')[0]}/publication.json"


def _published_elsewhere(case: Case, url: str) -> Finding:
    """Whether its owner has signed that this is what lies there: the publication names both by their digests."""
    edition, word = case.evidence.fetched.get(url), case.evidence.fetched.get(publication_of(url))
    if edition is None or word is None:
        lacking = url if edition is None else publication_of(url)
        return not_had(case, "achievement", lacking, {"url": lacking[:300]})
    try:
        inner = endorsement_case(case, word)
        published = read_json(edition)
    except Malformed as error:
        return Finding("achievement", "failed", "publication_refused", {"url": url[:300]}, error)
    owner = text(member(_embedded_achievement(case.credential), "creator", "id"))
    bound = {
        text(member(entry, "id")): text(member(entry, "digestSRI"))
        for entry in entries(inner.credential.get("relatedResource"))
    }
    definition = [
        resource
        for resource in (case.model.related_resource or [] if case.model else [])
        if resource.digest_sri and bound.get(resource.id) == resource.digest_sri
    ]
    if issuer_of(inner.credential) != owner or not _digest_holds(bound.get(url) or "", edition):
        return Finding("achievement", "failed", "publication_refused", {"url": url[:300]})
    if not definition:
        return Finding("achievement", "failed", "definition_missing")
    if not _is_embedded(case, published):
        return Finding("achievement", "failed", "differs", {"url": url[:300]})
    findings = [check(inner) for check in ENDORSEMENT.checks.values()]
    seen = worst(findings)
    if seen.outcome == "failed":
        words = {"url": url[:300]}
        return Finding("achievement", "failed", "publication_refused", words, seen.cause)
    if seen.outcome == "unknown":
        return Finding("achievement", "unknown", "not_available", {"url": url[:300]}, seen.cause)
    case.line = text(member(inner.credential, "credentialSubject", "id"))
    return Finding(
        "achievement", "passed", "passed", {"owner": str(member(published, "creator", "name"))}
    )


def _is_embedded(case: Case, edition: JsonObject) -> bool:
    """Whether a published edition stands in it, letter for letter, but for its contexts."""
    rest = {name: value for name, value in edition.items() if name != "@context"}
    return _embedded_achievement(case.credential) == rest


def notes(case: Case) -> tuple[Finding, ...]:
    """What the reader should know and what decides nothing."""
    return (
        *_about_the_issuer(case),
        *_about_the_proofs(case),
        *_about_the_definition(case),
        *_about_the_parts(case),
    )


def part_ids(credential: JsonObject) -> list[str]:
    """The ids of the credentials that one is made of."""
    return [
        place
        for entry in entries(credential.get("evidence"))
        for place in [text(member(entry, "id"))]
        if place and any(str(kind).endswith(f"#{PART}") for kind in entries(member(entry, "type")))
    ][:MOST_PARTS]


def _about_the_parts(case: Case) -> Iterator[Finding]:
    """What has become of the credentials that it is made of; none of it undoes this one, whose issuer decides that."""
    ids = part_ids(case.credential)
    if not ids:
        return
    names = {
        text(member(entry, "id")): text(member(entry, "name")) or ""
        for entry in entries(case.credential.get("evidence"))
    }
    states = [(names.get(each) or each, case.evidence.parts.get(each)) for each in ids]
    valid = sum(state == "active" for _, state in states)
    yield Finding("note", "passed", "parts", {"count": len(ids), "valid": valid})
    for name, state in states:
        if state is None:
            yield Finding("note", "passed", "part_elsewhere", {"name": name[:200]})
        elif state != "active":
            yield Finding("note", "passed", f"part_{state}", {"name": name[:200]})


def _about_the_issuer(case: Case) -> Iterator[Finding]:
    """How the issuer was confirmed to be who it says: by its own domain, by an operator, or not at all."""
    issuer = issuer_of(case.credential) or ""
    if issuer.startswith("did:key:"):
        yield Finding("note", "passed", "issuer_unconfirmed")
    if issuer not in case.documents or not issuer.startswith("did:web:"):
        return
    home = case.evidence.home.partition("://")[2]
    domain, service = host_of(issuer), service_of(issuer)
    if domain is not None and domain != home:
        yield Finding("note", "passed", "issuer_domain", {"domain": domain})
    elif issuer in case.evidence.confirmed:
        words = {"day": day_text(case.evidence.confirmed[issuer])}
        yield Finding("note", "passed", "issuer_confirmed", words)
    elif service == home:
        yield Finding("note", "passed", "issuer_not_confirmed")
    else:
        there = "confirmed" if is_confirmed_there(case, issuer) else "not_confirmed"
        yield Finding("note", "passed", f"issuer_{there}_there", {"host": service[:200]})


def _about_the_proofs(case: Case) -> Iterator[Finding]:
    if any(_is_for_somebody(proof.options) for _, proof in case.proofs):
        yield Finding("note", "passed", "proof_for_somebody")
    if len(case.proofs) < len(case.presented.proofs):
        yield Finding("note", "passed", "proof_not_read")
    absent = [name for _, proof in case.proofs for name in missing_claims(case.presented, proof)]
    if absent and not case.profile.demands_claims:
        yield Finding("note", "passed", "claims_missing", {"claims": ", ".join(absent)})


def _about_the_definition(case: Case) -> Iterator[Finding]:
    """Whether it is the newest, who has looked at it, and whether it should have been looked at again."""
    for resource in (case.model.related_resource or []) if case.model else []:
        state = case.evidence.definition_states.get(resource.id)
        if state is None:
            continue
        if state in {"superseded", "retired"}:
            yield Finding("note", "passed", f"definition_{state}")
        reviewers = case.evidence.reviewed.get(resource.id)
        if reviewers:
            yield Finding("note", "passed", "reviewed", {"reviewers": ", ".join(reviewers)})
        else:
            yield Finding("note", "passed", "not_reviewed")
        due = case.evidence.review_due.get(resource.id)
        if due is not None:
            yield Finding("note", "passed", "review_due", {"due": due.isoformat()})


def _is_for_somebody(options: JsonObject) -> bool:
    is_for = member(options, "claims", "aud") is not None
    return is_for or bool({"domain", "challenge", "key_binding"} & options.keys())


def _definition_url(case: Case, achievement_url: str) -> str | None:
    """The definition document that is bound by digest and lies in the achievement's folder."""
    folder = achievement_url.rpartition("/")[0]
    for resource in (case.model.related_resource or []) if case.model else []:
        if resource.id.rpartition("/")[0] == folder and resource.id in case.evidence.authorised:
            return resource.id
    return None


def _claimed_here(case: Case) -> str | None:
    """The first address under our own that the achievement or its parts claim, however it is spelled."""
    achievement = _embedded_achievement(case.credential)
    names = ("criteria", "image", "otherIdentifier", "resultDescription")
    parts = [
        achievement,
        *(entry for name in names for entry in entries(member(achievement, name))),
    ]
    parts += entries(case.credential.get("relatedResource"))
    found = [text(member(part, name)) for part in parts for name in ("id", "identifier")]
    home = f"{case.evidence.home}/o/"
    for address in (case.credential.get("id"), *found):
        if case.evidence.home and isinstance(address, str) and stands_under(address, home):
            return address
    return None


def _digest_holds(digest_sri: str, body: bytes) -> bool:
    """Whether a Subresource Integrity digest of SHA-256, -384 or -512 is that of the bytes."""
    name, _, value = digest_sri.partition("-")
    if name not in {"sha256", "sha384", "sha512"}:
        return False
    return base64.b64encode(hashlib.new(name, body).digest()).decode() == value


def _embedded_achievement(credential: JsonObject) -> object:
    return member(only(credential.get("credentialSubject")), "achievement")
