"""GenesysClient: everything that this project asks of Genesys Cloud."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from genesys_cloud.api import answers, regions
from genesys_cloud.api.auth import SCOPES, GenesysAuth
from genesys_cloud.api.failures import Call
from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.api.profiles import messaging as profile
from genesys_cloud.api.retry import ReadPolicy
from genesys_cloud.api.token_store import Token, TokenStore
from genesys_cloud.api.transport import Answer, Transport
from genesys_cloud.api.webhooks import Registration, WebhookRegistry
from genesys_cloud.errors import ConnectionSettingsError, NotSentError, OutcomeUnknownError
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage, Receipt
from genesys_cloud.settings import Account

WEBHOOK_NAME = "messaging-status-tracker"

_YOUNG_TOKEN_S = 60.0
_JSON = {"Content-Type": "application/json"}


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
        self._account = account
        self._hosts = regions.hosts(account.region, account.base_url)
        self._place = account.base_url or f"region {account.region}"
        self._transport = Transport(account.timeout_s)
        store = TokenStore(
            state_dir, self._hosts.login, account.client_id, account.client_secret, account.profile
        )
        self._auth = GenesysAuth(account, self._hosts.login, self._transport, store, clock=clock)
        self._policy = ReadPolicy(clock=clock, sleep=sleep, rng=rng)
        self._clock = clock
        self._pace = pace or _no_pace

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
        self._transport.close()

    def authenticate(self) -> TokenInfo:
        """Make sure of an access token, and return what is known of it."""
        return self._info(self._auth.token())

    def describe(self) -> str:
        """Fetch a new access token, and return in a sentence or two what it says."""
        info = self._info(self._auth.renew())
        scopes = "not named by the server" if info.scopes is None else " ".join(info.scopes)
        missing = " ".join(info.missing_scopes) or "none"
        return (
            f"Authenticated at {self._auth.login_url} ({self._place}, API at {self._hosts.api}, "
            f"profile {self._account.profile}). Scopes granted: {scopes or 'none'}; missing: "
            f"{missing}. The token is good for {info.seconds_left} s."
        )

    def send(self, message: OutboundMessage) -> Receipt:
        """Post one message, and return the receipt where Genesys accepted it.

        Safe to send again are NotSentError and ThrottledError; RequestRejectedError is final for
        this message; AuthenticationError, PermissionDeniedError, EndpointMissingError and
        ConnectionSettingsError concern every message, and this one was not accepted. After
        OutcomeUnknownError nobody knows: never send again blindly.
        """
        body = profile.send_body(message)
        bare = message.recipient.partition(":")[2]
        call = self._call(
            "POST",
            profile.MESSAGES,
            f"message {message.message_key} of campaign {message.campaign_id}",
            hide=(message.text, message.recipient, bare),
        )
        return answers.receipt(call, self._exchange(call, body), self._clock())

    def pages(
        self, start: datetime, end: datetime, *, statuses: Sequence[str] = ()
    ) -> Iterator[DeliveryPage]:
        """Iterate over the pages of messages created from `start` to `end`, in any status or some.

        Raises PagingError where the list contradicts itself, ValueError for a naive time.
        """
        return iter(self.listing(start, end, statuses=statuses))

    def listing(
        self, start: datetime, end: datetime, *, statuses: Sequence[str] = (), ahead: int = 0
    ) -> NumberedPages[DeliveryPage]:
        """Return the same pages as something that can be iterated over more than once.

        With `ahead`, so many pages are in flight at once; each still waits for `pace`.
        """
        what = f"the messages created from {start} to {end}"

        def fetch(number: int) -> DeliveryPage:
            path = profile.list_path(start, end, statuses, number)
            return profile.parse_page(self._read(path, f"{what}, page {number}"), number)

        return NumberedPages(
            fetch, ids=_ids, what=what.capitalize(), ahead=ahead, total=lambda page: page.total
        )

    def delivery(self, message_id: str) -> Delivery | None:
        """Return one message as Genesys has it now, None where it knows no such message.

        A 404 without an ErrorBody is no answer about the message: EndpointMissingError.
        """
        call = self._call("GET", profile.message_path(message_id), f"message {message_id}")
        answer = self._answer(call)
        if answer.status == 404 and profile.is_unknown_message(answer.json()):
            return None
        return profile.parse_delivery(answers.content(call, answer, self._clock()))

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
        return WebhookRegistry(self._read, self._change).register(url, name, secret)

    def _info(self, token: Token) -> TokenInfo:
        left = max(0, round(token.expires_at - self._clock()))
        return TokenInfo(scopes=token.scopes, seconds_left=left)

    def _read(self, path: str, what: str) -> object:
        call = self._call("GET", path, what)
        return answers.content(call, self._answer(call), self._clock())

    def _change(self, method: str, path: str, body: Mapping[str, Any], what: str) -> object:
        call = self._call(method, path, what, hide=(str(body.get("secret") or ""),))
        self._pace()
        answer = self._exchange(call, json.dumps(body).encode())
        return answers.content(call, answer, self._clock())

    def _answer(self, call: Call) -> Answer:
        """Return the answer to a read, after as many attempts as the policy makes."""

        def ask() -> Answer:
            self._pace()
            return self._exchange(call)

        try:
            return self._policy(ask)
        except OutcomeUnknownError as error:
            raise NotSentError(str(error)) from error

    def _exchange(self, call: Call, body: bytes | None = None) -> Answer:
        """Make a request with a token, and once more with a fresh one where it is refused."""
        token = self._auth.token()
        answer = self._with_token(call, token, body)
        if answer.status == 401:
            self._auth.invalidate(token)
            return self._with_token(call, self._auth.token(), body)
        # A token keeps the scopes that it was made with, so that a client that has been given
        # another one needs a new token; a young one would be no different.
        if answer.status == 403 and self._clock() - token.obtained_at > _YOUNG_TOKEN_S:
            self._auth.invalidate(token)
        return answer

    def _with_token(self, call: Call, token: Token, body: bytes | None) -> Answer:
        headers = {"Authorization": f"Bearer {token.value}"}
        return self._transport.exchange(
            call, headers=headers if body is None else headers | _JSON, body=body
        )

    def _call(self, method: str, path: str, what: str, *, hide: tuple[str, ...] = ()) -> Call:
        return Call(
            method=method,
            url=self._hosts.api + path,
            what=what,
            connection=self._account.name,
            place=self._place,
            hide=(*hide, self._account.client_secret),
        )


def _ids(page: DeliveryPage) -> list[str]:
    return [delivery.message_id for delivery in page.deliveries]


def _no_pace() -> None:
    """Let a read go ahead."""
