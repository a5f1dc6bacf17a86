"""The canonical form of credentials whose like were verified before, by the template that one was learnt from.

Credentials of one definition by one issuer differ in a few texts, whoever issued them. The places
where two that were verified differ become the slots of a template (`jsonld.template`); a document
that is, byte for byte, one of them with other texts there is canonicalized by it. Any other is walked.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any, Final, TypeAlias, cast

from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.template import Template, checked_template
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.model import fast_json
from kpass_vc.model.document import JsonObject
from kpass_vc.model.slots import JsonTemplate, Place, plain_texts

MOST_KINDS: Final = 128
MOST_BYTES: Final = 64 * 1024
"""Larger documents are not learnt from."""
MOST_PLACES: Final = 16
"""Documents that differ in more places are not of one kind."""
MOST_TRIES: Final = 4
"""How often a template is made anew because a document differs in yet another place."""

Kind: TypeAlias = bytes


class _Known:
    """What was learnt of a kind; Unusual if it is no template."""

    def __init__(
        self, first: JsonObject, places: tuple[Place, ...], other: JsonObject, contexts: Contexts
    ) -> None:
        self.places = places
        examples = [_texts(first, places), _texts(other, places)]
        self._template: Template = checked_template(first, places, contexts, examples)
        self._json = JsonTemplate(first, places)

    def fill(self, document: Mapping[str, object], written: bytes) -> bytes | None:
        """The canonical N-Quads of a document; None if it is not of this kind."""
        try:
            values = _texts(document, self.places)
            plain = plain_texts(values)
            if self._json.fill(values, plain) != written:
                return None
            return self._template.fill(values, plain)
        except (Unusual, UnicodeEncodeError):
            return None


class _Learning:
    """A kind: the first document of it, and what was learnt since."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.tries = 0
        self.known: _Known | None = None

    def learn(self, document: JsonObject, contexts: Contexts) -> None:
        """Learn from another document, unless there were too many that brought nothing."""
        first = _read(self.first)
        try:
            places = set(_differences(first, document, ()))
        except Unusual:
            self.tries += 1
            return
        if not places:
            return
        self.tries += 1
        places |= set(self.known.places) if self.known else set()
        if len(places) > MOST_PLACES:
            return
        try:
            self.known = _Known(first, tuple(sorted(places, key=repr)), document, contexts)
        except Unusual:
            return


class Seen:
    """The kinds that were met last; for all threads of a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kinds: OrderedDict[Kind, _Learning] = OrderedDict()

    def canonical(self, document: Mapping[str, object]) -> bytes | None:
        """The canonical N-Quads in UTF-8, as `canonicalize` makes them; None if nothing like it was learnt from."""
        kind = _kind(document)
        found = None if kind is None else self._kinds.get(kind)
        if found is None or found.known is None:
            return None
        written = _written(document)
        return None if written is None else found.known.fill(document, written)

    def learn(self, document: Mapping[str, object], contexts: Contexts) -> None:
        """Learn from a document that was verified; it was not canonicalized here."""
        kind, written = _kind(document), _written(document)
        if kind is None or written is None or len(written) > MOST_BYTES:
            return
        with self._lock:
            found = self._kinds.get(kind)
            if found is None:
                self._kinds[kind] = _Learning(written)
                if len(self._kinds) > MOST_KINDS:
                    self._kinds.popitem(last=False)
                return
            self._kinds.move_to_end(kind)
            if found.tries < MOST_TRIES:
                found.learn(_read(written), contexts)

    def __len__(self) -> int:
        return len(self._kinds)


def _kind(document: Mapping[str, object]) -> Kind | None:
    """What credentials of one definition and issuer have in common; None if it is no such credential."""
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict) or not isinstance(subject.get("achievement"), dict):
        return None
    same = [document.get("@context"), document.get("issuer"), subject["achievement"]]
    return _written({"same": same, "members": [list(document), list(subject)]})


def _written(document: Mapping[str, object]) -> bytes | None:
    """A document as compact JSON; None if it has no such form."""
    try:
        return fast_json.encode(document)
    except ValueError:
        return None


def _read(written: bytes) -> JsonObject:
    """A document that was written by `_written`."""
    return cast("JsonObject", fast_json.decode(written))


def _texts(document: Mapping[str, object], places: tuple[Place, ...]) -> list[str]:
    """The texts at the places; Unusual if there is none at one."""
    found: list[str] = []
    for place in places:
        part: Any = document
        try:
            for step in place:
                part = part[step]
        except (KeyError, IndexError, TypeError) as error:
            raise Unusual from error
        if type(part) is not str:
            raise Unusual
        found.append(part)
    return found


def _differences(one: object, other: object, place: Place) -> Iterator[Place]:
    """The places where two documents have different texts; Unusual if they differ in anything else."""
    if type(one) is not type(other):
        raise Unusual
    if isinstance(one, dict) and isinstance(other, dict):
        if list(one) != list(other):
            raise Unusual
        for name, part in one.items():
            yield from _differences(part, other[name], (*place, name))
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            raise Unusual
        for number, part in enumerate(one):
            yield from _differences(part, other[number], (*place, number))
    elif one != other:
        if not isinstance(one, str):
            raise Unusual
        yield place
