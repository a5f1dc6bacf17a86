"""`kpass link`, `kpass dispute`, and what `kpass issue` and `kpass list` say of the learner."""

from pathlib import Path

import pytest

from kpass_vc.settings import Settings
from tests.api.http import variables
from tests.cli.test_cli import DEFINITION, ISSUER, Kpass
from tests.world import World

pytestmark = pytest.mark.sqlite


@pytest.fixture
def published(settings: Settings, tmp_path: Path, world: World) -> Kpass:
    world.published_definition()
    return Kpass(variables(settings), tmp_path)


def test_issuing_prints_the_learners_link_and_link_prints_it_again(
    published: Kpass, world: World
) -> None:
    issued = published.json("issue", ISSUER, DEFINITION, "--name", "Amina")
    address = world.env.addresses.holder_page(world.token_of(issued["id"]))

    assert issued["holderLink"] == address
    assert published.run("link", issued["id"]).stdout.strip() == address
    assert published.json("link", issued["id"]) == {"id": issued["id"], "holderLink": address}
    told = published.run("issue", ISSUER, DEFINITION, "--name", "Bo", LC_ALL="sv_SE.UTF-8")
    assert "Till den som fått beviset, och bara dit" in told.stdout
    assert told.stdout.strip().splitlines()[-1].startswith(f"{world.env.addresses.base}/c/")


def test_a_renewed_link_is_another(published: Kpass, world: World) -> None:
    issued = world.issued().award
    before = world.token_of(issued.id)

    renewed = published.json("link", issued.id, "--renew")

    assert renewed["holderLink"] == world.env.addresses.holder_page(world.token_of(issued.id))
    assert world.token_of(issued.id) != before


def test_a_dispute_is_listed_read_and_answered(published: Kpass, world: World) -> None:
    one, other = world.issued().award, world.issued().award
    world.disputed(one.id, "Datumet är fel.")

    listed = published.json("list", ISSUER, "--disputed")
    assert [each["id"] for each in listed["credentials"]] == [one.id]
    assert published.json("list", ISSUER)["total"] == 2
    assert published.run("dispute", one.id).stdout.strip() == "Datumet är fel."
    assert "nothing" not in published.run("dispute", other.id).stdout
    assert published.json("dispute", other.id) == {"dispute": None}

    closed = published.json("dispute", one.id, "--answer", "Rättat.")

    assert closed["dispute"]["status"] == "closed"
    assert closed["dispute"]["answer"] == "Rättat."
    assert published.json("list", ISSUER, "--disputed")["total"] == 0
    assert published.run("dispute", one.id, "--answer", "En gång till.").returncode == 1


@pytest.mark.parametrize("command", ["link", "dispute"])
def test_a_credential_that_is_not_there_is_said_not_to_be(published: Kpass, command: str) -> None:
    done = published.run(command, "nobody")

    assert done.returncode == 1
    assert "nobody" in done.stderr
