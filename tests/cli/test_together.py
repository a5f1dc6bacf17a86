"""People, reviews, delegations, confirmation, systems, webhooks and notices, as people and programs run them."""

import json
from pathlib import Path

import pytest
from jwcrypto.jwk import JWK

from kpass_vc.actions.publish import retire
from kpass_vc.records import audit as audits
from kpass_vc.records import award as awards
from kpass_vc.records.award import Award
from kpass_vc.settings import Settings
from tests.api.http import Json, variables
from tests.cli.test_cli import ISSUER, Kpass, file_of
from tests.world import World, actor_of, definition_document, issue_order

pytestmark = pytest.mark.sqlite
CODE, REFERENCE = "SOB-OPTO-01", "sobona/SOB-OPTO-01/1.0.0"


@pytest.fixture
def kpass(settings: Settings, tmp_path: Path, world: World) -> Kpass:
    for slug in ("sobona", "branschradet", ISSUER):
        world.organization(slug)
    return Kpass(variables(settings) | {"HOME": str(tmp_path)}, tmp_path)


def person(kpass: Kpass, slug: str, email: str, *roles: str) -> dict[str, str]:
    """What a shell of theirs has in its environment."""
    kpass.json(
        "person",
        "add",
        slug,
        email.split("@", maxsplit=1)[0],
        email,
        *(f"--role={role}" for role in roles),
    )
    return {"KPASS_TOKEN": kpass.json("person", "token", email)["token"]}


def asked(kpass: Kpass, who: dict[str, str], *arguments: str, status: int = 0) -> Json:
    done = kpass.run("--json", *arguments, **who)
    assert done.returncode == status, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_a_version_is_written_reviewed_by_another_and_published_by_commands(kpass: Kpass) -> None:
    author = person(kpass, "sobona", "aina@example.org", "author", "owner")
    reviewer = person(kpass, "branschradet", "rut@example.org", "reviewer")
    given = file_of(kpass.folder, definition_document(CODE))

    asked(kpass, author, "review", "policy", "sobona", "1", "--external", "1")
    asked(kpass, author, "define", given)
    refused = asked(kpass, author, "publish", REFERENCE, status=1)
    asked(kpass, author, "review", "submit", REFERENCE, "--reviewer", "branschradet")
    waiting = asked(kpass, reviewer, "review", "list", "branschradet")
    asked(
        kpass, reviewer, "review", "comment", "branschradet", REFERENCE, "Bra.", "--field=/title/sv"
    )
    asked(kpass, reviewer, "review", "decide", "branschradet", REFERENCE, "approved")
    said = asked(kpass, author, "review", "show", "sobona", REFERENCE)
    asked(kpass, author, "publish", REFERENCE)

    assert refused["error"] in {"conflict", "definition_incomplete"}
    assert waiting == {"waiting": [REFERENCE]}
    assert said["state"] == "approved"
    assert said["reviews"] == [["branschradet", "approved"]]
    assert said["comments"] == [["/title/sv", "Bra."]]
    own = asked(kpass, author, "review", "decide", "sobona", REFERENCE, "approved", status=1)
    assert own["error"] == "forbidden"


def test_an_owner_lets_an_organisation_issue_and_ends_it_by_commands(
    kpass: Kpass, world: World
) -> None:
    world.published_definition(authorised_issuers=["sobona"])
    order = ("issue", ISSUER, f"sobona/{CODE}", "--name=Amina", "--assessed-on=2026-11-20")

    before = kpass.json(*order, status=1)
    (asked_for,) = kpass.json("delegation", "ask", ISSUER, "sobona", f"--definition={CODE}")[
        "delegations"
    ]
    (granted,) = kpass.json("delegation", "set", "sobona", asked_for["id"], "granted")[
        "delegations"
    ]
    issued = kpass.json(*order)
    kpass.json("delegation", "set", "sobona", granted["id"], "withdrawn", "--reason=Avtalet")
    after = kpass.json(*order, status=1)
    (listed,) = kpass.json("delegation", "list", ISSUER)["delegations"]

    assert granted["authorization"].startswith("http")
    assert (before["error"], after["error"]) == ("forbidden", "forbidden")
    assert issued["id"]
    assert (listed["status"], listed["definitions"]) == ("withdrawn", CODE)


def test_who_works_for_two_organisations_logs_in_and_changes_the_token_without_a_gap(
    kpass: Kpass,
) -> None:
    first = person(kpass, "sobona", "rut@example.org", "reviewer")
    kpass.json("person", "add", "branschradet", "Rut", "rut@example.org", "--role=reviewer")
    person(kpass, "sobona", "ada@example.org", "auditor")

    done = kpass.run("login", stdin=first["KPASS_TOKEN"] + "\n")
    assert done.returncode == 0, done.stderr
    roles = kpass.json("whoami")["roles"]
    new = kpass.json("person", "token", "rut@example.org", "--permission", "definitions:read")
    third = kpass.json("person", "token", "rut@example.org", status=1)
    old = next(
        each["id"]
        for each in kpass.json("person", "tokens", "rut@example.org")["tokens"]
        if each["id"] != new["id"]
    )
    anothers = kpass.json("person", "tokens", "ada@example.org", status=1)
    kpass.run("login", stdin=new["token"] + "\n")
    left = kpass.json("person", "tokens", "rut@example.org", "--revoke", old)["tokens"]

    assert {each["organization"] for each in roles} == {"sobona", "branschradet"}
    assert (third["error"], anothers["error"]) == ("conflict", "not_found")
    assert [bool(each["withdrawn"]) for each in left if each["id"] == old] == [True]


def test_who_has_logged_in_is_nobody_but_themselves_until_the_token_is_withdrawn(
    kpass: Kpass,
) -> None:
    auditor = person(kpass, "sobona", "ada@example.org", "auditor")

    me = asked(kpass, auditor, "whoami")
    operators = asked(kpass, auditor, "confirm", "sobona", "--how=x", status=1)
    grants = asked(
        kpass, auditor, "delegation", "grant", "sobona", ISSUER, f"--definition={CODE}", status=1
    )
    (row,) = kpass.json("person", "tokens", "ada@example.org")["tokens"]
    (gone,) = kpass.json("person", "tokens", "ada@example.org", "--revoke", row["id"])["tokens"]
    after = asked(kpass, auditor, "whoami", status=1)

    assert me["roles"] == [{"organization": "sobona", "role": "auditor"}]
    assert (operators["error"], grants["error"]) == ("forbidden", "forbidden")
    assert not row["withdrawn"]
    assert gone["withdrawn"]
    assert after["error"] == "unauthenticated"


def test_login_keeps_the_token_in_a_file_of_ones_own(kpass: Kpass) -> None:
    token = person(kpass, "sobona", "ada@example.org", "auditor")["KPASS_TOKEN"]

    assert kpass.run("login", stdin="kp_x_y\n").returncode == 1
    done = kpass.run("login", stdin=token + "\n")
    me = kpass.json("whoami")
    kept = [
        path
        for path in kpass.folder.rglob("*")
        if path.is_file() and token in path.read_text("latin-1")
    ]
    modes = [path.stat().st_mode & 0o777 for path in kept]
    kpass.run("logout")

    assert done.returncode == 0, done.stderr
    assert me["email"] == "ada@example.org"
    assert modes == [0o600]
    assert not kept[0].exists()


def test_a_system_is_let_in_by_its_key_and_withdrawn(kpass: Kpass) -> None:
    keys = [JWK.generate(kty="EC", crv="P-256") for _ in range(2)]
    public = kpass.folder / "public.jwk"
    public.write_text(keys[0].export_public())
    both = kpass.folder / "both.jwks"
    both.write_text(json.dumps({"keys": [key.export_public(as_dict=True) for key in keys]}))
    private = kpass.folder / "private.jwk"
    private.write_text(keys[0].export())

    marked = kpass.json("token", "grant", ISSUER, "--test")
    made = kpass.json("system", "add", ISSUER, "LMS", "--key", str(public), "--test")
    refused = kpass.json("system", "add", ISSUER, "LMS", "--key", str(private), status=1)
    kpass.json("system", "keys", made["id"], "--key", str(both))
    kpass.json("system", "withdraw", made["id"])
    (listed,) = kpass.json("system", "list", ISSUER)["clients"]

    assert marked["test"] == "TEST"
    assert made["tokenEndpoint"].endswith("/oauth/token")
    assert refused["error"] == "invalid_input"
    assert (listed["keys"], listed["test"]) == (2, True)
    assert listed["revokedAt"]


def test_a_webhook_is_added_replayed_and_ended(kpass: Kpass) -> None:
    address = "https://system.example/kpass"

    made = kpass.json("webhook", "add", ISSUER, address, "--event=credential.issued")
    wrong = kpass.json("webhook", "add", ISSUER, address, "--event=nothing", status=1)
    kpass.json("webhook", "replay", ISSUER, made["id"], "--since", "0")
    another = kpass.json("webhook", "end", "sobona", made["id"], status=1)
    (listed,) = kpass.json("webhook", "list", ISSUER)["webhooks"]
    kpass.json("webhook", "end", ISSUER, made["id"])

    assert made["secret"].startswith("whsec_")
    assert wrong["errors"][0]["field"] == "/events/0"
    assert another["error"] == "not_found"
    assert (listed["url"], listed["position"]) == (address, 0)
    assert kpass.json("webhook", "list", ISSUER) == {"webhooks": []}


def test_a_notice_goes_to_a_corrected_address(kpass: Kpass, world: World) -> None:
    world.published_definition()
    contact = {"email": "fel@example.org"}
    issued = world.issued(holder={"name": "Amina Exempelsson", "contact": contact})

    before = kpass.json("notice", issued.award.id)["notices"]
    after = kpass.json("notice", issued.award.id, "--email", "ratt@example.org")["notices"]

    assert [row["state"] for row in before] == ["waiting"]
    assert sorted(row["state"] for row in after) == ["waiting", "withdrawn"]
    none = kpass.json("notice", world.issued(externalReference="2").award.id, "--send", status=1)
    assert none["error"] == "conflict"


def test_a_correction_takes_a_name_and_a_day_or_the_whole_order(kpass: Kpass, world: World) -> None:
    version, _, owner = world.published_definition()
    first = world.issued()
    day = str(issue_order()["assessedOn"])
    with world.writing() as session:
        retire(world.env, session, actor_of(owner), version.id)
    evidence = [{"name": "Protokoll"}]
    order = {"holder": {"name": "Bo"}, "assessedOn": day, "evidence": evidence, "parts": []}
    given = file_of(kpass.folder, order | {"reason": "wrong_holder"})

    second = kpass.json("correct", first.award.id, "--name=Amina Berg", f"--assessed-on={day}")
    both = kpass.run("correct", second["id"], "--name=Bo", f"--order={given}")
    lacking = kpass.json("correct", second["id"], "--name=Bo", status=1)
    third = kpass.json("correct", second["id"], f"--order={given}")

    assert both.returncode == 2
    assert lacking["error"] == "invalid_input"
    with world.reading() as session:
        found = [session.get_one(Award, each) for each in (first.award.id, second["id"])]
        new = session.get_one(Award, third["id"])
        assert [(row.state, row.reason) for row in found] == [
            ("revoked", "wrong_details"),
            ("revoked", "wrong_holder"),
        ]
        assert (new.state, new.holder_name) == ("active", "Bo")
        assert new.definition_version_id == version.id
        (form, *_) = awards.representations(session, award_id=new.id)
        assert json.loads(form.body)["evidence"][0]["name"] == "Protokoll"


def test_audit_finds_nothing_then_a_change_and_what_a_kept_head_tells(
    kpass: Kpass, world: World
) -> None:
    world.published_definition()
    issued = world.issued()

    sound = kpass.json("audit")
    with world.reading() as session:
        (kept,) = audits.heads(session, organization_id=world.organization(ISSUER).id)
    head = kpass.folder / "head.json"
    head.write_bytes(kept.body)
    same = kpass.json("audit", ISSUER, "--head", str(head))
    with world.writing() as session:
        award = session.get_one(Award, issued.award.id)
        award.state = "revoked"
    changed = kpass.json("audit", status=1)
    shown = kpass.run("-l", "en", "audit", ISSUER)

    assert sound == same == {"faults": []}
    assert {(each["organization"], each["kind"]) for each in changed["faults"]} == {
        (ISSUER, "status_bit")
    }
    assert shown.returncode == 1
    assert f"{ISSUER}: {issued.award.id} is revoked on record" in shown.stdout
