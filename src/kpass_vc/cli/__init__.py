"""`kpass`: one sub-command per action.

The command line works on the installation's own database and keys, so whoever
may run it on the machine may do all; who has logged in acts as themselves, and
what is the operator's is refused (`operator()` stands first in such a command).
Exit status: 0 done, 1 refused (a
verification: not verified), 2 wrong use, 3 a verification that is unknown.
"""

import atexit
import gc
import sys


def main() -> None:
    """Run the command line."""
    gc.disable()  # what is imported stays: to look it through while it comes took a quarter of a start
    from kpass_vc.cli.run import run  # noqa: PLC0415 - so that the line above comes first

    gc.freeze()
    gc.enable()
    # else what is written in C++ is never let go, and says so at the end
    atexit.register(gc.unfreeze)
    run(sys.argv[1:])


__all__ = ["main"]
