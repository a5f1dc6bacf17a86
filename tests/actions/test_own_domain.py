"""An organisation's own domain as its DID: prepare, check over real TLS, activate; nothing before is lost."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from kpass_vc.actions import own_domain
from kpass_vc.actions.publish_status import make_list
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.actions.verify import own_did_document
from kpass_vc.errors import Conflict, Forbidden, InvalidInput, KpassError, Unavailable
from kpass_vc.fetch import HttpsFetcher
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList
from tests.actions.test_delegate import OWNER, changed, granted
from tests.sample import outcome
from tests.tls import Answer, Authority, https_server, sends
from tests.world import OPERATOR_ACTOR, World, body_of

ISSUER = "stadsnat-exempel"
HOST = "issuer.example"


@dataclass
class Place:
    """The organisation's own web server."""

    world: World
    port: int
    answers: dict[str, Answer]

    @property
    def domain(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def did(self) -> str:
        return f"did:web:{HOST}%3A{self.port}"

    def prepare(self, domain: str | None = None, slug: str = ISSUER) -> own_domain.Domain:
        self.world.clock.advance(seconds=1)
        with self.world.writing() as session:
            return own_domain.prepare(
                self.world.env,
                session,
                OPERATOR_ACTOR,
                slug,
                self.domain if domain is None else domain,
            )

    def put(self, document: Any) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers["/.well-known/did.json"] = sends(body, "application/did+json")

    def check(self) -> KpassError | None:
        return own_domain.check(self.world.env, ISSUER)[1]

    def activate(self) -> None:
        found, problem = own_domain.check(self.world.env, ISSUER)
        assert problem is None, str(problem)
        with self.world.writing() as session:
            own_domain.activate(self.world.env, session, OPERATOR_ACTOR, ISSUER, found)

    def move(self) -> None:
        self.put(self.prepare().document)
        self.activate()


@pytest.fixture
def place(world: World, authority: Authority) -> Iterator[Place]:
    answers: dict[str, Answer] = {}
    with https_server(authority, answers) as port:
        fetcher = HttpsFetcher(
            allow=frozenset({f"{HOST}:{port}"}),
            ca_file=authority.ca_file,
            resolve=lambda _host, _port: ["127.0.0.1"],
        )
        there = replace(world, env=replace(world.env, fetcher=fetcher))
        there.organization(ISSUER)
        yield Place(there, port, answers)


def test_from_day_one_an_organisation_issues_as_its_own_domain(place: Place) -> None:
    place.world.published_definition()
    place.move()

    issued = place.world.issued()

    body = json.loads(body_of(issued))
    assert body["issuer"]["id"] == place.did
    assert body["proof"]["verificationMethod"].startswith(f"{place.did}#")
    for form in ("ldp_vc", "vc-jwt"):
        report = place.world.verified(body_of(issued, form=form))
        assert report.verdict == "verified"


def test_what_was_issued_before_the_move_verifies_and_can_be_revoked_after_it(place: Place) -> None:
    world = place.world
    world.published_definition()
    before, other = world.issued(), world.issued()
    old_did = json.loads(body_of(before))["issuer"]["id"]

    place.move()
    after = world.issued()
    world.set_status(other, "revoked")

    assert world.verified(body_of(before)).verdict == "verified"
    assert outcome(world.verified(body_of(other)), "status") == ("failed", "revoked")
    assert world.verified(body_of(after)).verdict == "verified"
    first, second = (json.loads(body_of(one))["credentialStatus"] for one in (before, after))
    assert first["statusListCredential"] != second["statusListCredential"]
    with world.reading() as session:
        document = own_did_document(session, old_did)
    assert document is not None
    assert document["id"] == old_did


def test_it_is_not_activated_before_the_document_is_there(place: Place) -> None:
    prepared = place.prepare()

    problem = place.check()

    assert problem is not None
    assert problem.rule == "status"
    assert place.world.organization(ISSUER).did != place.did
    assert place.world.verified(b"") is not None
    assert prepared.address == f"https://{place.domain}/.well-known/did.json"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda found: found | {"id": "did:web:other.example"}, "did_document_id"),
        (lambda found: found | {"assertionMethod": []}, "not_for_assertion"),
        (lambda found: found | {"verificationMethod": []}, "no_such_key"),
        (lambda _: b"<html>", "syntax"),
        (lambda _: b"[]", "not_object"),
    ],
)
def test_the_check_names_what_is_wrong_with_the_document(
    place: Place, change: Any, rule: str
) -> None:
    place.put(change(place.prepare().document))

    problem = place.check()

    assert problem is not None
    assert problem.rule == rule
    assert problem.sentence("sv") != problem.sentence("en")


def test_another_key_under_the_same_name_is_found(place: Place) -> None:
    document = place.prepare().document
    first, second = document["verificationMethod"]
    second["publicKeyJwk"] = second["publicKeyJwk"] | {"x": second["publicKeyJwk"]["y"]}
    place.put(document | {"verificationMethod": [first, second]})

    problem = place.check()

    assert problem is not None
    assert problem.rule == "domain_key_differs"


def test_preparing_twice_gives_the_same_keys(place: Place) -> None:
    assert place.prepare() == place.prepare(f"https://{place.domain}/")


def test_later_keys_are_shown_on_the_domain_before_they_sign(place: Place) -> None:
    world = place.world
    world.published_definition()
    place.move()
    before = world.issued()

    with pytest.raises(Conflict) as caught, world.writing() as session:
        rotate_keys(world.env, session, OPERATOR_ACTOR, ISSUER)
    assert caught.value.rule == "rotate_own_domain"

    document = place.prepare().document
    assert len(document["verificationMethod"]) == 4
    place.put(document)
    place.activate()
    after = world.issued()

    methods = {json.loads(body_of(one))["proof"]["verificationMethod"] for one in (before, after)}
    assert len(methods) == 2
    for one in (before, after):
        assert world.verified(body_of(one)).verdict == "verified"


def test_a_compromised_key_of_the_domain_stops_issuing_until_the_next_is_shown(
    place: Place,
) -> None:
    world = place.world
    world.published_definition()
    place.move()
    before = world.issued()
    method = json.loads(body_of(before))["proof"]["verificationMethod"]

    with world.writing() as session:
        compromise_key(world.env, session, OPERATOR_ACTOR, ISSUER, method)

    assert outcome(world.verified(body_of(before)), "key") == ("failed", "compromised")
    with pytest.raises(Unavailable):
        world.issued()
    place.put(place.prepare().document)
    place.activate()
    assert world.verified(body_of(world.issued())).verdict == "verified"


def test_the_key_of_the_other_kind_signs_on_when_one_is_replaced(place: Place) -> None:
    world = place.world
    world.published_definition()
    place.move()
    method = json.loads(body_of(world.issued()))["proof"]["verificationMethod"]

    with world.writing() as session:
        compromise_key(world.env, session, OPERATOR_ACTOR, ISSUER, method)
    with world.reading() as session:
        place.put(own_domain.prepared(session, ISSUER).document)
    place.activate()

    after = world.issued()
    for form in ("ldp_vc", "vc-jwt"):
        assert world.verified(body_of(after, form=form)).verdict == "verified"


@pytest.mark.parametrize("replaced_before", [False, True])
def test_publications_that_a_compromised_key_of_the_domain_signed_are_signed_anew(
    place: Place,
    replaced_before: bool,  # noqa: FBT001 - a case of the table
) -> None:
    world = place.world
    place.move()
    version = world.published_definition(owner=ISSUER)[0]
    method = json.loads(version.publication or b"")["proof"]["verificationMethod"]
    if replaced_before:
        place.move()

    with world.writing() as session:
        compromise_key(world.env, session, OPERATOR_ACTOR, ISSUER, method)
    if not replaced_before:
        place.move()

    with world.reading() as session:
        found = definitions.by_id(session, version.id)
        shown: Any = own_did_document(session, place.did)
    assert found is not None
    after = json.loads(found[0].publication or b"")["proof"]["verificationMethod"]
    assert method not in shown["assertionMethod"]
    assert after in shown["assertionMethod"]


@pytest.mark.parametrize(
    "domain",
    ["", "exa mple.se", "EXAMPLE.se/..", "example.se/../x", "åäö.se", "did:key:z6Mk", "did:web:", "http://x.se",
     "user@example.se", "example.se?x", "example.se#x", "did:web:example.se:..", "example.se:x"],
)  # fmt: skip
def test_what_is_no_domain_is_refused_by_name(place: Place, domain: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        place.prepare(domain)

    assert caught.value.fields[0].rule == "own_domain"


def test_a_domain_of_another_or_of_the_service_is_refused(place: Place) -> None:
    world = place.world
    place.move()
    world.organization("annan")

    for domain in (place.domain, "localhost:8000", "localhost:8000/o/annan"):
        with pytest.raises(Conflict) as caught:
            place.prepare(domain, "annan")
        assert caught.value.rule == "domain_taken"


def test_nothing_is_activated_that_was_not_prepared(place: Place) -> None:
    with pytest.raises(Conflict) as caught:
        own_domain.check(place.world.env, ISSUER)

    assert caught.value.rule == "nothing_prepared"


def test_a_domain_that_is_only_prepared_stays_its_owners(place: Place) -> None:
    world = place.world
    world.organization("annan")
    theirs = place.prepare(slug="annan")

    with world.reading() as session:
        assert own_did_document(session, place.did) is None
    ours = place.prepare()
    listed = [{each["id"] for each in one.document["verificationMethod"]} for one in (theirs, ours)]
    assert not set.intersection(*listed)
    place.put(ours.document)
    place.activate()

    assert world.organization(ISSUER).did == place.did
    with world.reading() as session:
        document = own_did_document(session, place.did)
    assert document == ours.document
    with pytest.raises(Conflict) as caught, world.writing() as session:
        own_domain.activate(world.env, session, OPERATOR_ACTOR, "annan", theirs)
    assert caught.value.rule == "domain_taken"


def test_what_is_activated_twice_is_activated_once(place: Place) -> None:
    place.put(place.prepare().document)
    found, _ = own_domain.check(place.world.env, ISSUER)
    place.activate()

    with pytest.raises(Conflict) as caught, place.world.writing() as session:
        own_domain.activate(place.world.env, session, OPERATOR_ACTOR, ISSUER, found)

    assert caught.value.rule == "nothing_prepared"


def test_a_list_that_another_did_has_just_made_is_not_taken(place: Place) -> None:
    world = place.world
    with world.writing() as session:
        owner = session.get_one(Organization, world.organization(ISSUER).id)
        first = make_list(world.env, session, owner, "revocation", number=1, issuer=owner.did)
        session.get_one(StatusList, first.id).issuer = "did:web:annan.example"
        session.flush()

        second = make_list(world.env, session, owner, "revocation", number=1, issuer=owner.did)

        assert (second.number, second.issuer) == (2, owner.did)


def test_a_right_given_anew_for_the_new_did_is_the_same_right(place: Place) -> None:
    world = place.world
    world.published_definition(authorised_issuers=[OWNER])
    granted(world, quota=2)
    world.issued()
    place.move()
    world.issued()

    with pytest.raises(Conflict) as caught:
        world.issued()
    assert caught.value.rule == "quota_used"


@pytest.mark.parametrize("which", [0, 1])
def test_a_right_that_is_withdrawn_is_not_given_anew_for_another_did(
    place: Place, which: int
) -> None:
    world = place.world
    world.published_definition(authorised_issuers=[OWNER])
    granted(world)
    place.move()
    issued = world.issued()
    with world.reading() as session:
        owner = world.organization(OWNER).id
        found = delegations.of_organization(session, organization_id=owner)
    world.clock.advance(minutes=5)
    changed(world, OWNER, sorted(found, key=lambda row: row.renews_id or "")[which], "withdrawn")

    with pytest.raises(Forbidden):
        world.issued()
    report = world.verified(body_of(issued))
    assert outcome(report, "authorization") == ("passed", "authorised_then")
