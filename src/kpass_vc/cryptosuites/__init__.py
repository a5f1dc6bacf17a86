"""CRYPTOSUITES: name -> Cryptosuite. A new suite registers here.

A proof of a type of its own, with no `cryptosuite`, is found under its type.
"""

from collections.abc import Mapping
from typing import Final

from kpass_vc.cryptosuites.cryptosuite import Cryptosuite, DerivingSuite
from kpass_vc.cryptosuites.ecdsa_jcs_2019 import ECDSA_JCS_2019
from kpass_vc.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from kpass_vc.cryptosuites.ecdsa_sd_2023 import EcdsaSd2023
from kpass_vc.cryptosuites.ed25519_signature_2020 import ED25519_SIGNATURE_2020
from kpass_vc.cryptosuites.eddsa_2022 import EDDSA_2022
from kpass_vc.cryptosuites.eddsa_jcs_2022 import EDDSA_JCS_2022
from kpass_vc.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022

_SD: Final = EcdsaSd2023()

CRYPTOSUITES: Final[Mapping[str, Cryptosuite]] = {
    suite.name: suite
    for suite in (
        EDDSA_RDFC_2022,
        EDDSA_JCS_2022,
        ECDSA_RDFC_2019,
        ECDSA_JCS_2019,
        _SD,
        EDDSA_2022,
        ED25519_SIGNATURE_2020,
    )
}

WRITTEN: Final = (
    "eddsa-rdfc-2022",
    "eddsa-jcs-2022",
    "ecdsa-rdfc-2019",
    "ecdsa-jcs-2019",
    "ecdsa-sd-2023",
)
"""The suites that proofs are made with; the others are only read."""

DERIVING: Final[Mapping[str, DerivingSuite]] = {_SD.name: _SD}
"""The suites with selective disclosure."""


def suite_of(proof: Mapping[str, object]) -> Cryptosuite | None:
    """The suite that made a proof, or None if it is none we know."""
    kind, name = proof.get("type"), proof.get("cryptosuite")
    found = CRYPTOSUITES.get(str(name if kind == "DataIntegrityProof" else kind))
    return found if found is not None and found.proof_type == kind else None
