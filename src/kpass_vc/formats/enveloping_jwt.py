"""`vc+jwt` and `vp+jwt`: the document itself as the payload of a JWT (VC-JOSE-COSE section 3.1).

Read and verified, and issued over the VC-API, never for an award. Status lists have this form too, ours
among them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpass_vc.crypto.jose import CompactJws, read_compact, sign_compact, verify_compact
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import base64url_decode
from kpass_vc.errors import Malformed
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.formats.payload import (
    check_claims,
    document_in,
    method_named,
    require_known_members,
    require_securable,
)
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import compact, read_json

_HEADERS: Final = frozenset({"alg", "kid", "typ", "cty", "iss"})
_LONGEST_HEADER: Final = 8192


@dataclass(frozen=True)
class EnvelopingJwt:
    """A compact JWS whose payload is a credential (`vc`) or a presentation (`vp`)."""

    kind: str
    purpose: str = "assertionMethod"
    extension: str = "jwt"
    algorithm: Algorithm = Algorithm.ED25519

    @property
    def name(self) -> str:
        """`vc+jwt` or `vp+jwt`, which is also its `typ`."""
        return f"{self.kind}+jwt"

    @property
    def media_type(self) -> str:
        """The registered media type."""
        return f"application/{self.name}"

    def claims(self, head: bytes) -> bool:
        """Whether it is a JWT with our `typ` and no disclosures."""
        return b"~" not in head and typ_of(head) == self.name

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The compact JWS; DataLoss if the document holds what its contexts do not define."""
        require_securable(credential, contexts)
        header = {"typ": self.name, "kid": signing.verification_method}
        return sign_compact(header, compact(credential), signing.signer).encode("ascii")

    def read(self, body: bytes) -> Presented:
        """The document in the payload; Malformed for other headers than the five, or none that names a key."""
        jws = read_jws(body)
        check_header(jws, self.name, self.kind)
        payload = read_json(jws.payload, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        document, claims = document_in(payload)
        proof = PresentedProof(
            options=jws.header | {"claims": claims},
            verification_method=method_named(jws.header.get("kid")),
            purpose=self.purpose,
        )
        return Presented(self.name, document, (proof,), body.strip())

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if the signature holds and no claim says otherwise than the document."""
        verify_compact(read_compact(presented.secured.decode("ascii")), key)
        require_known_members(presented.document, contexts)
        check_claims(presented.document, proof)


def read_jws(body: bytes) -> CompactJws:
    """The compact JWS in bytes; Malformed if they are none."""
    try:
        return read_compact(body.decode("ascii").strip())
    except UnicodeDecodeError as error:
        raise Malformed("compact_jws") from error


def check_header(jws: CompactJws, typ: str, kind: str) -> None:
    """Return if a header has no member that we do not take, and the `typ` and `cty` of its media type."""
    if jws.header.keys() - _HEADERS:
        raise Malformed("jose_header", header=min(jws.header.keys() - _HEADERS)[:80])
    if _plain(jws.header.get("typ")) != typ:
        raise Malformed("jose_typ", typ=str(jws.header.get("typ"))[:80])
    if jws.header.get("cty", kind) not in {kind, f"application/{kind}"}:
        raise Malformed("jose_cty", cty=str(jws.header["cty"])[:80])


def typ_of(head: bytes) -> str | None:
    """The `typ` of a JWT that begins so, without `application/`; None if it is none or has none."""
    if not head.startswith(b"ey"):
        return None
    first = head[:_LONGEST_HEADER].partition(b".")[0]
    try:
        header = json.loads(base64url_decode(first.decode("ascii")))
    except (ValueError, RecursionError, Malformed):
        return None
    return _plain(header.get("typ")) if isinstance(header, dict) else None


def _plain(typ: object) -> str | None:
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else None
