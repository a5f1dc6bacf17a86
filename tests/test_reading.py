"""Two readings, one meaning: re-spellings that keep graph and signature, and say something else to a reader."""

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from kpass_vc.errors import Malformed
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.graph import Graph
from kpass_vc.verification import BADGE
from kpass_vc.verification.reading import CREDENTIAL, Signed, compare, terms_of
from tests.sample import Json, Sample, at, outcome, places, sample

CRED = "https://www.w3.org/2018/credentials#"
STATUS = "https://www.w3.org/ns/credentials/status#"
SCHEMA = "https://schema.org/"
XSD = "http://www.w3.org/2001/XMLSchema#"
OB = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"


def rich(made: Sample) -> Json:
    """A badge with everything in it that a re-spelling could move."""
    credential = made.credential
    until = credential.pop("validUntil", "2099-01-01T00:00:00Z")
    issuer = credential["issuer"]["id"]
    return credential | {
        "validUntil": until,
        "evidence": [{"id": "https://evidence.example/1", "type": ["Evidence"], "name": "Foto"}],
        "termsOfUse": [{"id": "https://terms.example/1", "type": "https://terms.example/Terms"}],
        "endorsement": [
            {
                "@context": credential["@context"],
                "id": "urn:uuid:00000000-0000-4000-8000-000000000001",
                "type": ["VerifiableCredential", "EndorsementCredential"],
                "name": "Vouched for",
                "issuer": {"id": issuer, "type": ["Profile"], "name": credential["issuer"]["name"]},
                "validFrom": "2026-01-01T00:00:00Z",
                "credentialSubject": {
                    "id": "https://about.example/1",
                    "type": ["EndorsementSubject"],
                    "endorsementComment": "Bra.",
                },
            }
        ],
    }


def named(value: Json) -> Json:
    """An object that gets an id, so that it can be described in two places."""
    return {**value, "id": value.get("id", "urn:uuid:00000000-0000-4000-8000-0000000000aa")}


def moved(document: Json, path: tuple[Any, ...], member: str, to: tuple[Any, ...]) -> None:
    """A member of a node moved to a second description of the same node, elsewhere."""
    node: Any = document
    for step in path:
        node = node[step]
    value = node.pop(member)
    place: Any = document
    for step in to[:-1]:
        place = place[step]
    second = {"id": node["id"], member: value}
    if member != "type" and "type" in node:  # which brings the context that defines the member
        second["type"] = node["type"]
    found = place.get(to[-1])
    if found is None:
        place[to[-1]] = second
    else:
        place[to[-1]] = [*(found if isinstance(found, list) else [found]), second]


def renamed(path: tuple[Any, ...], old: str, new: str) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        node: Any = document
        for step in path:
            node = node[step]
        node[new] = node.pop(old)

    return change


def typed(path: tuple[Any, ...], old: str, new: str, keyword: str) -> Callable[[Json], None]:
    """A member by its IRI, with the type that its term gave it said beside it."""

    def change(document: Json) -> None:
        node: Any = document
        for step in path:
            node = node[step]
        kind = {"@type": f"{XSD}dateTime"} if keyword == "@value" else {}
        node[new] = {keyword: node.pop(old), **kind}

    return change


def as_value(path: tuple[Any, ...], member: str, kind: str) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        node: Any = document
        for step in path:
            node = node[step]
        node[member] = {"@value": node[member], "@type": kind}

    return change


def wrapped(path: tuple[Any, ...], member: str, keyword: str) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        node: Any = document
        for step in path:
            node = node[step]
        value = node[member]
        node[member] = {keyword: value if isinstance(value, list) else [value]}

    return change


ROOT: tuple[Any, ...] = ()
ENTRY = ("credentialStatus",)
SUBJECT = ("credentialSubject",)

# each keeps the canonical quads of the document, which the test shows
RESPELLED: dict[str, Callable[[Json], None]] = {
    "the end date by its IRI": typed(ROOT, "validUntil", f"{CRED}validUntil", "@value"),
    "the beginning by its IRI": typed(ROOT, "validFrom", f"{CRED}validFrom", "@value"),
    "the status by its IRI": renamed(ROOT, "credentialStatus", f"{CRED}credentialStatus"),
    "the subject by its IRI": renamed(ROOT, "credentialSubject", f"{CRED}credentialSubject"),
    "the issuer by its IRI": renamed(ROOT, "issuer", f"{CRED}issuer"),
    "the schema's name by its IRI": renamed(ROOT, "name", f"{SCHEMA}name"),
    "the status purpose by its IRI": renamed(ENTRY, "statusPurpose", f"{STATUS}statusPurpose"),
    "the status index by its IRI": renamed(ENTRY, "statusListIndex", f"{STATUS}statusListIndex"),
    "the list by its IRI": typed(
        ENTRY, "statusListCredential", f"{STATUS}statusListCredential", "@id"
    ),
    "the achievement by its IRI": renamed(SUBJECT, "achievement", f"{OB}achievement"),
    "the root's id as a keyword": renamed(ROOT, "id", "@id"),
    "the root's type as a keyword": renamed(ROOT, "type", "@type"),
    "the status type as a keyword": renamed(ENTRY, "type", "@type"),
    "the status id as a keyword": renamed(ENTRY, "id", "@id"),
    "the issuer's id as a keyword": renamed(("issuer",), "id", "@id"),
    "the subject's id as a keyword": renamed(SUBJECT, "id", "@id"),
    "the end date as a typed value": as_value(ROOT, "validUntil", f"{XSD}dateTime"),
    "the index as a value": lambda d: d["credentialStatus"].update(
        statusListIndex={"@value": d["credentialStatus"]["statusListIndex"]}
    ),
    "the status in a set": wrapped(ROOT, "credentialStatus", "@set"),
    "the subject in a set": wrapped(ROOT, "credentialSubject", "@set"),
    "an empty list beside": lambda d: d.update(credentialSchema=[]),
    "the end date in a list in a list": lambda d: d.update(validUntil=[[d["validUntil"]]]),
    "the index moved to a second description": lambda d: moved(
        d, ENTRY, "statusListIndex", ("evidence",)
    ),
    "the purpose moved to a second description": lambda d: moved(
        d, ENTRY, "statusPurpose", ("relatedResource",)
    ),
    "the list moved to a second description": lambda d: moved(
        d, ENTRY, "statusListCredential", ("termsOfUse",)
    ),
    "the achievement moved to a second description": lambda d: moved(
        d, SUBJECT, "achievement", ("evidence",)
    ),
    "the achievement's text moved": lambda d: moved(
        d, (*SUBJECT, "achievement"), "description", ("evidence",)
    ),
    "the achievement's criteria moved": lambda d: moved(
        d, (*SUBJECT, "achievement"), "criteria", ("evidence",)
    ),
    "the learner's identifier moved": lambda d: moved(d, SUBJECT, "identifier", ("evidence",)),
    "the digest moved": lambda d: moved(d, ("relatedResource", 0), "digestSRI", ("evidence",)),
    "the evidence's name moved": lambda d: moved(d, ("evidence", 0), "name", ("relatedResource",)),
    "the terms' type moved": lambda d: moved(d, ("termsOfUse", 0), "type", ("relatedResource",)),
}


def prepared(made: Sample) -> Json:
    """A signed badge whose nodes all have ids; its description elsewhere adds only what is moved."""
    document = rich(made)
    status = document["credentialStatus"] = named(document["credentialStatus"])
    # second descriptions point to the node from here: the edges are there before anything is moved
    pointed = [
        {"id": status["id"]},
        {"id": document["credentialSubject"]["id"]},
        {"id": document["credentialSubject"]["achievement"]["id"]},
        {"id": document["relatedResource"][0]["id"]},
    ]
    document["evidence"] += pointed
    document["relatedResource"] += [{"id": status["id"]}, {"id": "https://evidence.example/1"}]
    document["relatedResource"] += [{"id": "https://terms.example/1"}]
    document["termsOfUse"] += [{"id": status["id"]}]
    return document


@pytest.mark.parametrize("name", RESPELLED)
def test_a_re_spelling_is_the_same_graph_and_is_refused_with_the_member_named(name: str) -> None:
    made = sample()
    document = prepared(made)
    respelled = deepcopy(document)
    RESPELLED[name](respelled)
    assert respelled != document
    try:
        same = canonicalize(respelled, made.contexts) == canonicalize(document, made.contexts)
    except Exception:  # noqa: BLE001 - arrays in arrays are refused before there is a graph
        same = name == "the end date in a list in a list"
    assert same, "this is another document, not another spelling"
    signed = json.loads(made.sign(document))

    report = made.judge({**respelled, "proof": signed["proof"]})

    assert report.verdict == "refused"
    found = {check: outcome(report, check) for check in ("terms", "reading")}
    named_by = [
        finding
        for finding in report.findings
        if finding.check in found and finding.outcome == "failed"
    ]
    assert named_by, found
    assert all(finding.data.get("member") or finding.cause for finding in named_by)
    # and but for these two nothing would have been noticed of most of them: the proof holds
    if outcome(report, "proof")[0] == "failed":
        assert name == "the end date in a list in a list"


@pytest.mark.parametrize("name", [name for name in RESPELLED if "moved" in name])
def test_what_is_moved_is_found_by_the_second_reading_alone(name: str) -> None:
    made = sample()
    document = prepared(made)
    signed = json.loads(made.sign(document))
    RESPELLED[name](document)

    report = made.judge({**document, "proof": signed["proof"]})

    assert outcome(report, "proof") == ("passed", "passed")
    assert outcome(report, "terms") == ("passed", "passed")
    assert outcome(report, "reading") == ("failed", "differs")


HARMLESS: dict[str, Callable[[Json], None]] = {
    "members in another order": lambda d: d.update(dict(reversed(list(d.items())))),
    "one status in a list": lambda d: d.update(credentialStatus=[d["credentialStatus"]]),
    "one subject in a list": lambda d: d.update(credentialSubject=[d["credentialSubject"]]),
    "evidence out of its list": lambda d: d.update(evidence=d["evidence"][0]),
    "types the other way round": lambda d: d["type"].reverse(),
    "a type out of its list": lambda d: d["credentialSubject"].update(type="AchievementSubject"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_spelling_that_says_the_same_to_every_reader_is_read(name: str) -> None:
    made = sample()
    document = made.credential
    document["evidence"] = [
        {"id": "https://evidence.example/1", "type": ["Evidence"], "name": "Foto"}
    ]
    signed = json.loads(made.sign(document))
    HARMLESS[name](document)

    report = made.judge({**document, "proof": signed["proof"]})

    assert outcome(report, "reading") == ("passed", "passed")
    assert outcome(report, "proof") == ("passed", "passed")


def test_an_option_of_the_proof_that_is_spelled_otherwise_is_refused() -> None:
    made = sample()
    for old, new in (("created", "http://purl.org/dc/terms/created"), ("type", "@type")):
        signed = made.signed
        signed["proof"][new] = signed["proof"].pop(old)
        assert made.judge(signed).verdict == "refused"


def test_what_is_signed_as_json_needs_no_second_reading() -> None:
    made = sample()

    assert outcome(made.judge(made.jwt), "reading") == ("passed", "signed_as_json")
    assert "reading" in BADGE.checks


def test_every_sample_reads_the_same_twice() -> None:
    made = sample()

    compare(made.credential, CREDENTIAL, made.contexts)


def changed(document: Json, source: Random) -> Json:
    """A copy with one value somewhere taken out, doubled, or put in the place of another."""
    copy: Json = deepcopy(document)
    found = [place for place in places(copy) if place and place[0] != "@context"]
    place = source.choice(found)
    parent, last = at(copy, place[:-1]), place[-1]
    other = deepcopy(at(copy, source.choice(found)))
    match source.randrange(5):
        case 0:
            del parent[last]
        case 1:
            parent[last] = other
        case 2:
            parent[last] = [parent[last], other]
        case 3:
            parent[last] = [parent[last]]
        case _:
            parent[last] = [deepcopy(parent[last]), deepcopy(parent[last])]
    return copy


def test_what_agrees_at_a_glance_agrees_member_by_member() -> None:
    made, source = sample(), Random(20261129)
    document, terms = rich(made), terms_of(made.contexts)
    plan = terms.plan(CREDENTIAL)
    answers = {True: 0, False: 0}

    for _ in range(400):
        signed = changed(document, source) if source.random() < 0.5 else document
        said = changed(signed, source) if source.random() < 0.8 else signed
        try:
            nodes = Graph(signed, made.contexts).nodes()
        except Malformed:
            continue
        found = Signed(nodes, terms, said)
        root = found.root()
        if root is None:
            continue
        is_same = found.agrees(said, root, plan)
        answers[is_same] += 1
        if is_same:
            found.compare(said, root, plan, "")

    assert min(answers.values()) > 50
