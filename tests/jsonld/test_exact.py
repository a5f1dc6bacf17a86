"""The compiled ways of reading say what PyLD and pyoxigraph say, or say nothing: then PyLD is asked."""

import hashlib
import json
import os
import random
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from kpass_vc.errors import DataLoss
from kpass_vc.formats import FORMATS
from kpass_vc.formats.series import Series
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import CREDENTIALS_V1, CREDENTIALS_V2, OPEN_BADGES_3, Contexts
from kpass_vc.jsonld.quads import walk
from kpass_vc.jsonld.template import MOST_ARRANGED, MOST_KEPT, Template, checked_template
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.model.slots import JsonTemplate, filled, quoted
from kpass_vc.resources import contexts as pinned_contexts
from tests.jsonld.exact import SIGNINGS, documents, documents_in, series, variants
from tests.jsonld.kinds import TEXTS, Kind, Place, kinds, plain_values
from tests.jsonld.mutations import Comparison, outcome, reading, slow, sub_documents
from tests.sample import Json, replaced

OB: list[object] = [CREDENTIALS_V2, OPEN_BADGES_3]
CREDENTIAL: Json = {"@context": OB, "type": ["VerifiableCredential", "OpenBadgeCredential"]}
OTHER = "https://a.example/p"
PREFIXED: Json = {"@context": [CREDENTIALS_V2, "https://w3id.org/security/v1"]}
"""Contexts in which `sec` is a prefix, so that `sec:x` is no IRI but stands for one."""
KINDS = kinds()
PLAIN = next(kind for kind in KINDS if kind.name.endswith("sv"))


@pytest.fixture(scope="module")
def fast() -> Contexts:
    """Contexts that are read by the walk, whatever this run does elsewhere."""
    return pinned_contexts()


def test_templates_walk_pyld_and_pyoxigraph_agree_on_plain_and_hostile_texts(
    fast: Contexts,
) -> None:
    tally = variants(1_500, 11, fast, every=8)

    assert tally.differing == []
    assert len(KINDS) >= 26
    assert tally.counts["variants, plain"] >= 400
    assert tally.counts["the template fell back, plain"] == 0
    assert tally.counts["the walk fell back, plain"] == 0
    assert tally.counts["read by pyoxigraph"] > 130
    assert tally.counts["read from memory"] > 300
    assert tally.counts["the template fell back, hostile"] < tally.counts["variants, hostile"] / 2


def test_a_series_secures_the_very_bytes_that_each_format_does_by_itself(fast: Contexts) -> None:
    tally = series(600, 12, fast)

    assert tally.differing == []
    assert tally.counts["the series fell back"] < tally.counts["secured"] / 3


def test_no_plain_credential_of_a_series_is_secured_by_itself(fast: Contexts) -> None:
    tally = series(len(KINDS), 13, fast)

    assert tally.counts == {"secured": len(KINDS)}


def with_slots(*places: Place, **members: object) -> Kind:
    return Kind("planted", CREDENTIAL | members, places)


ISSUER = {"id": "did:web:a.example", "type": "Profile", "name": "x"}
PLANTED: dict[str, tuple[Kind, list[str]]] = {
    "an IRI of the document": (
        with_slots(("id",), id="urn:a", issuer=ISSUER),
        ["did:web:a.example"],
    ),
    "an IRI of another slot": (
        with_slots(("id",), ("issuer", "id"), id="urn:a", issuer=ISSUER),
        ["urn:b", "urn:b"],
    ),
    "a predicate": (
        with_slots(("id",), id="urn:a", issuer=ISSUER),
        ["https://schema.org/name"],
    ),
    "a compact IRI": (with_slots(("id",), id="urn:a", name="x"), ["name:x"]),
    "a relative IRI": (with_slots(("id",), id="urn:a", name="x"), ["a/b"]),
    "a blank node": (with_slots(("id",), id="urn:a", name="x"), ["_:b0"]),
    "an empty IRI": (with_slots(("id",), id="urn:a", name="x"), [""]),
    "an IRI with a blank": (with_slots(("id",), id="urn:a", name="x"), ["https://a b/"]),
    "an IRI with white space beyond ASCII": (
        with_slots(("id",), id="urn:a", name="x"),
        ["https://a\u3000b/"],
    ),
    "an IRI with a quotation mark": (with_slots(("id",), id="urn:a", name="x"), ['urn:"']),
    "two blank nodes that look alike": (
        with_slots(
            ("evidence", 0, "narrative"),
            evidence=[
                {"type": "Evidence", "narrative": "x"},
                {"type": "Evidence", "narrative": "y"},
            ],
        ),
        ["y"],
    ),
    "two slots that make blank nodes alike": (
        with_slots(
            ("evidence", 0, "narrative"),
            ("evidence", 1, "narrative"),
            evidence=[
                {"type": "Evidence", "narrative": "x"},
                {"type": "Evidence", "narrative": "y"},
            ],
        ),
        ["z", "z"],
    ),
    "a type that is a term": (with_slots(("type", 2), type=["A", "B", "urn:x"]), ["Profile"]),
}


def test_a_compact_iri_in_a_slot_falls_back(fast: Contexts) -> None:
    document: Json = PREFIXED | {"id": "urn:a", "name": "x"}
    template = Template(document, (("id",),), fast)

    for value in ("sec:x", "xsd:string", "sec:"):
        with pytest.raises(Unusual):
            template.fill([value])
    slashes = document | {"id": "sec://x"}
    assert template.fill(["sec://x"]).decode() == canonicalize(slashes, slow(fast))


@pytest.mark.parametrize(("kind", "values"), PLANTED.values(), ids=PLANTED)
def test_what_would_change_the_set_of_quads_falls_back(
    fast: Contexts, kind: Kind, values: list[str]
) -> None:
    document = kind.credential
    if kind.places == (("type", 2),):
        document = replaced(document, ("type",), [*CREDENTIAL["type"], "urn:x"])
    template = Template(document, kind.places, fast)

    with pytest.raises(Unusual):
        template.fill(values)
    made = filled(document, kind.places, values)
    assert outcome(made, fast) == reading(made, slow(fast))


NO_TEMPLATE: dict[str, tuple[Json, tuple[Place, ...]]] = {
    "no text at the place": (CREDENTIAL | {"id": "urn:a"}, (("type",),)),
    "no such place": (CREDENTIAL | {"id": "urn:a"}, (("name",),)),
    "no such place below": (CREDENTIAL | {"id": "urn:a"}, (("issuer", "id"),)),
    "a number": (CREDENTIAL | {OTHER: 5}, ((OTHER,),)),
    "a boolean": (CREDENTIAL | {OTHER: True}, ((OTHER,),)),
    "a place given twice": (CREDENTIAL | {"id": "urn:a"}, (("id",), ("id",))),
    "two texts under one predicate": (CREDENTIAL | {OTHER: ["x", "y"]}, ((OTHER, 0), (OTHER, 1))),
    "a text beside another one": (CREDENTIAL | {OTHER: ["x", "y"]}, ((OTHER, 0),)),
    "a text beside an equal one": (CREDENTIAL | {OTHER: ["x", "x"]}, ((OTHER, 0),)),
    "two places of one node": (
        CREDENTIAL
        | {"issuer": {"id": "urn:i", "name": "x"}, "evidence": {"id": "urn:i", "name": "y"}},
        (("issuer", "name"),),
    ),
    "a mark in the document": (
        CREDENTIAL | {"id": "urn:a", "name": "urn:kpass-slot:7"},
        (("id",),),
    ),
    "a mark in a longer text": (
        CREDENTIAL | {"id": "urn:a", "name": "see urn:kpass-slot:0000."},
        (("id",),),
    ),
    "a mark as a member": (CREDENTIAL | {"id": "urn:a", "urn:kpass-slot:0000": "x"}, (("id",),)),
    "a type with a context of its own": (
        CREDENTIAL
        | {"credentialSubject": {"type": "AchievementSubject", "achievement": {"id": "urn:a"}}},
        (("credentialSubject", "type"),),
    ),
    "a context": (CREDENTIAL | {"id": "urn:a"}, (("@context", 1),)),
    "a float elsewhere": (CREDENTIAL | {"id": "urn:a", OTHER: 8.05}, (("id",),)),
    "a language elsewhere": (
        CREDENTIAL | {"id": "urn:a", "name": {"@value": "x", "@language": "sv"}},
        (("id",),),
    ),
    "an undefined term elsewhere": (CREDENTIAL | {"id": "urn:a", "undefined": "x"}, (("id",),)),
}


@pytest.mark.parametrize(("document", "places"), NO_TEMPLATE.values(), ids=NO_TEMPLATE)
def test_there_is_no_template_where_texts_could_change_the_set_of_quads(
    fast: Contexts, document: Json, places: tuple[Place, ...]
) -> None:
    with pytest.raises(Unusual):
        Template(document, places, fast)
    with pytest.raises(Unusual):
        Series(document, places, fast, ())


def test_a_template_that_an_example_disproves_is_not_made(fast: Contexts) -> None:
    kind = with_slots(("id",), id="urn:a", issuer=ISSUER)

    made = checked_template(kind.credential, kind.places, fast, [["urn:b"], ["urn:c"]])

    assert made.fill(["urn:d"]).decode() == canonicalize(kind.credential | {"id": "urn:d"}, fast)
    with pytest.raises(Unusual):
        checked_template(kind.credential, kind.places, fast, [["urn:b"], ["relative"]])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(proof={"type": "DataIntegrityProof"}),
        lambda d: d.update({"@context": [CREDENTIALS_V1, OPEN_BADGES_3]}),
        lambda d: d.update({"@context": CREDENTIALS_V1}),
        lambda d: d.update(holder=d.pop("issuer")),
        lambda d: d.update(issuer=[d["issuer"]]),
        lambda d: d.update(iss="x"),
    ],
)
def test_a_credential_that_a_format_changes_in_its_own_way_is_no_series(
    fast: Contexts, change: Callable[[Json], None]
) -> None:
    credential = json.loads(json.dumps(PLAIN.credential))
    change(credential)

    with pytest.raises(Unusual):
        Series(credential, PLAIN.places, fast, ())


def test_the_claims_of_a_token_follow_every_slot_that_they_repeat(fast: Contexts) -> None:
    members = {"issuer": ISSUER, "validUntil": "2030-01-01T00:00:00Z", "id": "urn:a"}
    subject = {"id": "urn:s", "type": "Profile", "name": "y"}
    places: tuple[Place, ...] = (
        ("issuer", "name"),
        ("issuer", "id"),
        ("validUntil",),
        ("id",),
        ("credentialSubject", "name"),
        ("credentialSubject", "id"),
    )
    values = ["Namn", "did:web:b.example", "2031-01-01T00:00:00Z", "urn:b", "Amina", "urn:t"]
    credential = CREDENTIAL | members | {"credentialSubject": subject}

    secured = Series(credential, places, fast, ()).secure(values, SIGNINGS)

    made = filled(credential, places, values)
    for name, signing in SIGNINGS.items():
        assert secured[name] == FORMATS[name].secure(made, signing, fast)


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "\ud800"], ids=ascii)
def test_a_text_is_put_into_json_as_the_whole_document_would_be_written(text: str) -> None:
    document: Json = {"a": "x", "b": [{"c": "y"}]}
    places: tuple[Place, ...] = (("b", 0, "c"), ("a",))

    made = JsonTemplate(document, places).fill([text, text])

    expected: Json = {"a": text, "b": [{"c": text}]}
    assert made == json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
    assert json.loads(quoted(text)) == text


def deep(levels: int) -> object:
    """An object in an object, so many of them."""
    return {OTHER: deep(levels - 1)} if levels else "x"


ODD: dict[str, Json] = {
    "a compact IRI as an id": PREFIXED | {"id": "sec:x", "name": "y"},
    "a compact IRI as a type": PREFIXED | {"type": "sec:X", "name": "y"},
    "a compact IRI as a reference": PREFIXED | {"name": "y", OTHER: {"id": "sec:x"}},
    "a compact IRI as an issuer": PREFIXED | {"type": "VerifiableCredential", "issuer": "sec:x"},
    "a float": CREDENTIAL | {OTHER: 8.05},
    "a large integer": CREDENTIAL | {OTHER: [2**53, 2**53 - 1, -(2**53), 10**22]},
    "numbers and booleans": CREDENTIAL | {OTHER: [1, True, 0, False, "1", "true"]},
    "a coerced boolean": CREDENTIAL
    | {
        "credentialSubject": {
            "type": "AchievementSubject",
            "identifier": {
                "type": "IdentityObject",
                "hashed": [True, 1, "true"],
                "identityHash": "x",
            },
        }
    },
    "null": CREDENTIAL | {"name": None},
    "null in an array": CREDENTIAL | {"name": ["x", None]},
    "a nested context": CREDENTIAL | {"issuer": ISSUER | {"@context": OB}},
    "@id beside id": CREDENTIAL | {"issuer": ISSUER | {"@id": "urn:x"}},
    "@type for type": {"@context": OB, "@type": "VerifiableCredential", "name": "x"},
    "@value": CREDENTIAL | {"name": {"@value": "x"}},
    "@set": CREDENTIAL | {"name": {"@set": ["x"]}},
    "@list": CREDENTIAL | {"name": {"@list": ["x", "x"]}},
    "@graph": {"@context": OB, "@graph": [CREDENTIAL]},
    "@included": CREDENTIAL | {"@included": [{"id": "urn:x", "name": "x"}]},
    "a language map": CREDENTIAL | {"name": {"sv": "namn", "en": "name"}},
    "a language": CREDENTIAL | {"name": {"@value": "x", "@language": "sv", "@direction": "rtl"}},
    "a term that is a list": CREDENTIAL
    | {
        "credentialSubject": {
            "type": "AchievementSubject",
            "achievement": {
                "type": "Achievement",
                "resultDescription": [
                    {"type": "ResultDescription", "allowedValue": ["b", "a", "b"]},
                    {"type": "ResultDescription", "allowedValue": ["b", "a", "b"]},
                    {"type": "ResultDescription", "allowedValue": "one"},
                    {"type": "ResultDescription", "allowedValue": []},
                ],
            },
        }
    },
    "a term that is a list, of one": CREDENTIAL
    | {
        "credentialSubject": {
            "type": "AchievementSubject",
            "achievement": {
                "type": "Achievement",
                "resultDescription": {"type": "ResultDescription", "allowedValue": ["a", "b"]},
            },
        }
    },
    "a presentation": {
        "@context": OB,
        "type": "VerifiablePresentation",
        "verifiableCredential": [CREDENTIAL | {"id": "urn:c", "name": "x"}],
    },
    "a proof chain": CREDENTIAL
    | {
        "id": "urn:c",
        "proof": [
            {"type": "DataIntegrityProof", "id": "urn:p1", "proofPurpose": "assertionMethod"},
            {"type": "DataIntegrityProof", "previousProof": "urn:p1"},
        ],
    },
    "criteria and Criteria": CREDENTIAL
    | {
        "credentialSubject": {
            "type": "AchievementSubject",
            "achievement": {
                "type": ["Achievement"],
                "criteria": {"type": "Criteria", "narrative": "x"},
                "Criteria": {"narrative": "x"},
            },
        }
    },
    "result and Result": CREDENTIAL
    | {
        "credentialSubject": {
            "type": "AchievementSubject",
            "result": {"type": "Result", "value": "x"},
            "Result": {"value": "x"},
        }
    },
    "a result where there is none": CREDENTIAL | {"result": {"type": "Result", "value": "x"}},
    "members of a type that is not there": CREDENTIAL
    | {"credentialSubject": {"achievement": {"narrative": "x"}}},
    "a type's member below its node": CREDENTIAL
    | {
        "credentialSubject": {"type": "AchievementSubject", OTHER: {"achievement": {"id": "urn:a"}}}
    },
    "a type's member in a reference of one member": CREDENTIAL
    | {"credentialSubject": {"type": "AchievementSubject", "achievement": {"id": "urn:a"}}},
    "an unknown type": CREDENTIAL | {"type": ["VerifiableCredential", "NoSuchType"]},
    "a type twice": CREDENTIAL
    | {"type": ["VerifiableCredential", "VerifiableCredential"], "name": "x"},
    "a type with a context twice": CREDENTIAL
    | {
        "credentialSubject": {
            "type": ["AchievementSubject", "AchievementSubject"],
            "achievement": {"id": "urn:a"},
        }
    },
    "no types": CREDENTIAL | {"type": [], "name": "x"},
    "arrays in arrays": CREDENTIAL | {"name": [["x"], "y"]},
    "an empty array": CREDENTIAL | {"name": []},
    "an empty object": CREDENTIAL | {"issuer": {}},
    "a relative id": CREDENTIAL | {"id": "relative"},
    "a blank node id": CREDENTIAL | {"id": "_:b1", "issuer": {"id": "_:b0", "name": "x"}},
    "an id alone": {"@context": OB, "id": "urn:x"},
    "types alone": {"@context": OB, "type": "VerifiableCredential"},
    "an IRI as a member": CREDENTIAL | {OTHER: {OTHER: [{"id": "urn:y"}, "x", {"name": "x"}]}},
    "an IRI without slashes as a member": CREDENTIAL | {"urn:a:b": "x", "did:web:a": "y"},
    "a compact IRI as a member": CREDENTIAL | {"schema:name": "x"},
    "rdf:type as a member": CREDENTIAL
    | {"http://www.w3.org/1999/02/22-rdf-syntax-ns#type": {"id": "https://a.example/T"}},
    "the same node twice": CREDENTIAL
    | {"issuer": ISSUER, "evidence": [ISSUER, {"id": ISSUER["id"]}]},
    "the same node in two ways": CREDENTIAL
    | {"issuer": ISSUER, "evidence": ISSUER | {"name": "y"}},
    "two nodes alike": CREDENTIAL | {"evidence": [{"type": "Evidence", "name": "x"}] * 2},
    "two nodes alike but for what is below": CREDENTIAL
    | {
        "evidence": [
            {"type": "Evidence", OTHER: {"name": "x"}},
            {"type": "Evidence", OTHER: {"name": "y"}},
        ]
    },
    "eleven blank nodes": CREDENTIAL
    | {"evidence": [{"type": "Evidence", "name": f"{number}"} for number in range(12)]},
    "half a character": CREDENTIAL | {"id": "urn:a", "name": "\ud800"},
    "deep": CREDENTIAL | {OTHER: deep(60)},
    "an inline context": {
        "@context": [*OB, {"x": "https://a.example/x"}],
        "x": "y",
        "type": "Profile",
    },
    "an inline @vocab": {"@context": [*OB, {"@vocab": "https://a.example/"}], "x": "y"},
    "an inline @base": {"@context": [*OB, {"@base": "https://a.example/"}], "id": "x", "name": "y"},
    "an inline @language": {"@context": [*OB, {"@language": "sv"}], "name": "y"},
    "another order": CREDENTIAL | {"@context": OB[::-1], "name": "x"},
    "repeated": CREDENTIAL | {"@context": [*OB, *OB], "name": "x"},
    "too many": CREDENTIAL | {"@context": OB * 10, "name": "x"},
    "no list": CREDENTIAL | {"@context": CREDENTIALS_V2, "name": "x"},
    "none": {"type": "VerifiableCredential"},
    "not pinned": CREDENTIAL | {"@context": [*OB, "https://a.example/context"]},
    "1.1": CREDENTIAL
    | {"@context": [CREDENTIALS_V1, OPEN_BADGES_3], "issuer": "did:web:a.example"},
}


@pytest.mark.parametrize("document", ODD.values(), ids=ODD)
def test_what_is_out_of_the_ordinary_is_read_the_same_by_both_ways(
    fast: Contexts, document: Json
) -> None:
    for contexts in (fast, fast.allowing_inline()):
        assert outcome(document, contexts) == reading(document, slow(contexts))


@pytest.mark.parametrize(
    "document",
    [
        ODD["numbers and booleans"],
        ODD["eleven blank nodes"],
        ODD["a term that is a list, of one"],
        ODD["the same node twice"],
    ],
)
def test_the_walk_reads_what_is_ordinary(fast: Contexts, document: Json) -> None:
    assert walk(document, fast) is not None


@pytest.mark.parametrize(
    "document",
    [ODD["a type with a context twice"], ODD["an inline context"], ODD["a float"]],
)
def test_the_walk_leaves_what_is_not(fast: Contexts, document: Json) -> None:
    assert walk(document, fast) is None


def test_every_pinned_context_alone_and_after_another_is_read_the_same_by_both_ways(
    fast: Contexts,
) -> None:
    comparison = Comparison(fast)
    bodies: list[Json] = [
        {"type": "VerifiableCredential", "id": "urn:a", "issuer": "did:web:a", "name": "x"},
        {"id": "urn:a", "verificationMethod": [{"id": "urn:k", "controller": "urn:c"}]},
    ]
    urls = sorted(fast.documents)
    chains: list[list[str]] = [[url] for url in urls] + [[CREDENTIALS_V2, url] for url in urls]

    differing = [
        chain
        for chain, body in product(chains, bodies)
        if not comparison.same({"@context": chain} | body)
    ]

    assert differing == []
    assert comparison.walked > 15


def test_documents_out_of_shape_and_grown_ones_are_read_the_same_by_both_ways(
    fast: Contexts,
) -> None:
    given = [part for kind in KINDS[:6] for part in sub_documents(kind.credential)]

    assert documents(120, 14, given[::8], fast) == []


@pytest.mark.vectors
def test_w3cs_documents_and_changed_ones_are_read_the_same_by_both_ways(fast: Contexts) -> None:
    given = list(documents_in([Path(os.environ["KPASS_VECTORS"])]))

    assert len(given) > 100
    assert documents(150, 15, given[::3], fast) == []


def test_eight_threads_with_cold_caches_read_what_one_reads_alone() -> None:
    chosen = [kind.credential for kind in KINDS] + list(ODD.values())
    expected = [reading(document, slow(pinned_contexts())) for document in chosen]
    cold = pinned_contexts()
    barrier = Barrier(8)

    def read(number: int) -> list[tuple[int, Any]]:
        order = list(range(len(chosen)))
        random.Random(number).shuffle(order)
        barrier.wait()
        return [(place, reading(chosen[place], cold)) for place in order]

    with ThreadPoolExecutor(8) as pool:
        found = [each for some in pool.map(read, range(8)) for each in some]

    assert [place for place, outcome in found if outcome != expected[place]] == []


def test_one_template_filled_by_eight_threads_gives_what_one_gives(fast: Contexts) -> None:
    kind = max(KINDS, key=lambda each: len(each.places))
    template = Template(kind.credential, kind.places, fast)
    values = [
        [f"urn:x:{number}-{slot}" for slot in range(len(kind.places))] for number in range(60)
    ]
    expected = [Template(kind.credential, kind.places, fast).fill(each) for each in values]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [template.fill(each) for each in values], range(8)))

    assert all(each == expected for each in found)


MEGABYTE = 1024 * 1024


def growth(read: Callable[[int], object], count: int) -> float:
    """By how many MB memory grows while so many are read, after a tenth of them was."""
    tracemalloc.start()
    try:
        for number in range(count // 10):
            read(number)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(count // 10, count):
            read(number)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / MEGABYTE


def honest(contexts: Contexts) -> None:
    """Return if an honest document is still read, and by the walk."""
    expected = reading(PLAIN.credential, slow(contexts))
    assert len(expected) == 1
    assert reading(PLAIN.credential, contexts) == expected
    assert walk(PLAIN.credential, contexts) is not None


def test_ever_other_iris_do_not_fill_memory() -> None:
    contexts = pinned_contexts()

    def read(number: int) -> None:
        walk(
            CREDENTIAL | {"id": f"https://a.example/{number}", OTHER: {"id": f"urn:{number}"}},
            contexts,
        )
        walk(CREDENTIAL | {f"https://a.example/{number}": "x", "type": f"urn:{number}"}, contexts)

    assert growth(read, 30_000) < 4
    honest(contexts)


def test_ever_other_lists_of_contexts_do_not_fill_memory() -> None:
    contexts = pinned_contexts()
    urls = sorted(contexts.documents)

    def read(number: int) -> None:
        unknown = [CREDENTIALS_V2, f"https://a.example/{number}"]
        walk({"@context": unknown, "name": "x"}, contexts)
        walk({"@context": [CREDENTIALS_V2] * (11 + number % 1_000), "name": "x"}, contexts)
        if number % 500 == 0:
            some = random.Random(number).sample(urls, 2)
            walk({"@context": some, "name": "x"}, contexts)

    assert growth(read, 10_000) < 20
    assert len(contexts.chains._found) <= 32
    honest(contexts)


def test_ever_other_sets_of_types_do_not_fill_memory_and_the_walk_recovers() -> None:
    contexts = pinned_contexts()
    chain = contexts.chains.chain(CREDENTIAL)
    chance = random.Random(16)
    kinds_of = sorted(chain.top.scoped)
    for _ in range(450):
        types: Sequence[str] = chance.sample(kinds_of, chance.randint(2, 8))
        walk({"@context": OB, "type": types, "name": "x"}, contexts)

    found = contexts.chains._found.values()
    assert all(each is None or len(each._states) <= 200 for each in found)
    assert contexts.chains.chain(CREDENTIAL) is not chain
    honest(contexts)


def evidence_template(contexts: Contexts, fixed: str) -> Template:
    """A template with twelve pieces of evidence whose text changes, and one whose text does not."""
    evidence = [{"type": "Evidence", "narrative": f"{number}"} for number in range(12)]
    evidence.append({"type": "Evidence", "narrative": fixed})
    places: tuple[Place, ...] = tuple(("evidence", number, "narrative") for number in range(12))
    return Template(CREDENTIAL | {"evidence": evidence}, places, contexts)


def test_ever_other_orders_of_blank_nodes_do_not_fill_memory(fast: Contexts) -> None:
    template = evidence_template(fast, "always the same")

    def fill(number: int) -> None:
        template.fill([f"{number} {slot}" for slot in range(12)])

    assert growth(fill, 3_000) < 1
    assert 100 < len(template._arranged) <= MOST_ARRANGED


def test_what_is_remembered_of_orders_takes_no_more_than_it_may(fast: Contexts) -> None:
    """Each line that leads to one of many blank nodes names its predicate, which may be long."""
    kids = [{"s://1": f"{number}"} for number in range(60)]
    subject = {f"https://a.example/{'p' * 12_000}": kids[:30], "s://q": kids[30:]}
    document = {"@context": OB, "id": "urn:a", "type": "Evidence", "s://2": subject}
    places: tuple[Place, ...] = tuple(("s://2", "s://q", number, "s://1") for number in range(15))
    template = Template(document, places, fast)

    def fill(number: int) -> None:
        template.fill([f"{number} {slot}" for slot in range(15)])

    assert growth(fill, 300) < 1.1 * MOST_KEPT / MEGABYTE


def test_orders_share_what_is_the_same_in_them(fast: Contexts) -> None:
    template = evidence_template(fast, "always the same" * 1_000)

    for number in range(300):
        template.fill([f"{number} {slot}" for slot in range(12)])

    assert len(template._arranged) > 20
    parts = [part for each in template._arranged.values() for part in each.parts]
    long = {id(part) for part in parts if len(part) > 9_999}
    assert 1 < len(long) <= 14


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_hash_of_what_is_filled_in_is_that_of_the_whole(kind: Kind, fast: Contexts) -> None:
    template = Template(kind.credential, kind.places, fast)

    for number in range(50):
        values = plain_values(kind, number)
        assert template.digest(values) == hashlib.sha256(template.fill(values)).digest()


def test_an_order_that_is_not_remembered_is_written_as_one_that_is(fast: Contexts) -> None:
    template = evidence_template(fast, "always the same")
    remembered = []

    for number in range(2 * MOST_ARRANGED):
        values = [f"{number} {slot}" for slot in range(12)]
        written = template.fill(values)
        assert template.digest(values) == hashlib.sha256(written).digest()
        remembered.append(len(template._arranged))
        evidence = [
            {"type": "Evidence", "narrative": text} for text in (*values, "always the same")
        ]
        document = CREDENTIAL | {"evidence": evidence}
        assert written.decode() == canonicalize(document, fast)

    assert remembered[0] == 1
    assert remembered[-1] == remembered[MOST_ARRANGED] > 100


def test_an_iri_with_del_is_no_matter_for_a_template_and_is_read_the_same_both_ways(
    fast: Contexts,
) -> None:
    document = CREDENTIAL | {"id": "urn:a"}
    template = Template(document, [("id",)], fast)

    with pytest.raises(Unusual):
        template.fill(["urn:a\x7fb"])
    odd = document | {"id": "urn:a\x7fb"}
    assert walk(odd, fast) is None
    assert reading(odd, fast) == reading(odd, slow(fast))


def test_a_document_that_is_refused_names_the_same_part_whichever_way_it_was_tried(
    fast: Contexts,
) -> None:
    document = CREDENTIAL | {"issuer": ISSUER | {"undefined": "x"}}

    found = [reading(document, contexts) for contexts in (fast, slow(fast))]

    assert found[0] == found[1]
    assert found[0][:2] == (DataLoss.__name__, "undefined_term")
