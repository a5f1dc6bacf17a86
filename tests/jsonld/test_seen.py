"""What is learnt of documents that were verified: the same canonical form, or none; and nothing of others."""

import json
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import pytest

from kpass_vc.errors import ProofInvalid
from kpass_vc.formats import FORMATS
from kpass_vc.jsonld import canonicalize, seen
from kpass_vc.jsonld.graph import Graph
from kpass_vc.jsonld.seen import Seen
from kpass_vc.resources import contexts as pinned_contexts
from tests.sample import Json, Sample, sample

NAMES = ("Amina", 'Åsa "Ö" \\', "Çelik\n", "")


def another(number: int) -> Json:
    """The sample of another learner."""
    document = sample().credential
    document["id"] = f"https://mikromerit.example/credentials/{number}"
    document["credentialSubject"]["id"] = f"urn:uuid:{number}"
    document["credentialSubject"]["identifier"][0]["identityHash"] = NAMES[number % 4]
    document["credentialStatus"]["statusListIndex"] = str(number)
    document["credentialStatus"]["id"] = f"https://mikromerit.example/list#{number}"
    return document


def taught() -> Seen:
    """One that knows credentials like the sample."""
    known, contexts = Seen(), pinned_contexts()
    known.learn(another(1), contexts)
    known.learn(another(2), contexts)
    return known


def test_what_differs_from_two_in_texts_at_the_same_places_is_known() -> None:
    known, contexts = taught(), pinned_contexts()

    for number in range(3, 40):
        document = another(number)
        found = known.canonical(document)
        assert found is not None
        assert found.decode() == canonicalize(document, contexts)
    assert len(known) == 1


CHANGES: dict[str, Callable[[Json], object]] = {
    "a text elsewhere": lambda made: made["credentialSubject"].update(role="Montör"),
    "another member": lambda made: made.update(name="Annat"),
    "an undefined member": lambda made: made["credentialSubject"].update(undefined="x"),
    "no text": lambda made: made.update(id=None),
    "a number for a text": lambda made: made["credentialStatus"].update(statusListIndex=7),
    "true for 1": lambda made: made["credentialSubject"]["identifier"][0].update(hashed=1),
    "a list for a text": lambda made: made.update(id=[made["id"]]),
    "an IRI twice": lambda made: made["credentialSubject"].update(id=made["id"]),
    "the issuer's IRI": lambda made: made.update(id=made["issuer"]["id"]),
    "a compact IRI": lambda made: made.update(id="name:a"),
    "no IRI": lambda made: made.update(id="a b"),
    "members in another order": lambda made: made.update(id=made.pop("id")),
    "half a character": lambda made: made["credentialSubject"]["identifier"][0].update(
        identityHash="\ud800"
    ),
    "another context": lambda made: made["@context"].append("https://w3id.org/security/v2"),
    "another definition": lambda made: made["credentialSubject"]["achievement"].update(name="B"),
    "no subject": lambda made: made.update(credentialSubject=None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_whatever_else_is_different_it_is_not_taken_for_one_that_is_known(
    change: Callable[[Json], object],
) -> None:
    known, document = taught(), another(5)
    assert known.canonical(document) is not None

    change(document)

    assert known.canonical(document) is None


def test_another_place_that_differs_is_learnt_a_few_times_and_no_more() -> None:
    known, contexts = taught(), pinned_contexts()
    places = [("validFrom",), ("awardedDate",), ("name",), ("description",)]

    for tries, place in enumerate(places, 2):
        document = another(5) | {place[0]: f"2026-11-{tries:02}T10:00:00Z"}
        assert known.canonical(document) is None
        known.learn(document, contexts)
        found = known.canonical(document | {place[0]: "2026-11-01T10:00:00Z"})
        if tries <= seen.MOST_TRIES:
            assert found is not None
            expected = document | {place[0]: "2026-11-01T10:00:00Z"}
            assert found.decode() == canonicalize(expected, contexts)
        else:
            assert found is None


def more_of(document: Json) -> Json:
    """The same with another identifier, which is another structure."""
    found = deepcopy(document)
    found["credentialSubject"]["identifier"].append(found["credentialSubject"]["identifier"][0])
    return found


def test_a_first_one_of_another_structure_does_not_keep_the_others_from_being_learnt() -> None:
    known, contexts = Seen(), pinned_contexts()

    for document in (more_of(another(1)), another(2), another(3)):
        known.learn(document, contexts)
    for number in range(4, 12):
        known.learn(more_of(another(number)), contexts)

    assert known.canonical(another(12)) is not None


def test_what_one_signer_has_signed_teaches_nothing_about_another() -> None:
    known, contexts = Seen(), pinned_contexts()

    for number in range(1, 12):
        known.learn(another(number), contexts, "did:key:z6Mkx")

    assert known.canonical(another(12), "did:key:z6Mkx") is not None
    assert known.canonical(another(12), "did:web:a.example") is None


def of_kind(number: int, kind: int) -> Json:
    """The sample of another learner and another definition."""
    document = another(number)
    document["credentialSubject"]["achievement"]["name"] = f"Definition {kind}"
    return document


def test_so_many_kinds_are_kept_and_what_is_used_stays_longest() -> None:
    known, contexts = taught(), pinned_contexts()

    for kind in range(seen.MOST_MET + 10):
        known.learn(of_kind(1, kind), contexts)
        assert known.canonical(another(5)) is not None
    assert len(known) == seen.MOST_MET + 1

    for kind in range(seen.MOST_KNOWN + 5):
        known.learn(of_kind(1, -kind), contexts)
        known.learn(of_kind(2, -kind), contexts)
        assert known.canonical(another(6)) is not None
    assert known.canonical(of_kind(3, -1)) is None
    assert known.canonical(of_kind(3, -seen.MOST_KNOWN)) is not None


def test_a_document_of_a_thousand_blank_nodes_takes_no_more_than_its_share() -> None:
    known, contexts = Seen(), pinned_contexts()

    def wide(number: int) -> Json:
        document = another(number)
        subject = document["credentialSubject"]
        subject["https://a.example/p"] = [{"https://b.example/q": f"{n}"} for n in range(250)]
        return document

    tracemalloc.start()
    known.learn(wide(1), contexts)
    known.learn(wide(2), contexts)
    assert known.canonical(wide(3)) is not None
    before = tracemalloc.get_traced_memory()[0]
    found: bytes | None = None
    for number in range(4, 60):
        found = known.canonical(wide(number))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert grown < 200_000
    assert found is not None
    assert found.decode() == canonicalize(wide(59), contexts)


def test_a_document_whose_canonical_form_is_far_larger_is_not_learnt_from() -> None:
    known, contexts = Seen(), pinned_contexts()

    def wide(number: int) -> Json:
        document = another(number)
        kids = [{"https://b.example/q": f"{n}"} for n in range(60)]
        document["credentialSubject"][f"https://a.example/{'p' * 6_000}"] = kids
        return document

    for number in range(1, 4):
        known.learn(wide(number), contexts)

    assert len(canonicalize(wide(3), contexts)) > 20 * seen.MOST_BYTES
    assert known.canonical(wide(3)) is None


def test_threads_may_ask_and_learn_at_the_same_time() -> None:
    known, contexts = Seen(), pinned_contexts()

    def ask(number: int) -> bool:
        document = another(number)
        found = known.canonical(document)
        known.learn(document, contexts)
        return found is None or found.decode() == canonicalize(document, contexts)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))


def secured(made: Sample, document: Json) -> bytes:
    return made.sign(document)


def test_only_a_proof_that_holds_teaches_and_a_tampered_one_is_refused_when_known() -> None:
    made = sample()
    known = Seen()
    contexts = replace(pinned_contexts(), seen=known)
    form, key = FORMATS["ldp_vc"], made.signing.signer.public_key

    def check(body: bytes) -> bool:
        presented = form.read(body)
        form.check_proof(presented, presented.proofs[0], key, contexts)
        signer = str(presented.proofs[0].verification_method).partition("#")[0]
        return known.canonical(presented.document, signer) is not None

    bodies = [secured(made, another(number)) for number in range(1, 6)]
    tampered: Json = json.loads(bodies[0])
    tampered["credentialSubject"]["identifier"][0]["identityHash"] = "Någon annan"
    for _ in range(3):
        with pytest.raises(ProofInvalid):
            check(json.dumps(tampered).encode())
    assert len(known) == 0

    assert [check(body) for body in bodies] == [False, True, True, True, True]

    for number, body in enumerate(bodies):
        other: Json = json.loads(body)
        other["credentialSubject"]["identifier"][0]["identityHash"] = f"En annan {number}"
        with pytest.raises(ProofInvalid):
            check(json.dumps(other, ensure_ascii=False, separators=(",", ":")).encode())


def test_a_graph_that_was_read_from_memory_has_its_quads_all_the_same() -> None:
    contexts = replace(pinned_contexts(), seen=taught())
    document = another(9)
    graph = Graph(deepcopy(document), contexts)

    canonical = graph.canonical().decode()

    assert canonical == "".join(sorted({*canonical.splitlines(keepends=True)}))
    assert len(graph.quads()) == len(canonical.splitlines())
    assert graph.canonical("sha384") == Graph(document, pinned_contexts()).canonical("sha384")
    assert replace(contexts, is_fast=False).seen is contexts.seen
    slow = Graph(document, replace(contexts, is_fast=False))
    assert slow.canonical().decode() == canonical
