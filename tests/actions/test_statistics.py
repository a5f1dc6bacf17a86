"""Statistics: one's own exactly, others' so that no few can be made out."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kpass_vc.actions.share import accept
from kpass_vc.actions.statistics import FEWEST, others_counts, own_counts, shown
from tests.api.http import bearer, client_of
from tests.world import World, actor_of

ISSUER = "stadsnat-exempel"


def test_an_issuer_sees_its_own_and_an_owner_sees_others_without_the_few(world: World) -> None:
    world.published_definition(authorised_issuers=[ISSUER, "annan", "sobona"])
    issued = [world.issued() for _ in range(6)]
    world.issued(issuer="annan")
    world.issued(issuer="sobona")
    world.set_status(issued[0], "revoked")
    with world.writing() as session:
        accept(world.env, session, world.token_of(issued[1].award.id))

    with world.reading() as session:
        (own,) = own_counts(session, actor_of(world.organization(ISSUER)))
        others = others_counts(session, actor_of(world.organization("sobona")))
        assert others_counts(session, actor_of(world.organization(ISSUER))) == []

    assert (own.definition, own.channel) == ("sobona/SOB-OPTO-01", "api")
    assert (own.issued, own.claimed, own.revoked) == (6, 1, 1)
    assert [(row.issuer, row.issued, row.claimed, row.revoked) for row in others] == [
        ("annan", None, None, None),
        (ISSUER, 6, None, None),
    ]
    http = client_of(world.env)
    reply = http.get("/v1/statistics?format=csv", headers=bearer(world.token("sobona")))
    assert reply.headers["Content-Type"].startswith("text/csv")
    assert '"<5"' in reply.text


def test_what_was_issued_is_counted_in_the_month_it_was_in_sweden(world: World) -> None:
    world.published_definition()
    world.clock.moment = datetime(2026, 12, 31, 22, 59, tzinfo=UTC)
    world.issued(assessedOn="2026-12-30")
    world.clock.moment = datetime(2026, 12, 31, 23, 1, tzinfo=UTC)
    for _ in range(2):
        world.issued(assessedOn="2026-12-30")

    with world.reading() as session:
        found = own_counts(session, actor_of(world.organization(ISSUER)))

    assert [(row.month, row.issued) for row in found] == [("2026-12", 1), ("2027-01", 2)]


@given(st.integers(1, 40), st.data())
def test_no_shown_count_and_no_difference_of_two_is_one_to_four(
    issued: int, data: st.DataObject
) -> None:
    claimed = data.draw(st.integers(0, issued))
    revoked = data.draw(st.integers(0, issued))

    found = shown(issued, claimed, revoked)

    kept = [count for count in found if count is not None]
    assert all(not 0 < count < FEWEST for count in kept)
    assert all(not 0 < abs(one - other) < FEWEST for one in kept for other in kept)
    assert all(
        count in {None, given}
        for count, given in zip(found, (issued, claimed, revoked), strict=True)
    )
