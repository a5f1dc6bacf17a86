"""What each profile demands and what it only notes: who signed, with how many proofs, in which terms."""

import json
from datetime import timedelta
from typing import Any

import pytest

from kpass_vc.crypto.jose import sign_compact
from kpass_vc.formats.registered_claims import registered_claims
from kpass_vc.language import LANGUAGES
from kpass_vc.model.dates import utc_text
from kpass_vc.verification import BADGE, PROFILES, STANDARD, VerificationReport, verify, wanted
from tests.api.vc_api import DATA_INTEGRITY, OTHER, V1, V2, Person, credential, flipped
from tests.sample import Json, Sample, outcome, sample
from tests.world import failed_checks

OB_30 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OB_301 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"
ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"


@pytest.fixture
def made() -> Sample:
    return sample()


@pytest.fixture
def person(made: Sample) -> Person:
    return Person.of(made.now)


def judged(made: Sample, document: Json, profile: Any = STANDARD) -> VerificationReport:
    report = verify(json.dumps(document).encode(), made.evidence, profile)
    for finding in (*report.findings, *report.notes):
        assert all(finding.sentence(language) for language in LANGUAGES)
    return report


def badge(person: Person, **changes: object) -> Json:
    """A badge of a person's own."""
    found: Json = {
        "@context": [V2, OB_30],
        "id": "urn:uuid:0f0cf3a8-1b1f-4f6d-9a80-6d42d1d7f001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": person.did, "type": ["Profile"], "name": "Kursgården"},
        "validFrom": "2025-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:amina",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "urn:uuid:0f0cf3a8-1b1f-4f6d-9a80-6d42d1d7f002",
                "type": ["Achievement"],
                "name": "Svarva",
                "description": "Kan svarva.",
                "criteria": {"narrative": "Prov."},
            },
        },
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def old_badge(person: Person, suite: str, **changes: object) -> Json:
    """The same by data model 1.1, with the context that defines its proof."""
    of_proof = {"Ed25519Signature2020": ED25519_2020}.get(suite, DATA_INTEGRITY)
    dates = {"validFrom": None, "issuanceDate": "2025-01-01T00:00:00Z"}
    return badge(person, **({"@context": [V1, OB_301, of_proof]} | dates | changes))


def test_the_two_profiles_are_known_by_name() -> None:
    assert PROFILES == {"badge": BADGE, "standard": STANDARD}


def test_who_signs_for_another_is_refused_as_a_badge_and_taken_by_the_standards(
    made: Sample, person: Person
) -> None:
    issuer = {"id": OTHER, "type": ["Profile"], "name": "En annan"}
    own, others = person.sign(badge(person)), person.sign(badge(person, issuer=issuer))

    assert judged(made, own, BADGE).verified
    assert judged(made, others, STANDARD).verified
    report = judged(made, others, BADGE)
    assert report.verdict == "refused"
    assert outcome(report, "key") == ("failed", "not_the_issuers")


def test_a_document_may_define_its_own_terms_by_the_standards_and_not_as_a_badge(
    made: Sample, person: Person
) -> None:
    contexts = [V2, OB_30, {"schoolSong": "https://terms.example/#song"}]
    signed = person.sign(badge(person, **{"@context": contexts}, schoolSong="Vårvindar friska"))

    assert judged(made, signed, STANDARD).verified
    assert outcome(judged(made, signed, BADGE), "contexts") == ("failed", "inline")


def test_a_plain_credential_is_no_badge(made: Sample, person: Person) -> None:
    signed = person.sign(credential(person.did))

    assert judged(made, signed, STANDARD).verified
    report = judged(made, signed, BADGE)
    assert outcome(report, "contexts") == ("failed", "no_open_badges")
    assert outcome(report, "structure") == ("failed", "failed")


@pytest.mark.parametrize("profile", [BADGE, STANDARD])
@pytest.mark.parametrize("purpose", ["authentication", "capabilityInvocation", "invalidPurpose"])
def test_a_credential_that_was_not_signed_to_assert_is_refused(
    made: Sample, person: Person, profile: Any, purpose: str
) -> None:
    signed = person.sign(badge(person), "eddsa-jcs-2022", proofPurpose=purpose)

    report = judged(made, signed, profile)

    assert report.verdict == "refused"
    assert outcome(report, "key") == ("failed", "purpose")


@pytest.mark.parametrize("profile", [BADGE, STANDARD])
def test_every_proof_that_is_known_must_hold(made: Sample, person: Person, profile: Any) -> None:
    given = badge(person)
    first, second = (person.sign(given, suite)["proof"] for suite in ("eddsa-rdfc-2022",) * 2)
    other = person.sign(given, "eddsa-jcs-2022")["proof"]
    broken = other | {"proofValue": flipped(other["proofValue"])}

    assert judged(made, given | {"proof": [first, second]}, profile).verified
    assert judged(made, given | {"proof": [first, other]}, profile).verified
    for proofs in ([first, broken], [broken, first]):
        report = judged(made, given | {"proof": proofs}, profile)
        assert outcome(report, "proof") == ("failed", "failed")


def test_an_unknown_proof_beside_one_that_holds_is_noted_on_a_badge_and_refused_by_the_standards(
    made: Sample, person: Person
) -> None:
    signed = person.sign(badge(person))
    unknown = signed["proof"] | {"cryptosuite": "bbs-2023"}

    for proofs in ([signed["proof"], unknown], [unknown, signed["proof"]]):
        both = signed | {"proof": proofs}
        report = judged(made, both, BADGE)
        assert report.verified
        assert "proof_not_read" in {note.code for note in report.notes}
        assert judged(made, both, STANDARD).verdict == "refused"
    for profile in (BADGE, STANDARD):
        assert judged(made, signed | {"proof": [unknown]}, profile).verdict == "refused"


def test_by_the_standards_every_controller_that_a_proof_names_is_wanted_and_as_a_badge_the_issuer(
    person: Person,
) -> None:
    signed = person.sign(badge(person))
    proofs = [
        signed["proof"] | {"verificationMethod": f"did:web:{name}.example#key"}
        for name in ("anna", "bo")
    ]
    body = json.dumps(signed | {"proof": proofs}).encode()

    assert wanted(body, STANDARD).dids == ("did:web:anna.example", "did:web:bo.example")
    assert wanted(body, BADGE).dids == (person.did,)


@pytest.mark.parametrize("profile", [BADGE, STANDARD])
@pytest.mark.parametrize("suite", ["Ed25519Signature2020", "eddsa-2022", "eddsa-rdfc-2022"])
def test_a_badge_of_data_model_1_verifies_with_the_proofs_it_has(
    made: Sample, person: Person, suite: str, profile: Any
) -> None:
    signed = person.sign(old_badge(person, suite), suite)

    report = judged(made, signed, profile)

    assert failed_checks(report) == []
    assert judged(made, signed | {"id": "urn:uuid:1"}, profile).verdict == "refused"


@pytest.mark.parametrize("profile", [BADGE, STANDARD])
@pytest.mark.parametrize(
    ("member", "days", "code"),
    [
        ("issuanceDate", 2, "not_yet_valid"),
        ("validFrom", 2, "not_yet_valid"),
        ("expirationDate", -2, "expired"),
        ("validUntil", -2, "expired"),
    ],
)
def test_every_date_of_a_credential_of_data_model_1_counts(
    made: Sample, person: Person, member: str, days: int, code: str, profile: Any
) -> None:
    moment = utc_text(made.now + timedelta(days=days))
    given = old_badge(person, "Ed25519Signature2020", **{member: moment})
    end = {"expirationDate": utc_text(made.now + timedelta(days=9))} if days < 0 else {}

    report = judged(made, person.sign(end | given, "Ed25519Signature2020"), profile)

    assert outcome(report, "dates") == ("failed", code)


def test_an_endorsement_in_an_endorsement_must_hold_too(made: Sample, person: Person) -> None:
    def endorsement(number: int, **more: object) -> Json:
        return {
            "@context": [V2, OB_30],
            "id": f"urn:uuid:9f6f1c4b-6a53-4a5c-8f04-0c2b7a6d1e2{number}",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": "Endorsed",
            "issuer": {"id": person.did, "type": ["Profile"], "name": "Kursgården"},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": person.did, "type": ["EndorsementSubject"]},
        } | more

    inner = person.sign(endorsement(1))
    for inside, expected in (
        (inner, ("passed", "passed")),
        (inner | {"name": "Praised"}, ("failed", "refused")),
        (endorsement(1), ("failed", "refused")),
    ):
        outer = person.sign(endorsement(2, endorsement=[inside]))
        report = judged(made, person.sign(badge(person, endorsement=[outer])), BADGE)
        assert outcome(report, "endorsements") == expected


def test_a_jwt_of_data_model_1_ends_with_its_exp_though_the_credential_says_later(
    made: Sample, person: Person
) -> None:
    now = int(made.now.timestamp())
    later = utc_text(made.now + timedelta(days=9))
    inner = old_badge(person, "Ed25519Signature2020", expirationDate=later)

    def token(**claims: object) -> bytes:
        payload = {"vc": inner, "iss": person.did} | claims
        header = {"typ": "JWT", "kid": person.signing.verification_method}
        return sign_compact(header, json.dumps(payload).encode(), person.signing.signer).encode()

    assert verify(token(exp=now + 60), made.evidence, STANDARD).verified
    for ended in (now - 60, "2020", None):
        report = verify(token(exp=ended), made.evidence, STANDARD)
        assert outcome(report, "proof") == ("failed", "expired")


@pytest.mark.parametrize("claim", ["iss", "sub", "jti", "nbf"])
def test_a_claim_that_open_badges_demands_is_demanded_of_a_badge_and_not_by_the_standards(
    made: Sample, person: Person, claim: str
) -> None:
    given = badge(person)
    claims = registered_claims(given)
    header = {"typ": "JWT", "kid": person.signing.verification_method}

    def token(**said: object) -> bytes:
        payload = json.dumps(given | said).encode()
        return sign_compact(header, payload, person.signing.signer).encode()

    whole = token(**claims)
    silent = token(**{name: value for name, value in claims.items() if name != claim})
    other = token(**(claims | {claim: 4}))

    for profile in (BADGE, STANDARD):
        assert verify(whole, made.evidence, profile).verified
        assert outcome(verify(other, made.evidence, profile), "proof") == ("failed", "failed")
    assert outcome(verify(silent, made.evidence, BADGE), "proof") == ("failed", "failed")
    report = verify(silent, made.evidence, STANDARD)
    assert report.verified
    assert "claims_missing" in {note.code for note in report.notes}
