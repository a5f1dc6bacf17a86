"""Over TLS and by did:web: theirs in our service, ours in their verifiers, everybody fetching for himself.

The service is a process of its own on one https port of localhost; others publish their
DID documents and status lists on a second one.
"""

import json
from collections.abc import Mapping

import pytest

from kpass_vc.actions.confirm import ConfirmationOrder, confirm
from tests.api.http import Json, code_of
from tests.interop.elsewhere import (
    INDEX,
    Theirs,
    publish_as_digitalbazaar,
    publish_as_openbadgeslib,
    publish_openbadgeslib_lists,
)
from tests.interop.foreign import OpenBadgesLibIssuer
from tests.interop.served import OF_FORMS, Served
from tests.interop.tampering import change_a_text, change_the_payload
from tests.interop.verdicts import Verdicts, not_accepted
from tests.world import OPERATOR_ACTOR, body_of

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("interop")]

FOLDER = "/utfardare/openbadgeslib"
DOCUMENT = {
    "digitalbazaar": "/.well-known/did.json",
    "openbadgeslib": f"{FOLDER}/did.json",
}
THEIR_FORMS = [
    ("digitalbazaar", "document"),
    ("openbadgeslib", "document"),
    ("openbadgeslib", "jwt EdDSA"),
    ("openbadgeslib", "jwt ES256"),
]


@pytest.fixture(scope="module")
def theirs(served: Served) -> dict[str, Theirs]:
    return {
        "digitalbazaar": publish_as_digitalbazaar(served.online, served.site),
        "openbadgeslib": publish_as_openbadgeslib(served.site, FOLDER),
    }


@pytest.fixture(scope="module")
def ours(served: Served) -> Mapping[str, Verdicts]:
    """The verdicts on a good award of ours, a revoked one and a changed one."""
    world = served.world
    world.published_definition()
    awards = {name: world.issued() for name in ("good", "revoked")}
    world.set_status(awards["revoked"], "revoked")
    documents = {name: body_of(each) for name, each in awards.items()}
    tokens = {name: body_of(each, "sv", "vc-jwt") for name, each in awards.items()}
    return served.judge(
        {
            "document": {**documents, "changed": change_a_text(documents["good"], 3)},
            "jwt": {**tokens, "changed": change_the_payload(tokens["good"], 3)},
        }
    )


@pytest.mark.parametrize(("issuer", "form"), THEIR_FORMS)
def test_we_accept_what_others_issue_under_did_web(
    served: Served, theirs: dict[str, Theirs], issuer: str, form: str
) -> None:
    body = theirs[issuer].forms[form]["good"]
    served.site.asked.clear()

    report = served.report(body)

    assert report["verdict"] == "verified", _found(report)
    assert code_of(report, "status") == "passed"
    assert len(served.site.asked) == 2
    assert DOCUMENT[issuer] in served.site.asked


@pytest.mark.parametrize(("issuer", "form"), THEIR_FORMS)
def test_we_refuse_what_others_have_revoked_under_did_web(
    served: Served, theirs: dict[str, Theirs], issuer: str, form: str
) -> None:
    report = served.report(theirs[issuer].forms[form]["revoked"])

    assert report["verdict"] == "refused"
    assert _found(report) == {"status": "revoked"}


@pytest.mark.parametrize(("issuer", "form"), THEIR_FORMS)
def test_we_refuse_what_others_issued_with_one_byte_changed(
    served: Served, theirs: dict[str, Theirs], issuer: str, form: str
) -> None:
    good = theirs[issuer].forms[form]["good"]
    change = change_a_text if form == "document" else change_the_payload
    served.site.asked.clear()

    report = served.report(change(good, 1))

    assert report["verdict"] == "refused"
    assert _found(report) == {"proof": "failed", "status": "not_available"}
    assert served.site.asked == [DOCUMENT[issuer]]


def test_a_revocation_by_another_issuer_shows_at_the_next_verification(
    served: Served, theirs: dict[str, Theirs]
) -> None:
    body = theirs["openbadgeslib"].forms["document"]["good"]
    before = served.report(body)["verdict"]

    publish_openbadgeslib_lists(served.site, FOLDER, list(INDEX.values()))
    after = served.report(body)
    publish_openbadgeslib_lists(served.site, FOLDER, [INDEX["revoked"]])

    assert before == "verified"
    assert _found(after) == {"status": "revoked"}
    assert served.report(body)["verdict"] == "verified"


def test_we_do_not_believe_another_key_than_the_one_on_the_issuers_site(
    served: Served, theirs: dict[str, Theirs]
) -> None:
    """The same DID, the same list; signed by one who does not hold the issuer's key."""
    intruder = OpenBadgesLibIssuer(served.site.url(FOLDER), bytes(32))
    good = json.loads(theirs["openbadgeslib"].forms["document"]["good"])
    forged = {name: value for name, value in good.items() if name != "proof"}

    for body in (intruder.issue(forged), intruder.issue_jwt(forged, "ES256")):
        assert served.report(body)["verdict"] == "refused"


@pytest.mark.parametrize(("verifier", "form"), OF_FORMS)
def test_ours_is_accepted_over_tls(ours: Mapping[str, Verdicts], verifier: str, form: str) -> None:
    verdict = ours[form][verifier]["good"]
    assert verdict.accepted, verdict.why
    assert verdict.revoked is False


@pytest.mark.parametrize(("verifier", "form"), OF_FORMS)
def test_ours_is_refused_over_tls_when_it_is_revoked_or_changed(
    ours: Mapping[str, Verdicts], verifier: str, form: str
) -> None:
    verdicts = ours[form][verifier]
    assert set(not_accepted(verdicts)) == {"revoked", "changed"}
    assert verdicts["revoked"].verified
    assert verdicts["revoked"].revoked is True
    assert not verdicts["changed"].verified


@pytest.mark.official
def test_verifier_core_has_nothing_against_ours_when_only_1edtechs_schema_is_handed_in(
    ours: Mapping[str, Verdicts],
) -> None:
    assert ours["document"]["verifier-core"]["good"].why == ""


def _found(report: Json) -> dict[str, str]:
    """The code of every check that did not pass."""
    return {each["check"]: each["code"] for each in report["checks"] if each["outcome"] != "passed"}


def test_the_operators_list_is_a_registry_to_the_digital_credentials_consortiums_verifier(
    served: Served,
) -> None:
    world = served.world
    world.organization("branschnamnden")
    world.published_definition(
        owner="branschnamnden", code="BRA-FIB-01", authorised_issuers=["branschnamnden"]
    )
    issued = world.issued(issuer="branschnamnden", definition="branschnamnden/BRA-FIB-01")
    ours, none = f"{served.url}/o/operator/registry.json", f"{served.url}/o/nobody/registry.json"
    before = served.online.registered(body_of(issued), ours)
    with world.writing() as session:
        order = ConfirmationOrder(how="Registreringsbevis")
        confirm(world.env, session, OPERATOR_ACTOR, "branschnamnden", order)

    after = served.online.registered(body_of(issued), ours, none)

    assert before == {"issuers": [], "unread": []}
    name = {"organization_name": "Branschnamnden (exempel)", "location": "SE"}
    assert after["issuers"] == [name | {"homepage_uri": "https://branschnamnden.example/"}]
    assert after["unread"] == [none]
