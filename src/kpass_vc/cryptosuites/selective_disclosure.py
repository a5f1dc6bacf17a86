"""What selective disclosure is made of (Data Integrity ECDSA Cryptosuites 1.0 sections 3.4 and 3.5).

Blank nodes have no names that last, so for the time of selecting each gets one (skolemizing), and in what
is signed they are called by the HMAC of their canonical name: whoever sees a part learns nothing of the rest.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.errors import Malformed
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.expansion import compact, expand, quads_of
from kpass_vc.jsonld.rdfc import Quad, canonicalize_dataset
from kpass_vc.model.document import JsonObject

Labels: TypeAlias = Mapping[str, str]
"""From one name of a blank node to another, each with its `_:`."""
LabelMaker: TypeAlias = Callable[[Labels], dict[str, str]]

_MOST_POINTERS: Final = 200
_FIRST: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>"
_REST: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest>"


@dataclass(frozen=True)
class Group:
    """The quads that some pointers select, by their index among all of the document's."""

    matching: dict[int, str]
    others: dict[int, str]
    quads: tuple[Quad, ...]
    """The selected ones, blank nodes under the names they have for the time of selecting."""


@dataclass(frozen=True)
class Grouped:
    """A document's lines under their lasting labels, and the groups asked for."""

    lines: tuple[str, ...]
    labels: Labels
    """From the names of selecting to the lasting labels."""
    groups: Mapping[str, Group]


def hmac_labels(key: bytes) -> LabelMaker:
    """Labels that are the HMAC-SHA-256 of canonical names (section 3.4.4)."""

    def label(canonical: Labels) -> dict[str, str]:
        made = {
            node: hmac.digest(key, name.removeprefix("_:").encode(), "sha256")
            for node, name in canonical.items()
        }
        return {node: f"_:u{base64url_encode(digest)}" for node, digest in made.items()}

    return label


def relabelled(quads: Sequence[Quad], make: LabelMaker) -> tuple[tuple[str, ...], Labels]:
    """The sorted lines of a dataset under new labels, and the labels (section 3.4.1)."""
    _, canonical = canonicalize_dataset(quads)
    labels = make(canonical)
    return tuple(sorted({renamed(quad, labels).line() for quad in quads})), labels


def renamed(quad: Quad, labels: Labels) -> Quad:
    """A quad with its blank nodes under other names."""
    subject, value, graph = (
        labels.get(part, part) for part in (quad.subject, quad.object, quad.graph)
    )
    return Quad(subject, quad.predicate, value, graph)


def canonicalize_and_group(
    document: Mapping[str, object],
    make: LabelMaker,
    groups: Mapping[str, Sequence[str]],
    contexts: Contexts,
) -> Grouped:
    """The document's lines, and which of them each list of pointers selects (section 3.4.16)."""
    unnamed = expand(document, contexts)
    skolem = _Skolem(unnamed)
    expanded = skolem.named(unnamed)
    compacted = compact(expanded, document.get("@context", []), contexts)
    lines, labels = relabelled(skolem.forgotten(quads_of(expanded)), make)
    known = set(lines)

    def chosen_by(pointers: Sequence[str]) -> tuple[Quad, ...]:
        selection = select(compacted, pointers)
        return () if selection is None else skolem.forgotten(to_quads(selection, contexts))

    found: dict[str, Group] = {}
    for name, pointers in groups.items():
        selected = chosen_by(pointers)
        chosen = {renamed(quad, labels).line() for quad in selected}
        if not chosen <= known:
            raise Malformed("pointer_part", pointer=_first_part(pointers, chosen_by, known, labels))
        matching = {index: line for index, line in enumerate(lines) if line in chosen}
        others = {index: line for index, line in enumerate(lines) if line not in chosen}
        found[name] = Group(matching, others, selected)
    return Grouped(lines, labels, found)


def _first_part(
    pointers: Sequence[str],
    chosen_by: Callable[[Sequence[str]], tuple[Quad, ...]],
    known: set[str],
    labels: Labels,
) -> str:
    """The first pointer to a part of what is only signed whole: an ordered list, or a JSON literal."""
    for pointer in pointers:
        if not {renamed(quad, labels).line() for quad in chosen_by([pointer])} <= known:
            return pointer[:200]
    return ", ".join(pointers)[:200]


class _Skolem:
    """Names for blank nodes that JSON-LD takes for IRIs (section 3.4.5 to 3.4.10)."""

    def __init__(self, expanded: list[dict[str, Any]]) -> None:
        self._prefix = "urn:bnid:"
        text = json.dumps(expanded, ensure_ascii=False)
        while self._prefix in text:  # somebody's own IRIs are not ours
            self._prefix += "_"
        self._count = 0

    def named(self, value: Any) -> Any:  # noqa: ANN401 - expanded JSON-LD of any shape
        """Expanded JSON-LD with an @id for every node."""
        if isinstance(value, list):
            return [self.named(member) for member in value]
        if not isinstance(value, dict) or "@value" in value:
            return value
        made = {name: self.named(member) for name, member in value.items()}
        if "@list" in made or "@set" in made:
            return made
        identifier = made.get("@id")
        if identifier is None:
            made["@id"] = f"{self._prefix}b{self._count}"
            self._count += 1
        elif identifier.startswith("_:"):
            made["@id"] = f"{self._prefix}n{identifier[2:]}"
        return made

    def forgotten(self, quads: Sequence[Quad]) -> tuple[Quad, ...]:
        """The quads with those IRIs as blank nodes again, and the nodes of lists under names that last."""
        return tuple(
            Quad(
                self._blank(quad.subject),
                quad.predicate,
                self._blank(quad.object),
                self._blank(quad.graph),
            )
            for quad in _with_named_lists(quads)
        )

    def _blank(self, term: str) -> str:
        head = f"<{self._prefix}"
        return f"_:{term[len(head) : -1]}" if term.startswith(head) else term


def _with_named_lists(quads: Sequence[Quad]) -> tuple[Quad, ...]:
    """Quads of a document whose nodes all have ids: the nodes of its lists are called by what they hold and where.

    JSON-LD has no way to name these, so the whole document and a part of it would number them each in its way.
    A part of a list gets other names than the whole, and is none of what was signed.
    """
    cells = [quad for quad in quads if quad.subject.startswith("_:")]
    first = {quad.subject: quad.object for quad in cells if quad.predicate == _FIRST}
    rest = {quad.subject: quad.object for quad in cells if quad.predicate == _REST}
    names: dict[str, str] = {}

    def told(term: str) -> str:
        parts: list[str] = []
        while term in first:
            parts.append(told(first[term]))
            term = rest[term]
        return f"({' '.join(parts)})" if parts else term

    def name(cell: str, head: str) -> None:
        number = 0
        while cell in first:
            names[cell] = f"{head}-{number}"
            name(first[cell], f"{names[cell]}-")
            cell, number = rest[cell], number + 1

    alike: Counter[str] = Counter()
    for quad in quads:
        if quad.object in first and quad.subject not in first:
            place = " ".join((quad.subject, quad.predicate, quad.graph, told(quad.object)))
            digest = hashlib.sha256(place.encode()).hexdigest()
            name(quad.object, f"_:l{digest}-{alike[digest]}")
            alike[digest] += 1
    return tuple(renamed(quad, names) for quad in quads)


def select(document: Mapping[str, object], pointers: Sequence[str]) -> JsonObject | None:
    """The part of a document that JSON pointers select, with its types and ids; None for no pointers.

    Malformed names a pointer that leads nowhere (sections 3.4.11 to 3.4.13).
    """
    if not pointers:
        return None
    if len(pointers) > _MOST_POINTERS:
        raise Malformed("pointer", pointer=f"№ {_MOST_POINTERS + 1}")
    selection: JsonObject = {"@context": deepcopy(document.get("@context")), **_outline(document)}
    for pointer in pointers:
        selection = _with_path(document, pointer, selection)
    dense = _dense(selection)
    return dense if isinstance(dense, dict) else None


class _Id(str):
    """The id of a node of which nothing else is said."""

    __slots__ = ()


class _Sparse(dict[int, object]):
    """An array of which some entries are selected."""


def _with_path(
    document: Mapping[str, object],
    pointer: str,
    selection: JsonObject,
) -> JsonObject:
    """The selection with what a pointer leads to added; Malformed if it leads nowhere (section 3.4.12)."""
    steps = _tokens(pointer)
    if not steps:
        return deepcopy(dict(document))
    value: object = document
    for step in steps:
        value, _ = _step(value, step, pointer)
    value = document
    place: Any = selection
    for number, step in enumerate(steps):
        value, key = _step(value, step, pointer)
        is_last = number == len(steps) - 1
        found = place.get(key)
        if is_last:
            merged = str(value) if isinstance(value, _Id) else deepcopy(value)
            if isinstance(merged, dict) and isinstance(found, dict):
                merged = {**found, **merged}
            place[key] = merged
        elif found is None:
            place[key] = _Sparse() if isinstance(value, list) else _outline(value)
            place = place[key]
        elif not isinstance(found, dict):  # selected whole already
            return selection
        else:
            place = found
    return selection


def _step(value: object, step: str, pointer: str) -> tuple[object, str | int]:
    if isinstance(value, Mapping) and step in value:
        return value[step], step
    if isinstance(value, list) and step.isascii() and step.isdecimal():
        index = int(step)
        if str(index) == step and index < len(value):
            return value[index], index
    if isinstance(value, str) and not isinstance(value, _Id) and step == "id":
        return _Id(value), "id"
    raise Malformed("pointer", pointer=pointer[:200])


def _tokens(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise Malformed("pointer", pointer=pointer[:200])
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _outline(value: object) -> JsonObject:
    """What is always shown of an object: its id, unless blank, and its types."""
    if not isinstance(value, Mapping):
        return {}
    shown: JsonObject = {}
    identifier = value.get("id")
    if isinstance(identifier, str) and not identifier.startswith("_:"):
        shown["id"] = identifier
    if "type" in value:
        shown["type"] = deepcopy(value["type"])
    return shown


def _dense(value: object) -> object:
    if isinstance(value, _Sparse):
        return [_dense(value[index]) for index in sorted(value)]
    if isinstance(value, dict):
        return {name: _dense(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_dense(member) for member in value]
    return value
