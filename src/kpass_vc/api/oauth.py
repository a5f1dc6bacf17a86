"""OAuth 2.0 for systems: a token for a signed assertion, the server's metadata, and the clients that there are."""

from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from kpass_vc.actions.oauth import (
    LASTS,
    ClientOrder,
    KeysOrder,
    change_keys,
    clients,
    grant,
    metadata,
    register_client,
    withdraw_client,
)
from kpass_vc.edge import CurrentActor, Env, RawBody, ReadTx, WriteTx, accepts, message
from kpass_vc.errors import OauthRefused
from kpass_vc.records.oauth import OauthClient

router = APIRouter(tags=["Systems"])
_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


class ClientReply(BaseModel):
    """A client of an organisation."""

    id: str
    label: str
    keys: list[dict[str, str]]
    permissions: list[str]
    test: bool
    createdAt: datetime  # noqa: N815 - as it is on the wire
    revokedAt: datetime | None  # noqa: N815


class ClientList(BaseModel):
    """The clients of an organisation."""

    clients: list[ClientReply]


class GrantReply(BaseModel):
    """A token, in the words of RFC 6749 section 5.1."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class MetadataReply(BaseModel):
    """The authorisation server (RFC 8414)."""

    issuer: str
    token_endpoint: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    scopes_supported: list[str]


@router.post(
    "/oauth/token",
    summary="A token for a signed assertion",
    response_model=GrantReply,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "required": ["grant_type", "client_assertion_type", "client_assertion"],
                        "properties": {
                            "grant_type": {"const": "client_credentials"},
                            "client_assertion_type": {"type": "string"},
                            "client_assertion": {"type": "string"},
                            "scope": {"type": "string"},
                        },
                    }
                }
            },
        }
    },
)
def post_token(env: Env, session: WriteTx, body: RawBody) -> JSONResponse:
    """`private_key_jwt` (RFC 7523): signed by a registered key, for this service, for a minute at most, used once.

    Errors are those of RFC 6749 section 5.2.
    """
    found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if any(len(values) != 1 for values in found.values()):
        return JSONResponse({"error": "invalid_request"}, 400, headers)
    try:
        made, scope = grant(env, session, {name: values[0] for name, values in found.items()})
    except OauthRefused as error:
        status = 401 if error.rule == "invalid_client" else 400
        return JSONResponse({"error": error.rule}, status, headers)
    answer = GrantReply(
        access_token=made.token,
        token_type="Bearer",  # noqa: S106 - not a password
        expires_in=int(LASTS.total_seconds()),
        scope=" ".join(scope),
    )
    return JSONResponse(answer.model_dump(), 200, headers)


@router.get("/.well-known/oauth-authorization-server", summary="The authorisation server")
def get_metadata(env: Env) -> MetadataReply:
    """RFC 8414. Public."""
    return MetadataReply(**metadata(env))


@router.post(
    "/v1/organizations/{slug}/clients",
    status_code=201,
    summary="Register a system by its public key",
    openapi_extra=accepts(
        ClientOrder,
        {"label": "The learning platform", "keys": [_JWK], "permissions": ["credentials:issue"]},
    ),
)
def post_client(
    slug: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[ClientOrder, Depends(message(ClientOrder))],
) -> ClientReply:
    """Operator only. Its private key stays where it is; two public ones at most, to change one for another."""
    return _reply(register_client(env, session, actor, slug, order))


@router.get("/v1/organizations/{slug}/clients", summary="The systems of an organisation")
def get_clients(slug: str, actor: CurrentActor, session: ReadTx) -> ClientList:
    """Operator only. Newest first, the withdrawn ones too."""
    return ClientList(clients=[_reply(row) for row in clients(session, actor, slug)])


@router.post(
    "/v1/clients/{client_id}/keys",
    summary="Change a system's keys",
    openapi_extra=accepts(KeysOrder, {"keys": [_JWK]}),
)
def post_client_keys(
    client_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[KeysOrder, Depends(message(KeysOrder))],
) -> ClientReply:
    """Operator only. These and no others from now on."""
    return _reply(change_keys(env, session, actor, client_id, order))


@router.delete("/v1/clients/{client_id}", status_code=204, summary="Withdraw a system")
def delete_client(client_id: str, actor: CurrentActor, env: Env, session: WriteTx) -> None:
    """Operator only. It gets no token any more."""
    withdraw_client(env, session, actor, client_id)


def _reply(row: OauthClient) -> ClientReply:
    return ClientReply(
        id=row.id,
        label=row.label,
        keys=row.keys,
        permissions=row.permissions,
        test=row.is_test,
        createdAt=row.created_at,
        revokedAt=row.revoked_at,
    )
