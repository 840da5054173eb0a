"""Many days of exported partitions, counted one after the other in the memory of a part of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from genesys_cloud.errors import CampaignDefinitionError, ExportTargetError
from genesys_cloud.reporting.completeness import Day, day_of
from genesys_cloud.reporting.row_files import PARQUET
from genesys_cloud.reporting.tallies import Tallies, add_up
from genesys_cloud.reporting.tally_files import nothing, tally_file
from genesys_cloud.reporting.targets import ExportRoot, opened, read_manifest

_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Range:
    """The days from `first` to `last`, both included, and what their rows add up to."""

    days: tuple[Day, ...]
    tallies: Tallies

    @property
    def first(self) -> date:
        """The first day."""
        return self.days[0].day

    @property
    def last(self) -> date:
        """The last day, which is included."""
        return self.days[-1].day

    @property
    def missing(self) -> tuple[date, ...]:
        """The days that have no partition."""
        return tuple(day.day for day in self.days if not day.found)


def read_range(root: ExportRoot, first: date, last: date) -> Range:
    """Read the partitions from `first` to `last`, both included, below an export root.

    A day without a partition stays in the range, with `found` False. Raises
    CampaignDefinitionError where the days are the wrong way round or none has a partition, and
    ExportTargetError for a partition that can't be read.
    """
    if last < first:
        raise CampaignDefinitionError(
            f"The range from {first} to {last} ends before it begins. Give the earlier day first."
        )
    days, tallies = [], nothing()
    for place in range((last - first).days + 1):
        day, parts = _read_day(root, first + timedelta(days=place))
        days.append(day)
        tallies = add_up(parts, tallies)
    if not any(day.found for day in days):
        raise CampaignDefinitionError(
            f"No day from {first} to {last} has a partition below {root}. Run `delivery_report` "
            "for these days, or `airflow backfill create` for many of them."
        )
    return Range(days=tuple(days), tallies=tallies)


def _read_day(root: ExportRoot, day: date) -> tuple[Day, list[Tallies]]:
    """Read one day; again where its partition was replaced in the middle of it."""
    rows, counted = 0, 0
    for _ in range(_TRIES):
        manifest = read_manifest(root, day)
        if manifest is None:
            return Day(day=day, found=False), []
        with _explained(root, day):
            counts = _tallied(root, day)
        rows = counts.rows
        counted = int(manifest["rows"])
        if rows == counted and read_manifest(root, day) == manifest:
            return day_of(manifest), [counts]
    raise ExportTargetError(
        f"The partition of {day} below {root} holds {rows} rows and its manifest counts "
        f"{counted}. It may be being replaced: try again, or run that day again."
    )


def _tallied(root: ExportRoot, day: date) -> Tallies:
    with opened(root, day, PARQUET) as stream:
        if stream is None:
            raise FileNotFoundError(f"{PARQUET} is not there")
        return tally_file(stream)


@contextmanager
def _explained(root: ExportRoot, day: date) -> Iterator[None]:
    try:
        yield
    except (OSError, KeyError, pa.ArrowException) as error:
        raise ExportTargetError(
            f"The partition of {day} below {root} can't be read ({error}). Check the rights, or "
            "run `delivery_report` for that day again."
        ) from error
