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
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import canonicalize, escaped, walk
from kpass_vc.jsonld.rdfc import Tree
from kpass_vc.jsonld.terms import IRI, Unusual
from kpass_vc.model.slots import Place, filled, mark, marked

MOST_KEPT: Final = 512 * 1024
"""Bytes that the lines of all blank nodes may take at all ranks, to be kept; our largest credential has 400 KB."""


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
class _Layout:
    """What ends the lines of a node, in order, whatever comes into the places of what changes."""

    lines: list[bytes]
    gaps: tuple[tuple[int, bytes, int, bytes], ...]
    """The place, what begins the line, the slot, and what ends the line."""
    below: tuple[tuple[int, bytes, str], ...]
    """The place, what begins the line, and the blank node that ends it."""

    @classmethod
    def of(
        cls, fixed: Sequence[bytes], gaps: Sequence[_Gap], below: Sequence[tuple[bytes, str]]
    ) -> "_Layout | None":
        """The layout of a node; None if something changes under a predicate that is there more than once."""
        starts = [*fixed, *(gap.start for gap in gaps), *(start for start, _ in below)]
        used = Counter(map(_predicate, starts))
        if any(used[_predicate(start)] > 1 for start in starts[len(fixed) :]):
            return None
        starts.sort()
        place = {start: number for number, start in enumerate(starts)}
        return cls(
            starts,
            tuple((place[gap.start], gap.start, gap.slot, gap.end) for gap in gaps),
            tuple((place[start], start, name) for start, name in below),
        )


def _predicate(start: bytes) -> bytes:
    return start.partition(b" ")[0]


@dataclass(frozen=True, slots=True)
class _Node:
    """What is said of one subject."""

    name: str
    """As it stands in the marked document."""
    name_slot: int | None
    fixed: tuple[bytes, ...]
    """Predicate and object of what is always the same, as they end a line; in order."""
    gaps: tuple[_Gap, ...]
    below: tuple[tuple[bytes, str], ...]
    """Predicates, and the blank nodes that are their objects."""
    parent: tuple[str, int | None, str] | None
    """Of a blank node: the subject, the slot if it is one, and the predicate that it is the object of."""
    layout: _Layout | None

    @property
    def is_blank(self) -> bool:
        return self.name[0] == "_"

    @property
    def has_slot(self) -> bool:
        return bool(self.gaps) or self.name_slot is not None

    def tails(self, texts: Sequence[bytes], ends: Mapping[str, bytes]) -> list[bytes]:
        """Predicates and objects, as they end a line, in order; `ends` are what blank nodes end one with."""
        if self.layout is not None:
            found = self.layout.lines.copy()
            for place, start, slot, end in self.layout.gaps:
                found[place] = start + texts[slot] + end
            for place, start, name in self.layout.below:
                found[place] = start + ends[name]
            return found
        found = [gap.start + texts[gap.slot] + gap.end for gap in self.gaps]
        found += self.fixed
        found += [predicate + ends[name] for predicate, name in self.below]
        found.sort()
        return found


class _Hashed:
    """How a blank node is hashed (Hash First Degree Quads, RDFC-1.0 section 4.6).

    In order, the line of a named parent comes before its own lines, and that of a blank one after them.
    """

    def __init__(self, node: _Node) -> None:
        self._node = node
        self._seen = {name: b"_:z .\n" for _, name in node.below}
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
        self._own = b"" if node.gaps else self._lines(())
        self.depends_on_slot = bool(node.gaps) or self._slot is not None

    def digest(self, texts: Sequence[bytes]) -> bytes:
        """The hash of the node, with these texts in the slots."""
        lines = self._own or self._lines(texts)
        if self._slot is None:
            return hashlib.sha256(self._before + lines + self._after).digest()
        return hashlib.sha256(b"<" + texts[self._slot] + self._before + lines).digest()

    def _lines(self, texts: Sequence[bytes]) -> bytes:
        return b"_:a " + b"_:a ".join(self._node.tails(texts, self._seen))


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
        self._numbers = {node.name: number for number, node in enumerate(blank)}
        hashed = [(number, _Hashed(node)) for number, node in enumerate(blank)]
        self._rehashed = [each for each in hashed if each[1].depends_on_slot]
        """The blank nodes that have to do with a slot, by number."""
        self._digests = [(each.digest(()), n) for n, each in hashed if not each.depends_on_slot]
        """The first-degree hashes of the others."""
        count = len(blank)
        self._ends = [f"_:c14n{rank} .\n".encode() for rank in range(count)]
        """What a label ends a line with, by its rank."""
        order = sorted(range(count), key=str)
        self._places = [order.index(rank) for rank in range(count)]
        """Where the label of a rank stands among the labels in order: as text, ten comes before two."""
        size = sum(len(line) for node in blank for line in node.fixed)
        most = count if count * size <= MOST_KEPT else 0
        self._leaves = [_Leaf(number, node, most) for number, node in enumerate(blank)]
        self._sorted_in(nodes)

    def _sorted_in(self, nodes: Sequence[_Node]) -> None:
        """Sort out the named nodes: by whether they have a slot in their name, and what of them changes."""
        standing = [
            (f"{node.name} ".encode(), node)
            for node in nodes
            if not node.is_blank and node.name_slot is None
        ]
        standing.sort(key=lambda each: each[0])
        self._heads = [head for head, _ in standing]
        """What the named nodes without a slot in their name begin their lines with; in order."""
        self._texts: list[bytes] = [
            b"" if node.has_slot or node.below else _block(head, node.fixed)
            for head, node in standing
        ]
        """Their lines, where these are always the same."""
        self._leading = [
            (number, _Segments.of(head, node, self._numbers))
            for number, (head, node) in enumerate(standing)
            if node.below and not node.has_slot
        ]
        self._gapped = [
            (number, head, node) for number, (head, node) in enumerate(standing) if node.has_slot
        ]
        self._named_by_slot = [
            (node.name_slot, node) for node in nodes if node.name_slot is not None
        ]

    def fill(self, values: Sequence[str], plain: Sequence[bytes] | None = None) -> bytes:
        """The canonical N-Quads with these texts in the slots, in UTF-8.

        `plain` are the texts in UTF-8 if nothing in them is to be escaped (`model.slots.plain_texts`).
        Unusual if the document itself is to be read. UTF-8 keeps the order of code points, so that lines are
        sorted as bytes: what is always the same is encoded once.
        """
        self._require_plain(values)
        texts = plain or [escaped(value).encode() for value in values]
        ranks = self._ranks(texts)
        ends = {name: self._ends[ranks[number]] for name, number in self._numbers.items()}
        blocks = self._texts.copy()
        for number, segments in self._leading:
            blocks[number] = segments.written(ranks, self._ends, self._places)
        for number, head, node in self._gapped:
            blocks[number] = _block(head, node.tails(texts, ends))
        own = sorted(
            [
                (b"<" + texts[slot] + b"> ", node.tails(texts, ends))
                for slot, node in self._named_by_slot
            ],
            reverse=True,
        )
        for head, tails in own:  # the last first, so that the places of the others stay
            blocks.insert(bisect_left(self._heads, head), _block(head, tails))
        labelled = [b""] * len(ranks)
        for leaf in self._leaves:
            rank = ranks[leaf.number]
            labelled[self._places[rank]] = leaf.written(rank, texts, ends)
        # named nodes come before blank ones, and no subject is the beginning of another but for a space
        return b"".join(blocks + labelled)

    def _ranks(self, texts: Sequence[bytes]) -> list[int]:
        """The rank of each blank node by its first-degree hash; Unusual if two of them look alike."""
        digests = [(each.digest(texts), number) for number, each in self._rehashed]
        digests += self._digests
        digests.sort()
        ranks = [0] * len(digests)
        last = b""
        for rank, (digest, number) in enumerate(digests):
            if digest == last:
                raise Unusual
            ranks[number] = rank
            last = digest
        return ranks

    def _require_plain(self, values: Sequence[str]) -> None:
        """Unusual for an IRI that is none, that may be a compact one, or that stands elsewhere as well."""
        iris = [values[slot] for slot in self._iri_slots]
        for value in iris:
            scheme, _, rest = value.partition(":")
            if (scheme in self._names and not rest.startswith("//")) or not IRI.match(value):
                raise Unusual
        if len({*iris}) < len(iris) or not self._known.isdisjoint(iris):
            raise Unusual


class _Leaf:
    """A blank node: its lines by its rank, kept if there is neither a slot in them nor another blank node."""

    def __init__(self, number: int, node: _Node, most: int) -> None:
        """`most` are the ranks that its lines are kept for."""
        self.number = number
        self._node = node
        self._is_kept = bool(most) and not node.gaps and not node.below
        self._kept: list[bytes | None] = [None] * (most if self._is_kept else 0)

    def written(self, rank: int, texts: Sequence[bytes], ends: Mapping[str, bytes]) -> bytes:
        """The lines of the node."""
        kept = self._kept[rank] if self._is_kept else None
        if kept is not None:
            return kept
        made = _block(f"_:c14n{rank} ".encode(), self._node.tails(texts, ends))
        if self._is_kept:
            self._kept[rank] = made
        return made


@dataclass(frozen=True)
class _Segments:
    """The lines of a named node that leads to blank nodes, in order, with gaps for their labels.

    Of one predicate the blank nodes come last, since `_` comes after `<` and the quotation mark.
    """

    pieces: tuple[tuple[bytes, bytes, tuple[int, ...]], ...]
    """The lines before a gap, how the lines in the gap begin, and the numbers of the blank nodes that end them."""
    rest: bytes

    @classmethod
    def of(cls, head: bytes, node: _Node, numbers: Mapping[str, int]) -> "_Segments":
        """The segments of a node."""
        below: dict[bytes, list[int]] = {}
        for predicate, name in node.below:
            below.setdefault(predicate, []).append(numbers[name])
        left = list(node.fixed)
        pieces: list[tuple[bytes, bytes, tuple[int, ...]]] = []
        for start in sorted(below):
            before = [tail for tail in left if tail < start + b"_"]
            left = left[len(before) :]
            lines = b"".join(head + tail for tail in before)
            pieces.append((lines, head + start, tuple(below[start])))
        return cls(tuple(pieces), b"".join(head + tail for tail in left))

    def written(self, ranks: Sequence[int], ends: Sequence[bytes], places: Sequence[int]) -> bytes:
        """The lines for these ranks of the blank nodes."""
        parts: list[bytes] = []
        for before, start, numbers in self.pieces:
            parts.append(before)
            if len(numbers) == 1:
                parts += (start, ends[ranks[numbers[0]]])
                continue
            for rank in sorted([ranks[number] for number in numbers], key=places.__getitem__):
                parts += (start, ends[rank])
        parts.append(self.rest)
        return b"".join(parts)


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
        fixed.sort()
        yield _Node(
            name=name,
            name_slot=slot_of.get(name),
            fixed=tuple(fixed),
            gaps=tuple(gaps),
            below=tuple(below),
            parent=parent,
            layout=_Layout.of(fixed, gaps, below),
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
