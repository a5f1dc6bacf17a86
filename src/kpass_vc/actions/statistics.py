"""How many were issued, claimed and revoked: one's own exactly, others' only where no few can be made out.

An owner sees how much others issue of its definitions, a number for each issuer and no sums:
a count under five is not shown, nor one whose difference to another shown one is under five.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kpass_vc.authz import Actor, Permission
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.records.award import Award
from kpass_vc.records.definition import Definition, DefinitionVersion
from kpass_vc.records.organization import Organization

FEWEST: Final = 5


@dataclass(frozen=True)
class OwnCount:
    """What the organisation has issued itself of a definition in a month by a channel."""

    definition: str
    month: str
    channel: str
    issued: int
    claimed: int
    revoked: int


@dataclass(frozen=True)
class OthersCount:
    """What another organisation has issued of a definition of one's own; None where too few could be made out."""

    definition: str
    issuer: str
    issued: int | None
    claimed: int | None
    revoked: int | None


def own_counts(session: Session, actor: Actor) -> list[OwnCount]:
    """Exact, by definition, month and channel; tests are not counted."""
    actor.require(Permission.STATISTICS_READ)
    rows = session.execute(
        select(
            Organization.slug,
            Definition.code,
            Award.issued_at,
            Award.channel,
            Award.claimed_at,
            Award.state,
        )
        .join(DefinitionVersion, DefinitionVersion.id == Award.definition_version_id)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .join(Organization, Organization.id == Definition.organization_id)
        .where(Award.organization_id == actor.own_organization())
        .where(Award.is_test.is_(False))
    )
    found: dict[tuple[str, str, str], list[int]] = {}
    for slug, code, issued_at, channel, claimed_at, state in rows:
        month = issued_at.astimezone(STOCKHOLM).strftime("%Y-%m")
        counts = found.setdefault((f"{slug}/{code}", month, channel), [0, 0, 0])
        counts[0] += 1
        counts[1] += claimed_at is not None
        counts[2] += state == "revoked"
    return [OwnCount(*key, *counts) for key, counts in sorted(found.items())]


def others_counts(session: Session, actor: Actor) -> list[OthersCount]:
    """What others have issued of the organisation's definitions, by definition and issuer."""
    actor.require(Permission.STATISTICS_READ)
    owner_id = actor.own_organization()
    claimed = func.sum(case((Award.claimed_at.is_not(None), 1), else_=0))
    revoked = func.sum(case((Award.state == "revoked", 1), else_=0))
    rows = session.execute(
        select(Definition.code, Organization.slug, func.count(), claimed, revoked)
        .select_from(Award)
        .join(DefinitionVersion, DefinitionVersion.id == Award.definition_version_id)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .join(Organization, Organization.id == Award.organization_id)
        .where(Definition.organization_id == owner_id)
        .where(Award.organization_id != owner_id)
        .where(Award.is_test.is_(False))
        .group_by(Definition.code, Organization.slug)
        .order_by(Definition.code, Organization.slug)
    )
    return [
        OthersCount(code, slug, *shown(int(issued), int(claims), int(ended)))
        for code, slug, issued, claims, ended in rows
    ]


def shown(issued: int, claimed: int, revoked: int) -> tuple[int | None, int | None, int | None]:
    """The counts of one row as others may see them: none of them, and no difference of two, is one to four."""
    if 0 < issued < FEWEST:
        return None, None, None
    kept = [issued]
    found: list[int | None] = []
    for count in (claimed, revoked):
        plain = all(not 0 < abs(count - other) < FEWEST for other in kept)
        if plain and not 0 < count < FEWEST:
            kept.append(count)
            found.append(count)
        else:
            found.append(None)
    return issued, found[0], found[1]
