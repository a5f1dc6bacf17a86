"""A receipt of a check: sealed facts that the answer page carries, and the accessible PDF made of them.

Nothing that is handed in is kept, so the page that shows the answer carries what a receipt says. It
is sealed: nobody can read it out of a page's source in passing, or have us write another receipt. What
is sealed is good for an hour, as a receipt is of a moment.
"""

import base64
import binascii
import hmac
import zlib
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from kpass_vc.crypto.sealing import seal, unseal
from kpass_vc.errors import Malformed, Unavailable
from kpass_vc.language import Language, say
from kpass_vc.model.dates import minute_text
from kpass_vc.pdf import typeset

LASTS: Final = timedelta(hours=1)
_ABOUT: Final = "receipt"
_MOST_BYTES: Final = 1024 * 1024

Result = Literal["verified", "refused", "unknown", "unread"]
Outcome = Literal["passed", "failed", "unknown"]


class CheckedCheck(BaseModel):
    """One check and how it went, with what it found where it did not pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    outcome: Outcome
    found: str = ""


class CheckedCredential(BaseModel):
    """What a receipt says of one thing that was handed in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = ""
    result: Result
    sentence: str
    names: tuple[str, ...] = ()
    achievement: str = ""
    issuer: str = ""
    issuer_id: str = ""
    id: str = ""
    sha256: str = ""
    checks: tuple[CheckedCheck, ...] = ()


class Receipt(BaseModel):
    """What a receipt says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    language: Language
    result: Result
    word: str
    sentence: str
    more: bool = False
    """Whether more was handed in than was checked."""
    credentials: tuple[CheckedCredential, ...]


def seal_receipt(receipt: Receipt, link_key: bytes, nonce: bytes) -> str:
    """The sealed receipt as text; `nonce` is twelve random bytes."""
    packed = base64.b64encode(zlib.compress(receipt.model_dump_json().encode(), 9)).decode()
    return base64.urlsafe_b64encode(seal(_key(link_key), packed, nonce, about=_ABOUT)).decode()


def open_receipt(sealed: str, link_key: bytes, now: datetime) -> Receipt:
    """The receipt that was sealed; Malformed if it was not sealed here, was changed, or is too old."""
    try:
        raw = base64.b64decode(sealed, altchars=b"-_", validate=True)
        packed = base64.b64decode(unseal(_key(link_key), raw, about=_ABOUT))
        opened = zlib.decompressobj().decompress(packed, _MOST_BYTES)
        receipt = Receipt.model_validate_json(opened)
    except (Unavailable, binascii.Error, ValueError, ValidationError, zlib.error) as error:
        raise Malformed("receipt") from error
    if not receipt.at <= now <= receipt.at + LASTS:
        raise Malformed("receipt_old")
    return receipt


def write_receipt(receipt: Receipt, service: str, verify_at: str) -> bytes:
    """The receipt as PDF (PDF/UA-1), every sentence in its language."""
    language = receipt.language

    def told(key: str, **words: object) -> str:
        return say(language, f"receipt.{key}", **words)

    several = len(receipt.credentials) > 1
    document = {
        "language": language,
        "title": told("title"),
        "author": service,
        "result": receipt.result,
        "word": receipt.word,
        "sentence": receipt.sentence,
        "when": told("when", at=minute_text(receipt.at), service=service),
        "moment": told("moment", at=verify_at),
        "more": told("more", most=len(receipt.credentials)) if receipt.more else "",
        "credentials": [
            _section(each, number if several else 0, language)
            for number, each in enumerate(receipt.credentials, 1)
        ],
        "about": told("about"),
        "ends": [told("identity"), told("nothing_stored"), told("unsigned", at=verify_at)],
    }
    return typeset("receipt.typ", document, receipt.at)


def _section(credential: CheckedCredential, number: int, language: Language) -> dict[str, object]:
    """What the template sets of one credential; `number` is 0 for the only one."""
    facts = (
        ("name", ", ".join(credential.names)),
        ("achievement", credential.achievement),
        ("issuer", credential.issuer),
        ("issuer_id", credential.issuer_id),
        ("id", credential.id),
        ("handed_in", credential.label),
        ("sha256", credential.sha256),
    )
    title = ", ".join(credential.names) or credential.achievement or credential.label
    return {
        "title": f"{number}. {title}" if number else say(language, "receipt.what"),
        "word": say(language, f"report.word.{credential.result}") if number else "",
        "sentence": credential.sentence if number else "",
        "facts": [
            {"label": say(language, f"receipt.label.{label}"), "text": text}
            for label, text in facts
            if text
        ],
        "checked": say(language, "receipt.checks") if credential.checks else "",
        "checks": [
            {
                "label": say(language, f"check.name.{each.check}"),
                "text": f"{_outcome(each.outcome, language)}. {each.found}".strip(),
            }
            for each in credential.checks
        ],
    }


def _outcome(outcome: Outcome, language: Language) -> str:
    word = say(language, f"check.outcome.{outcome}")
    return word[:1].upper() + word[1:]


def _key(link_key: bytes) -> bytes:
    return hmac.digest(link_key, b"receipt\0", "sha256")
