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
from urllib.parse import quote, urlsplit

from kpass_vc.errors import Unavailable


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
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Unavailable("setting", name="KPASS_PORT", expected="a port number")
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


def _kek(name: str, text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Unavailable("setting", name=name, expected="32 bytes as base64") from error
