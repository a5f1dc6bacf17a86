"""What makes a credential a badge: its definition, its achievement, who vouches for it; and notes on the issuer."""

import base64
import hashlib
import json

from kpass_vc.dids import method_of
from kpass_vc.formats import missing_claims
from kpass_vc.model.document import JsonObject
from kpass_vc.model.status import only
from kpass_vc.verification.case import Case, entries, issuer_of, member, not_had, text, unchecked
from kpass_vc.verification.evidence import stands_under
from kpass_vc.verification.report import Finding


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
    if published is None:
        if creator is None or creator.id == issuer:
            return Finding("achievement", "passed", "issuers_own")
        return Finding("achievement", "unknown", "not_available", {"url": achievement.id[:300]})
    edition = json.loads(published)
    edition.pop("@context", None)
    if _embedded_achievement(case.credential) != edition:
        return Finding("achievement", "failed", "differs", {"url": achievement.id[:300]})
    document = _definition_url(case, achievement.id)
    if document is None:
        return Finding("achievement", "failed", "definition_missing")
    if issuer not in case.evidence.authorised.get(document, frozenset()):
        owner = str(member(edition, "creator", "name"))
        return Finding("achievement", "failed", "not_authorised", {"owner": owner})
    return Finding(
        "achievement", "passed", "passed", {"owner": str(member(edition, "creator", "name"))}
    )


def notes(case: Case) -> tuple[Finding, ...]:
    """What the reader should know and what decides nothing."""
    found: list[Finding] = []
    issuer = issuer_of(case.credential) or ""
    if issuer.startswith("did:key:"):
        found.append(Finding("note", "passed", "issuer_unconfirmed"))
    domain = _own_domain(case, issuer)
    if domain is not None:
        found.append(Finding("note", "passed", "issuer_domain", {"domain": domain}))
    if any(_is_for_somebody(proof.options) for _, proof in case.proofs):
        found.append(Finding("note", "passed", "proof_for_somebody"))
    if len(case.proofs) < len(case.presented.proofs):
        found.append(Finding("note", "passed", "proof_not_read"))
    absent = [name for _, proof in case.proofs for name in missing_claims(case.presented, proof)]
    if absent and not case.profile.demands_claims:
        found.append(Finding("note", "passed", "claims_missing", {"claims": ", ".join(absent)}))
    for resource in (case.model.related_resource or []) if case.model else []:
        state = case.evidence.definition_states.get(resource.id)
        if state in {"superseded", "retired"}:
            found.append(Finding("note", "passed", f"definition_{state}"))
    return tuple(found)


def _own_domain(case: Case, issuer: str) -> str | None:
    """The web address that a did:web from elsewhere is confirmed by, or None."""
    if issuer not in case.documents or not issuer.startswith("did:web:"):
        return None
    place = (method_of(issuer).address(issuer) or "").removeprefix("https://")
    if place.startswith(f"{case.evidence.home.partition('://')[2]}/"):
        return None
    return place.removesuffix("/did.json").removesuffix("/.well-known")


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
