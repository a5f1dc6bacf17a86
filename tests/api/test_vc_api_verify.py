"""What the VC-API verifies and refuses, by the standards alone: credentials, presentations, derived credentials."""

import json
from datetime import timedelta
from typing import Any

import pytest

from kpass_vc.api.verifications import EXAMPLE
from kpass_vc.crypto.jose import sign_compact
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from tests.api.http import Json, rows
from tests.api.vc_api import (
    ASKED,
    DATA_INTEGRITY,
    EXAMPLES,
    OTHER,
    REFUSED,
    V1,
    V2,
    Person,
    VcApi,
    credential,
    flipped,
    old_credential,
)  # fmt: skip
from tests.world import World

ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
SUITES = {
    "eddsa-rdfc-2022": Algorithm.ED25519,
    "eddsa-jcs-2022": Algorithm.ED25519,
    "ecdsa-rdfc-2019": Algorithm.P256,
    "ecdsa-jcs-2019": Algorithm.P384,
}
ABSENT = object()


@pytest.fixture
def api(world: World) -> VcApi:
    return VcApi.of(world)


@pytest.fixture
def person(world: World) -> Person:
    return Person.of(world.clock())


def changed(document: Json, **changes: object) -> Json:
    """The document with other members; those that are ABSENT are gone."""
    return {name: value for name, value in (document | changes).items() if value is not ABSENT}


def with_proof(document: Json, **changes: object) -> Json:
    return document | {"proof": changed(document["proof"], **changes)}


def kinds(reply: Any) -> set[str]:
    """The last parts of the problem types."""
    return {problem["type"].rpartition("#")[2] for problem in reply.json()["problemDetails"]}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("issuer", ["https://vc.example/issuers/5678", OTHER])
def test_a_credential_that_another_than_its_issuer_signed_verifies(
    api: VcApi, suite: str, issuer: str
) -> None:
    person = Person.of(api.world.clock(), algorithm=SUITES[suite])

    for version in (credential, old_credential):
        assert api.verify(person.sign(version(issuer), suite)).status_code == 200


def test_what_verifies_by_the_standards_is_not_therefore_a_badge(
    api: VcApi, person: Person
) -> None:
    signed = person.sign(credential(OTHER))

    report = api.http.post("/v1/verifications", json=signed).json()

    assert api.verify(signed).status_code == 200
    assert report["verdict"] == "refused"


def test_an_ed25519_signature_2020_verifies(api: VcApi, person: Person) -> None:
    contexts = [V2, ED25519_2020, EXAMPLES]
    given = credential("https://vc.example/issuers/5678", **{"@context": contexts}, alumniOf="KTH")

    signed = person.sign(given, "Ed25519Signature2020")

    assert signed["proof"]["type"] == "Ed25519Signature2020"
    assert api.verify(signed).status_code == 200
    assert api.verify(signed | {"alumniOf": "LTH"}).status_code in REFUSED
    for member in ("created", "verificationMethod", "proofValue", "proofPurpose", "type"):
        for value in (ABSENT, None, 4, {}):
            reply = api.verify(with_proof(signed, **{member: value}))
            assert reply.status_code in REFUSED, (member, value)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": ABSENT},
        {"type": "UnknownProofType"},
        {"cryptosuite": "unknown-suite"},
        {"cryptosuite": ABSENT},
        {"verificationMethod": ABSENT},
        {"verificationMethod": "did:key:z6Mk#z6Mk"},
        {"proofPurpose": ABSENT},
        {"proofPurpose": "invalidPurpose"},
        {"proofPurpose": "authentication"},
        {"proofValue": ABSENT},
        {"proofValue": None},
        {"proofValue": 4},
        {"created": "yesterday"},
        {"expires": "2020-01-01T00:00:00Z"},
        {"invalidTerm": "x"},
    ],
)
def test_a_proof_is_refused_for(api: VcApi, person: Person, changes: dict[str, object]) -> None:
    signed = person.sign(old_credential(person.did))

    reply = api.verify(with_proof(signed, **changes))

    assert api.verify(signed).status_code == 200
    assert reply.status_code in REFUSED
    assert reply.json()["verified"] is False


def test_a_proof_value_is_refused_without_its_prefix_shortened_or_changed(api: VcApi) -> None:
    for suite, algorithm in SUITES.items():
        signer = Person.of(api.world.clock(), algorithm=algorithm)
        signed = signer.sign(credential(signer.did), suite)
        value = str(signed["proof"]["proofValue"])

        for other in (value[1:], value[:-1], flipped(value), f"m{value[1:]}", "z", ""):
            reply = api.verify(with_proof(signed, proofValue=other))
            assert reply.status_code in REFUSED, (suite, other)


@pytest.mark.parametrize(
    ("suite", "purpose"),
    [("eddsa-rdfc-2022", "authentication"), ("eddsa-jcs-2022", "invalidPurpose")],
)
def test_a_credential_that_was_signed_for_another_purpose_is_refused(
    api: VcApi, person: Person, suite: str, purpose: str
) -> None:
    signed = person.sign(credential(person.did), suite, proofPurpose=purpose)

    reply = api.verify(signed)

    assert reply.status_code in REFUSED
    assert "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD" in kinds(reply)


@pytest.mark.parametrize(
    "changes",
    [
        {"proof": ABSENT},
        {"proof": None},
        {"proof": []},
        {"proof": {}},
        {"proof": "x"},
        {"@context": ABSENT},
        {"@context": None},
        {"@context": 4},
        {"@context": {"foo": True}},
        {"@context": [EXAMPLES, V2]},
        {"type": ABSENT},
        {"type": None},
        {"type": 4},
        {"type": []},
        {"type": ["NonconformingDocument"]},
        {"type": ["VerifiableCredential", "UndefinedType"]},
        {"issuer": ABSENT},
        {"issuer": None},
        {"issuer": 4},
        {"issuer": []},
        {"credentialSubject": ABSENT},
        {"credentialSubject": None},
        {"credentialSubject": 4},
        {"credentialSubject": []},
        {"credentialSubject": "did:example:amina"},
        {"undefinedTerm": "x"},
        {"@context": [V2, {"@base": "https://a.example/"}]},
    ],
)
def test_a_credential_is_refused_for(
    api: VcApi, person: Person, changes: dict[str, object]
) -> None:
    signed = person.sign(credential(person.did))

    assert api.verify(signed).status_code == 200
    assert api.verify(changed(signed, **changes)).status_code in REFUSED


@pytest.mark.parametrize(
    "changes",
    [{"undefinedTerm": "x"}, {"type": ["VerifiableCredential", "UndefinedType"]}],
)
@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "ecdsa-jcs-2019"])
def test_an_undefined_term_is_refused_also_where_json_itself_was_signed(
    api: VcApi, changes: dict[str, object], suite: str
) -> None:
    signer = Person.of(api.world.clock(), algorithm=SUITES[suite])

    reply = api.verify(signer.sign(credential(signer.did, **changes), suite))

    assert reply.status_code in REFUSED
    assert "DATA_LOSS_DETECTION_ERROR" in kinds(reply)


@pytest.mark.parametrize("route", ["/credentials/verify", "/presentations/verify"])
@pytest.mark.parametrize(
    "value", [None, "x", [], {}, 4, json.dumps(EXAMPLE), {"type": ["NonconformingDocument"]}]
)
def test_nothing_that_is_handed_in_is_answered_but_by_200_or_a_refusal(
    api: VcApi, route: str, value: object
) -> None:
    bodies: tuple[Json, ...]
    for member in ("verifiableCredential", "verifiablePresentation"):
        bodies = ({member: value}, {member: value, "options": {}}, {}, {"options": {}})
        for body in bodies:
            reply = api.http.post(route, json=body)
            assert reply.status_code in REFUSED
            assert "json" in reply.headers["Content-Type"]
            assert reply.json()
    assert api.http.post(route, content=b"\xff").status_code in REFUSED


def test_options_that_are_not_known_here_are_let_be_and_every_check_is_made(api: VcApi) -> None:
    api.world.clock.advance(days=400)

    for options in ({}, {"checks": ["proof"]}, {"checks": ["proof"], "returnCredential": True}):
        assert api.verify(EXAMPLE, **options).status_code == 200
    assert api.http.post("/credentials/verify", json={"verifiableCredential": EXAMPLE}).json() == {
        "verified": True,
        "problemDetails": [],
    }


def test_a_refusal_says_what_failed_in_the_readers_language(api: VcApi, person: Person) -> None:
    signed = person.sign(credential(person.did))
    body = {"verifiableCredential": signed | {"credentialSubject": {"id": "did:example:b"}}}

    reply = api.http.post("/credentials/verify", json=body, headers={"Accept-Language": "sv"})

    assert reply.status_code == 400
    (problem,) = reply.json()["problemDetails"]
    assert problem["type"] == "https://w3id.org/security#PROOF_VERIFICATION_ERROR"
    assert "innehållet" in problem["detail"]


def test_a_credential_is_refused_before_and_after_its_time(api: VcApi, person: Person) -> None:
    now = api.world.clock()
    soon, gone = ((now + timedelta(days=days)).isoformat() for days in (2, -2))

    early = api.verify(person.sign(credential(person.did, validFrom=soon)))
    late = api.verify(person.sign(credential(person.did, validUntil=gone)))

    assert early.status_code in REFUSED
    assert late.status_code in REFUSED
    assert kinds(early) == kinds(late) == {"RANGE_ERROR"}


def test_both_proofs_of_a_set_must_hold(api: VcApi, person: Person) -> None:
    given, other = credential(OTHER), Person.of(api.world.clock(), seed=8)
    proofs = [person.sign(given)["proof"], other.sign(given)["proof"]]

    assert api.verify(given | {"proof": proofs}).status_code == 200
    broken = proofs[1] | {"proofValue": flipped(proofs[1]["proofValue"])}
    for bad in (broken, proofs[1] | {"cryptosuite": "unknown-suite"}):
        assert api.verify(given | {"proof": [proofs[0], bad]}).status_code in REFUSED
        assert api.verify(given | {"proof": [bad, proofs[0]]}).status_code in REFUSED


@pytest.mark.parametrize("as_list", [False, True])
def test_a_chain_verifies_over_the_proof_that_it_builds_on_and_not_without(
    api: VcApi, person: Person, *, as_list: bool
) -> None:
    given, other = old_credential(OTHER), Person.of(api.world.clock(), seed=8)
    name = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"
    first = person.sign(given, id=name)["proof"]
    whole = {**given, "@context": [V1, DATA_INTEGRITY]}
    second = other.sign(whole | {"proof": [first]}, previousProof=[name] if as_list else name)[
        "proof"
    ]
    unbuilt = other.sign(whole, previousProof=name)["proof"]
    broken = first | {"proofValue": flipped(first["proofValue"])}
    nowhere = second | {"previousProof": ["urn:uuid:none"] if as_list else "urn:uuid:none"}

    assert api.verify(whole | {"proof": [first, second]}).status_code == 200
    for proofs in ([second], [first, unbuilt], [broken, second], [first, nowhere]):
        assert api.verify(whole | {"proof": proofs}).status_code in REFUSED


@pytest.mark.parametrize("version", [credential, old_credential])
def test_terms_that_a_document_defines_and_protects_are_signed_and_shown_in_part(
    api: VcApi, version: Any
) -> None:
    did = api.add("sd", "ecdsa-sd-2023").did
    terms = {"@protected": True, "degree": "https://terms.example/#degree"}
    base = V1 if version is old_credential else V2
    subject = {"id": "did:example:amina", "degree": "BSc"}
    given = version(did, **{"@context": [base, terms]}, credentialSubject=subject)
    dated = ["/issuanceDate"] if version is old_credential else []

    signed = api.issued("sd", given, mandatoryPointers=["/issuer", *dated])
    derived = derive(api, signed, "/credentialSubject/degree").json()["verifiableCredential"]

    assert derived["credentialSubject"]["degree"] == "BSc"
    assert api.verify(derived).status_code == 200
    other = derived | {"credentialSubject": derived["credentialSubject"] | {"degree": "PhD"}}
    assert api.verify(other).status_code in REFUSED


def named(did: str) -> Json:
    """A credential about somebody with a name."""
    return credential(did, credentialSubject={"id": "did:example:amina", "name": "Amina"})


def derive(api: VcApi, signed: object, *pointers: object, **options: object) -> Any:
    body = {
        "verifiableCredential": signed,
        "options": {"selectivePointers": list(pointers)} | options,
    }
    return api.http.post("/credentials/derive", json=body)


def test_a_derived_credential_is_made_for_anybody_and_says_created(api: VcApi) -> None:
    did = api.add("sd", "ecdsa-sd-2023").did
    signed = api.issued("sd", named(did), mandatoryPointers=["/issuer"])
    before = rows(api.world.env)

    reply = derive(api, signed, "/credentialSubject/id", unknown=True)

    assert reply.status_code == 201
    assert reply.headers["Cache-Control"] == "no-store"
    assert rows(api.world.env) == before
    assert api.verify(reply.json()["verifiableCredential"]).status_code == 200


def test_a_derived_proof_is_refused_with_other_bytes_in_front_inside_or_behind(api: VcApi) -> None:
    did = api.add("sd", "ecdsa-sd-2023").did
    signed = api.issued("sd", named(did), mandatoryPointers=["/issuer"])
    derived = derive(api, signed, "/credentialSubject/id").json()["verifiableCredential"]
    value = str(derived["proof"]["proofValue"])
    raw = base64url_decode(value[1:])
    others = [
        raw[:-1],
        raw + b"\0",
        b"\xd9\x5d\x00" + raw[3:],
        b"\xd9\x5d\x02" + raw[3:],
        b"\xd9\x5d\x01\xff",
        b"\xd9\x5d\x01\x80",
    ]

    for proof_value in (f"z{value[1:]}", value[1:], *(f"u{base64url_encode(o)}" for o in others)):
        assert api.verify(with_proof(derived, proofValue=proof_value)).status_code in REFUSED


def test_what_cannot_be_derived_is_refused(api: VcApi, person: Person) -> None:
    did = api.add("sd", "ecdsa-sd-2023").did
    signed = api.issued("sd", credential(did), mandatoryPointers=["/issuer"])

    for given, pointer in (
        (signed, "/nothing"),
        (signed, "issuer"),
        (signed, 4),
        (person.sign(credential(person.did)), "/issuer"),
        (credential(did), "/issuer"),
        (with_proof(signed, proofValue="u2V0A"), "/issuer"),
        ("x", "/issuer"),
        (None, "/issuer"),
    ):
        assert derive(api, given, pointer).status_code in REFUSED, (given, pointer)


SHOWN = {
    "nothing": (),
    "a credential": ("did:example:a",),
    "two credentials": ("did:example:a", "did:example:b"),
}


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("holder", ["text", "object", "none"])
def test_a_presentation_verifies_that_shows(
    api: VcApi, person: Person, name: str, holder: str
) -> None:
    inside = [
        person.sign(credential(person.did, credentialSubject={"id": subject}))
        for subject in SHOWN[name]
    ]
    holders = {"text": person.did, "object": {"id": person.did}, "none": None}

    presentation = person.show(*inside, holder=holders[holder])

    assert api.present(presentation, **ASKED).status_code == 200


def test_a_presentation_is_refused_in_answer_to_something_else_or_for_somebody_else(
    api: VcApi, person: Person
) -> None:
    presentation = person.show()

    challenge = api.present(presentation, **(ASKED | {"challenge": "4712"}))
    domain = api.present(presentation, **(ASKED | {"domain": "other.example"}))
    unasked = person.sign(
        {"@context": [V2], "type": ["VerifiablePresentation"]}, proofPurpose="authentication"
    )

    assert challenge.status_code in REFUSED
    assert kinds(challenge) == {"INVALID_CHALLENGE_ERROR"}
    assert domain.status_code in REFUSED
    assert kinds(domain) == {"INVALID_DOMAIN_ERROR"}
    assert api.present(unasked, **ASKED).status_code in REFUSED
    assert api.present(unasked).status_code == 200
    for bad in ({"challenge": 4}, {"domain": ["a"]}):
        assert api.present(presentation, **(ASKED | bad)).status_code in REFUSED


def test_a_presentation_is_refused_that_names_another_holder_or_is_not_to_authenticate(
    api: VcApi, person: Person
) -> None:
    assert api.present(person.show(holder=OTHER), **ASKED).status_code in REFUSED
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": person.did}
    assert api.present(person.sign(document, **ASKED), **ASKED).status_code in REFUSED


def test_a_presentation_is_refused_for_one_bad_credential_in_it(api: VcApi, person: Person) -> None:
    good = person.sign(credential(person.did))
    broken = with_proof(good, proofValue=flipped(good["proof"]["proofValue"]))

    for inside in (broken, changed(good, proof=ABSENT)):
        reply = api.present(person.show(good, inside), **ASKED)
        assert reply.status_code in REFUSED


@pytest.mark.parametrize(
    "changes",
    [
        {"@context": ABSENT},
        {"@context": [EXAMPLES, V2]},
        {"@context": [EXAMPLES]},
        {"@context": [V2, "https://example.com"]},
        {"@context": [V2, "https ://not-a-url/1"]},
        {"@context": [V2, 8]},
        {"type": ABSENT},
        {"type": ["VerifiableCredential"]},
        {"type": ["Other"]},
        {"proof": ABSENT},
        {"proof": None},
        {"verifiableCredential": "x"},
        {"verifiableCredential": [4]},
        {"holder": 4},
        {"holder": "nobody"},
        {"undefinedTerm": "x"},
    ],
)
def test_a_presentation_is_refused_for(
    api: VcApi, person: Person, changes: dict[str, object]
) -> None:
    presentation = person.show()

    assert api.present(presentation, **ASKED).status_code == 200
    assert api.present(changed(presentation, **changes), **ASKED).status_code in REFUSED


def test_a_presentation_with_a_broken_proof_is_refused(api: VcApi, person: Person) -> None:
    presentation = person.show()
    value = presentation["proof"]["proofValue"]

    for other in (flipped(value), value[1:], value[:-1]):
        broken = with_proof(presentation, proofValue=other)
        assert api.present(broken, **ASKED).status_code in REFUSED


def enveloped(api: VcApi) -> Json:
    did = api.add("jwt", "vc+jwt", algorithm=Algorithm.P256).did
    return api.issued("jwt", credential(did))


@pytest.mark.parametrize(
    "changes",
    [
        {"@context": []},
        {"@context": [EXAMPLES]},
        {"@context": ABSENT},
        {"id": "data:application/vc+jwt"},
        {"id": "ey.x.y"},
        {"id": "data:text/plain,x"},
        {"id": ABSENT},
        {"id": 4},
        {"type": ABSENT},
        {"type": "VerifiableCredential"},
        {"type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]},
        {"credentialSubject": {"id": "did:example:other"}},
    ],
)
def test_an_envelope_is_refused_for(api: VcApi, changes: dict[str, object]) -> None:
    envelope = enveloped(api)

    assert api.verify(envelope).status_code == 200
    assert api.verify(changed(envelope, **changes)).status_code in REFUSED


def test_a_presentation_may_show_a_credential_in_an_envelope(api: VcApi, person: Person) -> None:
    envelope = enveloped(api)

    assert api.present(person.show(envelope), **ASKED).status_code == 200
    bad = envelope | {"id": flipped(envelope["id"])}
    assert api.present(person.show(bad), **ASKED).status_code in REFUSED


def old_jwt(person: Person, claim: str, document: Json, **claims: object) -> str:
    """A JWT as data model 1.1 had it: the document in a claim of its own."""
    header = {"typ": "JWT", "kid": person.signing.verification_method}
    payload = {claim: document, "iss": person.did} | claims
    return sign_compact(header, json.dumps(payload).encode(), person.signing.signer)


def test_a_presentation_in_a_jwt_with_a_vp_claim_verifies_for_the_one_who_asked(
    api: VcApi, person: Person
) -> None:
    issuer = Person.of(api.world.clock(), algorithm=Algorithm.P256)
    token = old_jwt(issuer, "vc", credential(issuer.did))
    shown = {
        "@context": [V2],
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/jwt,{token}",
    }
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [shown],
    }
    signed = old_jwt(person, "vp", document, aud="verifier.example", nonce="4711")
    envelope = {
        "@context": [V2],
        "type": "EnvelopedVerifiablePresentation",
        "id": f"data:application/jwt,{signed}",
    }

    assert api.present(envelope, challenge="4711").status_code == 200
    assert api.present(envelope, challenge="4712").status_code in REFUSED
    broken: tuple[Json, ...] = (
        {"id": flipped(str(envelope["id"]))},
        {"@context": []},
        {"@context": [EXAMPLES]},
        {"id": "data:application/jwt"},
        {"type": ABSENT},
        {"type": "VerifiablePresentation"},
    )
    for changes in broken:
        reply = api.present(changed(envelope, **changes), challenge="4711")
        assert reply.status_code in REFUSED
