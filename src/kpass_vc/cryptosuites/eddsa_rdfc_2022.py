"""eddsa-rdfc-2022 (Data Integrity EdDSA Cryptosuites 1.0 section 3.2)."""

from typing import Final

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.cryptosuites.rdfc import RdfcSuite

EDDSA_RDFC_2022: Final = RdfcSuite("eddsa-rdfc-2022", frozenset({Algorithm.ED25519}))
