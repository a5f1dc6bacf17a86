"""Make, list and remove issuer instances of the VC-API.

An instance issues whatever a system composes, within the data model: it knows no definition and no award.
A did:key belongs to an organisation and a kind of key; its instances share it.
"""

import re
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.make_key import make_key
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.cryptosuites import CRYPTOSUITES, WRITTEN
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import vc_api
from kpass_vc.records.organization import Organization
from kpass_vc.records.vc_api import VcApiIssuer

ENVELOPING: Final = ("vc+jwt", "vc+sd-jwt", "vc+cose")
SECURING: Final = (*WRITTEN, *ENVELOPING)
"""How an instance may secure what it issues: a cryptosuite, or a format of VC-JOSE-COSE."""
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_DID_KEYS: Final = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384)


def add_issuer(
    env: Environment,
    session: Session,
    actor: Actor,
    slug: str,
    name: str,
    *,
    securing: str,
    algorithm: Algorithm | None = None,
    did_method: str = "key",
    has_status: bool = False,
    is_open: bool = False,
) -> VcApiIssuer:
    """A new instance of an organisation; InvalidInput or Conflict say why not."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    organization = organizations.by_slug(session, slug)
    if organization is None:
        raise NotFound("organization", organization=slug)
    if not _NAME.match(name) or len(name) > 63:
        raise InvalidInput(
            FieldError("/name", "pattern", pattern=_NAME.pattern.removesuffix("\\Z"))
        )
    if vc_api.by_name(session, name) is not None:
        raise Conflict("vc_api_name_taken", name=name)
    chosen = _algorithm(securing, algorithm)
    if did_method not in {"key", "web"}:
        raise InvalidInput(FieldError("/did", "enum", expected="key, web"))
    if is_open and did_method == "web":
        raise InvalidInput(FieldError("/open", "open_needs_did_key"))
    if has_status and chosen is not Algorithm.ED25519:
        raise InvalidInput(FieldError("/status", "status_needs_ed25519"))
    did = organization.did if did_method == "web" else _did_key(env, session, organization, chosen)
    found = keys.active(session, organization_id=organization.id, did=did, algorithm=chosen)
    if found is None:
        raise InvalidInput(FieldError("/key", "no_such_key", algorithm=chosen.value))
    row = VcApiIssuer(
        id=env.new_id(),
        name=name,
        organization_id=organization.id,
        did=did,
        algorithm=chosen.value,
        securing=securing,
        has_status=has_status,
        is_open=is_open,
        created_at=env.now(),
    )
    session.add(row)
    session.flush()
    audit(
        env,
        session,
        actor,
        "vc_api_issuer.added",
        row.id,
        organization_id=organization.id,
        securing=securing,
    )
    return row


def remove_issuer(env: Environment, session: Session, actor: Actor, name: str) -> VcApiIssuer:
    """Remove an instance that has issued nothing; Conflict if it has: what it issued must stay revocable."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    row = vc_api.by_name(session, name)
    if row is None:
        raise NotFound("vc_api_issuer", name=name)
    if vc_api.has_issued(session, issuer_id=row.id):
        raise Conflict("vc_api_has_issued", name=name)
    audit(
        env,
        session,
        actor,
        "vc_api_issuer.removed",
        row.id,
        organization_id=row.organization_id,
    )
    session.delete(row)
    session.flush()
    return row


def _algorithm(securing: str, wanted: Algorithm | None) -> Algorithm:
    """The kind of key: the one asked for, or the first that fits."""
    if securing not in SECURING:
        raise InvalidInput(FieldError("/securing", "enum", expected=", ".join(SECURING)))
    suite = CRYPTOSUITES.get(securing)
    allowed = [kind for kind in _DID_KEYS if suite is None or kind in suite.algorithms]
    if wanted is None:
        return allowed[0]
    if wanted not in allowed:
        raise InvalidInput(FieldError("/key", "enum", expected=", ".join(allowed)))
    return wanted


def _did_key(
    env: Environment, session: Session, organization: Organization, algorithm: Algorithm
) -> str:
    """The organisation's did:key of a kind, made if there is none."""
    for key in keys.of_organization(session, organization_id=organization.id):
        is_its_own = key.did.startswith("did:key:") and key.algorithm == algorithm.value
        if is_its_own and key.state == "active":
            return key.did
    return make_key(env, session, organization, None, algorithm).did
