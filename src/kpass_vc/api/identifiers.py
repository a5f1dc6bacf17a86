"""`GET /1.0/identifiers/{did}`: DIDs resolved, in the shape of the universal resolver."""

from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from kpass_vc.actions.resolve import MEDIA_TYPE, resolve
from kpass_vc.edge import Env

router = APIRouter(tags=["DIDs"])


@router.get(
    "/1.0/identifiers/{did:path}",
    summary="Resolve a DID",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
def get_identifier(did: str, env: Env, request: Request) -> JSONResponse:
    """The document of a did:key, did:jwk or did:web; or the verification method that a DID URL names.

    The DID, or DID URL, stands percent-encoded in the path. `publicKeyFormat`, `enableEncryptionKeyDerivation`
    are those of the did:key method. Errors have the names of the DID specifications.
    """
    found = resolve(env, _as_sent(request, did), dict(request.query_params))
    headers = {"Cache-Control": "no-store", "Content-Type": MEDIA_TYPE}
    return JSONResponse(found.reply(), status_code=found.status, headers=headers)


def _as_sent(request: Request, did: str) -> str:
    """The DID with its own escapes: the `%3A` of a did:web's port is a part of it, and is escaped once in a path."""
    raw = bytes(request.scope.get("raw_path") or b"").partition(b"?")[0].decode("ascii", "replace")
    _, found, rest = raw.partition("/1.0/identifiers/")
    return unquote(rest) if found else did
