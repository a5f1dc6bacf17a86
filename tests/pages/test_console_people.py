"""The people of an organisation in its console: invited, with roles in plain words, and taken out."""

import re

import pytest

from kpass_vc.actions.sign_in import open_session
from kpass_vc.authz import Role
from kpass_vc.pages.console.frame import COOKIE
from kpass_vc.records import person as people
from tests.api.http import client_of
from tests.pages.desk import Visitor, alerts, signed_in
from tests.world import World

pytestmark = pytest.mark.sqlite
NEW = {"name": "Åsa Ärlig", "email": "asa@exempel.se", "roles": ["author", "issuer"]}


def id_of(world: World, email: str) -> str:
    with world.reading() as session:
        found = people.by_email(session, email)
        assert found is not None, email
        return found.id


def roles_of(world: World, slug: str, email: str) -> list[str]:
    organization = world.organization(slug)
    with world.reading() as session:
        found = people.memberships(
            session, organization_id=organization.id, person_id=id_of(world, email)
        )
        return [each.role for each in found]


def test_who_is_invited_comes_in_by_the_link_that_is_shown_once_where_no_mail_is_sent(
    world: World,
) -> None:
    owner = signed_in(world)

    page = owner.post("/people", NEW).text

    link = re.search(r'<code class="code">([^<]+)</code>', page)
    assert link
    assert "Åsa Ärlig" in Visitor(owner.http).get(link[1].rpartition("/console")[2]).text
    listed = owner.get("/people").text
    assert ("Åsa Ärlig" in listed, "Har inte loggat in än" in listed) == (True, True)
    assert link[1] not in listed
    assert roles_of(world, "sobona", "asa@exempel.se") == ["author", "issuer"]


def test_who_is_invited_again_has_a_new_link_and_the_old_one_is_void(world: World) -> None:
    owner = signed_in(world)
    first = re.search(r"/console(/invitation/[^<]+)</code>", owner.post("/people", NEW).text)
    person_id = id_of(world, "asa@exempel.se")

    again = owner.post(f"/people/{person_id}/invitation", {"mail_language": "en"}).text

    second = re.search(r"/console(/invitation/[^<]+)</code>", again)
    assert first
    assert second
    anybody = Visitor(owner.http)
    assert [anybody.get(each[1]).status_code for each in (first, second)] == [404, 200]


def test_a_refused_invitation_comes_back_as_it_was_filled_in_and_lets_nobody_in(
    world: World,
) -> None:
    owner = signed_in(world)

    reply = owner.post("/people", NEW | {"email": "asa", "roles": []})

    assert reply.status_code == 422
    assert alerts(reply.text) == [
        "E-postadress har fel form.",
        "Välj minst något, och inte för många, i: Roller.",
    ]
    assert 'value="Åsa Ärlig"' in reply.text
    assert "asa@" not in owner.get("/people").text


def test_roles_are_changed_and_somebody_is_taken_out(world: World) -> None:
    owner = signed_in(world)
    owner.post("/people", NEW)
    place = f"/people/{id_of(world, 'asa@exempel.se')}"

    page = owner.follow(owner.post(f"{place}/roles", {"roles": ["reviewer"]})).text

    assert "Rollerna är sparade" in page
    assert roles_of(world, "sobona", "asa@exempel.se") == ["reviewer"]
    assert owner.post(f"{place}/roles", {"roles": []}).status_code == 409
    assert owner.post(f"{place}/roles", {"roles": ["king"]}).status_code == 422
    assert "Åsa" not in owner.follow(owner.post(f"{place}/removal")).text
    assert roles_of(world, "sobona", "asa@exempel.se") == []


def test_the_last_owner_is_not_taken_out(world: World) -> None:
    owner = signed_in(world)
    place = f"/people/{id_of(world, 'karin@exempel.se')}"

    removed, changed = owner.post(f"{place}/removal"), owner.post(f"{place}/roles", NEW)

    assert [removed.status_code, changed.status_code] == [409, 409]
    assert "alltid en ägare" in alerts(removed.text)[0]
    assert Role.OWNER in roles_of(world, "sobona", "karin@exempel.se")


def test_an_owner_who_is_none_from_now_on_is_led_to_where_they_may_be(world: World) -> None:
    owner = signed_in(world)
    signed_in(world, name="Bo", email="bo@exempel.se", http=owner.http)

    reply = owner.post(f"/people/{id_of(world, 'karin@exempel.se')}/roles", {"roles": ["auditor"]})

    assert owner.follow(reply).status_code == 200
    assert owner.get("/people").status_code == 403


def test_nobody_but_an_owner_sees_or_changes_the_people(world: World) -> None:
    http = client_of(world.env)
    for role in set(Role) - {Role.OWNER}:
        email = f"{role}@exempel.se"
        visitor = signed_in(world, "sobona", role, email=email, http=http)
        me = id_of(world, email)
        answers = [
            visitor.get("/people"),
            visitor.get(f"/people/{me}"),
            visitor.post("/people", NEW),
            visitor.post(f"/people/{me}/roles", {"roles": ["owner"]}),
            visitor.post(f"/people/{me}/invitation"),
            visitor.post(f"/people/{me}/removal"),
        ]

        assert {each.status_code for each in answers} == {403}, role
        assert roles_of(world, "sobona", email) == [role]


def test_the_people_of_another_organisation_are_not_there(world: World) -> None:
    owner = signed_in(world)
    signed_in(world, "kursgarden", name="Bo", email="bo@exempel.se", http=owner.http)
    other = id_of(world, "bo@exempel.se")

    answers = [
        owner.get(f"/people/{other}"),
        owner.post(f"/people/{other}/roles", {"roles": ["owner"]}),
        owner.post(f"/people/{other}/invitation"),
        owner.post(f"/people/{other}/removal"),
    ]

    assert {each.status_code for each in answers} == {404}
    assert len(roles_of(world, "kursgarden", "bo@exempel.se")) == 7


def test_no_link_is_shown_for_somebody_who_works_elsewhere_too(world: World) -> None:
    owner = signed_in(world)
    signed_in(world, "kursgarden", name="Bo", email="bo@exempel.se", http=owner.http)

    page = owner.follow(owner.post("/people", NEW | {"email": "bo@exempel.se"})).text

    assert "/invitation/" not in page
    with world.writing() as session:
        person = people.by_email(session, "bo@exempel.se")
        assert person
        bo = Visitor(owner.http, {COOKIE: open_session(world.env, session, person)})
    assert "Dina organisationer" in bo.get("/account").text
