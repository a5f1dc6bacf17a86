"""DID documents as we write and read them (DID Core 1.0, Controlled Identifiers 1.0).

Foreign documents are read leniently member by member: what we do not know is
left alone, and a verification method counts only where it is listed under the
relationship asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kpass_vc.errors import Malformed

CONTEXTS: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")
Relationship = Literal["assertionMethod", "authentication"]


@dataclass(frozen=True)
class VerificationMethod:
    """One key of a DID document, as found there."""

    id: str
    type: str
    controller: str
    members: Mapping[str, object]


def find_method(
    document: Mapping[str, object], method_id: str, relationship: Relationship
) -> VerificationMethod:
    """The verification method with exactly this id.

    Malformed says whether it is missing, not listed under the relationship, or broken.
    """
    listed = [
        entry for entry in _entries(document, relationship) if _id_of(entry, document) == method_id
    ]
    embedded = [entry for entry in listed if isinstance(entry, Mapping)]
    named = [
        entry
        for entry in _entries(document, "verificationMethod")
        if _id_of(entry, document) == method_id
    ]
    found = [entry for entry in (*embedded, *named) if isinstance(entry, Mapping)]
    if not found:
        raise Malformed("no_such_key", method=method_id[:300], field="verificationMethod")
    if not listed:
        raise Malformed("not_for_assertion", method=method_id[:300], field=relationship)
    method = found[0]
    kind, controller = method.get("type"), method.get("controller")
    if not isinstance(kind, str) or not isinstance(controller, str) or len(found) > 1:
        raise Malformed("broken_key", method=method_id[:300], field="verificationMethod")
    return VerificationMethod(id=method_id, type=kind, controller=controller, members=method)


def method_ids(document: Mapping[str, object], relationship: Relationship) -> list[str]:
    """The ids of all verification methods listed under the relationship."""
    found = (_id_of(entry, document) for entry in _entries(document, relationship))
    return [method_id for method_id in found if method_id is not None]


def _entries(document: Mapping[str, object], member: str) -> list[object]:
    value = document.get(member, [])
    return value if isinstance(value, list) else [value]


def _id_of(entry: object, document: Mapping[str, object]) -> str | None:
    identifier = entry.get("id") if isinstance(entry, Mapping) else entry
    if not isinstance(identifier, str):
        return None
    return f"{document.get('id')}{identifier}" if identifier.startswith("#") else identifier
