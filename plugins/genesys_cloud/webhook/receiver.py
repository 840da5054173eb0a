"""The receiver: verify, parse, count in one transaction, and only then answer 2xx.

The same app is mounted in Airflow's API server and served alone. It reads its configuration and
opens the ledger at the first request, since a mounted app gets no start-up event, and it trusts
nobody but the signature or the key, since a mounted app gets no authentication either.

It is a bare ASGI app: a status event is checked by its signature and its parser, and what a
framework would do besides costs as much as counting it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from genesys_cloud.errors import CampaignError
from genesys_cloud.outbound.stats import NO_STATS, Metric, Stats
from genesys_cloud.webhook import api_key, signature, trial
from genesys_cloud.webhook.answers import Answer, RefusedError, Send, counted, json_answer
from genesys_cloud.webhook.config import ConfigSource, ReceiverConfig
from genesys_cloud.webhook.counting import Condition, Counting
from genesys_cloud.webhook.events import NotAnEventError, TrialEventError, read_events
from genesys_cloud.webhook.group_commit import GroupCommit, QueueFullError
from genesys_cloud.webhook.headers import check
from genesys_cloud.webhook.intake import GoneError, Intake, Receive
from genesys_cloud.webhook.openapi import EVENTS, HEALTH
from genesys_cloud.webhook.opt_out_words import OptOutWords

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]

_LATER = RefusedError(503, "The receiver can't count events now; its log says why.").answer


class Receiver:
    """The receiver as a bare ASGI app; `configure` is called at the first request."""

    def __init__(self, configure: Callable[[], ReceiverConfig], stats: Stats = NO_STATS) -> None:
        self._source = ConfigSource(configure)
        self._stats = stats
        self._counting = Counting(self._source, stats=stats)
        self._commits = GroupCommit(self._counting.count)
        self._intake = Intake()
        self._words = OptOutWords(lambda: self._source.read().include_dir)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except GoneError:
            return
        await answer.send(send)

    def begin(self) -> ReceiverConfig:
        """Read the configuration, and take over what another receiver has left in the spool."""
        config = self._source.read()
        self._counting.begin()
        return config

    def close(self) -> None:
        """Close the ledger; whoever has a start has an end too."""
        self._counting.close()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._dispatch(scope, receive)
        except RefusedError as refused:
            answer = refused.answer
        except CampaignError as error:
            log.error("an event was not counted, and its sender will try again: %s", error)
            answer = _LATER
        self._stats.incr(Metric.EVENTS_REFUSED, tags={"status": str(answer.status)})
        return answer

    async def _dispatch(self, scope: Scope, receive: Receive) -> Answer:
        method, path = scope["method"], _local_path(scope)
        if path == EVENTS:
            return await self._receive(scope, receive) if method == "POST" else _only(b"POST")
        if path == HEALTH:
            return self._health() if method in {"GET", "HEAD"} else _only(b"GET, HEAD")
        raise RefusedError(404, "There is nothing here.")

    async def _receive(self, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        check(headers)
        config = self._source.fresh
        if config is None:
            config = await asyncio.to_thread(self.begin)
        body = await self._intake.read(receive)
        with self._intake.done_with(body):
            if not (config.allow_unsigned or _genuine(headers, body, config)):
                sentence = f"The header {signature.HEADER} is missing or does not fit."
                raise RefusedError(401, sentence)
            return await self._count(body)

    async def _count(self, raw: bytes) -> Answer:
        try:
            body = read_events(raw)
            if body.inbound:
                body = body.decided(self._words.choose)
            outcomes = await self._commits.submit(body.events) if body.events else ()
        except TrialEventError:
            return json_answer(200, {"result": trial.RESULT})
        except NotAnEventError as error:
            raise RefusedError(400, str(error)) from None
        except QueueFullError:
            raise RefusedError(503, "Too many events are waiting.") from None
        for event, outcome in zip(body.events, outcomes, strict=True):
            if isinstance(outcome, CampaignError):
                raise outcome
            if isinstance(outcome, Exception):
                # Not its text, which would hold what is in the event.
                kind = type(outcome).__name__
                log.error("event %s can't be counted: %s", event.event_id, kind)
                raise RefusedError(500, "This event can't be counted; the receiver's log names it.")
        return counted(body, outcomes)

    def _health(self) -> Answer:
        condition = self._counting.condition
        if self._commits.is_full:
            condition = Condition.FULL
        return json_answer(
            503 if condition is Condition.FULL else 200,
            {
                "status": condition,
                "waiting": self._commits.waiting,
                "spooled_bytes": self._counting.spooled_bytes,
            },
        )


def _local_path(scope: Scope) -> str:
    """Return the path below wherever this app is mounted, empty for one that is not below it."""
    root: str = scope.get("root_path", "")
    return scope["path"][len(root) :] if scope["path"].startswith(root) else ""


def _genuine(headers: Mapping[bytes, bytes], body: bytes, config: ReceiverConfig) -> bool:
    if config.api_keys and not signature.is_given(headers):
        return api_key.genuine(headers, config.api_keys)
    return signature.genuine(
        headers, body, config.secrets, now=time.time(), tolerance_s=config.tolerance_s
    )


def _only(methods: bytes) -> Answer:
    return json_answer(405, {"error": "That method is not served here."}, (b"allow", methods))
