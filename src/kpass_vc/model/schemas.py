"""Our own JSON Schemas (2020-12), made from the models; schemas/ holds them and a test holds the two equal."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from kpass_vc.model.credential import OpenBadgeCredential
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import JsonObject
from kpass_vc.model.status import BitstringStatusListCredential

SCHEMAS: Final[Mapping[str, type[BaseModel]]] = {
    "credential": OpenBadgeCredential,
    "definition": Definition,
    "status-list": BitstringStatusListCredential,
}


def json_schema(name: str) -> JsonObject:
    """The JSON Schema of one of SCHEMAS."""
    schema = SCHEMAS[name].model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:kpass:schema:{name}:1",
        **schema,
    }
