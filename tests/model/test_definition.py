"""What an imported definition may and may not be."""

from decimal import Decimal

import pytest

from kpass_vc.demo import catalogues
from kpass_vc.errors import InvalidInput
from kpass_vc.language import LANGUAGES
from kpass_vc.model.definition import Definition, read_definition

SMALLEST = {
    "code": "SOB-OPTO-01",
    "version": "1.0.0",
    "owner": "sobona",
    "title": {"sv": "Fibersvetsning i fält"},
}


def broken_rules(**changes: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read_definition({**SMALLEST, **changes})
    assert all(field.sentence(language) for field in caught.value.fields for language in LANGUAGES)
    return [(field.field, field.rule) for field in caught.value.fields]


def test_code_version_owner_and_swedish_title_are_enough() -> None:
    definition = read_definition(SMALLEST)

    assert definition.title == {"sv": "Fibersvetsning i fält"}
    assert definition.status_purpose == "revocation"
    assert definition.learning_outcomes == ()


@pytest.mark.parametrize("missing", sorted(SMALLEST))
def test_each_of_the_four_is_needed(missing: str) -> None:
    document = {name: value for name, value in SMALLEST.items() if name != missing}

    with pytest.raises(InvalidInput) as caught:
        read_definition(document)

    assert [(field.field, field.rule) for field in caught.value.fields] == [
        (f"/{missing}", "required")
    ]


def test_an_english_title_does_not_replace_the_swedish() -> None:
    assert broken_rules(title={"en": "Fibre splicing"}) == [("/title/sv", "required")]


def test_all_63_definitions_of_the_catalogues_are_read() -> None:
    read = [
        read_definition(document)
        for catalogue in catalogues()
        for document in catalogue["definitions"]
    ]

    assert len(read) == 63
    assert sum(len(definition.learning_outcomes) for definition in read) == 181


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "sob-1"}, ("/code", "pattern")),
        ({"code": "SOB-OPTO-01\n"}, ("/code", "pattern")),
        ({"version": "1.0"}, ("/version", "pattern")),
        ({"version": "1.0.٣"}, ("/version", "pattern")),
        ({"version": "01.0.0"}, ("/version", "pattern")),
        ({"owner": "Sobona"}, ("/owner", "pattern")),
        ({"status": "finished"}, ("/status", "enum")),
        ({"schema_version": "2.0"}, ("/schema_version", "enum")),
        ({"colour": "blue"}, ("/colour", "unknown_field")),
        ({"a/b~c": 1}, ("/a~1b~0c", "unknown_field")),
        ({"illustrative": "true"}, ("/illustrative", "type")),
        ({"title": "Fibersvetsning"}, ("/title", "type")),
        ({"title": {"sv": "x" * 201}}, ("/title/sv", "length")),
        ({"title": {"sv": " "}}, ("/title/sv", "blank")),
        ({"title": {"sv": "Fiber\nsvetsning"}}, ("/title/sv", "control_character")),
        ({"title": {"sv": "Fiber\x07"}}, ("/title/sv", "control_character")),
        ({"title": {"sv": "Fiber\u202egninstevs"}}, ("/title/sv", "control_character")),
        ({"title": {"sv": "Fiber\ud800"}}, ("/title/sv", "unicode")),
        ({"title": {"sv": "Fiber", "SV": "Fiber"}}, ("/title/SV", "pattern")),
        ({"authorised_issuers": ["a", "a"]}, ("/authorised_issuers", "unique")),
        ({"tags": "fiber"}, ("/tags", "type")),
        ({"learning_outcomes": [{"id": "a b"}]}, ("/learning_outcomes/0/id", "pattern")),
        ({"learning_outcomes": [{"domain": "x"}]}, ("/learning_outcomes/0/domain", "enum")),
        ({"level": {"level": 9}}, ("/level/level", "range")),
        ({"level": {"level": 3.0}}, ("/level/level", "type")),
        (
            {"level": {"decision_valid_until": "2026-02-30"}},
            ("/level/decision_valid_until", "date"),
        ),
        ({"workload": {"hours": True}}, ("/workload/hours", "type")),
        ({"workload": {"hours": "16"}}, ("/workload/hours", "type")),
        ({"workload": {"hours": 0}}, ("/workload/hours", "range")),
        ({"workload": {"ects": float("inf")}}, ("/workload/ects", "range")),
        ({"workload": {"ects": -1}}, ("/workload/ects", "range")),
        ({"workload": {"ects": True}}, ("/workload/ects", "type")),
        ({"workload": {"ects": "1e2"}}, ("/workload/ects", "type")),
        ({"workload": {"ects": 0.1 + 0.2}}, ("/workload/ects", "decimals")),
        ({"validity": {"duration": "P"}}, ("/validity/duration", "duration")),
        ({"validity": {"duration": "P0Y"}}, ("/validity/duration", "duration")),
        ({"validity": {"duration": "PT60H"}}, ("/validity/duration", "duration")),
        (
            {"quality_assurance": {"review_interval_months": 5}},
            ("/quality_assurance/review_interval_months", "range"),
        ),
        (
            {"thematic_areas": [{"code": "0714", "url": "http://data.europa.eu/snb/isced-f/0713"}]},
            ("/thematic_areas/0/url", "thematic_area_url"),
        ),
        (
            {
                "alignments": [
                    {
                        "framework": "esco",
                        "target_name": "x",
                        "target_url": "https://example.org/",
                    }
                ]
            },
            ("/alignments/0/target_url", "pattern"),
        ),
    ],
)
def test_a_mistake_names_its_field_and_its_rule(
    changes: dict[str, object], expected: tuple[str, str]
) -> None:
    assert broken_rules(**changes) == [expected]


def test_every_mistake_is_told_at_once() -> None:
    assert broken_rules(code="x", level=[], tags=[1]) == [
        ("/code", "pattern"),
        ("/level", "type"),
        ("/tags/0", "type"),
    ]


def test_a_hostile_document_gets_no_more_than_a_hundred_mistakes() -> None:
    assert len(broken_rules(**{f"x{number}": 1 for number in range(1000)})) == 100


@pytest.mark.parametrize("document", [[], "text", None, 5])
def test_a_document_that_is_no_object_says_so(document: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_definition(document)  # type: ignore[arg-type]

    assert [field.rule for field in caught.value.fields] == ["not_an_object"]


@pytest.mark.parametrize(
    ("given", "carried"),
    [(7.5, "7.5"), (5, "5"), (5.0, "5"), ("7.50", "7.5"), (Decimal("7.5"), "7.5"), (100, "100")],
)
def test_credits_are_carried_as_text(given: object, carried: str) -> None:
    definition = read_definition({**SMALLEST, "workload": {"ects": given, "yh_points": given}})

    assert definition.workload
    assert definition.workload.ects == carried
    assert definition.workload.yh_points == carried


def test_a_plain_label_is_in_the_language_of_its_source() -> None:
    definition = read_definition(
        {
            **SMALLEST,
            "thematic_areas": [{"code": "0714", "name": "Electronics and automation"}],
            "alignments": [
                {
                    "framework": "jobtech_taxonomy",
                    "target_name": "Fibersvetsning",
                    "target_url": "http://data.jobtechdev.se/taxonomy/concept/qyxC_Z7Z_dXH",
                },
                {
                    "framework": "esco",
                    "target_name": {"sv": "skarva kabel", "en": "splice cable"},
                    "target_url": "http://data.europa.eu/esco/skill/4a30802f-827c-4706-9099-de85beee6cb5",
                },
            ],
        }
    )

    assert definition.thematic_areas[0].name == {"en": "Electronics and automation"}
    assert definition.alignments[0].target_name == {"sv": "Fibersvetsning"}
    assert definition.alignments[1].target_name == {"sv": "skarva kabel", "en": "splice cable"}


def test_a_description_may_have_paragraphs() -> None:
    definition = read_definition({**SMALLEST, "description": {"sv": "Ett.\n\nTvå."}})

    assert definition.description == {"sv": "Ett.\n\nTvå."}


def test_a_definition_that_was_written_out_reads_back_the_same() -> None:
    first = read_definition(catalogues()[5]["definitions"][0])

    assert read_definition(first.model_dump(mode="json")) == first
    assert isinstance(first, Definition)


@pytest.mark.parametrize("title", ["\u0300\u0301", "\u00ad\u200d", "\u2014", "\u3164"], ids=ascii)
def test_a_title_has_a_letter_or_a_digit_that_can_be_seen(title: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_definition({**SMALLEST, "title": {"sv": title}})

    assert [(error.field, error.rule) for error in caught.value.fields] == [
        ("/title/sv", "no_letter")
    ]
