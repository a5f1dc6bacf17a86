"""Issue, derive and change the status of credentials over the VC-API (W3C VCALM).

The credential comes whole from the caller. It is checked against the data model and signed only if every
part of it goes under the signature; of what it says, nothing is kept.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.publish_status import coalescing, next_index, put_bit
from kpass_vc.actions.sign import signing_with
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, Unauthenticated
from kpass_vc.formats import FORMATS, add_proof, derive
from kpass_vc.formats.envelope import envelope
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import BITSTRING_STATUS_V1
from kpass_vc.model.document import JsonObject, compact, read_json
from kpass_vc.model.vcdm import check_credential, version_of
from kpass_vc.records import organization as organizations
from kpass_vc.records import vc_api
from kpass_vc.records.status_list import StatusList
from kpass_vc.records.vc_api import VcApiCredential, VcApiIssuer

_MOST_POINTERS: Final = 200
_PURPOSE: Final = "revocation"
_ANYBODY: Final = Actor("anybody", None, frozenset())


def issuer_named(session: Session, actor: Actor | None, name: str | None) -> VcApiIssuer:
    """The instance of a name, or the first of the actor's organisation; NotFound, Unauthenticated or Forbidden."""
    if name is None:
        if actor is None:
            raise Unauthenticated("missing")
        found = vc_api.first_of(session, organization_id=actor.own_organization())
    else:
        found = vc_api.by_name(session, name)
    if found is None:
        raise NotFound("vc_api_issuer", name=name or "")
    if found.is_open:
        return found
    if actor is None:
        raise Unauthenticated("missing")
    if actor.organization_id != found.organization_id:
        raise Forbidden("not_own_vc_api_issuer", name=found.name)
    actor.require(Permission.CREDENTIALS_ISSUE)
    return found


def issue_vc(
    env: Environment,
    session: Session,
    actor: Actor | None,
    name: str | None,
    credential: JsonObject,
    options: Mapping[str, object],
) -> JsonObject:
    """The secured credential; InvalidInput, DataLoss or UnknownContext say why it cannot be signed."""
    instance = issuer_named(session, actor, name)
    organization = organizations.by_id(session, instance.organization_id)
    if organization is None:
        raise NotFound("vc_api_issuer", name=instance.name)
    contexts = env.contexts.allowing_inline()
    read_json(compact(credential), max_values=MAX_VALUES, max_items=MAX_ITEMS)
    check_credential(credential, env.contexts.digest_known)
    _check_for(instance, credential)
    pointers = _pointers(options.get("mandatoryPointers", []), "/options/mandatoryPointers")
    to_quads(credential, contexts)
    row = VcApiCredential(
        id=env.new_id(),
        issuer_id=instance.id,
        organization_id=organization.id,
        credential_id=_text(credential.get("id")),
        sha256="",
        status_list_id=None,
        status_index=None,
        is_revoked=False,
        issued_at=env.now(),
    )
    if instance.has_status and "credentialStatus" not in credential:
        status_list, index = next_index(env, session, organization, _PURPOSE, instance.did)
        row.status_list_id, row.status_index = status_list.id, index
        credential = _with_status(credential, status_list, index)
    signing = signing_with(
        env, session, organization, instance.did, Algorithm(instance.algorithm), env.now()
    )
    if instance.securing in FORMATS:
        form = FORMATS[instance.securing]
        body = form.secure(credential, signing, contexts)
        secured = envelope(body, form.media_type)
    else:
        disclosure = Disclosure(pointers, env.entropy)
        secured = add_proof(credential, instance.securing, signing, contexts, disclosure=disclosure)
        body = compact(secured)
    row.sha256 = hashlib.sha256(body).hexdigest()
    session.add(row)
    session.flush()
    audit(
        env,
        session,
        actor or _ANYBODY,
        "vc_api_credential.issued",
        row.id,
        organization_id=organization.id,
    )
    return secured


def derive_vc(
    env: Environment, credential: JsonObject, options: Mapping[str, object]
) -> JsonObject:
    """What a holder shows of a credential: all that is mandatory, and what `selectivePointers` choose."""
    pointers = _pointers(options.get("selectivePointers", []), "/options/selectivePointers")
    presented = FORMATS["ldp_vc"].read(compact(credential))
    return derive(presented, pointers, env.contexts.allowing_inline())


def change_vc_status(
    env: Environment,
    session: Session,
    actor: Actor,
    credential_id: str,
    purpose: str,
    *,
    value: bool,
) -> None:
    """Set the status of all that was issued under an id: once, or again after a lost answer. Revoked is for ever."""
    actor.require(Permission.CREDENTIALS_REVOKE)
    rows = vc_api.issued(
        session, organization_id=actor.own_organization(), credential_id=credential_id
    )
    listed = sorted(
        (row for row in rows if row.status_list_id is not None),
        key=lambda row: str(row.status_list_id),
    )
    if not listed:
        raise NotFound("credential", credential=credential_id[:200])
    if purpose != _PURPOSE:
        raise InvalidInput(FieldError("/credentialStatus/statusPurpose", "enum", expected=_PURPOSE))
    with coalescing(env, session):
        for row in listed:
            if row.is_revoked and not value:
                raise Conflict("revoked_for_ever", credential=credential_id[:200])
            if value and not row.is_revoked:
                _revoke(env, session, actor, row)


def _revoke(env: Environment, session: Session, actor: Actor, row: VcApiCredential) -> None:
    status_list = session.get_one(StatusList, row.status_list_id)
    put_bit(env, session, status_list, int(str(row.status_index)), value=True)
    row.is_revoked = True
    audit(
        env,
        session,
        actor,
        "vc_api_credential.revoked",
        row.id,
        organization_id=row.organization_id,
    )


def _check_for(instance: VcApiIssuer, credential: Mapping[str, object]) -> None:
    """What this instance does not sign: another's credential, one that is signed, VCDM 1.1 in an envelope."""
    if "proof" in credential:
        raise InvalidInput(FieldError("/credential/proof", "signed_already"))
    issuer = credential["issuer"]
    said = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    if said != instance.did:
        raise InvalidInput(FieldError("/credential/issuer", "other_issuer", did=instance.did))
    if instance.securing in FORMATS and version_of(credential) != 2:
        raise InvalidInput(FieldError("/credential/@context/0", "base_context"))


def _with_status(credential: JsonObject, status_list: StatusList, index: int) -> JsonObject:
    """The credential with its status entry, and the context for it that VCDM 1.1 lacks."""
    entry = {
        "id": f"{status_list.url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": status_list.purpose,
        "statusListIndex": str(index),
        "statusListCredential": status_list.url,
    }
    contexts: Any = credential["@context"]
    lacks_terms = isinstance(contexts, list) and BITSTRING_STATUS_V1 not in contexts
    if version_of(credential) == 1 and lacks_terms:
        contexts = [*contexts, BITSTRING_STATUS_V1]
    return {**credential, "@context": contexts, "credentialStatus": entry}


def _pointers(value: object, field: str) -> tuple[str, ...]:
    """A list of JSON pointers (RFC 6901)."""
    if not isinstance(value, list):
        raise InvalidInput(FieldError(field, "type", expected="array"))
    if len(value) > _MOST_POINTERS:
        raise InvalidInput(FieldError(field, "count", limit=f"≤ {_MOST_POINTERS}"))
    for number, text in enumerate(value):
        if not isinstance(text, str) or (text and not text.startswith("/")):
            raise InvalidInput(FieldError(f"{field}/{number}", "json_pointer"))
    return tuple(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
