"""What 1EdTech's public validator would say of a badge, probe by probe, by the validator's own names.

Another question than ours: a badge may be genuine and yet fail there, since the validator reads fewer forms
and demands more members; and the other way round. Each probe is stated here from what the validator demands
(version 1.11.0), as facts; its code and 1EdTech's schema files are not here. `fatal` stops it: what comes
after is not run.
"""

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from kpass_vc import statuslist
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.dids import method_of, public_key
from kpass_vc.errors import KpassError, Malformed, ProofInvalid, StatusListUnusable
from kpass_vc.formats import FORMATS, recognise
from kpass_vc.formats.format import Presented, PresentedProof
from kpass_vc.jsonld.contexts import CREDENTIALS_V1, CREDENTIALS_V2, OPEN_BADGES_3
from kpass_vc.language import Language, say
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.did import find_method
from kpass_vc.model.document import JsonObject
from kpass_vc.model.open_badge_schema import schema_faults
from kpass_vc.verification.case import entries, issuer_of, member, text
from kpass_vc.verification.endorsement import endorsements as endorsements_in
from kpass_vc.verification.evidence import Evidence

Level = Literal["ok", "warning", "error", "fatal", "not_run"]

_OLD_CONTEXT: Final = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/(context(-\d+\.\d+\.\d+)?\.json|context/ob_v3p0\.jsonld)\Z"
)
_LEAST_BITS: Final = 131_072
_JWT_KEYS: Final = {Algorithm.P256: "ES256", Algorithm.RSA: "RS256"}
_PROOF_KEYS: Final = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384)
_EMBEDDED: Final = ("Ed25519Signature2020", "DataIntegrityProof")
_MOST_ENDORSEMENTS: Final = 5


@dataclass(frozen=True)
class ProbeResult:
    """What one probe would say: its name there, how grave it is, and why."""

    probe: str
    level: Level
    code: str = "ok"
    data: Mapping[str, object] = field(default_factory=dict)
    cause: KpassError | None = None

    def sentence(self, language: Language) -> str:
        """Why, and what to do, for whoever issues."""
        key = self.code if self.code in {"ok", "not_run"} else f"{self.probe}.{self.code}"
        reason = self.cause.sentence(language) if self.cause else ""
        return say(language, f"probe.{key}", reason=reason, **self.data)


@dataclass
class _Case:
    presented: Presented
    evidence: Evidence

    @property
    def credential(self) -> JsonObject:
        return self.presented.document

    @property
    def is_jwt(self) -> bool:
        return self.presented.format != "ldp_vc"

    @property
    def types(self) -> list[object]:
        return entries(self.credential.get("type"))


Probe = Callable[[_Case], Iterator[ProbeResult]]


def probe(
    body: bytes, evidence: Evidence, known: Presented | None = None
) -> tuple[ProbeResult, ...]:
    """Every probe's results in the validator's order. Raises for nothing that `body` may hold.

    `known` is what was read of it before, perhaps out of an envelope, which the validator does not open.
    """
    try:
        is_read = known is not None and known.secured.strip() == body.strip()
        presented = known if known and is_read else recognise(body).read(body)
    except Malformed as error:
        first = ProbeResult("CredentialParseProbe", "fatal", "unreadable", cause=error)
        return (first, *(ProbeResult(name, "not_run", "not_run") for name in PROBES))
    if presented.format in {"vc+sd-jwt", "vc+cose"} or presented.format.startswith("vp"):
        found = {"format": presented.format}
        first = ProbeResult("CredentialParseProbe", "fatal", "format", found)
        return (first, *(ProbeResult(name, "not_run", "not_run") for name in PROBES))
    results = [ProbeResult("CredentialParseProbe", "ok")]
    case = _Case(presented, evidence)
    for name, run in PROBES.items():
        if any(result.level == "fatal" for result in results):
            results.append(ProbeResult(name, "not_run", "not_run"))
            continue
        results += list(run(case)) or [ProbeResult(name, "ok")]
    return tuple(results)


def json_ld(case: _Case) -> Iterator[ProbeResult]:
    """Any JSON-LD error, an undefined term among them."""
    try:
        case.presented.graph(case.evidence.contexts).nodes()
    except Malformed as error:
        yield ProbeResult("JsonLDValidationProbe", "error", "json_ld", cause=error)


def context_property(case: _Case) -> Iterator[ProbeResult]:
    """credentials/v2 first, Open Badges 3.0.3 second; older ones in their places are warnings."""
    name = "ContextPropertyProbe"
    if "@context" not in case.credential:
        return
    found = [*entries(case.credential["@context"]), None, None]
    if found[0] == CREDENTIALS_V1:
        yield ProbeResult(name, "warning", "old_base")
    elif found[0] != CREDENTIALS_V2:
        yield ProbeResult(name, "error", "base", {"expected": CREDENTIALS_V2})
    if found[1] == OPEN_BADGES_3:
        return
    if isinstance(found[1], str) and _OLD_CONTEXT.match(found[1]):
        yield ProbeResult(name, "warning", "old_badge", {"found": found[1][:200]})
    else:
        yield ProbeResult(name, "error", "badge", {"expected": OPEN_BADGES_3})


def type_property(case: _Case) -> Iterator[ProbeResult]:
    """A VerifiableCredential that is an OpenBadgeCredential or AchievementCredential."""
    name = "TypePropertyProbe"
    if "type" not in case.credential:
        yield ProbeResult(name, "fatal", "missing")
    elif "VerifiableCredential" not in case.types:
        yield ProbeResult(name, "fatal", "lacks", {"type": "VerifiableCredential"})
    elif not {"OpenBadgeCredential", "AchievementCredential"} & set(map(str, case.types)):
        yield ProbeResult(name, "fatal", "lacks", {"type": "OpenBadgeCredential"})


def json_schemas(case: _Case) -> Iterator[ProbeResult]:
    """What 1EdTech's schema demands; that of data model 1.1 is not judged here."""
    name = "JsonSchemasProbe"
    if entries(case.credential.get("@context"))[:1] == [CREDENTIALS_V1]:
        yield ProbeResult(name, "warning", "version_1")
        return
    document = dict(case.credential)
    if not case.is_jwt:
        document["proof"] = [proof.options for proof in case.presented.proofs]
    for fault in list(schema_faults(document))[:5]:
        yield ProbeResult(name, "error", "schema", {"place": fault.place, "rule": fault.rule[:200]})


def inline_schema(case: _Case) -> Iterator[ProbeResult]:
    """A credentialSchema of 1EdTech's type that is not the canonical one is read there, and was not here."""
    for schema in entries(case.credential.get("credentialSchema", [])):
        url = str(member(schema, "id"))
        kinds = entries(member(schema, "type"))
        if "1EdTechJsonSchemaValidator2019" not in kinds or "/spec/ob/v3p0/schema/json" in url:
            continue
        yield ProbeResult("InlineJsonSchemaProbe", "warning", "not_read", {"url": url[:200]})


def credential_subject(case: _Case) -> Iterator[ProbeResult]:
    """What the subject, its identifiers, results and achievement must say."""
    name = "CredentialSubjectProbe"
    subject = member(case.credential, "credentialSubject")
    if not isinstance(subject, dict):
        yield ProbeResult(name, "error", "missing", {"member": "credentialSubject"})
        return
    yield from _typed(name, subject, "AchievementSubject", "credentialSubject")
    if "id" not in subject and "identifier" not in subject:
        yield ProbeResult(name, "error", "nobody")
    parts = (("identifier", "IdentityObject"), ("result", "Result"), ("source", "Profile"))
    for part, kind in parts:
        for entry in entries(subject.get(part, [])):
            yield from _typed(name, entry, kind, part)
    achievement = member(subject, "achievement")
    if not isinstance(achievement, dict):
        yield ProbeResult(name, "error", "missing", {"member": "achievement"})
        return
    for entry in entries(achievement.get("resultDescription", [])):
        yield from _typed(name, entry, "ResultDescription", "resultDescription")
    criteria = achievement.get("criteria")
    if not isinstance(criteria, dict) or not {"id", "narrative"} & criteria.keys():
        yield ProbeResult(name, "error", "criteria")


def evidence_types(case: _Case) -> Iterator[ProbeResult]:
    """Evidence says that it is Evidence."""
    for entry in entries(case.credential.get("evidence", [])):
        yield from _typed("EvidenceProbe", entry, "Evidence", "evidence")


def issuer(case: _Case) -> Iterator[ProbeResult]:
    """The issuer is an object with the type Profile."""
    name = "IssuerProbe"
    found = case.credential.get("issuer")
    if found is None:
        yield ProbeResult(name, "error", "missing", {"member": "issuer"})
        return
    if not isinstance(found, dict):
        yield ProbeResult(name, "error", "only_an_id")
        return
    yield from _typed(name, found, "Profile", "issuer")
    for entry in entries(found.get("otherIdentifier", [])):
        yield from _typed(name, entry, "IdentifierEntry", "otherIdentifier")
    if "parentOrg" in found:
        yield from _typed(name, found["parentOrg"], "Profile", "parentOrg")


def proofs(case: _Case) -> Iterator[ProbeResult]:
    """The signature, by the probe of its kind."""
    yield from _external(case) if case.is_jwt else _embedded(case)


def _external(case: _Case) -> Iterator[ProbeResult]:
    """A JWT: RS256 or ES256, with a key that is a JWK in the issuer's document, within its own dates."""
    name = "ExternalProofProbe"
    (proof,) = case.presented.proofs
    algorithm = proof.options.get("alg")
    if algorithm not in {"RS256", "ES256"}:
        yield ProbeResult(name, "fatal", "algorithm", {"algorithm": str(algorithm)[:40]})
        return
    key = yield from _jwt_key(case, proof)
    if key is None:
        return
    if _JWT_KEYS.get(key.algorithm) != algorithm:
        yield ProbeResult(name, "fatal", "key_kind", {"kind": key.algorithm.value})
        return
    yield from _signature(case, proof, key, name, "fatal")
    claims = proof.options.get("claims")
    found = claims if isinstance(claims, dict) else {}
    now = case.evidence.now.timestamp()
    ends, starts = found.get("exp"), found.get("nbf")
    if isinstance(ends, int | float) and ends <= now:
        yield ProbeResult(name, "fatal", "expired")
    if isinstance(starts, int | float) and starts > now:
        yield ProbeResult(name, "fatal", "not_yet")


def _jwt_key(case: _Case, proof: PresentedProof) -> Generator[ProbeResult, None, PublicKey | None]:
    """The key of a JWT, or what the validator says where it finds none."""
    name = "ExternalProofProbe"
    method_id = proof.verification_method
    if method_id is None:
        yield ProbeResult(name, "warning", "jwk_not_compared")
        return None
    try:
        document = _document(case, method_id.partition("#")[0])
    except Malformed as error:
        yield ProbeResult(name, "fatal", "kid", {"kid": method_id[:200]}, error)
        return None
    if document is None:
        yield ProbeResult(name, "warning", "not_fetched", {"kid": method_id[:200]})
        return None
    try:
        method = find_method(document, method_id, "assertionMethod")
        if "publicKeyJwk" not in method.members:
            yield ProbeResult(name, "fatal", "no_jwk", {"kid": method_id[:200]})
            return None
        return public_key(method)
    except Malformed as error:
        yield ProbeResult(name, "fatal", "kid", {"kid": method_id[:200]}, error)
        return None


def _embedded(case: _Case) -> Iterator[ProbeResult]:
    """The first proof for assertion: of a kind it knows, by a key of the issuer's."""
    name = "EmbeddedProofProbe"
    suitable = [
        proof
        for proof in case.presented.proofs
        if proof.purpose == "assertionMethod" and proof.options.get("type") in _EMBEDDED
    ]
    if not suitable:
        yield ProbeResult(name, "error", "none")
        return
    proof = suitable[0]
    method_id = proof.verification_method or ""
    controller = method_id.partition("#")[0]
    if controller != issuer_of(case.credential):
        yield ProbeResult(name, "error", "controller", {"controller": controller[:200]})
        return
    try:
        document = _document(case, controller)
        if document is None:
            yield ProbeResult(name, "warning", "not_fetched", {"method": method_id[:200]})
            return
        key = public_key(find_method(document, method_id, "assertionMethod"))
    except Malformed as error:
        yield ProbeResult(name, "error", "method", {"method": method_id[:200]}, error)
        return
    if key.algorithm not in _PROOF_KEYS:
        yield ProbeResult(name, "error", "key_kind", {"kind": key.algorithm.value})
        return
    yield from _signature(case, proof, key, name, "error")


def _signature(
    case: _Case, proof: PresentedProof, key: PublicKey, name: str, level: Level
) -> Iterator[ProbeResult]:
    try:
        form = FORMATS[case.presented.format]
        form.check_proof(case.presented, proof, key, case.evidence.contexts)
    except (Malformed, ProofInvalid) as error:
        # the registered claims of a JWT are not compared there
        if isinstance(error, ProofInvalid) and error.rule == "claim":
            yield ProbeResult(name, "warning", "claims", cause=error)
            return
        yield ProbeResult(name, level, "signature", cause=error)


def _document(case: _Case, did: str) -> JsonObject | None:
    """The DID document of a key's controller; None if it was not looked up."""
    method = method_of(did)
    if method.address(did) is None:
        return method.document(did, None)
    found = case.evidence.did_documents.get(did)
    return method.document(did, found) if found is not None else None


def refresh(case: _Case) -> Iterator[ProbeResult]:
    """A refreshService of 1EdTech's type is asked there, and the answer inspected instead."""
    for service in entries(case.credential.get("refreshService", [])):
        if "1EdTechCredentialRefresh" in entries(member(service, "type")):
            url = str(member(service, "id"))[:200]
            yield ProbeResult("RefreshService", "warning", "asked", {"url": url})


def revocation(case: _Case) -> Iterator[ProbeResult]:
    """The status lists for revocation; other purposes and older lists are passed over."""
    for entry in entries(case.credential.get("credentialStatus", [])):
        kinds = entries(member(entry, "type"))
        if "1EdTechRevocationList" in kinds:
            url = str(member(entry, "id"))[:200]
            yield ProbeResult("RevocationListProbe", "warning", "not_read", {"url": url})
        elif "BitstringStatusListEntry" in kinds and member(entry, "statusPurpose") == "revocation":
            yield from _bit(case, entry)


def _bit(case: _Case, entry: object) -> Iterator[ProbeResult]:
    name = "BitstringStatusListProbe"
    url = text(member(entry, "statusListCredential")) or ""
    body = case.evidence.status_lists.get(url)
    if body is None:
        yield ProbeResult(name, "warning", "not_fetched", {"url": url[:200]})
        return
    try:
        listed = recognise(body).read(body)
        document = listed.document
        if entries(document.get("@context"))[:1] != [CREDENTIALS_V2]:
            yield ProbeResult(name, "error", "list_context")
        if "BitstringStatusListCredential" not in entries(document.get("type")):
            yield ProbeResult(name, "error", "list_type")
        if "revocation" not in entries(member(document, "credentialSubject", "statusPurpose")):
            yield ProbeResult(name, "error", "purpose")
        bits = statuslist.decode(str(member(document, "credentialSubject", "encodedList")))
        if len(bits) * 8 < _LEAST_BITS:
            yield ProbeResult(name, "error", "short", {"bits": len(bits) * 8})
        index = str(member(entry, "statusListIndex"))
        if not index.isdecimal() or int(index) >= len(bits) * 8:
            yield ProbeResult(name, "error", "range", {"index": index[:40]})
        elif statuslist.get(bits, int(index)):
            yield ProbeResult(name, "fatal", "revoked")
    except (Malformed, StatusListUnusable) as error:
        yield ProbeResult(name, "fatal", "unreadable", cause=error)


def expiration(case: _Case) -> Iterator[ProbeResult]:
    """The end date is not past."""
    end = _moment(case, "validUntil", "expirationDate")
    if end is not None and end <= case.evidence.now.timestamp():
        yield ProbeResult("ExpirationProbe", "fatal", "expired")


def issuance(case: _Case) -> Iterator[ProbeResult]:
    """The beginning is not in the future."""
    start = _moment(case, "validFrom", "issuanceDate")
    if start is not None and start > case.evidence.now.timestamp():
        yield ProbeResult("IssuanceProbe", "fatal", "future")


def _moment(case: _Case, *names: str) -> float | None:
    for name in names:
        value = text(case.credential.get(name))
        moment = parse_date_time(value) if value else None
        if moment is not None:
            return moment.timestamp()
    return None


def endorsements(case: _Case) -> Iterator[ProbeResult]:
    """Each endorsement in it, wherever it stands: type, signature, dates."""
    name = "EndorsementInspector"
    for number, body in enumerate(endorsements_in(case.credential)):
        if number == _MOST_ENDORSEMENTS:
            yield ProbeResult(name, "warning", "more", {"limit": _MOST_ENDORSEMENTS})
            return
        try:
            presented = recognise(body).read(body)
        except Malformed as error:
            yield ProbeResult(name, "error", "unreadable", cause=error)
            continue
        inner = _Case(presented, case.evidence)
        if "EndorsementCredential" not in inner.types:
            yield ProbeResult(name, "error", "type")
        for run in (proofs, expiration, issuance):
            for result in run(inner):
                data = {"probe": result.probe, "found": result.sentence("en")[:300]}
                yield ProbeResult(name, result.level, "inside", data)


def _typed(name: str, part: object, kind: str, where: str) -> Iterator[ProbeResult]:
    if kind not in entries(member(part, "type")):
        yield ProbeResult(name, "error", "type", {"member": where, "type": kind})


PROBES: Final[Mapping[str, Probe]] = {
    "JsonLDValidationProbe": json_ld,
    "ContextPropertyProbe": context_property,
    "TypePropertyProbe": type_property,
    "JsonSchemasProbe": json_schemas,
    "InlineJsonSchemaProbe": inline_schema,
    "CredentialSubjectProbe": credential_subject,
    "EvidenceProbe": evidence_types,
    "IssuerProbe": issuer,
    "ProofProbe": proofs,
    "RefreshService": refresh,
    "RevocationListProbe": revocation,
    "ExpirationProbe": expiration,
    "IssuanceProbe": issuance,
    "EndorsementInspector": endorsements,
}
"""In the validator's order, after CredentialParseProbe."""
