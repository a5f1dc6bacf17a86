"""What four verifiers say about many credentials, by the verifier's and the credential's name."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from kpass_vc.verification import VerificationReport
from tests.interop.foreign import NODE_VERIFIERS, Foreign, Verdict
from tests.world import World

OF_DOCUMENTS = ("ours", *NODE_VERIFIERS, "openbadgeslib")
OF_TOKENS = ("ours", "openbadgeslib")
SIGNATURE_IS_WRONG = {
    "ours": "proof failed",
    "digitalbazaar": "Invalid signature.",
    "verifier-core": "The signature is not valid.",
    "openbadgeslib": "ignature",
}
"""The words in which each says that it is the signature that does not hold."""

Verdicts = Mapping[str, Mapping[str, Verdict]]


def judge_documents(
    world: World,
    foreign: Foreign,
    badges: Mapping[str, bytes],
    others: Mapping[str, bytes] | None = None,
) -> Verdicts:
    """The verdicts on Data Integrity credentials; one Node process for all of them.

    `others` are no badges: only the Node verifiers, which read every kind, are asked about them.
    """
    documents = {**badges, **(others or {})}
    with ThreadPoolExecutor(1) as other_core:
        asked = other_core.submit(foreign.verify_in_node, list(documents.values()))
        verdicts = judge_tokens(world, foreign, badges)
        answered = asked.result()
    return verdicts | {
        verifier: dict(zip(documents, answered[verifier], strict=True))
        for verifier in NODE_VERIFIERS
    }


def judge_tokens(
    world: World, foreign: Foreign, tokens: Mapping[str, bytes]
) -> dict[str, dict[str, Verdict]]:
    """The verdicts of the two verifiers that read both forms."""
    return {
        "ours": {name: in_their_words(world.verified(body)) for name, body in tokens.items()},
        "openbadgeslib": {
            name: foreign.verify_openbadgeslib(body) for name, body in tokens.items()
        },
    }


def in_their_words(report: VerificationReport) -> Verdict:
    """Our report as a verdict: a raised bit stands in `revoked`, all else in `verified`."""
    return verdict_on(
        [(each.check, each.outcome, each.code, each.sentence("en")) for each in report.findings]
    )


def verdict_on(checks: Sequence[tuple[str, str, str, str]]) -> Verdict:
    """The same of a report's checks: name, outcome, code and sentence of each."""
    raised = next(
        {"revoked": True, "suspended": True, "passed": False}.get(code)
        for name, _, code, _ in checks
        if name == "status"
    )
    found = [each for each in checks if each[1] != "passed"]
    return Verdict(
        verified=all(name == "status" and raised for name, *_ in found),
        revoked=raised,
        why="; ".join(f"{name} {outcome}: {sentence}" for name, outcome, _, sentence in found),
    )


def not_accepted(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    """Who is refused, and why."""
    return {
        name: each.why or "its bit is set" for name, each in verdicts.items() if not each.accepted
    }
