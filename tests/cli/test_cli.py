"""`kpass` as a process, as people and programs run it."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import select

from kpass_vc.api.verifications import EXAMPLE
from kpass_vc.records.award import Representation
from kpass_vc.settings import Settings
from tests.api.http import Json, serving, stop, variables
from tests.world import World, definition_document

DEFINITION = "sobona/SOB-OPTO-01"
ISSUER = "stadsnat-exempel"


@dataclass(frozen=True)
class Kpass:
    """The command line of one installation, run in one folder."""

    values: dict[str, str]
    folder: Path

    def run(
        self, *arguments: str, stdin: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kpass_vc", *arguments],
            env=self.values | more,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, status: int = 0) -> Json:
        """What a command answers as JSON; it must end with this exit status."""
        done = self.run("--json", *arguments)
        assert done.returncode == status, done.stdout + done.stderr
        return dict(json.loads(done.stdout))


@pytest.fixture
def kpass(settings: Settings, tmp_path: Path) -> Kpass:
    return Kpass(variables(settings), tmp_path)


@pytest.fixture
def published(kpass: Kpass, world: World) -> Kpass:
    """SOB-OPTO-01 is published and may be issued."""
    world.published_definition()
    return kpass


def file_of(folder: Path, document: object) -> str:
    path = folder / "given.json"
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


@pytest.mark.sqlite
def test_a_command_says_nothing_but_what_it_was_asked_for(kpass: Kpass) -> None:
    done = kpass.run("--help")

    assert (done.returncode, done.stderr) == (0, "")


def test_a_new_installation_issues_verifies_and_revokes_by_commands_alone(
    settings: Settings, tmp_path: Path
) -> None:
    url = settings.database_url
    kpass = Kpass(
        variables(settings, KPASS_DATABASE_URL=url)
        | {
            "KPASS_KEYS_DIR": str(tmp_path / "k"),
            "KPASS_KEK_FILE": str(tmp_path / "secret" / "kek"),
        },
        tmp_path,
    )

    made = kpass.json("init")
    assert set(made) == {"publicUrl", "database", "keys", "keyEncryptionKey"}
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secret" / "kek").stat().st_mode & 0o777 == 0o600
    assert kpass.json("init") == made
    for slug in ("sobona", ISSUER):
        enrolled = kpass.json("enrol", slug, "--name-sv", f"{slug} (exempel)", "--name-en", slug)
        assert enrolled["did"] == f"did:web:localhost%3A8000:o:{slug}"
        assert enrolled["token"].startswith("kp_")
    drafted = kpass.json("define", file_of(tmp_path, definition_document()))
    assert drafted["definitions"] == [
        {"reference": f"{DEFINITION}/1.0.0", "title": "Fibersvetsning i fält", "gaps": 0}
    ]
    assert kpass.json("publish", f"{DEFINITION}/1.0.0")["definition"].endswith("definition.json")
    issued = kpass.json("issue", ISSUER, DEFINITION, "--name", "Amina", "--out", "out")
    body = issued["files"][0]
    assert kpass.json("verify", body)["verdict"] == "verified"
    assert kpass.json("revoke", issued["id"], "--reason", "fraud") == {
        "id": issued["id"], "status": "revoked", "reason": "fraud",
    }  # fmt: skip
    report = kpass.json("verify", body, status=1)
    assert (report["verdict"], report["verified"]) == ("refused", False)


def test_the_files_of_a_credential_are_the_stored_bytes(published: Kpass, world: World) -> None:
    issued = published.json(
        "issue", ISSUER, DEFINITION, "--name", "Amina", "--email", "a@example.org",
        "--reference", "kurs-17/4", "--assessed-on", "2026-01-15", "--out", "out",
    )  # fmt: skip

    files = [published.folder / path for path in issued["files"]]

    assert sorted(path.name for path in files) == sorted(
        f"{issued['id']}.{language}.{extension}"
        for language in ("sv", "en")
        for extension in ("json", "jwt")
    )
    with world.reading() as session:
        stored = {row.body for row in session.scalars(select(Representation))}
    assert {path.read_bytes() for path in files} == stored
    listed = published.json("list", ISSUER)
    assert listed["total"] == 1
    assert listed["credentials"][0] | {"issuedAt": ""} == {
        "id": issued["id"], "holderName": "Amina", "definition": "SOB-OPTO-01",
        "status": "active", "issuedAt": "",
    }  # fmt: skip


def test_a_whole_order_is_taken_from_a_file(published: Kpass) -> None:
    order = {
        "holder": {"name": "Amina", "id": "did:web:amina.example"},
        "assessedOn": "2026-01-15",
        "languages": ["en"],
        "evidence": [{"name": "A test"}],
    }

    issued = published.json(
        "issue", ISSUER, DEFINITION, "--order", file_of(published.folder, order), "--out", "out"
    )

    assert issued["holderId"] == "did:web:amina.example"
    assert len(issued["files"]) == 2


def test_a_catalogue_is_taken_in_whole_and_the_gaps_are_told(kpass: Kpass, world: World) -> None:
    for slug in ("sobona", ISSUER):
        world.organization(slug)
    incomplete = {
        name: definition_document("SOB-OPTO-02")[name]
        for name in ("code", "version", "owner", "title")
    }
    catalogue = {"definitions": [definition_document(), incomplete]}

    told = kpass.json("--language", "sv", "define", file_of(kpass.folder, catalogue))
    shown = kpass.run("-l", "sv", "define", file_of(kpass.folder, catalogue))

    assert [entry["gaps"] > 0 for entry in told["definitions"]] == [False, True]
    assert {gap["reference"] for gap in told["gaps"]} == {"sobona/SOB-OPTO-02/1.0.0"}
    assert all(
        set(gap) == {"reference", "field", "rule", "detail", "element"} for gap in told["gaps"]
    )
    assert "replaced" in shown.stdout
    assert "läranderesultat" in shown.stdout


def test_publishing_what_has_gaps_is_refused_and_every_gap_is_listed(
    kpass: Kpass, world: World
) -> None:
    world.organization("sobona")
    incomplete = {
        name: definition_document()[name] for name in ("code", "version", "owner", "title")
    }
    kpass.json("define", file_of(kpass.folder, incomplete))
    reference = f"{DEFINITION}/1.0.0"

    told = kpass.json("publish", reference, status=1)
    shown = kpass.run("publish", reference)
    swedish = kpass.run("publish", reference, LC_ALL="sv_SE.UTF-8")

    assert told["error"] == "definition_incomplete"
    assert len(told["errors"]) >= 10
    assert shown.returncode == 1
    assert shown.stdout == ""
    assert shown.stderr.count("•") == len(told["errors"])
    assert "Traceback" not in shown.stderr
    assert "läranderesultat" in swedish.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("publish", "sobona/NO-01/1.0.0"), 1, "There is no definition"),
        (("issue", "nobody", DEFINITION, "--name", "x"), 1, "no such organisation"),
        (("issue", ISSUER, DEFINITION, "--name", "19811218-9876"), 1, "personal identity number"),
        (("enrol", "x1", "--name-sv", "x", "--name-en", "x", "--number", "811218-9876"), 1,
         "sole trader"),
        (("define", os.devnull), 1, "JSON"),
        (("define", "/nowhere/at/all"), 2, "No such file"),
        (("revoke", "x", "--suspend", "--reinstate"), 2, "one of"),
        (("-l", "fi", "init"), 2, "sv or en"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence_with_an_exit_status(
    published: Kpass, arguments: tuple[str, ...], status: int, said: str
) -> None:
    done = published.run(*arguments)

    assert done.returncode == status
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_verifying_ends_with_0_verified_1_refused_3_unknown(published: Kpass, world: World) -> None:
    path = published.folder / "credential"
    genuine = world.issued(languages=["sv"]).representations[0].body
    elsewhere = json.dumps(EXAMPLE).replace(EXAMPLE["issuer"]["id"], "did:web:elsewhere.example")

    found = {}
    for name, body in {
        "genuine": genuine,
        "changed": genuine.replace(b"Amina", b"Anina"),
        "elsewhere": elsewhere.encode(),
        "none": b"not a credential",
    }.items():
        path.write_bytes(body)
        done = published.run("--json", "verify", str(path))
        answer = json.loads(done.stdout)
        found[name] = (done.returncode, answer.get("verdict") or answer["error"])

    assert found == {
        "genuine": (0, "verified"),
        "changed": (1, "refused"),
        "elsewhere": (3, "unknown"),
        "none": (1, "malformed"),
    }


def test_a_credential_is_read_from_standard_input_and_every_check_is_shown(
    published: Kpass, world: World
) -> None:
    token = world.issued().representations[-1].body.decode()

    done = published.run("-l", "en", "verify", "-", stdin=token)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Verified: the credential is genuine and valid.")
    assert done.stdout.count("✓") == 14 + 2  # the checks, and two notes


def test_a_token_is_granted_listed_without_its_secret_and_withdrawn(
    kpass: Kpass, world: World
) -> None:
    world.organization("sobona")

    made = kpass.json("token", "grant", "sobona", "--permission", "credentials:read",
                      "--label", "kursen", "--days", "7")  # fmt: skip
    before = kpass.run("--json", "token", "list", "sobona")
    kpass.json("token", "revoke", made["id"])
    after = kpass.json("token", "list", "sobona")

    assert made["permissions"] == "credentials:read"
    listed = json.loads(before.stdout)["tokens"]
    assert [(row["id"], row["label"], row["state"]) for row in listed] == [
        (made["id"], "kursen", "good")
    ]
    assert made["token"].split("_", 2)[2] not in before.stdout
    assert [row["state"] for row in after["tokens"]] == ["withdrawn"]
    assert (
        kpass.json("token", "grant")["permissions"]
        == "keys:write, organizations:write, tokens:write"
    )


def test_retiring_stops_issuing_and_not_what_was_issued(published: Kpass, world: World) -> None:
    body = world.issued(languages=["sv"]).representations[0].body

    retired = published.json("retire", f"{DEFINITION}/1.0.0")
    refused = published.json("issue", ISSUER, DEFINITION, "--name", "x", status=1)

    assert retired["state"] == "retired"
    assert refused["error"] == "conflict"
    assert world.verified(body).verdict == "verified"


def test_a_suspension_ends_where_the_definition_lets_it(kpass: Kpass, world: World) -> None:
    world.published_definition(status_purpose="suspension")
    award = world.issued(languages=["sv"]).award.id

    suspended = kpass.json("revoke", award, "--suspend", "--reason", "under_investigation")
    back = kpass.json("revoke", award, "--reinstate", "--reason", "investigation_closed")

    assert (suspended["status"], back["status"]) == ("suspended", "active")


def test_without_init_every_command_says_what_to_do(tmp_path: Path) -> None:
    values = {
        "KPASS_DATABASE_URL": f"sqlite:///{tmp_path}/none.db",
        "KPASS_KEYS_DIR": str(tmp_path / "keys"),
        "KPASS_KEK_FILE": str(tmp_path / "kek"),
        "PATH": os.environ["PATH"],
    }

    done = Kpass(values, tmp_path).run("list", "sobona")

    assert done.returncode == 1
    assert "kpass init" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_public_url_cannot_change_under_issued_dids(kpass: Kpass, world: World) -> None:
    world.organization("sobona")

    done = kpass.run("list", "sobona", KPASS_PUBLIC_URL="https://other.example")

    assert done.returncode == 1
    assert "http://localhost:8000" in done.stderr


def test_the_version_is_said(kpass: Kpass) -> None:
    assert re.fullmatch(r"kpass \d+\.\d+\.\d+\S*\n", kpass.run("--version").stdout)


def test_the_demo_issues_23_credentials_and_exactly_the_revoked_one_is_refused_after(
    tmp_path: Path,
) -> None:
    kpass = Kpass({"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}, tmp_path)

    told = kpass.json("demo")

    credentials = told["credentials"]
    assert len({entry["code"] for entry in credentials}) == len(credentials) == 23
    assert told["representations"] == 92
    assert {entry["before"] for entry in credentials} == {"verified"}
    assert [entry["code"] for entry in credentials if entry["after"] == "refused"] == [
        told["revoked"]
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_demo_tells_its_story_in_the_readers_language(tmp_path: Path) -> None:
    values = {"PATH": os.environ["PATH"], "LC_ALL": "sv_SE.UTF-8", "COLUMNS": "200"}

    done = Kpass(values, tmp_path).run("demo")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("SKR-DT-") >= 23
    assert "återkall" in done.stdout


def test_what_serve_prints_can_all_be_opened_and_done_and_sigterm_stops_it(
    settings: Settings, tmp_path: Path
) -> None:
    values = {
        name: value for name, value in variables(settings).items() if name != "KPASS_PUBLIC_URL"
    }

    with serving(values, tmp_path, "--demo") as (process, base):
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line.strip())
            if line.startswith("Stop with"):
                break
        links = [line for line in printed if line.startswith("http://localhost:")]
        opened = {link: status_of(link.replace("localhost", "127.0.0.1")) for link in links}
        commands = [shlex.split(line) for line in printed if ".venv/bin/kpass" in line]
        done = [as_printed(command, tmp_path) for command in commands]
        token = next(line for line in printed if line.startswith("kp_"))
        asked = Request(f"{base}/v1/credentials", headers={"Authorization": f"Bearer {token}"})
        with urlopen(asked, timeout=10) as reply:
            total = json.load(reply)["total"]
        too_large = status_of(f"{base}/v1/verifications", b"x" * 20 * 2**20)
        status = stop(process)

    assert len(links) >= 18
    assert set(opened.values()) == {200}, opened
    assert [one.returncode for one in done] == [0, 0, 1, 0], [one.stderr for one in done]
    assert total == 3
    assert too_large == 413
    assert status in {0, -15}
    assert "Traceback" not in (tmp_path / "serve.log").read_text()
    assert len(printed[0].split("http")) == 2


def as_printed(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A printed command, in a terminal that knows none of the server's settings."""
    at = command.index(".venv/bin/kpass")
    given = dict(assignment.split("=", 1) for assignment in command[:at])
    return Kpass({"PATH": os.environ["PATH"], **given}, folder).run(*command[at + 1 :])


def status_of(url: str, body: bytes | None = None) -> int:
    """The status of an address; a body that is not read to its end may break the connection off."""
    try:
        with urlopen(Request(url, data=body), timeout=20) as reply:
            return int(reply.status)
    except OSError as error:
        return int(getattr(error, "code", 413 if body else 0))


def test_a_database_that_does_not_answer_is_said_in_a_sentence(kpass: Kpass) -> None:
    refused = {"KPASS_DATABASE_URL": "postgresql://kpass:hemligt@127.0.0.1:1/kpass"}

    for command in (["init"], ["list", "organizations"]):
        done = kpass.run(*command, **refused)

        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "The database does not answer" in done.stderr
        assert "hemligt" not in done.stderr


def test_the_doctor_says_what_is_wrong_with_exit_status_one_and_as_json(
    kpass: Kpass, settings: Settings
) -> None:
    well = kpass.run("doctor", "--json")
    settings.kek_file.chmod(0o644)
    ill = kpass.run("doctor", "--json")
    told = kpass.run("--language", "sv", "doctor")

    assert (well.returncode, json.loads(well.stdout)["healthy"]) == (0, True)
    assert (ill.returncode, json.loads(ill.stdout)["healthy"]) == (1, False)
    (wrong,) = (each for each in json.loads(ill.stdout)["checks"] if each["outcome"] == "wrong")
    assert (wrong["check"], wrong["code"]) == ("kek", "open_to_others")
    assert told.returncode == 1
    assert told.stdout.startswith("1 fel")
