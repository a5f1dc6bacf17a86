"""What was issued, accepted and revoked: as bars that need no colour, as tables, and as a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from kpass_vc.actions.statistics import FEWEST, OthersCount, OwnCount, others_counts, own_counts
from kpass_vc.edge import ReadTx
from kpass_vc.pages.console.frame import AtWork, Desk
from kpass_vc.pages.private import private_file
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.spreadsheets import write_csv

router = APIRouter(prefix="/console", include_in_schema=False)

KINDS: Final = ("issued", "claimed", "revoked")
_WIDEST: Final = 230
"""How long the longest bar of a chart is, of the 400 that the drawing is wide."""
_MOST_MONTHS: Final = 24
_MOST_BARS: Final = 20


@dataclass(frozen=True)
class Bar:
    """One bar of a chart."""

    kind: str
    count: int
    width: int


@dataclass(frozen=True)
class Group:
    """What is told of one micro-credential or of one month."""

    label: str
    issued: int
    claimed: int
    revoked: int
    bars: tuple[Bar, ...] = ()


@router.api_route("/statistics", methods=["GET", "HEAD"])
def statistics(desk: AtWork, session: ReadTx, definition: str = "") -> Response:
    """One's own by micro-credential and by month, all of them or one; others' where few cannot be made out."""
    own = own_counts(session, desk.who.actor)
    others = others_counts(session, desk.who.actor)
    titles = {name: _title(desk, session, name) for name in {row.definition for row in own}}
    chosen = definition if definition in titles else ""
    shown = [row for row in own if not chosen or row.definition == chosen]
    by_definition = _groups((titles[row.definition], row) for row in shown)
    by_month = _groups((row.month, row) for row in shown)
    return desk.page(
        "statistics.html",
        here="statistics",
        options=sorted(titles.items(), key=lambda option: option[1].casefold()),
        chosen=chosen,
        kinds=KINDS,
        by_definition=sorted(by_definition, key=lambda group: (-group.issued, group.label)),
        most_bars=_MOST_BARS,
        by_month=sorted(by_month, key=lambda group: group.label)[-_MOST_MONTHS:],
        most_months=_MOST_MONTHS,
        is_cut=len(by_month) > _MOST_MONTHS,
        total=_total(desk, shown),
        others=_others(desk, session, others),
        fewest=FEWEST,
    )


@router.api_route("/statistics/csv", methods=["GET", "HEAD"])
def table(desk: AtWork, session: ReadTx) -> Response:
    """The same figures, each month and each issuer on a line."""
    headings = [
        desk.say(f"statistics.column.{name}")
        for name in ("definition", "issuer", "month", "channel", *KINDS)
    ]
    few = desk.say("statistics.few", fewest=FEWEST)
    rows = [
        [row.definition, "", row.month, desk.say(f"credential.channel.{row.channel}")]
        + [str(each) for each in (row.issued, row.claimed, row.revoked)]
        for row in own_counts(session, desk.who.actor)
    ]
    rows += [
        [row.definition, row.issuer, "", ""]
        + [few if each is None else str(each) for each in (row.issued, row.claimed, row.revoked)]
        for row in others_counts(session, desk.who.actor)
    ]
    return private_file(
        write_csv(headings, rows), "text/csv", name=f"{desk.say('statistics.file_name')}.csv"
    )


def _groups(rows: Iterable[tuple[str, OwnCount]]) -> list[Group]:
    """The sums by what each row is told under, with bars as long as they are to each other."""
    sums: dict[str, list[int]] = {}
    for label, row in rows:
        counts = sums.setdefault(label, [0, 0, 0])
        for place, count in enumerate((row.issued, row.claimed, row.revoked)):
            counts[place] += count
    most = max((max(counts) for counts in sums.values()), default=1) or 1
    return [
        Group(
            label,
            issued,
            claimed,
            revoked,
            tuple(
                Bar(kind, count, -(-count * _WIDEST // most))
                for kind, count in zip(KINDS, (issued, claimed, revoked), strict=True)
            ),
        )
        for label, (issued, claimed, revoked) in sums.items()
    ]


def _total(desk: Desk, rows: Sequence[OwnCount]) -> Group:
    return Group(
        desk.say("statistics.total"),
        sum(row.issued for row in rows),
        sum(row.claimed for row in rows),
        sum(row.revoked for row in rows),
    )


def _others(
    desk: Desk, session: Session, rows: Sequence[OthersCount]
) -> list[tuple[str, str, tuple[int | None, ...]]]:
    organization = desk.who.organization
    slug = organization.slug if organization is not None else ""
    found: list[tuple[str, str, tuple[int | None, ...]]] = []
    for row in rows:
        issuer = organizations.by_slug(session, row.issuer)
        found.append(
            (
                _title(desk, session, f"{slug}/{row.definition}"),
                issuer.name(desk.language) if issuer is not None else row.issuer,
                (row.issued, row.claimed, row.revoked),
            )
        )
    return found


def _title(desk: Desk, session: Session, name: str) -> str:
    """What the newest version of `owner/CODE` is called, with the code, by which two of a title differ."""
    slug, _, code = name.partition("/")
    owner = organizations.by_slug(session, slug)
    line = definitions.line(session, organization_id=owner.id, code=code) if owner else None
    versions = definitions.versions(session, definition_id=line.id) if line else []
    return f"{versions[-1].title(desk.language)} ({code})" if versions else code
