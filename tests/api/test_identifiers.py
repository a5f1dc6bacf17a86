"""`GET /1.0/identifiers/{did}`: the shape of the universal resolver, and the names of its errors."""

from urllib.parse import quote

import pytest

from kpass_vc.crypto.multibase import multibase_encode
from tests.api.http import Service

DID = "did:key:z6MkgZRUxx6XCjd9mRniZjznVJDTu4EmyFZ7Zm8mH8KusQz9"
METHOD = f"{DID}#{DID[8:]}"
SHORT = "did:key:" + multibase_encode(b"\xed\x01\x02\x03")
OFF_CURVE = "did:key:" + multibase_encode(b"\xed\x01" + bytes(32))


def resolve(service: Service, did: str, **query: str) -> tuple[int, dict[str, object]]:
    reply = service.http.get(f"/1.0/identifiers/{quote(did, safe='')}", params=query)
    assert "json" in reply.headers["Content-Type"]
    assert reply.headers["Cache-Control"] == "no-store"
    body = reply.json()
    assert {"@context", "didDocument", "didDocumentMetadata"} <= body.keys()
    assert isinstance(body["didDocument"], dict)
    return reply.status_code, body


def test_a_did_key_resolves_and_its_method_is_dereferenced(service: Service) -> None:
    status, body = resolve(service, DID)
    part_status, part = resolve(service, METHOD)

    assert status == part_status == 200
    assert body["didDocument"]["id"] == DID  # type: ignore[index]
    assert "didResolutionMetadata" in body
    assert part["didDocument"]["controller"] == DID  # type: ignore[index]
    assert part["didDocument"]["id"] == METHOD  # type: ignore[index]
    assert "didDereferencingMetadata" in part


@pytest.mark.parametrize(
    ("did", "query", "status", "error"),
    [
        ("notDid:key:z6Mk", {}, 400, "invalidDid"),
        ("did:key:@", {}, 400, "invalidDid"),
        (f"did:key:-4:{DID[8:]}", {}, 400, "invalidDid"),
        (f"did:key:{DID[9:]}", {}, 400, "invalidDid"),
        (f"did:experimental:{DID[8:]}", {}, 501, "methodNotSupported"),
        (SHORT, {}, 400, "invalidPublicKeyLength"),
        (OFF_CURVE, {}, 400, "invalidPublicKey"),
        (DID, {"publicKeyFormat": "unknown"}, 400, "unsupportedPublicKeyType"),
        ("did:web:..", {}, 400, "invalidDid"),
        ("did:web:nobody.example", {}, 404, "notFound"),
        ("did:jwk:e30", {}, 400, "invalidDid"),
    ],
)
def test_what_does_not_resolve_has_the_specifications_name_for_it(
    service: Service, did: str, query: dict[str, str], status: int, error: str
) -> None:
    found, body = resolve(service, did, **query)

    assert body["didResolutionMetadata"]["error"] == error  # type: ignore[index]
    assert (found, body["didDocument"]) == (status, {})


@pytest.mark.parametrize(
    ("url", "query", "error"),
    [
        (f"{DID}/^bar^/?query=`#x", {}, "invalidDidUrl"),
        (METHOD, {"publicKeyFormat": "Ed25519VerificationKey2018"}, "invalidPublicKeyType"),
        (f"{DID}#other", {}, "notFound"),
        (f"{DID}/path", {}, "notFound"),
    ],
)
def test_what_is_not_dereferenced_says_so_in_its_own_metadata(
    service: Service, url: str, query: dict[str, str], error: str
) -> None:
    status, body = resolve(service, url, **query)

    assert 400 <= status < 500
    assert body["didDereferencingMetadata"]["error"] == error  # type: ignore[index]


def test_our_own_did_web_is_answered_from_our_records(service: Service) -> None:
    organization = service.world.organization()

    status, body = resolve(service, organization.did)

    assert status == 200
    document = service.http.get(f"/o/{organization.slug}/did.json").json()
    assert body["didDocument"] == document


def test_the_key_comes_in_the_form_that_was_asked_for(service: Service) -> None:
    for form in ("Multikey", "JsonWebKey2020", "Ed25519VerificationKey2020"):
        _, body = resolve(service, DID, publicKeyFormat=form)
        assert body["didDocument"]["verificationMethod"][0]["type"] == form  # type: ignore[index]
    _, derived = resolve(service, DID, enableEncryptionKeyDerivation="true")
    assert "keyAgreement" in derived["didDocument"]  # type: ignore[operator]
