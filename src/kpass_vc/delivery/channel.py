"""The Channel protocol, and the notice that one takes."""

from dataclasses import dataclass
from typing import Protocol

from kpass_vc.language import Language


@dataclass(frozen=True)
class Notice:
    """What a learner is told."""

    message_id: str
    """The same however often it is tried."""
    address: str
    language: Language
    sender: str
    """What the organisation is called that it comes from."""
    reply_to: str | None
    subject: str
    text: str

    def __repr__(self) -> str:
        return f"Notice({self.message_id})"


class Channel(Protocol):
    """A way to reach a learner."""

    def deliver(self, notice: Notice) -> None:
        """Hand the notice over; NotDelivered to try again later, Undeliverable never to."""
