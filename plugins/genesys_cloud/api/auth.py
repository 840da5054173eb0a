"""OAuth client credentials: a token when one is needed, fetched once for all who need it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from urllib.parse import urlencode

from genesys_cloud.api.failures import Call, correlation_id, problem, refusal
from genesys_cloud.api.retry import retry_after
from genesys_cloud.api.token_store import Learnt, Token, TokenStore
from genesys_cloud.api.transport import Answer, Transport
from genesys_cloud.errors import (
    ApiError,
    AuthenticationError,
    NotSentError,
    OutcomeUnknownError,
    ThrottledError,
)
from genesys_cloud.settings import Account

SCOPES = (
    "messaging:messages:write",
    "messaging:messages:read",
    "webhook:write",
    "analytics:read",
)
"""What the seed tutorial asks for."""

SHORT_LIFETIME_S = 300.0
"""Assumed where the server does not say; the shortest that the platform can be set to."""

LONGEST_LIFETIME_S = 172_800.0
"""The longest that the platform can be set to."""

Ask = Callable[[], Answer]


class GenesysAuth:
    """Gives out the account's access token, and fetches a new one when that is over or refused.

    Its methods raise AuthenticationError, PermissionDeniedError, EndpointMissingError and
    ThrottledError for what the login host says, NotSentError where it can't be reached or is not
    itself, and ConnectionSettingsError where tokens can't be kept.
    """

    def __init__(
        self,
        account: Account,
        login_host: str,
        transport: Transport,
        store: TokenStore,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._account = account
        self._transport = transport
        self._store = store
        self._clock = clock
        self._call = Call(
            method="POST",
            url=f"{login_host}/oauth/token",
            what="an access token",
            connection=account.name,
            place=account.base_url or f"region {account.region}",
            profile=account.profile,
            hide=(account.client_secret,),
        )
        self._token: Token | None = None
        self._gate = threading.Lock()

    @property
    def login_url(self) -> str:
        """The exact URL that tokens come from."""
        return self._call.url

    def token(self) -> Token:
        """Return a token that is good for a request that begins now."""
        token = self._token
        if token is None or not token.usable_at(self._clock()):
            token = self._shared()
        return token

    def renew(self) -> Token:
        """Fetch a new token, whatever there is."""
        with self._gate, self._store.locked():
            return self._fetch_and_keep()

    def invalidate(self, refused: Token) -> None:
        """Drop a token that was refused, unless somebody has replaced it already.

        Of many threads and processes that meet the same 401, one fetches and the others find the
        new token.
        """
        with self._gate, self._store.locked():
            stored = self._store.load()
            if stored is not None and stored.value == refused.value:
                self._store.forget()
            if self._token is not None and self._token.value == refused.value:
                self._token = None

    def alone(self) -> AbstractContextManager[None]:
        """Let one of all threads and processes ask what is to be learnt; the others wait for it."""
        return self._store.alone()

    def learnt(self) -> Learnt:
        """Return what was learnt with the token in force, by whichever process."""
        token = self.token()
        with self._gate, self._store.locked():
            stored = self._store.load()
        return token.learnt if stored is None else stored.learnt

    def note(self, learnt: Learnt) -> None:
        """Keep with the token in force what was learnt of its host."""
        with self._gate, self._store.locked():
            # It may be another token by now, but it is the same host's.
            if (stored := self._store.load()) is not None:
                self._store.save(replace(stored, learnt=learnt))

    def _shared(self) -> Token:
        with self._gate:
            if self._token is not None and self._token.usable_at(self._clock()):
                return self._token
            with self._store.locked():
                stored = self._store.load()
                if stored is None or not stored.usable_at(self._clock()):
                    return self._fetch_and_keep()
                self._token = stored
                return stored

    def _fetch_and_keep(self) -> Token:
        token = self._fetch()
        self._store.save(token)
        self._token = token
        return token

    def _fetch(self) -> Token:
        asked_at = self._clock()
        for ask in self._ways():
            answer = ask()
            if answer.ok or answer.status == 408 or answer.status >= 500 or _is_throttled(answer):
                break
        if not answer.ok:
            raise self._refused(answer)
        token = _parse_token(answer.json(), asked_at)
        if token is None:
            raise self._not_a_login(answer)
        return token

    def _ways(self) -> tuple[Ask, ...]:
        """Return the forms of the request, the one after to be used where one is refused.

        A region is the real platform's, which takes the header and need not see the other form.
        """
        both = (self._ask_by_form, self._ask_by_header)
        ways: dict[str, tuple[Ask, ...]] = {
            "messaging": (self._ask_by_form,),
            "agentless": (self._ask_by_header,),
            "auto": both if self._account.base_url else both[::-1],
        }
        return ways[self._account.profile]

    def _ask_by_form(self) -> Answer:
        """Ask as the seed tutorial does, credentials and scopes in the body."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._account.client_id,
            "client_secret": self._account.client_secret,
            "scope": " ".join(SCOPES),
        }
        return self._ask(form, {})

    def _ask_by_header(self) -> Answer:
        """Ask as the platform's own SDK does, credentials in a Basic header."""
        pair = f"{self._account.client_id}:{self._account.client_secret}"
        credentials = base64.b64encode(pair.encode()).decode()
        headers = {"Authorization": f"Basic {credentials}"}
        return self._ask({"grant_type": "client_credentials"}, headers)

    def _ask(self, form: dict[str, str], headers: dict[str, str]) -> Answer:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        try:
            return self._transport.exchange(self._call, headers=kind | headers, body=body)
        except OutcomeUnknownError as error:
            # To ask for a token changes nothing, and what it was needed for has not been sent.
            raise NotSentError(f"No access token, so nothing was sent: {error}") from error

    def _refused(self, answer: Answer) -> ApiError | NotSentError:
        found = problem(answer.json(), self._call.hide)
        if _is_throttled(answer):
            wait = retry_after(answer, self._clock())
            return ThrottledError(
                f"Too many access tokens were asked for at {self.login_url}: {found.text}. Wait, "
                f"then go on. Connection {self._account.name!r}.",
                status=answer.status,
                correlation_id=correlation_id(answer),
                retry_after=wait,
            )
        if answer.status in {400, 401}:
            return AuthenticationError(
                f"{self.login_url} refused the OAuth client of connection {self._account.name!r}: "
                f"{found.text}. The client id, the client secret or the region is wrong: check "
                f"login and password of the connection, and that {self._call.place} matches your "
                "Genesys Cloud instance.",
                status=answer.status,
                correlation_id=correlation_id(answer),
            )
        error = refusal(self._call, answer)
        if answer.status == 408 or answer.status >= 500:
            return NotSentError(f"No access token, so nothing was sent: {error}")
        return error

    def _not_a_login(self, answer: Answer) -> NotSentError:
        return NotSentError(
            f"{self.login_url} answered HTTP {answer.status} without an access token, so nothing "
            f"was sent. Check that {self._call.place} in connection {self._account.name!r} is "
            "Genesys Cloud and that no proxy answers in its place."
        )


def _is_throttled(answer: Answer) -> bool:
    """Whether the token endpoint's own limit struck: it answers 400 and not 429 then.

    Source: Genesys' Terraform provider, which waits for this very text.
    """
    if answer.status == 429:
        return True
    body = answer.json()
    fields = body if isinstance(body, dict) else {}
    texts = (fields.get("description"), fields.get("error_description"))
    return (
        answer.status == 400
        and fields.get("error") == "invalid_request"
        and any(
            isinstance(text, str) and text.lower().startswith("rate limit exceeded")
            for text in texts
        )
    )


def _parse_token(body: object, asked_at: float) -> Token | None:
    fields = body if isinstance(body, dict) else {}
    value, scope = fields.get("access_token"), fields.get("scope")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return None
    if not value or " " in value:
        return None
    return Token(
        value=value,
        obtained_at=asked_at,
        expires_at=asked_at + _lifetime(fields.get("expires_in")),
        scopes=tuple(scope.split()) if isinstance(scope, str) else None,
    )


def _lifetime(expires_in: object) -> float:
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return SHORT_LIFETIME_S
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return SHORT_LIFETIME_S
    return min(seconds, LONGEST_LIFETIME_S) if seconds > 0 else SHORT_LIFETIME_S
