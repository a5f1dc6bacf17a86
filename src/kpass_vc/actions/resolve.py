"""Resolve a DID, or dereference a DID URL (DID Resolution 0.3), in the shape of the universal resolver."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from kpass_vc.actions.verify import find_did_document
from kpass_vc.dids import method_of
from kpass_vc.dids.key import FORMATS, DidKey
from kpass_vc.environment import Environment
from kpass_vc.errors import KeyRefused, KpassError, Malformed, NotFetched
from kpass_vc.model.document import JsonObject

CONTEXT: Final = "https://w3id.org/did-resolution/v1"
MEDIA_TYPE: Final = 'application/ld+json;profile="https://w3id.org/did-resolution"'
_URL: Final = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*\Z")
_STATUS: Final = {"notFound": 404, "methodNotSupported": 501}
_RELATIONSHIPS: Final = ("verificationMethod", "authentication", "assertionMethod", "keyAgreement")
_EXPERIMENTAL: Final = frozenset({"Ed25519VerificationKey2018", "X25519KeyAgreementKey2019"})
"""Forms that other resolvers give keys in; we do not."""


@dataclass(frozen=True)
class Resolution:
    """What was found, or the name of the error."""

    document: JsonObject = field(default_factory=dict)
    error: str | None = None
    message: str = ""
    is_dereferenced: bool = False

    @property
    def status(self) -> int:
        """The HTTP status of the universal resolver's binding."""
        return 200 if self.error is None else _STATUS.get(self.error, 400)

    def reply(self) -> JsonObject:
        """The result as JSON: a document always, empty where there is none."""
        metadata: JsonObject = {"contentType": "application/did+ld+json"}
        if self.error is not None:
            metadata = {"error": self.error, "message": self.message}
        name = "didDereferencingMetadata" if self.is_dereferenced else "didResolutionMetadata"
        return {
            "@context": CONTEXT,
            "didDocument": self.document,
            "didDocumentMetadata": {},
            name: metadata,
        }


class _Refused(Exception):
    """Resolution ends with an error of this name."""

    def __init__(self, name: str, cause: KpassError | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.message = str(cause) if cause is not None else ""


def resolve(env: Environment, did_url: str, options: Mapping[str, str]) -> Resolution:
    """The document of a DID, or the part of it that a DID URL names. Raises for nothing in its input."""
    did = re.split(r"[/?#]", did_url, maxsplit=1)[0]
    rest = did_url[len(did) :]
    is_dereferenced = bool(rest)
    if rest and not _URL.match(rest):
        return Resolution({}, "invalidDidUrl", "", is_dereferenced)
    try:
        document = _document(env, did, options, is_dereferenced=is_dereferenced)
        found = _part(document, did_url) if is_dereferenced else document
    except _Refused as error:
        return Resolution({}, error.name, error.message, is_dereferenced)
    return Resolution(found, is_dereferenced=is_dereferenced)


def _document(
    env: Environment, did: str, options: Mapping[str, str], *, is_dereferenced: bool
) -> JsonObject:
    key_format = options.get("publicKeyFormat", "Multikey")
    try:
        method = method_of(did)
        if isinstance(method, DidKey):
            if key_format not in FORMATS:
                known = key_format in _EXPERIMENTAL or is_dereferenced
                raise _Refused("invalidPublicKeyType" if known else "unsupportedPublicKeyType")
            derive = options.get("enableEncryptionKeyDerivation", "false") == "true"
            return method.document_in(did, key_format, derive_agreement=derive)
        return find_did_document(env, did)
    except KeyRefused as error:
        raise _Refused("unsupportedPublicKeyType", error) from error
    except Malformed as error:
        raise _Refused(_name(error), error) from error
    except NotFetched as error:
        raise _Refused("notFound", error) from error


def _name(error: Malformed) -> str:
    """The method specifications' name for what is wrong with a DID."""
    if error.rule == "did_method":
        return "methodNotSupported"
    cause = error.__cause__
    if isinstance(cause, KeyRefused) and cause.rule == "length":
        return "invalidPublicKeyLength"
    if isinstance(cause, KeyRefused) and cause.rule in {"point", "small_order", "rsa_size"}:
        return "invalidPublicKey"
    return "notFound" if error.rule == "did_document_id" else "invalidDid"


def _part(document: JsonObject, did_url: str) -> JsonObject:
    """The verification method that a DID URL names."""
    for name in _RELATIONSHIPS:
        found = document.get(name, [])
        for entry in found if isinstance(found, list) else [found]:
            if isinstance(entry, dict) and entry.get("id") in {did_url, _fragment(did_url)}:
                return cast("JsonObject", {"@context": document.get("@context"), **entry})
    raise _Refused("notFound")


def _fragment(did_url: str) -> str:
    return "#" + did_url.partition("#")[2]
