"""Setting up, and refusing to start where something is unsafe or does not fit."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from kpass_vc.actions.initialise import initialise
from kpass_vc.environment import open_environment, read_keks
from kpass_vc.errors import Unavailable
from kpass_vc.settings import Settings
from tests.world import Clock, World, body_of, open_test_environment


def refusal(settings: Settings) -> str:
    """Why the service does not start."""
    with pytest.raises(Unavailable) as caught:
        open_environment(settings)
    assert caught.value.sentence("sv") != caught.value.sentence("en")
    return caught.value.rule


def fresh(tmp_path: Path, **variables: str) -> Settings:
    """Settings of an installation that is not there yet."""
    return Settings.read(
        {
            "KPASS_DATABASE_URL": f"sqlite:///{tmp_path}/new/kpass.db",
            "KPASS_KEYS_DIR": str(tmp_path / "new/keys"),
            "KPASS_KEK_FILE": str(tmp_path / "new/secret/kek"),
            **variables,
        }
    )


def test_everything_that_is_missing_is_made_and_nobody_else_can_read_the_keys(
    tmp_path: Path,
) -> None:
    settings = fresh(tmp_path)

    initialise(settings)

    assert settings.keys_dir.stat().st_mode & 0o777 == 0o700
    assert settings.kek_file.stat().st_mode & 0o777 == 0o600
    assert len(settings.kek_file.read_bytes()) == 32
    open_environment(settings).engine.dispose()


def test_a_second_time_changes_nothing(settings: Settings) -> None:
    clock = Clock()
    world = World(open_test_environment(settings, clock), clock)
    world.published_definition()
    issued = world.issued()
    kek = settings.kek_file.read_bytes()
    world.env.engine.dispose()

    initialise(settings)
    initialise(settings)

    assert settings.kek_file.read_bytes() == kek
    again = World(open_test_environment(settings, clock), clock)
    assert again.verified(body_of(issued)).verified
    assert again.issued().is_new
    again.env.engine.dispose()


def test_the_public_url_may_change_until_there_is_an_organisation(settings: Settings) -> None:
    elsewhere = replace(settings, public_url="https://mikromerit.example")
    initialise(elsewhere)
    environment = open_environment(elsewhere)
    World(environment, Clock()).organization("sobona")
    environment.engine.dispose()

    with pytest.raises(Unavailable) as caught:
        initialise(settings)

    assert caught.value.rule == "other_url"
    assert refusal(settings) == "other_url"
    open_environment(elsewhere).engine.dispose()


def test_a_service_that_was_not_set_up_does_not_start(settings: Settings, tmp_path: Path) -> None:
    empty = replace(settings, database_url=f"sqlite:///{tmp_path}/empty.db")

    assert refusal(empty) == "not_initialised"


def test_without_its_key_encryption_key_it_does_not_start(settings: Settings) -> None:
    settings.kek_file.unlink()

    assert refusal(settings) == "kek_missing"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_key_encryption_key_that_others_can_read_stops_the_start(
    settings: Settings, mode: int
) -> None:
    settings.kek_file.chmod(mode)

    assert refusal(settings) == "open_to_others"


def test_a_link_to_the_key_encryption_key_stops_the_start(settings: Settings) -> None:
    target = settings.kek_file.with_name("elsewhere")
    settings.kek_file.rename(target)
    settings.kek_file.symlink_to(target)

    assert refusal(settings) == "open_to_others"


def test_a_key_encryption_key_of_another_length_stops_the_start(settings: Settings) -> None:
    settings.kek_file.write_bytes(b"short")

    assert refusal(settings) == "kek_length"


def test_a_key_encryption_key_among_the_keys_is_neither_made_nor_used(
    settings: Settings, tmp_path: Path
) -> None:
    inside = fresh(tmp_path, KPASS_KEK_FILE=str(tmp_path / "new/keys/kek"))
    with pytest.raises(Unavailable) as caught:
        initialise(inside)
    assert caught.value.rule == "kek_with_keys"
    assert not inside.kek_file.exists()

    moved = settings.keys_dir / "kek"
    settings.kek_file.rename(moved)

    assert refusal(replace(settings, kek_file=moved)) == "kek_with_keys"
    dotted = settings.keys_dir / "x/../kek"
    assert refusal(replace(settings, kek_file=dotted)) == "kek_with_keys"


def test_a_key_encryption_key_from_the_environment_needs_no_file(tmp_path: Path) -> None:
    key = bytes(range(32))
    settings = fresh(tmp_path, KPASS_KEK=base64.b64encode(key).decode())

    initialise(settings)

    assert not settings.kek_file.exists()
    assert read_keks(settings) == (key,)
    open_environment(settings).engine.dispose()


def test_an_older_installation_is_told_to_run_init_which_makes_the_link_key(
    settings: Settings,
) -> None:
    secret = settings.keys_dir / "links.secret"
    secret.unlink()
    assert refusal(settings) == "secret_missing"

    initialise(settings)

    opened = open_environment(settings)
    assert len(opened.link_key) == 32
    assert repr(opened.link_key) not in repr(opened)
    initialise(settings)
    again = open_environment(settings)
    assert again.link_key == opened.link_key
    opened.engine.dispose()
    again.engine.dispose()


def test_a_folder_of_keys_that_others_can_open_stops_the_start(settings: Settings) -> None:
    settings.keys_dir.chmod(0o755)

    assert refusal(settings) == "open_to_others"


def test_a_key_file_that_others_can_read_stops_the_start(settings: Settings) -> None:
    environment = open_environment(settings)
    World(environment, Clock()).organization("sobona")
    environment.engine.dispose()
    next(settings.keys_dir.glob("*.key")).chmod(0o644)

    assert refusal(settings) == "open_to_others"


def test_settings_show_no_secret(tmp_path: Path) -> None:
    key = bytes(range(32))
    text = base64.b64encode(key).decode()

    shown = repr(fresh(tmp_path, KPASS_KEK=text))

    assert text not in shown
    assert repr(key) not in shown


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"KPASS_PORT": "0"}, "KPASS_PORT"),
        ({"KPASS_PORT": "65536"}, "KPASS_PORT"),
        ({"KPASS_PORT": "x"}, "KPASS_PORT"),
        ({"KPASS_PORT": "-1"}, "KPASS_PORT"),
        ({"KPASS_PORT": "²"}, "KPASS_PORT"),
        ({"KPASS_PUBLIC_URL": "mikromerit.example"}, "KPASS_PUBLIC_URL"),
        ({"KPASS_PUBLIC_URL": "ftp://mikromerit.example"}, "KPASS_PUBLIC_URL"),
        ({"KPASS_PUBLIC_URL": "https://Mikromerit.example"}, "KPASS_PUBLIC_URL"),
        ({"KPASS_PUBLIC_URL": "https://a@mikromerit.example"}, "KPASS_PUBLIC_URL"),
        ({"KPASS_PUBLIC_URL": "https://mikromerit.example/?x"}, "KPASS_PUBLIC_URL"),
        ({"KPASS_PUBLIC_URL": "https://mikromerit.example/#x"}, "KPASS_PUBLIC_URL"),
        ({"KPASS_PUBLIC_URL": "https://"}, "KPASS_PUBLIC_URL"),
        ({"KPASS_TLS_CERT": "x"}, "KPASS_TLS_CERT"),
        ({"KPASS_TLS_KEY": "x"}, "KPASS_TLS_CERT"),
        ({"KPASS_KEK": "not base64!"}, "KPASS_KEK"),
    ],
    ids=repr,
)
def test_a_setting_that_is_wrong_is_named(variables: dict[str, str], name: str) -> None:
    with pytest.raises(Unavailable) as caught:
        Settings.read(variables)

    assert caught.value.rule == "setting"
    for language in ("sv", "en"):
        assert name in caught.value.sentence(language)


def test_the_defaults_serve_on_localhost_and_tls_makes_the_address_https() -> None:
    assert Settings.read({}).public_url == "http://localhost:8000"
    assert Settings.read({"KPASS_PORT": "9000"}).public_url == "http://localhost:9000"
    secure = Settings.read({"KPASS_TLS_CERT": "c", "KPASS_TLS_KEY": "k"})
    assert secure.public_url == "https://localhost:8000"
    assert (
        Settings.read({"KPASS_PUBLIC_URL": "https://x.example/a/"}).public_url
        == "https://x.example/a"
    )
