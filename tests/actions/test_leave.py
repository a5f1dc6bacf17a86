"""How a learner and an organisation leave: forgotten, exported, and verified from a file without any network."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from kpass_vc import resources
from kpass_vc.actions.confirm import ConfirmationOrder, confirm
from kpass_vc.actions.correct import CorrectionOrder, correct
from kpass_vc.actions.erase import erase
from kpass_vc.actions.learner_export import export_learner
from kpass_vc.actions.offline import bundled, verify_offline
from kpass_vc.actions.recheck import recheck
from kpass_vc.errors import Malformed, NotFound
from kpass_vc.records import Base
from kpass_vc.records import audit as audits
from kpass_vc.settings import Settings
from tests.actions.test_people import personal_token
from tests.api.http import bearer, client_of, variables
from tests.cli.test_cli import Kpass
from tests.world import OPERATOR_ACTOR, World, actor_of, body_of, issue_order

ISSUER = "stadsnat-exempel"
NAME, EMAIL = "Osannolika Namnsson", "osannolik@example.org"


def everything(world: World) -> str:
    """All that stands in any table, as text."""
    found = []
    with world.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(text(f"SELECT * FROM {table.name}")):
                found += [
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for value in row
                ]
    return "\n".join(found)


def test_a_learner_is_forgotten_and_a_copy_still_verifies(world: World) -> None:
    world.published_definition()
    holder = {"name": NAME, "reference": "elev-77", "contact": {"email": EMAIL}}
    issued = world.issued(holder=holder, externalReference="osannolik-1")
    second = world.issued(holder=holder)
    other = world.issued()
    world.disputed(issued.award.id, "Mitt namn Osannolika är fel.")
    world.shared(issued.award.id, label="Till Osannolika")
    kept = body_of(issued)
    token = world.token_of(issued.award.id)
    assert "Osannolika" in everything(world)

    for _ in range(2):
        with world.writing() as session:
            actor = actor_of(world.organization(ISSUER))
            found = erase(world.env, session, actor, issued.award.id)
        assert {award.id for award in found} == {issued.award.id, second.award.id}

    left = everything(world)
    assert "sannolik" not in left.lower()
    assert "elev-77" not in left
    assert world.verified(kept).verified
    assert world.verified(body_of(other)).verified
    assert client_of(world.env).get(f"/c/{token}").status_code == 404
    with world.reading() as session:
        assert list(recheck(world.env, session, OPERATOR_ACTOR, ISSUER)) == []
    world.set_status(issued, "revoked")
    assert world.verified(kept).verdict == "refused"
    http, headers = client_of(world.env), bearer(world.token(ISSUER))
    for path in ("/v1/credentials", f"/v1/credentials/{issued.award.id}"):
        assert http.get(path, headers=headers).status_code == 200


def test_a_correction_is_of_the_same_learner(world: World) -> None:
    world.published_definition()
    wrong = world.issued(holder={"name": "Osannolika Felsson"})
    actor = actor_of(world.organization(ISSUER))
    ids = [wrong.award.id]
    for name in ("Osannolika Namnson", NAME):
        order = {"holder": {"name": name}, "assessedOn": issue_order()["assessedOn"]}
        with world.writing() as session:
            wanted = CorrectionOrder.model_validate(order)
            ids.append(correct(world.env, session, actor, ids[-1], wanted).award.id)

    with world.writing() as session:
        found = erase(world.env, session, actor, ids[1])

    assert {award.id for award in found} == set(ids)
    assert "sannolik" not in everything(world).lower()


def test_anothers_learner_is_not_there(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    with world.writing() as session, pytest.raises(NotFound):
        erase(world.env, session, actor_of(world.organization("sobona")), issued.award.id)


def test_a_learner_gets_all_that_is_stored_in_one_file(world: World) -> None:
    world.published_definition()
    issued = world.issued(holder={"name": NAME, "contact": {"email": EMAIL}})
    world.disputed(issued.award.id, "Fel datum.")
    world.shared(issued.award.id, label="Chefen")

    reply = client_of(world.env).get(f"/c/{world.token_of(issued.award.id)}/export.zip")

    with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
        about = json.loads(packed.read("about.json"))
        names = set(packed.namelist())
        assert packed.read("credential.sv.json") == body_of(issued)
    assert {"credential.sv.jwt", "credential.en.json", "badge.sv.png", "badge.en.png"} <= names
    assert about["address"] == {"email": EMAIL, "language": "sv"}
    assert [row["text"] for row in about["disputes"]] == ["Fel datum."]
    assert [link["label"] for link in about["shareLinks"]] == ["Chefen"]


def test_an_exit_export_verifies_with_no_network_and_no_database(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    good, revoked = world.issued(), world.issued()
    world.set_status(revoked, "revoked")
    bundle = tmp_path / "exit.zip"
    kpass = Kpass(variables(settings), tmp_path)
    done = kpass.run("export", ISSUER, str(bundle))
    assert done.returncode == 0, done.stderr

    get, now = bundled(bundle), world.env.now()
    contexts = resources.contexts()
    for language in ("sv", "en"):
        for form in ("ldp_vc", "vc-jwt"):
            report = verify_offline(body_of(good, language, form), get, contexts, now)
            assert report.verified, [f for f in report.findings if f.outcome != "passed"]
            assert verify_offline(body_of(revoked, language, form), get, contexts, now).verdict == (
                "refused"
            )
    (tmp_path / "good.json").write_bytes(body_of(good))
    nowhere = {"PATH": "/nowhere", "KPASS_DATABASE_URL": "sqlite:////nowhere/x.db"}
    alone = Kpass(variables(settings) | nowhere, tmp_path)
    assert alone.run("verify", "--offline", str(bundle), "good.json").returncode == 0
    (tmp_path / "bad.json").write_bytes(body_of(good).replace(b"Amina", b"Amine", 1))
    assert alone.run("verify", "--offline", str(bundle), "bad.json").returncode == 1
    with zipfile.ZipFile(bundle) as packed:
        lines = packed.read("credentials.jsonl").splitlines()
        audit = packed.read("audit.jsonl").splitlines()
    assert len(lines) == 2
    assert [json.loads(line)["number"] for line in audit] == list(range(1, len(audit) + 1))


@pytest.mark.parametrize("confirms", [True, False])
def test_without_a_network_an_issuer_is_confirmed_by_its_operators_list_or_by_nobody(
    world: World, settings: Settings, tmp_path: Path, *, confirms: bool
) -> None:
    world.published_definition()
    issued = world.issued()
    named = ISSUER if confirms else "sobona"
    with world.writing() as session:
        confirm(world.env, session, OPERATOR_ACTOR, named, ConfirmationOrder(how="Sett."))
    bundle = tmp_path / "exit.zip"
    done = Kpass(variables(settings), tmp_path).run("export", ISSUER, str(bundle))
    assert done.returncode == 0, done.stderr

    report = verify_offline(body_of(issued), bundled(bundle), resources.contexts(), world.env.now())

    assert report.verified
    code = "issuer_confirmed_there" if confirms else "issuer_not_confirmed_there"
    assert [note.code for note in report.notes] == [code]
    assert report.notes[0].data == {"host": world.env.addresses.base.partition("://")[2]}


@pytest.mark.parametrize("way", ["over HTTP", "by command"])
def test_who_answers_a_learner_gets_all_that_is_known_of_the_same_one_and_of_no_other(
    world: World, settings: Settings, tmp_path: Path, way: str
) -> None:
    world.published_definition()
    holder = {"name": NAME, "reference": "elev-77", "contact": {"email": EMAIL}}
    first = world.issued(holder=holder, externalReference="osannolik-1")
    second = world.issued(holder=holder)
    world.issued(holder={"name": "Någon Annan", "reference": "elev-78"})
    actor = actor_of(world.organization(ISSUER))
    order = {"holder": {"name": "Rättad Namnsson"}, "assessedOn": issue_order()["assessedOn"]}
    with world.writing() as session:
        wanted = CorrectionOrder.model_validate(order)
        corrected = correct(world.env, session, actor, second.award.id, wanted)
    world.disputed(first.award.id, "Fel datum.")
    link = world.shared(first.award.id, label="Chefen")
    all_of_it = [first, second, corrected]

    if way == "over HTTP":
        _, token, _ = personal_token(world, ISSUER, ["owner"], "agare@example.org")
        path = f"/v1/credentials/{second.award.id}/learner.zip"
        reply = client_of(world.env).get(path, headers=bearer(token))
        assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/zip")
        body = reply.content
    else:
        kpass = Kpass(variables(settings), tmp_path)
        done = kpass.run("export-learner", second.award.id, "learner.zip")
        assert done.returncode == 0, done.stderr
        body = (tmp_path / "learner.zip").read_bytes()

    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert {name.partition("/")[0] for name in packed.namelist()} == {
            each.award.id for each in all_of_it
        }
        for each in all_of_it:
            for row in each.representations:
                form = "json" if row.format == "ldp_vc" else "jwt"
                name = f"{each.award.id}/credential.{row.language}.{form}"
                assert packed.read(name) == row.body
                assert f"{each.award.id}/badge.{row.language}.png" in packed.namelist()
        text = {each.award.id: packed.read(f"{each.award.id}/about.json") for each in all_of_it}
    about = {award_id: json.loads(body) for award_id, body in text.items()}
    one = about[first.award.id]
    assert one["address"] == {"email": EMAIL, "language": "sv"}
    assert (one["holderName"], one["externalReference"]) == (NAME, "osannolik-1")
    assert [row["text"] for row in one["disputes"]] == ["Fel datum."]
    assert [row["language"] for row in one["shareLinks"]] == ["sv"]
    assert about[corrected.award.id]["replaces"] == second.award.id
    assert "credential.corrected" in one["done"] + about[second.award.id]["done"]
    for found in text.values():
        assert world.code_of(link).encode() not in found
        assert b"Chefen" not in found, "only the learner sees what a link is called"
        assert "Någon Annan".encode() not in found
    with world.reading() as session:
        entries = audits.of_organization(session, organization_id=actor.own_organization())
    exported = {entry.subject for entry in entries if entry.action == "learner.exported"}
    assert exported == {each.award.id for each in all_of_it}


def test_what_is_known_of_a_forgotten_learner_is_that_they_were_forgotten(world: World) -> None:
    world.published_definition()
    issued = world.issued(holder={"name": NAME, "contact": {"email": EMAIL}})
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        erase(world.env, session, actor, issued.award.id)

    with world.writing() as session:
        body = export_learner(world.env, session, actor, issued.award.id)

    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert packed.namelist() == [f"{issued.award.id}/about.json"]
        about = json.loads(packed.read(packed.namelist()[0]))
    assert about["forgotten"]
    assert (about["holderName"], about["address"]) == (None, None)


def test_a_test_exports_tests_alone(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    token = bearer(world.token(ISSUER, test=True))

    reply = client_of(world.env).get(
        f"/v1/credentials/{issued.award.id}/learner.zip", headers=token
    )

    assert reply.status_code == 404


@pytest.mark.parametrize("who", ["owner", "system"])
def test_an_organisation_fetches_its_exit_export_over_http(
    world: World, settings: Settings, tmp_path: Path, who: str
) -> None:
    world.published_definition()
    good = world.issued()
    other = "annan-exempel"
    world.published_definition(code="SOB-OPTO-02", owner=other, authorised_issuers=[other])
    world.issued(issuer=other, definition=f"{other}/SOB-OPTO-02")
    by_hand = tmp_path / "by-hand.zip"
    done = Kpass(variables(settings), tmp_path).run("export", ISSUER, str(by_hand))
    assert done.returncode == 0, done.stderr
    token = (
        personal_token(world, ISSUER, ["owner"], "agare@example.org")[1]
        if who == "owner"
        else world.token(ISSUER)
    )

    reply = client_of(world.env).get("/v1/export.zip", headers=bearer(token))

    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/zip")
    assert reply.headers["Cache-Control"] == "no-store"
    (tmp_path / "over-http.zip").write_bytes(reply.content)
    get = bundled(tmp_path / "over-http.zip")
    report = verify_offline(body_of(good), get, resources.contexts(), world.env.now())
    assert report.verified, [f for f in report.findings if f.outcome != "passed"]
    with zipfile.ZipFile(by_hand) as one, zipfile.ZipFile(tmp_path / "over-http.zip") as two:
        assert one.namelist() == two.namelist()
        changing = {name for name in one.namelist() if "audit" in name}
        for name in set(one.namelist()) - changing:
            assert one.read(name) == two.read(name), name
        actions = [json.loads(line) for line in two.read("audit.jsonl").splitlines()]
    assert [entry["action"] for entry in actions][-1] == "organization.exported"
    assert f"credentials/{good.award.id}.sv.json" in two.namelist()


def test_who_may_not_export_makes_no_file(world: World, settings: Settings, tmp_path: Path) -> None:
    world.published_definition()
    world.issued()
    _, token, _ = personal_token(world, ISSUER, ["issuer"], "utf@example.org")

    done = Kpass(variables(settings), tmp_path).run("export", ISSUER, "exit.zip", KPASS_TOKEN=token)

    assert done.returncode == 1
    assert not list(tmp_path.glob("exit.zip*"))


def test_what_is_no_bundle_is_refused_and_a_lack_is_unknown(world: World, tmp_path: Path) -> None:
    world.published_definition()
    issued = world.issued()
    (tmp_path / "junk.zip").write_bytes(b"junk")
    with pytest.raises(Malformed):
        bundled(tmp_path / "junk.zip")
    (tmp_path / "empty").mkdir()
    report = verify_offline(
        body_of(issued), bundled(tmp_path / "empty"), resources.contexts(), world.env.now()
    )
    assert report.verdict == "unknown"
