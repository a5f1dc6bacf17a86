"""What a verification finds out: one finding for each check, and the verdict from all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kpass_vc.errors import KpassError
from kpass_vc.formats.format import Presented
from kpass_vc.language import Language, say

Outcome = Literal["passed", "failed", "unknown"]
Verdict = Literal["verified", "refused", "unknown"]


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: a code for programs, data and cause for the sentence."""

    check: str
    outcome: Outcome
    code: str
    data: Mapping[str, object] = field(default_factory=dict)
    cause: KpassError | None = None

    def sentence(self, language: Language) -> str:
        """What was found, for a person."""
        reason = self.cause.sentence(language) if self.cause else ""
        return say(language, f"check.{self.check}.{self.code}", reason=reason, **self.data)


def verdict(findings: tuple[Finding, ...]) -> Verdict:
    """`refused` if a check failed; else `unknown` if one could not be made."""
    outcomes = {finding.outcome for finding in findings}
    if "failed" in outcomes:
        return "refused"
    return "unknown" if "unknown" in outcomes else "verified"


@dataclass(frozen=True)
class VerificationReport:
    """Every check with its outcome, and what the credential says."""

    findings: tuple[Finding, ...]
    presented: Presented | None
    notes: tuple[Finding, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether every check passed."""
        return self.verdict == "verified"

    @property
    def verdict(self) -> Verdict:
        """`refused` if a check failed; else `unknown` if one could not be made."""
        return verdict(self.findings)


@dataclass(frozen=True)
class PresentationReport:
    """Every check of a presentation, and a report on each credential in it."""

    findings: tuple[Finding, ...]
    presented: Presented | None
    credentials: tuple[VerificationReport, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether every check passed, of the presentation and of all that is in it."""
        return self.verdict == "verified"

    @property
    def verdict(self) -> Verdict:
        """The worst of the presentation's verdict and those of its credentials."""
        found = {verdict(self.findings), *(report.verdict for report in self.credentials)}
        return "refused" if "refused" in found else "unknown" if "unknown" in found else "verified"
