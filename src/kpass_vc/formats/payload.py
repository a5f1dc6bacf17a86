"""What the formats of VC-JOSE-COSE share: which headers and members they take, and what is a payload.

The payload is the document itself, and what verifies is what a program then reads member by member. So each
member at its top must be one of the data model's, or of a context that says what it means: a context with
`@vocab` gives any word a meaning and so says nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.errors import DataLoss, Malformed
from kpass_vc.formats.envelope import without_envelopes
from kpass_vc.formats.format import PresentedProof
from kpass_vc.formats.registered_claims import CLAIMS, registered_claims, require_no_other
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject
from kpass_vc.model.vcdm import version_of

_MODEL: Final = frozenset(
    {
        *("@context", "id", "type", "name", "description", "issuer", "validFrom", "validUntil"),
        *("issuanceDate", "expirationDate", "credentialSubject", "credentialStatus"),
        *("credentialSchema", "refreshService", "termsOfUse", "evidence", "relatedResource"),
        *("confidenceMethod", "renderMethod", "holder", "verifiableCredential"),
    }
)
"""The members of VCDM 1.1 and 2.0 at the top of a credential or presentation."""

COSE_ALG: Final = {
    Algorithm.ED25519: (-8, -19),
    Algorithm.P256: (-7,),
    Algorithm.P384: (-35,),
    Algorithm.P521: (-36,),
}
"""The COSE algorithms of each kind of key (RFC 9053, RFC 9864); the first is what we write."""


def document_in(payload: JsonObject) -> tuple[JsonObject, JsonObject]:
    """A payload as the document and the JWT's own claims; Malformed if it is or wraps one of data model 1.1."""
    if {"vc", "vp"} & payload.keys():
        raise Malformed("vc_claim")
    if version_of(payload) == 1:
        raise Malformed("data_model_1")
    document = {name: value for name, value in payload.items() if name not in CLAIMS}
    return document, {name: payload[name] for name in CLAIMS & payload.keys()}


def method_named(kid: object) -> str:
    """The verification method that a `kid` names: a DID URL, or the fragment of one of the issuer's."""
    if not isinstance(kid, str) or not kid:
        raise Malformed("jws_kid")
    return kid if ":" in kid or kid.startswith("#") else f"#{kid}"


def require_securable(document: Mapping[str, object], contexts: Contexts) -> None:
    """Return if a document will be read as it is written: no member is undefined, or is taken for a JWT's own."""
    _, taken = document_in(dict(document))
    if taken:
        raise Malformed("jwt_claim", claim=min(taken))
    to_quads(without_envelopes(document), contexts)
    require_known_members(document, contexts)


def check_claims(document: JsonObject, proof: PresentedProof) -> None:
    """Return unless a claim, or the header's `iss`, names another issuer, subject or id than the document.

    Where a presentation names no holder, `iss` is whoever signed it.
    """
    signer = (proof.verification_method or "").partition("#")[0]
    said: JsonObject = {"iss": signer} if signer else {}
    said |= registered_claims(document)
    claims = proof.options["claims"]
    require_no_other(said, claims if isinstance(claims, dict) else {})
    if "iss" in proof.options:
        require_no_other(said, {"iss": proof.options["iss"]})


def require_known_members(document: Mapping[str, object], contexts: Contexts) -> None:
    """Return if every member at the top is one that the data model or a context without @vocab defines."""
    unknown = document.keys() - _MODEL
    if unknown - set(_terms(document, contexts)):
        name = min(unknown - set(_terms(document, contexts)))
        raise DataLoss("undefined_term", part=name[:200])


def _terms(document: Mapping[str, object], contexts: Contexts) -> Iterator[str]:
    found = document.get("@context")
    types = document.get("type")
    for entry in found if isinstance(found, list) else [found]:
        context = contexts.document(entry).get("@context") if isinstance(entry, str) else entry
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, Mapping):
                yield from _terms_of(part, types if isinstance(types, list) else [types])


def _terms_of(context: Mapping[str, object], types: list[object]) -> Iterator[str]:
    yield from (name for name, meaning in context.items() if meaning is not None)
    for kind in types:
        definition = context.get(kind) if isinstance(kind, str) else None
        scoped = definition.get("@context") if isinstance(definition, Mapping) else None
        if isinstance(scoped, Mapping):
            yield from scoped
