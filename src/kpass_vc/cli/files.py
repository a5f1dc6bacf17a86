"""The files of a credential, as the command line writes them."""

from pathlib import Path

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
