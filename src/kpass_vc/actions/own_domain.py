"""An organisation's own domain as its DID: did:web:example.se instead of an address of this service.

Three steps. Prepare makes keys that do not sign yet, and the document to put on
the domain. Check fetches it from there. Activate does so only when the check
finds the keys: from then on the organisation issues as its domain. Whatever it
signed under another DID stays as it is: that DID's document, keys and lists
stay with it. The same three steps change the keys later, since the document
on the domain must show a key before it signs.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.make_key import make_key
from kpass_vc.actions.publish_status import open_list, sign_again
from kpass_vc.actions.rotate_key import hold, named, publish_again, retire
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.keys import ORGANIZATION_KEYS
from kpass_vc.dids import method_of
from kpass_vc.dids.web import did_document
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    FieldError,
    InvalidInput,
    KpassError,
    Malformed,
    NotFetched,
    NotFound,
)
from kpass_vc.model.did import find_method
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records.key import SigningKey
from kpass_vc.records.organization import Organization


@dataclass(frozen=True)
class Domain:
    """A DID on an organisation's own domain: where its document belongs, and what it must say."""

    did: str
    address: str
    document: dict[str, Any]


def did_of(domain: str) -> str:
    """The DID of a domain, with a path if one is given; InvalidInput if it is none.

    `example.se`, `https://example.se/skola` and `did:web:example.se` are understood.
    """
    text = domain.strip()
    if not text.startswith("did:"):
        host, *path = text.removeprefix("https://").rstrip("/").split("/")
        parts = [quote(part, safe="") for part in path]
        text = ":".join(["did:web", host.lower().replace(":", "%3A"), *parts])
    try:
        address = method_of(text).address(text)
    except Malformed:
        address = None
    if address is None:
        raise InvalidInput(FieldError("/domain", "own_domain", domain=domain[:200]))
    return text


def prepare(env: Environment, session: Session, actor: Actor, slug: str, domain: str) -> Domain:
    """Keys for the domain that do not sign yet, unless there are such already, and the document to put there."""
    actor.require(Permission.KEYS_WRITE)
    organization = named(session, actor, slug)
    did = did_of(domain)
    organizations.hold(session, organization.id)
    _require_free(env, session, organization, did)
    held = keys.of_organization(session, organization_id=organization.id, for_update=True)
    waiting = {key.algorithm for key in held if key.did == did and key.state == "pending"}
    for algorithm in ORGANIZATION_KEYS:
        if algorithm.value not in waiting:
            key = make_key(env, session, organization, did, algorithm, state="pending")
            subject = key.verification_method
            audit(env, session, actor, "key.prepared", subject, organization_id=organization.id)
    return _domain(session, organization, did)


def prepared(session: Session, slug: str) -> Domain:
    """The domain that an organisation has prepared last; Conflict if none waits to be activated."""
    organization = organizations.by_slug(session, slug)
    if organization is None:
        raise NotFound("organization", organization=slug)
    held = keys.of_organization(session, organization_id=organization.id)
    pending = [key.did for key in held if key.state == "pending"]
    if pending:
        return _domain(session, organization, pending[0])
    raise Conflict("nothing_prepared", organization=slug)


def check(env: Environment, slug: str) -> tuple[Domain, KpassError | None]:
    """The prepared domain, and what is wrong with the document that lies there: None if nothing is.

    No database session is held while it is fetched.
    """
    with env.reading() as session:
        domain = prepared(session, slug)
    try:
        found = read_json(env.fetcher.get(domain.address, accept="application/did+json, */*").body)
        method_of(domain.did).document(domain.did, found)
        for method in domain.document["verificationMethod"]:
            _require_same(found, method)
    except (NotFetched, Malformed, Conflict) as error:
        return domain, error
    return domain, None


def activate(
    env: Environment, session: Session, actor: Actor, slug: str, checked: Domain
) -> list[SigningKey]:
    """Issue as the domain from now on, with its new keys; `checked` is what a check has found to be there.

    Conflict if something else was prepared meanwhile.
    """
    actor.require(Permission.KEYS_WRITE)
    organization = named(session, actor, slug)
    did = checked.did
    own = hold(session, organization, did)
    if prepared(session, slug) != checked:
        raise Conflict("nothing_prepared", organization=slug)
    _require_free(env, session, organization, did)
    started = [key for key in own if key.state == "pending"]
    kinds = {key.algorithm for key in started}
    retire(env, [key for key in own if key.algorithm in kinds])
    for key in started:
        key.state, key.active_from = "active", env.now()
    organization.did = did
    session.flush()
    open_list(env, session, organization, "revocation")
    sign_again(env, session, organization, issuer=did)
    publish_again(env, session, organization, keys.compromised(session, did=did))
    audit(env, session, actor, "organization.did", did, organization_id=organization.id)
    return started


def _require_same(found: JsonObject, method: JsonObject) -> None:
    """Return if a document lists this very verification method for assertion, else Conflict or Malformed."""
    there = find_method(found, str(method["id"]), "assertionMethod")
    if dict(there.members) != method:
        raise Conflict("domain_key_differs", method=there.id)


def _require_free(env: Environment, session: Session, organization: Organization, did: str) -> None:
    home = env.addresses.did("x").removesuffix(":o:x")
    owner = organizations.by_did(session, did)
    signer = keys.owner(session, did=did)
    if (
        did == home
        or did.startswith(f"{home}:")
        or signer not in {None, organization.id}
        or owner not in {None, organization}
    ):
        raise Conflict("domain_taken", did=did)


def _domain(session: Session, organization: Organization, did: str) -> Domain:
    published = keys.published(session, did=did, organization_id=organization.id)
    document = did_document(did, [key.public_key for key in published])
    return Domain(did, method_of(did).address(did) or "", document)
