"""eddsa-2022: what eddsa-rdfc-2022 was called in drafts; read, never written."""

from typing import Final

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.cryptosuites.rdfc import RdfcSuite

EDDSA_2022: Final = RdfcSuite("eddsa-2022", frozenset({Algorithm.ED25519}))
