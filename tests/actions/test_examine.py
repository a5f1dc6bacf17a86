"""What the doctor finds: each thing that can be wrong with an installation, and nothing where all is well."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from kpass_vc.actions.batch import look_through, read_items, take_in
from kpass_vc.actions.examine import CHECKS, Machine, Sign, examine, has_wal_reset_fault
from kpass_vc.actions.verify import own_did_document
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFetched
from kpass_vc.fetch import Fetched
from kpass_vc.language import LANGUAGES, has, say
from kpass_vc.records.delivery import Delivery
from kpass_vc.records.key import SigningKey
from kpass_vc.records.service import Service
from kpass_vc.records.status_list import StatusPublication
from kpass_vc.settings import Settings
from tests.api.http import variables
from tests.test_house import calls, sources
from tests.test_house import text as literal
from tests.world import NothingElsewhere, World, actor_of


@pytest.fixture
def given(settings: Settings) -> Mapping[str, str]:
    return variables(settings)


@pytest.fixture
def machine(world: World) -> Machine:
    return Machine(clock=world.clock)


@pytest.fixture
def issued(world: World) -> World:
    world.published_definition()
    world.issued()
    return world


def found(given: Mapping[str, str], machine: Machine) -> dict[str, tuple[str, str]]:
    """Outcome and code of every check; of several signs of one check the worst."""
    order = ("well", "left_out", "warning", "wrong")
    signs = sorted(examine(given, machine), key=lambda sign: order.index(sign.outcome))
    for sign in signs:
        assert all(sign.sentence(language) and sign.name(language) for language in LANGUAGES)
    return {
        sign.check: (sign.outcome, sign.error.rule if sign.error else sign.code) for sign in signs
    }


def troubles(given: Mapping[str, str], machine: Machine) -> dict[str, tuple[str, str]]:
    """The same, without what is well, was not asked, or follows from running on http."""
    usual = {("left_out", "not_asked"), ("warning", "not_https")}
    return {
        check: sign
        for check, sign in found(given, machine).items()
        if sign[0] != "well" and sign not in usual
    }


@dataclass(frozen=True)
class Outside(NothingElsewhere):
    """What the world gets at every address; None: nothing."""

    body: bytes | None

    def get(self, url: str, *, accept: str, limit: int = 0) -> Fetched:
        if self.body is None:
            raise NotFetched("unreachable", url=url)
        return Fetched(url, "application/json", self.body)


def test_a_notice_and_a_batch_that_wait_for_hours_are_told(
    given: Mapping[str, str], machine: Machine, world: World
) -> None:
    world.published_definition()
    contact = {"email": "amina@example.org"}
    world.issued(holder={"name": "Amina Exempelsson", "contact": contact})
    mailing = {"KPASS_SMTP_URL": "smtp://127.0.0.1:1", "KPASS_MAIL_FROM": "x@example.org"}
    assert troubles(given, machine) == {}

    later = replace(machine, clock=lambda: world.clock() + timedelta(hours=7))

    assert troubles(given, later) == {"work": ("warning", "no_mail_server")}
    assert troubles({**given, **mailing}, later) == {"work": ("warning", "notices")}
    actor = actor_of(world.organization("stadsnat-exempel"))
    with world.writing() as session:
        session.execute(delete(Delivery))
        items: list[dict[str, object]] = [{"holder": {"name": "Bo"}, "assessedOn": "2026-11-20"}]
        reference = "sobona/SOB-OPTO-01"
        looked = look_through(world.env, session, actor, reference, read_items(reference, items))
        take_in(world.env, session, actor, reference, looked)
    assert troubles(given, later) == {"work": ("warning", "batch")}


@pytest.mark.usefixtures("issued")
def test_a_sound_installation_has_no_trouble_and_every_check_is_made(
    given: Mapping[str, str], machine: Machine
) -> None:
    Path(given["KPASS_KEK_FILE"]).parent.chmod(0o700)

    assert troubles(given, machine) == {}
    assert list(CHECKS) == list(dict.fromkeys(sign.check for sign in examine(given, machine)))


@pytest.mark.sqlite
def test_a_place_where_nothing_is_yet_says_so_and_is_left_as_it_was(
    given: Mapping[str, str], machine: Machine, tmp_path: Path
) -> None:
    place = tmp_path / "new"
    place.mkdir()
    elsewhere = {
        **given,
        "KPASS_DATABASE_URL": f"sqlite:///{place}/kpass.db",
        "KPASS_KEYS_DIR": str(place / "keys"),
        "KPASS_KEK_FILE": str(place / "kek"),
    }

    signs = found(elsewhere, machine)

    assert signs["kek"] == ("wrong", "kek_missing")
    assert signs["keys_folder"] == ("wrong", "keys_missing")
    assert signs["database"] == ("wrong", "no_file")
    assert signs["keys"] == ("left_out", "needs_database")
    assert list(place.iterdir()) == []


def test_settings_that_cannot_be_read_are_the_only_sign(
    given: Mapping[str, str], machine: Machine
) -> None:
    for changed in ({"KPASS_PORT": "x"}, {"KPASS_DATABASE_URL": "nonsense"}):
        signs = found({**given, **changed}, machine)

        assert set(signs) == {"settings"}
        assert signs["settings"][0] == "wrong"


def test_a_database_that_does_not_answer_is_wrong_and_the_password_is_not_said(
    given: Mapping[str, str], machine: Machine
) -> None:
    unreachable = {**given, "KPASS_DATABASE_URL": "postgresql://kpass:hemligt@127.0.0.1:1/kpass"}

    (sign,) = (sign for sign in examine(unreachable, machine) if sign.check == "database")

    assert (sign.outcome, sign.error is not None) == ("wrong", True)
    assert "hemligt" not in sign.sentence("sv")


@pytest.mark.parametrize(("revision", "code"), [("9999", "unknown"), (None, "older")])
def test_tables_of_another_version_are_wrong(
    world: World, given: Mapping[str, str], machine: Machine, revision: str | None, code: str
) -> None:
    with world.writing() as session:
        session.execute(text("DELETE FROM alembic_version"))
        if revision:
            session.execute(text(f"INSERT INTO alembic_version VALUES ('{revision}')"))

    signs = found(given, machine)

    assert signs["database"] == ("wrong", code)
    assert signs["keys"] == ("left_out", "needs_database")


@pytest.mark.usefixtures("issued")
def test_a_key_encryption_key_that_others_read_is_wrong_and_so_is_another(
    given: Mapping[str, str], machine: Machine
) -> None:
    kek = Path(given["KPASS_KEK_FILE"])
    kek.chmod(0o644)
    assert found(given, machine)["kek"] == ("wrong", "open_to_others")
    assert found(given, machine)["keys"] == ("left_out", "needs_kek")

    kek.chmod(0o600)
    kek.write_bytes(bytes(32))
    assert found(given, machine)["kek"][0] == "well"
    assert found(given, machine)["keys"] == ("wrong", "key_sealed")


def test_a_key_encryption_key_among_the_keys_is_wrong(
    given: Mapping[str, str], machine: Machine
) -> None:
    inside = {**given, "KPASS_KEK_FILE": f"{given['KPASS_KEYS_DIR']}/kek"}

    assert found(inside, machine)["kek"] == ("wrong", "kek_with_keys")


@pytest.mark.usefixtures("issued")
def test_a_change_of_the_key_encryption_key_that_was_broken_off_is_a_warning(
    given: Mapping[str, str], machine: Machine
) -> None:
    following = Path(f"{given['KPASS_KEK_FILE']}.next")
    following.write_bytes(bytes(range(32)))
    following.chmod(0o600)

    assert found(given, machine)["kek"] == ("warning", "unfinished")
    assert found(given, machine)["keys"][0] == "well"


@pytest.mark.usefixtures("issued")
def test_a_secret_of_the_links_that_is_gone_is_wrong(
    given: Mapping[str, str], machine: Machine
) -> None:
    (Path(given["KPASS_KEYS_DIR"]) / "links.secret").unlink()

    assert found(given, machine)["keys"] == ("wrong", "secret_missing")


@pytest.mark.usefixtures("issued")
def test_keys_that_others_read_or_that_are_gone_are_wrong(
    given: Mapping[str, str], machine: Machine
) -> None:
    folder = Path(given["KPASS_KEYS_DIR"])
    file = next(folder.glob("*.key"))

    file.chmod(0o640)
    assert found(given, machine)["keys_folder"] == ("wrong", "open_to_others")

    file.unlink()
    assert found(given, machine)["keys"] == ("wrong", "key_missing")


def test_a_key_that_signs_other_than_its_record_says_is_wrong(
    issued: World, given: Mapping[str, str], machine: Machine
) -> None:
    world = issued
    with world.reading() as session:
        first, second = (
            session.query(SigningKey)
            .filter(SigningKey.algorithm == "Ed25519")
            .order_by(SigningKey.id)
            .limit(2)
            .all()
        )
    with world.writing() as session:
        session.execute(update(SigningKey).where(SigningKey.id == first.id).values(multikey="x"))
        session.execute(
            update(SigningKey).where(SigningKey.id == second.id).values(multikey=first.multikey)
        )
        session.execute(
            update(SigningKey).where(SigningKey.id == first.id).values(multikey=second.multikey)
        )

    assert found(given, machine)["keys"] == ("wrong", "other_key")


def test_an_organisation_without_an_active_key_is_wrong(
    issued: World, given: Mapping[str, str], machine: Machine
) -> None:
    with issued.writing() as session:
        session.execute(
            update(SigningKey).where(SigningKey.algorithm == "P-256").values(state="retired")
        )

    assert found(given, machine)["keys"] == ("wrong", "none")


def test_status_lists_are_a_warning_past_half_of_their_time_and_wrong_past_all_of_it(
    issued: World, given: Mapping[str, str], machine: Machine
) -> None:
    issued.clock.advance(days=16)
    assert troubles(given, machine)["status_lists"] == ("warning", "ageing")

    issued.clock.advance(days=15)
    assert troubles(given, machine)["status_lists"] == ("wrong", "expired")
    with issued.reading() as session:
        assert {row.version for row in session.query(StatusPublication)} == {1}


def test_a_clock_behind_the_last_credential_is_wrong(
    issued: World, given: Mapping[str, str], machine: Machine
) -> None:
    issued.clock.advance(seconds=-30)
    assert found(given, machine)["clock"][0] == "well"

    issued.clock.advance(hours=-1)
    assert found(given, machine)["clock"] == ("wrong", "behind")


def test_another_public_address_than_the_dids_have_is_wrong(
    issued: World, given: Mapping[str, str], machine: Machine
) -> None:
    moved = {**given, "KPASS_PUBLIC_URL": "https://other.example"}
    assert found(moved, machine)["public_url"] == ("wrong", "other_url")

    with issued.writing() as session:
        session.execute(update(Service).values(public_url="https://other.example"))
    assert found(moved, machine)["public_url"] == ("well", "well")


@pytest.mark.parametrize(
    ("free", "sign"),
    [
        (10**12, ("well", "well")),
        (400 * 1024**2, ("warning", "nearly_full")),
        (10, ("wrong", "full")),
    ],
)
def test_little_room_is_a_warning_and_none_is_wrong(
    given: Mapping[str, str], machine: Machine, free: int, sign: tuple[str, str]
) -> None:
    assert found(given, replace(machine, free=lambda _: free))["writing"] == sign


def test_an_old_python_is_wrong(given: Mapping[str, str], machine: Machine) -> None:
    assert found(given, replace(machine, python=(3, 10, 14)))["python"] == ("wrong", "old")


@pytest.mark.sqlite
def test_a_database_that_others_read_is_a_warning(
    given: Mapping[str, str], machine: Machine, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "kpass.db").chmod(0o644)
    assert found(given, machine)["privacy"] == ("warning", "open")

    (tmp_path / "kpass.db").chmod(0o600)
    assert found(given, machine)["privacy"] == ("well", "well")


def test_the_sqlite_versions_with_the_fault_of_the_wal_are_known() -> None:
    versions = ("3.6.23", "3.7.0", "3.40.1", "3.51.2", "3.51.3", "3.53.4")

    faulty = [version for version in versions if has_wal_reset_fault(version)]

    assert faulty == ["3.7.0", "3.40.1", "3.51.2"]


def test_did_documents_are_fetched_only_when_asked_and_compared(
    issued: World, given: Mapping[str, str], machine: Machine, env: Environment
) -> None:
    with issued.reading() as session:
        ours = json.dumps(own_did_document(session, env.addresses.did("sobona"))).encode()

    def outside(body: bytes | None) -> list[Sign]:
        asked = replace(machine, fetcher=Outside(body))
        return [sign for sign in examine(given, asked) if sign.check == "reachable"]

    assert found(given, machine)["reachable"] == ("left_out", "not_asked")
    # everybody's address answers with the document of sobona
    (other,) = outside(ours)
    assert other.code == "differs"
    assert "stadsnat-exempel" in str(other.data["url"])
    assert {sign.outcome for sign in outside(None)} == {"wrong"}
    assert {sign.outcome for sign in outside(b"<html>")} == {"wrong"}


def test_every_sign_in_the_code_has_its_sentence() -> None:
    found_signs = {
        (literal(call.args[0]), literal(call.args[2]))
        for _, tree in sources("actions/examine.py")
        for name, call in calls(tree)
        if name == "Sign" and len(call.args) > 2
    }
    codes = [
        (check, code)
        for check, code in found_signs
        if check and code and not code.startswith("needs_")
    ]

    assert len(codes) > 20
    assert [pair for pair in codes if not has(f"doctor.{pair[0]}.{pair[1]}")] == []
    assert all(say("sv", f"doctor.name.{check}") for check in CHECKS)


def test_nothing_is_stored_or_changed_by_an_examination(
    issued: World, given: Mapping[str, str], machine: Machine, tmp_path: Path
) -> None:
    issued.clock.advance(days=40)
    before = sorted(
        path for path in tmp_path.rglob("*") if path.suffix not in {".db-shm", ".db-wal"}
    )

    examine(given, machine)
    after = sorted(
        path for path in tmp_path.rglob("*") if path.suffix not in {".db-shm", ".db-wal"}
    )

    assert after == before
