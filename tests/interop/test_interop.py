"""Our credentials in other people's verifiers, and theirs in ours.

Who refuses what is right, or accepts what is wrong, stands in test_foreign_defects.py.
"""

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator, Draft202012Validator, FormatChecker

from kpass_vc.actions.verify import own_did_document
from kpass_vc.dids import public_key
from kpass_vc.formats import FORMATS
from kpass_vc.model.did import find_method
from kpass_vc.resources import folder
from tests.interop.catalogue import Catalogue, Edition
from tests.interop.elsewhere import their_credential
from tests.interop.foreign import NODE_VERIFIERS, Jws, Verdict
from tests.interop.tampering import (
    change_a_text,
    change_the_payload,
    change_the_proof_value,
    change_the_signature,
)
from tests.interop.verdicts import (
    OF_DOCUMENTS,
    OF_TOKENS,
    SIGNATURE_IS_WRONG,
    Verdicts,
    in_their_words,
    judge_documents,
    judge_tokens,
    not_accepted,
)
from tests.world import World

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]

SEED = bytes(range(32))
EVERY_SIXTH = slice(None, None, 6)


@dataclass(frozen=True)
class AtIssue:
    """The verdicts on what was just issued, as it is and with one byte changed."""

    documents: Verdicts
    publications: Verdicts
    changed_text: Verdicts
    changed_proof: Verdicts
    tokens: Verdicts
    changed_payload: Verdicts
    changed_signature: Verdicts


@dataclass(frozen=True)
class AfterChanges:
    """The verdicts after every second award was revoked and one suspended, then reinstated."""

    revoked: tuple[str, ...]
    documents: Verdicts
    tokens: Verdicts
    suspended_documents: Verdicts
    suspended_tokens: Verdicts
    reinstated_documents: Verdicts
    reinstated_tokens: Verdicts


@pytest.fixture(scope="session")
def at_issue(catalogue: Catalogue) -> AtIssue:
    world, foreign, editions = catalogue.world, catalogue.foreign(), catalogue.editions
    numbered = list(enumerate(editions))
    groups = {
        "documents": {each.name: each.document for each in editions},
        "changed_text": {each.name: change_a_text(each.document, n) for n, each in numbered},
        "changed_proof": {
            each.name: change_the_proof_value(each.document, n) for n, each in numbered[EVERY_SIXTH]
        },
    }
    publications = {"publications": catalogue.publications}
    tokens = {
        "tokens": {each.name: each.jwt for each in editions},
        "changed_payload": {each.name: change_the_payload(each.jwt, n) for n, each in numbered},
        "changed_signature": {each.name: change_the_signature(each.jwt, n) for n, each in numbered},
    }
    verdicts = judge_documents(world, foreign, _flat(groups), _flat(publications))
    return AtIssue(
        **_by_group({**groups, **publications}, verdicts),
        **{name: judge_tokens(world, foreign, group) for name, group in tokens.items()},
    )


@pytest.fixture(scope="session")
def after_changes(catalogue: Catalogue, at_issue: AtIssue) -> AfterChanges:
    assert at_issue.documents, "what was issued is judged before anything is revoked"
    world, editions, suspendable = catalogue.world, catalogue.editions, catalogue.suspendable
    revoked = [each for number, each in enumerate(editions) if number // 2 % 2 == 0]
    for award in {each.award.award.id: each.award for each in revoked}.values():
        world.set_status(award, "revoked")
    world.set_status(suspendable[0].award, "suspended", "under_investigation")
    foreign = catalogue.foreign()
    groups = {"documents": _documents(editions), "suspended_documents": _documents(suspendable)}
    verdicts = _by_group(groups, judge_documents(world, foreign, _flat(groups)))
    tokens = judge_tokens(world, foreign, _tokens(editions))
    suspended_tokens = judge_tokens(world, foreign, _tokens(suspendable))
    world.set_status(suspendable[0].award, "active", "investigation_closed")
    foreign = catalogue.foreign()
    return AfterChanges(
        revoked=tuple(each.name for each in revoked),
        **verdicts,
        tokens=tokens,
        suspended_tokens=suspended_tokens,
        reinstated_documents=judge_documents(world, foreign, _documents(suspendable)),
        reinstated_tokens=judge_tokens(world, foreign, _tokens(suspendable)),
    )


def test_the_catalogue_has_63_definitions_each_issued_in_two_languages(
    catalogue: Catalogue,
) -> None:
    assert len(catalogue.publications) == 63
    assert len(catalogue.editions) == 126
    assert len({json.loads(each.document)["id"] for each in catalogue.editions}) == 126
    assert len(catalogue.organizations) == 21


@pytest.mark.parametrize("verifier", OF_DOCUMENTS)
def test_every_credential_verifies(at_issue: AtIssue, verifier: str) -> None:
    verdicts = at_issue.documents[verifier]
    assert len(verdicts) == 126
    assert not_accepted(verdicts) == {}
    assert {each.revoked for each in verdicts.values()} == {False}


@pytest.mark.parametrize("verifier", OF_TOKENS)
def test_every_jwt_verifies(at_issue: AtIssue, verifier: str) -> None:
    verdicts = at_issue.tokens[verifier]
    assert len(verdicts) == 126
    assert not_accepted(verdicts) == {}
    assert {each.revoked for each in verdicts.values()} == {False}


@pytest.mark.parametrize("verifier", OF_DOCUMENTS)
def test_no_credential_verifies_with_one_byte_of_a_text_changed(
    at_issue: AtIssue, verifier: str
) -> None:
    verdicts = at_issue.changed_text[verifier]
    assert len(verdicts) == 126
    assert _believed_or_for_another_reason(verifier, verdicts) == {}


@pytest.mark.parametrize("verifier", OF_DOCUMENTS)
def test_no_credential_verifies_with_one_character_of_its_proof_changed(
    at_issue: AtIssue, verifier: str
) -> None:
    verdicts = at_issue.changed_proof[verifier]
    assert len(verdicts) == 21
    assert _believed_or_for_another_reason(verifier, verdicts) == {}


@pytest.mark.parametrize("verifier", OF_TOKENS)
def test_no_jwt_verifies_with_one_byte_of_its_payload_changed(
    at_issue: AtIssue, verifier: str
) -> None:
    verdicts = at_issue.changed_payload[verifier]
    assert len(verdicts) == 126
    assert _believed_or_for_another_reason(verifier, verdicts) == {}


@pytest.mark.parametrize("verifier", OF_TOKENS)
def test_no_jwt_verifies_with_one_character_of_its_signature_changed(
    at_issue: AtIssue, verifier: str
) -> None:
    verdicts = at_issue.changed_signature[verifier]
    assert len(verdicts) == 126
    assert _believed_or_for_another_reason(verifier, verdicts) == {}


def test_a_changed_credential_differs_in_one_byte_and_is_still_json(catalogue: Catalogue) -> None:
    for number, each in enumerate(catalogue.editions):
        changed = change_a_text(each.document, number)
        assert _bytes_that_differ(changed, each.document) == 1
        assert json.loads(changed) != json.loads(each.document)


@pytest.mark.parametrize(
    ("form", "verifier"),
    [("documents", each) for each in OF_DOCUMENTS] + [("tokens", each) for each in OF_TOKENS],
)
def test_after_revocation_exactly_the_revoked_are_revoked(
    after_changes: AfterChanges, form: str, verifier: str
) -> None:
    verdicts = getattr(after_changes, form)[verifier]
    said = {name: each.revoked for name, each in verdicts.items()}
    assert said == {name: name in after_changes.revoked for name in verdicts}
    assert set(not_accepted(verdicts)) == set(after_changes.revoked)
    assert all(each.verified for each in verdicts.values())


def test_revoked_and_good_ones_share_their_lists(
    catalogue: Catalogue, after_changes: AfterChanges
) -> None:
    revoked: set[str] = set()
    good: set[str] = set()
    for each in catalogue.editions:
        entry = json.loads(each.document)["credentialStatus"]
        (revoked if each.name in after_changes.revoked else good).add(entry["statusListCredential"])
    assert revoked & good


@pytest.mark.parametrize(
    ("form", "verifier"),
    [("documents", each) for each in OF_DOCUMENTS] + [("tokens", each) for each in OF_TOKENS],
)
def test_a_suspended_credential_is_refused_until_it_is_reinstated(
    after_changes: AfterChanges, form: str, verifier: str
) -> None:
    suspended = getattr(after_changes, f"suspended_{form}")[verifier]
    reinstated = getattr(after_changes, f"reinstated_{form}")[verifier]
    assert [each.revoked for each in suspended.values()] == [True, True]
    assert [each.accepted for each in reinstated.values()] == [True, True]


@pytest.mark.parametrize("verifier", NODE_VERIFIERS)
def test_every_owners_publication_verifies(at_issue: AtIssue, verifier: str) -> None:
    verdicts = at_issue.publications[verifier]
    assert len(verdicts) == 63
    assert not_accepted(verdicts) == {}


def test_the_proof_of_every_owners_publication_holds_under_the_owners_key(
    catalogue: Catalogue,
) -> None:
    form = FORMATS["ldp_vc"]
    with catalogue.world.reading() as session:
        for body in catalogue.publications.values():
            presented = form.read(body)
            issuer = presented.document["issuer"]
            assert isinstance(issuer, dict)
            document = own_did_document(session, issuer["id"])
            assert document is not None
            method = find_method(
                document, str(presented.proofs[0].verification_method), "assertionMethod"
            )
            form.check_proof(
                presented, presented.proofs[0], public_key(method), catalogue.world.env.contexts
            )


def test_every_did_document_lists_an_ed25519_multikey_first_and_then_a_p256_jwk(
    catalogue: Catalogue,
) -> None:
    foreign = catalogue.foreign()
    for organization in catalogue.organizations.values():
        document = foreign.world[organization.did]
        assert isinstance(document, dict)
        methods = document["verificationMethod"]
        assert [each["type"] for each in methods] == ["Multikey", "JsonWebKey"]
        assert document["assertionMethod"] == [each["id"] for each in methods]


@pytest.mark.official
def test_every_credential_is_valid_by_1edtechs_schema(catalogue: Catalogue) -> None:
    schema = _official("achievementcredential")
    for each in catalogue.editions:
        assert _errors(schema, json.loads(each.document)) == [], each.name


@pytest.mark.official
def test_every_owners_publication_is_valid_by_1edtechs_schema(catalogue: Catalogue) -> None:
    schema = _official("endorsementcredential")
    for code, body in catalogue.publications.items():
        assert _errors(schema, json.loads(body)) == [], code


@pytest.mark.official
@pytest.mark.parametrize(
    ("member", "value"), [("validFrom", "2026-11-20"), ("awardedDate", "2026-13-01T00:00:00Z")]
)
def test_1edtechs_schema_with_its_formats_on_refuses_a_broken_date(
    catalogue: Catalogue, member: str, value: str
) -> None:
    document = json.loads(catalogue.editions[0].document) | {member: value}
    assert _errors(_official("achievementcredential"), document) != []


def test_we_accept_what_digitalbazaar_issues(catalogue: Catalogue) -> None:
    (issued,) = catalogue.foreign().issue_digitalbazaar([their_credential()], SEED)
    body = _compact(issued)
    assert b'"did:key:z6Mk' in body
    _assert_good_and_its_change_refused(catalogue.world, body, change_a_text(body, 0))


def test_we_accept_what_openbadgeslib_issues(catalogue: Catalogue) -> None:
    body = _compact(json.loads(catalogue.foreign().issue_openbadgeslib(their_credential(), SEED)))
    assert b'"did:key:z6Mk' in body
    _assert_good_and_its_change_refused(catalogue.world, body, change_a_text(body, 0))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_we_accept_the_jwt_that_openbadgeslib_issues(catalogue: Catalogue, algorithm: Jws) -> None:
    foreign = catalogue.foreign()
    issued = foreign.issue_openbadgeslib_jwt(their_credential(), SEED, algorithm=algorithm)
    token = issued.encode()
    header = json.loads(urlsafe_b64decode(token.partition(b".")[0] + b"=="))
    assert header["alg"] == algorithm
    assert "jwk" in header
    assert "kid" not in header
    _assert_good_and_its_change_refused(catalogue.world, token, change_the_payload(token, 0))
    _assert_good_and_its_change_refused(catalogue.world, token, change_the_signature(token, 40))


def _assert_good_and_its_change_refused(world: World, good: bytes, changed: bytes) -> None:
    world.clock.moment = datetime.now(UTC)
    report = world.verified(good)
    assert report.verified, in_their_words(report).why
    assert _bytes_that_differ(good, changed) in {1, 2}
    refused = world.verified(changed)
    assert refused.verdict == "refused"
    assert SIGNATURE_IS_WRONG["ours"] in in_their_words(refused).why


def _believed_or_for_another_reason(
    verifier: str, verdicts: Mapping[str, Verdict]
) -> dict[str, str]:
    wrong = {}
    for name, each in verdicts.items():
        if each.verified or SIGNATURE_IS_WRONG[verifier] not in each.why:
            wrong[name] = each.why or "believed"
    return wrong


def _documents(editions: tuple[Edition, ...]) -> dict[str, bytes]:
    return {each.name: each.document for each in editions}


def _tokens(editions: tuple[Edition, ...]) -> dict[str, bytes]:
    return {each.name: each.jwt for each in editions}


def _flat(groups: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    return {
        f"{group}/{name}": body for group, each in groups.items() for name, body in each.items()
    }


def _by_group(groups: Mapping[str, Mapping[str, bytes]], verdicts: Verdicts) -> dict[str, Verdicts]:
    return {
        group: {
            verifier: {
                name: found[f"{group}/{name}"] for name in members if f"{group}/{name}" in found
            }
            for verifier, found in verdicts.items()
        }
        for group, members in groups.items()
    }


def _bytes_that_differ(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return sum(a != b for a, b in zip(one, other, strict=True))


def _official(name: str) -> Draft201909Validator:
    folder = Path(os.environ["KPASS_OFFICIAL"]) / "ob3-schemas"
    schema = json.loads((folder / f"ob_v3p0_{name}_schema.json").read_bytes())
    return Draft201909Validator(schema, format_checker=FormatChecker())


def _errors(schema: Draft201909Validator, document: object) -> list[str]:
    return [f"{each.json_path}: {each.message}" for each in schema.iter_errors(document)]


def _compact(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def test_every_credential_validates_against_our_own_schema(catalogue: Catalogue) -> None:
    schema = json.loads((folder("schemas") / "credential.schema.json").read_text("utf-8"))
    validator = Draft202012Validator(schema, format_checker=FormatChecker())

    broken = {
        each.name: error.message
        for each in catalogue.editions
        for error in validator.iter_errors(json.loads(each.document))
    }

    assert len(catalogue.editions) == 126
    assert broken == {}
