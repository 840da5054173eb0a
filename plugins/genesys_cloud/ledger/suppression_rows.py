"""Rows of a file of suppressions: each becomes one, or is refused with its code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.addresses import Address, parse_address
from genesys_cloud.outbound.audience import Row, short_cell
from genesys_cloud.outbound.channels import CHANNELS
from genesys_cloud.outbound.csv_cells import inert
from genesys_cloud.outbound.scope import Scope, parse_person
from genesys_cloud.outbound.violations import Refused, Violation

NAMED = 1_000
"""How many refused rows are named; all are counted."""


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A row that can't be used, counted from 1 without the header, and why."""

    row: int
    code: str
    message: str


@dataclass(kw_only=True)
class SuppressionRows:
    """The suppressions in a file, one after the other; counts what it could not use.

    `holds_on` (a channel, or everywhere), `reason`, `source` and `expires_at` are those of rows
    that name none.
    """

    rows: Iterable[Row]
    holds_on: str
    reason: str
    source: str
    expires_at: datetime | None
    now: datetime
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[Wrong] = field(default_factory=list)

    def __iter__(self) -> Iterator[Suppression]:
        for row in self.rows:
            try:
                found = self._suppression(row)
            except Refused as refused:
                self._refuse(row, refused.violations[0])
            else:
                yield found

    def _refuse(self, row: Row, violation: Violation) -> None:
        self.refused[violation.code] += 1
        if len(self.wrong) < NAMED:
            self.wrong.append(Wrong(row=row.number, code=violation.code, message=violation.message))

    def _suppression(self, row: Row) -> Suppression:
        if row.problem is not None:
            raise Refused(row.problem)
        cells = {name.lower(): _live(value.strip()) for name, value in row.values.items()}
        expires_at = self._end(cells)
        return suppression(
            cells.get("address", ""),
            cells.get("channel") or self.holds_on,
            reason=short_cell(cells, "reason") or self.reason,
            source=short_cell(cells, "source") or self.source,
            expires_at=expires_at,
        )

    def _end(self, cells: Mapping[str, str]) -> datetime | None:
        try:
            end = _instant(cells.get("expires_at", "")) or self.expires_at
        except (ValueError, OverflowError):
            raise Refused.because(
                "time_invalid", "expires_at is no date and no time in ISO 8601."
            ) from None
        if end is not None and end <= self.now:
            raise Refused.because(
                "already_expired", "expires_at has passed, so it suppresses nobody."
            )
        return end


def suppression(
    address: str, holds_on: str, *, reason: str, source: str, expires_at: datetime | None
) -> Suppression:
    """Return the suppression of an address as people write it; raises Refused where it is none."""
    if holds_on == Scope.EVERYWHERE:
        person = parse_person(address)
        if isinstance(person, Violation):
            raise Refused(person)
        channel, parsed = person
        scope = Scope.EVERYWHERE
    else:
        if holds_on not in CHANNELS:
            known = ", ".join([*sorted(CHANNELS), Scope.EVERYWHERE])
            raise Refused.because("channel_unsupported", f"{holds_on[:100]!r} is none of {known}.")
        channel, scope = CHANNELS[holds_on], Scope.CHANNEL
        found = parse_address(channel, address)
        if not isinstance(found, Address):
            raise Refused(found)
        parsed = found
    return Suppression(
        channel=channel.name,
        address=parsed.wire,
        reason=reason,
        source=source,
        expires_at=expires_at,
        scope=scope,
    )


def _instant(text: str) -> datetime | None:
    """Return a time, in UTC where it has no offset; a date is its beginning."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _live(cell: str) -> str:
    """Return a cell without the apostrophe that keeps spreadsheets from executing it."""
    return cell[1:] if cell.startswith("'") and inert(cell[1:]) == cell else cell
