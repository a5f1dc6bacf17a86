"""The badge picture of a definition version: what it says, its pixels, and the words for who cannot see it."""

from functools import lru_cache
from typing import Final

from kpass_vc.actions.define import source_of
from kpass_vc.badges import BadgeFace, draw, rasterise
from kpass_vc.language import Language, say
from kpass_vc.records.definition import Found

_DECIDED: Final = frozenset({"myh_decision", "statutory"})
SIZE: Final = 1024
"""Pixels a side: sharp on a screen and in print, and half of what phones shrink a picture to."""


def badge_face(found: Found, language: Language, *, is_test: bool = False) -> BadgeFace:
    """The face of a definition version's badge, in one language; that of a test says so."""
    source = source_of(found[0])
    owner = found[2]
    level = source.level
    return BadgeFace(
        title=marked(source.title.get(language, source.title["sv"]), language, is_test=is_test),
        organisation=owner.name(language),
        code=source.code,
        version=source.version,
        level=level.level if level else None,
        level_basis=say(
            language, f"badge.basis.{level.basis if level and level.basis else 'not_levelled'}"
        ),
        level_is_decided=level is not None and level.basis in _DECIDED,
        language=language,
        colour_seed=owner.slug,
        illustrative=source.illustrative,
    )


def marked(title: str, language: Language, *, is_test: bool) -> str:
    """A title as people see it where there is no verdict beside it: that of a test begins with TEST."""
    return say(language, "badge.test", title=title) if is_test else title


def badge_text(found: Found, language: Language) -> str:
    """What the picture shows, in a sentence."""
    version, line, owner = found
    return say(
        language,
        "definition.caption",
        title=version.title(language),
        owner=owner.name(language),
        code=line.code,
        version=version.version,
    )


@lru_cache(maxsize=128)
def badge_png(face: BadgeFace) -> bytes:
    """The picture in full size."""
    return rasterise(draw(face), SIZE)
