"""The published document: its form, its bytes, and what it must not hold."""

import json
from typing import Any

from kpass_vc.addresses import Addresses
from kpass_vc.compose.definition import Owner, digest_sri, published_definition, to_bytes
from kpass_vc.demo import catalogues
from kpass_vc.model.definition import Definition, read_definition

ADDRESSES = Addresses("https://mikromerit.example")
SOBONA = Owner(
    did="did:web:mikromerit.example:o:sobona",
    names={"sv": "Sobona (exempel)", "en": "Sobona (example)"},
    url="https://sobona.example/",
)
SMALLEST = {"code": "AB-01", "version": "1.0.0", "owner": "sobona", "title": {"sv": "Titel"}}


def everyone() -> list[Definition]:
    return [
        read_definition(document)
        for catalogue in catalogues()
        for document in catalogue["definitions"]
    ]


def published(definition: Definition) -> dict[str, Any]:
    addresses = ADDRESSES.definition("sobona", definition.code, definition.version)
    return published_definition(definition, SOBONA, addresses)


def test_fibre_splicing_has_the_bytes_that_its_issued_credentials_name() -> None:
    (fibre,) = (definition for definition in everyone() if definition.code == "SOB-OPTO-01")

    content = to_bytes(published(fibre))

    assert digest_sri(content) == (
        "sha384-OrvuxjR6L93gVJm+cLJjoXPhUmV/AIJ8BV8OUNcaWqvet00KcBCQHXkmji+GcjyN"
    )


def test_what_changes_after_publishing_stands_in_no_published_definition() -> None:
    for definition in everyone():
        document = published(definition)

        assert not {"status", "authorised_issuers"} & document.keys()
        assert "part_of" not in document["stackability"]


def test_a_published_definition_holds_no_float() -> None:
    def refuse(literal: str) -> None:
        raise AssertionError(literal)

    credited = read_definition({**SMALLEST, "workload": {"hours": 200, "ects": 7.5}})

    for definition in [*everyone(), credited]:
        json.loads(to_bytes(published(definition)), parse_float=refuse)
    assert published(credited)["workload"]["ects"] == "7.5"


def test_every_field_of_education_of_the_catalogues_has_both_names() -> None:
    names = [area["name"] for item in everyone() for area in published(item)["thematic_areas"]]

    assert len(names) == 63
    assert all(list(name) == ["sv", "en"] for name in names)


def test_the_order_of_languages_does_not_change_the_bytes() -> None:
    one = read_definition({**SMALLEST, "title": {"sv": "Titel", "en": "Title", "ar": "ع"}})
    other = read_definition({**SMALLEST, "title": {"ar": "ع", "en": "Title", "sv": "Titel"}})

    assert to_bytes(published(one)) == to_bytes(published(other))
    assert list(published(one)["title"]) == ["sv", "en", "ar"]


def test_a_definition_that_may_be_suspended_says_so_and_others_say_nothing() -> None:
    suspended = read_definition({**SMALLEST, "status_purpose": "suspension"})

    assert published(suspended)["status_purpose"] == "suspension"
    assert "status_purpose" not in published(read_definition(SMALLEST))


def test_a_definition_with_gaps_can_be_shown_with_the_same_members() -> None:
    sparse, full = published(read_definition(SMALLEST)), published(everyone()[0])

    assert list(sparse) == list(full)
    assert list(sparse["assessment"]) == list(full["assessment"])
    assert sparse["thematic_areas"] == []


def test_bytes_are_utf8_with_a_newline_at_the_end() -> None:
    assert to_bytes({"å": ["ä"]}) == '{\n  "å": [\n    "ä"\n  ]\n}\n'.encode()
    assert digest_sri(b"") == (
        "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"
    )
