"""Taking in definitions as drafts."""

import pytest
from sqlalchemy import func, select

from kpass_vc.actions.define import define, source_of
from kpass_vc.authz import OPERATOR, Actor, Permission
from kpass_vc.errors import Conflict, Forbidden, InvalidInput, NotFound
from kpass_vc.model.document import JsonObject
from kpass_vc.records.definition import DefinitionVersion
from tests.world import World, actor_of, definition_document


def versions(world: World) -> int:
    with world.reading() as session:
        return session.scalar(select(func.count()).select_from(DefinitionVersion)) or 0


def test_a_definition_with_gaps_becomes_a_draft(world: World) -> None:
    owner = world.organization("sobona")
    document: JsonObject = {
        "code": "XX-01",
        "version": "0.1.0",
        "owner": "sobona",
        "title": {"sv": "Utkast"},
    }

    with world.writing() as session:
        (version, line, found), is_new = define(world.env, session, actor_of(owner), document)

    assert is_new
    assert (version.state, version.document, version.publication) == ("draft", None, None)
    assert (line.code, found.slug) == ("XX-01", "sobona")


def test_a_draft_is_replaced_by_the_next_import_of_its_version(world: World) -> None:
    first, _, owner = world.draft()
    document = definition_document() | {"title": {"sv": "Ny titel", "en": "New title"}}

    with world.writing() as session:
        (second, _, _), is_new = define(world.env, session, actor_of(owner), document)

    assert not is_new
    assert second.id == first.id
    assert (second.title_sv, source_of(second).title["en"]) == ("Ny titel", "New title")
    assert versions(world) == 1


def test_another_version_is_another_draft_of_the_same_line(world: World) -> None:
    _, first, _ = world.draft()
    _, second, _ = world.draft(version="1.1.0")

    assert first.id == second.id
    assert versions(world) == 2


def test_a_published_version_is_never_replaced(world: World) -> None:
    version, _, owner = world.published_definition()

    with pytest.raises(Conflict) as caught, world.writing() as session:
        define(world.env, session, actor_of(owner), definition_document() | {"tags": ["ny"]})

    assert caught.value.rule == "version_is_final"
    with world.reading() as session:
        stored = session.get_one(DefinitionVersion, version.id)
        assert "ny" not in source_of(stored).tags


def test_a_definition_of_another_owner_is_not_found(world: World) -> None:
    world.organization("sobona")
    other = world.organization("annan")

    for document in (definition_document(), definition_document() | {"owner": "nobody"}):
        with pytest.raises(NotFound) as caught, world.writing() as session:
            define(world.env, session, actor_of(other), document)
        assert caught.value.rule == "owner"
    assert versions(world) == 0


@pytest.mark.parametrize(
    "actor",
    [Actor("x", None, OPERATOR), Actor("x", "y", frozenset({Permission.CREDENTIALS_ISSUE}))],
)
def test_without_the_permission_nothing_is_taken_in(world: World, actor: Actor) -> None:
    with pytest.raises(Forbidden), world.writing() as session:
        define(world.env, session, actor, definition_document())


def test_a_personal_number_anywhere_is_refused_with_all_places(world: World) -> None:
    owner = world.organization("sobona")
    document = definition_document()
    document |= {
        "title": {"sv": "Kurs 121212-1212", "en": "Course"},
        "description": {"sv": "Beskrivning", "en": "By 19121212-1212"},
    }

    with pytest.raises(InvalidInput) as caught, world.writing() as session:
        define(world.env, session, actor_of(owner), document)

    assert {(found.field, found.rule) for found in caught.value.fields} == {
        ("/title/sv", "personal_number"),
        ("/description/en", "personal_number"),
    }
    assert versions(world) == 0
