"""Look through what is published: by words, owner and level.

All of it is read and compared in here: a database folds no case for å, ä and ö,
and a few thousand definitions are few. What a definition says never changes, so
its words are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.model.definition import Definition
from kpass_vc.records import definition as definitions
from kpass_vc.records.organization import Organization

NOT_LEVELLED: Final = "none"
_MOST_WORDS: Final = 12


@dataclass(frozen=True)
class Question:
    """What is looked for; what is empty is not asked."""

    words: str = ""
    owner: str = ""
    """A slug."""
    level: str = ""
    """A level of SeQF, or NOT_LEVELLED."""


@dataclass(frozen=True)
class Entry:
    """A published definition and its owner."""

    owner: Organization
    code: str
    version: str
    source: Definition
    text: str
    """What can be searched beside code and title, without case."""

    @property
    def name(self) -> str:
        """Its owner's slug and its code."""
        return f"{self.owner.slug}/{self.code}"

    @property
    def level(self) -> str:
        """Its level as a question names it; empty where nothing is said."""
        level = self.source.level
        if level is None or level.basis is None:
            return ""
        return NOT_LEVELLED if level.basis == "not_levelled" else str(level.level or "")


def published(session: Session) -> list[Entry]:
    """Everything that is published now, by owner and code."""
    return [
        Entry(owner, line.code, version.version, *_read(version.source))
        for version, line, owner in definitions.every_published(session)
    ]


def browse(entries: list[Entry], question: Question) -> list[Entry]:
    """Those that answer a question: every word stands in it; where code or title has them all, it comes first."""
    words = question.words.casefold().split()[:_MOST_WORDS]
    found: tuple[list[Entry], list[Entry]] = ([], [])
    for entry in entries:
        if question.owner and entry.owner.slug != question.owner:
            continue
        if question.level and entry.level != question.level:
            continue
        heading = " ".join([entry.code, *entry.source.title.values()]).casefold()
        names = f"{entry.owner.name_sv} {entry.owner.name_en}".casefold()
        text = f"{heading} {names} {entry.text}"
        if all(word in text for word in words):
            found[0 if all(word in heading for word in words) else 1].append(entry)
    return [*found[0], *found[1]]


@lru_cache(maxsize=2048)
def _read(source: str) -> tuple[Definition, str]:
    definition = Definition.model_validate_json(source)
    return definition, " ".join(_texts(definition)).casefold()


def _texts(source: Definition) -> Iterator[str]:
    """What can be searched beside code and title."""
    yield from (source.description or {}).values()
    for outcome in source.learning_outcomes:
        yield from (outcome.text or {}).values()
    for alignment in source.alignments:
        yield from alignment.target_name.values()
    yield from source.tags
