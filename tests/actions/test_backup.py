"""Backup and restore: no index is given out twice and no revocation is lost, whenever the copy was made."""

import json
import random
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kpass_vc.actions.backup import Merged, accept, backup, restore
from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.correct import CorrectionOrder, correct
from kpass_vc.actions.delegate import DelegationStatusOrder, change
from kpass_vc.actions.erase import erase
from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import Issued
from kpass_vc.actions.recheck import recheck, recheck_operator
from kpass_vc.actions.rotate_key import rotate_keys
from kpass_vc.actions.verify import own_did_document
from kpass_vc.environment import Environment
from kpass_vc.errors import Forbidden, Malformed, Unavailable
from kpass_vc.records import Base
from kpass_vc.records import status_list as lists
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.delegation import Delegation
from kpass_vc.settings import Settings
from tests.actions.test_delegate import changed, granted
from tests.conftest import own_postgresql, settings_for
from tests.sample import outcome
from tests.world import (
    OPERATOR_ACTOR,
    Clock,
    World,
    actor_of,
    body_of,
    issue_order,
    open_test_environment,
)

OWNER, ISSUER = "sobona", "stadsnat-exempel"


def place(issued: Issued) -> tuple[str, int]:
    return issued.award.status_list_id, issued.award.status_index


def published(world: World) -> list[bytes]:
    """Every status list of the issuer as the world may have kept it."""
    with world.reading() as session:
        found = lists.every(session, organization_id=world.organization(ISSUER).id)
        return [publication.body for _, publication in found]


def fresh(
    world: World, settings: Settings, folder: Path, database_url: str
) -> tuple[World, Settings]:
    """A new, empty installation at the same address, under the same key-encryption key."""
    folder.mkdir()
    shutil.copy(settings.kek_file, folder / "kek")
    own = settings_for(database_url, folder)
    initialise(own)
    return World(open_test_environment(own, world.clock), world.clock), own


def reopened(settings: Settings, clock: Clock) -> World:
    """As after a new start, with entropy that was not given out before."""
    env: Environment = open_test_environment(settings, clock)
    drawn = iter(range(10**9, 2 * 10**9))
    return World(
        replace(env, entropy=lambda size: next(drawn).to_bytes(8).rjust(size, b"\7")[-size:]), clock
    )


@pytest.mark.parametrize("moment", [0, 1, 3])
def test_a_restore_from_any_moment_reuses_no_index_and_loses_no_revocation(
    world: World, settings: Settings, tmp_path: Path, moment: int
) -> None:
    world.published_definition()
    issued: list[Issued] = []
    copy = tmp_path / "copy.zip"
    for number in range(5):
        if number == moment:
            backup(world.env, settings, copy)
        issued.append(world.issued(externalReference=f"r{number}"))
        if number % 2:
            world.set_status(issued[number - 1], "revoked")
    bodies = [body_of(each) for each in issued]
    before = [world.verified(body).verdict for body in bodies]
    last = published(world)
    used = {place(each) for each in issued}

    new, own = fresh(world, settings, tmp_path / "new", f"sqlite:///{tmp_path}/new/kpass.db")
    merged = restore(new.env, own, copy, last)
    assert all(each.merged for each in merged if ISSUER in each.url)
    new.env.engine.dispose()

    restored = reopened(own, world.clock)
    assert [restored.verified(body).verdict for body in bodies] == before
    more = [restored.issued(externalReference=f"n{number}") for number in range(5)]
    assert not used & {place(each) for each in more}
    assert all(restored.verified(body_of(each)).verified for each in more)
    with restored.reading() as session:
        for row, _ in lists.every(session, organization_id=restored.organization(ISSUER).id):
            assert row.used == row.size or row.number > 1
    restored.env.engine.dispose()


def test_without_the_published_lists_it_is_said_that_revocations_may_be_missing(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    world.issued()
    backup(world.env, settings, tmp_path / "copy.zip")
    new, own = fresh(world, settings, tmp_path / "new", f"sqlite:///{tmp_path}/new/kpass.db")

    merged = restore(new.env, own, tmp_path / "copy.zip", [])

    assert merged
    assert not any(each.merged for each in merged)
    new.env.engine.dispose()


@pytest.mark.sqlite
def test_a_database_that_is_put_back_by_hand_issues_nothing_until_its_lists_are_closed(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    world.issued()
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    world.env.engine.dispose()
    shutil.copy(file, tmp_path / "old.db")
    later = world.issued()
    revoked = world.issued()
    world.set_status(revoked, "revoked")
    last = published(world)
    world.env.engine.dispose()
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    shutil.copy(tmp_path / "old.db", file)

    back = reopened(settings, world.clock)
    with pytest.raises(Unavailable) as caught:
        back.issued()
    assert caught.value.rule == "behind"
    accept(back.env, last)
    new = back.issued()

    assert place(new) not in {place(later), place(revoked)}
    assert back.verified(body_of(revoked)).verdict == "refused"
    back.env.engine.dispose()


def test_a_copy_holds_neither_the_key_encryption_key_nor_a_plain_key(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    world.issued()
    copy = tmp_path / "copy.zip"
    counts = backup(world.env, settings, copy)

    assert copy.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(copy) as packed:
        whole = b"".join(packed.read(name) for name in packed.namelist())
        manifest = json.loads(packed.read("manifest.json"))
    assert settings.kek_file.read_bytes() not in whole
    assert manifest["rows"] == counts
    assert counts["award"] == 1


def test_what_is_no_copy_or_damaged_or_would_overwrite_is_refused(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    copy = tmp_path / "copy.zip"
    backup(world.env, settings, copy)
    with pytest.raises(Unavailable) as caught:
        restore(world.env, settings, copy, [])
    assert caught.value.rule == "not_empty"
    new, own = fresh(world, settings, tmp_path / "new", f"sqlite:///{tmp_path}/new/kpass.db")
    (tmp_path / "junk.zip").write_bytes(b"junk")
    with pytest.raises(Malformed):
        restore(new.env, own, tmp_path / "junk.zip", [])
    with zipfile.ZipFile(copy) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts["tables/organization.jsonl"] = parts["tables/organization.jsonl"].replace(
        b"Sobona", b"Sabona"
    )
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    with pytest.raises(Malformed):
        restore(new.env, own, tmp_path / "bad.zip", [])
    with pytest.raises(Malformed):
        restore(new.env, own, copy, [b"{}"])
    new.env.engine.dispose()


def put_back(world: World, settings: Settings, folder: Path, last: list[bytes]) -> World:
    """What a new installation is, after the copy was restored into it with these lists, and a new start."""
    new, own = fresh(world, settings, folder / "new", f"sqlite:///{folder}/new/kpass.db")
    restore(new.env, own, folder / "copy.zip", last)
    new.env.engine.dispose()
    return reopened(own, world.clock)


class Drill:
    """A world in which anything may happen, and what it has promised to others."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.alive: list[Issued] = []
        self.revoked: list[bytes] = []
        self.erased: list[bytes] = []
        self.places: list[tuple[str, int]] = []

    def note(self, made: Issued) -> Issued:
        entry = json.loads(body_of(made, "sv"))["credentialStatus"]
        self.places.append((entry["statusListCredential"], int(entry["statusListIndex"])))
        self.alive.append(made)
        return made

    def issue(self) -> None:
        self.note(self.world.issued(externalReference=f"r{len(self.places)}"))

    def one(self) -> Issued:
        if not self.alive:
            self.issue()
        return self.alive.pop(self.random.randrange(len(self.alive)))

    def revoke(self) -> None:
        made = self.one()
        self.world.set_status(made, "revoked")
        self.revoked.append(body_of(made))

    def correct(self) -> None:
        made = self.one()
        order = {"holder": {"name": "Bo Ek"}, "assessedOn": issue_order()["assessedOn"]}
        issuer = actor_of(self.world.organization(ISSUER))
        with self.world.writing() as session:
            wanted = CorrectionOrder.model_validate(order)
            new = correct(self.world.env, session, issuer, made.award.id, wanted)
        self.revoked.append(body_of(made))
        self.note(new)

    def erase(self) -> None:
        made = self.one()
        issuer = actor_of(self.world.organization(ISSUER))
        with self.world.writing() as session:
            erase(self.world.env, session, issuer, made.award.id)
        self.erased.append(body_of(made))

    def fill(self) -> None:
        """As if all lists were full: the next credential begins a new one."""
        with self.world.writing() as session:
            session.execute(update(lists.StatusList).values(used=lists.StatusList.size))

    def step(self) -> None:
        choice = [self.issue, self.issue, self.revoke, self.revoke, self.correct, self.erase]
        self.random.choice([*choice, self.fill, self.fill])()


def all_published(world: World) -> list[bytes]:
    """Every status list of everybody."""
    with world.reading() as session:
        return [row.body for row in session.scalars(select(lists.StatusPublication))]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happened_before_and_after_the_copy_the_promises_hold(
    world: World, settings: Settings, tmp_path: Path, seed: int
) -> None:
    world.published_definition()
    drill = Drill(world, seed)
    copied = drill.random.randrange(12)
    for number in range(12):
        if number == copied:
            backup(world.env, settings, tmp_path / "copy.zip")
        drill.step()
    last = all_published(world)

    back = put_back(world, settings, tmp_path, last)
    assert {back.verified(body).verdict for body in drill.revoked} <= {"refused"}
    assert all(back.verified(body).verified for body in drill.erased)
    assert all(back.verified(body_of(each)).verified for each in drill.alive)
    assert [faults_of(back, slug) for slug in (OWNER, ISSUER)] == [[], []]
    drill.world, drill.alive = back, []
    for _ in range(6):
        drill.issue()
    assert len(set(drill.places)) == len(drill.places)
    assert all(back.verified(body_of(each)).verified for each in drill.alive)
    back.env.engine.dispose()


def test_a_list_that_nobody_remembers_is_not_begun_again(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    drill = Drill(world, 0)
    drill.issue()
    backup(world.env, settings, tmp_path / "copy.zip")
    drill.fill()
    drill.issue()

    drill.world = put_back(world, settings, tmp_path, [])
    drill.issue()
    first, forgotten, later = (url for url, _ in drill.places)
    assert len({first, forgotten, later}) == 3
    drill.world.env.engine.dispose()


def faults_of(world: World, slug: str) -> list[str]:
    with world.reading() as session:
        return [each.kind for each in recheck(world.env, session, OPERATOR_ACTOR, slug)]


def test_an_authorisation_that_was_withdrawn_after_the_copy_stays_withdrawn(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    row = granted(world)
    changed(world, ISSUER, row, "accepted")
    issued = world.issued()
    backup(world.env, settings, tmp_path / "copy.zip")
    world.clock.advance(days=1)
    with world.writing() as session:
        order = DelegationStatusOrder(status="withdrawn", reason="Avtalet har gått ut.")
        change(world.env, session, actor_of(world.organization(OWNER)), row.id, order)
    last = all_published(world)

    back = put_back(world, settings, tmp_path, last)
    with back.reading() as session:
        assert session.get_one(Delegation, row.id).state == "withdrawn"
    with pytest.raises(Forbidden):
        back.issued()
    assert outcome(back.verified(body_of(issued)), "authorization")[1] != "authorised"
    back.env.engine.dispose()


def test_a_suspension_after_the_copy_is_kept_and_can_be_lifted(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition(status_purpose="suspension")
    issued, other = world.issued(), world.issued()
    world.set_status(other, "suspended", "under_investigation")
    backup(world.env, settings, tmp_path / "copy.zip")
    world.clock.advance(seconds=5)
    world.set_status(issued, "suspended", "under_investigation")
    world.set_status(other, "active", "under_investigation")
    last = all_published(world)

    back = put_back(world, settings, tmp_path, last)
    assert not back.verified(body_of(issued)).verified
    back.set_status(issued, "active", "under_investigation")
    assert back.verified(body_of(issued)).verified
    back.env.engine.dispose()


def test_a_list_under_a_key_that_the_copy_does_not_know_needs_its_did_document(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    issued = world.issued()
    backup(world.env, settings, tmp_path / "copy.zip")
    world.clock.advance(seconds=1)
    with world.writing() as session:
        rotate_keys(world.env, session, OPERATOR_ACTOR, ISSUER)
    world.set_status(issued, "revoked")
    did = json.loads(body_of(issued))["issuer"]["id"]
    with world.reading() as session:
        document = json.dumps(own_did_document(session, did)).encode()
    last = all_published(world)
    new, own = fresh(world, settings, tmp_path / "new", f"sqlite:///{tmp_path}/new/kpass.db")

    with pytest.raises(Malformed) as caught:
        restore(new.env, own, tmp_path / "copy.zip", last)
    assert caught.value.rule == "backup_list"
    with new.reading() as session:
        assert session.scalars(select(Award)).all() == []
    merged = restore(new.env, own, tmp_path / "copy.zip", [*last, document])
    new.env.engine.dispose()

    assert [each.vouched for each in merged if each.raised] == [True]
    back = reopened(own, world.clock)
    assert back.verified(body_of(issued)).verdict == "refused"
    back.env.engine.dispose()


def test_a_restore_that_is_broken_off_has_changed_no_row_and_is_done_again(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    issued = world.issued()
    world.set_status(issued, "revoked")
    copy = tmp_path / "copy.zip"
    backup(world.env, settings, copy)
    last = all_published(world)
    new, own = fresh(world, settings, tmp_path / "new", f"sqlite:///{tmp_path}/new/kpass.db")
    before = content(new)
    parts = unpacked(copy)
    for name in ("tables/award.jsonl", "tables/status_publication.jsonl"):
        cut = parts | {name: parts[name][: len(parts[name]) // 2]}
        with pytest.raises(Malformed):
            restore(new.env, own, packed(tmp_path / "cut.zip", cut), last)
        assert content(new) == before
    wrong = [last[0].replace(b"did:web:", b"did:web:e", 1)]
    with pytest.raises(Malformed):
        restore(new.env, own, copy, wrong)
    assert content(new) == before

    found: list[Merged] = restore(new.env, own, copy, last)

    assert all(each.merged for each in found)
    with new.reading() as session:
        rows = list(session.scalars(select(Representation.body)))
    assert body_of(issued) in rows
    new.env.engine.dispose()


@pytest.mark.postgresql
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_a_copy_of_either_database_goes_on_in_postgresql(
    request: pytest.FixtureRequest, world: World, settings: Settings, tmp_path: Path, source: str
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(settings.kek_file, old / "kek")
    url = own_postgresql(request, old) if source == "postgresql" else f"sqlite:///{old}/kpass.db"
    own = settings_for(url, old)
    initialise(own)
    before = World(open_test_environment(own, world.clock), world.clock)
    before.published_definition()
    first = before.issued(holder={"name": "Åsa Exempel", "contact": {"email": "asa@example.org"}})
    before.set_status(before.issued(), "revoked")
    before.disputed(first.award.id)
    with before.writing() as session:
        order = {"holder": {"name": "Åsa Exempelsson"}, "assessedOn": issue_order()["assessedOn"]}
        actor = actor_of(before.organization(ISSUER))
        wanted = CorrectionOrder.model_validate(order)
        correct(before.env, session, actor, first.award.id, wanted)
    chain_all(before.env)
    before.issued(externalReference="not chained yet")
    backup(before.env, own, tmp_path / "copy.zip")
    last, stored = all_published(before), whole(before)
    entries = len(stored["audit_entry"])
    before.env.engine.dispose()
    world.env.engine.dispose()

    merged = restore(world.env, settings, tmp_path / "copy.zip", last)

    assert all(each.merged for each in merged)
    new = reopened(settings, world.clock)
    found = whole(new)
    signed_anew = {"status_list", "status_publication", "service"}
    for table in sorted(set(stored) - signed_anew - {"audit_entry"}):
        assert found[table] == stored[table], table
    assert found["audit_entry"][:entries] == stored["audit_entry"]
    more = new.issued(externalReference="after")
    assert new.verified(body_of(more)).verified
    new.set_status(more, "revoked")
    assert new.verified(body_of(more)).verdict == "refused"
    assert chain_all(new.env) >= 3
    for slug in (OWNER, ISSUER):
        assert faults_of(new, slug) == []
    with new.reading() as session:
        assert list(recheck_operator(session, OPERATOR_ACTOR)) == []
    numbers = [row["id"] for row in whole(new)["audit_entry"]]
    assert len(numbers) == len(set(numbers)) > entries
    new.env.engine.dispose()


def whole(world: World) -> dict[str, list[dict[str, object]]]:
    """Every row of every table, in the order of its primary key."""
    with world.reading() as session:
        return {
            table.name: [
                dict(row)
                for row in session.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }


def content(world: World) -> dict[str, int]:
    """How many rows each table has."""
    with world.reading() as session:
        return {
            table.name: len(session.execute(select(table)).all())
            for table in Base.metadata.sorted_tables
        }


def unpacked(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(file: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as opened:
        for name, part in parts.items():
            opened.writestr(name, part)
    return file
