"""The console's first page: what there is to do next, by what the organisation has and what one may do there."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from kpass_vc.actions.issuable import issuable
from kpass_vc.actions.review import waiting
from kpass_vc.authz import Permission, Role
from kpass_vc.edge import ReadTx
from kpass_vc.pages.console.frame import Desk, Somebody
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import person as people

router = APIRouter(prefix="/console", include_in_schema=False)


@dataclass(frozen=True)
class Step:
    """Something to do: `console.home.<key>` says what, and where it is done."""

    key: str
    place: str
    count: int = 1
    title: str = ""


@router.api_route("", methods=["GET", "HEAD"])
def home(desk: Somebody, session: ReadTx) -> Response:
    """What to do next, what is under way, and where everything is."""
    if desk.who.organization is None:
        return desk.page("no_role.html", here="start")
    return desk.page("home.html", here="start", steps=list(_steps(desk, session)))


def _steps(desk: Desk, session: Session) -> Iterator[Step]:
    if desk.may(Permission.DEFINITIONS_REVIEW):
        for version, _, _ in waiting(session, desk.who.actor):
            title = version.title(desk.language)
            yield Step("to_review", f"/definitions/{version.id}", title=title)
    if desk.may(Permission.DEFINITIONS_READ):
        yield from _of_definitions(desk, session)
    if desk.may(Permission.CREDENTIALS_ISSUE):
        yield from _of_issuing(desk, session)
    if desk.may(Permission.CREDENTIALS_READ):
        yield from _of_credentials(desk, session)


def _of_definitions(desk: Desk, session: Session) -> Iterator[Step]:
    organization = desk.who.organization
    if organization is None:
        return
    found, count = definitions.search(
        session,
        states=("draft", "in_review", "approved", "published"),
        owner=organization.slug,
        limit=200,
    )
    by_state = {
        state: [version for version, _, _ in found if version.state == state]
        for state in ("draft", "in_review", "approved", "published")
    }
    if desk.may(Permission.DEFINITIONS_WRITE):
        for version in by_state["draft"][:5]:
            title = version.title(desk.language)
            yield Step("finish_draft", f"/definitions/{version.id}", title=title)
    if desk.may(Permission.DEFINITIONS_PUBLISH):
        for version in by_state["approved"]:
            title = version.title(desk.language)
            yield Step("publish", f"/definitions/{version.id}", title=title)
    if desk.may(Permission.PEOPLE_WRITE):
        roles = people.memberships(session, organization_id=organization.id)
        if by_state["in_review"] and not any(each.role == Role.REVIEWER for each in roles):
            yield Step("find_reviewer", "/people")
    if count == 0 and desk.may(Permission.DEFINITIONS_WRITE):
        yield Step("first_definition", "/definitions/new")


def _of_issuing(desk: Desk, session: Session) -> Iterator[Step]:
    organization_id = desk.who.actor.own_organization()
    running, _ = batches.of_organization(
        session, organization_id=organization_id, limit=5, offset=0
    )
    for batch in running:
        if batch.state in {"running", "undoing"}:
            yield Step("follow_batch", f"/issue/many/{batch.id}", count=batch.total)
    asked = delegations.of_organization(session, organization_id=organization_id)
    for delegation in asked:
        if delegation.issuer_id == organization_id and delegation.state == "offered":
            yield Step("accept_delegation", "/delegations")
    _, issued = awards.search(session, organization_id=organization_id, limit=1)
    if issued == 0 and issuable(desk.env, session, desk.who.actor):
        yield Step("first_issue", "/issue")


def _of_credentials(desk: Desk, session: Session) -> Iterator[Step]:
    organization_id = desk.who.actor.own_organization()
    _, disputed = awards.search(session, organization_id=organization_id, disputed=True, limit=1)
    if disputed:
        yield Step("disputes", "/credentials?show=disputed", count=disputed)
    _, undelivered = awards.search(
        session,
        organization_id=organization_id,
        among=deliveries.undelivered(organization_id=organization_id),
        limit=1,
    )
    if undelivered:
        yield Step("undelivered", "/credentials?show=undelivered", count=undelivered)
