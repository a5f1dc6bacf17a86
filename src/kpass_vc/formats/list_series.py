"""Secure status lists: the same bytes as `Format.secure`, without reading their bits as text.

A list's bits are nearly all there is of it. Nothing in them is ever escaped, and they alone stand under
their property, so that they change no order: they are put last into canonical quads and JSON, which are
filled in (`jsonld.template`) for the few texts that change beside them.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from kpass_vc.crypto.multibase import multibase_encode
from kpass_vc.cryptosuites.hash_then_sign import rdf_configuration
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Signing
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.template import checked_template
from kpass_vc.jsonld.terms import Chains, Unusual
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.model.slots import JsonTemplate, Place, filled, plain_texts

_BITS: Final = ("credentialSubject", "encodedList")
_PLACES: Final[Sequence[Place]] = (
    ("id",),
    ("issuer",),
    ("validFrom",),
    ("validUntil",),
    ("credentialSubject", "id"),
    ("credentialSubject", "statusPurpose"),
)
_OPTIONS: Final[Sequence[Place]] = (("created",), ("verificationMethod",))
_MARK: Final = "u-bits-of-the-list"
"""What stands for the bits until they are put in."""


def secure_list(document: JsonObject, signing: Signing, contexts: Contexts) -> tuple[bytes, bytes]:
    """A status list with its proof, and the same without it, both as compact JSON."""
    if contexts.is_fast:
        try:
            return _series_of(document, contexts).secure(document, signing)
        except (Unusual, UnicodeEncodeError):
            pass  # the document itself is read, and says what is wrong if something is
    return FORMATS["ldp_vc"].secure(document, signing, contexts), compact(document)


class ListSeries:
    """Status lists that differ in their bits, and in the texts of _PLACES."""

    def __init__(self, document: JsonObject, contexts: Contexts) -> None:
        """Unusual if they cannot be made that way."""
        short = filled(document, [_BITS], [_MARK])
        options: JsonObject = {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "created": "2026-01-01T00:00:00Z",
            "verificationMethod": "did:example:list#key",
            "proofPurpose": "assertionMethod",
        }
        configuration = rdf_configuration(document, options)
        self._template = checked_template(short, _PLACES, contexts, [_texts(short, _PLACES)])
        self._json = JsonTemplate(short, _PLACES)
        self._configuration = checked_template(
            configuration, _OPTIONS, contexts, [_texts(configuration, _OPTIONS)]
        )
        self._options = JsonTemplate(options, _OPTIONS)

    def secure(self, document: JsonObject, signing: Signing) -> tuple[bytes, bytes]:
        """As `secure_list`; Unusual if this list is to be read by itself."""
        bits = _texts(document, [_BITS])[0].encode("ascii")
        texts = _texts(document, _PLACES)
        plain = plain_texts(texts)
        options = (utc_text(signing.created), signing.verification_method)
        plain_options = plain_texts(options)
        written = _with_bits(self._json.fill(texts, plain), bits)
        signature = signing.signer.sign(
            self._configuration.digest(options, plain_options)
            + hashlib.sha256(_with_bits(self._template.fill(texts, plain), bits)).digest()
        )
        proof = b"".join(
            (
                self._options.fill(options, plain_options)[:-1],
                f',"proofValue":"{multibase_encode(signature)}"}}'.encode(),
            )
        )
        return b"".join((written[:-1], b',"proof":', proof, b"}")), written


_known: Final[WeakKeyDictionary[Chains, ListSeries]] = WeakKeyDictionary()


def _series_of(document: JsonObject, contexts: Contexts) -> ListSeries:
    """The one of these contexts: our lists differ in nothing else."""
    found = _known.get(contexts.chains)
    if found is None:
        found = _known[contexts.chains] = ListSeries(document, contexts)
    return found


def _texts(document: JsonObject, places: Sequence[Place]) -> list[str]:
    found = []
    for place in places:
        part: Any = document
        for step in place:
            part = part[step]
        found.append(str(part))
    return found


def _with_bits(text: bytes, bits: bytes) -> bytes:
    """The text with the bits in the place of their mark; Unusual if it is not there once."""
    parts = text.split(_MARK.encode())
    if len(parts) != 2:
        raise Unusual
    return bits.join(parts)
