"""A definition in words."""

from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kpass_vc.compose.definition import Owner
from kpass_vc.compose.narrative import duration, escape, facts, narrative, review, sentence
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.definition import read_definition

SOBONA = Owner("did:web:x", {"sv": "Sobona (exempel)", "en": "Sobona (example)"})
SMALLEST = {"code": "AB-01", "version": "1.0.0", "owner": "ab", "title": {"sv": "Titel"}}


def definitions() -> dict[str, dict[str, Any]]:
    return {
        definition["code"]: definition
        for catalogue in catalogues()
        for definition in catalogue["definitions"]
    }


def fact(label: str, language: Language = "sv", /, **given: object) -> str | None:
    definition = read_definition({**SMALLEST, **given})
    return {item.label: item.text for item in facts(definition, language)}.get(label)


def test_fibre_splicing_reads_like_this_in_swedish() -> None:
    text = narrative(read_definition(definitions()["SOB-OPTO-01"]), SOBONA, "sv")

    assert text == (
        "**Illustrativt exempel. Innehållet kommer inte från Sobona och är inte godkänt av "
        "Sobona.**\n\n"
        "## Den som har mikromeriten kan\n"
        "1. Förklara fibertyper, färgordning och vad som orsakar dämpning.\n"
        "2. Förbereda, klyva och svetsa fiber så att uppmätt skarvdämpning ligger under angivet "
        "gränsvärde.\n"
        "3. Mäta upp och dokumentera en skarv med OTDR.\n"
        "4. Avgöra när en skarv måste göras om och stå för det egna mätprotokollet.\n\n"
        "## Fakta\n"
        "- **Omfattning:** 16 timmar\n"
        "- **Nivå:** motsvarar SeQF 3 (EQF 3) enligt ägarens egen bedömning. Myndigheten för "
        "yrkeshögskolan har inte fattat något beslut om nivån.\n"
        "- **Deltagande:** blandat, på plats och på distans. Lärandet sker genom praktisk övning. "
        "Kan också visas genom validering.\n"
        "- **Bedömning:** praktiskt prov och kunskapsprov på plats, under tillsyn, med "
        "kontrollerad identitet. Samtliga läranderesultat ska vara godkända.\n"
        "- **Bedömare:** Utbildad bedömare som inte är deltagarens närmaste handledare.\n"
        "- **Kvalitetssäkring:** branschens valideringsmodell. Framtagen med branschens "
        "sakkunniga, granskad av kvalitetssäkrande panel, utbildade bedömare. Innehållet ses över "
        "vart fjärde år.\n"
        "- **Giltighet:** tre år från bedömningen. Förnyas genom ny bedömning.\n"
        "- **Påbyggnad:** kan räknas in i en större merit."
    )


def test_every_definition_says_its_mandatory_elements_in_both_languages() -> None:
    for definition in definitions().values():
        for language in LANGUAGES:
            labels = [item.label for item in facts(read_definition(definition), language)]
            assert {"workload", "level", "participation", "assessment", "quality"} <= {*labels}


def test_a_definition_that_is_not_illustrative_has_no_notice() -> None:
    real = {**definitions()["SOB-OPTO-01"], "illustrative": False}

    text = narrative(read_definition(real), SOBONA, "en")

    assert text.startswith("## The holder of this micro-credential can\n1. Explain")


def test_missing_fields_leave_no_half_sentence() -> None:
    bare = read_definition(SMALLEST)

    assert narrative(bare, SOBONA, "sv") == "## Fakta\n- **Giltighet:** gäller tills vidare."


@pytest.mark.parametrize(
    ("level", "swedish", "english"),
    [
        (
            {"basis": "not_levelled"},
            "inte placerad på någon nivå.",
            "not placed at any level.",
        ),
        (
            {"basis": "statutory", "level": 4},
            "SeQF 4 enligt författning.",
            "SeQF level 4 by statute.",
        ),
        (
            {
                "basis": "myh_decision",
                "level": 5,
                "eqf_level": 5,
                "decision_reference": "MYH 2026/12",
                "decision_valid_until": "2036-01-31",
            },
            (
                "SeQF 5 (EQF 5) enligt beslut MYH 2026/12 av Myndigheten för yrkeshögskolan. "
                "Beslutet gäller till och med 2036-01-31."
            ),
            (
                "SeQF level 5 (EQF level 5) by decision MYH 2026/12 of the Swedish National Agency "
                "for Higher Vocational Education (MYH). The decision is valid through 2036-01-31."
            ),
        ),
        ({"basis": "myh_decision", "level": 5}, None, None),
        ({"level": 5}, None, None),
    ],
)
def test_a_level_says_what_it_rests_on(
    level: dict[str, object], swedish: str | None, english: str | None
) -> None:
    assert fact("level", "sv", level=level) == swedish
    assert fact("level", "en", level=level) == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_self_assessed_level_never_reads_as_decided(language: Language) -> None:
    told = fact("level", language, level={"basis": "self_assessed", "level": 3}) or ""

    assert {"sv": "ägarens egen bedömning", "en": "owner's own assessment"}[language] in told
    assert {"sv": "inte fattat något beslut", "en": "made no decision"}[language] in told


@pytest.mark.parametrize(
    ("workload", "swedish", "english"),
    [
        ({"hours": 1}, "1 timme", "1 hour"),
        ({"hours": 16}, "16 timmar", "16 hours"),
        (
            {"hours": 200, "ects": "7.5"},
            "200 timmar, 7,5 högskolepoäng (ECTS)",
            "200 hours, 7.5 ECTS credits",
        ),
    ],
)
def test_a_workload_has_its_plural_and_its_decimal_sign(
    workload: dict[str, object], swedish: str, english: str
) -> None:
    assert fact("workload", "sv", workload=workload) == swedish
    assert fact("workload", "en", workload=workload) == english


@pytest.mark.parametrize(
    ("given_duration", "swedish", "english"),
    [
        ("P1Y", "ett år", "one year"),
        ("P3Y", "tre år", "three years"),
        ("P18M", "18 månader", "18 months"),
        ("P1M", "en månad", "one month"),
        ("P90D", "90 dagar", "90 days"),
        ("P1Y6M", "ett år och sex månader", "one year and six months"),
    ],
)
def test_a_duration_reads_as_a_person_says_it(
    given_duration: str, swedish: str, english: str
) -> None:
    assert duration(given_duration, "sv") == swedish
    assert duration(given_duration, "en") == english


@pytest.mark.parametrize(
    ("months", "swedish", "english"),
    [
        (6, "minst var 6:e månad", "at least every 6 months"),
        (11, "minst var 11:e månad", "at least every 11 months"),
        (12, "varje år", "every year"),
        (21, "minst var 21:a månad", "at least every 21 months"),
        (22, "minst var 22:a månad", "at least every 22 months"),
        (24, "vartannat år", "every two years"),
        (36, "vart tredje år", "every three years"),
        (60, "vart femte år", "every five years"),
    ],
)
def test_a_review_interval_has_the_right_ordinal(months: int, swedish: str, english: str) -> None:
    assert review(months, "sv") == f"Innehållet ses över {swedish}."
    assert review(months, "en") == f"The content is reviewed {english}."


def test_every_length_of_review_interval_has_a_sentence() -> None:
    for months in range(6, 61):
        for language in LANGUAGES:
            assert review(months, language)


def test_a_stack_names_its_parts_and_not_once_more_as_prerequisites() -> None:
    stack = read_definition(definitions()["SOB-OPTO-99"])

    found = {item.label: item.text for item in facts(stack, "sv")}

    assert found["parts"] == (
        "består av fyra delar, och alla krävs: SOB-OPTO-01, SOB-OPTO-02, SOB-OPTO-03 och "
        "SOB-OPTO-04."
    )
    assert "prerequisites" not in found
    assert "stackability" not in found


def test_a_choice_of_parts_says_how_many() -> None:
    choice = {"count": 2, "definitions": ["AB-02", "AB-03", "AB-04"]}
    stackability = {"kind": "stack", "requires_count_from": choice}

    assert fact("parts", "en", stackability=stackability) == (
        "made up of at least two of the following: AB-02, AB-03 and AB-04."
    )
    assert fact("parts", "en", stackability={**stackability, "requires_all_of": ["AB-05"]}) == (
        "made up of one part: AB-05. In addition at least two of the following: "
        "AB-02, AB-03 and AB-04."
    )


def test_prerequisites_give_text_and_codes() -> None:
    told = fact(
        "prerequisites",
        "en",
        prerequisites={
            "text": {"sv": "Anställd", "en": "Employed"},
            "required_definitions": ["SKR-DT-18", "SKR-DT-19"],
        },
    )

    assert told == "Employed. Requires the micro-credentials SKR-DT-18 and SKR-DT-19."


def test_every_choice_of_the_schema_has_words_in_both_languages() -> None:
    forms = ["onsite", "online", "blended", "work_based", "project_based"]
    activities = [
        *("classroom", "e_learning", "practice", "job_experience", "internship", "apprenticeship"),
        *("volunteering", "self_study", "workshop", "educational_programme", "research"),
    ]
    types = [
        *("written", "oral", "practical", "portfolio", "continuous", "artefact", "project"),
        *("quiz", "peer", "group", "marked_assignment", "problem_based"),
    ]
    quality = [
        *("sector_validation_model", "internal_quality_assurance", "external_review"),
        *("institutional_accreditation", "programme_accreditation", "myh_levelled"),
    ]
    for language in LANGUAGES:
        assert fact(
            "participation",
            language,
            participation={"forms": forms, "activity_types": activities},
        )
        assert fact("quality", language, quality_assurance={"types": quality})
        for mode in ("onsite", "online", "blended"):
            assert fact("assessment", language, assessment={"types": types, "mode": mode})
        for supervision in (
            *("unsupervised_no_id", "unsupervised_with_id"),
            *("supervised_no_id", "supervised_with_id"),
        ):
            assert fact("assessment", language, assessment={"supervision": supervision})
        for renewal in ("none", "reassessment", "attestation_of_practice", "refresher"):
            assert fact(
                "validity", language, validity={"duration": "P1Y", "renewal_method": renewal}
            )
        for kind in ("stand_alone", "stackable"):
            assert fact("stackability", language, stackability={"kind": kind})


@pytest.mark.parametrize(
    "text",
    [
        "**fet** och _kursiv_",
        "[klicka](javascript:alert(1))",
        "<script>alert(1)</script>",
        "1. Först",
        "- Streck",
        "# Rubrik",
        "&amp; och &#60;",
        "`kod` och \\ och ~~strukit~~",
        "![bild](https://example.org/x.png)",
        "<https://example.org/>",
    ],
)
def test_what_an_owner_wrote_is_read_as_written(text: str) -> None:
    assert read_back(text) == sentence(text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1))
def test_no_text_of_an_owner_becomes_markup(text: str) -> None:
    assert read_back(text) == sentence(text)


def read_back(text: str) -> str:
    """What a reader of the rendered Markdown sees of one outcome."""
    html = MarkdownIt("commonmark").render(f"1. {escape(sentence(text))}\n")
    assert html.startswith("<ol>\n<li>")
    inner = html.removeprefix("<ol>\n<li>").removesuffix("</li>\n</ol>\n")
    assert "<" not in inner
    return unescape(inner)
