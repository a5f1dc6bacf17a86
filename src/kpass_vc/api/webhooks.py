"""Webhooks: addresses of your own that are told of changes."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from kpass_vc.actions.webhooks import (
    ReplayOrder,
    WebhookOrder,
    add_webhook,
    end_webhook,
    own_webhooks,
    replay,
)
from kpass_vc.edge import CurrentActor, Env, ReadTx, WriteTx, accepts, message
from kpass_vc.model.changes import CHANGES, event_of
from kpass_vc.records.webhook import Webhook

router = APIRouter(prefix="/v1", tags=["Systems"])


class WebhookReply(BaseModel):
    """A webhook, and how far it has been told."""

    id: str
    url: str
    events: list[str]
    position: int
    failures: int
    lastError: str | None  # noqa: N815 - as it is on the wire
    createdAt: datetime  # noqa: N815


class NewWebhookReply(WebhookReply):
    """The same with its secret, which is shown this once."""

    secret: str


class WebhookList(BaseModel):
    """Your webhooks."""

    webhooks: list[WebhookReply]


@router.post(
    "/webhooks",
    status_code=201,
    summary="Have an address of yours told of changes",
    openapi_extra=accepts(
        WebhookOrder,
        {"url": "https://system.example/kpass", "events": ["credential.revoked"]},
    ),
)
def post_webhook(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[WebhookOrder, Depends(message(WebhookOrder))],
) -> NewWebhookReply:
    """In order and signed as Standard Webhooks has it; tried until it is taken. Events hold ids, never names."""
    row, secret = add_webhook(env, session, actor, order)
    return NewWebhookReply(secret=secret, **_reply(row).model_dump())


@router.get("/webhooks", summary="Your webhooks")
def get_webhooks(actor: CurrentActor, session: ReadTx) -> WebhookList:
    """With how far each has been told, and what went wrong last."""
    return WebhookList(webhooks=[_reply(row) for row in own_webhooks(session, actor)])


@router.post(
    "/webhooks/{webhook_id}/replay",
    summary="Have events sent again",
    openapi_extra=accepts(ReplayOrder, {"since": 0}),
)
def post_replay(
    webhook_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[ReplayOrder, Depends(message(ReplayOrder))],
) -> WebhookReply:
    """Everything since a number of the change feed, under the same ids."""
    return _reply(replay(env, session, actor, webhook_id, order))


@router.delete("/webhooks/{webhook_id}", status_code=204, summary="End a webhook")
def delete_webhook(webhook_id: str, actor: CurrentActor, env: Env, session: WriteTx) -> None:
    """It is told nothing any more."""
    end_webhook(env, session, actor, webhook_id)


def _reply(row: Webhook) -> WebhookReply:
    return WebhookReply(
        id=row.id,
        url=row.url,
        events=[event_of(action) for action in row.events or CHANGES],
        position=row.position,
        failures=row.failures,
        lastError=row.last_error,
        createdAt=row.created_at,
    )
