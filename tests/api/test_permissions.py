"""Every operation x who asks: a table, and an operation that does not stand in it fails."""

from typing import NamedTuple

import pytest

from tests.api.http import Headers, Json, Service, bearer
from tests.api.vc_api import OTHER, Person, VcApi, credential
from tests.world import definition_document, issue_order


class Row(NamedTuple):
    """The status for each asker; `lesser` is a token of the right organisation for another task."""

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
    "POST /v1/organizations/{slug}/tokens": Row(401, 403, 403, 201, 403),
    "DELETE /v1/tokens/{token_id}": Row(401, 403, 403, 204, 403),
    "POST /v1/definitions": Row(401, 404, 403, 403, 201),
    "GET /v1/definitions": PUBLIC,
    "GET /v1/definitions/{version_id}": Row(401, 404, 200, 403, 200),
    "POST /v1/definitions/{version_id}/status": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials": Row(401, 403, 403, 403, 201),
    "GET /v1/credentials": Row(401, 200, 403, 403, 200),
    "GET /v1/credentials/{credential_id}": Row(401, 404, 403, 403, 200),
    "GET /v1/credentials/{credential_id}/{language}.{extension}": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/status": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/link": Row(401, 404, 403, 403, 200),
    "POST /v1/credentials/{credential_id}/dispute": Row(401, 404, 403, 403, 200),
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
BODIES: dict[str, Json] = {
    "POST /v1/organizations": {"slug": "another", "name": {"sv": "En till", "en": "Another"}},
    "POST /v1/organizations/{slug}/tokens": {"label": "x"},
    "POST /v1/definitions": definition_document() | {"version": "3.0.0"},
    "POST /v1/definitions/{version_id}/status": {"status": "published"},
    "POST /v1/credentials": issue_order(),
    "POST /v1/credentials/{credential_id}/status": {"status": "revoked", "reason": "other"},
    "POST /v1/credentials/{credential_id}/dispute": {"status": "closed", "answer": "Rättat."},
    "POST /v1/verifications": {},
}


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
    lacking = ["definitions:write"]
    if "definitions" in operation:
        ours, theirs, lacking = theirs, ours, ["credentials:read"]
    return {
        "none": {},
        "foreign": bearer(service.world.token(theirs)),
        "lesser": bearer(service.world.token(ours, permissions=lacking)),
        "operator": service.operator,
        "own": bearer(service.world.token(ours)),
    }


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
    parts = {
        "slug": "sobona" if "definitions" in path else "stadsnat-exempel",
        "token_id": token,
        "version_id": service.draft()["id"] if "{version_id}" in path else "",
        "credential_id": credential_id,
        "language": "sv",
        "extension": "json",
        "name": "revocation-1",
        "did": OTHER,
        "code": "SOB-OPTO-01",
        "version": "1.0.0",
    }
    return path.format(**parts)


def test_every_operation_stands_in_the_table_and_nothing_else(service: Service) -> None:
    document = service.http.get("/openapi.json").json()

    operations = {
        f"{method.upper()} {path}" for path, found in document["paths"].items() for method in found
    }

    assert operations == set(TABLE)


@pytest.mark.parametrize("operation", TABLE)
def test_an_operation_answers_each_asker_as_the_table_says(
    service: Service, operation: str
) -> None:
    method = operation.partition(" ")[0]
    path = address(service, operation)

    sent = body(service, operation)
    found = {}
    for asker, headers in askers(service, operation).items():
        reply = service.http.request(method, path, headers=headers, json=sent)
        found[asker] = reply.status_code

    assert Row(**found) == TABLE[operation]


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
