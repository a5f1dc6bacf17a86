"""Ed25519Signature2020 (Data Integrity EdDSA Cryptosuites 1.0 appendix A): read, never written.

A proof type of its own with no `cryptosuite`; the document brings the context that defines it.
"""

from typing import Final

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.cryptosuites.rdfc import RdfcSuite

ED25519_SIGNATURE_2020: Final = RdfcSuite(
    "Ed25519Signature2020", frozenset({Algorithm.ED25519}), proof_type="Ed25519Signature2020"
)
