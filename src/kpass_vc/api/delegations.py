"""Delegations: who may issue whose definitions; asked for, granted, accepted, withdrawn."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from kpass_vc.actions.delegate import (
    AskOrder,
    DelegationStatusOrder,
    GrantOrder,
    ask,
    change,
    grant,
    own_delegation,
    own_delegations,
    own_did,
)
from kpass_vc.actions.take_authorization import (
    TakeOrder,
    gather_authorization,
    take_authorization,
)
from kpass_vc.compose.authorization import withdrawal_url
from kpass_vc.edge import (
    REVALIDATE,
    CurrentActor,
    Env,
    ReadTx,
    WriteTx,
    accepts,
    message,
    served,
)
from kpass_vc.errors import NotFound
from kpass_vc.records import delegation as delegations
from kpass_vc.records import organization as organizations
from kpass_vc.records.delegation import Delegation

router = APIRouter(tags=["Delegations"])


class DelegationReply(BaseModel):
    """An owner's authorisation of an issuer."""

    id: str
    owner: str
    issuer: str
    """The DID."""
    definitions: list[str]
    families: list[str]
    status: str
    note: str | None
    quota: int | None
    validFrom: datetime  # noqa: N815 - as it is on the wire
    validUntil: datetime | None  # noqa: N815
    authorization: str | None
    """Where the signed authorisation lies, once it is granted."""
    withdrawal: str | None
    """Where the signed notice lies that ended it."""
    reason: str | None
    acceptedAt: datetime | None  # noqa: N815
    endedAt: datetime | None  # noqa: N815


class DelegationList(BaseModel):
    """Delegations, newest first."""

    delegations: list[DelegationReply]


ASK = {"owner": "sobona", "definitions": ["SOB-OPTO-01"], "note": "Vi har tre bedömare."}
GRANT = {
    "issuer": "stadsnat-exempel",
    "definitions": ["SOB-OPTO-01"],
    "validUntil": "2028-08-31",
}


@router.post(
    "/v1/delegations",
    status_code=201,
    summary="Let an organisation issue",
    openapi_extra=accepts(
        GrantOrder, GRANT, {"issuer": "did:web:nat.example", "families": ["SOB-OPTO"]}
    ),
)
def post_delegation(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[GrantOrder, Depends(message(GrantOrder))],
) -> DelegationReply:
    """By the owner. Signs the authorisation; an organisation of this service has yet to accept it."""
    return _reply(session, grant(env, session, actor, order))


@router.post(
    "/v1/delegations/requests",
    status_code=201,
    summary="Ask an owner to let you issue",
    openapi_extra=accepts(AskOrder, ASK),
)
def post_delegation_request(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[AskOrder, Depends(message(AskOrder))],
) -> DelegationReply:
    """By the issuer. The owner grants or declines it."""
    return _reply(session, ask(env, session, actor, order))


@router.post(
    "/v1/delegations/imports",
    status_code=201,
    summary="Take in an authorisation from another service",
    openapi_extra=accepts(
        TakeOrder,
        {
            "authorization": "https://owner.example/o/owner/authorizations/1.json",
            "definitions": [
                "https://owner.example/o/owner/definitions/OWN-LINE-01/1.0.0/definition.json"
            ],
        },
    ),
)
def post_delegation_import(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[TakeOrder, Depends(message(TakeOrder))],
) -> DelegationReply:
    """By the issuer. Fetches it with the definitions it is for; all must be signed by their owner.

    Issue them by the addresses of their documents. Taken in again with what its owner has published since, new
    versions and new definitions of its family, it is the same delegation with more definitions. The session's
    connection is taken after the last fetch.
    """
    found = gather_authorization(env, actor, own_did(env, actor), order)
    return _reply(session, take_authorization(env, session, actor, found))


@router.get("/v1/delegations", summary="Your delegations")
def get_delegations(actor: CurrentActor, session: ReadTx) -> DelegationList:
    """Those you have granted and those you were granted, asked and ended ones among them."""
    found = own_delegations(session, actor)
    return DelegationList(delegations=[_reply(session, row) for row in found])


@router.get("/v1/delegations/{delegation_id}", summary="One of your delegations")
def get_delegation(delegation_id: str, actor: CurrentActor, session: ReadTx) -> DelegationReply:
    """As its owner or as its issuer."""
    return _reply(session, own_delegation(session, actor, delegation_id))


@router.post(
    "/v1/delegations/{delegation_id}/status",
    summary="Accept, decline, grant or withdraw a delegation",
    openapi_extra=accepts(
        DelegationStatusOrder, {"status": "withdrawn", "reason": "Avtalet är slut."}
    ),
)
def post_delegation_status(
    delegation_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[DelegationStatusOrder, Depends(message(DelegationStatusOrder))],
) -> DelegationReply:
    """The issuer accepts or declines an offer; the owner grants or declines what was asked, and withdraws.

    A withdrawal is a signed, dated notice: what was issued before stays valid, nothing more is issued.
    """
    return _reply(session, change(env, session, actor, delegation_id, order))


@router.head("/o/{slug}/authorizations/{delegation_id}.withdrawal.json", include_in_schema=False)
@router.get(
    "/o/{slug}/authorizations/{delegation_id}.withdrawal.json", summary="A signed withdrawal"
)
def get_withdrawal(
    slug: str, delegation_id: str, request: Request, env: Env, session: ReadTx
) -> Response:
    """The owner's dated notice that an authorisation has ended. Public; not there while it holds."""
    row = delegations.by_url(session, env.addresses.authorization(slug, delegation_id))
    if row is None or row.withdrawal is None:
        raise NotFound("delegation", delegation=delegation_id)
    return served(request, row.withdrawal, "application/vc+ld+json", REVALIDATE)


@router.head("/o/{slug}/authorizations/{delegation_id}.json", include_in_schema=False)
@router.get("/o/{slug}/authorizations/{delegation_id}.json", summary="A signed authorisation")
def get_authorization(
    slug: str, delegation_id: str, request: Request, env: Env, session: ReadTx
) -> Response:
    """The owner's word that an issuer may issue; named in `termsOfUse` of what is issued under it. Public."""
    row = delegations.by_url(session, env.addresses.authorization(slug, delegation_id))
    if row is None or row.body is None:
        raise NotFound("delegation", delegation=delegation_id)
    return served(request, row.body, "application/vc+ld+json", REVALIDATE)


def _reply(session: Session, row: Delegation) -> DelegationReply:
    owner = organizations.by_id(session, row.organization_id)
    return DelegationReply(
        id=row.id,
        owner=owner.slug if owner else "",
        issuer=row.issuer_did,
        definitions=row.codes,
        families=row.families,
        status=row.state,
        note=row.note,
        quota=row.quota,
        validFrom=row.valid_from,
        validUntil=row.valid_until,
        authorization=row.url if row.body is not None else None,
        withdrawal=withdrawal_url(row.url) if row.withdrawal is not None else None,
        reason=row.reason,
        acceptedAt=row.accepted_at,
        endedAt=row.ended_at,
    )
