"""Actor, Permission: who acts, and what that token or person may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kpass_vc.errors import Forbidden


class Permission(StrEnum):
    """One thing that may be done."""

    ORGANIZATIONS_WRITE = "organizations:write"
    DEFINITIONS_WRITE = "definitions:write"
    DEFINITIONS_PUBLISH = "definitions:publish"
    CREDENTIALS_ISSUE = "credentials:issue"
    CREDENTIALS_REVOKE = "credentials:revoke"
    CREDENTIALS_READ = "credentials:read"
    TOKENS_WRITE = "tokens:write"
    KEYS_WRITE = "keys:write"


OPERATOR: Final = frozenset(
    {Permission.ORGANIZATIONS_WRITE, Permission.TOKENS_WRITE, Permission.KEYS_WRITE}
)
"""What the operator may do: register organisations, hand out their tokens, change their keys; never issue."""

ORGANIZATION: Final = frozenset(Permission) - OPERATOR
"""What an organisation may do with what is its own."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a token, or the command line on the machine itself."""

    name: str
    organization_id: str | None
    permissions: frozenset[Permission]

    def require(self, permission: Permission) -> None:
        """Return if the actor has the permission, else Forbidden."""
        if permission not in self.permissions:
            raise Forbidden("permission", permission=permission.value)

    def own_organization(self) -> str:
        """The id of the organisation the actor acts for; Forbidden for the operator."""
        if self.organization_id is None:
            raise Forbidden("no_organization")
        return self.organization_id
