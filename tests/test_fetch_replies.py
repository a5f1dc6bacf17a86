"""Servers that speak TLS and then anything but proper HTTP, or nothing at all: NotFetched, and nothing else."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kpass_vc.errors import NotFetched, Unavailable
from kpass_vc.fetch import HttpsFetcher
from tests.tls import Authority, make_authority

OK = b"HTTP/1.1 200 OK\r\n"
BROKEN = {
    "nothing": b"",
    "garbage": b"\0\xff" * 100,
    "no headers": b"hello",
    "another protocol": b"HTTP/2 200\r\n\r\n",
    "a long length": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a negative length": OK + b"Content-Length: -1\r\n\r\nx",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "less than it said": OK + b"Content-Length: 100\r\n\r\nx",
    "no chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a huge chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 28 + b"\r\nx",
    "a zipped transfer": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "300,000 bytes of header": OK + b"X: " + b"a" * 300_000 + b"\r\n\r\n",
    "another protocol agreed": b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "zipped twice": OK + b"Content-Encoding: identity, gzip\r\nContent-Length: 1\r\n\r\nx",
    "a part": b"HTTP/1.1 206 P\r\nContent-Length: 1\r\n\r\nx",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@contextmanager
def says(authority: Authority, replies: list[bytes]) -> Iterator[int]:
    """The port of a server that answers each connection with the next of these bytes."""
    context = authority.server_context()
    waiting = list(replies)

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while waiting:
                connection, _ = server.accept()
                reply = waiting.pop(0)
                with (
                    suppress(OSError),
                    context.wrap_socket(connection, server_side=True) as secured,
                ):
                    secured.recv(65_536)
                    secured.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=[server], daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def fetcher(authority: Authority, port: int, seconds: float = 5) -> HttpsFetcher:
    return HttpsFetcher(
        allow=frozenset({f"localhost:{port}"}),
        ca_file=authority.ca_file,
        seconds=seconds,
        resolve=lambda _host, _port: ["127.0.0.1"],
    )


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_a_broken_reply_is_a_problem_of_the_other(authority: Authority, reply: bytes) -> None:
    with says(authority, [reply]) as port, pytest.raises(NotFetched) as caught:
        fetcher(authority, port).get(f"https://localhost:{port}/", accept="*/*")

    assert caught.value.rule in {"unreachable", "encoding", "status"}


def test_no_reply_with_a_few_changed_bytes_raises_anything_else(authority: Authority) -> None:
    chance = random.Random(1)
    good = OK + b"Content-Type: application/json\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
    replies = []
    for _ in range(100):
        changed = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        replies.append(bytes(changed))
    refused = 0

    with says(authority, replies) as port:
        asked = fetcher(authority, port)
        for _ in replies:
            try:
                asked.get(f"https://localhost:{port}/", accept="*/*")
            except NotFetched:
                refused += 1

    assert 0 < refused < len(replies)


@pytest.mark.parametrize("shakes_hands", [False, True])
def test_a_host_that_takes_the_connection_and_says_nothing_is_left(
    authority: Authority, *, shakes_hands: bool
) -> None:
    context, release = authority.server_context(), threading.Event()

    def hold(server: socket.socket) -> None:
        connection, _ = server.accept()
        held = context.wrap_socket(connection, server_side=True) if shakes_hands else connection
        release.wait(10)  # long after the deadline: who waited for this has ignored it
        held.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=hold, args=[server], daemon=True)
        thread.start()
        with pytest.raises(NotFetched) as caught:
            fetcher(authority, port, 0.5).get(f"https://localhost:{port}/", accept="*/*")
        release.set()
        thread.join(5)

    assert caught.value.rule == "too_slow"


def test_port_zero_is_no_port() -> None:
    asked: list[int] = []

    def resolve(_host: str, port: int) -> list[str]:
        asked.append(port)
        return ["127.0.0.1"]

    with pytest.raises(NotFetched) as caught:
        HttpsFetcher(resolve=resolve).get("https://example.org:0/", accept="*/*")

    assert caught.value.rule == "host"
    assert asked == []


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----"])
def test_a_file_of_authorities_that_became_unusable_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(Unavailable) as caught:
        HttpsFetcher(ca_file=file, resolve=lambda _host, _port: ["8.8.8.8"]).get(
            "https://example.org/", accept="*/*"
        )

    assert caught.value.rule == "setting"
    assert "KPASS_CA_FILE" in caught.value.sentence("sv")
