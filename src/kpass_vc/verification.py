"""CHECKS in order, and verify(): what was presented + gathered evidence -> VerificationReport.

Every check passes, fails or stays unknown. `verified` is true only when every
one passed: what could not be checked is not verified. No check raises,
fetches or reads the clock; what is missing from the evidence is unknown.
"""

import base64
import hashlib
import json
import math
import posixpath
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, cast
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from kpass_vc import statuslist
from kpass_vc.crypto.jose import from_jwk
from kpass_vc.crypto.keys import PublicKey
from kpass_vc.dids import method_of, public_key
from kpass_vc.errors import InvalidInput, KpassError, Malformed, ProofInvalid, StatusListUnusable
from kpass_vc.formats import FORMATS, recognise
from kpass_vc.formats.format import Presented, PresentedProof
from kpass_vc.jsonld.contexts import CREDENTIALS_V2, Contexts
from kpass_vc.jsonld.expansion import to_quads
from kpass_vc.language import Language, say
from kpass_vc.model.credential import OpenBadgeCredential
from kpass_vc.model.dates import day_text, parse_date_time
from kpass_vc.model.did import find_method, method_ids
from kpass_vc.model.document import JsonObject
from kpass_vc.model.field_errors import field_errors
from kpass_vc.model.status import (
    BitstringStatusListCredential,
    BitstringStatusListEntry,
    CredentialStatus,
    only,
)

Outcome = Literal["passed", "failed", "unknown"]
Verdict = Literal["verified", "refused", "unknown"]
LEEWAY: Final = timedelta(seconds=60)
"""How far another's clock may be ahead of ours."""

MOST_WANTED: Final = 20
"""Resources, and status lists, that are looked up for one credential."""

OPEN_BADGES: Final = (
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
)
ACCEPTED: Final = frozenset(
    {
        CREDENTIALS_V2,
        *OPEN_BADGES,
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        "https://w3id.org/security/data-integrity/v2",
        "https://w3id.org/security/multikey/v1",
    }
)
"""The contexts a badge may have: each says what every one of its terms means, none takes any term at all."""


@dataclass(frozen=True)
class Evidence:
    """What was gathered to judge by. What could not be had is left out."""

    now: datetime
    contexts: Contexts
    home: str = ""
    """The public URL of this service: what stands under it and is not published here is not true."""
    did_documents: Mapping[str, JsonObject] = field(default_factory=dict)
    """By DID."""
    withdrawn_keys: Mapping[str, datetime] = field(default_factory=dict)
    """When a key was withdrawn as compromised, by verification method."""
    status_lists: Mapping[str, bytes] = field(default_factory=dict)
    """Secured status list credentials, by URL."""
    resources: Mapping[str, bytes] = field(default_factory=dict)
    """Definitions and achievements that are published here, by URL."""
    fetched: Mapping[str, bytes] = field(default_factory=dict)
    """Related resources that lie elsewhere, by URL: their bytes, and nothing of them believed."""
    missing: Mapping[str, KpassError] = field(default_factory=dict)
    """Why something that was looked for elsewhere could not be had, by DID or URL."""
    definition_states: Mapping[str, str] = field(default_factory=dict)
    """published, superseded or retired, by the URL of the definition document."""
    authorised: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The DIDs the owner lets issue, by the URL of the definition document."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: a code for programs, data and cause for the sentence."""

    check: str
    outcome: Outcome
    code: str
    data: Mapping[str, object] = field(default_factory=dict)
    cause: KpassError | None = None

    def sentence(self, language: Language) -> str:
        """What was found, for a person."""
        reason = self.cause.sentence(language) if self.cause else ""
        return say(language, f"check.{self.check}.{self.code}", reason=reason, **self.data)


@dataclass(frozen=True)
class VerificationReport:
    """Every check with its outcome, and what the credential says."""

    findings: tuple[Finding, ...]
    presented: Presented | None
    notes: tuple[Finding, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether every check passed."""
        return all(finding.outcome == "passed" for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """`refused` if a check failed; else `unknown` if one could not be made."""
        outcomes = {finding.outcome for finding in self.findings}
        if "failed" in outcomes:
            return "refused"
        return "unknown" if "unknown" in outcomes else "verified"


@dataclass(frozen=True)
class Wanted:
    """What would help to verify a credential: DIDs and URLs that it names."""

    did: str | None = None
    status_lists: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """The achievement, and what the credential binds."""
    related: tuple[str, ...] = ()
    """What it binds by a digest."""


@dataclass
class _Case:
    """One credential, and what the checks have found out about it so far."""

    presented: Presented
    evidence: Evidence
    model: OpenBadgeCredential | None = None
    did_document: JsonObject | None = None
    key: PublicKey | None = None

    @property
    def credential(self) -> JsonObject:
        """The credential without its proof."""
        return self.presented.document

    @property
    def proof(self) -> PresentedProof:
        """The proof that is judged."""
        return self.presented.proofs[0]


def verify(body: bytes, evidence: Evidence) -> VerificationReport:
    """The report on a secured credential. Raises for nothing that `body` may hold."""
    try:
        presented = recognise(body).read(body)
    except Malformed as error:
        parsed = Finding("parsed", "failed", "failed", cause=error)
        rest = [_unchecked(name) for name in CHECKS]
        return VerificationReport((parsed, *rest), None)
    case = _Case(presented, evidence)
    parsed = Finding("parsed", "passed", "passed", {"format": presented.format})
    findings = [check(case) for check in CHECKS.values()]
    return VerificationReport((parsed, *findings), presented, _notes(case))


def wanted(body: bytes) -> Wanted:
    """What a credential names that one would have to look up; nothing if it cannot be read."""
    try:
        credential = recognise(body).read(body).document
    except Malformed:
        return Wanted()
    lists = [
        _text(_member(e, "statusListCredential"))
        for e in _entries(credential.get("credentialStatus"))
    ]
    related = [entry for entry in _entries(credential.get("relatedResource")) if entry is not None]
    resources = [_text(_member(credential, "credentialSubject", "achievement", "id"))]
    resources += [_text(_member(entry, "id")) for entry in related]
    bound = [_text(_member(entry, "id")) for entry in related if _member(entry, "digestSRI")]
    issuer = credential.get("issuer")
    return Wanted(
        did=_text(issuer) or _text(_member(issuer, "id")),
        status_lists=_first(lists),
        resources=_first(resources),
        related=_first(bound),
    )


def _first(found: list[str | None]) -> tuple[str, ...]:
    """The first few different texts: nobody makes us look up more."""
    return tuple(dict.fromkeys(text for text in found if text is not None))[:MOST_WANTED]


def check_contexts(case: _Case) -> Finding:
    """Whether the contexts are known ones, credentials/v2 first and an Open Badges one with it."""
    found = case.credential.get("@context")
    if not isinstance(found, list) or not found or found[0] != CREDENTIALS_V2:
        return Finding("contexts", "failed", "first")
    for context in found:
        if not isinstance(context, str):
            return Finding("contexts", "failed", "inline")
        if context not in ACCEPTED:
            return Finding("contexts", "failed", "unknown_context", {"url": context[:200]})
    if not set(OPEN_BADGES) & set(found):
        return Finding("contexts", "failed", "no_open_badges")
    return Finding("contexts", "passed", "passed")


def check_structure(case: _Case) -> Finding:
    """Whether it has what Open Badges 3.0 and VCDM 2.0 demand of a credential."""
    try:
        case.model = OpenBadgeCredential.model_validate(case.credential)
    except ValidationError as error:
        return Finding(
            "structure", "failed", "failed", cause=InvalidInput(*field_errors(error)[:5])
        )
    return Finding("structure", "passed", "passed")


def check_terms(case: _Case) -> Finding:
    """Whether the contexts define every term, so that nothing in it goes unsigned.

    A member that is spelled by its IRI or a keyword is signed and yet no JSON reader
    sees it: who holds a revoked credential could hide its status that way, the proof
    intact. An empty list carries nothing, so it could be added unseen, and a blank node
    that is named can be described in two places.
    """
    for part in (case.credential, case.proof.options):
        found = _unplain_member(part)
        if found is not None:
            return Finding("terms", "failed", "unplain_member", {"member": found[:200]})
    try:
        to_quads(case.credential, case.evidence.contexts)
    except Malformed as error:
        return Finding("terms", "failed", "failed", cause=error)
    return Finding("terms", "passed", "passed")


def check_did(case: _Case) -> Finding:
    """Whether the issuer's DID resolves."""
    did = _issuer(case.credential)
    if did is None:
        return _unchecked("did")
    if not did.startswith("did:"):
        return Finding("did", "unknown", "not_a_did", {"issuer": did[:200]})
    try:
        method = method_of(did)
        fetched = None
        if method.address(did) is not None:
            if did not in case.evidence.did_documents:
                return _not_had(case, "did", did, {"did": did[:300]})
            fetched = case.evidence.did_documents[did]
        case.did_document = method.document(did, fetched)
    except Malformed as error:
        outcome: Outcome = "unknown" if error.rule == "did_method" else "failed"
        return Finding("did", outcome, "failed", cause=error)
    return Finding("did", "passed", "passed", {"did": did[:300]})


def check_key(case: _Case) -> Finding:
    """Whether the key that the proof names is one the issuer's DID lists for issuing."""
    did, method_id = _issuer(case.credential), case.proof.verification_method
    if case.did_document is None or did is None:
        return _unchecked("key")
    if method_id is not None and method_id.partition("#")[0] not in {did, ""}:
        return Finding("key", "failed", "not_the_issuers", {"method": method_id[:300]})
    named = f"{did}{method_id}" if (method_id or "").startswith("#") else method_id or ""
    if named in case.evidence.withdrawn_keys:
        day = _day(case.evidence.withdrawn_keys[named])
        return Finding("key", "failed", "compromised", {"since": day})
    try:
        case.key = _key_of(case.did_document, did, case.proof, case.evidence.now)
    except Malformed as error:
        return Finding("key", "failed", "failed", cause=error)
    return Finding("key", "passed", "passed")


def check_proof(case: _Case) -> Finding:
    """Whether the proof holds under that key."""
    if case.key is None:
        return _unchecked("proof")
    try:
        FORMATS[case.presented.format].check_proof(
            case.presented, case.proof, case.key, case.evidence.contexts
        )
    except (Malformed, ProofInvalid) as error:
        return Finding("proof", "failed", "failed", cause=error)
    # an Open Badges JWT repeats the credential's dates, which are judged as such
    repeated = frozenset({"exp", "nbf"} if case.presented.format == "vc-jwt" else ())
    found = _proof_times(case.proof.options, case.evidence.now, repeated)
    return found or Finding("proof", "passed", "passed")


def _proof_times(
    proof: JsonObject, now: datetime, repeated: frozenset[str] = frozenset()
) -> Finding | None:
    """What the options of a proof that holds say against it; a moment that is none says so too.

    `repeated` names the claims of a JWT that say only what the credential says.
    """
    if "previousProof" in proof:
        return Finding("proof", "unknown", "chain")
    if "created" in proof and not _before(proof["created"], now + LEEWAY):
        return Finding("proof", "failed", "in_future")
    if "expires" in proof and _before(proof["expires"], now):
        return Finding("proof", "failed", "expired")
    if "expires" in proof and parse_date_time(str(proof["expires"])) is None:
        return Finding("proof", "failed", "expired")
    claims = proof.get("claims")
    found = claims if isinstance(claims, dict) else {}
    judged = {name: _seconds(found[name]) for name in found.keys() - repeated}
    if "exp" in judged and not judged["exp"] > now.timestamp():
        return Finding("proof", "failed", "expired")
    starts = [judged[name] for name in ("nbf", "iat") if name in judged]
    if not all(start <= (now + LEEWAY).timestamp() for start in starts):
        return Finding("proof", "failed", "in_future")
    return None


def _seconds(claim: object) -> float:
    """A NumericDate (RFC 7519 section 2); not a number, and so neither before nor after, for anything else."""
    is_number = isinstance(claim, int | float) and not isinstance(claim, bool)
    return float(cast("float", claim)) if is_number else math.nan


def _before(text: object, moment: datetime) -> bool:
    """Whether a text is a date-time that is not after a moment."""
    found = parse_date_time(text) if isinstance(text, str) else None
    return found is not None and found <= moment


def check_dates(case: _Case) -> Finding:
    """Whether it is valid now, by its own dates."""
    if case.model is None:
        return _unchecked("dates")
    start = parse_date_time(case.model.valid_from)
    end = parse_date_time(case.model.valid_until) if case.model.valid_until else None
    if start is None or start > case.evidence.now + LEEWAY:
        return Finding("dates", "failed", "not_yet_valid", {"from": _day(start)})
    if end is None:
        return Finding("dates", "passed", "no_end")
    if end <= case.evidence.now:
        return Finding("dates", "failed", "expired", {"until": _day(end)})
    return Finding("dates", "passed", "passed", {"until": _day(end)})


def _day(moment: datetime | None) -> str:
    return day_text(moment) if moment is not None else ""


def check_status(case: _Case) -> Finding:
    """Whether the issuer's status list says that it is revoked or suspended."""
    if case.model is None:
        return _unchecked("status")
    entries = case.model.credential_status
    if entries is None:
        return Finding("status", "passed", "none")
    found = [_status_of(case, entry) for entry in entries]
    return min(found, key=lambda finding: _WORST_FIRST.index(finding.outcome))


def _status_of(case: _Case, given: CredentialStatus) -> Finding:
    if "BitstringStatusListEntry" not in given.type:
        return Finding("status", "unknown", "unsupported", {"type": ", ".join(given.type)[:200]})
    try:
        entry = BitstringStatusListEntry.model_validate(
            given.model_dump(by_alias=True, exclude_unset=True)
        )
    except ValidationError as error:
        return Finding(
            "status", "failed", "list_unusable", cause=InvalidInput(*field_errors(error)[:5])
        )
    body = case.evidence.status_lists.get(entry.status_list_credential)
    if body is None:
        url = entry.status_list_credential
        return _not_had(case, "status", url, {"list": url[:300]})
    if case.did_document is None:
        return _unchecked("status")
    try:
        raised = _status_bit(case, body, entry)
    except (Malformed, ProofInvalid, StatusListUnusable) as error:
        return Finding("status", "failed", "list_unusable", cause=error)
    if raised is None:
        return Finding("status", "unknown", "list_out_of_date")
    if raised:
        code = _RAISED.get(entry.status_purpose, "raised")
        return Finding("status", "failed", code, {"purpose": entry.status_purpose[:80]})
    return Finding("status", "passed", "passed")


_WORST_FIRST: Final = ("failed", "unknown", "passed")
_RAISED: Final = {"revocation": "revoked", "suspension": "suspended"}


def check_definition(case: _Case) -> Finding:
    """Whether the definition it binds by digest is the one that lies there."""
    if case.model is None:
        return _unchecked("definition")
    resources = case.model.related_resource
    if resources is None:
        return Finding("definition", "passed", "none")
    for resource in resources:
        if resource.digest_sri is None:
            return Finding("definition", "unknown", "no_digest", {"url": resource.id[:300]})
        body = case.evidence.resources.get(resource.id, case.evidence.fetched.get(resource.id))
        if body is None:
            return _not_had(case, "definition", resource.id, {"url": resource.id[:300]})
        if not _digest_holds(resource.digest_sri, body):
            return Finding("definition", "failed", "differs", {"url": resource.id[:300]})
    return Finding("definition", "passed", "passed")


def check_achievement(case: _Case) -> Finding:
    """Whether the achievement is the published one, and its owner lets this issuer issue it."""
    if case.model is None:
        return _unchecked("achievement")
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
        owner = str(_member(edition, "creator", "name"))
        return Finding("achievement", "failed", "not_authorised", {"owner": owner})
    return Finding(
        "achievement", "passed", "passed", {"owner": str(_member(edition, "creator", "name"))}
    )


def check_endorsements(case: _Case) -> Finding:
    """Whether others who vouch for it in it were checked: their words are credentials of their own."""
    pending: list[object] = [case.credential]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if {"endorsement", "endorsementJwt"} & part.keys():
                return Finding("endorsements", "unknown", "not_available")
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return Finding("endorsements", "passed", "none")


Check = Callable[[_Case], Finding]

CHECKS: Final[Mapping[str, Check]] = {
    "contexts": check_contexts,
    "structure": check_structure,
    "terms": check_terms,
    "did": check_did,
    "key": check_key,
    "proof": check_proof,
    "dates": check_dates,
    "status": check_status,
    "definition": check_definition,
    "achievement": check_achievement,
    "endorsements": check_endorsements,
}
"""In the order of the report, after `parsed`; a later check reads what an earlier one found."""


def _notes(case: _Case) -> tuple[Finding, ...]:
    """What the reader should know and what decides nothing."""
    found: list[Finding] = []
    issuer = _issuer(case.credential) or ""
    if issuer.startswith("did:key:"):
        found.append(Finding("note", "passed", "issuer_unconfirmed"))
    domain = _own_domain(case, issuer)
    if domain is not None:
        found.append(Finding("note", "passed", "issuer_domain", {"domain": domain}))
    is_for_somebody = _member(case.proof.options, "claims", "aud") is not None
    if is_for_somebody or {"domain", "challenge"} & case.proof.options.keys():
        found.append(Finding("note", "passed", "proof_for_somebody"))
    for resource in (case.model.related_resource or []) if case.model else []:
        state = case.evidence.definition_states.get(resource.id)
        if state in {"superseded", "retired"}:
            found.append(Finding("note", "passed", f"definition_{state}"))
    return tuple(found)


def _own_domain(case: _Case, issuer: str) -> str | None:
    """The web address that a did:web from elsewhere is confirmed by, or None."""
    if case.did_document is None or not issuer.startswith("did:web:"):
        return None
    place = (method_of(issuer).address(issuer) or "").removeprefix("https://")
    if place.startswith(f"{case.evidence.home.partition('://')[2]}/"):
        return None
    return place.removesuffix("/did.json").removesuffix("/.well-known")


def _not_had(case: _Case, check: str, name: str, data: Mapping[str, object]) -> Finding:
    """That something which lies elsewhere could not be had, and why if it was looked for."""
    cause = case.evidence.missing.get(name)
    code = "not_available" if cause is None else "not_fetched"
    return Finding(check, "unknown", code, data, cause)


def _unchecked(check: str) -> Finding:
    return Finding(check, "unknown", "not_checked")


def _key_of(document: JsonObject, did: str, proof: PresentedProof, now: datetime) -> PublicKey:
    """The key a proof names or shows, if the issuer's document lists it for assertion; else Malformed."""
    if proof.verification_method is None:
        shown = from_jwk(proof.jwk or {})
        for method_id in method_ids(document, "assertionMethod"):
            with suppress(Malformed):  # another key, of a kind that we do not take
                if _method_key(document, did, method_id, now) == shown:
                    return shown
        raise Malformed("no_such_key", method="jwk", field="assertionMethod")
    method_id = proof.verification_method
    method_id = did + method_id if method_id.startswith("#") else method_id
    return _method_key(document, did, method_id, now)


def _method_key(document: JsonObject, did: str, method_id: str, now: datetime) -> PublicKey:
    """The key of a method that its issuer still stands by (Controlled Identifiers 1.0 section 2.2)."""
    method = find_method(document, method_id, "assertionMethod")
    if method.controller != did:
        raise Malformed("broken_key", method=method_id[:300], field="controller")
    for name in ("revoked", "expires"):
        until = method.members.get(name)
        moment = parse_date_time(until) if isinstance(until, str) else None
        if name in method.members and (moment is None or moment <= now):
            raise Malformed("key_ended", method=method_id[:300], field=name)
    return public_key(method)


def _status_bit(case: _Case, body: bytes, entry: BitstringStatusListEntry) -> bool | None:
    """The bit of a list that its issuer signed for this purpose; None if the list is not valid now."""
    presented = recognise(body).read(body)
    proof = presented.proofs[0]
    try:
        status_list = BitstringStatusListCredential.model_validate(presented.document)
    except ValidationError as error:
        raise StatusListUnusable("structure") from error
    if "BitstringStatusListCredential" not in status_list.type:
        raise StatusListUnusable("structure")
    issuer = _issuer(case.credential)
    if status_list.issuer != issuer or case.did_document is None:
        raise StatusListUnusable("issuer")
    if status_list.id != entry.status_list_credential:
        raise StatusListUnusable("id")
    purpose = entry.status_purpose
    if purpose not in status_list.credential_subject.status_purpose:
        raise StatusListUnusable("purpose", purpose=purpose[:80])
    if (proof.verification_method or "").partition("#")[0] not in {issuer, ""}:
        raise StatusListUnusable("issuer")
    key = _key_of(case.did_document, issuer, proof, case.evidence.now)
    FORMATS[presented.format].check_proof(presented, proof, key, case.evidence.contexts)
    now = case.evidence.now
    if not _is_current(status_list, now) or _proof_times(proof.options, now) is not None:
        return None
    bits = statuslist.decode(status_list.credential_subject.encoded_list)
    return statuslist.get(bits, int(entry.status_list_index))


def _is_current(status_list: BitstringStatusListCredential, now: datetime) -> bool:
    """Whether a list is valid by its own dates."""
    since = parse_date_time(status_list.valid_from) if status_list.valid_from else None
    until = parse_date_time(status_list.valid_until) if status_list.valid_until else None
    return (since is None or since <= now + LEEWAY) and (until is None or until > now)


def _definition_url(case: _Case, achievement_url: str) -> str | None:
    """The definition document that is bound by digest and lies in the achievement's folder."""
    folder = achievement_url.rpartition("/")[0]
    for resource in (case.model.related_resource or []) if case.model else []:
        if resource.id.rpartition("/")[0] == folder and resource.id in case.evidence.authorised:
            return resource.id
    return None


def _claimed_here(case: _Case) -> str | None:
    """The first address under our own that the achievement or its parts claim, however it is spelled."""
    achievement = _embedded_achievement(case.credential)
    names = ("criteria", "image", "otherIdentifier", "resultDescription")
    parts = [
        achievement,
        *(entry for name in names for entry in _entries(_member(achievement, name))),
    ]
    parts += _entries(case.credential.get("relatedResource"))
    found = [_text(_member(part, name)) for part in parts for name in ("id", "identifier")]
    home = f"{case.evidence.home}/o/"
    for address in (case.credential.get("id"), *found):
        if case.evidence.home and isinstance(address, str) and stands_under(address, home):
            return address
    return None


def stands_under(address: str, folder: str) -> bool:
    """Whether a web address leads into a folder, however it is spelled: as a browser would follow it."""
    return _place(address).startswith(_place(folder))


def _place(address: str) -> str:
    """Host, port unless it is the usual one, and path of a web address, in one spelling; "" if it is none."""
    scheme, _, rest = address.strip().replace("\\", "/").partition(":")
    if scheme.lower() not in {"http", "https"}:
        return ""
    try:
        parts = urlsplit("//" + rest.lstrip("/"))
        host, port = unquote(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    host = unicodedata.normalize("NFKC", host).lower().rstrip(".")
    usual = port in {None, 80, 443}
    path = posixpath.normpath(f"/{unquote(parts.path).lower()}").strip("/")
    return f"{host}:{'' if usual else port}/{path}{'/' if path else ''}"


def _digest_holds(digest_sri: str, body: bytes) -> bool:
    """Whether a Subresource Integrity digest of SHA-256, -384 or -512 is that of the bytes."""
    name, _, value = digest_sri.partition("-")
    if name not in {"sha256", "sha384", "sha512"}:
        return False
    return base64.b64encode(hashlib.new(name, body).digest()).decode() == value


def _embedded_achievement(credential: JsonObject) -> object:
    return _member(only(credential.get("credentialSubject")), "achievement")


def _unplain_member(document: JsonObject) -> str | None:
    """The first member that is spelled by an IRI or a keyword, empty, or names a blank node, if there is one."""
    pending: list[object] = [document]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            for name, member in part.items():
                if name != "@context" and _is_unplain(name, member):
                    return str(name)
            pending.extend(member for name, member in part.items() if name != "@context")
        elif isinstance(part, list):
            pending.extend(part)
    return None


def _is_unplain(name: str, member: object) -> bool:
    blank = name == "id" and isinstance(member, str) and member.startswith("_:")
    return ":" in name or name.startswith("@") or member == [] or blank


def _issuer(credential: JsonObject) -> str | None:
    issuer = credential.get("issuer")
    return _text(issuer) or _text(_member(issuer, "id"))


def _member(value: object, *names: str) -> object:
    for name in names:
        value = only(value)
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
