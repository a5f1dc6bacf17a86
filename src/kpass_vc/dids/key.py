"""did:key: the DID is the key (did:key method specification).

Every kind of key that the method lists resolves; that we can verify with it is another question, which
`dids.public_key` answers.
"""

from dataclasses import dataclass
from typing import Final

from kpass_vc.crypto.jose import to_jwk
from kpass_vc.crypto.keys import Algorithm, PublicKey, x25519_of
from kpass_vc.crypto.multibase import base64url_encode, multibase_decode, multibase_encode
from kpass_vc.errors import KeyRefused, Malformed
from kpass_vc.model.document import JsonObject

_DID: Final = "https://www.w3.org/ns/did/v1"
_X25519: Final = b"\xec\x01"
_OTHERS: Final = {
    b"\xe7\x01": ("secp256k1", 33),
    _X25519: ("X25519", 32),
    b"\xea\x01": ("BLS12-381 G1", 48),
    b"\xeb\x01": ("BLS12-381 G2", 96),
}
"""Multicodec prefixes of keys that we do not verify with, and the lengths of those keys."""
FORMATS: Final = {
    "Multikey": "https://w3id.org/security/multikey/v1",
    "JsonWebKey2020": "https://w3id.org/security/suites/jws-2020/v1",
    "Ed25519VerificationKey2020": "https://w3id.org/security/suites/ed25519-2020/v1",
    "X25519KeyAgreementKey2020": "https://w3id.org/security/suites/x25519-2020/v1",
}
"""The forms that a key may be given in, and the context that defines each."""
_SIGNING: Final = (
    "authentication",
    "assertionMethod",
    "capabilityInvocation",
    "capabilityDelegation",
)


@dataclass(frozen=True)
class _Key:
    """The key in a did:key: its Multikey text, and the key itself if it is of a kind we take."""

    multikey: str
    kind: str
    raw: bytes
    public_key: PublicKey | None

    @property
    def is_for_agreement(self) -> bool:
        return self.kind == "X25519"


def did_key(key: PublicKey) -> str:
    """The did:key of a key."""
    return f"did:key:{key.multikey()}"


class DidKey:
    """did:key for all kinds of key of the method's specification."""

    name: Final = "key"

    def address(self, did: str) -> str | None:
        """None: there is nothing to fetch."""
        _read(did)
        return None

    def document(self, did: str, fetched: JsonObject | None) -> JsonObject:
        """The document of one Multikey, good for whatever such a key can do."""
        return self.document_in(did)

    def document_in(
        self, did: str, key_format: str = "Multikey", *, derive_agreement: bool = False
    ) -> JsonObject:
        """The document with its key in one of FORMATS; KeyRefused("format") if it has no such form.

        With `derive_agreement` an Ed25519 key's X25519 counterpart stands in it for key agreement.
        """
        key = _read(did)
        method = f"{did}#{key.multikey}"
        document: JsonObject = {"@context": [_DID, FORMATS[key_format]], "id": did}
        document["verificationMethod"] = methods = [_method(did, key, key_format)]
        relationships = ("keyAgreement",) if key.is_for_agreement else _SIGNING
        document |= {name: [method] for name in relationships}
        if derive_agreement and key.public_key and key.public_key.algorithm is Algorithm.ED25519:
            raw = x25519_of(key.public_key)
            derived = _Key(multibase_encode(_X25519 + raw), "X25519", raw, None)
            own_format = {"Ed25519VerificationKey2020": "X25519KeyAgreementKey2020"}
            form = own_format.get(key_format, key_format)
            methods.append(_method(did, derived, form))
            document["keyAgreement"] = [f"{did}#{derived.multikey}"]
            if form != key_format:
                document["@context"] = [_DID, FORMATS[key_format], FORMATS[form]]
        return document


def _method(did: str, key: _Key, key_format: str) -> JsonObject:
    method: JsonObject = {
        "id": f"{did}#{key.multikey}",
        "type": key_format,
        "controller": did,
    }
    if key_format == "JsonWebKey2020":
        return {**method, "publicKeyJwk": _jwk(key)}
    fits = {"Ed25519VerificationKey2020": "Ed25519", "X25519KeyAgreementKey2020": "X25519"}
    if fits.get(key_format, key.kind) != key.kind:
        raise KeyRefused("format", format=key_format)
    return {**method, "publicKeyMultibase": key.multikey}


def _jwk(key: _Key) -> dict[str, str]:
    if key.public_key is not None:
        return to_jwk(key.public_key)
    if key.is_for_agreement:
        return {"kty": "OKP", "crv": "X25519", "x": base64url_encode(key.raw)}
    raise KeyRefused("format", format="JsonWebKey2020")


def _read(did: str) -> _Key:
    """The key of a did:key; Malformed with the KeyRefused that says why as its cause."""
    text = did.removeprefix("did:key:")
    try:
        if not text.startswith("z"):
            raise KeyRefused("multikey")
        data = multibase_decode(text)
        for prefix, (kind, length) in _OTHERS.items():
            if data.startswith(prefix):
                if len(data) != len(prefix) + length:
                    found = len(data) - len(prefix)
                    raise KeyRefused("length", expected=length, found=found)
                return _Key(text, kind, data[len(prefix) :], None)
        key = PublicKey.from_multikey(text)
    except Malformed as error:
        raise Malformed("did_key", did=did[:300]) from error
    return _Key(text, key.algorithm.value, key.raw, key)
