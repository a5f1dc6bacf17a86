"""What one document says, for who asks more than once: each answer is made at the first question."""

from collections.abc import Mapping

from kpass_vc.errors import Malformed
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.expansion import to_quads
from kpass_vc.jsonld.rdfc import Quad, canonical_nquads


class Graph:
    """The quads of a document under its contexts, and their canonical form.

    The document must not be changed meanwhile. For one thread.
    """

    def __init__(self, document: Mapping[str, object], contexts: Contexts) -> None:
        self.document = document
        self.contexts = contexts
        self._quads: tuple[Quad, ...] | Malformed | None = None
        self._canonical: dict[str, str] = {}

    def quads(self) -> tuple[Quad, ...]:
        """The quads; what `to_quads` raises, each time it is asked."""
        if self._quads is None:
            try:
                self._quads = to_quads(self.document, self.contexts)
            except Malformed as error:
                self._quads = error
        if isinstance(self._quads, Malformed):
            raise self._quads
        return self._quads

    def canonical(self, algorithm: str = "sha256") -> str:
        """The canonical N-Quads, as `canonicalize` gives them, errors included."""
        if algorithm not in self._canonical:
            self._canonical[algorithm] = canonical_nquads(self.quads(), algorithm=algorithm)
        return self._canonical[algorithm]
