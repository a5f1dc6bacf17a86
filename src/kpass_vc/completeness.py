"""What a definition still lacks before it may be published.

The measure is Annex I of the Council Recommendation on micro-credentials
(2022/C 243/02), whose mandatory elements each gap names, and that both language
editions can be made. Who is awarded, by whom and when is known only at issue.
A size that seems odd, or knowledge without a skill, is a warning: a policy, not a rule.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Final

from kpass_vc.errors import FieldError
from kpass_vc.language import LANGUAGES
from kpass_vc.model.definition import Definition, Level, Stackability

# The ECTS Users' Guide: one credit is 25 to 30 hours of work.
FEWEST_HOURS_PER_CREDIT: Final = 25
MOST_HOURS_PER_CREDIT: Final = 30

SMALL_HOURS: Final = 4
LARGE_HOURS: Final = 400
LONG_TITLE: Final = 120


def gaps(definition: Definition) -> tuple[FieldError, ...]:
    """Everything that stops the definition from being published, in the document's order."""
    return tuple(
        gap
        for part in (
            _identity,
            _learning_outcomes,
            _level,
            _workload,
            _participation,
            _assessment,
            _quality_assurance,
            _prerequisites,
            _stackability,
        )
        for gap in part(definition)
    )


def warnings(definition: Definition) -> tuple[FieldError, ...]:
    """What the owner should think over, though it stops nothing."""
    return tuple(_warnings(definition))


_ELEMENTS: Final[Mapping[str, str]] = {
    "title": "title",
    "country": "country",
    "authorised_issuers": "awarding_body",
    "learning_outcomes": "learning_outcomes",
    "level": "level",
    "workload": "workload",
    "participation": "participation",
    "assessment": "assessment",
    "quality_assurance": "quality_assurance",
    "prerequisites": "prerequisites",
    "stackability": "stackability",
}


def element(field: str) -> str | None:
    """The element of Annex I of 2022/C 243/02 that a field belongs to, or None.

    The mandatory ones are title, country, awarding body, learning outcomes, workload, level, assessment,
    participation and quality assurance; identity and date are known only at issue; the others are optional.
    """
    if field.startswith("/assessment/supervision"):
        return "supervision"
    return _ELEMENTS.get(field.split("/")[1] if field.startswith("/") else "")


def cycle(parts: Mapping[str, Collection[str]]) -> tuple[str, ...] | None:
    """A round of codes in which each needs the next and the last the first, or None."""
    done: set[str] = set()
    for start in parts:
        path: list[str] = []
        pending = [iter((start,))]
        while pending:
            code = next(pending[-1], None)
            if code is None:
                pending.pop()
                if path:
                    done.add(path.pop())
            elif code in path:
                return tuple(path[path.index(code) :])
            elif code not in done:
                path.append(code)
                pending.append(iter(parts.get(code, ())))
    return None


def _identity(definition: Definition) -> Iterator[FieldError]:
    yield from _editions("/title", "title", definition.title)
    yield from _editions("/description", "description", definition.description)
    if definition.country is None:
        yield FieldError("/country", "gap.country")
    if not definition.authorised_issuers:
        yield FieldError("/authorised_issuers", "gap.authorised_issuers")


def _learning_outcomes(definition: Definition) -> Iterator[FieldError]:
    if not definition.learning_outcomes:
        yield FieldError("/learning_outcomes", "gap.learning_outcomes")
    uses = Counter(outcome.id for outcome in definition.learning_outcomes)
    for place, outcome in enumerate(definition.learning_outcomes):
        field = f"/learning_outcomes/{place}"
        if outcome.id is None:
            yield FieldError(f"{field}/id", "gap.outcome_id")
        elif uses[outcome.id] > 1:
            yield FieldError(f"{field}/id", "gap.outcome_id_twice", id=outcome.id)
        if outcome.domain is None:
            yield FieldError(f"{field}/domain", "gap.outcome_domain")
        yield from _editions(f"{field}/text", "outcome_text", outcome.text)


def _level(definition: Definition) -> Iterator[FieldError]:
    level = definition.level or Level()
    if level.basis is None:
        yield FieldError("/level/basis", "gap.level_basis")
    elif level.basis == "not_levelled":
        if level.level is not None or level.eqf_level is not None:
            yield FieldError("/level/level", "gap.level_without_basis")
        return
    elif level.level is None:
        yield FieldError("/level/level", "gap.level")
    if None not in {level.level, level.eqf_level} and level.level != level.eqf_level:
        yield FieldError("/level/eqf_level", "gap.eqf_level", level=level.level)
    if level.basis == "myh_decision":
        if level.decision_reference is None:
            yield FieldError("/level/decision_reference", "gap.decision_reference")
        if level.decision_valid_until is None:
            yield FieldError("/level/decision_valid_until", "gap.decision_valid_until")


def _workload(definition: Definition) -> Iterator[FieldError]:
    workload = definition.workload
    if workload is None or workload.hours is None:
        yield FieldError("/workload/hours", "gap.workload")
    elif workload.ects is not None:
        credit = workload.hours / Decimal(workload.ects)
        if not FEWEST_HOURS_PER_CREDIT <= credit <= MOST_HOURS_PER_CREDIT:
            yield FieldError(
                "/workload/ects",
                "gap.ects",
                hours=workload.hours,
                ects=workload.ects,
                fewest=FEWEST_HOURS_PER_CREDIT,
                most=MOST_HOURS_PER_CREDIT,
            )


def _participation(definition: Definition) -> Iterator[FieldError]:
    if definition.participation is None or not definition.participation.forms:
        yield FieldError("/participation/forms", "gap.participation")


def _assessment(definition: Definition) -> Iterator[FieldError]:
    assessment = definition.assessment
    if assessment is None or not assessment.types:
        yield FieldError("/assessment/types", "gap.assessment_types")
    if assessment is None or assessment.supervision is None:
        yield FieldError("/assessment/supervision", "gap.supervision")
    criteria = assessment.criteria if assessment else None
    yield from _editions("/assessment/criteria", "criteria", criteria)
    if assessment and assessment.assessor_requirement:
        yield from _editions(
            "/assessment/assessor_requirement", "assessor", assessment.assessor_requirement
        )


def _quality_assurance(definition: Definition) -> Iterator[FieldError]:
    quality = definition.quality_assurance
    if quality is None or not quality.types:
        yield FieldError("/quality_assurance/types", "gap.quality_types")
    description = quality.description if quality else None
    yield from _editions("/quality_assurance/description", "quality_description", description)


def _prerequisites(definition: Definition) -> Iterator[FieldError]:
    prerequisites = definition.prerequisites
    if prerequisites is None:
        return
    if prerequisites.text:
        yield from _editions("/prerequisites/text", "prerequisites", prerequisites.text)
    if definition.code in prerequisites.required_definitions:
        yield FieldError("/prerequisites/required_definitions", "gap.needs_itself")


def _stackability(definition: Definition) -> Iterator[FieldError]:
    stackability = definition.stackability or Stackability()
    stack = definition.credential_kind == "stack"
    if stack != (stackability.kind == "stack"):
        yield FieldError("/stackability/kind", "gap.stack_kind")
    if stack and not stackability.parts:
        yield FieldError("/stackability/requires_all_of", "gap.stack_parts")
    if not stack and stackability.parts:
        yield FieldError("/stackability/requires_all_of", "gap.parts_without_stack")
    if definition.code in stackability.parts:
        yield FieldError("/stackability/requires_all_of", "gap.needs_itself")
    choice = stackability.requires_count_from
    if choice and choice.count > len(choice.definitions):
        yield FieldError(
            "/stackability/requires_count_from/count",
            "gap.stack_count",
            count=choice.count,
            available=len(choice.definitions),
        )


def _editions(field: str, name: str, text: Mapping[str, str] | None) -> Iterator[FieldError]:
    """A gap for each language edition that could not be made for want of this text."""
    for language in LANGUAGES:
        if language not in (text or {}):
            yield FieldError(f"{field}/{language}", f"gap.{name}.{language}")


def _warnings(definition: Definition) -> Iterator[FieldError]:
    for language, title in definition.title.items():
        if len(title) > LONG_TITLE:
            yield FieldError(f"/title/{language}", "warning.long_title", most=LONG_TITLE)
    domains = {outcome.domain for outcome in definition.learning_outcomes}
    if definition.credential_kind == "micro_credential" and domains == {"knowledge"}:
        yield FieldError("/learning_outcomes", "warning.only_knowledge")
    hours = definition.workload.hours if definition.workload else None
    if hours is not None and hours < SMALL_HOURS:
        yield FieldError("/workload/hours", "warning.small", least=SMALL_HOURS)
    if definition.credential_kind == "micro_credential" and (hours or 0) > LARGE_HOURS:
        yield FieldError("/workload/hours", "warning.large", most=LARGE_HOURS)
