"""Every sentence a person reads, in Swedish and English.

The sentences live in messages/sv/*.toml and messages/en/*.toml, with the same
keys in both (tests/test_house.py). A key is dotted: `check.proof.failed`.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Final, Literal, get_args

Language = Literal["sv", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


@lru_cache
def messages(language: Language) -> Mapping[str, str]:
    """All sentences of one language, by dotted key."""
    folder = resources.files("kpass_vc").joinpath("messages", language)
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        found.update(_flatten("", tomllib.loads(file.read_text("utf-8"))))
    return found


def say(language: Language, key: str, /, **values: object) -> str:
    """The sentence under `key` with `values` filled in; KeyError if there is none."""
    return messages(language)[key].format(**values)


def has(key: str) -> bool:
    """Whether there is a sentence under `key`."""
    return key in messages("en")


def preferred(accept_language: str | None, default: Language) -> Language:
    """The best of our languages for an `Accept-Language` header (RFC 9110 section 12.5.4)."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate((accept_language or "").split(",")):
        tag, _, parameters = part.strip().partition(";")
        ranked.append((-_quality(parameters), place, tag.strip().lower().split("-")[0]))
    for quality, _, tag in sorted(ranked):
        if tag in LANGUAGES and quality < 0:
            return tag
    return default


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _flatten(prefix: str, table: Mapping[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flatten(f"{prefix}{key}.", value)
        else:
            found.append((prefix + key, str(value)))
    return found
