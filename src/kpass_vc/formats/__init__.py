"""FORMATS: name -> Format, and recognise(): which format is this? A new format registers here."""

from collections.abc import Mapping
from typing import Final

from kpass_vc.cryptosuites import suite_of
from kpass_vc.errors import Malformed
from kpass_vc.formats.data_integrity import DataIntegrity, add_proof, derive, with_proof_context
from kpass_vc.formats.format import Format, Presented, PresentedProof
from kpass_vc.formats.ob_jwt import OpenBadgesJwt
from kpass_vc.formats.vc_jwt import VcJwt

__all__ = [
    "FORMATS",
    "ISSUED",
    "add_proof",
    "derive",
    "is_supported",
    "recognise",
    "with_proof_context",
]

FORMATS: Final[Mapping[str, Format]] = {
    form.name: form for form in (DataIntegrity(), VcJwt(), OpenBadgesJwt())
}
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


def is_supported(presented: Presented, proof: PresentedProof) -> bool:
    """Whether we know how a proof was made; what is not Data Integrity was recognised by that."""
    return presented.format != "ldp_vc" or suite_of(proof.options) is not None
