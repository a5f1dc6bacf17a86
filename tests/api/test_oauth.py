"""A system proves who it is with a key of its own; test tokens issue what says that it is a test."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from tests.api.http import Json, Service, bearer, code_of

ISSUER = "stadsnat-exempel"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = {"Ed25519": OKPKey, "ES256": ECKey}
CURVES = {"Ed25519": "Ed25519", "ES256": "P-256"}


class System:
    """A registered system with its private key."""

    def __init__(self, service: Service, algorithm: str = "Ed25519", **order: object) -> None:
        self.service, self.algorithm = service, algorithm
        self.key = ALGORITHMS[algorithm].generate_key(CURVES[algorithm], private=True)  # type: ignore[attr-defined]
        given = {"label": "Lärplattformen", "keys": [self.key.as_dict(private=False)], **order}
        reply = service.http.post(
            f"/v1/organizations/{ISSUER}/clients", headers=service.operator, json=given
        )
        assert reply.status_code == 201, reply.text
        self.id = reply.json()["id"]
        self.count = 0

    def claims(self, **changes: object) -> Json:
        self.count += 1
        now = int(self.service.world.env.now().timestamp())
        found = {
            "iss": self.id,
            "sub": self.id,
            "aud": "http://localhost:8000/oauth/token",
            "exp": now + 50,
            "iat": now,
            "jti": f"j{self.count}",
        }
        return {name: value for name, value in (found | changes).items() if value is not None}

    def assertion(self, header: Json | None = None, key: Any = None, **changes: object) -> str:
        head = {"alg": self.algorithm} | (header or {})
        return jwt.encode(head, self.claims(**changes), key or self.key, algorithms=[head["alg"]])

    def ask(self, assertion: str, **more: str) -> Any:
        given = {
            "grant_type": "client_credentials",
            "client_assertion_type": TYPE,
            "client_assertion": assertion,
        } | more
        return self.service.http.post("/oauth/token", data=given)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signed_assertion_gives_a_token_for_five_minutes(
    service: Service, algorithm: str
) -> None:
    system = System(service, algorithm)

    reply = system.ask(system.assertion(), scope="credentials:read")
    answer = reply.json()

    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert (answer["token_type"], answer["scope"]) == ("Bearer", "credentials:read")
    assert 0 < answer["expires_in"] <= 300
    headers = bearer(answer["access_token"])
    assert service.http.get("/v1/credentials", headers=headers).status_code == 200
    assert service.http.post("/v1/credentials", headers=headers, json={}).status_code in {403, 422}
    service.world.clock.advance(seconds=301)
    assert service.http.get("/v1/credentials", headers=headers).status_code == 401


REFUSED: dict[str, Callable[[System], str]] = {
    "another key": lambda s: s.assertion(key=OKPKey.generate_key("Ed25519", private=True)),
    "another audience": lambda s: s.assertion(aud="https://other.example"),
    "run out": lambda s: s.assertion(exp=int(s.service.world.env.now().timestamp()) - 60),
    "good for too long": lambda s: s.assertion(
        exp=int(s.service.world.env.now().timestamp()) + 300
    ),
    "no end": lambda s: s.assertion(exp=None),
    "no jti": lambda s: s.assertion(jti=None),
    "another issuer": lambda s: s.assertion(iss="kc_other"),
    "nobody": lambda s: s.assertion(sub="kc_nobody", iss="kc_nobody"),
    "another typ": lambda s: s.assertion(header={"typ": "vc+jwt"}),
    "a header that decides": lambda s: s.assertion(header={"jwk": s.key.as_dict(private=False)}),
    "no compact form": lambda s: s.assertion() + "=",
    "nothing": lambda _: "x",
    "a list of typs": lambda s: raw(s, {"typ": ["JWT"]}),
    "a list of algs": lambda s: raw(s, {"alg": ["Ed25519"]}),
    "a name that no database takes": lambda s: raw(s, {}, sub="kc_\x00", iss="kc_\x00"),
    "half a letter": lambda s: raw(s, {}, sub="kc_\ud800", iss="kc_\ud800"),
    "an end beyond all numbers": lambda s: raw(s, {}, exp=10**400),
    "not yet": lambda s: s.assertion(nbf=int(s.service.world.env.now().timestamp()) + 60),
    "no moment": lambda s: s.assertion(nbf="now"),
}


def raw(system: System, header: Json, **changes: object) -> str:
    """An assertion that no library writes, signed."""
    head = {"alg": "Ed25519"} | header
    parts = [json.dumps(each).encode() for each in (head, system.claims(**changes))]
    text = b".".join(urlsafe_b64encode(each).rstrip(b"=") for each in parts)
    signature = urlsafe_b64encode(system.key.private_key.sign(text)).rstrip(b"=")
    return (text + b"." + signature).decode()


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_with_an_assertion_is_invalid_client(service: Service, case: str) -> None:
    system = System(service)
    reply = system.ask(REFUSED[case](system))
    assert (reply.status_code, reply.json()) == (401, {"error": "invalid_client"})


def test_an_assertion_is_used_once(service: Service) -> None:
    system = System(service)
    assertion = system.assertion()
    assert system.ask(assertion).status_code == 200
    assert system.ask(assertion).json() == {"error": "invalid_client"}


def test_the_other_errors_are_those_of_the_standard(service: Service) -> None:
    system = System(service, permissions=["credentials:issue"])
    ask = service.http.post
    assert system.ask(system.assertion(), scope="audit:read").json() == {"error": "invalid_scope"}
    assert system.ask(system.assertion(), scope="people:write").json() == {"error": "invalid_scope"}
    assert system.ask(system.assertion(), grant_type="password").json() == {
        "error": "unsupported_grant_type"
    }
    assert ask("/oauth/token", data={"grant_type": "client_credentials"}).json() == {
        "error": "invalid_request"
    }
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    assert ask("/oauth/token", content=twice).json() == {"error": "invalid_request"}


def test_keys_are_changed_without_a_gap_and_a_withdrawn_system_gets_nothing(
    service: Service,
) -> None:
    system = System(service)
    other = OKPKey.generate_key("Ed25519", private=True)
    both = [system.key.as_dict(private=False), other.as_dict(private=False)]
    path = f"/v1/clients/{system.id}/keys"
    service.http.post(path, headers=service.operator, json={"keys": both})
    assert system.ask(system.assertion()).status_code == 200
    assert system.ask(system.assertion(key=other)).status_code == 200
    service.http.post(path, headers=service.operator, json={"keys": both[1:]})
    assert system.ask(system.assertion()).status_code == 401
    service.http.delete(f"/v1/clients/{system.id}", headers=service.operator)
    assert system.ask(system.assertion(key=other)).status_code == 401


def test_a_private_or_weak_key_is_not_taken(service: Service) -> None:
    for key in (
        OKPKey.generate_key("Ed25519", private=True).as_dict(private=True),
        ECKey.generate_key("P-384", private=True).as_dict(private=False),
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43},
    ):
        reply = service.http.post(
            f"/v1/organizations/{ISSUER}/clients",
            headers=service.operator,
            json={"label": "x", "keys": [key]},
        )
        assert reply.status_code == 422, key


def test_what_a_test_system_issues_says_so_in_what_is_signed_and_is_not_valid(
    service: Service,
) -> None:
    system = System(service, test=True)
    token = system.ask(system.assertion()).json()["access_token"]
    order = {
        "definition": "sobona/SOB-OPTO-01",
        "holder": {"name": "Amina Exempelsson"},
        "assessedOn": service.world.env.now().date().isoformat(),
    }
    reply = service.http.post("/v1/credentials", headers=bearer(token), json=order)
    assert reply.status_code == 201, reply.text
    for edition in reply.json()["editions"]:
        credential = edition["credential"]
        assert credential["name"].startswith("TEST")
        assert credential["description"].startswith("TEST")
        report = service.report(json.dumps(credential).encode())
        assert report["verified"] is False
        assert code_of(report, "status") == "test"
        assert code_of(report, "proof") == "passed"


def test_the_metadata_is_that_of_rfc_8414(service: Service) -> None:
    found = service.http.get("/.well-known/oauth-authorization-server").json()
    assert found["issuer"] == "http://localhost:8000"
    assert found["token_endpoint"] == "http://localhost:8000/oauth/token"
    assert found["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
