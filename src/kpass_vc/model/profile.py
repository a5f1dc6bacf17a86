"""Profile: an organisation as Open Badges 3.0 shows it."""

from pydantic import Field

from kpass_vc.model.parts import Open, Several, Uri


class Image(Open):
    """A picture by its address."""

    id: Uri
    type: str
    caption: str | None = None


class Address(Open):
    """Where an organisation is."""

    type: Several[str]
    address_country_code: str | None = Field(default=None, alias="addressCountryCode")


class Profile(Open):
    """The issuer of a credential, or the creator of an achievement."""

    id: Uri
    type: Several[str]
    name: str | None = None
    url: Uri | None = None
    email: str | None = None
    image: Image | None = None
    address: Address | None = None
