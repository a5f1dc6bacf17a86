"""What is learnt of documents that were verified: the same canonical form, or none; and nothing of others."""

import json
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

    def dated(number: int, day: str) -> Json:
        return another(number) | {"validFrom": f"2026-11-{day}T10:00:00Z"}

    assert known.canonical(dated(5, "02")) is None
    known.learn(dated(5, "02"), contexts)

    found = known.canonical(dated(6, "03"))
    assert found is not None
    assert found.decode() == canonicalize(dated(6, "03"), contexts)

    for tries in range(2, seen.MOST_TRIES + 1):
        other = another(7)
        other["issuer"]["id"] = other["issuer"]["id"]
        other["credentialSubject"]["identifier"][0]["salt"] = f"{tries}"
        other["credentialStatus"]["statusPurpose"] = f"p{tries}"
        other["credentialStatus"]["type"] = f"T{tries}"
        known.learn(other, contexts)
    late = another(8) | {"awardedDate": "2026-11-01T10:00:00Z"}
    known.learn(late, contexts)
    assert known.canonical(late | {"awardedDate": "2026-11-02T10:00:00Z"}) is None


def test_so_many_kinds_are_kept_and_no_more() -> None:
    known, contexts = taught(), pinned_contexts()

    for number in range(seen.MOST_KINDS + 10):
        document = another(number)
        document["credentialSubject"]["achievement"]["name"] = f"Definition {number}"
        known.learn(document, contexts)

    assert len(known) == seen.MOST_KINDS
    assert known.canonical(another(5)) is None


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
    contexts = replace(pinned_contexts(), seen=Seen())
    form, key = FORMATS["ldp_vc"], made.signing.signer.public_key

    def check(body: bytes) -> bool:
        presented = form.read(body)
        form.check_proof(presented, presented.proofs[0], key, contexts)
        return contexts.seen is not None and contexts.seen.canonical(presented.document) is not None

    bodies = [secured(made, another(number)) for number in range(1, 6)]
    tampered: Json = json.loads(bodies[0])
    tampered["credentialSubject"]["identifier"][0]["identityHash"] = "Någon annan"
    for _ in range(3):
        with pytest.raises(ProofInvalid):
            check(json.dumps(tampered).encode())
    assert isinstance(contexts.seen, Seen)
    assert len(contexts.seen) == 0

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
