"""Numbers, times and states as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

_TONES = {
    "active": "good", "delivered": "good", "read": "good", "accepted": "good", "applied": "good",
    "given": "good", "sent": "good",
    "planned": "wait", "held": "wait", "claimed": "wait", "attempting": "wait", "queued": "wait",
    "paused": "warn", "unknown": "warn", "blocked": "warn", "expired": "warn", "withdrawn": "warn",
    "cancelled": "bad", "rejected": "bad", "failed": "bad",
}  # fmt: skip

_ACTIONS = {"campaign.rejected": "not approved", "campaign.active": "resumed"}


def number(value: float) -> str:
    """Return a whole number with its thousands apart."""
    return f"{value:,.0f}"


def rate(per_minute: float) -> str:
    """Return messages a minute; a slow one keeps a decimal."""
    return f"{per_minute:,.1f}" if 0 < per_minute < 10 else f"{per_minute:,.0f}"


def share(part: float | None) -> str:
    """Return a share of 1 as a percentage; what is not all is never called 100 %."""
    if part is None:
        return "–"
    percent = part * 100
    if part < 1:
        percent = min(percent, 99.9)
    return f"{percent:.1f}".removesuffix(".0") + " %"


def duration(seconds: float) -> str:
    """Return how long something takes, in the two largest units that matter."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def moment(value: datetime | str) -> str:
    """Return an instant, in UTC, to the second."""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def words(code: str) -> str:
    """Return a code of the ledger's as words."""
    return _ACTIONS.get(code, code.removeprefix("campaign.").replace("_", " ").replace(".", " "))


def tone(word: str) -> str:
    """Return in which tone a state or status is shown: good, wait, warn, bad, or none."""
    return _TONES.get(word, "")
