"""One language edition of a definition as an Open Badges 3.0 Achievement.

The Achievement embedded in a credential is this document without its `@context`,
letter for letter. Nothing in it may be a float, empty or null. A level that the
owner assessed stands in the narrative only: an alignment would make it look decided.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from kpass_vc.addresses import DefinitionAddresses
from kpass_vc.compose.definition import Owner, area_names
from kpass_vc.compose.narrative import narrative
from kpass_vc.language import LANGUAGES, Language, has, say
from kpass_vc.model.definition import Alignment, Definition, Kind, Level
from kpass_vc.model.identifiers import eqf_level, seqf_level

CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)

# A stack is no "Certification": that word promises a body that certifies to a
# standard for a limited time, and half of the stacks never expire.
ACHIEVEMENT_TYPES: Final[Mapping[Kind, str]] = {
    "micro_credential": "MicroCredential",
    "stack": "ext:MicroCredentialStack",
}

_FRAMEWORK_NAMES: Final[Mapping[str, str]] = {
    "jobtech_taxonomy": "JobTech Taxonomy",
    "esco": "ESCO",
}


def achievement(
    definition: Definition, owner: Owner, addresses: DefinitionAddresses, language: Language
) -> dict[str, object]:
    """The Achievement of a definition that has no gaps, in one language."""
    name = in_language(definition.title, language)
    creator = {"id": owner.did, "type": ["Profile"], "name": owner.names[language]}
    if owner.url:
        creator["url"] = owner.url
    document: dict[str, object] = {
        "@context": list(CONTEXTS),
        "id": addresses.achievement(language),
        "type": ["Achievement"],
        "achievementType": ACHIEVEMENT_TYPES[definition.credential_kind],
        "name": name,
        "description": in_language(definition.description or definition.title, language),
        "inLanguage": language,
        "version": definition.version,
        "humanCode": definition.code,
        "otherIdentifier": [
            {
                "type": "IdentifierEntry",
                "identifier": addresses.line,
                "identifierType": "identifier",
            }
        ],
        "creator": creator,
        "criteria": {
            "id": addresses.page(language),
            "narrative": narrative(definition, owner, language),
        },
        "image": {
            "id": addresses.badge(language),
            "type": "Image",
            "caption": say(
                language,
                "definition.caption",
                title=name,
                owner=owner.names[language],
                code=definition.code,
                version=definition.version,
            ),
        },
        "fieldOfStudy": ", ".join(_fields_of_study(definition, language)),
        "alignment": [
            *_outcomes(definition, addresses, language),
            *_decided_level(definition.level or Level(), language),
            *(_alignment(given, language) for given in definition.alignments if _shown(given)),
        ],
        "resultDescription": [
            {
                "id": result_description(addresses, language),
                "type": ["ResultDescription"],
                "name": say(language, "definition.result.name"),
                "resultType": "Status",
                "allowedValue": [
                    say(language, "definition.result.failed"),
                    say(language, "definition.result.passed"),
                ],
                "requiredValue": say(language, "definition.result.passed"),
            }
        ],
        "tag": list(definition.tags),
        "related": [
            {
                "id": addresses.achievement(other),
                "type": ["Related"],
                "inLanguage": other,
                "version": definition.version,
            }
            for other in LANGUAGES
            if other != language
        ],
    }
    return {member: value for member, value in document.items() if value not in ("", [])}


def embedded(document: Mapping[str, object]) -> dict[str, object]:
    """The Achievement as a credential carries it."""
    return {member: value for member, value in document.items() if member != "@context"}


def result_description(addresses: DefinitionAddresses, language: Language) -> str:
    """The IRI that a credential's result names."""
    return f"{addresses.achievement(language)}#{say(language, 'definition.result.fragment')}"


def in_language(given: Mapping[str, str], language: Language) -> str:
    """The text in `language`, else in Swedish, else in whatever there is."""
    return given.get(language) or given.get("sv") or next(iter(given.values()))


def _fields_of_study(definition: Definition, language: Language) -> Iterator[str]:
    for area in definition.thematic_areas:
        if names := area_names(area):
            name = names.get(language) or names.get("en") or next(iter(names.values()))
            yield say(language, "definition.field", name=name, code=area.code)


def _outcomes(
    definition: Definition, addresses: DefinitionAddresses, language: Language
) -> Iterator[dict[str, object]]:
    for outcome in definition.learning_outcomes:
        if outcome.id and outcome.text:
            yield {
                "type": ["Alignment"],
                "targetName": in_language(outcome.text, language),
                "targetUrl": f"{addresses.document}#{outcome.id}",
                "targetCode": outcome.id,
                "targetFramework": f"{definition.code} {definition.version}",
                "targetType": "ceasn:Competency",
            }


def _decided_level(level: Level, language: Language) -> Iterator[dict[str, object]]:
    if level.basis not in {"myh_decision", "statutory"} or level.level is None:
        return
    found = [("SeQF", level.level, seqf_level(level.level))]
    if level.eqf_level is not None:
        found.append(("EQF", level.eqf_level, eqf_level(level.eqf_level)))
    for framework, step, url in found:
        yield {
            "type": ["Alignment"],
            "targetName": say(language, f"definition.level.{framework.lower()}", level=step),
            "targetUrl": url,
            "targetCode": str(step),
            "targetFramework": framework,
        }


def _shown(alignment: Alignment) -> bool:
    return alignment.framework in _FRAMEWORK_NAMES


def _alignment(alignment: Alignment, language: Language) -> dict[str, object]:
    shown: dict[str, object] = {
        "type": ["Alignment"],
        "targetName": in_language(alignment.target_name, language),
        "targetUrl": alignment.target_url,
        "targetCode": alignment.target_code or alignment.target_url.rpartition("/")[2],
        "targetFramework": _FRAMEWORK_NAMES[alignment.framework],
    }
    if language not in alignment.target_name:
        tag = "sv" if "sv" in alignment.target_name else next(iter(alignment.target_name))
        key = f"definition.name_in_{tag}"
        shown["targetDescription"] = say(language, key if has(key) else "definition.name_in_other")
    return shown
