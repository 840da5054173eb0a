"""The receiver: verify, parse, count in one transaction, and only then answer 2xx.

The same app is mounted in Airflow's API server and served alone. It opens the ledger at the first
request, since a mounted app gets no start-up event, and it trusts nobody but the signature, since
a mounted app gets no authentication either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from genesys_cloud.errors import CampaignError
from genesys_cloud.ledger import events
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.events import Effect
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook import signature
from genesys_cloud.webhook.events import NotAnEventError, read_event
from genesys_cloud.webhook.group_commit import GroupCommit, QueueFullError

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
"""The largest body that is read."""

RETRY_AFTER_S = "5"
"""When a sender that met a failure of ours should come back, in seconds."""


@dataclass(frozen=True, kw_only=True)
class ReceiverConfig:
    """Where events are counted, and whose signatures count; several secrets while rotating."""

    ledger_url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


class Receiver:
    """The receiver's state, made when it is first needed."""

    def __init__(self, configure: Callable[[], ReceiverConfig]) -> None:
        self._configure = configure
        self.commits = GroupCommit(self._apply)

    @cached_property
    def config(self) -> ReceiverConfig:
        """The configuration, asked for once."""
        return self._configure()

    @cached_property
    def ledger(self) -> Ledger:
        """The open ledger; a failure to open it is not remembered."""
        return open_ledger(self.config.ledger_url)

    def _apply(self, batch: Sequence[StatusEvent]) -> Sequence[Effect]:
        return events.apply(self.ledger, batch, datetime.now(UTC))


def create_app(configure: Callable[[], ReceiverConfig]) -> FastAPI:
    """Return the receiver as an ASGI app; `configure` is called at the first request."""
    app = FastAPI(title="Genesys Cloud message events", docs_url=None, redoc_url=None)
    receiver = Receiver(configure)

    @app.post("/genesys-messaging")
    async def receive(request: Request) -> JSONResponse:
        return await _receive(receiver, request)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


async def _receive(receiver: Receiver, request: Request) -> JSONResponse:
    try:
        effect = await receiver.commits.submit(await _verified_event(receiver, request))
    except _RefusedError as refused:
        return _answer(refused.status, str(refused))
    except QueueFullError:
        return _answer(503, "Too many events are waiting.")
    except CampaignError as error:
        log.error("an event was not counted, and its sender will try again: %s", error)
        return _answer(503, "The receiver can't count events now; its log says why.")
    return JSONResponse({"result": effect.value})


class _RefusedError(Exception):
    """A request that is not counted; `status` is the HTTP status that says so."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def _verified_event(receiver: Receiver, request: Request) -> StatusEvent:
    secrets = receiver.config.secrets
    if not secrets:
        raise _RefusedError(503, "The receiver has no webhook secret, so it can verify nothing.")
    body = await _read(request)
    if body is None:
        raise _RefusedError(413, f"The body is larger than {MOST_BYTES} bytes.")
    if not signature.verify(body, request.headers.get(signature.HEADER), secrets):
        raise _RefusedError(401, f"The header {signature.HEADER} is missing or does not fit.")
    try:
        return read_event(body)
    except NotAnEventError as error:
        raise _RefusedError(400, str(error)) from None


async def _read(request: Request) -> bytes | None:
    """Return the body, None once it proves too large; never holds more than the limit."""
    declared = request.headers.get("Content-Length", "0")
    if not declared.isdigit() or int(declared) > MOST_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _answer(status: int, sentence: str) -> JSONResponse:
    headers = {"Retry-After": RETRY_AFTER_S} if status == 503 else None
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)
