"""What a definition needs before it is published."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from kpass_vc.completeness import cycle, gaps, warnings
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES
from kpass_vc.model.definition import read_definition

Change = Callable[[dict[str, Any]], object]


def document(code: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [
        deepcopy(definition)
        for catalogue in catalogues()
        for definition in catalogue["definitions"]
        if definition["code"] == code
    ]
    return found


def gaps_after(change: Change, code: str = "SOB-OPTO-01") -> list[tuple[str, str]]:
    changed = document(code)
    change(changed)
    found = gaps(read_definition(changed))
    for gap in found:
        assert "EU" in gap.sentence("sv")
        assert "EU" in gap.sentence("en")
    return [(gap.field, gap.rule) for gap in found]


def put(path: str, value: object) -> Change:
    *way, last = path.split("/")

    def change(target: Any) -> None:
        for step in way:
            target = target[int(step) if step.isdigit() else step]
        target[int(last) if last.isdigit() else last] = value

    return change


def test_no_definition_of_the_catalogues_has_a_gap() -> None:
    found = {
        definition["code"]: gaps(read_definition(definition))
        for catalogue in catalogues()
        for definition in catalogue["definitions"]
    }

    assert len(found) == 63
    assert {code for code, lacks in found.items() if lacks} == set()


def test_the_smallest_definition_lacks_every_element() -> None:
    smallest = {"code": "AB-01", "version": "1.0.0", "owner": "ab", "title": {"sv": "Titel"}}

    found = gaps(read_definition(smallest))

    assert [gap.rule for gap in found] == [
        "gap.title.en",
        "gap.description.sv",
        "gap.description.en",
        "gap.country",
        "gap.authorised_issuers",
        "gap.learning_outcomes",
        "gap.level_basis",
        "gap.workload",
        "gap.participation",
        "gap.assessment_types",
        "gap.supervision",
        "gap.criteria.sv",
        "gap.criteria.en",
        "gap.quality_types",
        "gap.quality_description.sv",
        "gap.quality_description.en",
    ]
    for language in LANGUAGES:
        assert len({gap.sentence(language) for gap in found}) == len(found)


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (put("title", {"sv": "Titel"}), "/title/en", "gap.title.en"),
        (put("description", {"en": "Text"}), "/description/sv", "gap.description.sv"),
        (put("country", None), "/country", "gap.country"),
        (put("authorised_issuers", []), "/authorised_issuers", "gap.authorised_issuers"),
        (put("learning_outcomes", []), "/learning_outcomes", "gap.learning_outcomes"),
        (put("learning_outcomes/1/id", None), "/learning_outcomes/1/id", "gap.outcome_id"),
        (
            put("learning_outcomes/1/domain", None),
            "/learning_outcomes/1/domain",
            "gap.outcome_domain",
        ),
        (
            put("learning_outcomes/1/text", {"sv": "Kan"}),
            "/learning_outcomes/1/text/en",
            "gap.outcome_text.en",
        ),
        (put("level/basis", None), "/level/basis", "gap.level_basis"),
        (put("level/basis", "not_levelled"), "/level/level", "gap.level_without_basis"),
        (put("level/level", None), "/level/level", "gap.level"),
        (put("level/eqf_level", 4), "/level/eqf_level", "gap.eqf_level"),
        (put("workload/hours", None), "/workload/hours", "gap.workload"),
        (put("workload/ects", "1"), "/workload/ects", "gap.ects"),
        (put("participation/forms", []), "/participation/forms", "gap.participation"),
        (put("participation", None), "/participation/forms", "gap.participation"),
        (put("assessment/types", []), "/assessment/types", "gap.assessment_types"),
        (put("assessment/supervision", None), "/assessment/supervision", "gap.supervision"),
        (put("assessment/criteria", {"en": "All"}), "/assessment/criteria/sv", "gap.criteria.sv"),
        (
            put("assessment/assessor_requirement", {"sv": "Utbildad"}),
            "/assessment/assessor_requirement/en",
            "gap.assessor.en",
        ),
        (put("quality_assurance/types", []), "/quality_assurance/types", "gap.quality_types"),
        (
            put("quality_assurance/description", {"sv": "Panel"}),
            "/quality_assurance/description/en",
            "gap.quality_description.en",
        ),
        (
            put("prerequisites/text", {"sv": "Anställd"}),
            "/prerequisites/text/en",
            "gap.prerequisites.en",
        ),
        (
            put("prerequisites/required_definitions", ["SOB-OPTO-01"]),
            "/prerequisites/required_definitions",
            "gap.needs_itself",
        ),
        (put("stackability/kind", "stack"), "/stackability/kind", "gap.stack_kind"),
        (
            put("stackability/requires_all_of", ["SOB-OPTO-02"]),
            "/stackability/requires_all_of",
            "gap.parts_without_stack",
        ),
    ],
)
def test_a_missing_element_is_the_one_gap(change: Change, field: str, rule: str) -> None:
    assert gaps_after(change) == [(field, rule)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (put("stackability/requires_all_of", []), "gap.stack_parts"),
        (put("stackability/kind", "stackable"), "gap.stack_kind"),
        (put("stackability/requires_all_of", ["SOB-OPTO-99"]), "gap.needs_itself"),
        (
            put(
                "stackability/requires_count_from", {"count": 3, "definitions": ["AB-01", "AB-02"]}
            ),
            "gap.stack_count",
        ),
    ],
)
def test_a_stack_needs_parts_other_than_itself(change: Change, rule: str) -> None:
    assert [found for _, found in gaps_after(change, "SOB-OPTO-99")] == [rule]


def test_a_choice_of_parts_is_parts_enough() -> None:
    def choose(target: dict[str, Any]) -> None:
        target["stackability"]["requires_all_of"] = []
        target["stackability"]["requires_count_from"] = {
            "count": 1,
            "definitions": ["SOB-OPTO-01", "SOB-OPTO-02"],
        }

    assert gaps_after(choose, "SOB-OPTO-99") == []


def test_a_decided_level_needs_its_reference_and_its_end() -> None:
    found = gaps_after(put("level/basis", "myh_decision"))

    assert found == [
        ("/level/decision_reference", "gap.decision_reference"),
        ("/level/decision_valid_until", "gap.decision_valid_until"),
    ]


def test_two_outcomes_with_one_identifier_are_both_named() -> None:
    found = gaps_after(put("learning_outcomes/1/id", "SOB-OPTO-01-LO1"))

    assert found == [
        ("/learning_outcomes/0/id", "gap.outcome_id_twice"),
        ("/learning_outcomes/1/id", "gap.outcome_id_twice"),
    ]


@pytest.mark.parametrize(
    ("hours", "ects", "holds"),
    [(25, "1", True), (30, "1", True), (24, "1", False), (31, "1", False), (200, "7.5", True)],
)
def test_a_credit_is_25_to_30_hours(hours: int, ects: str, holds: bool) -> None:  # noqa: FBT001 - a table's column
    found = gaps_after(put("workload", {"hours": hours, "ects": ects}))

    assert (found == []) is holds


def test_odd_sizes_and_bare_knowledge_are_warned_of_but_no_gap() -> None:
    odd = document("SOB-OPTO-01")
    odd["workload"]["hours"] = 1
    odd["learning_outcomes"] = odd["learning_outcomes"][:1]
    odd["title"]["en"] = "x" * 121
    definition = read_definition(odd)

    assert gaps(definition) == ()
    assert [warning.rule for warning in warnings(definition)] == [
        "warning.long_title",
        "warning.only_knowledge",
        "warning.small",
    ]
    for warning in warnings(definition):
        assert warning.sentence("sv") != warning.sentence("en")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, None),
        ({"A": ["B", "C"], "B": ["C"], "C": []}, None),
        ({"A": ["UNKNOWN"]}, None),
        ({"A": ["A"]}, ("A",)),
        ({"A": ["B"], "B": ["C", "D"], "C": [], "D": ["B"]}, ("B", "D")),
    ],
)
def test_a_cycle_is_found_where_there_is_one(
    parts: dict[str, list[str]], expected: tuple[str, ...] | None
) -> None:
    assert cycle(parts) == expected


def test_a_long_chain_is_no_cycle() -> None:
    chain = {str(number): [str(number + 1)] for number in range(3000)}

    assert cycle(chain) is None
    assert cycle({**chain, "3000": ["0"]}) is not None
