"""Passwords and the codes of authenticator apps; only this module knows argon2 and pyotp.

At most two passwords are hashed at once: each takes 64 MiB and a core, and whoever
sends twenty must not stop the service.
"""

import base64
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from kpass_vc.errors import Unavailable

LEAST: Final = 12
MOST: Final = 200
STEP: Final = 30
"""Seconds that a code of an authenticator app is good for (RFC 6238)."""
_AT_ONCE: Final = 2
_PATIENCE: Final = 10.0
_hasher: Final = PasswordHasher()
_turns: Final = BoundedSemaphore(_AT_ONCE)


def hashed(password: str) -> str:
    """The password as Argon2id (RFC 9106) with a salt of its own; Unavailable while too many others wait."""
    with _turn():
        return _hasher.hash(password)


def is_right(password: str, known: str | None) -> bool:
    """Whether it is the password of a hash; for None it takes as long, and is not."""
    with _turn():
        try:
            _hasher.verify(known or _nobodys(), password)
        except (VerifyMismatchError, InvalidHashError):
            return False
    return known is not None


def new_totp_secret(entropy: bytes) -> str:
    """The secret of an authenticator app, in base32: of twenty random bytes, 32 letters (RFC 4226 section 4)."""
    return base64.b32encode(entropy).decode()


def totp_address(secret: str, *, account: str, service: str) -> str:
    """The otpauth: address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=account, issuer_name=service)


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code it is, of this one and its two neighbours; None if it is of none."""
    totp = pyotp.TOTP(secret, interval=STEP)
    current = int(now.timestamp()) // STEP
    given = "".join(code.split())
    found = None
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode()):
            found = step
    return found


@lru_cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password")


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=_PATIENCE):
        raise Unavailable("busy")
    try:
        yield
    finally:
        _turns.release()
