"""RDFC-1.0: W3C's test suite, an independent implementation, and graphs made to be hard."""

import json
import os
import random
import time
from itertools import permutations
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpass_vc.errors import TooComplex
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import CREDENTIALS_V2, Contexts
from kpass_vc.jsonld.rdfc import Quad, canonical_nquads, canonicalize_dataset, literal
from kpass_vc.model.document import read_json
from tests.jsonld.nquads import read_nquads

SUITE = Path(os.environ.get("KPASS_VECTORS") or "/nowhere") / "rdf-canon"
ALGORITHMS = {"SHA256": "sha256", "SHA384": "sha384"}
PATIENCE = 5.0
"""Seconds that a refusal may take; it takes a fifth of one here."""


def manifest() -> list[dict[str, Any]]:
    path = SUITE / "manifest.jsonld"
    found: list[dict[str, Any]] = json.loads(path.read_bytes())["entries"] if path.exists() else []
    return found


@pytest.mark.vectors
def test_the_suite_is_there_whole() -> None:
    assert len(manifest()) == 86


@pytest.mark.vectors
@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: entry["id"])
def test_w3cs_suite(entry: dict[str, Any]) -> None:
    quads = list(read_nquads((SUITE / entry["action"]).read_text("utf-8")))
    algorithm = ALGORITHMS[entry.get("hashAlgorithm", "SHA256")]
    kind = entry["type"].removeprefix("rdfc:RDFC10")
    if kind == "NegativeEvalTest":
        with pytest.raises(TooComplex):
            canonicalize_dataset(quads, algorithm=algorithm)
        return

    canonical, labels = canonicalize_dataset(quads, algorithm=algorithm)

    expected = (SUITE / entry["result"]).read_text("utf-8")
    if kind == "MapTest":
        assert {old[2:]: new[2:] for old, new in labels.items()} == json.loads(expected)
    else:
        assert kind == "EvalTest"
        assert canonical == expected


def clique(nodes: int) -> list[Quad]:
    return [Quad(f"_:n{a}", "<urn:p>", f"_:n{b}") for a, b in permutations(range(nodes), 2)]


@pytest.mark.parametrize("nodes", [*range(6, 13), 20, 30])
def test_a_clique_is_refused_in_little_time(nodes: int) -> None:
    started = time.monotonic()

    with pytest.raises(TooComplex):
        canonical_nquads(clique(nodes))

    assert time.monotonic() - started < PATIENCE


def poison(nodes: int) -> dict[str, object]:
    """Blank nodes that all know each other, as a credential would spell them."""
    people = [
        {"id": f"_:{a}", "urn:k": [{"id": f"_:{b}"} for b in range(nodes) if b != a]}
        for a in range(nodes)
    ]
    return {"@context": CREDENTIALS_V2, "type": "VerifiableCredential", "urn:a": people}


@pytest.mark.parametrize("nodes", [7, 8, 10, 20])
def test_a_poison_graph_in_json_ld_is_refused_in_little_time(
    nodes: int, contexts: Contexts
) -> None:
    body = json.dumps(poison(nodes), separators=(",", ":")).encode()
    started = time.monotonic()

    with pytest.raises(TooComplex):
        canonicalize(read_json(body), contexts)

    assert time.monotonic() - started < PATIENCE
    assert nodes > 7 or len(body) < 800


def test_the_budget_is_what_stops_it() -> None:
    assert canonical_nquads(clique(4), budget=1_000_000)
    with pytest.raises(TooComplex):
        canonical_nquads(clique(4), budget=3)


NODES = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<urn:s>", "<urn:t>"])
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=4
)
OBJECTS = (
    NODES
    | TEXT.map(lambda text: literal(text, "http://www.w3.org/2001/XMLSchema#string"))
    | TEXT.map(lambda text: literal(text, "urn:datatype"))
)
QUADS = st.builds(
    Quad,
    NODES,
    st.sampled_from(["<urn:p>", "<urn:q>"]),
    OBJECTS,
    st.sampled_from(["", "<urn:g>", "_:a", "_:g"]),
)


def oracle(quads: list[Quad]) -> str:
    dataset = pyoxigraph.Dataset(
        pyoxigraph.parse("".join(quad.line() for quad in quads), pyoxigraph.RdfFormat.N_QUADS)
    )
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    lines = pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS)
    assert lines is not None
    return "".join(sorted(quad.line() for quad in read_nquads(lines.decode())))


@settings(max_examples=150, deadline=None)
@given(st.lists(QUADS, min_size=1, max_size=8))
def test_random_datasets_come_out_as_from_pyoxigraph(quads: list[Quad]) -> None:
    assert canonical_nquads(quads) == oracle(quads)


@settings(max_examples=100, deadline=None)
@given(st.lists(QUADS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_neither_order_nor_labels_nor_repetition_change_the_canonical_form(
    quads: list[Quad], chance: random.Random
) -> None:
    names = {"_:a": "_:z9", "_:b": "_:a", "_:c": "_:b", "_:d": "_:c14n0", "_:g": "_:c14n1"}
    renamed = [Quad(names.get(s, s), p, names.get(o, o), names.get(g, g)) for s, p, o, g in quads]
    shuffled = chance.sample(renamed, len(renamed)) + renamed[:1]

    assert canonical_nquads(shuffled) == canonical_nquads(quads)


def test_control_characters_are_escaped_as_rdfc_says() -> None:
    text = '\0\x01\x08\t\n\x0b\x0c\r\x1f "\\\x7f\x80\xa0\ufffd'

    assert literal(text, "http://www.w3.org/2001/XMLSchema#string") == (
        '"\\u0000\\u0001\\b\\t\\n\\u000B\\f\\r\\u001F \\"\\\\\\u007F\x80\xa0\ufffd"'
    )


def test_a_graph_that_is_a_blank_node_is_hashed_without_the_predicate() -> None:
    quads = [
        Quad("_:a", "<urn:q>", "_:b", "_:d"),
        Quad("_:a", "<urn:q>", "_:c", "_:a"),
    ]

    # Section 4.7: position g takes no predicate; W3C's suite does not tell the two apart
    assert canonical_nquads(quads) == oracle(quads)


@pytest.mark.parametrize("lines", [3, 6, 12])
def test_the_same_graph_twice_takes_little_work_however_many_lines_it_has(lines: int) -> None:
    # each node is mentioned with its graph once a line, which makes no more orders than one
    twice = [
        quad
        for graph in ("_:g", "_:h")
        for quad in (
            Quad("_:root", "<urn:holds>", graph),
            *(Quad(f"{graph}s", f"<urn:p{n}>", '"x"', graph) for n in range(lines)),
        )
    ]

    assert canonical_nquads(twice, budget=100) == canonical_nquads(twice[::-1])
    if lines == 3:  # an independent implementation walks the factorial
        assert canonical_nquads(twice) == oracle(twice)
