"""The `messaging` profile, asked through a session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from genesys_cloud.api import answers
from genesys_cloud.api.contract import MessageRef
from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.api.profiles import messaging as profile
from genesys_cloud.api.profiles.fields import is_error_body
from genesys_cloud.api.session import ApiSession
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage, Receipt


class MessagingContract:
    """Sends, lists and looks up messages as the tutorial's contract has it."""

    def __init__(self, session: ApiSession) -> None:
        self._session = session

    def send(self, message: OutboundMessage) -> Receipt:
        """Post one message."""
        body = profile.send_body(message)
        call = self._session.call(
            "POST",
            profile.MESSAGES,
            f"message {message.message_key} of campaign {message.campaign_id}",
            hide=message.hidden,
        )
        answer = self._session.exchange(call, body)
        return answers.receipt(call, answer, self._session.clock(), profile.parse_receipt)

    def listing(
        self,
        start: datetime,
        end: datetime,
        *,
        statuses: Sequence[str] = (),
        recipients: Sequence[str] = (),
        ahead: int = 0,
    ) -> NumberedPages[DeliveryPage]:
        """Return the pages of a list; this contract can't narrow it to recipients."""
        what = f"the messages created from {start} to {end}"

        def fetch(number: int) -> DeliveryPage:
            path = profile.list_path(start, end, statuses, number)
            return profile.parse_page(self._session.read(path, f"{what}, page {number}"), number)

        return NumberedPages(
            fetch, ids=_ids, what=what.capitalize(), ahead=ahead, total=lambda page: page.total
        )

    def delivery(self, message_id: str) -> Delivery | None:
        """Return one message; a 404 without an ErrorBody is no answer about it."""
        call = self._session.call("GET", profile.message_path(message_id), f"message {message_id}")
        answer = self._session.answer(call)
        if answer.status == 404 and is_error_body(answer.json()):
            return None
        return profile.parse_delivery(self._session.content(call, answer))

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        """Yield the messages that there are, each asked for by itself."""
        for ref in refs:
            if (found := self.delivery(ref.message_id)) is not None:
                yield found

    def outbound_ids(self, conversation_id: str) -> Sequence[str]:
        """Return nothing: this contract has no conversations."""
        return ()


def _ids(page: DeliveryPage) -> list[str]:
    return [delivery.message_id for delivery in page.deliveries]
