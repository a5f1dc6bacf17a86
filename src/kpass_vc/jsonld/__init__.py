"""From JSON-LD documents to canonical N-Quads, with every part of a document in them or an error.

The straight walk (`quads`) where it can, PyLD (`expansion`) where it must: the same bytes either way.
"""

from kpass_vc.jsonld.quads import canonicalize, to_quads

__all__ = ["canonicalize", "to_quads"]
