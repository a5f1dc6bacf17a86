"""The canonical form of credentials whose like were verified before, by the template that one was learnt from.

Credentials of one definition by one issuer differ in a few texts, whoever issued them. The places
where two that were verified differ become the slots of a template (`jsonld.template`); a document
that is, byte for byte, one of them with other texts there is canonicalized by it. Any other is walked.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any, Final, TypeAlias, cast

from kpass_vc.errors import Malformed
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.template import Template, checked_template
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.model import fast_json
from kpass_vc.model.document import JsonObject
from kpass_vc.model.slots import JsonTemplate, Place, plain_texts

MOST_KNOWN: Final = 128
"""Kinds that there are templates of; each takes a megabyte at most, and that of our largest credential 0.4."""
MOST_MET: Final = 256
"""Kinds of which one document was met."""
MOST_BYTES: Final = 16 * 1024
"""Larger documents are not learnt from; a badge of ours has seven kilobytes."""
_MOST_CANONICAL: Final = 8 * MOST_BYTES
"""Nor are those whose canonical form is larger: in it each line names its subject. That of our largest has 20 KB."""
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
        if len(self._template.fill(examples[0])) > _MOST_CANONICAL:
            raise Unusual
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
    """A kind: a document of it, and what was learnt since."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.tries = 0
        self.known: _Known | None = None

    def learn(self, written: bytes, contexts: Contexts) -> None:
        """Learn from another document, unless that was tried too often; what it brings is never an error."""
        if self.tries >= MOST_TRIES:
            return
        first, document = _read(self.first), _read(written)
        try:
            places = set(_differences(first, document, ()))
        except (Unusual, RecursionError):
            if self.known is None:  # whichever has its like next
                self.first = written
            return
        if not places:
            return
        self.tries += 1
        places |= set(self.known.places) if self.known else set()
        if len(places) > MOST_PLACES:
            return
        try:
            self.known = _Known(first, tuple(sorted(places, key=repr)), document, contexts)
        except (Unusual, Malformed, ValueError, RecursionError):
            self.tries = MOST_TRIES  # the next would have the same wrong with it


class Seen:
    """The kinds that were met last; for all threads of a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._learns = Lock()
        self._known: OrderedDict[Kind, _Learning] = OrderedDict()
        """Those with a template, the one that was used last at the end."""
        self._met: OrderedDict[Kind, _Learning] = OrderedDict()
        """Those without, the newest at the end."""

    def canonical(self, document: Mapping[str, object], signer: str = "") -> bytes | None:
        """The canonical N-Quads in UTF-8, as `canonicalize` makes them; None if nothing like it was learnt from.

        `signer` is whose proof it bears: what one has signed teaches nothing about what others do.
        """
        kind = _kind(document, signer)
        found = None if kind is None else self._known.get(kind)
        if kind is None or found is None or found.known is None:
            return None
        written = _written(document)
        filled = None if written is None else found.known.fill(document, written)
        if filled is not None:
            with self._lock:
                if kind in self._known:
                    self._known.move_to_end(kind)
        return filled

    def learn(self, document: Mapping[str, object], contexts: Contexts, signer: str = "") -> None:
        """Learn from a document that was verified and that `canonical` did not know; at once, or not at all."""
        kind, written = _kind(document, signer), _written(document)
        if kind is None or written is None or len(written) > MOST_BYTES:
            return
        with self._lock:
            found = self._known.get(kind) or self._met.get(kind)
            if found is None:
                self._met[kind] = _Learning(written)
                if len(self._met) > MOST_MET:
                    self._met.popitem(last=False)
                return
        if not self._learns.acquire(blocking=False):
            return  # nobody waits for what another learns
        try:
            found.learn(written, contexts)
        finally:
            self._learns.release()
        if found.known is not None:
            with self._lock:
                self._met.pop(kind, None)
                self._known[kind] = found
                if len(self._known) > MOST_KNOWN:
                    self._known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._known) + len(self._met)


def _kind(document: Mapping[str, object], signer: str) -> Kind | None:
    """What credentials of one definition and issuer have in common; None if it is no such credential."""
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict) or not isinstance(subject.get("achievement"), dict):
        return None
    same = [signer, document.get("@context"), document.get("issuer"), subject["achievement"]]
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
