"""The platform's do-not-contact lists: which there are, what is on one, and changes to one."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any, Literal, NamedTuple

from genesys_cloud.api import downloads
from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.api.profiles import agentless_dnc as profile
from genesys_cloud.api.profiles.agentless_dnc import Columns, DncList
from genesys_cloud.api.profiles.fields import parse_time
from genesys_cloud.api.session import ApiSession
from genesys_cloud.errors import ServiceFailedError

AT_ONCE = 1_000
"""Numbers in one request: the platform documents no limit, and takes half a megabyte."""

POLL_S = 2.0
MOST_POLLS = 300
"""For how long an export is waited for: ten minutes."""

_MOST_PAGES = 100


class DncEntry(NamedTuple):
    """A number as the list has it, and when it ends, None for never."""

    number: str
    expires_at: datetime | None


class DncLists:
    """The lists of an account; its methods raise the errors of ApiSession."""

    def __init__(self, session: ApiSession) -> None:
        self._session = session

    def lists(self) -> list[DncList]:
        """Return every list."""
        pages = NumberedPages(
            self._page, ids=lambda page: page.ids, what="The DNC lists", most=_MOST_PAGES
        )
        return [one for page in pages for one in page.lists]

    def pull(self, list_id: str) -> Iterator[DncEntry]:
        """Yield what is on a list, out of an export that is made now.

        A list of millions takes no more memory than a short one. Raises ServiceFailedError where
        the export is not ready in time or holds no numbers' column.
        """
        what = f"DNC list {list_id}"
        rows = csv.reader(downloads.lines(self._session, self._export(list_id, what), what))
        return _entries(rows, what)

    def push(
        self, list_id: str, entries: Iterable[DncEntry], *, action: Literal["Add", "Remove"] = "Add"
    ) -> int:
        """Put numbers on a list or take them off, and return how many; again changes nothing.

        Only lists that the organisation keeps itself can be changed.
        """
        count = 0
        for expires_at, group in groupby(entries, key=lambda entry: entry.expires_at):
            numbers = (entry.number for entry in group)
            while some := list(islice(numbers, AT_ONCE)):
                self._change(list_id, profile.numbers_body(action, some, expires_at), some)
                count += len(some)
        return count

    def _page(self, number: int) -> profile.DncPage:
        path = profile.lists_path(number)
        answer = self._session.read(path, "the DNC lists", permission=profile.TO_VIEW)
        return profile.parse_lists(answer)

    def _change(self, list_id: str, body: Mapping[str, Any], numbers: Sequence[str]) -> None:
        self._session.change(
            "PATCH", profile.numbers_path(list_id), body, f"a change of DNC list {list_id}",
            permission=profile.TO_CHANGE, hide=tuple(numbers),
        )  # fmt: skip

    def _export(self, list_id: str, what: str) -> str:
        """Return where a file is that was written after this was asked for."""
        path = profile.export_path(list_id)
        before = self._exported(path, what)
        begin = self._session.call("POST", path, what, permission=profile.TO_EXPORT)
        self._session.content(begin, self._session.exchange(begin, b"{}"))
        for _ in range(MOST_POLLS):
            found = self._exported(path, what)
            # Until the new one is ready, the platform answers with the one before it.
            if found is not None and found != before:
                return found[0]
            self._session.sleep(POLL_S)
        raise ServiceFailedError(
            f"The export of {what} was not ready after {MOST_POLLS * POLL_S:g} s. Run it again "
            "later.",
            status=200,
        )

    def _exported(self, path: str, what: str) -> tuple[str, str] | None:
        call = self._session.call("GET", path, what, permission=profile.TO_EXPORT)
        answer = self._session.answer(call)
        if answer.status == 404:  # never exported, or no such list: the POST will tell
            return None
        return profile.parse_export(self._session.content(call, answer))


def _entries(rows: Iterator[list[str]], what: str) -> Iterator[DncEntry]:
    try:
        yield from _read(rows, what)
    except csv.Error:
        raise ServiceFailedError(f"The export of {what} is no CSV file.", status=200) from None


def _read(rows: Iterator[list[str]], what: str) -> Iterator[DncEntry]:
    first = next((row for row in rows if row), None)
    if first is None:
        return
    columns = profile.columns(first)
    if columns is None:
        raise ServiceFailedError(
            f"The export of {what} has no column that is named for phone numbers; it may be a list "
            "of another kind.",
            status=200,
        )
    for row in rows:
        if len(row) > columns.number and (number := row[columns.number].strip()):
            yield DncEntry(number, _expiry(row, columns))


def _expiry(row: Sequence[str], columns: Columns) -> datetime | None:
    place = columns.expiry
    # An end that can't be read is none: rather too long than too short.
    return parse_time(row[place].strip()) if place is not None and len(row) > place else None
