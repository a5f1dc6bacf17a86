"""Change the status of many credentials in one transaction: each order judged by itself, each list signed once.

For orders that came at the same time. That of one is nobody else's business: one that is refused is
rolled back alone, and who gave it is told what `change_status` would have told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.publish_status import coalescing
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, NotFound
from kpass_vc.records import award as awards
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.award import Award


@dataclass(frozen=True)
class StatusChange:
    """Who wants which credential to have which status."""

    actor: Actor
    award_id: str
    order: StatusOrder


def change_status_together(
    env: Environment, session: Session, changes: Sequence[StatusChange]
) -> list[Award | Exception]:
    """What `change_status` gives or raises for each of them; one that comes later sees what those before it did.

    If a list cannot be signed, all who have a credential in it are told why, and none of them is changed.
    """
    lists = hold(session, changes)
    numbers: dict[str, list[int]] = {}
    for number, change in enumerate(changes):
        status_list_id = lists.get((change.actor.organization_id, change.award_id), "")
        numbers.setdefault(status_list_id, []).append(number)
    outcomes: dict[int, Award | Exception] = {}
    for _, mine in sorted(numbers.items()):
        found = _of_one_list(env, session, [changes[number] for number in mine])
        outcomes.update(zip(mine, found, strict=True))
    return [outcomes[number] for number in range(len(changes))]


def status_list_of(env: Environment, change: StatusChange) -> str:
    """The id of the list of a credential; Forbidden or NotFound as `change_status` has it."""
    actor = change.actor
    actor.require(Permission.CREDENTIALS_REVOKE)
    with env.reading() as session:
        award = awards.by_id(
            session,
            organization_id=actor.own_organization(),
            award_id=change.award_id,
            tests_only=actor.is_test,
        )
    if award is None:
        raise NotFound("credential", credential=change.award_id)
    return award.status_list_id


def hold(session: Session, changes: Sequence[StatusChange]) -> dict[tuple[str | None, str], str]:
    """The lists of the credentials that there are, by organisation and id; all are held until the transaction ends.

    First the credentials and then the lists, each by their ids: whoever revokes several takes them so.
    """
    wanted: dict[str, set[str]] = {}
    for change in changes:
        if change.actor.organization_id is not None:
            wanted.setdefault(change.actor.organization_id, set()).add(change.award_id)
    lists: dict[tuple[str | None, str], str] = {}
    for organization_id, ids in sorted(wanted.items()):
        found = awards.by_ids(
            session, organization_id=organization_id, award_ids=ids, for_update=True
        )
        lists |= {(organization_id, award.id): award.status_list_id for award in found.values()}
    for status_list_id in sorted(set(lists.values())):
        status_lists.publication(session, status_list_id=status_list_id, for_update=True)
    return lists


def _of_one_list(
    env: Environment, session: Session, changes: Sequence[StatusChange]
) -> list[Award | Exception]:
    try:
        with session.begin_nested(), coalescing(env, session):
            return [_judged(env, session, change) for change in changes]
    except KpassError as error:
        return [error] * len(changes)


def _judged(env: Environment, session: Session, change: StatusChange) -> Award | Exception:
    try:
        with session.begin_nested():
            return change_status(env, session, change.actor, change.award_id, change.order)
    except (KpassError, IntegrityError) as error:
        return error
