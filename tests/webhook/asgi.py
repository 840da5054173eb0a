"""The receiver's app called as a server calls it, with what a real client can't be made to send."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genesys_cloud.settings import Settings
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.webhook.receiver import Receiver
from genesys_cloud.webhook.signature import HEADER, sign
from tests.webhook.receiver import SECRET


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What the app answered."""

    status: int
    headers: Mapping[str, str]
    json: Any


def config(folder: Path, *secrets: str, **changes: Any) -> ReceiverConfig:
    """Return a configuration with ledger and spool in a folder."""
    settings = Settings(webhook_spool=folder / "spool", **changes)
    return ReceiverConfig.from_settings(
        settings, ledger_url=f"sqlite:///{folder}/ledger.db", secrets=secrets or (SECRET,)
    )


async def call(
    app: Receiver,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    signed: bool = True,
    method: str = "POST",
    path: str = "/genesys-messaging",
    parts: Iterable[bytes] | None = None,
    hangs_up: bool = False,
) -> Answered | None:
    """Return the answer to a request, None where the app gives none.

    `parts` is the body as it comes in pieces; `hangs_up` ends it with a disconnect.
    """
    pieces = list(parts if parts is not None else [body])
    whole = b"".join(pieces)
    given = {HEADER: sign(whole, SECRET)} if signed else {}
    given |= dict(headers or {})
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if hangs_up:
        messages.append({"type": "http.disconnect"})
    else:
        messages[-1]["more_body"] = False
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    encoded = [(name.lower().encode(), word.encode("latin-1")) for name, word in given.items()]
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": encoded}
    await app(scope, receive, send)
    if not sent:
        return None
    start, end = sent
    return Answered(
        status=start["status"],
        headers={name.decode(): word.decode() for name, word in start["headers"]},
        json=json.loads(end["body"]),
    )
