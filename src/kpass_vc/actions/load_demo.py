"""Fill an installation with the illustrative catalogues and a learner's first credentials."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from kpass_vc.actions.define import define
from kpass_vc.actions.enrol import EnrolOrder, enrol
from kpass_vc.actions.issue import Issued, IssueOrder, issue
from kpass_vc.actions.publish import publish
from kpass_vc.authz import ORGANIZATION, Actor, Permission
from kpass_vc.demo import catalogues
from kpass_vc.environment import Environment
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import Organization

LEARNER: Final = "Amina Exempelsson"
FIRST: Final = ("SOB-OPTO-01", "NTA-REP-01", "SKR-DT-01")


@dataclass(frozen=True)
class Loaded:
    """What was loaded."""

    organizations: int
    definitions: int
    issued: tuple[Issued, ...]


def load_demo(
    env: Environment,
    session: Session,
    actor: Actor,
    done: Callable[[str], None],
    *,
    catalogue: str | None = None,
) -> Loaded:
    """Enrol, define, publish, and issue the first few; `done` hears of every step."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    chosen = [found for found in catalogues() if catalogue in {None, found["pilot"]["id"]}]
    enrolled: dict[str, Organization] = {}
    for found in chosen:
        for organization in found["organisations"]:
            if organization["id"] not in enrolled:
                enrolled[organization["id"]] = _enrol(env, session, actor, organization)
                done(organization["name"]["sv"])
    drafts: list[tuple[str, Actor, dict[str, Any]]] = []
    for found in chosen:
        for document in found["definitions"]:
            owner = acting_for(enrolled[document["owner"]], actor)
            (version, _, _), _ = define(env, session, owner, document)
            drafts.append((version.id, owner, document))
    issued: list[Issued] = []
    for version_id, owner, document in drafts:
        publish(env, session, owner, version_id)
        done(f"{document['code']} {document['title']['sv']}")
    for _, _, document in drafts:
        if document["code"] in FIRST:
            issuer = acting_for(enrolled[document["authorised_issuers"][0]], actor)
            issued.append(issue(env, session, issuer, order_for(env, document)))
    return Loaded(len(enrolled), len(drafts), tuple(issued))


def order_for(env: Environment, document: dict[str, Any], learner: str = LEARNER) -> IssueOrder:
    """An order for one definition of the catalogues, assessed four days ago."""
    assessed = (env.now() - timedelta(days=4)).astimezone(STOCKHOLM).date()
    return IssueOrder.model_validate(
        {
            "definition": f"{document['owner']}/{document['code']}",
            "holder": {"name": learner, "reference": learner},
            "assessedOn": assessed.isoformat(),
            "evidence": [
                {
                    "name": "Praktiskt prov (exempel)",
                    "narrative": "Illustrativt exempel: prov på plats med legitimation.",
                }
            ],
        }
    )


def acting_for(organization: Organization, actor: Actor) -> Actor:
    """The same actor, acting for an organisation with all that one may do."""
    return Actor(actor.name, organization.id, ORGANIZATION)


def _enrol(
    env: Environment, session: Session, actor: Actor, organization: dict[str, Any]
) -> Organization:
    existing = organizations.by_slug(session, organization["id"])
    if existing is not None:
        return existing
    order = {
        "slug": organization["id"],
        "name": organization["name"],
        "country": organization["country"],
        "url": organization.get("url"),
        "email": organization.get("email"),
    }
    return enrol(env, session, actor, EnrolOrder.model_validate(order))
