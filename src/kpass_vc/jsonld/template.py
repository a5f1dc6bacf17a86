"""The canonical quads of one kind of document, with slots: what changes from one to the next is put in.

A definition's credentials differ in a few texts: the learner, the dates, the status entry. The
quads of all the rest are the same each time, and so is their order, but for the labels of blank
nodes. So a document is walked once with marks in its slots, and what is left to do for each of
the others is to escape a dozen texts, to hash the blank nodes that have to do with a slot, and
to put blocks of lines in order.

It is exact where the set of quads does not depend on the texts, and where no two blank nodes look
alike (then RDFC-1.0, section 4.4.3, ends with its step 3). What could be otherwise raises Unusual:
an IRI that stands elsewhere in the document as well, or that could be a compact one; two blank
nodes with one hash. Then the document itself is to be read.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import canonicalize, escaped, walk
from kpass_vc.jsonld.rdfc import Tree
from kpass_vc.jsonld.terms import IRI, Unusual
from kpass_vc.model.slots import Place, filled, mark, marked

_MOST_LAYOUTS: Final = 64
"""Orders of the blank nodes that are kept: two that differ among six that do not have fifty-six."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What changes of a node's name or of one of its objects."""

    slot: int
    is_iri: bool
    suffix: str = ""
    """What follows a literal: its datatype."""


@dataclass(frozen=True, slots=True)
class _Node:
    """What is said of one subject."""

    name: str
    """As it stands in the marked document."""
    name_slot: int | None
    fixed: tuple[str, ...]
    """Predicate and object of what is always the same, as they end a line."""
    encoded: tuple[bytes, ...]
    own: bytes
    """Of a blank node without slots: its own lines, as its hash sees them."""
    slots: tuple[tuple[str, _Part], ...]
    """Predicates, and the objects that have a slot."""
    below: tuple[tuple[str, str], ...]
    """Predicates, and the blank nodes that are their objects."""
    parent: tuple[str, int | None, str] | None
    """Of a blank node: the subject, the slot if it is one, and the predicate that it is the object of."""

    @property
    def is_blank(self) -> bool:
        return self.name[0] == "_"


class Template:
    """The canonical N-Quads of a document, with slots."""

    def __init__(
        self, document: Mapping[str, object], places: Sequence[Place], contexts: Contexts
    ) -> None:
        """Unusual if a text at one of the places could change which quads there are, or is no whole object."""
        try:
            tree = walk(marked(document, places), contexts)
        except ValueError as error:
            raise Unusual from error
        if tree is None:
            raise Unusual
        self._names = contexts.chains.chain(document).names
        nodes = list(_nodes(tree, len(places)))
        self._iri_slots, self._known = _slots(tree, nodes, len(places))
        self._same = [node for node in nodes if not node.slots and node.name_slot is None]
        """The nodes whose lines are the same each time, but for the labels of blank nodes."""
        self._differing = [node for node in nodes if node not in self._same]
        self._blank_nodes = sum(node.is_blank for node in nodes)
        self._hashed: dict[bytes, str] = {}
        """The blank nodes that have to do with no slot, by their first-degree hashes."""
        self._rehashed: list[_Node] = []
        """The other blank nodes."""
        for node in nodes:
            if not node.is_blank:
                continue
            if node.slots or (node.parent and node.parent[1] is not None):
                self._rehashed.append(node)
            else:
                self._hashed[_first_degree(node, (), ())] = node.name
        self._layouts: dict[tuple[str, ...], _Layout] = {}

    def fill(self, values: Sequence[str]) -> bytes:
        """The canonical N-Quads with these texts in the slots, in UTF-8.

        Unusual if the document itself is to be read. UTF-8 keeps the order of code points, so that lines are
        sorted as bytes: what is always the same is encoded once.
        """
        literals = [f'"{escaped(value)}"' for value in values]
        iris = [f"<{value}>" for value in values]
        self._require_plain(values, iris)
        layout = self._layout(literals, iris)
        blocks = layout.blocks.copy()
        for node in self._differing:
            tails: list[bytes] = []
            for predicate, part in node.slots:
                value = iris[part.slot] if part.is_iri else literals[part.slot] + part.suffix
                tails.append(f"{predicate} {value} .\n".encode())
            for predicate, below in node.below:
                tails.append(f"{predicate} {layout.labels[below]} .\n".encode())
            tails += node.encoded
            tails.sort()
            slot = node.name_slot
            blocks.append(
                _block(iris[slot] if slot is not None else layout.named(node.name), tails)
            )
        # no subject is the beginning of another one but a label, which a space then ends
        blocks.sort()
        return b"".join([text for _, text in blocks])

    def _layout(self, literals: Sequence[str], iris: Sequence[str]) -> "_Layout":
        """The labels of the blank nodes, and the lines that are the same for all documents with these labels."""
        by_hash = self._hashed.copy()
        for node in self._rehashed:
            by_hash[_first_degree(node, literals, iris)] = node.name
        if len(by_hash) != self._blank_nodes:
            raise Unusual
        order = tuple([by_hash[digest] for digest in sorted(by_hash)])
        kept = self._layouts.get(order)
        if kept is None:
            if len(self._layouts) >= _MOST_LAYOUTS:
                self._layouts.clear()
            kept = self._layouts[order] = _Layout.of(order, self._same)
        return kept

    def _require_plain(self, values: Sequence[str], iris: Sequence[str]) -> None:
        """Unusual for an IRI that is none, that may be a compact one, or that stands elsewhere as well."""
        seen: set[str] = set()
        for slot in self._iri_slots:
            value, iri = values[slot], iris[slot]
            scheme, _, rest = value.partition(":")
            if not IRI.match(value) or (scheme in self._names and not rest.startswith("//")):
                raise Unusual
            if iri in self._known or iri in seen:
                raise Unusual
            seen.add(iri)


@dataclass(frozen=True)
class _Layout:
    """One order of the blank nodes."""

    labels: Mapping[str, str]
    blocks: list[tuple[bytes, bytes]]
    """The lines of each node without a slot, with what they are sorted by; in order."""

    @classmethod
    def of(cls, order: Sequence[str], nodes: Sequence[_Node]) -> "_Layout":
        """The layout of the nodes without a slot, for an order of the blank nodes."""
        made = cls({name: f"_:c14n{place}" for place, name in enumerate(order)}, [])
        for node in nodes:
            tails = [*node.encoded]
            for predicate, name in node.below:
                tails.append(f"{predicate} {made.labels[name]} .\n".encode())
            tails.sort()
            made.blocks.append(_block(made.named(node.name), tails))
        made.blocks.sort()
        return made

    def named(self, name: str) -> str:
        """A node's name, the label of a blank one."""
        return self.labels.get(name, name)


def checked_template(
    document: Mapping[str, object],
    places: Sequence[Place],
    contexts: Contexts,
    examples: Sequence[Sequence[str]],
) -> Template:
    """A template that gives for each example what reading the document gives; Unusual if it does not."""
    made = Template(document, places, contexts)
    for values in examples:
        by_template = made.fill(values)
        if by_template != canonicalize(filled(document, places, values), contexts).encode():
            raise Unusual
    return made


def _nodes(tree: Tree, count: int) -> Iterator[_Node]:
    """The nodes of a marked document."""
    slot_of = {f"<{mark(number)}>": number for number in range(count)}
    for name, pairs in tree.nodes.items():
        slots: list[tuple[str, _Part]] = []
        below: list[tuple[str, str]] = []
        fixed: list[str] = []
        for predicate, value in dict.fromkeys(pairs):
            if value[0] == "_":
                below.append((predicate, value))
            elif (part := _part(value, slot_of)) is not None:
                slots.append((predicate, part))
            else:
                fixed.append(f"{predicate} {value} .\n")
        parent = None
        if name in tree.parents:
            subject, predicate = tree.parents[name]
            parent = (subject, slot_of.get(subject), predicate)
        seen = sorted([*fixed, *(f"{predicate} _:z .\n" for predicate, _ in below)])
        yield _Node(
            name=name,
            name_slot=slot_of.get(name),
            fixed=tuple(fixed),
            encoded=tuple(line.encode() for line in fixed),
            own="".join(f"_:a {line}" for line in seen).encode(),
            slots=tuple(slots),
            below=tuple(below),
            parent=parent,
        )


def _part(value: str, slot_of: Mapping[str, int]) -> _Part | None:
    """What has a slot of an object; None if it has none."""
    if value in slot_of:
        return _Part(slot_of[value], is_iri=True)
    if value[0] != '"':
        return None
    text, _, suffix = value[1:].rpartition('"')
    slot = slot_of.get(f"<{text}>")
    return None if slot is None else _Part(slot, is_iri=False, suffix=suffix)


def _slots(
    tree: Tree, nodes: Sequence[_Node], count: int
) -> tuple[tuple[int, ...], frozenset[str]]:
    """The slots that are IRIs, and all other IRIs; Unusual if the set of quads could depend on the texts."""
    used: list[int] = []
    iri_slots: set[int] = set()
    for node in nodes:
        if node.name_slot is not None:
            used.append(node.name_slot)
            iri_slots.add(node.name_slot)
        used += [part.slot for _, part in node.slots]
        iri_slots |= {part.slot for _, part in node.slots if part.is_iri}
        literals = [predicate for predicate, part in node.slots if not part.is_iri]
        fixed = {line.partition(' "')[0] for line in node.fixed}
        # beside another literal of the same predicate the same text would be one quad and not two; IRIs all differ
        if len(set(literals)) != len(literals) or fixed & set(literals):
            raise Unusual
    if set(used) != set(range(count)):
        raise Unusual
    marks = {f"<{mark(number)}>" for number in range(count)}
    known = {name for name in tree.nodes if name[0] == "<"}
    for pairs in tree.nodes.values():
        known |= {part for pair in pairs for part in pair if part[0] == "<"}
    return tuple(sorted(iri_slots)), frozenset(known - marks)


def _first_degree(node: _Node, literals: Sequence[str], iris: Sequence[str]) -> bytes:
    """Hash First Degree Quads (RDFC-1.0 section 4.6) of a blank node.

    In order, the line of a named parent comes before its own lines, and that of a blank one after them.
    """
    text = node.own
    if node.slots:
        tails = [*node.encoded]
        for predicate, part in node.slots:
            value = iris[part.slot] if part.is_iri else literals[part.slot] + part.suffix
            tails.append(f"{predicate} {value} .\n".encode())
        tails += [f"{predicate} _:z .\n".encode() for predicate, _ in node.below]
        tails.sort()
        text = b"_:a " + b"_:a ".join(tails)
    if node.parent is not None:
        subject, slot, predicate = node.parent
        if slot is None and subject[0] == "_":
            text += f"_:z {predicate} _:a .\n".encode()
        else:
            name = subject if slot is None else iris[slot]
            text = f"{name} {predicate} _:a .\n".encode() + text
    return hashlib.sha256(text).digest()


def _block(name: str, tails: Sequence[bytes]) -> tuple[bytes, bytes]:
    head = f"{name} ".encode()
    return head, head + head.join(tails)
