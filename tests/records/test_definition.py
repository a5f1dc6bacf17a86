"""Definitions: found by address, listed by state and words."""

import pytest
from sqlalchemy.exc import IntegrityError

from kpass_vc.records import definition as definitions
from kpass_vc.records.definition import Definition, DefinitionVersion
from tests.world import World


def test_a_version_is_found_by_each_of_its_names(world: World) -> None:
    version, line, owner = world.published_definition()

    with world.reading() as session:
        found = [
            definitions.by_id(session, version.id),
            definitions.by_document_url(session, str(version.document_url)),
            definitions.by_address(session, slug=owner.slug, code=line.code, version="1.0.0"),
            definitions.published_of_line(session, slug=owner.slug, code=line.code),
        ]
        nothing = [
            definitions.by_id(session, "x"),
            definitions.by_document_url(session, "x"),
            definitions.by_address(session, slug="annan", code=line.code, version="1.0.0"),
            definitions.published_of_line(session, slug=owner.slug, code="XX-01"),
        ]

    assert [each and each[0].id for each in found] == [version.id] * 4
    assert nothing == [None] * 4


def test_a_draft_is_no_published_version_of_its_line(world: World) -> None:
    _, line, owner = world.draft()

    with world.reading() as session:
        assert definitions.published_of_line(session, slug=owner.slug, code=line.code) is None


def test_a_list_shows_the_asked_states_and_words_only(world: World) -> None:
    world.published_definition()
    world.draft(code="XX-01", title={"sv": "Ett_utkast 100%", "en": "A draft"})

    with world.reading() as session:

        def codes(*states: str, **wanted: object) -> list[str]:
            rows, total = definitions.search(session, states=states, **wanted)  # type: ignore[arg-type]
            assert total == len(rows)
            return [line.code for _, line, _ in rows]

        assert codes("published") == ["SOB-OPTO-01"]
        assert codes("draft") == ["XX-01"]
        assert codes("draft", "published") == ["SOB-OPTO-01", "XX-01"]
        assert codes() == []
        assert codes("published", text="FIBERSVETS") == ["SOB-OPTO-01"]
        assert codes("published", text="splicing") == ["SOB-OPTO-01"]
        assert codes("published", text="opto") == ["SOB-OPTO-01"]
        assert codes("draft", "published", text="nothing like it") == []
        assert codes("draft", "published", text="'; --") == []
        assert codes("published", owner="annan") == []


def test_a_code_is_one_line_of_an_owner_and_a_number_one_version(world: World) -> None:
    version, line, owner = world.draft()

    with pytest.raises(IntegrityError), world.writing() as session:
        session.add(Definition(id="copy", organization_id=owner.id, code=line.code))
    members = {
        column.name: getattr(version, column.name) for column in DefinitionVersion.__table__.columns
    }
    with pytest.raises(IntegrityError), world.writing() as session:
        session.add(DefinitionVersion(**members | {"id": "copy"}))


def test_two_owners_may_use_the_same_code(world: World) -> None:
    _, first, _ = world.draft()
    _, second, _ = world.draft(owner="annan")

    assert first.code == second.code
    assert first.id != second.id


def test_both_languages_of_an_achievement_are_found_by_address(world: World) -> None:
    version, _, _ = world.published_definition()

    with world.reading() as session:
        for language in ("sv", "en"):
            found = definitions.achievement(
                session, definition_version_id=version.id, language=language
            )
            assert found is not None
            assert definitions.editions(session, [found.url, "x"]) == {found.url: found.body}
        assert (
            definitions.achievement(session, definition_version_id=version.id, language="fi")
            is None
        )
        assert definitions.editions(session, ["x"]) == definitions.editions(session, []) == {}
