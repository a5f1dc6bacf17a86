"""Who says that an issuer is who it says: its own domain, an operator, or nobody (RULINGS 16).

A DID that is a domain and nothing else is confirmed by whoever holds the domain. One with a path
is a place on a service that others have places on too: of a service of this kind the operator's
signed list of organisations is read, which it serves beside them; it vouches for no others.
"""

from typing import Final
from urllib.parse import unquote

from kpass_vc.compose.credential import CONFIRMED
from kpass_vc.dids import method_of
from kpass_vc.errors import Malformed
from kpass_vc.formats import recognise
from kpass_vc.verification.case import Case, Profile, entries, issuer_of, member
from kpass_vc.verification.document import (
    check_contexts,
    check_data_model,
    check_dates,
    check_terms,
)
from kpass_vc.verification.proofs import check_did, check_key, check_proof
from kpass_vc.verification.reading import check_reading
from kpass_vc.verification.status import check_status

OPERATOR: Final = "operator"
"""What the operator is called among the organisations of its service."""
_WEB: Final = "did:web:"
_LIST: Final = Profile(
    "confirmed",
    {
        "contexts": check_contexts,
        "structure": check_data_model,
        "terms": check_terms,
        "reading": check_reading,
        "did": check_did,
        "key": check_key,
        "proof": check_proof,
        "dates": check_dates,
        "status": check_status,
    },
    inline_contexts=False,
    binds_issuer=True,
    every_proof=True,
    demands_claims=True,
)


def operator_beside(did: str) -> str | None:
    """The DID of who runs the service that an organisation has its place on; None if it tells of none."""
    base, found, slug = did.rpartition(":o:")
    is_one = did.startswith(_WEB) and found and ":" not in slug and slug != OPERATOR
    return f"{base}:o:{OPERATOR}" if is_one and base != _WEB.removesuffix(":") else None


def confirmed_by(operator: str) -> str:
    """Where an operator's signed list lies; Malformed if its DID is none."""
    return (
        f"{(method_of(operator).address(operator) or '').removesuffix('/did.json')}/confirmed.json"
    )


def host_of(did: str) -> str | None:
    """The web address of a did:web that is a bare domain, with its port; None for any other."""
    host = did.removeprefix(_WEB)
    return unquote(host) if did.startswith(_WEB) and ":" not in host else None


def service_of(did: str) -> str:
    """The web address that a did:web with a path has its place under: the service's, else the host's."""
    base, found, _ = did.rpartition(":o:")
    segments = (base if found else did).removeprefix(_WEB).split(":")
    return unquote("/".join(segments if found else segments[:1]))


def is_confirmed_there(case: Case, issuer: str) -> bool:
    """Whether the operator of the service that an issuer is on says who it is, in a list that holds now."""
    operator = operator_beside(issuer)
    body = case.evidence.confirmations.get(operator) if operator else None
    if operator is None or body is None:
        return False
    try:
        inner = Case(recognise(body).read(body), case.evidence, _LIST)
        place = confirmed_by(operator)
    except Malformed:
        return False
    document = inner.credential
    named = [member(each, "id") for each in entries(document.get("credentialSubject"))]
    return (
        # a service that is tried out without TLS calls itself http, which no DID can say
        str(document.get("id")).partition("://")[2] == place.partition("://")[2]
        and f"{case.evidence.vocabulary}{CONFIRMED}" in entries(document.get("type"))
        and issuer_of(document) == operator
        and issuer in named
        and all(check(inner).outcome == "passed" for check in _LIST.checks.values())
    )
