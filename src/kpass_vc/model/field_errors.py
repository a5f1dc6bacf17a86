"""From pydantic's errors to ours: the field as a JSON pointer, our rule, the sentence's data.

Our own validators raise `broken(rule, **data)`. Pydantic puts a union's branch
into the place of an error, so a model read from outside has no plain unions.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from kpass_vc.errors import FieldError, InvalidInput
from kpass_vc.model.document import pointer

Model = TypeVar("Model", bound=BaseModel)

# More than a reader takes in, and a bound on what a hostile body makes us answer.
MOST_ERRORS: Final = 100

_PREFIX: Final = "rule."
_SAME_MEANING: Final[Mapping[str, str]] = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_unicode": "unicode",
    "timezone_aware": "timezone",
}
_JSON_TYPES: Final[Mapping[str, str]] = {
    "string": "string",
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "finite": "number",
    "bool": "boolean",
    "model": "object",
    "dict": "object",
    "mapping": "object",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "frozen": "array",
    "none": "null",
}
_LIMITS: Final[Mapping[str, tuple[str, str, str]]] = {
    "greater_than": ("range", ">", "gt"),
    "greater_than_equal": ("range", "≥", "ge"),
    "less_than": ("range", "<", "lt"),
    "less_than_equal": ("range", "≤", "le"),
    "string_too_short": ("length", "≥", "min_length"),
    "string_too_long": ("length", "≤", "max_length"),
    "too_short": ("count", "≥", "min_length"),
    "too_long": ("count", "≤", "max_length"),
}


def broken(rule: str, /, *, at: str = "", **data: object) -> PydanticCustomError:
    """The error a validator raises for our `rule`; `at` is a pointer from the validated value."""
    return PydanticCustomError(
        f"{_PREFIX}{rule}", "breaks the rule {rule}", {"rule": rule, "at": at, "data": data}
    )


def validated(model: type[Model], given: Mapping[str, object]) -> Model:
    """What came from outside as a model; InvalidInput lists every field that breaks a rule."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(*field_errors(error)) from error


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Every broken rule that `error` tells of, at most MOST_ERRORS."""
    details = error.errors(include_url=False, include_input=False)
    return tuple(field_error(detail) for detail in details[:MOST_ERRORS])


def field_error(detail: ErrorDetails) -> FieldError:
    """One broken rule, from one of pydantic's errors."""
    kind: str = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    field = pointer(*(place for place in detail["loc"] if place != "[key]"))
    if kind.startswith(_PREFIX):
        return FieldError(field + context["at"], context["rule"], **context["data"])
    if kind in _SAME_MEANING:
        return FieldError(field, _SAME_MEANING[kind])
    if kind in _LIMITS:
        rule, sign, name = _LIMITS[kind]
        return FieldError(field, rule, limit=f"{sign} {context[name]}")
    if kind == "string_pattern_mismatch":
        return FieldError(field, "pattern", pattern=context["pattern"])
    if kind in {"literal_error", "enum"}:
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        return FieldError(field, "enum", expected=expected)
    return _type_error(field, kind)


def _type_error(field: str, kind: str) -> FieldError:
    stem = kind.partition("_")[0]
    if stem == "model" and not field:
        return FieldError(field, "not_an_object")
    if stem in _JSON_TYPES:
        return FieldError(field, "type", expected=_JSON_TYPES[stem])
    if stem in {"date", "datetime", "url", "uuid"}:
        return FieldError(field, stem)
    return FieldError(field, "invalid")
