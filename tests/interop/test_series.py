"""Credentials issued in series, half of them with hostile texts, in Digital Bazaar's verifier."""

import pytest

from kpass_vc.resources import contexts as pinned_contexts
from tests.interop.series import judged
from tests.interop.verdicts import SIGNATURE_IS_WRONG

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]


def test_twenty_verify_and_their_tampered_copies_do_not() -> None:
    found = judged(20, 31, pinned_contexts())

    assert [verdict.why for verdict in found.issued if not verdict.verified] == []
    assert not any(verdict.verified for verdict in found.tampered)
    assert all(SIGNATURE_IS_WRONG["digitalbazaar"] in verdict.why for verdict in found.tampered)
