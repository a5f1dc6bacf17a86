"""The Open Badges Achievement of one language edition."""

from collections.abc import Iterator
from typing import Any

import pytest

from kpass_vc.addresses import Addresses
from kpass_vc.compose.achievement import achievement, embedded, result_description
from kpass_vc.compose.definition import Owner
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.definition import read_definition

ADDRESSES = Addresses("https://mikromerit.example")
FOLDER = "https://mikromerit.example/o/sobona/definitions/SOB-OPTO-01/1.0.0"
SOBONA = Owner(
    did="did:web:mikromerit.example:o:sobona",
    names={"sv": "Sobona (exempel)", "en": "Sobona (example)"},
    url="https://sobona.example/",
)


def definitions() -> dict[str, dict[str, Any]]:
    return {
        definition["code"]: definition
        for catalogue in catalogues()
        for definition in catalogue["definitions"]
    }


def edition(language: Language, code: str = "SOB-OPTO-01", /, **changes: object) -> dict[str, Any]:
    definition = read_definition({**definitions()[code], **changes})
    addresses = ADDRESSES.definition("sobona", definition.code, definition.version)
    return achievement(definition, SOBONA, addresses, language)


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from leaves(member)
    elif isinstance(value, list):
        yield value
        for item in value:
            yield from leaves(item)
    else:
        yield value


def test_the_swedish_edition_has_this_form() -> None:
    document = edition("sv")

    narrative = document["criteria"].pop("narrative")
    alignment = document.pop("alignment")
    assert narrative.startswith("**Illustrativt exempel. Innehållet kommer inte från Sobona ")
    assert len(alignment) == 9
    assert document == {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": f"{FOLDER}/achievement.sv.json",
        "type": ["Achievement"],
        "achievementType": "MicroCredential",
        "name": "Fibersvetsning i fält",
        "description": (
            "Kan skarva optofiber i provisorisk miljö och kontrollera att skarven håller mått"
        ),
        "inLanguage": "sv",
        "version": "1.0.0",
        "humanCode": "SOB-OPTO-01",
        "otherIdentifier": [
            {
                "type": "IdentifierEntry",
                "identifier": "https://mikromerit.example/o/sobona/definitions/SOB-OPTO-01",
                "identifierType": "identifier",
            }
        ],
        "creator": {
            "id": "did:web:mikromerit.example:o:sobona",
            "type": ["Profile"],
            "name": "Sobona (exempel)",
            "url": "https://sobona.example/",
        },
        "criteria": {"id": f"{FOLDER}/sv.html"},
        "image": {
            "id": f"{FOLDER}/badge.sv.png",
            "type": "Image",
            "caption": (
                "Märke med texten Fibersvetsning i fält, Sobona (exempel), "
                "SOB-OPTO-01 version 1.0.0"
            ),
        },
        "fieldOfStudy": "Elektronik och automation (ISCED-F 0714)",
        "resultDescription": [
            {
                "id": f"{FOLDER}/achievement.sv.json#bedomning",
                "type": ["ResultDescription"],
                "name": "Bedömning",
                "resultType": "Status",
                "allowedValue": ["Underkänd", "Godkänd"],
                "requiredValue": "Godkänd",
            }
        ],
        "tag": ["beredskap", "fiber"],
        "related": [
            {
                "id": f"{FOLDER}/achievement.en.json",
                "type": ["Related"],
                "inLanguage": "en",
                "version": "1.0.0",
            }
        ],
    }


def test_the_members_stand_in_one_order() -> None:
    assert " ".join(edition("sv")) == (
        "@context id type achievementType name description inLanguage version humanCode "
        "otherIdentifier creator criteria image fieldOfStudy alignment resultDescription tag "
        "related"
    )


def test_learning_outcomes_are_competencies_of_the_definition() -> None:
    first, *_ = edition("sv")["alignment"]

    assert first == {
        "type": ["Alignment"],
        "targetName": "Förklara fibertyper, färgordning och vad som orsakar dämpning",
        "targetUrl": f"{FOLDER}/definition.json#SOB-OPTO-01-LO1",
        "targetCode": "SOB-OPTO-01-LO1",
        "targetFramework": "SOB-OPTO-01 1.0.0",
        "targetType": "ceasn:Competency",
    }


def test_taxonomies_are_aligned_with_but_for_occupation_groups() -> None:
    named = [
        (item["targetFramework"], item["targetName"], item.get("targetDescription"))
        for item in edition("sv")["alignment"][4:]
    ]

    assert named == [
        ("JobTech Taxonomy", "Fibersvetsning", None),
        ("JobTech Taxonomy", "Fiberoptik", None),
        ("ESCO", "fibre optics", "Benämningen är på engelska i källan."),
        ("ESCO", "splice cable", "Benämningen är på engelska i källan."),
        ("JobTech Taxonomy", "Fibertekniker/Optotekniker", None),
    ]


def test_the_english_edition_says_which_names_are_swedish() -> None:
    described = {
        item["targetName"]: item.get("targetDescription") for item in edition("en")["alignment"][4:]
    }

    assert described["fibre optics"] is None
    assert described["Fibersvetsning"] == "The source gives the name in Swedish."


def test_the_two_editions_differ_in_address_and_words_but_not_in_meaning() -> None:
    swedish, english = edition("sv"), edition("en")

    assert english["name"] == "Fibre splicing in the field"
    assert english["fieldOfStudy"] == "Electronics and automation (ISCED-F 0714)"
    assert english["related"][0]["id"] == swedish["id"]
    assert list(english) == list(swedish)
    assert [item["targetUrl"] for item in english["alignment"]] == [
        item["targetUrl"] for item in swedish["alignment"]
    ]


def test_a_self_assessed_level_is_never_an_alignment() -> None:
    for code, definition in definitions().items():
        assert definition["level"]["basis"] in {"self_assessed", "not_levelled"}
        for language in LANGUAGES:
            urls = [item["targetUrl"] for item in edition(language, code)["alignment"]]
            assert not [url for url in urls if "/eqf/" in url or "/qdr/" in url]


@pytest.mark.parametrize("basis", ["myh_decision", "statutory"])
def test_a_decided_level_is_aligned_with_seqf_and_eqf(basis: str) -> None:
    level = {
        "level": 3,
        "eqf_level": 3,
        "basis": basis,
        "decision_reference": "MYH 2026/1",
        "decision_valid_until": "2036-01-31",
    }

    found = edition("en", level=level)["alignment"][4:6]

    assert [(item["targetFramework"], item["targetCode"], item["targetUrl"]) for item in found] == [
        ("SeQF", "3", "http://data.europa.eu/snb/qdr/c_4ec9e6c0"),
        ("EQF", "3", "http://data.europa.eu/snb/eqf/3"),
    ]


def test_no_edition_of_any_definition_holds_a_float_a_null_or_an_empty_value() -> None:
    for code in definitions():
        for language in LANGUAGES:
            for value in leaves(edition(language, code)):
                assert value not in (None, "", [], {})
                assert not isinstance(value, float)


def test_what_a_definition_lacks_is_left_out_whole() -> None:
    bare = edition("sv", tags=[], thematic_areas=[], alignments=[])

    assert "tag" not in bare
    assert "fieldOfStudy" not in bare
    assert len(bare["alignment"]) == 4


def test_an_owner_without_a_web_address_has_none_made_up() -> None:
    definition = read_definition(definitions()["SOB-OPTO-01"])
    addresses = ADDRESSES.definition("sobona", definition.code, definition.version)
    owner = Owner(did=SOBONA.did, names=SOBONA.names)

    document = achievement(definition, owner, addresses, "en")

    assert document["creator"] == {
        "id": SOBONA.did,
        "type": ["Profile"],
        "name": "Sobona (example)",
    }


def test_a_stack_is_not_called_a_certification() -> None:
    assert edition("sv", "SOB-OPTO-99")["achievementType"] == "ext:MicroCredentialStack"


def test_a_credential_carries_the_edition_without_its_context() -> None:
    document = edition("en")

    assert embedded(document) == {
        member: value for member, value in document.items() if member != "@context"
    }
    assert "@context" not in embedded(document)


def test_a_result_names_the_result_description_of_its_edition() -> None:
    addresses = ADDRESSES.definition("sobona", "SOB-OPTO-01", "1.0.0")

    for language in LANGUAGES:
        (described,) = edition(language)["resultDescription"]
        assert result_description(addresses, language) == described["id"]
        assert described["requiredValue"] in described["allowedValue"]
