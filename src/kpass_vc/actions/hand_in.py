"""Check everything that is handed in at once: a text, files, a zip, a PDF, a picture with several codes.

Each thing is taken apart into pieces, and of each piece comes an answer: a report, or why it cannot be
read. So many pieces are checked and for so long; what is past that is said. Nothing is stored.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from kpass_vc.actions.lint_badge import lint_badge
from kpass_vc.actions.recognise import (
    Found,
    Route,
    find_credential,
    holds_credential,
    is_picture,
    leading,
    leading_in_words,
    leads_somewhere,
    read_text,
)
from kpass_vc.actions.verify import verify
from kpass_vc.archives import is_zip, unpack
from kpass_vc.baking import kind_of
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, Malformed, TooLarge
from kpass_vc.model.document import MAX_PICTURE, compact, read_json
from kpass_vc.model.text import shown
from kpass_vc.pdf_reading import is_pdf, read_pdf
from kpass_vc.probes import ProbeResult
from kpass_vc.qr import read_qr
from kpass_vc.verification import VerificationReport

MOST: Final = 50
"""So many credentials are checked at a time."""
SECONDS: Final = 40.0
"""After so long nothing more is begun: a browser waits for the answer."""
_MOST_LINES: Final = 500
_LONGEST_LABEL: Final = 60
_ADDRESS: Final = re.compile(r"(https?://[^\s/?#]{1,60})/\S{6,}\Z", re.IGNORECASE)
_BULLET: Final = re.compile(r"^(?:[-*\u2022]|\d{1,3}[.)])\s+")


@dataclass(frozen=True)
class Checked:
    """A piece that holds or leads to a credential: the report on it, and the way to it.

    `label` is what the piece was called or looked like, to tell it from others.
    """

    label: str
    found: Found
    report: VerificationReport
    probes: tuple[ProbeResult, ...] = ()


@dataclass(frozen=True)
class Unread:
    """A piece that is none, or that could not be had, and why."""

    label: str
    problem: KpassError


Answer: TypeAlias = Checked | Unread


@dataclass(frozen=True)
class Answers:
    """The answers in the order of what was handed in, and whether there was more than is checked at a time."""

    each: tuple[Answer, ...]
    more: bool


@dataclass(frozen=True)
class _Piece:
    label: str
    given: bytes | KpassError
    before: Route = ()


def check_all(
    env: Environment,
    text: bytes,
    files: Sequence[tuple[str, bytes]],
    seconds: float = SECONDS,
) -> Answers:
    """An answer for every piece of what was handed in; Malformed("form_nothing") if there is none.

    Only one piece is also judged by the probes of the public validator.
    """
    ends = time.monotonic() + seconds
    pieces = list(islice(_pieces(env, text, files, ends), MOST + 1))
    if not pieces:
        raise Malformed("form_nothing")
    answers = tuple(_answer(env, piece, ends, alone=len(pieces) == 1) for piece in pieces[:MOST])
    return Answers(answers, more=len(pieces) > MOST)


def _answer(env: Environment, piece: _Piece, ends: float, *, alone: bool) -> Answer:
    if isinstance(piece.given, KpassError):
        return Unread(piece.label, piece.given)
    try:
        _require_time(ends)
        found = find_credential(env, piece.given, piece.before)
    except KpassError as error:
        return Unread(piece.label, error)
    if alone:
        return Checked(piece.label, found, *lint_badge(env, found.secured))
    return Checked(piece.label, found, verify(env, found.secured))


def _require_time(ends: float) -> None:
    if time.monotonic() > ends:
        raise Malformed("no_time")


def _pieces(
    env: Environment, text: bytes, files: Sequence[tuple[str, bytes]], ends: float
) -> Iterator[_Piece]:
    if text:
        yield from _safely("", _of_text("", text, ()))
    for name, body in files:
        label = shown(name)
        yield from _safely(label, _of_file(env, label, body, (), ends))


def _safely(label: str, pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """The pieces, and a last one that says what is wrong where no more could be taken apart."""
    try:
        yield from pieces
    except KpassError as error:
        yield _Piece(label, error)


def _of_file(
    env: Environment, label: str, body: bytes, before: Route, ends: float
) -> Iterator[_Piece]:
    _require_time(ends)
    if is_zip(body):
        if "zip" in before:
            raise Malformed("zip_nested")
        files = unpack(body)
        if not files:
            raise Malformed("zip_empty")
        for file in files:
            name = _short(shown(file.name))
            yield from _safely(name, _of_file(env, name, file.body, (*before, "zip"), ends))
    elif is_pdf(body):
        yield from _of_pdf(env, label, body, (*before, "pdf"), ends)
    elif len(body) > MAX_PICTURE:
        raise TooLarge("form", most=MAX_PICTURE // 1024**2)
    elif is_picture(body):
        yield from _of_picture(env, label, body, before)
    else:
        yield from _of_text(label, body, before)


def _of_picture(env: Environment, label: str, body: bytes, before: Route) -> Iterator[_Piece]:
    """The credential in a picture, or each to which a QR code in it leads."""
    if kind_of(body) == "svg" or holds_credential(body):
        yield _Piece(label, body, before)
        return
    texts = read_qr(body)
    found = leading(env, texts)
    if not found:
        raise Malformed("qr_without_credential" if texts else "nothing_in_picture")
    yield from _numbered(label, found, (*before, "qr"))


def _of_pdf(
    env: Environment, label: str, body: bytes, before: Route, ends: float
) -> Iterator[_Piece]:
    """The credentials attached to a PDF; else those its QR codes lead to; else those its words do."""
    contents = read_pdf(body)
    attached = [each for each in contents.attachments if holds_credential(each)]
    if attached:
        for number, each in enumerate(attached, 1):
            yield _Piece(_one_of(label, number, len(attached)), each, before)
        return
    texts: list[str] = []
    for picture in contents.pictures:
        _require_time(ends)
        if holds_credential(picture):
            yield _Piece(label, picture, before)
            return
        texts += _codes(picture)
    found = leading(env, texts)
    if found:
        yield from _numbered(label, found, (*before, "qr"))
        return
    found = leading_in_words(env, contents.links, contents.text)
    if not found:
        raise Malformed("nothing_in_pdf")
    yield from _numbered(label, found, before)


def _codes(picture: bytes) -> tuple[str, ...]:
    """The QR codes in a picture of a PDF, which may hold any that cannot be read."""
    try:
        return read_qr(picture)
    except KpassError:
        return ()


def _numbered(label: str, texts: Sequence[str], before: Route) -> Iterator[_Piece]:
    for number, text in enumerate(texts, 1):
        yield _Piece(_one_of(label, number, len(texts)), text.encode(), before)


def _one_of(label: str, number: int, many: int) -> str:
    return label if many == 1 else f"{label} ({number})".strip()


def _of_text(label: str, given: bytes, before: Route) -> Iterator[_Piece]:
    """A text as it is, or each credential, link and code of a presentation or of a list with one on a line."""
    if len(given) > MAX_PICTURE:
        raise TooLarge("form", most=MAX_PICTURE // 1024**2)
    text = read_text(given)
    presented = _presented(text)
    if presented is not None:
        for number, each in enumerate(presented, 1):
            name = _one_of(label, number, len(presented))
            yield _Piece(name, each, (*before, "presentation") if text[0] != "[" else before)
        return
    lines = _list(text)
    if lines is None:
        if "zip" in before and _is_other(text):
            raise Malformed("unrecognised")
        yield _Piece(label or _short(text), given, before)
        return
    for line in lines:
        name = f"{label}: {_short(line)}" if label else _short(line)
        yield _Piece(name, line.encode(), before)


def _presented(text: str) -> list[bytes] | None:
    """The credentials of a presentation, or of a list in JSON; None for any other text."""
    if text.startswith("["):
        try:
            held = read_json(b'{"list":' + text.encode() + b"}")["list"]
        except KpassError:
            return None
        found = held if isinstance(held, list) else []
    else:
        body = text.encode() if text.startswith("{") else _payload(text)
        try:
            document = read_json(body)
        except KpassError:
            return None
        document = inner if isinstance(inner := document.get("vp"), dict) else document
        held = document.get("verifiableCredential")
        if held is None:
            return None
        found = held if isinstance(held, list) else [held]
    ours = [
        compact(each) if isinstance(each, dict) else each.encode()
        for each in found
        if isinstance(each, dict | str)
    ]
    return ours or None


def _is_other(text: str) -> bool:
    """Whether a text is a document in JSON that does not even claim to be a credential: a zip may hold such."""
    try:
        document = read_json(text.encode())
    except KpassError:
        return False
    enveloped = "Enveloped" in str(document.get("type"))
    return not (enveloped or document.keys() & {"credentialSubject", "proof", "recipient"})


def _payload(text: str) -> bytes:
    """What is signed in a JWT; nothing for any other text."""
    parts = text.split(".")
    if len(parts) != 3 or not text.startswith("ey"):
        return b""
    try:
        return base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except (binascii.Error, ValueError):
        return b""


def _list(text: str) -> list[str] | None:
    """The lines of a text that has a credential, a link or a code on most of them; else None.

    In a letter that somebody pasted, a link or two stand among many words: that is no list.
    """
    lines = [_BULLET.sub("", line.strip()) for line in text.splitlines()[: _MOST_LINES + 1]]
    lines = [line for line in lines if line]
    if len(lines) < 2 or len(lines) > _MOST_LINES or _is_document(text, lines[0]):
        return None
    leads = sum(leads_somewhere(line) for line in lines)
    alone = all(leads_somewhere(line) or not re.search(r"\s", line) for line in lines)
    return lines if leads >= 2 and (alone or leads * 2 >= len(lines)) else None


def _is_document(text: str, first: str) -> bool:
    """Whether a text is one document in JSON, though it may be broken, and not one on each line."""
    inner = text[text.find("{") : text.rfind("}") + 1]
    if "\n" in inner and _is_json(inner):
        return True
    return text.startswith(("{", "[")) and not _is_json(first)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _short(text: str) -> str:
    """A line of a text to know it by; of a link the host and the end alone, as the whole may be a secret."""
    link = _ADDRESS.match(text)
    if link is not None:
        return shown(f"{link[1]}/…{text.rstrip('/')[-6:]}")
    line = shown(" ".join(text[: 4 * _LONGEST_LABEL].split()))
    return line if len(line) <= _LONGEST_LABEL else f"{line[:_LONGEST_LABEL]}…"
