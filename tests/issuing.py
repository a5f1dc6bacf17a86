"""A process that issues credentials one after the other: `python -m tests.issuing SLUG COUNT`.

It says "ready" when it has started and begins when it is told to.
"""

import sys

from kpass_vc.actions.issue import IssueOrder, issue
from kpass_vc.authz import ORGANIZATION, Actor
from kpass_vc.environment import open_environment
from kpass_vc.records import organization as organizations
from kpass_vc.settings import Settings
from tests.world import issue_order


def main(slug: str, count: int) -> None:
    """Issue, each in a transaction of its own."""
    env = open_environment(Settings.read())
    with env.reading() as session:
        found = organizations.by_slug(session, slug)
    if found is None:
        raise SystemExit(slug)
    actor = Actor("test", found.id, ORGANIZATION)
    order = IssueOrder.model_validate(issue_order() | {"languages": ["sv"]})
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for _ in range(count):
        with env.writing() as session, session.begin():
            issue(env, session, actor, order)
    env.engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
