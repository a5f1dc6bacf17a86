"""The rules of the data model, 1.1 and 2.0: what is taken, and the member that each refusal names."""

from typing import Any

import pytest

from kpass_vc.errors import InvalidInput
from kpass_vc.model.vcdm import check_credential, check_presentation, version_of
from kpass_vc.resources import contexts

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
ABSENT = object()
NO_URL = "https ://not-a-url/1"
URL = "https://a.example/1"
KNOWN_BEFORE = "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg"
WRONG = "sha384-" + "A" * 64

Json = dict[str, Any]


def credential(**changes: object) -> Json:
    found: Json = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "credentialSubject": {"id": "did:example:amina"},
    }
    return {name: value for name, value in (found | changes).items() if value is not ABSENT}


def old_credential(**changes: object) -> Json:
    found: Json = {"@context": [V1], "issuanceDate": "2020-03-16T22:37:26.544Z"}
    return credential(**(found | changes))


def presentation(**changes: object) -> Json:
    found: Json = {"@context": [V2], "type": ["VerifiablePresentation"]}
    return {name: value for name, value in (found | changes).items() if value is not ABSENT}


def faults(check: Any, document: Json) -> list[tuple[str, str]]:
    """Pointer and rule of each fault."""
    try:
        check(document, contexts().digest_known) if check is check_credential else check(document)
    except InvalidInput as error:
        return [(fault.field, fault.rule) for fault in error.fields]
    return []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"@context": [V2, EXAMPLES]},
        {"@context": [V2, {"@vocab": None}]},
        {"@context": [V2, "did:example:terms", "urn:example:terms"]},
        {"type": "VerifiableCredential"},
        {"type": ["https://a.example/#Type", "VerifiableCredential"]},
        {"id": "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"},
        {"id": "did:example:credential"},
        {"issuer": {"id": "did:example:issuer"}},
        {"issuer": {"id": URL, "name": "Sobona", "description": "Exempel"}},
        {"credentialSubject": {"name": "Amina"}},
        {"credentialSubject": [{"id": "did:example:a"}, {"id": "did:example:b"}]},
        {"validFrom": "2023-01-01T00:00:00Z"},
        {"validFrom": "2023-01-01T00:00:00.123Z"},
        {"validFrom": "2023-01-01T00:00:00-06:00"},
        {"validUntil": "2023-01-01T00:00:00Z"},
        {"validFrom": "2023-01-01T00:00:00Z", "validUntil": "2023-01-01T00:00:00Z"},
        {"credentialStatus": {"type": "SomeStatus"}},
        {"credentialStatus": {"type": ["SomeStatus"], "id": "urn:uuid:1"}},
        {"credentialStatus": [{"type": "SomeStatus"}, {"type": "OtherStatus"}]},
        {"credentialSchema": {"id": URL, "type": "SomeSchema"}},
        {"credentialSchema": [{"id": URL, "type": "SomeSchema"}] * 2},
        {"termsOfUse": {"type": "SomeTerms"}},
        {"termsOfUse": [{"type": "SomeTerms", "id": URL}]},
        {"evidence": {"type": "SomeEvidence"}},
        {"evidence": [{"type": "SomeEvidence"}] * 2},
        {"refreshService": {"type": "SomeService", "id": URL}},
        {"name": "Bevis"},
        {"name": {"@value": "Bevis", "@language": "sv"}},
        {"name": {"@value": "Bevis", "@language": "sv-SE", "@direction": "ltr"}},
        {"description": [{"@value": "Bevis", "@language": "sv"}, "Credential"]},
        {"issuer": {"id": URL, "name": {"@value": "Sobona", "@direction": "rtl"}}},
        {"relatedResource": {"id": V2, "digestSRI": KNOWN_BEFORE}},
        {"relatedResource": [{"id": V2, "digestSRI": KNOWN_BEFORE}]},
        {"relatedResource": {"id": URL, "digestSRI": WRONG}},
        {
            "relatedResource": {
                "id": V2,
                "digestMultibase": "uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k",
            }
        },
    ],
)
def test_a_credential_of_data_model_2_is_taken_with(changes: Json) -> None:
    assert faults(check_credential, credential(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"@context": ABSENT}, "/@context", "required"),
        ({"@context": None}, "/@context", "type"),
        ({"@context": 4}, "/@context", "type"),
        ({"@context": {"foo": True}}, "/@context", "type"),
        ({"@context": []}, "/@context/0", "base_context"),
        ({"@context": [EXAMPLES]}, "/@context/0", "base_context"),
        ({"@context": [EXAMPLES, V2]}, "/@context/0", "base_context"),
        ({"@context": [V2, NO_URL]}, "/@context/1", "uri"),
        ({"@context": [V2, 8]}, "/@context/1", "type"),
        ({"@context": [V2, None]}, "/@context/1", "type"),
        ({"type": ABSENT}, "/type", "required"),
        ({"type": None}, "/type", "type"),
        ({"type": 4}, "/type", "type"),
        ({"type": []}, "/type", "type"),
        ({"type": ["VerifiableCredential", 4]}, "/type", "type"),
        ({"type": ["NonconformingDocument"]}, "/type", "type_value"),
        ({"type": "SomeCredential"}, "/type", "type_value"),
        ({"id": None}, "/id", "type"),
        ({"id": [URL]}, "/id", "type"),
        ({"id": NO_URL}, "/id", "uri"),
        ({"id": "nothing"}, "/id", "uri"),
        ({"issuer": ABSENT}, "/issuer", "required"),
        ({"issuer": None}, "/issuer", "type"),
        ({"issuer": True}, "/issuer", "type"),
        ({"issuer": 4}, "/issuer", "type"),
        ({"issuer": []}, "/issuer", "type"),
        ({"issuer": "fake-issuer"}, "/issuer", "uri"),
        ({"issuer": {}}, "/issuer/id", "required"),
        ({"issuer": {"id": None}}, "/issuer/id", "type"),
        ({"issuer": {"id": "fake-issuer"}}, "/issuer/id", "uri"),
        ({"issuer": {"id": URL, "name": 4}}, "/issuer/name", "type"),
        ({"credentialSubject": ABSENT}, "/credentialSubject", "required"),
        ({"credentialSubject": None}, "/credentialSubject", "type"),
        ({"credentialSubject": True}, "/credentialSubject", "type"),
        ({"credentialSubject": 4}, "/credentialSubject", "type"),
        ({"credentialSubject": "did:example:amina"}, "/credentialSubject", "type"),
        ({"credentialSubject": []}, "/credentialSubject", "empty"),
        ({"credentialSubject": {}}, "/credentialSubject", "empty"),
        ({"credentialSubject": [{"id": URL}, {}]}, "/credentialSubject/1", "empty"),
        ({"credentialSubject": {"id": [URL]}}, "/credentialSubject/id", "type"),
        ({"validFrom": "2023-01-01"}, "/validFrom", "date_time"),
        ({"validFrom": "2023-01-01T00:00:00"}, "/validFrom", "date_time"),
        ({"validFrom": 4}, "/validFrom", "date_time"),
        ({"validUntil": "soon"}, "/validUntil", "date_time"),
        ({"validUntil": None}, "/validUntil", "date_time"),
        (
            {"validFrom": "2023-01-02T00:00:00Z", "validUntil": "2023-01-01T00:00:00Z"},
            "/validUntil",
            "dates_order",
        ),
        ({"credentialStatus": {}}, "/credentialStatus/type", "required"),
        ({"credentialStatus": {"type": 2}}, "/credentialStatus/type", "type"),
        ({"credentialStatus": {"type": []}}, "/credentialStatus/type", "type"),
        ({"credentialStatus": {"type": "S", "id": [URL]}}, "/credentialStatus/id", "type"),
        ({"credentialStatus": {"type": "S", "id": NO_URL}}, "/credentialStatus/id", "uri"),
        ({"credentialStatus": URL}, "/credentialStatus", "type"),
        ({"credentialStatus": []}, "/credentialStatus", "empty"),
        ({"credentialStatus": [{"type": "S"}, {}]}, "/credentialStatus/1/type", "required"),
        ({"credentialSchema": {"type": "S"}}, "/credentialSchema/id", "required"),
        ({"credentialSchema": {"id": URL}}, "/credentialSchema/type", "required"),
        ({"credentialSchema": {"type": "S", "id": NO_URL}}, "/credentialSchema/id", "uri"),
        ({"termsOfUse": {}}, "/termsOfUse/type", "required"),
        ({"termsOfUse": [{"type": "T"}, {"id": URL}]}, "/termsOfUse/1/type", "required"),
        ({"evidence": {}}, "/evidence/type", "required"),
        ({"evidence": {"id": URL}}, "/evidence/type", "required"),
        ({"refreshService": {}}, "/refreshService/type", "required"),
        ({"refreshService": {"id": URL}}, "/refreshService/type", "required"),
        ({"name": {"@value": "x", "url": URL}}, "/name/url", "unknown_field"),
        ({"name": 4}, "/name", "type"),
        ({"name": {"@language": "sv"}}, "/name/@value", "required"),
        ({"name": {"@value": "x", "@language": "svenska språket"}}, "/name/@language",
         "language_tag"),
        ({"name": {"@value": "x", "@direction": "up"}}, "/name/@direction", "enum"),
        ({"description": [{"@value": "x", "url": URL}]}, "/description/0/url", "unknown_field"),
        (
            {"issuer": {"id": URL, "description": {"@value": "x", "url": URL}}},
            "/issuer/description/url",
            "unknown_field",
        ),
        ({"relatedResource": [V2]}, "/relatedResource/0", "type"),
        ({"relatedResource": [{"digestSRI": WRONG}]}, "/relatedResource/0/id", "required"),
        ({"relatedResource": {"id": NO_URL, "digestSRI": WRONG}}, "/relatedResource/id", "uri"),
        ({"relatedResource": {"id": V2}}, "/relatedResource/digestSRI", "required"),
        ({"relatedResource": {"id": V2, "digestSRI": WRONG}}, "/relatedResource/digestSRI",
         "digest"),
        (
            {"relatedResource": {"id": V2, "digestMultibase": "uJKGM"}},
            "/relatedResource/digestMultibase",
            "digest",
        ),
        (
            {"relatedResource": [{"id": URL, "digestSRI": WRONG}] * 2},
            "/relatedResource/1/id",
            "unique",
        ),
    ],
)  # fmt: skip
def test_a_credential_of_data_model_2_is_refused_by_its_member_for(
    changes: Json, place: str, rule: str
) -> None:
    assert faults(check_credential, credential(**changes)) == [(place, rule)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"expirationDate": "2030-01-01T00:00:00Z"},
        {"issuanceDate": "2020-03-16T22:37:26-06:00"},
        {"name": {"anything": "is not yet a term of its own"}},
        {"credentialSchema": {"id": URL, "type": "SomeSchema"}},
    ],
)
def test_a_credential_of_data_model_1_is_taken_with(changes: Json) -> None:
    assert faults(check_credential, old_credential(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"issuanceDate": ABSENT}, "/issuanceDate", "required"),
        ({"issuanceDate": "yesterday"}, "/issuanceDate", "date_time"),
        ({"expirationDate": 4}, "/expirationDate", "date_time"),
        ({"expirationDate": "2019-01-01T00:00:00Z"}, "/expirationDate", "dates_order"),
        ({"validUntil": "soon"}, "/validUntil", "date_time"),
        ({"type": []}, "/type", "type"),
        ({"issuer": 4}, "/issuer", "type"),
        ({"credentialSubject": {}}, "/credentialSubject", "empty"),
        ({"credentialStatus": {"id": URL}}, "/credentialStatus/type", "required"),
    ],
)
def test_a_credential_of_data_model_1_is_refused_by_its_member_for(
    changes: Json, place: str, rule: str
) -> None:
    assert faults(check_credential, old_credential(**changes)) == [(place, rule)]


def test_every_fault_is_named_and_no_more_than_twenty() -> None:
    two = credential(issuer=None, credentialSubject={})
    many = credential(credentialSubject=[{}] * 50)

    assert faults(check_credential, two) == [("/issuer", "type"), ("/credentialSubject", "empty")]
    assert len(faults(check_credential, many)) == 20


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"@context": [V1]},
        {"id": "urn:uuid:1"},
        {"type": "VerifiablePresentation"},
        {"type": ["VerifiablePresentation", "SomePresentation"]},
        {"holder": "did:example:amina"},
        {"holder": {"id": "did:example:amina"}},
        {"verifiableCredential": {"type": ["VerifiableCredential"]}},
        {"verifiableCredential": [{"type": "EnvelopedVerifiableCredential"}]},
        {"verifiableCredential": []},
        {"@context": [V1], "verifiableCredential": ["ey.a.b"]},
    ],
)
def test_a_presentation_is_taken_with(changes: Json) -> None:
    assert faults(check_presentation, presentation(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"@context": ABSENT}, "/@context", "required"),
        ({"@context": [EXAMPLES, V2]}, "/@context/0", "base_context"),
        ({"@context": [V2, NO_URL]}, "/@context/1", "uri"),
        ({"@context": [V2, 8]}, "/@context/1", "type"),
        ({"type": ABSENT}, "/type", "required"),
        ({"type": ["NonconformingDocument"]}, "/type", "type_value"),
        ({"type": ["VerifiableCredential"]}, "/type", "type_value"),
        ({"id": 4}, "/id", "type"),
        ({"holder": 4}, "/holder", "type"),
        ({"holder": "nobody"}, "/holder", "uri"),
        ({"holder": {}}, "/holder/id", "required"),
        ({"termsOfUse": {}}, "/termsOfUse/type", "required"),
        ({"verifiableCredential": ["ey.a.b"]}, "/verifiableCredential/0", "type"),
        ({"verifiableCredential": [{}]}, "/verifiableCredential/0", "type"),
        ({"verifiableCredential": 4}, "/verifiableCredential", "type"),
    ],
)
def test_a_presentation_is_refused_by_its_member_for(changes: Json, place: str, rule: str) -> None:
    assert faults(check_presentation, presentation(**changes)) == [(place, rule)]


def test_the_first_context_alone_tells_the_data_model() -> None:
    assert version_of({"@context": [V1, V2]}) == 1
    assert version_of({"@context": V2}) == 2
    assert version_of({"@context": [{}, V2]}) is None
    assert version_of({}) is None
