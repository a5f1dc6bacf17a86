"""Orders that come together: the same awards and the same refusals as one by one."""

import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import IssueOrder
from kpass_vc.actions.issue_together import Asked, Made, Outcome, issue_together
from kpass_vc.actions.learners import open_contact
from kpass_vc.compose.credential import Award as AwardParts
from kpass_vc.compose.credential import Holder, Issuer, Piece, StatusEntry, compose, kind_of, slots
from kpass_vc.errors import KpassError
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.model.document import JsonObject
from kpass_vc.model.slots import filled
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.delivery import Delivery
from kpass_vc.records.learner import Learner
from kpass_vc.records.status_list import StatusList
from tests.conftest import settings_for
from tests.world import Clock, World, actor_of, open_test_environment

DEFINITION = "sobona/SOB-OPTO-01"
ISSUER = "stadsnat-exempel"


def day(world: World, *, ago: int) -> str:
    today = world.env.now().astimezone(STOCKHOLM).date()
    return (today - timedelta(days=ago)).isoformat()


def order(world: World, name: str | None = "Amina Exempelsson", **members: Any) -> IssueOrder:
    holder: dict[str, Any] = {"name": name} if name else {}
    holder |= members.pop("holder", {})
    document = {"definition": DEFINITION, "holder": holder, "assessedOn": day(world, ago=4)}
    return IssueOrder.model_validate(document | members)


def all_sorts(world: World) -> list[tuple[IssueOrder, str | None]]:
    """Orders of every sort, those that are refused among them, with their Idempotency-Keys."""
    evidence = {
        "name": "Praktiskt prov",
        "narrative": 'Prov "på plats" <b>&</b>\nmed \\.',
    }
    mail = {"contact": {"email": "amina@example.org", "language": "sv"}}
    return [
        (order(world), None),
        (order(world, "Ömer Ş. Ünal 🎓"), None),
        (order(world, "Åsa", languages=["en"]), "key-1"),
        (order(world, "Åsa", languages=["en"]), "key-1"),
        (order(world, "Åsa", languages=["sv"]), "key-1"),
        (order(world, holder=mail), None),
        (order(world, holder={"reference": "17-4"}), None),
        (order(world, "Amina E.", holder={"reference": "17-4"}), None),
        (order(world, None, holder={"protectedIdentity": True}), None),
        (order(world, holder={"email": "Amina@Example.org"}), None),
        (
            order(world, holder={"id": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}),
            None,
        ),
        (order(world, holder={"id": "did:web:localhost%3A8000:o:sobona"}), None),
        (order(world, evidence=[evidence]), None),
        (order(world, evidence=[evidence, {"name": "Intyg"}]), None),
        (order(world, evidence=[{"name": "Film", "url": "https://prov.example/1"}]), None),
        (order(world, evidence=[{"name": "Lika"}, {"name": "Lika"}]), None),
        (order(world, validUntil=day(world, ago=-30)), None),
        (order(world, validUntil=day(world, ago=-300_000)), None),
        (order(world, assessedOn=day(world, ago=-1)), None),
        (order(world, "Amina 19121212-1212"), None),
        (order(world, externalReference="kurs-1"), None),
        (order(world, "Bea", externalReference="kurs-1"), None),
        (order(world, externalReference="kurs-2"), "key-2"),
        (order(world, endorsements=True), None),
        (order(world, presented=[{"id": "urn:x"}]), None),
        (order(world, definition="sobona/NO-SUCH"), None),
        (order(world), "å"),
        (order(world), "key-3"),
    ]


def outcomes_of(world: World, wanted: Sequence[tuple[IssueOrder, str | None]]) -> list[Outcome]:
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        asked = [Asked(actor, each, key) for each, key in wanted]
        return issue_together(world.env, session, asked)


def one_by_one(world: World, wanted: Sequence[tuple[IssueOrder, str | None]]) -> list[Outcome]:
    slow = replace(world.env, is_fast=False, contexts=replace(world.env.contexts, is_fast=False))
    return outcomes_of(World(slow, world.clock), wanted)


def comparable(outcome: Outcome) -> object:
    """What must be the same whichever way it was issued: all but ids, salts, places, signatures."""
    if isinstance(outcome, KpassError):
        return re.sub(r"[0-9a-f-]{36}", "", outcome.sentence("sv")), outcome.rule
    changing = {"id", "holder_id", "status_index", "learner_id", "status_list_id"}
    changing |= {"organization_id", "definition_version_id", "delegation_id"}
    award = {name: value for name, value in outcome.award.items() if name not in changing}
    forms = [(form["language"], form["format"], form["media_type"]) for form in outcome.forms]
    return award, sorted(forms), [bare(form["body"]) for form in sorted_forms(outcome)]


def sorted_forms(made: Made) -> list[Any]:
    forms = [form for form in made.forms if form["format"] == "ldp_vc"]
    return sorted(forms, key=lambda form: form["language"])


def bare(body: bytes) -> JsonObject:
    document: JsonObject = json.loads(body)
    subject: Any = document["credentialSubject"]
    for name in ("id", "credentialStatus"):
        document[name] = ""
    subject["id"] = ""
    for terms in document.get("termsOfUse", []):  # type: ignore[attr-defined]
        terms["id"] = ""
    for identity in subject.get("identifier", []):
        if identity["identityType"] == "emailAddress":
            identity |= {"identityHash": "", "salt": ""}
    proof: Any = document["proof"]
    document["proof"] = proof | {"verificationMethod": "", "proofValue": ""}
    return document


def count(world: World, table: type[Any]) -> int:
    with world.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def other(migrated_sqlite: Path, tmp_path: Path, clock: Clock) -> Iterator[World]:
    """Another installation, on SQLite."""
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "kpass.db")
    settings = settings_for(f"sqlite:///{folder}/kpass.db", folder)
    initialise(settings)
    found = World(open_test_environment(settings, clock), clock)
    yield found
    found.env.engine.dispose()


def test_what_is_ordered_together_comes_out_as_one_by_one(world: World, other: World) -> None:
    for each in (world, other):
        each.published_definition()

    together = outcomes_of(world, all_sorts(world))
    singly = one_by_one(other, all_sorts(other))

    made = [each for each in together if isinstance(each, Made)]
    assert [comparable(each) for each in together] == [comparable(each) for each in singly]
    assert len(made) >= 17
    for table in (Award, Representation, AuditEntry, Delivery, Learner):
        assert count(world, table) == count(other, table), table
    for form in (form for each in made for form in each.forms):
        report = world.verified(form["body"])
        assert report.verified, [str(finding) for finding in report.findings]


def test_the_notice_of_each_goes_to_the_address_that_came_with_its_order(world: World) -> None:
    world.published_definition()
    wanted = [
        (order(world, name, holder={"reference": reference, "contact": {"email": email}}), None)
        for name, reference, email in (
            ("Amina", "Klass 7", "amina@example.org"),
            ("Bea", "klass 7", "bea@example.org"),
        )
    ]

    made = outcomes_of(world, wanted)

    with world.reading() as session:
        sent = {
            row.award_id: open_contact(world.env, row.id, row.sealed_contact).email
            for row in session.scalars(select(Delivery))
            if row.sealed_contact
        }
    emails = ["amina@example.org", "bea@example.org"]
    assert [sent[each.id] for each in made if isinstance(each, Made)] == emails


def test_the_same_key_gives_the_same_award_and_another_order_with_it_is_refused(
    world: World,
) -> None:
    world.published_definition()

    first, again, other = outcomes_of(world, all_sorts(world)[2:5])
    [later] = outcomes_of(world, [all_sorts(world)[2]])

    assert isinstance(first, Made)
    assert isinstance(again, Made)
    assert isinstance(later, Made)
    assert first.id == again.id == later.id
    assert [form["body"] for form in later.forms] == [form["body"] for form in first.forms]
    assert isinstance(other, KpassError)


@pytest.mark.parametrize("odd", [("Lika", "Lika"), ("urn:kpass-slot:0001", "Annan")])
def test_an_odd_order_that_comes_first_does_not_make_those_after_it_slow(
    world: World, odd: tuple[str, str]
) -> None:
    world.published_definition()
    wanted = [
        (order(world, languages=["sv"], evidence=[{"name": name} for name in names]), None)
        for names in (odd, ("Prov", "Intyg"))
    ]

    fast = replace(world.env, is_fast=True, contexts=replace(world.env.contexts, is_fast=True))
    outcomes = [outcomes_of(World(fast, world.clock), [each])[0] for each in wanted]

    assert all(isinstance(outcome, Made) for outcome in outcomes)
    assert [series is not None for series in fast.series._found.values()] == [True]


def test_no_index_is_given_out_twice_and_a_list_that_fills_up_is_followed_by_another(
    world: World,
) -> None:
    world.published_definition()
    [first] = outcomes_of(world, [(order(world), None)])
    assert isinstance(first, Made)
    with world.writing() as session:
        held = session.get_one(StatusList, first.award["status_list_id"])
        held.used = held.size - 3

    made = outcomes_of(world, [(order(world, f"Elev {number}"), None) for number in range(10)])

    places = Counter(
        (each.award["status_list_id"], each.award["status_index"])
        for each in made
        if isinstance(each, Made)
    )
    assert len(places) == 10
    assert sorted(Counter(of for of, _ in places).values()) == [3, 7]
    for each in made:
        assert isinstance(each, Made)
        assert world.verified(each.forms[0]["body"]).verified


@pytest.mark.parametrize("threads", [4])
def test_a_reference_that_many_use_at_once_is_issued_once(world: World, threads: int) -> None:
    world.published_definition()
    actor = actor_of(world.organization(ISSUER))
    found: list[Outcome] = []
    start = threading.Barrier(threads)

    def work(number: int) -> None:
        asked = [
            Asked(actor, order(world, f"Elev {number}", externalReference=f"ref-{place}"))
            for place in range(12)
        ]
        start.wait(20)
        with world.writing() as session:
            outcomes = issue_together(world.env, session, asked)
        found.extend(outcomes)

    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()

    made = [each for each in found if isinstance(each, Made)]
    refused = [each for each in found if isinstance(each, KpassError)]
    assert Counter(each.award["external_reference"] for each in made) == {
        f"ref-{place}": 1 for place in range(12)
    }
    assert len(refused) == 12 * (threads - 1)
    assert {each.rule for each in refused} == {"reference_in_use"}
    assert count(world, Award) == 12


@pytest.mark.postgresql
def test_a_list_that_another_holds_for_long_is_waited_for_where_a_circle_would_be_seen(
    world: World,
) -> None:
    world.published_definition()
    [first] = outcomes_of(world, [(order(world), None)])
    assert isinstance(first, Made)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with world.writing() as session:
            session.get_one(StatusList, first.award["status_list_id"], with_for_update=True)
            held.set()
            release.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    threading.Timer(3, release.set).start()

    made = outcomes_of(world, [(order(world, f"Elev {number}"), None) for number in range(3)])
    holder.join()

    assert all(isinstance(each, Made) for each in made)
    assert count(world, Award) == 4


def parts(world: World, number: int, **members: Any) -> AwardParts:
    today = world.env.now().astimezone(STOCKHOLM).date()
    given: dict[str, Any] = {
        "credential_id": f"https://kpass.example/o/x/credentials/{number}",
        "holder": Holder(
            f"urn:uuid:{number}", f"Elev {number}", f"e{number}@x.example", f"{number}"
        ),
        "assessed_on": today - timedelta(days=number),
        "valid_from": world.env.now() - timedelta(seconds=number),
        "valid_until": today + timedelta(days=number),
        "evidence": [
            Piece(f"a{number}", f"b{number}", f"c{number}", f"https://x.example/{number}")
        ],
        "status": StatusEntry(
            "https://kpass.example/o/x/status/revocation-1.json", "revocation", number
        ),
        "definition_url": "https://kpass.example/d.json",
        "definition_digest": "sha384-x",
    }
    return AwardParts(**(given | members))


VARIANTS: list[dict[str, Any]] = [
    {},
    {"valid_until": None},
    {"evidence": []},
    {"evidence": [Piece("bara namn")]},
    {"evidence": [Piece(None, "bara text"), Piece("namn", None, "genre")]},
    {"holder": Holder("did:example:1")},
    {"holder": Holder("did:example:1", "Namn")},
    {"holder": Holder("did:example:1", None, "a@x.example", "salt")},
    {"is_test": True},
    {"authorization_url": "https://kpass.example/a.json"},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_credentials_of_one_kind_differ_in_their_slots_and_nowhere_else(
    world: World, variant: dict[str, Any]
) -> None:
    edition: JsonObject = {"id": "https://kpass.example/a", "name": "N", "description": "D"}
    issuer = Issuer("did:web:x", "X", None, None, None, "SE")
    first, second = (parts(world, number, **variant) for number in (1, 2))

    def composed(award: AwardParts) -> JsonObject:
        return compose(award, issuer, edition, vocabulary="https://v.example/#", language="sv")

    assert kind_of(first) == kind_of(second) is not None
    places = [place for place, _ in slots(first)]
    assert places == [place for place, _ in slots(second)]
    assert filled(composed(first), places, [text for _, text in slots(second)]) == composed(second)
    others = [parts(world, 1, **other) for other in VARIANTS if other is not variant]
    assert kind_of(first) not in [kind_of(other) for other in others]


def test_what_names_another_credential_or_holds_what_others_signed_is_of_no_kind(
    world: World,
) -> None:
    assert kind_of(parts(world, 1, replaces="urn:uuid:1")) is None
    assert kind_of(parts(world, 1, endorsements=[{}])) is None
