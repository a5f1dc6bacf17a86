"""The OpenAPI document: whole, resolvable, and with examples that the service itself takes."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from starlette.testclient import TestClient

from kpass_vc.environment import Environment
from tests.api.http import Json, Service, client_of, outcomes


@pytest.fixture
def http(env: Environment) -> TestClient:
    return client_of(env)


@pytest.fixture
def document(http: TestClient) -> Json:
    return dict(http.get("/openapi.json").json())


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield f"{method.upper()} {path}", operation


def values(value: object) -> Iterator[Any]:
    """A JSON value and everything in it."""
    yield value
    for member in value.values() if isinstance(value, dict) else ():
        yield from values(member)
    for member in value if isinstance(value, list) else ():
        yield from values(member)


def test_it_is_openapi_3_1_with_title_version_and_description(document: Json) -> None:
    assert document["openapi"].startswith("3.1")
    assert all(document["info"][name] for name in ("title", "version", "description"))


def test_every_reference_leads_somewhere(document: Json) -> None:
    references = {
        found["$ref"] for found in values(document) if isinstance(found, dict) and "$ref" in found
    }

    assert len(references) > 20
    for reference in references:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def test_no_part_stands_there_that_nothing_refers_to(document: Json) -> None:
    referred = {
        found["$ref"].rpartition("/")[2]
        for found in values(document)
        if isinstance(found, dict) and "$ref" in found
    }

    assert set(document["components"]["schemas"]) == referred


def test_every_operation_has_summary_description_tag_and_an_id_of_its_own(document: Json) -> None:
    found = dict(operations(document))

    assert len({operation["operationId"] for operation in found.values()}) == len(found)
    for name, operation in found.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name


def test_every_operation_says_that_it_may_answer_a_problem_and_none_speaks_of_fastapis(
    document: Json,
) -> None:
    for name, operation in operations(document):
        content = operation["responses"]["default"]["content"]
        schema = content["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}, name
        assert "422" not in operation["responses"], name
    assert "HTTPValidationError" not in str(document)
    assert "x-parts" not in str(document)


def test_every_success_says_what_it_holds(document: Json) -> None:
    for name, operation in operations(document):
        good = {
            status: found
            for status, found in operation["responses"].items()
            if status.startswith("2") and status != "204"
        }
        assert good or "204" in operation["responses"], name
        for found in good.values():
            assert found["content"], name
            for media_type, shown in found["content"].items():
                assert media_type != "application/json" or shown.get("schema") or "/o/" in name


def test_every_parameter_has_a_schema_and_those_in_the_path_are_the_ones_it_names(
    document: Json,
) -> None:
    for name, operation in operations(document):
        parameters = operation.get("parameters", [])
        assert all(parameter["schema"] for parameter in parameters)
        named = {part.partition("}")[0] for part in name.split("{")[1:]}
        assert {found["name"] for found in parameters if found["in"] == "path"} == named


def test_every_body_has_a_schema_and_an_example(document: Json) -> None:
    without = {
        "POST /v1/credentials/{credential_id}/link",
        "POST /v1/credentials/{credential_id}/erasure",
        "POST /v1/credentials/{credential_id}/letter",
        "POST /v1/batches/{batch_id}/letters",
    }
    table, form = "POST /v1/batches/file", "POST /oauth/token"
    posts = [
        name
        for name, _ in operations(document)
        if name.startswith("POST") and name not in {*without, table, form}
    ]
    for name in without:
        assert "requestBody" not in dict(operations(document))[name]
    assert len(dict(operations(document))[table]["requestBody"]["content"]) == 2

    for name, operation in operations(document):
        if name in posts:
            content = operation["requestBody"]["content"]["application/json"]
            assert operation["requestBody"]["required"] is True
            assert content["schema"]["type"] == "object"
            assert content["examples"], name
    assert len(posts) == 34


def examples(document: Json, name: str) -> list[Json]:
    found = dict(operations(document))[name]["requestBody"]["content"]["application/json"]
    return [deepcopy(example["value"]) for example in found["examples"].values()]


def test_the_examples_are_taken_by_the_service_itself(service: Service) -> None:
    document = service.http.get("/openapi.json").json()
    service.world.organization("nordiska-textilakademin")
    issued, draft = service.issued(), service.draft()
    service.world.clock.advance(days=400)
    askers = {
        "POST /v1/organizations": (service.world.token(None), {"slug": "another"}),
        "POST /v1/organizations/{slug}/tokens": (service.world.token(None), {}),
        "POST /v1/definitions": (service.world.token("nordiska-textilakademin"), {}),
        "POST /v1/definitions/{version_id}/status": (service.world.token("sobona"), {}),
        "POST /v1/credentials": (service.world.token("stadsnat-exempel"), {}),
        "POST /v1/credentials/{credential_id}/status": (
            service.world.token("stadsnat-exempel"), {},
        ),
    }  # fmt: skip

    for name, (token, changes) in askers.items():
        path = name.partition(" ")[2].format(
            slug="sobona", version_id=draft["id"], credential_id=issued["id"]
        )
        for example in examples(document, name):
            reply = service.http.post(
                path, headers={"Authorization": f"Bearer {token}"}, json=example | changes
            )
            assert reply.status_code in {200, 201}, (name, reply.text)


def test_the_example_of_a_verification_is_a_credential_that_verifies(http: TestClient) -> None:
    document = http.get("/openapi.json").json()

    for example in examples(document, "POST /v1/verifications"):
        report = http.post("/v1/verifications", json=example).json()
        assert set(outcomes(report).values()) == {"passed"}
        assert report["verified"] is True


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_reference_page_shows_every_operation(
    http: TestClient, document: Json, language: str
) -> None:
    page = http.get(f"/docs?language={language}").text

    for name, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page, name
