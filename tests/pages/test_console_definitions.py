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
from kpass_vc.pages.console.definition_form import (
    GROUPS,
    filled_in,
    groups,
    outcomes,
    place_of,
    value_in_words,
)
from kpass_vc.pages.console.frame import Form, label_of
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
        "schema_version", "status", "owner", "learning_outcomes",
    }  # fmt: skip


def with_outcomes(*outcomes: dict[str, Any]) -> dict[str, Any]:
    document = definition_document() | {"learning_outcomes": list(outcomes)}
    return Definition.model_validate(document).model_dump(mode="json")


def saved(document: dict[str, Any], **changed: str) -> list[dict[str, Any]]:
    """The outcomes of a definition whose form was sent with these changes."""
    pairs = {**dict(pairs_of(document)), **changed}
    found: Any = filled_in(Form(list(pairs.items()), {}), document, "sobona")
    return list(found["learning_outcomes"])


def test_as_many_outcomes_as_a_definition_may_have_are_saved() -> None:
    document = with_outcomes(
        *({"id": f"LR{number}", "text": {"sv": f"Mäta {number}"}} for number in range(100))
    )

    assert saved(document) == document["learning_outcomes"]


def test_an_outcome_keeps_its_id_and_its_other_languages_where_another_is_taken_away() -> None:
    document = with_outcomes(
        {"id": "A", "domain": "skill", "text": {"sv": "Mäta", "fi": "Mitata"}},
        {"id": "B", "domain": "skill", "text": {"sv": "Svetsa", "fi": "Hitsata"}},
        {"domain": "skill", "text": {"sv": "Klyva", "fi": "Halkaista"}},
    )

    kept = saved(document, learning_outcomes_0_remove="yes")

    assert [(each["id"], each["text"]) for each in kept] == [
        ("B", {"sv": "Svetsa", "fi": "Hitsata"}),
        ("LR1", {"sv": "Klyva", "fi": "Halkaista"}),
    ]
    again = {**document, "learning_outcomes": kept}
    pairs = [
        *((name, text) for name, text in pairs_of(again) if not name.endswith("_3_text_sv")),
        ("learning_outcomes_3_text_sv", "Larma"),
    ]
    assert filled_in(Form(pairs, {}), document, "sobona")["learning_outcomes"] == [
        *kept,
        {"id": "LR2", "domain": None, "text": {"sv": "Larma"}},
    ]


def test_every_place_in_a_definition_has_a_field_of_the_form_and_a_name_in_words() -> None:
    def places(schema: dict[str, Any], pointer: str) -> list[str]:
        if "$ref" in schema:
            return places(definitions_of[schema["$ref"].rpartition("/")[2]], pointer)
        found = [pointer] if pointer else []
        for each in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
            found += places(each, pointer)
        for name, each in schema.get("properties", {}).items():
            found += places(each, f"{pointer}/{name}")
        if "items" in schema:
            found += places(schema["items"], f"{pointer}/0")
        return found

    whole = Definition.model_json_schema()
    definitions_of = whole["$defs"]
    empty = {name for row in outcomes({}) for name in row}
    shown = {spec.name for specs in GROUPS.values() for spec in specs} | {
        "learning_outcomes", "learning_outcomes_0",
        *(f"learning_outcomes_0_{name}" for name in empty),
    }  # fmt: skip
    for place in places(whole, ""):
        if place not in {"/schema_version", "/status", "/owner"}:
            assert place_of(place) in shown, place
            assert not label_of(place, "sv").startswith("/"), place


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
        "level_level": "0", "alignments": "Fibertekniker http://exempel.se/fiber",
    }  # fmt: skip

    reply = author.post("/definitions/new", given)

    assert reply.status_code == 422
    page = unescape(reply.text)
    for text in ("Svetsa", "Weld", "En text på flera\nrader.", "sexton", "Svetsa fiber"):
        assert text in page, text
    assert page.count("checked") == 2
    assert 'name="level_level" value="0"' in page
    assert "Fibertekniker http://exempel.se/fiber" in page
    refused = set(re.findall(r'id="fault:([a-z_]+):1"', page))
    assert refused == {"code", "workload_hours", "level_level", "alignments"}
    assert "Timmar ska vara ett tal, skrivet med siffror." in page
    linked = re.findall(r'<a href="#(field:[a-z_0-9]+)"', page)
    assert linked
    assert all(f'id="{each}"' in page for each in linked)


def test_who_saves_upon_what_another_has_saved_is_told_and_loses_nothing(
    world: World, author: Visitor
) -> None:
    document = Definition.model_validate(definition_document()).model_dump(mode="json")
    owner = world.organization("sobona")
    with world.writing() as session:
        version = define(world.env, session, actor_of(owner), document)[0][0]
    place = f"/definitions/{version.id}/edit"
    mine = written(document) | {
        "seen": seen_on(author.get(place).text), "title_sv": "Mitt namn", "step": "save",
    }  # fmt: skip
    theirs = {**document, "title": {**document["title"], "sv": "Deras namn"}}
    with world.writing() as session:
        define(world.env, session, actor_of(owner), theirs)

    reply = author.post(place, mine)

    assert (reply.status_code, len(alerts(reply.text))) == (409, 1)
    assert 'value="Mitt namn"' in reply.text
    assert source_of(version_of(world, place)).title["sv"] == "Deras namn"
    assert author.post(place, mine | {"seen": seen_on(reply.text)}).status_code == 303
    assert source_of(version_of(world, place)).title["sv"] == "Mitt namn"


def test_what_is_written_while_another_hands_it_in_is_not_lost(
    world: World, author: Visitor
) -> None:
    document = Definition.model_validate(definition_document()).model_dump(mode="json")
    for slug in document["authorised_issuers"]:
        world.organization(slug)
    reply = author.post("/definitions/new", written(document) | {"step": "save"})
    place = reply.headers["Location"].partition("/console")[2].partition("?")[0]
    author.post(f"{place}/submit")

    reply = author.post(f"{place}/edit", written(document) | {"title_sv": "Sent namn"})

    assert (reply.status_code, len(alerts(reply.text))) == (409, 1)
    assert 'value="Sent namn"' in reply.text


def seen_on(page: str) -> str:
    return page.partition('name="seen" value="')[2].partition('"')[0]


def test_a_value_is_in_words_where_it_is_of_a_list_and_as_written_elsewhere() -> None:
    assert value_in_words("/participation/forms/0", "work_based", "en") != "work_based"
    assert value_in_words("/tags/0", "quiz", "sv") == "quiz"
    assert value_in_words("/stackability/kind", "stack", "sv") == "Byggs av andra mikromeriter"
    assert value_in_words("/learning_outcomes/0/domain", "skill", "sv") != "skill"


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
    page = author.get(f"/definitions/{second.id}").text
    assert "ändringen i Timmar kräver" in page
    assert f"new?like={second.id}&amp;step=major" in page
    assert "/submit" not in page
    page = author.get(f"/definitions/compare?a={first[0].id}&b={second.id}").text
    assert ">Timmar<" in page
    assert f'<option value="{first[0].id}">' in author.get(f"/definitions/{second.id}").text
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
