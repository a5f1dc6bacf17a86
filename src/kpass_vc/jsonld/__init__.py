"""canonicalize(document) -> canonical N-Quads, with every part of the document in them or an error."""

from collections.abc import Mapping

from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.expansion import to_quads
from kpass_vc.jsonld.rdfc import canonical_nquads


def canonicalize(
    document: Mapping[str, object], contexts: Contexts, *, algorithm: str = "sha256"
) -> str:
    """The canonical N-Quads (RDFC-1.0 with SHA-256, or `algorithm`) of a JSON-LD document.

    DataLoss if a part would be dropped, UnknownContext for a context that is not
    pinned, TooComplex for a graph made to be hard.
    """
    return canonical_nquads(to_quads(document, contexts), algorithm=algorithm)
