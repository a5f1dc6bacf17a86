"""The Open Badges 3.0 VC-JWT (Open Badges 3.0 section 8.2): its own header and claim rules.

Not VC-JOSE-COSE: `typ` is "JWT" or absent, and the header holds nothing but
alg, kid, jwk and typ. A `jwk` counts only if it is a key of the issuer's DID.
"""

from collections.abc import Mapping
from typing import Final

from kpass_vc.crypto.jose import from_jwk, read_compact, sign_compact, verify_compact
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.errors import Malformed, ProofInvalid
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.formats.registered_claims import CLAIMS, registered_claims, require_no_other
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import compact, read_json

_HEADERS: Final = frozenset({"alg", "kid", "jwk", "typ"})


class OpenBadgesJwt:
    """A compact JWS over the credential and its registered claims, ES256."""

    name: Final = "vc-jwt"
    media_type: Final = "application/jwt"
    extension: Final = "jwt"
    algorithm: Final = Algorithm.P256

    def claims(self, head: bytes) -> bool:
        """Whether it begins like a JWT: base64url of `{"`."""
        return head.startswith(b"ey")

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The compact JWS; DataLoss if the credential holds what its contexts do not define."""
        to_quads(credential, contexts)
        payload = {**credential, **registered_claims(credential)}
        text = compact(payload)
        header = {"typ": "JWT", "kid": signing.verification_method}
        return sign_compact(header, text, signing.signer).encode("ascii")

    def read(self, body: bytes) -> Presented:
        """The credential in the payload; Malformed for other headers than the four, or none that names a key."""
        try:
            jws = read_compact(body.decode("ascii").strip())
        except UnicodeDecodeError as error:
            raise Malformed("compact_jws") from error
        if jws.header.keys() - _HEADERS:
            raise Malformed("jws_header", header=min(jws.header.keys() - _HEADERS)[:80])
        if jws.header.get("typ", "JWT") != "JWT":
            raise Malformed("jws_typ", typ=str(jws.header["typ"])[:80])
        kid, jwk = jws.header.get("kid"), jws.header.get("jwk")
        if (
            not isinstance(kid, str | None)
            or not isinstance(jwk, dict | None)
            or (kid is None and jwk is None)
        ):
            raise Malformed("jws_kid")
        payload = read_json(jws.payload, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        if "vc" in payload:
            raise Malformed("vc_claim")
        claims = {name: payload[name] for name in CLAIMS & payload.keys()}
        proof = PresentedProof(
            options=jws.header | {"claims": claims},
            verification_method=kid,
            jwk=jwk,
        )
        return Presented(
            format=self.name,
            document={name: value for name, value in payload.items() if name not in CLAIMS},
            proofs=(proof,),
            secured=body.strip(),
        )

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if the signature holds and the registered claims say what the credential says.

        Whether they must be there is for the verifier to decide (`missing_claims`). The `nbf` of a
        status list, which is no badge, is the moment somebody signed it.
        """
        jws = read_compact(presented.secured.decode("ascii"))
        if proof.jwk is not None and from_jwk(proof.jwk) != key:
            raise ProofInvalid("jwk")
        verify_compact(jws, key)
        claims = proof.options["claims"]
        found = claims if isinstance(claims, dict) else {}
        said = registered_claims(presented.document)
        if "BitstringStatusListCredential" in _types(presented.document):
            require_no_other(said, found)
            return
        for name, value in said.items():
            if name in found and not _same(name, found[name], value):
                raise ProofInvalid("claim", claim=name)
        if "exp" in found and "validUntil" not in presented.document:
            raise ProofInvalid("claim", claim="exp")


def _types(credential: Mapping[str, object]) -> list[object]:
    found = credential.get("type")
    return found if isinstance(found, list) else [found]


def _same(name: str, found: object, value: object) -> bool:
    if name in {"nbf", "exp"} and isinstance(found, int | float) and not isinstance(found, bool):
        return int(found) == value
    return found == value
