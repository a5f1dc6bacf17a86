"""`vc+sd-jwt` and `vp+sd-jwt`: the document as an SD-JWT (VC-JOSE-COSE section 3.2, RFC 9901)."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kpass_vc.crypto.jose import from_jwk, read_compact, sign_compact, verify_compact
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.sd_jwt import SdJwtParts, concealed, digest, disclosed, hash_name, split
from kpass_vc.errors import KeyRefused, Malformed, ProofInvalid
from kpass_vc.formats.enveloping_jwt import check_header, typ_of
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.formats.payload import (
    check_claims,
    document_in,
    method_named,
    require_known_members,
    require_securable,
)
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject, compact, read_json

_KEY_BINDING: Final = "kb+jwt"
_KEY_BINDING_HEADERS: Final = frozenset({"alg", "typ", "kid"})
_ALWAYS_SHOWN: Final = frozenset(
    {
        *("@context", "type", "issuer", "validFrom", "validUntil", "credentialStatus"),
        *("credentialSchema", "relatedResource", "refreshService", "termsOfUse"),
    }
)
"""What a verifier needs: who could conceal it would show a revoked credential as a sound one."""


@dataclass(frozen=True)
class EnvelopingSdJwt:
    """An SD-JWT whose payload is a credential (`vc`) or a presentation (`vp`)."""

    kind: str
    purpose: str = "assertionMethod"
    extension: str = "sd-jwt"
    algorithm: Algorithm = Algorithm.ED25519

    @property
    def name(self) -> str:
        """`vc+sd-jwt` or `vp+sd-jwt`, which is also its `typ`."""
        return f"{self.kind}+sd-jwt"

    @property
    def media_type(self) -> str:
        """The registered media type."""
        return f"application/{self.name}"

    def claims(self, head: bytes) -> bool:
        """Whether it is a JWT with our `typ`."""
        return typ_of(head) == self.name

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The SD-JWT with nothing concealed; DataLoss as `secure_with`."""
        return self.secure_with(credential, signing, contexts, (), bytes)

    def secure_with(
        self,
        credential: Mapping[str, object],
        signing: Signing,
        contexts: Contexts,
        paths: Sequence[str],
        salt: Callable[[int], bytes],
    ) -> bytes:
        """The SD-JWT with a disclosure for each path; DataLoss if the contexts leave anything undefined.

        Malformed for a path that leads to nothing, or to what must be shown.
        """
        require_securable(credential, contexts)
        for path in paths:
            if path.replace("[", ".").partition(".")[0] in _ALWAYS_SHOWN:
                raise Malformed("sd_always_shown", pointer=path[:200])
        payload, disclosures = concealed(dict(credential), paths, salt)
        header = {"typ": self.name, "kid": signing.verification_method}
        jwt = sign_compact(header, compact(payload), signing.signer)
        return "~".join((jwt, *disclosures, "")).encode("ascii")

    def read(self, body: bytes) -> Presented:
        """The document with what is disclosed of it; Malformed by section 7.1 of RFC 9901."""
        parts = _parts(body)
        jws = read_compact(parts.jwt)
        check_header(jws, self.name, self.kind)
        signed = read_json(jws.payload, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        payload = disclosed(signed, parts.disclosures)
        shown = compact(payload)
        payload = read_json(shown, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        document, claims = document_in(payload)
        options = jws.header | {"claims": claims}
        if parts.key_binding is not None:
            options["key_binding"] = _key_binding(parts.key_binding)
        proof = PresentedProof(
            options=options,
            verification_method=method_named(jws.header.get("kid")),
            purpose=self.purpose,
        )
        return Presented(self.name, document, (proof,), body.strip())

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if the signature holds, and the holder's over what is shown, if there is one."""
        parts = _parts(presented.secured)
        jws = read_compact(parts.jwt)
        verify_compact(jws, key)
        require_known_members(presented.document, contexts)
        check_claims(presented.document, proof)
        if parts.key_binding is not None:
            claims = proof.options["claims"]
            confirmation = claims.get("cnf") if isinstance(claims, dict) else None
            _check_key_binding(parts, hash_name(read_json(jws.payload)), confirmation)


def _parts(body: bytes) -> SdJwtParts:
    try:
        return split(body.decode("ascii").strip())
    except UnicodeDecodeError as error:
        raise Malformed("sd_jwt") from error


def _key_binding(text: str) -> JsonObject:
    """What a key binding JWT says (RFC 9901 section 4.3); Malformed if it is none."""
    jws = read_compact(text)
    if jws.header.keys() - _KEY_BINDING_HEADERS:
        raise Malformed("jose_header", header=min(jws.header.keys() - _KEY_BINDING_HEADERS)[:80])
    if jws.header.get("typ") != _KEY_BINDING:
        raise Malformed("jose_typ", typ=str(jws.header.get("typ"))[:80])
    said = read_json(jws.payload)
    texts = (said.get("aud"), said.get("nonce"), said.get("sd_hash"))
    if type(said.get("iat")) is not int or not all(isinstance(value, str) for value in texts):
        raise Malformed("key_binding")
    return said


def _check_key_binding(parts: SdJwtParts, hash_of: str, confirmation: object) -> None:
    """Return if the holder's signature is over what is shown, and by the key in `cnf` (section 7.3)."""
    text = parts.key_binding or ""
    said = _key_binding(text)
    jwk = confirmation.get("jwk") if isinstance(confirmation, Mapping) else None
    if not isinstance(jwk, Mapping):
        raise ProofInvalid("key_binding")
    try:
        verify_compact(read_compact(text), from_jwk(jwk))
    except (KeyRefused, ProofInvalid) as error:
        raise ProofInvalid("key_binding") from error
    if not hmac.compare_digest(digest(parts.hashed, hash_of), str(said["sd_hash"])):
        raise ProofInvalid("key_binding")
