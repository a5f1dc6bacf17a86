"""Our own JSON Schemas: what the models say, and what we publish and issue satisfies them."""

import json
from pathlib import Path

import jsonschema
import pytest

from kpass_vc.demo import catalogues
from kpass_vc.model.schemas import SCHEMAS, json_schema
from kpass_vc.records import status_list as status_lists
from kpass_vc.resources import folder
from tests.world import World, body_of


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((folder("schemas") / f"{name}.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_file_is_what_its_model_says(name: str) -> None:
    written = json.loads(Path(folder("schemas") / f"{name}.schema.json").read_text("utf-8"))

    assert written == json_schema(name)


def test_every_definition_of_the_catalogues_validates() -> None:
    checked = 0
    for catalogue in catalogues():
        for definition in catalogue["definitions"]:
            validator("definition").validate(definition)
            checked += 1

    assert checked == 63


@pytest.mark.parametrize("language", ["sv", "en"])
def test_an_issued_credential_validates_and_one_without_a_criteria_does_not(
    world: World, language: str
) -> None:
    world.published_definition()

    credential = json.loads(body_of(world.issued(), language))

    validator("credential").validate(credential)
    del credential["credentialSubject"]["achievement"]["criteria"]
    assert not validator("credential").is_valid(credential)


def test_a_date_without_a_time_zone_breaks_the_schema(world: World) -> None:
    world.published_definition()
    credential = json.loads(body_of(world.issued()))

    credential["validFrom"] = "2026-11-24T10:00:00"

    assert not validator("credential").is_valid(credential)


def test_a_status_list_validates(world: World) -> None:
    world.published_definition()
    issued = world.issued()

    with world.reading() as session:
        published = status_lists.publication(session, status_list_id=issued.award.status_list_id)

    assert published is not None
    validator("status-list").validate(json.loads(published.body))
