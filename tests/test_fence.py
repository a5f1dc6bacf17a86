"""The high-water mark: a database that was put back is known by it, and one that moves on never is taken for it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from kpass_vc.actions.issue import IssueOrder, issue
from kpass_vc.fence import Fence
from kpass_vc.records import status_list as lists
from tests.world import World, actor_of, issue_order

URL = "https://intyg.example.se/o/stadsnat/status/revocation-1.json"


def test_a_database_that_knows_less_than_was_noted_down_is_behind(tmp_path: Path) -> None:
    fence = Fence(tmp_path)
    fence.lift({URL: (2, 5)})
    for has, expected in (((2, 5), []), ((3, 9), []), ((1, 5), [URL]), ((2, 4), [URL])):
        known = {URL: has}
        assert Fence(tmp_path).behind(lambda known=known: known) == expected  # type: ignore[misc]
    assert fence.behind(dict) == [URL]


def test_what_another_process_commits_while_we_ask_is_not_being_behind(tmp_path: Path) -> None:
    Fence(tmp_path).lift({URL: (1, 1)})

    def asked() -> Mapping[str, tuple[int, int]]:
        found = {URL: (1, 1)}
        Fence(tmp_path).lift({URL: (1, 2)})
        return found

    assert Fence(tmp_path).behind(asked) == []


def test_what_is_rolled_back_after_a_savepoint_was_never_there(world: World) -> None:
    world.published_definition()
    world.issued()
    noted = world.env.fence.read()
    actor = actor_of(world.organization("stadsnat-exempel"))
    order = IssueOrder.model_validate(issue_order() | {"holder": {"name": "Li", "reference": "e1"}})

    def stopped() -> None:
        with world.writing() as session:
            issue(world.env, session, actor, order)
            assert world.env.fence.read() == noted
            raise InterruptedError

    with pytest.raises(InterruptedError):
        stopped()

    assert world.env.fence.read() == noted
    with world.reading() as session:
        assert world.env.fence.behind(lambda: lists.marks(session)) == []
    world.issued()
    assert world.env.fence.read() != noted


def test_processes_that_lift_it_at_once_lower_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kpass_vc.fence import Fence\n"
        "fence = Fence(Path(sys.argv[1]))\n"
        "for n in range(300): fence.lift({sys.argv[2]: (1, n + 1)})"
    )
    lists = [f"{URL}?{number}" for number in range(3)]
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), url]) for url in lists]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert Fence(tmp_path).read() == dict.fromkeys(lists, (1, 300))
