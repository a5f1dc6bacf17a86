"""What 1EdTech's schema of an AchievementCredential (Open Badges 3.0) demands, as one table of facts.

Weaker than the specification's text: it takes an empty `criteria`, a type that is one wrong word, and a date
without a zone where formats are not checked. So this is no check of ours; it says what a validator with
that schema would say. Held against the schema itself in the tests, where it is at hand.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from kpass_vc.model.dates import parse_date_time, parse_day
from kpass_vc.model.document import JsonObject, pointer

Place: TypeAlias = tuple[str | int, ...]

_LANGUAGE_KEY: Final = re.compile(r"[a-z]{2}(-[A-Z]{2})?\Z")
_CODE: Final = re.compile(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?\Z")
_JWS: Final = re.compile(r"[a-zA-Z0-9_-]+\.[a-zA-Z0-9_-]*\.[a-zA-Z0-9_-]+\Z")
_EXTENSION: Final = re.compile(r"ext:[a-z|A-Z0-9._-]+")
_BASE: Final = "https://www.w3.org/ns/credentials/v2"
_BADGE: Final = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json\Z"
)


@dataclass(frozen=True)
class Fault:
    """Where the schema is broken, and by which rule."""

    place: str
    rule: str


@dataclass(frozen=True)
class _Shape:
    """A node: which members it must have and what each must be; a closed one has no others."""

    required: tuple[str, ...]
    members: Mapping[str, str]
    closed: bool = False


_IDENTITY_TYPES: Final = [
    "name",
    "sourcedId",
    "systemId",
    "productId",
    "userName",
    "accountId",
    "emailAddress",
    "nationalIdentityNumber",
    "isbn",
    "issn",
    "lisSourcedId",
    "oneRosterSourcedId",
    "sisSourcedId",
    "ltiContextId",
    "ltiDeploymentId",
    "ltiToolId",
    "ltiPlatformId",
    "ltiUserId",
    "identifier",
]
ENUMERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "achievementType": frozenset(
        [
            "Achievement",
            "ApprenticeshipCertificate",
            "Assessment",
            "Assignment",
            "AssociateDegree",
            "Award",
            "Badge",
            "BachelorDegree",
            "Certificate",
            "CertificateOfCompletion",
            "Certification",
            "CommunityService",
            "Competency",
            "Course",
            "CoCurricular",
            "Degree",
            "Diploma",
            "DoctoralDegree",
            "Fieldwork",
            "GeneralEducationDevelopment",
            "JourneymanCertificate",
            "LearningProgram",
            "License",
            "Membership",
            "ProfessionalDoctorate",
            "QualityAssuranceCredential",
            "MasterCertificate",
            "MasterDegree",
            "MicroCredential",
            "ResearchDoctorate",
            "SecondarySchoolDiploma",
        ]
    ),
    "resultType": frozenset(
        [
            "GradePointAverage",
            "LetterGrade",
            "Percent",
            "PerformanceLevel",
            "PredictedScore",
            "RawScore",
            "Result",
            "RubricCriterion",
            "RubricCriterionLevel",
            "RubricScore",
            "ScaledScore",
            "Status",
        ]
    ),
    "targetType": frozenset(
        [
            "ceasn:Competency",
            "ceterms:Credential",
            "CFItem",
            "CFRubric",
            "CFRubricCriterion",
            "CFRubricCriterionLevel",
            "CTDL",
        ]
    ),
    "identityType": frozenset(_IDENTITY_TYPES),
}
_STATUSES: Final = frozenset(
    ["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"]
)

_PERSON: Final = [
    "familyName",
    "givenName",
    "additionalName",
    "patronymicName",
    "honorificPrefix",
    "honorificSuffix",
    "familyNamePrefix",
]


def _texts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "text")


# what a member must be: text, number, moment, day, flag, code, or one of these names; `many x` is one or a list;
# `of K` a type: a word, or a list with K in it; `only K` exactly the word K; `enum E` one of ENUMERATIONS or ext:…
SHAPES: Final[Mapping[str, _Shape]] = {
    "Credential": _Shape(
        ("@context", "id", "type", "credentialSubject", "issuer", "validFrom"),
        {
            "@context": "contexts",
            **_texts("id", "name", "description"),
            "type": "of VerifiableCredential & AchievementCredential|OpenBadgeCredential",
            "image": "Image",
            **dict.fromkeys(("awardedDate", "validFrom", "validUntil"), "moment"),
            "credentialSubject": "AchievementSubject",
            "endorsement": "many EndorsementCredential",
            "endorsementJwt": "many jws",
            "issuer": "issuer",
            "proof": "many Proof",
            "credentialSchema": "many Named",
            "credentialStatus": "Typed",
            "refreshService": "Named",
            "termsOfUse": "many Typed",
            "evidence": "many Evidence",
        },
    ),
    "EndorsementCredential": _Shape(
        ("@context", "type", "id", "name", "credentialSubject", "issuer", "validFrom"),
        {
            "@context": "contexts",
            **_texts("id", "name", "description"),
            "type": "of VerifiableCredential & EndorsementCredential",
            **dict.fromkeys(("awardedDate", "validFrom", "validUntil"), "moment"),
            "credentialSubject": "EndorsementSubject",
            "issuer": "issuer",
            "proof": "many Proof",
            "credentialSchema": "many Named",
            "credentialStatus": "Typed",
            "refreshService": "Named",
            "termsOfUse": "many Typed",
            "evidence": "many Evidence",
        },
    ),
    "EndorsementSubject": _Shape(
        ("id", "type"), {**_texts("id", "endorsementComment"), "type": "of EndorsementSubject"}
    ),
    "AchievementSubject": _Shape(
        ("type", "achievement"),
        {
            **_texts("id", "licenseNumber", "narrative", "role", "term"),
            "type": "of AchievementSubject",
            "activityStartDate": "moment",
            "activityEndDate": "moment",
            "creditsEarned": "number",
            "achievement": "Achievement",
            "identifier": "many IdentityObject",
            "image": "Image",
            "result": "many Result",
            "source": "Profile",
        },
    ),
    "IdentityObject": _Shape(
        ("type", "hashed", "identityHash", "identityType"),
        {
            "type": "only IdentityObject",
            "hashed": "flag",
            "identityType": "enum identityType",
            **_texts("identityHash", "salt"),
        },
        closed=True,
    ),
    "Evidence": _Shape(
        ("type",),
        {
            **_texts("id", "narrative", "name", "description", "genre", "audience"),
            "type": "of Evidence",
        },
    ),
    "Achievement": _Shape(
        ("id", "type", "criteria", "description", "name"),
        {
            **_texts("id", "description", "fieldOfStudy", "humanCode", "name", "specialization"),
            "version": "text",
            "type": "of Achievement",
            "alignment": "many Alignment",
            "achievementType": "enum achievementType",
            "creator": "Profile",
            "creditsAvailable": "number",
            "criteria": "Criteria",
            "endorsement": "many EndorsementCredential",
            "endorsementJwt": "many jws",
            "image": "Image",
            "inLanguage": "code",
            "otherIdentifier": "many IdentifierEntry",
            "related": "many Related",
            "resultDescription": "many ResultDescription",
            "tag": "many text",
        },
    ),
    "Criteria": _Shape((), _texts("id", "narrative")),
    "Alignment": _Shape(
        ("type", "targetName", "targetUrl"),
        {
            "type": "of Alignment",
            "targetType": "enum targetType",
            **_texts(
                "targetCode", "targetDescription", "targetName", "targetFramework", "targetUrl"
            ),
        },
    ),
    "IdentifierEntry": _Shape(
        ("type", "identifier", "identifierType"),
        {
            "type": "only IdentifierEntry",
            "identifier": "text",
            "identifierType": "enum identityType",
        },
        closed=True,
    ),
    "Related": _Shape(
        ("id", "type"), {**_texts("id", "version"), "type": "of Related", "inLanguage": "code"}
    ),
    "Result": _Shape(
        ("type",),
        {
            **_texts("achievedLevel", "resultDescription", "value"),
            "type": "of Result",
            "alignment": "many Alignment",
            "status": "status",
        },
    ),
    "ResultDescription": _Shape(
        ("id", "type", "name", "resultType"),
        {
            **_texts("id", "name", "requiredLevel", "requiredValue", "valueMax", "valueMin"),
            "type": "of ResultDescription",
            "alignment": "many Alignment",
            "allowedValue": "many text",
            "resultType": "enum resultType",
            "rubricCriterionLevel": "many RubricCriterionLevel",
        },
    ),
    "RubricCriterionLevel": _Shape(
        ("id", "type", "name"),
        {
            **_texts("id", "name", "description", "level", "points"),
            "type": "of RubricCriterionLevel",
            "alignment": "many Alignment",
        },
    ),
    "Profile": _Shape(
        ("id", "type"),
        {
            **_texts("id", "name", "url", "phone", "description", "email", "official", *_PERSON),
            "type": "of Profile",
            "endorsement": "many EndorsementCredential",
            "endorsementJwt": "many jws",
            "image": "Image",
            "address": "Address",
            "otherIdentifier": "many IdentifierEntry",
            "parentOrg": "Profile",
            "dateOfBirth": "day",
        },
    ),
    "Address": _Shape(
        ("type",),
        {
            "type": "of Address",
            **_texts("addressCountry", "addressCountryCode", "addressRegion", "addressLocality"),
            **_texts("streetAddress", "postOfficeBoxNumber", "postalCode"),
            "geo": "GeoCoordinates",
        },
    ),
    "GeoCoordinates": _Shape(
        ("type", "latitude", "longitude"),
        {"type": "only GeoCoordinates", "latitude": "number", "longitude": "number"},
    ),
    "Image": _Shape(("id", "type"), {"type": "only Image", **_texts("id", "caption")}, closed=True),
    "Proof": _Shape(
        ("type",),
        {
            **_texts("type", "cryptosuite", "challenge", "domain", "nonce", "proofPurpose"),
            **_texts("proofValue", "verificationMethod"),
            "created": "moment",
        },
    ),
    "Named": _Shape(("id", "type"), _texts("id", "type")),
    "Typed": _Shape(("type",), _texts("id", "type")),
}


def schema_faults(document: JsonObject) -> Iterator[Fault]:
    """Where an AchievementCredential breaks 1EdTech's schema; nothing if it does not."""
    yield from _node(document, "Credential", ())


def _node(value: object, shape_name: str, place: Place) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield Fault(pointer(*place), f"must be an object ({shape_name})")
        return
    shape = SHAPES[shape_name]
    for name in shape.required:
        if name not in value:
            yield Fault(pointer(*place, name), "is missing")
    for name, found in value.items():
        kind = shape.members.get(name)
        if kind is not None:
            yield from _value(found, kind, (*place, name))
        elif shape.closed:
            yield Fault(pointer(*place, name), f"is no member of {shape_name}")


def _value(value: object, kind: str, place: Place) -> Iterator[Fault]:
    word, _, rest = kind.partition(" ")
    if word == "many":
        if isinstance(value, list):
            for number, entry in enumerate(value):
                yield from _value(entry, rest, (*place, number))
            return
        yield from _value(value, rest, place)
    elif word == "of":
        yield from _type(value, rest, place)
    elif word == "contexts":
        yield from _contexts(value, place)
    elif word == "issuer":
        if not _is_text(value):
            yield from _node(value, "Profile", place)
    elif word in SHAPES:
        yield from _node(value, word, place)
    elif not _is(value, word, rest):
        yield Fault(pointer(*place), f"must be: {kind}")


def _type(value: object, demanded: str, place: Place) -> Iterator[Fault]:
    """One word, whatever it is, or a list that holds what is demanded."""
    if _is_text(value):
        return
    if not isinstance(value, list) or not value or not all(map(_is_text, value)):
        yield Fault(pointer(*place), "must be a text, or a list of texts")
        return
    for alternatives in demanded.split(" & "):
        if not set(alternatives.split("|")) & {entry for entry in value if isinstance(entry, str)}:
            yield Fault(pointer(*place), f"must hold {alternatives}")


def _contexts(value: object, place: Place) -> Iterator[Fault]:
    if isinstance(value, str | Mapping):
        return
    if not isinstance(value, list) or len(value) < 2:
        yield Fault(pointer(*place), "must have two contexts or more")
        return
    if value[0] != _BASE:
        yield Fault(pointer(*place, 0), f"must be {_BASE}")
    if not isinstance(value[1], str) or not _BADGE.match(value[1]):
        yield Fault(pointer(*place, 1), "must be an Open Badges context")
    for number, entry in enumerate(value[2:], 2):
        if not isinstance(entry, str | Mapping):
            yield Fault(pointer(*place, number), "must be a URL or an object")


def _is(value: object, word: str, rest: str) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match word:
        case "text":
            return _is_text(value)
        case "number":
            return is_number
        case "flag":
            return isinstance(value, bool)
        case "moment":
            return isinstance(value, str) and parse_date_time(value) is not None
        case "day":
            return isinstance(value, str) and parse_day(value) is not None
        case "code":
            return _is_text(value, _CODE)
        case "jws":
            return _is_text(value, _JWS)
        case "status":
            return value in _STATUSES if isinstance(value, str) else False
        case "only":
            return value == rest or (isinstance(value, Mapping) and _is_map(value, rest))
        case _:
            known = isinstance(value, str) and value in ENUMERATIONS[rest]
            extends = isinstance(value, str) and _EXTENSION.search(value) is not None
            return known != extends


def _is_text(value: object, pattern: re.Pattern[str] | None = None) -> bool:
    """A text, or a map from languages to texts."""
    if isinstance(value, Mapping):
        return all(
            _LANGUAGE_KEY.match(str(key))
            and isinstance(text, str)
            and (not pattern or pattern.match(text))
            for key, text in value.items()
        )
    return isinstance(value, str) and (pattern is None or pattern.match(value) is not None)


def _is_map(value: Mapping[str, object], word: str) -> bool:
    return all(_LANGUAGE_KEY.match(key) and text == word for key, text in value.items())
