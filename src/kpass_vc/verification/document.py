"""What a document is by itself: its contexts, its shape, its terms, its dates."""

from datetime import datetime
from typing import Final

from pydantic import ValidationError

from kpass_vc.errors import InvalidInput, Malformed
from kpass_vc.formats.envelope import without_envelopes
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import CREDENTIALS_V1, CREDENTIALS_V2
from kpass_vc.model.credential import OpenBadgeCredential
from kpass_vc.model.dates import day_text, parse_date_time
from kpass_vc.model.document import JsonObject
from kpass_vc.model.field_errors import field_errors
from kpass_vc.model.vcdm import PERIODS, check_credential, version_of
from kpass_vc.verification.case import Case, text, unchecked
from kpass_vc.verification.proofs import LEEWAY
from kpass_vc.verification.report import Finding

OPEN_BADGES: Final = (
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
)
ACCEPTED: Final = frozenset(
    {
        CREDENTIALS_V1,
        CREDENTIALS_V2,
        *OPEN_BADGES,
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        "https://w3id.org/security/data-integrity/v1",
        "https://w3id.org/security/data-integrity/v2",
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "https://w3id.org/security/multikey/v1",
        "https://w3id.org/vc/status-list/2021/v1",
        "https://www.w3.org/ns/credentials/status/v1",
    }
)
"""The contexts a badge may have: each says what every one of its terms means, none takes any term at all."""
_IN_2: Final = {"issuanceDate": "validFrom", "expirationDate": "validUntil"}


def check_contexts(case: Case) -> Finding:
    """Whether the contexts are known ones, the data model's first and an Open Badges one with it."""
    found = case.credential.get("@context")
    if not isinstance(found, list) or not found or found[0] not in (CREDENTIALS_V1, CREDENTIALS_V2):
        return Finding("contexts", "failed", "first")
    for context in found:
        if not isinstance(context, str):
            return Finding("contexts", "failed", "inline")
        if context not in ACCEPTED:
            return Finding("contexts", "failed", "unknown_context", {"url": context[:200]})
    if not set(OPEN_BADGES) & set(found):
        return Finding("contexts", "failed", "no_open_badges")
    return Finding("contexts", "passed", "passed")


def check_structure(case: Case) -> Finding:
    """Whether it has what Open Badges 3.0 and the data model demand of a credential."""
    found = check_data_model(case)
    if not case.is_sound:
        return found
    case.is_sound = False
    try:
        case.model = OpenBadgeCredential.model_validate(in_terms_of_2(case.credential))
    except ValidationError as error:
        cause = InvalidInput(*field_errors(error)[:5])
        return Finding("structure", "failed", "failed", cause=cause)
    case.is_sound = True
    return Finding("structure", "passed", "passed")


def check_data_model(case: Case) -> Finding:
    """Whether it has what the data model demands, 1.1 or 2.0."""
    try:
        check_credential(case.credential, case.evidence.contexts.digest_known)
    except InvalidInput as error:
        cause = InvalidInput(*error.fields[:5])
        return Finding("structure", "failed", "failed", cause=cause)
    case.is_sound = True
    return Finding("structure", "passed", "data_model")


def in_terms_of_2(credential: JsonObject) -> JsonObject:
    """A credential with the dates of data model 1.1 under the names that 2.0 gives them."""
    if version_of(credential) != 1:
        return credential
    renamed = {_IN_2.get(name, name): value for name, value in credential.items()}
    return renamed | {name: credential[name] for name in _IN_2.values() if name in credential}


def check_terms(case: Case) -> Finding:
    """Whether the contexts define every term, so that nothing in it goes unsigned.

    A member that is spelled by its IRI or a keyword is signed and yet no JSON reader
    sees it: who holds a revoked credential could hide its status that way, the proof
    intact. An empty list carries nothing, so it could be added unseen, and a blank node
    that is named can be described in two places.
    """
    for part in (case.credential, *(proof.options for _, proof in case.proofs)):
        found = unplain_member(part, case.evidence.vocabulary)
        if found is not None:
            return Finding("terms", "failed", "unplain_member", {"member": found[:200]})
    return check_defined(case)


def check_defined(case: Case) -> Finding:
    """Whether its contexts define every term."""
    try:
        if case.presented.format == "ldp_vc":
            case.graph.nodes()
        else:
            to_quads(without_envelopes(case.credential), case.contexts)
    except Malformed as error:
        return Finding("terms", "failed", "failed", cause=error)
    return Finding("terms", "passed", "passed")


def check_dates(case: Case) -> Finding:
    """Whether it is valid now, by its own dates."""
    if not case.is_sound:
        return unchecked("dates")
    periods = PERIODS[version_of(case.credential) or 2]
    start = max(_moments(case, [first for first, _ in periods]), default=None)
    end = min(_moments(case, [last for _, last in periods]), default=None)
    if start is not None and start > case.evidence.now + LEEWAY:
        return Finding("dates", "failed", "not_yet_valid", {"from": _day(start)})
    if end is None:
        return Finding("dates", "passed", "no_end")
    if end <= case.evidence.now:
        return Finding("dates", "failed", "expired", {"until": _day(end)})
    return Finding("dates", "passed", "passed", {"until": _day(end)})


def _moments(case: Case, names: list[str]) -> list[datetime]:
    found = (parse_date_time(text(case.credential.get(name)) or "") for name in names)
    return [moment for moment in found if moment is not None]


def _day(moment: datetime) -> str:
    return day_text(moment)


def unplain_member(document: JsonObject, vocabulary: str | None = None) -> str | None:
    """The first member that is spelled by an IRI or a keyword, empty, or names a blank node, if there is one.

    No context has another name for what our own vocabulary names by its IRIs; what stands in such a member is
    looked at as well. In an array in an array nothing of ours stands.
    """
    pending: list[tuple[object, str | None]] = [(document, vocabulary)]
    while pending:
        part, ours = pending.pop()
        if isinstance(part, dict):
            for name, member in part.items():
                if name == "@context":
                    continue
                if (":" in name or name[:1] == "@") and not (ours and name.startswith(ours)):
                    return str(name)
                if not isinstance(member, str):
                    if member == []:
                        return str(name)
                    pending.append((member, ours))
                elif name == "id" and member[:2] == "_:":
                    return str(name)
        elif isinstance(part, list):
            pending += [
                (member, None if isinstance(member, list) else ours)
                for member in part
                if not isinstance(member, str)
            ]
    return None
