"""Credentials of issuers elsewhere: what is fetched, over real TLS, and what every bad answer leads to."""

import base64
import gzip
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from kpass_vc import statuslist
from kpass_vc.crypto.jose import sign_compact, to_jwk
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.dids.web import did_document, verification_method_id
from kpass_vc.fetch import HttpsFetcher
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Signing
from kpass_vc.formats.registered_claims import registered_claims
from kpass_vc.keystores.file import FileKeyStore
from kpass_vc.model.dates import utc_text
from kpass_vc.verification import VerificationReport
from tests.sample import outcome
from tests.test_fetch import PRIVATE
from tests.tls import Answer, Authority, https_server, sends
from tests.world import NothingElsewhere, World

Json = dict[str, Any]
HOST = "issuer.example"


@dataclass
class Elsewhere:
    """An issuer with a web server of its own, and how often it was asked for what."""

    world: World
    authority: Authority
    port: int
    answers: dict[str, Answer]
    store: FileKeyStore
    key: PublicKey
    uri: str
    asked: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def did(self) -> str:
        return f"did:web:{HOST}%3A{self.port}:issuer"

    def serve(self, path: str, body: bytes, media_type: str = "application/json") -> str:
        def answer(handler: Any) -> None:
            self.asked.append(path)
            sends(body, media_type)(handler)

        self.answers[path] = answer
        return self.base + path

    def serve_did(self, **changes: object) -> None:
        document = did_document(self.did, [self.key]) | changes
        self.serve("/issuer/did.json", json.dumps(document).encode())

    def sign(self, credential: Json, form: str = "ldp_vc") -> bytes:
        signing = Signing(
            self.store.signer(self.uri, organization_id="elsewhere"),
            verification_method_id(self.did, self.key),
            self.world.env.now(),
        )
        return FORMATS[form].secure(credential, signing, self.world.env.contexts)

    def credential(self, **changes: object) -> Json:
        return {
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": f"{self.base}/credentials/1",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Splice fibre",
            "issuer": {"id": self.did, "type": ["Profile"], "name": "Elsewhere"},
            "validFrom": utc_text(self.world.env.now() - timedelta(days=1)),
            "credentialSubject": {
                "type": ["AchievementSubject"],
                "id": "urn:uuid:9f6f1c4b-6a53-4a5c-8f04-0c2b7a6d1e22",
                "achievement": {
                    "id": f"{self.base}/achievements/1",
                    "type": ["Achievement"],
                    "name": "Splice fibre",
                    "description": "Can splice.",
                    "criteria": {"narrative": "A test."},
                },
            },
        } | changes

    def status(self, index: str = "7", purpose: str = "revocation") -> Json:
        return {
            "id": f"{self.base}/list#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": index,
            "statusListCredential": f"{self.base}/list",
        }

    def status_list(self, encoded: str | None = None, **changes: object) -> Json:
        now = self.world.env.now()
        return {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": f"{self.base}/list",
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self.did,
            "validFrom": utc_text(now - timedelta(minutes=1)),
            "validUntil": utc_text(now + timedelta(days=1)),
            "credentialSubject": {
                "id": f"{self.base}/list#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": encoded or statuslist.encode(statuslist.empty()),
            },
        } | changes

    def verified(self, body: bytes) -> VerificationReport:
        return self.world.verified(body)

    def with_list(
        self, status_list: Json, form: str = "ldp_vc", **status: str
    ) -> VerificationReport:
        self.serve("/list", self.sign(status_list, form))
        return self.verified(self.sign(self.credential(credentialStatus=self.status(**status))))


@pytest.fixture
def elsewhere(world: World, authority: Authority, tmp_path: Any) -> Iterator[Elsewhere]:
    answers: dict[str, Answer] = {}
    folder = tmp_path / "foreign-keys"
    folder.mkdir(mode=0o700)
    store = FileKeyStore(folder, lambda: (bytes(32),))
    uri, key = store.generate(Algorithm.ED25519, organization_id="elsewhere", key_id="k")
    with https_server(authority, answers) as port:
        fetcher = HttpsFetcher(
            allow=frozenset({f"{HOST}:{port}"}),
            ca_file=authority.ca_file,
            seconds=2,
            resolve=lambda _host, _port: ["127.0.0.1"],
        )
        there = replace(world, env=replace(world.env, fetcher=fetcher))
        made = Elsewhere(there, authority, port, answers, store, key, uri)
        made.serve_did()
        yield made


@pytest.mark.parametrize("form", ["ldp_vc", "vc+jwt"])
def test_an_issuer_elsewhere_that_has_a_path_and_not_a_domain_is_not_confirmed_by_its_address(
    elsewhere: Elsewhere, form: str
) -> None:
    report = elsewhere.verified(elsewhere.sign(elsewhere.credential(), form))

    assert report.verdict == "verified"
    assert outcome(report, "achievement") == ("passed", "issuers_own")
    (note,) = report.notes
    assert (note.code, note.data) == (
        "issuer_not_confirmed_there",
        {"host": f"{HOST}:{elsewhere.port}"},
    )
    assert elsewhere.asked == ["/issuer/did.json"]


def test_an_issuer_elsewhere_whose_did_is_a_domain_is_confirmed_by_it(elsewhere: Elsewhere) -> None:
    there = renamed(elsewhere, "", "/.well-known/did.json")

    report = there.verified(there.sign(there.credential()))

    (note,) = report.notes
    assert report.verified
    assert (note.code, note.data) == ("issuer_domain", {"domain": f"{HOST}:{there.port}"})
    assert note.sentence("sv") != note.sentence("en")


@dataclass
class Renamed(Elsewhere):
    """The same web server, as another DID."""

    path: str = ""

    @property
    def did(self) -> str:
        return f"did:web:{HOST}%3A{self.port}{self.path}"


def renamed(there: Elsewhere, path: str, document: str) -> Renamed:
    as_such = Renamed(
        there.world, there.authority, there.port, there.answers, there.store, there.key, there.uri
    )
    as_such.path = path
    served = json.dumps(did_document(as_such.did, [as_such.key])).encode()
    as_such.serve(document, served)
    return as_such


def confirmation(there: Elsewhere, *dids: str, **changes: object) -> Json:
    """An operator's list of the organisations that it has confirmed."""
    now = there.world.env.now()
    return {
        "@context": there.credential()["@context"],
        "id": f"{there.base}/o/operator/confirmed.json",
        "type": [
            "VerifiableCredential",
            f"{there.world.env.vocabulary}ConfirmedOrganizations",
        ],
        "name": "x",
        "issuer": {"id": there.did, "type": ["Profile"], "name": "The operator"},
        "validFrom": utc_text(now - timedelta(minutes=1)),
        "validUntil": utc_text(now + timedelta(days=1)),
        "credentialSubject": [{"id": did, "type": ["Profile"], "name": "x"} for did in dids],
    } | changes


PLACE = "/o/operator/confirmed.json"


def judged_by(elsewhere: Elsewhere, made: Callable[[Renamed, Renamed], bytes | None]) -> str:
    """The note on an issuer whose service's operator serves this list."""
    operator = renamed(elsewhere, ":o:operator", "/o/operator/did.json")
    issuer = renamed(elsewhere, ":o:issuer", "/o/issuer/did.json")
    body = made(operator, issuer)
    if body is not None:
        operator.serve(PLACE, body)
    report = issuer.verified(issuer.sign(issuer.credential()))
    assert report.verified
    (note,) = report.notes
    assert note.data == {"host": f"{HOST}:{elsewhere.port}"}
    assert f"{HOST}:{elsewhere.port}" in note.sentence("sv")
    assert f"{HOST}:{elsewhere.port}" in note.sentence("en")
    return note.code


def test_an_issuer_on_another_service_is_confirmed_by_the_signed_list_of_its_operator(
    elsewhere: Elsewhere,
) -> None:
    code = judged_by(
        elsewhere,
        lambda operator, issuer: operator.sign(confirmation(operator, "did:web:x", issuer.did)),
    )

    assert code == "issuer_confirmed_there"


NOT_CONFIRMED: dict[str, Callable[[Renamed, Renamed], bytes | None]] = {
    "no list": lambda _operator, _issuer: None,
    "junk": lambda _operator, _issuer: b"<html>",
    "another is named": lambda operator, issuer: operator.sign(
        confirmation(operator, f"{issuer.did}x")
    ),
    "the issuer's own list": lambda _, issuer: issuer.sign(confirmation(issuer, issuer.did)),
    "signed by the issuer": lambda operator, issuer: issuer.sign(
        confirmation(operator, issuer.did)
    ),
    "changed": lambda operator, issuer: operator.sign(
        confirmation(operator, f"{issuer.did}x")
    ).replace(f"{issuer.did}x".encode(), issuer.did.encode()),
    "run out": lambda operator, issuer: operator.sign(
        confirmation(
            operator,
            issuer.did,
            validUntil=utc_text(operator.world.env.now() - timedelta(seconds=1)),
        )
    ),
    "another type": lambda operator, issuer: operator.sign(
        confirmation(operator, issuer.did, type=["VerifiableCredential"])
    ),
    "another address": lambda operator, issuer: operator.sign(
        confirmation(operator, issuer.did, id=f"{operator.base}/o/operator/list.json")
    ),
}


@pytest.mark.parametrize("made", NOT_CONFIRMED)
def test_what_is_no_list_of_its_operator_that_holds_confirms_no_issuer(
    elsewhere: Elsewhere, made: str
) -> None:
    assert judged_by(elsewhere, NOT_CONFIRMED[made]) == "issuer_not_confirmed_there"


@pytest.mark.parametrize("form", ["ldp_vc", "vc+jwt"])
def test_a_status_list_elsewhere_is_read_in_both_forms(elsewhere: Elsewhere, form: str) -> None:
    bits = statuslist.put(statuslist.empty(), 8, value=True)
    listed = elsewhere.status_list(statuslist.encode(bits))

    assert elsewhere.with_list(listed, form, index="7").verdict == "verified"
    assert outcome(elsewhere.with_list(listed, form, index="8"), "status") == ("failed", "revoked")


def bomb() -> str:
    return "u" + base64url_encode(gzip.compress(bytes(100 * 1024 * 1024), compresslevel=9))


@pytest.mark.parametrize(
    ("made", "index", "rule"),
    [
        (bomb, "7", "size"),
        (lambda: "u" + base64url_encode(gzip.compress(bytes(16_383))), "7", "length"),
        (lambda: statuslist.encode(statuslist.empty()), "131072", "range"),
        (lambda: statuslist.encode(statuslist.empty()), "9999999999", "range"),
        (lambda: "z" + base64url_encode(gzip.compress(bytes(16_384))), "7", "encoding"),
        (lambda: "u" + base64url_encode(bytes(16_384)), "7", "encoding"),
        (lambda: "u" + base64url_encode(gzip.compress(bytes(16_384)) + b"x"), "7", "encoding"),
    ],
    ids=["bomb", "short", "outside", "far outside", "base58", "no gzip", "trailing"],
)
def test_a_list_that_breaks_the_rules_fails_the_check_by_name(
    elsewhere: Elsewhere, made: Any, index: str, rule: str
) -> None:
    report = elsewhere.with_list(elsewhere.status_list(made()), index=index)

    assert report.verdict == "refused"
    (found,) = [finding for finding in report.findings if finding.check == "status"]
    assert found.code == "list_unusable"
    assert found.cause is not None
    assert found.cause.rule == rule
    assert found.sentence("sv")


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "did:web:other.example"},
        {"id": "https://issuer.example/other"},
        {"type": ["VerifiableCredential"]},
    ],
)
def test_a_list_of_another_issuer_address_or_type_is_refused(
    elsewhere: Elsewhere, changes: Json
) -> None:
    report = elsewhere.with_list(elsewhere.status_list(**changes))

    assert outcome(report, "status") == ("failed", "list_unusable")


def test_a_list_for_another_purpose_is_refused(elsewhere: Elsewhere) -> None:
    report = elsewhere.with_list(elsewhere.status_list(), purpose="suspension")

    assert outcome(report, "status") == ("failed", "list_unusable")


def test_a_list_that_has_run_out_is_unknown(elsewhere: Elsewhere) -> None:
    gone = utc_text(elsewhere.world.env.now() - timedelta(seconds=1))
    report = elsewhere.with_list(elsewhere.status_list(validUntil=gone))

    assert outcome(report, "status") == ("unknown", "list_out_of_date")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"\xff" * 100, b"ey.a.b"])
def test_what_is_no_list_is_refused(elsewhere: Elsewhere, body: bytes) -> None:
    elsewhere.serve("/list", body)
    report = elsewhere.verified(
        elsewhere.sign(elsewhere.credential(credentialStatus=elsewhere.status()))
    )

    assert outcome(report, "status") == ("failed", "list_unusable")


def test_a_list_that_is_not_there_is_unknown_and_says_why(elsewhere: Elsewhere) -> None:
    report = elsewhere.verified(
        elsewhere.sign(elsewhere.credential(credentialStatus=elsewhere.status()))
    )

    assert report.verdict == "unknown"
    (found,) = [finding for finding in report.findings if finding.check == "status"]
    assert found.code == "not_fetched"
    assert "404" in found.sentence("sv")
    assert "404" in found.sentence("en")


def digest(body: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def test_a_bound_document_elsewhere_is_compared_by_its_digest(elsewhere: Elsewhere) -> None:
    url = elsewhere.serve("/definition", b"what it means")
    bound = elsewhere.credential(
        relatedResource=[{"id": url, "digestSRI": digest(b"what it means")}]
    )
    other = elsewhere.credential(relatedResource=[{"id": url, "digestSRI": digest(b"else")}])

    assert elsewhere.verified(elsewhere.sign(bound)).verdict == "verified"
    assert outcome(elsewhere.verified(elsewhere.sign(other)), "definition") == ("failed", "differs")


def test_a_bound_document_at_the_achievements_address_is_not_taken_for_a_published_one(
    elsewhere: Elsewhere,
) -> None:
    url = elsewhere.serve("/achievements/1", b"no json")
    bound = elsewhere.credential(relatedResource=[{"id": url, "digestSRI": digest(b"no json")}])

    assert elsewhere.verified(elsewhere.sign(bound)).verdict == "verified"


def test_an_achievement_of_somebody_else_stays_unknown(elsewhere: Elsewhere) -> None:
    credential = elsewhere.credential()
    credential["credentialSubject"]["achievement"]["creator"] = {
        "id": "did:web:owner.example",
        "type": ["Profile"],
        "name": "Owner",
    }

    report = elsewhere.verified(elsewhere.sign(credential))

    assert report.verdict == "unknown"
    assert outcome(report, "achievement") == ("unknown", "not_fetched")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "did:web:other.example"}, ("failed", "failed")),
        ({"assertionMethod": []}, ("passed", "passed")),
    ],
)
def test_a_did_document_of_another_or_without_the_key_is_refused(
    elsewhere: Elsewhere, changes: Json, expected: tuple[str, str]
) -> None:
    elsewhere.serve_did(**changes)

    report = elsewhere.verified(elsewhere.sign(elsewhere.credential()))

    assert report.verdict == "refused" or outcome(report, "did")[0] == "failed"
    assert outcome(report, "did") == expected


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id": 1, "id": 2}', b"[]", b"\xff"])
def test_a_did_document_that_is_no_json_is_unknown_with_the_reason(
    elsewhere: Elsewhere, body: bytes
) -> None:
    elsewhere.serve("/issuer/did.json", body)

    report = elsewhere.verified(elsewhere.sign(elsewhere.credential()))

    assert outcome(report, "did") == ("unknown", "not_fetched")
    assert report.verdict == "unknown"


def test_nothing_but_the_issuers_identity_is_asked_for_before_the_proof_holds(
    elsewhere: Elsewhere,
) -> None:
    elsewhere.serve("/list", elsewhere.sign(elsewhere.status_list()))
    url = elsewhere.serve("/definition", b"x")
    signed = elsewhere.sign(
        elsewhere.credential(
            credentialStatus=elsewhere.status(),
            relatedResource=[{"id": url, "digestSRI": digest(b"x")}],
        )
    )

    report = elsewhere.verified(signed.replace(b"Splice fibre", b"Splice wires"))

    assert outcome(report, "proof") == ("failed", "failed")
    assert elsewhere.asked == ["/issuer/did.json"]


def test_no_more_than_a_few_documents_are_asked_for(elsewhere: Elsewhere) -> None:
    resources = [
        {"id": elsewhere.serve(f"/r{number}", b"x"), "digestSRI": digest(b"x")}
        for number in range(9)
    ]

    report = elsewhere.verified(elsewhere.sign(elsewhere.credential(relatedResource=resources)))

    assert outcome(report, "definition") == ("unknown", "not_available")
    assert len(elsewhere.asked) == 5


def test_our_own_address_is_never_asked_for(elsewhere: Elsewhere) -> None:
    own = elsewhere.world.env.addresses.base.replace("http://", "https://")
    asked: list[str] = []

    class Spy(NothingElsewhere):
        def get(self, url: str, *, accept: str, limit: int = 0) -> Any:
            asked.append(url)
            return elsewhere.world.env.fetcher.get(url, accept=accept)

    there = replace(elsewhere.world, env=replace(elsewhere.world.env, fetcher=Spy()))
    signed = elsewhere.sign(
        elsewhere.credential(
            relatedResource=[{"id": f"{own}/o/x.json", "digestSRI": digest(b"x")}],
            credentialStatus=elsewhere.status()
            | {"statusListCredential": f"{own}/o/a/status/x.json"},
        )
    )

    there.verified(signed)

    assert asked == [f"{elsewhere.base}/issuer/did.json"]


def signed_jwt(elsewhere: Elsewhere, payload: Json) -> bytes:
    """A vc+jwt of the issuer with these claims beside the credential."""
    signer = elsewhere.store.signer(elsewhere.uri, organization_id="elsewhere")
    header = {"typ": "vc+jwt", "kid": verification_method_id(elsewhere.did, elsewhere.key)}
    return sign_compact(header, json.dumps(payload).encode(), signer).encode()


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": "2020-01-01"}, ("failed", "expired")),
        ({"exp": True}, ("failed", "expired")),
        ({"exp": None}, ("failed", "expired")),
        ({"nbf": 4_000_000_000}, ("failed", "in_future")),
        ({"nbf": "now"}, ("failed", "in_future")),
        ({"iat": []}, ("failed", "in_future")),
        ({"exp": 4_000_000_000.5, "nbf": 1, "iat": 1}, ("passed", "passed")),
    ],
)
def test_a_jwt_is_believed_only_between_its_own_moments(
    elsewhere: Elsewhere, claims: Json, expected: tuple[str, str]
) -> None:
    report = elsewhere.verified(signed_jwt(elsewhere, elsewhere.credential() | claims))

    assert outcome(report, "proof") == expected


@pytest.mark.parametrize("claims", [{"exp": "2020"}, {"exp": 1}, {"nbf": 4_000_000_000}])
def test_a_list_outside_the_moments_of_its_jwt_says_nothing(
    elsewhere: Elsewhere, claims: Json
) -> None:
    elsewhere.serve("/list", signed_jwt(elsewhere, elsewhere.status_list() | claims))
    report = elsewhere.verified(
        elsewhere.sign(elsewhere.credential(credentialStatus=elsewhere.status()))
    )

    assert outcome(report, "status") == ("unknown", "list_out_of_date")


@pytest.mark.parametrize("member", ["revoked", "expires"])
@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2020-01-01T00:00:00Z", "failed"), ("soon", "failed"), ("2999-01-01T00:00:00Z", "passed")],
)
def test_a_key_that_its_issuer_has_ended_is_not_believed(
    elsewhere: Elsewhere, member: str, moment: str, expected: str
) -> None:
    document: Any = did_document(elsewhere.did, [elsewhere.key])
    (method,) = document["verificationMethod"]
    elsewhere.serve_did(verificationMethod=[method | {member: moment}])

    report = elsewhere.verified(elsewhere.sign(elsewhere.credential()))

    assert outcome(report, "key")[0] == expected
    for finding in report.findings:
        assert finding.sentence("sv")


def test_a_key_shown_in_the_jwt_is_found_beside_one_of_another_kind(elsewhere: Elsewhere) -> None:
    uri, key = elsewhere.store.generate(Algorithm.P256, organization_id="elsewhere", key_id="shown")
    document: Any = did_document(elsewhere.did, [key])
    other = {"id": f"{elsewhere.did}#x", "type": "X25519KeyAgreementKey2020", "controller": "?"}
    document["verificationMethod"].insert(0, other)
    document["assertionMethod"].insert(0, other["id"])
    elsewhere.serve("/issuer/did.json", json.dumps(document).encode())
    credential = elsewhere.credential()
    payload = credential | registered_claims(credential)
    signer = elsewhere.store.signer(uri, organization_id="elsewhere")
    header = {"typ": "JWT", "jwk": to_jwk(key)}
    body = sign_compact(header, json.dumps(payload).encode(), signer).encode()

    assert elsewhere.verified(body).verdict == "verified"


@pytest.fixture(scope="module")
def connections() -> list[str]:
    """Where any socket of this process is connected to, as the interpreter itself reports it."""
    seen: list[str] = []

    def spy(event: str, values: tuple[object, ...]) -> None:
        if event == "socket.connect":
            seen.append(str(values[1]))

    sys.addaudithook(spy)
    return seen


def leading_to(address: str) -> Callable[[str, int], list[str]]:
    """A resolver that knows one address for every name."""
    return lambda _host, _port: [address]


def test_no_socket_is_connected_to_a_private_address_whatever_an_issuers_name_leads_to(
    elsewhere: Elsewhere, connections: list[str]
) -> None:
    body = elsewhere.sign(elsewhere.credential())
    connections.clear()
    assert elsewhere.verified(body).verdict == "verified"
    assert connections == [str(("127.0.0.1", elsewhere.port))]
    connections.clear()

    for address in PRIVATE:
        fetcher = HttpsFetcher(resolve=leading_to(address))
        report = replace(
            elsewhere.world, env=replace(elsewhere.world.env, fetcher=fetcher)
        ).verified(body)

        assert outcome(report, "did") == ("unknown", "not_fetched"), address
        assert report.verdict == "unknown", address
    assert connections == []
