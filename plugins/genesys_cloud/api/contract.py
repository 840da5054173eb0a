"""What a profile of the API has to offer, whatever its paths and words are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage, Receipt


@dataclass(frozen=True, kw_only=True)
class MessageRef:
    """A message as Genesys knows it; `conversation_id` is None in a profile that has none."""

    message_id: str
    conversation_id: str | None = None


class Contract(Protocol):
    """One profile of the API; messages and errors are described where GenesysClient offers them."""

    def send(self, message: OutboundMessage) -> Receipt:
        """Post one message."""

    def listing(
        self,
        start: datetime,
        end: datetime,
        *,
        statuses: Sequence[str] = (),
        recipients: Sequence[str] = (),
        ahead: int = 0,
    ) -> Iterable[DeliveryPage]:
        """Return the pages of messages created in [start, end)."""

    def delivery(self, message_id: str) -> Delivery | None:
        """Return one message."""

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        """Yield those of some messages that Genesys knows."""

    def outbound_ids(self, conversation_id: str) -> Sequence[str]:
        """Return the ids of the messages that went out in a conversation."""
