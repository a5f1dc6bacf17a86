"""did:web: the document lies under a domain (did:web method specification)."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from kpass_vc.crypto.jose import thumbprint, to_jwk
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.errors import Malformed
from kpass_vc.model.did import CONTEXTS
from kpass_vc.model.document import JsonObject

_HOST: Final = re.compile(
    r"(?=.{1,253}(?:%3A|\Z))[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(%3A[1-9][0-9]{0,4})?\Z"
)
_LAST_PORT: Final = 65_535
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\Z")


class DidWeb:
    """did:web with an optional port and path."""

    name: Final = "web"

    def address(self, did: str) -> str | None:
        """The URL of did.json (section 3.2); Malformed for anything but lower-case ASCII hosts and plain paths."""
        host, *path = did.removeprefix("did:web:").split(":")
        name, _, port = host.partition("%3A")
        if (
            not _HOST.match(host)
            or not all(_SEGMENT.match(segment) for segment in path)
            or name.rpartition(".")[2].isdecimal()  # an IP address is no domain name
            or int(port or 443) > _LAST_PORT
        ):
            raise Malformed("did_web", did=did[:300])
        folder = "/".join(path) or ".well-known"
        return f"https://{unquote(host)}/{folder}/did.json"

    def document(self, did: str, fetched: JsonObject | None) -> JsonObject:
        """The fetched document; Malformed if its id is not this DID."""
        if fetched is None or fetched.get("id") != did:
            raise Malformed("did_document_id", did=did[:300])
        return fetched


def verification_method_id(did: str, key: PublicKey) -> str:
    """The id of a key in an organisation's document: Multikey text, or JWK thumbprint for P-256."""
    fragment = key.multikey() if key.algorithm is Algorithm.ED25519 else thumbprint(key)
    return f"{did}#{fragment}"


def did_document(did: str, keys: Sequence[PublicKey]) -> JsonObject:
    """An organisation's own document: its keys in the order given, each for assertion.

    Ed25519 as Multikey, P-256 as JsonWebKey; foreign verifiers take the first
    method for their kind, so the active keys stand first.
    """
    methods: list[JsonObject] = []
    for key in keys:
        head: JsonObject = {"id": verification_method_id(did, key)}
        if key.algorithm is Algorithm.ED25519:
            material: JsonObject = {
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.multikey(),
            }
        else:
            jwk = {**to_jwk(key), "kid": thumbprint(key), "alg": "ES256", "use": "sig"}
            material = {"type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk}
        methods.append(head | material)
    return {
        "@context": list(CONTEXTS),
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
