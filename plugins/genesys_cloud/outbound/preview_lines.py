"""A preview in sentences: the same ones in the task's log, in the approval and on the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from genesys_cloud.outbound.gsm_spelling import plain
from genesys_cloud.outbound.preview import Advice, Change, Difference, Preview
from genesys_cloud.outbound.prices import Bill, BillLine

MOST_LINES: Final = 10
"""How many differences are named; the page shows the numbers themselves."""

DIGESTS: Final = {
    "audience_digest": "the contact list has another content",
    "template_version": "the template's files were changed",
}
"""What people are told of settings that nobody can read."""


def cost_line(bill: Bill) -> str:
    """Return what a plan is estimated to cost, and by which prices."""
    if not bill.lines:
        return "nothing: nobody gets a message"
    if len(bill.unpriced) == len(bill.lines):
        return f"not estimated: the price list {bill.version} has no price for {bill.provider}"
    whose = "EXAMPLE prices" if bill.example else "prices"
    return f"about {money(bill.total, bill.currency)} ({whose} {bill.version})"


def finish_line(preview: Preview) -> str:
    """Return when the last message will have gone out, if sending begins as soon as it may."""
    finish = preview.finish
    if not preview.to_send:
        return "nothing is left to send"
    if finish.at is None:
        return "not estimated: Genesys Cloud was not asked how fast the account may send"
    return f"{instant(finish.at)}, from {instant(finish.starts_at)} on at {finish.paced_by}"


def warning_lines(preview: Preview) -> list[str]:
    """Return what people should know before they say yes."""
    return [
        *_nobody(preview),
        *_left_over(preview),
        *_late(preview),
        *_unpriced(preview.bill),
        *_example(preview.bill),
    ]


def difference_lines(difference: Difference | None, bill: Bill) -> list[str]:
    """Return what would change against the campaign's last run, at most ten lines and a rest."""
    if difference is None:
        return []
    lines = list(_changed(difference, bill))
    head = f"against the run of {instant(difference.since)}, occurrence {difference.occurrence}:"
    if not lines:
        return [f"{head} nothing changed"]
    rest = len(lines) - MOST_LINES
    return [head, *lines[:MOST_LINES], *([f"and {rest} more"] if rest > 0 else [])]


def advice_line(advice: Advice) -> str:
    """Return what one character, or a few together, cost, and how to write them otherwise."""
    names = " and ".join(map(character_name, advice.characters))
    several = len(advice.characters) > 1
    return (
        f"{names} {'turn' if several else 'turns'} SMS into UCS-2 and "
        f"{'make' if several else 'makes'} {counted(advice.messages, 'text')} longer, by "
        f"{counted(advice.segments, 'segment')}: "
        f"{'; '.join(_instead(each, several=several) for each in advice.characters)}."
    )


def character_name(character: str) -> str:
    """Return a character's Unicode name."""
    return unicodedata.name(character, f"U+{ord(character):04X}")


def money(amount: Decimal, currency: str) -> str:
    """Return an amount as people read it; a small one with more places."""
    places = 2 if amount >= 1 or not amount else 4
    return f"{currency} {amount:,.{places}f}"


def instant(at: datetime) -> str:
    """Return an instant as people read it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def costs(difference: Difference, bill: Bill) -> tuple[str, str]:
    """Return what the last run cost and this one does, as people read it."""
    return money(difference.cost, difference.currency), money(bill.total, bill.currency)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shown(value: str | int | None) -> str:
    """Return a setting or a count as people read it."""
    if isinstance(value, int):
        return f"{value:,}"
    return "none" if value in (None, "") else str(value)


def unit_count(line: BillLine, bill: Bill) -> str:
    """Return how many segments or messages a line of a bill is for."""
    return counted(line.units, bill.unit)


def change_line(change: Change) -> str:
    """Return a change in a line."""
    if change.name in DIGESTS:
        return DIGESTS[change.name]
    return f"{change.name}: {shown(change.before)} → {shown(change.now)}"


def _nobody(preview: Preview) -> Iterator[str]:
    if not preview.recipients:
        yield "the contact list has no recipients: look whether its export went wrong"


def _left_over(preview: Preview) -> Iterator[str]:
    if preview.left_over:
        yield (
            f"{counted(preview.left_over, 'message')} of an earlier list would go out as well, "
            "with the text of then, and in no number here"
        )


def _late(preview: Preview) -> Iterator[str]:
    finish = preview.finish
    if finish.late and finish.deadline is not None:
        yield (
            f"{counted(finish.late, 'message')} would still be waiting at the deadline, "
            f"{instant(finish.deadline)}, and expire"
        )


def _unpriced(bill: Bill) -> Iterator[str]:
    for line in bill.unpriced:
        where = f" to {line.country}" if line.country else ""
        yield f"no price for {bill.provider}{where}: {unit_count(line, bill)} not in the estimate"


def _example(bill: Bill) -> Iterator[str]:
    if bill.example and bill.lines:
        yield "the prices are examples: put your contract's into include/policies/prices.toml"


def _changed(difference: Difference, bill: Bill) -> Iterator[str]:
    if difference.new is not None and difference.gone is not None:
        yield f"new recipients: {difference.new:,}, gone: {difference.gone:,}"
    before, now = costs(difference, bill)
    if before != now:
        yield f"cost: {before} → {now}"
    yield from map(change_line, difference.settings)
    yield from map(change_line, difference.counts)


def _instead(character: str, *, several: bool) -> str:
    spelled = plain(character)
    name = f" {character_name(character)}" if several else " it"
    if spelled is None:
        return f"leave{name} out, which GSM-7 lacks"
    if not spelled:
        return f"leave{name} out, which nobody sees"
    words = "a plain space" if spelled == " " else spelled
    return f"write {words} for{name}" if several else f"write {words} instead"
