"""What others are told of: the change feed and webhooks, by the audit entry's action."""

from collections.abc import Mapping
from typing import Final

CHANGES: Final[Mapping[str, str]] = {
    "credential.issued": "issued",
    "credential.claimed": "claimed",
    "credential.revoked": "revoked",
    "credential.suspended": "suspended",
    "credential.active": "reinstated",
    "credential.corrected": "corrected",
    "credential.disputed": "disputed",
    "credential.dispute_closed": "dispute_closed",
    "credential.erased": "erased",
    "definition.published": "published",
    "definition.retired": "retired",
    "delegation.granted": "granted",
    "delegation.accepted": "accepted",
    "delegation.withdrawn": "withdrawn",
    "batch.finished": "finished",
    "batch.undone": "undone",
}


def event_of(action: str) -> str:
    """What an action is called to others: credential.issued."""
    return f"{action.partition('.')[0]}.{CHANGES[action]}"
