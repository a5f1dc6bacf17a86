"""A batch whose workers are killed at random moments: `python -m tests.drill` does the same with ten thousand."""

from pathlib import Path

from kpass_vc.settings import Settings
from tests.drill import drill


def test_a_batch_whose_workers_are_killed_three_times_is_issued_and_mailed_once(
    settings: Settings, tmp_path: Path
) -> None:
    workers = 2 if settings.database_url.startswith("postgresql") else 1

    found = drill(settings, tmp_path, rows=120, kills=3, workers=workers, mail=True, seed=7)

    assert (found["issued"], found["places"], found["notices"], found["kills"]) == (
        120,
        120,
        120,
        3,
    )
