"""Definition, DefinitionVersion (immutable once published), Achievement, and their queries."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import JSON, ForeignKey, Select, UniqueConstraint, bindparam, func, or_, select
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from kpass_vc.language import Language
from kpass_vc.records.base import Base
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.organization import Organization

State = Literal["draft", "in_review", "approved", "published", "superseded", "retired"]


class Definition(Base):
    """A definition line: a code of one owner, in all its versions."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("organization_id", "code"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"))
    code: Mapped[str]


class DefinitionVersion(Base):
    """One version; its document and achievements never change once it is published.

    What its publication says stays too; it is signed anew if its key was compromised.
    """

    __tablename__ = "definition_version"
    __table_args__ = (UniqueConstraint("definition_id", "version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    definition_id: Mapped[str] = mapped_column(ForeignKey("definition.id"))
    version: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    source: Mapped[str]
    authorised_issuers: Mapped[list[str]] = mapped_column(JSON)
    title_sv: Mapped[str]
    title_en: Mapped[str | None]
    document: Mapped[bytes | None]
    document_url: Mapped[str | None] = mapped_column(unique=True)
    digest_sri: Mapped[str | None]
    publication: Mapped[bytes | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    authors: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    """The actors who have written in it; none of them approves it."""
    review_round: Mapped[int] = mapped_column(default=0, server_default="0")
    review_due: Mapped[date | None]
    """When it is to be looked through again."""

    @property
    def titles(self) -> dict[str, str]:
        """Its title by language; there always is a Swedish one."""
        return {"sv": self.title_sv} | ({"en": self.title_en} if self.title_en else {})

    def title(self, language: Language) -> str:
        """Its title in a language, else in Swedish."""
        return self.titles.get(language, self.title_sv)


class Achievement(Base):
    """The Open Badges Achievement of one published version in one language."""

    __tablename__ = "achievement"

    definition_version_id: Mapped[str] = mapped_column(
        ForeignKey("definition_version.id"), primary_key=True
    )
    language: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(unique=True)
    body: Mapped[bytes]


Found = tuple[DefinitionVersion, Definition, Organization]
"""A version, its line and its owner."""


def line(session: Session, *, organization_id: str, code: str) -> Definition | None:
    """The definition line of an owner's code."""
    return session.scalar(
        select(Definition)
        .where(Definition.organization_id == organization_id)
        .where(Definition.code == code)
    )


def versions(
    session: Session, *, definition_id: str, for_update: bool = False
) -> list[DefinitionVersion]:
    """All versions of a line, oldest first; `for_update` holds them, as they are then, until the transaction ends."""
    query = (
        select(DefinitionVersion)
        .where(DefinitionVersion.definition_id == definition_id)
        .order_by(DefinitionVersion.created_at, DefinitionVersion.id)
    )
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(query))


def no_longer_named(session: Session, *, organization_id: str, delegation: Delegation) -> None:
    """Take an issuer whose authorisation has ended off the lists of the versions that it was for."""
    issuer = session.get(Organization, delegation.issuer_id) if delegation.issuer_id else None
    if issuer is None:
        return
    found = session.execute(
        select(DefinitionVersion, Definition.code)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .where(Definition.organization_id == organization_id)
        .order_by(DefinitionVersion.created_at, DefinitionVersion.id)
        .with_for_update(of=DefinitionVersion)
        .execution_options(populate_existing=True)
    )
    for version, code in found:
        if issuer.slug in version.authorised_issuers and delegation.covers(code):
            version.authorised_issuers = [
                slug for slug in version.authorised_issuers if slug != issuer.slug
            ]


def hold_published(session: Session, *, organization_id: str) -> list[DefinitionVersion]:
    """Every version of an owner that has a publication, held until the transaction ends.

    Held in the order in which publishing holds those of a line: it would wait for us and we for it.
    """
    return list(
        session.scalars(
            select(DefinitionVersion)
            .join(Definition, Definition.id == DefinitionVersion.definition_id)
            .where(Definition.organization_id == organization_id)
            .where(DefinitionVersion.publication.is_not(None))
            .order_by(DefinitionVersion.created_at, DefinitionVersion.id)
            .with_for_update(of=DefinitionVersion)
            .execution_options(populate_existing=True)
        )
    )


def with_publication(session: Session, *, organization_id: str) -> Iterator[DefinitionVersion]:
    """Every version of an owner that has a publication, a few at a time; nothing is held."""
    query = (
        select(DefinitionVersion)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .where(Definition.organization_id == organization_id)
        .where(DefinitionVersion.publication.is_not(None))
        .order_by(DefinitionVersion.created_at, DefinitionVersion.id)
        .execution_options(yield_per=50)
    )
    yield from session.scalars(query)


def urls(session: Session, *, ids: Collection[str]) -> dict[str, str | None]:
    """The addresses of versions' documents, by their ids."""
    query = select(DefinitionVersion.id, DefinitionVersion.document_url)
    return {row[0]: row[1] for row in session.execute(query.where(DefinitionVersion.id.in_(ids)))}


def by_id(session: Session, version_id: str) -> Found | None:
    """A version by its id."""
    return _one(session, DefinitionVersion.id == version_id)


def by_document_url(session: Session, url: str) -> Found | None:
    """A published version by the address of its document."""
    return _first(session, _BY_DOCUMENT_URL, document_url=url)


def by_document_urls(session: Session, urls: Collection[str]) -> dict[str, Found]:
    """Published versions by the addresses of their documents, those that there are."""
    if not urls:
        return {}
    found = session.execute(_whole().where(DefinitionVersion.document_url.in_(urls)))
    rows = [(row[0], row[1], row[2]) for row in found]
    return {row[0].document_url: row for row in rows if row[0].document_url is not None}


def by_address(session: Session, *, slug: str, code: str, version: str) -> Found | None:
    """A version by its owner's slug, its code and its number."""
    return _one(
        session,
        Organization.slug == slug,
        Organization.is_elsewhere.is_(False),
        Definition.code == code,
        DefinitionVersion.version == version,
    )


def published_of_line(session: Session, *, slug: str, code: str) -> Found | None:
    """The published version of a line: there is at most one."""
    return _first(session, _PUBLISHED_OF_LINE, slug=slug, code=code)


def every_published(session: Session) -> list[Found]:
    """What is published now, by owner and code; the stored documents are read only where they are asked for."""
    query = (
        select(DefinitionVersion, Definition, Organization)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .join(Organization, Organization.id == Definition.organization_id)
        .where(DefinitionVersion.state == "published")
        .where(Organization.is_elsewhere.is_(False))
        .order_by(Organization.slug, Definition.code)
        .options(defer(DefinitionVersion.document), defer(DefinitionVersion.publication))
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def achievement(
    session: Session, *, definition_version_id: str, language: str
) -> Achievement | None:
    """The Achievement of a version in a language."""
    return session.get(Achievement, (definition_version_id, language))


def editions(session: Session, urls: Collection[str]) -> dict[str, bytes]:
    """The published bytes of Achievements by their addresses, those that there are."""
    if not urls:
        return {}
    query = select(Achievement.url, Achievement.body).where(Achievement.url.in_(urls))
    return {row[0]: row[1] for row in session.execute(query)}


def search(
    session: Session,
    *,
    states: tuple[str, ...],
    owner: str | None = None,
    text: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Found], int]:
    """A page of versions in these states, by owner and code, and how many there are in all."""
    query = (
        select(DefinitionVersion, Definition, Organization)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .join(Organization, Organization.id == Definition.organization_id)
        .where(DefinitionVersion.state.in_(states))
        .where(Organization.is_elsewhere.is_(False))
    )
    if owner is not None:
        query = query.where(Organization.slug == owner)
    if text:
        query = query.where(
            or_(
                Definition.code.icontains(text, autoescape=True),
                DefinitionVersion.title_sv.icontains(text, autoescape=True),
                DefinitionVersion.title_en.icontains(text, autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(Organization.slug, Definition.code, DefinitionVersion.version)
    page = session.execute(ordered.limit(limit).offset(offset))
    return [(row[0], row[1], row[2]) for row in page], total


def _one(session: Session, *conditions: object) -> Found | None:
    query = _whole()
    for condition in conditions:
        query = query.where(condition)  # type: ignore[arg-type]
    return _first(session, query)


def _first(
    session: Session, query: Select[DefinitionVersion, Definition, Organization], **values: str
) -> Found | None:
    row = session.execute(query, values).first()
    return (row[0], row[1], row[2]) if row is not None else None


def _whole() -> Select[DefinitionVersion, Definition, Organization]:
    return (
        select(DefinitionVersion, Definition, Organization)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .join(Organization, Organization.id == Definition.organization_id)
    )


_BY_DOCUMENT_URL: Final = _whole().where(
    DefinitionVersion.document_url == bindparam("document_url")
)
"""Made once: to put a statement together takes longer than to carry it out."""
_PUBLISHED_OF_LINE: Final = (
    _whole()
    .where(Organization.slug == bindparam("slug"))
    .where(Organization.is_elsewhere.is_(False))
    .where(Definition.code == bindparam("code"))
    .where(DefinitionVersion.state == "published")
)
