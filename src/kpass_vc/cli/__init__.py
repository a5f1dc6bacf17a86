"""`kpass`: one sub-command per action.

The command line works on the installation's own database and keys, so whoever
may run it on the machine may do all; who has logged in acts as themselves, and
what is the operator's is refused (`operator()` stands first in such a command).
Exit status: 0 done, 1 refused (a
verification: not verified), 2 wrong use, 3 a verification that is unknown.
"""

import sys

from sqlalchemy.exc import OperationalError

from kpass_vc.cli.commands import app
from kpass_vc.cli.console import failed
from kpass_vc.errors import KpassError, Unavailable


def main() -> None:
    """Run the command line; an error of the domain is a sentence and exit status 1."""
    arguments = sys.argv[1:]
    if "--json" in arguments:
        # it holds for the whole run, and people write it last
        arguments = ["--json", *(argument for argument in arguments if argument != "--json")]
    try:
        app(arguments)
    except KpassError as error:
        failed(error)
        sys.exit(1)
    except OperationalError as error:
        failed(Unavailable("database_unreachable", reason=str(error.orig).partition("\n")[0]))
        sys.exit(1)


__all__ = ["app", "main"]
