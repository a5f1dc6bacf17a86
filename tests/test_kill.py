"""A server that is killed while it issues: `python -m tests.drill --http 5` does the same at length."""

from pathlib import Path

from kpass_vc.settings import Settings
from tests.kills import CLIENTS, kill_while_issuing
from tests.world import World


def test_what_was_acknowledged_before_the_server_was_killed_is_there_byte_for_byte_and_once(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    found = kill_while_issuing(world, settings, tmp_path, kills=2, seed=3)

    assert found["kills"] == 2
    assert isinstance(found["acknowledged"], int)
    assert found["acknowledged"] >= 10
    assert isinstance(found["broken off"], int)
    assert found["broken off"] >= CLIENTS // 2
