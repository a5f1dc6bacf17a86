"""Changes of status that come at the same time: made in one transaction, and published together.

A lone one is published at once. A list that was published less than a second ago waits until that is
over, and all who wait for it share the next publication. Nobody is answered before the publication that
holds their change is committed. In between no lock is held and no connection.
"""

from threading import BoundedSemaphore
from typing import Annotated, Final

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from kpass_vc.actions.change_status import change_status
from kpass_vc.actions.change_status_together import (
    StatusChange,
    change_status_together,
    hold,
    status_list_of,
)
from kpass_vc.actions.publish_status import published_ago
from kpass_vc.edge import in_turn
from kpass_vc.environment import Environment
from kpass_vc.groups import Group, Later
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.award import Award
from kpass_vc.records.status_list import StatusList

Changed = tuple[Award, StatusList]
"""A credential as it is after the change, and the list that its bit is in."""
MOST: Final = 500
"""Changes in one transaction: nobody else writes to a SQLite database for as long as they take."""
LISTS: Final = 8
"""Lists that are worked on at a time: fewer than there are connections, for others need them as well."""


class StatusChanges:
    """What is asked of one app, and done by a thread for each list that something waits for."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._lists: dict[str, _List] = {}
        self._turns = BoundedSemaphore(LISTS)

    async def ask(self, change: StatusChange) -> Changed:
        """The outcome of `change_status`, or what it raises, once that is committed."""
        if not self._env.is_fast:
            return await in_turn(lambda: _alone(self._env, change))
        status_list_id = await in_turn(lambda: status_list_of(self._env, change))
        found = self._lists.get(status_list_id)
        if found is None:
            found = self._lists[status_list_id] = _List(self._env, status_list_id, self._turns)
        return await found.group.ask(change)


class _List:
    """The changes that are asked of one list."""

    def __init__(self, env: Environment, status_list_id: str, turns: BoundedSemaphore) -> None:
        self._env, self._id, self._turns = env, status_list_id, turns
        self._waited_for = 0
        """The version that we have waited for to be old enough: by the clock of this machine, whatever it is set to."""
        self.group: Group[StatusChange, Changed] = Group("status changes", self._make, most=MOST)

    def _make(self, changes: list[StatusChange]) -> list[Changed | Exception]:
        with self._turns, self._env.writing() as session, session.begin():
            hold(session, changes)
            self._require_due(session)
            status_list = session.get_one(StatusList, self._id)
            return [
                each if isinstance(each, Exception) else (each, status_list)
                for each in change_status_together(self._env, session, changes)
            ]

    def _require_due(self, session: Session) -> None:
        """Return if the list was not published just now, by this process or another; else Later."""
        publication = status_lists.publication(session, status_list_id=self._id)
        if publication is None or publication.version == self._waited_for:
            return
        least = self._env.publish_every
        left = least - published_ago(publication, self._env.now())
        if left.total_seconds() > 0:
            self._waited_for = publication.version
            raise Later(min(left, least).total_seconds())


def _alone(env: Environment, change: StatusChange) -> Changed:
    with env.writing() as session, session.begin():
        award = change_status(env, session, change.actor, change.award_id, change.order)
        return award, session.get_one(StatusList, award.status_list_id)


def _of_app(request: Request) -> StatusChanges:
    found: StatusChanges = request.app.state.status_changes
    return found


Changes = Annotated[StatusChanges, Depends(_of_app)]
