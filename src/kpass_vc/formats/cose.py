"""`vc+cose` and `vp+cose`: the document as the payload of a COSE_Sign1 (VC-JOSE-COSE section 3.3, RFC 9052)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard

from kpass_vc.crypto import cbor
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.errors import Malformed, ProofInvalid
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.formats.payload import (
    COSE_ALG,
    check_claims,
    document_in,
    method_named,
    require_known_members,
    require_securable,
)
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject, compact, read_json

_SIGN1: Final = 18
_TAG: Final = b"\xd2"
_ALG, _CONTENT_TYPE, _KID, _TYP = 1, 3, 4, 16
_HEADERS: Final = frozenset({_ALG, _CONTENT_TYPE, _KID, _TYP})


@dataclass(frozen=True)
class EnvelopingCose:
    """A COSE_Sign1 whose payload is a credential (`vc`) or a presentation (`vp`)."""

    kind: str
    purpose: str = "assertionMethod"
    extension: str = "cose"
    algorithm: Algorithm = Algorithm.ED25519

    @property
    def name(self) -> str:
        """`vc+cose` or `vp+cose`."""
        return f"{self.kind}+cose"

    @property
    def media_type(self) -> str:
        """The registered media type, which is also its `typ`."""
        return f"application/{self.name}"

    def claims(self, head: bytes) -> bool:
        """Whether it is a COSE_Sign1 with our `typ`."""
        if not head.startswith(_TAG):
            return False
        try:
            return _read(head).header.get(_TYP) == self.media_type
        except Malformed:
            return self.kind == "vc"  # whose reader says what is wrong with it

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The COSE_Sign1; DataLoss if the document holds what its contexts do not define."""
        require_securable(credential, contexts)
        header = {
            _ALG: COSE_ALG[signing.signer.public_key.algorithm][0],
            _CONTENT_TYPE: f"application/{self.kind}",
            _KID: signing.verification_method.encode(),
            _TYP: self.media_type,
        }
        protected, payload = cbor.encode(header), compact(credential)
        signature = signing.signer.sign(_signed(protected, payload))
        return _TAG + cbor.encode([protected, {}, payload, signature])

    def read(self, body: bytes) -> Presented:
        """The document in the payload; Malformed for other headers than the four, or another type."""
        sign1 = _read(body)
        if sign1.header.keys() - _HEADERS:
            raise Malformed("cose_header", header=str(min(sign1.header.keys() - _HEADERS))[:80])
        if sign1.header.get(_TYP) != self.media_type:
            raise Malformed("jose_typ", typ=str(sign1.header.get(_TYP))[:80])
        if (
            sign1.header.get(_CONTENT_TYPE, f"application/{self.kind}")
            != f"application/{self.kind}"
        ):
            raise Malformed("jose_cty", cty=str(sign1.header[_CONTENT_TYPE])[:80])
        try:
            named = sign1.kid.decode("utf-8") if isinstance(sign1.kid, bytes) else None
        except UnicodeDecodeError as error:
            raise Malformed("jws_kid") from error
        payload = read_json(sign1.payload, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        document, claims = document_in(payload)
        options: JsonObject = {"alg": sign1.header.get(_ALG), "claims": claims}
        proof = PresentedProof(options, method_named(named), self.purpose)
        return Presented(self.name, document, (proof,), body)

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if the signature holds and no claim says otherwise than the document."""
        sign1 = _read(presented.secured)
        algorithm = sign1.header.get(_ALG)
        if type(algorithm) is not int or algorithm not in COSE_ALG.get(key.algorithm, ()):
            raise ProofInvalid("alg", alg=str(algorithm)[:40])
        key.verify(sign1.signature, _signed(sign1.protected, sign1.payload))
        require_known_members(presented.document, contexts)
        check_claims(presented.document, proof)


@dataclass(frozen=True)
class _Sign1:
    protected: bytes
    header: dict[int, object]
    kid: object
    payload: bytes
    signature: bytes


def _read(body: bytes) -> _Sign1:
    """The parts of a tagged COSE_Sign1 (RFC 9052 section 4.2).

    Everything is under its signature but the `kid`, where it stands unprotected: another key does not verify.
    """
    if not body.startswith(_TAG):
        raise Malformed("cose")
    parts = cbor.decode(body[1:])
    if not isinstance(parts, list) or len(parts) != 4:
        raise Malformed("cose")
    protected, unprotected, payload, signature = parts
    is_whole = all(isinstance(part, bytes) for part in (protected, payload, signature))
    header = cbor.decode(protected) if is_whole else None
    if not _is_header(header) or not _is_header(unprotected):
        raise Malformed("cose")
    if unprotected.keys() - {_KID}:
        raise Malformed("cose_header", header=str(min(unprotected.keys() - {_KID}))[:80])
    if header.keys() & unprotected.keys():
        raise Malformed("cose")
    kid = (header | unprotected).get(_KID)
    return _Sign1(protected, header, kid, payload, signature)


def _is_header(value: object) -> TypeGuard[dict[int, object]]:
    """Whether it is a map of labels that are numbers: not true, nor 1.0, which are 1 to Python."""
    return isinstance(value, dict) and all(type(label) is int for label in value)


def _signed(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of a COSE_Sign1 with no external data (RFC 9052 section 4.4)."""
    return cbor.encode(["Signature1", protected, b"", payload])
