"""What is delivered: one install script, a whole wheel, an image and a composition that keep their promises."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kpass_vc.healthy import is_healthy
from kpass_vc.resources import folder
from kpass_vc.settings import Settings
from tests.api.http import free_port, serving, stop, variables

ROOT = folder("contexts").parent
SETTINGS = (ROOT / "src/kpass_vc/settings.py").read_text("utf-8")


def instructions(name: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, each on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word]


def last_stage() -> list[tuple[str, str]]:
    found = instructions("Dockerfile")
    start = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    return found[start:]


def blocks(text: str, indent: int) -> dict[str, str]:
    """The parts of a YAML mapping in block style, by their name."""
    parts = re.split(rf"^ {{{indent}}}([\w-]+):", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def composition() -> dict[str, str]:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "compose.yaml").read_text("utf-8"), flags=re.MULTILINE)
    return blocks(text, 0)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this tree, built as install.sh builds it."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(place), str(ROOT)], check=True, timeout=120)
    (built,) = place.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package_and_what_lies_beside_it(
    wheel: zipfile.ZipFile,
) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "src/kpass_vc", "contexts", "schemas", "alembic"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    wanted = {
        re.sub(r"^(contexts|schemas|alembic)/", r"kpass_vc/_\1/", name.removeprefix("src/"))
        for name in tracked
    }

    missing = wanted - set(wheel.namelist())

    assert missing == set()
    for kind in ("_contexts/pins.toml", "_schemas/", "_alembic/versions/0001", "messages/sv/",
                 "pages/templates/", "pages/static/", "demo/sobona.json"):  # fmt: skip
        assert any(name.startswith(f"kpass_vc/{kind}") for name in wanted), kind


def test_the_wheel_holds_no_key_no_database_and_no_test(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()

    assert [
        name for name in names if re.search(r"\.key$|\.db$|(^|/)kek$|tests?/|/test_", name)
    ] == []
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"kpass_vc"}


def test_make_and_the_image_install_with_the_same_script() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert "pip install" not in makefile
    assert makefile.count("./install.sh") == 2
    assert ("RUN", "VENV=/opt/kpass ./install.sh image") in instructions("Dockerfile")
    assert not any("pip " in rest for _, rest in instructions("Dockerfile"))


def test_the_script_takes_only_packages_by_their_hash() -> None:
    script = (ROOT / "install.sh").read_text("utf-8")

    for line in script.splitlines():
        if "install_into" in line and "()" not in line:
            assert "--require-hashes" in line or "--no-deps" in line, line
    for name in ("requirements.txt", "requirements-build.txt", "requirements-dev.txt"):
        pinned = re.findall(r"^[a-z].*==", (ROOT / name).read_text("utf-8"), re.MULTILINE)
        assert pinned, name
        assert "://" not in (ROOT / name).read_text("utf-8")


def test_the_script_refuses_what_it_does_not_know_before_it_makes_anything(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "install.sh", "everything"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "VENV": str(tmp_path / "venv")},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, (tmp_path / "venv").exists()) == (2, False)
    assert "run, dev or image" in done.stderr


def test_what_runs_requires_nothing_that_only_builds() -> None:
    names = {
        kind: set(
            re.findall(
                r"^([a-z0-9-]+)==",
                (ROOT / f"requirements{kind}.txt").read_text("utf-8"),
                re.MULTILINE,
            )
        )
        for kind in ("", "-build", "-dev")
    }

    assert "hatchling" in names["-build"]
    assert names[""] & {"hatchling", "editables", "pip", "pytest", "playwright"} == set()
    assert names[""] | names["-build"] <= names["-dev"]


def test_the_image_runs_as_nobody_in_particular_and_checks_its_health() -> None:
    stage = dict(last_stage())

    assert stage["USER"] == "10001:10001"
    assert '"python", "-m", "kpass_vc.healthy"' in stage["HEALTHCHECK"]
    assert json.loads(stage["ENTRYPOINT"]) == ["kpass"]
    assert json.loads(stage["CMD"]) == ["serve"]
    assert stage["STOPSIGNAL"] == "SIGTERM"


def test_the_image_takes_in_nothing_but_what_the_wheel_is_made_of() -> None:
    stage = last_stage()
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}

    assert [rest for word, rest in stage if word in {"COPY", "ADD"}] == [
        "--from=build /opt/kpass /opt/kpass"
    ]
    assert next(line for line in ignored if line and not line.startswith(("#", "!"))) == "*"
    assert let_in == {
        "install.sh", "pyproject.toml", "README.md", "requirements.txt", "requirements-build.txt",
        "alembic", "contexts", "schemas", "src",
    }  # fmt: skip


def test_the_image_keeps_records_keys_and_the_key_to_them_in_three_places() -> None:
    stage = dict(last_stage())

    assert len(json.loads(stage["VOLUME"])) == 3
    for name in ("KPASS_DATABASE_URL", "KPASS_KEYS_DIR", "KPASS_KEK_FILE"):
        assert any(
            f"{name}=" in stage["ENV"] and place in stage["ENV"]
            for place in json.loads(stage["VOLUME"])
        )
    assert not re.search(r"KPASS_KEK=|PASSWORD|TOKEN|SECRET", stage["ENV"])


def test_the_composition_names_no_password_and_demands_the_public_address() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")

    assert re.search(r"KPASS_PUBLIC_URL: \$\{KPASS_PUBLIC_URL:\?[^}]+\}", text)
    assert re.findall(r"(?i)password: +[^{\s]+", text) == []
    assert re.findall(r"PASSWORD(?!_FILE)[A-Z_]*:", text) == []
    assert re.findall(r"//[^/@\s]*:[^@\s]*@", text) == []
    assert '"127.0.0.1:' in text


def test_the_composition_serves_once_the_database_is_well_and_the_tables_are_there() -> None:
    services = blocks(composition()["services"], 2)

    assert {"database", "init", "kpass", "password"} == set(services)
    assert "init: {condition: service_completed_successfully}" in services["kpass"]
    assert "database: {condition: service_healthy}" in services["init"]
    assert "pg_isready" in services["database"]
    assert "command: [init]" in services["init"]
    volumes = set(re.findall(r"^  ([\w-]+):$", composition()["volumes"], re.MULTILINE))
    used = set(re.findall(r"- ([a-z]+):/", (ROOT / "compose.yaml").read_text("utf-8")))
    assert used == volumes


def test_every_variable_that_image_and_composition_set_is_one_we_read() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8") + (ROOT / "compose.yaml").read_text("utf-8")

    names = set(re.findall(r"(KPASS_[A-Z_]+)[=:]", text))

    assert len(names) >= 6
    assert [name for name in names if f'"{name}"' not in SETTINGS] == []


def test_a_service_that_answers_is_healthy_and_one_that_has_stopped_is_not(
    settings: Settings, tmp_path: Path
) -> None:
    port = free_port()
    assert not is_healthy(port, tls=False)

    with serving(variables(settings), tmp_path) as (process, address):
        port = int(address.rpartition(":")[2])
        well = subprocess.run(
            [sys.executable, "-m", "kpass_vc.healthy"],
            env=variables(settings, KPASS_PORT=str(port)), check=False, timeout=60,
        )  # fmt: skip
        stop(process)

    assert well.returncode == 0
    assert not is_healthy(port, tls=False)
    assert not is_healthy(port, tls=True)
