"""Do-not-contact lists of the real platform.

Source: the official SDK's models DncList, DncPatchPhoneNumbersRequest and ExportUri. The columns of
an exported file are not documented, so they are found by what they are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from genesys_cloud.api.profiles.fields import entities, has_more, identifier, mapping, text
from genesys_cloud.errors import PagingError

LISTS = "/api/v2/outbound/dnclists"
PAGE_SIZE = 100

TO_VIEW = "outbound:dncList:view"
TO_EXPORT = "outbound:dnc:view"
TO_CHANGE = "outbound:dnc:edit"
"""Permissions that the OAuth client's roles need."""

_NUMBERS = ("phone", "number")
_EXPIRIES = ("expir", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class DncList:
    """A list as the API shows it; `size` is None where it does not say."""

    id: str
    name: str
    contact_method: str
    source: str
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DncPage:
    """One page of lists."""

    lists: Sequence[DncList]
    has_more: bool

    @property
    def ids(self) -> Sequence[str]:
        """The ids on the page."""
        return [one.id for one in self.lists]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where in a row of an exported file the number is, and its end if the file has ends."""

    number: int
    expiry: int | None


def lists_path(number: int) -> str:
    """Return path and query of one page of the lists."""
    return f"{LISTS}?pageSize={PAGE_SIZE}&pageNumber={number}&includeSize=true"


def export_path(list_id: str) -> str:
    """Return the path at which an export is begun, and asked for."""
    return f"{LISTS}/{quote(list_id, safe='')}/export"


def numbers_path(list_id: str) -> str:
    """Return the path at which numbers are added and removed."""
    return f"{LISTS}/{quote(list_id, safe='')}/phonenumbers"


def numbers_body(action: str, numbers: Sequence[str], expires_at: datetime | None) -> Any:
    """Return the body that adds or removes numbers; ends are to the minute, in UTC.

    An end within a minute is that minute's: nobody is let go of too early.
    """
    body: dict[str, Any] = {"action": action, "phoneNumbers": list(numbers)}
    if expires_at is not None:
        minute = expires_at.astimezone(UTC).replace(second=0, microsecond=0)
        end = minute if minute == expires_at else minute + timedelta(minutes=1)
        body["expirationDateTime"] = end.strftime("%Y-%m-%dT%H:%MZ")
    return body


def parse_lists(body: object) -> DncPage:
    """Return a page of lists; raises PagingError for what is none."""
    found = [_parse_list(mapping(each)) for each in entities(body, "DNC lists")]
    return DncPage(lists=found, has_more=has_more(body, len(found), PAGE_SIZE))


def parse_export(body: object) -> tuple[str, str] | None:
    """Return where an exported file is and since when, None where it is not there yet."""
    fields = mapping(body)
    uri = text(fields.get("uri"), 4_000)
    return (uri, text(fields.get("exportTimestamp")) or "") if uri else None


def columns(first: Sequence[str]) -> Columns | None:
    """Return the columns that a file's first row names, None where it names none."""
    named = ["".join(filter(str.isalnum, cell.lower())) for cell in first]
    number = _first(named, _NUMBERS)
    return None if number is None else Columns(number=number, expiry=_first(named, _EXPIRIES))


def _first(named: Sequence[str], words: Sequence[str]) -> int | None:
    return next(
        (place for place, name in enumerate(named) if any(word in name for word in words)), None
    )


def _parse_list(fields: Mapping[str, Any]) -> DncList:
    list_id, size = identifier(fields.get("id")), fields.get("size")
    if list_id is None:
        raise PagingError("The list of DNC lists holds one without an id")
    return DncList(
        id=list_id,
        name=text(fields.get("name")) or "",
        contact_method=text(fields.get("contactMethod")) or "",
        source=text(fields.get("dncSourceType")) or "",
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
    )
