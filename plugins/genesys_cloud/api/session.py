"""Requests to one account's API: each with a token, and reads as often as it takes."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genesys_cloud.api import answers, regions
from genesys_cloud.api.auth import GenesysAuth
from genesys_cloud.api.failures import Call
from genesys_cloud.api.retry import ReadPolicy
from genesys_cloud.api.token_store import Token, TokenStore
from genesys_cloud.api.transport import Answer, Transport
from genesys_cloud.errors import NotSentError, OutcomeUnknownError
from genesys_cloud.settings import Account

_YOUNG_TOKEN_S = 60.0
_JSON = {"Content-Type": "application/json"}


class ApiSession:
    """What every contract asks the API through, safe to use from many threads.

    `pace` is called before each read that is paced. `clock` gives epoch seconds, `sleep` takes
    seconds, `rng` gives 0 to 1. Its methods raise the errors of errors.py; `permission` is what a
    403 then names.
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
        self.account = account
        self.hosts = regions.hosts(account.region, account.base_url)
        self.place = account.base_url or f"region {account.region}"
        self.clock = clock
        self.sleep = sleep
        self._transport = Transport(account.timeout_s)
        store = TokenStore(
            state_dir, self.hosts.login, account.client_id, account.client_secret, account.profile
        )
        self.auth = GenesysAuth(account, self.hosts.login, self._transport, store, clock=clock)
        self._policy = ReadPolicy(clock=clock, sleep=sleep, rng=rng)
        self._pace = pace or _no_pace

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def call(
        self, method: str, path: str, what: str, *, permission: str = "", hide: tuple[str, ...] = ()
    ) -> Call:
        """Return a request as errors name it; `hide` are texts that no message may repeat."""
        return Call(
            method=method,
            url=self.hosts.api + path,
            what=what,
            connection=self.account.name,
            place=self.place,
            profile=self.account.profile,
            permission=permission,
            hide=(*hide, self.account.client_secret),
        )

    def read(self, path: str, what: str, *, permission: str = "") -> object:
        """Return the JSON of a GET, after as many attempts as the policy makes."""
        call = self.call("GET", path, what, permission=permission)
        return self.content(call, self.answer(call))

    def ask(
        self, path: str, body: Mapping[str, Any] | list[str], what: str, *, permission: str = ""
    ) -> object:
        """Return the JSON of a POST that only asks, and may be repeated as a read may."""
        call = self.call("POST", path, what, permission=permission)
        return self.content(call, self.answer(call, json.dumps(body).encode()))

    def change(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        what: str,
        *,
        permission: str = "",
        hide: tuple[str, ...] = (),
    ) -> object:
        """Return the JSON of a request that changes something, made once; None without a body."""
        hidden = (*hide, str(body.get("secret") or ""))
        call = self.call(method, path, what, permission=permission, hide=hidden)
        self._pace()
        answer = self.exchange(call, json.dumps(body).encode())
        if answer.ok and answer.whole and not answer.body:
            return None
        return self.content(call, answer)

    def content(self, call: Call, answer: Answer) -> object:
        """Return the JSON of an answer; raises what it says instead."""
        return answers.content(call, answer, self.clock())

    def answer(self, call: Call, body: bytes | None = None, *, paced: bool = True) -> Answer:
        """Return the answer to a read, after as many attempts as the policy makes."""

        def ask() -> Answer:
            if paced:
                self._pace()
            return self.exchange(call, body)

        try:
            return self._policy(ask)
        except OutcomeUnknownError as error:
            raise NotSentError(str(error)) from error

    def exchange(self, call: Call, body: bytes | None = None) -> Answer:
        """Make a request with a token, and once more with a fresh one where it is refused."""
        token = self.auth.token()
        answer = self._with_token(call, token, body)
        if answer.status == 401:
            self.auth.invalidate(token)
            return self._with_token(call, self.auth.token(), body)
        # A token keeps the scopes that it was made with, so that a client that has been given
        # another one needs a new token; a young one would be no different.
        if answer.status == 403 and self.clock() - token.obtained_at > _YOUNG_TOKEN_S:
            self.auth.invalidate(token)
        return answer

    def _with_token(self, call: Call, token: Token, body: bytes | None) -> Answer:
        headers = {"Authorization": f"Bearer {token.value}"}
        return self._transport.exchange(
            call, headers=headers if body is None else headers | _JSON, body=body
        )


def _no_pace() -> None:
    """Let a read go ahead."""
