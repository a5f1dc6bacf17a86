"""did:jwk: the DID is a public JWK in base64url (did:jwk method specification)."""

from typing import Final

from kpass_vc.crypto.jose import from_jwk
from kpass_vc.crypto.multibase import base64url_decode
from kpass_vc.errors import KeyRefused, Malformed
from kpass_vc.model.document import JsonObject, read_json

_CONTEXTS: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1")
_LONGEST: Final = 8192
_SIGNING: Final = (
    "authentication",
    "assertionMethod",
    "capabilityInvocation",
    "capabilityDelegation",
)


class DidJwk:
    """did:jwk."""

    name: Final = "jwk"

    def address(self, did: str) -> str | None:
        """None: there is nothing to fetch."""
        _read(did)
        return None

    def document(self, did: str, fetched: JsonObject | None) -> JsonObject:
        """The document of the one key `#0`, for what its `use` says."""
        jwk = _read(did)
        method = f"{did}#0"
        use = jwk.get("use")
        document: JsonObject = {
            "@context": list(_CONTEXTS),
            "id": did,
            "verificationMethod": [
                {"id": method, "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jwk}
            ],
        }
        if use != "enc":
            document |= {name: [method] for name in _SIGNING}
        if use != "sig":
            document["keyAgreement"] = [method]
        return document


def _read(did: str) -> JsonObject:
    text = did.removeprefix("did:jwk:")
    try:
        jwk = read_json(base64url_decode(text), max_bytes=_LONGEST)
        if jwk.get("crv") != "X25519":
            from_jwk(jwk)
        elif {"d", "k"} & jwk.keys():
            raise KeyRefused("private")
    except Malformed as error:
        raise Malformed("did_jwk", did=did[:100]) from error
    return jwk
