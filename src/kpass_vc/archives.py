"""Zip files, opened in memory within bounds: so many files, so many bytes, nothing written to disk.

No path is used: of a name only its last part is kept, to say which file something was.
"""

import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from kpass_vc.errors import Malformed, TooLarge

MOST_FILES: Final = 50
MOST_UNPACKED: Final = 40 * 1024 * 1024
_MOST_TIMES: Final = 200
_SMALL: Final = 1024 * 1024
_SIGNATURES: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ENTRY: Final = b"PK\x01\x02"
_MOST_ENTRIES: Final = 2000
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_OF_DOCUMENTS: Final = frozenset({"[Content_Types].xml", "mimetype"})


@dataclass(frozen=True)
class Unpacked:
    """One file: the last part of its name, and what is in it."""

    name: str
    body: bytes


def is_zip(body: bytes) -> bool:
    """Whether the bytes begin like a zip file."""
    return body.startswith(_SIGNATURES)


def unpack(body: bytes) -> tuple[Unpacked, ...]:
    """The files, less those that a computer put there of itself; Malformed or TooLarge past the bounds.

    A document of an office program is a zip file too and is refused with a word of what to do instead.
    """
    # each entry costs memory however small the file is, and what the file says of their number is its own word
    if body.count(_ENTRY) > _MOST_ENTRIES:
        raise Malformed("zip_files", most=MOST_FILES)
    try:
        with zipfile.ZipFile(BytesIO(body)) as opened:
            return _files(opened, len(body))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise Malformed("zip_broken") from error


def _files(opened: zipfile.ZipFile, packed: int) -> tuple[Unpacked, ...]:
    entries = [entry for entry in opened.infolist() if not entry.is_dir() and not _unasked(entry)]
    if _OF_DOCUMENTS.intersection(entry.filename for entry in entries):
        raise Malformed("office_document")
    if len(entries) > MOST_FILES:
        raise Malformed("zip_files", most=MOST_FILES)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Malformed("zip_encrypted")
    if any(entry.compress_type not in _METHODS for entry in entries):
        raise Malformed("zip_broken")
    found: list[Unpacked] = []
    left = min(MOST_UNPACKED, max(packed * _MOST_TIMES, _SMALL))
    for entry in entries:
        with opened.open(entry) as file:
            body = file.read(left + 1)
        left -= len(body)
        if left < 0:
            raise TooLarge("zip", most=MOST_UNPACKED // 1024**2)
        found.append(Unpacked(_last_part(entry.filename), body))
    return tuple(found)


def _unasked(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.startswith("__MACOSX/") or _last_part(entry.filename).startswith(".")


def _last_part(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]
