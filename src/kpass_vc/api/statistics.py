"""Statistics: what you have issued, and what others have issued of your definitions."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from kpass_vc.actions.statistics import others_counts, own_counts
from kpass_vc.edge import CurrentActor, ReadTx
from kpass_vc.spreadsheets import write_csv

router = APIRouter(prefix="/v1", tags=["Statistics"])


class OwnReply(BaseModel):
    """What you have issued of a definition in a month by a channel."""

    definition: str
    month: str
    channel: str
    issued: int
    claimed: int
    revoked: int


class OthersReply(BaseModel):
    """What another has issued of a definition of yours; null where too few could be made out."""

    definition: str
    issuer: str
    issued: int | None
    claimed: int | None
    revoked: int | None


class StatisticsReply(BaseModel):
    """Both."""

    own: list[OwnReply]
    others: list[OthersReply]


@router.get(
    "/statistics",
    summary="What was issued, claimed and revoked",
    response_model=StatisticsReply,
    responses={200: {"content": {"text/csv": {}}}},
)
def get_statistics(
    actor: CurrentActor,
    session: ReadTx,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> StatisticsReply | Response:
    """Your own exactly; others' by issuer, without counts under five or any that would give one away."""
    own, others = own_counts(session, actor), others_counts(session, actor)
    if form == "json":
        return StatisticsReply(
            own=[OwnReply(**vars(row)) for row in own],
            others=[OthersReply(**vars(row)) for row in others],
        )
    headings = ["definition", "issuer", "month", "channel", "issued", "claimed", "revoked"]
    rows = [
        [row.definition, "", row.month, row.channel, *_texts(row.issued, row.claimed, row.revoked)]
        for row in own
    ]
    rows += [
        [row.definition, row.issuer, "", "", *_texts(row.issued, row.claimed, row.revoked)]
        for row in others
    ]
    return Response(write_csv(headings, rows), media_type="text/csv")


def _texts(*counts: int | None) -> list[str]:
    return ["<5" if count is None else str(count) for count in counts]
