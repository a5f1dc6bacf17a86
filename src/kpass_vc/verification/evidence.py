"""What a verification judges by: gathered by the action, read by the checks."""

import posixpath
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from kpass_vc.errors import KpassError
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject
from kpass_vc.verification.known_lists import KnownLists

MOST_WANTED: Final = 20
"""Resources, and status lists, that are looked up for one credential."""


@dataclass(frozen=True)
class Evidence:
    """What was gathered to judge by. What could not be had is left out."""

    now: datetime
    contexts: Contexts
    home: str = ""
    """The public URL of this service: what stands under it and is not published here is not true."""
    did_documents: Mapping[str, JsonObject] = field(default_factory=dict)
    """By DID."""
    withdrawn_keys: Mapping[str, datetime] = field(default_factory=dict)
    """When a key was withdrawn as compromised, by verification method."""
    status_lists: Mapping[str, bytes] = field(default_factory=dict)
    """Secured status list credentials, by URL."""
    resources: Mapping[str, bytes] = field(default_factory=dict)
    """Definitions and achievements that are published here, by URL."""
    fetched: Mapping[str, bytes] = field(default_factory=dict)
    """Related resources that lie elsewhere, by URL: their bytes, and nothing of them believed."""
    missing: Mapping[str, KpassError] = field(default_factory=dict)
    """Why something that was looked for elsewhere could not be had, by DID or URL."""
    definition_states: Mapping[str, str] = field(default_factory=dict)
    """published, superseded or retired, by the URL of the definition document."""
    authorised: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The DIDs the owner names in its records, by the URL of the definition document."""
    authorizations: Mapping[str, bytes] = field(default_factory=dict)
    """Owners' signed authorisations of issuers, by URL, wherever they lie."""
    withdrawals: Mapping[str, bytes] = field(default_factory=dict)
    """The signed notices that withdrew them, by the URL of the authorisation."""
    vocabulary: str = "https://w3id.org/mikromerit#"
    """What the types of authorisations stand under."""
    review_due: Mapping[str, date] = field(default_factory=dict)
    """When a definition is due for review, by the URL of its document, where that is past."""
    reviewed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who has approved a definition, by the URL of its document."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What became of the credentials that one is made of, by their ids: active, suspended, revoked or expired."""
    confirmed: Mapping[str, datetime] = field(default_factory=dict)
    """When the operator of this service made sure who an organisation is, by DID."""
    confirmations: Mapping[str, bytes] = field(default_factory=dict)
    """Signed lists of confirmed organisations from other services, by the DID of the operator there."""
    known_lists: KnownLists = field(default_factory=KnownLists, repr=False, compare=False)
    """Status lists whose signatures were seen to hold before: it saves work and says nothing."""


@dataclass(frozen=True)
class Wanted:
    """What would help to verify a document: DIDs and URLs that it names."""

    dids: tuple[str, ...] = ()
    """Whoever must control its keys: the issuer, or the controllers that its proofs name."""
    status_lists: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """The achievement, and what the credential binds."""
    related: tuple[str, ...] = ()
    """What it binds by a digest."""
    authorizations: tuple[str, ...] = ()
    """What it says it was issued under."""
    parts: tuple[str, ...] = ()
    """The credentials that it is made of."""
    owners: tuple[str, ...] = ()
    """The published achievement and its owner's publication, where the owner is another than the issuer."""
    operator: str | None = None
    """The DID of who runs the service that the issuer has its place on."""


def stands_under(address: str, folder: str) -> bool:
    """Whether a web address leads into a folder, however it is spelled: as a browser would follow it."""
    return _place(address).startswith(_folder(folder))


@lru_cache(maxsize=16)
def _folder(folder: str) -> str:
    return _place(folder)


def _place(address: str) -> str:
    """Host, port unless it is the usual one, and path of a web address, in one spelling; "" if it is none."""
    scheme, _, rest = address.strip().replace("\\", "/").partition(":")
    if scheme.lower() not in {"http", "https"}:
        return ""
    try:
        parts = urlsplit("//" + rest.lstrip("/"))
        host, port = unquote(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    host = unicodedata.normalize("NFKC", host).lower().rstrip(".")
    usual = port in {None, 80, 443}
    path = posixpath.normpath(f"/{unquote(parts.path).lower()}").strip("/")
    return f"{host}:{'' if usual else port}/{path}{'/' if path else ''}"
