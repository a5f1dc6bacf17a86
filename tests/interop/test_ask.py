"""`make foreign`: a newcomer asks other people's verifiers about what a running service has issued."""

from pathlib import Path

import pytest

from kpass_vc.settings import Settings
from tests.api.http import serving, stop, variables
from tests.interop.ask import ask

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]


def test_others_verify_what_a_running_service_has_issued_and_refuse_it_changed(
    settings: Settings, tmp_path: Path
) -> None:
    values = {
        name: value for name, value in variables(settings).items() if name != "KPASS_PUBLIC_URL"
    }

    with serving(values, tmp_path, "--demo") as (process, _):
        files = sorted((tmp_path / "var" / "demo").glob("*.sv.js*"))
        body, token = files[0].read_bytes(), files[0].with_suffix(".jwt").read_bytes()
        asked = {"good": ask(body), "jwt": ask(token)}
        asked["changed"] = ask(body.replace(b"Amina", b"Anina"))
        stop(process)

    assert set(asked["good"]) == {"openbadgeslib", "digitalbazaar", "verifier-core"}
    assert [verdict.accepted for verdict in asked["good"].values()] == [True] * 3
    assert [verdict.accepted for verdict in asked["jwt"].values()] == [True]
    assert [verdict.accepted for verdict in asked["changed"].values()] == [False] * 3
