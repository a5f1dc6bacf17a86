"""What a document says, asked more than once: the answers of `to_quads` and `canonicalize`, and their errors."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kpass_vc.errors import DataLoss, Malformed, TooComplex
from kpass_vc.formats import read
from kpass_vc.jsonld import canonicalize, to_quads
from kpass_vc.jsonld.graph import Graph
from tests.sample import Json, sample


def unusual(document: Json) -> Json:
    """The same with a text in a language, which only the slow way reads."""
    return {**document, "name": {"@value": "Löpare", "@language": "sv"}}


@pytest.mark.parametrize("change", [dict, unusual])
@pytest.mark.parametrize("algorithm", ["sha256", "sha384"])
def test_a_graph_answers_as_the_functions_do(
    change: Callable[[Json], Json], algorithm: str
) -> None:
    made = sample()
    document = change(made.credential)

    for contexts in (made.contexts, replace(made.contexts, is_fast=False)):
        graph = Graph(document, contexts)

        expected = canonicalize(document, made.contexts, algorithm=algorithm)
        assert graph.canonical(algorithm).decode() == expected
        assert graph.quads() is graph.quads()
        assert len(graph.quads()) == len(to_quads(document, made.contexts))
        pairs = {(node, *pair) for node, found in graph.nodes().items() for pair in found if found}
        assert pairs == {tuple(quad)[:3] for quad in graph.quads()}


def test_what_cannot_be_signed_raises_each_time_it_is_asked() -> None:
    made = sample()
    graph = Graph(made.credential | {"undefined": "x"}, made.contexts)

    for ask in (graph.quads, graph.canonical, graph.nodes, graph.quads):
        with pytest.raises(DataLoss) as caught:
            ask()
        assert (caught.value.rule, caught.value.data) == ("undefined_term", {"part": "undefined"})


def test_a_graph_that_is_made_to_be_hard_is_refused_each_time_and_has_its_quads() -> None:
    made = sample()
    names = [f"_:n{number}" for number in range(9)]
    graph = Graph(
        made.credential
        | {
            "evidence": [
                {"id": name, "type": "Evidence", "https://x.example/p": [{"id": n} for n in names]}
                for name in names
            ]
        },
        made.contexts,
    )

    assert graph.quads()
    for _ in range(2):
        with pytest.raises(TooComplex):
            graph.canonical()


def test_what_was_presented_keeps_one_graph_for_the_same_contexts() -> None:
    made = sample()
    presented = read(made.body)

    assert presented.graph(made.contexts) is presented.graph(replace(made.contexts))
    inline = made.contexts.allowing_inline()
    assert presented.graph(inline) is presented.graph(made.contexts.allowing_inline())
    assert presented.graph(inline) is not presented.graph(made.contexts)
    changed = replace(presented, document=presented.document | {"undefined": "x"})
    with pytest.raises(Malformed):
        changed.graph(made.contexts).quads()
    assert presented.graph(made.contexts).quads()
