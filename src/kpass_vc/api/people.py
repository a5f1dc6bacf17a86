"""People: who works for an organisation, what they are there, and their personal tokens."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from kpass_vc.actions.people import (
    Member,
    PersonalTokenOrder,
    PersonOrder,
    RolesOrder,
    add_person,
    grant_personal_token,
    members,
    person_of,
    personal_tokens,
    revoke_personal_token,
    set_roles,
)
from kpass_vc.edge import CurrentActor, Env, ReadTx, WriteTx, accepts, message

router = APIRouter(prefix="/v1", tags=["People"])


class PersonReply(BaseModel):
    """A person and the roles they have in one organisation."""

    id: str
    name: str
    email: str
    roles: list[str]


class PersonList(BaseModel):
    """The people of an organisation."""

    people: list[PersonReply]


class RoleReply(BaseModel):
    """The roles somebody has in one organisation."""

    organization: str
    roles: list[str]


class MeReply(BaseModel):
    """Who asks, and what they are in each organisation."""

    id: str
    name: str
    email: str
    organizations: list[RoleReply]
    permissions: list[str]
    """What they may do for the organisation that they act for."""


class PersonalTokenReply(BaseModel):
    """A new personal token; it is shown this once."""

    id: str
    token: str
    expiresAt: datetime | None  # noqa: N815


class KnownPersonalToken(BaseModel):
    """A personal token, without its secret."""

    id: str
    label: str
    permissions: list[str]
    """At most these, of what the person's roles give."""
    expiresAt: datetime | None  # noqa: N815
    revokedAt: datetime | None  # noqa: N815


class PersonalTokenList(BaseModel):
    """The tokens of a person."""

    tokens: list[KnownPersonalToken]


EXAMPLE = {"name": "Rut Granskare", "email": "rut@sobona.example", "roles": ["reviewer"]}


@router.post(
    "/organizations/{slug}/people",
    status_code=201,
    summary="Let a person in",
    openapi_extra=accepts(PersonOrder, EXAMPLE),
)
def post_person(
    slug: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[PersonOrder, Depends(message(PersonOrder))],
) -> PersonReply:
    """By an owner of the organisation, or by the operator. Who has the e-mail address already is the same person."""
    return _reply(add_person(env, session, actor, slug, order))


@router.get("/people", summary="The people of your organisation")
def get_people(actor: CurrentActor, session: ReadTx) -> PersonList:
    """With their roles."""
    return PersonList(people=[_reply(member) for member in members(session, actor)])


@router.post(
    "/people/{person_id}/roles",
    summary="Set a person's roles",
    openapi_extra=accepts(RolesOrder, {"roles": ["author", "issuer"]}),
)
def post_roles(
    person_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[RolesOrder, Depends(message(RolesOrder))],
) -> PersonReply:
    """These and no others, in your organisation; none takes the person out of it. It holds at once."""
    return _reply(set_roles(env, session, actor, person_id, order))


@router.post(
    "/people/{person_id}/tokens",
    status_code=201,
    summary="A new personal token",
    openapi_extra=accepts(PersonalTokenOrder, {"label": "My computer", "expiresInDays": 90}),
)
def post_personal_token(
    person_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[PersonalTokenOrder, Depends(message(PersonalTokenOrder))],
) -> PersonalTokenReply:
    """For yourself, or for somebody who works for your organisation alone. Two live at a time."""
    made = grant_personal_token(env, session, actor, person_id, order)
    return PersonalTokenReply(id=made.row.id, token=made.token, expiresAt=made.row.expires_at)


@router.get("/people/{person_id}/tokens", summary="Somebody's personal tokens")
def get_personal_tokens(person_id: str, actor: CurrentActor, session: ReadTx) -> PersonalTokenList:
    """Newest first, without their secrets: your own, or those of somebody who works for your organisation."""
    return PersonalTokenList(
        tokens=[
            KnownPersonalToken(
                id=row.id,
                label=row.label,
                permissions=row.permissions,
                expiresAt=row.expires_at,
                revokedAt=row.revoked_at,
            )
            for row in personal_tokens(session, actor, person_id)
        ]
    )


@router.delete(
    "/people/{person_id}/tokens/{token_id}", status_code=204, summary="Withdraw a personal token"
)
def delete_personal_token(
    person_id: str, token_id: str, actor: CurrentActor, env: Env, session: WriteTx
) -> None:
    """Your own, or that of somebody who works for your organisation. It opens nothing from now on."""
    revoke_personal_token(env, session, actor, person_id, token_id)


@router.get("/me", summary="Who you are")
def get_me(actor: CurrentActor, session: ReadTx) -> MeReply:
    """Takes a personal token."""
    person, roles = person_of(session, actor)
    slugs = dict.fromkeys(organization.slug for organization, _ in roles)
    return MeReply(
        id=person.id,
        name=person.name,
        email=person.email,
        organizations=[
            RoleReply(
                organization=slug,
                roles=[role for organization, role in roles if organization.slug == slug],
            )
            for slug in slugs
        ],
        permissions=sorted(actor.permissions),
    )


def _reply(member: Member) -> PersonReply:
    person = member.person
    return PersonReply(
        id=person.id,
        name=person.name,
        email=person.email,
        roles=[role.value for role in member.roles],
    )
