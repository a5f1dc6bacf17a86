"""Verifications: anyone may ask, nothing is stored, the answer is 200 with a report whatever the verdict."""

from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel

from kpass_vc.actions.lint_badge import lint_badge
from kpass_vc.actions.recognise import Route, find_credential
from kpass_vc.edge import Env, PictureBody, ReaderLanguage
from kpass_vc.language import Language, say
from kpass_vc.probes import ProbeResult
from kpass_vc.verification import Finding, VerificationReport

router = APIRouter(prefix="/v1", tags=["Verifications"])


class CheckReply(BaseModel):
    """One check: passed, failed or unknown, with a code for programs and a sentence for people."""

    check: str
    name: str
    outcome: str
    code: str
    detail: str


class ProbeReply(BaseModel):
    """What one probe of 1EdTech's public validator would say: ok, warning, error, fatal, not_run."""

    probe: str
    level: str
    code: str
    detail: str


class ReportReply(BaseModel):
    """Every check, and what the credential says."""

    verified: bool
    verdict: str
    summary: str
    route: list[str]
    """How the credential was found in what was handed in, step by step."""
    checks: list[CheckReply]
    notes: list[CheckReply]
    probes: list[ProbeReply] = []
    """What 1EdTech's public validator would say of it: another question than whether it is genuine."""
    format: str | None
    credential: dict[str, Any] | None


_MULTIKEY: Final = "z6MkgZRUxx6XCjd9mRniZjznVJDTu4EmyFZ7Zm8mH8KusQz9"
_DID: Final = f"did:key:{_MULTIKEY}"
EXAMPLE: Final[dict[str, Any]] = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ],
    "id": "urn:uuid:5f0f8d6e-0d0e-4f0e-9a55-3a1c8f0b7a11",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "Mend seams",
    "issuer": {"id": _DID, "type": ["Profile"], "name": "Nordiska Textilakademin (example)"},
    "validFrom": "2026-01-15T09:00:00Z",
    "credentialSubject": {
        "type": ["AchievementSubject"],
        "id": "urn:uuid:9f6f1c4b-6a53-4a5c-8f04-0c2b7a6d1e22",
        "achievement": {
            "id": "urn:uuid:0a4f2a53-52f5-4f5e-8a27-6c9a3e1d5b33",
            "type": ["Achievement"],
            "name": "Mend seams",
            "description": "Can mend a seam so that it holds.",
            "criteria": {"narrative": "A practical test, passed."},
        },
    },
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-01-15T09:00:00Z",
        "verificationMethod": f"{_DID}#{_MULTIKEY}",
        "proofPurpose": "assertionMethod",
        "proofValue": "z5sAfKbxpp5Tpog5R8eQFoTF2eTiFPa829AaroZwqmHAy8aLk2Tq7vG1eQoNs4oHYQU5JyNsvKxkc714V5WGGPQft",
    },
}
"""It verifies; its key was thrown away."""


@router.post(
    "/verifications",
    summary="Verify a credential",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "examples": {"example1": {"value": EXAMPLE}},
                },
                "application/vc+ld+json": {"schema": {"type": "object"}},
                "application/jwt": {"schema": {"type": "string"}},
                "application/vc+jwt": {"schema": {"type": "string"}},
                "text/plain": {"schema": {"type": "string"}},
                "image/png": {"schema": {"type": "string", "format": "binary"}},
                "image/svg+xml": {"schema": {"type": "string"}},
                "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
                "image/webp": {"schema": {"type": "string", "format": "binary"}},
                "image/gif": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
def post_verification(
    env: Env, body: PictureBody, language: ReaderLanguage, response: Response
) -> ReportReply:
    """Takes a credential in any form it is carried in, and says in `route` how it was found.

    JSON, a JWT, a PNG or SVG with a credential baked in, a photograph or screenshot with a QR
    code, an https link, the code of a share link; at most 5 MiB. What it is decides, not the
    Content-Type. `verified` is true only when every check passed.
    """
    response.headers["Cache-Control"] = "no-store"
    found = find_credential(env, body)
    report, probes = lint_badge(env, found.secured)
    reply = report_reply(report, language, found.route)
    reply.probes = [probe_reply(result, language) for result in probes]
    return reply


def report_reply(report: VerificationReport, language: Language, route: Route) -> ReportReply:
    """The report for a reader of one language."""
    presented = report.presented
    return ReportReply(
        verified=report.verified,
        verdict=report.verdict,
        summary=say(language, f"verdict.{report.verdict}"),
        route=list(route),
        checks=[_check(finding, language) for finding in report.findings],
        notes=[_check(finding, language) for finding in report.notes],
        format=presented.format if presented else None,
        credential=presented.document if presented else None,
    )


def probe_reply(result: ProbeResult, language: Language) -> ProbeReply:
    """What a probe says, for a reader of one language."""
    return ProbeReply(
        probe=result.probe,
        level=result.level,
        code=result.code,
        detail=result.sentence(language),
    )


def _check(finding: Finding, language: Language) -> CheckReply:
    return CheckReply(
        check=finding.check,
        name=say(language, f"check.name.{finding.check}"),
        outcome=finding.outcome,
        code=finding.code,
        detail=finding.sentence(language),
    )
