"""Actor, Role, Permission: who acts, and the table of what each role may do.

The matrix is that of the pilot: who writes does not approve, who owns a
definition does not thereby issue, and the operator never issues. A person has
roles in an organisation; a system has a token with permissions of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kpass_vc.errors import Forbidden


class Permission(StrEnum):
    """One thing that may be done."""

    ORGANIZATIONS_WRITE = "organizations:write"
    TOKENS_WRITE = "tokens:write"
    KEYS_WRITE = "keys:write"
    PEOPLE_WRITE = "people:write"
    DEFINITIONS_READ = "definitions:read"
    DEFINITIONS_WRITE = "definitions:write"
    DEFINITIONS_REVIEW = "definitions:review"
    DEFINITIONS_PUBLISH = "definitions:publish"
    DELEGATIONS_WRITE = "delegations:write"
    CREDENTIALS_ISSUE = "credentials:issue"
    CREDENTIALS_REVOKE = "credentials:revoke"
    CREDENTIALS_READ = "credentials:read"
    LEARNERS_ERASE = "learners:erase"
    WEBHOOKS_WRITE = "webhooks:write"
    STATISTICS_READ = "statistics:read"
    AUDIT_READ = "audit:read"
    ORGANIZATION_EXPORT = "organization:export"


OPERATOR: Final = frozenset(
    {Permission.ORGANIZATIONS_WRITE, Permission.TOKENS_WRITE, Permission.KEYS_WRITE}
)
"""What the operator may do: register organisations, hand out their tokens, change their keys; never issue."""

ORGANIZATION: Final = frozenset(Permission) - OPERATOR
"""What an organisation may do with what is its own."""


class Role(StrEnum):
    """What a person is in an organisation."""

    OWNER = "owner"
    AUTHOR = "author"
    REVIEWER = "reviewer"
    ISSUER = "issuer"
    REVOKER = "revoker"
    AUDITOR = "auditor"
    INTEGRATION = "integration"
    """Looks after the organisation's systems: their webhooks, and what they have issued."""


ROLES: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(
        {
            Permission.KEYS_WRITE,
            Permission.PEOPLE_WRITE,
            Permission.DEFINITIONS_READ,
            Permission.DEFINITIONS_WRITE,
            Permission.DEFINITIONS_PUBLISH,
            Permission.DELEGATIONS_WRITE,
            Permission.LEARNERS_ERASE,
            Permission.WEBHOOKS_WRITE,
            Permission.STATISTICS_READ,
            Permission.AUDIT_READ,
            Permission.ORGANIZATION_EXPORT,
        }
    ),
    Role.AUTHOR: frozenset({Permission.DEFINITIONS_READ, Permission.DEFINITIONS_WRITE}),
    Role.REVIEWER: frozenset({Permission.DEFINITIONS_READ, Permission.DEFINITIONS_REVIEW}),
    Role.ISSUER: frozenset(
        {
            Permission.DEFINITIONS_READ,
            Permission.CREDENTIALS_ISSUE,
            Permission.CREDENTIALS_READ,
            Permission.STATISTICS_READ,
        }
    ),
    Role.REVOKER: frozenset({Permission.CREDENTIALS_READ, Permission.CREDENTIALS_REVOKE}),
    Role.AUDITOR: frozenset(
        {Permission.DEFINITIONS_READ, Permission.STATISTICS_READ, Permission.AUDIT_READ}
    ),
    Role.INTEGRATION: frozenset({Permission.WEBHOOKS_WRITE, Permission.CREDENTIALS_READ}),
}
"""The permission matrix: nobody but these may do these things, and each only with what is their organisation's own.

An owner changes keys in the console alone, having just proved who they are: no token of a person opens it.
"""

SYSTEM: Final = ORGANIZATION - {Permission.PEOPLE_WRITE, Permission.DEFINITIONS_REVIEW}
"""What a system's token may do: it neither lets people in nor approves, since both take a person."""

TEST: Final = frozenset(
    {
        Permission.DEFINITIONS_READ,
        Permission.CREDENTIALS_ISSUE,
        Permission.CREDENTIALS_READ,
        Permission.CREDENTIALS_REVOKE,
        Permission.LEARNERS_ERASE,
        Permission.WEBHOOKS_WRITE,
    }
)
"""What a test system may do at most, and only with what is a test: a supplier builds with it, before it is trusted."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """All that somebody with these roles may do."""
    return frozenset(each for role in roles for each in ROLES[role])


@dataclass(frozen=True)
class Actor:
    """Who acts: a system's token, a person, or the command line on the machine itself."""

    name: str
    organization_id: str | None
    permissions: frozenset[Permission]
    person_id: str | None = None
    is_test: bool = False
    """Whether what is issued is a test; then nothing else is seen or changed either."""
    scope: frozenset[Permission] = ORGANIZATION
    """What a person's token opens at most, in whichever organisation; a token that it makes opens no more."""
    bound_to: str | None = None
    """The one organisation that a person's token was made for by somebody else: it opens no other."""

    def require(self, permission: Permission) -> None:
        """Return if the actor has the permission, else Forbidden."""
        if permission not in self.permissions:
            raise Forbidden("permission", permission=permission.value)

    def own_organization(self) -> str:
        """The id of the organisation the actor acts for; Forbidden for the operator."""
        if self.organization_id is None:
            raise Forbidden("no_organization")
        return self.organization_id

    def own_person(self) -> str:
        """The id of the person who acts; Forbidden for a system and for the command line without a login."""
        if self.person_id is None:
            raise Forbidden("no_person")
        return self.person_id
