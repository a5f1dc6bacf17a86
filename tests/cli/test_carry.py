"""`kpass verify`, `kpass bake`, `kpass unbake`: a credential in every form it is carried in."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kpass_vc.actions.issue import Issued
from kpass_vc.baking import kind_of, unbake
from kpass_vc.settings import Settings
from tests.api.http import variables
from tests.cli.test_cli import Kpass
from tests.test_baking import DRAWING, png
from tests.world import World, body_of

pytestmark = pytest.mark.sqlite


@pytest.fixture
def kpass(settings: Settings, tmp_path: Path) -> Kpass:
    return Kpass(variables(settings), tmp_path)


@pytest.fixture
def issued(world: World) -> Issued:
    world.published_definition()
    return world.issued()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, bytes], str]:
    def write(name: str, body: bytes) -> str:
        (tmp_path / name).write_bytes(body)
        return name

    return write


def test_an_award_is_baked_unbaked_and_verified_by_its_picture_link_and_code(
    kpass: Kpass, world: World, issued: Issued
) -> None:
    award = issued.award.id
    code = world.code_of(world.shared(award))

    baked = kpass.json("bake", award, "--edition", "sv")
    kpass.json("bake", award, "--edition", "en", "--jwt", "--out", "badge.svg")
    kpass.json("unbake", baked["file"], "--out", "again.json")

    assert baked["file"] == f"{award}.png"
    assert (kpass.folder / "again.json").read_bytes() == body_of(issued)
    assert unbake((kpass.folder / "badge.svg").read_bytes()) == body_of(issued, "en", "vc-jwt")
    for handed_in, route in (
        (baked["file"], ["png"]),
        ("badge.svg", ["svg"]),
        ("again.json", ["json"]),
        (code, ["code"]),
        (world.env.addresses.share(code), ["share_link"]),
        (body_of(issued, "sv", "vc-jwt").decode(), ["jwt"]),
    ):
        report = kpass.json("verify", handed_in)
        assert (report["verdict"], report["route"]) == ("verified", route)


def test_a_file_of_ours_gets_its_own_badge_and_any_gets_the_picture_that_is_named(
    kpass: Kpass, issued: Issued, written: Callable[[str, bytes], str]
) -> None:
    mine = written("bevis.json", body_of(issued))
    changed = written("annat.json", body_of(issued).replace(b"Amina", b"Anina"))
    drawing, picture = written("ritning.svg", DRAWING), written("bild.png", png())

    kpass.json("bake", mine)
    kpass.json("bake", changed, "--picture", drawing, "--out", "annat.svg")
    kpass.json("bake", "annat.svg", "--picture", picture, "--out", "annat.png")
    refused = kpass.run("-l", "en", "bake", changed)

    assert unbake((kpass.folder / "bevis.png").read_bytes()) == body_of(issued)
    assert kind_of((kpass.folder / "annat.svg").read_bytes()) == "svg"
    assert (
        unbake((kpass.folder / "annat.png").read_bytes()) == (kpass.folder / changed).read_bytes()
    )
    assert kpass.json("verify", "annat.png", status=1)["verdict"] == "refused"
    assert refused.returncode == 1
    assert "--picture" in refused.stderr


def test_pictures_and_credentials_go_through_standard_input_and_output_untouched(
    kpass: Kpass, issued: Issued
) -> None:
    def piped(*arguments: str, stdin: bytes) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "kpass_vc", *arguments], env=kpass.values, cwd=kpass.folder,
            input=stdin, capture_output=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout

    baked = piped("bake", "-", "--out", "-", stdin=body_of(issued))
    taken_out = piped("unbake", "-", stdin=baked)
    report = piped("--json", "verify", "-", stdin=baked)

    assert taken_out == body_of(issued)
    assert json.loads(report)["verified"] is True


def test_the_way_to_the_credential_is_said_in_the_readers_language(
    kpass: Kpass, world: World, issued: Issued
) -> None:
    code = world.code_of(world.shared(issued.award.id))

    done = [kpass.run("-l", language, "verify", code) for language in ("sv", "en")]

    assert [each.returncode for each in done] == [0, 0], done[0].stderr
    assert "Så hittades beviset: kod." in done[0].stdout
    assert "How the credential was found: code." in done[1].stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("verify", "/nowhere/at/all.png"), 2, "No such file"),
        (("verify", "x" * 5000), 2, "too long"),
        (("verify", "https://annat.example/x"), 1, "could not be fetched"),
        (("verify", "http://annat.example/x"), 1, "must begin with https"),
        (("verify", "7K3P-9QXM-2WTB"), 1, "no share link"),
        (("verify", "plain.png"), 1, "neither a credential in it nor a QR code"),
        (("unbake", "plain.png"), 1, "no credential in it"),
        (("unbake", "words.txt"), 1, "neither a PNG nor an SVG"),
        (("unbake", "."), 2, "directory"),
        (("bake", "words.txt", "--picture", "plain.png"), 1, "neither a credential"),
        (("bake", "words.txt"), 1, "neither a credential"),
        (("bake", "no-such-award"), 1, "no-such-award"),
        (("bake", "ID", "--edition", "fi"), 2, "sv or en"),
        (("bake", "ID", "--picture", "words.txt"), 1, "neither a PNG nor an SVG"),
        (("bake", "ID", "--picture", "script.svg"), 1, "script"),
        (("bake", "ID", "--out", "no/folder/x.png"), 2, "No such file"),
        (("bake", "mine.json"), 2, "exists"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_said_in_a_sentence_with_an_exit_status(
    kpass: Kpass, issued: Issued, written: Callable[[str, bytes], str],
    arguments: tuple[str, ...], status: int, said: str,
) -> None:  # fmt: skip
    written("plain.png", png())
    written("words.txt", b"hello")
    written("script.svg", DRAWING.replace(b"<path", b"<script/><path"))
    written("mine.json", body_of(issued))
    written("mine.png", png())
    given = [issued.award.id if each == "ID" else each for each in arguments]

    done = kpass.run("-l", "en", *given)

    assert done.returncode == status, done.stderr
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
