"""A definition as a form: its fields in groups, what stands in them, and the definition that was filled in.

What the form does not show of a definition that was imported stays as it was.
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from kpass_vc.language import LANGUAGES, Language, has, say
from kpass_vc.model import definition as model
from kpass_vc.model.document import JsonObject
from kpass_vc.pages.console.frame import Form

Kind = Literal["line", "area", "number", "choice", "ticks", "lines", "tick"]
MORE_OUTCOMES: Final = 2
"""Empty rows for outcomes below those that are there."""
MOST_OUTCOMES: Final = 100
"""As many as a definition may have."""
_AREA: Final = re.compile(r"(\d{2,4})(?:\s+(.+))?")


@dataclass(frozen=True)
class Spec:
    """One field: where it stands in a definition, how it is filled in, and of what values."""

    path: str
    kind: Kind
    values: tuple[str, ...] = ()
    words: str = ""
    """What the values are called: messages under this key."""

    @property
    def name(self) -> str:
        """What the field is called in the form."""
        return self.path.replace("/", "_")


def _both(path: str, kind: Kind) -> tuple[Spec, Spec]:
    return Spec(f"{path}/sv", kind), Spec(f"{path}/en", kind)


GROUPS: Final[Mapping[str, tuple[Spec, ...]]] = {
    "what": (
        Spec("code", "line"),
        Spec("version", "line"),
        *_both("title", "line"),
        *_both("description", "area"),
        Spec("credential_kind", "choice", get_args(model.Kind), "page.kind"),
        Spec("illustrative", "tick"),
    ),
    "outcomes": (),
    "level": (
        Spec("level/basis", "choice", get_args(model.LevelBasis), "console.definitions.basis"),
        Spec("level/level", "number"),
        Spec("level/eqf_level", "number"),
        Spec("level/decision_reference", "line"),
        Spec("level/decision_valid_until", "line"),
    ),
    "workload": (
        Spec("workload/hours", "number"),
        Spec("workload/ects", "line"),
        Spec("workload/yh_points", "line"),
    ),
    "participation": (
        Spec("participation/forms", "ticks", get_args(model.ParticipationForm), "definition.form"),
        Spec(
            "participation/learning_setting",
            "choice",
            get_args(model.LearningSetting),
            "definition.setting",
        ),
        Spec(
            "participation/activity_types",
            "ticks",
            get_args(model.ActivityType),
            "definition.activity",
        ),
        Spec("participation/recognition_of_prior_learning", "tick"),
    ),
    "assessment": (
        Spec("assessment/types", "ticks", get_args(model.AssessmentType), "definition.assessment"),
        Spec("assessment/mode", "choice", get_args(model.AssessmentMode), "definition.mode"),
        Spec(
            "assessment/supervision",
            "choice",
            get_args(model.Supervision),
            "definition.supervision",
        ),
        *_both("assessment/criteria", "area"),
        *_both("assessment/assessor_requirement", "area"),
    ),
    "quality": (
        Spec(
            "quality_assurance/types",
            "ticks",
            get_args(model.QualityAssuranceType),
            "definition.quality",
        ),
        *_both("quality_assurance/description", "area"),
        Spec("quality_assurance/review_interval_months", "number"),
    ),
    "before": (
        *_both("prerequisites/text", "area"),
        Spec("prerequisites/required_definitions", "lines"),
        Spec("stackability/kind", "choice", get_args(model.StackKind), "console.definitions.stack"),
        Spec("stackability/requires_all_of", "lines"),
    ),
    "validity": (
        Spec("validity/duration", "line"),
        Spec(
            "validity/renewal_method", "choice", get_args(model.RenewalMethod), "definition.renewal"
        ),
        Spec(
            "status_purpose",
            "choice",
            get_args(model.StatusPurpose),
            "console.definitions.purpose",
        ),
    ),
    "who": (
        Spec("authorised_issuers", "lines"),
        Spec("country", "line"),
        Spec("language", "line"),
    ),
    "found": (
        Spec("thematic_areas", "lines"),
        Spec("alignments", "lines"),
        Spec(
            "target_groups",
            "ticks",
            get_args(model.TargetGroup),
            "console.definitions.target_group",
        ),
        Spec("tags", "lines"),
    ),
}
_ALWAYS: Final = frozenset({"credential_kind", "status_purpose", "validity/renewal_method"})
"""Choices that always have a value: there is no empty one among them."""
_OWN_WORDS: Final = frozenset({"thematic_areas", "alignments"})


@dataclass(frozen=True)
class Field:
    """A field as it is shown: its label, its hint, what stands in it, what may be chosen."""

    name: str
    kind: Kind
    label: str
    hint: str
    text: str
    chosen: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    required: bool


def groups(document: Mapping[str, Any], language: Language) -> list[tuple[str, list[Field]]]:
    """The groups of the form with their fields, as they are filled in; the outcomes are apart."""
    return [
        (group, [_field(spec, document, language) for spec in specs])
        for group, specs in GROUPS.items()
    ]


def outcomes(document: Mapping[str, Any], more: int = MORE_OUTCOMES) -> list[dict[str, str]]:
    """The outcomes as rows of the form, and empty ones below them.

    A row has the id of its outcome, so that it is the same outcome wherever its row has come to stand.
    """
    rows = [
        {
            "id": str(each.get("id")),
            "domain": str(each.get("domain") or ""),
            "text_sv": str((each.get("text") or {}).get("sv", "")),
            "text_en": str((each.get("text") or {}).get("en", "")),
        }
        for each in _with_ids(document.get("learning_outcomes") or ())
    ]
    count = min(max(len(rows) + more, 3), MOST_OUTCOMES)
    empty = {"id": "", "domain": "", "text_sv": "", "text_en": ""}
    return rows + [empty] * (count - len(rows))


def filled_in(form: Form, before: Mapping[str, Any], owner: str) -> JsonObject:
    """The definition that was filled in, upon what stood there before."""
    document: dict[str, Any] = copy.deepcopy(dict(before))
    document["owner"] = owner
    for specs in GROUPS.values():
        for spec in specs:
            if spec.path not in _OWN_WORDS:
                _set(document, spec.path, _value(spec, form))
    document["learning_outcomes"] = _outcomes(form, before)
    document["thematic_areas"] = _areas(form, before)
    document["alignments"] = _alignments(form, before)
    return document


def value_in_words(pointer: str, value: str, language: Language) -> str:
    """What stands in a field, by what it is called if it is one of a list; anything else as it is."""
    path = "/".join(part for part in pointer.strip("/").split("/") if not part.isdigit())
    for specs in GROUPS.values():
        for spec in specs:
            if path == spec.path and value in spec.values:
                return say(language, f"{spec.words}.{value}")
    domain = f"definition.domain.{value}"
    return say(language, domain) if path == "learning_outcomes/domain" and has(domain) else value


def place_of(pointer: str) -> str:
    """The name of the field of the form at which something is told of a place in a definition.

    Of what the form does not show, the field that stands nearest.
    """
    parts = pointer.strip("/").split("/")
    if parts[0] == "learning_outcomes":
        if parts[2:3] == ["text"]:
            parts[3:] = parts[3:4] if parts[3:4] == ["en"] else ["sv"]
        return "_".join(parts)
    specs = [spec for every in GROUPS.values() for spec in every]
    for end in range(len(parts), 0, -1):
        path = "/".join(parts[:end])
        for spec in specs:
            if spec.path == path or spec.path.startswith(f"{path}/"):
                return spec.name
    return ""


def _field(spec: Spec, document: Mapping[str, Any], language: Language) -> Field:
    found = _get(document, spec.path)
    options = tuple((each, say(language, f"{spec.words}.{each}")) for each in spec.values)
    if spec.kind == "choice" and spec.path not in _ALWAYS:
        options = (("", say(language, "console.definitions.choose")), *options)
    hint = f"console.hint.{spec.name}"
    texts = _lines(spec, found) if spec.kind in {"lines", "ticks"} else []
    return Field(
        name=spec.name,
        kind=spec.kind,
        label=say(language, f"console.label.{spec.name}"),
        hint=say(language, hint) if has(hint) else "",
        text="\n".join(texts)
        if spec.kind == "lines"
        else ""
        if found is None or isinstance(found, (bool, list))
        else str(found),
        chosen=("yes",) if found is True else tuple(texts) if spec.kind == "ticks" else (),
        options=options,
        required=spec.path in {"code", "version", "title/sv"},
    )


def _lines(spec: Spec, found: object) -> list[str]:
    entries = found if isinstance(found, list) else []
    if spec.path == "thematic_areas":
        return [_area_line(each) for each in entries]
    if spec.path == "alignments":
        return [_alignment_line(each) for each in entries]
    return [str(each) for each in entries]


def _value(spec: Spec, form: Form) -> object:
    text = form.text(spec.name)
    match spec.kind:
        case "ticks":
            return form.every(spec.name)
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
        case "tick":
            return bool(text)
        case "number":
            return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
        case _:
            return text


def _get(document: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    found: Any = document
    for part in path.split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _set(document: dict[str, Any], path: str, value: object) -> None:
    """Put a value where it belongs; an empty one takes away what stood there, and makes nothing."""
    *folders, last = path.split("/")
    is_empty = value == "" or value is False or value == []
    place = document
    for folder in folders:
        inner = place.get(folder)
        if not isinstance(inner, dict):
            if is_empty:
                return
            inner = place[folder] = {}
        place = inner
    if not is_empty:
        place[last] = value
    elif isinstance(value, str):
        place.pop(last, None)
    elif place.get(last):
        place[last] = value
    _tidy(document, folders)


def _tidy(document: dict[str, Any], folders: list[str]) -> None:
    """A text in no language is no text."""
    if not folders:
        return
    *outer, last = folders
    place: Any = document
    for folder in outer:
        place = place[folder]
    if place[last] == {}:
        place[last] = None


def _outcomes(form: Form, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    old = {str(each["id"]): each for each in _with_ids(before.get("learning_outcomes") or ())}
    used = frozenset(old)
    fresh = (f"LR{number}" for number in range(1, 1000) if f"LR{number}" not in used)
    found = []
    for number in range(MOST_OUTCOMES):
        name = f"learning_outcomes_{number}"
        texts = {
            each: form.text(f"{name}_text_{each}")
            for each in LANGUAGES
            if form.text(f"{name}_text_{each}")
        }
        kept = old.pop(form.text(f"{name}_id"), {})
        domain = form.text(f"{name}_domain")
        is_there = texts or (domain and kept)
        if form.text(f"{name}_remove") or not is_there:
            continue
        others = {
            language: text
            for language, text in (kept.get("text") or {}).items()
            if language not in LANGUAGES
        }
        found.append(
            {
                **kept,
                "id": kept.get("id") or next(fresh),
                "domain": domain or None,
                "text": {**texts, **others} or None,
            }
        )
    return found


def _with_ids(given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Outcomes, those without an id by one of their own; it is always the same one."""
    every = [dict(each) for each in given]
    used = {each.get("id") for each in every}
    fresh = (f"LR{number}" for number in range(1, 1000) if f"LR{number}" not in used)
    return [each if each.get("id") else {**each, "id": next(fresh)} for each in every]


def _area_line(area: Mapping[str, Any]) -> str:
    name = area.get("name")
    label = next(iter(name.values()), "") if isinstance(name, Mapping) else name or ""
    return " ".join(f"{area.get('code')} {label}".split())


def _areas(form: Form, before: Mapping[str, Any]) -> list[Any]:
    known = {_area_line(each): each for each in before.get("thematic_areas") or ()}
    found: list[Any] = []
    for line in _written(form, "thematic_areas"):
        parts = _AREA.fullmatch(line)
        made: dict[str, object] = {"code": parts[1] if parts else line}
        if parts and parts[2]:
            made["name"] = {"sv": parts[2]}
        found.append(known.get(line, made))
    return found


def _alignment_line(alignment: Mapping[str, Any]) -> str:
    name = alignment.get("target_name")
    label = next(iter(name.values()), "") if isinstance(name, Mapping) else name or ""
    return " ".join(f"{label} {alignment.get('target_url')}".split())


def _alignments(form: Form, before: Mapping[str, Any]) -> list[Any]:
    known = {_alignment_line(each): each for each in before.get("alignments") or ()}
    found: list[Any] = []
    for line in _written(form, "alignments"):
        label, _, url = line.rpartition(" ")
        framework = "esco" if "/esco/" in url else "jobtech_taxonomy"
        made = {"framework": framework, "target_name": label or url, "target_url": url}
        found.append(known.get(line, made))
    return found


def _written(form: Form, name: str) -> Iterator[str]:
    for line in form.text(name).splitlines():
        if line.strip():
            yield " ".join(line.split())
