"""What README shows in Python is run as it stands there, against a server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jwcrypto.jwk import JWK

from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.oauth import ClientOrder, register_client
from kpass_vc.settings import Settings
from tests.api.http import serving, variables
from tests.world import OPERATOR_ACTOR, World

ISSUER = "stadsnat-exempel"
README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def block(word: str) -> str:
    """The one block with a word in it."""
    (found,) = [each for each in BLOCKS if word in each]
    return str(found)


def run(code: str, **values: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | values,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_five_blocks_and_each_has_its_test() -> None:
    words = ("Idempotency-Key", "/v1/batches", "/v1/changes", "is_ours", "/oauth/token")
    assert sorted(map(block, words)) == sorted(BLOCKS)


@pytest.mark.sqlite
def test_the_clients_in_readme_issue_follow_a_class_read_changes_and_get_a_token(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.published_definition()
    key = JWK.generate(kty="EC", crv="P-256")
    private = tmp_path / "private.jwk"
    private.write_text(key.export())
    with world.writing() as session:
        given = {"label": "README", "keys": [key.export_public(as_dict=True)]}
        order = ClientOrder.model_validate(given)
        client = register_client(world.env, session, OPERATOR_ACTOR, ISSUER, order)
    with serving(variables(settings), tmp_path) as (_, base):
        values = {"KPASS_URL": base, "KPASS_TOKEN": world.token(ISSUER)}

        link = run(block("Idempotency-Key"), **values)
        again = run(block("Idempotency-Key"), **values)
        batch = run(block("/v1/batches"), **values)
        chain_all(world.env)
        changes = run(block("/v1/changes"), **values)
        values |= {"KPASS_CLIENT": client.id, "KPASS_KEY": str(private)}
        token = run(block("/oauth/token"), **values).strip()
        issued = run(block("Idempotency-Key"), **values | {"KPASS_TOKEN": token})

    assert "/c/" in link
    assert again == link
    assert batch == "2 issued, 0 failed\n"
    assert changes.count("credential issued") == 3
    assert issued == link


def test_the_check_of_a_webhook_in_readme_takes_ours_and_nothing_else() -> None:
    secret, body = "whsec_" + "A" * 43 + "=", b'{"type":"credential.issued"}'
    key, moment = bytes(32), "int(time.time())"
    code = block("is_ours") + (
        "\nfrom kpass_vc.actions.webhooks import signature\n"
        f"moment, body = {moment}, {body!r}\n"
        f"signed = 'v1,' + signature({key!r}, '1-1', moment, body)\n"
        "def heads(moment, signed):\n"
        "    return {'webhook-id': '1-1', 'webhook-timestamp': str(moment), 'webhook-signature': signed}\n"
        f"print(is_ours({secret!r}, heads(moment, signed), body),\n"
        f"      is_ours({secret!r}, heads(moment, signed), body + b' '),\n"
        f"      is_ours({secret!r}, heads(moment - 1, signed), body))\n"
        f"old = 'v1,' + signature({key!r}, '1-1', moment - 900, body)\n"
        f"print(is_ours({secret!r}, heads(moment - 900, old), body))\n"
    )

    assert run(code) == "True False False\nFalse\n"
