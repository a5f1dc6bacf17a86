"""`vc+jwt`: the credential itself as the payload of a JWT (VC-JOSE-COSE section 3.1.1).

Read and verified, never issued for an award. Status lists have this form too,
ours among them.
"""

import json
from collections.abc import Mapping
from typing import Final

from kpass_vc.crypto.jose import read_compact, sign_compact, verify_compact
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import base64url_decode
from kpass_vc.errors import Malformed, ProofInvalid
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.formats.registered_claims import CLAIMS, registered_claims, require_no_other
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.expansion import to_quads
from kpass_vc.model.document import JsonObject, compact, read_json

_TYP: Final = "vc+jwt"
_HEADERS: Final = frozenset({"alg", "kid", "typ", "cty", "iss"})
_LONGEST_HEADER: Final = 8192


class VcJwt:
    """A compact JWS whose payload is the credential, EdDSA or ES256."""

    name: Final = "vc+jwt"
    media_type: Final = "application/vc+jwt"
    extension: Final = "jwt"
    algorithm: Final = Algorithm.ED25519

    def claims(self, head: bytes) -> bool:
        """Whether it is a JWT whose header says `vc+jwt`."""
        if not head.startswith(b"ey"):
            return False
        first = head[:_LONGEST_HEADER].partition(b".")[0]
        try:
            header = json.loads(base64url_decode(first.decode("ascii")))
        except (ValueError, RecursionError, Malformed):
            return False
        typ = header.get("typ") if isinstance(header, dict) else None
        return isinstance(typ, str) and typ.lower().removeprefix("application/") == _TYP

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The compact JWS; DataLoss if the credential holds what its contexts do not define."""
        to_quads(credential, contexts)
        header = {"typ": _TYP, "kid": signing.verification_method}
        return sign_compact(header, compact(credential), signing.signer).encode("ascii")

    def read(self, body: bytes) -> Presented:
        """The credential in the payload; Malformed for other headers than the five, or none that names a key."""
        try:
            jws = read_compact(body.decode("ascii").strip())
        except UnicodeDecodeError as error:
            raise Malformed("compact_jws") from error
        if jws.header.keys() - _HEADERS:
            raise Malformed("jose_header", header=min(jws.header.keys() - _HEADERS)[:80])
        if jws.header.get("cty", "vc") not in {"vc", "application/vc"}:
            raise Malformed("jose_cty", cty=str(jws.header["cty"])[:80])
        kid = jws.header.get("kid")
        if not isinstance(kid, str):
            raise Malformed("jws_kid")
        payload = read_json(jws.payload, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        if {"vc", "vp"} & payload.keys():
            raise Malformed("vc_claim")
        claims = {name: payload[name] for name in CLAIMS & payload.keys()}
        proof = PresentedProof(
            options=jws.header | {"claims": claims},
            verification_method=kid,
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
        """Return if the signature holds and no claim says otherwise than the credential."""
        verify_compact(read_compact(presented.secured.decode("ascii")), key)
        said = registered_claims(presented.document)
        claims = proof.options["claims"]
        found: JsonObject = claims if isinstance(claims, dict) else {}
        require_no_other(said, found)
        if "iss" in proof.options and proof.options["iss"] != said.get("iss"):
            raise ProofInvalid("claim", claim="iss")
