"""Let somebody in by a link: the first person of all, somebody who was given a role, a reviewer for one version.

A link is made of the invitation's id and a key, and is kept nowhere; it works once, and for a while.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.enrol import EnrolOrder, enrol
from kpass_vc.actions.people import PersonOrder, add_person
from kpass_vc.actions.publish import own_version
from kpass_vc.authz import OPERATOR, Actor, Permission, Role
from kpass_vc.delivery.channel import Notice
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    NotDelivered,
    NotFound,
    Undeliverable,
)
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.links import id_of, invitation_token
from kpass_vc.model.dates import minute_text
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import name
from kpass_vc.records import oidc
from kpass_vc.records import organization as organizations
from kpass_vc.records import person as people
from kpass_vc.records import sign_in as sign_ins
from kpass_vc.records.organization import Organization
from kpass_vc.records.person import Person
from kpass_vc.records.sign_in import Invitation, Purpose

INVITE: Final = "invite"
"""The workflow that sends one invitation."""
LASTS: Final = timedelta(days=7)
FIRST_LASTS: Final = timedelta(days=1)
FIRST_ROLES: Final = (Role.OWNER, Role.AUTHOR, Role.ISSUER, Role.REVOKER)
"""What the first person of an organisation is: everything but a reviewer, who must be somebody else."""


class FirstPersonOrder(BaseModel):
    """The first person of an organisation, as they tell of themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(name)]
    email: Annotated[str, Field(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+$", max_length=254)]


@dataclass(frozen=True)
class Invited:
    """An invitation that can be used, whom it is for and to what."""

    row: Invitation
    person: Person | None
    organization: Organization | None
    has_means: bool
    """Whether the person can sign in already."""


def invite_first(
    env: Environment, session: Session, actor: Actor, slug: str | None, language: Language
) -> str:
    """The link for the first person of an organisation, or of one that they register with it; shown once."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    organization = organizations.by_slug(session, slug) if slug is not None else None
    if slug is not None and organization is None:
        raise NotFound("organization", organization=slug)
    row = _invitation(env, session, actor, "first", language, organization, None, FIRST_LASTS)
    return address_of(env, row)


def invite(
    env: Environment, session: Session, actor: Actor, person_id: str, language: Language
) -> tuple[Invitation, bool]:
    """A new invitation of somebody who has a role here, the ones before it void; whether it goes by mail.

    By the operator for anybody, and then it goes to nobody: the operator hands the link over.
    """
    person = people.by_id(session, person_id)
    if actor.organization_id is None:
        actor.require(Permission.TOKENS_WRITE)
        found = people.organizations_of(session, person_id)
        organization = found[0][0] if found else None
    else:
        actor.require(Permission.PEOPLE_WRITE)
        organization = organizations.by_id(session, actor.organization_id)
        if not people.memberships(
            session, organization_id=actor.organization_id, person_id=person_id
        ):
            organization = None
    if person is None or organization is None:
        raise NotFound("person", person=person_id)
    sign_ins.end_invitations(session, person_id=person.id, now=env.now())
    row = _invitation(env, session, actor, "person", language, organization, person, LASTS)
    goes_by_mail = actor.organization_id is not None and "email" in env.channels
    if goes_by_mail:
        send(env, session, row)
    return row, goes_by_mail


def invite_reviewer(
    env: Environment,
    session: Session,
    actor: Actor,
    version_id: str,
    order: FirstPersonOrder,
    language: Language,
) -> tuple[Invitation, bool]:
    """An invitation to review one version without an account; whether it goes by mail.

    Who is invited gets no role, but their word counts: so it takes whoever lets people in to invite them, since
    an author could else approve their own work by another address. Conflict for a version that is not handed
    in, and where no mail is sent and the link would open something that the person has already; Forbidden for
    who has written in it.
    """
    actor.require(Permission.PEOPLE_WRITE)
    version, _, owner = own_version(session, actor, version_id)
    if version.state != "in_review":
        raise Conflict("not_in_review", version=version.version, state=version.state)
    email = order.email.lower()
    person = people.by_email(session, email)
    if person is None:
        if holds_personal_number(order.name):
            raise InvalidInput(FieldError("/name", "personal_number"))
        person = Person(id=env.new_id(), name=order.name, email=email, created_at=env.now())
        session.add(person)
        session.flush()
    if f"person:{person.id}" in version.authors:
        raise Forbidden("own_work")
    goes_by_mail = "email" in env.channels
    if not goes_by_mail and not may_hand_over(env, session, actor, person):
        raise Conflict("no_mail", field="/email")
    row = _invitation(env, session, actor, "review", language, owner, person, LASTS)
    row.definition_version_id = version.id
    session.flush()
    if goes_by_mail:
        send(env, session, row)
    return row, goes_by_mail


def open_guest(env: Environment, session: Session, token: str) -> tuple[Invited, Actor, str]:
    """The invitation of a reviewer without an account, who they act as, and the version that they may see.

    NotFound for any other link. They speak for the owner, as a reviewer of its own people does.
    """
    invited = open_invitation(env, session, token)
    version_id, person = invited.row.definition_version_id, invited.person
    if invited.row.purpose != "review" or version_id is None or person is None:
        raise NotFound("invitation")
    may = frozenset({Permission.DEFINITIONS_READ, Permission.DEFINITIONS_REVIEW})
    actor = Actor(f"person:{person.id}", invited.row.organization_id, may, person.id)
    return invited, actor, version_id


def may_hand_over(env: Environment, session: Session, actor: Actor, person: Person) -> bool:
    """Whether who invites may see the link: where no mail is sent, and for who has nothing here that it would open."""
    return (
        "email" not in env.channels
        and not has_means(session, person.id)
        and {each.id for each, _ in people.organizations_of(session, person.id)}
        <= {actor.organization_id}
    )


def send(env: Environment, session: Session, row: Invitation) -> None:
    """Have the invitation sent once the transaction has ended."""
    env.enqueue(session, "deliveries", INVITE, row.id, key=f"invite/{row.id}")


def deliver_invitation(env: Environment, invitation_id: str) -> None:
    """Send an invitation that can still be used; NotDelivered to be tried again, and nothing if it never can be."""
    with env.reading() as session:
        row = sign_ins.invitation(session, invitation_id=invitation_id)
        channel = env.channels.get("email")
        if row is None or row.used_at is not None or row.expires_at <= env.now():
            return
        person = people.by_id(session, row.person_id or "")
        organization = organizations.by_id(session, row.organization_id or "")
        if person is None or organization is None:
            return
        language: Language = next(each for each in LANGUAGES if each == row.language)
        words = {
            "name": person.name,
            "issuer": organization.name(language),
            "link": address_of(env, row),
            "until": minute_text(row.expires_at),
        }
    if channel is None:
        raise NotDelivered("no_channel", channel="email")
    try:
        channel.deliver(
            Notice(
                message_id=f"<{invitation_id}@{env.addresses.host}>",
                address=person.email,
                language=language,
                sender=organization.name(language),
                reply_to=organization.email,
                subject=say(language, f"mail.invitation_{row.purpose}.subject", **words),
                text=say(language, f"mail.invitation_{row.purpose}.text", **words),
            )
        )
    except Undeliverable:
        return


def open_invitation(env: Environment, session: Session, token: str) -> Invited:
    """The invitation of a link; NotFound for any that is wrong, used or over."""
    invitation_id = id_of(token)
    row = (
        sign_ins.invitation(session, invitation_id=invitation_id)
        if invitation_id is not None
        and hmac.compare_digest(
            invitation_token(env.link_key, invitation_id).encode(), token.encode()
        )
        else None
    )
    if row is None or row.used_at is not None or row.expires_at <= env.now():
        raise NotFound("invitation")
    return Invited(
        row,
        people.by_id(session, row.person_id) if row.person_id else None,
        organizations.by_id(session, row.organization_id) if row.organization_id else None,
        row.person_id is not None and has_means(session, row.person_id),
    )


def settle_first(
    env: Environment,
    session: Session,
    token: str,
    order: FirstPersonOrder,
    registered: EnrolOrder | None,
    language: Language,
) -> bool:
    """The first person, in an organisation that is there or is registered here; whether a letter is on its way.

    Where mail is sent the link ends here, and the letter's asks for their means: nobody gets an account with an
    address that is not theirs, and whoever gives that address a role later gives it to its owner. A new
    organisation has definitions approved by somebody else from the start, until its owner changes that.
    Conflict for one that has somebody, and for an address that another person has.
    """
    invited = open_invitation(env, session, token)
    if invited.row.purpose != "first" or invited.person is not None:
        raise NotFound("invitation")
    acting = Actor(f"invitation:{invited.row.id}", None, OPERATOR)
    organization = invited.organization
    if organization is None:
        if registered is None:
            raise NotFound("organization", organization="")
        organization = enrol(env, session, acting, registered)
        organization.approvals = 1
    elif people.members(session, organization_id=organization.id):
        raise Conflict("has_people", organization=organization.slug)
    if people.by_email(session, order.email.lower()) is not None:
        raise Conflict("is_known", field="/email")
    member = add_person(
        env,
        session,
        acting,
        organization.slug,
        PersonOrder(name=order.name, email=order.email, roles=list(FIRST_ROLES)),
    )
    if not sign_ins.settle(
        session,
        invitation_id=invited.row.id,
        person_id=member.person.id,
        organization_id=organization.id,
    ):
        raise Conflict("invitation_used")
    if "email" not in env.channels:
        return False
    sign_ins.use_invitation(session, invitation_id=invited.row.id, now=env.now())
    row = _invitation(env, session, acting, "person", language, organization, member.person, LASTS)
    send(env, session, row)
    return True


def use(env: Environment, session: Session, invited: Invited) -> None:
    """The invitation is used, by who has just got means to sign in; Conflict if another request was first."""
    if not sign_ins.use_invitation(session, invitation_id=invited.row.id, now=env.now()):
        raise Conflict("invitation_used")
    person_id = invited.person.id if invited.person is not None else ""
    actor = Actor(f"person:{person_id}", invited.row.organization_id, frozenset(), person_id)
    audit(
        env,
        session,
        actor,
        "invitation.used",
        invited.row.id,
        organization_id=invited.row.organization_id,
    )


def has_means(session: Session, person_id: str) -> bool:
    """Whether somebody has a passkey, a password, or an account at a provider."""
    return (
        bool(sign_ins.passkeys(session, person_id=person_id))
        or sign_ins.password(session, person_id=person_id) is not None
        or oidc.has_any(session, person_id=person_id)
    )


def address_of(env: Environment, row: Invitation) -> str:
    """The address of an invitation."""
    return env.addresses.console(f"/invitation/{invitation_token(env.link_key, row.id)}")


def _invitation(
    env: Environment,
    session: Session,
    actor: Actor,
    purpose: Purpose,
    language: Language,
    organization: Organization | None,
    person: Person | None,
    lasts: timedelta,
) -> Invitation:
    now = env.now()
    row = Invitation(
        id=env.new_id(),
        purpose=purpose,
        language=language,
        organization_id=organization.id if organization else None,
        person_id=person.id if person else None,
        invited_by=actor.name,
        created_at=now,
        expires_at=now + lasts,
    )
    session.add(row)
    session.flush()
    audit(env, session, actor, "invitation.made", row.id, organization_id=row.organization_id)
    return row
