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

from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import canonicalize, escaped, walk
from kpass_vc.jsonld.rdfc import Tree
from kpass_vc.jsonld.terms import IRI, Unusual
from kpass_vc.model.slots import Place, filled, mark, marked


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
        self._always: list[tuple[bytes, bytes]] = []
        """The blocks that are the same each time: what they are sorted by, and their lines."""
        self._labelled: list[tuple[str, dict[str, tuple[bytes, bytes]]]] = []
        """Blank nodes of which only the label changes, and their blocks by it, as far as they were written."""
        self._leading: list[tuple[bytes, _Segments]] = []
        """Named nodes of which only the labels of the blank nodes change that they lead to."""
        self._differing: list[_Node] = []
        """The nodes with a slot, and blank nodes that lead to blank nodes: their lines are written each time."""
        self._rehashed: list[_Node] = []
        """The blank nodes that have to do with a slot."""
        self._hashed: dict[bytes, str] = {}
        """The others, by their first-degree hashes."""
        self._plain = {node.name: node for node in nodes}
        for node in nodes:
            self._sort_in(node)
        self._blank_nodes = len(self._rehashed) + len(self._hashed)
        if self._blank_nodes != sum(node.is_blank for node in nodes):
            raise Unusual

    def _sort_in(self, node: _Node) -> None:
        has_slot = bool(node.slots) or node.name_slot is not None
        if node.is_blank:
            if node.slots or (node.parent is not None and node.parent[1] is not None):
                self._rehashed.append(node)
            else:
                self._hashed[_first_degree(node, (), ())] = node.name
        if has_slot or (node.is_blank and node.below):
            self._differing.append(node)
        elif node.is_blank:
            self._labelled.append((node.name, {}))
        elif node.below:
            self._leading.append((f"{node.name} ".encode(), _Segments.of(node)))
        else:
            self._always.append(_block(node.name, sorted(node.encoded)))

    def fill(self, values: Sequence[str]) -> bytes:
        """The canonical N-Quads with these texts in the slots, in UTF-8.

        Unusual if the document itself is to be read. UTF-8 keeps the order of code points, so that lines are
        sorted as bytes: what is always the same is encoded once.
        """
        literals = [f'"{escaped(value)}"' for value in values]
        iris = [f"<{value}>" for value in values]
        self._require_plain(values, iris)
        labels = self._labels(literals, iris)
        blocks = self._always.copy()
        for head, segments in self._leading:
            blocks.append((head, segments.written(labels)))
        for name, written in self._labelled:
            label = labels[name]
            block = written.get(label)
            if block is None:
                block = written[label] = _block(label, sorted(self._plain[name].encoded))
            blocks.append(block)
        for node in self._differing:
            tails = _tails(node, literals, iris, labels)
            slot = node.name_slot
            name = iris[slot] if slot is not None else labels.get(node.name, node.name)
            blocks.append(_block(name, tails))
        # no subject is the beginning of another one but a label, which a space then ends
        blocks.sort()
        return b"".join([text for _, text in blocks])

    def _labels(self, literals: Sequence[str], iris: Sequence[str]) -> dict[str, str]:
        """The canonical label of each blank node; Unusual if two of them look alike."""
        by_hash = self._hashed.copy()
        for node in self._rehashed:
            by_hash[_first_degree(node, literals, iris)] = node.name
        if len(by_hash) != self._blank_nodes:
            raise Unusual
        return {by_hash[digest]: f"_:c14n{place}" for place, digest in enumerate(sorted(by_hash))}

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
class _Segments:
    """The lines of a named node that leads to blank nodes, in order, with gaps for their labels.

    Of one predicate the blank nodes come last, since `_` comes after `<` and the quotation mark.
    """

    pieces: tuple[tuple[bytes, bytes, tuple[str, ...]], ...]
    """The lines before a gap, how the lines in the gap begin, and the blank nodes that end them."""
    rest: bytes

    @classmethod
    def of(cls, node: _Node) -> "_Segments":
        """The segments of a node."""
        head = f"{node.name} ".encode()
        below: dict[bytes, list[str]] = {}
        for predicate, name in node.below:
            below.setdefault(f"{predicate} ".encode(), []).append(name)
        left = sorted(node.encoded)
        pieces: list[tuple[bytes, bytes, tuple[str, ...]]] = []
        for start in sorted(below):
            before = [tail for tail in left if tail < start + b"_"]
            left = left[len(before) :]
            lines = b"".join(head + tail for tail in before)
            pieces.append((lines, head + start, tuple(below[start])))
        return cls(tuple(pieces), b"".join(head + tail for tail in left))

    def written(self, labels: Mapping[str, str]) -> bytes:
        """The lines for these labels."""
        parts: list[bytes] = []
        for before, start, names in self.pieces:
            parts.append(before)
            for label in sorted([labels[name] for name in names]):
                parts += (start, label.encode(), b" .\n")
        parts.append(self.rest)
        return b"".join(parts)


def _tails(
    node: _Node, literals: Sequence[str], iris: Sequence[str], labels: Mapping[str, str]
) -> list[bytes]:
    """The predicates and objects of a node, as they end a line; in order."""
    tails = [
        f"{predicate} {iris[part.slot] if part.is_iri else literals[part.slot] + part.suffix} .\n".encode()
        for predicate, part in node.slots
    ]
    tails += node.encoded
    tails += [f"{predicate} {labels[below]} .\n".encode() for predicate, below in node.below]
    tails.sort()
    return tails


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
        seen = {below: "_:z" for _, below in node.below}
        text = b"_:a " + b"_:a ".join(_tails(node, literals, iris, seen))
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
