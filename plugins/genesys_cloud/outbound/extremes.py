"""What is worst in a contact list: found in one pass, in memory that does not grow with the rows.

A text is as long, or as dear, as the values in it; the lint of a template renders it with these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.channels import text_length
from genesys_cloud.outbound.languages import normalise_tag
from genesys_cloud.outbound.rendering import INVISIBLE
from genesys_cloud.outbound.segments import GSM_BASIC, GSM_EXTENDED

EXAMPLE_ROWS: Final = 5
"""How many whole rows are kept, the first that fit."""

EXAMPLE_LIMIT: Final = 20_000
"""Characters that an example row may have."""

CELLS_LIMIT: Final = 1_000
"""How many different cells of the language column are counted apart."""

TAG_LIMIT: Final = 40
"""Characters of such a cell that count; no tag has as many."""

FEW: Final = 8
"""How many different values of a column are kept beside its worst."""

MONTHS: Final = frozenset(f"{month:02}" for month in range(1, 13))

OTHER_TAGS: Final = "other languages"

_GSM: Final = GSM_BASIC | GSM_EXTENDED


@dataclass
class ColumnExtremes:
    """The worst values of a column; lengths are in UTF-16 code units.

    `plain` is the first value that is all GSM-7, `longest` any, `dearest` the longest that forces
    an SMS into UCS-2, as `forcing` rows do; '' where there is none. `dates` has an ISO date of each
    month, for a month's name makes a text long; `few` the first values of all, for a condition or
    a plural may turn on one. `blank` rows have no value.
    """

    blank: int = 0
    forcing: int = 0
    plain: str = field(default="", repr=False)
    longest: str = field(default="", repr=False)
    dearest: str = field(default="", repr=False)
    dates: dict[str, str] = field(default_factory=dict, repr=False)
    few: dict[str, None] = field(default_factory=dict, repr=False)
    _most: int = 0
    _dearest: int = 0

    def see(self, value: str) -> None:
        """Take note of a value, which is not blank."""
        if not self.plain and _GSM.issuperset(value):
            self.plain = value
        if value.isascii():
            units = len(value)
            # All that ASCII has outside GSM-7: the backtick, and some characters that don't print.
            forces = ("`" in value or not value.isprintable()) and not _GSM.issuperset(value)
        else:
            units = text_length(value) if 2 * len(value) > self._dearest else 0
            forces = not _GSM.issuperset(value)
        if units > self._most:
            self.longest, self._most = value, units
        if forces:
            self.forcing += 1
            if units > self._dearest:
                self.dearest, self._dearest = value, units
        if len(self.few) < FEW:
            self.few[value] = None
        if value[4:5] == "-" and value[7:8] == "-":
            self._see_date(value)

    def values(self) -> tuple[str, ...]:
        """Return the worst values, each once."""
        found = (self.plain, self.longest, self.dearest, *self.dates.values(), *self.few)
        return tuple(dict.fromkeys(value for value in found if value))

    def _see_date(self, value: str) -> None:
        month = value[5:7]
        if month not in MONTHS:
            return
        # A day of two digits is the longer one.
        known = self.dates.get(month)
        if known is None or known[8:9] == "0" != value[8:9]:
            self.dates[month] = value


@dataclass
class Extremes:
    """The worst of a contact list in the columns `names`; rows that can't be read don't count.

    `header` is all columns of the list, () before a row that can be read.
    """

    names: frozenset[str]
    header: tuple[str, ...] = ()
    rows: int = 0
    columns: dict[str, ColumnExtremes] = field(default_factory=dict)
    examples: list[Mapping[str, str]] = field(default_factory=list, repr=False)
    _languages: Counter[str] = field(default_factory=Counter, repr=False)

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Return the rows as they are, and take note of each as it passes."""
        for row in rows:
            if row.problem is None:
                self._see(row.values)
            yield row

    def languages(self) -> tuple[Counter[str], int]:
        """Return how many rows ask for which language, and how many cells name none.

        Rows without a cell are in neither.
        """
        tags: Counter[str] = Counter()
        unreadable = 0
        for cell, rows in self._languages.items():
            tag = cell if cell == OTHER_TAGS else normalise_tag(cell)
            if tag is not None:
                tags[tag] += rows
            elif cell.strip():
                unreadable += rows
        return tags, unreadable

    def _see(self, values: Mapping[str, str]) -> None:
        if not self.rows:
            self.header = tuple(values)
            self.columns = {name: ColumnExtremes() for name in self.header if name in self.names}
        self.rows += 1
        for name, column in self.columns.items():
            value = values.get(name, "").strip()
            if value.strip(INVISIBLE):
                column.see(value)
            else:
                column.blank += 1
        cell = values.get("language", "")[:TAG_LIMIT]
        known = cell in self._languages or len(self._languages) < CELLS_LIMIT
        self._languages[cell if known else OTHER_TAGS] += 1
        if len(self.examples) < EXAMPLE_ROWS and sum(map(len, values.values())) < EXAMPLE_LIMIT:
            self.examples.append({name: values.get(name, "").strip() for name in self.columns})
