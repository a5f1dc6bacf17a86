"""Who signed, with which key, and whether the signatures hold."""

import math
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, cast

from kpass_vc.crypto.jose import from_jwk
from kpass_vc.crypto.keys import PublicKey
from kpass_vc.dids import method_of, public_key
from kpass_vc.errors import Malformed, ProofInvalid
from kpass_vc.formats import FORMATS, missing_claims
from kpass_vc.formats.format import PresentedProof
from kpass_vc.model.dates import day_text, parse_date_time
from kpass_vc.model.did import Relationship, find_method, method_ids
from kpass_vc.model.document import JsonObject
from kpass_vc.verification.case import Case, not_had, unchecked, worst
from kpass_vc.verification.report import Finding, Outcome

LEEWAY: Final = timedelta(seconds=60)
"""How far another's clock may be ahead of ours."""

_REPEATED: Final = {"vc-jwt": frozenset({"exp", "nbf"})}
"""The claims of a JWT that must say what the credential says, which is judged as such."""


def check_did(case: Case) -> Finding:
    """Whether the DID of whoever signed resolves: the issuer's, or those that the proofs name."""
    signers = list(dict.fromkeys(case.signer_of(proof) for _, proof in case.proofs))
    return worst([_resolve(case, signer) for signer in signers])


def _resolve(case: Case, did: str | None) -> Finding:
    if not did:
        return unchecked("did")
    if not did.startswith("did:"):
        return Finding("did", "unknown", "not_a_did", {"issuer": did[:200]})
    try:
        method = method_of(did)
        fetched = None
        if method.address(did) is not None:
            if did not in case.evidence.did_documents:
                return not_had(case, "did", did, {"did": did[:300]})
            fetched = case.evidence.did_documents[did]
        case.documents[did] = method.document(did, fetched)
    except Malformed as error:
        outcome: Outcome = "unknown" if error.rule == "did_method" else "failed"
        return Finding("did", outcome, "failed", cause=error)
    return Finding("did", "passed", "passed", {"did": did[:300]})


def check_key(case: Case) -> Finding:
    """Whether each proof's key is one that its DID lists for the purpose it was made for."""
    return worst([_find_key(case, number, proof) for number, proof in case.proofs])


def _find_key(case: Case, number: int, proof: PresentedProof) -> Finding:
    did, method_id = case.signer_of(proof), proof.verification_method
    if did is None or did not in case.documents:
        return unchecked("key")
    if method_id is not None and method_id.partition("#")[0] not in {did, ""}:
        return Finding("key", "failed", "not_the_issuers", {"method": method_id[:300]})
    if proof.purpose != case.purpose:
        found = {"purpose": proof.purpose[:80], "expected": case.purpose}
        return Finding("key", "failed", "purpose", found)
    named = f"{did}{method_id}" if (method_id or "").startswith("#") else method_id or ""
    if named in case.evidence.withdrawn_keys:
        day = day_text(case.evidence.withdrawn_keys[named])
        return Finding("key", "failed", "compromised", {"since": day})
    try:
        key = key_of(case.documents[did], did, proof, case.evidence.now, case.purpose)
    except Malformed as error:
        return Finding("key", "failed", "failed", cause=error)
    case.keys[number] = key
    return Finding("key", "passed", "passed")


def check_proof(case: Case) -> Finding:
    """Whether every proof holds under its key."""
    return worst([_check_proof(case, number, proof) for number, proof in case.proofs])


def _check_proof(case: Case, number: int, proof: PresentedProof) -> Finding:
    if number not in case.keys:
        return unchecked("proof")
    form = FORMATS[case.presented.format]
    try:
        form.check_proof(case.presented, proof, case.keys[number], case.contexts)
    except (Malformed, ProofInvalid) as error:
        return Finding("proof", "failed", "failed", cause=error)
    absent = missing_claims(case.presented, proof)
    if absent and case.profile.demands_claims:
        cause = ProofInvalid("claim_missing", claim=absent[0])
        return Finding("proof", "failed", "failed", cause=cause)
    repeats = case.purpose == "assertionMethod"
    repeated = _REPEATED.get(case.presented.format, frozenset()) if repeats else frozenset()
    found = proof_times(proof.options, case.evidence.now, repeated)
    return found or Finding("proof", "passed", "passed")


def proof_times(
    proof: JsonObject, now: datetime, repeated: frozenset[str] = frozenset()
) -> Finding | None:
    """What the options of a proof that holds say against it; a moment that is none says so too.

    `repeated` names the claims of a JWT that say only what the credential says.
    """
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
    shown = proof.get("key_binding")
    if isinstance(shown, dict):
        starts.append(_seconds(shown.get("iat")))
    if not all(start <= (now + LEEWAY).timestamp() for start in starts):
        return Finding("proof", "failed", "in_future")
    return None


def _seconds(claim: object) -> float:
    """A NumericDate (RFC 7519 section 2); not a number, and so neither before nor after, for anything else."""
    is_number = isinstance(claim, int | float) and not isinstance(claim, bool)
    return float(cast("float", claim)) if is_number else math.nan


def _before(value: object, moment: datetime) -> bool:
    """Whether a text is a date-time that is not after a moment."""
    found = parse_date_time(value) if isinstance(value, str) else None
    return found is not None and found <= moment


def key_of(
    document: JsonObject,
    did: str,
    proof: PresentedProof,
    now: datetime,
    purpose: Relationship = "assertionMethod",
) -> PublicKey:
    """The key a proof names or shows, if its DID document lists it for the purpose; else Malformed."""
    if proof.verification_method is None:
        shown = from_jwk(proof.jwk or {})
        for method_id in method_ids(document, purpose):
            with suppress(Malformed):  # another key, of a kind that we do not take
                if _method_key(document, did, method_id, now, purpose) == shown:
                    return shown
        raise Malformed("no_such_key", method="jwk", field=purpose)
    method_id = proof.verification_method
    method_id = did + method_id if method_id.startswith("#") else method_id
    return _method_key(document, did, method_id, now, purpose)


def _method_key(
    document: JsonObject, did: str, method_id: str, now: datetime, purpose: Relationship
) -> PublicKey:
    """The key of a method that its controller still stands by (Controlled Identifiers 1.0 section 2.2)."""
    method = find_method(document, method_id, purpose)
    if method.controller != did:
        raise Malformed("broken_key", method=method_id[:300], field="controller")
    for name in ("revoked", "expires"):
        until = method.members.get(name)
        moment = parse_date_time(until) if isinstance(until, str) else None
        if name in method.members and (moment is None or moment <= now):
            raise Malformed("key_ended", method=method_id[:300], field=name)
    return public_key(method)
