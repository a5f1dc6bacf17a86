"""Award, Representation, IdempotencyKey, and their queries."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Literal

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    UniqueConstraint,
    exists,
    false,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base
from kpass_vc.records.dispute import Dispute
from kpass_vc.records.key import SigningKey

State = Literal["active", "suspended", "revoked"]


class Award(Base):
    """That someone achieved a definition version: when, how assessed, and what became of it."""

    __tablename__ = "award"
    __table_args__ = (
        UniqueConstraint("status_list_id", "status_index"),
        Index(
            "uq_award_external_reference",
            "organization_id",
            "external_reference",
            "is_test",
            unique=True,
            sqlite_where=text("state != 'revoked'"),
            postgresql_where=text("state != 'revoked'"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    definition_version_id: Mapped[str] = mapped_column(
        ForeignKey("definition_version.id"), index=True
    )
    state: Mapped[str]
    reason: Mapped[str | None]
    holder_id: Mapped[str]
    holder_name: Mapped[str | None]
    external_reference: Mapped[str | None]
    assessed_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(index=True)
    valid_until: Mapped[datetime | None]
    status_list_id: Mapped[str] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int]
    status_changed_at: Mapped[datetime | None]
    link_generation: Mapped[int] = mapped_column(default=0, server_default="0")
    learner_id: Mapped[str | None] = mapped_column(ForeignKey("learner.id"), index=True)
    delegation_id: Mapped[str | None] = mapped_column(ForeignKey("delegation.id"), index=True)
    """What it was issued under, where the issuer does not own the definition."""
    replaces_id: Mapped[str | None] = mapped_column(ForeignKey("award.id"), index=True)
    """The award that it corrects."""
    is_test: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it is a test, which says so in what is signed."""
    channel: Mapped[str] = mapped_column(default="api", server_default="api")
    """How its order came: api, batch or cli."""
    erased_at: Mapped[datetime | None]
    """When what was stored about its learner was forgotten."""
    claimed_at: Mapped[datetime | None]
    """When its learner first opened it and accepted."""

    @property
    def was_anothers(self) -> bool:
        """Whether it was revoked since it is somebody else's: what took its place is not for who has this one."""
        return self.reason == "wrong_holder"


class Representation(Base):
    """One secured form of an award: its bytes as they were signed, which are the bytes that are served."""

    __tablename__ = "representation"

    award_id: Mapped[str] = mapped_column(ForeignKey("award.id"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    format: Mapped[str] = mapped_column(primary_key=True)
    credential_id: Mapped[str] = mapped_column(index=True)
    media_type: Mapped[str]
    body: Mapped[bytes]
    sha256: Mapped[str]
    verification_method: Mapped[str] = mapped_column(index=True)


class IdempotencyKey(Base):
    """The SHA-256 of an organisation's Idempotency-Key (its text may say anything), and the award of its request."""

    __tablename__ = "idempotency_key"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    award_id: Mapped[str]
    created_at: Mapped[datetime]


def claim_key(session: Session, row: IdempotencyKey) -> bool:
    """Whether the key was free and is ours now; waits for a transaction that is about to take it."""
    values = {
        "organization_id": row.organization_id,
        "key": row.key,
        "request_sha256": row.request_sha256,
        "award_id": row.award_id,
        "created_at": row.created_at,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(IdempotencyKey).values(values).on_conflict_do_nothing()
    return session.execute(statement.returning(IdempotencyKey.key)).first() is not None


def keys_used(session: Session, *, organization_id: str, keys: Collection[str]) -> set[str]:
    """Those of some Idempotency-Keys, as they are kept, that were used."""
    if not keys:
        return set()
    query = (
        select(IdempotencyKey.key)
        .where(IdempotencyKey.organization_id == organization_id)
        .where(IdempotencyKey.key.in_(keys))
    )
    return set(session.scalars(query))


def references_in_use(
    session: Session, *, organization_id: str, references: Collection[str], is_test: bool
) -> set[str]:
    """Those of an issuer's own references that awards carry which are not revoked."""
    if not references:
        return set()
    query = (
        select(Award.external_reference)
        .where(Award.organization_id == organization_id)
        .where(Award.external_reference.in_(references))
        .where(Award.is_test.is_(is_test))
        .where(Award.state != "revoked")
    )
    return {found for found in session.scalars(query) if found is not None}


def used_key(session: Session, *, organization_id: str, key: str) -> IdempotencyKey | None:
    """The row of a used key."""
    return session.get(IdempotencyKey, (organization_id, key))


def by_id(
    session: Session,
    *,
    organization_id: str,
    award_id: str,
    tests_only: bool = False,
    for_update: bool = False,
) -> Award | None:
    """An award of one organisation; `for_update` holds the row until the transaction ends."""
    query = (
        select(Award).where(Award.organization_id == organization_id).where(Award.id == award_id)
    )
    if tests_only:
        query = query.where(Award.is_test)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def by_ids(
    session: Session, *, organization_id: str, award_ids: Collection[str], for_update: bool = False
) -> dict[str, Award]:
    """An organisation's awards of these ids, by id; `for_update` holds the rows until the transaction ends."""
    query = (
        select(Award).where(Award.organization_id == organization_id).where(Award.id.in_(award_ids))
    )
    if for_update:
        query = query.order_by(Award.id).with_for_update()
        query = query.execution_options(populate_existing=True)
    return {each.id: each for each in session.scalars(query)}


def opened(*, organization_id: str, is_open: bool) -> Select[str]:
    """The ids of an organisation's awards that their learners have opened, or that they might open yet."""
    query = select(Award.id).where(Award.organization_id == organization_id)
    if is_open:
        return query.where(Award.claimed_at.is_not(None))
    return query.where(Award.claimed_at.is_(None)).where(Award.state != "revoked")


def by_link(session: Session, *, award_id: str, for_update: bool = False) -> Award | None:
    """The award that a private link or a share link leads to, whichever organisation's it is."""
    query = select(Award).where(Award.id == award_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def replacement_of(session: Session, *, award_id: str, for_update: bool = False) -> Award | None:
    """The award that corrects another one, if it was corrected; check first whose it is."""
    query = select(Award).where(Award.replaces_id == award_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def of_holder(
    session: Session,
    *,
    organization_id: str,
    learner_id: str | None,
    did: str | None,
    is_test: bool,
) -> list[Award]:
    """An organisation's awards to somebody it knows by its own record of the learner, or by a DID; newest first.

    Those that are tests, or those that are none.
    """
    known = []
    if learner_id is not None:
        known.append(Award.learner_id == learner_id)
    if did is not None:
        known.append(Award.holder_id == did)
    if not known:
        return []
    query = (
        select(Award)
        .where(Award.organization_id == organization_id)
        .where(Award.is_test.is_(is_test))
        .where(or_(*known))
    )
    return list(session.scalars(query.order_by(Award.issued_at.desc(), Award.id)))


def of_learner(session: Session, *, organization_id: str, learner_id: str) -> list[Award]:
    """All awards of a learner, oldest first, held until the transaction ends."""
    query = (
        select(Award)
        .where(Award.organization_id == organization_id)
        .where(Award.learner_id == learner_id)
        .order_by(Award.issued_at, Award.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def by_reference(
    session: Session, *, organization_id: str, external_reference: str, is_test: bool
) -> Award | None:
    """The award that is not revoked and carries an issuer's own reference; a test has its own of them."""
    return session.scalar(
        select(Award)
        .where(Award.organization_id == organization_id)
        .where(Award.external_reference == external_reference)
        .where(Award.is_test.is_(is_test))
        .where(Award.state != "revoked")
    )


def search(
    session: Session,
    *,
    organization_id: str,
    external_reference: str | None = None,
    definition_version_id: str | None = None,
    state: str | None = None,
    words: str | None = None,
    claimed: bool | None = None,
    compromised: bool = False,
    disputed: bool | None = None,
    tests_only: bool = False,
    among: Select[str] | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Award], int]:
    """A page of an organisation's awards, newest first, and how many there are in all.

    `among` is a query for the ids of those that are meant; `words` stand somewhere in the learner's name or in
    the issuer's own reference.
    """
    query = select(Award).where(Award.organization_id == organization_id)
    if tests_only:
        query = query.where(Award.is_test)
    if among is not None:
        query = query.where(Award.id.in_(among))
    if external_reference is not None:
        query = query.where(Award.external_reference == external_reference)
    if definition_version_id is not None:
        query = query.where(Award.definition_version_id == definition_version_id)
    if state is not None:
        query = query.where(Award.state == state)
    if words is not None:
        query = query.where(_holds(words))
    if claimed is not None:
        query = query.where(
            Award.claimed_at.is_not(None) if claimed else Award.claimed_at.is_(None)
        )
    if compromised:
        query = query.where(Award.id.in_(_signed_with_compromised()))
    if disputed is not None:
        is_open = exists().where(Dispute.award_id == Award.id).where(Dispute.state == "open")
        query = query.where(is_open if disputed else ~is_open)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(Award.issued_at.desc(), Award.id).limit(limit).offset(offset)
    return list(session.scalars(page)), total


def _holds(words: str) -> ColumnElement[bool]:
    """That the name or the reference has the words in it, whether in large letters or small.

    SQLite knows large and small of a to z alone, so that Å is looked for in each way that it may be written.
    """
    written = dict.fromkeys((words, words.lower(), words.title(), words.upper()))
    return or_(
        *(
            column.icontains(each, autoescape=True)
            for column in (Award.holder_name, Award.external_reference)
            for each in written
        )
    )


def issued_under(session: Session, *, organization_id: str) -> list[str]:
    """The ids of the definition versions that an organisation has issued under."""
    query = select(Award.definition_version_id).where(Award.organization_id == organization_id)
    return list(session.scalars(query.distinct()))


def disputed_among(session: Session, *, organization_id: str, ids: Collection[str]) -> set[str]:
    """Those of an organisation's awards whose learner says that something is wrong."""
    query = (
        select(Award.id)
        .join(Dispute, Dispute.award_id == Award.id)
        .where(Award.organization_id == organization_id)
        .where(Award.id.in_(ids))
        .where(Dispute.state == "open")
    )
    return set(session.scalars(query))


def compromised_among(session: Session, *, organization_id: str, ids: Collection[str]) -> set[str]:
    """Those of an organisation's awards of which a form was signed with a key withdrawn as compromised."""
    query = (
        select(Award.id)
        .where(Award.organization_id == organization_id)
        .where(Award.id.in_(ids))
        .where(Award.id.in_(_signed_with_compromised()))
    )
    return set(session.scalars(query))


def after(session: Session, *, organization_id: str, award_id: str, limit: int) -> list[Award]:
    """An organisation's awards from the one after an id on, in the order of their ids."""
    query = (
        select(Award)
        .where(Award.organization_id == organization_id)
        .where(Award.id > award_id)
        .order_by(Award.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def forms(session: Session, *, award_ids: Collection[str]) -> dict[str, list[Representation]]:
    """All representations of some awards; check first whose awards they are."""
    query = select(Representation).where(Representation.award_id.in_(award_ids))
    found: dict[str, list[Representation]] = {}
    for row in session.scalars(
        query.order_by(Representation.language.desc(), Representation.format)
    ):
        found.setdefault(row.award_id, []).append(row)
    return found


def count_signed_with(session: Session, *, organization_id: str, method: str) -> int:
    """How many awards of an organisation have a form that was signed with a verification method."""
    query = (
        select(func.count(Award.id.distinct()))
        .join(Representation, Representation.award_id == Award.id)
        .where(Award.organization_id == organization_id)
        .where(Representation.verification_method == method)
    )
    return session.scalar(query) or 0


def count_under(session: Session, *, delegation_id: str) -> int:
    """How many awards were issued under a delegation, those that are revoked since among them; no tests."""
    query = (
        select(func.count())
        .select_from(Award)
        .where(Award.delegation_id == delegation_id)
        .where(Award.is_test.is_(False))
    )
    return session.scalar(query) or 0


def is_compromised(session: Session, *, award_id: str) -> bool:
    """Whether a form of an award was signed with a key that was withdrawn as compromised."""
    found = _signed_with_compromised().where(Representation.award_id == award_id)
    return session.scalar(found.limit(1)) is not None


def _signed_with_compromised() -> Select[str]:
    return (
        select(Representation.award_id)
        .join(SigningKey, SigningKey.verification_method == Representation.verification_method)
        .where(SigningKey.state == "compromised")
    )


def representations(session: Session, *, award_id: str) -> list[Representation]:
    """All representations of an award, by language and format; check first whose award it is."""
    return list(
        session.scalars(
            select(Representation)
            .where(Representation.award_id == award_id)
            .order_by(Representation.language.desc(), Representation.format)
        )
    )


def by_credential_id(session: Session, credential_id: str) -> tuple[Award, Representation] | None:
    """The award and one representation of a credential id."""
    row = session.execute(
        select(Award, Representation)
        .join(Representation, Representation.award_id == Award.id)
        .where(Representation.credential_id == credential_id)
        .limit(1)
    ).first()
    return (row[0], row[1]) if row is not None else None


def organization_of(session: Session, award_id: str) -> str | None:
    """The id of the organisation that an award is of: for the command line, which acts for all."""
    return session.scalar(select(Award.organization_id).where(Award.id == award_id))
