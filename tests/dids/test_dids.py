"""did:web and did:key: exact grammar, documents, and the key of a verification method."""

from typing import Any

import pytest

from kpass_vc.crypto.jose import thumbprint, to_jwk
from kpass_vc.crypto.keys import ORGANIZATION_KEYS
from kpass_vc.dids import DID_METHODS, check_did, method_of, public_key
from kpass_vc.dids.web import did_document, verification_method_id
from kpass_vc.errors import KeyRefused, Malformed
from kpass_vc.model.did import VerificationMethod, find_method, method_ids
from tests.malformed_dids import MALFORMED
from tests.sample import sample

DID = "did:web:mikromerit.example:o:sobona"
WEB = DID_METHODS["web"]
KEY = DID_METHODS["key"]


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:example.org", "https://example.org/.well-known/did.json"),
        ("did:web:example.org:o:sobona", "https://example.org/o/sobona/did.json"),
        ("did:web:localhost%3A8000:o:sobona", "https://localhost:8000/o/sobona/did.json"),
        ("did:web:xn--sknt-hra.example:a_b-c.d", "https://xn--sknt-hra.example/a_b-c.d/did.json"),
        ("did:web:a.b.c.d.example:1", "https://a.b.c.d.example/1/did.json"),
    ],
)
def test_a_did_web_names_one_address(did: str, url: str) -> None:
    assert method_of(did).address(did) == url


@pytest.mark.parametrize("rest", MALFORMED)
def test_a_did_web_outside_its_grammar_is_refused(rest: str) -> None:
    did = f"did:web:{rest}"

    with pytest.raises(Malformed):
        method_of(did).address(did)
    with pytest.raises(Malformed):
        check_did(did)


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did",
        "did:",
        "did:web",
        "DID:web:example.org",
        "did:Web:example.org",
        "did:web:example.org ",
        "urn:uuid:1",
        "https://example.org",
        "did::x",
        "did:key:",
    ],
)
def test_what_is_no_did_is_refused(did: str) -> None:
    with pytest.raises(Malformed) as caught:
        method_of(did)

    assert caught.value.rule in {"did", "did_method"}


def test_a_did_of_a_method_we_do_not_resolve_is_a_did_all_the_same() -> None:
    check_did("did:ebsi:z25a23eWUxQQzmAgnD9srpMM")

    with pytest.raises(Malformed) as caught:
        method_of("did:ebsi:z25a23eWUxQQzmAgnD9srpMM")
    assert caught.value.rule == "did_method"


def test_a_fetched_document_must_be_that_of_the_did() -> None:
    assert WEB.document(DID, {"id": DID}) == {"id": DID}

    for fetched in (None, {}, {"id": DID + "x"}, {"id": [DID]}, {"id": DID.upper()}):
        with pytest.raises(Malformed) as caught:
            WEB.document(DID, fetched)  # type: ignore[arg-type]
        assert caught.value.rule == "did_document_id"


def test_an_own_document_has_the_form_that_foreign_verifiers_take() -> None:
    made = sample()
    ed, p256 = made.signing.signer.public_key, made.jwt_signing.signer.public_key

    document: Any = did_document(DID, [ed, p256])

    assert document["@context"] == [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/multikey/v1",
    ]
    assert document["id"] == DID
    first, second = document["verificationMethod"]
    assert first == {
        "id": f"{DID}#{ed.multikey()}",
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": ed.multikey(),
    }
    assert second["id"] == f"{DID}#{thumbprint(p256)}"
    assert second["type"] == "JsonWebKey"
    assert second["publicKeyJwk"].items() >= to_jwk(p256).items()
    assert "d" not in second["publicKeyJwk"]
    assert document["assertionMethod"] == [first["id"], second["id"]]
    for key in (ed, p256):
        method = find_method(document, verification_method_id(DID, key), "assertionMethod")
        assert public_key(method) == key
        assert method.controller == DID


def test_a_did_key_is_its_own_document_for_both_kinds_of_key() -> None:
    made = sample()

    for key in (made.signing.signer.public_key, made.jwt_signing.signer.public_key):
        did = f"did:key:{key.multikey()}"
        document = KEY.document(did, None)
        method = find_method(document, f"{did}#{key.multikey()}", "assertionMethod")
        assert method_of(did).address(did) is None
        assert public_key(method) == key


@pytest.mark.parametrize(
    "did",
    [
        "did:key:z6Mk",
        "did:key:u7QEB",
        "did:key:" + "z" * 5000,
    ],
)
def test_a_did_key_with_a_key_we_do_not_take_is_refused(did: str) -> None:
    with pytest.raises(Malformed) as caught:
        method_of(did).address(did)

    assert caught.value.rule == "did_key"


def document_with(**members: object) -> dict[str, object]:
    key = sample().signing.signer.public_key
    return did_document(DID, [key]) | members


def method_id() -> str:
    return verification_method_id(DID, sample().signing.signer.public_key)


def test_a_key_counts_only_under_the_relationship_asked_for() -> None:
    method = method_id()
    wrong: list[object] = [[], ["did:web:x#y"], {}, None, [None], [5]]

    for listed in wrong:
        with pytest.raises(Malformed) as caught:
            find_method(document_with(assertionMethod=listed), method, "assertionMethod")
        assert caught.value.rule == "not_for_assertion"
    with pytest.raises(Malformed) as other:
        find_method(
            document_with(authentication=[method], assertionMethod=[]), method, "assertionMethod"
        )
    assert other.value.rule == "not_for_assertion"
    assert find_method(document_with(), method, "assertionMethod").id == method


def test_a_key_that_is_not_there_or_there_twice_is_refused() -> None:
    method = method_id()
    found = document_with()["verificationMethod"]
    assert isinstance(found, list)

    for methods, rule in (
        ([], "no_such_key"),
        ([method], "no_such_key"),
        ([None, 5, []], "no_such_key"),
        (found * 2, "broken_key"),
        ([{**found[0], "type": 5}], "broken_key"),
        ([{**found[0], "controller": [DID]}], "broken_key"),
    ):
        with pytest.raises(Malformed) as caught:
            find_method(document_with(verificationMethod=methods), method, "assertionMethod")
        assert caught.value.rule == rule


def test_relative_ids_and_embedded_methods_are_understood() -> None:
    method = method_id()
    found = document_with()["verificationMethod"]
    assert isinstance(found, list)
    fragment = f"#{method.partition('#')[2]}"
    relative = document_with(
        verificationMethod=[{**found[0], "id": fragment}], assertionMethod=[fragment]
    )
    embedded = document_with(verificationMethod=[], assertionMethod=found)

    for document in (relative, embedded):
        assert find_method(document, method, "assertionMethod").id == method
        assert method_ids(document, "assertionMethod") == [method]


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("JsonWebKey", {"publicKeyMultibase": "KEY"}),
        ("Multikey", {"publicKeyJwk": {}}),
        ("Multikey", {}),
        ("Multikey", {"publicKeyMultibase": 5}),
        ("JsonWebKey", {"publicKeyJwk": "x"}),
        ("JsonWebKey", {"publicKeyJwk": {}}),
        ("Ed25519VerificationKey2018", {"publicKeyBase58": "x"}),
        ("", {}),
    ],
)
def test_a_method_whose_type_and_members_do_not_fit_has_no_key(
    kind: str, members: dict[str, object]
) -> None:
    with pytest.raises(KeyRefused):
        public_key(VerificationMethod("x", kind, DID, members))


def test_every_kind_of_key_has_a_method_id_that_is_its_own() -> None:
    made = sample()
    ids = {
        key.algorithm: verification_method_id(DID, key)
        for key in (made.signing.signer.public_key, made.jwt_signing.signer.public_key)
    }

    assert set(ids) == set(ORGANIZATION_KEYS)
    assert len(set(ids.values())) == len(ORGANIZATION_KEYS)
