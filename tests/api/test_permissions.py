"""Every operation x who asks: a table, and an operation that does not stand in it fails.

That the table finds a forgotten check is tested too: each operation is asked once more by an
actor for whom nothing is required, and by one who is taken for somebody of another organisation.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import NamedTuple

import httpx2
import pytest
from fastapi import FastAPI, Request
from sqlalchemy.orm import Session

from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.tokens import authenticate
from kpass_vc.api.issuing import Issuing
from kpass_vc.authz import OPERATOR, ORGANIZATION, ROLES, SYSTEM, Actor, Permission, Role
from kpass_vc.edge import Env, current_actor, optional_actor, passing_actor
from kpass_vc.model.dates import STOCKHOLM
from tests.actions.test_people import personal_token
from tests.api.http import Headers, Json, Service, bearer
from tests.api.vc_api import OTHER, Person, VcApi, credential
from tests.world import definition_document, issue_order


class Row(NamedTuple):
    """The status for each asker; `lesser` may do all in the right organisation but the one thing that it takes.

    A token that was withdrawn is answered as no token is; the test of each operation asks with one too.
    """

    none: int
    foreign: int
    lesser: int
    operator: int
    own: int


PUBLIC = Row(200, 200, 200, 200, 200)
MADE = Row(201, 201, 201, 201, 201)
TABLE = {
    "POST /v1/organizations": Row(401, 403, 403, 201, 403),
    "GET /v1/organizations": PUBLIC,
    "GET /v1/organizations/{slug}": PUBLIC,
    "GET /v1/export.zip": Row(401, 200, 403, 403, 200),
    "POST /v1/organizations/{slug}/tokens": Row(401, 403, 403, 201, 403),
    "DELETE /v1/tokens/{token_id}": Row(401, 403, 403, 204, 403),
    "POST /v1/definitions": Row(401, 404, 403, 403, 201),
    "GET /v1/definitions": PUBLIC,
    "GET /v1/definitions/{version_id}": Row(401, 404, 403, 403, 200),
    "POST /v1/definitions/{version_id}/status": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials": Row(401, 403, 403, 403, 201),
    "GET /v1/credentials": Row(401, 200, 403, 403, 200),
    "GET /v1/credentials/{credential_id}": Row(401, 404, 403, 403, 200),
    "GET /v1/credentials/{credential_id}/{language}.{extension}": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/status": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/link": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/dispute": Row(401, 404, 403, 403, 200),
    "POST /v1/organizations/{slug}/confirmation": Row(401, 403, 403, 200, 403),
    "DELETE /v1/organizations/{slug}/confirmation": Row(401, 403, 403, 200, 403),
    "POST /v1/organizations/{slug}/people": Row(401, 404, 403, 201, 409),
    "GET /v1/people": Row(401, 200, 403, 403, 200),
    "POST /v1/people/{person_id}/roles": Row(401, 404, 403, 404, 200),
    "POST /v1/people/{person_id}/tokens": Row(401, 404, 404, 201, 409),
    "GET /v1/people/{person_id}/tokens": Row(401, 404, 404, 200, 200),
    "DELETE /v1/people/{person_id}/tokens/{token_id}": Row(401, 404, 404, 204, 204),
    "GET /v1/me": Row(401, 200, 200, 403, 200),
    "POST /v1/definitions/{version_id}/submission": Row(401, 404, 403, 403, 200),
    "DELETE /v1/definitions/{version_id}/submission": Row(401, 404, 403, 403, 200),
    "POST /v1/definitions/{version_id}/reviews": Row(401, 404, 403, 403, 201),
    "GET /v1/definitions/{version_id}/reviews": Row(401, 404, 403, 403, 200),
    "POST /v1/definitions/{version_id}/comments": Row(401, 404, 403, 403, 201),
    "GET /v1/reviews": Row(401, 200, 403, 403, 200),
    "POST /v1/review-policy": Row(401, 200, 403, 403, 200),
    "POST /v1/delegations": Row(401, 422, 403, 403, 201),
    "POST /v1/delegations/requests": Row(401, 422, 403, 403, 201),
    "POST /v1/delegations/imports": Row(401, 422, 403, 403, 422),
    "GET /v1/delegations": Row(401, 200, 403, 403, 200),
    "GET /v1/delegations/{delegation_id}": Row(401, 404, 403, 403, 200),
    "POST /v1/delegations/{delegation_id}/status": Row(401, 404, 403, 403, 200),
    "POST /v1/batches": Row(401, 202, 403, 403, 202),
    "GET /v1/batches": Row(401, 200, 403, 403, 200),
    "GET /v1/batches/{batch_id}": Row(401, 404, 403, 403, 200),
    "GET /v1/batches/{batch_id}/rows": Row(401, 404, 403, 403, 200),
    "POST /v1/batches/{batch_id}/status": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/correction": Row(401, 404, 403, 403, 201),
    "POST /v1/credentials/{credential_id}/erasure": Row(401, 404, 403, 403, 200),
    "GET /v1/credentials/{credential_id}/learner.zip": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/letter": Row(401, 404, 403, 403, 200),
    "POST /v1/batches/{batch_id}/letters": Row(401, 404, 403, 403, 409),
    "POST /v1/webhooks": Row(401, 201, 403, 403, 201),
    "GET /v1/webhooks": Row(401, 200, 403, 403, 200),
    "POST /v1/webhooks/{webhook_id}/replay": Row(401, 404, 403, 403, 200),
    "DELETE /v1/webhooks/{webhook_id}": Row(401, 404, 403, 403, 204),
    "GET /v1/statistics": Row(401, 200, 403, 403, 200),
    "POST /oauth/token": Row(400, 400, 400, 400, 400),
    "GET /.well-known/oauth-authorization-server": PUBLIC,
    "POST /v1/organizations/{slug}/clients": Row(401, 403, 403, 201, 403),
    "GET /v1/organizations/{slug}/clients": Row(401, 403, 403, 200, 403),
    "POST /v1/clients/{client_id}/keys": Row(401, 403, 403, 200, 403),
    "DELETE /v1/clients/{client_id}": Row(401, 403, 403, 204, 403),
    "GET /v1/audit": Row(401, 200, 403, 403, 200),
    "GET /v1/changes": Row(401, 200, 403, 403, 200),
    "GET /o/{slug}/audit/{day}.json": PUBLIC,
    "POST /v1/batches/file": Row(401, 202, 403, 403, 202),
    "GET /v1/batches/template.xlsx": PUBLIC,
    "POST /v1/credentials/{credential_id}/notice": Row(401, 404, 403, 403, 202),
    "GET /v1/credentials/{credential_id}/notices": Row(401, 404, 403, 403, 200),
    "GET /o/{slug}/authorizations/{delegation_id}.json": PUBLIC,
    "GET /o/{slug}/authorizations/{delegation_id}.withdrawal.json": PUBLIC,
    "GET /o/{slug}/endorsements/{review_id}.json": PUBLIC,
    "GET /o/{slug}/definitions/{code}/{version}/endorsements.json": PUBLIC,
    "GET /o/operator/confirmed.json": PUBLIC,
    "GET /o/operator/registry.json": PUBLIC,
    "POST /v1/verifications": PUBLIC,
    "POST /credentials/issue": Row(401, 404, 403, 403, 201),
    "POST /credentials/status": Row(401, 404, 403, 403, 200),
    "POST /credentials/verify": PUBLIC,
    "POST /credentials/derive": MADE,
    "POST /presentations/verify": PUBLIC,
    "POST /issuers/{name}/credentials/issue": Row(401, 403, 403, 403, 201),
    "GET /1.0/identifiers/{did}": PUBLIC,
    "GET /o/{slug}/did.json": PUBLIC,
    "GET /o/{slug}/keys.json": PUBLIC,
    "GET /.well-known/jwks.json": PUBLIC,
    "GET /o/{slug}/status/{name}.json": PUBLIC,
    "GET /o/{slug}/definitions/{code}/{version}/definition.json": PUBLIC,
    "GET /o/{slug}/definitions/{code}/{version}/publication.json": PUBLIC,
    "GET /o/{slug}/definitions/{code}/{version}/achievement.{language}.json": PUBLIC,
    "GET /o/{slug}/credentials/{credential_id}": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
}
NEEDS: dict[str, Permission] = {
    operation: Permission(permission)
    for permission, operations in {
        "organizations:write": (
            "POST /v1/organizations",
            "POST /v1/organizations/{slug}/confirmation",
            "DELETE /v1/organizations/{slug}/confirmation",
        ),
        "tokens:write": (
            "POST /v1/organizations/{slug}/tokens",
            "DELETE /v1/tokens/{token_id}",
            "POST /v1/organizations/{slug}/clients",
            "GET /v1/organizations/{slug}/clients",
            "POST /v1/clients/{client_id}/keys",
            "DELETE /v1/clients/{client_id}",
        ),
        "people:write": (
            "POST /v1/organizations/{slug}/people",
            "GET /v1/people",
            "POST /v1/people/{person_id}/roles",
            "POST /v1/people/{person_id}/tokens",
            "GET /v1/people/{person_id}/tokens",
            "DELETE /v1/people/{person_id}/tokens/{token_id}",
            "POST /v1/review-policy",
        ),
        "definitions:read": (
            "GET /v1/definitions/{version_id}",
            "GET /v1/definitions/{version_id}/reviews",
            "POST /v1/definitions/{version_id}/comments",
            "GET /v1/delegations",
            "GET /v1/delegations/{delegation_id}",
        ),
        "definitions:write": (
            "POST /v1/definitions",
            "POST /v1/definitions/{version_id}/submission",
            "DELETE /v1/definitions/{version_id}/submission",
        ),
        "definitions:review": ("POST /v1/definitions/{version_id}/reviews", "GET /v1/reviews"),
        "definitions:publish": ("POST /v1/definitions/{version_id}/status",),
        "delegations:write": (
            "POST /v1/delegations",
            "POST /v1/delegations/requests",
            "POST /v1/delegations/imports",
            "POST /v1/delegations/{delegation_id}/status",
        ),
        "credentials:issue": (
            "POST /v1/credentials",
            "POST /v1/credentials/{credential_id}/link",
            "POST /v1/credentials/{credential_id}/correction",
            "POST /v1/credentials/{credential_id}/letter",
            "POST /v1/credentials/{credential_id}/notice",
            "POST /v1/batches",
            "POST /v1/batches/file",
            "POST /v1/batches/{batch_id}/letters",
            "POST /credentials/issue",
            "POST /issuers/{name}/credentials/issue",
        ),
        "credentials:revoke": (
            "POST /v1/credentials/{credential_id}/status",
            "POST /v1/credentials/{credential_id}/dispute",
            "POST /v1/batches/{batch_id}/status",
            "POST /credentials/status",
        ),
        "credentials:read": (
            "GET /v1/credentials",
            "GET /v1/credentials/{credential_id}",
            "GET /v1/credentials/{credential_id}/{language}.{extension}",
            "GET /v1/credentials/{credential_id}/notices",
            "GET /v1/batches",
            "GET /v1/batches/{batch_id}",
            "GET /v1/batches/{batch_id}/rows",
            "GET /v1/changes",
        ),
        "learners:erase": (
            "POST /v1/credentials/{credential_id}/erasure",
            "GET /v1/credentials/{credential_id}/learner.zip",
        ),
        "webhooks:write": (
            "POST /v1/webhooks",
            "GET /v1/webhooks",
            "POST /v1/webhooks/{webhook_id}/replay",
            "DELETE /v1/webhooks/{webhook_id}",
        ),
        "statistics:read": ("GET /v1/statistics",),
        "audit:read": ("GET /v1/audit",),
        "organization:export": ("GET /v1/export.zip",),
    }.items()
    for operation in operations
}
"""The one permission without which an operation is not done by who has all others; GET /v1/me takes none."""
JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
BODIES: dict[str, Json] = {
    "POST /v1/organizations": {"slug": "another", "name": {"sv": "En till", "en": "Another"}},
    "POST /v1/organizations/{slug}/tokens": {"label": "x"},
    "POST /v1/definitions": definition_document() | {"version": "3.0.0"},
    "POST /v1/definitions/{version_id}/status": {"status": "published"},
    "POST /v1/credentials": issue_order(),
    "POST /v1/credentials/{credential_id}/status": {"status": "revoked", "reason": "other"},
    "POST /v1/credentials/{credential_id}/dispute": {"status": "closed", "answer": "Rättat."},
    "POST /v1/verifications": {},
    "POST /v1/organizations/{slug}/clients": {"label": "x", "keys": [JWK]},
    "POST /v1/webhooks": {"url": "https://system.example/kpass"},
    "POST /v1/webhooks/{webhook_id}/replay": {"since": 0},
    "POST /v1/clients/{client_id}/keys": {"keys": [JWK]},
    "POST /v1/organizations/{slug}/confirmation": {"how": "Registreringsbevis"},
    "POST /v1/organizations/{slug}/people": {
        "name": "Ny Exempel", "email": "ny@example.org", "roles": ["author"],
    },
    "POST /v1/people/{person_id}/roles": {"roles": ["auditor"]},
    "POST /v1/people/{person_id}/tokens": {"label": "x"},
    "POST /v1/definitions/{version_id}/submission": {},
    "POST /v1/definitions/{version_id}/reviews": {"decision": "changes_requested"},
    "POST /v1/definitions/{version_id}/comments": {"text": "Bra."},
    "POST /v1/review-policy": {"approvals": 1},
    "POST /v1/delegations": {"issuer": "did:web:nat.example", "definitions": ["SOB-OPTO-01"]},
    "POST /v1/delegations/requests": {"owner": "sobona", "definitions": ["SOB-OPTO-01"]},
    "POST /v1/delegations/imports": {
        "authorization": "https://nowhere.example/1.json", "definitions": ["https://nowhere.example/2.json"],
    },
    "POST /v1/delegations/{delegation_id}/status": {"status": "withdrawn"},
    "POST /v1/batches": {
        "definition": "sobona/SOB-OPTO-01",
        "items": [{name: value for name, value in issue_order().items() if name != "definition"}],
    },
    "POST /v1/batches/{batch_id}/status": {"status": "undone", "reason": "other"},
    "POST /v1/credentials/{credential_id}/correction": {
        "holder": {"name": "Amina Berg"}, "assessedOn": str(issue_order()["assessedOn"]),
    },
    "POST /v1/credentials/{credential_id}/notice": {"contact": {"email": "li@example.org"}},
}  # fmt: skip
PEOPLE = {
    "GET /v1/people": "owner",
    "GET /v1/me": "auditor",
    "POST /v1/organizations/{slug}/people": "owner",
    "POST /v1/people/{person_id}/roles": "owner",
    "POST /v1/people/{person_id}/tokens": "owner",
    "GET /v1/people/{person_id}/tokens": "owner",
    "DELETE /v1/people/{person_id}/tokens/{token_id}": "owner",
    "POST /v1/definitions/{version_id}/reviews": "reviewer",
    "GET /v1/reviews": "reviewer",
    "POST /v1/review-policy": "owner",
}
"""What takes a person, and the role that it takes."""


def body(service: Service, operation: str) -> Json | None:
    """What is sent to an operation; to the VC-API what an instance of its own `revocation-1` takes."""
    path = operation.partition(" ")[2]
    if path.startswith("/v1/") or operation.startswith(("GET", "DELETE")):
        return BODIES.get(operation)
    api = VcApi(service.world, service.http)
    did = api.add("revocation-1", has_status=True, is_open=False).did
    person = Person.of(service.world.clock())
    match path:
        case "/credentials/verify":
            return {"verifiableCredential": person.sign(credential(person.did))}
        case "/presentations/verify":
            return {"verifiablePresentation": person.show()}
        case "/credentials/derive":
            other = api.add("sd", "ecdsa-sd-2023").did
            return {"verifiableCredential": api.issued("sd", credential(other))} | {
                "options": {"selectivePointers": ["/credentialSubject"]}
            }
        case "/credentials/status":
            given = credential(did, id="urn:uuid:1")
            api.issue("revocation-1", given, bearer(service.world.token("stadsnat-exempel")))
            status = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
            return {"credentialId": "urn:uuid:1", "credentialStatus": status}
        case _:
            return {"credential": credential(did)}


def askers(service: Service, operation: str) -> dict[str, Headers]:
    """Every kind of asker; definitions are sobona's own, credentials stadsnat-exempel's."""
    ours, theirs = "stadsnat-exempel", "sobona"
    if any(word in operation for word in ("definitions", "delegations", "review", "people", "/me")):
        ours, theirs = theirs, ours
    if operation == "POST /v1/delegations/requests":
        ours, theirs = theirs, ours
    if "{delegation_id}" in operation or operation in LISTS:
        theirs = "annan"
        service.world.organization("annan")
    needed = NEEDS.get(operation)
    role = PEOPLE.get(operation)
    if role is not None:
        every = [each.value for each in Role]
        lesser = [each for each in every if needed is None or needed not in ROLES[Role(each)]]
        return {
            "none": {},
            "foreign": persons(service, theirs, "1", role),
            "lesser": persons(service, ours, "2", *lesser),
            "operator": service.operator,
            "own": persons(service, ours, "3", role),
        }
    lacking = sorted(SYSTEM - {needed})
    return {
        "none": {},
        "foreign": bearer(service.world.token(theirs)),
        "lesser": bearer(service.world.token(ours, permissions=lacking)),
        "operator": service.operator,
        "own": bearer(service.world.token(ours)),
    }


def persons(service: Service, slug: str, number: str, *roles: str) -> Headers:
    """The headers of a person with roles."""
    return bearer(personal_token(service.world, slug, list(roles), f"p{number}@example.org")[1])


def handed_in(service: Service) -> str:
    """A version that is handed in for review."""
    draft = service.draft()
    reply = service.http.post(
        f"/v1/definitions/{draft['id']}/submission", headers=service.owner, json={}
    )
    assert reply.status_code == 200, reply.text
    return str(draft["id"])


def approved(service: Service) -> str:
    """The id of an approval of a published version."""
    version_id = handed_in(service)
    headers = persons(service, "sobona", "9", "reviewer")
    order = {"decision": "approved"}
    service.http.post(f"/v1/definitions/{version_id}/reviews", headers=headers, json=order)
    status = {"status": "published"}
    service.http.post(f"/v1/definitions/{version_id}/status", headers=service.owner, json=status)
    found = service.http.get(f"/v1/definitions/{version_id}/reviews", headers=service.owner).json()
    return str(found["reviews"][0]["endorsement"]).rpartition("/")[2].removesuffix(".json")


def delegated(service: Service, *, withdrawn: bool) -> str:
    """The id of the delegation that publishing granted, withdrawn or not."""
    found = service.http.get("/v1/delegations", headers=service.owner).json()["delegations"][0]
    if withdrawn:
        path = f"/v1/delegations/{found['id']}/status"
        service.http.post(path, headers=service.owner, json={"status": "withdrawn"})
    return str(found["id"])


def hooked(service: Service) -> str:
    """The id of a webhook."""
    reply = service.http.post(
        "/v1/webhooks", headers=service.issuer, json=BODIES["POST /v1/webhooks"]
    )
    return str(reply.json()["id"])


def registered(service: Service) -> str:
    """The id of an OAuth client."""
    path = "/v1/organizations/stadsnat-exempel/clients"
    reply = service.http.post(
        path, headers=service.operator, json=BODIES["POST /v1/organizations/{slug}/clients"]
    )
    return str(reply.json()["id"])


def chained(service: Service) -> str:
    """A day whose head is signed."""
    chain_all(service.world.env)
    return service.world.env.now().astimezone(STOCKHOLM).date().isoformat()


def batched(service: Service) -> str:
    """The id of a batch."""
    reply = service.http.post(
        "/v1/batches", headers=service.issuer, json=BODIES["POST /v1/batches"]
    )
    return str(reply.json()["id"])


def address(service: Service, operation: str) -> str:
    """The path of an operation on things that are there."""
    issued = service.issued()
    path = operation.partition(" ")[2]
    if path.endswith("/dispute"):
        service.world.disputed(issued["id"])
    credential_id = issued["id"]
    if path.startswith("/o/"):
        credential_id = issued["editions"][0]["id"].rpartition("/")[2]
    token = service.world.token("sobona").split("_")[1]
    person_id = ""
    if "{person_id}" in path:
        person_id, _, token_of_person = personal_token(
            service.world, "sobona", ["author"], "p0@example.org"
        )
        token = token_of_person if "people" in path else token
    of_owner = any(
        word in path for word in ("definitions", "authorizations", "endorsements", "people")
    )
    parts = {
        "slug": "sobona" if of_owner else "stadsnat-exempel",
        "token_id": token,
        "person_id": person_id,
        "version_id": version(service, operation) if "{version_id}" in path else "",
        "review_id": approved(service) if "{review_id}" in path else "",
        "delegation_id": delegated(service, withdrawn="withdrawal" in path)
        if "{delegation_id}" in path
        else "",
        "webhook_id": hooked(service) if "{webhook_id}" in path else "",
        "client_id": registered(service) if "{client_id}" in path else "",
        "day": chained(service) if "{day}" in path else "",
        "batch_id": batched(service) if "{batch_id}" in path else "",
        "credential_id": credential_id,
        "language": "sv",
        "extension": "json",
        "name": "revocation-1",
        "did": OTHER,
        "code": "SOB-OPTO-01",
        "version": "1.0.0",
    }
    query = (
        "?definition=sobona/SOB-OPTO-01"
        if path.startswith("/v1/batches/") and "{" not in path
        else ""
    )
    return path.format(**parts) + query


def version(service: Service, operation: str) -> str:
    """A version in the state that an operation takes."""
    reviewing = {"DELETE /v1/definitions/{version_id}/submission", *PEOPLE}
    return handed_in(service) if operation in reviewing else str(service.draft()["id"])


LISTS: dict[str, Callable[[Service], str]] = {
    "GET /v1/export.zip": lambda service: f"credentials/{service.issued()['id']}.sv.json",
    "GET /v1/credentials": lambda service: str(service.issued()["id"]),
    "GET /v1/people": lambda _: "p3@example.org",
    "GET /v1/reviews": handed_in,
    "GET /v1/delegations": lambda service: delegated(service, withdrawn=False),
    "GET /v1/batches": batched,
    "GET /v1/webhooks": hooked,
    "GET /v1/statistics": lambda _: "SOB-OPTO-01",
    "GET /v1/audit": lambda _: "credential.issued",
    "GET /v1/changes": lambda service: str(service.issued()["id"]),
}
"""What anybody may ask for their own, and what stands in it that others must not see."""


def test_every_operation_stands_in_the_table_and_nothing_else(service: Service) -> None:
    document = service.http.get("/openapi.json").json()

    operations = {
        f"{method.upper()} {path}" for path, found in document["paths"].items() for method in found
    }

    assert operations == set(TABLE)


def ask(
    service: Service, operation: str, path: str, headers: Headers, sent: Json | None
) -> httpx2.Response:
    """The reply to one request."""
    method = operation.partition(" ")[0]
    if operation == "POST /v1/batches/file":
        day = issue_order()["assessedOn"]
        table = f"Namn;Bedömningsdag\r\nLi;{day}\r\n".encode()
        return service.http.request(method, path, headers=headers, content=table)
    return service.http.request(method, path, headers=headers, json=sent)


class Unasked(Actor):
    """An actor for whom every `require` is forgotten."""

    def require(self, permission: Permission) -> None:
        del permission


def forgetful(actor: Actor) -> Actor:
    """The hole: nobody asks what an actor may do."""
    unasked = Unasked(*(getattr(actor, field.name) for field in fields(actor)))
    return replace(unasked, permissions=OPERATOR | ORGANIZATION)


def asked_with_a_hole(
    service: Service,
    operation: str,
    path: str,
    headers: Headers,
    sent: Json | None,
    hole: Callable[[Actor], Actor],
) -> httpx2.Response:
    """The reply, if the actor of the token were this one: FastAPI's own seam for a dependency."""

    def acting(env: Env, request: Request) -> Actor:
        token = request.headers["Authorization"].partition(" ")[2]
        with env.reading() as session:
            return hole(authenticate(session, token, env.now()))

    def known(session: Session, token: str, now: datetime, organization: str | None) -> Actor:
        return hole(authenticate(session, token, now, organization))

    app = service.http.app
    assert isinstance(app, FastAPI)
    kept = app.state.issuing
    app.state.issuing = Issuing(app.state.environment, known)
    for dependency in (current_actor, optional_actor, passing_actor):
        app.dependency_overrides[dependency] = acting
    try:
        return ask(service, operation, path, headers, sent)
    finally:
        app.state.issuing = kept
        app.dependency_overrides.clear()


@pytest.mark.parametrize("operation", TABLE)
def test_an_operation_answers_each_asker_as_the_table_says_and_finds_a_forgotten_check(
    service: Service, operation: str
) -> None:
    path = address(service, operation)
    marker = LISTS[operation](service) if operation in LISTS else ""
    sent = body(service, operation)

    asking = askers(service, operation)
    replies = {
        asker: ask(service, operation, path, headers, sent) for asker, headers in asking.items()
    }

    assert Row(**{asker: reply.status_code for asker, reply in replies.items()}) == TABLE[operation]
    assert marker in replies["own"].text
    if marker:
        assert marker not in replies["foreign"].text
    if TABLE[operation].none != 401:
        return
    for over in gone(service):
        assert ask(service, operation, path, over, sent).status_code == 401
    if TABLE[operation].lesser == 403:
        reply = asked_with_a_hole(service, operation, path, asking["lesser"], sent, forgetful)
        assert reply.status_code != 403, "a forgotten permission is not found"
    if TABLE[operation].foreign == 404 or marker:
        own = authenticated(service, asking["own"]).organization_id
        reply = asked_with_a_hole(
            service,
            operation,
            path,
            asking["foreign"],
            sent,
            lambda actor: replace(actor, organization_id=own),
        )
        found = marker in reply.text if marker else reply.status_code != 404
        assert found or operation in GONE, "a forgotten organisation is not found"


GONE = {"DELETE /v1/webhooks/{webhook_id}"}
"""What is not there for its own organisation either, once it has been asked."""


def authenticated(service: Service, headers: Headers) -> Actor:
    """The actor of a token."""
    with service.world.reading() as session:
        token = headers["Authorization"].partition(" ")[2]
        return authenticate(session, token, service.world.env.now())


def gone(service: Service) -> list[Headers]:
    """A token that was withdrawn, and one whose secret is another's: of either organisation, and of the operator."""
    found = []
    for slug in ("sobona", "stadsnat-exempel", None):
        withdrawn, other = (service.world.token(slug) for _ in range(2))
        revoke = f"/v1/tokens/{withdrawn.split('_')[1]}"
        assert service.http.delete(revoke, headers=service.operator).status_code == 204
        found += [bearer(withdrawn), bearer(other[:-3] + withdrawn[-3:])]
    return found


def test_a_token_opens_nothing_from_the_moment_it_expires(service: Service) -> None:
    system = bearer(service.world.token("sobona", expiresInDays=1))
    operator = bearer(service.world.token(None, expiresInDays=1))
    (person_id, _, _) = personal_token(service.world, "sobona", ["owner"], "p@example.org")
    made = service.http.post(
        f"/v1/people/{person_id}/tokens",
        headers=service.operator,
        json={"label": "x", "expiresInDays": 1},
    )
    asks = {"/v1/delegations": system, "/v1/me": bearer(made.json()["token"])}
    for path, headers in asks.items():
        assert service.http.get(path, headers=headers).status_code == 200

    service.world.clock.advance(days=1)

    for path, headers in asks.items():
        assert service.http.get(path, headers=headers).status_code == 401
    order = BODIES["POST /v1/organizations"]
    reply = service.http.post("/v1/organizations", headers=operator, json=order)
    assert reply.status_code == 401


def test_who_needs_what_is_said_of_every_operation_that_refuses_the_lesser() -> None:
    assert set(NEEDS) == {
        operation
        for operation, row in TABLE.items()
        if row.none == 401 and row.lesser in {403, 404}
    }


@pytest.mark.parametrize("operation", [name for name, row in TABLE.items() if row.none == 401])
def test_the_description_says_which_operations_need_a_token(
    service: Service, operation: str
) -> None:
    method, _, path = operation.partition(" ")
    described = service.http.get("/openapi.json").json()["paths"][path][method.lower()]

    assert described["security"] == [{"token": []}]


@pytest.mark.parametrize("operation", [name for name, row in TABLE.items() if row.own == 200])
def test_a_public_operation_takes_a_token_that_is_none_as_no_token(
    service: Service, operation: str
) -> None:
    method = operation.partition(" ")[0]

    reply = service.http.request(
        method,
        address(service, operation),
        headers=bearer("kp_nobody_x"),
        json=body(service, operation),
    )

    assert reply.status_code == TABLE[operation].none
