"""The public validator's probes: nothing to remark on ours, and each level of each on what earns it."""

import json
import os
import random
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator, FormatChecker

from kpass_vc import statuslist
from kpass_vc.crypto.jose import read_compact, sign_compact
from kpass_vc.model.document import compact
from kpass_vc.model.open_badge_schema import schema_faults
from kpass_vc.probes import PROBES, ProbeResult, probe
from kpass_vc.verification import Evidence
from tests.sample import Json, Sample, places, replaced, sample
from tests.sample import at as value_at

OFFICIAL = Path(os.environ.get("KPASS_OFFICIAL") or "/nowhere") / "ob3-schemas"


def levels(results: tuple[ProbeResult, ...]) -> dict[str, tuple[str, str]]:
    """What was remarked, by probe."""
    return {result.probe: (result.level, result.code) for result in results if result.level != "ok"}


def remarks(made: Sample, document: Json, **evidence: Any) -> dict[str, tuple[str, str]]:
    """What the probes say of a document that we sign."""
    body = made.sign(document)
    results = probe(body, replace(made.evidence, **evidence))
    for result in results:
        assert result.sentence("sv")
        assert result.sentence("en")
    return levels(results)


def test_a_badge_of_ours_earns_no_remark_in_either_form() -> None:
    made = sample()

    for body in (made.body, made.jwt):
        results = probe(body, made.evidence)
        assert levels(results) == {}
        assert len(results) == len(PROBES) + 1


CHANGES: list[tuple[str, dict[str, Any], tuple[str, tuple[str, str]]]] = [
    ("an undefined term", {"undefined": "x"}, ("JsonLDValidationProbe", ("error", "json_ld"))),
    ("no subject", {"credentialSubject": {"id": "urn:x:1", "type": ["AchievementSubject"]}},
     ("CredentialSubjectProbe", ("error", "missing"))),
    ("another type", {"type": ["VerifiableCredential"]}, ("TypePropertyProbe", ("fatal", "lacks"))),
    ("no credential", {"type": ["OpenBadgeCredential"]}, ("TypePropertyProbe", ("fatal", "lacks"))),
    ("evidence of no type", {"evidence": [{"type": ["Other"]}]}, ("EvidenceProbe", ("error", "type"))),
    ("past", {"validUntil": "2020-01-01T00:00:00Z"}, ("ExpirationProbe", ("fatal", "expired"))),
    ("to come", {"validFrom": "2099-01-01T00:00:00Z"}, ("IssuanceProbe", ("fatal", "future"))),
    ("a refresh service", {"refreshService": {"id": "https://x.example/r", "type": "1EdTechCredentialRefresh"}},
     ("RefreshService", ("warning", "asked"))),
    ("a schema of its own",
     {"credentialSchema": [{"id": "https://x.example/s", "type": "1EdTechJsonSchemaValidator2019"}]},
     ("InlineJsonSchemaProbe", ("warning", "not_read"))),
    ("an older revocation list",
     {"credentialStatus": {"id": "https://x.example/l", "type": "1EdTechRevocationList"}},
     ("RevocationListProbe", ("warning", "not_read"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_what_the_validator_remarks_is_remarked_by_the_probe_of_its_name(
    change: dict[str, Any], expected: tuple[str, tuple[str, str]]
) -> None:
    made = sample()
    document = made.credential | change
    signed = json.dumps({**document, "proof": made.signed["proof"]}).encode()

    found = levels(probe(signed, made.evidence))

    assert found[expected[0]] == expected[1]


@pytest.mark.parametrize(
    ("contexts", "expected"),
    [
        (["https://www.w3.org/2018/credentials/v1", 1], ("warning", "old_base")),
        (["https://www.w3.org/ns/credentials/examples/v2", 1], ("error", "base")),
        (
            [0, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"],
            ("warning", "old_badge"),
        ),
        ([0, "https://purl.imsglobal.org/spec/ob/v3p0/context.json"], ("warning", "old_badge")),
        ([0, "https://w3id.org/security/multikey/v1"], ("error", "badge")),
        ([0], ("error", "badge")),
    ],
)
def test_the_contexts_must_stand_in_their_places(
    contexts: list[Any], expected: tuple[str, str]
) -> None:
    made = sample()
    ours = made.credential["@context"]
    given = [ours[entry] if isinstance(entry, int) else entry for entry in contexts]
    signed = json.dumps(made.signed | {"@context": given}).encode()

    assert levels(probe(signed, made.evidence))["ContextPropertyProbe"] == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("issuer",), "did:web:x.example", ("IssuerProbe", ("error", "only_an_id"))),
        (("issuer", "type"), ["Organization"], ("IssuerProbe", ("error", "type"))),
        (("credentialSubject", "type"), ["Other"], ("CredentialSubjectProbe", ("error", "type"))),
        (("credentialSubject", "achievement", "criteria"), {}, ("CredentialSubjectProbe", ("error", "criteria"))),
        (("credentialSubject", "identifier", 0, "type"), "Other", ("CredentialSubjectProbe", ("error", "type"))),
        (("credentialStatus", "statusListIndex"), "99999999", ("BitstringStatusListProbe", ("error", "range"))),
        (("proof", "proofPurpose"), "authentication", ("EmbeddedProofProbe", ("error", "none"))),
        (("proof", "type"), "OtherProof", ("EmbeddedProofProbe", ("error", "none"))),
        (("proof", "verificationMethod"), "did:web:other.example#x", ("EmbeddedProofProbe", ("error", "controller"))),
        (("name",), "Changed", ("EmbeddedProofProbe", ("error", "signature"))),
    ],
)  # fmt: skip
def test_a_part_that_is_not_as_the_validator_wants_it_is_remarked(
    path: tuple[Any, ...], value: Any, expected: tuple[str, tuple[str, str]]
) -> None:
    made = sample()
    signed = replaced(made.signed, path, value)

    assert levels(probe(json.dumps(signed).encode(), made.evidence))[expected[0]] == expected[1]


def test_a_revoked_badge_stops_the_validator_and_the_rest_is_not_run() -> None:
    made = sample()

    results = probe(made.body, revoked(made))

    found = levels(results)
    assert found["BitstringStatusListProbe"] == ("fatal", "revoked")
    assert found["ExpirationProbe"] == found["EndorsementInspector"] == ("not_run", "not_run")


def test_a_list_or_a_key_that_lies_elsewhere_is_a_warning_that_says_so() -> None:
    made = sample()

    without_list = levels(probe(made.body, replace(made.evidence, status_lists={})))
    without_key = levels(probe(made.body, replace(made.evidence, did_documents={})))

    assert without_list == {"BitstringStatusListProbe": ("warning", "not_fetched")}
    assert without_key == {"EmbeddedProofProbe": ("warning", "not_fetched")}


def revoked(made: Sample) -> Evidence:
    """The evidence with the badge's bit set in its status list."""
    entry = made.credential["credentialStatus"]
    url = entry["statusListCredential"]
    listed = json.loads(made.evidence.status_lists[url])
    del listed["proof"]
    subject = listed["credentialSubject"]
    bits = statuslist.put(
        statuslist.decode(subject["encodedList"]), int(entry["statusListIndex"]), value=True
    )
    subject["encodedList"] = statuslist.encode(bits)
    lists = {**made.evidence.status_lists, url: made.sign(listed)}
    return replace(made.evidence, status_lists=lists)


def jwt(made: Sample, signing: Any, header: Json, **claims: Any) -> bytes:
    payload = json.loads(read_compact(made.jwt.decode()).payload) | claims
    return sign_compact(header, compact(payload), signing.signer).encode()


def test_a_jwt_is_read_with_two_algorithms_and_its_own_dates_only() -> None:
    made = sample()
    header = {"typ": "JWT", "kid": made.jwt_signing.verification_method}
    eddsa = {"typ": "JWT", "kid": made.signing.verification_method}

    assert levels(probe(jwt(made, made.jwt_signing, header), made.evidence)) == {}
    for body, expected in (
        (jwt(made, made.signing, eddsa), ("fatal", "algorithm")),
        (jwt(made, made.jwt_signing, header, exp=1), ("fatal", "expired")),
        (jwt(made, made.jwt_signing, header, nbf=4_000_000_000), ("fatal", "not_yet")),
        (jwt(made, made.jwt_signing, header | {"kid": "did:web:x.example#k"}), ("warning", "not_fetched")),
        (jwt(made, made.jwt_signing, header | {"kid": header["kid"] + "x"}), ("fatal", "kid")),
        (jwt(made, made.jwt_signing, header)[:-6] + b"AAAAAA", ("fatal", "signature")),
        (jwt(made, made.jwt_signing, header, sub="urn:x:other"), ("warning", "claims")),
    ):  # fmt: skip
        assert levels(probe(body, made.evidence))["ExternalProofProbe"] == expected


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"ey", b"\x89PNG", b'{"proof":{}}', b"x" * 99])
def test_what_is_no_credential_stops_at_the_first_probe(body: bytes) -> None:
    results = probe(body, sample().evidence)

    assert (results[0].probe, results[0].level) == ("CredentialParseProbe", "fatal")
    assert {result.level for result in results[1:]} == {"not_run"}


def test_an_endorsement_inside_is_inspected_too() -> None:
    made = sample()
    endorsement = json.loads(
        made.sign(
            {
                "@context": made.credential["@context"],
                "id": "urn:uuid:9f6f1c4b-6a53-4a5c-8f04-0c2b7a6d1e22",
                "type": ["VerifiableCredential", "EndorsementCredential"],
                "name": "Endorsed",
                "issuer": {"id": made.credential["issuer"]["id"], "type": ["Profile"]},
                "validFrom": "2026-01-01T00:00:00Z",
                "credentialSubject": {"id": "urn:x:1", "type": ["EndorsementSubject"]},
            }
        )
    )

    assert remarks(made, made.credential | {"endorsement": [endorsement]}) == {}
    changed = endorsement | {"name": "Praised"}
    found = remarks(made, made.credential | {"endorsement": [changed]})
    assert found == {"EndorsementInspector": ("error", "inside")}


# ---- the schema, against 1EdTech's own where it is at hand


def official() -> Draft201909Validator:
    schema = json.loads((OFFICIAL / "ob_v3p0_achievementcredential_schema.json").read_bytes())
    return Draft201909Validator(schema, format_checker=FormatChecker())


VALUES: list[Any] = [
    None, "", "x", 5, 1.5, True, [], {}, ["x"], [[]], [5], {"x": "y"}, {"sv": "x"}, {"sv": 5},
    {"sv-SE": "x"}, {"SV": "x"}, {"id": "urn:x"}, {"type": "x"}, {"id": "x", "type": "Image"},
    {"id": "x", "type": ["Image"]}, "2026-01-01", "2026-01-01T00:00:00Z", "sv", "ext:x", "e.y.z",
    "Course", "Completed", "name", ["Profile"], ["VerifiableCredential"],
]  # fmt: skip


@pytest.mark.official
def test_our_statement_of_the_schema_is_what_the_schema_says() -> None:
    validator = official()
    made = sample()
    document = made.signed
    choice = random.Random(4711)
    paths = [place for place in places(document) if place]
    judged = {True: 0, False: 0}

    for number in range(3000):
        changed = deepcopy(document)
        path = choice.choice(paths)
        parent = value_at(changed, path[:-1])
        if number % 4 == 0 and isinstance(parent, dict):
            del parent[path[-1]]
        else:
            parent[path[-1]] = choice.choice(VALUES)
        expected = validator.is_valid(changed)
        found = next(schema_faults(changed), None)
        assert (found is None) is expected, (
            path,
            parent.get(path[-1]) if isinstance(parent, dict) else parent,
            found,
        )
        judged[expected] += 1

    assert min(judged.values()) > 500
