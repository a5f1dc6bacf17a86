"""Whether the issuer was authorised by the owner of the definition when it issued.

There are three answers: it was; it was by the date the issuer gives, and the owner
has withdrawn the right since, so that the date is the issuer's word alone; it was
not. An issuer sets its own clock and a status bit has no time, which is why a
withdrawal is a signed notice with a date (RULINGS 15).
"""

from datetime import datetime
from typing import Final

from kpass_vc.compose.authorization import WITHDRAWAL, covers
from kpass_vc.compose.credential import AUTHORIZATION
from kpass_vc.dids import method_of
from kpass_vc.errors import Malformed
from kpass_vc.model.dates import day_text, parse_date_time
from kpass_vc.model.document import JsonObject
from kpass_vc.model.status import only
from kpass_vc.verification.case import Case, entries, issuer_of, member, not_had, text, unchecked
from kpass_vc.verification.endorsement import ENDORSEMENT, endorsement_case
from kpass_vc.verification.evidence import stands_under
from kpass_vc.verification.report import Finding
from kpass_vc.verification.status import check_status

MOST: Final = 3
"""As many authorisations are looked at."""
_SIGNED: Final = ("contexts", "structure", "terms", "reading", "did", "key", "proof")
"""The checks of whether somebody said it; whether it holds is asked for the time of the credential."""
_BEST_FIRST: Final = ("passed", "unknown", "failed")


def authorization_urls(credential: JsonObject) -> list[str]:
    """The authorisations that a credential says it was issued under."""
    return [
        url
        for entry in entries(credential.get("termsOfUse"))
        for url in [text(member(entry, "id"))]
        if url
        and any(str(kind).endswith(f"#{AUTHORIZATION}") for kind in entries(member(entry, "type")))
    ]


def check_authorization(case: Case) -> Finding:
    """Whether the definition's owner let the issuer issue it when it was issued."""
    if case.model is None:
        return unchecked("authorization")
    creator = case.model.credential_subject.achievement.creator
    issuer = case.model.issuer.id
    if creator is None or creator.id == issuer:
        if case.document_url is not None and issuer not in _listed(case):
            return _refused(case, "not_listed")
        return Finding("authorization", "passed", "own")
    if case.line is None:
        return unchecked("authorization")
    urls = authorization_urls(case.credential)
    if not urls:
        if issuer in _listed(case):
            return Finding("authorization", "passed", "listed", {"owner": _owner(case)})
        return _refused(case, "none")
    found = [_judge(case, url) for url in dict.fromkeys(urls[:MOST])]
    return min(found, key=lambda finding: _BEST_FIRST.index(finding.outcome))


def _judge(case: Case, url: str) -> Finding:
    body = case.evidence.authorizations.get(url)
    if body is None:
        if case.evidence.home and stands_under(url, f"{case.evidence.home}/o/"):
            return _refused(case, "not_published")
        return not_had(case, "authorization", url, {"url": url[:300], "owner": _owner(case)})
    try:
        inner = endorsement_case(case, body)
    except Malformed as error:
        return _refused(case, "forged", cause=error)
    document = inner.credential
    subject = only(document.get("credentialSubject"))
    if document.get("id") != url or not _is_a(case, document, AUTHORIZATION):
        return _refused(case, "no_authorization")
    if issuer_of(document) != _creator(case):
        return _refused(case, "not_the_owner")
    if not isinstance(subject, dict) or subject.get("id") != issuer_of(case.credential):
        return _refused(case, "another_issuer")
    signed = _signed(case, inner)
    if signed is not None:
        return signed
    if not covers(
        inner.graph.quads(), str(subject["id"]), case.evidence.vocabulary, case.line or ""
    ):
        return _refused(case, "another_definition")
    return _at_its_time(case, inner, url)


def _signed(case: Case, inner: Case) -> Finding | None:
    """None if whoever it says has signed it."""
    findings = [ENDORSEMENT.checks[name](inner) for name in _SIGNED]
    bad = next((each for each in findings if each.outcome == "failed"), None)
    if bad is not None:
        return _refused(case, "forged", cause=bad.cause)
    unknown = next((each for each in findings if each.outcome == "unknown"), None)
    if unknown is not None:
        words = {"owner": _owner(case)}
        return Finding("authorization", "unknown", "not_checkable", words, unknown.cause)
    return None


def _at_its_time(case: Case, inner: Case, url: str) -> Finding:
    issued = _moment(case.credential, "validFrom")
    since, until = _moment(inner.credential, "validFrom"), _moment(inner.credential, "validUntil")
    if issued is None or since is None or issued < since or (until is not None and issued > until):
        return _refused(case, "another_time")
    words = {"owner": _owner(case)}
    status = check_status(inner)
    if status.outcome == "passed":
        return Finding("authorization", "passed", "authorised", words)
    if status.code not in {"revoked", "raised"}:
        return Finding("authorization", "unknown", "status_unknown", words, status.cause)
    ended = _withdrawn(case, url)
    if ended is None:
        return Finding("authorization", "unknown", "withdrawn_undated", words)
    words |= {"day": day_text(ended), "issued": day_text(issued)}
    if issued < ended:
        return Finding("authorization", "passed", "authorised_then", words)
    return _refused(case, "withdrawn", day=words["day"], issued=words["issued"])


def _withdrawn(case: Case, url: str) -> datetime | None:
    """The moment of the owner's notice that an authorisation has ended; None if there is none that can be believed."""
    body = case.evidence.withdrawals.get(url)
    if body is None:
        return None
    try:
        inner = endorsement_case(case, body)
    except Malformed:
        return None
    document = inner.credential
    says = (
        _is_a(case, document, WITHDRAWAL)
        and issuer_of(document) == _creator(case)
        and member(document, "credentialSubject", "id") == url
        and _signed(case, inner) is None
    )
    return _moment(document, "validFrom") if says else None


def _is_a(case: Case, document: JsonObject, kind: str) -> bool:
    return f"{case.evidence.vocabulary}{kind}" in entries(document.get("type"))


def _moment(document: JsonObject, name: str) -> datetime | None:
    found = text(document.get(name))
    return parse_date_time(found) if found else None


def _creator(case: Case) -> str | None:
    creator = case.model.credential_subject.achievement.creator if case.model else None
    return creator.id if creator else None


def _owner(case: Case) -> str:
    """What the owner is called; with its own web address beside it where it is none of this service's.

    The name is the credential's word: anybody may call themselves as they like under an address of their own.
    """
    creator = case.model.credential_subject.achievement.creator if case.model else None
    did = _creator(case) or ""
    name = str((creator.name if creator else None) or did)[:200]
    home = case.evidence.home
    try:
        address = method_of(did).address(did) if did.startswith("did:") else None
    except Malformed:
        address = None
    if address is None or did == name or (home and stands_under(address, f"{home}/o/")):
        return name
    place = address.removeprefix("https://").removesuffix("/did.json")
    return f"{name} ({place.removesuffix('/.well-known')[:200]})"


def _listed(case: Case) -> frozenset[str]:
    """The DIDs that the owner names in its own records, where those are ours."""
    return case.evidence.authorised.get(case.document_url or "", frozenset())


def _refused(case: Case, code: str, *, cause: Exception | None = None, **data: str) -> Finding:
    words = {"owner": _owner(case), **data}
    known = cause if isinstance(cause, Malformed) else None
    return Finding("authorization", "failed", code, words, known)
