"""The badge picture of a credential, with the credential in it."""

from typing import cast

from sqlalchemy.orm import Session

from kpass_vc.actions.picture import badge_face, badge_png
from kpass_vc.badges import draw
from kpass_vc.baking import Kind, bake_png, bake_svg
from kpass_vc.errors import NotFound
from kpass_vc.language import Language
from kpass_vc.records import definition as definitions
from kpass_vc.records.award import Award, Representation


def baked(session: Session, award: Award, representation: Representation, kind: Kind) -> bytes:
    """The picture of the award's definition in the representation's language, which carries its bytes."""
    found = definitions.by_id(session, award.definition_version_id)
    if found is None:
        raise NotFound("definition", definition=award.definition_version_id)
    face = badge_face(found, cast("Language", representation.language), is_test=award.is_test)
    if kind == "svg":
        return bake_svg(draw(face).encode(), representation.body)
    return bake_png(badge_png(face), representation.body)
