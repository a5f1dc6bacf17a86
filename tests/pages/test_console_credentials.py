"""Looking after credentials at the console: found, corrected, revoked, sent again, forgotten; by whom, and whose."""

import json
import re

import pytest

from kpass_vc.actions.sign_in import FRESH
from kpass_vc.authz import Role
from kpass_vc.records import award as awards
from kpass_vc.records import delivery as deliveries
from kpass_vc.records.award import Award
from tests.pages.desk import Visitor, alerts, signed_in
from tests.world import LEARNER, World, body_of, failed_checks

pytestmark = pytest.mark.sqlite
ISSUER = "stadsnat-exempel"
STRANGE = "<script>alert(1)</script> أمينة"
CONTACT = {"name": LEARNER, "contact": {"email": "amina@exempel.se", "language": "sv"}}


@pytest.fixture
def visitor(world: World) -> Visitor:
    """Somebody who may do everything at an issuer of SOB-OPTO-01."""
    world.published_definition()
    return signed_in(world, ISSUER)


def award_of(world: World, award_id: str) -> Award:
    with world.reading() as session:
        return session.get_one(Award, award_id)


def names(html: str) -> list[str]:
    """The names in the list, in order."""
    return re.findall(r'<a href="[^"]*/credentials/[0-9a-f-]{36}"><bdi>(.*?)</bdi>', html)


def filled(html: str) -> dict[str, str]:
    """What a form of the page holds, as far as the test needs it: fields of one line."""
    return dict(re.findall(r'<input id="field:\w+" name="(\w+)" type="\w+" value="([^"]*)"', html))


def test_a_credential_is_found_by_name_in_large_or_small_letters_and_by_what_there_is_to_do(
    world: World, visitor: Visitor
) -> None:
    first = world.issued(holder={"name": "Åsa Öberg"}, externalReference="kurs-17/100%")
    second = world.issued(holder={"name": STRANGE})
    world.disputed(second.award.id)
    world.set_status(first, "revoked")

    found = {
        query: names(visitor.get(f"/credentials?{query}").text)
        for query in (
            "",
            "q=åsa",
            "q=ÖBERG",
            "q=100%25",
            "q=0%25k",
            "q=_",
            "state=revoked",
            "show=disputed",
            "show=undelivered",
            "show=unopened",
            "page=2",
            f"definition={first.award.definition_version_id}",
        )
    }

    shown = "&lt;script&gt;alert(1)&lt;/script&gt; أمينة"
    both, one, other = sorted([shown, "Åsa Öberg"]), ["Åsa Öberg"], [shown]
    assert {query: sorted(each) for query, each in found.items()} == {
        "": both,
        "q=åsa": one,
        "q=ÖBERG": one,
        "q=100%25": one,
        "q=0%25k": [],
        "q=_": [],
        "state=revoked": one,
        "show=disputed": other,
        "show=undelivered": [],
        "show=unopened": other,
        "page=2": [],
        f"definition={first.award.definition_version_id}": both,
    }


def test_a_correction_begins_with_what_the_old_one_said_and_leads_the_old_link_to_the_new(
    world: World, visitor: Visitor
) -> None:
    evidence = {"name": "Praktiskt prov", "narrative": "På plats.", "url": "https://exempel.se/p"}
    old = world.issued(evidence=[evidence], externalReference="rad-4")
    link = f"{world.env.addresses.base}/c/{world.token_of(old.award.id)}"
    place = f"/credentials/{old.award.id}/correction"
    form = filled(visitor.get(place).text)
    assert (form["holder_name"], form["evidence_0_url"]) == (LEARNER, "https://exempel.se/p")

    form |= {"holder_name": "Amina Berg", "evidence_0_narrative": "På plats.", "evidence_1_url": ""}
    reply = visitor.post(place, form | {"reason": "wrong_details"})

    assert "Beviset är rättat" in visitor.follow(reply).text
    with world.reading() as session:
        new = awards.replacement_of(session, award_id=old.award.id)
        assert new is not None
        body = json.loads(awards.representations(session, award_id=new.id)[0].body)
    assert (new.holder_name, new.external_reference) == ("Amina Berg", "rad-4")
    assert body["evidence"] == [
        {
            "type": ["Evidence"],
            "id": "https://exempel.se/p",
            "name": "Praktiskt prov",
            "narrative": "På plats.",
        }
    ]
    assert "Amina Berg" in visitor.get(link).text
    assert f"/credentials/{new.id}" in visitor.get(f"/credentials/{old.award.id}").text
    again = visitor.post(place, form | {"reason": "wrong_details"})
    assert (again.status_code, "för alltid" in alerts(again.text)[0]) == (409, True)


def test_a_correction_that_is_refused_comes_back_with_what_was_written_at_its_own_place(
    world: World, visitor: Visitor
) -> None:
    issued = world.issued(evidence=[{"name": "Fel prov"}])
    place = f"/credentials/{issued.award.id}/correction"
    given = {
        "reason": "wrong_details",
        "holder_name": STRANGE,
        "assessedOn": "2049-01-01",
        "evidence_1_narrative": "Prov",
        "evidence_1_url": "javascript:alert(1)",
    }

    reply = visitor.post(place, given)

    assert reply.status_code == 422
    assert 'value="&lt;script&gt;alert(1)&lt;/script&gt; أمينة"' in reply.text
    assert "<script>alert" not in reply.text
    assert re.findall(r'id="fault:(\w+):1"', reply.text) == ["evidence_1_url"]
    later = visitor.post(place, given | {"evidence_1_url": ""})
    assert re.findall(r'id="fault:(\w+):1"', later.text) == ["assessedOn"]


def test_who_revokes_says_why_and_whoever_verifies_sees_it(world: World, visitor: Visitor) -> None:
    issued = world.issued()
    place = f"/credentials/{issued.award.id}/status"
    refused = visitor.post(place, {"status": "revoked"})
    assert (refused.status_code, alerts(refused.text)) == (422, ["Fyll i: Orsak."])
    assert failed_checks(world.verified(body_of(issued))) == []

    reply = visitor.post(place, {"status": "revoked", "revoked_reason": "fraud"})

    assert "Beviset är återkallat" in visitor.follow(reply).text
    assert failed_checks(world.verified(body_of(issued))) == ["status"]
    page = visitor.get(f"/credentials/{issued.award.id}").text
    assert ("Orsak: fusk" in page, "/correction" in page, "/status" in page) == (True, False, False)


def test_a_credential_is_suspended_and_reinstated_where_its_owner_lets_it_be(
    world: World, visitor: Visitor
) -> None:
    bound = world.issued()
    world.published_definition(version="2.0.0", status_purpose="suspension")
    free = world.issued()
    reply = visitor.post(
        f"/credentials/{free.award.id}/status",
        {"status": "suspended", "suspended_reason": "under_investigation"},
    )
    assert (reply.status_code, award_of(world, free.award.id).state) == (303, "suspended")
    visitor.post(
        f"/credentials/{free.award.id}/status",
        {"status": "active", "active_reason": "investigation_closed"},
    )
    assert award_of(world, free.award.id).state == "active"

    page = visitor.get(f"/credentials/{bound.award.id}").text
    refused = visitor.post(
        f"/credentials/{bound.award.id}/status",
        {"status": "suspended", "suspended_reason": "other"},
    )

    assert "går inte att pausa" in page
    assert 'name="suspended_reason"' not in page
    assert (refused.status_code, award_of(world, bound.award.id).state) == (409, "active")


def test_several_are_revoked_at_once_by_who_has_just_shown_who_they_are(
    world: World, visitor: Visitor
) -> None:
    ids = [world.issued(holder={"name": name}).award.id for name in ("Ett", "Två", "Tre")]
    assert "Kryssa för minst ett" in visitor.get("/credentials/revocation").text
    ticked = visitor.get(f"/credentials/revocation?award={ids[0]}&award={ids[2]}")
    form = ticked.headers["Location"].removeprefix(world.env.addresses.console())
    world.clock.advance(seconds=FRESH.total_seconds())
    stale = visitor.post(form, {"reason": "issued_in_error"})
    assert "/console/prove?next=/console/credentials/revocation/" in stale.headers["Location"]
    assert [award_of(world, each).state for each in ids] == ["active"] * 3

    fresh = signed_in(world, ISSUER, http=visitor.http)
    page = fresh.get(form).text
    refused = fresh.post(form)
    reply = fresh.post(form, {"reason": "issued_in_error"})

    assert [name in page for name in ("Ett", "Två", "Tre")] == [True, False, True]
    assert (refused.status_code, alerts(refused.text)) == (422, ["Fyll i: Orsak."])
    assert reply.status_code == 303
    assert [award_of(world, each).state for each in ids] == ["revoked", "active", "revoked"]


def test_the_letter_that_did_not_arrive_is_seen_and_goes_to_the_right_address(
    world: World, visitor: Visitor
) -> None:
    issued = world.issued(holder=CONTACT)
    place = f"/credentials/{issued.award.id}"
    organization_id = issued.award.organization_id
    with world.writing() as session:
        (row,) = deliveries.of_award(
            session, organization_id=organization_id, award_id=issued.award.id
        )
        row.state, row.last_error, row.attempts = "failed", "undeliverable.address", 1
    world.clock.advance(seconds=1)
    page = visitor.get(place).text
    assert ("Adressen finns inte" in page, "amina@exempel.se" in page) == (True, True)
    assert names(visitor.get("/credentials?show=undelivered").text) == [LEARNER]
    wrong = visitor.post(f"{place}/notice", {"which": "new", "contact_email": "amina@"})
    assert (wrong.status_code, 'value="amina@"' in wrong.text) == (422, True)

    given = {"which": "new", "contact_email": "ny@exempel.se", "contact_language": "en"}
    reply = visitor.post(f"{place}/notice", given)

    page = visitor.follow(reply).text
    assert ("Brevet är på väg" in page, "ny@exempel.se" in page) == (True, True)
    assert "amina@exempel.se" not in page
    assert names(visitor.get("/credentials?show=undelivered").text) == []


def test_a_learner_who_says_that_something_is_wrong_is_answered(
    world: World, visitor: Visitor
) -> None:
    issued = world.issued()
    world.disputed(issued.award.id, STRANGE)
    place = f"/credentials/{issued.award.id}"
    assert "&lt;script&gt;alert(1)&lt;/script&gt; أمينة" in visitor.get(place).text
    refused = visitor.post(f"{place}/answer", {"answer": "Du är 19121212-1212."})
    assert "skriv inget personnummer" in alerts(refused.text)[0]
    assert "Du är 19121212-1212." in refused.text

    visitor.post(f"{place}/answer", {"answer": "Det är rättat."})

    link = f"{world.env.addresses.base}/c/{world.token_of(issued.award.id)}"
    assert "Det är rättat." in visitor.get(link).text
    again = visitor.post(f"{place}/answer", {"answer": "Igen."})
    assert again.status_code == 409


def test_the_old_link_opens_nothing_once_it_is_changed_and_a_letter_is_a_pdf(
    world: World, visitor: Visitor
) -> None:
    issued = world.issued()
    place = f"/credentials/{issued.award.id}"
    old = f"{world.env.addresses.base}/c/{world.token_of(issued.award.id)}"

    page = visitor.follow(visitor.post(f"{place}/link")).text
    letter = visitor.post(f"{place}/letter", {"language": "sv"})

    new = f"{world.env.addresses.base}/c/{world.token_of(issued.award.id)}"
    assert (visitor.get(old).status_code, visitor.get(new).status_code) == (404, 200)
    assert (new in page, old in page) == (True, False)
    assert letter.content.startswith(b"%PDF-")
    assert "no-store" in letter.headers["Cache-Control"]


def test_a_learner_is_forgotten_by_who_has_just_shown_who_they_are(
    world: World, visitor: Visitor
) -> None:
    issued = world.issued(holder=CONTACT)
    place = f"/credentials/{issued.award.id}"
    assert "Det som blir kvar" in visitor.get(f"{place}/erasure").text
    world.clock.advance(seconds=FRESH.total_seconds())
    for stale in (visitor.get(f"{place}/erasure"), visitor.post(f"{place}/erasure")):
        assert "/console/prove?next=" in stale.headers["Location"]
    assert award_of(world, issued.award.id).holder_name == LEARNER

    fresh = signed_in(world, ISSUER, http=visitor.http)
    page = fresh.follow(fresh.post(f"{place}/erasure")).text

    assert award_of(world, issued.award.id).holder_name is None
    assert ("Raderad deltagare" in page, LEARNER in page) == (True, False)
    assert [each in page for each in ("/correction", "/erasure", "/notice")] == [False] * 3
    assert fresh.get(f"{place}/correction").status_code == 404
    assert fresh.post(f"{place}/learner").content.startswith(b"PK")


GETS = ("", "/correction", "/erasure")
POSTS = (
    "/status",
    "/answer",
    "/notice",
    "/link",
    "/letter",
    "/learner",
    "/correction",
    "/erasure",
)
FORM = {"status": "revoked", "revoked_reason": "fraud", "answer": "Nej.", "reason": "other"}


def test_another_organisations_credential_is_not_there(world: World) -> None:
    world.published_definition()
    award_id = world.issued().award.id
    stranger = signed_in(world, "sobona")

    replies = [stranger.get(f"/credentials/{award_id}{each}").status_code for each in GETS]
    replies += [stranger.post(f"/credentials/{award_id}{each}", FORM).status_code for each in POSTS]
    several = f"/credentials/revocation/{award_id}"

    assert replies == [404] * (len(GETS) + len(POSTS))
    assert (stranger.get(several).status_code, stranger.post(several, FORM).status_code) == (
        404,
        404,
    )
    assert names(stranger.get("/credentials").text) == []
    assert award_of(world, award_id).state == "active"


def test_a_lesser_role_sees_no_button_for_what_it_may_not_do_and_may_not_do_it(
    world: World, visitor: Visitor
) -> None:
    issued = world.issued(holder=CONTACT)
    world.disputed(issued.award.id)
    place = f"/credentials/{issued.award.id}"
    found = {}
    for role in (Role.INTEGRATION, Role.ISSUER, Role.REVOKER):
        lesser = signed_in(world, ISSUER, role, email=f"{role}@exempel.se", http=visitor.http)
        page = lesser.get(place).text
        shown = {each for each in POSTS if f'{issued.award.id}{each}"' in page}
        replies = {each: lesser.post(f"{place}{each}", FORM).status_code for each in POSTS}
        allowed = {each for each, status in replies.items() if status != 403}
        found[role] = (shown, allowed, "amina@exempel.se" in page, "/c/" in page)

    sends, decides = {"/notice", "/link", "/letter"}, {"/status", "/answer"}
    assert found == {
        Role.INTEGRATION: (set(), set(), False, False),
        Role.ISSUER: (sends, sends, True, True),
        Role.REVOKER: (decides, decides, False, False),
    }


def test_a_page_of_fifty_credentials_is_light_and_leads_to_the_next(
    world: World, visitor: Visitor
) -> None:
    first = world.issued(holder={"name": "A" * 200})
    with world.writing() as session:
        kept = session.get_one(Award, first.award.id)
        values = {c.key: getattr(kept, c.key) for c in Award.__table__.columns}
        for number in range(59):
            own = {"id": f"{number:08}-0000-4000-8000-000000000000", "status_index": 10**6 + number}
            session.add(Award(**values | own))

    page = visitor.get("/credentials?state=active")

    assert len(page.content) < 100_000
    assert len(names(page.text)) == 50
    assert "?state=active&amp;page=2" in page.text
    assert len(names(visitor.get("/credentials?state=active&page=2").text)) == 10
