"""What an issuer instance of the VC-API signs, what it refuses, and what its answer looks like."""

from collections.abc import Callable
from typing import Any

import pytest

from kpass_vc.crypto.keys import Algorithm
from tests.api.http import Json, rows
from tests.api.vc_api import (
    DATA_INTEGRITY,
    EXAMPLES,
    OTHER,
    REFUSED,
    V1,
    V2,
    VcApi,
    credential,
    flipped,
    old_credential,
)  # fmt: skip
from tests.world import World

INSTANCES: dict[str, tuple[str, Algorithm]] = {
    "edr": ("eddsa-rdfc-2022", Algorithm.ED25519),
    "edj": ("eddsa-jcs-2022", Algorithm.ED25519),
    "ecr": ("ecdsa-rdfc-2019", Algorithm.P256),
    "ecr384": ("ecdsa-rdfc-2019", Algorithm.P384),
    "ecj": ("ecdsa-jcs-2019", Algorithm.P256),
    "ecj384": ("ecdsa-jcs-2019", Algorithm.P384),
    "sd": ("ecdsa-sd-2023", Algorithm.P256),
    "jwt": ("vc+jwt", Algorithm.P256),
}
PREFIX = {Algorithm.ED25519: "z6Mk", Algorithm.P256: "zDna", Algorithm.P384: "z82L"}
PROVING = [name for name in INSTANCES if name != "jwt"]
VERIFIED = [name for name in INSTANCES if name != "sd"]
# sha256 and sha384 of credentials/v2 as it was published first, in July 2024
FIRST_MULTIBASE = "uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k"
FIRST_SRI = "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg"
OTHERS_SRI = "sha384-" + "A" * 64
MAPPED = {
    name: f"https://terms.example/#{name}"
    for name in ("Extra", "Status", "Schema", "Evidence", "Terms", "Refresh")
}
NOT_A_URL = "https ://not-a-url/1"


@pytest.fixture
def api(world: World) -> VcApi:
    return VcApi.of(world)


def add(api: VcApi, name: str) -> str:
    """The instance of a name; its DID."""
    securing, algorithm = INSTANCES[name]
    return api.add(name, securing, algorithm=algorithm).did


def typed(kind: str, **more: object) -> Json:
    """An object of a type that an inline context defines."""
    return {"type": kind} | more


def with_terms(**changes: object) -> dict[str, object]:
    return {"@context": [V2, MAPPED]} | changes


ACCEPTED: dict[str, dict[str, object]] = {
    "a subject with an id alone": {},
    "several subjects": {"credentialSubject": [{"id": "did:example:a"}, {"id": "did:example:b"}]},
    "an id": {"id": "urn:uuid:6a1676b8-b51f-11ed-937b-d76685a20ff5"},
    "an issuer with texts in several languages": {
        "issuer": {
            "name": [{"@value": "Stadsnät", "@language": "sv"}, {"@value": "City network"}],
            "description": "A network.",
        }
    },
    "that it has run out": {"validUntil": "2023-01-01T00:00:00Z"},
    "milliseconds": {"validFrom": "2023-01-01T00:00:00.123Z"},
    "another time zone": {"validFrom": "2023-01-01T00:00:00-06:00"},
    "a further type by its IRI": {"type": ["VerifiableCredential", "https://terms.example/#T"]},
    "a further type before its own": {"type": ["https://terms.example/#T", "VerifiableCredential"]},
    "a further type that it defines": with_terms(type=["VerifiableCredential", "Extra"]),
    "a status of a type that it defines": with_terms(
        credentialStatus=typed("Status", id="https://status.example/1")
    ),
    "a status without an id": with_terms(credentialStatus=typed("Status")),
    "several statuses": with_terms(credentialStatus=[typed("Status"), typed("Status")]),
    "a schema of a type that it defines": with_terms(
        credentialSchema=typed("Schema", id="https://schema.example/1")
    ),
    "evidence of a type that it defines": with_terms(evidence=[typed("Evidence")]),
    "terms of use of a type that it defines": with_terms(termsOfUse=typed("Terms")),
    "a refresh service of a type that it defines": with_terms(
        refreshService=typed("Refresh", id="https://refresh.example/1")
    ),
    "a resource with the digest of its first publication": {
        "relatedResource": {"id": V2, "digestSRI": FIRST_SRI}
    },
    "resources with a digest in multibase": {
        "relatedResource": [{"id": V2, "digestMultibase": FIRST_MULTIBASE}]
    },
    "a name and a description": {"name": "Bevis", "description": "Ett bevis."},
    "a name with a language": {"name": {"@value": "Bevis", "@language": "sv"}},
    "a name with a direction": {
        "name": {"@value": "دليل", "@language": "ar", "@direction": "rtl"}
    },
    "names in several languages": {
        "name": [{"@value": "Bevis", "@language": "sv"}, {"@value": "Proof", "@language": "en"}]
    },
    "a context that takes any term": {
        "@context": [V2, EXAMPLES], "credentialSubject": {"id": "did:example:a", "degree": "BSc"},
    },
    "a context in a context": {
        "@context": [V2, {"@context": {"degree": "https://terms.example/#degree"}}],
        "credentialSubject": {"id": "did:example:a", "degree": "BSc"},
    },
}  # fmt: skip
REJECTED: dict[str, dict[str, object]] = {
    "no type": {"type": None},
    "another type alone": {"type": ["https://terms.example/#T"]},
    "an empty list of types": {"type": []},
    "a type that nothing defines": {
        "@context": [V2, {"@vocab": None}], "type": ["VerifiableCredential", "Unknown"],
    },
    "a type that is defined as no URL": {
        "@context": [V2, {"Extra": "https ://not-a-url#Extra"}],
        "type": ["VerifiableCredential", "Extra"],
    },
    "a context that is no URL": {"@context": [V2, NOT_A_URL]},
    "a context that is a number": {"@context": [V2, 8]},
    "a context that is not known": {"@context": [V2, "https://terms.example/v1"]},
    "no context": {"@context": None},
    "another context alone": {"@context": [EXAMPLES]},
    "the base context second": {"@context": [EXAMPLES, V2]},
    "a context that changes what VerifiableCredential means": {
        "@context": [V2, {"VerifiableCredential": "https://terms.example/#VC"}]
    },
    "a context that changes a protected term of another": {
        "@context": [
            V2,
            {"@protected": True, "degree": "https://terms.example/#degree"},
            {"degree": "https://terms.example/#other"},
        ],
        "credentialSubject": {"id": "did:example:a", "degree": "BSc"},
    },
    "several ids": {"id": ["https://a.example/1", "https://a.example/2"]},
    "an id that is no URL": {"id": NOT_A_URL},
    "a subject with several ids": {"credentialSubject": {"id": ["did:example:a", "did:example:b"]}},
    "no subject": {"credentialSubject": None},
    "an empty subject": {"credentialSubject": {}},
    "an empty subject among others": {"credentialSubject": [{"id": "did:example:a"}, {}]},
    "an empty list of subjects": {"credentialSubject": []},
    "an issuer that is no URL": {"issuer": "fake-issuer"},
    "an issuer whose id is no URL": {"issuer": {"id": "fake-issuer"}},
    "an issuer whose id is null": {"issuer": {"id": None}},
    "another issuer": {"issuer": OTHER},
    "another issuer as an object": {"issuer": {"id": OTHER}},
    "no issuer": {"issuer": None},
    "a status without a type": {"credentialStatus": {"id": "https://status.example/1"}},
    "a status whose type is a number": {"credentialStatus": typed(2)},  # type: ignore[arg-type]
    "a status with several ids": with_terms(
        credentialStatus=typed("Status", id=["https://a.example/1", "https://a.example/2"])
    ),
    "a status whose id is no URL": with_terms(credentialStatus=typed("Status", id=NOT_A_URL)),
    "a schema without an id": with_terms(credentialSchema=typed("Schema")),
    "a schema without a type": {"credentialSchema": {"id": "https://schema.example/1"}},
    "a schema whose id is no URL": with_terms(credentialSchema=typed("Schema", id="schema")),
    "empty terms of use": {"termsOfUse": {}},
    "terms of use without a type": {"termsOfUse": {"id": "https://terms.example/1"}},
    "empty evidence": {"evidence": {}},
    "evidence without a type": {"evidence": [{"id": "https://evidence.example/1"}]},
    "an empty refresh service": {"refreshService": {}},
    "a refresh service without a type": {"refreshService": {"id": "https://refresh.example/1"}},
    "a day where a moment belongs": {"validFrom": "2023-01-01"},
    "a moment without a time zone": {"validUntil": "2023-01-01T00:00:00"},
    "an end before its beginning": {
        "validFrom": "2024-01-01T00:00:00Z", "validUntil": "2023-01-01T00:00:00Z",
    },
    "a name with a further member": {"name": {"@value": "Bevis", "url": "https://a.example/"}},
    "a description with a further member": {
        "description": [{"@value": "Bevis", "@language": "sv", "url": "https://a.example/"}]
    },
    "an issuer's name with a further member": {
        "issuer": {"name": {"@value": "Stadsnät", "url": "https://a.example/"}}
    },
    "an issuer's description with a further member": {
        "issuer": {"description": {"@value": "Ett nät", "url": "https://a.example/"}}
    },
    "resources that are texts": {"relatedResource": [V2]},
    "a resource without an id": {"relatedResource": {"digestSRI": FIRST_SRI}},
    "a resource twice": {
        "relatedResource": [{"id": V2, "digestSRI": FIRST_SRI}, {"id": V2, "digestSRI": FIRST_SRI}]
    },
    "a resource without a digest": {"relatedResource": {"id": V2}},
    "a resource with another digest": {"relatedResource": {"id": V2, "digestSRI": OTHERS_SRI}},
    "a member that nothing defines": {
        "statusEntry": {"type": "BitstringStatusListEntry", "statusListIndex": True}
    },
    "a member of the subject that nothing defines": {
        "credentialSubject": {"id": "did:example:a", "degree": "BSc"}
    },
    "a proof": {"proof": {"type": "DataIntegrityProof"}},
    "a number with a fraction": {
        "@context": [V2, EXAMPLES], "credentialSubject": {"id": "did:example:a", "grade": 4.5},
    },
}  # fmt: skip


def wanted(did: str, changes: dict[str, object]) -> Json:
    """A credential of an instance with these changes; an issuer without an id gets the instance's."""
    found = credential(did, **changes)
    issuer = changes.get("issuer")
    if isinstance(issuer, dict) and "id" not in issuer:
        found["issuer"] = {"id": did} | issuer
    return found


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_credential_may_have(api: VcApi, name: str) -> None:
    for instance in ("edr", "edj"):
        given = wanted(add(api, instance), ACCEPTED[name])

        found = api.issued(instance, given)

        assert {key: found[key] for key in given} == given


@pytest.mark.parametrize("name", REJECTED)
def test_a_credential_is_refused_for(api: VcApi, name: str) -> None:
    for instance in ("edr", "edj", "jwt"):
        if instance == "jwt" and name == "a number with a fraction":
            continue  # a JWS is over bytes: nobody writes the number anew
        reply = api.issue(instance, wanted(add(api, instance), REJECTED[name]))

        assert reply.status_code in REFUSED, reply.text
        problem = reply.json()
        assert problem["type"]
        assert problem["detail"]
    assert rows(api.world.env)["vc_api_credential"] == 0


@pytest.mark.parametrize("member", ["id", "issuer", "type", "credentialSubject", "@context"])
def test_null_is_refused_and_never_taken_for_absent(api: VcApi, member: str) -> None:
    did = add(api, "edr")

    reply = api.issue("edr", credential(did) | {member: None})

    assert reply.status_code in REFUSED


def test_what_is_wrong_is_named_by_its_place(api: VcApi) -> None:
    did = add(api, "edr")

    reply = api.issue("edr", credential(did, validFrom="yesterday", credentialSubject={}))

    assert reply.status_code == 422
    found = {entry["field"]: entry["rule"] for entry in reply.json()["errors"]}
    assert found == {"/validFrom": "date_time", "/credentialSubject": "empty"}


OTHERWISE: dict[str, tuple[object, ...]] = {
    "@context": (None, 4, {"foo": True}, False),
    "type": (None, 4, True, [], "Other"),
    "issuer": (None, True, 4, []),
    "credentialSubject": (None, True, 4, [], "did:example:amina"),
}
OLD_REJECTED: dict[str, dict[str, Any]] = {
    **{
        f"{member} {value!r}": {member: value}
        for member, values in OTHERWISE.items()
        for value in values
    },
    "no issuanceDate": {"issuanceDate": None},
    "an issuanceDate that is no moment": {"issuanceDate": "2024"},
    "an expirationDate before it": {"expirationDate": "2020-01-01T00:00:00Z"},
    "a type that nothing defines": {"type": ["VerifiableCredential", "InvalidType"]},
    "a member that nothing defines": {"invalidTerm": "x"},
}


@pytest.mark.parametrize("name", OLD_REJECTED)
def test_a_credential_of_version_1_1_is_refused_for(api: VcApi, name: str) -> None:
    did = add(api, "edr")

    reply = api.issue("edr", old_credential(did, **OLD_REJECTED[name]))
    nulled = api.issue("edr", old_credential(did) | OLD_REJECTED[name])

    assert reply.status_code in REFUSED, reply.text
    assert nulled.status_code in REFUSED, nulled.text


@pytest.mark.parametrize("name", PROVING)
def test_a_credential_of_version_1_1_gets_the_context_that_defines_its_proof(
    api: VcApi, name: str
) -> None:
    given = old_credential(
        add(api, name),
        id="urn:uuid:6a1676b8-b51f-11ed-937b-d76685a20ff5",
        expirationDate="2099-01-01T00:00:00Z",
    )

    found = api.issued(name, given)

    assert found["@context"] == [V1, DATA_INTEGRITY]
    assert {key: found[key] for key in given if key != "@context"} == {
        key: value for key, value in given.items() if key != "@context"
    }


def test_a_credential_of_version_1_1_is_not_put_in_an_envelope(api: VcApi) -> None:
    did = add(api, "jwt")

    reply = api.issue("jwt", old_credential(did))

    assert reply.status_code == 422
    assert reply.json()["errors"][0]["rule"] == "base_context"


@pytest.mark.parametrize("name", PROVING)
def test_a_proof_is_made_by_the_suite_and_the_key_of_its_instance(api: VcApi, name: str) -> None:
    did = add(api, name)

    found = api.issued(name, credential(did))["proof"]

    securing, algorithm = INSTANCES[name]
    multikey = did.removeprefix("did:key:")
    assert multikey.startswith(PREFIX[algorithm])
    assert found["verificationMethod"] == f"{did}#{multikey}"
    assert (found["type"], found["cryptosuite"]) == ("DataIntegrityProof", securing)
    assert found["proofPurpose"] == "assertionMethod"
    assert found["proofValue"][0] == ("u" if securing == "ecdsa-sd-2023" else "z")
    assert ("@context" in found) == ("jcs" in securing)


@pytest.mark.parametrize("name", VERIFIED)
@pytest.mark.parametrize("version", [credential, old_credential])
def test_what_an_instance_signs_verifies_and_with_a_change_does_not(
    api: VcApi, name: str, version: Callable[..., Json]
) -> None:
    did = add(api, name)
    if name == "jwt" and version is old_credential:
        return
    found = api.issued(name, version(did))
    broken = dict(found)
    if name == "jwt":
        broken["id"] = flipped(found["id"])
    else:
        broken["proof"] = found["proof"] | {"proofValue": flipped(found["proof"]["proofValue"])}
        shortened = {"proofValue": found["proof"]["proofValue"][:-1]}

        truncated = api.verify(found | {"proof": found["proof"] | shortened})

        assert truncated.status_code in REFUSED
    assert api.verify(found).status_code == 200
    assert api.verify(broken).status_code in REFUSED
    changed = found | {"credentialSubject": {"id": "did:example:other"}}
    assert api.verify(changed).status_code in REFUSED


def test_an_envelope_holds_a_jwt_under_the_context_and_type_of_envelopes(api: VcApi) -> None:
    did = add(api, "jwt")

    found = api.issued("jwt", credential(did))

    assert found.keys() == {"@context", "id", "type"}
    assert found["@context"] in (V2, [V2])
    assert found["type"] == "EnvelopedVerifiableCredential"
    assert found["id"].startswith("data:application/vc+jwt,ey")


def test_the_answer_is_json_and_says_created_and_is_kept_by_nobody(api: VcApi) -> None:
    did = add(api, "edr")

    made = api.issue("edr", credential(did))
    refused = api.issue("edr", {})

    assert made.status_code == 201
    assert made.json().keys() == {"verifiableCredential"}
    assert "json" in made.headers["Content-Type"]
    assert "json" in refused.headers["Content-Type"]
    assert made.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"credential": null}',
        b'{"credential": "x"}',
        b'{"credential": {}, "credential": {}}',
        b'{"credential": [{}]}',
        b'{"credential": {}, "options": []}',
    ],
)
def test_a_body_without_a_credential_is_refused(api: VcApi, body: bytes) -> None:
    add(api, "edr")

    reply = api.http.post("/issuers/edr/credentials/issue", content=body)

    assert reply.status_code in REFUSED
    assert reply.json()["type"]


def test_options_that_are_not_known_here_are_let_be(api: VcApi) -> None:
    did = add(api, "edr")

    reply = api.issue("edr", credential(did), type="Ed25519Signature2020", checks=["proof"], x={})

    assert reply.status_code == 201


def test_a_document_that_takes_too_long_to_read_is_refused(api: VcApi) -> None:
    did = add(api, "edr")
    many = {"id": "did:example:a", "degree": [str(number) for number in range(201)]}

    reply = api.issue(
        "edr", credential(did, **{"@context": [V2, EXAMPLES]}, credentialSubject=many)
    )

    assert reply.status_code == 400
    assert reply.json()["rule"] == "items"


def test_the_personal_numbers_of_a_foreign_system_are_its_own_business(api: VcApi) -> None:
    did = add(api, "edr")
    subject = {"id": "did:example:a", "name": "811218-9876"}

    found = api.issued("edr", credential(did, credentialSubject=subject))

    assert found["credentialSubject"] == subject
    with api.world.env.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM vc_api_credential").all()
    assert "9876" not in str(kept)


def test_what_is_signed_is_on_record_without_what_it_says(api: VcApi) -> None:
    did = add(api, "edr")

    api.issued("edr", credential(did, id="urn:uuid:1"))
    api.issued("edr", credential(did))

    assert rows(api.world.env)["vc_api_credential"] == 2
    with api.world.env.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM vc_api_credential").all()
        entries = connection.exec_driver_sql(
            "SELECT actor, action FROM audit_entry WHERE action LIKE 'vc_api_credential%%'"
        ).all()
    assert "amina" not in str(kept)
    assert [tuple(entry) for entry in entries] == [("anybody", "vc_api_credential.issued")] * 2


def test_the_pointers_of_a_selective_instance_are_in_every_derived_credential(api: VcApi) -> None:
    did = add(api, "sd")
    subject = {"id": "did:example:a", "name": "Amina", "description": "Svetsare"}
    given = credential(did, credentialSubject=subject)

    base = api.issued("sd", given, mandatoryPointers=["/issuer", "/credentialSubject/name"])
    derived = api.http.post(
        "/credentials/derive",
        json={
            "verifiableCredential": base,
            "options": {"selectivePointers": ["/credentialSubject/id"]},
        },
    )

    assert derived.status_code == 201
    shown = derived.json()["verifiableCredential"]
    assert shown["credentialSubject"] == {"id": "did:example:a", "name": "Amina"}
    assert api.verify(shown).status_code == 200
    assert api.verify(base).status_code in REFUSED


@pytest.mark.parametrize(
    "pointers",
    ["/issuer", [4], ["issuer"], ["/credentialSubject/nothing"], ["/a"] * 201, {"a": 1}, None],
)
def test_pointers_that_are_none_or_lead_nowhere_are_refused(api: VcApi, pointers: object) -> None:
    did = add(api, "sd")

    reply = api.issue("sd", credential(did), mandatoryPointers=pointers)

    assert reply.status_code in REFUSED
    assert rows(api.world.env)["vc_api_credential"] == 0
