"""What the world may fetch: DID documents, keys, status lists, definitions and what belongs to them.

Permanent addresses with an extension, as a dumb web server could serve them.
The stored bytes are the served bytes. Every answer has an ETag, and may be
read by any page.
"""

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from kpass_vc.actions.confirm import as_bytes, confirmed_list, registry
from kpass_vc.actions.publish_status import current
from kpass_vc.actions.verify import own_did_document
from kpass_vc.crypto.jose import ALG_OF, to_jwk
from kpass_vc.edge import REVALIDATE, Env, PublishedVersion, ReadTx, served
from kpass_vc.errors import NotFound
from kpass_vc.language import Language
from kpass_vc.model.dates import utc_text
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists

router = APIRouter(tags=["Published"])

FOREVER = "public, max-age=31536000, immutable"
_JSON_TYPES = {
    "*/*",
    "application/*",
    "application/json",
    "application/ld+json",
    "application/vc+ld+json",
}


def _answers(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """What a route's OpenAPI says of the bytes it answers with."""
    return {200: {"content": {media_type: {} for media_type in media_types}}}


@router.head("/o/{slug}/did.json", include_in_schema=False)
@router.get(
    "/o/{slug}/did.json",
    summary="The DID document of an organisation",
    response_class=Response,
    responses=_answers("application/did+json"),
)
def did_document(slug: str, request: Request, env: Env, session: ReadTx) -> Response:
    """Its keys as Multikey (Ed25519) and JsonWebKey (P-256)."""
    document = own_did_document(session, env.addresses.did(slug))
    if document is None:
        raise NotFound("organization", organization=slug)
    return served(request, _text(document), "application/did+json", REVALIDATE)


@router.head("/o/operator/confirmed.json", include_in_schema=False)
@router.get(
    "/o/operator/confirmed.json",
    summary="The organisations that the operator has made sure of",
    response_class=Response,
    responses=_answers("application/vc+ld+json"),
)
def confirmed(request: Request, env: Env) -> Response:
    """Signed by the operator. Public."""
    return served(request, confirmed_list(env), "application/vc+ld+json", REVALIDATE)


@router.head("/o/operator/registry.json", include_in_schema=False)
@router.get(
    "/o/operator/registry.json",
    summary="The same as a registry of issuers",
    response_class=Response,
    responses=_answers("application/json"),
)
def issuer_registry(request: Request, env: Env, session: ReadTx) -> Response:
    """In the form that the verifiers of the Digital Credentials Consortium read; unsigned. Public."""
    return served(request, as_bytes(registry(env, session)), "application/json", REVALIDATE)


@router.head("/.well-known/jwks.json", include_in_schema=False)
@router.get(
    "/.well-known/jwks.json",
    summary="All organisations' keys as a JWK set",
    response_class=Response,
    responses=_answers("application/jwk-set+json"),
)
def jwks(request: Request, session: ReadTx) -> Response:
    """RFC 7517; `kid` is the DID URL that JWTs name, `iss` the organisation's DID."""
    found = []
    for organization in organizations.every(session):
        for key in keys.of_organization(session, organization_id=organization.id):
            unproven = key.state == "pending" and key.did != organization.did
            if key.state == "compromised" or unproven:
                continue
            public = key.public_key
            members = {
                "kid": key.verification_method,
                "alg": ALG_OF[public.algorithm][0],
                "use": "sig",
                "iss": key.did,
            }
            found.append(to_jwk(public) | members)
    return served(request, _text({"keys": found}), "application/jwk-set+json", REVALIDATE)


@router.head("/o/{slug}/keys.json", include_in_schema=False)
@router.get(
    "/o/{slug}/keys.json",
    summary="All keys of an organisation, with the periods they signed in",
    response_class=Response,
    responses=_answers("application/json"),
)
def key_periods(slug: str, request: Request, session: ReadTx) -> Response:
    """Retired keys still verify what they signed; what a compromised one signed is not to be believed."""
    organization = organizations.by_slug(session, slug)
    if organization is None:
        raise NotFound("organization", organization=slug)
    rows = keys.of_organization(session, organization_id=organization.id)
    document = {"id": organization.did, "keys": [_period(row) for row in rows]}
    return served(request, _text(document), "application/json", REVALIDATE)


@router.head("/o/{slug}/status/{name}.json", include_in_schema=False)
@router.get(
    "/o/{slug}/status/{name}.json",
    summary="A status list credential",
    response_class=Response,
    responses=_answers(
        "application/vc+ld+json",
        "application/vc",
        "application/vc+jwt",
        "application/ld+json",
        "application/json",
    ),
)
def status_list(slug: str, name: str, request: Request, env: Env, session: ReadTx) -> Response:
    """As JSON with a Data Integrity proof, or for `Accept: application/vc+jwt` as a JWT."""
    found = status_lists.by_url(session, f"{env.addresses.organization(slug)}/status/{name}.json")
    if found is None:
        raise NotFound("status_list")
    publication = current(env, session, found)
    media_type = _negotiated(request.headers.get("Accept"))
    body = publication.body_jwt if media_type == "application/vc+jwt" else publication.body
    return served(request, body, media_type, REVALIDATE, vary="Accept")


@router.head("/o/{slug}/definitions/{code}/{version}/definition.json", include_in_schema=False)
@router.get(
    "/o/{slug}/definitions/{code}/{version}/definition.json",
    summary="A published definition",
    response_class=Response,
    responses=_answers("application/json"),
)
def definition_document(request: Request, found: PublishedVersion) -> Response:
    """The bytes that credentials bind by digest."""
    return served(request, found[0].document or b"", "application/json", FOREVER)


@router.head("/o/{slug}/definitions/{code}/{version}/publication.json", include_in_schema=False)
@router.get(
    "/o/{slug}/definitions/{code}/{version}/publication.json",
    summary="The owner's signed publication of a definition",
    response_class=Response,
    responses=_answers("application/vc+ld+json"),
)
def publication(request: Request, found: PublishedVersion) -> Response:
    """An EndorsementCredential over line, version and digests; signed anew if its key was compromised."""
    return served(request, found[0].publication or b"", "application/vc+ld+json", REVALIDATE)


@router.head(
    "/o/{slug}/definitions/{code}/{version}/achievement.{language}.json", include_in_schema=False
)
@router.get(
    "/o/{slug}/definitions/{code}/{version}/achievement.{language}.json",
    summary="A definition as an Open Badges Achievement",
    response_class=Response,
    responses=_answers("application/ld+json"),
)
def achievement(
    language: Language, request: Request, session: ReadTx, found: PublishedVersion
) -> Response:
    """The very achievement that credentials embed, with its @context."""
    row = definitions.achievement(session, definition_version_id=found[0].id, language=language)
    if row is None:
        raise NotFound("definition", definition=found[0].document_url)
    return served(request, row.body, "application/ld+json", FOREVER)


@router.head("/o/{slug}/credentials/{credential_id}", include_in_schema=False)
@router.get(
    "/o/{slug}/credentials/{credential_id}",
    summary="What lies at the id of a credential",
    response_class=Response,
    responses=_answers("application/json"),
)
def credential(
    slug: str, credential_id: str, request: Request, env: Env, session: ReadTx
) -> Response:
    """Whose it is and where its status lies: nothing about the person, who alone holds the credential itself."""
    url = env.addresses.credential(slug, credential_id)
    found = awards.by_credential_id(session, url)
    if found is None:
        raise NotFound("credential", credential=credential_id)
    award, representation = found
    issuer = organizations.by_id(session, award.organization_id)
    version = definitions.by_id(session, award.definition_version_id)
    status = session.get_one(status_lists.StatusList, award.status_list_id)
    document = {
        "id": url,
        "issuer": issuer.did if issuer else "",
        "definition": version[0].document_url if version else "",
        "language": representation.language,
        "statusListCredential": status.url,
    }
    return served(request, _text(document), "application/json", "public, no-cache")


def _period(key: keys.SigningKey) -> dict[str, str | None]:
    """One key and its period; the moments are those of our own records, in UTC."""
    moments = {
        "activeFrom": key.active_from,
        "activeUntil": key.active_until,
        "compromisedAt": key.compromised_at,
    }
    return {
        "id": key.verification_method,
        "controller": key.did,
        "algorithm": key.algorithm,
        "publicKeyMultibase": key.multikey,
        "state": key.state,
        **{name: utc_text(moment) for name, moment in moments.items() if moment is not None},
    }


def _negotiated(accept: str | None) -> str:
    """The media type of a status list: the first that is asked for and that we have, JSON-LD else."""
    for part in (accept or "").split(","):
        wanted = part.partition(";")[0].strip().lower()
        if wanted in {"application/vc+jwt", "application/vc"}:
            return wanted
        if wanted in _JSON_TYPES:
            return wanted if "*" not in wanted else "application/vc+ld+json"
    return "application/vc+ld+json"


def _text(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
