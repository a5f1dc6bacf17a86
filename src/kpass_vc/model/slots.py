"""A JSON document with slots: what changes from one document to the next is put into text that is written already."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from kpass_vc.model.document import JsonObject, compact

Place: TypeAlias = tuple[str | int, ...]
"""Where a text stands in a document: the member names and numbers that lead to it."""

_MARK: Final = "urn:kpass-slot:"


def mark(number: int) -> str:
    """What stands in a slot while a template is made: an absolute IRI, as a text as good as any other."""
    return f"{_MARK}{number:04d}"


def marked(document: Mapping[str, object], places: Sequence[Place]) -> JsonObject:
    """The document with the mark of each place's number there; ValueError if there is no text, or a mark already."""
    if _MARK.encode() in compact(document):
        raise ValueError(_MARK)
    return filled(document, places, [mark(number) for number in range(len(places))])


def filled(
    document: Mapping[str, object], places: Sequence[Place], values: Sequence[str]
) -> JsonObject:
    """A copy of the document with other texts at some places; ValueError if there is no text at one of them."""
    found: JsonObject = dict(document)
    for place, value in zip(places, values, strict=True):
        found = _replaced(found, place, value)
    return found


class JsonTemplate:
    """The compact JSON of a document, with slots."""

    def __init__(self, document: Mapping[str, object], places: Sequence[Place]) -> None:
        """ValueError as `marked`; `document` has a text at every place."""
        rest = compact(marked(document, places))
        marks = [mark(number).encode() for number in range(len(places))]
        self._order = sorted(range(len(places)), key=lambda number: rest.index(marks[number]))
        self._parts: list[bytes] = []
        """With an empty one for each slot, in the order of the document."""
        for number in self._order:
            before, _, rest = rest.partition(marks[number])
            self._parts += (before, b"")
        self._parts.append(rest)

    def fill(self, values: Sequence[str], plain: Sequence[bytes] | None = None) -> bytes:
        """The JSON of the document with these texts in the slots, byte for byte as `compact` writes it.

        `plain` are the texts in UTF-8 if nothing in them is to be escaped (`plain_texts`).
        """
        texts = plain or [quoted(value)[1:-1].encode() for value in values]
        parts = self._parts.copy()
        parts[1::2] = [texts[number] for number in self._order]
        return b"".join(parts)


def plain_texts(values: Sequence[str]) -> list[bytes] | None:
    """The texts in UTF-8, if they stand in JSON and in N-Quads as they are; None if one does not."""
    together = "".join(values)
    if not together.isprintable() or '"' in together or "\\" in together:
        return None
    return [value.encode() for value in values]


def quoted(text: str) -> str:
    """A text as JSON, as `compact` writes it."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return json.dumps(text, ensure_ascii=False)


def _replaced(document: JsonObject, place: Place, text: str) -> JsonObject:
    top: Any = dict(document)
    part = top
    try:
        for step in place[:-1]:
            part[step] = part[step].copy()
            part = part[step]
        if not isinstance(part[place[-1]], str):
            raise ValueError(place)  # noqa: TRY004 - it is the place that is wrong
        part[place[-1]] = text
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(place) from error
    found: JsonObject = top
    return found
