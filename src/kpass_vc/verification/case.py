"""One document under verification, what the checks have found out about it so far, and how its parts are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from kpass_vc.crypto.keys import PublicKey
from kpass_vc.formats import is_supported
from kpass_vc.formats.format import Presented, PresentedProof
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.model.credential import OpenBadgeCredential
from kpass_vc.model.did import Relationship
from kpass_vc.model.document import JsonObject
from kpass_vc.model.status import only
from kpass_vc.verification.evidence import Evidence
from kpass_vc.verification.report import Finding, Outcome


@dataclass(frozen=True)
class Profile:
    """Which checks are made, and what is demanded where the standards leave it to the verifier."""

    name: str
    checks: "Mapping[str, Check]"
    """In the order of the report, after `parsed`; a later check reads what an earlier one found."""
    inline_contexts: bool
    """Whether a document may define terms of its own."""
    binds_issuer: bool
    """Whether the issuer itself must control the key that signed."""
    every_proof: bool
    """Whether a proof that we cannot check beside one that holds is a refusal, or only noted."""
    demands_claims: bool
    """Whether an Open Badges JWT must repeat what its credential says in claims, or lacking ones are only noted."""


@dataclass
class Case:
    """One document, and what the checks have found out about it so far."""

    presented: Presented
    evidence: Evidence
    profile: Profile
    purpose: Relationship = "assertionMethod"
    """What its proofs must have been made for."""
    model: OpenBadgeCredential | None = None
    is_sound: bool = False
    """Whether its structure is what is demanded, so that its parts can be read."""
    documents: dict[str, JsonObject] = field(default_factory=dict)
    """The DID documents of who signed, by DID, as far as they could be had."""
    keys: dict[int, PublicKey] = field(default_factory=dict)
    """The key of each proof, by the proof's number."""

    line: str | None = None
    """The IRI of the definition that the achievement is of, once its owner has been seen to publish it."""
    document_url: str | None = None
    """The definition document of our own that it is bound to."""

    @property
    def credential(self) -> JsonObject:
        """The document without its proofs."""
        return self.presented.document

    @property
    def contexts(self) -> Contexts:
        """The contexts that the document may use."""
        known = self.evidence.contexts
        return known.allowing_inline() if self.profile.inline_contexts else known

    @property
    def graph(self) -> Graph:
        """What the document says under those contexts: it is turned into quads once for all checks."""
        return self.presented.graph(self.contexts)

    @cached_property
    def proofs(self) -> list[tuple[int, PresentedProof]]:
        """The proofs that are judged, with their numbers: those we can check, or all if a profile demands it."""
        every = list(enumerate(self.presented.proofs))
        known = [(at, proof) for at, proof in every if is_supported(self.presented, proof)]
        return every if self.profile.every_proof or not known else known

    def signer_of(self, proof: PresentedProof) -> str | None:
        """The DID, or other URL, of whoever must control a proof's key: the issuer, or whom the proof names."""
        named = (proof.verification_method or "").partition("#")[0]
        if self.profile.binds_issuer and self.purpose == "assertionMethod":
            return issuer_of(self.credential)
        if self.purpose == "authentication":
            return named or holder_of(self.credential)
        return named or issuer_of(self.credential)


Check: TypeAlias = Callable[[Case], Finding]

_WORST_FIRST: Final[tuple[Outcome, ...]] = ("failed", "unknown", "passed")


def worst(found: list[Finding]) -> Finding:
    """The first of the findings that are worst."""
    return min(found, key=lambda finding: _WORST_FIRST.index(finding.outcome))


def unchecked(check: str) -> Finding:
    """That a check could not be made because of what an earlier one found."""
    return Finding(check, "unknown", "not_checked")


def not_had(case: Case, check: str, name: str, data: Mapping[str, object]) -> Finding:
    """That something which lies elsewhere could not be had, and why if it was looked for."""
    cause = case.evidence.missing.get(name)
    code = "not_available" if cause is None else "not_fetched"
    return Finding(check, "unknown", code, data, cause)


def issuer_of(credential: JsonObject) -> str | None:
    """The issuer's URL."""
    issuer = credential.get("issuer")
    return text(issuer) or text(member(issuer, "id"))


def holder_of(presentation: JsonObject) -> str | None:
    """The holder's URL, if a presentation names one."""
    holder = presentation.get("holder")
    return text(holder) or text(member(holder, "id"))


def member(value: object, *names: str) -> object:
    """A member of a member of …, where lists of one stand for their one value; None if it is not there."""
    for name in names:
        value = only(value)
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: object) -> str | None:
    """A text, or None."""
    return value if isinstance(value, str) else None


def entries(value: object) -> list[object]:
    """The values of a member that may be one or a list."""
    return value if isinstance(value, list) else [value]
