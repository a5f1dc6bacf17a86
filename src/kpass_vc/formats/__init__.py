"""FORMATS: name -> Format, and recognise(): which format is this? A new format registers here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kpass_vc.cryptosuites import suite_of
from kpass_vc.errors import Malformed
from kpass_vc.formats.cose import EnvelopingCose
from kpass_vc.formats.data_integrity import DataIntegrity, add_proof, derive, with_proof_context
from kpass_vc.formats.envelope import opened
from kpass_vc.formats.enveloping_jwt import EnvelopingJwt
from kpass_vc.formats.format import Format, Presented, PresentedProof, Signing
from kpass_vc.formats.legacy_jwt import LegacyJwt
from kpass_vc.formats.ob_jwt import OpenBadgesJwt
from kpass_vc.formats.registered_claims import missing_claims as _missing_claims
from kpass_vc.formats.sd_jwt import EnvelopingSdJwt
from kpass_vc.jsonld.contexts import Contexts

__all__ = [
    "FORMATS",
    "ISSUED",
    "add_proof",
    "derive",
    "is_supported",
    "missing_claims",
    "read",
    "recognise",
    "secure_disclosing",
    "with_proof_context",
]

_SD_JWT: Final[Mapping[str, EnvelopingSdJwt]] = {
    form.name: form for form in (EnvelopingSdJwt("vc"), EnvelopingSdJwt("vp", "authentication"))
}

_IN_ORDER: Final[tuple[Format, ...]] = (
    DataIntegrity(),
    EnvelopingJwt("vc"),
    EnvelopingJwt("vp", "authentication"),
    *_SD_JWT.values(),
    EnvelopingCose("vc"),
    EnvelopingCose("vp", "authentication"),
    LegacyJwt(),
    OpenBadgesJwt(),
)
FORMATS: Final[Mapping[str, Format]] = {form.name: form for form in _IN_ORDER}
"""In the order they are recognised in: the first that claims the bytes reads them."""

ISSUED: Final = ("ldp_vc", "vc-jwt")
"""The formats an award is issued in."""


def recognise(body: bytes) -> Format:
    """The format of what was presented; Malformed if it is none of ours."""
    head = body.lstrip(b" \t\r\n")
    for form in FORMATS.values():
        if form.claims(head):
            return form
    raise Malformed("format")


def read(body: bytes) -> Presented:
    """What was presented, out of its envelope if it is in one; Malformed if it is of none of our formats.

    What lies in an envelope must be what its media type says: by that a reader chooses the rules it reads by.
    """
    enclosed = opened(body)
    if enclosed is None:
        return recognise(body).read(body)
    form = recognise(enclosed.secured)
    if form.media_type != enclosed.media_type:
        raise Malformed("envelope", field="/id")
    return form.read(enclosed.secured)


def is_supported(presented: Presented, proof: PresentedProof) -> bool:
    """Whether we know how a proof was made; what is not Data Integrity was recognised by that."""
    return presented.format != "ldp_vc" or suite_of(proof.options) is not None


def missing_claims(presented: Presented, proof: PresentedProof) -> tuple[str, ...]:
    """The claims that an Open Badges JWT should repeat from its credential and does not; of no other format any."""
    is_badge = presented.format == OpenBadgesJwt.name
    return _missing_claims(presented.document, proof.options) if is_badge else ()


def secure_disclosing(
    name: str,
    document: Mapping[str, object],
    signing: Signing,
    contexts: Contexts,
    paths: Sequence[str],
    salt: Callable[[int], bytes],
) -> bytes:
    """A document as an SD-JWT in which each path can be shown or not; Malformed if one leads to nothing."""
    return _SD_JWT[name].secure_with(document, signing, contexts, paths, salt)
