"""From a document to its quads by walking the term tables of its contexts.

The walk knows what credentials are made of: nodes, texts, integers, booleans, IRIs, lists.
Anything else takes PyLD's way (`expansion`), and so does whatever is wrong with a document:
the walk refuses nothing by itself, so that both ways give the same quads and the same errors.
"""

import re
from collections.abc import Mapping
from typing import Final

from kpass_vc.jsonld import expansion
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.rdfc import ESCAPES, Quad, Tree, canonical_nquads, canonical_tree, tail
from kpass_vc.jsonld.terms import Chain, Coercion, State, Term, Unusual

_TYPE: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_FIRST: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>"
_REST: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest>"
_NIL: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"
_LARGEST: Final = 2**53
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_CONTROLS: Final = {code: ESCAPES[code] for code in (*range(0x20), 0x7F)}


def to_quads(document: Mapping[str, object], contexts: Contexts) -> tuple[Quad, ...]:
    """The quads of a document; DataLoss names the first part that would be dropped.

    UnknownContext for a context that is not pinned.
    """
    tree = walk(document, contexts)
    return expansion.to_quads(document, contexts) if tree is None else tree.quads()


def canonicalize(
    document: Mapping[str, object], contexts: Contexts, *, algorithm: str = "sha256"
) -> str:
    """The canonical N-Quads (RDFC-1.0 with SHA-256, or `algorithm`) of a JSON-LD document.

    DataLoss if a part would be dropped, UnknownContext for a context that is not
    pinned, TooComplex for a graph made to be hard.
    """
    tree = walk(document, contexts)
    if tree is None:
        return canonical_nquads(expansion.to_quads(document, contexts), algorithm=algorithm)
    found = canonical_tree(tree, algorithm)
    return canonical_nquads(tree.quads(), algorithm=algorithm) if found is None else found


def walk(document: Mapping[str, object], contexts: Contexts) -> Tree | None:
    """The triples of a document; None if the walk cannot read it."""
    if not contexts.is_fast:
        return None
    try:
        chain = contexts.chains.chain(document)
        body = {name: value for name, value in document.items() if name != "@context"}
        found = _Walk(chain)
        found.node(body, chain.top)
    except (Unusual, RecursionError):
        return None
    tree = found.tree
    return tree if tree.links or any(tree.tails.values()) else None


class _Walk:
    """One walk through a document."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.tree = Tree({}, {}, {})
        self.blank_nodes = 0

    def fresh(self) -> str:
        """A new blank node."""
        self.blank_nodes += 1
        return f"_:b{self.blank_nodes}"

    def node(self, element: dict[str, object], state: State) -> str:
        """Take in a node and what stands in it; its name."""
        subject = self.subject(element)
        tails = self.tree.tails.setdefault(subject, [])
        inner = self.typed(tails, element, state)
        terms = inner.terms
        for member, value in element.items():
            term = terms.get(member) or inner.term(member)
            if term.is_text and type(value) is str:
                plain = value.isprintable() and '"' not in value and "\\" not in value
                tails.append(f"{term.start}{value if plain else escaped(value)}{term.end}")
            elif term.keyword:
                if value is None:
                    raise Unusual
            elif type(value) is list or term.is_list:
                self.several(subject, tails, value, term)
            else:
                self.append(subject, tails, term.predicate, self.value(value, term))
        return subject

    def append(self, subject: str, tails: list[str], predicate: str, value: str) -> None:
        """Take in one triple."""
        if value[0] == "_":
            self.tree.links.setdefault(subject, []).append((predicate, value))
            self.tree.parents[value] = (subject, predicate)
        else:
            tails.append(f"{predicate} {value} .\n")

    def subject(self, element: dict[str, object]) -> str:
        """A node's name: its id, or a new blank node."""
        name = element.get(self.chain.id_name)
        if isinstance(name, str):
            return self.chain.iri(name)
        if name is not None or not element:
            raise Unusual
        return self.fresh()

    def typed(self, tails: list[str], element: dict[str, object], state: State) -> State:
        """Take in the types of a node; the state under them."""
        kinds = element.get(self.chain.type_name)
        if isinstance(kinds, str):
            tails.append(tail(_TYPE, state.kind(kinds)))
            return state.under(kinds)
        if isinstance(kinds, list) and kinds:
            for kind in kinds:
                if not isinstance(kind, str):
                    raise Unusual
                tails.append(tail(_TYPE, state.kind(kind)))
            return state.under(tuple(kinds))
        if kinds is not None:
            raise Unusual
        return state

    def several(self, subject: str, tails: list[str], value: object, term: Term) -> None:
        """Take in the values of a member, in a list that keeps their order if the member is one."""
        if not isinstance(value, list) or not value:
            raise Unusual
        if not term.is_list:
            for entry in value:
                self.append(subject, tails, term.predicate, self.value(entry, term))
            return
        place = self.fresh()
        self.append(subject, tails, term.predicate, place)
        for number, entry in enumerate(value, 1):
            following = self.fresh() if number < len(value) else _NIL
            found = self.tree.tails.setdefault(place, [])
            self.append(place, found, _FIRST, self.value(entry, term))
            self.append(place, found, _REST, following)
            place = following

    def value(self, value: object, term: Term) -> str:
        """One value as the object of a triple."""
        if isinstance(value, str):
            return self.text(value, term)
        if isinstance(value, dict):
            if term.inner is None:
                raise Unusual
            if len(value) == 1 and self.chain.id_name in value:
                name = value[self.chain.id_name]
                if not isinstance(name, str):
                    raise Unusual
                return self.chain.iri(name)
            return self.node(value, term.inner)
        if term.coercion is not Coercion.TEXT:
            raise Unusual
        if isinstance(value, bool):
            return f'"{"true" if value else "false"}"{_typed(term.boolean_type)}'
        if isinstance(value, int) and -_LARGEST < value < _LARGEST:
            return f'"{value}"{_typed(term.integer_type)}'
        raise Unusual

    def text(self, value: str, term: Term) -> str:
        """A text as the object of a triple."""
        if term.coercion is Coercion.TEXT:
            return f'"{escaped(value)}"{term.text_type}'
        if term.coercion is Coercion.VOCABULARY and value in self.chain.names:
            found = term.meanings.get(value)
            if found is None:
                raise Unusual
            return found
        return self.chain.iri(value)


def escaped(value: str) -> str:
    """A text between the quotation marks of a literal, as canonical N-Quads spell it (RDFC-1.0 section 5)."""
    if value.isprintable() and '"' not in value and "\\" not in value:
        return value
    value = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value.translate(_CONTROLS) if _CONTROL.search(value) else value


def _typed(datatype: str) -> str:
    return "" if datatype == "http://www.w3.org/2001/XMLSchema#string" else f"^^<{datatype}>"
