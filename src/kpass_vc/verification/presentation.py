"""Presentations: who shows, for whom and in answer to what, and each credential that is shown."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kpass_vc.errors import InvalidInput
from kpass_vc.formats.format import Presented
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.model.vcdm import check_presentation
from kpass_vc.verification.case import (
    Case,
    Profile,
    entries,
    holder_of,
    member,
    text,
    unchecked,
    worst,
)
from kpass_vc.verification.document import check_defined
from kpass_vc.verification.evidence import Evidence
from kpass_vc.verification.proofs import check_did, check_key, check_proof
from kpass_vc.verification.report import Finding, VerificationReport

MOST_CREDENTIALS: Final = 20


def check_shape(case: Case) -> Finding:
    """Whether it has what the data model demands of a presentation."""
    try:
        check_presentation(case.credential)
    except InvalidInput as error:
        cause = InvalidInput(*error.fields[:5])
        return Finding("structure", "failed", "failed_presentation", cause=cause)
    if len(list(shown(case.credential))) > MOST_CREDENTIALS:
        return Finding("structure", "failed", "too_many", {"limit": MOST_CREDENTIALS})
    return Finding("structure", "passed", "passed_presentation")


def check_holder(case: Case) -> Finding:
    """Whether the holder, if one is named, is who signed."""
    named = holder_of(case.credential)
    if named is None:
        return Finding("holder", "passed", "none")
    if not case.keys:
        return unchecked("holder")
    signers = {case.signer_of(proof) for _, proof in case.proofs}
    if signers != {named}:
        return Finding("holder", "failed", "other", {"holder": named[:300]})
    return Finding("holder", "passed", "passed")


def check_audience(case: Case, challenge: str | None, domain: str | None) -> Finding:
    """Whether every proof answers what was asked, for whom it was asked; and nothing else."""
    return worst([_answers(proof.options, challenge, domain) for _, proof in case.proofs])


def _answers(options: JsonObject, challenge: str | None, domain: str | None) -> Finding:
    claims = options.get("claims")
    found = claims if isinstance(claims, dict) else {}
    said = options.get("challenge", found.get("nonce"))
    places = entries(options.get("domain", found.get("aud", [])))
    if challenge is not None and said != challenge:
        return Finding("audience", "failed", "challenge")
    if domain is not None and domain not in places:
        return Finding("audience", "failed", "domain")
    return Finding("audience", "passed", "passed")


def with_shower(case: Case, report: VerificationReport) -> VerificationReport:
    """The report on a credential that is shown, with a note on whether who shows it is whom it is about."""
    if report.presented is None or not case.keys:
        return report
    subjects = entries(report.presented.document.get("credentialSubject"))
    about = {text(member(subject, "id")) for subject in subjects}
    signers = {case.signer_of(proof) for _, proof in case.proofs}
    code = "shown_by_subject" if (about & signers) - {None} else "shown_by_another"
    return replace(report, notes=(*report.notes, Finding("note", "passed", code)))


PRESENTATION_CHECKS: Final = {
    "structure": check_shape,
    "terms": check_defined,
    "did": check_did,
    "key": check_key,
    "proof": check_proof,
    "holder": check_holder,
}


def shown(presentation: JsonObject) -> Iterator[bytes]:
    """The secured credentials in a presentation, those in envelopes taken out."""
    if "verifiableCredential" not in presentation:
        return
    for entry in entries(presentation["verifiableCredential"]):
        if isinstance(entry, dict):
            yield compact(entry)
        else:
            yield str(entry).encode()


def presentation_case(presented: Presented, evidence: Evidence, profile: Profile) -> Case:
    """The case of a presentation: its proofs are to authenticate."""
    return Case(presented, evidence, profile, purpose="authentication")
