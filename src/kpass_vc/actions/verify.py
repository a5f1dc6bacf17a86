"""Recognise what was presented, gather the evidence, run the checks.

Our own DIDs, lists and definitions are answered from our own records, so that
a revocation shows at once and nothing is asked of anybody. What lies elsewhere
stays out of the evidence, and what depends on it is unknown.
"""

from sqlalchemy.orm import Session

from kpass_vc.actions.publish_status import current
from kpass_vc.dids.web import did_document
from kpass_vc.environment import Environment
from kpass_vc.model.document import JsonObject
from kpass_vc.records import definition as definitions
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as lists
from kpass_vc.verification import Evidence, VerificationReport, Wanted, wanted
from kpass_vc.verification import verify as judge


def verify(env: Environment, session: Session, body: bytes) -> VerificationReport:
    """The report on whatever `body` is. Raises for nothing that it may hold; stores nothing."""
    return judge(body, gather(env, session, wanted(body)))


def gather(env: Environment, session: Session, want: Wanted) -> Evidence:
    """What our records say about the DIDs and URLs that a credential names."""
    resources: dict[str, bytes] = {}
    states: dict[str, str] = {}
    authorised: dict[str, frozenset[str]] = {}
    for url in want.resources:
        edition = definitions.achievement_by_url(session, url)
        if edition is not None:
            resources[url] = edition.body
        found = definitions.by_document_url(session, url)
        if found is not None and found[0].document is not None:
            resources[url] = found[0].document
            states[url] = found[0].state
            issuers = (organizations.by_slug(session, slug) for slug in found[0].authorised_issuers)
            authorised[url] = frozenset(issuer.did for issuer in issuers if issuer is not None)
    document = own_did_document(session, want.did) if want.did else None
    status_lists = {url: _own_status_list(env, session, url) for url in want.status_lists}
    return Evidence(
        now=env.now(),
        contexts=env.contexts,
        home=env.addresses.base,
        did_documents={str(want.did): document} if document else {},
        status_lists={url: body for url, body in status_lists.items() if body is not None},
        resources=resources,
        definition_states=states,
        authorised=authorised,
    )


def own_did_document(session: Session, did: str) -> JsonObject | None:
    """The DID document of an organisation here, or None."""
    organization = organizations.by_did(session, did)
    if organization is None:
        return None
    published = keys.published(session, organization_id=organization.id)
    return did_document(did, [key.public_key for key in published])


def _own_status_list(env: Environment, session: Session, url: str) -> bytes | None:
    found = lists.by_url(session, url)
    return current(env, session, found).body if found else None
