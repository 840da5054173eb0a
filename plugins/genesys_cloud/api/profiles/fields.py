"""Fields of JSON that others wrote: what they hold, or None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from genesys_cloud.errors import PagingError

LONGEST_ID = 200
LONGEST_TIMESTAMP = 40


def parse_time(value: object) -> datetime | None:
    """Return an ISO 8601 time with an offset as aware UTC, None for anything else."""
    # Python takes any character between date and time, NUL and halves of surrogates among them.
    if not isinstance(value, str) or len(value) > LONGEST_TIMESTAMP or not value.isprintable():
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def instant(moment: datetime) -> str:
    """Return a time to the millisecond, in UTC; raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a naive time can't be asked for")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entities(body: object, what: str) -> list[object]:
    """Return the entities of a page; raises PagingError for what is no page."""
    fields = mapping(body)
    found = fields.get("entities")
    if found is None and fields.get("total") == 0:
        return []
    if not isinstance(found, list):
        raise PagingError(f"The answer is no page of {what}: it holds no list of entities")
    return found


def is_error_body(body: object) -> bool:
    """Return whether the body of a 404 is an ErrorBody, and not the page of some other server."""
    fields = mapping(body)
    return text(fields.get("code")) is not None or fields.get("status") == 404


def has_more(body: object, count: int, size_asked: int) -> bool:
    """Return whether a page follows one with `count` entities."""
    fields = mapping(body)
    said, size = fields.get("hasMore"), fields.get("pageSize")
    if isinstance(said, bool):
        return said
    # Without a word, a page that is as long as a page can be may have a successor.
    return count >= (size if isinstance(size, int) and size > 0 else size_asked)


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object, an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def text(value: object, longest: int = LONGEST_ID) -> str | None:
    """Return text that every store takes, cut to length, None for anything else."""
    if not isinstance(value, str) or not value.isprintable():
        return None
    return value[:longest] or None


def identifier(value: object, longest: int = LONGEST_ID) -> str | None:
    """Return an id as it is, None for what is none; a cut id would name something else."""
    found = text(value, longest)
    return found if found == value else None
