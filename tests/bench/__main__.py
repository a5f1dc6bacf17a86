"""`python -m tests.bench`: every row of the table in one run, as text, as JSON and as a chart.

    python -m tests.bench                        all but the memory, which takes minutes
    python -m tests.bench --memory               that too
    python -m tests.bench --only issue verify    the rows whose names begin so
    python -m tests.bench --gate                 exit status 1 if a ratio is beyond its gate
    python -m tests.bench --definition SOB-OPTO-01 --json FILE --chart FILE
                                                 on another of Sobona's: this one is the largest there is

Linux alone: CPU time and memory of the servers are read from /proc.
"""

import argparse
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from kpass_vc.formats import FORMATS
from kpass_vc.jsonld.contexts import Contexts
from tests import npm
from tests.bench.chart import Bar, draw
from tests.bench.end_to_end import batch, http_by_turns, memory
from tests.bench.lines import Question
from tests.bench.ours import public_key_of
from tests.bench.programs import MICRO, NODE, OPENVC, ROOT, by_turns, running
from tests.bench.rows import (
    ISSUING,
    PROOF_ALONE,
    SIGN,
    VERIFYING,
    Found,
    Row,
    allowed,
    chosen,
    fallen,
    find,
)
from tests.bench.subject import TYPICAL, Subject, make_subject

PROGRAMS: Final = ("ours", "openbadgeslib", "openvc", "node")
DOCS: Final = ROOT / "docs"
TEN_THOUSAND: Final = 10_000
PAPER: Final = 166
"""The width of the table where no terminal says one."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write; 1 with `--gate` if a ratio is beyond its gate."""
    given = _parser().parse_args(arguments)
    rows = chosen(given.only, memory=given.memory)
    if not rows:
        raise SystemExit(f"no row is called so: {', '.join(given.only)}")
    drawn = {key for _, key in (*ISSUING, *VERIFYING)}
    if given.chart and not any(drawn & {*row.keys} for row in rows):
        raise SystemExit("the chart shows issuing and verifying, and none of it is measured")
    subject = make_subject(given.definition)
    # Beside the checkout: what is durable must not lie in memory, as temporary files may.
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "var", prefix="bench-") as name:
        measured = measure(rows, subject, Path(name), given.rounds, given.rows)
    found = [find(row, measured) for row in rows]
    show(found, subject, given.rounds)
    is_whole = not given.only and not given.gate and given.definition == TYPICAL
    if given.json or is_whole:
        told = as_json(found, measured, subject, given.rounds)
        text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
        (given.json or DOCS / "bench.json").write_text(text, "utf-8")
    if given.chart or is_whole:
        (given.chart or DOCS / "bench.svg").write_text(chart(measured), "utf-8")
    beyond = fallen(found)
    for sentence in beyond if given.gate else []:
        Console(stderr=True).print(sentence, style="bold red", soft_wrap=True)
    return 1 if given.gate and beyond else 0


def measure(
    rows: Sequence[Row], subject: Subject, folder: Path, rounds: int, batch_rows: int
) -> dict[str, list[float]]:
    """What every case of these rows took in each round, by `program/case`."""
    keys = list(dict.fromkeys([SIGN, *(key for row in rows for key in row.keys)]))
    question = {**subject.question, "evidence": str(folder / "evidence.pickle")}
    # The contexts are loaded there, and what is remembered of lists begins anew.
    stays = {"contexts", "known_lists"}
    names = [each.name for each in fields(subject.evidence) if each.name not in stays]
    gathered = {name: getattr(subject.evidence, name) for name in names}
    (folder / "evidence.pickle").write_bytes(pickle.dumps(gathered))
    inside = [key for key in keys if key.partition("/")[0] in PROGRAMS]
    names = [name for name in PROGRAMS if any(key.startswith(f"{name}/") for key in inside)]
    with running(names, question, folder) as programs:
        for key in {PROOF_ALONE, *dict(ISSUING).values()}.intersection(inside):
            program, _, case = key.partition("/")
            check_issued(programs[program].shown(case), question, subject.evidence.contexts)
        measured = by_turns(programs, inside, rounds, sys.stderr)
    kinds = {key.partition("/")[0] for key in keys}
    if "http" in kinds:
        measured |= http_by_turns(subject, rounds, folder, sys.stderr)
    if "batch" in kinds:
        measured |= batch(subject.code, batch_rows, folder, sys.stderr)
        measured["batch/allowed"] = [allowed(measured[SIGN])]
    if "memory" in kinds:
        measured |= memory(subject.code, folder, sys.stderr)
    return measured


def check_issued(text: str, question: Question, contexts: Contexts) -> None:
    """Return if what a case issued has a proof that holds; else ProofInvalid."""
    form = FORMATS["ldp_vc"]
    presented = form.read(text.encode())
    # openbadgeslib's own model adds a context of 1EdTech's, which we pin as well
    form.check_proof(presented, presented.proofs[0], public_key_of(question), contexts)


def show(found: Sequence[Found], subject: Subject, rounds: int) -> None:
    """Print the table."""
    console = Console(width=None if sys.stdout.isatty() else PAPER)
    about = ", ".join(f"{count:,} {what}" for what, count in subject.about().items())
    about = f"{subject.code}: {about}"
    title = f"CPU time, medians of {rounds} alternating rounds"
    table = Table(title=title, caption=about, box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("what", "against"):
        table.add_column(heading)
    for heading in ("ours", "a CPU second", "peer", "ratio", "target", "gate"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in found:
        table.add_row(
            each.row.what,
            each.row.against,
            _number(each.ours, each.row.unit),
            f"{MICRO / each.ours:,.0f}" if each.row.unit == "µs" else "",
            _number(each.peer, each.row.unit),
            f"{each.ratio:.1f} x" if each.ratio >= 10 else f"{each.ratio:.3g} x",
            _bound(each.row, each.row.target),
            _bound(each.row, each.row.gate),
            _verdict(each),
        )
    console.print(table)


def as_json(
    found: Sequence[Found],
    measured: Mapping[str, Sequence[float]],
    subject: Subject,
    rounds: int,
) -> dict[str, object]:
    """All that was measured, every round of it, and on what."""
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "versions": _versions(),
        "rounds": rounds,
        "credential": {"definition": subject.code} | subject.about(),
        "rows": [
            {
                "name": each.row.name,
                "what": each.row.what,
                "against": each.row.against,
                "unit": each.row.unit,
                "ours": round(each.ours, 3),
                "peer": round(each.peer, 3),
                "ratio": round(each.ratio, 3),
                "bound": each.row.bound,
                "target": each.row.target,
                "gate": each.row.gate,
                "reachesTarget": each.reaches,
                "holdsGate": each.holds,
            }
            for each in found
        ],
        "cases": {
            key: {
                "median": round(statistics.median(values), 3),
                "rounds": [round(value, 3) for value in values],
            }
            for key, values in measured.items()
        },
    }


def chart(measured: Mapping[str, Sequence[float]]) -> str:
    """The chart of what issues and what verifies, as far as it was measured."""
    groups = {
        heading: [
            Bar(label, MICRO / statistics.median(measured[key]), "kpass" in label)
            for label, key in cases
            if key in measured
        ]
        for heading, cases in (("Issue", ISSUING), ("Verify the proof", VERIFYING))
    }
    note = (
        "eddsa-rdfc-2022, one core, the same Open Badges 3.0 credential; logarithmic scale, "
        "longer is faster"
    )
    return draw({heading: bars for heading, bars in groups.items() if bars}, note)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--definition", default=TYPICAL, metavar="CODE")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--rows", type=int, default=TEN_THOUSAND, help="of the batch")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--chart", type=Path, metavar="FILE")
    return parser


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def _bound(row: Row, value: float | None) -> str:
    return "" if value is None else f"{'≥' if row.bound == 'at least' else '≤'} {value:g}"


def _verdict(found: Found) -> str:
    if not found.holds:
        return "[bold red]beyond the gate"
    return {None: "", True: "[green]ok", False: "[yellow]under"}[found.reaches]


def _machine() -> dict[str, object]:
    names = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    return {"processor": ", ".join(sorted(names)), "cores": os.cpu_count()}


def _versions() -> dict[str, str]:
    """Of what is measured, as it is pinned."""
    node = subprocess.run([npm.node(), "--version"], capture_output=True, text=True, check=True)
    found = {"Python": platform.python_version(), "Node": node.stdout.strip().removeprefix("v")}
    found |= {name: version(name) for name in ("cryptography", "PyLD", "openbadgeslib")}
    pinned = OPENVC.with_suffix(".in").read_text().strip()
    found["openvc-core"] = pinned.rpartition("=")[2]
    needed: dict[str, str] = json.loads((NODE / "package.json").read_text())["dependencies"]
    return found | needed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
