"""One byte of what was signed, changed; what comes out is as well formed as before."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator

_TEXTS = ("name", "description", "narrative", "identityHash", "targetName", "genre")
_LETTER = re.compile(rb"(?:\\u[0-9a-f]{4}|\\.|[^\\A-Za-z])*([A-Za-z])")


def change_a_text(body: bytes, number: int) -> bytes:
    """The JSON with the case of one letter turned; `number` says in which of its texts."""
    texts = list(dict.fromkeys(_texts(json.loads(body))))
    key, value = texts[number % len(texts)]
    plain, escaped = (
        f'"{key}":{json.dumps(value, ensure_ascii=ascii_only)}'.encode()
        for ascii_only in (False, True)
    )
    found = plain if plain in body else escaped
    start = body.index(found)
    letter = _LETTER.match(body, start + len(key) + 4, start + len(found))
    assert letter is not None
    return _replaced(body, letter.start(1), body[letter.start(1)] ^ 0x20)


def change_the_payload(token: bytes, number: int) -> bytes:
    """The compact JWT with one byte of its payload changed in the same way."""
    header, payload, signature = token.split(b".")
    text = urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))
    changed = urlsafe_b64encode(change_a_text(text, number)).rstrip(b"=")
    return b".".join((header, changed, signature))


def change_the_signature(token: bytes, number: int) -> bytes:
    """The compact JWT with one character of its signature changed."""
    start = token.rindex(b".") + 1
    # The last character carries bits that mean nothing.
    position = start + number % (len(token) - start - 1)
    return _replaced(token, position, ord("B" if token[position] != ord("B") else "C"))


def change_the_proof_value(body: bytes, number: int) -> bytes:
    """The JSON text with one character of its proof's value changed."""
    value = json.loads(body)["proof"]["proofValue"].encode()
    # Neither the multibase prefix nor the digit behind it, which decides the length.
    position = body.index(value) + 2 + number % (len(value) - 2)
    return _replaced(body, position, ord("B" if body[position] != ord("B") else "C"))


def _replaced(body: bytes, position: int, byte: int) -> bytes:
    return body[:position] + bytes([byte]) + body[position + 1 :]


def _texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name != "proof":
                yield from _texts(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, key)
    elif isinstance(value, str) and key in _TEXTS and re.search("[A-Za-z]", value):
        yield key, value
