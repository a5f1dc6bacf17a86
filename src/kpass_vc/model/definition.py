"""A micromerit definition as it is imported: gaps are allowed, mistakes are not.

Only code, version, owner and the Swedish title are needed; completeness.py says
what else a published version must have. What is given must be right. Credits are
carried as text, since no JSON float may reach what we hash or sign.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from kpass_vc.errors import InvalidInput
from kpass_vc.model.dates import parse_day
from kpass_vc.model.field_errors import broken, field_errors
from kpass_vc.model.text import name, one_line, written

CODE: Final = "^[A-Z]{2,6}(-[A-Z0-9]{2,8}){1,4}$"
SLUG: Final = "^[a-z0-9]+(-[a-z0-9]+)*$"
VERSION: Final = "^(0|[1-9][0-9]{0,5})[.](0|[1-9][0-9]{0,5})[.](0|[1-9][0-9]{0,5})$"

_DURATION: Final = re.compile(r"P(?:([0-9]{1,3})Y)?(?:([0-9]{1,3})M)?(?:([0-9]{1,4})D)?")
_POINTS: Final = re.compile(r"[0-9]{1,4}(?:[.][0-9]{1,4})?")
_MOST_POINTS: Final = 400

Kind = Literal["micro_credential", "stack"]
Status = Literal["draft", "in_review", "approved", "published", "superseded", "retired"]
StatusPurpose = Literal["revocation", "suspension"]
Domain = Literal["knowledge", "skill", "responsibility_autonomy"]
LevelBasis = Literal["myh_decision", "statutory", "self_assessed", "not_levelled"]
ParticipationForm = Literal["onsite", "online", "blended", "work_based", "project_based"]
LearningSetting = Literal["formal", "non_formal", "informal"]
ActivityType = Literal[
    "classroom",
    "e_learning",
    "practice",
    "job_experience",
    "internship",
    "apprenticeship",
    "volunteering",
    "self_study",
    "workshop",
    "educational_programme",
    "research",
]
AssessmentType = Literal[
    "written",
    "oral",
    "practical",
    "portfolio",
    "continuous",
    "artefact",
    "project",
    "quiz",
    "peer",
    "group",
    "marked_assignment",
    "problem_based",
]
AssessmentMode = Literal["onsite", "online", "blended"]
Supervision = Literal[
    "unsupervised_no_id", "unsupervised_with_id", "supervised_no_id", "supervised_with_id"
]
QualityAssuranceType = Literal[
    "sector_validation_model",
    "internal_quality_assurance",
    "external_review",
    "institutional_accreditation",
    "programme_accreditation",
    "myh_levelled",
]
StackKind = Literal["stand_alone", "stackable", "stack"]
RenewalMethod = Literal["none", "reassessment", "attestation_of_practice", "refresher"]
AlignmentFramework = Literal["jobtech_taxonomy", "esco", "ssyk_2012", "sun_2020"]
TargetGroup = Literal[
    "youth",
    "newly_arrived",
    "low_formal_education",
    "long_term_unemployed",
    "second_language_learner",
    "people_with_disabilities",
    "employees",
]

_Item = TypeVar("_Item")


def _unique(value: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if len(set(value)) != len(value):
        raise broken("unique")
    return value


def _with_swedish(value: dict[str, str]) -> dict[str, str]:
    if "sv" not in value:
        raise broken("required", at="/sv")
    return value


def _calendar_day(value: str) -> str:
    if parse_day(value) is None:
        raise broken("date")
    return value


def _duration(value: str) -> str:
    parts = _DURATION.fullmatch(value)
    if parts is None or not any(int(part) for part in parts.groups() if part):
        raise broken("duration")
    return value


def _points(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise broken("type", expected="number")
    if isinstance(value, str) and not _POINTS.fullmatch(value):
        raise broken("type", expected="number")
    try:
        number = Decimal(str(value)).normalize()
    except InvalidOperation as error:
        raise broken("type", expected="number") from error
    if not number.is_finite() or not 0 < number <= _MOST_POINTS:
        raise broken("range", limit=f"> 0, ≤ {_MOST_POINTS}")
    text = f"{number:f}"
    if not _POINTS.fullmatch(text):
        raise broken("decimals")
    return text


Code = Annotated[str, StringConstraints(strict=True, pattern=CODE)]
Slug = Annotated[str, StringConstraints(strict=True, pattern=SLUG, max_length=63)]
LanguageTag = Annotated[str, StringConstraints(strict=True, pattern="^[a-z]{2}$")]
_Prose = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=2000), AfterValidator(written)
]
_Line = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=2000), AfterValidator(one_line)
]
_ShortLine = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=200), AfterValidator(name)
]
Prose = Annotated[dict[LanguageTag, _Prose], Field(min_length=1)]
Line = Annotated[dict[LanguageTag, _Line], Field(min_length=1)]
Title = Annotated[dict[LanguageTag, _ShortLine], Field(min_length=1), AfterValidator(_with_swedish)]
Label = Annotated[dict[LanguageTag, _ShortLine], Field(min_length=1)]
PlainOrLabel = Annotated[
    Label,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": 200},
                {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": "^[a-z]{2}$"},
                    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 200},
                },
            ]
        }
    ),
]
Day = Annotated[str, StringConstraints(strict=True), AfterValidator(_calendar_day)]
Duration = Annotated[str, StringConstraints(strict=True), AfterValidator(_duration)]
Points = Annotated[
    str | None,
    BeforeValidator(_points),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}, {"type": "null"}]}
    ),
]
Codes = Annotated[tuple[Code, ...], Field(max_length=200), AfterValidator(_unique)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LearningOutcome(_Closed):
    """What the learner knows, can do or can answer for."""

    id: Annotated[
        str | None,
        StringConstraints(strict=True, pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80),
    ] = None
    domain: Domain | None = None
    text: Line | None = None


class Level(_Closed):
    """A level with what it rests on: a decision is not the owner's own assessment."""

    framework: Literal["SeQF"] = "SeQF"
    level: Annotated[StrictInt, Field(ge=1, le=8)] | None = None
    eqf_level: Annotated[StrictInt, Field(ge=1, le=8)] | None = None
    basis: LevelBasis | None = None
    decision_reference: _ShortLine | None = None
    decision_valid_until: Day | None = None


class Workload(_Closed):
    """The notional workload."""

    hours: Annotated[StrictInt, Field(ge=1, le=1600)] | None = None
    ects: Points = None
    yh_points: Points = None


class Participation(_Closed):
    """How the learner takes part."""

    forms: Annotated[tuple[ParticipationForm, ...], AfterValidator(_unique)] = ()
    learning_setting: LearningSetting | None = None
    activity_types: Annotated[tuple[ActivityType, ...], AfterValidator(_unique)] = ()
    recognition_of_prior_learning: StrictBool = False


class Assessment(_Closed):
    """How the learning outcomes are assessed."""

    types: Annotated[tuple[AssessmentType, ...], AfterValidator(_unique)] = ()
    mode: AssessmentMode | None = None
    supervision: Supervision | None = None
    grading: Literal["pass_fail"] = "pass_fail"
    criteria: Prose | None = None
    assessor_requirement: Prose | None = None


class Accreditation(_Closed):
    """A real accreditation that the definition rests on."""

    name: Label
    url: Annotated[
        str | None,
        StringConstraints(strict=True, pattern="^https://[!-~]+$", max_length=500),
    ] = None
    valid_until: Day | None = None


class QualityAssurance(_Closed):
    """How the quality of the definition and its assessments is assured."""

    types: Annotated[tuple[QualityAssuranceType, ...], AfterValidator(_unique)] = ()
    description: Prose | None = None
    review_interval_months: Annotated[StrictInt, Field(ge=6, le=60)] | None = None
    accreditations: Annotated[tuple[Accreditation, ...], Field(max_length=20)] = ()


class Prerequisites(_Closed):
    """What a learner needs before; the codes are the same owner's definitions."""

    text: Prose | None = None
    required_definitions: Codes = ()


class CountFrom(_Closed):
    """A choice of parts: at least `count` of `definitions`."""

    count: Annotated[StrictInt, Field(ge=1, le=200)]
    definitions: Annotated[Codes, Field(min_length=1)]


class Stackability(_Closed):
    """Whether it is built of other definitions, or may be a part of one."""

    kind: StackKind | None = None
    part_of: Codes = ()
    requires_all_of: Codes = ()
    requires_count_from: CountFrom | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The codes of all definitions it is built of."""
        choice = self.requires_count_from.definitions if self.requires_count_from else ()
        return tuple(dict.fromkeys((*self.requires_all_of, *choice)))


class Validity(_Closed):
    """How long an award is valid; no duration means that it does not expire."""

    duration: Duration | None = None
    renewal_method: RenewalMethod = "none"


class ThematicArea(_Closed):
    """A field of education in ISCED-F 2013; a plain name is the English one."""

    framework: Literal["isced_f_2013"] = "isced_f_2013"
    code: Annotated[str, StringConstraints(strict=True, pattern="^[0-9]{2,4}$")]
    name: PlainOrLabel | None = None
    url: Annotated[
        str | None,
        StringConstraints(
            strict=True, pattern="^http://data[.]europa[.]eu/snb/isced-f/[0-9]{2,4}$"
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _name_in_its_language(cls, value: object) -> object:
        return _labelled(value, "name", "en")

    @model_validator(mode="after")
    def _url_names_the_code(self) -> "ThematicArea":
        if self.url and not self.url.endswith(f"/{self.code}"):
            raise broken("thematic_area_url", at="/url", code=self.code)
        return self


class Alignment(_Closed):
    """A term of someone else's taxonomy; a plain name is in the language of that taxonomy."""

    framework: AlignmentFramework
    target_type: _ShortLine | None = None
    target_code: _ShortLine | None = None
    target_name: PlainOrLabel
    target_url: Annotated[
        str,
        StringConstraints(
            strict=True,
            pattern=(
                "^http://data[.](jobtechdev[.]se/taxonomy/concept/"
                "[A-Za-z0-9]{4}_[A-Za-z0-9]{3}_[A-Za-z0-9]{3}"
                "|europa[.]eu/esco/(skill|occupation)/[0-9a-f-]{36})$"
            ),
        ),
    ]
    source_status: _ShortLine | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_in_its_language(cls, value: object) -> object:
        esco = isinstance(value, Mapping) and value.get("framework") == "esco"
        return _labelled(value, "target_name", "en" if esco else "sv")


class Definition(_Closed):
    """One version of a micromerit definition, with or without gaps."""

    schema_version: Literal["1.0"] = "1.0"
    code: Code
    version: Annotated[str, StringConstraints(strict=True, pattern=VERSION)]
    status: Status = "draft"
    illustrative: StrictBool = False
    credential_kind: Kind = "micro_credential"
    title: Title
    description: Prose | None = None
    owner: Slug
    authorised_issuers: Annotated[
        tuple[Slug, ...], Field(max_length=1000), AfterValidator(_unique)
    ] = ()
    country: Annotated[str | None, StringConstraints(strict=True, pattern="^[A-Z]{2}$")] = None
    language: LanguageTag | None = None
    learning_outcomes: Annotated[tuple[LearningOutcome, ...], Field(max_length=100)] = ()
    level: Level | None = None
    workload: Workload | None = None
    participation: Participation | None = None
    assessment: Assessment | None = None
    quality_assurance: QualityAssurance | None = None
    prerequisites: Prerequisites | None = None
    stackability: Stackability | None = None
    validity: Validity | None = None
    status_purpose: StatusPurpose = "revocation"
    thematic_areas: Annotated[tuple[ThematicArea, ...], Field(max_length=20)] = ()
    alignments: Annotated[tuple[Alignment, ...], Field(max_length=200)] = ()
    target_groups: Annotated[tuple[TargetGroup, ...], AfterValidator(_unique)] = ()
    tags: Annotated[tuple[_ShortLine, ...], Field(max_length=50), AfterValidator(_unique)] = ()


def read_definition(document: Mapping[str, object]) -> Definition:
    """The definition in `document`; InvalidInput names every field that breaks a rule."""
    try:
        return Definition.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(*field_errors(error)) from error


def _labelled(value: object, member: str, language: str) -> object:
    if isinstance(value, Mapping) and isinstance(value.get(member), str):
        return {**value, member: {language: value[member]}}
    return value
