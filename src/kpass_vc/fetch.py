"""The one way out: a bounded request over https that never reaches a private address.

What is fetched is named by whoever hands in a credential, so every address is
hostile until shown otherwise. A name is resolved once, every address it has
must be public, and the connection goes to an address that was checked, while
TLS still verifies the name: a second DNS answer changes nothing. No redirect is
followed, nothing compressed is taken, and one deadline covers name, connection,
handshake, headers and body, however slowly they drip.
"""

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

import httpcore2
import httpx2

from kpass_vc.errors import NotFetched, Unavailable

DOCUMENT: Final = 1024 * 1024
"""The most bytes of a document."""
PICTURE: Final = 5 * 1024 * 1024
"""The most bytes of a picture or of a status list."""
SECONDS: Final = 5.0
"""The most time that one document may take, all in all."""
AT_ONCE: Final = 8
"""How many may be under way in this process: slow hosts must not hold every thread."""
NAMES_AT_ONCE: Final = 32
"""How many names may be looked up: the system's resolver knows no deadline, so one may outlive its turn."""

_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z"
)
_PART: Final = 65_536
_OK: Final = 200

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
Dialler = Callable[[str, int, float], socket.socket]


def _resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


def _dial(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


@lru_cache(maxsize=4)
def _trusting(ca_file: Path | None, _changed: int) -> ssl.SSLContext:
    """TLS that trusts the system's authorities, and a file's as it was changed at a moment.

    Reading them takes longer than all the rest of a request, so it is done once.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Fetched:
    """What lay at an address."""

    url: str
    media_type: str
    body: bytes


class Fetcher(Protocol):
    """Gets documents that lie elsewhere."""

    def get(self, url: str, *, accept: str, limit: int = DOCUMENT) -> Fetched:
        """The document at an https address, at most `limit` bytes; NotFetched says why not."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Have an https address take some bytes: it answers 2xx, or NotFetched says why not."""

    def ask(
        self, url: str, body: bytes, headers: Mapping[str, str], *, limit: int = DOCUMENT
    ) -> Fetched:
        """What an https address answers to some bytes, at most `limit`; NotFetched says why not."""


@dataclass(frozen=True)
class HttpsFetcher:
    """The real one.

    `allow` names what may lie at a private address, as exact `host:port`; `ca_file` is trusted
    beside the system's authorities. `resolve` and `dial` are the operating system's.
    """

    allow: frozenset[str] = frozenset()
    ca_file: Path | None = None
    seconds: float = SECONDS
    resolve: Resolver = _resolve
    dial: Dialler = _dial
    _turns: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )
    _lookups: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(NAMES_AT_ONCE)
    )

    def get(self, url: str, *, accept: str, limit: int = DOCUMENT) -> Fetched:
        """The document; NotFetched with a rule and the address otherwise."""
        return self._asked(url, lambda address: self._get(address, url, accept, limit))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send the bytes; of the answer only its status is read."""
        self._asked(url, lambda address: self._post(address, url, body, headers))

    def ask(
        self, url: str, body: bytes, headers: Mapping[str, str], *, limit: int = DOCUMENT
    ) -> Fetched:
        """Send the bytes; the answer, as strictly read as a document."""
        return self._asked(
            url, lambda address: self._exchanged("POST", address, url, headers, body, limit)
        )

    def _asked(self, url: str, ask: Callable[[str], Answer]) -> Answer:
        shown = url[:300]
        address = plain_https(url)
        if not self._turns.acquire(blocking=False):
            raise NotFetched("busy", url=shown)
        try:
            return ask(address)
        except NotFetched as error:
            raise NotFetched(error.rule, **{**error.data, "url": shown}) from error
        except httpx2.InvalidURL as error:
            raise NotFetched("host", url=shown) from error
        except httpx2.TimeoutException as error:
            raise NotFetched("too_slow", url=shown, seconds=self.seconds) from error
        except httpx2.HTTPError as error:
            rule = "tls" if _is_tls(error) else "unreachable"
            raise NotFetched(rule, url=shown) from error
        finally:
            self._turns.release()

    def _get(self, address: str, url: str, accept: str, limit: int) -> Fetched:
        return self._exchanged("GET", address, url, {"Accept": accept}, None, limit)

    def _exchanged(
        self,
        method: str,
        address: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limit: int,
    ) -> Fetched:
        deadline = time.monotonic() + self.seconds
        backend = _Backend(self, deadline)
        given = {**headers, "Accept-Encoding": "identity", "User-Agent": "kpass-vc"}
        with (
            httpx2.Client(
                transport=_Transport(self._tls(), backend),
                trust_env=False,
                follow_redirects=False,
                timeout=self.seconds,
            ) as client,
            client.stream(method, address, headers=given, content=body) as reply,
        ):
            if reply.is_redirect:
                raise NotFetched("redirect", url=url, status=reply.status_code)
            if reply.status_code != _OK:
                raise NotFetched("status", url=url, status=reply.status_code)
            if reply.headers.get("Content-Encoding", "identity").strip().lower() not in {
                "",
                "identity",
            }:
                raise NotFetched("encoding", url=url)
            declared = reply.headers.get("Content-Length", "0")
            if declared.isdecimal() and int(declared) > limit:
                raise NotFetched("too_large", url=url, limit=limit)
            parts: list[bytes] = []
            size = 0
            for part in reply.iter_raw(_PART):
                size += len(part)
                if size > limit:
                    raise NotFetched("too_large", url=url, limit=limit)
                parts.append(part)
            media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return Fetched(url, media_type, b"".join(parts))

    def _post(self, address: str, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        backend = _Backend(self, time.monotonic() + self.seconds)
        given = {"Accept-Encoding": "identity", "User-Agent": "kpass-vc", **headers}
        with (
            httpx2.Client(
                transport=_Transport(self._tls(), backend),
                trust_env=False,
                follow_redirects=False,
                timeout=self.seconds,
            ) as client,
            client.stream("POST", address, headers=given, content=body) as reply,
        ):
            if not reply.is_success:
                raise NotFetched("status", url=url, status=reply.status_code)

    def _tls(self) -> ssl.SSLContext:
        try:
            changed = self.ca_file.stat().st_mtime_ns if self.ca_file is not None else 0
            return _trusting(self.ca_file, changed)
        except OSError as error:
            raise Unavailable(
                "setting", name="KPASS_CA_FILE", expected="a file of certificates (PEM)"
            ) from error

    def addresses(self, host: str, port: int, seconds: float) -> list[str]:
        """The addresses of a host, each of them one that may be reached; NotFetched else."""
        found = list(dict.fromkeys(self._looked_up(host, port, seconds)))
        if not found:
            raise NotFetched("host", url=host)
        if f"{host}:{port}" not in self.allow and not all(map(is_public, found)):
            raise NotFetched("private_address", url=host)
        return found

    def _looked_up(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """What the resolver says within so many seconds: it may take minutes, and nothing can stop it."""
        found: list[str] = []
        done = threading.Event()

        def look_up() -> None:
            try:
                # UnicodeError: a label that is too long for a name (RFC 1035)
                with suppress(OSError, UnicodeError):
                    found.extend(self.resolve(host, port))
            finally:
                self._lookups.release()
                done.set()

        if not self._lookups.acquire(blocking=False):
            raise NotFetched("busy", url=host)
        try:
            threading.Thread(target=look_up, daemon=True).start()
        except RuntimeError as error:  # no more threads
            self._lookups.release()
            raise NotFetched("busy", url=host) from error
        if not done.wait(seconds):
            raise NotFetched("too_slow", url=host, seconds=self.seconds)
        return found


class _Transport(httpx2.HTTPTransport):
    """httpx's own transport over our backend: no proxy, no connection kept."""

    def __init__(self, context: ssl.SSLContext, backend: httpcore2.NetworkBackend) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, max_keepalive_connections=0, network_backend=backend
        )


class _Backend(httpcore2.NetworkBackend):
    """Dials an address that was checked, once, within the deadline."""

    def __init__(self, fetcher: HttpsFetcher, deadline: float) -> None:
        self._fetcher = fetcher
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """The connection to the first address that answers; the name is resolved here and nowhere else."""
        problem: OSError | None = None
        left = max(self._deadline - time.monotonic(), 0)
        for address in self._fetcher.addresses(host, port, left):
            try:
                dialled = self._fetcher.dial(address, port, _remaining(self._deadline))
                dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError as error:
                raise httpcore2.ConnectTimeout from error
            except OSError as error:
                problem = error
            else:
                return _Stream(dialled, self._deadline)
        raise httpcore2.ConnectError from problem


class _Stream(httpcore2.NetworkStream):
    """A connection on which every step has only what is left of the deadline."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, at most `max_bytes`."""
        try:
            self._connection.settimeout(_remaining(self._deadline))
            return self._connection.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout from error
        except OSError as error:
            raise httpcore2.ReadError from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        try:
            self._connection.settimeout(_remaining(self._deadline))
            self._connection.sendall(buffer)
        except TimeoutError as error:
            raise httpcore2.WriteTimeout from error
        except OSError as error:
            raise httpcore2.WriteError from error

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """The same connection under TLS, the host's certificate verified against its name."""
        try:
            self._connection.settimeout(_remaining(self._deadline))
            secured = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except TimeoutError as error:
            self.close()
            raise httpcore2.ConnectTimeout from error
        except (OSError, ValueError) as error:
            self.close()
            raise httpcore2.ConnectError from error
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        """The TLS object, which the HTTP layer asks for."""
        if info == "ssl_object" and isinstance(self._connection, ssl.SSLSocket):
            return self._connection
        return None


def plain_https(url: str) -> str:
    """The address as it is asked for, without fragment; NotFetched unless it is plain https to a named host."""
    shown = url[:300]
    try:
        parts = urlsplit(url)
        port = 443 if parts.port is None else parts.port
    except ValueError as error:
        raise NotFetched("host", url=shown) from error
    if parts.scheme != "https":
        raise NotFetched("scheme", url=shown)
    if "@" in parts.netloc:
        raise NotFetched("userinfo", url=shown)
    host = parts.hostname or ""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise NotFetched("host", url=shown)
    if port == 0 or (not _HOST.match(host) and not _is_literal(host)):
        raise NotFetched("host", url=shown)
    shown_host = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    return f"https://{shown_host}:{port}{parts.path or '/'}{query}"


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it carries another in it.

    `ipaddress.is_global` alone passes multicast, relays, and the forms in which IPv6 wraps
    an IPv4 address: NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380),
    IPv4-mapped and IPv4-compatible ones (RFC 4291). None of those is a web server's.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not found.is_global or found.is_multicast or found.is_reserved or found.is_unspecified:
        return False
    return not any(found in network for network in _NEVER if network.version == found.version)


_NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "::/32",  # IPv4-compatible, IPv4-mapped, and what else begins with zeros
        "64:ff9b::/32",  # NAT64, both prefixes
        "100::/16",
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2002::/16",  # 6to4
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "5f00::/16",
        "3fff::/20",
    )
)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
