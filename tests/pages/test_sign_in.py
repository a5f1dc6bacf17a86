"""Coming in: a link for the first person, a password with a code, sessions that end, forms that are one's own."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pyotp
import pytest
from sqlalchemy import select

from kpass_vc.actions.invite import deliver_invitation, invite_first
from kpass_vc.actions.sign_in import ABSOLUTE, FRESH, IDLE
from kpass_vc.authz import Role
from kpass_vc.pages.console.frame import COOKIE
from kpass_vc.records.sign_in import Invitation
from tests.api.http import client_of
from tests.pages.desk import Kept, Visitor, alerts, signed_in
from tests.test_replies import routes
from tests.world import OPERATOR_ACTOR, World

pytestmark = pytest.mark.sqlite
PASSWORD = "korrekt häst batteri klammer"  # of a test
FIRST = {
    "name": "Karin Kurs",
    "email": "Karin@exempel.se",
    "organization_name_sv": "Kursgården (exempel)",
    "organization_slug": "kursgarden",
}


def first_link(world: World, slug: str | None = None) -> str:
    with world.writing() as session:
        link = invite_first(world.env, session, OPERATOR_ACTOR, slug, "sv")
    return link.removeprefix(world.env.addresses.console())


def input_value(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, name
    return found[1]


def totp_secret(html: str) -> str:
    found = re.search(r'<code class="code">([A-Z2-7 ]+)</code>', html)
    assert found
    return found[1].replace(" ", "")


def settled(world: World, visitor: Visitor, link: str) -> str:
    """The first person, with a password; the secret of their app."""
    assert visitor.post(f"{link}/first", FIRST).status_code == 303
    page = visitor.post(f"{link}/password").text
    secret = totp_secret(page)
    code = pyotp.TOTP(secret).at(world.clock())
    filled = {"ceremony": input_value(page, "ceremony"), "password": PASSWORD, "code": code}
    reply = visitor.post(f"{link}/password", filled)
    assert (reply.status_code, COOKIE in visitor.cookies) == (303, True), reply.text
    return secret


def next_code(world: World, secret: str) -> str:
    world.clock.advance(seconds=60)
    return str(pyotp.TOTP(secret).at(world.clock()))


def test_the_first_person_of_all_registers_their_organisation_and_signs_in_again(
    world: World,
) -> None:
    visitor = Visitor(client_of(world.env))
    link = first_link(world)
    secret = settled(world, visitor, link)
    assert "Kursgården (exempel)" in visitor.get("").text
    visitor.post("/sign-out")
    assert visitor.get("").headers["Location"].endswith("/console/sign-in?next=/console")

    given = {"email": "karin@exempel.se", "password": PASSWORD, "code": next_code(world, secret)}
    reply = visitor.post("/sign-in?next=/console/people", given)

    assert reply.headers["Location"] == world.env.addresses.console("/people")
    assert visitor.get("/account").status_code == 200
    assert visitor.get(link).status_code == 404


def test_what_the_first_person_wrote_is_not_lost_when_it_is_refused(world: World) -> None:
    visitor = Visitor(client_of(world.env))
    link = first_link(world)

    reply = visitor.post(f"{link}/first", FIRST | {"organization_slug": "Åäö", "email": "karin"})

    assert reply.status_code == 422
    assert "Kursgården (exempel)" in reply.text
    assert alerts(reply.text) == ["E-postadress har fel form.", "Kortnamn har fel form."]
    assert visitor.get(link).status_code == 200


def test_a_code_and_a_ceremony_are_taken_once(world: World) -> None:
    visitor = Visitor(client_of(world.env))
    secret = settled(world, visitor, first_link(world))
    code = next_code(world, secret)
    given = {"email": "karin@exempel.se", "password": PASSWORD, "code": code}
    assert visitor.post("/sign-in", given).status_code == 303

    again = Visitor(visitor.http).post("/sign-in", given)

    assert (again.status_code, "hör inte ihop" in again.text) == (401, True)


def test_an_account_waits_after_six_wrong_tries_and_says_no_more_than_that_of_nobody(
    world: World,
) -> None:
    visitor = Visitor(client_of(world.env))
    secret = settled(world, visitor, first_link(world))
    given = {"email": "karin@exempel.se", "password": "fel", "code": "000000"}
    stranger = Visitor(visitor.http)
    unknown = stranger.post("/sign-in", given | {"email": "ingen@exempel.se"})
    known = [stranger.post("/sign-in", given) for _ in range(5)]
    assert [(unknown.status_code, alerts(unknown.text))] * 5 == [
        (each.status_code, alerts(each.text)) for each in known
    ]

    right = given | {"password": PASSWORD, "code": pyotp.TOTP(secret).at(world.clock())}
    blocked = stranger.post("/sign-in", right)
    assert (blocked.status_code, alerts(blocked.text)) == (401, alerts(unknown.text))
    right["code"] = next_code(world, secret)
    assert stranger.post("/sign-in", right).status_code == 303


@pytest.mark.parametrize(
    ("later", "is_in"),
    [(IDLE - timedelta(seconds=1), True), (IDLE, False), (ABSOLUTE, False)],
)
def test_a_session_ends_when_nobody_is_there(
    world: World, later: timedelta, *, is_in: bool
) -> None:
    visitor = signed_in(world)

    world.clock.advance(seconds=later.total_seconds())

    assert (visitor.get("").status_code == 200) is is_in


def test_a_session_ends_after_twelve_hours_of_work(world: World) -> None:
    visitor = signed_in(world)
    for _ in range(int(ABSOLUTE / timedelta(minutes=20)) - 1):
        world.clock.advance(minutes=20)
        assert visitor.get("").status_code == 200

    world.clock.advance(minutes=20)

    assert visitor.get("").status_code == 303


def test_signing_out_everywhere_ends_every_session_of_that_person_alone(world: World) -> None:
    here, there = signed_in(world), signed_in(world)
    other = signed_in(world, name="Bo Bedömare", email="bo@exempel.se")

    here.post("/sign-out", {"where": "everywhere"})

    assert [each.get("").status_code for each in (here, there, other)] == [303, 303, 200]


def test_a_role_that_is_withdrawn_opens_nothing_from_then_on(world: World) -> None:
    owner = signed_in(world, name="Ägaren", email="agare@exempel.se")
    visitor = signed_in(world, "sobona", Role.ISSUER)
    assert "/console/credentials" in visitor.get("").text
    with world.writing() as session:
        from kpass_vc.actions.people import RolesOrder, set_roles  # noqa: PLC0415
        from kpass_vc.records import person as people  # noqa: PLC0415

        person = people.by_email(session, "karin@exempel.se")
        assert person
        set_roles(world.env, session, OPERATOR_ACTOR, person.id, RolesOrder(roles=[]), "sobona")

    assert "Du har ingen roll än" in visitor.get("").text
    assert owner.get("").status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_of_another_site_changes_nothing(world: World, headers: dict[str, str]) -> None:
    visitor = signed_in(world)

    reply = visitor.post("/sign-out", **headers)

    assert (reply.status_code, visitor.get("").status_code) == (403, 200)


def test_every_form_of_the_console_wants_the_token_of_its_session(world: World) -> None:
    visitor = signed_in(world)
    forms = [
        route.path
        for route in routes(visitor.http.app.routes)  # type: ignore[attr-defined]
        if getattr(route, "path", "").startswith("/console") and "POST" in route.methods
    ]
    anybodys = ("/console/sign-in", "/console/invitation", "/console/guest", "/console/oidc")
    own = [path for path in forms if not path.startswith(anybodys)]

    answers = {
        path: visitor.post(
            re.sub(r"\{[^}]*\}", "x", path.removeprefix("/console")), {"csrf": "wrong"}
        ).status_code
        for path in own
    }

    assert len(own) > 5
    assert {path: status for path, status in answers.items() if status not in {403, 422}} == {}


def test_the_cookie_goes_to_this_host_alone_and_no_script_reads_it(world: World) -> None:
    visitor = Visitor(client_of(world.env))
    link = first_link(world)
    visitor.post(f"{link}/first", FIRST)
    page = visitor.post(f"{link}/password").text
    secret = totp_secret(page)
    filled = {"ceremony": input_value(page, "ceremony"), "password": PASSWORD}
    filled["code"] = pyotp.TOTP(secret).at(world.clock())

    cookie = visitor.post(f"{link}/password", filled).headers["Set-Cookie"]

    assert cookie.startswith("__Host-kpass=")
    parts = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=lax", "secure"}


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/console", "//evil.example/console", "/\\evil.example", "/console//evil",
        "javascript:alert(1)", "/console/../c/x", "/verify", "console", "/console\\evil",
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_but_into_the_console(world: World, asked: str) -> None:
    visitor = Visitor(client_of(world.env))
    secret = settled(world, visitor, first_link(world))
    given = {"email": "karin@exempel.se", "password": PASSWORD, "code": next_code(world, secret)}

    reply = visitor.post(f"/sign-in?next={asked}", given)

    assert reply.headers["Location"] == world.env.addresses.console()


def test_means_to_sign_in_are_changed_only_by_who_has_just_proved_who_they_are(
    world: World,
) -> None:
    visitor = signed_in(world)
    world.clock.advance(seconds=FRESH.total_seconds())

    reply = visitor.post("/account/password")

    assert "/console/prove?next=" in reply.headers["Location"]


def test_where_mail_is_sent_an_address_is_shown_to_be_ones_own_before_it_opens_anything(
    world: World,
) -> None:
    kept = Kept()
    env = replace(world.env, channels={"email": kept})
    visitor = Visitor(client_of(env))
    link = first_link(world)

    reply = visitor.post(f"{link}/first", FIRST)

    assert "karin@exempel.se" in reply.text.lower()
    assert COOKIE not in visitor.cookies
    assert visitor.get(link).status_code == 404
    assert visitor.post(f"{link}/password").status_code == 404
    with world.reading() as session:
        [row] = [each for each in session.scalars(select(Invitation)) if each.purpose == "person"]
    deliver_invitation(env, row.id)
    [notice] = kept.notices
    mailed = notice.text.partition("/console")[2].split()[0]
    assert visitor.get(mailed).status_code == 200


@pytest.mark.parametrize("asked", ["//[", "http://[", "/console\0"])
def test_what_is_no_address_leads_to_no_error(world: World, asked: str) -> None:
    visitor = Visitor(client_of(world.env))

    assert visitor.get(f"/sign-in?next={quote(asked)}").status_code in {200, 422}


def test_a_form_with_a_nul_in_it_is_none(world: World) -> None:
    visitor = Visitor(client_of(world.env))

    reply = visitor.post("/sign-in", {"email": "a\0@exempel.se", "password": "x", "code": "1"})

    assert reply.status_code == 422
