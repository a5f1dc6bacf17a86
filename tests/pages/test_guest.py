"""A reviewer who is invited for one review, without an account: that version, one word, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from kpass_vc.actions.define import define
from kpass_vc.actions.invite import deliver_invitation
from kpass_vc.actions.review import SubmitOrder, submit
from kpass_vc.authz import Role
from kpass_vc.records import definition as definitions
from kpass_vc.records import sign_in as sign_ins
from tests.api.http import client_of, rows
from tests.pages.desk import Kept, Visitor, alerts, signed_in
from tests.world import World, actor_of, definition_document

pytestmark = pytest.mark.sqlite
GUEST = {"guest_name": "Gun <b>Gäst</b>", "guest_email": "gun@exempel.se"}


@pytest.fixture
def author(world: World) -> Visitor:
    return signed_in(world, "sobona", Role.AUTHOR, Role.OWNER)


@pytest.fixture
def version_id(world: World) -> str:
    """A version of sobona's that is handed in."""
    document = definition_document()
    for slug in ("sobona", *document["authorised_issuers"]):  # type: ignore[misc]
        world.organization(str(slug))
    owner = actor_of(world.organization("sobona"))
    with world.writing() as session:
        version = define(world.env, session, owner, document)[0][0]
        submit(world.env, session, owner, version.id, SubmitOrder())
    return str(version.id)


def state_of(world: World, version_id: str) -> str:
    with world.reading() as session:
        found = definitions.by_id(session, version_id)
    assert found
    return str(found[0].state)


def invited(author: Visitor, version_id: str, **changed: str) -> Any:
    return author.post(f"/definitions/{version_id}/guests", GUEST | changed)


def link_on(page: str) -> str:
    return page.partition('<code class="code">')[2].partition("</code>")[0].partition("/console")[2]


def guest_place(http: Any, link: str) -> str:
    reply = Visitor(http).get(link)
    assert reply.status_code == 303
    return str(reply.headers["Location"]).partition("/console")[2]


def test_a_guest_sees_remarks_and_decides_once(
    world: World, author: Visitor, version_id: str
) -> None:
    page = invited(author, version_id).text
    assert "Gun &lt;b&gt;Gäst&lt;/b&gt;" in page
    place = guest_place(author.http, link_on(page))
    guest = Visitor(author.http)
    assert "Fibersvetsning i fält" in guest.get(place).text
    guest.post(f"{place}/comments", {"field": "/level", "text": "Rätt <i>nivå</i>?"})
    assert "Rätt &lt;i&gt;nivå&lt;/i&gt;?" in author.get(f"/definitions/{version_id}").text
    refused = guest.post(f"{place}/decision", {"decision": "maybe", "comment": "Mina ord"})
    assert (refused.status_code, "Mina ord" in refused.text) == (422, True)

    reply = guest.post(f"{place}/decision", {"decision": "approved"})

    assert "Ditt ord är sagt" in reply.text
    assert state_of(world, version_id) == "approved"
    assert guest.get(place).status_code == 404
    assert guest.post(f"{place}/decision", {"decision": "approved"}).status_code == 404
    assert guest.get("/definitions").status_code == 303


def test_an_invitation_to_review_opens_no_account(author: Visitor, version_id: str) -> None:
    link = link_on(invited(author, version_id).text)
    guest = Visitor(author.http)

    answers = [
        guest.post(f"{link}/passkey/options").status_code,
        guest.post(f"{link}/password").status_code,
        guest.post(f"{link}/first", {"name": "x", "email": "x@exempel.se"}).status_code,
    ]

    assert answers == [404, 404, 404]


def test_who_has_written_in_it_cannot_be_its_guest(
    world: World, author: Visitor, version_id: str
) -> None:
    author.post(f"/definitions/{version_id}/back")
    document = definition_document()
    assert author.post(
        f"/definitions/{version_id}/edit",
        {"title_sv": str(document["title"]["sv"])},  # type: ignore[index]
    ).status_code in {303, 422}
    owner = actor_of(world.organization("sobona"))
    with world.writing() as session:
        define(world.env, session, owner, document)
        submit(world.env, session, owner, version_id, SubmitOrder())
    before = rows(world.env)["invitation"]

    reply = invited(author, version_id, guest_email="karin@exempel.se")

    assert reply.status_code == 403
    assert rows(world.env)["invitation"] == before


def test_where_mail_is_sent_nobody_but_the_guest_gets_the_link(
    world: World, version_id: str
) -> None:
    kept = Kept()
    env = replace(world.env, channels={"email": kept})
    author = signed_in(world, "sobona", Role.AUTHOR, Role.OWNER, http=client_of(env))

    reply = invited(author, version_id)

    assert reply.status_code == 303
    with world.reading() as session:
        person_id = next(
            each.id for each in session.query(sign_ins.Invitation).all() if each.purpose == "review"
        )
    deliver_invitation(env, person_id)
    [notice] = kept.notices
    assert notice.address == "gun@exempel.se"
    place = guest_place(author.http, notice.text.partition("/console")[2].split()[0])
    assert Visitor(author.http).get(place).status_code == 200


def test_a_guest_sees_nothing_of_a_draft_that_was_taken_back(
    author: Visitor, version_id: str
) -> None:
    place = guest_place(author.http, link_on(invited(author, version_id).text))
    guest = Visitor(author.http)
    author.post(f"/definitions/{version_id}/back")

    replies = [
        guest.get(place),
        guest.post(f"{place}/comments", {"field": "", "text": "Något"}),
        guest.post(f"{place}/decision", {"decision": "approved"}),
    ]

    assert [each.status_code for each in replies] == [200, 409, 409]
    for each in replies:
        assert "inte inlämnad till granskning just nu" in each.text
        assert "<form" not in each.text
        assert "Läranderesultat" not in each.text
    author.post(f"/definitions/{version_id}/submit")
    assert "<form" in guest.get(place).text


def test_only_what_is_handed_in_is_reviewed_by_a_guest(
    world: World, author: Visitor, version_id: str
) -> None:
    author.post(f"/definitions/{version_id}/back")
    assert state_of(world, version_id) == "draft"

    reply = invited(author, version_id)

    assert (reply.status_code, len(alerts(reply.text))) == (409, 1)
    stranger = signed_in(world, "annan", name="S", email="s@exempel.se", http=author.http)
    assert invited(stranger, version_id).status_code == 404


def test_an_author_who_lets_nobody_in_invites_no_guest(world: World, version_id: str) -> None:
    author = signed_in(world, "sobona", Role.AUTHOR, name="A", email="a@exempel.se")

    assert "guest_email" not in author.get(f"/definitions/{version_id}").text
    assert invited(author, version_id).status_code == 403
