"""Files that ship with the service: contexts, schemas and migrations.

In a checkout they lie at the top of the repository; in an installed wheel,
inside the package.
"""

import tomllib
from dataclasses import replace
from pathlib import Path

from kpass_vc.jsonld.contexts import Contexts, Pin
from kpass_vc.jsonld.seen import Seen

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Where `contexts`, `schemas` or `alembic` lies."""
    installed = _PACKAGE / f"_{name}"
    return installed if installed.is_dir() else _PACKAGE.parent.parent / name


def contexts() -> Contexts:
    """The pinned JSON-LD contexts; Unavailable if one is not the pinned bytes."""
    place = folder("contexts")
    pins = tomllib.loads((place / "pins.toml").read_text("utf-8"))["context"]
    loaded = Contexts.load(
        tuple(
            Pin(pin["url"], pin["file"], pin["sha256"], tuple(pin.get("superseded", ())))
            for pin in pins
        ),
        lambda file: (place / file).read_bytes(),
    )
    return replace(loaded, seen=Seen())
