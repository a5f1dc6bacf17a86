"""The published definition: what never changes, as the bytes that are stored and hashed.

Who may issue, which state the version is in and what it is a part of do change:
they are records around the document and stand nowhere in it.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpass_vc.addresses import DefinitionAddresses
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.definition import (
    Accreditation,
    Alignment,
    Assessment,
    Definition,
    Level,
    Participation,
    Prerequisites,
    QualityAssurance,
    Stackability,
    ThematicArea,
    Validity,
    Workload,
)
from kpass_vc.model.identifiers import FIELDS_OF_EDUCATION, field_of_education

SCHEMA_VERSION: Final = "2.0"


@dataclass(frozen=True)
class Owner:
    """What a published document says of the organisation that owns the definition."""

    did: str
    names: Mapping[Language, str]
    url: str | None = None


def published_definition(
    definition: Definition, owner: Owner, addresses: DefinitionAddresses
) -> dict[str, object]:
    """The full definition as the world may read it, in all its languages."""
    document: dict[str, object] = {
        "id": addresses.document,
        "definition": addresses.line,
        "schema_version": SCHEMA_VERSION,
        "code": definition.code,
        "version": definition.version,
        "illustrative": definition.illustrative,
        "credential_kind": definition.credential_kind,
        "title": texts(definition.title),
        "description": texts(definition.description),
        "owner": {"id": owner.did, "name": texts(dict(owner.names))},
        "country": definition.country,
        "language": definition.language,
        "learning_outcomes": [
            {"id": outcome.id, "domain": outcome.domain, "text": texts(outcome.text)}
            for outcome in definition.learning_outcomes
        ],
        "level": _level(definition.level or Level()),
        "workload": _workload(definition.workload or Workload()),
        "participation": _participation(definition.participation or Participation()),
        "assessment": _assessment(definition.assessment or Assessment()),
        "quality_assurance": _quality(definition.quality_assurance or QualityAssurance()),
        "prerequisites": _prerequisites(definition.prerequisites or Prerequisites()),
        "stackability": _stackability(definition.stackability or Stackability()),
        "validity": _validity(definition.validity or Validity()),
    }
    if definition.status_purpose != "revocation":
        document["status_purpose"] = definition.status_purpose
    document["thematic_areas"] = [_thematic_area(area) for area in definition.thematic_areas]
    document["alignments"] = [_alignment(alignment) for alignment in definition.alignments]
    document["target_groups"] = list(definition.target_groups)
    document["tags"] = list(definition.tags)
    return document


def to_bytes(document: Mapping[str, object]) -> bytes:
    """The bytes of a published document: stored, served and hashed as they are."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    return f"{text}\n".encode()


def digest_sri(content: bytes) -> str:
    """The digest of `content` as Subresource Integrity writes it (VCDM 2.0 section 5.3)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode("ascii")


def texts(given: Mapping[str, str] | Mapping[Language, str] | None) -> dict[str, str] | None:
    """A language map in one order: Swedish, English, then the others by their tags."""
    if given is None:
        return None
    by_tag = {str(tag): text for tag, text in given.items()}
    ours = [language for language in LANGUAGES if language in by_tag]
    return {tag: by_tag[tag] for tag in (*ours, *sorted(by_tag.keys() - set(LANGUAGES)))}


def area_names(area: ThematicArea) -> dict[str, str]:
    """The names of a field of education: its own, and those we know for the code."""
    known = FIELDS_OF_EDUCATION.get(area.code, {})
    return texts({**known, **(area.name or {})}) or {}


def _level(level: Level) -> dict[str, object]:
    return {
        "framework": level.framework,
        "level": level.level,
        "eqf_level": level.eqf_level,
        "basis": level.basis,
        "decision_reference": level.decision_reference,
        "decision_valid_until": level.decision_valid_until,
    }


def _workload(workload: Workload) -> dict[str, object]:
    return {"hours": workload.hours, "ects": workload.ects, "yh_points": workload.yh_points}


def _participation(participation: Participation) -> dict[str, object]:
    return {
        "forms": list(participation.forms),
        "learning_setting": participation.learning_setting,
        "activity_types": list(participation.activity_types),
        "recognition_of_prior_learning": participation.recognition_of_prior_learning,
    }


def _assessment(assessment: Assessment) -> dict[str, object]:
    return {
        "types": list(assessment.types),
        "mode": assessment.mode,
        "supervision": assessment.supervision,
        "grading": assessment.grading,
        "criteria": texts(assessment.criteria),
        "assessor_requirement": texts(assessment.assessor_requirement),
    }


def _quality(quality: QualityAssurance) -> dict[str, object]:
    return {
        "types": list(quality.types),
        "description": texts(quality.description),
        "review_interval_months": quality.review_interval_months,
        "accreditations": [_accreditation(item) for item in quality.accreditations],
    }


def _accreditation(accreditation: Accreditation) -> dict[str, object]:
    return {
        "name": texts(accreditation.name),
        "url": accreditation.url,
        "valid_until": accreditation.valid_until,
    }


def _prerequisites(prerequisites: Prerequisites) -> dict[str, object]:
    return {
        "text": texts(prerequisites.text),
        "required_definitions": list(prerequisites.required_definitions),
    }


def _stackability(stackability: Stackability) -> dict[str, object]:
    choice = stackability.requires_count_from
    return {
        "kind": stackability.kind,
        "requires_all_of": list(stackability.requires_all_of),
        "requires_count_from": choice
        and {"count": choice.count, "definitions": list(choice.definitions)},
    }


def _validity(validity: Validity) -> dict[str, object]:
    return {"duration": validity.duration, "renewal_method": validity.renewal_method}


def _thematic_area(area: ThematicArea) -> dict[str, object]:
    return {
        "framework": area.framework,
        "code": area.code,
        "name": area_names(area) or None,
        "url": area.url or field_of_education(area.code),
    }


def _alignment(alignment: Alignment) -> dict[str, object]:
    return {
        "framework": alignment.framework,
        "target_type": alignment.target_type,
        "target_code": alignment.target_code or alignment.target_url.rpartition("/")[2],
        "target_name": texts(alignment.target_name),
        "target_url": alignment.target_url,
        "source_status": alignment.source_status,
    }
