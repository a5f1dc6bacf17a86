"""OrganizationImage: the picture of an organisation, as it was made anew."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class OrganizationImage(Base):
    """One picture of one organisation."""

    __tablename__ = "organization_image"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    media_type: Mapped[str]
    body: Mapped[bytes]
    changed_at: Mapped[datetime]


def of_organization(session: Session, *, organization_id: str) -> OrganizationImage | None:
    """An organisation's picture, if it has one."""
    return session.get(OrganizationImage, organization_id)
