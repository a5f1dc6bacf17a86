"""`kpass vc-api`, as people and programs run it."""

from pathlib import Path

import pytest

from kpass_vc.settings import Settings
from tests.api.http import variables
from tests.api.vc_api import VcApi, credential
from tests.cli.test_cli import ISSUER, Kpass
from tests.world import World

pytestmark = pytest.mark.sqlite


@pytest.fixture
def kpass(settings: Settings, tmp_path: Path, world: World) -> Kpass:
    world.organization(ISSUER)
    return Kpass(variables(settings), tmp_path)


def test_an_instance_is_made_listed_used_and_removed(kpass: Kpass, world: World) -> None:
    (made,) = kpass.json(
        "vc-api", "add", "prov", "--organization", ISSUER, "--securing", "ecdsa-rdfc-2019",
        "--key", "P-384", "--open",
    )["issuers"]  # fmt: skip

    api = VcApi.of(world)
    path = made["url"].removeprefix(world.env.addresses.base)
    reply = api.http.post(path, json={"credential": credential(made["did"])})
    listed = kpass.json("vc-api", "list")["issuers"]
    kept = kpass.json("vc-api", "remove", "prov", status=1)

    assert made["did"].startswith("did:key:z82L")
    assert reply.status_code == 201
    assert listed == [made]
    assert kept["error"] == "conflict"
    kpass.json("vc-api", "add", "unused", "--organization", ISSUER)
    kpass.json("vc-api", "remove", "unused")
    assert [row["name"] for row in kpass.json("vc-api", "list")["issuers"]] == ["prov"]


def test_an_instance_is_closed_unless_it_is_said_to_be_open_and_then_that_is_said_plainly(
    kpass: Kpass,
) -> None:
    closed = kpass.run("-l", "en", "vc-api", "add", "stangd", "--organization", ISSUER)
    opened = kpass.run("-l", "en", "vc-api", "add", "oppen", "--organization", ISSUER, "--open")

    assert closed.returncode == opened.returncode == 0, closed.stderr + opened.stderr
    assert "Anybody" not in closed.stdout
    assert "Anybody who reaches oppen can have credentials signed" in opened.stdout
    found = {row["name"]: row["open"] for row in kpass.json("vc-api", "list")["issuers"]}
    assert found == {"stangd": False, "oppen": True}


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "x", "--organization", "nobody"],
        ["add", "A B", "--organization", ISSUER],
        ["add", "x", "--organization", ISSUER, "--securing", "rsa"],
        ["add", "x", "--organization", ISSUER, "--key", "P-256"],
        ["add", "x", "--organization", ISSUER, "--did", "ion"],
        ["add", "x", "--organization", ISSUER, "--did", "web", "--open"],
        ["add", "x", "--organization", ISSUER, "--securing", "ecdsa-sd-2023", "--status"],
        ["remove", "x"],
    ],
)
def test_what_cannot_be_made_or_removed_is_said_with_an_exit_status(
    kpass: Kpass, arguments: list[str]
) -> None:
    done = kpass.run("vc-api", *arguments)

    assert done.returncode == 1
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert kpass.json("vc-api", "list")["issuers"] == []
