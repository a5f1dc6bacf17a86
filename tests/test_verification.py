"""The verifier: every check by its code, every forgery refused, and no input that raises."""

import base64
import gzip
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpass_vc import statuslist
from kpass_vc.crypto.jose import sign_compact
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.signers import Ed25519Signer
from kpass_vc.cryptosuites import CRYPTOSUITES
from kpass_vc.dids.web import did_document
from kpass_vc.errors import Malformed
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Signing
from kpass_vc.language import LANGUAGES
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import compact
from kpass_vc.verification import CHECKS, Evidence, VerificationReport, stands_under, verify, wanted
from tests.sample import Json, Sample, at, outcome, places, replaced, sample
from tests.world import failed_checks

Place = tuple[str | int, ...]
CREDENTIALS = "https://www.w3.org/2018/credentials#"


def sentences(report: VerificationReport) -> None:
    """Every finding can be said in both languages."""
    for finding in (*report.findings, *report.notes):
        assert len({finding.sentence(language) for language in LANGUAGES}) == len(LANGUAGES)


def only(report: VerificationReport, check: str, expected: tuple[str, str]) -> None:
    """This check alone did not pass, with this outcome and code."""
    sentences(report)
    followed = outcome(report, "authorization") == ("unknown", "not_checked")
    assert failed_checks(report) == [check, *(["authorization"] if followed else [])]
    assert outcome(report, check) == expected


def did_key_signing(signing: Signing) -> tuple[str, Signing]:
    """The did:key of a signer, and a signing in its name."""
    multikey = signing.signer.public_key.multikey()
    did = f"did:key:{multikey}"
    return did, replace(signing, verification_method=f"{did}#{multikey}")


# ---- what is genuine


def test_a_genuine_credential_passes_every_check_in_both_formats() -> None:
    made = sample()

    for body in (made.body, made.jwt):
        report = made.judge(body)
        assert [finding.check for finding in report.findings] == ["parsed", *CHECKS]
        assert failed_checks(report) == []
        assert report.verdict == "verified"
        assert [note.code for note in report.notes] == ["issuer_not_confirmed", "not_reviewed"]
        sentences(report)


def test_neither_blanks_nor_the_order_of_members_matter() -> None:
    made = sample()

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(member) for member in value] if isinstance(value, list) else value

    for body in (
        json.dumps(made.signed, indent=3).encode(),
        json.dumps(made.signed, ensure_ascii=True).encode(),
        json.dumps(turned(made.signed)).encode(),
        json.dumps(made.signed, sort_keys=True, separators=(" ,\r\n", "\t: ")).encode(),
    ):
        assert made.judge(body).verified


def test_what_a_credential_names_is_what_is_asked_for() -> None:
    made = sample()
    credential = made.credential

    for body in (made.body, made.jwt):
        want = wanted(body)
        assert want.dids == (credential["issuer"]["id"],)
        assert want.status_lists == (credential["credentialStatus"]["statusListCredential"],)
        assert set(want.resources) == {
            credential["credentialSubject"]["achievement"]["id"],
            credential["relatedResource"][0]["id"],
        }
    assert wanted(b"nothing") == wanted(b"{}") == wanted(b"ey")


# ---- tampering


def variants(value: Any) -> list[object]:
    """What a forger might write instead of one value."""
    match value:
        case bool():
            return [not value, str(value).lower(), int(value), None]
        case int():
            return [value + 1, str(value), None]
        case str():
            return [f"{value}x", 5, True, [value, "x"]]
        case _:
            raise TypeError(value)


def leaves(document: Json) -> list[Place]:
    return [place for place in places(document) if not isinstance(at(document, place), dict | list)]


def without(document: Json, place: Place) -> Json:
    parent = at(document, place[:-1])
    if isinstance(parent, list):
        smaller: object = [*parent[: int(place[-1])], *parent[int(place[-1]) + 1 :]]
    else:
        smaller = {key: value for key, value in parent.items() if key != place[-1]}
    return replaced(document, place[:-1], smaller)


def test_no_leaf_can_be_changed_or_retyped() -> None:
    made = sample()
    signed = made.signed
    found = leaves(signed)

    verified = [
        (place, value)
        for place in found
        for value in variants(at(signed, place))
        if made.judge(replaced(signed, place, value)).verified
    ]

    assert len(found) > 100
    assert verified == []


def test_no_value_can_be_taken_out() -> None:
    made = sample()
    signed = made.signed

    verified = [
        place
        for place in places(signed)
        if place
        and place[0] != "@context"
        and len(place) > 0
        and made.judge(
            without(signed, place)
            if len(place) > 1
            else {k: v for k, v in signed.items() if k != place[0]}
        ).verified
    ]

    assert verified == []


def test_nothing_can_be_put_beside_a_value() -> None:
    made = sample()
    signed = made.signed
    siblings = {
        "name": "x",
        "undefined": "x",
        "type": "Profile",
        "validUntil": "2099-01-01T00:00:00Z",
    }
    verified: list[object] = []

    for place in places(signed):
        value = at(signed, place)
        changes: list[Any]
        if isinstance(value, dict):
            changes = [
                {**value, name: extra} for name, extra in siblings.items() if name not in value
            ]
        elif isinstance(value, list):
            changes = [[*value, "https://x.example/"], [*value, {"type": ["Evidence"]}]]
        else:
            continue
        for change in changes:
            changed = replaced(signed, place, change) if place else change
            if made.judge(changed).verified:
                verified.append((place, change))

    assert verified == []


def test_every_byte_of_the_json_counts() -> None:
    made = sample()

    for place in range(0, len(made.body), 97):
        changed = bytearray(made.body)
        changed[place] ^= 1
        assert not made.judge(bytes(changed)).verified


@pytest.mark.parametrize("member", ["credentialStatus", "validUntil", "evidence", "name"])
def test_a_member_spelled_as_its_full_iri_does_not_hide_from_the_checks(member: str) -> None:
    made = sample()
    signed = made.signed
    value = signed.pop(member)
    if member == "validUntil":
        value = {"@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": value}
    iris = {
        "evidence": f"{CREDENTIALS}evidence",
        "name": "https://schema.org/name",
    }

    report = made.judge({**signed, iris.get(member, CREDENTIALS + member): value})

    assert not report.verified


@pytest.mark.parametrize("hidden", ["the end of the proof", "the id of the subject"])
def test_neither_a_proof_option_nor_a_keyword_hides_what_is_signed(hidden: str) -> None:
    made = sample()
    signed = made.signed
    if hidden == "the id of the subject":
        signed["credentialSubject"]["@id"] = signed["credentialSubject"].pop("id")
    else:
        options = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
        end = utc_text(made.now - timedelta(days=1))
        proof = CRYPTOSUITES["eddsa-rdfc-2022"].add_proof(
            made.credential, {**options, "expires": end}, made.signing.signer, made.contexts
        )
        assert outcome(made.judge({**signed, "proof": proof}), "proof") == ("failed", "expired")
        del proof["expires"]
        typed = {"@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": end}
        signed["proof"] = {**proof, "https://w3id.org/security#expiration": typed}

    assert not made.judge(signed).verified


# ---- parsed, contexts, structure


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"ey",
        b"eyJ.eyJ.x",
        b"e30.e30.AA",
        b"eyJ9.e30.",
        b'{"proof":{}}',
        b'{"proof":[]}',
        b"\xff\xfe",
        b"\x00",
        b"ey\xff",
        b'{"a":' * 100_000,
        b'{"a":NaN}',
        b"x" * (21 * 1024 * 1024),
        b"{" + b" " * (2 * 1024 * 1024) + b"}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_cannot_be_read_is_refused_and_nothing_more_is_checked(body: bytes) -> None:
    report = sample().judge(body)

    assert report.verdict == "refused"
    assert outcome(report, "parsed") == ("failed", "failed")
    assert {finding.outcome for finding in report.findings[1:]} == {"unknown"}
    assert report.presented is None
    sentences(report)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda found: [*found, "https://evil.example/v1"], "unknown_context"),
        (
            lambda found: [*found, "https://www.w3.org/ns/credentials/examples/v2"],
            "unknown_context",
        ),
        (lambda found: list(reversed(found)), "first"),
        (lambda found: found[0], "first"),
        (lambda _: [], "first"),
        (lambda _: None, "first"),
        (lambda _: {}, "first"),
        (lambda found: found[:1], "no_open_badges"),
        (lambda found: [*found, {"@vocab": "https://evil.example/"}], "inline"),
        (lambda found: [*found, {"name": "https://evil.example/name"}], "inline"),
        (lambda found: [found[0], {"@base": "https://evil.example/"}, found[1]], "inline"),
        (lambda found: [*found, None], "inline"),
        (lambda found: [*found, 5], "inline"),
        (lambda found: [*found, [found[0]]], "inline"),
    ],
)
def test_contexts_are_the_known_ones_in_order(change: Any, code: str) -> None:
    made = sample()

    report = made.judge(made.signed | {"@context": change(made.signed["@context"])})

    assert report.verdict == "refused"
    assert outcome(report, "contexts") == ("failed", code)
    sentences(report)


@pytest.mark.parametrize(
    "change",
    [
        {"type": ["VerifiableCredential"]},
        {"type": ["OpenBadgeCredential"]},
        {"issuer": 5},
        {"validFrom": "2026-01-01"},
        {"validFrom": "2026-01-01T00:00:00"},
        {"validUntil": "soon"},
        {"credentialSubject": []},
        {"credentialSubject": {"type": ["AchievementSubject"]}},
        {"credentialStatus": [{}, {}]},
        {"id": "no uri"},
        {"relatedResource": [{}]},
        {"evidence": []},
    ],
    ids=repr,
)
def test_what_open_badges_demands_is_demanded(change: Json) -> None:
    made = sample()

    report = made.judge(made.signed | change)

    assert report.verdict == "refused"
    assert outcome(report, "structure") == ("failed", "failed")
    assert outcome(report, "dates") == ("unknown", "not_checked")
    sentences(report)


# ---- the issuer and the key


def test_a_did_that_could_not_be_looked_up_leaves_the_answer_unknown() -> None:
    made = sample()

    report = made.judge(made.body, replace(made.evidence, did_documents={}, status_lists={}))

    assert report.verdict == "unknown"
    assert not report.verified
    assert outcome(report, "did") == ("unknown", "not_available")
    assert outcome(report, "key") == outcome(report, "proof") == ("unknown", "not_checked")
    sentences(report)


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://issuer.example/", ("unknown", "not_a_did")),
        ("did:web:elsewhere.example", ("unknown", "not_available")),
        ("did:ebsi:z25a23eWUxQQzmAgnD9srpMM", ("unknown", "failed")),
        ("did:web:EXAMPLE.org", ("failed", "failed")),
        ("did:web:example.org:..", ("failed", "failed")),
        ("did:key:z6Mk", ("failed", "failed")),
    ],
)
def test_an_issuer_that_does_not_resolve_is_never_verified(
    issuer: str, expected: tuple[str, str]
) -> None:
    made = sample()

    report = made.judge(replaced(made.signed, ("issuer", "id"), issuer))

    assert not report.verified
    assert outcome(report, "did") == expected
    sentences(report)


def test_the_document_of_another_did_is_refused() -> None:
    made = sample()
    did = made.credential["issuer"]["id"]
    other = {**made.evidence.did_documents[did], "id": "did:web:other.example"}

    report = made.judge(made.body, replace(made.evidence, did_documents={did: other}))

    assert report.verdict == "refused"
    assert outcome(report, "did") == ("failed", "failed")


def test_another_organisations_key_is_not_the_issuers() -> None:
    made = sample()

    named = made.judge(made.sign(made.credential, made.owner_signing))
    claimed = made.judge(
        made.sign(
            made.credential,
            replace(made.owner_signing, verification_method=made.signing.verification_method),
        )
    )

    assert outcome(named, "key") == ("failed", "not_the_issuers")
    assert outcome(named, "proof") == ("unknown", "not_checked")
    assert outcome(claimed, "proof") == ("failed", "failed")
    assert named.verdict == claimed.verdict == "refused"
    sentences(named)


def with_did_document(made: Sample, **members: object) -> Evidence:
    did = made.credential["issuer"]["id"]
    return replace(
        made.evidence, did_documents={did: {**made.evidence.did_documents[did], **members}}
    )


@pytest.mark.parametrize("listed", [[], ["did:web:x#y"], {}, None, "x"])
def test_a_key_that_is_not_for_assertion_does_not_count(listed: object) -> None:
    made = sample()

    for body in (made.body, made.jwt):
        report = made.judge(body, with_did_document(made, assertionMethod=listed))
        assert report.verdict == "refused"
        assert outcome(report, "key") == ("failed", "failed")


def test_a_key_that_has_left_the_document_or_belongs_to_another_controller_does_not_count() -> None:
    made = sample()
    did = made.credential["issuer"]["id"]
    methods = made.evidence.did_documents[did]["verificationMethod"]
    assert isinstance(methods, list)
    foreign = [{**method, "controller": "did:web:other.example"} for method in methods]

    for changed in (
        [],
        foreign,
        methods * 2,
        [{**method, "type": "Unknown"} for method in methods],
    ):
        report = made.judge(made.body, with_did_document(made, verificationMethod=changed))
        assert report.verdict == "refused"
        assert outcome(report, "key") == ("failed", "failed")


def test_a_key_of_small_order_in_a_did_document_is_refused() -> None:
    made = sample()
    did = made.credential["issuer"]["id"]
    methods = made.evidence.did_documents[did]["verificationMethod"]
    assert isinstance(methods, list)
    weak = {**methods[0], "publicKeyMultibase": "z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP"}

    report = made.judge(made.body, with_did_document(made, verificationMethod=[weak]))

    assert outcome(report, "key") == ("failed", "failed")
    assert report.verdict == "refused"


def test_an_attackers_did_key_cannot_issue_an_owners_achievement() -> None:
    made = sample()
    did, signing = did_key_signing(made.owner_signing)
    credential = made.credential
    credential["issuer"]["id"] = did
    del credential["credentialStatus"]

    report = made.judge(made.sign(credential, signing))

    only(report, "authorization", ("failed", "another_issuer"))
    bare = {key: value for key, value in credential.items() if key != "relatedResource"}
    report = made.judge(made.sign(bare, signing))
    only(report, "achievement", ("failed", "definition_missing"))


def test_an_attackers_did_key_cannot_use_the_issuers_name_as_its_own_id() -> None:
    made = sample()
    did, signing = did_key_signing(made.owner_signing)

    report = made.judge(made.sign(made.credential, signing))

    assert outcome(report, "key") == ("failed", "not_the_issuers")
    shown = made.judge(made.sign(replaced(made.credential, ("issuer", "id"), did), signing))
    assert not shown.verified


def test_a_did_keys_own_achievement_verifies_without_looking_anything_up() -> None:
    made = sample()
    did, signing = did_key_signing(made.owner_signing)
    credential = made.credential
    credential["issuer"]["id"] = did
    credential["credentialSubject"]["achievement"]["id"] = (
        "urn:uuid:5a8f6f0e-7c6e-4f0e-9f6e-1a2b3c4d5e6f"
    )
    credential["credentialSubject"]["achievement"]["creator"]["id"] = did
    for name in ("credentialStatus", "relatedResource"):
        del credential[name]
    evidence = Evidence(now=made.now, contexts=made.contexts)

    report = verify(made.sign(credential, signing), evidence)

    assert report.verified
    assert outcome(report, "achievement") == ("passed", "issuers_own")
    assert outcome(report, "status") == ("passed", "none")
    sentences(report)


def test_a_proof_that_has_run_out_or_is_for_something_else_does_not_hold() -> None:
    made = sample()
    suite_options = made.signed
    suite_options["proof"]["proofPurpose"] = "authentication"

    report = made.judge(suite_options)

    assert outcome(report, "key") == ("failed", "purpose")
    assert outcome(report, "proof") == ("unknown", "not_checked")
    sentences(report)


# ---- dates


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (-10, 10, ("passed", "passed")),
        (-10, None, ("passed", "no_end")),
        (30, 100, ("passed", "passed")),
        (60, 100, ("passed", "passed")),
        (61, 100, ("failed", "not_yet_valid")),
        (86_400, 90_000, ("failed", "not_yet_valid")),
        (-10, 1, ("passed", "passed")),
        (-10, 0, ("failed", "expired")),
        (-10, -1, ("failed", "expired")),
    ],
)
def test_a_credential_is_valid_between_its_dates(
    start: int, end: int | None, expected: tuple[str, str]
) -> None:
    made = sample()
    credential = made.credential | {"validFrom": utc_text(made.now + timedelta(seconds=start))}
    del credential["validUntil"]
    if end is not None:
        credential["validUntil"] = utc_text(made.now + timedelta(seconds=end))

    for body in (made.sign(credential), made.sign_jwt(credential)):
        report = made.judge(body)
        assert outcome(report, "dates") == expected
        assert report.verified == (expected[0] == "passed")
        sentences(report)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_the_ends_of_time_do_not_break_it(text: str) -> None:
    made = sample()

    for name in ("validFrom", "validUntil", "awardedDate"):
        credential = made.credential | {name: text}
        for body in (made.sign(credential), made.sign_jwt(credential)):
            sentences(made.judge(body))


# ---- status


def status_list(made: Sample, *, signing: Signing | None = None, **changes: Any) -> bytes:
    """A list like the issuer's own; `changes` by path, with __ between."""
    url = made.credential["credentialStatus"]["statusListCredential"]
    document: Json = json.loads(made.evidence.status_lists[url])
    del document["proof"]
    for path, value in changes.items():
        document = replaced(document, tuple(path.split("__")), value)
    return made.sign(document, signing)


def with_list(made: Sample, body: bytes | None) -> Evidence:
    url = made.credential["credentialStatus"]["statusListCredential"]
    others = {place: found for place, found in made.evidence.status_lists.items() if place != url}
    return replace(made.evidence, status_lists=others if body is None else {**others, url: body})


def raised(made: Sample) -> str:
    index = int(made.credential["credentialStatus"]["statusListIndex"])
    return statuslist.encode(statuslist.put(statuslist.empty(), index, value=True))


def test_a_raised_bit_means_revoked_and_its_neighbours_mean_nothing() -> None:
    made = sample()
    index = int(made.credential["credentialStatus"]["statusListIndex"])
    others = bytes([0xFF]) * (statuslist.SIZE // 8)

    revoked = status_list(made, credentialSubject__encodedList=raised(made))
    rest = status_list(
        made,
        credentialSubject__encodedList=statuslist.encode(
            statuslist.put(others, index, value=False)
        ),
    )

    for body in (made.body, made.jwt):
        only(made.judge(body, with_list(made, revoked)), "status", ("failed", "revoked"))
        assert made.judge(body, with_list(made, rest)).verified


def test_a_list_that_is_not_at_hand_leaves_the_answer_unknown() -> None:
    made = sample()

    report = made.judge(made.body, with_list(made, None))

    only(report, "status", ("unknown", "not_available"))
    assert report.verdict == "unknown"


def test_a_list_that_has_run_out_leaves_the_answer_unknown_though_it_says_nothing_bad() -> None:
    made = sample()
    evidence = replace(made.evidence, now=made.now + timedelta(days=31))

    report = made.judge(made.body, evidence)

    assert failed_checks(report) == ["status", "authorization"]
    assert outcome(report, "status") == ("unknown", "list_out_of_date")
    assert outcome(report, "authorization") == ("unknown", "status_unknown")


def test_a_list_of_another_issuer_is_not_used() -> None:
    made = sample()
    owner = made.owner_signing.verification_method.partition("#")[0]
    lists = [
        status_list(made, signing=made.owner_signing, issuer=owner),
        status_list(made, signing=made.owner_signing),
        status_list(made, issuer=owner),
        status_list(
            made,
            signing=replace(
                made.owner_signing, verification_method=made.signing.verification_method
            ),
        ),
    ]

    for body in lists:
        only(made.judge(made.body, with_list(made, body)), "status", ("failed", "list_unusable"))


@pytest.mark.parametrize(
    "changes",
    [
        {"credentialSubject__statusPurpose": "suspension"},
        {"credentialSubject__statusPurpose": "message"},
        {"id": "https://other.example/status/1"},
        {"credentialSubject__encodedList": "u"},
        {"credentialSubject__encodedList": "zAAAA"},
        {"credentialSubject__encodedList": statuslist.encode(bytes(1024))},
        {
            "credentialSubject__encodedList": "u"
            + base64.urlsafe_b64encode(gzip.compress(bytes(9 << 20), mtime=0)).rstrip(b"=").decode()
        },
    ],
    ids=lambda changes: str(changes)[:50],
)
def test_a_list_that_breaks_a_rule_is_not_used(changes: Json) -> None:
    made = sample()

    report = made.judge(made.body, with_list(made, status_list(made, **changes)))

    only(report, "status", ("failed", "list_unusable"))


def test_a_list_that_does_not_say_it_is_one_is_not_used() -> None:
    made = sample()
    body = status_list(made, type=["VerifiableCredential"])

    only(made.judge(made.body, with_list(made, body)), "status", ("failed", "list_unusable"))


@pytest.mark.parametrize("body", [b"", b"{}", b"x", b"<html>", b"ey", b"\xff"])
def test_what_is_no_list_at_all_is_not_used(body: bytes) -> None:
    made = sample()

    only(made.judge(made.body, with_list(made, body)), "status", ("failed", "list_unusable"))


def test_a_changed_list_is_not_used() -> None:
    made = sample()
    url = made.credential["credentialStatus"]["statusListCredential"]
    document: Json = json.loads(made.evidence.status_lists[url])
    bits = statuslist.put(statuslist.empty(), 7, value=True)
    document["credentialSubject"]["encodedList"] = statuslist.encode(bits)

    report = made.judge(made.body, with_list(made, json.dumps(document).encode()))

    only(report, "status", ("failed", "list_unusable"))


def test_a_list_for_several_purposes_serves_each() -> None:
    made = sample()
    body = status_list(made, credentialSubject__statusPurpose=["suspension", "revocation"])

    assert made.judge(made.body, with_list(made, body)).verified


def test_a_list_whose_issuer_is_an_object_is_that_issuers() -> None:
    made = sample()
    issuer, owner = (
        each.verification_method.partition("#")[0] for each in (made.signing, made.owner_signing)
    )
    own = status_list(made, issuer={"id": issuer, "name": "Stadsnätet (exempel)"})
    others = status_list(made, issuer={"id": owner})

    assert made.judge(made.body, with_list(made, own)).verified
    only(made.judge(made.body, with_list(made, others)), "status", ("failed", "list_unusable"))


def jwt_list(made: Sample, **claims: object) -> bytes:
    """The issuer's list as a plain JWT with these claims, of which none is demanded."""
    document: Json = json.loads(status_list(made))
    del document["proof"]
    header = {"typ": "JWT", "kid": made.signing.verification_method}
    return sign_compact(header, compact(document | claims), made.signing.signer).encode()


@pytest.mark.parametrize("name", ["", "iss", "jti", "nbf"])
def test_a_list_in_a_jwt_needs_no_claims_and_may_have_been_signed_later(name: str) -> None:
    made = sample()
    signer = made.signing.verification_method.partition("#")[0]
    listed = made.credential["credentialStatus"]["statusListCredential"]
    claims = {"iss": signer, "jti": listed, "nbf": int(made.now.timestamp())}

    body = jwt_list(made, **{key: value for key, value in claims.items() if key == name})

    assert made.judge(made.body, with_list(made, body)).verified


@pytest.mark.parametrize("name", ["iss", "jti", "sub"])
def test_a_list_in_a_jwt_whose_claims_name_something_else_is_not_used(name: str) -> None:
    made = sample()

    report = made.judge(made.body, with_list(made, jwt_list(made, **{name: "did:web:x.example"})))

    only(report, "status", ("failed", "list_unusable"))


@pytest.mark.parametrize(("name", "hours"), [("exp", 0), ("exp", -1), ("nbf", 1)])
def test_a_list_in_a_jwt_that_is_not_valid_now_leaves_the_answer_unknown(
    name: str, hours: int
) -> None:
    made = sample()
    moment = int((made.now + timedelta(hours=hours)).timestamp())

    report = made.judge(made.body, with_list(made, jwt_list(made, **{name: moment})))

    only(report, "status", ("unknown", "list_out_of_date"))


@pytest.mark.parametrize("index", ["131072", "9999999999", "-1", "1.5", "01", "", "x"])
def test_an_index_outside_the_list_or_in_another_form_is_refused(index: str) -> None:
    made = sample()
    credential = replaced(made.credential, ("credentialStatus", "statusListIndex"), index)

    report = made.judge(made.sign(credential))

    assert report.verdict == "refused"
    sentences(report)


def test_a_purpose_that_the_standard_does_not_know_is_said_as_raised() -> None:
    made = sample()
    credential = replaced(made.credential, ("credentialStatus", "statusPurpose"), "refresh")
    body = status_list(
        made,
        credentialSubject__statusPurpose="refresh",
        credentialSubject__encodedList=raised(made),
    )

    only(made.judge(made.sign(credential), with_list(made, body)), "status", ("failed", "raised"))


def test_a_suspended_credential_is_said_to_be_suspended() -> None:
    made = sample()
    credential = replaced(made.credential, ("credentialStatus", "statusPurpose"), "suspension")
    body = status_list(
        made,
        credentialSubject__statusPurpose="suspension",
        credentialSubject__encodedList=raised(made),
    )

    only(
        made.judge(made.sign(credential), with_list(made, body)), "status", ("failed", "suspended")
    )


# ---- definition and achievement


def with_resource(made: Sample, url: str, body: bytes | None) -> Evidence:
    resources: Mapping[str, bytes] = {
        **{key: value for key, value in made.evidence.resources.items() if key != url},
        **({url: body} if body is not None else {}),
    }
    return replace(made.evidence, resources=resources)


def test_a_definition_whose_bytes_differ_is_found_by_its_digest() -> None:
    made = sample()
    url = made.credential["relatedResource"][0]["id"]
    changed = made.evidence.resources[url].replace(b"Fibersvetsning", b"Fiberlimning")

    report = made.judge(made.body, with_resource(made, url, changed))

    only(report, "definition", ("failed", "differs"))


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_the_digests_of_subresource_integrity_are_known(digest: str) -> None:
    made = sample()
    url = made.credential["relatedResource"][0]["id"]
    value = base64.b64encode(hashlib.new(digest, made.evidence.resources[url]).digest()).decode()

    good = replaced(made.credential, ("relatedResource", 0, "digestSRI"), f"{digest}-{value}")
    wrong = replaced(made.credential, ("relatedResource", 0, "digestSRI"), f"md5-{value}")

    assert made.judge(made.sign(good)).verified
    assert outcome(made.judge(made.sign(wrong)), "definition") == ("failed", "differs")


def test_a_definition_that_is_not_at_hand_is_unknown_and_one_that_is_not_bound_is_refused() -> None:
    made = sample()
    url = made.credential["relatedResource"][0]["id"]
    unbound = made.credential
    del unbound["relatedResource"][0]["digestSRI"]

    only(
        made.judge(made.body, with_resource(made, url, None)),
        "definition",
        ("unknown", "not_available"),
    )
    assert outcome(made.judge(made.sign(unbound)), "structure") == ("failed", "failed")
    other = made.credential
    other["relatedResource"][0]["digestMultibase"] = "uAAAA"
    del other["relatedResource"][0]["digestSRI"]
    only(made.judge(made.sign(other)), "definition", ("unknown", "no_digest"))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", "Ambulanssjukvård"),
        ("description", "Annat"),
        ("humanCode", "SOB-OPTO-99"),
        ("version", "2.0.0"),
        ("tag", ["fiber", "beredskap"]),
        ("criteria", {"narrative": "Något annat"}),
    ],
)
def test_an_achievement_that_is_not_the_published_one_is_refused_though_well_signed(
    member: str, value: object
) -> None:
    made = sample()
    credential = replaced(made.credential, ("credentialSubject", "achievement", member), value)

    for body in (made.sign(credential), made.sign_jwt(credential)):
        only(made.judge(body), "achievement", ("failed", "differs"))


def test_an_achievement_elsewhere_that_is_not_at_hand_is_unknown() -> None:
    made = sample()
    url = made.credential["credentialSubject"]["achievement"]["id"]
    evidence = replace(with_resource(made, url, None), home="https://somewhere-else.example")

    only(made.judge(made.body, evidence), "achievement", ("unknown", "not_available"))


@pytest.mark.parametrize(
    "spelled",
    [
        "{url}",
        "{url}/",
        "{url}#x",
        "{url}?x",
        "{line}",
        "{upper}",
        "{encoded}",
        "{later}",
        "{userinfo}",
        "{cut}",
        "{dots}",
        "{slashes}",
        "{stop}",
        "{wide}",
        "{one_slash}",
    ],
)
@pytest.mark.parametrize("place", ["id", "criteria", "otherIdentifier"])
def test_nobody_claims_an_address_of_ours_for_what_is_not_published_there(
    spelled: str, place: str
) -> None:
    made = sample()
    published = made.credential["credentialSubject"]["achievement"]
    url = published["id"]
    address = spelled.format(
        url=url,
        line=published["otherIdentifier"][0]["identifier"],
        upper=url.replace("/o/", "/O/"),
        encoded=url.replace("/sobona/", "/%73obona/"),
        later=url.replace("1.0.0", "9.9.9"),
        userinfo=url.replace("://", "://annan.example%2F@"),
        cut=url.replace("localhost", "local%68ost"),
        dots=url.replace("/o/", "/x/../o/./"),
        slashes=url.replace("/o/", "//o//"),
        stop=url.replace("localhost", "localhost."),
        wide=url.replace("localhost", "localh\uff4fst"),
        one_slash=url.replace("://", ":/"),
    )
    achievement = {name: published[name] for name in ("type", "name", "description")}
    achievement |= {"id": "urn:uuid:0a4f2a53-52f5-4f5e-8a27-6c9a3e1d5b33"}
    achievement["criteria"] = {"narrative": "Claimed."}
    match place:
        case "id":
            achievement["id"] = address
        case "criteria":
            achievement["criteria"]["id"] = address
        case _:
            achievement["otherIdentifier"] = [
                {
                    "type": "IdentifierEntry",
                    "identifier": address,
                    "identifierType": "identifier",
                }
            ]
    forged = replaced(made.credential, ("credentialSubject", "achievement"), achievement)
    forged = replaced(forged, ("credentialSubject", "result"), None)
    del forged["credentialSubject"]["result"], forged["relatedResource"], forged["credentialStatus"]
    key = ed25519.Ed25519PrivateKey.generate()
    signer = Ed25519Signer(key, PublicKey(Algorithm.ED25519, key.public_key().public_bytes_raw()))
    did = f"did:key:{signer.public_key.multikey()}"
    forged["issuer"] = {"id": did, "type": ["Profile"], "name": "Sobona"}
    forged["id"] = "urn:uuid:5f0f8d6e-0d0e-4f0e-9a55-3a1c8f0b7a11"
    signing = Signing(signer, f"{did}#{signer.public_key.multikey()}", made.now)
    body = FORMATS["ldp_vc"].secure(forged, signing, made.contexts)
    evidence = replace(with_resource(made, url, None), home=url.partition("/o/")[0])

    report = made.judge(body, evidence)

    assert outcome(report, "proof") == ("passed", "passed")
    assert outcome(report, "achievement") == ("failed", "not_published")
    assert [note.code for note in report.notes] == ["issuer_unconfirmed"]
    sentences(report)


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("https://vc.example/o/a", True),
        ("https://vc.example:443/o/a", True),
        ("http://vc.example:80/o/a", True),
        ("https://VC.example./O/a", True),
        ("https://vc.example\\o\\a", True),
        ("https:vc.example/o/a", True),
        ("https://somebody@vc.example/o/a", True),
        ("https://vc.example/x/%2e%2e/o/a", True),
        ("https://vc.example/o/?x", True),
        ("https://vc.example:8443/o/a", False),
        ("https://vc.example.evil.example/o/a", False),
        ("https://vc.example@evil.example/o/a", False),
        ("https://evil.example/https://vc.example/o/a", False),
        ("https://evil.example/?u=https://vc.example/o/a", False),
        ("https://vc.example/other/a", False),
        ("https://vc.example/o/../other", False),
        ("urn:vc.example/o/a", False),
        ("https://vc.example:x/o/a", False),
        ("", False),
    ],
)
def test_what_stands_under_an_address_is_where_a_browser_would_be_led(
    address: str, *, ours: bool
) -> None:
    assert stands_under(address, "https://vc.example/o/") is ours


def endorsement_of(made: Sample, issuer: str) -> Json:
    return {
        "@context": made.credential["@context"],
        "id": "urn:uuid:9f6f1c4b-6a53-4a5c-8f04-0c2b7a6d1e22",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Endorsed",
        "issuer": {"id": issuer, "type": ["Profile"], "name": "Sobona"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": made.credential["issuer"]["id"],
            "type": ["EndorsementSubject"],
            "endorsementComment": "Great.",
        },
    }


def test_an_endorsement_inside_is_a_credential_that_must_hold_itself() -> None:
    made = sample()
    unsigned = endorsement_of(made, made.credential["issuer"]["id"])
    signed = json.loads(made.sign(unsigned))
    compact_jws = FORMATS["vc+jwt"].secure(unsigned, made.signing, made.contexts).decode()
    elsewhere = endorsement_of(made, "did:web:elsewhere.example")
    six = [signed | {"id": f"urn:uuid:9f6f1c4b-6a53-4a5c-8f04-0c2b7a6d1e3{n}"} for n in range(6)]
    expected = [
        ({"endorsement": [signed]}, ("passed", "passed")),
        ({"endorsement": signed}, ("passed", "passed")),
        ({"endorsement": [unsigned]}, ("failed", "failed")),
        ({"endorsement": [signed | {"name": "Praised"}]}, ("failed", "refused")),
        ({"endorsement": [signed, signed | {"name": "Praised"}]}, ("failed", "refused")),
        ({"endorsement": [json.loads(made.sign(elsewhere))]}, ("unknown", "not_available")),
        ({"endorsement": six}, ("unknown", "not_checked")),
        ({"endorsementJwt": [compact_jws]}, ("passed", "passed")),
        ({"endorsementJwt": [compact_jws[:-9]]}, ("failed", "failed")),
        ({"endorsementJwt": ["ey"]}, ("failed", "failed")),
    ]

    for change, outcome_of_it in expected:
        report = made.judge(made.sign(made.credential | change))
        assert outcome(report, "endorsements") == outcome_of_it, change
        assert report.verified is (outcome_of_it[0] == "passed")
        sentences(report)
    unreachable = json.loads(made.sign(elsewhere))
    unreachable["proof"]["verificationMethod"] = "did:web:elsewhere.example#key"
    report = made.judge(made.sign(made.credential | {"endorsement": [unreachable]}))
    assert outcome(report, "endorsements") == ("unknown", "not_available")
    assert (
        "did:web:elsewhere.example"
        in wanted(made.sign(made.credential | {"endorsement": [unreachable]})).dids
    )


def test_a_credential_is_no_endorsement() -> None:
    made = sample()
    body = made.sign(made.credential | {"endorsement": [made.signed]})

    assert outcome(made.judge(body), "endorsements") == ("failed", "refused")


def test_a_status_of_another_type_is_unknown_and_the_worst_of_two_counts() -> None:
    made = sample()
    other = {
        "id": "https://lists.example/1",
        "type": "1EdTechRevocationList",
    }
    contexts = [
        *made.credential["@context"],
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ]
    foreign = made.sign(made.credential | {"@context": contexts, "credentialStatus": other})
    both = [made.credential["credentialStatus"], other]
    two = made.sign(made.credential | {"@context": contexts, "credentialStatus": both})

    assert outcome(made.judge(foreign), "status") == ("unknown", "unsupported")
    assert outcome(made.judge(foreign), "structure") == ("passed", "passed")
    assert outcome(made.judge(two), "status") == ("unknown", "unsupported")


def test_a_bitstring_entry_without_its_members_fails_as_a_status() -> None:
    made = sample()
    body = made.sign(made.credential | {"credentialStatus": {"type": "BitstringStatusListEntry"}})

    assert outcome(made.judge(body), "status") == ("failed", "list_unusable")


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"created": "2099-01-01T00:00:00Z"}, ("failed", "in_future")),
        ({"created": "yesterday"}, ("unknown", "not_checked")),
        ({"expires": "soon"}, ("unknown", "not_checked")),
        ({"previousProof": "urn:uuid:1"}, ("failed", "failed")),
    ],
)
def test_a_proof_that_holds_says_nothing_if_its_options_speak_against_it(
    option: Json, expected: tuple[str, str]
) -> None:
    made = sample()
    options = {name: value for name, value in made.signed["proof"].items() if name != "proofValue"}
    proof = {**options, **option}
    suite = CRYPTOSUITES["eddsa-rdfc-2022"]
    try:
        proof = suite.add_proof(made.credential, proof, made.signing.signer, made.contexts)
    except Malformed:
        proof["proofValue"] = made.signed["proof"]["proofValue"]

    found = outcome(made.judge({**made.credential, "proof": proof}), "proof")

    assert found == expected


def test_a_named_blank_node_is_refused() -> None:
    made = sample()
    result = made.credential["credentialSubject"]["result"][0]
    halves = [{**result, "id": "_:r"}, {"type": ["Result"], "id": "_:r"}]
    body = made.sign(replaced(made.credential, ("credentialSubject", "result"), halves))

    assert outcome(made.judge(body), "terms") == ("failed", "unplain_member")


@pytest.mark.parametrize("member", ["evidence", "type", "tag", "relatedResource"])
def test_a_long_list_is_refused_before_it_costs_anything(member: str) -> None:
    made = sample()
    many = [{} if member != "type" else f"T{number}" for number in range(5_000)]
    started = time.process_time()

    report = made.judge(made.signed | {member: many})

    assert outcome(report, "parsed") == ("failed", "failed")
    assert time.process_time() - started < 2


def test_a_ring_of_blank_nodes_is_too_complex_and_no_error_of_ours() -> None:
    made = sample()
    ring = [{"id": f"_:r{n}", "image": {"id": f"_:r{(n + 1) % 190}"}} for n in range(190)]

    report = made.judge(made.signed | {"evidence": ring})

    assert report.verdict == "refused"
    assert outcome(report, "proof") == ("failed", "failed")


def test_an_issuer_whom_the_owner_does_not_let_issue_is_refused_by_name() -> None:
    made = sample()
    url = made.credential["relatedResource"][0]["id"]
    credential = made.credential
    del credential["termsOfUse"]
    body = made.sign(credential)

    assert outcome(made.judge(body), "authorization") == ("passed", "listed")
    for authorised in ({url: frozenset[str]()}, {url: frozenset({"did:web:other.example"})}):
        report = made.judge(body, replace(made.evidence, authorised=authorised))
        only(report, "authorization", ("failed", "none"))
        (finding,) = [found for found in report.findings if found.check == "authorization"]
        assert "Sobona" in finding.sentence("sv")


def test_a_definition_in_another_folder_does_not_authorise() -> None:
    made = sample()
    url = made.credential["relatedResource"][0]["id"]
    other = url.replace("1.0.0", "2.0.0")
    body = made.evidence.resources[url]
    credential = replaced(made.credential, ("relatedResource", 0, "id"), other)
    evidence = replace(
        made.evidence,
        resources={**made.evidence.resources, other: body},
        authorised={other: made.evidence.authorised[url]},
    )

    report = made.judge(made.sign(credential), evidence)

    only(report, "achievement", ("failed", "definition_missing"))


@pytest.mark.parametrize("state", ["superseded", "retired"])
def test_a_definition_that_is_no_longer_issued_is_a_note_and_decides_nothing(state: str) -> None:
    made = sample()
    url = made.credential["relatedResource"][0]["id"]

    report = made.judge(made.body, replace(made.evidence, definition_states={url: state}))

    assert report.verified
    assert f"definition_{state}" in [note.code for note in report.notes]
    sentences(report)


# ---- nothing raises


NAMES = st.sampled_from(
    [
        "@context", "@id", "@type", "@value", "@language", "@list", "@set", "@json", "id", "type",
        "name", "issuer", "proof", "validFrom", "validUntil", "achievement", "creator", "alignment",
        "credentialStatus", "statusListIndex", "relatedResource", "digestSRI", "hashed", "_:b", "",
        "https://x.example/y", "valid_from", "image", "evidence", "expires", "previousProof",
    ]
)  # fmt: skip
SCALARS = st.sampled_from(
    [
        None, True, False, 0, -1, 1.5, 1e300, 2**53 - 1, "", "x", "#", "{x}", "@id", "@json", "_:b0",
        "did:key:z", "did:web:", "did:web:x#y", "urn:a", "a b", "9" * 300, "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "sha384-x", "\u202e", "0",
    ]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_replacement_of_members_makes_the_report_raise(data: st.DataObject) -> None:
    made = sample()
    document = made.signed
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(document)))
        value = data.draw(VALUES)
        target = at(document, place)
        if isinstance(target, dict) and data.draw(st.booleans()):
            value = {**target, data.draw(NAMES): value}
        document = (
            replaced(document, place, value) if place else {**document, data.draw(NAMES): value}
        )
    body = json.dumps(document).encode()
    payload = {name: value for name, value in document.items() if name != "proof"}
    head = {"kid": made.jwt_signing.verification_method}
    token = sign_compact(head, json.dumps(payload).encode(), made.jwt_signing.signer).encode()

    for found in (body, token):
        sentences(made.judge(found))
        wanted(found)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_did_document_makes_the_report_raise(data: st.DataObject) -> None:
    made = sample()
    did = made.credential["issuer"]["id"]
    document: Json = dict(made.evidence.did_documents[did])
    place = data.draw(st.sampled_from(places(document)[1:]))
    changed = replaced(json.loads(json.dumps(document)), place, data.draw(VALUES))
    evidence = replace(made.evidence, did_documents={did: changed})

    for body in (made.body, made.jwt):
        sentences(made.judge(body, evidence))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100) | st.from_regex(r"ey[\w.=-]{0,60}").map(str.encode))
def test_no_bytes_make_the_report_raise(body: bytes) -> None:
    report = sample().judge(body)

    assert report.verdict == "refused"
    sentences(report)


def test_a_new_key_in_the_document_does_not_disturb_what_the_old_one_signed() -> None:
    made = sample()
    did = made.credential["issuer"]["id"]
    keys = [
        made.owner_signing.signer.public_key,
        made.signing.signer.public_key,
        made.jwt_signing.signer.public_key,
    ]
    documents = {**made.evidence.did_documents, did: did_document(did, keys)}
    evidence = replace(made.evidence, did_documents=documents)

    assert made.judge(made.body, evidence).verified
    assert made.judge(made.jwt, evidence).verified


def test_the_clock_of_the_report_is_the_one_handed_in() -> None:
    made = sample()
    end = datetime.fromisoformat(made.credential["validUntil"])

    before = made.judge(made.body, replace(made.evidence, now=end - timedelta(seconds=1)))
    after = made.judge(made.body, replace(made.evidence, now=end))

    assert outcome(before, "dates") == ("passed", "passed")
    assert outcome(after, "dates") == ("failed", "expired")
