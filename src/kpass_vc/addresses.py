"""Where every permanent artefact lies.

Each address is a file that a dumb web server could serve: with extension, no
query, under its owner. `base` is the public URL without a trailing slash.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from kpass_vc.language import Language


@dataclass(frozen=True)
class DefinitionAddresses:
    """The addresses of one definition version."""

    line: str
    version: str

    @property
    def folder(self) -> str:
        """What all artefacts of the version stand under."""
        return f"{self.line}/{self.version}"

    @property
    def document(self) -> str:
        """The full definition as JSON."""
        return f"{self.folder}/definition.json"

    @property
    def publication(self) -> str:
        """The owner's signed publication."""
        return f"{self.folder}/publication.json"

    def achievement(self, language: Language) -> str:
        """The Open Badges Achievement of one language."""
        return f"{self.folder}/achievement.{language}.json"

    def page(self, language: Language) -> str:
        """The definition as a page."""
        return f"{self.folder}/{language}.html"

    def badge(self, language: Language) -> str:
        """The badge picture, PNG."""
        return f"{self.folder}/badge.{language}.png"

    def badge_svg(self, language: Language) -> str:
        """The badge picture, SVG."""
        return f"{self.folder}/badge.{language}.svg"

    def badge_small(self, language: Language) -> str:
        """The badge picture for 128 pixels and less, SVG."""
        return f"{self.folder}/badge-small.{language}.svg"

    def badge_64(self, language: Language) -> str:
        """The badge picture of 64 pixels, PNG."""
        return f"{self.folder}/badge-64.{language}.png"


@dataclass(frozen=True)
class Addresses:
    """The addresses of one service."""

    base: str

    @property
    def host(self) -> str:
        """The host name, without a port."""
        return urlsplit(self.base).hostname or "localhost"

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser names where a page is from (RFC 6454)."""
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path that everything stands under; empty at a host's root."""
        return urlsplit(self.base).path

    def console(self, place: str = "") -> str:
        """A page of the console: `place` begins with a slash."""
        return f"{self.base}/console{place}"

    def organization(self, slug: str) -> str:
        """The folder of one organisation."""
        return f"{self.base}/o/{slug}"

    def did(self, slug: str) -> str:
        """The did:web of one organisation (did:web method specification, section 3.1)."""
        parts = urlsplit(self.base)
        path = [quote(part) for part in parts.path.split("/") if part]
        return ":".join(["did:web", parts.netloc.replace(":", "%3A"), *path, "o", slug])

    def slug_of_did(self, did: str) -> str | None:
        """The organisation a did:web of this service names, or None for any other DID."""
        slug = did.rpartition(":")[2]
        return slug if slug and did == self.did(slug) else None

    def did_document(self, slug: str) -> str:
        """The DID document of one organisation."""
        return f"{self.organization(slug)}/did.json"

    def keys(self, slug: str) -> str:
        """All keys of one organisation with the periods they signed in."""
        return f"{self.organization(slug)}/keys.json"

    def definition_line(self, slug: str, code: str) -> str:
        """The IRI of a definition in all its versions."""
        return f"{self.organization(slug)}/definitions/{code}"

    def definition(self, slug: str, code: str, version: str) -> DefinitionAddresses:
        """The addresses of one definition version."""
        return DefinitionAddresses(line=self.definition_line(slug, code), version=version)

    def definition_at(self, document_url: str) -> DefinitionAddresses:
        """The addresses of a definition version by that of its document, wherever that lies."""
        line, _, version = document_url.removesuffix("/definition.json").rpartition("/")
        return DefinitionAddresses(line=line, version=version)

    def status_list(self, slug: str, purpose: str, number: int) -> str:
        """One status list credential."""
        return f"{self.organization(slug)}/status/{purpose}-{number}.json"

    def credential(self, slug: str, credential_id: str) -> str:
        """The id of one credential; answers with no personal data."""
        return f"{self.organization(slug)}/credentials/{credential_id}"

    @property
    def letter(self) -> str:
        """The page where the code of a letter is typed."""
        return f"{self.base}/letter"

    @property
    def confirmed(self) -> str:
        """The operator's signed list of the organisations it has made sure of."""
        return f"{self.organization('operator')}/confirmed.json"

    def authorization(self, slug: str, delegation_id: str) -> str:
        """An owner's signed authorisation of an issuer."""
        return f"{self.organization(slug)}/authorizations/{delegation_id}.json"

    def audit_head(self, slug: str, day: str) -> str:
        """What an organisation's chain of audit entries ended with on a day, signed."""
        return f"{self.organization(slug)}/audit/{day}.json"

    def endorsement(self, slug: str, review_id: str) -> str:
        """A reviewer's signed approval of a definition version."""
        return f"{self.organization(slug)}/endorsements/{review_id}.json"

    def holder_page(self, token: str) -> str:
        """A learner's private link; whoever has it may manage the award."""
        return f"{self.base}/c/{token}"

    def folder(self, token: str) -> str:
        """A learner's folder link: all that one organisation has given her."""
        return f"{self.base}/f/{token}"

    def share(self, code: str) -> str:
        """A share link: what may stand in a QR, an image or on paper."""
        return f"{self.base}/s/{code}"
