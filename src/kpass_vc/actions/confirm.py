"""The operator says which organisations it has made sure of, in a signed list that everybody may read.

The operator is an organisation of its own with a DID and keys, which owns no definition
and issues to nobody. The list has two forms: a credential that names each DID, and the
plain form of the registries that the Digital Credentials Consortium's verifiers read.
"""

import json
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.make_key import make_key
from kpass_vc.actions.publish_status import lasting
from kpass_vc.actions.sign import secure
from kpass_vc.authz import Actor, Permission
from kpass_vc.compose.credential import CONFIRMED, CONTEXTS
from kpass_vc.crypto.keys import ORGANIZATION_KEYS
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError, InvalidInput, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.language import say
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import JsonObject
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import written
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import OPERATOR_SLUG, Organization
from kpass_vc.records.service import Service, the_service

VALID_FOR: Final = timedelta(days=90)
BACKDATED: Final = timedelta(minutes=1)


class ConfirmationOrder(BaseModel):
    """What the operator looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    how: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(written)]


def confirm(
    env: Environment, session: Session, actor: Actor, slug: str, order: ConfirmationOrder
) -> Organization:
    """The organisation, which the operator has made sure of; the list is signed anew."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    if holds_personal_number(order.how):
        raise InvalidInput(FieldError("/how", "personal_number"))
    row = _found(session, slug)
    row.confirmed_at, row.confirmed_by = env.now(), order.how
    session.flush()
    sign_confirmed(env, session)
    audit(env, session, actor, "organization.confirmed", row.slug, organization_id=row.id)
    return row


def unconfirm(env: Environment, session: Session, actor: Actor, slug: str) -> Organization:
    """The organisation, for which the operator does not vouch any more; what it issued is judged by its own keys."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    row = _found(session, slug)
    row.confirmed_at, row.confirmed_by = None, None
    session.flush()
    sign_confirmed(env, session)
    audit(env, session, actor, "organization.not_confirmed", row.slug, organization_id=row.id)
    return row


def confirmed_list(env: Environment) -> bytes:
    """The signed list, signed anew past half of its life; the reader's transaction is its own.

    Of a service that has ended it is signed once more, for a hundred years.
    """
    with env.reading() as session:
        service = the_service(session)
        if service is not None and service.confirmed is not None and not _is_ageing(env, service):
            return service.confirmed
    with env.writing() as session, session.begin():
        return sign_confirmed(env, session)


def registry(env: Environment, session: Session) -> JsonObject:
    """The same as the Digital Credentials Consortium's registries have it: names by DID, unsigned.

    One that names nobody is as old as the service: it is the same each time that it is read.
    """
    found = [row for row in organizations.every(session) if row.confirmed_at is not None]
    moments = [row.confirmed_at for row in found if row.confirmed_at is not None]
    if not moments:
        service = the_service(session)
        moments = [service.created_at if service is not None else env.now()]
    return {
        "meta": {"created": utc_text(min(moments)), "updated": utc_text(max(moments))},
        "registry": {
            row.did: {"name": row.name_sv, "location": row.country}
            | ({"url": row.url} if row.url else {})
            for row in found
        },
    }


def _found(session: Session, slug: str) -> Organization:
    row = organizations.by_slug(session, slug)
    if row is None or row.slug == OPERATOR_SLUG:
        raise NotFound("organization", organization=slug)
    return row


def _is_ageing(env: Environment, service: Service) -> bool:
    signed = service.confirmed_at
    if signed is None:
        return True
    if service.sunset_at is not None:
        return signed < service.sunset_at
    return env.now() - signed > VALID_FOR / 2


def sign_confirmed(env: Environment, session: Session) -> bytes:
    """Sign the list as it is now; holds the service's row until the transaction ends."""
    service = the_service(session, for_update=True)
    if service is None:
        raise NotFound("organization", organization=OPERATOR_SLUG)
    operator = _operator(env, session)
    now = env.now()
    found = [row for row in organizations.every(session) if row.confirmed_at is not None]
    document: JsonObject = {
        "@context": list(CONTEXTS),
        "id": env.addresses.confirmed,
        "type": ["VerifiableCredential", f"{env.vocabulary}{CONFIRMED}"],
        "name": say("sv", "confirmed.name"),
        "issuer": {"id": operator.did, "type": ["Profile"], "name": operator.name_sv},
        "validFrom": utc_text(now - BACKDATED),
        "validUntil": utc_text(now + lasting(session, VALID_FOR)),
        "credentialSubject": [
            {"id": row.did, "type": ["Profile"], "name": row.name_sv} for row in found
        ]
        or {"id": operator.did, "type": ["Profile"], "name": operator.name_sv},
    }
    body = secure(env, session, operator, FORMATS["ldp_vc"], document, now).body
    service.confirmed, service.confirmed_at = body, now
    session.flush()
    return body


def _operator(env: Environment, session: Session) -> Organization:
    """The operator as an organisation, made when it first signs."""
    known = organizations.the_operator(session)
    if known is not None:
        return known
    row = Organization(
        id=env.new_id(),
        slug=OPERATOR_SLUG,
        did=env.addresses.did(OPERATOR_SLUG),
        name_sv=say("sv", "confirmed.operator", host=env.addresses.host),
        name_en=say("en", "confirmed.operator", host=env.addresses.host),
        country="SE",
        created_at=env.now(),
    )
    session.add(row)
    session.flush()
    for algorithm in ORGANIZATION_KEYS:
        make_key(env, session, row, row.did, algorithm)
    return row


def as_bytes(document: JsonObject) -> bytes:
    """A document for people and programs to read."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode()
