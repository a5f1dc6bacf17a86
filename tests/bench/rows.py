"""The rows of the table: what is compared with what, what is aimed at, and what must not be fallen under.

A ratio is that of CPU time within one run. `at least` is the peer's over ours, `at most` is ours over the
peer's, which there is a floor. A gate is what a change may not break: about 60 % of what was measured
where more is better, a quarter above it where less is.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.bench.programs import median_ratio

RATE: Final = 9_000
SIGNS: Final = 48_000
"""Awards a second and core that a batch is to reach on a machine that gives so many Ed25519 signatures a second."""

PROOF_ALONE: Final = "openbadgeslib/issue, proof alone"


@dataclass(frozen=True)
class Row:
    """One comparison."""

    name: str
    what: str
    against: str
    ours: str
    peer: str
    bound: Literal["at least", "at most"] = "at least"
    target: float | None = None
    gate: float | None = None
    unit: str = "µs"

    @property
    def keys(self) -> tuple[str, ...]:
        """The measured cases it is made of."""
        return (self.ours, self.peer)


@dataclass(frozen=True)
class Found:
    """What a row came to."""

    row: Row
    ours: float
    peer: float
    ratio: float

    @property
    def reaches(self) -> bool | None:
        """Whether the target is reached; None where none is set."""
        return self._holds(self.row.target)

    @property
    def holds(self) -> bool:
        """Whether it is on the right side of its gate, or has none."""
        return self._holds(self.row.gate) is not False

    def _holds(self, bound: float | None) -> bool | None:
        if bound is None:
            return None
        return self.ratio >= bound if self.row.bound == "at least" else self.ratio <= bound


ROWS: Final = (
    Row("issue-pyld", "issue, by template", "PyLD + cryptography, same process",
        "ours/issue by template", "ours/PyLD issue", "at least", 60, 60),
    Row("issue-node", "issue, by template", "@digitalbazaar/vc on Node",
        "ours/issue by template", "node/issue", "at least", 80, 70),
    Row("issue-openbadgeslib", "issue, by template", "openbadgeslib",
        "ours/issue by template", "openbadgeslib/issue", "at least", 100, 100),
    Row("issue-openbadgeslib-proof", "issue, by template", "openbadgeslib, proof alone",
        "ours/issue by template", PROOF_ALONE),
    Row("issue-openvc", "issue, by template", "openvc-core",
        "ours/issue by template", "openvc/issue"),
    Row("issue-floor", "issue, by template", "Ed25519 sign + SHA-256",
        "ours/issue by template", "ours/sign and hash", "at most", 2.2, 3.5),
    Row("issue-walk", "issue, first seen (walk)", "PyLD + cryptography, same process",
        "ours/issue by walk", "ours/PyLD issue", "at least", 25, 16),
    Row("verify-pyld", "verify the proof, by template", "PyLD + cryptography, same process",
        "ours/verify proof", "ours/PyLD verify", "at least", 18, 18),
    Row("verify-node", "verify the proof, by template", "@digitalbazaar/vc on Node",
        "ours/verify proof", "node/verify", "at least", 22, 18),
    Row("verify-openbadgeslib", "verify the proof, by template", "openbadgeslib",
        "ours/verify proof", "openbadgeslib/verify", "at least", 30, 30),
    Row("verify-openbadgeslib-proof", "verify the proof, by template", "openbadgeslib, proof alone",
        "ours/verify proof", "openbadgeslib/verify, proof alone"),
    Row("verify-openvc", "verify the proof, by template", "openvc-core",
        "ours/verify proof", "openvc/verify"),
    Row("verify-floor", "verify the proof, by template", "Ed25519 verify",
        "ours/verify proof", "ours/verify signature", "at most", 3.2, 4.8),
    Row("verify-walk", "verify the proof, first seen (walk)", "PyLD + cryptography, same process",
        "ours/verify proof by walk", "ours/PyLD verify"),
    Row("verify-badge", "verify a badge, complete report", "openbadgeslib",
        "ours/verify badge", "openbadgeslib/verify"),
    Row("issue-jcs", "issue with eddsa-jcs-2022", "Ed25519 sign",
        "ours/issue JCS", "ours/sign", "at most"),
    Row("issue-jwt", "issue as Open Badges JWT (ES256)", "P-256 sign",
        "ours/issue JWT", "ours/sign P-256", "at most"),
    Row("http", "HTTP issue, durable", "Node + @digitalbazaar/vc, no database",
        "http/ours", "http/node", "at least", 15, 5),
    Row("http-form", "HTTP issue, durable: a secured form", "Node + @digitalbazaar/vc, no database",
        "http/ours, a form", "http/node"),
    Row("batch", "batch, durable: a secured form", f"{RATE:,} a second and core, scaled",
        "batch/form", "batch/allowed", "at least", 1.0, 0.24),
    Row("batch-award", "batch, durable: an award", f"{RATE:,} a second and core, scaled",
        "batch/award", "batch/allowed"),
    Row("status-list", "status list of 131,072, 5 % revoked", "with gzip.compress by default",
        "ours/publish list", "ours/publish list, gzip", "at least", 80, 35),
    Row("index", "index allocation at 99 % full", "the same at empty",
        "ours/index, full list", "ours/index, empty list", "at most", 2.0, 2.5),
    Row("memory", "server's memory after 100,000 issues", "after 10,000",
        "memory/many", "memory/some", "at most", 1.10, 1.10, "MB"),
)  # fmt: skip
SIGN: Final = "ours/sign"
"""What says how fast the machine is."""
ISSUING: Final = (
    ("kpass_vc, by template", "ours/issue by template"),
    ("kpass_vc, first seen", "ours/issue by walk"),
    ("PyLD + cryptography", "ours/PyLD issue"),
    ("@digitalbazaar/vc (Node)", "node/issue"),
    ("openbadgeslib", "openbadgeslib/issue"),
    ("openvc-core", "openvc/issue"),
)
VERIFYING: Final = (
    ("kpass_vc, by template", "ours/verify proof"),
    ("kpass_vc, first seen", "ours/verify proof by walk"),
    ("PyLD + cryptography", "ours/PyLD verify"),
    ("@digitalbazaar/vc (Node)", "node/verify"),
    ("openbadgeslib", "openbadgeslib/verify"),
    ("openvc-core", "openvc/verify"),
)


def chosen(names: Sequence[str] | None, *, memory: bool) -> list[Row]:
    """The rows of these names, or that begin with them; all without names, memory only when asked for."""
    wanted = [row for row in ROWS if row.name != "memory" or memory or "memory" in (names or ())]
    if not names:
        return wanted
    return [row for row in wanted if any(_is_called(row, name) for name in names)]


def find(row: Row, measured: Mapping[str, Sequence[float]]) -> Found:
    """What a row came to, from the rounds of its cases."""
    ours, peer = measured[row.ours], measured[row.peer]
    above, below = (peer, ours) if row.bound == "at least" else (ours, peer)
    ratio = median_ratio(above, below)
    return Found(row, statistics.median(ours), statistics.median(peer), ratio)


def allowed(sign: Sequence[float]) -> float:
    """The microseconds that one of a batch may take, where a signature takes so many."""
    return SIGNS / RATE * statistics.median(sign)


def fallen(found: Iterable[Found]) -> list[str]:
    """A sentence for each ratio that is beyond its gate."""
    return [_beyond(each) for each in found if not each.holds]


def _beyond(found: Found) -> str:
    row = found.row
    side = "under" if row.bound == "at least" else "over"
    about = f"{row.what}, against {row.against}"
    return f"{row.name}: {found.ratio:.2f} x is {side} its gate of {row.gate:g} x ({about})"


def _is_called(row: Row, name: str) -> bool:
    return row.name == name or row.name.startswith(f"{name}-")
