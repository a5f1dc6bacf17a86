"""ecdsa-rdfc-2019 (Data Integrity ECDSA Cryptosuites 1.0 section 3.2): P-256 with SHA-256, P-384 with SHA-384."""

from typing import Final

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.cryptosuites.rdfc import RdfcSuite

ECDSA_RDFC_2019: Final = RdfcSuite("ecdsa-rdfc-2019", frozenset({Algorithm.P256, Algorithm.P384}))
