"""The certificate and the badge on paper, as accessible PDF: with the QR and the typed code of a share link."""

from dataclasses import asdict, dataclass
from datetime import datetime

from kpass_vc.language import Language
from kpass_vc.pdf import typeset
from kpass_vc.qr import qr_svg


@dataclass(frozen=True)
class Certificate:
    """What stands on paper about one credential, every sentence in its language."""

    language: Language
    kind: str
    title: str
    notice: str
    """What must stand first: that it is a test, or that the definition is an example; "" for nothing."""
    holder: str
    given: str
    means: str
    outcomes: tuple[str, ...]
    said: tuple[tuple[str, str], ...]
    """Labels and what they say: the dates, who issued, who owns."""
    verify: str
    address: str
    codelabel: str
    code: str
    qrtext: str
    """What the QR code is, for who cannot see it."""
    picture: str
    """The badge as SVG."""
    picturetext: str
    author: str


def write_certificate(certificate: Certificate, made: datetime) -> bytes:
    """The certificate: A4, upright."""
    return typeset("certificate.typ", _data(certificate), made)


def write_badge(certificate: Certificate, made: datetime) -> bytes:
    """The badge by itself: one page of A6 with picture, QR and code."""
    return typeset("badge.typ", _data(certificate), made)


def _data(certificate: Certificate) -> dict[str, object]:
    return asdict(certificate) | {"qr": qr_svg(certificate.address)}
