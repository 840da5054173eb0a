"""Deliveries that name a conversation alone, joined to the ledger's own messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from genesys_cloud.ledger import delivered
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage


class Joined:
    """A list of deliveries under the message ids that the ledger knows them by.

    A delivery takes its message's id where it is the only one of its conversation, and the ledger
    has one message alone in it; of several nobody can tell which is which, and all keep the list's
    ids. What has no conversation passes as it is. Iterates as often as `pages` does.
    """

    def __init__(self, pages: Iterable[DeliveryPage], ledger: Ledger) -> None:
        self._pages = pages
        self._ledger = ledger

    def __iter__(self) -> Iterator[DeliveryPage]:
        for page in self._pages:
            yield replace(page, deliveries=self._joined(page.deliveries))

    def _joined(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        # A conversation is on one page whole, so that its deliveries can be counted here.
        counts = Counter(one.conversation_id for one in deliveries if one.conversation_id)
        if not counts:
            return deliveries
        alone = [conversation for conversation, count in counts.items() if count == 1]
        ids = delivered.in_conversations(self._ledger, alone)
        return [
            replace(one, message_id=ids.get(one.conversation_id or "", one.message_id))
            for one in deliveries
        ]
