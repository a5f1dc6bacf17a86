"""The measured processes: installing what each needs, starting it, and measuring its cases by turns."""

import fcntl
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from tests import npm
from tests.bench.lines import Question

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
NODE: Final = HERE / "node"
OPENVC: Final = HERE / "requirements-openvc.txt"
SHARE: Final = 0.15
"""CPU seconds that a case is given in each round."""
FEWEST: Final = 3
WARM_UP: Final = 100
"""Calls before anything is measured, for the compiler of Node."""
MICRO: Final = 1_000_000


class ProgramFailed(Exception):
    """A measured process ended, or said something else than it was asked."""


@dataclass
class Program:
    """A process that answers in lines, as `tests.bench.lines` says."""

    name: str
    process: subprocess.Popen[str]
    errors: TextIO

    def seconds(self, case: str, times: int) -> float:
        """The CPU time of so many calls."""
        return float(self._ask({"case": case, "times": times})["seconds"])

    def shown(self, case: str) -> str:
        """What one call gave, as text."""
        return str(self._ask({"show": case})["shown"])

    def put(self, question: Question) -> list[str]:
        """The names of its cases, once it has made them from the question."""
        return list(self._ask(question)["cases"])

    def _ask(self, order: Mapping[str, object]) -> dict[str, Any]:
        sent, answers = self.process.stdin, self.process.stdout
        assert sent is not None
        assert answers is not None
        try:
            sent.write(json.dumps(order) + "\n")
            sent.flush()
            answer: dict[str, Any] = json.loads(answers.readline())
        except (OSError, ValueError) as error:
            self.errors.seek(0)
            raise ProgramFailed(f"{self.name}: {self.errors.read()[-3000:]}") from error
        return answer


def command_of(name: str) -> list[str]:
    """How a program is started, once what it needs is installed."""
    match name:
        case "node":
            npm.install(NODE)
            return [npm.node(), "peer.mjs"]
        case "openvc":
            return [str(openvc_python()), "-m", "tests.bench.openvc_peer"]
        case "openbadgeslib":
            return [sys.executable, "-m", "tests.bench.openbadgeslib_peer"]
        case _:
            return [sys.executable, "-m", "tests.bench.ours"]


def openvc_python() -> Path:
    """The Python of the environment that openvc-core has for itself, as its requirements say."""
    place = Path(sys.prefix) / "bench-openvc"
    python = place / "bin" / "python"
    wanted = hashlib.sha256(OPENVC.read_bytes()).hexdigest()
    installed = place / ".installed-from"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    with OPENVC.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if installed.is_file() and installed.read_text() == wanted:
            return python
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place))
        options = ("--quiet", "--python", str(python), "--require-hashes")
        _run(uv, "pip", "install", *options, "-r", str(OPENVC))
        installed.write_text(wanted)
    return python


@contextmanager
def running(names: Sequence[str], question: Question, folder: Path) -> Iterator[dict[str, Program]]:
    """These programs, ready to be measured; ended afterwards."""
    with ExitStack() as stack:
        programs: dict[str, Program] = {}
        for name in names:
            errors = stack.enter_context((folder / f"{name}.log").open("w+"))
            process = subprocess.Popen(
                command_of(name),
                cwd=NODE if name == "node" else ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            stack.callback(_end, process)
            programs[name] = Program(name, process, errors)
            programs[name].put(question)
        yield programs


def by_turns(
    programs: Mapping[str, Program], keys: Sequence[str], rounds: int, say: TextIO
) -> dict[str, list[float]]:
    """The CPU microseconds of one call of each case, `program/case`, in every round.

    The cases take turns, and every other round goes through them backwards.
    """
    cases = {key: (programs[key.partition("/")[0]], key.partition("/")[2]) for key in keys}
    times = {}
    for key, (program, case) in cases.items():
        if program.name == "node":
            program.seconds(case, WARM_UP)
        times[key] = _times(program, case)
    found: dict[str, list[float]] = {key: [] for key in keys}
    for number in range(rounds):
        say.write(f"round {number + 1} of {rounds}\n")
        say.flush()
        for key in keys if number % 2 == 0 else reversed(keys):
            program, case = cases[key]
            found[key].append(program.seconds(case, times[key]) / times[key] * MICRO)
    return found


def _times(program: Program, case: str) -> int:
    """How often a case fits into its share."""
    times = FEWEST
    while (took := program.seconds(case, times)) < SHARE / 8:
        times *= 4
    return max(FEWEST, round(times * SHARE / took))


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the ratios within each round; that of the medians where the rounds were not the same."""
    if len(above) == len(below):
        return statistics.median(one / other for one, other in zip(above, below, strict=True))
    return statistics.median(above) / statistics.median(below)


def _run(*command: str) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if finished.returncode != 0:
        raise ProgramFailed(f"{' '.join(command[:3])}: {finished.stderr[-2000:]}")


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
