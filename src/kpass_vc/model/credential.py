"""OpenBadgeCredential (Open Badges 3.0) on the Verifiable Credentials Data Model 2.0."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from kpass_vc.model.achievement import Achievement, Result
from kpass_vc.model.field_errors import broken
from kpass_vc.model.parts import DateTimeStamp, Open, Several, Uri
from kpass_vc.model.profile import Profile
from kpass_vc.model.status import BitstringStatusListEntry, CredentialStatus, only


def _profile(value: object) -> object:
    """An issuer that is only its URI, as 1EdTech's schema allows, is a Profile of which nothing more is said."""
    return {"id": value, "type": ["Profile"]} if isinstance(value, str) else value


class IdentityObject(Open):
    """Who the learner is, in clear or as a salted hash."""

    type: str
    hashed: bool
    identity_hash: str = Field(alias="identityHash")
    identity_type: str = Field(alias="identityType")
    salt: str | None = None


class AchievementSubject(Open):
    """The learner and what was achieved; an id or an identifier is demanded."""

    id: Uri | None = None
    type: Several[str]
    identifier: Several[IdentityObject] | None = None
    achievement: Annotated[Achievement, BeforeValidator(only)]
    result: Several[Result] | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.id is None and self.identifier is None:
            raise broken("subject_identity")
        if "AchievementSubject" not in self.type:
            raise broken("type_value", at="/type", expected="AchievementSubject")
        return self


class Evidence(Open):
    """What shows that it was achieved."""

    id: Uri | None = None
    type: Several[str]
    name: str | None = None
    description: str | None = None
    narrative: str | None = None
    genre: str | None = None


class RelatedResource(Open):
    """A resource bound to the credential by its digest (VCDM 2.0 section 5.3)."""

    id: Uri
    media_type: str | None = Field(default=None, alias="mediaType")
    digest_sri: str | None = Field(default=None, alias="digestSRI")


class OpenBadgeCredential(Open):
    """The credential, without its proof."""

    context: list[object] = Field(alias="@context", min_length=2)
    id: Uri
    type: Several[str]
    name: str | None = None
    description: str | None = None
    issuer: Annotated[Profile, BeforeValidator(_profile)]
    awarded_date: DateTimeStamp | None = Field(default=None, alias="awardedDate")
    valid_from: DateTimeStamp = Field(alias="validFrom")
    valid_until: DateTimeStamp | None = Field(default=None, alias="validUntil")
    credential_subject: Annotated[AchievementSubject, BeforeValidator(only)] = Field(
        alias="credentialSubject"
    )
    evidence: Several[Evidence] | None = None
    credential_status: (
        Annotated[
            Several[CredentialStatus], WithJsonSchema(BitstringStatusListEntry.model_json_schema())
        ]
        | None
    ) = Field(default=None, alias="credentialStatus")
    related_resource: Several[RelatedResource] | None = Field(default=None, alias="relatedResource")

    @model_validator(mode="after")
    def _kind(self) -> Self:
        if "VerifiableCredential" not in self.type:
            raise broken("type_value", at="/type", expected="VerifiableCredential")
        if not {"OpenBadgeCredential", "AchievementCredential"} & set(self.type):
            raise broken("type_value", at="/type", expected="OpenBadgeCredential")
        return self
