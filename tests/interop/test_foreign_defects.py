"""Where other people's verifiers refuse what is right, or accept what is wrong.

Each test holds as long as the defect is there, and its failing says that it was
mended. Those named `refuses` are the exceptions that the README counts.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import OB3LdpVerifier, OB3Verifier

from kpass_vc.actions.sign import secure
from kpass_vc.formats import FORMATS
from kpass_vc.model.document import JsonObject
from kpass_vc.records.organization import Organization
from tests.interop.catalogue import Catalogue, Edition
from tests.interop.elsewhere import publish_as_openbadgeslib, their_credential
from tests.interop.foreign import NODE_VERIFIERS, Foreign, OpenBadgesLibIssuer, Verdict
from tests.interop.served import Served
from tests.interop.verdicts import in_their_words
from tests.world import World, body_of

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]

CREDENTIALS = "https://www.w3.org/2018/credentials#"
XSD_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
ISSUER, BYSTANDER = "stadsnat-exempel", "sobona"


@dataclass(frozen=True)
class Revoked:
    """A credential that its issuer has revoked, and the list that says so."""

    document: JsonObject
    list_url: str

    @property
    def with_status_by_iri(self) -> JsonObject:
        """The same quads and proof, with the status under its IRI instead of its term."""
        changed = dict(self.document)
        changed[f"{CREDENTIALS}credentialStatus"] = changed.pop("credentialStatus")
        return changed


@pytest.fixture(scope="module")
def revoked(catalogue: Catalogue) -> Revoked:
    issued = catalogue.world.issued(issuer=ISSUER)
    catalogue.world.set_status(issued, "revoked")
    document = json.loads(body_of(issued))
    return Revoked(document, document["credentialStatus"]["statusListCredential"])


@pytest.fixture(scope="module")
def expired(catalogue: Catalogue) -> JsonObject:
    """A credential that its issuer signed and that ran out in January."""

    def run_out(document: JsonObject) -> None:
        document["validFrom"], document["validUntil"] = (
            "2026-01-01T00:00:00Z",
            "2026-01-31T00:00:00Z",
        )

    return _signed_again(
        catalogue.world,
        catalogue.organizations[ISSUER],
        json.loads(body_of(catalogue.world.issued(issuer=ISSUER))),
        run_out,
    )


@pytest.fixture
def good(catalogue: Catalogue) -> Edition:
    """A credential that its issuer has not revoked and never will."""
    return catalogue.editions[2]


def test_openbadgeslib_refuses_a_status_list_unless_it_gets_it_as_a_jwt(
    catalogue: Catalogue, good: Edition
) -> None:
    """It sends no Accept header, so it gets the list as JSON with a Data Integrity proof."""
    with_json = catalogue.foreign(lists_as_jwt=False)
    for body in (good.document, good.jwt):
        verdict = with_json.verify_openbadgeslib(body)
        assert not verdict.verified
        assert "is not a signed JWT-VC" in verdict.why
        assert catalogue.foreign().verify_openbadgeslib(body).accepted
    assert all(each.accepted for each in _in_node(with_json, json.loads(good.document)).values())


def test_openbadgeslib_refuses_an_issuer_on_this_machine(good: Edition) -> None:
    """As it comes it fetches nothing from loopback, where a service that is tried out lies."""
    issuer = json.loads(good.document)["issuer"]["id"]
    with pytest.raises(LibOpenBadgesException, match="non-public address"):
        OB3LdpVerifier().verify(good.document.decode())
    with pytest.raises(LibOpenBadgesException, match="non-public address"):
        OB3Verifier.for_issuer_did(issuer)


def test_openbadgeslib_refuses_an_endorsement_credential(catalogue: Catalogue) -> None:
    """It reads badges alone, and no EndorsementCredential of Open Badges 3.0."""
    body = next(iter(catalogue.publications.values()))
    verdict = catalogue.foreign().verify_openbadgeslib(body)
    assert not verdict.verified
    assert "is not an OpenBadgeCredential" in verdict.why


@pytest.mark.parametrize(
    ("verifier", "evidence"),
    [
        ("digitalbazaar", "Cannot read properties of undefined"),
        ("verifier-core", "does not appear to be a valid jsonld document"),
    ],
)
def test_the_node_verifiers_refuse_every_jwt(
    catalogue: Catalogue, good: Edition, verifier: str, evidence: str
) -> None:
    """Neither reads a compact JWT: it is no object to them."""
    token = json.dumps(good.jwt.decode())
    verdict = catalogue.foreign().verify_in_node([token])[verifier][0]
    assert not verdict.verified
    assert evidence in verdict.why


def test_openbadgeslib_takes_its_own_jwt_under_its_second_key_for_one_under_its_first(
    catalogue: Catalogue,
) -> None:
    """Its JWT names no `kid`, and of a did:web it then tries no other key than the first."""
    issuer = OpenBadgesLibIssuer("https://utfardare.example/openbadgeslib", bytes(range(32)))
    issued = {name: issuer.issue_jwt(their_credential(), name) for name in ("EdDSA", "ES256")}
    contexts = catalogue.world.env.contexts.documents

    foreign = Foreign({**contexts, issuer.did: issuer.document()})

    assert foreign.verify_openbadgeslib(issued["EdDSA"]).accepted
    verdict = foreign.verify_openbadgeslib(issued["ES256"])
    assert not verdict.verified
    assert "'ES256' in token header is not allowed" in verdict.why


def test_the_node_verifiers_read_no_status_list_that_is_a_jwt(served: Served) -> None:
    """So a badge by openbadgeslib with a status, good by its own verifier, is good by neither of them."""
    theirs = publish_as_openbadgeslib(served.site, "/openbadgeslib-list")
    body = theirs.forms["document"]["good"]
    assert served.online.verify_openbadgeslib(body).accepted
    for name, (verdict,) in served.online.verify_in_node([body]).items():
        assert not verdict.verified, name
        assert "is not valid JSON" in verdict.why, name


def test_digitalbazaar_calls_a_revoked_credential_verified(
    catalogue: Catalogue, revoked: Revoked
) -> None:
    """Only `statusResult.results[].status` tells."""
    verdict = _in_node(catalogue.foreign(), revoked.document)["digitalbazaar"]
    assert verdict == Verdict(verified=True, revoked=True, why="")


@pytest.mark.parametrize("verifier", NODE_VERIFIERS)
def test_the_node_verifiers_accept_a_revoked_credential_whose_status_goes_by_its_iri(
    catalogue: Catalogue, revoked: Revoked, verifier: str
) -> None:
    """They check the proof over the quads and read the status from the JSON."""
    foreign = catalogue.foreign()
    assert _in_node(foreign, revoked.document)[verifier].revoked
    verdict = _in_node(foreign, revoked.with_status_by_iri)[verifier]
    assert verdict.accepted
    assert verdict.revoked is None
    assert not foreign.verify_openbadgeslib(json.dumps(revoked.with_status_by_iri)).verified


@pytest.mark.parametrize("verifier", NODE_VERIFIERS)
def test_the_node_verifiers_accept_an_expired_credential_whose_end_goes_by_its_iri(
    catalogue: Catalogue, expired: JsonObject, verifier: str
) -> None:
    foreign = catalogue.foreign()
    assert not _in_node(foreign, expired)[verifier].verified
    assert _in_node(foreign, _with_end_by_iri(expired))[verifier].accepted
    assert not foreign.verify_openbadgeslib(json.dumps(_with_end_by_iri(expired))).verified


def test_verifier_core_believes_a_status_list_that_another_organisation_signed(
    catalogue: Catalogue, revoked: Revoked
) -> None:
    """Whoever can answer at the list's address can reinstate what the issuer revoked."""
    world, bystander = catalogue.world, catalogue.organizations[BYSTANDER]
    clean = catalogue.foreign()
    listed = clean.world[revoked.list_url]
    unused = clean.world[f"{world.env.addresses.base}/o/{BYSTANDER}/status/revocation-1.json"]
    assert isinstance(listed, dict)
    assert isinstance(unused, dict)

    def clear(document: JsonObject) -> None:
        subject = document["credentialSubject"]
        assert isinstance(subject, dict)
        bits = unused["credentialSubject"]["encodedList"]
        document["issuer"] = bystander.did
        document["credentialSubject"] = {**subject, "encodedList": bits}

    clean.world[revoked.list_url] = _signed_again(world, bystander, listed, clear)
    verdicts = _in_node(clean, revoked.document)
    assert verdicts["verifier-core"].accepted
    assert not verdicts["digitalbazaar"].verified
    assert "do not match" in verdicts["digitalbazaar"].why


@pytest.mark.parametrize("which", ["status", "end"])
def test_ours_refuses_what_is_spelled_by_its_iri_to_hide_it(
    catalogue: Catalogue, revoked: Revoked, expired: JsonObject, which: str
) -> None:
    hidden = {"status": revoked.with_status_by_iri, "end": _with_end_by_iri(expired)}[which]
    verdict = in_their_words(catalogue.world.verified(json.dumps(hidden).encode()))
    assert not verdict.accepted


def _with_end_by_iri(document: JsonObject) -> JsonObject:
    changed = dict(document)
    end = changed.pop("validUntil")
    changed[f"{CREDENTIALS}validUntil"] = {"type": XSD_DATE_TIME, "@value": end}
    return changed


def _in_node(foreign: Foreign, document: JsonObject) -> dict[str, Verdict]:
    return {name: each[0] for name, each in foreign.verify_in_node([document]).items()}


def _signed_again(
    world: World,
    organization: Organization,
    document: JsonObject,
    change: Callable[[JsonObject], None],
) -> JsonObject:
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    change(unsigned)
    with world.writing() as session:
        now = world.env.now()
        secured = secure(world.env, session, organization, FORMATS["ldp_vc"], unsigned, now)
    signed: JsonObject = json.loads(secured.body)
    return signed
