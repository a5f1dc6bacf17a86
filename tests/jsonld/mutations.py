"""Documents out of shape: what both ways of reading one must say the same of.

An Outcome is what comes of a document: its canonical N-Quads, or what is wrong with it.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

from kpass_vc.errors import KpassError
from kpass_vc.jsonld import canonicalize, to_quads
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import walk
from kpass_vc.jsonld.rdfc import canonical_nquads
from kpass_vc.jsonld.terms import Coercion, State, Term, Unusual
from tests.sample import Json, at, places

Place = tuple[str | int, ...]
Outcome = tuple[object, ...]

VALUES: Final[Sequence[Any]] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53,
    -(2**53) + 1,
    10**22,
    1.0,
    8.05,
    "",
    "x",
    'Ä \u0007\\"\u2028',
    "id",
    "type",
    "name",
    "Criteria",
    "Achievement",
    "OpenBadgeCredential",
    "https://a.example/1",
    "https://a.example/ 1",
    "https://www.w3.org/2018/credentials#VerifiableCredential",
    "urn:x",
    "did:web:a.example",
    "ext:MicroCredentialStack",
    "cred:x",
    "sec:x",
    "xsd:string",
    "schema:name",
    "_:b0",
    "_:c14n0",
    "#fragment",
    "../up",
    "@id",
    "@type",
    "@none",
    "@json",
    "@vocab",
    [],
    {},
    [[]],
    [["x"]],
    ["x", "x"],
    [1, True],
    [0, False],
    [1, "1"],
    ["x", None],
    [{}],
    {"id": "https://a.example/1"},
    {"id": "_:b1"},
    {"id": "relative"},
    {"id": 5},
    {"id": None},
    {"id": "https://a.example/1", "type": "Achievement"},
    {"type": "Criteria"},
    {"type": ["Achievement", "Achievement"]},
    {"type": ["Achievement", "Profile"], "name": "x"},
    {"type": []},
    {"type": None},
    {"type": "Achievement", "name": "x", "criteria": {"narrative": "x"}},
    {"name": "x"},
    {"narrative": "x"},
    {"@value": "x"},
    {"@value": "x", "@language": "sv"},
    {"@value": "x", "@language": "sv", "@direction": "rtl"},
    {"@value": "x", "@type": "https://a.example/t"},
    {"@value": 1},
    {"@value": True},
    {"@id": "https://a.example/1"},
    {"@id": "https://a.example/1", "id": "https://a.example/1"},
    {"@type": "Achievement"},
    {"@list": ["x", "y"]},
    {"@set": ["x"]},
    {"@graph": [{"id": "urn:g", "name": "x"}]},
    {"@context": "https://www.w3.org/ns/credentials/v2", "name": "x"},
    {"sv": "namn", "en": "name"},
    {"https://a.example/p": ["x", 1, {"id": "urn:y", "https://a.example/q": True}]},
)
"""What a member may be given instead of what it has."""
MEMBERS: Final = (
    "@id",
    "@type",
    "@value",
    "@graph",
    "@list",
    "@included",
    "@nest",
    "@index",
    "@language",
    "@context",
    "@reverse",
    "https://a.example/p",
    "https://schema.org/name",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#first",
    "http://www.w3.org/2001/XMLSchema#string",
    "urn:a:b",
    "did:web:a",
    "schema:name",
    "_:p",
    "undefined",
    "",
)
"""Names that are no terms, or not everywhere."""


def slow(contexts: Contexts) -> Contexts:
    """The same contexts, where PyLD reads every document."""
    return replace(contexts, is_fast=False)


def reading(document: Mapping[str, object], contexts: Contexts) -> Outcome:
    """The canonical N-Quads of a document, or what is wrong with it."""
    try:
        return (canonicalize(document, contexts),)
    except KpassError as error:
        return type(error).__name__, error.rule, tuple(sorted(map(repr, error.data.items())))
    except UnicodeEncodeError as error:
        return type(error).__name__, error.reason


def outcome(document: Mapping[str, object], contexts: Contexts) -> Outcome:
    """The same, if its quads say the same."""
    found = reading(document, contexts)
    if len(found) == 1 and canonical_nquads(to_quads(document, contexts)) != found[0]:
        return "two canonical forms", *found
    return found


@dataclass
class Comparison:
    """How many documents were read both ways, and how many of them by the walk."""

    contexts: Contexts
    read: int = 0
    walked: int = 0
    accepted: int = 0

    def same(self, document: Json) -> bool:
        """Whether both ways say the same of a document."""
        before = deepcopy(document)
        fast = outcome(document, self.contexts)
        self.read += 1
        self.walked += walk(document, self.contexts) is not None
        self.accepted += len(fast) == 1
        return fast == reading(before, slow(self.contexts)) and before == document


class Mutator:
    """Changes documents, the same way each time."""

    def __init__(self, seed: int, contexts: Contexts, others: Sequence[Json]) -> None:
        self.random = random.Random(seed)
        self.urls = sorted(contexts.documents)
        self.terms = sorted(set(_terms(list(contexts.documents.values()))))
        self.parts = [at(other, place) for other in others for place in places(other)]

    def change(self, document: Json) -> Json:
        """A changed copy; one to three changes."""
        made = deepcopy(document)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            found = self.random.choice(places(made))
            if not found or found[0] == "@context":
                self._context(made)
            else:
                self._part(made, found)
        return made

    def _context(self, made: Json) -> None:
        given = made.get("@context")
        urls = list(given) if isinstance(given, list) else [given]
        match self.random.randrange(9):
            case 0:
                made["@context"] = urls[::-1]
            case 1:
                made["@context"] = urls + urls[:1]
            case 2:
                made["@context"] = self.random.choice(self.urls)
            case 3:
                made["@context"] = [*urls, self.random.choice(self.urls)]
            case 4:
                made["@context"] = [self.random.choice(self.urls), *urls]
            case 5:
                made["@context"] = self.random.sample(self.urls, self.random.randint(1, 4))
            case 6:
                made["@context"] = [*urls, {"x": "https://a.example/x"}]
            case 7:
                made["@context"] = urls[0] if urls else None
            case _:
                made[self.random.choice(self.terms)] = self._value()

    def _part(self, made: Json, place: Place) -> None:
        parent, last = at(made, place[:-1]), place[-1]
        value = parent[last]
        match self.random.randrange(9):
            case 0:
                del parent[last]
            case 1:
                parent[last] = [value]
            case 2:
                parent[last] = [value, deepcopy(value)]
            case 3:
                parent[last] = [value, self._value()]
            case 4:
                other = self.random.choice(places(made)[1:] or [place])
                parent[last] = deepcopy(at(made, other))
            case 5 if isinstance(parent, dict):
                parent[self._name()] = parent.pop(last)
            case 6 if isinstance(parent, dict):
                parent[self._name()] = self._value()
            case 7 if isinstance(value, dict):
                value[self._name()] = self._value()
            case _:
                parent[last] = self._value()

    def _name(self) -> str:
        if self.random.random() < 0.2:
            return self.random.choice(MEMBERS)
        if self.random.random() < 0.3:
            return self.random.choice(("id", "type"))
        return self.random.choice(self.terms)

    def _value(self) -> Any:
        if self.random.random() < 0.2:
            return deepcopy(self.random.choice(self.parts))
        if self.random.random() < 0.1:
            return self.random.choice(self.terms)
        return deepcopy(self.random.choice(VALUES))


def sub_documents(document: Json) -> Iterator[Json]:
    """A document, and each object in it as a document of its own in the same contexts."""
    context = document.get("@context")
    for place in places(document):
        part = at(document, place)
        if isinstance(part, dict) and (not place or place[0] != "@context"):
            yield {"@context": context} | part


def _terms(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if not name.startswith("@"):
                yield name
            yield from _terms(part)
    elif isinstance(value, list):
        for part in value:
            yield from _terms(part)


class Grower:
    """Grows documents out of what the contexts define at each place, the same ones each time."""

    def __init__(self, seed: int, contexts: Contexts) -> None:
        self.random = random.Random(seed)
        self.contexts = contexts
        names = sorted(contexts.documents)
        lists = [[one] for one in names] + [[one, other] for one in names for other in names]
        self.readable = [urls for urls in lists if _is_readable(urls, contexts)]
        self.urls: list[str] = []
        self.grown = 0
        self.ids = [f"https://a.example/{number}" for number in range(4)] + ["urn:uuid:1"]

    def document(self) -> Json:
        """A document in contexts that the walk can read."""
        if self.grown % 300 == 0:
            self.urls = self.random.choice(self.readable)
        self.grown += 1
        urls = self.urls
        chain = self.contexts.chains.chain({"@context": urls})
        return {"@context": urls} | self._node(chain.top, 0)

    def _node(self, state: State, depth: int) -> Json:
        """A node of the types and members that are there in a state, now and then of others."""
        made: Json = {}
        inner = state
        if self.random.random() < 0.7:
            count = self.random.choice((1, 1, 1, 1, 2, 2, 3))
            known = sorted(state.scoped if self.random.random() < 0.7 else _mappings(state))
            types = self.random.choices(known or ["https://a.example/T"], k=count)
            made["type"] = types if count > 1 or self.random.random() < 0.5 else types[0]
            with suppress(Unusual):
                inner = state.under(tuple(types))
        if self.random.random() < 0.4:
            made["id"] = self.random.choice(self.ids)
        known = sorted(_mappings(inner))
        scoped = [name for name in known if name not in _mappings(state)]
        for _ in range(self.random.randint(1, 4)):
            name = self.random.choice(scoped if scoped and self.random.random() < 0.6 else known)
            if self.random.random() < 0.02:
                name = self.random.choice(MEMBERS)
            if name in {"id", "type"} and self.random.random() < 0.98:
                continue
            made[name] = self._value(inner, name, depth)
        return made

    def _value(self, state: State, name: str, depth: int) -> Any:
        chance = self.random.random()
        if chance < 0.03:
            return deepcopy(self.random.choice(VALUES))
        if chance < 0.2:
            return [self._value(state, name, depth) for _ in range(self.random.randint(1, 3))]
        try:
            term = state.term(name)
        except Unusual:
            return self.random.choice(self.ids)
        if depth < 4 and term.inner is not None and chance < 0.6:
            return self._node(term.inner, depth + 1)
        return self._simple(term, chance)

    def _simple(self, term: Term, chance: float) -> Any:
        """A value that is no node, as the member wants it or not."""
        if term.coercion is Coercion.VOCABULARY:
            return self.random.choice(sorted(term.meanings) + self.ids)
        if term.coercion is Coercion.IRI or chance < 0.65:
            return self.random.choice([*self.ids, {"id": self.random.choice(self.ids)}])
        return self.random.choice(("x", "y", '\u0007\\"\u2028\U0001f600', True, False, 0, 1, 7))


def _mappings(state: State) -> Mapping[str, Any]:
    found: Mapping[str, Any] = state._context["mappings"]
    return found


def _is_readable(urls: list[str], contexts: Contexts) -> bool:
    try:
        contexts.chains.chain({"@context": urls})
    except Unusual:
        return False
    return True
