"""A preview as its page shows it: rows and sentences that are ready to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Self

from genesys_cloud.outbound import preview_lines, segments
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.preview import Change, Preview
from genesys_cloud.outbound.preview_tally import KINDS, Sample
from genesys_cloud.outbound.prices import Bill
from genesys_cloud.outbound.violations import PROBLEMS

KIND_TITLES: Final = dict(zip(KINDS, ("Shortest", "Longest", "Most segments"), strict=True))

_NAMED: Final = 5
"""How many of the characters that force UCS-2 a sample names."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """A line of the estimate of cost; `country` is '' for addresses without one."""

    country: str
    units: int
    price: str
    cost: str


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """How many are blocked for a reason, what it means, and the first rows."""

    code: str
    meaning: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ShownSample:
    """A rendered message: `text`, or the values of an approved template by section and id.

    `measure` says how long it is, and what that takes.
    """

    kind: str
    row_number: int
    masked_address: str
    measure: str
    text: str = field(repr=False)
    response_id: str | None = None
    values: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class PreviewView:
    """What the page says beside the counts of the preview itself."""

    cost: str
    finish: str
    warnings: tuple[str, ...]
    charges: tuple[Charge, ...]
    blocked: tuple[Blocked, ...]
    settings: Mapping[str, str]
    changes: tuple[tuple[str, str, str], ...]
    advice: tuple[str, ...]
    samples: tuple[tuple[str, tuple[ShownSample, ...]], ...] = field(repr=False)

    @classmethod
    def of(cls, preview: Preview, samples: Iterable[Sample]) -> Self:
        """Return a preview and its samples as their page shows them."""
        by_language = groupby(
            sorted(samples, key=lambda sample: sample.language), key=lambda sample: sample.language
        )
        return cls(
            cost=preview_lines.cost_line(preview.bill),
            finish=preview_lines.finish_line(preview),
            warnings=tuple(preview_lines.warning_lines(preview)),
            charges=_charges(preview.bill),
            blocked=tuple(
                Blocked(
                    code=code,
                    meaning=PROBLEMS.get(code, ""),
                    count=count,
                    examples=preview.examples.get(code, ()),
                )
                for code, count in preview.blocked.items()
            ),
            settings={
                name.replace("_", " "): str(value)
                for name, value in preview.settings.items()
                if value not in (None, "", False)
            },
            changes=_changes(preview),
            advice=tuple(preview_lines.advice_line(each) for each in preview.advice),
            samples=tuple((tag, tuple(map(_shown, some))) for tag, some in by_language),
        )


def _charges(bill: Bill) -> tuple[Charge, ...]:
    return tuple(
        Charge(
            country=line.country or "",
            units=line.units,
            price="no price" if line.price is None else f"{line.price:f}",
            cost="–" if line.cost is None else preview_lines.money(line.cost, bill.currency),
        )
        for line in bill.lines
    )


def _changes(preview: Preview) -> tuple[tuple[str, str, str], ...]:
    """Return what differs from the last run: its name, what it was, what it is."""
    difference = preview.difference
    if difference is None:
        return ()
    before, now = preview_lines.costs(difference, preview.bill)
    people = (("new recipients", difference.new), ("recipients gone", difference.gone))
    return (
        *((name, "", f"{count:,}") for name, count in people if count is not None),
        *([("cost", before, now)] if before != now else []),
        *map(_row, (*difference.settings, *difference.counts)),
    )


def _row(change: Change) -> tuple[str, str, str]:
    if change.name in preview_lines.DIGESTS:
        return preview_lines.DIGESTS[change.name], "", ""
    name = change.name.replace("_", " ")
    return name, preview_lines.shown(change.before), preview_lines.shown(change.now)


def _shown(sample: Sample) -> ShownSample:
    try:
        filled = FilledTemplate.parse(sample.text)
    except ValueError:
        filled = None
    sections = filled.sections() if filled else {}
    return ShownSample(
        kind=KIND_TITLES[sample.kind],
        row_number=sample.row_number,
        masked_address=sample.masked_address,
        measure=_measure(sample) if filled is None else "an approved template with these values",
        text=sample.text if filled is None else "",
        response_id=filled.response_id if filled else None,
        values=tuple(
            (section, name, value)
            for section, values in sections.items()
            for name, value in values.items()
        ),
    )


def _measure(sample: Sample) -> str:
    length = preview_lines.counted(len(sample.text), "character")
    if sample.segments is None:
        return length
    counted = segments.count(sample.text)
    taken = f"{length}, {preview_lines.counted(sample.segments, 'segment')} in {counted.encoding}"
    if not counted.forcing:
        return taken
    names = ", ".join(map(preview_lines.character_name, counted.forcing[:_NAMED]))
    return f"{taken}, because of {names}{' and others' * (len(counted.forcing) > _NAMED)}"
