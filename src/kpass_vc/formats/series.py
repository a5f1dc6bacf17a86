"""Secure credentials of one kind, one after the other: the same bytes as `Format.secure`, without reading each anew.

What changes from one to the next are texts at known places. The credential that the series was made
from was looked through as any other; for each of the others the canonical quads are filled in
(`jsonld.template`), hashed and signed, and so is the JSON.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Final

from kpass_vc.crypto.jose import compact_jws
from kpass_vc.crypto.multibase import multibase_encode
from kpass_vc.cryptosuites.hash_then_sign import rdf_configuration
from kpass_vc.formats.data_integrity import DataIntegrity
from kpass_vc.formats.format import Signing
from kpass_vc.formats.ob_jwt import OpenBadgesJwt
from kpass_vc.formats.registered_claims import CLAIMS, registered_claims
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import CREDENTIALS_V1, Contexts
from kpass_vc.jsonld.template import checked_template
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.model.slots import JsonTemplate, Place, filled, plain_texts

_REPEATED: Final[Mapping[Place, str]] = {
    ("issuer",): "issuer",
    ("issuer", "id"): "issuer",
    ("id",): "id",
    ("validFrom",): "validFrom",
    ("validUntil",): "validUntil",
    ("credentialSubject", "id"): "subject",
}
"""What the registered claims repeat of a credential, and what it is called here."""
_ANOTHER_WAY: Final = frozenset({"proof", "holder", *CLAIMS})
"""Members that the formats put in place or change by themselves."""
_MOST_CONFIGURATIONS: Final = 16
_MOST_SERIES: Final = 256
"""Each takes forty kilobytes at first, and half a megabyte once it has seen every order of its blank nodes."""


class Series:
    """Credentials that differ in the texts at some places."""

    def __init__(
        self,
        credential: JsonObject,
        places: Sequence[Place],
        contexts: Contexts,
        examples: Sequence[Sequence[str]],
    ) -> None:
        """Unusual if they cannot be made that way, as is tried with each of the examples.

        The texts of the first example stand for the credential's own, in which there may be something odd.
        """
        try:
            for texts in examples[:1]:
                credential = filled(credential, places, texts)
        except ValueError as error:
            raise Unusual from error
        given = credential.get("@context")
        first = given[:1] if isinstance(given, list) else [given]
        if _ANOTHER_WAY & credential.keys() or first == [CREDENTIALS_V1]:
            raise Unusual
        if not isinstance(credential.get("issuer"), str | dict):
            raise Unusual
        self._contexts = contexts
        self._template = checked_template(credential, places, contexts, examples)
        self._json = JsonTemplate(credential, places)
        self._context = {"@context": given}
        self._claimed: JsonObject = {}
        for place, name in _REPEATED.items():
            part: object = credential
            for step in place:
                part = part.get(step) if isinstance(part, dict) else None
            if isinstance(part, str):
                self._claimed[name] = part
        self._claim_slots = {
            _REPEATED[place]: number for number, place in enumerate(places) if place in _REPEATED
        }
        self._configured: dict[tuple[datetime, str], tuple[bytes, bytes]] = {}

    def secure(self, values: Sequence[str], signings: Mapping[str, Signing]) -> dict[str, bytes]:
        """The secured bytes in each format that there is a signing for; Unusual if it is to be secured by itself."""
        try:
            plain = plain_texts(values)
            digest = self._template.digest(values, plain)
            text = self._json.fill(values, plain)
        except UnicodeEncodeError as error:
            raise Unusual from error
        made: dict[str, bytes] = {}
        if DataIntegrity.name in signings:
            made[DataIntegrity.name] = self._with_proof(text, digest, signings[DataIntegrity.name])
        if OpenBadgesJwt.name in signings:
            made[OpenBadgesJwt.name] = self._as_jwt(text, values, signings[OpenBadgesJwt.name])
        return made

    def _with_proof(self, text: bytes, digest: bytes, signing: Signing) -> bytes:
        configured, options = self._configuration(signing)
        signature = multibase_encode(signing.signer.sign(configured + digest))
        return b"".join((text[:-1], options, f',"proofValue":"{signature}"}}}}'.encode()))

    def _configuration(self, signing: Signing) -> tuple[bytes, bytes]:
        """The hash of the proof's options, and their JSON: the same for all that are signed at one moment."""
        key = (signing.created, signing.verification_method)
        found = self._configured.get(key)
        if found is None:
            options: JsonObject = {
                "type": "DataIntegrityProof",
                "cryptosuite": "eddsa-rdfc-2022",
                "created": utc_text(signing.created),
                "verificationMethod": signing.verification_method,
                "proofPurpose": "assertionMethod",
            }
            canonical = canonicalize(rdf_configuration(self._context, options), self._contexts)
            written = b',"proof":' + compact(options)[:-1]
            found = hashlib.sha256(canonical.encode()).digest(), written
            if len(self._configured) >= _MOST_CONFIGURATIONS:
                self._configured.clear()
            self._configured[key] = found
        return found

    def _as_jwt(self, text: bytes, values: Sequence[str], signing: Signing) -> bytes:
        said = self._claimed | {name: values[slot] for name, slot in self._claim_slots.items()}
        subject = said.pop("subject", None)
        claims = registered_claims({**said, "credentialSubject": {"id": subject}})
        payload = b"".join((text[:-1], b",", compact(claims)[1:]))
        header = {"typ": "JWT", "kid": signing.verification_method}
        return compact_jws(header, payload, signing.signer)


class SeriesKept:
    """The series that were compiled, so many at most; threads may ask at the same time."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Series | None] = {}

    def get(self, key: Hashable, make: Callable[[], Series]) -> Series | None:
        """The series of a key, made when it is first asked for; None if its credentials are no series."""
        try:
            return self._found[key]
        except KeyError:
            pass
        made: Series | None
        try:
            made = make()
        except Unusual:
            made = None
        if len(self._found) >= _MOST_SERIES:
            self._found.clear()
        self._found[key] = made
        return made
