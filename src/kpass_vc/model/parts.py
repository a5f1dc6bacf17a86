"""The small types that the models of credentials share."""

import re
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.field_errors import broken

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]+\Z")
T = TypeVar("T")


class Open(BaseModel):
    """A part of a credential: what we know is checked, what we do not know is left as it is."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, strict=True)


def _uri(value: str) -> str:
    if not _URI.match(value):
        raise broken("uri")
    return value


def _date_time(value: str) -> str:
    if parse_date_time(value) is None:
        raise broken("date_time")
    return value


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


Uri = Annotated[str, AfterValidator(_uri), WithJsonSchema({"type": "string", "format": "uri"})]
"""An absolute URI, DID or URN."""

DateTimeStamp = Annotated[
    str, AfterValidator(_date_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A dateTimeStamp of XML Schema 1.1: with a time zone."""

Several = Annotated[list[T], BeforeValidator(_as_list), Field(min_length=1)]
"""One or more; a single value stands for a list of one (Open Badges 3.0 serialises sets as arrays)."""
