"""BitstringStatusListEntry and BitstringStatusListCredential (Bitstring Status List 1.0 section 2)."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from kpass_vc.model.parts import DateTimeStamp, Open, Several, Uri

Purpose = Literal["revocation", "suspension"]


def only(value: object) -> object:
    """A list of one stands for its one value."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _id_of(value: object) -> object:
    """An object that says more than its id stands for the id."""
    return value.get("id") if isinstance(value, dict) else value


class CredentialStatus(Open):
    """An entry of `credentialStatus`, of whatever type."""

    id: Uri | None = None
    type: Several[str]


class BitstringStatusListEntry(Open):
    """The `credentialStatus` of one credential, for one purpose."""

    id: Uri | None = None
    type: Annotated[Literal["BitstringStatusListEntry"], BeforeValidator(only)]
    status_purpose: str = Field(alias="statusPurpose", min_length=1)
    status_list_index: str = Field(alias="statusListIndex", pattern=r"^(0|[1-9][0-9]{0,9})$")
    status_list_credential: Uri = Field(alias="statusListCredential")


class BitstringStatusList(Open):
    """The subject of a status list credential."""

    id: Uri | None = None
    type: Literal["BitstringStatusList"]
    status_purpose: Annotated[
        Several[str],
        WithJsonSchema(
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
        ),
    ] = Field(alias="statusPurpose")
    encoded_list: str = Field(alias="encodedList", min_length=1)


class BitstringStatusListCredential(Open):
    """A status list, as the issuer signed it."""

    context: list[object] = Field(alias="@context", min_length=1)
    id: Uri
    type: Several[str]
    issuer: Annotated[Uri, BeforeValidator(_id_of)]
    valid_from: DateTimeStamp | None = Field(default=None, alias="validFrom")
    valid_until: DateTimeStamp | None = Field(default=None, alias="validUntil")
    credential_subject: BitstringStatusList = Field(alias="credentialSubject")
