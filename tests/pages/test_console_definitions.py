"""Definitions at the console: written with gaps, handed in, reviewed by another, published; nothing lost on the way."""

import re
from html import unescape
from typing import Any

import pytest

from kpass_vc.actions.define import define, source_of
from kpass_vc.authz import Role
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES
from kpass_vc.model.definition import Definition
from kpass_vc.pages.console.definition_form import GROUPS, filled_in, groups, outcomes
from kpass_vc.pages.console.frame import Form
from kpass_vc.records import definition as definitions
from kpass_vc.wording import VERBS, is_weak
from tests.pages.desk import Visitor, alerts, signed_in
from tests.world import World, actor_of, definition_document

pytestmark = pytest.mark.sqlite


def pairs_of(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What a browser sends of the form when nothing is changed in it."""
    found: list[tuple[str, str]] = []
    for _, fields in groups(document, "sv"):
        for field in fields:
            if field.kind in {"ticks", "tick"}:
                found += [(field.name, each) for each in field.chosen]
            else:
                found.append((field.name, field.text.strip()))
    for number, row in enumerate(outcomes(document)):
        found += [
            (f"learning_outcomes_{number}_{name}", text.strip()) for name, text in row.items()
        ]
    return found


def test_a_definition_of_the_catalogues_that_is_saved_unchanged_is_unchanged() -> None:
    seen = 0
    for catalogue in catalogues():
        for each in catalogue["definitions"]:
            source = Definition.model_validate(each)
            document = source.model_dump(mode="json")

            saved = filled_in(Form(pairs_of(document), {}), document, source.owner)

            assert Definition.model_validate(saved) == source, each["code"]
            seen += 1
    assert seen == 63


def test_every_field_of_a_definition_is_in_the_form_or_known_not_to_be() -> None:
    shown = {spec.path.split("/")[0] for specs in GROUPS.values() for spec in specs}

    assert set(Definition.model_fields) - shown == {
        "schema_version", "status", "illustrative", "owner", "learning_outcomes",
    }  # fmt: skip


def written(document: dict[str, Any]) -> dict[str, Any]:
    """The form of a definition, as a visitor sends it."""
    found: dict[str, Any] = {}
    for name, text in pairs_of(document):
        found.setdefault(name, []).append(text)
    return found


def version_of(world: World, place: str) -> Any:
    version_id = place.partition("/definitions/")[2].partition("/")[0].partition("?")[0]
    with world.reading() as session:
        found = definitions.by_id(session, version_id)
    assert found is not None
    return found[0]


@pytest.fixture
def author(world: World) -> Visitor:
    return signed_in(world, "sobona", Role.AUTHOR, Role.OWNER)


def test_a_definition_is_written_reviewed_by_another_and_published(
    world: World, author: Visitor
) -> None:
    document = Definition.model_validate(definition_document()).model_dump(mode="json")
    for slug in document["authorised_issuers"]:
        world.organization(slug)
    reply = author.post("/definitions/new", written(document) | {"step": "save"})
    assert reply.status_code == 303, alerts(reply.text)
    place = reply.headers["Location"].partition("/console")[2].partition("?")[0]
    assert "Inget saknas" in author.get(place).text
    assert author.post(f"{place}/submit").status_code == 303
    page = author.get(place).text
    assert "någon annan måste godkänna" in page
    assert "Begär" not in page
    assert author.post(f"{place}/decision", {"decision": "approved"}).status_code == 403
    reviewer = signed_in(
        world, "sobona", Role.REVIEWER, name="Rut Rättvis", email="rut@exempel.se", http=author.http
    )
    assert "Väntar på ditt ord" in reviewer.get("/definitions").text
    reviewer.post(f"{place}/comments", {"field": "/title", "text": "Bra <b>namn</b>."})

    decided = reviewer.post(f"{place}/decision", {"decision": "approved", "comment": "Utmärkt."})

    assert decided.status_code == 303
    page = author.get(place).text
    assert "Bra &lt;b&gt;namn&lt;/b&gt;." in page
    assert "Rut Rättvis" in page
    assert author.post(f"{place}/publish").status_code == 303
    assert version_of(world, place).state == "published"


def test_a_draft_may_have_gaps_and_says_which_and_where(author: Visitor) -> None:
    given = {
        "code": "SOB-TEST-01",
        "version": "1.0.0",
        "title_sv": "Svetsa <fiber>",
        "step": "save",
    }

    reply = author.post("/definitions/new", given)

    place = reply.headers["Location"].partition("/console")[2].partition("?")[0]
    page = author.get(f"{place}/edit").text
    assert 'value="Svetsa &lt;fiber&gt;"' in page
    linked = set(re.findall(r'href="#field:([a-z_0-9]+)"', page))
    assert {"workload_hours", "title_en", "assessment_types", "level_basis"} <= linked
    for name in linked:
        assert f'id="field:{name}"' in page, name
    refused = author.post(f"{place}/submit")
    assert refused.status_code == 422
    assert any("Timmar" in each for each in alerts(refused.text))


def test_what_was_written_is_not_lost_when_a_field_is_refused(author: Visitor) -> None:
    given = {
        "code": "sob", "version": "1.0.0", "title_sv": "Svetsa", "title_en": "Weld",
        "description_sv": "En text på flera\nrader.", "workload_hours": "sexton",
        "learning_outcomes_0_domain": "skill", "learning_outcomes_0_text_sv": "Svetsa fiber",
        "participation_forms": ["online", "onsite"], "tags": "fiber\nsvets", "step": "save",
    }  # fmt: skip

    reply = author.post("/definitions/new", given)

    assert reply.status_code == 422
    page = unescape(reply.text)
    for text in ("Svetsa", "Weld", "En text på flera\nrader.", "sexton", "Svetsa fiber"):
        assert text in page, text
    assert page.count("checked") == 2
    assert {'id="fault:code:1"', 'id="fault:workload_hours:1"'} <= set(
        re.findall(r'id="fault:[a-z_]+:1"', page)
    )


def test_a_new_version_is_written_from_the_old_and_compared_with_it(
    world: World, author: Visitor
) -> None:
    first = world.published_definition()
    page = author.get(f"/definitions/new?like={first[0].id}&step=minor").text
    assert 'value="1.1.0"' in page
    document = Definition.model_validate(definition_document()).model_dump(mode="json")
    changed = written(document) | {
        "version": "1.1.0", "workload_hours": "17", "like": first[0].id, "step": "save",
    }  # fmt: skip

    reply = author.post("/definitions/new", changed)

    second = version_of(world, reply.headers["Location"])
    page = author.get(f"/definitions/compare?a={first[0].id}&b={second.id}").text
    assert ">Timmar<" in page
    assert "<bdi>16</bdi>" in page
    assert "<bdi>17</bdi>" in page
    again = author.post("/definitions/new", changed)
    assert (again.status_code, alerts(again.text)) == (
        409,
        ["Den koden och versionen finns redan."],
    )


def test_another_organisations_drafts_are_not_there_and_a_reader_changes_nothing(
    world: World, author: Visitor
) -> None:
    owner = world.organization("sobona")
    with world.writing() as session:
        version = define(world.env, session, actor_of(owner), definition_document())[0][0]
    stranger = signed_in(world, "annan", name="S", email="s@exempel.se", http=author.http)
    reader = signed_in(
        world, "sobona", Role.AUDITOR, name="L", email="l@exempel.se", http=author.http
    )
    place = f"/definitions/{version.id}"

    for page in ("", "/edit", "/table.xlsx"):
        assert stranger.get(place + page).status_code == 404, page
    for action in ("edit", "submit", "back", "publish", "retire", "comments", "decision"):
        reply = stranger.post(f"{place}/{action}", {"text": "x", "decision": "approved"})
        assert reply.status_code == 404, action
        if action != "comments":
            refused = reader.post(f"{place}/{action}", {"decision": "approved"})
            assert refused.status_code == 403, action
    assert reader.get(place).status_code == 200
    assert reader.get(f"{place}/edit").status_code == 403
    assert "/edit" not in reader.get(place).text


def test_definitions_come_in_from_a_table_and_go_out_again(world: World, author: Visitor) -> None:
    first = world.published_definition()
    content = author.get(f"/definitions/{first[0].id}/table.xlsx").content
    from kpass_vc.definition_table import read_definitions, write_definitions  # noqa: PLC0415

    document, _ = read_definitions(content)[0]
    source = Definition.model_validate({**document, "version": "3.0.0", "status": "draft"})

    reply = author.post(
        "/definitions/import", files={"file": ("d.xlsx", write_definitions("sv", [source]))}
    )

    assert reply.status_code == 303, alerts(reply.text)
    assert source_of(version_of(world, reply.headers["Location"])).version == "3.0.0"
    bad = author.post("/definitions/import", files={"file": ("d.xlsx", b"nothing")})
    assert (bad.status_code, bool(alerts(bad.text))) == (422, True)


def test_hints_tell_what_can_be_watched_from_what_cannot() -> None:
    assert is_weak("Förstå hur fiber fungerar", "sv")
    assert is_weak("Kan känna till riskerna", "sv")
    assert is_weak("Know the risks", "en")
    for language in LANGUAGES:
        for words in VERBS[language].values():
            assert not any(is_weak(each, language) for each in words)
