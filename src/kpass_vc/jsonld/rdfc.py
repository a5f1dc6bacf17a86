"""RDF Dataset Canonicalization, RDFC-1.0 (W3C Recommendation of 2024-05-21).

Own code because PyLD's escaping is that of the older URDNA2015 and neither it
nor pyoxigraph has a limit: 600 bytes can keep them busy for minutes. Here the
work is counted, and a graph made to be hard is refused (section 7.1, dataset
poisoning).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import eq
from typing import Final, NamedTuple

from kpass_vc.errors import TooComplex

_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"
_LANG_STRING: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
DEFAULT_BUDGET: Final = 20_000
"""Steps of Hash N-Degree Quads: calls and permutations. The hardest test of the W3C suite takes 3,348."""


MAX_DEPTH: Final = 100
"""How deep Hash N-Degree Quads may follow a chain of blank nodes that look alike."""


class Quad(NamedTuple):
    """One quad, each part in its N-Quads spelling; `graph` is empty for the default graph."""

    subject: str
    predicate: str
    object: str
    graph: str = ""

    def line(self) -> str:
        """The quad as a line of canonical N-Quads."""
        graph = f" {self.graph}" if self.graph else ""
        return f"{self.subject} {self.predicate} {self.object}{graph} .\n"


# Canonical N-Quads escapes (RDFC-1.0 section 5): these eight and the other C0 characters and DEL
ESCAPES: Final = {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)} | {
    0x08: "\\b",
    0x09: "\\t",
    0x0A: "\\n",
    0x0C: "\\f",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}


def literal(value: str, datatype: str, language: str | None = None) -> str:
    """A literal in its canonical N-Quads spelling."""
    text = f'"{value.translate(ESCAPES)}"'
    if language and datatype == _LANG_STRING:
        return f"{text}@{language}"
    return text if datatype == _STRING else f"{text}^^<{datatype}>"


def canonical_nquads(
    quads: Iterable[Quad], *, algorithm: str = "sha256", budget: int = DEFAULT_BUDGET
) -> str:
    """The canonical form of a dataset; TooComplex past `budget` steps."""
    return canonicalize_dataset(quads, algorithm=algorithm, budget=budget)[0]


def canonicalize_dataset(
    quads: Iterable[Quad], *, algorithm: str = "sha256", budget: int = DEFAULT_BUDGET
) -> tuple[str, Mapping[str, str]]:
    """The canonical N-Quads, and the issued identifiers map: blank node -> canonical identifier."""
    state = _State(tuple(dict.fromkeys(quads)), algorithm, budget)
    labels = state.canonical_labels()
    relabelled = {_relabel(quad, labels).line() for quad in state.quads}
    return "".join(sorted(relabelled)), labels


def _relabel(quad: Quad, labels: Mapping[str, str]) -> Quad:
    return Quad(
        labels.get(quad.subject, quad.subject),
        quad.predicate,
        labels.get(quad.object, quad.object),
        labels.get(quad.graph, quad.graph),
    )


@dataclass(frozen=True)
class Tree:
    """The triples of a document without named graphs, each part in its N-Quads spelling."""

    tails: dict[str, list[str]]
    """Predicate and object of each node as they end a line, perhaps the same more than once; no blank nodes."""
    links: dict[str, list[tuple[str, str]]]
    """The predicates under which a node leads to blank nodes, and these; only of nodes that do."""
    parents: dict[str, tuple[str, str]]
    """Where each blank node stands: the one subject and predicate that it is the object of. The top has none."""

    def nodes(self) -> dict[str, list[tuple[str, str]]]:
        """Predicate and object of each node, perhaps the same more than once."""
        return {
            name: [*map(_pair, found), *self.links.get(name, ())]
            for name, found in self.tails.items()
        }

    def quads(self) -> tuple[Quad, ...]:
        """The triples as quads, each once."""
        return tuple(
            Quad(subject, predicate, value)
            for subject, pairs in self.nodes().items()
            for predicate, value in dict.fromkeys(pairs)
        )


def tail(predicate: str, value: str) -> str:
    """What ends the line of a triple."""
    return f"{predicate} {value} .\n"


def _pair(ending: str) -> tuple[str, str]:
    """The predicate and the object of a `tail`; there is no space in an IRI."""
    predicate, _, rest = ending.partition(" ")
    return predicate, rest[:-3]


def canonical_tree(tree: Tree, algorithm: str) -> str | None:
    """The canonical form of a tree, if all its blank nodes differ in their first-degree hashes; else None.

    Where no two hashes are the same, section 4.4.3 ends with its step 3.
    """
    links = tree.links
    # the endings of each node that leads to no blank node: they are hashed and written
    tails = {name: sorted(found) for name, found in tree.tails.items() if name not in links}
    labels: dict[str, str] = {}
    blank = [name for name in tree.tails if name[0] == "_"]
    if len(blank) == 1:
        labels = {blank[0]: "_:c14n0"}  # whatever its hash is
    elif blank:
        new_digest = getattr(hashlib, algorithm)
        by_hash: dict[bytes, str] = {}
        for name in blank:
            seen = tails[name] if name in tails else _tails(tree, name, None)
            by_hash[new_digest(_first_degree(tree, name, seen).encode()).digest()] = name
        if len(by_hash) != len(blank):
            return None
        labels = {by_hash[key]: f"_:c14n{place}" for place, key in enumerate(sorted(by_hash))}
    blocks: list[tuple[str, list[str]]] = []
    for name in tree.tails:
        found = tails[name] if name in tails else _tails(tree, name, labels)
        if any(map(eq, found, islice(found, 1, None))):
            if name in labels:
                return None  # its hash is that of a node of which nothing is said twice
            found = sorted(set(found))
        blocks.append((f"{labels.get(name, name)} ", found))
    # no subject is the beginning of another one but a label, which a space then ends: the blocks are in order
    blocks.sort()
    return "".join([head + head.join(found) for head, found in blocks if found])


def _tails(tree: Tree, name: str, labels: Mapping[str, str] | None) -> list[str]:
    """What ends the lines of a node, in order; blank nodes by their labels, or as a hash sees them."""
    found = tree.tails[name].copy()
    for predicate, value in tree.links[name]:
        found.append(tail(predicate, "_:z" if labels is None else labels[value]))
    found.sort()
    return found


def _first_degree(tree: Tree, name: str, tails: Sequence[str]) -> str:
    """What Hash First Degree Quads hashes of a blank node (section 4.6).

    In order, the line of a named parent comes before its own lines, and that of a blank one after them.
    """
    own = "_:a " + "_:a ".join(tails)
    if name not in tree.parents:
        return own
    subject, predicate = tree.parents[name]
    if subject[0] == "_":
        return f"{own}_:z {predicate} _:a .\n"
    return f"{subject} {predicate} _:a .\n{own}"


class _Issuer:
    """An identifier issuer (section 4.5)."""

    def __init__(self, prefix: str, issued: Mapping[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued: dict[str, str] = dict(issued or {})

    def issue(self, node: str) -> str:
        if node not in self.issued:
            self.issued[node] = f"{self.prefix}{len(self.issued)}"
        return self.issued[node]

    def copy(self) -> "_Issuer":
        return _Issuer(self.prefix, self.issued)


@dataclass
class _State:
    """The canonicalization state (section 4.2)."""

    quads: tuple[Quad, ...]
    algorithm: str
    budget: int
    mentions: dict[str, list[Quad]] = field(default_factory=lambda: defaultdict(list))
    first_degree: dict[str, str] = field(default_factory=dict)
    canonical: _Issuer = field(default_factory=lambda: _Issuer("_:c14n"))

    def __post_init__(self) -> None:
        for quad in self.quads:
            for node in dict.fromkeys(_blank_nodes(quad)):
                self.mentions[node].append(quad)

    def canonical_labels(self) -> Mapping[str, str]:
        """Section 4.4.3, steps 3 to 5."""
        by_hash: dict[str, list[str]] = defaultdict(list)
        for node in self.mentions:
            by_hash[self.hash_first_degree(node)].append(node)
        shared: list[str] = []
        for digest in sorted(by_hash):
            if len(by_hash[digest]) == 1:
                self.canonical.issue(by_hash[digest][0])
            else:
                shared.append(digest)
        for digest in shared:
            results: list[tuple[str, _Issuer]] = []
            for node in by_hash[digest]:
                if node in self.canonical.issued:
                    continue
                temporary = _Issuer("_:b")
                temporary.issue(node)
                results.append(self.hash_n_degree(node, temporary, 0))
            for _, issuer in sorted(results, key=lambda result: result[0]):
                for node in issuer.issued:
                    self.canonical.issue(node)
        return self.canonical.issued

    def digest(self, text: str) -> str:
        return hashlib.new(self.algorithm, text.encode("utf-8")).hexdigest()

    def spend(self) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise TooComplex

    def hash_first_degree(self, node: str) -> str:
        """Hash First Degree Quads (section 4.6)."""
        if node not in self.first_degree:
            lines = sorted(_seen_from(quad, node).line() for quad in self.mentions[node])
            self.first_degree[node] = self.digest("".join(lines))
        return self.first_degree[node]

    def hash_related(self, related: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """Hash Related Blank Node (section 4.7)."""
        text = position
        if position != "g":
            text += quad.predicate
        if related in self.canonical.issued:
            text += self.canonical.issued[related]
        elif related in issuer.issued:
            text += issuer.issued[related]
        else:
            text += self.hash_first_degree(related)
        return self.digest(text)

    def hash_n_degree(self, node: str, issuer: _Issuer, depth: int) -> tuple[str, _Issuer]:
        """Hash N-Degree Quads (section 4.8)."""
        self.spend()
        if depth > MAX_DEPTH:
            raise TooComplex
        related_by_hash: dict[str, list[str]] = defaultdict(list)
        for quad in self.mentions[node]:
            for position, related in (("s", quad.subject), ("o", quad.object), ("g", quad.graph)):
                if related.startswith("_:") and related != node:
                    related_by_hash[self.hash_related(related, quad, issuer, position)].append(
                        related
                    )
        data = ""
        for related_hash in sorted(related_by_hash):
            data += related_hash
            chosen_path = ""
            chosen_issuer: _Issuer | None = None
            for permutation in _orders(related_by_hash[related_hash]):
                self.spend()
                walked = self._walk(permutation, issuer.copy(), chosen_path, depth)
                if walked is not None and (not chosen_path or walked[0] < chosen_path):
                    chosen_path, chosen_issuer = walked
            data += chosen_path
            issuer = chosen_issuer or issuer
        return self.digest(data), issuer

    def _walk(
        self, permutation: Sequence[str], issuer: _Issuer, chosen: str, depth: int
    ) -> tuple[str, _Issuer] | None:
        """Section 4.8 step 5.4: the path of one permutation, or None where it cannot win."""
        path = ""
        recursion: list[str] = []
        for related in permutation:
            if related in self.canonical.issued:
                path += self.canonical.issued[related]
            else:
                if related not in issuer.issued:
                    recursion.append(related)
                path += issuer.issue(related)
            if _cannot_win(path, chosen):
                return None
        for related in recursion:
            digest, deeper = self.hash_n_degree(related, issuer, depth + 1)
            path += issuer.issue(related) + f"<{digest}>"
            issuer = deeper
            if _cannot_win(path, chosen):
                return None
        return path, issuer


def _orders(nodes: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The different orders of nodes, one after the other.

    A node is there once for every quad that it shares, such as all quads of its graph: that many
    times over, the factorial of it would be walked in vain.
    """
    named = list(dict.fromkeys(nodes))
    numbers = {node: number for number, node in enumerate(named)}
    order = sorted(numbers[node] for node in nodes)
    while True:
        yield tuple(named[number] for number in order)
        place = len(order) - 2
        while place >= 0 and order[place] >= order[place + 1]:
            place -= 1
        if place < 0:
            return
        larger = len(order) - 1
        while order[larger] <= order[place]:
            larger -= 1
        order[place], order[larger] = order[larger], order[place]
        order[place + 1 :] = reversed(order[place + 1 :])


def _cannot_win(path: str, chosen: str) -> bool:
    return bool(chosen) and len(path) >= len(chosen) and path > chosen


def _blank_nodes(quad: Quad) -> Iterator[str]:
    return (part for part in (quad.subject, quad.object, quad.graph) if part.startswith("_:"))


def _seen_from(quad: Quad, node: str) -> Quad:
    def name(part: str) -> str:
        if not part.startswith("_:"):
            return part
        return "_:a" if part == node else "_:z"

    return Quad(name(quad.subject), quad.predicate, name(quad.object), name(quad.graph))
