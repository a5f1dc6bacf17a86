"""Every command x who sits here: the machine's operator, a person with a role, anybody.

A command that stands in none of the three tables fails: say whose it is.
"""

import json
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from sqlalchemy import select
from typer.core import TyperGroup
from typer.testing import CliRunner, Result

from kpass_vc.actions.chain import chain_all
from kpass_vc.authz import ROLES, Permission, Role
from kpass_vc.cli.commands import app
from kpass_vc.errors import Forbidden, NotFound
from kpass_vc.records.award import Award
from kpass_vc.records.delegation import Delegation
from kpass_vc.settings import Settings
from tests.actions.test_people import personal_token
from tests.api.http import Service, rows, variables
from tests.api.test_permissions import batched, hooked
from tests.world import World, body_of, definition_document

pytestmark = pytest.mark.sqlite
OWNER, ISSUER = "sobona", "stadsnat-exempel"
REFERENCE = f"{OWNER}/SOB-OPTO-01"
OPERATOR: dict[str, tuple[str, ...]] = {
    "init": (),
    "enrol": ("ny", "--name-sv=Ny", "--name-en=New"),
    "serve": (),
    "demo": (),
    "rotate-key": (OWNER,),
    "rotate-kek": (),
    "doctor": (),
    "confirm": (OWNER, "--how=x"),
    "invite": (),
    "work": (),
    "audit": (),
    "backup": ("out.zip",),
    "restore": ("out.zip",),
    "sunset": ("out", "--yes"),
    "token grant": (OWNER,),
    "token list": (OWNER,),
    "token revoke": ("x",),
    "own-domain prepare": (OWNER, "sobona.example"),
    "own-domain check": (OWNER,),
    "own-domain activate": (OWNER,),
    "system add": (OWNER, "x", "--key=key.json"),
    "system keys": ("x", "--key=key.json"),
    "system list": (OWNER,),
    "system withdraw": ("x",),
    "vc-api add": ("x", f"--organization={OWNER}"),
    "vc-api list": (),
    "vc-api remove": ("x",),
}
"""What is done by whoever runs the machine, and by nobody who has logged in."""

ANYBODY = {
    "verify": "as on the page",
    "lint": "the same",
    "unbake": "of a file that one has",
    "keys": "what keys.json shows the world",
    "batch template": "what the API gives anybody",
    "login": "says who sits here",
    "logout": "the same",
    "whoami": "the same",
    "jose issue": "with a key of one's own; nothing of this service's",
    "jose verify": "the same",
}
"""What shows and changes nothing that is not public."""

PERSON: dict[str, tuple[Permission, tuple[str, ...]]] = {
    "define": (Permission.DEFINITIONS_WRITE, ("definition.json",)),
    "define --export": (Permission.DEFINITIONS_READ, ("out.xlsx", f"--export={REFERENCE}/1.0.0")),
    "publish": (Permission.DEFINITIONS_PUBLISH, (f"{REFERENCE}/2.0.0",)),
    "retire": (Permission.DEFINITIONS_PUBLISH, (f"{REFERENCE}/1.0.0",)),
    "issue": (Permission.CREDENTIALS_ISSUE, (ISSUER, REFERENCE, "--name=Li", "--out=out")),
    "list": (Permission.CREDENTIALS_READ, (ISSUER,)),
    "revoke": (Permission.CREDENTIALS_REVOKE, ("{award}",)),
    "bake": (Permission.CREDENTIALS_READ, ("{award}", "--out=out.png")),
    "link": (Permission.CREDENTIALS_READ, ("{award}",)),
    "link --renew": (Permission.CREDENTIALS_ISSUE, ("{award}", "--renew")),
    "dispute": (Permission.CREDENTIALS_READ, ("{award}",)),
    "dispute --answer": (Permission.CREDENTIALS_REVOKE, ("{award}", "--answer=x")),
    "correct": (
        Permission.CREDENTIALS_ISSUE,
        ("{award}", "--name=Li", "--assessed-on=2026-01-01", "--out=out"),
    ),
    "notice": (Permission.CREDENTIALS_READ, ("{award}",)),
    "notice --send": (Permission.CREDENTIALS_ISSUE, ("{award}", "--send")),
    "resend": (Permission.CREDENTIALS_ISSUE, (ISSUER,)),
    "letter": (Permission.CREDENTIALS_ISSUE, ("{award}", "out.pdf")),
    "statistics": (Permission.STATISTICS_READ, (ISSUER,)),
    "audit SLUG": (Permission.AUDIT_READ, (ISSUER,)),
    "export": (Permission.ORGANIZATION_EXPORT, (ISSUER, "out.zip")),
    "export-learner": (Permission.LEARNERS_ERASE, ("{award}", "out.zip")),
    "erase": (Permission.LEARNERS_ERASE, ("{award}",)),
    "person add": (Permission.PEOPLE_WRITE, (OWNER, "Ny", "ny@example.org", "--role=owner")),
    "person roles": (Permission.PEOPLE_WRITE, (OWNER, "{other}", "--role=owner")),
    "person list": (Permission.PEOPLE_WRITE, (OWNER,)),
    "batch send": (Permission.CREDENTIALS_ISSUE, (ISSUER, REFERENCE, "class.json")),
    "batch show": (Permission.CREDENTIALS_READ, (ISSUER, "{batch}")),
    "batch show --wait": (Permission.CREDENTIALS_READ, (ISSUER, "{batch}", "--wait")),
    "batch letters": (Permission.CREDENTIALS_ISSUE, (ISSUER, "{batch}", "out.pdf")),
    "batch undo": (Permission.CREDENTIALS_REVOKE, (ISSUER, "{batch}")),
    "delegation grant": (
        Permission.DELEGATIONS_WRITE,
        (OWNER, "did:web:nat.example", "--definition=SOB-OPTO-01"),
    ),
    "delegation ask": (Permission.DELEGATIONS_WRITE, (ISSUER, OWNER, "--definition=SOB-OPTO-01")),
    "delegation set": (Permission.DELEGATIONS_WRITE, (OWNER, "{delegation}", "withdrawn")),
    "delegation list": (Permission.DEFINITIONS_READ, (OWNER,)),
    "delegation take": (
        Permission.DELEGATIONS_WRITE,
        (ISSUER, "https://nowhere.example/1.json", "--definition=https://nowhere.example/2.json"),
    ),
    "review submit": (Permission.DEFINITIONS_WRITE, (f"{REFERENCE}/2.0.0",)),
    "review back": (Permission.DEFINITIONS_WRITE, (f"{REFERENCE}/2.0.0",)),
    "review decide": (Permission.DEFINITIONS_REVIEW, (OWNER, f"{REFERENCE}/2.0.0", "approved")),
    "review comment": (Permission.DEFINITIONS_READ, (OWNER, f"{REFERENCE}/2.0.0", "x")),
    "review list": (Permission.DEFINITIONS_REVIEW, (OWNER,)),
    "review show": (Permission.DEFINITIONS_READ, (OWNER, f"{REFERENCE}/2.0.0")),
    "review policy": (Permission.DEFINITIONS_PUBLISH, (OWNER, "1")),
    "webhook add": (Permission.WEBHOOKS_WRITE, (ISSUER, "https://system.example/kpass")),
    "webhook list": (Permission.WEBHOOKS_WRITE, (ISSUER,)),
    "webhook replay": (Permission.WEBHOOKS_WRITE, (ISSUER, "{webhook}", "--since=0")),
    "webhook end": (Permission.WEBHOOKS_WRITE, (ISSUER, "{webhook}")),
}
"""What a person does as what they are in an organisation, and the permission that it takes."""

THEMSELVES = {"person token": ("{other}",), "person tokens": ("{other}",)}
"""What everybody does for themselves, and nobody for another."""


def commands(command: object, *names: str) -> Iterator[str]:
    """Every command of a program, by its whole name."""
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from commands(each, *names, name)
    else:
        yield " ".join(names)


def test_of_every_command_it_is_said_whose_it_is() -> None:
    known = {name.partition(" --")[0].removesuffix(" SLUG") for name in PERSON}

    assert set(commands(typer.main.get_command(app))) == (
        set(OPERATOR) | set(ANYBODY) | known | set(THEMSELVES)
    )
    assert known & set(OPERATOR) == {"audit"}, "all of it the operator's, one's own a person's"
    assert not set(ANYBODY) & (set(OPERATOR) | known)


@dataclass(frozen=True)
class Seat:
    """A terminal on the machine of an installation, in an empty folder."""

    world: World
    values: dict[str, str]
    folder: Path
    parts: dict[str, str]

    def run(self, name: str, arguments: tuple[str, ...], token: str) -> Result:
        """What a command does while somebody is logged in."""
        words = name.partition(" --")[0].removesuffix(" SLUG").split()
        given = [each.format_map(self.parts) for each in arguments]
        return CliRunner().invoke(app, [*words, *given], env=self.values | {"KPASS_TOKEN": token})

    def refused(self, name: str, arguments: tuple[str, ...], token: str) -> BaseException | None:
        """Why a command is refused; it must have left everything as it was."""
        before = rows(self.world.env), sorted(self.folder.rglob("*"))
        done = self.run(name, arguments, token)
        assert done.exit_code == 1, (name, done.output, done.exception)
        assert (rows(self.world.env), sorted(self.folder.rglob("*"))) == before, name
        return done.exception


@pytest.fixture
def seat(world: World, settings: Settings, tmp_path: Path) -> Iterator[Seat]:
    service = Service.of(world)
    service.draft()
    issued = world.issued()
    world.disputed(issued.award.id)
    personal_token(world, OWNER, ["author"], "other@example.org")
    with world.reading() as session:
        delegation = session.scalars(select(Delegation)).first()
    assert delegation is not None
    parts = {
        "award": issued.award.id,
        "batch": batched(service),
        "webhook": hooked(service),
        "delegation": delegation.id,
        "other": "other@example.org",
    }
    chain_all(world.env)
    folder = tmp_path / "here"
    folder.mkdir()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    (folder / "key.json").write_text(json.dumps(jwk))
    (folder / "credential.json").write_bytes(body_of(issued))
    (folder / "definition.json").write_text(
        json.dumps(definition_document() | {"version": "3.0.0"})
    )
    (folder / "class.json").write_text(
        json.dumps({"items": [{"holder": {"name": "Li"}, "assessedOn": "2026-01-01"}]})
    )
    values = variables(settings) | {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    with chdir(folder):
        yield Seat(world, values, folder, parts)


def token_of(world: World, slug: str, number: int, *roles: Role) -> str:
    return personal_token(world, slug, [each.value for each in roles], f"p{number}@example.org")[1]


def test_what_is_the_operators_is_refused_in_a_sentence_to_whoever_has_logged_in(
    seat: Seat,
) -> None:
    everything = token_of(seat.world, OWNER, 1, *Role)
    for name, arguments in OPERATOR.items():
        error = seat.refused(name, arguments, everything)

        assert isinstance(error, Forbidden), (name, error)
        assert error.rule == "operator_only", name
        assert "log out first" in error.sentence("en")


def test_a_person_without_the_permission_or_of_another_organisation_is_refused(
    seat: Seat,
) -> None:
    stranger = token_of(seat.world, "annan", 1, *Role)
    lesser: dict[tuple[str, Permission], str] = {}
    for number, (name, (permission, arguments)) in enumerate(PERSON.items(), 2):
        ours = ISSUER if ISSUER in arguments[0] or "{award}" in arguments else OWNER
        if (ours, permission) not in lesser:
            roles = [role for role in Role if permission not in ROLES[role]]
            lesser[ours, permission] = token_of(seat.world, ours, number, *roles)
        error = seat.refused(name, arguments, lesser[ours, permission])
        assert isinstance(error, Forbidden), (name, error)
        assert (error.rule, error.data["permission"]) == ("permission", permission.value), name

        error = seat.refused(name, arguments, stranger)
        assert isinstance(error, (Forbidden, NotFound)), (name, error)


def test_nobody_sees_or_makes_anothers_token(seat: Seat) -> None:
    token = token_of(seat.world, OWNER, 1, Role.AUTHOR)
    for name, arguments in THEMSELVES.items():
        assert isinstance(seat.refused(name, arguments, token), (Forbidden, NotFound)), name


def test_what_anybody_may_is_done_while_somebody_has_logged_in(seat: Seat) -> None:
    token = token_of(seat.world, OWNER, 1, Role.AUDITOR)
    for name, arguments in {
        "verify": ("credential.json",),
        "keys": (OWNER,),
        "batch template": (REFERENCE, "out.xlsx"),
        "whoami": (),
    }.items():
        done = seat.run(name, arguments, token)
        assert done.exit_code == 0, (name, done.output, done.exception)


def test_the_operators_commands_are_there_for_the_operator(seat: Seat) -> None:
    for name, arguments in {"backup": ("out.zip",), "audit": (), "vc-api list": ()}.items():
        done = seat.run(name, arguments, "")
        assert done.exit_code == 0, (name, done.output, done.exception)
    with seat.world.reading() as session:
        assert session.scalars(select(Award)).first() is not None
    assert (seat.folder / "out.zip").exists()
