"""How a learning outcome is worded: verbs to begin with, and beginnings that cannot be assessed.

Hints for whoever writes; nothing here stops a definition from being published.
"""

from collections.abc import Mapping
from typing import Final

from kpass_vc.language import Language

VERBS: Final[Mapping[Language, Mapping[str, tuple[str, ...]]]] = {
    "sv": {
        "knowledge": (
            "beskriva", "förklara", "redogöra för", "ge exempel på", "skilja mellan", "jämföra",
            "namnge", "tolka", "sammanfatta", "motivera",
        ),
        "skill": (
            "utföra", "använda", "mäta", "felsöka", "planera", "montera", "dokumentera", "beräkna",
            "hantera", "läsa av", "reparera", "bemöta",
        ),
        "responsibility_autonomy": (
            "ansvara för", "bedöma", "avgöra", "prioritera", "leda", "samordna", "larma", "avbryta",
            "följa upp", "självständigt utföra",
        ),
    },
    "en": {
        "knowledge": (
            "describe", "explain", "account for", "give examples of", "distinguish between", "compare",
            "name", "interpret", "summarise", "give reasons for",
        ),
        "skill": (
            "carry out", "use", "measure", "troubleshoot", "plan", "assemble", "document", "calculate",
            "handle", "read", "repair", "meet",
        ),
        "responsibility_autonomy": (
            "be responsible for", "judge", "decide", "prioritise", "lead", "coordinate", "raise the alarm",
            "stop", "follow up", "carry out independently",
        ),
    },
}  # fmt: skip
"""Verbs to begin with, by what kind of outcome it is."""

_WEAK: Final[Mapping[Language, tuple[str, ...]]] = {
    "sv": ("förstå", "känna till", "ha kunskap", "veta", "lära sig", "få insikt", "vara medveten"),
    "en": (
        "understand",
        "know",
        "have knowledge",
        "learn",
        "be aware",
        "be familiar",
        "gain insight",
    ),
}
"""What nobody can watch somebody do."""


def is_weak(text: str, language: Language) -> bool:
    """Whether an outcome begins with what cannot be watched and so not be assessed."""
    plain = text.strip().casefold().removeprefix("kan ").removeprefix("can ")
    return plain.startswith(_WEAK[language])
