"""By what the figures are broken down: each breakdown gives every row exactly one key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

NONE = "(none)"
"""The key of rows that have no value in the column of a breakdown."""

HOURS = tuple(f"{hour:02d}" for hour in range(24))


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The key of every row: `codes` are places in `names`, which all occur and are in order."""

    codes: npt.NDArray[np.signedinteger[Any]]
    names: Sequence[str]


Key = Callable[[pd.DataFrame], Keys]
"""Gives every row of a frame its key."""


def everything(frame: pd.DataFrame) -> Keys:
    """Give all rows one key."""
    names = ["all"] if len(frame) else []
    return Keys(codes=np.zeros(len(frame), dtype="int8"), names=names)


def by_day(frame: pd.DataFrame) -> Keys:
    """Key each row by the UTC date on which it was created."""
    return _keyed(_created_hours(frame), lambda hour: f"{hour:%Y-%m-%d}")


def by_hour(frame: pd.DataFrame) -> Keys:
    """Key each row by the UTC hour in which it was created, 00 to 23."""
    return _keyed(_created_hours(frame), lambda hour: f"{hour:%H}")


def by_column(column: str) -> Key:
    """Return what keys each row by a column's text."""
    return lambda frame: _keyed(frame[column], str)


BREAKDOWNS: Mapping[str, Key] = {
    "byDay": by_day,
    "byHour": by_hour,
    "byChannel": by_column("channelType"),
    "byCampaign": by_column("campaignId"),
    "byLanguage": by_column("language"),
}
"""The breakdowns that have every figure; each adds up to the whole."""

WORDS: Mapping[str, Key] = {
    "byStatus": by_column("status"),
    "failureReasons": by_column("errorCode"),
}
"""The breakdowns that only count."""

GRIDS: Mapping[str, Key] = {name: BREAKDOWNS[name] for name in ("byDay", "byCampaign")}
"""The breakdowns that are crossed with the hour, for heat maps."""


def _created_hours(frame: pd.DataFrame) -> pd.Series[Any]:
    hours: pd.Series[Any] = frame["createdDate"].dt.tz_convert("UTC").dt.floor("h")
    return hours


def _keyed(values: pd.Series[Any], label: Callable[[Any], str]) -> Keys:
    """Label every value; a missing one is NONE, so that no row falls out of a breakdown.

    Values that have the same label have the same key.
    """
    codes, found = pd.factorize(values)
    labels = [label(value) for value in found]
    if (codes < 0).any():
        labels.append(NONE)  # a missing value has the code -1, the last place
    names = sorted(set(labels))
    places = {name: place for place, name in enumerate(names)}
    kind = np.min_scalar_type(-max(len(names), 1))
    renamed = np.array([places[name] for name in labels], dtype=kind)
    return Keys(codes=renamed[codes] if len(values) else renamed, names=names)
