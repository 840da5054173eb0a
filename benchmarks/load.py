"""Signed status events, and a sender that keeps many requests in flight."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence

from genesys_cloud.webhook.signature import HEADER, sign
from tests.webhook.receiver import SECRET, event_body

PATH = "/webhooks/genesys-messaging"
STATUSES = ("sent", "delivered")
DUPLICATES = 0.1
"""The share of events that come a second time."""


def events(message_ids: Sequence[str]) -> list[bytes]:
    """Return the bodies of all events of these messages, some of them twice."""
    dice = random.Random(len(message_ids))  # noqa: S311 - no secret
    bodies: list[bytes] = []
    for second, status in enumerate(STATUSES):
        at = f"2026-11-23T12:00:{second:02d}.000Z"
        once = [event_body(f"{each}:{status}", each, status, at) for each in message_ids]
        twice = dice.sample(once, round(DUPLICATES * len(once)))
        bodies += once + twice
    return bodies


def post(port: int, bodies: Sequence[bytes], connections: int) -> Counter[str]:
    """Post every body over keep-alive connections, and count the answers."""
    return asyncio.run(_post(port, bodies, connections))


async def _post(port: int, bodies: Sequence[bytes], connections: int) -> Counter[str]:
    answers: Counter[str] = Counter()
    waiting = iter([_request(body) for body in bodies])
    await asyncio.gather(*(_worker(port, waiting, answers) for _ in range(connections)))
    return answers


def _request(body: bytes) -> bytes:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: receiver\r\nContent-Type: application/json\r\n"
        f"{HEADER}: {sign(body, SECRET)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _worker(port: int, waiting: Iterator[bytes], answers: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r", 1)[0])
        answer = json.loads(await reader.readexactly(length))
        answers[answer.get("result") or head.split(b" ", 2)[1].decode()] += 1
    writer.close()
    await writer.wait_closed()
