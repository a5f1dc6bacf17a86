"""Achievement and its parts (Open Badges 3.0 appendix B)."""

from typing import Literal

from pydantic import Field

from kpass_vc.model.parts import Open, Several, Uri
from kpass_vc.model.profile import Image, Profile


class Criteria(Open):
    """What it takes; at least one of the two, which a verifier that shows it demands."""

    id: Uri | None = None
    narrative: str | None = None


class Alignment(Open):
    """A node in another framework that this corresponds to."""

    type: Several[str]
    target_name: str = Field(alias="targetName")
    target_url: Uri = Field(alias="targetUrl")
    target_code: str | None = Field(default=None, alias="targetCode")
    target_description: str | None = Field(default=None, alias="targetDescription")
    target_framework: str | None = Field(default=None, alias="targetFramework")
    target_type: str | None = Field(default=None, alias="targetType")


class IdentifierEntry(Open):
    """A further name of something."""

    type: str
    identifier: str
    identifier_type: str = Field(alias="identifierType")


class ResultDescription(Open):
    """A kind of result that can be reported."""

    id: Uri
    type: Several[str]
    name: str
    result_type: str = Field(alias="resultType")
    allowed_value: Several[str] | None = Field(default=None, alias="allowedValue")
    required_value: str | None = Field(default=None, alias="requiredValue")


class Related(Open):
    """Another edition of the same achievement."""

    id: Uri
    type: Several[str]
    in_language: str | None = Field(default=None, alias="inLanguage")
    version: str | None = None


class Achievement(Open):
    """What was achieved: one language edition of a definition version."""

    id: Uri
    type: Several[str]
    name: str
    description: str
    criteria: Criteria
    achievement_type: str | None = Field(default=None, alias="achievementType")
    in_language: str | None = Field(default=None, alias="inLanguage")
    version: str | None = None
    human_code: str | None = Field(default=None, alias="humanCode")
    other_identifier: Several[IdentifierEntry] | None = Field(default=None, alias="otherIdentifier")
    creator: Profile | None = None
    image: Image | None = None
    field_of_study: str | None = Field(default=None, alias="fieldOfStudy")
    alignment: Several[Alignment] | None = None
    result_description: Several[ResultDescription] | None = Field(
        default=None, alias="resultDescription"
    )
    tag: Several[str] | None = None
    related: Several[Related] | None = None


class Result(Open):
    """A result of the learner."""

    type: Several[str]
    result_description: Uri | None = Field(default=None, alias="resultDescription")
    status: (
        Literal[
            "Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"
        ]
        | None
    ) = None
    value: str | None = None
