"""Issue to many: every row its own outcome, nothing twice, undone as a whole."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from kpass_vc.actions.batch import (
    UNDO_SLICE,
    BatchStatusOrder,
    Looked,
    _stored,
    each_error,
    issue_slice,
    look_through,
    read_file,
    read_items,
    reserve,
    take_in,
    undo,
    undo_slice,
    written,
)
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.correct import CorrectionOrder, correct
from kpass_vc.actions.erase import erase
from kpass_vc.actions.letter import batch_letters
from kpass_vc.actions.publish import retire
from kpass_vc.crypto.sealing import seal
from kpass_vc.errors import Conflict, NotFound, Unavailable
from kpass_vc.records import batch as batches
from kpass_vc.records.award import Award, representations
from kpass_vc.records.batch import Batch, BatchRow
from kpass_vc.records.delivery import Delivery
from tests.world import World, actor_of

ISSUER, DEFINITION = "stadsnat-exempel", "sobona/SOB-OPTO-01"
DAY = (datetime.now(UTC) - timedelta(days=4)).date().isoformat()


def item(name: str, **more: object) -> dict[str, Any]:
    return {"holder": {"name": name}, "assessedOn": DAY, "languages": ["sv"]} | more


def look(world: World, items: list[dict[str, Any]]) -> Looked:
    with world.reading() as session:
        return look_through(
            world.env,
            session,
            actor_of(world.organization(ISSUER)),
            DEFINITION,
            read_items(DEFINITION, items),
        )


def taken(world: World, items: list[dict[str, Any]]) -> Batch:
    with world.writing() as session:
        actor = actor_of(world.organization(ISSUER))
        looked = look_through(world.env, session, actor, DEFINITION, read_items(DEFINITION, items))
        return take_in(world.env, session, actor, DEFINITION, looked)


def work(world: World, batch: Batch, first: int = 1, last: int = 10_000) -> None:
    reserve(world.env, batch.organization_id, batch.id, first, last)
    issue_slice(world.env, batch.organization_id, batch.id, first, last)


def states(world: World, batch: Batch) -> list[str]:
    with world.reading() as session:
        rows = batches.rows(session, organization_id=batch.organization_id, batch_id=batch.id)
        return [row.state for row in rows]


def awards(world: World) -> list[Award]:
    with world.reading() as session:
        return list(session.scalars(select(Award)))


@pytest.fixture(autouse=True)
def _definition(world: World) -> None:
    world.published_definition()


def test_one_bad_row_stops_no_other_and_says_what_is_wrong_in_both_languages(
    world: World,
) -> None:
    items = [
        item("Åsa Ärlig"),
        item("", assessedOn="i går"),
        item("Örjan Öst", assessedOn="2099-01-01"),
        item("Eva 19121212-1212"),
        item("Åsa Ärlig"),
        {"holder": {"name": "X"}, "assessedOn": DAY, "nonsense": 1},
        item("Li"),
    ]

    looked = look(world, items)
    batch = taken(world, items)
    work(world, batch)

    found = {row.number: [(e.field, e.rule) for e in row.errors] for row in looked.bad}
    assert set(found) == {2, 3, 4, 5, 6}
    assert ("/items/1/assessedOn", "date") in found[2]
    assert found[3] == [("/items/2/assessedOn", "assessed_on")]
    assert found[4] == [("/items/3/holder/name", "personal_number")]
    assert found[5] == [("/items/4", "row_twice")]
    assert all(
        written(error)["sv"] != written(error)["en"] for row in looked.bad for error in row.errors
    )
    assert states(world, batch) == [
        "issued", "failed", "failed", "failed", "failed", "failed", "issued",
    ]  # fmt: skip
    assert sorted(award.holder_name or "" for award in awards(world)) == ["Li", "Åsa Ärlig"]
    with world.reading() as session:
        assert session.get_one(Batch, batch.id).state == "finished"


def test_a_dry_run_stores_nothing(world: World) -> None:
    look(world, [item("Li")])
    with world.reading() as session:
        assert list(session.scalars(select(Batch))) == []
    assert awards(world) == []


def test_the_same_file_again_issues_nothing_and_points_to_what_was_issued(world: World) -> None:
    items = [item("Li"), item("Bo", externalReference="r1")]
    first = taken(world, items)
    work(world, first)
    again = taken(world, [*items, item("Cai")])
    work(world, again)

    assert states(world, again) == ["already_issued", "already_issued", "issued"]
    assert len(awards(world)) == 3
    with world.reading() as session:
        (row, *_) = batches.rows(session, organization_id=again.organization_id, batch_id=again.id)
    assert row.award_id in {award.id for award in awards(world)}


def test_two_batches_that_were_taken_in_side_by_side_issue_each_row_once(world: World) -> None:
    items = [item("Li"), item("Bo", externalReference="r1")]
    one, other = taken(world, items), taken(world, items)
    work(world, one)
    work(world, other)
    assert states(world, other) == ["already_issued", "already_issued"]
    assert len(awards(world)) == 2


def test_a_slice_that_is_done_again_does_nothing_more(world: World) -> None:
    batch = taken(world, [item(f"Elev {number}") for number in range(7)])
    for _ in range(3):
        work(world, batch, 1, 4)
    assert states(world, batch) == ["issued"] * 4 + ["waiting"] * 3
    work(world, batch)
    found = awards(world)
    assert len({(award.status_list_id, award.status_index) for award in found}) == 7
    assert all(world.verified(body_of_award(world, award)).verified for award in found[:2])


def body_of_award(world: World, award: Award) -> bytes:
    with world.reading() as session:
        return representations(session, award_id=award.id)[0].body


def test_names_and_orders_lie_sealed_until_they_are_issued_and_then_no_more(world: World) -> None:
    batch = taken(world, [item("Hemlig Person", holder={"name": "Hemlig Person"})])
    with world.reading() as session:
        (row,) = session.scalars(select(BatchRow))
        assert b"Hemlig" not in (row.sealed_order or b"")
        assert row.sealed_order
    work(world, batch)
    with world.reading() as session:
        (row,) = session.scalars(select(BatchRow))
        assert row.sealed_order is None


def test_the_learners_who_left_an_address_are_told_each_once(world: World) -> None:
    contact = {"email": "li@example.org"}
    batch = taken(world, [item("Li", holder={"name": "Li", "contact": contact}), item("Bo")])
    for _ in range(2):
        work(world, batch)
    with world.reading() as session:
        (delivery,) = session.scalars(select(Delivery))
    assert delivery.state == "waiting"
    assert b"li@example.org" not in (delivery.sealed_contact or b"")


def test_a_batch_is_undone_as_a_whole_and_may_be_sent_again(world: World) -> None:
    items = [item("Li"), item("Bo"), item("Cai")]
    batch = taken(world, items)
    work(world, batch, 1, 2)
    issued = awards(world)
    with world.writing() as session:
        undo(
            world.env,
            session,
            actor_of(world.organization(ISSUER)),
            batch.id,
            BatchStatusOrder(status="undone", reason="issued_in_error"),
        )
    work(world, batch)
    for _ in range(2):
        undo_slice(world.env, batch.organization_id, batch.id, 1, 50, "test:issuer")

    assert states(world, batch) == ["revoked", "revoked", "withdrawn"]
    assert {award.state for award in awards(world)} == {"revoked"}
    for award in issued:
        assert world.verified(body_of_award(world, award)).verdict == "refused"
    with world.reading() as session:
        assert session.get_one(Batch, batch.id).state == "undone"
    again = taken(world, items)
    work(world, again)
    assert states(world, again) == ["issued"] * 3


def test_what_is_sent_while_a_batch_is_undone_is_issued_after_that(world: World) -> None:
    items = [item("Li"), item("Bo", externalReference="r1")]
    wrong = taken(world, items)
    work(world, wrong)
    beside = taken(world, [item("Cai"), *items])
    # as if it had been taken in just before the other one was issued
    with world.writing() as session:
        rows = batches.rows(session, organization_id=beside.organization_id, batch_id=beside.id)
        sealed = _stored_again(world, beside, [item("Cai"), *items])
        for row in rows:
            row.state, row.award_id, row.sealed_order = "waiting", None, sealed[row.number]
    order = BatchStatusOrder(status="undone", reason="issued_in_error")
    with world.writing() as session:
        undo(world.env, session, actor_of(world.organization(ISSUER)), wrong.id, order)

    for each in items:
        with pytest.raises(Conflict) as caught:
            taken(world, [each])
        assert caught.value.rule == "batch_undoing"
    with pytest.raises(Conflict):
        work(world, beside)
    undo_slice(world.env, wrong.organization_id, wrong.id, 1, 50, "test:issuer")
    work(world, beside)

    assert states(world, beside) == ["issued"] * 3
    assert sorted(award.state for award in awards(world)) == ["active"] * 3 + ["revoked"] * 2


def _stored_again(world: World, batch: Batch, items: list[dict[str, Any]]) -> dict[int, Any]:
    looked = Looked(tuple(read_items(DEFINITION, items)))
    return {
        row.number: _stored(world.env, batch, row, looked)["sealed_order"] for row in looked.rows
    }


def test_a_reference_that_another_definition_has_is_said_and_loses_nobody_a_credential(
    world: World,
) -> None:
    world.published_definition(code="SOB-OPTO-02")
    world.issued(definition="sobona/SOB-OPTO-02", externalReference="elev-1")
    items = [item("Li", externalReference="elev-1")]

    batch = taken(world, items)

    assert [error.rule for row in look(world, items).bad for error in row.errors] == ["row_refused"]
    assert states(world, batch) == ["failed"]


def test_a_dry_run_counts_what_has_its_reference_already_as_issued(world: World) -> None:
    world.issued(holder={"name": "Li"}, externalReference="elev-1")
    looked = look(world, [item("Li", externalReference="elev-1")])
    assert (len(looked.good), len(looked.issued_before)) == (0, 1)


def test_a_row_waits_for_what_does_not_answer_and_is_not_given_up(world: World) -> None:
    batch = taken(world, [item("Li")])
    silent = replace(world.env, key_stores={})
    reserve(world.env, batch.organization_id, batch.id, 1, 50)
    with pytest.raises(Unavailable):
        issue_slice(silent, batch.organization_id, batch.id, 1, 50)
    assert states(world, batch) == ["waiting"]
    work(world, batch)
    assert states(world, batch) == ["issued"]


@pytest.mark.parametrize("is_fast", [True, False])
def test_an_order_that_cannot_be_opened_now_is_not_given_up(world: World, *, is_fast: bool) -> None:
    batch = taken(world, [item("Li")])
    other_key = replace(world.env, contact_key=bytes(32), is_fast=is_fast)
    with pytest.raises(Unavailable):
        issue_slice(other_key, batch.organization_id, batch.id, 1, 50)
    assert states(world, batch) == ["waiting"]
    work(world, batch)
    assert states(world, batch) == ["issued"]


def test_a_row_that_no_rule_takes_any_more_stops_no_other(world: World) -> None:
    batch = taken(world, [item("Li"), item("Bo")])
    # as an earlier version had taken it in, whose rules were wider
    old = json.dumps(item("") | {"definition": DEFINITION})
    with world.writing() as session:
        row = batches.rows(session, organization_id=batch.organization_id, batch_id=batch.id)[0]
        row.sealed_order = seal(
            world.env.contact_key, old, world.env.entropy(12), about=f"{batch.id}/{row.number}"
        )
    work(world, batch)
    assert states(world, batch) == ["failed", "issued"]


def test_what_was_corrected_is_not_issued_again_and_is_undone_with_its_batch(world: World) -> None:
    items = [item("Lii")]
    batch = taken(world, items)
    work(world, batch)
    (old,) = awards(world)
    actor = actor_of(world.organization(ISSUER))
    right = CorrectionOrder.model_validate({"holder": {"name": "Li"}, "assessedOn": DAY})
    with world.writing() as session:
        new = correct(world.env, session, actor, old.id, right).award

    again = taken(world, items)
    work(world, again)
    assert states(world, again) == ["already_issued"]
    with world.reading() as session:
        (row,) = batches.rows(session, organization_id=batch.organization_id, batch_id=again.id)
        assert row.award_id == new.id
    order = BatchStatusOrder(status="undone", reason="issued_in_error")
    with world.writing() as session:
        undo(world.env, session, actor, batch.id, order)
    undo_slice(world.env, batch.organization_id, batch.id, 1, 50, "test:issuer")
    assert {award.state for award in awards(world)} == {"revoked"}


def test_a_reference_that_stands_for_a_whole_class_is_said_in_every_row(world: World) -> None:
    items = [
        item("Li", externalReference="kurs-17"),
        item("Bo", externalReference="Kurs-17"),
        item("Cai", holder={"name": "Cai", "reference": "7A"}),
        item("Disa", holder={"name": "Disa", "reference": "7A"}),
        item("Eva", externalReference="kurs-18"),
    ]
    found = {row.number: row.errors[0] for row in look(world, items).bad}
    assert {
        number: (error.field, error.rule, error.data["row"]) for number, error in found.items()
    } == {
        1: ("/items/0/externalReference", "reference_shared", 2),
        2: ("/items/1/externalReference", "reference_shared", 1),
        3: ("/items/2/holder/reference", "reference_shared", 4),
        4: ("/items/3/holder/reference", "reference_shared", 3),
    }
    table = f"Namn;Bedömningsdag;Egen referens\r\nLi;{DAY};k\r\nBo;{DAY};k".encode()
    with world.reading() as session:
        actor = actor_of(world.organization(ISSUER))
        rows = read_file(DEFINITION, table)
        looked = look_through(world.env, session, actor, DEFINITION, rows)
    assert [error.field for row in looked.bad for error in row.errors] == ["C2", "C3"]


def test_a_reference_of_somebody_else_is_said_and_not_taken_for_issued(world: World) -> None:
    first = taken(world, [item("Li", externalReference="kurs-17")])
    beside = taken(world, [item("Bo", externalReference="kurs-17")])
    work(world, first)
    work(world, beside)
    assert states(world, beside) == ["failed"]
    assert len(look(world, [item("Bo", externalReference="kurs-17")]).bad) == 1


def test_an_item_for_another_definition_is_not_issued_for_this_one(world: World) -> None:
    looked = look(world, [item("Li", definition="sobona/OTHER"), item("Bo", definition=DEFINITION)])
    ((number, error),) = each_error(looked)
    assert (number, error.field, error.rule) == (1, "/items/0/definition", "definition_differs")


def test_letters_wait_until_the_batch_is_done(world: World) -> None:
    batch = taken(world, [item("Li"), item("Bo")])
    work(world, batch, 1, 1)
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session, pytest.raises(Conflict) as caught:
        batch_letters(world.env, session, actor, batch.id, "sv")
    assert caught.value.rule == "batch_running"
    work(world, batch)
    with world.writing() as session:
        body = batch_letters(world.env, session, actor, batch.id, "sv")
    assert len(PdfReader(io.BytesIO(body)).pages) == 2


def test_a_batch_from_a_file_is_undone_to_its_last_row(world: World) -> None:
    lines = [f"{name};{DAY}" for name in ("Li", "Bo", "Cai")]
    table = "\r\n".join(["Namn;Bedömningsdag", *lines]).encode()
    slices: list[tuple[str | int, ...]] = []

    def noted(
        session: Session,
        queue: str,
        workflow: str,
        *of: str | int,
        key: str = "",
        delay: int = 0,
    ) -> None:
        assert session.in_transaction(), (queue, key, delay)
        if workflow == UNDO_SLICE:
            slices.append(of)

    env = replace(world.env, enqueue=noted)
    with world.writing() as session:
        actor = actor_of(world.organization(ISSUER))
        looked = look_through(env, session, actor, DEFINITION, read_file(DEFINITION, table))
        batch = take_in(env, session, actor, DEFINITION, looked)
    work(world, batch)
    with world.writing() as session:
        order = BatchStatusOrder(status="undone", reason="issued_in_error")
        undo(env, session, actor, batch.id, order)
    for organization_id, batch_id, first, last, name in slices:
        undo_slice(env, str(organization_id), str(batch_id), int(first), int(last), str(name))

    assert states(world, batch) == ["revoked"] * 3
    with world.reading() as session:
        assert session.get_one(Batch, batch.id).state == "undone"


def test_anothers_batch_is_not_there(world: World) -> None:
    batch = taken(world, [item("Li")])
    order = BatchStatusOrder(status="undone", reason="other")
    with world.writing() as session, pytest.raises(NotFound):
        undo(world.env, session, actor_of(world.organization("sobona")), batch.id, order)


def test_who_is_not_authorised_any_more_when_a_row_is_issued_gets_it_refused(
    world: World,
) -> None:
    batch = taken(world, [item("Li")])
    with world.writing() as session:
        owner = actor_of(world.organization("sobona"))
        retire(world.env, session, owner, batch.definition_version_id)
    work(world, batch)
    assert states(world, batch) == ["failed"]
    with pytest.raises(Conflict):
        taken(world, [item("Bo")])


def test_a_table_is_issued_by_its_rows_and_errors_stand_at_their_cells(world: World) -> None:
    table = (
        "Namn;E-post;Bedömningsdag;Skyddade personuppgifter\r\n"
        f"Åsa Öberg;asa@example.org;{DAY};\r\n"
        f"=1+1;;{DAY};\r\n"
        "Li;;2099-01-01;\r\n"
        f"Bo;inte en adress;{DAY};kanske\r\n"
        f";;{DAY};ja\r\n"
        f"Eva;a@;{DAY};\r\n"
    ).encode("cp1252")
    with world.writing() as session:
        actor = actor_of(world.organization(ISSUER))
        looked = look_through(world.env, session, actor, DEFINITION, read_file(DEFINITION, table))
        batch = take_in(world.env, session, actor, DEFINITION, looked)
    work(world, batch)

    found = {row.number: [error.field for error in row.errors] for row in looked.bad}
    assert found == {3: ["A3"], 4: ["C4"], 5: ["D5"], 7: ["B7"]}
    assert "C4" in written(looked.bad[1].errors[0])["sv"]
    assert sorted(award.holder_name or "" for award in awards(world)) == ["", "Åsa Öberg"]


def test_letters_go_to_all_who_left_no_address_and_are_still_there(world: World) -> None:
    contact = {"email": "d@example.org"}
    batch = taken(
        world,
        [
            item("Anna"),
            item("Berit", holder={"name": "Berit", "reference": "elev-2"}),
            item("Cilla", holder={"name": "Cilla", "reference": "elev-3"}),
            item("Disa", holder={"name": "Disa", "contact": contact}),
            item("Ester"),
        ],
    )
    work(world, batch)
    of_name = {award.holder_name: award.id for award in awards(world)}
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        erase(world.env, session, actor, of_name["Cilla"])
    with world.writing() as session:
        order = StatusOrder(status="revoked", reason="other")
        change_status(world.env, session, actor, of_name["Ester"], order)

    with world.writing() as session:
        body = batch_letters(world.env, session, actor, batch.id, "sv")
        with pytest.raises(Conflict) as caught:
            batch_letters(world.env, session, actor, batch.id, "sv", 2)

    pages = [page.extract_text() for page in PdfReader(io.BytesIO(body)).pages]
    assert len(pages) == 2
    assert "Anna" in pages[0]
    assert "Berit" in pages[1]
    assert caught.value.rule == "no_letters"
