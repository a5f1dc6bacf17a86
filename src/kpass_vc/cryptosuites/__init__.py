"""CRYPTOSUITES: name -> Cryptosuite. A new suite registers here."""

from collections.abc import Mapping
from typing import Final

from kpass_vc.cryptosuites.cryptosuite import Cryptosuite
from kpass_vc.cryptosuites.eddsa_rdfc_2022 import EddsaRdfc2022

CRYPTOSUITES: Final[Mapping[str, Cryptosuite]] = {suite.name: suite for suite in (EddsaRdfc2022(),)}
