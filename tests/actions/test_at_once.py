"""Whatever is done to keys while others issue, revoke, define and publish: nobody waits for ever, nothing is torn."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kpass_vc.actions import own_domain
from kpass_vc.actions.define import define
from kpass_vc.actions.publish import publish
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.fetch import DOCUMENT, Fetched
from kpass_vc.records import key as keys
from tests.world import (
    OPERATOR_ACTOR,
    NothingElsewhere,
    World,
    actor_of,
    body_of,
    definition_document,
)

OWNER = "sobona"


def again_and_again(stop: threading.Event, act: Callable[[], Any], problems: list[Any]) -> None:
    try:
        while not stop.is_set():
            act()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
        problems.append(error)
        stop.set()


@pytest.mark.postgresql
def test_keys_change_while_definitions_are_published_and_credentials_issued_and_revoked(
    world: World,
) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    owner = world.organization(OWNER)
    problems: list[Any] = []
    stop = threading.Event()
    count = iter(range(1, 1000))

    def issue_and_revoke() -> None:
        world.set_status(world.issued(issuer=OWNER, languages=["sv"]), "revoked")

    def define_and_publish() -> None:
        document = definition_document() | {"version": f"1.0.{next(count)}"}
        document |= {"authorised_issuers": [OWNER]}
        world.clock.advance(seconds=1)
        with world.writing() as session:
            (version, _, _), _ = define(world.env, session, actor_of(owner), document)
            number = version.id
        with world.writing() as session:
            publish(world.env, session, actor_of(owner), number)

    def rotate() -> None:
        world.clock.advance(seconds=1)
        with world.writing() as session:
            rotate_keys(world.env, session, OPERATOR_ACTOR, OWNER)

    acts = (issue_and_revoke, issue_and_revoke, define_and_publish, rotate, rotate)
    threads = [threading.Thread(target=again_and_again, args=(stop, act, problems)) for act in acts]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            with world.reading() as session:
                rows = keys.of_organization(session, organization_id=owner.id)
            method = next(row.verification_method for row in rows if row.state == "active")
            world.clock.advance(seconds=1)
            with world.writing() as session:
                compromise_key(world.env, session, OPERATOR_ACTOR, OWNER, method)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert problems == []
    with world.reading() as session:
        rows = keys.of_organization(session, organization_id=owner.id)
    assert sorted(row.algorithm for row in rows if row.state == "active") == ["Ed25519", "P-256"]
    issued = world.issued(issuer=OWNER, languages=["sv"])
    for form in ("ldp_vc", "vc-jwt"):
        assert world.verified(body_of(issued, form=form)).verdict == "verified"


class Served(NothingElsewhere):
    """What lies on the organisation's own domain."""

    def __init__(self, document: Any) -> None:
        self.document = document

    def get(self, url: str, *, accept: str, limit: int = DOCUMENT) -> Fetched:
        return Fetched(url, "application/did+json", json.dumps(self.document).encode())


@pytest.mark.postgresql
def test_an_organisation_moves_to_its_own_domain_while_it_issues(world: World) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    problems: list[Any] = []
    stop = threading.Event()
    made: list[Any] = []

    def issue() -> None:
        made.append(world.issued(issuer=OWNER, languages=["sv"]))

    def issue_and_revoke() -> None:
        world.set_status(world.issued(issuer=OWNER, languages=["sv"]), "revoked")

    threads = [
        threading.Thread(target=again_and_again, args=(stop, act, problems))
        for act in (issue, issue, issue_and_revoke)
    ]
    for thread in threads:
        thread.start()
    try:
        for number in range(6):
            world.clock.advance(seconds=1)
            with world.writing() as session:
                domain = f"moved{number // 2}.example"
                found = own_domain.prepare(world.env, session, OPERATOR_ACTOR, OWNER, domain)
            there = replace(world.env, fetcher=Served(found.document))
            checked, problem = own_domain.check(there, OWNER)
            assert problem is None
            with world.writing() as session:
                own_domain.activate(there, session, OPERATOR_ACTOR, OWNER, checked)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert problems == []
    assert {json.loads(body_of(one))["issuer"]["id"] for one in made} >= {"did:web:moved1.example"}
    for one in made:
        assert world.verified(body_of(one)).verdict == "verified"
