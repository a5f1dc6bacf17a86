"""The letter to a learner without e-mail, as an accessible PDF."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from kpass_vc.language import Language
from kpass_vc.pdf import typeset
from kpass_vc.qr import qr_svg


@dataclass(frozen=True)
class Letter:
    """One letter, every sentence in its language."""

    language: Language
    issuer: str
    day: str
    title: str
    greeting: str
    lines: tuple[str, ...]
    how: str
    steps: tuple[str, ...]
    address: str
    addresslabel: str
    code: str
    codelabel: str
    until: str
    qrtext: str
    """What the QR code is, for who cannot see it."""
    ends: tuple[str, ...]


def write_letters(letters: Sequence[Letter], made: datetime) -> bytes:
    """A PDF with a page for each letter; there is at least one. Malformed for a text that cannot be set."""
    pages = [asdict(letter) | {"qr": qr_svg(letter.address)} for letter in letters]
    return typeset("letters.typ", pages, made)
