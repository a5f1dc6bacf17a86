"""A process that issues credentials in several threads: `python -m tests.issuing SLUG THREADS COUNT`.

It says "ready" when it has started and begins when it is told to.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from kpass_vc.actions.issue import IssueOrder, issue
from kpass_vc.authz import ORGANIZATION, Actor
from kpass_vc.environment import open_environment
from kpass_vc.records import organization as organizations
from kpass_vc.settings import Settings
from tests.world import issue_order


def main(slug: str, threads: int, count: int) -> None:
    """Issue so many in each thread, each in a transaction of its own."""
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

    def issue_them(_: int) -> None:
        for _ in range(count):
            with env.writing() as session, session.begin():
                issue(env, session, actor, order)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(issue_them, range(threads)))
    env.engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
