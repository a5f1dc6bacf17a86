"""JWTs of data model 1.1: the document in a `vc` or `vp` claim (VCDM 1.1 section 6.3.1). Read, never written.

`typ` is JWT or absent. What the registered claims say takes its place in the document where that is silent,
and must agree with it where it is not.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from kpass_vc.crypto.jose import from_jwk, read_compact, verify_compact
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.errors import Malformed, ProofInvalid
from kpass_vc.formats.enveloping_jwt import read_jws, typ_of
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.formats.payload import method_named
from kpass_vc.formats.registered_claims import CLAIMS, registered_claims, require_no_other
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.model.vcdm import version_of

_HEADERS: Final = frozenset({"alg", "kid", "jwk", "typ", "cty"})
_DATES: Final = {1: ("issuanceDate", "expirationDate"), 2: ("validFrom", "validUntil")}


class LegacyJwt:
    """A compact JWS with a `vc` or `vp` claim."""

    name: Final = "jwt"
    media_type: Final = "application/jwt"
    extension: Final = "jwt"
    algorithm: Final = Algorithm.P256

    def claims(self, head: bytes) -> bool:
        """Whether it is a JWT of no other type with such a claim."""
        if not head.startswith(b"ey") or typ_of(head) not in {None, "jwt"}:
            return False
        try:
            payload = read_json(read_jws(head).payload, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        except Malformed:
            return False
        return bool({"vc", "vp"} & payload.keys())

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """Nothing: no new credential is made in this form."""
        raise Malformed("vc_claim")

    def read(self, body: bytes) -> Presented:
        """The document in the claim; Malformed for other headers, both claims, or none that names a key."""
        jws = read_jws(body)
        if jws.header.keys() - _HEADERS:
            raise Malformed("jose_header", header=min(jws.header.keys() - _HEADERS)[:80])
        if str(jws.header.get("typ", "JWT")).upper() != "JWT":
            raise Malformed("jws_typ", typ=str(jws.header["typ"])[:80])
        payload = read_json(jws.payload, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        found = [name for name in ("vc", "vp") if name in payload]
        inner = payload[found[0]] if len(found) == 1 else None
        if not isinstance(inner, dict):
            raise Malformed("vc_claim")
        claims = {name: payload[name] for name in CLAIMS & payload.keys()}
        kid, jwk = jws.header.get("kid"), jws.header.get("jwk")
        if not isinstance(jwk, dict) or kid is not None:
            kid = method_named(kid)
        is_credential = found == ["vc"]
        document = _credential(inner, claims) if is_credential else _presentation(inner, claims)
        proof = PresentedProof(
            options=jws.header | {"claims": claims},
            verification_method=kid,
            purpose="assertionMethod" if is_credential else "authentication",
            jwk=jwk if isinstance(jwk, dict) else None,
        )
        return Presented(self.name, document, (proof,), body.strip())

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if the signature holds and no claim says otherwise than the document."""
        if proof.jwk is not None and from_jwk(proof.jwk) != key:
            raise ProofInvalid("jwk")
        verify_compact(read_compact(presented.secured.decode("ascii")), key)
        claims = proof.options["claims"]
        found: JsonObject = claims if isinstance(claims, dict) else {}
        if proof.purpose == "assertionMethod":
            require_no_other(registered_claims(presented.document), found)
            return
        holder = presented.document.get("holder")
        said = holder.get("id") if isinstance(holder, dict) else holder
        if "iss" in found and said != found["iss"]:
            raise ProofInvalid("claim", claim="iss")


def _credential(inner: JsonObject, claims: JsonObject) -> JsonObject:
    made = dict(inner)
    start, end = _DATES[version_of(inner) or 1]
    for member, claim in (("issuer", "iss"), ("id", "jti")):
        if claim in claims:
            made.setdefault(member, claims[claim])
    for member, claim in ((start, "nbf"), (end, "exp")):
        moment = _moment(claims.get(claim))
        if moment is not None:
            made.setdefault(member, moment)
    subject = made.get("credentialSubject")
    if "sub" in claims and isinstance(subject, dict):
        made["credentialSubject"] = {"id": claims["sub"], **subject}
    return made


def _presentation(inner: JsonObject, claims: JsonObject) -> JsonObject:
    made = dict(inner)
    for member, claim in (("holder", "iss"), ("id", "jti")):
        if claim in claims:
            made.setdefault(member, claims[claim])
    return made


def _moment(seconds: object) -> str | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return utc_text(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return None
