"""Secure and check documents by VC-JOSE-COSE with a key that is handed in: no database, no DID, no clock.

What is checked is that the document is secured under that key, of its media type, and within the data
model; not whose key it is, whether it is valid today or revoked: `verify` does that.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from kpass_vc.crypto.jose import from_jwk, private_bytes
from kpass_vc.crypto.keys import PublicKey, Signer
from kpass_vc.crypto.signers import signer_of
from kpass_vc.errors import FieldError, InvalidInput, KeyRefused, Malformed
from kpass_vc.formats import FORMATS, secure_disclosing
from kpass_vc.formats.envelope import opened, without_envelopes
from kpass_vc.formats.format import Signing
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject, compact, read_json
from kpass_vc.model.vcdm import check_credential, check_presentation

Feature = Literal[
    "credential_jose",
    "credential_sdjwt",
    "credential_cose",
    "presentation_jose",
    "presentation_sdjwt",
    "presentation_cose",
]
_FORMAT: Final[Mapping[str, str]] = {
    f"{kind}_{form}": f"{short}+{name}"
    for kind, short in (("credential", "vc"), ("presentation", "vp"))
    for form, name in (("jose", "jwt"), ("sdjwt", "sd-jwt"), ("cose", "cose"))
}


def secure_jose(
    feature: Feature,
    body: bytes,
    key: bytes,
    contexts: Contexts,
    *,
    paths: Sequence[str],
    entropy: Callable[[int], bytes],
) -> str:
    """The secured document as text, COSE in base64 without padding; Malformed says why it is not secured."""
    document = read_json(body)
    _check(feature, document, contexts)
    method, signer = _private_key(key)
    signing = Signing(signer, method, datetime.now(UTC))
    form = FORMATS[_FORMAT[feature]]
    allowing = contexts.allowing_inline()
    if form.name.endswith("sd-jwt"):
        secured = secure_disclosing(form.name, document, signing, allowing, paths, entropy)
    else:
        secured = form.secure(document, signing, allowing)
    if form.name.endswith("cose"):
        return base64.b64encode(secured).rstrip(b"=").decode("ascii")
    return secured.decode("ascii")


def check_jose(feature: Feature, text: str, key: bytes, contexts: Contexts) -> JsonObject:
    """The document that a text secures under a key; Malformed or ProofInvalid if it does not."""
    form = FORMATS[_FORMAT[feature]]
    body = _cose_bytes(text) if form.name.endswith("cose") else text.encode()
    if not form.claims(body.strip() if form.name.endswith("jwt") else body):
        raise Malformed("format")
    presented = form.read(body)
    _check(feature, presented.document, contexts)
    public_key = _public_key(key)
    for proof in presented.proofs:
        form.check_proof(presented, proof, public_key, contexts.allowing_inline())
    to_quads(without_envelopes(presented.document), contexts.allowing_inline())
    return presented.document


def _check(feature: Feature, document: JsonObject, contexts: Contexts) -> None:
    """The rules of the data model, and the shape of the envelopes in a presentation."""
    if feature.startswith("credential"):
        check_credential(document, contexts.digest_known)
        return
    check_presentation(document)
    found = document.get("verifiableCredential", [])
    for credential in found if isinstance(found, list) else [found]:
        if isinstance(credential, dict) and opened(compact(credential)) is None:
            check_credential(credential, contexts.digest_known)


def _public_key(key: bytes) -> PublicKey:
    """The public key in a JsonWebKey verification method, or a bare JWK."""
    found = read_json(key)
    jwk = found.get("publicKeyJwk", found)
    if not isinstance(jwk, dict):
        raise InvalidInput(FieldError("/publicKeyJwk", "type", expected="object"))
    return from_jwk(jwk)


def _private_key(key: bytes) -> tuple[str, Signer]:
    """What a `kid` names, and the signer of the private key in a verification method or JWK."""
    found = read_json(key)
    jwk = found.get("secretKeyJwk", found)
    if not isinstance(jwk, dict):
        raise InvalidInput(FieldError("/secretKeyJwk", "type", expected="object"))
    public = from_jwk({name: value for name, value in jwk.items() if name != "d"})
    signer = signer_of(public.algorithm, private_bytes(jwk, public.algorithm))
    if signer.public_key != public:
        raise KeyRefused("jwk")
    method = found.get("id", jwk.get("kid"))
    if not isinstance(method, str):
        raise InvalidInput(FieldError("/id", "required"))
    return method, signer


def _cose_bytes(text: str) -> bytes:
    """The bytes of base64 text, with or without padding (RFC 4648 section 4)."""
    bare = text.strip().rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("cose") from error
