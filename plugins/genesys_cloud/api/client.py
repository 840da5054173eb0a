"""GenesysClient: everything that this project asks of Genesys Cloud."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from genesys_cloud.api.auth import SCOPES
from genesys_cloud.api.contract import Contract, MessageRef
from genesys_cloud.api.messaging_contract import MessagingContract
from genesys_cloud.api.session import ApiSession
from genesys_cloud.api.token_store import Token
from genesys_cloud.api.webhooks import Registration, WebhookRegistry
from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage, Receipt
from genesys_cloud.settings import Account

WEBHOOK_NAME = "messaging-status-tracker"


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

    Tokens are shared by all processes of a machine through `state_dir`. `pace` is called before
    each read, so that reads keep to the account's limit; sends are paced by who sends. Reads are
    tried again where that helps, sends never, save once with a fresh token after a 401.
    """

    def __init__(
        self,
        account: Account,
        *,
        state_dir: Path,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
        pace: Callable[[], None] | None = None,
    ) -> None:
        if account.profile == "agentless":
            raise ConnectionSettingsError(
                f"Connection {account.name!r} has profile 'agentless'; this version serves only "
                "'messaging' (which 'auto' chooses)."
            )
        self.session = ApiSession(
            account, state_dir=state_dir, clock=clock, sleep=sleep, rng=rng, pace=pace
        )
        self._account = account

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
        """Make sure of an access token, and return what is known of it."""
        return self._info(self.session.auth.token())

    @property
    def profile(self) -> str:
        """The profile in force, `messaging` or `agentless`."""
        return "messaging"

    def describe(self) -> str:
        """Fetch a new access token, and return in a sentence or two what it says."""
        info = self._info(self.session.auth.renew())
        scopes = "not named by the server" if info.scopes is None else " ".join(info.scopes)
        missing = " ".join(info.missing_scopes) or "none"
        return (
            f"Authenticated at {self.session.auth.login_url} ({self.session.place}, API at "
            f"{self.session.hosts.api}, profile {self._account.profile}). Scopes granted: "
            f"{scopes or 'none'}; missing: {missing}. The token is good for {info.seconds_left} s."
        )

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
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConnectionSettingsError(
                f"{url!r} is no URL that Genesys Cloud could call. Set webhook_url or "
                "GENESYS_WEBHOOK_URL to the receiver's public http(s) address."
            )
        return WebhookRegistry(self.session.read, self.session.change).register(url, name, secret)

    @property
    def _contract(self) -> Contract:
        return MessagingContract(self.session)

    def _info(self, token: Token) -> TokenInfo:
        left = max(0, round(token.expires_at - self.session.clock()))
        return TokenInfo(scopes=token.scopes, seconds_left=left)
