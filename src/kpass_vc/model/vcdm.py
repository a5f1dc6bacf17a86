"""What the Verifiable Credentials Data Model demands of a document, 1.1 and 2.0; the first context says which.

Plain walking and no models: a foreign credential has any shape, and each thing that is wrong is named by its
JSON pointer. That every term is defined is JSON-LD's business (jsonld.expansion), not ours.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from kpass_vc.errors import FieldError, InvalidInput
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.document import pointer

CREDENTIALS_V1: Final = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
_VERSION: Final = {CREDENTIALS_V1: 1, CREDENTIALS_V2: 2}

DigestKnown: TypeAlias = Callable[[str, str, str], bool | None]
"""(URL, digestSRI or digestMultibase, value) -> whether it is what lies there; None if that is not known."""

_Place: TypeAlias = tuple[str | int, ...]
_Faults: TypeAlias = Iterator[FieldError]

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]+\Z")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z")
_MOST_FAULTS: Final = 20
_TYPED: Final = ("credentialStatus", "credentialSchema", "termsOfUse", "evidence", "refreshService")
"""The members whose values are objects with a `type` (VCDM 2.0 section 4.4)."""
PERIODS: Final = {
    1: (("issuanceDate", "expirationDate"), ("validFrom", "validUntil")),
    2: (("validFrom", "validUntil"),),
}
"""Beginning and end. The first context of 1.1 defines the names of 2.0 too, so that they may say something there."""


def check_credential(
    document: Mapping[str, object], digest_known: DigestKnown | None = None
) -> None:
    """Return if a credential, without its proof, keeps the rules of its data model; else InvalidInput."""
    _raise(_credential(document, digest_known))


def check_presentation(document: Mapping[str, object]) -> None:
    """Return if a presentation, without its proof, keeps the rules of its data model; else InvalidInput."""
    _raise(_presentation(document))


def version_of(document: Mapping[str, object]) -> int | None:
    """1 or 2 by the first context, None if it is no base context."""
    found = document.get("@context")
    first = found[0] if isinstance(found, list) and found else found
    return _VERSION.get(first) if isinstance(first, str) else None


def _raise(faults: _Faults) -> None:
    found = [fault for fault, _ in zip(faults, range(_MOST_FAULTS), strict=False)]
    if found:
        raise InvalidInput(*found)


def _credential(document: Mapping[str, object], digest_known: DigestKnown | None) -> _Faults:
    version = version_of(document) or 2
    yield from _contexts(document)
    yield from _types(document, "VerifiableCredential")
    yield from _identifier(document, ())
    yield from _issuer(document, version)
    yield from _subjects(document)
    yield from _period(document, version)
    if version == 2:
        yield from _texts(document, ())
        yield from _related_resources(document, digest_known)
    for member in _TYPED:
        yield from _typed(document, member)


def _presentation(document: Mapping[str, object]) -> _Faults:
    yield from _contexts(document)
    yield from _types(document, "VerifiablePresentation")
    yield from _identifier(document, ())
    if "holder" in document:
        yield from _entity(document["holder"], ("holder",))
    yield from _typed(document, "termsOfUse")
    if "verifiableCredential" in document:
        for credential, place in _each(document["verifiableCredential"], ("verifiableCredential",)):
            if isinstance(credential, str) and version_of(document) == 1:
                continue  # a JWT, as data model 1.1 has them
            if not isinstance(credential, Mapping) or not credential:
                yield FieldError(pointer(*place), "type", expected="object")


def _contexts(document: Mapping[str, object]) -> _Faults:
    """Section 4.3: an ordered set that begins with the base context."""
    if "@context" not in document:
        yield FieldError("/@context", "required")
        return
    found = document["@context"]
    if not isinstance(found, list):
        yield FieldError("/@context", "type", expected="array")
        return
    if version_of(document) is None:
        yield FieldError("/@context/0", "base_context")
    for number, context in enumerate(found):
        if isinstance(context, str):
            if not _URL.match(context):
                yield FieldError(pointer("@context", number), "uri")
        elif not isinstance(context, Mapping):
            yield FieldError(pointer("@context", number), "type", expected="string, object")


def _types(document: Mapping[str, object], demanded: str) -> _Faults:
    """Section 4.5."""
    if "type" not in document:
        yield FieldError("/type", "required")
        return
    found = document["type"]
    types = found if isinstance(found, list) else [found]
    if not types or not all(isinstance(kind, str) and kind for kind in types):
        yield FieldError("/type", "type", expected="string, array")
    elif demanded not in types:
        yield FieldError("/type", "type_value", expected=demanded)


def _identifier(value: Mapping[str, object], place: _Place) -> _Faults:
    """Section 4.4: one URL, where there is one."""
    if "id" not in value:
        return
    identifier = value["id"]
    if not isinstance(identifier, str):
        yield FieldError(pointer(*place, "id"), "type", expected="string")
    elif not _URL.match(identifier):
        yield FieldError(pointer(*place, "id"), "uri")


def _entity(value: object, place: _Place) -> _Faults:
    """A URL, or an object with one as its id."""
    if isinstance(value, str):
        if not _URL.match(value):
            yield FieldError(pointer(*place), "uri")
    elif not isinstance(value, Mapping):
        yield FieldError(pointer(*place), "type", expected="string, object")
    elif "id" not in value:
        yield FieldError(pointer(*place, "id"), "required")
    else:
        yield from _identifier(value, place)


def _issuer(document: Mapping[str, object], version: int) -> _Faults:
    """Section 4.7."""
    if "issuer" not in document:
        yield FieldError("/issuer", "required")
        return
    issuer = document["issuer"]
    yield from _entity(issuer, ("issuer",))
    if isinstance(issuer, Mapping) and version == 2:
        yield from _texts(issuer, ("issuer",))


def _subjects(document: Mapping[str, object]) -> _Faults:
    """Section 4.8: one or more objects with something in them."""
    if "credentialSubject" not in document:
        yield FieldError("/credentialSubject", "required")
        return
    found = document["credentialSubject"]
    if found == []:
        yield FieldError("/credentialSubject", "empty")
    for subject, place in _each(found, ("credentialSubject",)):
        if not isinstance(subject, Mapping):
            yield FieldError(pointer(*place), "type", expected="object")
        elif not subject:
            yield FieldError(pointer(*place), "empty")
        else:
            yield from _identifier(subject, place)


def _period(document: Mapping[str, object], version: int) -> _Faults:
    """Section 4.9, and sections 4.6 and 4.8 of 1.1: with a time zone, and no end before its beginning."""
    if version == 1 and "issuanceDate" not in document:
        yield FieldError(pointer("issuanceDate"), "required")
    for period in PERIODS[version]:
        moments = []
        for member in period:
            if member not in document:
                continue
            value = document[member]
            moment = parse_date_time(value) if isinstance(value, str) else None
            if moment is None:
                yield FieldError(pointer(member), "date_time")
            else:
                moments.append(moment)
        if moments != sorted(moments):
            yield FieldError(pointer(period[1]), "dates_order")


def _typed(document: Mapping[str, object], member: str) -> _Faults:
    """Objects with a type, and a URL as id where there is an id; a schema must have one (section 4.11)."""
    if member not in document:
        return
    found = document[member]
    if found == []:
        yield FieldError(pointer(member), "empty")
    for value, place in _each(found, (member,)):
        if not isinstance(value, Mapping):
            yield FieldError(pointer(*place), "type", expected="object")
            continue
        kind = value.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        if "type" not in value:
            yield FieldError(pointer(*place, "type"), "required")
        elif not kinds or not all(isinstance(name, str) and name for name in kinds):
            yield FieldError(pointer(*place, "type"), "type", expected="string, array")
        if member == "credentialSchema" and "id" not in value:
            yield FieldError(pointer(*place, "id"), "required")
        yield from _identifier(value, place)


def _related_resources(document: Mapping[str, object], digest_known: DigestKnown | None) -> _Faults:
    """Section 5.3: each resource once, with a digest that is not known to be wrong."""
    if "relatedResource" not in document:
        return
    seen: set[str] = set()
    for resource, place in _each(document["relatedResource"], ("relatedResource",)):
        if not isinstance(resource, Mapping):
            yield FieldError(pointer(*place), "type", expected="object")
            continue
        if "id" not in resource:
            yield FieldError(pointer(*place, "id"), "required")
            continue
        yield from _identifier(resource, place)
        url = str(resource["id"])
        if url in seen:
            yield FieldError(pointer(*place, "id"), "unique")
        seen.add(url)
        yield from _digests(resource, url, place, digest_known)


def _digests(
    resource: Mapping[str, object], url: str, place: _Place, digest_known: DigestKnown | None
) -> _Faults:
    digests = [name for name in ("digestSRI", "digestMultibase") if name in resource]
    if not digests:
        yield FieldError(pointer(*place, "digestSRI"), "required")
    for name in digests:
        for digest, at in _each(resource[name], (*place, name)):
            if not isinstance(digest, str):
                yield FieldError(pointer(*at), "type", expected="string")
            elif digest_known is not None and digest_known(url, name, digest) is False:
                yield FieldError(pointer(*at), "digest", url=url[:200])


def _texts(value: Mapping[str, object], place: _Place) -> _Faults:
    """Section 11.1: name and description as texts, language value objects, or lists of these."""
    for member in ("name", "description"):
        if member not in value:
            continue
        for text, at in _each(value[member], (*place, member)):
            if isinstance(text, str):
                continue
            if not isinstance(text, Mapping):
                yield FieldError(pointer(*at), "type", expected="string, object")
                continue
            for key in text.keys() - {"@value", "@language", "@direction"}:
                yield FieldError(pointer(*at, key), "unknown_field")
            if not isinstance(text.get("@value"), str):
                yield FieldError(pointer(*at, "@value"), "required")
            language = text.get("@language", "und")
            if not isinstance(language, str) or not _LANGUAGE.match(language):
                yield FieldError(pointer(*at, "@language"), "language_tag")
            if text.get("@direction", "ltr") not in {"ltr", "rtl"}:
                yield FieldError(pointer(*at, "@direction"), "enum", expected="ltr, rtl")


def _each(value: object, place: _Place) -> Iterator[tuple[object, _Place]]:
    if isinstance(value, list):
        yield from ((entry, (*place, number)) for number, entry in enumerate(value))
    else:
        yield value, place
