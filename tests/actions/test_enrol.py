"""Registering an organisation: its number, its keys, its DID, its first list."""

import json
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from kpass_vc.actions.enrol import RESERVED, EnrolOrder, enrol
from kpass_vc.actions.verify import own_did_document
from kpass_vc.authz import ORGANIZATION, Actor
from kpass_vc.crypto.keys import ORGANIZATION_KEYS
from kpass_vc.errors import Conflict, Forbidden, InvalidInput, KpassError
from kpass_vc.model.field_errors import field_errors
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.key import SigningKey
from kpass_vc.settings import Settings
from tests.world import OPERATOR_ACTOR, World

ORDER: dict[str, Any] = {
    "slug": "sobona",
    "name": {"sv": "Sobona (exempel)", "en": "Sobona (example)"},
}


def refused(world: World, error: type[KpassError], **changes: object) -> Any:
    """The error of an order that leaves nothing behind."""
    with world.reading() as session:
        before = len(organizations.every(session))
    with pytest.raises(error) as caught, world.writing() as session:
        enrol(world.env, session, OPERATOR_ACTOR, EnrolOrder.model_validate(ORDER | changes))
    with world.reading() as session:
        assert len(organizations.every(session)) == before
    assert caught.value.sentence("sv") != caught.value.sentence("en")
    return caught.value


def test_an_organisation_gets_one_key_of_each_kind_and_a_did_under_our_address(
    world: World,
) -> None:
    found = world.organization("sobona")

    assert found.did == "did:web:localhost%3A8000:o:sobona"
    with world.reading() as session:
        keys = session.scalars(
            select(SigningKey).where(SigningKey.organization_id == found.id)
        ).all()
        assert {key.algorithm for key in keys} == {
            algorithm.value for algorithm in ORGANIZATION_KEYS
        }
        assert {key.state for key in keys} == {"active"}
        document: Any = own_did_document(session, found.did)
    assert [method["type"] for method in document["verificationMethod"]] == [
        "Multikey",
        "JsonWebKey",
    ]
    assert document["assertionMethod"] == [
        method["id"] for method in document["verificationMethod"]
    ]
    assert "private" not in json.dumps(document)


def test_two_organisations_share_no_key(world: World) -> None:
    for slug in ("a1", "b2", "c3"):
        world.organization(slug)

    with world.reading() as session:
        keys = session.scalars(select(SigningKey)).all()
    assert len({key.multikey for key in keys}) == len({key.uri for key in keys}) == 6


def test_the_first_list_is_signed_when_the_organisation_is_made(world: World) -> None:
    found = world.organization("sobona")

    with world.reading() as session:
        row = status_lists.newest(session, organization_id=found.id, purpose="revocation")
        assert row is not None
        assert row.url == "http://localhost:8000/o/sobona/status/revocation-1.json"
        publication = status_lists.publication(session, status_list_id=row.id)
        assert publication is not None
        assert publication.version == 1


def test_the_register_says_who_did_it_and_nothing_of_whom(world: World) -> None:
    found = world.organization("sobona")

    with world.reading() as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert (entry.action, entry.subject, entry.organization_id) == (
        "organization.enrolled",
        "sobona",
        found.id,
    )
    assert entry.actor == OPERATOR_ACTOR.name


@pytest.mark.parametrize("number", ["556036-0793", "5560360793", "165560360793"])
def test_an_organisation_number_is_kept_as_ten_digits(world: World, number: str) -> None:
    assert (
        world.organization("sobona", organizationNumber=number).organization_number == "5560360793"
    )


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("556036-0794", "organization_number"),
        ("55603607", "organization_number"),
        ("SE5560360793", "organization_number"),
        ("", "organization_number"),
        ("121212-1212", "sole_trader"),
        ("19121212-1212", "organization_number"),
        ("701063-2391", "sole_trader"),
    ],
)
def test_a_number_that_is_wrong_or_a_persons_is_refused_with_the_reason(
    world: World, number: str, rule: str
) -> None:
    error = refused(world, InvalidInput, organizationNumber=number)

    assert [(found.field, found.rule) for found in error.fields] == [("/organizationNumber", rule)]


def test_a_number_or_a_slug_is_registered_once(world: World) -> None:
    world.organization("sobona", organizationNumber="556036-0793")

    slug = refused(world, Conflict)
    number = refused(world, Conflict, slug="annan", organizationNumber="165560360793")

    assert (slug.rule, number.rule) == ("slug_taken", "number_taken")


@pytest.mark.parametrize(
    "change",
    [
        {"name": {"sv": "Firma 121212-1212", "en": "x"}},
        {"name": {"sv": "x", "en": "Firm 19121212-1212"}},
        {"email": "121212-1212@example.org"},
        {"url": "https://x.example/121212-1212"},
        {"slug": "firma-121212-1212"},
    ],
    ids=repr,
)
def test_a_personal_number_stands_in_no_field(world: World, change: dict[str, object]) -> None:
    error = refused(world, InvalidInput, **change)

    assert {found.rule for found in error.fields} == {"personal_number"}


@pytest.mark.parametrize("slug", sorted(RESERVED))
def test_a_reserved_slug_is_refused(world: World, slug: str) -> None:
    assert [found.rule for found in refused(world, InvalidInput, slug=slug).fields] == ["reserved"]


@pytest.mark.parametrize(
    "change",
    [
        {"slug": slug}
        for slug in (
            "",
            "a",
            "A1",
            "å1",
            "a_b",
            "-a",
            "a-",
            "a--b",
            "a b",
            "..",
            ".well-known",
            "did.json",
            "a/b",
            "a%2f",
            "a\n",
            "a" * 64,
        )
    ]
    + [
        {"name": {"sv": "x"}},
        {"name": {"sv": "", "en": "x"}},
        {"name": {"sv": "x\ny", "en": "x"}},
        {"name": "x"},
        {"url": "ftp://x.example"},
        {"url": "javascript:alert(1)"},
        {"email": "x"},
        {"email": "a@b.se\r\nx"},
        {"country": "se"},
        {"image": "data:image/png;base64,x"},
        {"undefined": "x"},
    ],
    ids=repr,
)
def test_an_order_outside_the_rules_is_no_order(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EnrolOrder.model_validate(ORDER | change)


def test_an_organisation_registers_nobody(world: World) -> None:
    actor = Actor("x", world.organization("sobona").id, ORGANIZATION)

    with pytest.raises(Forbidden), world.writing() as session:
        enrol(world.env, session, actor, EnrolOrder.model_validate(ORDER | {"slug": "annan"}))


def test_an_enrolment_that_is_rolled_back_leaves_no_key_file(
    world: World, settings: Settings
) -> None:
    world.organization("kept")
    before = sorted(settings.keys_dir.glob("*.key"))
    order = EnrolOrder.model_validate({"slug": "gone", "name": {"sv": "Borta", "en": "Gone"}})

    with world.env.writing() as session:
        enrol(world.env, session, OPERATOR_ACTOR, order)
        made = sorted(settings.keys_dir.glob("*.key"))
        session.rollback()

    assert len(made) == len(before) + 2
    assert sorted(settings.keys_dir.glob("*.key")) == before


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Sobona\u202e", "control_character"),
        ("So\u200bbona", "control_character"),
        ("\u0301\u0301", "no_letter"),
        ("\u2014", "no_letter"),
    ],
    ids=ascii,
)
def test_a_name_can_be_seen_and_reads_as_it_is_written(name: str, rule: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EnrolOrder.model_validate({"slug": "sobona", "name": {"sv": name, "en": "Sobona"}})

    assert [(error.field, error.rule) for error in field_errors(caught.value)] == [
        ("/name/sv", rule)
    ]


def test_a_later_rollback_in_the_same_session_keeps_the_keys(
    world: World, settings: Settings
) -> None:
    order = EnrolOrder.model_validate({"slug": "stays", "name": {"sv": "Kvar", "en": "Stays"}})

    with world.env.writing() as session:
        enrol(world.env, session, OPERATOR_ACTOR, order)
        session.commit()
        session.execute(select(SigningKey))
        session.rollback()

    assert len(list(settings.keys_dir.glob("*.key"))) == 2
