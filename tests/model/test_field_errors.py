"""Pydantic's errors in our words."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from kpass_vc.language import LANGUAGES
from kpass_vc.model.document import pointer
from kpass_vc.model.field_errors import field_errors


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    kind: Literal["a", "b"] = "a"
    when: datetime | None = None
    zoned: AwareDatetime | None = None
    page: HttpUrl | None = None
    key: UUID | None = None
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    items: Annotated[list[int], Field(min_length=1)] = [1]


@pytest.mark.parametrize(
    ("body", "field", "rule", "data"),
    [
        ({}, "/name", "required", {}),
        ({"name": 5}, "/name", "type", {"expected": "string"}),
        ({"name": "x", "kind": "c"}, "/kind", "enum", {"expected": "a, b"}),
        ({"name": "x", "when": "soon"}, "/when", "datetime", {}),
        ({"name": "x", "zoned": "2026-11-20T09:00:00"}, "/zoned", "timezone", {}),
        ({"name": "x", "page": "://"}, "/page", "url", {}),
        ({"name": "x", "key": "1"}, "/key", "uuid", {}),
        ({"name": "x", "share": 1}, "/share", "range", {"limit": "< 1.0"}),
        ({"name": "x", "items": []}, "/items", "count", {"limit": "≥ 1"}),
        ({"name": "x", "items": ["y"]}, "/items/0", "type", {"expected": "integer"}),
        ({"name": "x", "~/": 1}, "/~0~1", "unknown_field", {}),
        ([], "", "not_an_object", {}),
    ],
)
def test_an_error_becomes_our_rule_with_a_sentence_in_both_languages(
    body: object, field: str, rule: str, data: dict[str, object]
) -> None:
    with pytest.raises(ValidationError) as caught:
        Order.model_validate(body)

    (told,) = field_errors(caught.value)

    assert (told.field, told.rule, told.data) == (field, rule, data)
    sentences = [told.sentence(language) for language in LANGUAGES]
    assert len(set(sentences)) == len(LANGUAGES)


def test_a_pointer_escapes_what_rfc_6901_reserves() -> None:
    assert pointer("a/b", 0, "c~d") == "/a~1b/0/c~0d"
    assert pointer() == ""
