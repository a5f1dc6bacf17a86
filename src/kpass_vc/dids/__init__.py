"""DID_METHODS: method -> DidMethod. A new method registers here."""

import re
from collections.abc import Mapping
from typing import Final

from kpass_vc.crypto.jose import from_jwk
from kpass_vc.crypto.keys import PublicKey
from kpass_vc.dids.did_method import DidMethod
from kpass_vc.dids.jwk import DidJwk
from kpass_vc.dids.key import DidKey
from kpass_vc.dids.web import DidWeb
from kpass_vc.dids.web import verification_method_id as web_method_id
from kpass_vc.errors import KeyRefused, Malformed
from kpass_vc.model.did import VerificationMethod

DID_METHODS: Final[Mapping[str, DidMethod]] = {
    method.name: method for method in (DidKey(), DidJwk(), DidWeb())
}

_DID: Final = re.compile(r"did:([a-z0-9]+):((?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})+)\Z")


def method_of(did: str) -> DidMethod:
    """The method of a DID (DID Core 1.0 section 3.1); Malformed if it is no DID or none we know."""
    found = _DID.match(did)
    if not found:
        raise Malformed("did", did=did[:300])
    if found[1] not in DID_METHODS:
        raise Malformed("did_method", method=found[1])
    return DID_METHODS[found[1]]


def public_key(method: VerificationMethod) -> PublicKey:
    """The key of a verification method; KeyRefused if it holds none we take."""
    multibase, jwk = method.members.get("publicKeyMultibase"), method.members.get("publicKeyJwk")
    match method.type:
        case "Multikey" | "Ed25519VerificationKey2020" if isinstance(multibase, str):
            return PublicKey.from_multikey(multibase)
        case "JsonWebKey" | "JsonWebKey2020" if isinstance(jwk, Mapping):
            return from_jwk(jwk)
        case _:
            raise KeyRefused("method_type", type=method.type[:80])


def check_did(did: str) -> None:
    """Return if the text is a DID, and right by its method's rules where we know the method; else Malformed."""
    found = _DID.match(did)
    if not found:
        raise Malformed("did", did=did[:300])
    if found[1] in DID_METHODS:
        DID_METHODS[found[1]].address(did)


def verification_method_id(did: str, key: PublicKey) -> str:
    """The id of a key of a DID of ours, as its document has it."""
    if did.startswith("did:key:"):
        return f"{did}#{key.multikey()}"
    return web_method_id(did, key)
