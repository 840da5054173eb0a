"""Delivery data for tests: made up from a seed, so that the same day comes out every time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage, LedgerFact

START = datetime(2024, 1, 15, tzinfo=UTC)
END = START + timedelta(days=1)

# campaign, channel, hours in which it sends, share of failures, median send latency in ms
CAMPAIGNS = (
    ("appointment-reminders", "messaging:sms", (8, 11), 0.035, 620),
    ("order-updates", "messaging:whatsapp", (7, 20), 0.018, 380),
    ("winter-offers", "messaging:sms", (15, 18), 0.094, 840),
)
ERRORS = ("30003", "30005", "30006", "21610", None)


def delivery(message_id: str = "m1", **changes: object) -> Delivery:
    """Return a message delivered two seconds after it was created, with changes."""
    values: dict[str, object] = {
        "message_id": message_id,
        "channel": "messaging:sms",
        "status": "delivered",
        "created_at": START + timedelta(hours=9),
        "sent_at": START + timedelta(hours=9, milliseconds=500),
        "delivered_at": START + timedelta(hours=9, seconds=2),
    }
    return Delivery(**{**values, **changes})  # type: ignore[arg-type]


def pages(
    deliveries: Sequence[Delivery], *, size: int = 100, total: int | None = -1
) -> list[DeliveryPage]:
    """Cut messages into pages; `total` -1 means as many as there are."""
    chunks = [deliveries[place : place + size] for place in range(0, len(deliveries), size)] or [()]
    count = len(deliveries) if total == -1 else total
    return [
        DeliveryPage(number=number, total=count, deliveries=chunk, has_more=number < len(chunks))
        for number, chunk in enumerate(chunks, start=1)
    ]


def no_facts(ids: Sequence[str]) -> Mapping[str, LedgerFact]:
    """Know nothing of any message."""
    return {}


def facts_of(
    known: Mapping[str, LedgerFact],
) -> Callable[[Sequence[str]], Mapping[str, LedgerFact]]:
    """Look facts up as the ledger does: many ids at once, unknown ones left out."""
    return lambda ids: {name: known[name] for name in ids if name in known}


def realistic_day(count: int, seed: int = 7) -> tuple[list[Delivery], dict[str, LedgerFact]]:
    """Return a day of three campaigns: long latency tails, failures, some pending."""
    dice = random.Random(seed)
    deliveries = list(_messages(count, dice))
    facts = {
        each.message_id: LedgerFact(
            campaign_id=each.campaign_id or "",
            language=dice.choices(("en", "es", "fr", "de"), (62, 20, 10, 8))[0],
            template="order_update"
            if each.channel.endswith("whatsapp")
            else "appointment_reminder",
            template_version="3f9c2b1a",
            segments=None if each.channel.endswith("whatsapp") else dice.choice((1, 1, 1, 2)),
            accepted_at=each.created_at,
        )
        for each in deliveries
    }
    return deliveries, facts


def _messages(count: int, dice: random.Random) -> Iterator[Delivery]:
    for place in range(count):
        campaign, channel, hours, failing, median = dice.choices(CAMPAIGNS, (50, 32, 18))[0]
        created = START + timedelta(milliseconds=round(dice.uniform(*hours) * 3_600_000))
        sent = created + timedelta(milliseconds=round(median * dice.lognormvariate(0, 0.55)))
        delivered = sent + timedelta(milliseconds=round(2_600 * dice.lognormvariate(0, 0.7)))
        fate = dice.random()
        common = {"channel": channel, "created_at": created, "campaign_id": campaign}
        name = f"msg_{dice.getrandbits(48):012x}{place:06x}"
        if fate < failing:
            yield Delivery(
                message_id=name,
                status="failed",
                sent_at=sent,
                failed_at=delivered,
                error_code=dice.choices(ERRORS, (44, 25, 15, 9, 7))[0],
                **common,
            )
        elif fate < failing + 0.012:
            yield Delivery(message_id=name, status="queued", **common)
        elif fate < failing + 0.02:
            yield Delivery(message_id=name, status="sent", sent_at=sent, **common)
        else:
            read = channel == "messaging:whatsapp" and dice.random() < 0.6
            yield Delivery(
                message_id=name,
                status="read" if read else "delivered",
                sent_at=sent,
                delivered_at=delivered,
                read_at=delivered + timedelta(minutes=dice.randint(1, 90)) if read else None,
                **common,
            )
