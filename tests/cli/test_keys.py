"""`kpass keys`, `rotate-key`, `rotate-kek` and `own-domain`, as people and programs run them."""

import json
from pathlib import Path

import pytest

from kpass_vc.settings import Settings
from tests.api.http import variables
from tests.cli.test_cli import ISSUER, Kpass
from tests.world import World, body_of, failed_checks

pytestmark = pytest.mark.sqlite


@pytest.fixture
def published(settings: Settings, tmp_path: Path, world: World) -> Kpass:
    world.published_definition()
    return Kpass(variables(settings), tmp_path)


def test_a_changed_key_is_listed_with_its_period_and_what_it_signed_verifies(
    published: Kpass, world: World
) -> None:
    before = body_of(world.issued())

    (made,) = published.json("rotate-key", ISSUER, "--algorithm", "Ed25519")["keys"]
    listed = published.json("keys", ISSUER)["keys"]

    states = sorted((key["algorithm"], key["state"]) for key in listed)
    assert states == [("Ed25519", "active"), ("Ed25519", "retired"), ("P-256", "active")]
    (retired,) = [key for key in listed if key["state"] == "retired"]
    assert retired["activeUntil"] == made["activeFrom"]
    assert failed_checks(world.verified(before)) == []
    shown = published.run("keys", ISSUER)
    assert shown.returncode == 0, shown.stderr
    assert "retired" in shown.stdout


def test_a_compromised_key_is_withdrawn_and_its_credentials_listed_for_reissue(
    published: Kpass, world: World
) -> None:
    issued = world.issued()
    method = json.loads(body_of(issued))["proof"]["verificationMethod"]

    done = published.run("-l", "en", "rotate-key", ISSUER, "--compromised", method)
    again = published.json("rotate-key", ISSUER, "--compromised", method, status=1)
    after = world.issued()
    listed = published.json("list", ISSUER, "--compromised")

    assert done.returncode == 0, done.stderr
    assert "1 credentials were signed with the key" in done.stdout
    assert f"kpass list {ISSUER} --compromised" in done.stdout
    assert again["error"] == "conflict"
    assert [row["id"] for row in listed["credentials"]] == [issued.award.id]
    assert failed_checks(world.verified(body_of(after))) == []
    assert failed_checks(world.verified(body_of(issued))) != []


def test_the_key_encryption_key_is_changed_and_the_next_command_signs(
    published: Kpass, world: World, settings: Settings
) -> None:
    before = settings.kek_file.read_bytes()

    sealed = published.json("rotate-kek")["sealed"]

    folder = settings.keys_dir
    assert sealed == len([*folder.glob("*.key"), *folder.glob("*.secret")])
    assert sealed > 1
    assert settings.kek_file.read_bytes() != before
    published.json("rotate-key", ISSUER)
    assert failed_checks(world.verified(body_of(world.issued()))) == []


def test_the_files_for_an_own_domain_are_written_with_what_to_do_and_checked(
    published: Kpass, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    made = published.json("own-domain", "prepare", ISSUER, "localhost:9/skola", "--out", str(out))
    checked = published.json("own-domain", "check", ISSUER, status=1)
    refused = published.run("own-domain", "activate", ISSUER)

    assert made["did"] == "did:web:localhost%3A9:skola"
    assert made["address"] == "https://localhost:9/skola/did.json"
    document = json.loads((out / "skola" / "did.json").read_bytes())
    assert document["id"] == made["did"]
    told = (out / "README.txt").read_text("utf-8")
    assert made["address"] in told
    assert "Access-Control-Allow-Origin: *" in told
    assert checked["good"] is False
    assert refused.returncode == 1
    assert refused.stderr.strip() == checked["detail"]
    assert world.organization(ISSUER).did != made["did"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["keys", "nobody"], 1),
        (["rotate-key", "nobody"], 1),
        (["rotate-key", ISSUER, "--compromised", "x"], 1),
        (["rotate-key", ISSUER, "--compromised", "x", "--algorithm", "P-256"], 2),
        (["rotate-key", ISSUER, "--algorithm", "RSA"], 2),
        (["own-domain", "prepare", ISSUER, "127.0.0.1"], 1),
        (["own-domain", "prepare", ISSUER, "example.se/.."], 1),
        (["own-domain", "check", ISSUER], 1),
        (["own-domain", "activate", ISSUER], 1),
    ],
)
def test_what_cannot_be_done_with_keys_is_said_with_an_exit_status(
    published: Kpass, arguments: list[str], status: int
) -> None:
    done = published.run(*arguments)

    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
