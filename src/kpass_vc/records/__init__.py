"""Tables and their queries, one file per group; imported here so that Alembic sees them all."""

from kpass_vc.records import (
    access,
    audit,
    award,
    batch,
    definition,
    delegation,
    delivery,
    dispute,
    key,
    learner,
    organization,
    person,
    review,
    service,
    share_link,
    status_list,
    vc_api,
)
from kpass_vc.records.base import Base

__all__ = [
    "Base",
    "access",
    "audit",
    "award",
    "batch",
    "definition",
    "delegation",
    "delivery",
    "dispute",
    "key",
    "learner",
    "organization",
    "person",
    "review",
    "service",
    "share_link",
    "status_list",
    "vc_api",
]
