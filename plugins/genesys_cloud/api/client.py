"""GenesysClient: everything that this project asks of Genesys Cloud."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from genesys_cloud.api.agentless_contract import AgentlessContract
from genesys_cloud.api.auth import SCOPES
from genesys_cloud.api.contract import Contract, MessageRef
from genesys_cloud.api.discovery import Discovery
from genesys_cloud.api.messaging_contract import MessagingContract
from genesys_cloud.api.profiles.agentless import TO_ANALYSE, TO_READ_TEMPLATES, TO_SEND, TO_VIEW
from genesys_cloud.api.profiles.limits import NAMESPACE, limits_path
from genesys_cloud.api.session import ApiSession
from genesys_cloud.api.token_store import Token
from genesys_cloud.api.webhooks import Registration, WebhookRegistry
from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage, Receipt
from genesys_cloud.settings import Account

WEBHOOK_NAME = "messaging-status-tracker"

ROLES_DECIDE = (
    "What it may do is for the roles and divisions of the OAuth client to say, and was not tried: "
    f"{TO_SEND} to send, {TO_VIEW} for statuses, {TO_ANALYSE} for reports, {TO_READ_TEMPLATES} "
    "for WhatsApp templates."
)

_CONTRACTS: Mapping[str, Callable[[ApiSession], Contract]] = {
    "messaging": MessagingContract,
    "agentless": AgentlessContract,
}


@dataclass(frozen=True, kw_only=True)
class TokenInfo:
    """What is known of an access token; `scopes` is None where the server names none."""

    scopes: tuple[str, ...] | None
    seconds_left: int

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """The scopes that this project needs and the token lacks."""
        if self.scopes is None:
            return ()
        return tuple(scope for scope in SCOPES if scope not in self.scopes)


class GenesysClient:
    """A client of one account, safe to use from many threads.

    Tokens are shared by all processes of a machine through `state_dir`, and with them what was
    found out about the host. `pace` is called before each read with the requests a minute that
    the account may make; sends are paced by who sends. Reads are tried again where that helps,
    sends never, save once with a fresh token after a 401.
    """

    def __init__(
        self,
        account: Account,
        *,
        state_dir: Path,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
        pace: Callable[[int], None] | None = None,
    ) -> None:
        self.session = ApiSession(
            account,
            state_dir=state_dir,
            clock=clock,
            sleep=sleep,
            rng=rng,
            pace=None if pace is None else lambda: pace(self.requests_per_minute),
        )
        self._discovery = Discovery(self.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.session.close()

    def authenticate(self) -> TokenInfo:
        """Make sure of an access token and of the profile, and return what is known of the token.

        Raises NotSentError where the host does not say clearly which profile it serves.
        """
        token = self.session.auth.token()
        self._discovery.profile()
        return self._info(token)

    @property
    def profile(self) -> str:
        """The profile in force, `messaging` or `agentless`; the host is asked where need be."""
        return self._discovery.profile().name

    @property
    def profile_reason(self) -> str:
        """How the profile is known."""
        return self._discovery.profile().reason

    @property
    def requests_per_minute(self) -> int:
        """The account's limit: the configured one, or what Genesys says, or the usual one."""
        return self._discovery.limit().per_minute

    @property
    def limit_source(self) -> str:
        """Who says what the limit is."""
        return self._discovery.limit().source

    def renew(self) -> TokenInfo:
        """Fetch a new access token, and forget what was found out about the host."""
        token = self.session.auth.renew()
        self._discovery = Discovery(self.session)
        return self._info(token)

    @property
    def rights(self) -> str:
        """What is known of what the OAuth client may do, in a sentence."""
        if self.profile == "agentless":
            return ROLES_DECIDE
        info = self._info(self.session.auth.token())
        scopes = "not named by the server" if info.scopes is None else " ".join(info.scopes)
        missing = " ".join(info.missing_scopes) or "none"
        return f"Scopes granted: {scopes or 'none'}; missing: {missing}."

    def describe(self) -> str:
        """Fetch a new access token, ask the host anew, and return in sentences what they say."""
        info = self.renew()
        profile, limit = self._discovery.profile(), self._discovery.limit()
        return (
            f"Authenticated at {self.session.auth.login_url} ({self.session.place}, API at "
            f"{self.session.hosts.api}). Profile {profile.name}: {profile.reason}. {self.rights} "
            f"Limit: {limit.per_minute} requests a minute ({limit.source}). The token is good for "
            f"{info.seconds_left} s."
        )

    def clock_lead_s(self) -> float | None:
        """Return by how many seconds our clock is ahead of the host's, None where it tells none.

        The host writes whole seconds, and the answer takes its time on the way.
        """
        call = self.session.call("GET", limits_path(NAMESPACE), "the host's clock")
        date = self.session.answer(call).headers.get("Date", "")
        try:
            return self.session.clock() - parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError):
            return None

    def send(self, message: OutboundMessage) -> Receipt:
        """Post one message, and return the receipt where Genesys accepted it.

        Safe to send again are NotSentError and ThrottledError; RequestRejectedError is final for
        this message; AuthenticationError, PermissionDeniedError, EndpointMissingError and
        ConnectionSettingsError concern every message, and this one was not accepted. After
        OutcomeUnknownError nobody knows: never send again blindly.
        """
        return self._contract.send(message)

    def pages(
        self,
        start: datetime,
        end: datetime,
        *,
        statuses: Sequence[str] = (),
        recipients: Sequence[str] = (),
    ) -> Iterator[DeliveryPage]:
        """Iterate over the pages of messages created from `start` to `end`, in any status or some.

        `recipients` (in the ledger's form) narrow the list where the profile can do so. Raises
        PagingError where the list contradicts itself, ValueError for a naive time.
        """
        return iter(self.listing(start, end, statuses=statuses, recipients=recipients))

    def listing(
        self,
        start: datetime,
        end: datetime,
        *,
        statuses: Sequence[str] = (),
        recipients: Sequence[str] = (),
        ahead: int = 0,
    ) -> Iterable[DeliveryPage]:
        """Return the same pages as something that can be iterated over more than once.

        With `ahead`, so many pages are in flight at once; each still waits for `pace`.
        """
        return self._contract.listing(
            start, end, statuses=statuses, recipients=recipients, ahead=ahead
        )

    def delivery(self, message_id: str) -> Delivery | None:
        """Return one message as Genesys has it now, None where it knows no such message.

        A 404 without an ErrorBody is no answer about the message: EndpointMissingError.
        """
        return self._contract.delivery(message_id)

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        """Yield, as Genesys has them now, those of some messages that it knows."""
        return self._contract.look_up(refs)

    def outbound_ids(self, conversation_id: str) -> Sequence[str]:
        """Return the ids of the messages that went out in a conversation, the oldest first."""
        return self._contract.outbound_ids(conversation_id)

    def register_webhook(
        self, url: str, *, name: str = WEBHOOK_NAME, secret: str | None = None
    ) -> Registration:
        """Have status events go to `url`; doing so again changes nothing."""
        if self.profile == "agentless":
            raise ConnectionSettingsError(
                "Genesys Cloud's public API registers no webhook for the statuses of messages "
                f"(profile agentless: {self.profile_reason}). Let track_statuses ask for them, or "
                "have Genesys push them by EventBridge or a trigger."
            )
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConnectionSettingsError(
                f"{url!r} is no URL that Genesys Cloud could call. Set webhook_url or "
                "GENESYS_WEBHOOK_URL to the receiver's public http(s) address."
            )
        change = partial(self.session.change, hide=(parts.query,))
        return WebhookRegistry(self.session.read, change).register(url, name, secret)

    @property
    def _contract(self) -> Contract:
        return _CONTRACTS[self.profile](self.session)

    def _info(self, token: Token) -> TokenInfo:
        left = max(0, round(token.expires_at - self.session.clock()))
        return TokenInfo(scopes=token.scopes, seconds_left=left)
