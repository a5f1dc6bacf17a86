"""Whoever is named in a credential or a link: no private address is ever connected to.

The fetcher is the real one and dials for real; only names are answered by the test. A spy
on the interpreter's sockets says what happened, wherever in the code it was.
"""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from kpass_vc.actions.recognise import find_credential
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.signers import Ed25519Signer
from kpass_vc.errors import KpassError, NotFetched
from kpass_vc.fetch import HttpsFetcher, Resolver
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Signing
from kpass_vc.verification import Finding, VerificationReport
from tests.malformed_dids import MALFORMED
from tests.sample import outcome, sample
from tests.sockets import spying
from tests.tls import Answer, Authority, https_server, make_authority, sends
from tests.world import World

Json = dict[str, Any]

PRIVATE = {
    "loopback": ["127.0.0.1"],
    "metadata": ["169.254.169.254"],
    "nat64 loopback": ["64:ff9b::7f00:1"],
    "nat64 metadata": ["64:ff9b::a9fe:a9fe"],
    "local nat64": ["64:ff9b:1::a9fe:a9fe"],
    "6to4 loopback": ["2002:7f00:1::"],
    "6to4 metadata": ["2002:a9fe:a9fe::1"],
    "mapped": ["::ffff:127.0.0.1"],
    "compatible": ["::7f00:1"],
    "mixed": ["8.8.8.8", "127.0.0.1"],
}
LINKS = [
    "https://127.0.0.1/x", "https://127.0.0.1:8443/x", "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/x", "https://[64:ff9b::a9fe:a9fe]/x", "https://[2002:a9fe:a9fe::1]/x",
    "https://[::ffff:169.254.169.254]/x", "https://127.1/x", "https://2130706433/x", "https://0x7f.1/x",
    "https://0177.0.0.1/x", "https://0/x", "https://localhost/x", "https://localhost:5432/x",
    "http://127.0.0.1/x", "file:///etc/passwd", "https://user@127.0.0.1/x", "https://127.0.0.1:0/x",
]  # fmt: skip


def always(*addresses: str) -> Resolver:
    return lambda _host, _port: list(addresses)


def asking(world: World, **how: Any) -> World:
    """The same world with the real fetcher."""
    return replace(world, env=replace(world.env, fetcher=HttpsFetcher(**how)))


def of_issuer(did: str) -> bytes:
    """A credential that names an issuer; whether its proof holds is only known from its document."""
    signed = sample().signed
    signed["issuer"]["id"] = did
    signed["proof"]["verificationMethod"] = f"{did}#key"
    return json.dumps(signed).encode()


def finding(report: VerificationReport, check: str) -> Finding:
    (found,) = [each for each in report.findings if each.check == check]
    return found


def rule_of(report: VerificationReport, check: str) -> str:
    """Why a check could not be made."""
    found = finding(report, check)
    assert (found.outcome, found.code) == ("unknown", "not_fetched")
    assert isinstance(found.cause, NotFetched)
    assert found.sentence("sv")
    assert found.sentence("en")
    return found.cause.rule


def signed_by_anybody(**members: object) -> bytes:
    """A credential of a did:key with a proof that holds: everybody can make one that is fetched for."""
    made = sample()
    key = ed25519.Ed25519PrivateKey.generate()
    signer = Ed25519Signer(key, PublicKey(Algorithm.ED25519, key.public_key().public_bytes_raw()))
    did = f"did:key:{signer.public_key.multikey()}"
    credential = made.credential | {"issuer": {"id": did, "type": ["Profile"], "name": "Anybody"}}
    for name in ("credentialStatus", "relatedResource"):
        credential.pop(name, None)
    signing = Signing(signer, f"{did}#{signer.public_key.multikey()}", made.now)
    return FORMATS["ldp_vc"].secure(credential | members, signing, made.contexts)


def listed_at(url: str) -> Json:
    return {
        "id": "urn:uuid:2d1a4a4e-9b0a-4f0c-8a52-4a2f8f0b7a11",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": url,
    }


@pytest.mark.parametrize("addresses", PRIVATE.values(), ids=PRIVATE)
def test_a_did_web_that_leads_to_a_private_address_connects_to_nobody(
    world: World, addresses: list[str]
) -> None:
    there = asking(world, resolve=always(*addresses))

    with spying() as seen:
        report = there.verified(of_issuer("did:web:evil.example"))

    assert rule_of(report, "did") == "private_address"
    assert report.verdict != "verified"
    assert seen.connected == []


@pytest.mark.parametrize("did", ["did:web:localhost", "did:web:localhost%3A5432:a"])
def test_a_name_that_this_machine_gives_itself_connects_to_nobody(world: World, did: str) -> None:
    with spying() as seen:
        report = asking(world).verified(of_issuer(did))

    assert rule_of(report, "did") == "private_address"
    assert seen.looked_up == ["localhost"]
    assert seen.connected == []


@pytest.mark.parametrize("rest", MALFORMED)
def test_a_malformed_did_web_is_named_and_nobody_is_even_looked_up(world: World, rest: str) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with spying() as seen:
        report = asking(world, resolve=resolve).verified(of_issuer(f"did:web:{rest}"))

    assert report.verdict == "refused"
    assert finding(report, "did").outcome == "failed"
    assert finding(report, "did").sentence("sv")
    assert asked == seen.looked_up == seen.connected == []


@pytest.mark.parametrize("url", LINKS)
@pytest.mark.parametrize("addresses", [["127.0.0.1"], None], ids=["told", "system"])
def test_a_link_to_a_private_address_is_a_problem_and_connects_to_nobody(
    world: World, url: str, addresses: list[str] | None
) -> None:
    how = {"resolve": always(*addresses)} if addresses else {}

    with spying() as seen, pytest.raises(KpassError) as caught:
        find_credential(asking(world, **how).env, url.encode())

    assert caught.value.sentence("sv")
    assert seen.connected == []


@pytest.mark.parametrize("addresses", PRIVATE.values(), ids=PRIVATE)
def test_a_status_list_and_a_document_at_a_private_address_connect_to_nobody(
    world: World, addresses: list[str]
) -> None:
    url = "https://evil.example/x"
    digest = "sha384-" + "A" * 64
    body = signed_by_anybody(
        credentialStatus=listed_at(url), relatedResource=[{"id": f"{url}/y", "digestSRI": digest}]
    )

    with spying() as seen:
        report = asking(world, resolve=always(*addresses)).verified(body)

    assert outcome(report, "proof") == ("passed", "passed")
    assert rule_of(report, "status") == rule_of(report, "definition") == "private_address"
    assert seen.connected == []


@dataclass
class Flipping:
    """A name that is public when it is first asked for and private ever after."""

    asked: int = 0
    dialled: list[str] = field(default_factory=list)

    def resolve(self, _host: str, _port: int) -> list[str]:
        self.asked += 1
        return ["8.8.8.8"] if self.asked == 1 else ["127.0.0.1"]

    def dial(self, address: str, port: int, _seconds: float) -> socket.socket:
        self.dialled.append(f"{address}:{port}")
        raise ConnectionRefusedError


def test_a_second_dns_answer_is_never_asked_for(world: World) -> None:
    name = Flipping()

    with spying() as seen:
        report = asking(world, resolve=name.resolve, dial=name.dial).verified(
            of_issuer("did:web:flips.example")
        )

    assert rule_of(report, "did") == "unreachable"
    assert (name.asked, name.dialled) == (1, ["8.8.8.8:443"])
    assert seen.connected == []


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def answers() -> dict[str, Answer]:
    return {}


@pytest.fixture
def port(authority: Authority, answers: dict[str, Answer]) -> Iterator[int]:
    with https_server(authority, answers) as found:
        yield found


@pytest.fixture
def allowed(authority: Authority, port: int) -> Callable[[World], World]:
    def made(world: World) -> World:
        return asking(
            world,
            allow=frozenset({f"issuer.example:{port}"}),
            ca_file=authority.ca_file,
            seconds=2,
            resolve=always("127.0.0.1"),
        )

    return made


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["https://127.0.0.1:1/x", "https://169.254.169.254/x", "/other"])
def test_a_redirect_is_not_followed(
    world: World,
    allowed: Callable[[World], World],
    answers: dict[str, Answer],
    port: int,
    status: int,
    target: str,
) -> None:
    answers["/issuer/did.json"] = sends(b"", status=status, Location=target)

    with spying() as seen:
        report = allowed(world).verified(of_issuer(f"did:web:issuer.example%3A{port}:issuer"))

    assert rule_of(report, "did") == "redirect"
    assert seen.connected == [f"127.0.0.1:{port}"]


def test_the_spy_sees_a_connection_that_is_allowed(
    world: World, allowed: Callable[[World], World], port: int
) -> None:
    with spying() as seen:
        report = allowed(world).verified(of_issuer(f"did:web:issuer.example%3A{port}:issuer"))

    assert rule_of(report, "did") == "status"
    assert seen.connected == [f"127.0.0.1:{port}"]


def test_a_proxy_in_the_environment_is_not_used(
    world: World,
    allowed: Callable[[World], World],
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("machine issuer.example login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    with spying() as seen:
        report = allowed(world).verified(of_issuer(f"did:web:issuer.example%3A{port}:issuer"))

    assert rule_of(report, "did") == "status"
    assert seen.connected == [f"127.0.0.1:{port}"]
