"""Presentations: for whom and in answer to what, by whom, and each credential in them with its own report."""

import json
from dataclasses import replace
from typing import Any

import pytest

from kpass_vc.crypto.jose import sign_compact
from kpass_vc.formats import FORMATS
from kpass_vc.language import LANGUAGES
from kpass_vc.verification import BADGE, STANDARD, PresentationReport, verify_presentation
from kpass_vc.verification import wanted_by_presentation as wanted
from tests.api.vc_api import ASKED, OTHER, V2, Person, credential, flipped
from tests.sample import Json, Sample, sample
from tests.verification.test_profiles import badge


@pytest.fixture
def made() -> Sample:
    return sample()


@pytest.fixture
def person(made: Sample) -> Person:
    return Person.of(made.now)


def judged(
    made: Sample,
    presentation: Json | bytes,
    challenge: str | None = ASKED["challenge"],
    domain: str | None = ASKED["domain"],
    profile: Any = STANDARD,
) -> PresentationReport:
    body = presentation if isinstance(presentation, bytes) else json.dumps(presentation).encode()
    report = verify_presentation(
        body, made.evidence, challenge=challenge, domain=domain, profile=profile
    )
    inside = [finding for one in report.credentials for finding in (*one.findings, *one.notes)]
    for finding in (*report.findings, *report.notes, *inside):
        assert all(finding.sentence(language) for language in LANGUAGES)
    return report


def outcome(report: PresentationReport, check: str) -> tuple[str, str]:
    (found,) = [finding for finding in report.findings if finding.check == check]
    return found.outcome, found.code


def notes(report: Any) -> set[str]:
    return {note.code for note in report.notes}


def test_each_credential_has_its_own_report_and_the_worst_decides(
    made: Sample, person: Person
) -> None:
    good = person.sign(credential(person.did))
    bad = good | {"proof": good["proof"] | {"proofValue": flipped(good["proof"]["proofValue"])}}

    report = judged(made, person.show(good, bad))

    assert [one.verdict for one in report.credentials] == ["verified", "refused"]
    assert {finding.outcome for finding in report.findings} == {"passed"}
    assert report.verdict == "refused"
    assert not report.verified
    assert judged(made, person.show(good, good)).verified


def test_it_answers_one_question_of_one_asker_and_says_so_if_nothing_was_asked(
    made: Sample, person: Person
) -> None:
    presentation = person.show()

    assert outcome(judged(made, presentation), "audience") == ("passed", "passed")
    assert outcome(judged(made, presentation, "4712"), "audience") == ("failed", "challenge")
    elsewhere = judged(made, presentation, domain="other.example")
    assert outcome(elsewhere, "audience") == ("failed", "domain")
    assert notes(judged(made, presentation)) == set()
    assert notes(judged(made, presentation, None, None)) == {"nothing_asked"}


def test_a_proof_may_be_for_several_domains(made: Sample, person: Person) -> None:
    document = {"@context": [V2], "type": ["VerifiablePresentation"]}
    domains = ["a.example", "b.example"]
    signed = person.sign(document, proofPurpose="authentication", domain=domains)

    assert judged(made, signed, None, "b.example").verified
    assert not judged(made, signed, None, "c.example").verified


@pytest.mark.parametrize("purpose", ["assertionMethod", "keyAgreement", "invalidPurpose"])
def test_it_must_have_been_signed_to_authenticate(
    made: Sample, person: Person, purpose: str
) -> None:
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": person.did}

    report = judged(made, person.sign(document, "eddsa-jcs-2022", proofPurpose=purpose, **ASKED))

    assert outcome(report, "key") == ("failed", "purpose")


@pytest.mark.parametrize("as_object", [False, True])
def test_a_holder_must_be_who_signed(made: Sample, person: Person, *, as_object: bool) -> None:
    def holder(did: str) -> object:
        return {"id": did} if as_object else did

    own = judged(made, person.show(holder=holder(person.did)))
    others = judged(made, person.show(holder=holder(OTHER)))

    assert outcome(own, "holder") == ("passed", "passed")
    assert outcome(others, "holder") == ("failed", "other")
    assert outcome(judged(made, person.show(holder=None)), "holder") == ("passed", "none")


def test_it_is_noted_of_each_credential_whether_it_is_about_whoever_shows_it(
    made: Sample, person: Person
) -> None:
    about = [
        {"id": person.did},
        {"id": "did:example:amina"},
        [{"id": "did:example:amina"}, {"id": person.did}],
    ]
    inside = [person.sign(credential(OTHER, credentialSubject=subject)) for subject in about]

    report = judged(made, person.show(*inside))

    assert report.verified
    found = [notes(one) & {"shown_by_subject", "shown_by_another"} for one in report.credentials]
    assert found == [{"shown_by_subject"}, {"shown_by_another"}, {"shown_by_subject"}]


@pytest.mark.parametrize("proof", [None, [], {}])
def test_without_a_proof_it_is_refused_and_nothing_in_it_is_read(
    made: Sample, person: Person, proof: object
) -> None:
    unsigned = person.show(person.sign(credential(person.did))) | {"proof": proof}

    report = judged(made, unsigned)

    assert outcome(report, "parsed") == ("failed", "failed")
    assert report.credentials == ()
    assert report.verdict == "refused"


def test_twenty_credentials_may_be_shown_and_not_one_more(made: Sample, person: Person) -> None:
    one = person.sign(credential(person.did), "eddsa-jcs-2022")
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": person.did}

    def show(count: int) -> PresentationReport:
        shown = document | {"verifiableCredential": [one] * count}
        signed = person.sign(shown, "eddsa-jcs-2022", proofPurpose="authentication", **ASKED)
        return judged(made, signed)

    assert len(show(20).credentials) == 20
    assert outcome(show(21), "structure") == ("failed", "too_many")
    assert show(21).credentials == ()


def test_a_presentation_in_a_presentation_is_no_credential(made: Sample, person: Person) -> None:
    report = judged(made, person.show(person.show()))

    assert [one.verdict for one in report.credentials] == ["refused"]


def test_a_credential_is_no_presentation(made: Sample, person: Person) -> None:
    report = judged(made, person.sign(credential(person.did)), None, None)

    assert outcome(report, "structure") == ("failed", "failed_presentation")


def test_the_credentials_are_judged_by_the_profile(made: Sample, person: Person) -> None:
    shown = person.show(person.sign(badge(person)), person.sign(credential(person.did)))

    by_standard = judged(made, shown)
    as_badges = judged(made, shown, profile=BADGE)

    assert [one.verdict for one in by_standard.credentials] == ["verified", "verified"]
    assert [one.verdict for one in as_badges.credentials] == ["verified", "refused"]


@pytest.mark.parametrize("kid", ["whole", "fragment"])
def test_a_presentation_as_vp_jwt_answers_by_its_claims(
    made: Sample, person: Person, kid: str
) -> None:
    method = person.signing.verification_method
    named = method if kid == "whole" else f"#{method.partition('#')[2]}"
    signing = replace(person.signing, verification_method=named)
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": person.did}
    asked = {"nonce": "4711", "aud": "verifier.example"}
    inside = {"verifiableCredential": [person.sign(credential(person.did))]}

    body = signed_jwt(document | inside | asked, signing)

    report = judged(made, body)
    assert report.verified
    assert [one.verdict for one in report.credentials] == ["verified"]
    assert outcome(judged(made, body, "4712"), "audience") == ("failed", "challenge")
    assert not judged(made, body[:-6] + b"AAAAAA").verified


def signed_jwt(payload: Json, signing: Any) -> bytes:
    header = {"typ": "vp+jwt", "kid": signing.verification_method}
    return sign_compact(header, json.dumps(payload).encode(), signing.signer).encode()


def test_what_it_and_its_credentials_name_is_wanted(person: Person) -> None:
    signed = person.sign(credential(person.did))
    signed["proof"]["verificationMethod"] = "did:web:issuer.example#key"
    shown = person.show(signed)
    shown["proof"]["verificationMethod"] = "did:web:holder.example#key"

    dids = wanted(json.dumps(shown).encode()).dids

    assert dids == ("did:web:holder.example", "did:web:issuer.example")


def test_a_credential_in_an_envelope_has_its_own_report(made: Sample, person: Person) -> None:
    token = FORMATS["vc+jwt"].secure(credential(person.did), person.signing, made.contexts)
    envelope = {
        "@context": [V2],
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{token.decode()}",
    }

    report = judged(made, person.show(envelope))

    assert [one.verdict for one in report.credentials] == ["verified"]
