"""`kpass doctor`: what is wrong with this installation, and what to do."""

import os
import sys
from typing import Annotated, Final

import typer
from rich.text import Text

from kpass_vc.actions.examine import Machine, Sign, examine
from kpass_vc.cli.console import CHOICE, answer, marked, operator
from kpass_vc.fetch import HttpsFetcher
from kpass_vc.language import say
from kpass_vc.settings import Settings

_MARKS: Final = {"well": "✓", "warning": "!", "wrong": "✗", "left_out": "-"}
_COLOURS: Final = {"well": "green", "warning": "yellow", "wrong": "red", "left_out": "dim"}


def doctor(
    *,
    online: Annotated[
        bool, typer.Option("--online", help="Also fetch the DID documents from outside.")
    ] = False,
) -> None:
    """Examine this installation: what is wrong, and what to do. Exit status 1 if anything is."""
    operator()
    machine = Machine(fetcher=_fetcher() if online else None)
    signs = examine(os.environ, machine)
    wrong = sum(sign.outcome == "wrong" for sign in signs)
    if CHOICE.as_json:
        answer({"healthy": wrong == 0, "checks": [_entry(sign) for sign in signs]})
    else:
        _show(signs, wrong)
    if wrong:
        sys.exit(1)


def _fetcher() -> HttpsFetcher:
    settings = Settings.read()
    return HttpsFetcher(settings.fetch_allow, settings.ca_file)


def _entry(sign: Sign) -> dict[str, str]:
    rule = sign.error.rule if sign.error is not None else sign.code
    return {
        "check": sign.check,
        "outcome": sign.outcome,
        "code": rule,
        "detail": sign.sentence(CHOICE.language),
    }


def _show(signs: tuple[Sign, ...], wrong: int) -> None:
    warnings = sum(sign.outcome == "warning" for sign in signs)
    kind = "wrong" if wrong else "warning" if warnings else "well"
    summary = say(CHOICE.language, f"doctor.summary_{kind}", wrong=wrong, warnings=warnings)
    lines = [
        (
            Text(_MARKS[sign.outcome], style=_COLOURS[sign.outcome]),
            sign.name(CHOICE.language),
            sign.sentence(CHOICE.language),
        )
        for sign in signs
    ]
    marked(Text(summary, style=f"bold {_COLOURS[kind]}"), lines)
