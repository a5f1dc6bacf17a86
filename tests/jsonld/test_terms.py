"""Contexts made for one rule each: what the walk reads by them is what PyLD reads."""

from dataclasses import replace

import pytest

from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import walk
from tests.sample import Json

URL = "https://a.example/context"
TERMS: Json = {
    "@version": 1.1,
    "id": "@id",
    "type": "@type",
    "p": "https://a.example/p",
    "q": {"@id": "https://a.example/q", "@type": "@id"},
    "v": {"@id": "https://a.example/v", "@type": "@vocab"},
    "m": {"@id": "https://a.example/m", "@context": {"p": "https://a.example/inner"}},
    "A": {"@id": "https://a.example/A", "@context": {"p": "https://a.example/inner"}},
    "B": {"@id": "https://a.example/B", "@context": {"p": "https://a.example/of-b"}},
    "N": "https://a.example/N",
}
CONTEXTS = Contexts({URL: {"@context": TERMS}})


def both(document: Json) -> str:
    """The canonical form, as the walk and PyLD give it."""
    whole = {"@context": [URL], **document}
    assert walk(whole, CONTEXTS) is not None
    found = canonicalize(whole, CONTEXTS)
    assert found == canonicalize(whole, replace(CONTEXTS, is_fast=False))
    return found


@pytest.mark.parametrize("types", [["A", "B"], ["B", "A"], ["N", "B", "A"]])
def test_of_the_contexts_of_several_types_the_last_by_name_counts(types: list[str]) -> None:
    assert '<https://a.example/of-b> "1"' in both({"type": types, "p": "1"})


def test_what_a_type_brings_reaches_no_further_than_its_node_and_what_a_member_brings_does() -> (
    None
):
    inside: Json = {"p": "1", "q": {"p": "2"}}

    by_type, by_member = both({"type": "A", **inside}), both({"m": inside})

    assert '<https://a.example/inner> "1"' in by_type
    assert '<https://a.example/p> "2"' in by_type
    assert '<https://a.example/inner> "2"' in by_member
    both({"m": inside, "q": {"type": "A", **inside}})
    both({"m": {"type": "A", **inside}, "q": [{"type": ["N", "A"], **inside}, inside]})


def test_where_a_text_is_a_term_it_stands_for_the_terms_iri() -> None:
    assert "<https://a.example/v> <https://a.example/N> ." in both({"v": "N"})
    assert "<https://a.example/v> <https://b.example/x> ." in both({"v": "https://b.example/x"})
    assert "<https://a.example/q> <https://b.example/x> ." in both({"q": "https://b.example/x"})
    assert "<https://a.example/A> ." in both({"v": ["A", "B"]})
