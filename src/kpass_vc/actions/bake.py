"""The badge picture of a credential, with the credential in it."""

from functools import lru_cache
from typing import Final, cast

from sqlalchemy.orm import Session

from kpass_vc.actions.picture import badge_face
from kpass_vc.badges import BadgeFace, draw, rasterise
from kpass_vc.baking import Kind, bake_png, bake_svg
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.language import Language
from kpass_vc.records import definition as definitions
from kpass_vc.records.award import Award, Representation

SIZE: Final = 1024
"""Pixels a side: sharp on a screen and in print, and half of what phones shrink a picture to."""


def baked(
    env: Environment, session: Session, award: Award, representation: Representation, kind: Kind
) -> bytes:
    """The picture of the award's definition in the representation's language, which carries its bytes."""
    found = definitions.by_id(session, award.definition_version_id)
    if found is None:
        raise NotFound("definition", definition=award.definition_version_id)
    face = badge_face(env, found, cast("Language", representation.language))
    if kind == "svg":
        return bake_svg(draw(face).encode(), representation.body)
    return bake_png(_picture(face), representation.body)


@lru_cache(maxsize=64)
def _picture(face: BadgeFace) -> bytes:
    return rasterise(draw(face), SIZE)
