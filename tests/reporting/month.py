"""A made-up month of partitions for tests of ranges."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.reporting.listing import Facts
from genesys_cloud.reporting.partitions import build_partition
from genesys_cloud.reporting.reconciliation import LedgerSide
from genesys_cloud.reporting.reports import REPORTS
from tests.reporting.samples import END, START, facts_of, no_facts, pages, realistic_day

FIRST = START.date()
TIMES = ("created_at", "sent_at", "delivered_at", "read_at", "failed_at")


def put_day(
    root: Path,
    number: int,
    rows: Sequence[Delivery],
    *,
    facts: Facts = no_facts,
    ledger: LedgerSide | None = None,
) -> date:
    """Export rows, moved so many days on from START, and return their day."""
    moved = [on_day(row, number) for row in rows]
    step = timedelta(days=number)
    with patch.dict(REPORTS, clear=True):  # a range reads none of them, and they take longest
        build_partition(pages(moved), facts, root, START + step, END + step, ledger=ledger)
    return FIRST + step


def put_month(root: Path, days: int, *, without: Sequence[int] = (), empty: int = -1) -> None:
    """Export days of some hundred rows each; days in `without` get no partition."""
    for number in range(days):
        if number not in without:
            count = 0 if number == empty else 150 + 60 * (number % 7)
            rows, facts = realistic_day(count, seed=number)
            put_day(root, number, rows, facts=facts_of(facts), ledger=a_ledger(count))


def a_ledger(rows: int) -> LedgerSide:
    """A ledger that agrees with the list and blocked some recipients."""
    blocked = {"consent_not_verified": 9, "invalid_address": 2}
    campaigns = {"appointment-reminders": {"blocked": blocked, "unknown": {"timed_out": 1}}}
    return LedgerSide(
        learn=lambda _: 0, accepted=lambda: rows, not_sent=lambda: campaigns if rows else {}
    )


def on_day(row: Delivery, number: int) -> Delivery:
    """Move a row so many days on."""
    step = timedelta(days=number)
    moved = {name: at + step for name in TIMES if (at := getattr(row, name))}
    return dataclasses.replace(row, **moved)
