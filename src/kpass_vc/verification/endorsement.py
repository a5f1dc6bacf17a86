"""What others vouch for in credentials of their own: endorsements in a badge, and an owner's words beside it."""

from collections.abc import Iterator
from typing import Final

from kpass_vc.errors import Malformed
from kpass_vc.formats import recognise
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.verification.case import Case, Profile, entries, unchecked, worst
from kpass_vc.verification.document import (
    check_contexts,
    check_data_model,
    check_dates,
    check_terms,
)
from kpass_vc.verification.proofs import check_did, check_key, check_proof
from kpass_vc.verification.reading import check_reading
from kpass_vc.verification.report import Finding, VerificationReport
from kpass_vc.verification.status import check_status

MOST_ENDORSEMENTS: Final = 5


def check_endorsements(case: Case) -> Finding:
    """Whether others who vouch for it in it do: their words are credentials of their own."""
    found = list(endorsements(case.credential))
    if not found:
        return Finding("endorsements", "passed", "none")
    if len(found) > MOST_ENDORSEMENTS:
        return unchecked("endorsements")
    return worst([_endorsement(case, body) for body in found])


def _endorsement(case: Case, body: bytes) -> Finding:
    try:
        inner = endorsement_case(case, body)
    except Malformed as error:
        return Finding("endorsements", "failed", "failed", cause=error)
    report = VerificationReport(tuple(check(inner) for check in ENDORSEMENT.checks.values()), None)
    if report.verdict == "refused":
        bad = next(finding for finding in report.findings if finding.outcome == "failed")
        return Finding("endorsements", "failed", "refused", {"check": bad.check}, bad.cause)
    code = "passed" if report.verified else "not_available"
    return Finding("endorsements", "passed" if report.verified else "unknown", code)


def endorsement_case(case: Case, body: bytes) -> Case:
    """A credential beside or in another one, to be judged by the same evidence; Malformed if it is none."""
    return Case(recognise(body).read(body), case.evidence, ENDORSEMENT)


def endorsements(document: JsonObject) -> Iterator[bytes]:
    """The secured endorsements in a credential, wherever they stand in it."""
    pending: list[object] = [document]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += [value for value in part if not isinstance(value, str)]
        if not isinstance(part, dict):
            continue
        for name, value in part.items():
            if name not in {"endorsement", "endorsementJwt"}:
                if not isinstance(value, str):
                    pending.append(value)
                continue
            for entry in entries(value):
                yield compact(entry) if isinstance(entry, dict) else str(entry).encode()


def check_endorsement(case: Case) -> Finding:
    """Whether it is an EndorsementCredential by the data model."""
    if "EndorsementCredential" not in entries(case.credential.get("type")):
        return Finding("structure", "failed", "no_endorsement")
    return check_data_model(case)


ENDORSEMENT: Final = Profile(
    "endorsement",
    {
        "contexts": check_contexts,
        "structure": check_endorsement,
        "terms": check_terms,
        "reading": check_reading,
        "did": check_did,
        "key": check_key,
        "proof": check_proof,
        "dates": check_dates,
        "status": check_status,
        "endorsements": check_endorsements,
    },
    inline_contexts=False,
    binds_issuer=True,
    every_proof=False,
    demands_claims=True,
)
"""For what stands inside a badge or beside it and is a credential of its own."""
