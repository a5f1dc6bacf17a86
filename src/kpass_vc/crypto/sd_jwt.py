"""SD-JWT: taking a payload apart into disclosures, and putting it together again (RFC 9901).

Own code: the reference library takes seven of twenty inputs that section 7.1 refuses. Signatures are not its
business.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.errors import Malformed
from kpass_vc.model.document import JsonObject, read_json

_HASHES: Final = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
_RESERVED: Final = frozenset({"_sd", "...", "_sd_alg"})
_MOST_DISCLOSURES: Final = 500
_MAX_DEPTH: Final = 32
_STEP: Final = re.compile(r"([^.\[\]]+)|\[([0-9]{1,6})\]")
_PATH: Final = re.compile(r"[^.\[\]]+(\[[0-9]{1,6}\]|\.[^.\[\]]+)*\Z")


@dataclass(frozen=True)
class SdJwtParts:
    """An SD-JWT taken apart at its tildes (section 4)."""

    jwt: str
    disclosures: tuple[str, ...]
    key_binding: str | None

    @property
    def hashed(self) -> str:
        """What the `sd_hash` of a key binding JWT is the hash of (section 4.3.1)."""
        return "~".join((self.jwt, *self.disclosures, ""))


def split(text: str) -> SdJwtParts:
    """The parts of an SD-JWT with or without key binding; Malformed if it has no tilde, or too many parts."""
    jwt, *rest = text.split("~")
    if not rest or len(rest) > _MOST_DISCLOSURES + 1 or not all(rest[:-1]):
        raise Malformed("sd_jwt")
    return SdJwtParts(jwt, tuple(rest[:-1]), rest[-1] or None)


def hash_name(payload: Mapping[str, object]) -> str:
    """The hash that `_sd_alg` names, SHA-256 without it; Malformed for one that we do not take."""
    found = payload.get("_sd_alg", "sha-256")
    if not isinstance(found, str) or found not in _HASHES:
        raise Malformed("sd_alg", name=str(found)[:40])
    return _HASHES[found]


def digest(text: str, name: str) -> str:
    """The digest of a disclosure, or of what a key binding JWT binds."""
    return base64url_encode(hashlib.new(name, text.encode("ascii")).digest())


def disclosed(payload: JsonObject, disclosures: Sequence[str]) -> JsonObject:
    """The payload with everything in it that the disclosures show (section 7.1 steps 3 to 5).

    Malformed for a digest that stands there twice, a disclosure that nothing refers to, one of the wrong
    shape or with a reserved name, and one that would take the place of a claim.
    """
    name = hash_name(payload)
    reader = _Reader({digest(text, name): _read(text) for text in disclosures})
    if len(reader.known) != len(disclosures):
        raise Malformed("sd_twice")
    bare = {claim: value for claim, value in payload.items() if claim != "_sd_alg"}
    found = reader.members(bare, 0)
    if reader.known.keys() - reader.used:
        raise Malformed("sd_unreferenced")
    return found


class _Reader:
    def __init__(self, known: dict[str, list[Any]]) -> None:
        self.known = known
        self.seen: set[str] = set()
        self.used: set[str] = set()

    def value(self, value: object, depth: int) -> object:
        if depth > _MAX_DEPTH:
            raise Malformed("sd_jwt")
        if isinstance(value, dict):
            return self.members(value, depth)
        if isinstance(value, list):
            return self.items(value, depth)
        return value

    def members(self, given: JsonObject, depth: int) -> JsonObject:
        if {"...", "_sd_alg"} & given.keys():
            raise Malformed("sd_name")
        made = {
            name: self.value(value, depth + 1) for name, value in given.items() if name != "_sd"
        }
        digests = given.get("_sd", [])
        if not isinstance(digests, list):
            raise Malformed("sd_shape")
        for text in digests:
            disclosure = self.take(text, 3)
            if disclosure is None:
                continue
            name = disclosure[1]
            if not isinstance(name, str) or name in _RESERVED:
                raise Malformed("sd_name")
            if name in made:
                raise Malformed("sd_overrides", name=name[:80])
            made[name] = self.value(disclosure[2], depth + 1)
        return made

    def items(self, given: list[object], depth: int) -> list[object]:
        made: list[object] = []
        for entry in given:
            if not isinstance(entry, dict) or "..." not in entry:
                made.append(self.value(entry, depth + 1))
                continue
            if len(entry) != 1:
                raise Malformed("sd_shape")
            disclosure = self.take(entry["..."], 2)
            if disclosure is not None:
                made.append(self.value(disclosure[1], depth + 1))
        return made

    def take(self, text: object, length: int) -> list[Any] | None:
        """The disclosure of a digest, None for one that is not shown or a decoy."""
        if not isinstance(text, str):
            raise Malformed("sd_shape")
        if text in self.seen:
            raise Malformed("sd_twice")
        self.seen.add(text)
        found = self.known.get(text)
        if found is None:
            return None
        if len(found) != length:
            raise Malformed("sd_shape")
        self.used.add(text)
        return found


def _read(text: str) -> list[Any]:
    """A disclosure: a JSON array of a salt, a name or none, and a value, read by the strict reader."""
    wrapped = b'{"disclosure":' + base64url_decode(text) + b"}"
    found = read_json(wrapped)
    values = found.get("disclosure")
    is_array = isinstance(values, list) and len(values) in {2, 3} and isinstance(values[0], str)
    if not is_array or len(found) != 1:
        raise Malformed("sd_shape")
    return values  # type: ignore[return-value]


def concealed(
    payload: JsonObject, paths: Sequence[str], salt: Callable[[int], bytes]
) -> tuple[JsonObject, tuple[str, ...]]:
    """The payload with what the paths name taken out of it, and the disclosures (section 4.2).

    A path is `credentialSubject.phoneNumbers[0]`; Malformed if it leads to nothing. The deepest come first, so
    that a part and what is in it may both be concealed. No name in the payload may be one of those that mark
    what is concealed.
    """
    made = json.loads(json.dumps(payload), object_pairs_hook=_unmarked)
    disclosures: list[str] = []
    steps = [_steps(path) for path in paths]
    for path in sorted(steps, key=len, reverse=True):
        parent: Any = made
        for step in path[:-1]:
            parent = _at(parent, step)
        last = path[-1]
        value = _at(parent, last)
        text = base64url_encode(salt(16))
        parts = [text, value] if isinstance(last, int) else [text, last, value]
        disclosure = base64url_encode(json.dumps(parts, ensure_ascii=False).encode())
        disclosures.append(disclosure)
        if isinstance(last, int):
            parent[last] = {"...": digest(disclosure, "sha256")}
        else:
            del parent[last]
            # sorted, so that their order says nothing of the order of the claims
            parent["_sd"] = sorted([*parent.get("_sd", []), digest(disclosure, "sha256")])
    return made, tuple(disclosures)


def _unmarked(pairs: list[tuple[str, object]]) -> JsonObject:
    found = dict(pairs)
    if _RESERVED & found.keys():
        raise Malformed("sd_name")
    return found


def _steps(path: str) -> list[str | int]:
    if not _PATH.match(path):
        raise Malformed("pointer", pointer=path[:200])
    return [int(part[2]) if part[2] else part[1] for part in _STEP.finditer(path)]


def _at(value: Any, step: str | int) -> Any:  # noqa: ANN401 - JSON of any shape
    is_there = (
        isinstance(value, list) and step < len(value)
        if isinstance(step, int)
        else isinstance(value, dict) and step in value
    )
    if not is_there:
        raise Malformed("pointer", pointer=str(step)[:200])
    return value[step]
