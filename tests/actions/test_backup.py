"""Backup and restore: no index is given out twice and no revocation is lost, whenever the copy was made."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from kpass_vc.actions.backup import accept, backup, restore
from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import Issued
from kpass_vc.environment import Environment
from kpass_vc.errors import Malformed, Unavailable
from kpass_vc.records import status_list as lists
from kpass_vc.settings import Settings
from tests.conftest import settings_for
from tests.world import Clock, World, body_of, open_test_environment

ISSUER = "stadsnat-exempel"


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
