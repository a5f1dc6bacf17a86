"""The measured side: a process that runs cases when it is told to, and says what CPU time they took.

One JSON value a line. First comes the question that the cases are made from, and the process answers
with their names; then `{"case": name, "times": n}` is answered with `{"seconds": …}`, and `{"show": name}`
with what one call gave as text. The standard library only: openvc-core has an environment of its own.
"""

import gc
import json
import sys
from collections.abc import Callable, Mapping
from itertools import cycle
from time import process_time
from typing import Any, TypeAlias

Question: TypeAlias = dict[str, Any]
"""What every process gets; `tests.bench.subject` says what stands in it."""
Case: TypeAlias = Callable[[], object]


class Unsound(Exception):
    """A peer that accepts what was tampered with: what it does is no verification."""


def answer_lines(cases_of: Callable[[Question], Mapping[str, Case]]) -> None:
    """Answer until standard input ends."""
    cases = cases_of(json.loads(sys.stdin.readline()))
    # as `kpass serve` does, for every peer in Python: what stays for ever is not looked through again and again
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    _say({"cases": sorted(cases)})
    for line in sys.stdin:
        order = json.loads(line)
        if "show" in order:
            shown = cases[order["show"]]()
            _say({"shown": shown.decode() if isinstance(shown, bytes) else shown})
        else:
            _say({"seconds": _seconds(cases[order["case"]], order["times"])})


def over(call: Callable[[Any], object], given: list[Any]) -> Case:
    """A case that takes the next of several inputs each time, so that no answer is remembered."""
    turn = cycle(given)
    return lambda: call(next(turn))


def proven(verify: Callable[[Any], object], question: Question) -> Callable[[Any], object]:
    """The verifier itself, once it has accepted what is signed and refused what was changed; else Unsound."""
    verify(question["signed"][0])
    try:
        verify(question["tampered"])
    except Exception:  # noqa: BLE001 - each library says no in its own way
        return verify
    raise Unsound


def _seconds(case: Case, times: int) -> float:
    started = process_time()
    for _ in range(times):
        case()
    return process_time() - started


def _say(value: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
