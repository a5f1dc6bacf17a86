"""The key-encryption key changes: broken off anywhere it can be done again, and a server that runs goes on."""

import base64
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kpass_vc.actions.rotate_kek import rotate_kek
from kpass_vc.actions.rotate_key import rotate_keys
from kpass_vc.environment import next_kek, open_environment, open_stores, read_keks
from kpass_vc.errors import Conflict, Unavailable
from kpass_vc.keystores.file import FileKeyStore
from kpass_vc.records import key as keys
from kpass_vc.settings import Settings
from tests.world import OPERATOR_ACTOR, World, body_of, failed_checks

UNCUT = 10**6
FILES = 6  # two organisations with two keys each, and the two secrets


@pytest.fixture
def filled(world: World) -> World:
    world.published_definition()
    return world


def opens_everything(settings: Settings) -> None:
    env = open_environment(settings)
    try:
        with env.reading() as session:
            owners = keys.owners(session)
        for uri, organization_id in owners.items():
            env.key_store(uri).signer(uri, organization_id=organization_id)
    finally:
        env.engine.dispose()


def test_everything_opens_under_the_new_key_and_nothing_under_the_old(
    filled: World, settings: Settings
) -> None:
    (old,) = read_keks(settings)
    link_key = filled.env.link_key

    assert rotate_kek(settings) == FILES

    (new,) = read_keks(settings)
    assert new != old
    assert not next_kek(settings).exists()
    opens_everything(settings)
    reopened = open_environment(settings)
    assert reopened.link_key == link_key
    reopened.engine.dispose()
    stale = FileKeyStore(settings.keys_dir, lambda: (old,))
    with pytest.raises(Unavailable):
        stale.secret("links")
    with filled.reading() as session:
        for uri, organization_id in keys.owners(session).items():
            with pytest.raises(Unavailable):
                stale.signer(uri, organization_id=organization_id)
    assert {path.stat().st_mode & 0o777 for path in settings.keys_dir.iterdir()} == {0o600}


class Cut(Exception):
    """The cable was pulled."""


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets so many changes of names happen in the file system and then none: the machine stops there."""
    left = [UNCUT]
    real = {name: getattr(os, name) for name in ("replace", "link", "open")}

    def counted(name: str):
        def act(*given: object, **named: object) -> object:
            writes = name != "open" or (len(given) > 1 and int(str(given[1])) & os.O_CREAT)
            if writes:
                if left[0] == 0:
                    raise Cut
                left[0] -= 1
            return real[name](*given, **named)

        return act

    for name in real:
        monkeypatch.setattr(os, name, counted(name))
    return left


@pytest.mark.usefixtures("filled")
def test_broken_off_after_any_step_it_can_be_done_again(
    settings: Settings, cut: list[int], tmp_path: Path
) -> None:
    kek, folder, copy = settings.kek_file, settings.keys_dir, tmp_path / "copy"
    shutil.copytree(folder, copy)
    first = kek.read_bytes()
    steps = 0
    while True:
        cut[0] = steps
        try:
            rotate_kek(settings)
        except Cut:
            cut[0] = UNCUT
        else:
            break
        opens_everything(settings)
        rotate_kek(settings)
        opens_everything(settings)
        assert len(read_keks(settings)) == 1
        assert not [
            path for path in (*folder.iterdir(), *kek.parent.iterdir()) if ".n" in path.name
        ]
        shutil.rmtree(folder)
        shutil.copytree(copy, folder)
        folder.chmod(0o700)
        kek.write_bytes(first)
        steps += 1

    assert steps == 2 * FILES + 3


def test_a_server_that_was_started_before_signs_and_makes_keys_afterwards(
    filled: World, settings: Settings
) -> None:
    fresh = replace(filled, env=replace(filled.env, key_stores=open_stores(settings)))

    rotate_kek(settings)

    assert failed_checks(fresh.verified(body_of(fresh.issued()))) == []
    with fresh.writing() as session:
        rotate_keys(fresh.env, session, OPERATOR_ACTOR, "stadsnat-exempel")
    assert failed_checks(fresh.verified(body_of(fresh.issued()))) == []
    opens_everything(settings)


@pytest.mark.usefixtures("filled")
def test_a_key_in_a_variable_is_changed_with_the_one_before_it(settings: Settings) -> None:
    (old,) = read_keks(settings)
    new = os.urandom(32)
    alone = replace(settings, kek=new)
    both = replace(alone, kek_previous=old)

    with pytest.raises(Conflict) as caught:
        rotate_kek(alone)
    assert caught.value.rule == "kek_previous"
    opens_everything(both)
    assert rotate_kek(both) == FILES
    assert rotate_kek(both) == 0
    opens_everything(alone)
    assert Settings.read({"KPASS_KEK_PREVIOUS": base64.b64encode(old).decode()}).kek_previous == old


@pytest.mark.usefixtures("filled")
def test_a_file_that_neither_key_opens_stops_it_before_the_old_key_is_gone(
    settings: Settings, tmp_path: Path
) -> None:
    before = read_keks(settings)
    path = next(iter(settings.keys_dir.glob("*.key")))
    kept = path.read_bytes()
    other = FileKeyStore(tmp_path / "other", lambda: (os.urandom(32),))
    other.folder.mkdir(mode=0o700)
    other.make_secret("x")
    shutil.copyfile(other.folder / "x.secret", path)

    with pytest.raises(Unavailable):
        rotate_kek(settings)

    assert before[0] in read_keks(settings)
    path.write_bytes(kept)
    rotate_kek(settings)
    opens_everything(settings)


def test_a_key_that_is_just_being_made_is_waited_for_and_sealed_too(
    filled: World, settings: Settings
) -> None:
    changing = threading.Thread(target=rotate_kek, args=[settings])

    with filled.writing() as session:
        rotate_keys(filled.env, session, OPERATOR_ACTOR, "stadsnat-exempel")
        changing.start()
        changing.join(timeout=1)
        assert changing.is_alive()
    changing.join()

    assert len(read_keks(settings)) == 1
    opens_everything(settings)


@pytest.mark.usefixtures("filled")
def test_changing_it_in_two_places_at_once_leaves_nothing_sealed_under_a_lost_key(
    settings: Settings,
) -> None:
    changes = [threading.Thread(target=rotate_kek, args=[settings]) for _ in range(4)]

    for each in changes:
        each.start()
    for each in changes:
        each.join()

    assert len(read_keks(settings)) == 1
    opens_everything(settings)
