"""A day of messages as the API lists it: pages of JSON on disk, one a line."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 1, 15, tzinfo=UTC)
END = START + timedelta(days=1)
PAGE = 100
_DAY_MS = 86_400_000


def write_pages(path: Path, rows: int) -> None:
    """Write a day of `rows` messages; the same number gives the same day."""
    dice = random.Random(rows)  # noqa: S311 - no secret
    pages = -(-rows // PAGE)
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, pages + 1):
            size = min(PAGE, rows - (number - 1) * PAGE)
            entities = [_entity(f"{number}-{place}", dice) for place in range(size)]
            page = {"total": rows, "hasMore": number < pages, "entities": entities}
            file.write(json.dumps(page) + "\n")


def read_pages(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the pages, one in memory at a time."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _entity(name: str, dice: random.Random) -> dict[str, Any]:
    created = dice.randrange(_DAY_MS)
    sent = created + dice.randrange(100, 2_000)
    settled = sent + dice.randrange(200, 9_000)
    failed = dice.random() < 0.04
    return {
        "id": f"msg-{name}",
        "channelType": dice.choice(("messaging:sms", "messaging:whatsapp")),
        "status": "failed" if failed else "delivered",
        "to": [{"address": "+12025550123"}],
        "createdDate": _iso(created),
        "sentDate": _iso(sent),
        "deliveredDate": None if failed else _iso(settled),
        "failedDate": _iso(settled) if failed else None,
        "errorCode": "30003" if failed else None,
        "metadata": {"campaignId": f"campaign-{dice.randrange(5)}", "messageKey": name},
    }


def _iso(milliseconds: int) -> str:
    instant = START + timedelta(milliseconds=milliseconds)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
