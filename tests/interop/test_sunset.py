"""After the service has ended: a plain file server with https is all that verifiers need."""

from dataclasses import replace
from pathlib import Path

import pytest

from kpass_vc.actions.close import close_lists
from kpass_vc.actions.initialise import initialise
from kpass_vc.cli.leave import write_public
from kpass_vc.errors import Conflict
from tests.conftest import settings_for
from tests.interop.foreign import Online
from tests.interop.site import serving_site
from tests.tls import Authority
from tests.world import OPERATOR_ACTOR, Clock, World, body_of, open_test_environment

TYPES = {".json": "application/json", ".jwt": "application/vc+jwt", ".html": "text/html"}


@pytest.mark.interop
@pytest.mark.sqlite
def test_digitalbazaar_verifies_a_hundred_credentials_against_static_files(
    authority: Authority, tmp_path: Path
) -> None:
    own = settings_for(f"sqlite:///{tmp_path}/kpass.db", tmp_path)
    with serving_site(authority) as site:
        own = replace(own, public_url=f"https://localhost:{site.port}")
        initialise(own)
        clock = Clock()
        world = World(open_test_environment(own, clock), clock)
        world.published_definition()
        issued = [
            world.issued(externalReference=f"r{number}", languages=["sv"]) for number in range(101)
        ]
        world.set_status(issued[100], "revoked")
        with world.writing() as session:
            close_lists(world.env, session, OPERATOR_ACTOR)
        count = write_public(world.env, tmp_path / "web")
        files = [path for path in (tmp_path / "web").rglob("*") if path.is_file()]
        assert count == len(files) > 20
        for path in files:
            where = f"/{path.relative_to(tmp_path / 'web')}"
            site.put(where, TYPES.get(path.suffix, "application/octet-stream"), path.read_bytes())

        online = Online(world.env.contexts.documents, authority.ca_file)
        found = online.verify_in_node([body_of(each) for each in issued])["digitalbazaar"]

        assert [(verdict.verified, verdict.revoked) for verdict in found[:100]] == [
            (True, False)
        ] * 100
        assert found[100].revoked
        assert any("/status/" in path for path in site.asked)
        with pytest.raises(Conflict) as caught:
            world.issued(externalReference="late")
        assert caught.value.rule == "sunset"
        with pytest.raises(Conflict):
            world.set_status(issued[0], "revoked")
        world.env.engine.dispose()
