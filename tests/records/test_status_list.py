"""The counter of a list: one index for each, none past the end."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from kpass_vc.records import status_list as status_lists
from kpass_vc.records.status_list import StatusList, StatusPublication
from tests.world import World


def own_list(world: World) -> StatusList:
    organization = world.organization("sobona")
    with world.reading() as session:
        found = status_lists.newest(session, organization_id=organization.id, purpose="revocation")
    assert found is not None
    return found


def take(world: World, row: StatusList) -> int | None:
    with world.writing() as session:
        return status_lists.take(session, row)


def test_counters_are_given_out_one_after_the_other_and_none_past_the_end(world: World) -> None:
    row = own_list(world)
    assert [take(world, row) for _ in range(3)] == [0, 1, 2]
    with world.writing() as session:
        session.execute(update(StatusList).values(used=row.size - 1))

    assert [take(world, row) for _ in range(3)] == [row.size - 1, None, None]


def test_a_counter_of_a_transaction_that_failed_is_given_out_again(world: World) -> None:
    row = own_list(world)

    with world.env.writing() as session:
        assert status_lists.take(session, row) == 0

    assert take(world, row) == 0


def test_four_writers_at_once_get_different_counters(world: World) -> None:
    row = own_list(world)

    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda _: take(world, row), range(80)))

    assert max(Counter(given).values()) == 1
    assert sorted(counter for counter in given if counter is not None) == list(range(80))


def test_a_purpose_and_a_number_name_one_list_of_an_organisation(world: World) -> None:
    row = own_list(world)

    for changes in ({"url": "https://x.example/other"}, {"number": 2}):
        members = {
            column.name: getattr(row, column.name) for column in StatusList.__table__.columns
        }
        with pytest.raises(IntegrityError), world.writing() as session:
            session.add(StatusList(**{**members, "id": "copy", **changes}))


def test_the_newest_list_is_that_of_the_highest_number_of_its_organisation(world: World) -> None:
    row = own_list(world)
    members = {column.name: getattr(row, column.name) for column in StatusList.__table__.columns}
    with world.writing() as session:
        for number in (10, 9):
            changes = {"id": f"n{number}", "number": number, "url": f"https://x.example/{number}"}
            session.add(StatusList(**members | changes))

    with world.reading() as session:
        found = status_lists.newest(
            session, organization_id=row.organization_id, purpose="revocation"
        )
        assert found is not None
        assert found.number == 10
        assert status_lists.newest(session, organization_id="nobody", purpose="revocation") is None
        assert (
            status_lists.newest(session, organization_id=row.organization_id, purpose="suspension")
            is None
        )


def test_a_list_is_found_by_its_exact_address(world: World) -> None:
    row = own_list(world)

    with world.reading() as session:
        found = status_lists.by_url(session, row.url)
        assert found is not None
        assert found.id == row.id
        for other in (row.url.upper(), row.url + "#1", row.url[:-1], "%"):
            assert status_lists.by_url(session, other) is None


def test_the_bits_are_read_anew_for_a_change(world: World) -> None:
    row = own_list(world)
    with world.writing() as session:
        loaded = status_lists.publication(session, status_list_id=row.id)
        assert loaded is not None
        session.execute(
            update(StatusPublication).values(version=7).execution_options(synchronize_session=False)
        )

        again = status_lists.publication(session, status_list_id=row.id, for_update=True)

        assert again is loaded
        assert again.version == 7
