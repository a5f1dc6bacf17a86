"""Nothing of a document may be left out of what is signed."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kpass_vc.errors import DataLoss, Malformed, UnknownContext
from kpass_vc.jsonld import to_quads
from kpass_vc.jsonld.contexts import CREDENTIALS_V2, OPEN_BADGES_3, Contexts
from tests.sample import Json, Sample, at, outcome, places, replaced, sample

SECRET = {"secret": "unsigned"}

# The ways of SECURITY 0.6: PyLD gives the same quads with and without them
UNSIGNED: dict[str, Callable[[Json], Any]] = {
    "an undefined term": lambda d: d.update(undefined="x"),
    "an undefined object inside": lambda d: d["issuer"].update(undefined=SECRET),
    "something that looks like a keyword": lambda d: d.update({"@foo": "x"}),
    "an empty term": lambda d: d.update({"": "x"}),
    "a relative type": lambda d: d["type"].append("NoSuchType"),
    "a relative id": lambda d: d["credentialSubject"]["achievement"]["image"].update(
        id="badge.png"
    ),
    "null": lambda d: d.update(image=None),
    "a blank node property": lambda d: d.update({"_:b0": "x"}),
}
MORE: dict[str, Callable[[Json], Any]] = {
    "null inside a list": lambda d: d["type"].append(None),
    "a nested context": lambda d: d["issuer"].update({"@context": CREDENTIALS_V2}),
    "an empty nested context": lambda d: d["credentialSubject"].update({"@context": {}}),
    "@graph": lambda d: d.update({"@graph": [SECRET]}),
    "@included": lambda d: d.update({"@included": [{"id": "urn:x", "name": "x"}]}),
    "@reverse": lambda d: d.update({"@reverse": {"issuer": {"id": "urn:x"}}}),
    "@index": lambda d: d["issuer"].update({"@index": "x"}),
    "@nest": lambda d: d.update({"@nest": {"name": "x"}}),
    "@none": lambda d: d.update({"@none": "x"}),
    "@base": lambda d: d.update({"@base": "https://evil.example/"}),
    "@vocab": lambda d: d.update({"@vocab": "https://evil.example/"}),
    "a malformed language tag": lambda d: d.update(name={"@value": "x", "@language": "no tag!"}),
    "an empty language tag": lambda d: d.update(name={"@value": "x", "@language": ""}),
    "a relative datatype": lambda d: d.update(name={"@value": "x", "@type": "nope"}),
    "an id that is no text": lambda d: d["issuer"].update(id=["did:web:a"]),
    "an id with a blank": lambda d: d["issuer"].update(id="https://a b/"),
    "a number as a type": lambda d: d.update(type=5),
    "a relative status list": lambda d: d["credentialStatus"].update(statusListCredential="list"),
    "an id with white space beyond ASCII": lambda d: d["issuer"].update(id="https://a\u00a0b/"),
    "an id with a line separator": lambda d: d["issuer"].update(id="https://a\u2028b/"),
    "a lone relative id": lambda d: d.update({"id": "urn"}),
}


def test_a_real_credential_becomes_quads() -> None:
    quads = to_quads(sample().credential, sample().contexts)

    assert len(quads) > 100
    assert any("Amina Exempelsson" in quad.object for quad in quads)


@pytest.mark.parametrize("change", [*UNSIGNED.values(), *MORE.values()], ids=[*UNSIGNED, *MORE])
def test_what_would_go_unsigned_is_neither_signed_nor_verified(
    change: Callable[[Json], Any],
) -> None:
    made = sample()
    credential, signed = made.credential, made.signed
    change(credential)
    change(signed)

    for secure in (made.sign, made.sign_jwt):
        with pytest.raises(DataLoss) as caught:
            secure(credential)
        assert caught.value.sentence("sv") != caught.value.sentence("en")
    report = made.judge(signed)

    assert report.verdict == "refused"
    assert outcome(report, "terms")[0] == "failed"
    assert outcome(report, "proof")[0] != "passed"


def objects(credential: Json) -> list[tuple[str | int, ...]]:
    """The places of all objects of a credential."""
    return [place for place in places(credential) if isinstance(at(credential, place), dict)]


def with_member(credential: Json, place: tuple[str | int, ...], name: str, value: object) -> Json:
    """A copy with one more member in the object at a place."""
    changed = {**at(credential, place), name: value}
    return replaced(credential, place, changed) if place else changed


def accepted(made: Sample, members: list[tuple[str, object]]) -> list[tuple[object, ...]]:
    """Where to_quads takes one of the members in an object of the sample."""
    taken: list[tuple[object, ...]] = []
    for place in objects(made.credential):
        for name, value in members:
            try:
                to_quads(with_member(made.credential, place, name, value), made.contexts)
            except Malformed:
                continue
            taken.append((place, name))
    return taken


def test_an_undefined_member_is_found_in_every_object_of_a_credential() -> None:
    made = sample()
    members: list[tuple[str, object]] = [
        ("undefinedTerm", "x"),
        ("undefinedTerm", SECRET),
        ("undefinedTerm", []),
        ("", "x"),
        ("@x", "x"),
        ("_:x", "x"),
    ]

    assert len(objects(made.credential)) > 20
    assert accepted(made, members) == []


def test_a_context_below_the_root_is_refused_with_its_place() -> None:
    made = sample()
    contexts: list[object] = [CREDENTIALS_V2, [], {}, None]

    for place in objects(made.credential)[1:]:
        for context in contexts:
            with pytest.raises(DataLoss) as caught:
                to_quads(with_member(made.credential, place, "@context", context), made.contexts)
            assert caught.value.rule == "nested_context"
            assert caught.value.data["part"] == "/" + "/".join(map(str, place)) + "/@context"


def test_a_keyword_of_values_and_sets_on_an_object_is_refused() -> None:
    assert accepted(sample(), [("@language", "x"), ("@set", "x"), ("@list", "x")]) == []


@pytest.mark.parametrize(
    "context",
    [
        "https://evil.example/v1",
        "http://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/v2#",
        "https://www.w3.org/ns/credentials/v2/",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-9.9.9.json",
    ],
)
def test_a_context_that_is_not_pinned_is_unknown_and_never_fetched(context: str) -> None:
    made = sample()
    credential = made.credential | {"@context": [CREDENTIALS_V2, OPEN_BADGES_3, context]}

    with pytest.raises(UnknownContext) as caught:
        to_quads(credential, made.contexts)

    assert caught.value.data["url"] == context


@pytest.mark.parametrize(
    "context",
    [
        None,
        5,
        "",
        "relative",
        [],
        [None],
        [5],
        [[]],
        {},
        {"@version": "zz"},
        {"@import": "https://evil.example/"},
        {"@context": {"a": 5}},
        {"VerifiableCredential": "https://evil.example/"},
        [CREDENTIALS_V2, {"VerifiableCredential": "https://evil.example/"}],
        [CREDENTIALS_V2, None],
        [CREDENTIALS_V2, {"@propagate": "x"}],
    ],
    ids=repr,
)
def test_a_context_that_is_wrong_or_redefines_terms_is_refused(context: object) -> None:
    made = sample()

    with pytest.raises(Malformed):
        to_quads(made.credential | {"@context": context}, made.contexts)


def test_a_document_without_a_context_loses_all_its_terms_and_is_refused_everywhere() -> None:
    made = sample()
    credential, signed = made.credential, made.signed
    del credential["@context"], signed["@context"]

    with pytest.raises(DataLoss):
        made.sign(credential)
    assert made.judge(signed).verdict == "refused"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"@context": CREDENTIALS_V2},
        {"@context": CREDENTIALS_V2, "id": "urn:uuid:1"},
        {"@context": CREDENTIALS_V2, "@value": "x"},
        {"@context": CREDENTIALS_V2, "@list": []},
    ],
    ids=repr,
)
def test_a_document_that_says_nothing_is_refused(document: Json) -> None:
    with pytest.raises(DataLoss):
        to_quads(document, sample().contexts)


def test_a_language_tag_a_typed_value_and_a_full_iri_are_part_of_the_quads() -> None:
    made = sample()
    credential = made.credential | {
        "name": {"@value": "Fibre", "@language": "en-GB"},
        "https://x.example/credits": {"@value": "3", "@type": "https://x.example/points"},
    }

    objects = {quad.object for quad in to_quads(credential, made.contexts)}

    assert '"Fibre"@en-GB' in objects or '"Fibre"@en-gb' in objects
    assert '"3"^^<https://x.example/points>' in objects


class Slow(Contexts):
    """Contexts that are read slowly, and who was reading at the same time."""

    def document(self, url: str) -> Mapping[str, object]:
        reading.append(url)
        most.append(len(reading))
        waiting.wait(0.2)
        reading.remove(url)
        return {"@context": {"name": "https://schema.org/name"}}


reading: list[str] = []
most: list[int] = []
waiting = threading.Event()


def test_documents_are_expanded_one_at_a_time_since_pyld_tears_its_own_contexts() -> None:
    def expand(number: int) -> None:
        url = f"https://slow.example/{number}"
        to_quads({"@context": url, "@id": "urn:x", "name": "x"}, Slow({}))

    threads = [threading.Thread(target=expand, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1, 1, 1]
