"""What the badge picture of a definition says."""

from kpass_vc.actions.define import source_of
from kpass_vc.badges import BadgeFace
from kpass_vc.environment import Environment
from kpass_vc.language import Language, say
from kpass_vc.records.definition import Found


def badge_face(env: Environment, found: Found, language: Language) -> BadgeFace:  # noqa: ARG001 - the seam of every action
    """The face of a definition version's badge, in one language."""
    source = source_of(found[0])
    owner = found[2]
    level = source.level
    return BadgeFace(
        title=source.title.get(language, source.title["sv"]),
        organisation=owner.name(language),
        code=source.code,
        version=source.version,
        level=level.level if level else None,
        level_basis=say(
            language, f"badge.basis.{level.basis if level and level.basis else 'not_levelled'}"
        ),
        language=language,
        colour_seed=owner.slug,
        illustrative=source.illustrative,
    )
