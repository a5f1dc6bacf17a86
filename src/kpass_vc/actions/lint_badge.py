"""Verify a badge, and say what 1EdTech's public validator would say of it, by the same evidence.

What lies elsewhere is fetched once for both, and the status list only when the proof holds.
"""

from kpass_vc.actions.verify import verify_by_evidence
from kpass_vc.environment import Environment
from kpass_vc.probes import ProbeResult, probe
from kpass_vc.verification import VerificationReport


def lint_badge(env: Environment, body: bytes) -> tuple[VerificationReport, tuple[ProbeResult, ...]]:
    """Our report and every probe's results. Raises for nothing that `body` may hold; stores nothing."""
    report, evidence = verify_by_evidence(env, body)
    return report, probe(body, evidence, report.presented)
