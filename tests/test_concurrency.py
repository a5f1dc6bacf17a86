"""Several at once: no index is given out twice, no bit is lost, no key makes two credentials."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from socket import create_connection
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import func, select, text, update

from kpass_vc import statuslist
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.define import define
from kpass_vc.actions.issue import IssueOrder, issue
from kpass_vc.actions.letter import letter_hash, open_letter
from kpass_vc.actions.publish import publish, retire
from kpass_vc.actions.share import private_link
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.links import new_code
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.award import Award, IdempotencyKey, Representation
from kpass_vc.records.definition import DefinitionVersion
from kpass_vc.records.letter import LetterCode
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList, StatusPublication
from kpass_vc.settings import Settings
from tests.api.http import serving, variables
from tests.world import World, actor_of, definition_document, issue_order

ROOT = Path(__file__).parent.parent
ISSUER = "stadsnat-exempel"
THREADS, EACH = 8, 200
ALL = THREADS * EACH
Result = TypeVar("Result")


def at_once(count: int, act: Callable[[int], Result]) -> list[Result]:
    """What `act` gives in as many threads, which all begin at the same moment."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> Result:
        barrier.wait(30)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def the_list(world: World) -> StatusList:
    """The list of our issuer that is being filled."""
    with world.reading() as session:
        found = status_lists.newest(
            session, organization_id=world.organization(ISSUER).id, purpose="revocation"
        )
    assert found is not None
    return found


@pytest.mark.postgresql
def test_eight_threads_in_two_processes_that_issue_200_each_give_out_1600_indexes_of_one_list(
    world: World, settings: Settings
) -> None:
    world.published_definition()
    command = [sys.executable, "-m", "tests.issuing", ISSUER, str(THREADS // 2), str(EACH)]
    processes = [
        subprocess.Popen(
            command,
            env=variables(settings),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    for process in processes:
        process.communicate(timeout=240)

    assert [process.returncode for process in processes] == [0, 0]
    with world.reading() as session:
        places = session.execute(select(Award.status_list_id, Award.status_index)).all()
        bodies = session.scalar(select(func.count(Representation.sha256.distinct())))
        ids = session.scalar(select(func.count(Representation.credential_id.distinct())))
        entries = session.scalar(
            select(func.count()).where(AuditEntry.action == "credential.issued")
        )
    assert len(places) == ALL
    assert len({(place[0], place[1]) for place in places}) == ALL
    assert {place[0] for place in places} == {the_list(world).id}
    assert the_list(world).used == ALL
    assert (bodies, ids, entries) == (2 * ALL, ALL, ALL)


def recorded(world: World, count: int) -> list[Award]:
    """As many credentials of one list on record, without their bytes."""
    found = world.published_definition()
    issuer = world.organization(ISSUER)
    lists = the_list(world)
    now = world.clock()
    made = [
        Award(
            id=world.env.new_id(),
            organization_id=issuer.id,
            definition_version_id=found[0].id,
            state="active",
            holder_id=f"urn:uuid:{world.env.new_id()}",
            assessed_on=now.date(),
            issued_at=now,
            status_list_id=lists.id,
            status_index=statuslist.nth_index(number, lists.permutation_key, lists.size),
        )
        for number in range(count)
    ]
    with world.writing() as session:
        session.add_all(made)
        session.execute(update(StatusList).values(used=count))
    return made


@pytest.mark.postgresql
def test_eight_threads_with_200_status_changes_each_lose_no_bit(world: World) -> None:
    made = recorded(world, ALL)
    actor = actor_of(world.organization(ISSUER))
    order = StatusOrder(status="revoked", reason="other")

    def revoke(thread: int) -> None:
        for award in made[thread::THREADS]:
            with world.writing() as session:
                change_status(world.env, session, actor, award.id, order)

    at_once(THREADS, revoke)

    with world.reading() as session:
        publication = session.get_one(StatusPublication, the_list(world).id)
        states = set(session.scalars(select(Award.state)))
    set_bits = {
        index
        for index in range(statuslist.SIZE)
        if publication.bits[index // 8] >> (7 - index % 8) & 1
    }
    assert set_bits == {award.status_index for award in made}
    assert states == {"revoked"}
    encoded = json.loads(publication.body)["credentialSubject"]["encodedList"]
    assert statuslist.decode(encoded) == publication.bits
    assert publication.version == ALL + 1


@pytest.mark.postgresql
def test_eight_threads_that_redeem_the_same_200_letters_are_let_in_once_by_each(
    world: World,
) -> None:
    made = recorded(world, EACH)
    now = world.clock()
    codes = [new_code(os.urandom(8)) for _ in made]
    with world.writing() as session:
        session.add_all(
            LetterCode(
                award_id=award.id,
                code_sha256=letter_hash(code),
                made_at=now,
                expires_at=now + timedelta(days=90),
            )
            for award, code in zip(made, codes, strict=True)
        )

    def redeem(thread: int) -> list[str]:
        opened = []
        for code in codes if thread % 2 else codes[::-1]:
            with suppress(NotFound), world.writing() as session:
                opened.append(open_letter(world.env, session, code))
        return opened

    opened = [link for links in at_once(THREADS, redeem) for link in links]

    assert sorted(opened) == sorted(private_link(world.env, award) for award in made)
    with world.reading() as session:
        used = session.scalar(select(func.count()).where(LetterCode.used_at.is_not(None)))
        entries = session.scalar(
            select(func.count()).where(AuditEntry.action == "credential.letter_opened")
        )
    assert (used, entries) == (EACH, EACH)


def test_sixteen_threads_with_one_idempotency_key_make_one_credential(world: World) -> None:
    world.published_definition()
    actor = actor_of(world.organization(ISSUER))
    order = IssueOrder.model_validate(issue_order())

    def order_it(_: int) -> tuple[str, bool, tuple[bytes, ...]]:
        with world.writing() as session:
            issued = issue(world.env, session, actor, order, "kurs-17/4")
            bodies = tuple(sorted(row.body for row in issued.representations))
            return issued.award.id, issued.is_new, bodies

    answers = at_once(16, order_it)

    assert len({(award_id, bodies) for award_id, _, bodies in answers}) == 1
    assert [is_new for _, is_new, _ in answers].count(True) == 1
    with world.reading() as session:
        counted = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Award, IdempotencyKey, Representation)
        ]
    assert counted == [1, 1, 4]
    assert the_list(world).used == 1


def test_the_credential_of_a_key_whose_request_failed_can_be_ordered_again(world: World) -> None:
    world.published_definition()
    actor = actor_of(world.organization(ISSUER))
    order = IssueOrder.model_validate(issue_order())

    def interrupted() -> None:
        with world.writing() as session:
            issue(world.env, session, actor, order, "1")
            raise OSError("the power went")

    with pytest.raises(OSError, match="the power went"):
        interrupted()
    with world.writing() as session:
        issued = issue(world.env, session, actor, order, "1")

    assert issued.is_new
    assert issued.award.status_index >= 0
    assert the_list(world).used == 1


@pytest.mark.parametrize("room", [0, 1])
def test_four_threads_at_a_full_list_open_exactly_one_new_list(world: World, room: int) -> None:
    world.published_definition()
    full = the_list(world)
    with world.writing() as session:
        session.execute(
            update(StatusList).where(StatusList.id == full.id).values(used=full.size - room)
        )

    issued = at_once(4, lambda _: world.issued(languages=["sv"]))

    opened = the_list(world)
    with world.reading() as session:
        numbers = sorted(
            session.scalars(
                select(StatusList.number).where(StatusList.organization_id == full.organization_id)
            )
        )
        kept = session.get_one(StatusList, full.id).used
    assert numbers == [1, 2]
    assert kept == full.size
    assert opened.used == 4 - room
    places = {(one.award.status_list_id, one.award.status_index) for one in issued}
    assert len(places) == 4
    assert sum(place[0] == full.id for place in places) == room
    for one in issued:
        for representation in one.representations:
            assert world.verified(representation.body).verified


def test_sixty_requests_at_once_are_all_answered_by_a_server_that_has_forty_threads(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    token = world.token(ISSUER)
    body = json.dumps(issue_order() | {"languages": ["sv"]}).encode()

    with serving(variables(settings), tmp_path) as (process, base):
        request = Request(
            f"{base}/v1/credentials", data=body, headers={"Authorization": f"Bearer {token}"}
        )

        def order_it(_: int) -> str:
            with urlopen(request, timeout=60) as reply:
                assert reply.status == 201
                return str(json.load(reply)["statusEntry"]["statusListIndex"])

        started = time.monotonic()
        indexes = at_once(60, order_it)
        spent = time.monotonic() - started
        assert process.poll() is None

    assert len(set(indexes)) == 60
    assert spent < 60
    with world.reading() as session:
        assert session.scalar(select(func.count()).select_from(Award)) == 60


def revoking(base: str, token: str, row: StatusList, mine: list[Award]) -> list[tuple[int, bool]]:
    """Revoke over HTTP one after the other: of each the status of the answer, and whether the next read shows it."""
    found = []
    for award in mine:
        request = Request(
            f"{base}/v1/credentials/{award.id}/status",
            data=b'{"status": "revoked", "reason": "other"}',
            headers={"Authorization": f"Bearer {token}"},
        )
        with urlopen(request, timeout=120) as reply:
            assert json.load(reply)["status"] == "revoked"
            status = reply.status
        with urlopen(f"{base}{urlsplit(row.url).path}", timeout=120) as reply:
            encoded = json.load(reply)["credentialSubject"]["encodedList"]
        found.append((status, statuslist.get(statuslist.decode(encoded), award.status_index)))
    return found


def version_of(world: World, row: StatusList) -> int:
    with world.reading() as session:
        return session.get_one(StatusPublication, row.id).version


def test_two_hundred_revocations_at_once_are_in_the_next_read_and_signed_once_a_second(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    made = recorded(world, 200)
    row, token = the_list(world), world.token(ISSUER)

    with serving(variables(settings, KPASS_FAST="1"), tmp_path) as (process, base):
        started = time.monotonic()
        seen = at_once(200, lambda number: revoking(base, token, row, [made[number]]))
        spent = time.monotonic() - started
        assert process.poll() is None

    assert seen == [[(200, True)]] * 200
    assert version_of(world, row) - 1 <= spent + 2
    with world.reading() as session:
        bits = session.get_one(StatusPublication, row.id).bits
        states = session.scalars(select(Award.state)).all()
    assert [statuslist.get(bits, award.status_index) for award in made] == [True] * 200
    assert sum(byte.bit_count() for byte in bits) == 200
    assert states == ["revoked"] * 200


@pytest.mark.postgresql
def test_two_servers_that_revoke_in_one_list_sign_it_once_a_second_together(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    made = recorded(world, 96)
    row, token = the_list(world), world.token(ISSUER)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()

    with ExitStack() as opened:
        bases = [
            opened.enter_context(
                serving(variables(settings, KPASS_FAST="1", KPASS_WORKER=folder.name), folder)
            )[1]
            for folder in folders
        ]
        started = time.monotonic()
        seen = at_once(
            24, lambda one: revoking(bases[one % 2], token, row, made[one * 4 : one * 4 + 4])
        )
        spent = time.monotonic() - started

    assert seen == [[(200, True)] * 4] * 24
    assert version_of(world, row) - 1 <= spent + 2


def test_clients_that_do_not_send_what_they_promised_hold_nobody_up(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    token = world.token(None)
    addresses = ("/v1/verifications", "/v1/organizations")

    with serving(variables(settings), tmp_path) as (_, base), ExitStack() as opened:
        for number in range(80):
            slow = opened.enter_context(create_connection(("127.0.0.1", port_of(base)), 10))
            head = (
                f"POST {addresses[number % 2]} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n{{"
            )
            slow.sendall(head.encode())
        time.sleep(0.5)
        started = time.monotonic()
        with urlopen(f"{base}/v1/organizations", timeout=20) as reply:
            assert reply.status == 200
        spent = time.monotonic() - started

    assert spent < 5


def port_of(base: str) -> int:
    return int(base.rpartition(":")[2])


def wait_until_one_waits(world: World) -> None:
    """Return when a transaction of this database waits for another."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with world.env.engine.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.02)
    raise TimeoutError


def published_by(world: World, owner: Organization, version_id: str) -> DefinitionVersion:
    with world.writing() as session:
        return publish(world.env, session, actor_of(owner), version_id)[0]


def retired_by(world: World, owner: Organization, version_id: str) -> DefinitionVersion:
    with world.writing() as session:
        return retire(world.env, session, actor_of(owner), version_id)[0]


@pytest.mark.postgresql
def test_publishing_signs_the_draft_that_stood_there_when_it_had_its_turn(world: World) -> None:
    version, _, owner = world.draft()
    changed = definition_document() | {"validity": {"duration": "P50Y", "renewal_method": "none"}}

    with ThreadPoolExecutor(1) as pool:
        with world.writing() as session:
            define(world.env, session, actor_of(owner), changed)
            publishing = pool.submit(published_by, world, owner, version.id)
            wait_until_one_waits(world)
        found = publishing.result(30)

    assert json.loads(found.document or b"")["validity"]["duration"] == "P50Y"
    assert json.loads(found.source)["validity"]["duration"] == "P50Y"


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("act", "rule"), [(published_by, "version_is_final"), (retired_by, "not_published")]
)
def test_the_second_of_two_at_once_is_told_the_state_that_the_first_made(
    world: World, act: Callable[[World, Organization, str], DefinitionVersion], rule: str
) -> None:
    version, _, owner = world.draft() if act is published_by else world.published_definition()
    first = publish if act is published_by else retire

    with ThreadPoolExecutor(1) as pool:
        with world.writing() as session:
            first(world.env, session, actor_of(owner), version.id)
            second = pool.submit(act, world, owner, version.id)
            wait_until_one_waits(world)
        with pytest.raises(Conflict) as caught:
            second.result(30)

    assert caught.value.rule == rule
    assert caught.value.data["version"] == "1.0.0"


@pytest.mark.postgresql
def test_the_second_of_two_at_once_with_one_reference_is_told_which_credential_has_it(
    world: World,
) -> None:
    world.published_definition()
    actor = actor_of(world.organization(ISSUER))
    order = IssueOrder.model_validate(issue_order() | {"externalReference": "kurs-17/4"})

    def order_it() -> str:
        with world.writing() as session:
            return issue(world.env, session, actor, order).award.id

    with ThreadPoolExecutor(1) as pool:
        with world.writing() as session:
            first = issue(world.env, session, actor, order)
            second = pool.submit(order_it)
            wait_until_one_waits(world)
        with pytest.raises(Conflict) as caught:
            second.result(30)

    assert caught.value.rule == "reference_in_use"
    assert caught.value.data["field"] == "/externalReference"
    assert caught.value.data["credential"] == first.award.id
    assert the_list(world).used == 1
