"""CHANNELS: name -> Channel: how a notice reaches a learner. A new channel registers here."""

from collections.abc import Callable, Mapping
from typing import Final

from kpass_vc.delivery.channel import Channel
from kpass_vc.delivery.email import Email

CHANNELS: Final[Mapping[str, Callable[..., Channel]]] = {"email": Email}
