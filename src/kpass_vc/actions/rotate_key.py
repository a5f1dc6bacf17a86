"""Change an organisation's signing keys: as a routine, or because one is compromised.

Routine rotation takes nothing back: the old key stays in the DID document, with
neither `expires` nor `revoked`, since verifiers must stop believing what such a
key signed; the period it signed in stands in keys.json. A compromised key
leaves the document at once, and what it signed has to be issued anew.

The status lists are signed anew with the new key in the same transaction:
openbadgeslib reads the JWT form with the first Ed25519 key of the document.
What is held is held in one order: the organisation, definition versions, lists, keys.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.make_key import discard_after_commit, make_key
from kpass_vc.actions.publish_status import sign_again
from kpass_vc.actions.sign import secure
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.keys import ORGANIZATION_KEYS, Algorithm
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.key import SigningKey
from kpass_vc.records.organization import OPERATOR_SLUG, Organization
from kpass_vc.records.service import the_service


@dataclass(frozen=True)
class Compromised:
    """A key that was withdrawn, the one that signs in its place if it was signing, and how many awards it signed."""

    key: SigningKey
    replacement: SigningKey | None
    awards: int


def rotate_keys(
    env: Environment,
    session: Session,
    actor: Actor,
    slug: str,
    algorithms: Sequence[Algorithm] = ORGANIZATION_KEYS,
) -> list[SigningKey]:
    """New active keys of these kinds, the ones before them retired.

    Conflict for an organisation whose DID is its own domain: its document must show the keys first.
    """
    actor.require(Permission.KEYS_WRITE)
    organization = named(session, actor, slug)
    if organization.did != env.addresses.did(slug):
        raise Conflict("rotate_own_domain", organization=slug, did=organization.did)
    held = hold(session, organization, organization.did)
    made = []
    for algorithm in algorithms:
        retire(env, [key for key in held if key.algorithm == algorithm.value])
        made.append(make_key(env, session, organization, organization.did, algorithm))
    session.flush()
    sign_again(env, session, organization, issuer=organization.did)
    for key in made:
        _write_down(env, session, actor, organization, "key.rotated", key)
    return made


def compromise_key(
    env: Environment, session: Session, actor: Actor, slug: str, name: str
) -> Compromised:
    """Withdraw a key, named by its verification method or its multikey.

    NotFound or Conflict say why not. On an organisation's own domain the key that signs in its place
    is pending until the document there shows it, and nothing is issued meanwhile. A did:key ends with its
    key: nothing signs in its place.
    """
    actor.require(Permission.KEYS_WRITE)
    organization = named(session, actor, slug)
    held = keys.of_organization(session, organization_id=organization.id)
    found = next((key for key in held if name in {key.verification_method, key.multikey}), None)
    if found is None:
        raise NotFound("key", key=name[:300], organization=slug)
    hold(session, organization, found.did)
    if found.state == "compromised":
        raise Conflict("key_compromised", key=found.verification_method)
    signing, now = found.state == "active", env.now()
    found.state, found.compromised_at = "compromised", now
    found.active_until = found.active_until or now
    session.flush()
    is_ours = found.did == env.addresses.did(slug)
    replacement = None
    has_document = not found.did.startswith("did:key:")
    if signing and has_document:
        algorithm = Algorithm(found.algorithm)
        state: keys.State = "active" if is_ours else "pending"
        replacement = make_key(env, session, organization, found.did, algorithm, state=state)
        if is_ours:
            sign_again(env, session, organization, issuer=found.did)
    if has_document and (is_ours or not signing):
        publish_again(env, session, organization, {found.verification_method})
    discard_after_commit(env, session, found)
    _write_down(env, session, actor, organization, "key.compromised", found)
    signed = awards.count_signed_with(
        session, organization_id=organization.id, method=found.verification_method
    )
    return Compromised(found, replacement, signed)


def named(session: Session, actor: Actor, slug: str) -> Organization:
    """The organisation of a slug, for the operator any, else the actor's own; NotFound if there is none."""
    found = organizations.by_slug(session, slug)
    if found is None or actor.organization_id not in {None, found.id}:
        raise NotFound("organization", organization=slug)
    return found


def retire(env: Environment, held: Sequence[SigningKey]) -> None:
    """End the period of those that are active."""
    for key in held:
        if key.state == "active":
            key.state, key.active_until = "retired", env.now()


def hold(session: Session, organization: Organization, did: str) -> list[SigningKey]:
    """The keys of a DID; publications, lists and keys are held until the transaction ends."""
    organizations.hold(session, organization.id)
    definitions.hold_published(session, organization_id=organization.id)
    delegations.hold_granted(session, organization_id=organization.id)
    status_lists.of_issuer(session, issuer=did)
    # of this DID alone: who issues under another of its DIDs holds the organisation, and would wait for us
    return keys.of_organization(session, organization_id=organization.id, did=did, for_update=True)


def publish_again(
    env: Environment, session: Session, organization: Organization, methods: Collection[str]
) -> None:
    """Sign anew what these keys have signed in our own records and others rely on; what it says stays.

    Publications of definitions, approvals, authorisations and their withdrawals: without it every credential
    of an authorised issuer would be refused for a key that is not its own.
    """

    def again(body: bytes | None) -> bytes | None:
        statement = json.loads(body or b"{}")
        proof = statement.pop("proof", {})
        if proof.get("verificationMethod") not in methods:
            return body
        return secure(env, session, organization, FORMATS["ldp_vc"], statement, env.now()).body

    for version in definitions.hold_published(session, organization_id=organization.id):
        version.publication = again(version.publication)
    for review in reviews.approvals_by(session, organization_id=organization.id):
        review.endorsement = again(review.endorsement)
    for row in delegations.hold_granted(session, organization_id=organization.id):
        row.body, row.withdrawal = again(row.body), again(row.withdrawal)
    service = the_service(session) if organization.slug == OPERATOR_SLUG else None
    if service is not None:
        service.confirmed = again(service.confirmed)
    session.flush()


def _write_down(
    env: Environment,
    session: Session,
    actor: Actor,
    organization: Organization,
    action: str,
    key: SigningKey,
) -> None:
    audit(env, session, actor, action, key.verification_method, organization_id=organization.id)
