"""Person, Membership: who may sign in, and what they are in each organisation."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base
from kpass_vc.records.organization import Organization


class Person(Base):
    """Somebody who works with the service; never a learner."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    """In lower case."""
    created_at: Mapped[datetime]


class Membership(Base):
    """One role of one person in one organisation."""

    __tablename__ = "membership"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime]
    granted_by: Mapped[str]


def by_id(session: Session, person_id: str) -> Person | None:
    """A person by id."""
    return session.get(Person, person_id)


def by_email(session: Session, email: str) -> Person | None:
    """A person by e-mail address, in lower case."""
    return session.scalar(select(Person).where(Person.email == email))


def memberships(
    session: Session, *, organization_id: str, person_id: str | None = None
) -> list[Membership]:
    """The roles of an organisation's people, or of one of them; by person and role."""
    query = select(Membership).where(Membership.organization_id == organization_id)
    if person_id is not None:
        query = query.where(Membership.person_id == person_id)
    return list(session.scalars(query.order_by(Membership.person_id, Membership.role)))


def members(session: Session, *, organization_id: str) -> list[Person]:
    """The people who have a role in an organisation, by name."""
    ids = select(Membership.person_id).where(Membership.organization_id == organization_id)
    query = select(Person).where(Person.id.in_(ids)).order_by(Person.name, Person.id)
    return list(session.scalars(query))


def organizations_of(session: Session, person_id: str) -> list[tuple[Organization, str]]:
    """The organisations a person has roles in, with each role; by slug."""
    found = session.execute(
        select(Organization, Membership.role)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.person_id == person_id)
        .order_by(Organization.slug, Membership.role)
    )
    return [(row[0], row[1]) for row in found]
