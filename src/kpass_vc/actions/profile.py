"""Change what an organisation is called, where it is found, and its picture.

What is signed already stays as it was signed. A name that the operator has made sure of is not
changed by its owner: the operator's word would then stand beside another name.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.enrol import OrganizationName, WebAddress
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound
from kpass_vc.images import rebuilt
from kpass_vc.model.personal_numbers import personal_number_fields
from kpass_vc.records import image as images
from kpass_vc.records import organization as organizations
from kpass_vc.records.image import OrganizationImage
from kpass_vc.records.organization import Organization

EXTENSIONS: Final = {"image/png": "png", "image/svg+xml": "svg"}


class ProfileOrder(BaseModel):
    """What an organisation says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: OrganizationName
    url: WebAddress | None = None
    email: Annotated[
        str | None, Field(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+$", max_length=254)
    ] = None


def change_profile(
    env: Environment, session: Session, actor: Actor, order: ProfileOrder
) -> Organization:
    """The organisation with another profile; Conflict for another name than the one that the operator made sure of."""
    row = _own(session, actor)
    broken = list(personal_number_fields(order.model_dump()))
    if broken:
        raise InvalidInput(*(FieldError(field, "personal_number") for field in broken))
    names = (order.name.sv, order.name.en)
    if row.confirmed_at is not None and names != (row.name_sv, row.name_en):
        raise Conflict("confirmed_name", field="/name/sv")
    row.name_sv, row.name_en = names
    row.url, row.email = order.url, order.email
    session.flush()
    audit(env, session, actor, "organization.profile", row.slug, organization_id=row.id)
    return row


def set_image(env: Environment, session: Session, actor: Actor, content: bytes) -> Organization:
    """The organisation with the picture, made anew; Malformed or TooLarge for what is none that we take."""
    row = _own(session, actor)
    media_type, body = rebuilt(content)
    found = images.of_organization(session, organization_id=row.id)
    if found is None:
        found = OrganizationImage(organization_id=row.id)
        session.add(found)
    found.media_type, found.body, found.changed_at = media_type, body, env.now()
    row.image = env.addresses.image(row.slug, EXTENSIONS[media_type])
    session.flush()
    audit(env, session, actor, "organization.image", row.slug, organization_id=row.id)
    return row


def remove_image(env: Environment, session: Session, actor: Actor) -> Organization:
    """The organisation without a picture."""
    row = _own(session, actor)
    found = images.of_organization(session, organization_id=row.id)
    if found is not None:
        session.delete(found)
    row.image = None
    session.flush()
    audit(env, session, actor, "organization.image", row.slug, organization_id=row.id)
    return row


def _own(session: Session, actor: Actor) -> Organization:
    actor.require(Permission.PEOPLE_WRITE)
    found = organizations.by_id(session, actor.own_organization())
    if found is None:
        raise NotFound("organization", organization="")
    return found
