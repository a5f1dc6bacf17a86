"""A definition in words: the criteria narrative of its Achievement, as Markdown.

A missing field leaves its fact out, never half a sentence. What the owner wrote
is escaped, so that it reads as written in a wallet that renders Markdown.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from kpass_vc.compose.definition import Owner
from kpass_vc.language import Language, has, say
from kpass_vc.model.definition import (
    Assessment,
    Definition,
    Level,
    Participation,
    Prerequisites,
    QualityAssurance,
    Stackability,
    Validity,
    Workload,
)

_MARKUP: Final = re.compile(
    r"[\\`*_\[\]<>~]|&(?=[#A-Za-z])|^(?=[-+#=](?:\s|$))|^[0-9]{1,9}(?=[.)])"
)
_PERIODS: Final = re.compile(r"P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?")
_MONTHS_IN_A_YEAR: Final = 12


@dataclass(frozen=True)
class Fact:
    """One line of facts: the label's key and what it says, in plain text."""

    label: str
    text: str


def narrative(definition: Definition, owner: Owner, language: Language) -> str:
    """The learning outcomes and the facts of a definition, as Markdown."""
    kind = say(language, f"definition.kind.{definition.credential_kind}")
    blocks = []
    if definition.illustrative:
        blocks.append(f"**{escape(notice(owner.names[language], language))}**")
    outcomes = [
        f"{number}. {escape(sentence(outcome.text[language]))}"
        for number, outcome in enumerate(definition.learning_outcomes, 1)
        if outcome.text and language in outcome.text
    ]
    if outcomes:
        heading = say(language, "definition.outcomes_heading", kind=kind)
        blocks.append("\n".join([f"## {heading}", *outcomes]))
    lines = [
        f"- **{say(language, f'definition.label.{fact.label}')}:** {escape(fact.text)}"
        for fact in facts(definition, language)
    ]
    if lines:
        blocks.append("\n".join([f"## {say(language, 'definition.facts_heading')}", *lines]))
    return "\n\n".join(blocks)


def facts(definition: Definition, language: Language) -> tuple[Fact, ...]:
    """What a reader must know beside the learning outcomes, in the order of the narrative."""
    stackability = definition.stackability or Stackability()
    assessed = definition.assessment or Assessment()
    found = [
        Fact("workload", workload(definition.workload or Workload(), language)),
        Fact("level", level(definition.level or Level(), language)),
        Fact("participation", participation(definition.participation or Participation(), language)),
        Fact("assessment", assessment(assessed, language)),
        Fact("assessor", assessor(assessed, language)),
        Fact("quality", quality(definition.quality_assurance or QualityAssurance(), language)),
        Fact("validity", validity(definition.validity or Validity(), language)),
        Fact(
            "prerequisites",
            prerequisites(
                definition.prerequisites or Prerequisites(), stackability.parts, language
            ),
        ),
        Fact("parts", parts(stackability, language)),
        Fact("stackability", stacking(stackability, language)),
    ]
    return tuple(fact for fact in found if fact.text)


def notice(owner_name: str, language: Language) -> str:
    """What must stand first where a definition is only an illustration."""
    for mark in say(language, "definition.example_marks").split("|"):
        owner_name = owner_name.removesuffix(mark)
    return say(language, "definition.notice", owner=owner_name)


def workload(given: Workload, language: Language) -> str:
    """The hours and the credits."""
    amounts = []
    if given.hours is not None:
        unit = "hour_one" if given.hours == 1 else "hours"
        amounts.append(say(language, f"definition.count.{unit}", count=given.hours))
    for unit, points in (("ects", given.ects), ("yh_points", given.yh_points)):
        if points is not None:
            count = points.replace(".", say(language, "definition.decimal_comma"))
            amounts.append(say(language, f"definition.count.{unit}", count=count))
    return ", ".join(amounts)


def level(given: Level, language: Language) -> str:
    """The level with what it rests on, or nothing when either is missing."""
    if given.basis == "not_levelled":
        return say(language, "definition.level.not_levelled")
    if given.basis is None or given.level is None:
        return ""
    decided = given.decision_reference and given.decision_valid_until
    if given.basis == "myh_decision" and not decided:
        return ""
    key = "name" if given.eqf_level is None else "name_eqf"
    name = say(language, f"definition.level.{key}", level=given.level, eqf=given.eqf_level)
    basis: str = given.basis
    if basis == "statutory" and given.decision_reference:
        basis = "statutory_reference"
    return say(
        language,
        f"definition.level.{basis}",
        name=name,
        reference=given.decision_reference,
        until=given.decision_valid_until,
    )


def participation(given: Participation, language: Language) -> str:
    """The forms of participation, the activities, and whether validation will do."""
    sentences = []
    if given.forms:
        forms = [say(language, f"definition.form.{form}") for form in given.forms]
        sentences.append(sentence(enumeration(forms, language, last="also")))
    if given.activity_types:
        names = [say(language, f"definition.activity.{kind}") for kind in given.activity_types]
        activities = enumeration(names, language)
        sentences.append(say(language, "definition.activity.sentence", activities=activities))
    if given.recognition_of_prior_learning:
        sentences.append(say(language, "definition.activity.recognition"))
    return " ".join(sentences)


def assessment(given: Assessment, language: Language) -> str:
    """The forms of assessment with place and supervision, and the criteria."""
    types = [say(language, f"definition.assessment.{kind}") for kind in given.types]
    where = enumeration(types, language)
    if types and given.mode:
        where = f"{where} {say(language, f'definition.mode.{given.mode}')}"
    supervision = given.supervision and say(language, f"definition.supervision.{given.supervision}")
    circumstances = ", ".join(part for part in (where, supervision) if part)
    sentences = [sentence(circumstances)] if circumstances else []
    if given.criteria and language in given.criteria:
        sentences.append(sentence(given.criteria[language]))
    return " ".join(sentences)


def assessor(given: Assessment, language: Language) -> str:
    """What the owner requires of the assessor."""
    requirement = (given.assessor_requirement or {}).get(language)
    return sentence(requirement) if requirement else ""


def quality(given: QualityAssurance, language: Language) -> str:
    """How quality is assured, by what accreditation, and how often it is reviewed."""
    sentences = []
    if given.types:
        types = [say(language, f"definition.quality.{kind}") for kind in given.types]
        sentences.append(sentence(enumeration(types, language)))
    if given.description and language in given.description:
        sentences.append(sentence(given.description[language]))
    for accreditation in given.accreditations:
        key = "accreditation_until" if accreditation.valid_until else "accreditation"
        name = accreditation.name.get(language) or next(iter(accreditation.name.values()))
        until = accreditation.valid_until
        sentences.append(say(language, f"definition.quality.{key}", name=name, until=until))
    if given.review_interval_months:
        sentences.append(review(given.review_interval_months, language))
    return " ".join(sentences)


def review(months: int, language: Language) -> str:
    """How often the content is reviewed."""
    years, rest = divmod(months, _MONTHS_IN_A_YEAR)
    if rest == 0 and years == 1:
        return say(language, "definition.review.yearly")
    if rest == 0 and years == 2:
        return say(language, "definition.review.every_two_years")
    if rest == 0:
        ordinal = say(language, f"definition.ordinal.{years}")
        return say(language, "definition.review.years", ordinal=ordinal)
    # Swedish writes 1:a and 2:a, 21:a and 22:a, but 11:e, 12:e and 13:e.
    ending = months % 10 if months % 10 in {1, 2} and months not in {11, 12} else "n"
    interval = say(language, f"definition.ordinal.month_{ending}", count=months)
    return say(language, "definition.review.months", interval=interval)


def validity(given: Validity, language: Language) -> str:
    """How long an award is valid and how it is renewed."""
    if given.duration is None:
        sentences = [say(language, "definition.validity.unlimited")]
    else:
        length = duration(given.duration, language)
        sentences = [say(language, "definition.validity.limited", duration=length)]
    if given.duration is not None or given.renewal_method != "none":
        sentences.append(say(language, f"definition.renewal.{given.renewal_method}"))
    return " ".join(sentences)


def duration(given: str, language: Language) -> str:
    """An ISO 8601 duration of years, months and days, in words."""
    found = _PERIODS.fullmatch(given)
    counts = [int(part or 0) for part in found.groups()] if found else []
    return enumeration(
        [
            say(language, f"definition.count.{unit}_one")
            if count == 1
            else say(language, f"definition.count.{unit}s", count=number(count, language))
            for unit, count in zip(("year", "month", "day"), counts, strict=False)
            if count
        ],
        language,
    )


def prerequisites(given: Prerequisites, built_of: Collection[str], language: Language) -> str:
    """What is needed before, less the parts that a stack names anyway."""
    sentences = []
    if given.text and language in given.text:
        sentences.append(sentence(given.text[language]))
    codes = [code for code in given.required_definitions if code not in built_of]
    if codes:
        key = "definition" if len(codes) == 1 else "definitions"
        listed = enumeration(codes, language)
        sentences.append(say(language, f"definition.prerequisites.{key}", codes=listed))
    return " ".join(sentences)


def parts(given: Stackability, language: Language) -> str:
    """What a stack is built of."""
    sentences = []
    if given.requires_all_of:
        key = "one" if len(given.requires_all_of) == 1 else "all"
        sentences.append(
            say(
                language,
                f"definition.parts.{key}",
                count=number(len(given.requires_all_of), language),
                codes=enumeration(given.requires_all_of, language),
            )
        )
    if choice := given.requires_count_from:
        key = "further_choice" if given.requires_all_of else "choice"
        sentences.append(
            say(
                language,
                f"definition.parts.{key}",
                count=number(choice.count, language),
                codes=enumeration(choice.definitions, language),
            )
        )
    return " ".join(sentences)


def stacking(given: Stackability, language: Language) -> str:
    """Whether it may count towards something larger."""
    if given.kind is None or given.kind == "stack":
        return ""
    return say(language, f"definition.stackability.{given.kind}")


def number(count: int, language: Language) -> str:
    """A number in words up to twelve, then in figures."""
    key = f"definition.number.{count}"
    return say(language, key) if has(key) else str(count)


def enumeration(items: Sequence[str], language: Language, *, last: str = "and") -> str:
    """The items as a reader lists them: a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {say(language, f'definition.{last}')} {items[-1]}"


def sentence(text: str) -> str:
    """The text on one line with a full stop at its end."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def escape(text: str) -> str:
    """The text as Markdown that renders to just these characters (CommonMark 2.4)."""
    return _MARKUP.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    marked = found.group()
    return f"{marked}\\" if marked.isdigit() else f"\\{marked}"
