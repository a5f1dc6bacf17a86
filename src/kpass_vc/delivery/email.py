"""A notice by SMTP (RFC 5321), as plain text (RFC 5322)."""

import smtplib
import ssl
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from kpass_vc.delivery.channel import Notice
from kpass_vc.errors import NotDelivered, Undeliverable

TIMEOUT: Final = 30.0
_FOR_GOOD: Final = 500


class Email:
    """Sends through one SMTP server."""

    def __init__(self, url: str, sender: str, ca_file: Path | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._is_tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._is_tls else 587)
        self._is_near = self._host in {"localhost", "127.0.0.1", "::1"}
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password or "")
        self._sender = sender
        self._tls = ssl.create_default_context(cafile=ca_file)

    def deliver(self, notice: Notice) -> None:
        """Hand the notice to the server: it is sent when this returns."""
        try:
            message = self.message(notice)
        except ValueError as error:
            raise Undeliverable("address") from error
        try:
            server = self._connected()
            try:
                server.send_message(message, self._sender, [_for_servers(notice.address)])
            finally:
                _part(server)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _refused(codes[0] if codes else 0) from error
        except smtplib.SMTPDataError as error:
            raise _refused(error.smtp_code) from error
        except (
            smtplib.SMTPResponseException
        ) as error:  # the sender or the password, not the receiver
            raise NotDelivered("refused", code=error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered("unreachable", kind=type(error).__name__) from error

    def message(self, notice: Notice) -> EmailMessage:
        """The message; ValueError for a header that would hold a line break, and for what is no address."""
        user, _, domain = self._sender.rpartition("@")
        message = EmailMessage()
        message["Message-ID"] = notice.message_id
        message["From"] = Address(notice.sender, user, domain)
        message["To"] = Address(addr_spec=_for_servers(notice.address))
        message["Subject"] = notice.subject
        message["Content-Language"] = notice.language
        message["Auto-Submitted"] = "auto-generated"
        if notice.reply_to:
            with suppress(
                ValueError
            ):  # the organisation's own address: its learners get theirs all the same
                message["Reply-To"] = Address(addr_spec=_for_servers(notice.reply_to))
        message.set_content(notice.text)
        return message

    def _connected(self) -> smtplib.SMTP:
        if self._is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT, context=self._tls
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT)
        try:
            server.ehlo_or_helo_if_needed()
            if not self._is_tls and server.has_extn("starttls"):
                server.starttls(context=self._tls)
            if self._user is not None:
                self._require_privacy(server)
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _require_privacy(self, server: smtplib.SMTP) -> None:
        """Whoever stands between could strip the offer of STARTTLS and read the password."""
        if not isinstance(server.sock, ssl.SSLSocket) and not self._is_near:
            raise NotDelivered("no_tls")


def _for_servers(address: str) -> str:
    """The address with its domain in ASCII (RFC 5891); ValueError for what is none."""
    user, _, domain = address.rpartition("@")
    found = f"{user}@{domain.encode('idna').decode()}"
    try:
        Address(addr_spec=found)
    except Exception as error:  # the parser raises what it likes: HeaderParseError, AttributeError
        raise ValueError(address) from error
    return found


def _part(server: smtplib.SMTP) -> None:
    """Say goodbye; what the server answers changes nothing, it has taken the message or not."""
    with suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


def _refused(code: int) -> NotDelivered | Undeliverable:
    kind = Undeliverable if code >= _FOR_GOOD else NotDelivered
    return kind("refused", code=code)
