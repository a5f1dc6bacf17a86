"""`vc+sd-jwt` and `vp+sd-jwt`: the document as an SD-JWT (VC-JOSE-COSE section 3.2, RFC 9901)."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kpass_vc.crypto.jose import from_jwk, read_compact, sign_compact, verify_compact
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.sd_jwt import SdJwtParts, concealed, digest, disclosed, hash_name, split
from kpass_vc.errors import KeyRefused, Malformed, ProofInvalid
from kpass_vc.formats.envelope import without_envelopes
from kpass_vc.formats.enveloping_jwt import check_claims, check_header, typ_of
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.formats.payload import document_in, method_named, require_known_members
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.expansion import to_quads
from kpass_vc.model.document import compact, read_json

_KEY_BINDING = "kb+jwt"


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
        """The SD-JWT with a disclosure for each path; DataLoss if the contexts leave anything undefined."""
        to_quads(without_envelopes(credential), contexts)
        require_known_members(credential, contexts)
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
        confirmation = payload.pop("cnf", None)
        document, claims = document_in(payload)
        proof = PresentedProof(
            options=jws.header | {"claims": claims, "cnf": confirmation},
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
        check_claims(presented.document, proof.options)
        if parts.key_binding is not None:
            _check_key_binding(parts, read_json(jws.payload), proof.options.get("cnf"))


def _parts(body: bytes) -> SdJwtParts:
    try:
        return split(body.decode("ascii").strip())
    except UnicodeDecodeError as error:
        raise Malformed("sd_jwt") from error


def _check_key_binding(
    parts: SdJwtParts, payload: Mapping[str, object], confirmation: object
) -> None:
    """Return if a key binding JWT is one, is over what is shown, and is by the key in `cnf` (section 7.3)."""
    try:
        jws = read_compact(parts.key_binding or "")
        said = read_json(jws.payload)
        jwk = confirmation.get("jwk") if isinstance(confirmation, Mapping) else None
        key = from_jwk(jwk) if isinstance(jwk, Mapping) else None
    except (Malformed, KeyRefused) as error:
        raise ProofInvalid("key_binding") from error
    demanded = {"iat": int, "aud": str, "nonce": str, "sd_hash": str}
    is_whole = all(isinstance(said.get(name), kind) for name, kind in demanded.items())
    if jws.header.get("typ") != _KEY_BINDING or key is None or not is_whole:
        raise ProofInvalid("key_binding")
    verify_compact(jws, key)
    expected = digest(parts.hashed, hash_name(payload))
    if not hmac.compare_digest(expected, str(said["sd_hash"])):
        raise ProofInvalid("key_binding")
