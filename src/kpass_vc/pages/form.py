"""Forms in memory, as texts alone or as multipart (RFC 7578): nothing is written to disk, logged or kept.

The framework's own parser spools files to the disk. Of a multipart form only fields we ask
for are taken, each once but the one that several files may be chosen in. What a file says of
its kind is never looked at; its name only where there are several, to tell them apart.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from kpass_vc.errors import Malformed, TooLarge
from kpass_vc.model.document import MAX_PICTURE

MOST_MEGABYTES: Final = MAX_PICTURE // 1024**2
"""What people are told of one file."""
MOST_MEGABYTES_TOGETHER: Final = 20
"""What people are told of all together; the form has room for what stands around the files."""

MAX_FORM: Final = (MOST_MEGABYTES_TOGETHER + 1) * 1024**2
MOST_DISCARDED: Final = 64 * 1024 * 1024
_LONGEST_HEADERS: Final = 8192
_MOST_FIELDS: Final = 20
MOST_FILES: Final = 100
_LONGEST_NAME: Final = 80


@dataclass
class File:
    """A file that was chosen: what it is called where it came from, without a path, and what is in it."""

    name: str
    body: bytearray = field(default_factory=bytearray, repr=False)


async def read_body(request: Request) -> bytes:
    """The body as it came; TooLarge past MAX_FORM.

    What is too large is read on and thrown away, within bounds: a browser shows the answer
    only when it has sent what it was sending.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= MAX_FORM:
            parts.append(part)
        else:
            parts.clear()
        if size > MOST_DISCARDED:
            break
    if size > MAX_FORM:
        raise TooLarge("form_together", most=MOST_MEGABYTES_TOGETHER)
    return b"".join(parts)


def read_texts(body: bytes, *names: str) -> dict[str, str]:
    """The fields of these names of a form of texts alone; Malformed if it is none.

    An empty field that was filled in and one that is missing are the same: empty.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise Malformed("form") from error
    given = dict(pairs)
    return {name: given.get(name, "").replace("\r\n", "\n").strip() for name in names}


def read_multipart(body: bytes, content_type: str, names: Collection[str]) -> dict[str, bytes]:
    """The fields of a form by name; Malformed if it is broken, or has others than `names`, or one twice."""
    return read_with_files(body, content_type, names)[0]


def read_with_files(
    body: bytes, content_type: str, names: Collection[str], files: str = ""
) -> tuple[dict[str, bytes], list[File]]:
    """The fields of a form, and what was chosen in the field `files`, which may come several times."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Malformed("form")
    form = _Form(names, files)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.part_begin,
                "on_header_field": form.header_field,
                "on_header_value": form.header_value,
                "on_header_end": form.header_end,
                "on_headers_finished": form.headers_finished,
                "on_part_data": form.part_data,
                "on_part_end": form.part_end,
                "on_end": form.end,
            },
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeError) as error:
        raise Malformed("form") from error
    if not form.complete:
        raise Malformed("form")
    chosen = [file for file in form.files if file.body]
    return {name: bytes(value) for name, value in form.fields.items()}, chosen


class _Form:
    """What the parser has found so far."""

    def __init__(self, names: Collection[str], several: str) -> None:
        self.names = names
        self.several = several
        self.fields: dict[str, bytearray] = {}
        self.files: list[File] = []
        self.complete = False
        self._name = bytearray()
        self._value = bytearray()
        self._disposition: bytes | None = None
        self._part = bytearray()

    def part_begin(self) -> None:
        self._disposition = None

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._bounded()

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._bounded()

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            if self._disposition is not None:
                raise Malformed("form")
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def headers_finished(self) -> None:
        text = (self._disposition or b"").decode("latin-1")
        kind, options = parse_options_header(text)
        name = options.get(b"name", b"").decode("latin-1")
        if kind != b"form-data" or name not in {*self.names, self.several} or not name:
            raise Malformed("form_field")
        if name == self.several:
            if len(self.files) >= MOST_FILES:
                raise Malformed("form_files", most=MOST_FILES)
            file = File(_plain_name(options.get(b"filename", b"")))
            self.files.append(file)
            self._part = file.body
            return
        if name in self.fields:
            raise Malformed("form_twice", field=f"/{name}")
        self._part = self.fields.setdefault(name, bytearray())

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._part += data[start:end]

    def part_end(self) -> None:
        self._part = bytearray()

    def end(self) -> None:
        self.complete = True

    def _bounded(self) -> None:
        if len(self._name) + len(self._value) > _LONGEST_HEADERS:
            raise Malformed("form")


def _plain_name(name: bytes) -> str:
    """The last part of a file's name, which browsers write in UTF-8, and no more of it than fits a line."""
    last = name.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    return last if len(last) <= _LONGEST_NAME else f"{last[:_LONGEST_NAME]}…"
