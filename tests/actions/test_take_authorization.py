"""An authorisation from another service: what an owner there may get wrong, or do on purpose."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from kpass_vc import statuslist
from kpass_vc.actions.batch import issue_slice, look_through, read_items, take_in
from kpass_vc.actions.sign import secure
from kpass_vc.actions.take_authorization import (
    Gathered,
    TakeOrder,
    gather_authorization,
    take_authorization,
)
from kpass_vc.compose.definition import digest_sri
from kpass_vc.errors import Conflict, InvalidInput
from kpass_vc.formats import FORMATS
from kpass_vc.model.dates import utc_text
from kpass_vc.records import definition as definitions
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.award import Award
from kpass_vc.records.batch import BatchRow
from kpass_vc.records.delegation import Delegation
from tests.actions.test_verify_elsewhere import Elsewhere, Json, elsewhere
from tests.api.http import bearer, client_of
from tests.sample import outcome
from tests.world import Clock, actor_of, body_of, definition_document, issue_order

__all__ = ["elsewhere"]
ISSUER = "stadsnat-exempel"
LINE = "/o/owner/definitions/SOB-OPTO-01"


def offered(
    there: Elsewhere,
    version: str = "1.0.0",
    *,
    document: Json | None = None,
    edition: Json | None = None,
    status: Json | None = None,
    folder: str = "",
) -> TakeOrder:
    """What an owner elsewhere serves: the authorisation, and one version of a definition."""
    base, did = there.base, there.world.organization(ISSUER).did
    vocabulary = there.world.env.vocabulary
    line = base + LINE
    place = f"{LINE}/{folder or version}"
    owner = {"id": there.did, "type": ["Profile"], "name": "Ägaren"}
    published = definition_document() | {
        "id": f"{base}{place}/definition.json",
        "definition": line,
        "version": version,
        "owner": {"id": there.did, "name": {"sv": "Ägaren", "en": "The owner"}},
    }
    del published["authorised_issuers"]
    shown = {
        "@context": there.credential()["@context"],
        "id": f"{base}{place}/achievement.sv.json",
        "type": ["Achievement"],
        "name": "Fibersvetsning",
        "description": "Kan skarva.",
        "criteria": {"narrative": "Ett prov."},
        "creator": owner,
    }
    bodies = {
        "definition": json.dumps(published | (document or {})).encode(),
        "achievement.sv": json.dumps(shown | (edition or {})).encode(),
    }
    urls = {name: there.serve(f"{place}/{name}.json", body) for name, body in bodies.items()}
    said: Json = {
        "@context": there.credential()["@context"],
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "x",
        "issuer": owner,
        "validFrom": utc_text(there.world.env.now()),
    }
    word = said | {
        "id": f"{base}{place}/publication.json",
        "credentialSubject": {"id": line, "type": ["EndorsementSubject"]},
        "relatedResource": [
            {"id": urls[name], "mediaType": "application/json", "digestSRI": digest_sri(body)}
            for name, body in bodies.items()
        ],
    }
    there.serve(f"{place}/publication.json", there.sign(word))
    right = said | {
        "id": f"{base}/o/owner/authorizations/{version}.json",
        "type": [*said["type"], f"{vocabulary}IssuingAuthorization"],
        "credentialSubject": {
            "id": did,
            "type": ["EndorsementSubject"],
            f"{vocabulary}mayIssue": [{"id": line}],
        },
    }
    if status is not None:
        right["credentialStatus"] = status
    url = there.serve(f"/o/owner/authorizations/{version}.json", there.sign(right))
    return TakeOrder(authorization=url, definitions=[urls["definition"]])


def gathered(there: Elsewhere, order: TakeOrder) -> Gathered:
    own = there.world.organization(ISSUER)
    return gather_authorization(there.world.env, actor_of(own), own.did, order)


def taken(there: Elsewhere, order: TakeOrder) -> str:
    found = gathered(there, order)
    own = there.world.organization(ISSUER)
    with there.world.writing() as session:
        take_authorization(there.world.env, session, actor_of(own), found)
    return order.definitions[0]


WRONG: dict[str, tuple[Callable[[Elsewhere], Json], str]] = {
    "an owner without a name": (
        lambda there: {"document": {"owner": {"id": there.did}}},
        "another_document",
    ),
    "a name that is no map": (
        lambda there: {"document": {"owner": {"id": there.did, "name": "x"}}},
        "another_document",
    ),
    "an owner that is a text": (lambda _: {"document": {"owner": "sobona"}}, "another_owner"),
    "another owner": (
        lambda _: {"document": {"owner": {"id": "did:web:other.example", "name": {"sv": "x"}}}},
        "another_owner",
    ),
    "another creator": (
        lambda _: {"edition": {"creator": {"id": "did:web:other.example"}}},
        "another_owner",
    ),
    "another line": (
        lambda _: {"document": {"definition": "https://other.example/x"}},
        "another_document",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_definition_that_does_not_say_what_its_owner_signs_is_not_taken_in(
    elsewhere: Elsewhere, case: str
) -> None:
    changes, rule = WRONG[case]

    with pytest.raises(InvalidInput) as caught:
        gathered(elsewhere, offered(elsewhere, **changes(elsewhere)))

    assert [error.rule for error in caught.value.fields] == [rule]


def states(there: Elsewhere, *urls: str) -> list[str]:
    with there.world.reading() as session:
        found = [definitions.by_document_url(session, url) for url in urls]
    return [each[0].state for each in found if each is not None]


def test_an_older_version_that_is_taken_in_later_takes_no_place_from_the_newer(
    elsewhere: Elsewhere,
) -> None:
    newer = taken(elsewhere, offered(elsewhere, "2.0.0"))
    older = taken(elsewhere, offered(elsewhere, "1.0.0"))
    assert states(elsewhere, newer, older) == ["published", "superseded"]

    newest = taken(elsewhere, offered(elsewhere, "10.0.0"))
    assert states(elsewhere, newer, newest) == ["superseded", "published"]


def test_taken_in_again_it_gains_what_is_new_and_nothing_is_there_twice(
    elsewhere: Elsewhere,
) -> None:
    first = offered(elsewhere, "1.0.0")
    taken(elsewhere, first)
    second = offered(elsewhere, "1.1.0")
    both = first.model_copy(update={"definitions": [*first.definitions, *second.definitions]})

    for _ in range(2):
        taken(elsewhere, both)

    assert states(elsewhere, *both.definitions) == ["superseded", "published"]
    with elsewhere.world.reading() as session:
        rows = session.scalars(select(Delegation)).all()
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "delegation.taken_in")
        ).all()
    assert [(row.codes, row.state) for row in rows] == [(["SOB-OPTO-01"], "active")]
    assert [entry.details["definitions"] for entry in entries] == [
        "SOB-OPTO-01/1.0.0",
        "SOB-OPTO-01/1.1.0",
        "",
    ]
    issued = elsewhere.world.issued(definition=second.definitions[0], languages=["sv"])
    report = elsewhere.world.verified(body_of(issued))
    assert outcome(report, "authorization") == ("passed", "authorised")


def test_one_that_its_owner_does_not_sign_any_more_is_not_taken_in_again(
    elsewhere: Elsewhere,
) -> None:
    order = offered(elsewhere)
    taken(elsewhere, order)
    path = order.authorization.removeprefix(elsewhere.base)
    body = elsewhere.world.env.fetcher.get(order.authorization, accept="*/*").body
    elsewhere.serve(path, body.replace(b"SOB-OPTO-01", b"SOB-OPTO-02"))

    with pytest.raises(InvalidInput) as caught:
        taken(elsewhere, order)

    assert [error.rule for error in caught.value.fields] == ["not_signed_by_owner"]


def test_a_definition_from_elsewhere_is_due_for_review_when_its_owner_says(
    elsewhere: Elsewhere, clock: Clock
) -> None:
    world = elsewhere.world
    quality = {"types": ["sector_validation_model"], "review_interval_months": 6}
    url = taken(elsewhere, offered(elsewhere, document={"quality_assurance": quality}))
    issued = world.issued(definition=url, languages=["sv"])
    before = world.verified(body_of(issued))

    clock.advance(days=200)
    later = world.verified(body_of(world.issued(definition=url, languages=["sv"])))
    clock.advance(days=190)
    with pytest.raises(Conflict) as caught:
        world.issued(definition=url, languages=["sv"])

    assert "review_due" not in [note.code for note in before.notes]
    assert "review_due" in [note.code for note in later.notes]
    assert caught.value.rule == "review_overdue"


def test_one_version_at_two_addresses_is_a_conflict(elsewhere: Elsewhere) -> None:
    taken(elsewhere, offered(elsewhere, "1.0.0"))
    again = offered(elsewhere, "1.0.0", folder="again")
    url = again.authorization.replace("1.0.0", "again")
    body: Any = json.loads(elsewhere.world.env.fetcher.get(again.authorization, accept="*/*").body)
    del body["proof"]
    elsewhere.serve(url.removeprefix(elsewhere.base), elsewhere.sign(body | {"id": url}))

    with pytest.raises(Conflict) as caught:
        taken(elsewhere, again.model_copy(update={"authorization": url}))

    assert caught.value.rule == "definition_differs"


def test_who_has_taken_a_definition_in_is_not_thereby_named_by_its_owner(
    elsewhere: Elsewhere,
) -> None:
    """A credential that names no authorisation has none, though our own records know the issuer."""
    world = elsewhere.world
    url = taken(elsewhere, offered(elsewhere))
    issued = world.issued(definition=url, languages=["sv"])
    bare = json.loads(body_of(issued))
    del bare["proof"], bare["termsOfUse"]
    issuer = world.organization(ISSUER)
    with world.writing() as session:
        body = secure(world.env, session, issuer, FORMATS["ldp_vc"], bare, world.env.now()).body

    assert outcome(world.verified(body), "authorization") == ("failed", "none")


# ---- the owner withdraws it


def says(there: Elsewhere, *, withdrawn: bool) -> None:
    """The owner's list, by which the authorisation holds or is withdrawn."""
    bits = statuslist.put(statuslist.empty(), 7, value=withdrawn)
    there.serve("/list", there.sign(there.status_list(statuslist.encode(bits))))


@pytest.fixture
def withdrawable(elsewhere: Elsewhere) -> tuple[Elsewhere, str]:
    """The owner, and the address of a definition that was taken in while its authorisation held."""
    says(elsewhere, withdrawn=False)
    url = taken(elsewhere, offered(elsewhere, status=elsewhere.status("7")))
    elsewhere.asked.clear()
    return elsewhere, url


def posted(there: Elsewhere, url: str, **more: object) -> tuple[int, str]:
    """Status and rule of the reply to somebody who wants to issue."""
    order = issue_order() | {"definition": url, "languages": ["sv"]} | more
    token = bearer(there.world.token(ISSUER))
    reply = client_of(there.world.env).post("/v1/credentials", headers=token, json=order)
    return reply.status_code, reply.json().get("rule", "")


def state_of(there: Elsewhere) -> str:
    with there.world.reading() as session:
        return session.scalars(select(Delegation)).one().state


def test_nothing_is_issued_under_an_authorisation_that_its_owner_has_withdrawn(
    withdrawable: tuple[Elsewhere, str], clock: Clock
) -> None:
    there, url = withdrawable
    assert posted(there, url)[0] == 201
    says(there, withdrawn=True)
    assert posted(there, url)[0] == 201
    assert there.asked.count("/list") == 1
    assert state_of(there) == "active"

    clock.advance(minutes=6)

    assert posted(there, url) == (403, "not_authorised_issuer")
    assert state_of(there) == "withdrawn"
    assert posted(there, url) == (403, "not_authorised_issuer")
    assert there.asked.count("/list") == 2


@pytest.mark.parametrize("list_there", [b"<html>", None])
def test_an_owner_that_cannot_be_asked_stops_nothing(
    withdrawable: tuple[Elsewhere, str], list_there: bytes | None
) -> None:
    there, url = withdrawable
    if list_there is None:
        there.answers.clear()
    else:
        there.serve("/list", list_there)

    assert posted(there, url)[0] == 201
    assert state_of(there) == "active"


def test_a_list_that_another_signed_withdraws_nothing(
    withdrawable: tuple[Elsewhere, str],
) -> None:
    there, url = withdrawable
    says(there, withdrawn=True)
    other = there.status_list(issuer="did:web:other.example")
    there.serve("/list", there.sign(other))

    assert posted(there, url)[0] == 201


def test_a_token_that_may_not_issue_makes_us_ask_nobody(
    withdrawable: tuple[Elsewhere, str],
) -> None:
    there, url = withdrawable
    token = bearer(there.world.token(ISSUER, permissions=["credentials:read"]))
    order = issue_order() | {"definition": url}
    reply = client_of(there.world.env).post("/v1/credentials", headers=token, json=order)

    assert reply.status_code == 403
    assert there.asked == []


def test_the_owner_is_asked_once_for_a_batch_and_its_withdrawal_fails_every_row(
    withdrawable: tuple[Elsewhere, str],
) -> None:
    there, url = withdrawable
    env = there.world.env
    actor = actor_of(there.world.organization(ISSUER))
    order = {name: value for name, value in issue_order().items() if name != "definition"}
    items = [
        order | {"languages": ["sv"], "externalReference": str(number)} for number in range(120)
    ]
    with there.world.writing() as session:
        looked = look_through(env, session, actor, url, read_items(url, items))
        batch = take_in(env, session, actor, url, looked)
    says(there, withdrawn=True)

    for first in (1, 51, 101):
        issue_slice(env, batch.organization_id, batch.id, first, first + 49)

    assert there.asked.count("/list") == 1
    with there.world.reading() as session:
        rows = session.scalars(select(BatchRow)).all()
        assert {row.state for row in rows} == {"failed"}
        said = {error["en"].partition(": ")[2] for row in rows for error in row.errors or []}
    assert said == {f"The owner of {url} has not authorised {ISSUER} to issue it."}


def test_what_was_issued_under_it_is_corrected_as_long_as_it_holds(
    withdrawable: tuple[Elsewhere, str], clock: Clock
) -> None:
    there, url = withdrawable
    first, second = (there.world.issued(definition=url, languages=["sv"]) for _ in range(2))
    order = {"holder": {"name": "Amina Berg"}, "assessedOn": issue_order()["assessedOn"]}
    token = bearer(there.world.token(ISSUER))
    client = client_of(there.world.env)

    done = client.post(f"/v1/credentials/{first.award.id}/correction", headers=token, json=order)
    says(there, withdrawn=True)
    clock.advance(minutes=6)
    late = client.post(f"/v1/credentials/{second.award.id}/correction", headers=token, json=order)

    assert done.status_code == 201, done.text
    bound = done.json()["editions"][0]["credential"]["relatedResource"]
    assert [each["id"] for each in bound] == [url]
    assert late.status_code == 403
    with there.world.reading() as session:
        assert session.get_one(Award, second.award.id).state == "active"
