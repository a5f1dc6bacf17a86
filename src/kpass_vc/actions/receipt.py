"""Seal the receipt of a check for the page that shows the answer, and write it when it is asked for."""

from kpass_vc.environment import Environment
from kpass_vc.receipts import Receipt, open_receipt, seal_receipt, write_receipt


def sealed_receipt(env: Environment, receipt: Receipt) -> str:
    """What the answer page carries in its form."""
    return seal_receipt(receipt, env.link_key, env.entropy(12))


def receipt_pdf(env: Environment, sealed: str) -> tuple[Receipt, bytes]:
    """The receipt and its PDF; Malformed if it was not sealed here, was changed, or is older than an hour."""
    receipt = open_receipt(sealed, env.link_key, env.now())
    place = env.addresses.base.partition("://")[2]
    return receipt, write_receipt(receipt, place, f"{place}/verify")
