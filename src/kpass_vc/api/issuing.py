"""Where orders go that come over HTTP: those that come at the same time are issued in one transaction."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner, is_elsewhere
from kpass_vc.actions.issue import IssueOrder
from kpass_vc.actions.issue_together import Asked, Made, issue_together
from kpass_vc.actions.tokens import authenticate
from kpass_vc.authz import Actor
from kpass_vc.edge import Asking, in_turn
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError
from kpass_vc.groups import Group

MOST: Final = 64
"""Orders in one transaction."""
Known: TypeAlias = Callable[[Session, str, datetime, str | None], Actor]
"""Who a token is of: the token, the moment, and the organisation that its person wants to act for."""
_log: Final = logging.getLogger("kpass")


@dataclass(frozen=True)
class Ordered:
    """An order as it came, and who says that they give it."""

    who: Asking
    order: IssueOrder
    idempotency_key: str | None


class Issuing:
    """Issues for whoever asks."""

    def __init__(self, env: Environment, known: Known = authenticate) -> None:
        self._env, self._known = env, known
        self._group: Group[Ordered, Made] = Group("issuing", self.issue_all, most=MOST)

    async def issue(self, ordered: Ordered) -> Made:
        """The award of an order, together with others that come now; a definition from elsewhere goes by itself."""
        if self._env.is_fast and not is_elsewhere(self._env, ordered.order.definition):
            return await self._group.ask(ordered)
        return await in_turn(lambda: self._issue_one(ordered))

    def require_known(self, who: Asking) -> Actor:
        """Who asks; Unauthenticated or Forbidden as `authenticate`."""
        with self._env.reading() as session:
            return self._known(session, who.token, self._env.now(), who.organization)

    def issue_all(self, ordered: list[Ordered]) -> list[Made | Exception]:
        """The outcome of each order, all in one transaction that is committed before anyone is told.

        What goes wrong within it is rolled back, and each is done in a transaction of its own, so that nobody
        pays for another. Not if it could not begin, for then each would wait as long; nor if the commit went
        wrong: it may have been one all the same, and nothing is to be issued twice.
        """
        may_be_repeated = False
        try:
            with self._env.writing() as session, session.begin():
                session.connection()
                may_be_repeated = len(ordered) > 1
                outcomes = self._outcomes(session, ordered)
                session.flush()
                may_be_repeated = False
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever did not cause it is not told of it
            if not may_be_repeated:
                return [error] * len(ordered)
            _log.warning("%d orders are issued one by one: %s", len(ordered), type(error).__name__)
        else:
            return outcomes
        return [outcome for each in ordered for outcome in self.issue_all([each])]

    def _issue_one(self, ordered: Ordered) -> Made:
        """One order by itself; its owner elsewhere is asked before."""
        ask_owner(self._env, self.require_known(ordered.who), ordered.order.definition)
        outcome = self.issue_all([ordered])[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _outcomes(self, session: Session, ordered: list[Ordered]) -> list[Made | Exception]:
        outcomes: dict[int, Made | Exception] = {}
        actors: dict[Asking, Actor | KpassError] = {}
        asked: dict[int, Asked] = {}
        for number, each in enumerate(ordered):
            if each.who not in actors:
                actors[each.who] = self._actor(session, each.who)
            actor = actors[each.who]
            if isinstance(actor, Actor):
                asked[number] = Asked(actor, each.order, each.idempotency_key)
            else:
                outcomes[number] = actor
        found = issue_together(self._env, session, list(asked.values()))
        outcomes |= dict(zip(asked, found, strict=True))
        return [outcomes[number] for number in range(len(ordered))]

    def _actor(self, session: Session, who: Asking) -> Actor | KpassError:
        try:
            return self._known(session, who.token, self._env.now(), who.organization)
        except KpassError as error:
            return error
