"""An issuer whose DID is its own domain: its document lies on its site, its lists lie with us."""

import json
from collections.abc import Mapping

import pytest

from kpass_vc.actions import own_domain
from tests.interop.served import OF_FORMS, Served
from tests.interop.verdicts import Verdicts, not_accepted
from tests.world import OPERATOR_ACTOR, body_of

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("interop")]

ISSUER, CODE = "egen-doman", "SOB-OPTO-94"
PATH = "/skolan/did.json"


@pytest.fixture(scope="module")
def verdicts(served: Served) -> Mapping[str, Verdicts]:
    """On what it issued before, on what it issues as its domain, and on one of those, revoked."""
    world, site = served.world, served.site
    world.published_definition(code=CODE, owner=ISSUER, authorised_issuers=[ISSUER])
    order = {"issuer": ISSUER, "definition": f"{ISSUER}/{CODE}"}
    awards = {"before": world.issued(**order)}
    with world.writing() as session:
        domain = own_domain.prepare(world.env, session, OPERATOR_ACTOR, ISSUER, site.url("/skolan"))
    site.put(PATH, "application/json", json.dumps(domain.document).encode())
    checked, wrong = own_domain.check(world.env, ISSUER)
    assert wrong is None
    with world.writing() as session:
        own_domain.activate(world.env, session, OPERATOR_ACTOR, ISSUER, checked)
    awards |= {name: world.issued(**order) for name in ("since", "revoked")}
    world.set_status(awards["revoked"], "revoked")
    site.asked.clear()
    return served.judge(
        {
            "document": {name: body_of(each) for name, each in awards.items()},
            "jwt": {name: body_of(each, "sv", "vc-jwt") for name, each in awards.items()},
        }
    )


@pytest.mark.parametrize(("verifier", "form"), OF_FORMS)
def test_what_an_issuer_signs_as_its_own_domain_verifies_as_what_it_signed_before(
    verdicts: Mapping[str, Verdicts], verifier: str, form: str
) -> None:
    found = verdicts[form][verifier]
    assert set(not_accepted(found)) == {"revoked"}, not_accepted(found)
    assert found["revoked"].verified
    assert found["revoked"].revoked is True


def test_others_read_the_document_on_the_issuers_own_site(
    served: Served, verdicts: Mapping[str, Verdicts]
) -> None:
    assert verdicts
    assert PATH in served.site.asked
