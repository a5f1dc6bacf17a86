"""A chain of contexts compiled into term tables, so that a document is read without reading its contexts again.

PyLD does the context processing, once for each place that a chain can lead to: at the top of a
document, within a member that has a context of its own, and under types that bring one. What comes
of it is a State: what each member and type means there. States are told apart by what they say
and not by the way that led to them, so that there are few of them however a document is nested.

What is out of the ordinary raises Unusual, which decides nothing: PyLD's own path does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import blake2b
from threading import Lock
from typing import Any, Final

from pyld import jsonld as pyld
from pyld.context_resolver import ContextResolver

IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20\x7f<>\"{}|^`\\]*\Z")
"""An absolute IRI without the characters that are escaped in N-Quads, nor any white space, which PyLD drops."""
ONE_AT_A_TIME: Final = Lock()
"""PyLD keeps the contexts it has read where threads tear them: a sound document would be refused now and then."""
_MOST_CONTEXTS: Final = 10
_MOST_STATES: Final = 200
"""States of one chain: a few dozen in honest documents. Past that it is compiled anew."""
_MOST_CHAINS: Final = 32
_MOST_IRIS: Final = 8192
_LONGEST_KEPT: Final = 300
_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"
_DOUBLE: Final = "http://www.w3.org/2001/XMLSchema#double"
_BOOLEAN: Final = "http://www.w3.org/2001/XMLSchema#boolean"
_INTEGER: Final = "http://www.w3.org/2001/XMLSchema#integer"


class Unusual(Exception):
    """A document or context that the straight walk does not know how to read."""


class Coercion(Enum):
    """What a member's text stands for."""

    TEXT = auto()
    IRI = auto()
    VOCABULARY = auto()


@dataclass(frozen=True, slots=True)
class Term:
    """What a member means in a state."""

    keyword: str
    """`@id` or `@type`; empty for a property."""
    predicate: str = ""
    coercion: Coercion = Coercion.TEXT
    text_type: str = ""
    """What follows a text's closing quotation mark in N-Quads: `^^<datatype>`, or nothing."""
    boolean_type: str = ""
    integer_type: str = ""
    is_list: bool = False
    is_text: bool = False
    """Whether a text in it is a literal as it stands."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Of a member whose texts are terms: the IRI of each."""
    inner: "State | None" = None
    """The state of the nodes that stand in it, before their types are looked at."""
    start: str = field(init=False)
    """What comes before a text in the line of a triple, but for the subject."""
    end: str = field(init=False)
    """What comes after it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", f'{self.predicate} "')
        object.__setattr__(self, "end", f'"{self.text_type} .\n')


class State:
    """What members and types mean at a place in a document."""

    def __init__(self, chain: "Chain", context: Mapping[str, Any]) -> None:
        self._chain, self._context = chain, context
        self._within: State | None = None
        mappings = context["mappings"]
        self.terms: dict[str, Term] = {}
        """What was looked up already, by member."""
        self.typed: dict[str | tuple[str, ...], State] = {}
        """The states under types, as far as they were looked up."""
        self.kinds: dict[str, str] = {}
        """The IRIs of types that are terms, as far as they were looked up."""
        self.scoped = frozenset(name for name, meaning in mappings.items() if _scope(meaning))
        """The terms that bring a context of their own as a type."""

    def term(self, member: str) -> Term:
        """What a member means; Unusual if the walk cannot read it."""
        found = self.terms.get(member)
        if found is not None:
            return found
        if member not in self._context["mappings"]:
            return self._spelled_out(member)
        with ONE_AT_A_TIME:
            found = self.terms.get(member) or self._compile(member)
        self.terms[member] = found
        return found

    def kind(self, name: str) -> str:
        """The IRI of a type, in angle brackets; Unusual if it is none."""
        found = self.kinds.get(name)
        if found is not None:
            return found
        if name not in self._context["mappings"]:
            return self._chain.iri(name)
        self.kinds[name] = found = _meaning(self._context["mappings"][name])
        return found

    def under(self, types: str | tuple[str, ...]) -> "State":
        """The state of a node of these types; the same if none of them brings a context."""
        found = self.typed.get(types)
        if found is not None:
            return found
        names = (types,) if isinstance(types, str) else types
        chosen = tuple(sorted(name for name in names if name in self.scoped))
        if not chosen:
            return self
        if len(set(names)) != len(names):
            raise Unusual
        found = self.typed.get(chosen)
        if found is None:
            with ONE_AT_A_TIME:
                context = self._context
                for name in chosen:
                    scoped = self._context["mappings"][name]["@context"]
                    context = self._chain.process(context, scoped, propagate=False)
                found = self._chain.state(context)
                if len(self.typed) >= _MOST_STATES:
                    self.typed.clear()
                self.typed[chosen] = found
        if len(chosen) == 1:
            self.typed[chosen[0]] = found
        return found

    def _spelled_out(self, member: str) -> Term:
        """A member that is an IRI and no term."""
        _, _, rest = member.partition(":")
        if not rest.startswith("//") or not IRI.match(member):
            raise Unusual
        if self._within is None:
            with ONE_AT_A_TIME:
                self._within = self._chain.state(_reverted(self._context))
        return Term(
            keyword="",
            predicate=f"<{member}>",
            is_text=True,
            boolean_type=_BOOLEAN,
            integer_type=_INTEGER,
            inner=self._within,
        )

    def _compile(self, member: str) -> Term:
        meaning = self._context["mappings"][member]
        if meaning is None or meaning["reverse"]:
            raise Unusual
        iri = meaning["@id"]
        if iri in {"@id", "@type"}:
            return Term(iri)
        if not IRI.match(iri):
            raise Unusual
        within, scope = self._context, _scope(meaning)
        if scope:
            within = self._chain.process(within, scope, override_protected=True)
        inside = within["mappings"].get(member)
        containers = _listed(meaning.get("@container"))
        if inside is None or inside["reverse"] or containers != _listed(inside.get("@container")):
            raise Unusual
        if not set(containers) <= {"@set", "@list"} or _of_language(within) or _of_language(inside):
            raise Unusual
        inner = _reverted(within)
        if _scope(inside):
            inner = self._chain.process(inner, inside["@context"], override_protected=True)
        coercion, datatype = _coercion(inside.get("@type"))
        return Term(
            keyword="",
            predicate=f"<{iri}>",
            coercion=coercion,
            text_type=f"^^<{datatype}>" if datatype and datatype != _STRING else "",
            boolean_type=datatype or _BOOLEAN,
            integer_type=datatype or _INTEGER,
            is_list="@list" in containers,
            is_text=coercion is Coercion.TEXT and "@list" not in containers,
            meanings=_meanings(within) if coercion is Coercion.VOCABULARY else {},
            inner=self._chain.state(inner),
        )


class Chain:
    """The contexts of a document, in order, and every state that was met in documents with them."""

    def __init__(
        self, urls: tuple[str, ...], documents: Mapping[str, Mapping[str, object]]
    ) -> None:
        """Unusual if the walk cannot read documents with them, or if they are none that can be read at all."""
        if not urls:
            raise Unusual

        def loader(url: str, _options: object) -> dict[str, Any]:
            if url not in documents:
                raise Unusual
            return {
                "contentType": "application/ld+json",
                "contextUrl": None,
                "documentUrl": url,
                "document": documents[url],
                "tag": "static",
            }

        self._options = {
            "base": None,
            "documentLoader": loader,
            "processingMode": "json-ld-1.1",
            "isFrame": False,
            "keepFreeFloatingNodes": False,
            "contextResolver": ContextResolver({}, loader),
        }
        self._processor = pyld.JsonLdProcessor()
        self._states: dict[bytes, State] = {}
        self._iris: dict[str, str] = {}
        self.is_full = False
        """Whether it takes no more states: documents made to be hard have filled it."""
        self.names: set[str] = set()
        """Every name that a context in the chain gives a meaning anywhere, terms and prefixes."""
        for url in urls:
            self._collect(documents[url].get("@context"))
        initial = self._processor._get_initial_context(self._options)  # noqa: SLF001 - there is no other way in
        with ONE_AT_A_TIME:
            top = self.process(initial, list(urls))
            self.id_name, self.type_name = self._aliases(top)
            self.top = self.state(top)

    def process(
        self,
        context: Mapping[str, Any],
        local: object,
        *,
        override_protected: bool = False,
        propagate: bool = True,
    ) -> Mapping[str, Any]:
        """The context after a local one, as PyLD processes it. Held: ONE_AT_A_TIME."""
        try:
            found: Mapping[str, Any] = self._processor._process_context(  # noqa: SLF001 - the public method takes no flags
                context,
                local,
                self._options,
                override_protected=override_protected,
                propagate=propagate,
            )
        except (pyld.JsonLdError, TypeError, ValueError, AttributeError, KeyError) as error:
            raise Unusual from error
        return found

    def state(self, context: Mapping[str, Any]) -> State:
        """The state of a processed context, one for all that say the same. Held: ONE_AT_A_TIME."""
        if "@vocab" in context or context.get("@base") is not None or _of_language(context):
            raise Unusual
        digest = _digest(context)
        found = self._states.get(digest)
        if found is None:
            if len(self._states) >= _MOST_STATES:
                self.is_full = True
                raise Unusual
            if self._aliases(context) != (self.id_name, self.type_name):
                raise Unusual
            found = self._states[digest] = State(self, context)
        return found

    def iri(self, text: str) -> str:
        """An absolute IRI in angle brackets; Unusual for anything else, and for what might be a compact IRI."""
        found = self._iris.get(text)
        if found is not None:
            return found
        scheme, _, rest = text.partition(":")
        if not IRI.match(text) or (scheme in self.names and not rest.startswith("//")):
            raise Unusual
        if len(self._iris) >= _MOST_IRIS:
            self._iris.clear()
        found = f"<{text}>"
        if len(text) < _LONGEST_KEPT:
            self._iris[text] = found
        return found

    def _aliases(self, context: Mapping[str, Any]) -> tuple[str, str]:
        """The one member that says a node's id, and the one that says its types."""
        found: dict[str, list[str]] = {"@id": [], "@type": []}
        for name, meaning in context["mappings"].items():
            if meaning and meaning["@id"] in found:
                found[meaning["@id"]].append(name)
        if [len(names) for names in found.values()] != [1, 1]:
            raise Unusual
        return found["@id"][0], found["@type"][0]

    def _collect(self, context: object) -> None:
        """Take in every name of a context and of those within it; Unusual for another name of @value."""
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, str):
                raise Unusual
            if not isinstance(part, Mapping):
                continue
            for name, meaning in part.items():
                self.names.add(name)
                inner = meaning if isinstance(meaning, Mapping) else {"@id": meaning}
                if inner.get("@id") == "@value":
                    raise Unusual
                self._collect(inner.get("@context"))


class Chains:
    """The compiled chains of a set of contexts, so many at most."""

    def __init__(self, documents: Mapping[str, Mapping[str, object]]) -> None:
        self.documents = documents
        self._found: dict[tuple[str, ...], Chain | None] = {}

    def chain(self, document: Mapping[str, object]) -> Chain:
        """The chain of a document's contexts; Unusual if there is none that the walk can read."""
        given = document.get("@context")
        urls = tuple(given) if isinstance(given, list) else (given,)
        try:
            found = self._found[urls]
        except (KeyError, TypeError):
            found = self._compile(urls)
        if found is not None and found.is_full:
            found = self._compile(urls)
        if found is None:
            raise Unusual
        return found

    def _compile(self, urls: tuple[object, ...]) -> Chain | None:
        names = tuple(url for url in urls if isinstance(url, str))
        if len(names) != len(urls) or len(names) > _MOST_CONTEXTS:
            raise Unusual
        if not self.documents.keys() >= set(names):
            raise Unusual
        try:
            made = Chain(names, self.documents)
        except Unusual:
            made = None
        if len(self._found) >= _MOST_CHAINS:
            self._found.clear()
        self._found[names] = made
        return made


def _scope(meaning: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - a context, as PyLD keeps it
    """The context that a term brings, if it brings one."""
    return meaning.get("@context") if meaning else None


def _reverted(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The context that nodes within go back to: a type's own reaches no further than its node."""
    found: Mapping[str, Any] = context.get("previousContext", context)
    return found


def _of_language(part: Mapping[str, Any]) -> bool:
    return part.get("@language") is not None or part.get("@direction") is not None


def _listed(value: str | Sequence[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _coercion(kind: str | None) -> tuple[Coercion, str]:
    """What a term's `@type` makes of a text, and the datatype if it gives one."""
    if kind is None:
        return Coercion.TEXT, ""
    if kind == "@id":
        return Coercion.IRI, ""
    if kind == "@vocab":
        return Coercion.VOCABULARY, ""
    if not IRI.match(kind) or kind == _DOUBLE or kind.startswith("https://www.w3.org/ns/i18n#"):
        raise Unusual
    return Coercion.TEXT, kind


def _meaning(meaning: Mapping[str, Any] | None) -> str:
    if not meaning or not IRI.match(meaning["@id"]):
        raise Unusual
    return f"<{meaning['@id']}>"


def _meanings(context: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"<{meaning['@id']}>"
        for name, meaning in context["mappings"].items()
        if meaning and IRI.match(meaning["@id"])
    }


def _digest(context: Mapping[str, Any]) -> bytes:
    """What a processed context says, whichever way it came about."""
    said = {
        name: part for name, part in context.items() if name not in {"_uuid", "previousContext"}
    }
    made = blake2b(repr(_plain(said)).encode("utf-8", "surrogatepass"), digest_size=32)
    if "previousContext" in context:
        made.update(_digest(context["previousContext"]))
    return made.digest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return sorted((name, _plain(part)) for name, part in value.items())
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
