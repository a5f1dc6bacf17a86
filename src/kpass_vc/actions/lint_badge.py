"""What 1EdTech's public validator would say of a badge that is handed in; stores nothing."""

from kpass_vc.actions.verify import evidence_for
from kpass_vc.environment import Environment
from kpass_vc.probes import ProbeResult, probe


def lint_badge(env: Environment, body: bytes) -> tuple[ProbeResult, ...]:
    """Every probe's results, judged by our records and, for what lies elsewhere, by what is fetched."""
    return probe(body, evidence_for(env, body))
