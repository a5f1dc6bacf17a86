"""The files that the command line is given, and those of a credential, as it writes them."""

import sys
from pathlib import Path

import typer

from kpass_vc.actions.issue import Issued
from kpass_vc.formats import FORMATS


def write_files(issued: Issued, folder: Path) -> list[Path]:
    """Write every representation, exactly as it was signed, and say where."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for row in issued.representations:
        path = folder / f"{issued.award.id}.{row.language}.{FORMATS[row.format].extension}"
        path.write_bytes(row.body)
        written.append(path)
    return written


def input_bytes(file: Path) -> bytes:
    """What a file holds, or what comes in for "-"; wrong use if it cannot be read."""
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
