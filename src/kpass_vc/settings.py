"""Settings, read once from KPASS_* variables; imported by app, cli and environment only."""

import base64
import binascii
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from socket import gethostname
from typing import Final
from urllib.parse import quote, urlsplit

from kpass_vc.errors import Unavailable

MOST_PROCESSES: Final = 64


@dataclass(frozen=True)
class OidcSettings:
    """The OpenID provider that people may sign in with, and who we are to it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    """What the button calls it."""


@dataclass(frozen=True)
class Settings:
    """How this installation is set up."""

    host: str
    port: int
    public_url: str
    database_url: str = field(repr=False)
    keys_dir: Path
    kek_file: Path
    kek: bytes | None = field(repr=False)
    kek_previous: bytes | None = field(repr=False)
    tls_cert: Path | None
    tls_key: Path | None
    vocabulary: str
    fetch_allow: frozenset[str]
    ca_file: Path | None
    smtp_url: str | None = field(repr=False)
    mail_from: str
    worker: str
    processes: int
    """How many server processes `kpass serve` runs."""
    oidc: OidcSettings | None
    fast: bool
    """Whether documents and orders may take the compiled ways; what comes of them is the same either way."""

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> "Settings":
        """The settings; Unavailable names the variable that is wrong."""
        port = _port(variables.get("KPASS_PORT", "8000"))
        certificate, key = variables.get("KPASS_TLS_CERT"), variables.get("KPASS_TLS_KEY")
        if bool(certificate) != bool(key):
            raise Unavailable(
                "setting", name="KPASS_TLS_CERT, KPASS_TLS_KEY", expected="both or neither"
            )
        scheme = "https" if certificate else "http"
        return cls(
            host=variables.get("KPASS_HOST", "127.0.0.1"),
            port=port,
            public_url=_public_url(
                variables.get("KPASS_PUBLIC_URL") or f"{scheme}://localhost:{port}"
            ),
            database_url=_database_url(variables),
            keys_dir=Path(variables.get("KPASS_KEYS_DIR") or "keys"),
            kek_file=Path(variables.get("KPASS_KEK_FILE") or "var/kek"),
            kek=_kek("KPASS_KEK", variables.get("KPASS_KEK")),
            kek_previous=_kek("KPASS_KEK_PREVIOUS", variables.get("KPASS_KEK_PREVIOUS")),
            tls_cert=Path(certificate) if certificate else None,
            tls_key=Path(key) if key else None,
            vocabulary=variables.get("KPASS_VOCABULARY") or "https://w3id.org/mikromerit#",
            fetch_allow=_fetch_allow(variables.get("KPASS_FETCH_ALLOW", "")),
            ca_file=_ca_file(variables.get("KPASS_CA_FILE")),
            smtp_url=_smtp_url(variables.get("KPASS_SMTP_URL")),
            mail_from=_mail_from(variables),
            worker=variables.get("KPASS_WORKER") or gethostname(),
            processes=_processes(variables.get("KPASS_PROCESSES") or "1"),
            oidc=_oidc(variables),
            fast=_switch("KPASS_FAST", variables.get("KPASS_FAST") or "1"),
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Unavailable("setting", name="KPASS_PORT", expected="a port number")
    return int(text)


def _processes(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_PROCESSES:
        raise Unavailable(
            "setting", name="KPASS_PROCESSES", expected=f"a number from 1 to {MOST_PROCESSES}"
        )
    return int(text)


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.netloc
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise Unavailable(
            "setting", name="KPASS_PUBLIC_URL", expected="http(s)://host[:port][/path]"
        )
    if parts.netloc != parts.netloc.lower():
        raise Unavailable("setting", name="KPASS_PUBLIC_URL", expected="a host name in lower case")
    return text.rstrip("/")


def _switch(name: str, text: str) -> bool:
    if text not in {"0", "1"}:
        raise Unavailable("setting", name=name, expected="0 or 1")
    return text == "1"


def _database_url(variables: Mapping[str, str]) -> str:
    """KPASS_DATABASE_URL, with the password of KPASS_DATABASE_PASSWORD_FILE put in."""
    url = variables.get("KPASS_DATABASE_URL") or "sqlite:///var/kpass.db"
    file = variables.get("KPASS_DATABASE_PASSWORD_FILE")
    if not file:
        return url
    parts = urlsplit(url)
    if not parts.username or parts.password is not None:
        raise Unavailable(
            "setting",
            name="KPASS_DATABASE_URL",
            expected="postgresql://user@host/database (KPASS_DATABASE_PASSWORD_FILE holds the password)",
        )
    try:
        password = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(
            "setting", name="KPASS_DATABASE_PASSWORD_FILE", expected="a file that can be read"
        ) from error
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()


def _fetch_allow(text: str) -> frozenset[str]:
    """Exact `host:port` pairs that may lie at a private address, between commas."""
    found = frozenset(part.strip() for part in text.split(",") if part.strip())
    for entry in found:
        host, _, port = entry.rpartition(":")
        if not host or host != host.lower() or not port.isdecimal():
            raise Unavailable("setting", name="KPASS_FETCH_ALLOW", expected="host:port,host:port")
    return found


def _ca_file(text: str | None) -> Path | None:
    if not text:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(text)
    except OSError as error:
        raise Unavailable(
            "setting", name="KPASS_CA_FILE", expected="a file of certificates (PEM)"
        ) from error
    return Path(text)


def _smtp_url(text: str | None) -> str | None:
    """smtp://user:password@host:587 (STARTTLS where it is offered) or smtps://host:465."""
    if not text:
        return None
    parts = urlsplit(text)
    try:
        known = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.path.strip("/"):
        raise Unavailable(
            "setting", name="KPASS_SMTP_URL", expected="smtp(s)://[user:password@]host[:port]"
        )
    return text


def _mail_from(variables: Mapping[str, str]) -> str:
    text = variables.get("KPASS_MAIL_FROM", "")
    if variables.get("KPASS_SMTP_URL") and not re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+", text):
        raise Unavailable("setting", name="KPASS_MAIL_FROM", expected="an e-mail address")
    return text


def _oidc(variables: Mapping[str, str]) -> OidcSettings | None:
    """The provider, if there is one: then KPASS_OIDC_CLIENT_ID and a secret are there as well."""
    issuer = variables.get("KPASS_OIDC_ISSUER")
    if not issuer:
        lost = sorted(name for name, text in variables.items() if name.startswith(_OIDC) and text)
        if lost:
            raise Unavailable(
                "setting", name="KPASS_OIDC_ISSUER", expected=f"an address ({lost[0]} is set)"
            )
        return None
    client_id = variables.get("KPASS_OIDC_CLIENT_ID", "")
    if not client_id or not _PRINTABLE.fullmatch(client_id):
        raise Unavailable(
            "setting", name="KPASS_OIDC_CLIENT_ID", expected="the id that the provider knows us by"
        )
    host = _oidc_host(issuer)
    return OidcSettings(
        issuer=issuer,
        client_id=client_id,
        client_secret=_oidc_secret(variables),
        name=variables.get("KPASS_OIDC_NAME", "").strip() or host,
    )


_OIDC: Final = "KPASS_OIDC_"
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]+")


def _oidc_host(issuer: str) -> str:
    parts = urlsplit(issuer)
    try:
        host = parts.hostname if parts.scheme == "https" and parts.port != 0 else None
    except ValueError:
        host = None
    plain = _PRINTABLE.fullmatch(issuer) and " " not in issuer and "@" not in parts.netloc
    if not host or not plain or parts.query or parts.fragment:
        raise Unavailable(
            "setting", name="KPASS_OIDC_ISSUER", expected="https://host[:port][/path]"
        )
    return host


def _oidc_secret(variables: Mapping[str, str]) -> str:
    """KPASS_OIDC_CLIENT_SECRET, or what is in the file of KPASS_OIDC_CLIENT_SECRET_FILE."""
    secret = variables.get("KPASS_OIDC_CLIENT_SECRET", "")
    file = variables.get("KPASS_OIDC_CLIENT_SECRET_FILE", "")
    if (secret and file) or not (secret or file):
        raise Unavailable(
            "setting",
            name="KPASS_OIDC_CLIENT_SECRET, KPASS_OIDC_CLIENT_SECRET_FILE",
            expected="one of the two",
        )
    if file:
        try:
            secret = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(
                "setting",
                name="KPASS_OIDC_CLIENT_SECRET_FILE",
                expected="a file that can be read",
            ) from error
    if not secret or not _PRINTABLE.fullmatch(secret):
        name = "KPASS_OIDC_CLIENT_SECRET_FILE" if file else "KPASS_OIDC_CLIENT_SECRET"
        raise Unavailable("setting", name=name, expected="a secret of printable characters")
    return secret


def _kek(name: str, text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Unavailable("setting", name=name, expected="32 bytes as base64") from error
