"""Let people in, give and take their roles, and hand out their personal tokens.

A person is one account with one e-mail address and has roles per organisation.
What a personal token opens follows from the roles at each request, so that a
role that is withdrawn opens nothing from then on.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.tokens import NewToken, new_token
from kpass_vc.authz import ORGANIZATION, Actor, Permission, Role
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import name
from kpass_vc.records import access
from kpass_vc.records import organization as organizations
from kpass_vc.records import person as people
from kpass_vc.records.access import ApiToken
from kpass_vc.records.organization import Organization
from kpass_vc.records.person import Membership, Person

MOST_TOKENS: Final = 2
"""So many personal tokens live side by side: one in use, and the one that takes its place."""

_Name = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$"), AfterValidator(name)
]
_Email = Annotated[str, Field(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+$", max_length=254)]
_Role = Annotated[Role, Field(strict=False)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class PersonOrder(_Message):
    """Somebody who is to work for an organisation."""

    name: _Name
    email: _Email
    roles: Annotated[list[_Role], Field(min_length=1, max_length=7)]


class RolesOrder(_Message):
    """The roles that somebody shall have; none takes them out of the organisation."""

    roles: Annotated[list[_Role], Field(max_length=7)]


class PersonalTokenOrder(_Message):
    """What a new personal token is for."""

    label: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(name)]
    permissions: Annotated[
        list[Annotated[Permission, Field(strict=False)]] | None, Field(min_length=1)
    ] = None
    """At most these, of what the person's roles give; all of it if left out."""
    expires_in_days: Annotated[int, Field(alias="expiresInDays", ge=1, le=365)] = 90


@dataclass(frozen=True)
class Member:
    """A person and what they are in one organisation."""

    person: Person
    roles: tuple[Role, ...]


def add_person(
    env: Environment, session: Session, actor: Actor, slug: str | None, order: PersonOrder
) -> Member:
    """The person with these roles in an organisation: the actor's own, or for the operator any.

    Somebody with the same e-mail address is the same person, whose name stays as it is.
    """
    organization = _organization(session, actor, slug)
    if holds_personal_number(order.name):
        raise InvalidInput(FieldError("/name", "personal_number"))
    email = order.email.lower()
    person = people.by_email(session, email)
    if person is None:
        person = Person(id=env.new_id(), name=order.name, email=email, created_at=env.now())
        session.add(person)
        session.flush()
    if people.memberships(session, organization_id=organization.id, person_id=person.id):
        raise Conflict("is_member", field="/email")
    return _with_roles(env, session, actor, organization, person, order.roles)


def set_roles(
    env: Environment,
    session: Session,
    actor: Actor,
    person_id: str,
    order: RolesOrder,
    slug: str | None = None,
) -> Member:
    """The person with these roles and no others; Conflict if the organisation would have no owner left."""
    organization = _organization(session, actor, slug)
    organizations.hold(session, organization.id)
    person = _member(session, organization, person_id)
    others = people.memberships(session, organization_id=organization.id)
    owners = {each.person_id for each in others if each.role == Role.OWNER}
    if owners == {person.id} and Role.OWNER not in order.roles:
        raise Conflict("last_owner")
    return _with_roles(env, session, actor, organization, person, order.roles)


def members(session: Session, actor: Actor) -> list[Member]:
    """The people of the actor's organisation."""
    actor.require(Permission.PEOPLE_WRITE)
    organization_id = actor.own_organization()
    found = people.memberships(session, organization_id=organization_id)
    return [
        Member(person, tuple(Role(each.role) for each in found if each.person_id == person.id))
        for person in people.members(session, organization_id=organization_id)
    ]


def grant_personal_token(
    env: Environment,
    session: Session,
    actor: Actor,
    person_id: str,
    order: PersonalTokenOrder,
) -> NewToken:
    """A new token of a person: asked for by themselves, by an owner of their organisation, or by the operator.

    An owner makes one only for somebody who has no role anywhere else, and it opens that organisation alone,
    whatever roles the person is given elsewhere later.
    Nobody gets out of a token what it does not open by having it make another.
    """
    person = people.by_id(session, person_id)
    if person is None or not _may_hand_token(session, actor, person):
        raise NotFound("person", person=person_id)
    if holds_personal_number(order.label):
        raise InvalidInput(FieldError("/label", "personal_number"))
    now = env.now()
    live = [
        row
        for row in access.of_person(session, person_id=person.id)
        if row.revoked_at is None and (row.expires_at is None or row.expires_at > now)
    ]
    if len(live) >= MOST_TOKENS:
        raise Conflict("tokens_live", most=MOST_TOKENS)
    allowed = actor.scope if actor.person_id is not None else ORGANIZATION
    wanted = allowed if order.permissions is None else frozenset(order.permissions)
    if not wanted <= allowed:
        expected = ", ".join(sorted(allowed))
        raise InvalidInput(FieldError("/permissions", "enum", expected=expected))
    is_own = actor.person_id == person.id
    made = new_token(
        env,
        session,
        label=order.label,
        permissions=wanted,
        lasts=timedelta(days=order.expires_in_days),
        organization_id=actor.bound_to if is_own else actor.organization_id,
        person_id=person.id,
    )
    audit(
        env,
        session,
        actor,
        "person.token_granted",
        made.row.id,
        organization_id=actor.organization_id,
        person=person.id,
    )
    return made


def personal_tokens(session: Session, actor: Actor, person_id: str) -> list[ApiToken]:
    """The tokens of a person, newest first, without their secrets: for whoever may withdraw them."""
    person = people.by_id(session, person_id)
    if person is None or not _may_withdraw_token(session, actor, person):
        raise NotFound("person", person=person_id)
    return access.of_person(session, person_id=person.id)


def revoke_personal_token(
    env: Environment, session: Session, actor: Actor, person_id: str, token_id: str
) -> None:
    """Withdraw a person's token: by themselves, by an owner of an organisation of theirs, or by the operator."""
    person = people.by_id(session, person_id)
    if person is None or not _may_withdraw_token(session, actor, person):
        raise NotFound("person", person=person_id)
    row = access.by_id(session, token_id)
    if row is None or row.person_id != person.id:
        raise NotFound("token", token=token_id)
    if row.revoked_at is None:
        row.revoked_at = env.now()
        audit(
            env,
            session,
            actor,
            "person.token_revoked",
            row.id,
            organization_id=actor.organization_id,
            person=person.id,
        )


def person_of(session: Session, actor: Actor) -> tuple[Person, list[tuple[Organization, str]]]:
    """Who acts, with each role in each organisation; Forbidden for a system."""
    person = people.by_id(session, actor.own_person())
    if person is None:
        raise NotFound("person", person=actor.own_person())
    return person, people.organizations_of(session, person.id)


def _organization(session: Session, actor: Actor, slug: str | None) -> Organization:
    """The organisation whose people are meant: the actor's own, or for the operator any."""
    if actor.organization_id is None:
        actor.require(Permission.ORGANIZATIONS_WRITE)
        found = organizations.by_slug(session, slug or "")
    else:
        actor.require(Permission.PEOPLE_WRITE)
        found = organizations.by_id(session, actor.organization_id)
    if found is None or slug not in {None, found.slug}:
        raise NotFound("organization", organization=slug or "")
    return found


def _member(session: Session, organization: Organization, person_id: str) -> Person:
    person = people.by_id(session, person_id)
    if person is None or not people.memberships(
        session, organization_id=organization.id, person_id=person_id
    ):
        raise NotFound("person", person=person_id)
    return person


def _with_roles(
    env: Environment,
    session: Session,
    actor: Actor,
    organization: Organization,
    person: Person,
    roles: list[Role],
) -> Member:
    wanted = frozenset(roles)
    had = people.memberships(session, organization_id=organization.id, person_id=person.id)
    for row in had:
        if row.role not in wanted:
            session.delete(row)
    now = env.now()
    for role in sorted(wanted - {row.role for row in had}):
        session.add(
            Membership(
                organization_id=organization.id,
                person_id=person.id,
                role=role.value,
                granted_at=now,
                granted_by=actor.name,
            )
        )
    session.flush()
    audit(
        env,
        session,
        actor,
        "person.roles_set",
        person.id,
        organization_id=organization.id,
        roles=" ".join(sorted(wanted)),
    )
    return Member(person, tuple(role for role in Role if role in wanted))


def _may_hand_token(session: Session, actor: Actor, person: Person) -> bool:
    if actor.person_id == person.id:
        return True
    if actor.organization_id is None:
        return Permission.TOKENS_WRITE in actor.permissions
    has_roles_in = {each.id for each, _ in people.organizations_of(session, person.id)}
    return Permission.PEOPLE_WRITE in actor.permissions and has_roles_in == {actor.organization_id}


def _may_withdraw_token(session: Session, actor: Actor, person: Person) -> bool:
    if actor.person_id == person.id:
        return True
    if actor.organization_id is None:
        return Permission.TOKENS_WRITE in actor.permissions
    has_roles_in = {each.id for each, _ in people.organizations_of(session, person.id)}
    return Permission.PEOPLE_WRITE in actor.permissions and actor.organization_id in has_roles_in
