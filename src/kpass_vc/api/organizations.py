"""Organisations, their API tokens, and all of one in a file."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from kpass_vc.actions.confirm import ConfirmationOrder, confirm, unconfirm
from kpass_vc.actions.enrol import EnrolOrder, OrganizationName, enrol
from kpass_vc.actions.export import export
from kpass_vc.actions.tokens import NewToken, TokenOrder, grant_token, revoke_token
from kpass_vc.edge import CurrentActor, Env, ReadTx, WriteTx, accepts, message
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.own_service import own_service
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import Organization

router = APIRouter(prefix="/v1", tags=["Organisations"])
_CHUNK: Final = 64 * 1024


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


@router.get(
    "/export.zip",
    summary="All of your organisation in one file",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
def get_export(request: Request, actor: CurrentActor, env: Env) -> Response:
    """Definitions, DID documents with key history, status lists, credentials and the log, as `kpass export` writes it.

    `kpass verify --offline FILE CREDENTIAL` verifies from it with no network and no service. It may be large, and
    holds what every learner is called.
    """
    with ExitStack() as stack:
        out = stack.enter_context(TemporaryFile())
        with own_service(request.app, env.addresses.base) as ask:
            export(env, actor, ask, out)
        headers = {
            "Content-Length": str(out.tell()),
            "Content-Disposition": 'attachment; filename="export.zip"',
        }
        stack.pop_all()  # whoever reads it closes it
    return StreamingResponse(_chunks(out), media_type="application/zip", headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file from its beginning; it is closed at the end."""
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


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
