"""The `agentless` profile, asked through a session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from genesys_cloud.api import answers, conversation_listing
from genesys_cloud.api.contract import MessageRef
from genesys_cloud.api.profiles import agentless as profile
from genesys_cloud.api.profiles import agentless_refusals
from genesys_cloud.api.profiles.fields import is_error_body
from genesys_cloud.api.session import ApiSession
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage, Receipt


class AgentlessContract:
    """Sends, lists and looks up messages as the platform's public API has it."""

    def __init__(self, session: ApiSession) -> None:
        self._session = session

    def send(self, message: OutboundMessage) -> Receipt:
        """Post one message, once."""
        body = profile.send_body(message)
        call = self._session.call(
            "POST",
            profile.SEND,
            f"message {message.message_key} of campaign {message.campaign_id}",
            permission=profile.TO_SEND,
            hide=profile.hidden(message),
        )
        answer = self._session.exchange(call, body)
        return answers.receipt(
            call,
            answer,
            self._session.clock(),
            profile.parse_receipt,
            explain=agentless_refusals.find,
        )

    def listing(
        self,
        start: datetime,
        end: datetime,
        *,
        statuses: Sequence[str] = (),
        recipients: Sequence[str] = (),
        ahead: int = 0,
    ) -> Iterable[DeliveryPage]:
        """Return the pages of a list, which analytics makes of conversations."""
        return conversation_listing.listing(
            self._session, start, end, statuses=statuses, recipients=recipients, ahead=ahead
        )

    def delivery(self, message_id: str) -> Delivery | None:
        """Return one message; a 404 without an ErrorBody is no answer about it."""
        found = self._found("GET", profile.details_path(message_id), f"message {message_id}")
        return None if found is None else profile.parse_message(found)

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        """Yield the messages that there are, those of one conversation asked for together."""
        conversations: dict[str | None, list[str]] = defaultdict(list)
        for ref in refs:
            conversations[ref.conversation_id].append(ref.message_id)
        for conversation_id, ids in conversations.items():
            if conversation_id is None or len(ids) == 1:
                yield from self._one_by_one(ids, conversation_id)
            else:
                yield from self._together(ids, conversation_id)

    def outbound_ids(self, conversation_id: str) -> Sequence[str]:
        """Return the ids of the messages that went out in a conversation, the oldest first."""
        path = profile.conversation_path(conversation_id)
        found = self._found("GET", path, f"conversation {conversation_id}")
        return profile.parse_conversation(found)

    def _one_by_one(self, ids: Sequence[str], conversation_id: str | None) -> Iterator[Delivery]:
        for message_id in ids:
            if (found := self.delivery(message_id)) is not None:
                yield _within(conversation_id, found)

    def _together(self, ids: list[str], conversation_id: str) -> Iterator[Delivery]:
        path = profile.bulk_path(conversation_id)
        for first in range(0, len(ids), profile.MOST_IDS):
            asked = ids[first : first + profile.MOST_IDS]
            found = self._found("POST", path, f"messages of conversation {conversation_id}", asked)
            for delivery in () if found is None else profile.parse_messages(found):
                if delivery.message_id in asked:
                    yield _within(conversation_id, delivery)

    def _found(
        self, method: str, path: str, what: str, ids: list[str] | None = None
    ) -> object | None:
        """Return the JSON of a read, None where Genesys knows no such thing."""
        call = self._session.call(method, path, what, permission=profile.TO_VIEW)
        answer = self._session.answer(call, None if ids is None else profile.bulk_body(ids))
        if answer.status == 404 and is_error_body(answer.json()):
            return None
        return self._session.content(call, answer)


def _within(conversation_id: str | None, delivery: Delivery) -> Delivery:
    if delivery.conversation_id or conversation_id is None:
        return delivery
    return replace(delivery, conversation_id=conversation_id)
