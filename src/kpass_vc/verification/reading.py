"""Two readings, one meaning: what the JSON says where we read it is what was signed there.

A proof over RDF covers a graph, and one graph has many spellings. Who holds a credential could move its end
date to where nobody looks, or give its issuer another name in a second description, and the signature would
hold. So what the checks and the report read is read twice: from the JSON, member by member, and from the very
quads that are hashed, along the IRIs that the pinned contexts give those members. If the two differ, the
credential is refused and the member named.

What is signed as JSON (JOSE, COSE, JCS) needs no second reading: there the JSON is what was signed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from kpass_vc.errors import Malformed
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.jsonld.quads import escaped
from kpass_vc.model.document import JsonObject
from kpass_vc.verification.case import Case, unchecked
from kpass_vc.verification.document import ACCEPTED
from kpass_vc.verification.report import Finding

Table: TypeAlias = Mapping[str, "Table | None"]
"""What is read of a node: its members, and of those that are nodes, theirs. None for a text, number or IRI."""

_ENTITY: Final[Table] = {"id": None, "type": None, "name": None}
_LINK: Final[Table] = {"id": None, "type": None}
_STATUS: Final[Table] = {
    **_LINK,
    **dict.fromkeys(("statusPurpose", "statusListIndex", "statusListCredential", "statusSize")),
}
_ACHIEVEMENT: Final[Table] = {
    **_ENTITY,
    **dict.fromkeys(("description", "achievementType", "humanCode", "version", "inLanguage")),
    "criteria": {"id": None, "narrative": None},
    "creator": _ENTITY,
    "resultDescription": {**_ENTITY, "resultType": None},
    "otherIdentifier": {"type": None, "identifier": None, "identifierType": None},
}
_IDENTITY: Final[Table] = {
    "type": None,
    **dict.fromkeys(("hashed", "identityHash", "identityType", "salt")),
}
CREDENTIAL: Final[Table] = {
    **_ENTITY,
    **dict.fromkeys(("description", "validFrom", "validUntil", "awardedDate")),
    **dict.fromkeys(("issuanceDate", "expirationDate")),
    "issuer": {**_ENTITY, "url": None},
    "credentialStatus": _STATUS,
    "credentialSchema": _LINK,
    "refreshService": _LINK,
    "termsOfUse": _LINK,
    "evidence": {**_ENTITY, "description": None, "narrative": None},
    "relatedResource": {"id": None, "digestSRI": None, "digestMultibase": None, "mediaType": None},
    "credentialSubject": {
        **_LINK,
        "identifier": _IDENTITY,
        "achievement": _ACHIEVEMENT,
        "result": {
            "type": None,
            **dict.fromkeys(("value", "status", "resultDescription", "achievedLevel")),
        },
        **dict.fromkeys(("role", "narrative", "creditsEarned", "endorsementComment")),
    },
}
PROOF: Final[Table] = {
    "id": None,
    "type": None,
    **dict.fromkeys(("cryptosuite", "created", "expires", "verificationMethod", "proofPurpose")),
    **dict.fromkeys(("domain", "challenge", "nonce", "previousProof")),
}
_FEW: Final = 4
_EACH_PART: Final = frozenset({"type", "name", "url"})
_BY_NAME: Final = frozenset({"issuer", "creator", "refreshService"})
"""Members that may be given by their id alone: what else is said of them stands where they are described."""
_TYPE: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_TYPES: Final = frozenset({_TYPE})
_FIRST: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>"
_REST: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest>"
_NIL: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"
_POINTING_UP: Final = ("credentialSubject", "refreshService")
"""The members through which a part may point to the document itself."""


class _Differs(Exception):
    """The two readings differ in a member."""

    def __init__(self, member: str) -> None:
        super().__init__(member)
        self.member = member


def check_reading(case: Case) -> Finding:
    """Whether what the JSON says, where it is read, is what was signed there."""
    signed_as_quads = [proof.options for _, proof in case.proofs if "@context" not in proof.options]
    if case.presented.format != "ldp_vc" or not signed_as_quads:
        return Finding("reading", "passed", "signed_as_json")
    contexts = case.evidence.contexts
    try:
        compare(case.credential, CREDENTIAL, contexts, case.graph)
        for options in signed_as_quads:
            bare = {name: value for name, value in options.items() if name != "proofValue"}
            found = bare | {"@context": case.credential.get("@context", [])}
            compare(found, PROOF, contexts)
    except _Differs as error:
        return Finding("reading", "failed", "differs", {"member": error.member[:200]})
    except Malformed:
        return unchecked("reading")
    return Finding("reading", "passed", "passed")


def compare(
    document: JsonObject, table: Table, contexts: Contexts, graph: Graph | None = None
) -> None:
    """Return if the two readings of a document agree, else raise naming the member that differs."""
    terms = terms_of(contexts)
    signed = Signed((graph or Graph(document, contexts)).nodes(), terms, document)
    root = signed.root()
    said = document.get("id")
    if root is None or (isinstance(said, str) and root != f"<{said}>"):
        raise _Differs("id")
    plan = terms.plan(table)
    if not signed.agrees(document, root, plan):
        signed.compare(document, root, plan, "")


def _described_twice(document: JsonObject) -> frozenset[str]:
    """The nodes of which the JSON says something in more than one place."""
    seen: set[str] = set()
    twice: set[str] = set()
    pending: list[object] = [document]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            name = part.get("id")
            if isinstance(name, str) and len(part) > 1:
                (twice if name in seen else seen).add(name)
            part = list(part.values())
        if isinstance(part, list):
            pending += [value for value in part if not isinstance(value, str)]
    return frozenset(f"<{name}>" for name in twice)


@dataclass(frozen=True)
class _Plan:
    """A table in the terms of the contexts: which of its members a name in the JSON or an IRI in the graph is about."""

    members: "tuple[_Member, ...]"
    by_name: Mapping[str, int]
    by_iri: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class _Member:
    """A member of a table: the IRIs that it may have, and how its values are read if they are nodes."""

    name: str
    iris: frozenset[str]
    inner: _Plan | None


class _Terms:
    """What the pinned contexts mean by each term: every IRI that one of them gives it."""

    def __init__(self, iris: Mapping[str, frozenset[str]]) -> None:
        self.iris = iris
        self.up = frozenset().union(*(self.of(name) for name in _POINTING_UP))
        self.by_id = self._planned({"id": None})
        self._credential, self._proof = self._planned(CREDENTIAL), self._planned(PROOF)

    def of(self, term: str) -> frozenset[str]:
        return self.iris.get(term, frozenset())

    def plan(self, table: Table) -> _Plan:
        """The plan of a table; those of the two that are used are made beforehand."""
        if table is CREDENTIAL:
            return self._credential
        return self._proof if table is PROOF else self._planned(table)

    def _planned(self, table: Table) -> _Plan:
        members = tuple(
            _Member(
                name,
                _TYPES if name == "type" else self.of(name),
                None if inner is None else self._planned(inner),
            )
            for name, inner in table.items()
        )
        by_iri: dict[str, list[int]] = defaultdict(list)
        for at, member in enumerate(members):
            for iri in member.iris:
                by_iri[iri].append(at)
        return _Plan(
            members,
            {member.name: at for at, member in enumerate(members)},
            {iri: tuple(places) for iri, places in by_iri.items()},
        )


_holders: Final[dict[int, tuple[object, _Terms]]] = {}


def terms_of(contexts: Contexts) -> _Terms:
    """The terms of the accepted contexts, compiled once for each set of pinned documents."""
    key = id(contexts.documents)
    held = _holders.get(key)
    if held is not None and held[0] is contexts.documents:
        return held[1]
    iris: dict[str, set[str]] = defaultdict(set)
    for url in ACCEPTED & contexts.documents.keys():
        for term, iri in _definitions(contexts.documents[url].get("@context"), {}):
            iris[term].add(f"<{iri}>")
    made = _Terms({term: frozenset(found) for term, found in iris.items()})
    _holders[key] = (contexts.documents, made)
    return made


def _definitions(context: object, prefixes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every term that a context and those scoped in it define, with its IRI."""
    for part in context if isinstance(context, list) else [context]:
        if not isinstance(part, Mapping):
            continue
        known = {**prefixes, **{k: v for k, v in part.items() if isinstance(v, str)}}
        for term, meaning in part.items():
            iri = meaning.get("@id") if isinstance(meaning, Mapping) else meaning
            if isinstance(iri, str) and not iri.startswith("@"):
                yield term, _absolute(iri, known)
            if isinstance(meaning, Mapping):
                yield from _definitions(meaning.get("@context"), known)


def _absolute(iri: str, prefixes: Mapping[str, str]) -> str:
    prefix, colon, rest = iri.partition(":")
    if colon and not rest.startswith("//") and prefix in prefixes:
        return prefixes[prefix] + rest
    return iri


class Signed:
    """What was signed of one document, by node and predicate; named graphs are other documents' proofs."""

    def __init__(
        self,
        nodes: Mapping[str, Sequence[tuple[str, str]]],
        terms: _Terms,
        document: JsonObject,
    ) -> None:
        self.terms = terms
        self.document = document
        self.edges: dict[str, dict[str, set[str]]] = {}
        self.below: set[str] = set()
        self.lists: set[str] = set()
        """The nodes that begin a list, or the rest of one."""
        for node, pairs in nodes.items():
            if not pairs:
                continue
            edges = self.edges[node] = {}
            for predicate, value in pairs:
                edges.setdefault(predicate, set()).add(value)
                if predicate not in terms.up and value != node:
                    self.below.add(value)
            if _FIRST in edges:
                self.lists.add(node)

    @cached_property
    def twice(self) -> frozenset[str]:
        """The nodes that the JSON describes in more than one place."""
        return _described_twice(self.document)

    def root(self) -> str | None:
        """The one node that nothing else points to."""
        subjects = self.edges.keys()
        tops = subjects - self.below
        found = tops - self._pointed_up_to(tops) if len(tops) > 1 else tops
        if len(found) > 1:  # what a credential inside is about stands under nothing of this one
            found -= self._pointed_up_to(subjects - tops)
        return next(iter(found)) if len(found) == 1 else None

    def _pointed_up_to(self, nodes: Iterable[str]) -> set[str]:
        return {value for node in nodes for value in self.objects(node, self.terms.up)}

    def objects(self, node: str, iris: frozenset[str]) -> set[str]:
        """The objects of a node's member, by every IRI that the member may have; the items of a list each."""
        edges = self.edges.get(node, {})
        found = {value for iri in iris & edges.keys() for value in edges[iri]}
        if self.lists.isdisjoint(found):
            return found
        return {item for value in found for item in self._items(value)}

    def _items(self, value: str) -> set[str]:
        found: set[str] = set()
        seen: set[str] = set()
        while value not in seen and value in self.lists:
            seen.add(value)
            found |= self.edges[value][_FIRST]
            value = next(iter(self.edges[value].get(_REST, {_NIL})))
        return found if seen else {value}

    def agrees(self, said: JsonObject, node: str, plan: _Plan) -> bool:
        """Whether JSON and graph say the same of a node, if that can be seen at a glance.

        That is: each member has one IRI in the graph and as many values there, in no list. `compare` decides all else.
        """
        edges = self.edges.get(node, {})
        signed = {at for predicate in edges for at in plan.by_iri.get(predicate, ())}
        for at in signed:
            name = plan.members[at].name
            if name not in said or not self._agree(plan.members[at], said[name], edges):
                return False
        identifier = said.get("id")
        if (
            "id" in plan.by_name
            and node != f"<{identifier}>"
            and not (identifier is None and node[0] == "_")
        ):
            return False
        others = plan.by_name.keys() & said.keys()
        return len(others) == len(signed) + ("id" in others)

    def _agree(self, member: _Member, given: object, edges: Mapping[str, set[str]]) -> bool:
        """Whether the values of a member are what is signed, none of it left over."""
        values = given if isinstance(given, list) else [given]
        found = [edges[iri] for iri in member.iris & edges.keys()]
        if len(found) != 1 or len(values) != len(found[0]) or not self.lists.isdisjoint(found[0]):
            return False
        if member.inner is None:
            return self._texts_agree(values, found[0])
        if len(values) > _FEW:
            return False
        if len(values) == 1:
            return self._nodes_agree(member.name, values[0], found[0], member.inner)
        try:
            self._match_nodes(member.name, values, found[0], member.inner, "")
        except _Differs:
            return False
        return True

    def _texts_agree(self, values: list[object], signed: set[str]) -> bool:
        if len(values) == 1:
            (term,), text = signed, _text(values[0])
            return text is not None and self._says(term, text)
        try:
            return not self._match_texts(values, signed, "")
        except _Differs:
            return False

    def _nodes_agree(self, name: str, value: object, signed: set[str], inner: _Plan) -> bool:
        (node,) = signed
        said = {"id": value} if isinstance(value, str) else value
        if not isinstance(said, dict):
            return False
        identifier = said.get("id")
        expected = f"<{identifier}>" if isinstance(identifier, str) else "_:"
        plan = self._plan_for(name, said, inner)
        return node.startswith(expected) and self.agrees(said, node, plan)

    def _plan_for(self, name: str, said: JsonObject, inner: _Plan) -> _Plan:
        by_name = name in _BY_NAME and said.keys() <= {"id", "type"}
        return self.terms.by_id if by_name else inner

    def compare(self, said: JsonObject, node: str, plan: _Plan, place: str) -> None:
        """Raise for the first member of a node of which JSON and graph say different things."""
        edges = self.edges.get(node, {})
        looked_at = {plan.by_name[name] for name in plan.by_name.keys() & said.keys()}
        for predicate in edges:
            looked_at.update(plan.by_iri.get(predicate, ()))
        if node[0] == "<" and "id" in plan.by_name:
            looked_at.add(plan.by_name["id"])
        for at in sorted(looked_at):
            member = plan.members[at]
            where = f"{place}/{member.name}"
            values = _values(said.get(member.name), where)
            if member.name == "id":
                if self._match_texts(values, {node} if node[0] == "<" else set(), where):
                    raise _Differs(where)
            elif member.inner is not None:
                signed = self.objects(node, member.iris)
                self._match_nodes(member.name, values, signed, member.inner, where)
            else:
                signed = edges.get(_TYPE, set())
                if member.name != "type":
                    signed = self.objects(node, member.iris)
                left = self._match_texts(values, signed, where)
                # a node may play another part elsewhere in the document, under that part's type and name
                if left and not (member.name in _EACH_PART and node in self.twice):
                    raise _Differs(where)

    def _match_texts(self, values: list[object], signed: set[str], where: str) -> set[str]:
        """What is signed beside the texts in the JSON; raise if one of these is not signed."""
        left = set(signed)
        for value in values:
            text = _text(value)
            found = set() if text is None else self._saying(signed, text)
            if not found:
                raise _Differs(where)
            left -= found
        return left

    def _saying(self, terms: set[str], text: str) -> set[str]:
        """The terms of the graph that a text in the JSON may mean: literals whatever their type, and IRIs."""
        return {term for term in terms if self._says(term, text)}

    def _says(self, term: str, text: str) -> bool:
        if term[0] == '"':
            return term.startswith(f'"{escaped(text)}"')
        return term == f"<{text}>" or term in self.terms.of(text)

    def _match_nodes(
        self, name: str, values: list[object], signed: set[str], inner: _Plan, where: str
    ) -> None:
        left = set(signed)
        for given in values:
            value = {"id": given} if isinstance(given, str) else given
            if not isinstance(value, dict):
                raise _Differs(where)
            identifier = value.get("id")
            plan = self._plan_for(name, value, inner)
            if isinstance(identifier, str):
                candidates = {f"<{identifier}>"} & signed
            else:
                candidates = {node for node in left if node.startswith("_:")}
            matching = None
            deepest = where
            for node in sorted(candidates):
                try:
                    self.compare(value, node, plan, where)
                except _Differs as error:
                    deepest = max(deepest, error.member, key=len)
                else:
                    matching = node
                    break
            if matching is None:
                raise _Differs(deepest)
            left.discard(matching)
        if left:
            raise _Differs(where)


def _values(value: object, where: str) -> list[object]:
    """The values of a member; arrays in arrays say nothing that we read."""
    if value is None:
        return []
    found = value if isinstance(value, list) else [value]
    if any(isinstance(entry, list) for entry in found):
        raise _Differs(where)
    return found


def _text(value: object) -> str | None:
    """How a JSON scalar, or a node by its id alone, is written in the graph; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else re.sub(r"0*E\+?", "E", f"{value:1.15E}")
    if (
        isinstance(value, dict)
        and set(value) <= {"id", "type"}
        and isinstance(value.get("id"), str)
    ):
        return str(value["id"])
    return None
