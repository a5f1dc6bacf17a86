"""Verifications: anyone may ask, nothing is stored, the answer is 200 with a report whatever the verdict."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from kpass_vc.actions.verify import verify
from kpass_vc.edge import Env, RawBody, ReaderLanguage, ReadTx
from kpass_vc.language import Language, say
from kpass_vc.verification import Finding, VerificationReport

router = APIRouter(prefix="/v1", tags=["Verifications"])


class CheckReply(BaseModel):
    """One check: passed, failed or unknown, with a code for programs and a sentence for people."""

    check: str
    name: str
    outcome: str
    code: str
    detail: str


class ReportReply(BaseModel):
    """Every check, and what the credential says."""

    verified: bool
    verdict: str
    summary: str
    checks: list[CheckReply]
    notes: list[CheckReply]
    format: str | None
    credential: dict[str, Any] | None


@router.post(
    "/verifications",
    summary="Verify a credential",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/vc+ld+json": {"schema": {"type": "object"}},
                "application/jwt": {"schema": {"type": "string"}},
                "text/plain": {"schema": {"type": "string"}},
            },
        }
    },
)
def post_verification(
    env: Env, session: ReadTx, body: RawBody, language: ReaderLanguage, response: Response
) -> ReportReply:
    """Takes the credential as it is: JSON or JWT. `verified` is true only when every check passed."""
    response.headers["Cache-Control"] = "no-store"
    return report_reply(verify(env, session, body), language)


def report_reply(report: VerificationReport, language: Language) -> ReportReply:
    """The report for a reader of one language."""
    presented = report.presented
    return ReportReply(
        verified=report.verified,
        verdict=report.verdict,
        summary=say(language, f"verdict.{report.verdict}"),
        checks=[_check(finding, language) for finding in report.findings],
        notes=[_check(finding, language) for finding in report.notes],
        format=presented.format if presented else None,
        credential=presented.credential if presented else None,
    )


def _check(finding: Finding, language: Language) -> CheckReply:
    return CheckReply(
        check=finding.check,
        name=say(language, f"check.name.{finding.check}"),
        outcome=finding.outcome,
        code=finding.code,
        detail=finding.sentence(language),
    )
