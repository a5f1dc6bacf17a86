"""The pilot's story with five hundred in each class and a real mail server, and as `kpass demo` plays it."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kpass_vc.cli.pilot import tell
from kpass_vc.delivery import CHANNELS
from kpass_vc.settings import Settings
from kpass_vc.verification import VerificationReport
from tests.api.http import variables
from tests.drill import mail_server
from tests.world import World


def code(report: VerificationReport, check: str) -> str:
    return next(found.code for found in report.findings if found.check == check)


@pytest.mark.sqlite
def test_two_classes_of_five_hundred_from_definition_to_withdrawal(world: World) -> None:
    with mail_server() as (sink, port):
        channel = CHANNELS["email"](f"smtp://127.0.0.1:{port}", "no-reply@kpass.example")
        world.env = replace(world.env, channels={"email": channel}, clock=lambda: datetime.now(UTC))

        told = tell(world.env, 500)

        assert told.issued == {"stadsnat-exempel": 500, "norrnat-exempel": 500}
        assert told.mails == len(sink.got) == 1000
        assert set(sink.got.values()) == {1}
    assert told.online.verified
    assert told.offline.verified
    assert code(told.online, "authorization") == "authorised"
    assert code(told.offline, "authorization") == "authorised"
    assert told.offline.presented != told.online.presented
    assert told.after.verified
    assert code(told.after, "authorization") == "authorised_then"
    assert told.other.verified
    assert code(told.other, "authorization") == "authorised"
    assert "stadsnat-exempel" in told.refused


@pytest.mark.sqlite
def test_the_demo_plays_the_story_and_says_how_it_went(settings: Settings) -> None:
    command = [sys.executable, "-m", "kpass_vc", "--json", "demo", "--organisations"]
    done = subprocess.run(
        [*command, "--learners", "3"], env=variables(settings), capture_output=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["issued"] == {"stadsnat-exempel": 3, "norrnat-exempel": 3}
    assert told["mails"] == 6
    assert (told["online"], told["offline"]) == ("verified", "verified")
    assert told["afterWithdrawal"] == ["authorised_then", "authorised"]
    assert told["refused"]
