"""verify() and verify_presentation(): what was presented + gathered evidence -> a report.

Every check passes, fails or stays unknown. `verified` is true only when every
one passed: what could not be checked is not verified. No check raises,
fetches or reads the clock; what is missing from the evidence is unknown.
"""

from collections.abc import Mapping

from kpass_vc.errors import Malformed
from kpass_vc.formats import read
from kpass_vc.formats.format import Presented
from kpass_vc.model.document import JsonObject
from kpass_vc.verification.authority import MOST as MOST_AUTHORIZATIONS
from kpass_vc.verification.authority import authorization_urls
from kpass_vc.verification.badge import notes, part_ids, publication_of
from kpass_vc.verification.case import Case, Profile, entries, issuer_of, member, text, unchecked
from kpass_vc.verification.confirmation import confirmed_by, operator_beside
from kpass_vc.verification.document import in_terms_of_2
from kpass_vc.verification.endorsement import MOST_ENDORSEMENTS, endorsements
from kpass_vc.verification.evidence import MOST_WANTED, Evidence, Wanted, stands_under
from kpass_vc.verification.presentation import (
    PRESENTATION_CHECKS,
    check_audience,
    presentation_case,
    shown,
    with_shower,
)
from kpass_vc.verification.profiles import BADGE, PROFILES, STANDARD
from kpass_vc.verification.report import (
    Finding,
    Outcome,
    PresentationReport,
    Verdict,
    VerificationReport,
)

CHECKS = BADGE.checks

__all__ = [
    "BADGE",
    "CHECKS",
    "PROFILES",
    "STANDARD",
    "Evidence",
    "Finding",
    "Outcome",
    "PresentationReport",
    "Profile",
    "Verdict",
    "VerificationReport",
    "Wanted",
    "confirmed_by",
    "in_terms_of_2",
    "judge",
    "receive",
    "stands_under",
    "verify",
    "verify_presentation",
    "wanted",
    "wanted_by",
    "wanted_by_presentation",
]


def verify(body: bytes, evidence: Evidence, profile: Profile = BADGE) -> VerificationReport:
    """The report on a secured credential. Raises for nothing that `body` may hold."""
    return judge(receive(body), evidence, profile)


def receive(body: bytes) -> Presented | Malformed:
    """What was presented, or why it cannot be read: for who judges one thing more than once."""
    try:
        return read(body)
    except Malformed as error:
        return error


def judge(
    presented: Presented | Malformed, evidence: Evidence, profile: Profile = BADGE
) -> VerificationReport:
    """The report on a credential that was received; as `verify` otherwise."""
    if isinstance(presented, Malformed):
        return VerificationReport(_unreadable(presented, profile.checks), None)
    case = Case(presented, evidence, profile)
    parsed = Finding("parsed", "passed", "passed", {"format": presented.format})
    findings = [check(case) for check in profile.checks.values()]
    return VerificationReport((parsed, *findings), presented, notes(case))


def verify_presentation(
    body: bytes,
    evidence: Evidence,
    *,
    challenge: str | None,
    domain: str | None,
    profile: Profile = STANDARD,
) -> PresentationReport:
    """The report on a secured presentation and on each credential in it. Raises for nothing in `body`.

    `challenge` and `domain` are what its proofs must answer; None where nothing was asked.
    """
    try:
        presented = read(body)
    except Malformed as error:
        return PresentationReport(_unreadable(error, PRESENTATION_CHECKS), None)
    case = presentation_case(presented, evidence, profile)
    findings = [Finding("parsed", "passed", "passed", {"format": presented.format})]
    findings += [check(case) for check in PRESENTATION_CHECKS.values()]
    findings.append(check_audience(case, challenge, domain))
    credentials: tuple[VerificationReport, ...] = ()
    if findings[1].outcome == "passed":
        inside = shown(presented.document)
        reports = (verify(credential, evidence, profile) for credential in inside)
        credentials = tuple(with_shower(case, report) for report in reports)
    is_unasked = challenge is None and domain is None
    unasked = (Finding("note", "passed", "nothing_asked"),) if is_unasked else ()
    return PresentationReport(tuple(findings), presented, credentials, unasked)


def wanted(body: bytes, profile: Profile = BADGE) -> Wanted:
    """What a credential names that one would have to look up; nothing if it cannot be read."""
    return wanted_by(receive(body), profile)


def wanted_by(presented: Presented | Malformed, profile: Profile = BADGE) -> Wanted:
    """The same, of a credential that was received."""
    if isinstance(presented, Malformed):
        return Wanted()
    credential = presented.document
    lists = [
        text(member(entry, "statusListCredential"))
        for entry in entries(credential.get("credentialStatus"))
    ]
    related = [entry for entry in entries(credential.get("relatedResource")) if entry is not None]
    resources = [text(member(credential, "credentialSubject", "achievement", "id"))]
    resources += [text(member(entry, "id")) for entry in related]
    bound = [text(member(entry, "id")) for entry in related if member(entry, "digestSRI")]
    dids = [issuer_of(credential)]
    if not profile.binds_issuer:
        dids = [(proof.verification_method or "").partition("#")[0] for proof in presented.proofs]
    inside = list(endorsements(credential))[:MOST_ENDORSEMENTS] if profile is BADGE else []
    for endorsement in inside:
        more = wanted(endorsement, profile)
        dids += more.dids
        lists += more.status_lists
    authorizations = (
        authorization_urls(credential)[:MOST_AUTHORIZATIONS] if profile is BADGE else []
    )
    return Wanted(
        _first(dids),
        _first(lists),
        _first(resources),
        _first(bound),
        tuple(dict.fromkeys(authorizations)),
        tuple(part_ids(credential)) if profile is BADGE else (),
        _of_its_owner(credential) if profile is BADGE else (),
        operator_beside(issuer_of(credential) or "") if profile is BADGE else None,
    )


def _of_its_owner(credential: JsonObject) -> tuple[str, ...]:
    """What the owner of the definition says beside it, where that is another than the issuer."""
    achievement = member(credential, "credentialSubject", "achievement")
    place, owner = text(member(achievement, "id")), text(member(achievement, "creator", "id"))
    if place is None or owner in {None, issuer_of(credential)}:
        return ()
    return (place, publication_of(place))


def wanted_by_presentation(body: bytes, profile: Profile = STANDARD) -> Wanted:
    """What a presentation and the credentials in it name; nothing if it cannot be read."""
    try:
        presented = read(body)
    except Malformed:
        return Wanted()
    methods = [proof.verification_method or "" for proof in presented.proofs]
    dids: list[str | None] = [method.partition("#")[0] for method in methods]
    lists: list[str | None] = []
    for credential in list(shown(presented.document))[:MOST_WANTED]:
        more = wanted(credential, profile)
        dids += more.dids
        lists += more.status_lists
    return Wanted(dids=_first(dids), status_lists=_first(lists))


def _unreadable(error: Malformed, checks: Mapping[str, object]) -> tuple[Finding, ...]:
    rest = (unchecked(name) for name in checks)
    return (Finding("parsed", "failed", "failed", cause=error), *rest)


def _first(found: list[str | None]) -> tuple[str, ...]:
    """The first few different texts: nobody makes us look up more."""
    return tuple(dict.fromkeys(name for name in found if name))[:MOST_WANTED]
