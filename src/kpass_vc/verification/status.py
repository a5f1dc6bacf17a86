"""Whether the issuer's status list says that a credential is revoked or suspended."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from kpass_vc import statuslist
from kpass_vc.compose.credential import TEST
from kpass_vc.dids import method_of
from kpass_vc.errors import InvalidInput, Malformed, ProofInvalid, StatusListUnusable
from kpass_vc.formats import FORMATS
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.document import JsonObject
from kpass_vc.model.field_errors import field_errors
from kpass_vc.model.status import BitstringStatusListCredential, BitstringStatusListEntry
from kpass_vc.verification.case import Case, entries, issuer_of, not_had, unchecked, worst
from kpass_vc.verification.known_lists import Seal, SignedList
from kpass_vc.verification.proofs import LEEWAY, key_of, proof_times
from kpass_vc.verification.report import Finding

_RAISED: Final = {"revocation": "revoked", "suspension": "suspended"}
_MOST_ENTRIES: Final = 20


def check_status(case: Case) -> Finding:
    """Whether the issuer's status list says that it is revoked or suspended."""
    if not case.is_sound:
        return unchecked("status")
    if case.profile.binds_issuer and _is_test(case):
        return Finding("status", "failed", "test")
    if "credentialStatus" not in case.credential:
        return Finding("status", "passed", "none")
    found = entries(case.credential["credentialStatus"])
    if not found or len(found) > _MOST_ENTRIES:
        return unchecked("status")
    return worst([_status_of(case, entry) for entry in found])


def _is_test(case: Case) -> bool:
    """Whether its issuer says that it is a test."""
    return f"{case.evidence.vocabulary}{TEST}" in entries(case.credential.get("type"))


def _status_of(case: Case, given: object) -> Finding:
    if not isinstance(given, dict):
        return unchecked("status")
    kinds = [str(kind) for kind in entries(given.get("type"))]
    if "BitstringStatusListEntry" not in kinds:
        return Finding("status", "unknown", "unsupported", {"type": ", ".join(kinds)[:200]})
    if str(given.get("statusSize", 1)) != "1":
        return Finding("status", "unknown", "unsupported", {"type": "statusSize"})
    try:
        entry = BitstringStatusListEntry.model_validate(given)
    except ValidationError as error:
        return Finding(
            "status", "failed", "list_unusable", cause=InvalidInput(*field_errors(error)[:5])
        )
    body = case.evidence.status_lists.get(entry.status_list_credential)
    if body is None:
        url = entry.status_list_credential
        return not_had(case, "status", url, {"list": url[:300]})
    if issuer_of(case.credential) not in case.documents and case.profile.binds_issuer:
        return unchecked("status")
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


def _status_bit(case: Case, body: bytes, entry: BitstringStatusListEntry) -> bool | None:
    """The bit of a list that its issuer signed for this purpose; None if the list is not valid now."""
    found = case.evidence.known_lists.read(body)
    says = found.says
    if "BitstringStatusListCredential" not in says.type:
        raise StatusListUnusable("structure")
    issuer = issuer_of(case.credential)
    if says.issuer != issuer:
        raise StatusListUnusable("issuer")
    if says.id != entry.status_list_credential:
        raise StatusListUnusable("id")
    purpose = entry.status_purpose
    if purpose not in says.credential_subject.status_purpose:
        raise StatusListUnusable("purpose", purpose=purpose[:80])
    seals = _seals(case, found, str(issuer))
    if seals is None or not _is_current(says, case.evidence.now):
        return None
    bits = found.bits or statuslist.decode(says.credential_subject.encoded_list)
    if seals != found.seals:
        case.evidence.known_lists.remember(replace(found, seals=seals, bits=bits))
    return statuslist.get(bits, int(entry.status_list_index))


def _seals(case: Case, found: SignedList, issuer: str) -> tuple[Seal, ...] | None:
    """That every proof of a list holds, None if one does not now; ProofInvalid or Malformed if it never did."""
    presented, contexts, now = found.presented, case.evidence.contexts, case.evidence.now
    seals: list[Seal] = []
    for number, proof in enumerate(presented.proofs):
        named = (proof.verification_method or "").partition("#")[0] or issuer
        if case.profile.binds_issuer and named != issuer:
            raise StatusListUnusable("issuer")
        document = _document_of(case, named)
        if document is None:
            return None
        seal = (number, key_of(document, named, proof, now), contexts)
        if seal not in found.seals:
            FORMATS[presented.format].check_proof(presented, proof, seal[1], contexts)
        if proof_times(proof.options, now) is not None:
            return None
        seals.append(seal)
    return tuple(seals)


def _document_of(case: Case, did: str) -> JsonObject | None:
    """The DID document of whoever signed a list: one that was found already, or one that the DID says itself."""
    if did in case.documents:
        return case.documents[did]
    method = method_of(did)
    return method.document(did, None) if method.address(did) is None else None


def _is_current(status_list: BitstringStatusListCredential, now: datetime) -> bool:
    """Whether a list is valid by its own dates."""
    since = parse_date_time(status_list.valid_from) if status_list.valid_from else None
    until = parse_date_time(status_list.valid_until) if status_list.valid_until else None
    return (since is None or since <= now + LEEWAY) and (until is None or until > now)
