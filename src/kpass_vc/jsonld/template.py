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

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from typing import Any, Final, TypeAlias

from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import canonicalize, escaped, walk
from kpass_vc.jsonld.rdfc import Tree
from kpass_vc.jsonld.terms import IRI, Unusual
from kpass_vc.model.slots import Place, filled, mark, marked

MOST_KEPT: Final = 512 * 1024
"""Bytes that what a template remembers may take; that of our largest credential takes 420 KB."""
MOST_ARRANGED: Final = 256
"""Orders of nodes that are kept; of our credentials, where two blank nodes have to do with a slot, all there are."""

_ORDER: Final = 1000
_ENTRY: Final = 8
"""Bytes of an order by itself and of an entry of a list, about."""

_LARGE: Final = MOST_KEPT // 16
"""What one order may take: of a template whose orders take more, too few could be kept to be of use."""

Order: TypeAlias = tuple[int, ...]
"""Of each node that has to do with a slot: its place among those that have not, and its number among its own.

In pairs, put in order by what they are sorted by: first the blank nodes, then the named ones.
"""


@dataclass(frozen=True, slots=True)
class _Gap:
    """An object with a slot: what a line holds before and after the text that is put in."""

    start: bytes
    """The predicate, and how the object begins."""
    slot: int
    end: bytes
    """How the object ends, and the line."""
    is_iri: bool


@dataclass(frozen=True, slots=True)
class _Node:
    """What is said of one subject."""

    name: str
    """As it stands in the marked document."""
    name_slot: int | None
    fixed: tuple[bytes, ...]
    """Predicate and object of what is always the same, as they end a line."""
    gaps: tuple[_Gap, ...]
    below: tuple[tuple[bytes, str], ...]
    """Predicates, and the blank nodes that are their objects."""
    parent: tuple[str, int | None, str] | None
    """Of a blank node: the subject, the slot if it is one, and the predicate that it is the object of."""

    @property
    def is_blank(self) -> bool:
        return self.name[0] == "_"

    def in_order(self) -> list[tuple[bytes, _Gap | str | None]]:
        """Its lines by how they end or, if there is a gap or a blank node in it, begin to; and the gap or the node.

        Of one predicate the blank nodes come last, since `_` comes after `<` and the quotation mark.
        """
        found: list[tuple[bytes, _Gap | str | None]] = [
            *((end, None) for end in self.fixed),
            *((gap.start, gap) for gap in self.gaps),
            *self.below,
        ]
        return sorted(found, key=lambda each: each[0] + b"_" * isinstance(each[1], str))


_Below: TypeAlias = tuple[tuple[int, bytes, tuple[int, ...]], ...]
"""Of each predicate the first place of its blank nodes, what their lines begin with, and their numbers."""


def _labelled(parts: list[bytes], below: _Below, ends: Sequence[bytes]) -> list[bytes]:
    """The parts with the lines that lead to blank nodes; `ends` are what these end one with, by their numbers."""
    found = parts.copy()
    for place, start, numbers in below:
        lines = [start + ends[number] for number in numbers]
        found[place : place + len(numbers)] = sorted(lines) if len(lines) > 1 else lines
    return found


@dataclass(frozen=True, slots=True)
class _Runs:
    """The lines of a node without slots: those that never change run together, with places for the others."""

    parts: list[bytes]
    below: _Below

    @classmethod
    def of(cls, head: bytes, node: _Node, numbers: Mapping[str, int]) -> "_Runs":
        """The runs of a node; `head` is what its lines begin with."""
        parts: list[bytes] = []
        below: list[tuple[int, bytes, tuple[int, ...]]] = []
        for start, run in groupby(node.in_order(), key=_start_of_label):
            if start:
                names = tuple(numbers[name] for _, name in run if isinstance(name, str))
                below.append((len(parts), head + start, names))
                parts += [b""] * len(names)
            else:
                parts.append(_block(head, [end for end, _ in run]))
        return cls(parts, tuple(below))

    def labelled(self, ends: Sequence[bytes]) -> list[bytes]:
        """All lines; `ends` are what blank nodes end one with, by their numbers."""
        return _labelled(self.parts, self.below, ends)


def _start_of_label(line: tuple[bytes, _Gap | str | None]) -> bytes:
    """What a line that leads to a blank node begins to end with; empty for any other."""
    return line[0] if isinstance(line[1], str) else b""


@dataclass(frozen=True, slots=True)
class _Lines:
    """What ends the lines of a node."""

    ends: list[bytes]
    below: _Below
    gaps: tuple[tuple[int, bytes, int, bytes], ...]
    """The place, what begins the line, the slot, and what ends the line."""
    is_in_order: bool
    """Whether they are in order whatever the texts are: each gap is alone under its predicate."""

    @classmethod
    def of(cls, node: _Node, numbers: Mapping[str, int]) -> "_Lines":
        """The lines of a node."""
        found = node.in_order()
        used = Counter(_predicate(start) for start, _ in found)
        below: dict[bytes, tuple[int, list[int]]] = {}
        for place, (start, name) in enumerate(found):
            if isinstance(name, str):
                below.setdefault(start, (place, []))[1].append(numbers[name])
        return cls(
            [end for end, _ in found],
            tuple((place, start, tuple(each)) for start, (place, each) in below.items()),
            tuple(
                (place, gap.start, gap.slot, gap.end)
                for place, (_, gap) in enumerate(found)
                if isinstance(gap, _Gap)
            ),
            all(used[_predicate(gap.start)] == 1 for gap in node.gaps),
        )

    def labelled(self, ends: Sequence[bytes]) -> "_Lines":
        """The same with blank nodes; `ends` are what these end a line with, by their numbers."""
        if not self.below:
            return self
        found = _labelled(self.ends, self.below, ends)
        return _Lines(found, (), self.gaps, self.is_in_order)

    def filled(self, texts: Sequence[bytes]) -> list[bytes]:
        """The same with these texts, in order."""
        found = self.ends.copy()
        for place, start, slot, end in self.gaps:
            found[place] = start + texts[slot] + end
        if not self.is_in_order:
            found.sort()
        return found


def _predicate(end: bytes) -> bytes:
    return end.partition(b" ")[0]


class _Hashed:
    """How a blank node is hashed (Hash First Degree Quads, RDFC-1.0 section 4.6).

    In order, the line of a named parent comes before its own lines, and that of a blank one after them.
    """

    def __init__(self, node: _Node, lines: _Lines) -> None:
        """`lines` are its own, with what a blank node ends one with for this."""
        self._lines = lines
        self._before = self._after = b""
        self._slot: int | None = None
        if node.parent is not None:
            subject, self._slot, predicate = node.parent
            line = f" {predicate} _:a .\n".encode()
            if self._slot is not None:
                self._before = b">" + line
            elif subject[0] == "_":
                self._after = b"_:z" + line
            else:
                self._before = subject.encode() + line
        self._own = b"" if node.gaps else self._written(())
        self.depends_on_slot = bool(node.gaps) or self._slot is not None

    def digest(self, texts: Sequence[bytes]) -> bytes:
        """The hash of the node, with these texts in the slots."""
        lines = self._own or self._written(texts)
        if self._slot is None:
            return sha256(self._before + lines + self._after).digest()
        return sha256(b"<" + texts[self._slot] + self._before + lines).digest()

    def _written(self, texts: Sequence[bytes]) -> bytes:
        return _block(b"_:a ", self._lines.filled(texts))


@dataclass(frozen=True)
class _Arranged:
    """The canonical N-Quads for one order of the nodes, with gaps."""

    parts: list[bytes]
    blocks: tuple[tuple[int, bytes, int | None, _Lines], ...]
    """What is put into the parts, in order: the place, what each line begins with or the slot of it, and the lines."""

    def filled(self, texts: Sequence[bytes]) -> list[bytes]:
        """All parts, with these texts."""
        found = self.parts.copy()
        for place, head, slot, lines in self.blocks:
            begins = head if slot is None else b"<" + texts[slot] + b"> "
            found[place] = begins + begins.join(lines.filled(texts))
        return found

    def digest(self, texts: Sequence[bytes]) -> bytes:
        """The SHA-256 of the whole with these texts."""
        first, begun = self._begun
        hashed = begun.copy()
        hashed.update(b"".join(self.filled(texts)[first:]))
        found: bytes = hashed.digest()
        return found

    @cached_property
    def _begun(self) -> tuple[int, Any]:
        """The first part that changes, and the hash of those before it, which goes on from there."""
        first = self.blocks[0][0] if self.blocks else len(self.parts)
        return first, sha256(b"".join(self.parts[:first]))


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
        blank = [node for node in nodes if node.is_blank]
        count = len(blank)
        numbers = {node.name: number for number, node in enumerate(blank)}
        self._blank = [_Lines.of(node, numbers) for node in blank]
        hidden = [b"_:z .\n"] * count
        hashed = [
            (number, _Hashed(node, lines.labelled(hidden)))
            for number, (node, lines) in enumerate(zip(blank, self._blank, strict=True))
        ]
        self._rehashed = [each for each in hashed if each[1].depends_on_slot]
        """The blank nodes that have to do with a slot, by number."""
        others = sorted((each.digest(()), n) for n, each in hashed if not each.depends_on_slot)
        self._digests = [digest for digest, _ in others]
        """The first-degree hashes of the others, in order."""
        self._numbers = [number for _, number in others]
        if len({*self._digests}) < len(others):
            raise Unusual
        standing = [node for node in nodes if not node.is_blank and node.name_slot is None]
        standing.sort(key=lambda node: node.name)
        self._heads = [f"{node.name} ".encode() for node in standing]
        """What the named nodes without a slot in their name begin their lines with; in order."""
        self._standing = [
            _Lines.of(node, numbers) if node.gaps else _Runs.of(head, node, numbers)
            for head, node in zip(self._heads, standing, strict=True)
        ]
        self._named_by_slot = [
            (node.name_slot, _Lines.of(node, numbers))
            for node in nodes
            if node.name_slot is not None
        ]
        self._labels = [f"_:c14n{rank} ".encode() for rank in range(count)]
        """What a blank node begins its lines with, by its rank."""
        self._ends = [label + b".\n" for label in self._labels]
        """What it ends one with."""
        self._by_text = sorted(range(count), key=str)
        """The ranks in the order of their labels: as text, ten comes before two."""
        self._room = MOST_KEPT
        self._arranged: dict[Order, _Arranged] = {}
        self._leaves: dict[tuple[int, int], bytes] = {}
        self._shared: dict[bytes, bytes] = {}
        """The pieces of what is remembered: most are the same in many orders."""

    def fill(self, values: Sequence[str], plain: Sequence[bytes] | None = None) -> bytes:
        """The canonical N-Quads with these texts in the slots, in UTF-8.

        `plain` are the texts in UTF-8 if nothing in them is to be escaped (`model.slots.plain_texts`).
        Unusual if the document itself is to be read. UTF-8 keeps the order of code points, so that lines are
        sorted as bytes: what is always the same is encoded once.
        """
        texts = self._texts(values, plain)
        return b"".join(self._arranged_for(texts).filled(texts))

    def digest(self, values: Sequence[str], plain: Sequence[bytes] | None = None) -> bytes:
        """The SHA-256 of what `fill` gives."""
        texts = self._texts(values, plain)
        return self._arranged_for(texts).digest(texts)

    def _texts(self, values: Sequence[str], plain: Sequence[bytes] | None) -> Sequence[bytes]:
        """The texts as they are put in; Unusual for an IRI that is none, may be compact, or stands elsewhere too."""
        iris = [values[slot] for slot in self._iri_slots]
        for value in iris:
            scheme, _, rest = value.partition(":")
            if (scheme in self._names and not rest.startswith("//")) or not IRI.match(value):
                raise Unusual
        if len({*iris}) < len(iris) or not self._known.isdisjoint(iris):
            raise Unusual
        return plain or [escaped(value).encode() for value in values]

    def _arranged_for(self, texts: Sequence[bytes]) -> _Arranged:
        order = self._order(texts)
        found = self._arranged.get(order)
        if found is None:
            found = self._arrange(order)
            if len(self._arranged) < MOST_ARRANGED:
                self._remember(order, found)
        return found

    def _remember(self, order: Order, found: _Arranged) -> None:
        """Keep an order if there is room for what it does not share with others; if not, no other is kept either."""
        ends = [end for *_, lines in found.blocks for end in lines.ends]
        new = {*found.parts, *ends} - self._shared.keys()
        size = _ORDER + _ENTRY * (len(found.parts) + len(ends)) + sum(map(_size, new))
        if size > min(self._room, _LARGE):
            self._room = 0
            return
        self._room -= size
        self._shared |= {piece: piece for piece in new}
        shared = self._shared.__getitem__
        blocks = [
            (place, head, slot, replace(lines, ends=[*map(shared, lines.ends)]))
            for place, head, slot, lines in found.blocks
        ]
        self._arranged[order] = _Arranged([*map(shared, found.parts)], tuple(blocks))

    def _order(self, texts: Sequence[bytes]) -> Order:
        """How these texts put the nodes in order; Unusual if two blank nodes look alike."""
        found: list[int] = []
        last = b""
        for digest, number in sorted([(each.digest(texts), n) for n, each in self._rehashed]):
            place = bisect_left(self._digests, digest)
            if digest == last or self._digests[place : place + 1] == [digest]:
                raise Unusual
            found += (place, number)
            last = digest
        own = [(b"<" + texts[slot] + b"> ", n) for n, (slot, _) in enumerate(self._named_by_slot)]
        own.sort()
        for head, number in own:
            found += (bisect_left(self._heads, head), number)
        return tuple(found)

    def _arrange(self, order: Order) -> _Arranged:
        """The lines in an order: named nodes come before blank ones, and these in the order of their labels."""
        moved = list(zip(order[::2], order[1::2], strict=True))
        # the last first, so that the places of the others stay
        ranked = self._numbers.copy()
        for place, number in reversed(moved[: len(self._rehashed)]):
            ranked.insert(place, number)
        ends = [b""] * len(ranked)
        for rank, number in enumerate(ranked):
            ends[number] = self._ends[rank]
        named: list[tuple[bytes, int | None, _Runs | _Lines]] = [
            (head, None, each) for head, each in zip(self._heads, self._standing, strict=True)
        ]
        for place, number in reversed(moved[len(self._rehashed) :]):
            named.insert(place, (b"", *self._named_by_slot[number]))
        parts: list[bytes] = []
        blocks: list[tuple[int, bytes, int | None, _Lines]] = []
        for head, slot, each in named:
            if isinstance(each, _Runs):
                parts += each.labelled(ends)
            elif each.ends:
                blocks.append((len(parts), head, slot, each.labelled(ends)))
                parts.append(b"")
        for rank in self._by_text:
            lines = self._blank[ranked[rank]]
            if lines.gaps:
                blocks.append((len(parts), self._labels[rank], None, lines.labelled(ends)))
                parts.append(b"")
            else:
                parts.append(self._leaf(ranked[rank], rank, ends))
        return _Arranged(parts, tuple(blocks))

    def _leaf(self, number: int, rank: int, ends: Sequence[bytes]) -> bytes:
        """The lines of a blank node without gaps; those that lead to no other blank node are kept for each rank."""
        key, lines = (number, rank), self._blank[number]
        found = self._leaves.get(key)
        if found is None:
            found = _block(self._labels[rank], lines.labelled(ends).ends)
            if not lines.below and _size(found) < self._room:
                self._room -= _size(found)
                self._leaves[key] = self._shared[found] = found
        return found


def _size(piece: bytes) -> int:
    """The bytes that a piece takes where it is kept, about."""
    return len(piece) + 150


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
    for name, pairs in tree.nodes().items():
        gaps: list[_Gap] = []
        below: list[tuple[bytes, str]] = []
        fixed: list[bytes] = []
        for predicate, value in dict.fromkeys(pairs):
            if value[0] == "_":
                below.append((f"{predicate} ".encode(), value))
            elif (gap := _gap(predicate, value, slot_of)) is not None:
                gaps.append(gap)
            else:
                fixed.append(f"{predicate} {value} .\n".encode())
        parent = None
        if name in tree.parents:
            subject, predicate = tree.parents[name]
            parent = (subject, slot_of.get(subject), predicate)
        yield _Node(
            name=name,
            name_slot=slot_of.get(name),
            fixed=tuple(fixed),
            gaps=tuple(gaps),
            below=tuple(below),
            parent=parent,
        )


def _gap(predicate: str, value: str, slot_of: Mapping[str, int]) -> _Gap | None:
    """An object with a slot; None if it has none."""
    if value in slot_of:
        return _Gap(f"{predicate} <".encode(), slot_of[value], b"> .\n", is_iri=True)
    if value[0] != '"':
        return None
    text, _, suffix = value[1:].rpartition('"')
    slot = slot_of.get(f"<{text}>")
    if slot is None:
        return None
    return _Gap(f'{predicate} "'.encode(), slot, f'"{suffix} .\n'.encode(), is_iri=False)


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
        used += [gap.slot for gap in node.gaps]
        iri_slots |= {gap.slot for gap in node.gaps if gap.is_iri}
        literals = [gap.start for gap in node.gaps if not gap.is_iri]
        fixed = tuple(set(literals))
        # beside another literal of the same predicate the same text would be one quad and not two; IRIs all differ
        if len(fixed) != len(literals) or any(tail.startswith(fixed) for tail in node.fixed):
            raise Unusual
    if set(used) != set(range(count)):
        raise Unusual
    said = tree.nodes()
    known = {name for name in said if name[0] == "<"}
    for pairs in said.values():
        known |= {part for pair in pairs for part in pair if part[0] == "<"}
    marks = {mark(number) for number in range(count)}
    return tuple(sorted(iri_slots)), frozenset(name[1:-1] for name in known) - marks


def _block(head: bytes, tails: Sequence[bytes]) -> bytes:
    """The lines of a node; none if nothing is said of it."""
    return head + head.join(tails) if tails else b""
