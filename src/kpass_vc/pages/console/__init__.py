"""The console: where an organisation's people define, issue and look after credentials; one file per section.

Every form works without script; passkeys are the one thing that takes it.
"""

from fastapi import APIRouter

from kpass_vc.pages.console import (
    account,
    credential,
    credentials,
    definitions,
    delegations,
    guest,
    home,
    issue,
    log,
    oidc,
    organization,
    people,
    sign_in,
    statistics,
)

router = APIRouter(include_in_schema=False)
for _part in (
    home,
    sign_in,
    oidc,
    account,
    definitions,
    guest,
    issue,
    credentials,
    credential,
    statistics,
    people,
    organization,
    delegations,
    log,
):
    router.include_router(_part.router)
