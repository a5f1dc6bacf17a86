"""Two installations that share nothing but https: each owns a definition, and issues the other's."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.verify import verify
from kpass_vc.environment import Environment
from kpass_vc.fetch import HttpsFetcher
from tests.api.http import Json, code_of, free_port, outcomes, serving, variables
from tests.conftest import settings_for
from tests.tls import Authority
from tests.world import (
    Clock,
    World,
    definition_document,
    issue_order,
    open_test_environment,
)

OWNER, ISSUER = "sobona", "norrnat"
THEIRS = "NAT-FIB-01"


@dataclass
class Party:
    """One of the two, over https."""

    url: str
    tokens: dict[str, str]
    trusted: ssl.SSLContext

    def ask(self, path: str, body: object = None, token: str = "", status: int = 200) -> Any:
        """The JSON of a reply with that status."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
        headers = {"Authorization": f"Bearer {self.tokens[token]}"} if token else {}
        url = path if path.startswith("https") else self.url + path
        try:
            with urlopen(Request(url, data, headers), timeout=60, context=self.trusted) as reply:
                found, said = reply.status, reply.read()
        except HTTPError as error:
            found, said = error.code, error.read()
        assert found == status, said
        return json.loads(said)

    def report(self, credential: Json) -> Json:
        return dict(self.ask("/v1/verifications", json.dumps(credential).encode()))


@dataclass
class Two:
    """The owner's service and the issuer's, and somebody who only verifies."""

    owner: Party
    issuer: Party
    third: Environment

    def everybodys(self, credential: Json) -> Iterator[tuple[dict[str, str], list[str]]]:
        """What each of the three finds: the code of every check, and those of the notes."""
        for party in (self.owner, self.issuer):
            report = party.report(credential)
            assert report["verified"], report
            yield {each["check"]: each["code"] for each in report["checks"]}, codes(report)
        found = verify(self.third, json.dumps(credential).encode())
        assert found.verified, [each for each in found.findings if each.outcome != "passed"]
        checks = {each.check: each.code for each in found.findings}
        yield checks, [each.code for each in found.notes]


def codes(report: Json) -> list[str]:
    return [each["code"] for each in report["notes"]]


@pytest.fixture(scope="module")
def two(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    ports = {OWNER: free_port(), ISSUER: free_port()}
    trusted = ssl.create_default_context(cafile=authority.ca_file)
    allowed = ",".join(f"localhost:{port}" for port in ports.values())
    parties = {}
    with ExitStack() as running:
        for slug, port in ports.items():
            folder = tmp_path_factory.mktemp(slug)
            own = settings_for(f"sqlite:///{folder}/kpass.db", folder)
            own = replace(own, public_url=f"https://localhost:{port}")
            initialise(own)
            env = open_test_environment(own, Clock())
            world = World(env, Clock())
            if slug == OWNER:
                world.published_definition(authorised_issuers=[OWNER])
            else:
                world.published_definition(owner=ISSUER, code=THEIRS, authorised_issuers=[ISSUER])
            tokens = {slug: world.token(slug), "operator": world.token(None)}
            env.engine.dispose()
            values = variables(
                own,
                KPASS_HOST="localhost",
                KPASS_TLS_CERT=str(authority.cert_file),
                KPASS_TLS_KEY=str(authority.key_file),
                KPASS_CA_FILE=str(authority.ca_file),
                KPASS_FETCH_ALLOW=allowed,
            )
            running.enter_context(serving(values, Path(folder), port=port))
            parties[slug] = Party(own.public_url, tokens, trusted)
        yield Two(
            parties[OWNER], parties[ISSUER], third_of(running, tmp_path_factory, ports, authority)
        )


def third_of(
    running: ExitStack,
    tmp_path_factory: pytest.TempPathFactory,
    ports: dict[str, int],
    authority: Authority,
) -> Environment:
    """The environment of somebody who has nothing to do with either."""
    folder = tmp_path_factory.mktemp("third")
    own = settings_for(f"sqlite:///{folder}/kpass.db", folder)
    initialise(own)
    env = open_test_environment(own, Clock())
    running.callback(env.engine.dispose)
    allowed = frozenset(f"localhost:{port}" for port in ports.values())
    fetcher = HttpsFetcher(allow=allowed, ca_file=authority.ca_file)
    return replace(env, fetcher=fetcher, clock=lambda: datetime.now(UTC))


def published(party: Party, slug: str, **changes: object) -> str:
    """The address of the document of a definition that its owner publishes now."""
    document = definition_document() | {"owner": slug, "authorised_issuers": [slug]} | changes
    made = party.ask("/v1/definitions", document, slug, 201)
    done = party.ask(f"/v1/definitions/{made['id']}/status", {"status": "published"}, slug)
    return str(done["document"])


def issued(party: Party, slug: str, definition: str) -> Json:
    order = issue_order() | {"definition": definition}
    made = party.ask("/v1/credentials", order, slug, 201)
    return dict(made["editions"][0]["credential"])


def test_what_one_service_issues_for_an_owner_on_another_is_verified_by_both(two: Two) -> None:
    did = two.issuer.ask(f"/v1/organizations/{ISSUER}")["did"]
    granted = two.owner.ask(
        "/v1/delegations", {"issuer": did, "families": ["SOB-OPTO"]}, OWNER, 201
    )
    document = f"{two.owner.url}/o/{OWNER}/definitions/SOB-OPTO-01/1.0.0/definition.json"
    taken = {"authorization": granted["authorization"], "definitions": [document]}

    assert granted["status"] == "active"
    imported = two.issuer.ask("/v1/delegations/imports", taken, ISSUER, 201)
    assert imported["definitions"] == ["SOB-OPTO-01"]
    order = issue_order() | {"definition": document}
    issued = two.issuer.ask("/v1/credentials", order, ISSUER, 201)
    credential = issued["editions"][0]["credential"]
    assert credential["termsOfUse"][0]["id"] == granted["authorization"]

    for service in (two.owner, two.issuer):
        report = service.report(credential)
        assert report["verified"], report
        assert code_of(report, "authorization") == "authorised"
        assert code_of(report, "achievement") == "passed"
        (said,) = [each for each in report["checks"] if each["check"] == "authorization"]
        place = f" ({two.owner.url.removeprefix('https://')}/o/sobona)"
        assert f"Sobona (exempel){place if service is two.issuer else ''}, " in said["detail"]

    time.sleep(
        1.1
    )  # dates are whole seconds, and what is issued in the second of a withdrawal is too late
    two.owner.ask(f"/v1/delegations/{granted['id']}/status", {"status": "withdrawn"}, OWNER)
    for service in (two.owner, two.issuer):
        report = service.report(credential)
        assert report["verified"], report
        assert code_of(report, "authorization") == "authorised_then"
        (said,) = [each for each in report["checks"] if each["check"] == "authorization"]
        assert "own word" in said["detail"]

    # the owner was asked less than five minutes ago, before it withdrew: the verifiers are the judge
    late = two.issuer.ask("/v1/credentials", order | {"externalReference": "2"}, ISSUER, 201)
    for service in (two.owner, two.issuer):
        report = service.report(late["editions"][0]["credential"])
        assert outcomes(report)["authorization"] == "failed"
        assert code_of(report, "authorization") == "withdrawn"


def test_what_an_owner_publishes_later_of_a_family_is_taken_in_under_the_same_authorisation(
    two: Two,
) -> None:
    did = two.issuer.ask(f"/v1/organizations/{ISSUER}")["did"]
    first = f"{two.owner.url}/o/{OWNER}/definitions/SOB-OPTO-01/1.0.0/definition.json"
    granted = two.owner.ask(
        "/v1/delegations", {"issuer": did, "families": ["SOB-OPTO"]}, OWNER, 201
    )
    taken = {"authorization": granted["authorization"], "definitions": [first]}
    before = two.issuer.ask("/v1/delegations/imports", taken, ISSUER, 201)
    newer = published(two.owner, OWNER, version="1.1.0", tags=["nyare"])
    further = published(two.owner, OWNER, code="SOB-OPTO-77")
    two.issuer.ask("/v1/credentials", issue_order() | {"definition": further}, ISSUER, 404)

    taken["definitions"] = [first, newer, further]
    again = two.issuer.ask("/v1/delegations/imports", taken, ISSUER, 201)

    assert again["id"] == before["id"]
    assert again["families"] == before["families"] == ["SOB-OPTO"]
    assert before["definitions"] == ["SOB-OPTO-01"]
    assert again["definitions"] == ["SOB-OPTO-01", "SOB-OPTO-77"]
    listed = two.issuer.ask("/v1/delegations", token=ISSUER)["delegations"]
    assert [each for each in listed if each["authorization"] == granted["authorization"]] == [again]
    for definition in (newer, further):
        credential = issued(two.issuer, ISSUER, definition)
        assert credential["termsOfUse"][0]["id"] == granted["authorization"]
        for checks, _ in two.everybodys(credential):
            assert checks["authorization"] == "authorised"
    refused = two.issuer.ask("/v1/credentials", issue_order() | {"definition": first}, ISSUER, 409)
    assert refused["rule"] == "definition_not_published"


def test_each_of_two_services_issues_what_the_other_owns_and_all_verify_both(two: Two) -> None:
    here = f"{two.owner.url}/o/{OWNER}/definitions/SOB-OPTO-01/1.0.0/definition.json"
    there = f"{two.issuer.url}/o/{ISSUER}/definitions/{THEIRS}/1.0.0/definition.json"
    ways = (
        (two.owner, OWNER, two.issuer, ISSUER, here.replace("SOB-OPTO-01", "SOB-OPTO-78")),
        (two.issuer, ISSUER, two.owner, OWNER, there),
    )
    published(two.owner, OWNER, code="SOB-OPTO-78")
    for owner, owns, issuer, issues, document in ways:
        did = issuer.ask(f"/v1/organizations/{issues}")["did"]
        code = document.split("/")[-3]
        granted = owner.ask("/v1/delegations", {"issuer": did, "definitions": [code]}, owns, 201)
        taken = {"authorization": granted["authorization"], "definitions": [document]}
        issuer.ask("/v1/delegations/imports", taken, issues, 201)

        credential = issued(issuer, issues, document)

        assert credential["issuer"]["id"] == did
        assert credential["credentialSubject"]["achievement"]["creator"]["id"] != did
        for checks, _ in two.everybodys(credential):
            assert checks["authorization"] == "authorised"
            assert checks["achievement"] == "passed"
            assert checks["status"] == "passed"
        for checks, _ in two.everybodys(issued(owner, owns, document)):
            assert checks["authorization"] == "own"


def test_an_authorisation_for_somebody_else_is_not_taken_in(two: Two) -> None:
    other = two.owner.ask(
        "/v1/delegations",
        {"issuer": "did:web:other.example", "definitions": ["SOB-OPTO-01"]},
        OWNER,
        201,
    )
    document = f"{two.owner.url}/o/{OWNER}/definitions/SOB-OPTO-01/1.0.0/definition.json"

    refused = two.issuer.ask(
        "/v1/delegations/imports",
        {"authorization": other["authorization"], "definitions": [document]},
        ISSUER,
        422,
    )

    assert refused["errors"][0]["rule"] == "authorization_for_another"


def test_the_operators_list_names_who_it_made_sure_of_and_verifiers_say_so(two: Two) -> None:
    before = two.issuer.ask("/o/operator/registry.json")
    own = f"{two.issuer.url}/o/{ISSUER}/definitions/{THEIRS}/1.0.0/definition.json"
    credential = issued(two.issuer, ISSUER, own)
    assert [notes[0] for _, notes in two.everybodys(credential)] == [
        "issuer_not_confirmed_there",
        "issuer_not_confirmed",
        "issuer_not_confirmed_there",
    ]
    two.issuer.ask(
        f"/v1/organizations/{ISSUER}/confirmation", {"how": "Registreringsbevis"}, "operator"
    )

    signed = two.issuer.ask("/o/operator/confirmed.json")
    registry = two.issuer.ask("/o/operator/registry.json")

    did = two.issuer.ask(f"/v1/organizations/{ISSUER}")["did"]
    assert before["registry"] == {}
    assert [each["id"] for each in signed["credentialSubject"]] == [did]
    assert registry["registry"][did]["name"] == "Norrnat (exempel)"
    judged = two.owner.ask("/credentials/verify", {"verifiableCredential": signed})
    assert judged["verified"], judged
    assert [notes[0] for _, notes in two.everybodys(credential)] == [
        "issuer_confirmed_there",
        "issuer_confirmed",
        "issuer_confirmed_there",
    ]
