"""What has changed between two versions of a definition, and which step in the version number that takes.

What a credential is worth changes with the outcomes, the level, the assessment, the
workload and the validity: a major step. Other wording is a minor one. A patch mends
a slip: a text that stays nearly the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from kpass_vc.errors import FieldError
from kpass_vc.model.definition import Definition
from kpass_vc.slips import is_slip

Step = Literal["major", "minor", "patch"]

_STEPS: Final[tuple[Step, ...]] = ("major", "minor", "patch")
_MAJOR: Final = frozenset(
    {
        "assessment",
        "credential_kind",
        "learning_outcomes",
        "level",
        "prerequisites",
        "stackability",
        "status_purpose",
        "validity",
        "workload",
    }
)
"""The members whose change changes what is awarded."""
_BESIDE: Final = frozenset({"authorised_issuers", "code", "owner", "version"})
"""The members that say nothing of what is awarded."""


@dataclass(frozen=True)
class Change:
    """One difference: where, what stood there and stands there, and the step that it takes."""

    field: str
    before: object
    after: object
    step: Step


def changes(before: Definition, after: Definition) -> list[Change]:
    """All differences between two versions, in the order of the document."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [
        change
        for name in new
        if name not in _BESIDE
        for change in _compare(f"/{name}", old.get(name), new.get(name), major=name in _MAJOR)
    ]


def step_between(before: str, after: str) -> Step | None:
    """The step from one version number to another; None if it goes nowhere or back."""
    old, new = (tuple(int(part) for part in text.split(".")) for text in (before, after))
    if new <= old:
        return None
    return next((step for step, a, b in zip(_STEPS, old, new, strict=False) if a != b), "patch")


def step_too_small(before: Definition, after: Definition) -> FieldError | None:
    """What is wrong with the number of a new version: its step is smaller than its changes take. None if nothing is."""
    step = step_between(before.version, after.version)
    if step is None:
        return FieldError("/version", "gap.version_order", before=before.version)
    found = changes(before, after)
    worst = min((_STEPS.index(change.step) for change in found), default=len(_STEPS) - 1)
    if worst >= _STEPS.index(step):
        return None
    fields = ", ".join(change.field for change in found if change.step == _STEPS[worst])
    return FieldError("/version", f"gap.version_{_STEPS[worst]}", fields=fields[:300])


def _compare(field: str, before: Any, after: Any, *, major: bool) -> list[Change]:  # noqa: ANN401 - JSON
    if before == after:
        return []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = list(dict.fromkeys([*after, *before]))
        return [
            change
            for name in names
            for change in _compare(
                f"{field}/{name}", before.get(name), after.get(name), major=major
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            change
            for number, (old, new) in enumerate(zip(before, after, strict=True))
            for change in _compare(f"{field}/{number}", old, new, major=major)
        ]
    return [Change(field, before, after, _step(before, after, major=major))]


def _step(before: object, after: object, *, major: bool) -> Step:
    if isinstance(before, str) and isinstance(after, str) and is_slip(before, after):
        return "patch"
    return "major" if major else "minor"
