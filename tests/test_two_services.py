"""Two installations that share nothing but https: one owns a definition, the other issues it."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from kpass_vc.actions.initialise import initialise
from tests.api.http import Json, code_of, free_port, outcomes, serving, variables
from tests.conftest import settings_for
from tests.tls import Authority
from tests.world import Clock, World, issue_order, open_test_environment

OWNER, ISSUER = "sobona", "norrnat"


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
    """The owner's service and the issuer's."""

    owner: Party
    issuer: Party


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
                world.organization(slug)
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
        yield Two(parties[OWNER], parties[ISSUER])


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

    late = two.issuer.ask("/v1/credentials", order | {"externalReference": "2"}, ISSUER, 201)
    for service in (two.owner, two.issuer):
        report = service.report(late["editions"][0]["credential"])
        assert outcomes(report)["authorization"] == "failed"
        assert code_of(report, "authorization") == "withdrawn"


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
