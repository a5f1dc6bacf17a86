"""Register an organisation with its DID, its first keys and its first status list."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.make_key import make_key
from kpass_vc.actions.publish_status import open_list
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.keys import ORGANIZATION_KEYS
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput
from kpass_vc.model.parts import Uri
from kpass_vc.model.personal_numbers import (
    is_sole_trader,
    organization_number,
    personal_number_fields,
)
from kpass_vc.model.text import name
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import Organization

_Text = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$"), AfterValidator(name)
]
WebAddress = Annotated[Uri, Field(max_length=500, pattern=r"^https?://[^\s/]+(/\S*)?$")]
RESERVED: Final = frozenset({"well-known", "did", "static", "api", "admin", "operator", "www"})


class OrganizationName(BaseModel):
    """A name in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sv: _Text
    en: _Text


class EnrolOrder(BaseModel):
    """What is said of an organisation when it is registered."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=2, max_length=63)]
    name: OrganizationName
    organization_number: Annotated[str | None, Field(alias="organizationNumber", max_length=20)] = (
        None
    )
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "SE"
    url: WebAddress | None = None
    email: Annotated[
        str | None, Field(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+$", max_length=254)
    ] = None
    image: WebAddress | None = None


def enrol(env: Environment, session: Session, actor: Actor, order: EnrolOrder) -> Organization:
    """The new organisation; InvalidInput or Conflict say why not, and then nothing was made."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    number = _checked_number(order)
    if order.slug in RESERVED:
        raise InvalidInput(FieldError("/slug", "reserved"))
    if organizations.by_slug(session, order.slug) is not None:
        raise Conflict("slug_taken", slug=order.slug)
    if number and organizations.by_number(session, number) is not None:
        raise Conflict("number_taken", number=number)
    row = Organization(
        id=env.new_id(),
        slug=order.slug,
        did=env.addresses.did(order.slug),
        name_sv=order.name.sv,
        name_en=order.name.en,
        organization_number=number,
        country=order.country,
        url=order.url,
        email=order.email,
        image=order.image,
        created_at=env.now(),
    )
    session.add(row)
    session.flush()
    for algorithm in ORGANIZATION_KEYS:
        make_key(env, session, row, row.did, algorithm)
    open_list(env, session, row, "revocation")
    audit(env, session, actor, "organization.enrolled", row.slug, organization_id=row.id)
    return row


def _checked_number(order: EnrolOrder) -> str | None:
    fields = personal_number_fields(
        order.model_dump(exclude={"organization_number"}, by_alias=True)
    )
    broken = [FieldError(field, "personal_number") for field in fields]
    if broken:
        raise InvalidInput(*broken)
    if order.organization_number is None:
        return None
    number = organization_number(order.organization_number)
    if number is None:
        raise InvalidInput(FieldError("/organizationNumber", "organization_number"))
    if is_sole_trader(number):
        raise InvalidInput(FieldError("/organizationNumber", "sole_trader"))
    return number
