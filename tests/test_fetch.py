"""The one way out: what it refuses, and that a refusal dials nobody."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kpass_vc.errors import NotFetched
from kpass_vc.fetch import AT_ONCE, NAMES_AT_ONCE, HttpsFetcher, is_public
from tests.tls import Answer, Authority, https_server, sends

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "193.10.1.1", "2001:4860:4860::8888", "2a00:1450:400f::1"]


@dataclass
class Names:
    """A resolver that gives one answer after the other, and a dialler that only writes down."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(f"{host}:{port}")
        return self.answers.pop(0)

    def dial(self, address: str, port: int, seconds: float) -> socket.socket:
        self.dialled.append(f"{address}:{port}")
        raise ConnectionRefusedError


def refused(url: str, names: Names) -> str:
    with pytest.raises(NotFetched) as caught:
        HttpsFetcher(resolve=names.resolve, dial=names.dial).get(url, accept="*/*")
    return caught.value.rule


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_not_dialled(address: str) -> None:
    names = Names([[address]])

    assert refused("https://evil.example/did.json", names) == "private_address"
    assert names.dialled == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_dialled_as_it_was_checked(address: str) -> None:
    names = Names([[address], ["127.0.0.1"]])

    assert refused("https://good.example:8443/did.json", names) == "unreachable"
    assert names.asked == ["good.example:8443"]
    assert names.dialled == [f"{address}:8443"]


def test_one_private_address_among_public_ones_refuses_them_all() -> None:
    names = Names([["8.8.8.8", "10.0.0.1"]])

    assert refused("https://mixed.example/", names) == "private_address"
    assert names.dialled == []


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://example.org/", "scheme"), ("file:///etc/passwd", "scheme"), ("ftp://example.org/", "scheme"),
        ("gopher://example.org/", "scheme"), ("data:,x", "scheme"), ("", "scheme"), ("//example.org", "scheme"),
        ("https://user@example.org/", "userinfo"), ("https://user:word@example.org/", "userinfo"),
        ("https://example.org@127.0.0.1/", "userinfo"), ("https:///x", "host"), ("https://", "host"),
        ("https://exa mple.org/", "host"), ("https://example.org\\@127.0.0.1/", "userinfo"),
        ("https://example.org:99999/", "host"), ("https://example.org:x/", "host"), ("https://[::1/", "host"),
        ("https://åäö.example/", "host"), ("https://127。0。0。1/", "host"), ("https://-x.example/", "host"),
        ("https://example..org/", "host"), ("https://" + "a" * 300 + "/", "host"),
        ("https://example.org/\n", "host"), ("https://example.org/\u202e", "host"),
    ],
)  # fmt: skip
def test_an_address_that_is_not_plain_https_is_not_even_resolved(url: str, rule: str) -> None:
    names = Names([])

    assert refused(url, names) == rule
    assert names.asked == names.dialled == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "169.254.169.254", "[64:ff9b::7f00:1]", "[::ffff:10.0.0.1]"]
)
def test_a_private_address_written_as_such_is_not_dialled(host: str) -> None:
    names = Names([[host.strip("[]")]])

    assert refused(f"https://{host}/", names) == "private_address"
    assert names.dialled == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_an_address_are_what_the_system_makes_of_them(host: str) -> None:
    names = Names([["127.0.0.1"]])

    assert refused(f"https://{host}/", names) in {"private_address", "host"}
    assert names.dialled == []


def test_is_public_says_no_to_what_is_no_address() -> None:
    assert not is_public("example.org")
    assert not is_public("fe80::1%eth0")


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Headers at once, the body a byte at a time, for ever."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def drips_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        handler.wfile.write(f"X-{number}: y\r\n".encode())
        handler.wfile.flush()
        time.sleep(0.1)


def never_ends(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65_536)


ANSWERS: dict[str, Answer] = {
    "/good": sends(b'{"a": 1}', "application/json; charset=utf-8"),
    "/redirect": sends(b"", status=302, Location="https://127.0.0.1/"),
    "/missing": sends(b"", status=404),
    "/zipped": sends(b"x", Content_Encoding="gzip"),
    "/drip": drips,
    "/drip-headers": drips_headers,
    "/endless": never_ends,
    "/large": sends(b"x" * 2_000_000),
}


@pytest.fixture(scope="module")
def port(authority: Authority) -> Iterator[int]:
    with https_server(authority, ANSWERS) as found:
        yield found


def fetcher(authority: Authority | None, port: int, host: str = "localhost") -> HttpsFetcher:
    return HttpsFetcher(
        allow=frozenset({f"{host}:{port}"}),
        ca_file=authority.ca_file if authority else None,
        seconds=0.8,
        resolve=lambda _host, _port: ["127.0.0.1"],
    )


def test_what_is_allowed_by_name_and_port_is_fetched_over_tls(
    authority: Authority, port: int
) -> None:
    found = fetcher(authority, port).get(f"https://localhost:{port}/good#part", accept="*/*")

    assert (found.body, found.media_type) == (b'{"a": 1}', "application/json")


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/redirect", "redirect"), ("/missing", "status"), ("/zipped", "encoding"), ("/drip", "too_slow"),
        ("/drip-headers", "too_slow"), ("/endless", "too_large"), ("/large", "too_large"),
    ],
)  # fmt: skip
def test_a_reply_that_breaks_a_bound_is_refused(
    authority: Authority, port: int, path: str, rule: str
) -> None:
    with pytest.raises(NotFetched) as caught:
        fetcher(authority, port).get(f"https://localhost:{port}{path}", accept="*/*")

    assert caught.value.rule == rule
    assert caught.value.data["url"] == f"https://localhost:{port}{path}"
    assert path in caught.value.sentence("sv")


def test_a_certificate_of_another_authority_or_name_is_refused(
    authority: Authority, port: int
) -> None:
    for asked, host in (
        (fetcher(None, port), "localhost"),
        (fetcher(authority, port, "third.example"), "third.example"),
    ):
        with pytest.raises(NotFetched) as caught:
            asked.get(f"https://{host}:{port}/good", accept="*/*")
        assert caught.value.rule == "tls"


def test_another_port_of_an_allowed_host_is_not_allowed(authority: Authority, port: int) -> None:
    with pytest.raises(NotFetched) as caught:
        fetcher(authority, port + 1).get(f"https://localhost:{port}/good", accept="*/*")

    assert caught.value.rule == "private_address"


def test_slow_hosts_hold_a_few_turns_and_the_next_is_told_so() -> None:
    release, started = threading.Event(), threading.Semaphore(0)

    def resolve(_host: str, _port: int) -> list[str]:
        started.release()
        release.wait(5)
        return ["10.0.0.1"]

    slow = HttpsFetcher(resolve=resolve)
    rules: list[str] = []

    def ask() -> None:
        try:
            slow.get("https://slow.example/", accept="*/*")
        except NotFetched as error:
            rules.append(error.rule)

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        started.acquire()
    ask()
    release.set()
    for thread in threads:
        thread.join()

    assert rules == ["busy", *["private_address"] * AT_ONCE]


def test_the_ca_file_is_one_that_is_there(tmp_path: Path) -> None:
    from kpass_vc.errors import Unavailable  # noqa: PLC0415
    from kpass_vc.settings import Settings  # noqa: PLC0415

    with pytest.raises(Unavailable):
        Settings.read({"KPASS_CA_FILE": str(tmp_path / "none")})
    with pytest.raises(Unavailable):
        Settings.read({"KPASS_FETCH_ALLOW": "localhost"})


def test_a_name_that_is_looked_up_for_ever_ends_with_the_deadline_and_frees_its_turn() -> None:
    release = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        release.wait(60)
        return ["10.0.0.1"]

    stuck = HttpsFetcher(resolve=resolve, seconds=0.05)
    rules = []
    for _ in range(NAMES_AT_ONCE + 1):
        with pytest.raises(NotFetched) as caught:
            stuck.get("https://stuck.example/", accept="*/*")
        rules.append(caught.value.rule)
    release.set()

    assert rules == [*["too_slow"] * NAMES_AT_ONCE, "busy"]


@pytest.mark.parametrize("label", ["a" * 64, "xn--" + "a" * 60, "a" * 252])
def test_a_label_that_no_name_can_have_is_a_problem_with_the_host(label: str) -> None:
    with pytest.raises(NotFetched) as caught:
        HttpsFetcher().get(f"https://{label}.localhost/"[:260], accept="*/*")

    assert caught.value.rule == "host"
