"""LINTS: what an unsigned credential must satisfy before a key touches it."""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError

from kpass_vc.compose.credential import CONTEXTS
from kpass_vc.errors import FieldError, InvalidInput, Malformed
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.credential import OpenBadgeCredential
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.document import JsonObject, check_text, pointer
from kpass_vc.model.field_errors import field_errors
from kpass_vc.model.status import BitstringStatusListEntry

Lint = Callable[[JsonObject, Contexts], None]


def lint(credential: JsonObject, contexts: Contexts) -> None:
    """Return if the credential may be signed; Malformed says what is wrong with it."""
    for check in LINTS:
        check(credential, contexts)


def lint_contexts(credential: JsonObject, _contexts: Contexts) -> None:
    """The contexts are the two that verifiers with pinned contexts know, in order."""
    if credential.get("@context") != list(CONTEXTS):
        raise InvalidInput(FieldError("/@context", "contexts"))


def lint_values(credential: JsonObject, _contexts: Contexts) -> None:
    """No null, no empty list or object, no float, no refused character."""
    pending: list[tuple[object, tuple[str | int, ...]]] = [(credential, ())]
    while pending:
        value, place = pending.pop()
        if value is None or value in ([], {}):
            raise InvalidInput(FieldError(pointer(*place), "empty"))
        if isinstance(value, float):
            raise InvalidInput(FieldError(pointer(*place), "float"))
        if isinstance(value, str):
            check_text(value, pointer(*place))
        elif isinstance(value, dict):
            pending.extend((member, (*place, key)) for key, member in value.items())
        elif isinstance(value, list):
            pending.extend((member, (*place, number)) for number, member in enumerate(value))


def lint_structure(credential: JsonObject, _contexts: Contexts) -> None:
    """It is an OpenBadgeCredential whose issuer is a Profile and whose status is one Bitstring entry."""
    if not isinstance(credential.get("issuer"), dict):
        raise InvalidInput(FieldError("/issuer", "type", expected="object"))
    try:
        OpenBadgeCredential.model_validate(credential)
        BitstringStatusListEntry.model_validate(credential.get("credentialStatus"))
    except ValidationError as error:
        raise InvalidInput(*field_errors(error)) from error


def lint_dates(credential: JsonObject, _contexts: Contexts) -> None:
    """It was awarded before it is valid, and is valid before it runs out."""
    moments = [
        parse_date_time(str(credential[name]))
        for name in ("awardedDate", "validFrom", "validUntil")
        if name in credential
    ]
    known = [moment for moment in moments if moment is not None]
    if known != sorted(known):
        raise InvalidInput(FieldError("/validUntil", "dates_order"))


def lint_terms(credential: JsonObject, contexts: Contexts) -> None:
    """Its contexts define every term in it."""
    to_quads(credential, contexts)


def lint_nodes(credential: JsonObject, _contexts: Contexts) -> None:
    """No IRI is described twice in different ways: it could be re-spelled under the same signature."""
    seen: dict[str, Mapping[str, object]] = {}
    pending: list[object] = [credential]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            identifier = value.get("id")
            if isinstance(identifier, str) and seen.setdefault(identifier, value) != value:
                raise Malformed("described_twice", iri=identifier[:200], field="/")
            pending.extend(value.values())


LINTS: Final[tuple[Lint, ...]] = (
    lint_contexts,
    lint_values,
    lint_structure,
    lint_dates,
    lint_terms,
    lint_nodes,
)
