"""A run of the command line: its arguments, and what an error of it ends with."""

import sys
from collections.abc import Sequence

from sqlalchemy.exc import OperationalError

from kpass_vc.cli.commands import app
from kpass_vc.cli.console import failed
from kpass_vc.errors import KpassError, Unavailable


def run(arguments: Sequence[str]) -> None:
    """Run a command; an error of the domain is a sentence and exit status 1."""
    given = list(arguments)
    if "--json" in given:
        # it holds for the whole run, and people write it last
        given = ["--json", *(argument for argument in given if argument != "--json")]
    try:
        app(given)
    except KpassError as error:
        failed(error)
        sys.exit(1)
    except OperationalError as error:
        failed(Unavailable("database_unreachable", reason=str(error.orig).partition("\n")[0]))
        sys.exit(1)
