"""What one document says, for who asks more than once: each answer is made at the first question."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from kpass_vc.errors import Malformed
from kpass_vc.jsonld import expansion
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import walk
from kpass_vc.jsonld.rdfc import Quad, Tree, canonical_nquads, canonical_tree


class Graph:
    """The quads of a document under its contexts, and their canonical form.

    The document must not be changed meanwhile. For one thread.
    """

    def __init__(self, document: Mapping[str, object], contexts: Contexts) -> None:
        self.document = document
        self.contexts = contexts
        self._seen = contexts.seen if contexts.is_fast else None
        self._is_known = False
        self.signer = ""
        """The DID whose proof is about to be checked."""
        self._canonical: dict[str, bytes] = {}

    def quads(self) -> tuple[Quad, ...]:
        """The quads; what `to_quads` raises, each time it is asked."""
        if isinstance(self._quads, Malformed):
            raise self._quads
        return self._quads

    def nodes(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Predicate and object of each node in the default graph, perhaps more than once; raises as `quads`."""
        if self._tree is not None:
            return self._nodes
        found: dict[str, list[tuple[str, str]]] = {}
        for subject, predicate, value, graph in self.quads():
            if not graph:
                found.setdefault(subject, []).append((predicate, value))
        return found

    def canonical(self, algorithm: str = "sha256") -> bytes:
        """The canonical N-Quads in UTF-8; what `canonicalize` raises, each time it is asked."""
        if algorithm not in self._canonical:
            self._canonical[algorithm] = self._by_template(algorithm) or self._by_itself(algorithm)
        return self._canonical[algorithm]

    def was_verified(self) -> None:
        """Let others like it be read faster, if this one was not."""
        is_walked = "sha256" in self._canonical and not self._is_known
        if self._seen is not None and is_walked and self._tree is not None:
            self._seen.learn(self.document, self.contexts, self.signer)

    def _by_template(self, algorithm: str) -> bytes | None:
        if self._seen is None or algorithm != "sha256":
            return None
        found = self._seen.canonical(self.document, self.signer)
        self._is_known = found is not None
        return found

    def _by_itself(self, algorithm: str) -> bytes:
        found = canonical_tree(self._tree, algorithm) if self._tree else None
        if found is None:
            found = canonical_nquads(self.quads(), algorithm=algorithm)
        return found.encode()

    @cached_property
    def _tree(self) -> Tree | None:
        return walk(self.document, self.contexts)

    @cached_property
    def _nodes(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        return {} if self._tree is None else self._tree.nodes()

    @cached_property
    def _quads(self) -> tuple[Quad, ...] | Malformed:
        if self._tree is not None:
            return self._tree.quads()
        try:
            return expansion.to_quads(self.document, self.contexts)
        except Malformed as error:
            return error
