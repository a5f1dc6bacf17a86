"""eddsa-jcs-2022 (Data Integrity EdDSA Cryptosuites 1.0 section 3.3)."""

from typing import Final

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.cryptosuites.jcs import JcsSuite

EDDSA_JCS_2022: Final = JcsSuite("eddsa-jcs-2022", frozenset({Algorithm.ED25519}))
