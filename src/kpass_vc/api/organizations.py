"""Organisations and their API tokens."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from kpass_vc.actions.confirm import ConfirmationOrder, confirm, unconfirm
from kpass_vc.actions.enrol import EnrolOrder, OrganizationName, enrol
from kpass_vc.actions.tokens import NewToken, TokenOrder, grant_token, revoke_token
from kpass_vc.edge import CurrentActor, Env, ReadTx, WriteTx, accepts, message
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import Organization

router = APIRouter(prefix="/v1", tags=["Organisations"])


class OrganizationReply(BaseModel):
    """An organisation as the world may see it."""

    slug: str
    did: str
    name: OrganizationName
    organizationNumber: str | None = Field(default=None)  # noqa: N815 - as it is on the wire
    country: str
    url: str | None = None
    email: str | None = None
    image: str | None = None
    didDocument: str  # noqa: N815
    confirmedAt: datetime | None = None  # noqa: N815
    """When the operator made sure who it is."""


class OrganizationList(BaseModel):
    """All organisations."""

    organizations: list[OrganizationReply]


class TokenReply(BaseModel):
    """A new token; it is shown this once."""

    id: str
    token: str
    permissions: list[str]
    expiresAt: datetime | None  # noqa: N815


EXAMPLE = {
    "slug": "nordiska-textilakademin",
    "name": {"sv": "Nordiska Textilakademin (exempel)", "en": "Nordiska Textilakademin (example)"},
    "organizationNumber": "212000-0142",
    "url": "https://textilakademin.example/",
    "email": "info@textilakademin.example",
}


@router.post(
    "/organizations",
    status_code=201,
    summary="Register an organisation",
    openapi_extra=accepts(EnrolOrder, EXAMPLE),
)
def post_organization(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[EnrolOrder, Depends(message(EnrolOrder))],
) -> OrganizationReply:
    """Makes the organisation's DID, its Ed25519 and P-256 keys and its first status list. Operator only."""
    return _reply(env, enrol(env, session, actor, order))


@router.get("/organizations", summary="All organisations")
def get_organizations(env: Env, session: ReadTx) -> OrganizationList:
    """Public."""
    return OrganizationList(
        organizations=[_reply(env, row) for row in organizations.every(session)]
    )


@router.get("/organizations/{slug}", summary="One organisation")
def get_organization(slug: str, env: Env, session: ReadTx) -> OrganizationReply:
    """Public."""
    row = organizations.by_slug(session, slug)
    if row is None:
        raise NotFound("organization", organization=slug)
    return _reply(env, row)


@router.post(
    "/organizations/{slug}/confirmation",
    summary="Say that an organisation is who it says",
    openapi_extra=accepts(
        ConfirmationOrder, {"how": "Registreringsbevis, och ett samtal med firmatecknaren."}
    ),
)
def post_confirmation(
    slug: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[ConfirmationOrder, Depends(message(ConfirmationOrder))],
) -> OrganizationReply:
    """Operator only. It stands in the operator's signed list from now on, and verifiers say so."""
    return _reply(env, confirm(env, session, actor, slug, order))


@router.delete("/organizations/{slug}/confirmation", summary="Take a confirmation back")
def delete_confirmation(
    slug: str, actor: CurrentActor, env: Env, session: WriteTx
) -> OrganizationReply:
    """Operator only. The signed list is signed anew without it."""
    return _reply(env, unconfirm(env, session, actor, slug))


@router.post(
    "/organizations/{slug}/tokens",
    status_code=201,
    summary="A new API token for an organisation",
    openapi_extra=accepts(
        TokenOrder, {"label": "The learning platform", "permissions": ["credentials:issue"]}
    ),
)
def post_token(
    slug: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[TokenOrder, Depends(message(TokenOrder))],
) -> TokenReply:
    """Operator only. The token is shown this once; only its hash is kept."""
    return _token(grant_token(env, session, actor, slug, order))


@router.delete("/tokens/{token_id}", status_code=204, summary="Withdraw an API token")
def delete_token(token_id: str, actor: CurrentActor, env: Env, session: WriteTx) -> None:
    """Operator only. It opens nothing from now on."""
    revoke_token(env, session, actor, token_id)


def _reply(env: Environment, row: Organization) -> OrganizationReply:
    return OrganizationReply(
        slug=row.slug,
        did=row.did,
        name=OrganizationName(sv=row.name_sv, en=row.name_en),
        organizationNumber=row.organization_number,
        country=row.country,
        url=row.url,
        email=row.email,
        image=row.image,
        didDocument=env.addresses.did_document(row.slug),
        confirmedAt=row.confirmed_at,
    )


def _token(made: NewToken) -> TokenReply:
    row = made.row
    return TokenReply(
        id=row.id, token=made.token, permissions=row.permissions, expiresAt=row.expires_at
    )
