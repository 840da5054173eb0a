"""What people are told: a few lines without anybody's address, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Self

from genesys_cloud.outbound.messages import mask_numbers
from genesys_cloud.workflows.notices.rules import Event

MOST = 1_000
"""Characters of one value that are told."""

TITLES = {
    Event.FINISHED: "Campaign {campaign_id} has finished",
    Event.PAUSED: "Campaign {campaign_id} was paused by its error budget",
    Event.FAILED: "Campaign {campaign_id} has failed",
    Event.WAITING: "Campaign {campaign_id} waits for approval",
    Event.INCOMPLETE: "The delivery report of {day} is incomplete",
}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What happened, as notifiers' templates see it under the name `notice`.

    Every value is one line; only `html` is escaped. `about` is what makes two notices the same one.
    """

    event: Event
    about: tuple[str, ...]
    campaign_id: str = ""
    occurrence: str = ""
    day: str = ""
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    dag_id: str = ""
    run_id: str = ""
    run_url: str = ""

    @classmethod
    def of(
        cls,
        event: Event,
        about: tuple[str, ...],
        values: Mapping[str, str],
        *,
        reason: str = "",
        counts: Mapping[str, int] | None = None,
    ) -> Self:
        """Return a notice whose values fit on a line, and show nobody's number."""
        lines = {name: one_line(value) for name, value in values.items()}
        reason = one_line(mask_numbers(reason))
        return cls(event=event, about=about, reason=reason, counts=counts or {}, **lines)

    @property
    def title(self) -> str:
        """What happened, in one line."""
        return TITLES[self.event].format(campaign_id=self.campaign_id, day=self.day)

    @property
    def text(self) -> str:
        """The whole notice as plain text."""
        lines = [f"{name}: {value}" for name, value in self._lines()]
        return "\n".join([f"{self.title}.", "", *lines])

    @property
    def html(self) -> str:
        """The whole notice as HTML; whatever stands in a value is text in it."""
        rows = "".join(
            f"<tr><th align='left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        link = f"<p><a href='{escape(self.run_url)}'>The run in Airflow</a></p>"
        return f"<p>{escape(self.title)}.</p><table>{rows}</table>{link if self.run_url else ''}"

    def _lines(self) -> Iterator[tuple[str, str]]:
        named = {
            "Campaign": self.campaign_id,
            "Occurrence": self.occurrence,
            "Day": self.day,
            "Reason": self.reason,
            **{name.capitalize(): f"{count:,}" for name, count in self.counts.items()},
            "DAG": self.dag_id,
            "Run": self.run_id,
            "Link": self.run_url,
        }
        return ((name, value) for name, value in named.items() if value)


def one_line(text: str) -> str:
    """Return text that fits in a mail's subject: one line, printable, not too long."""
    words = " ".join(text.split())
    return "".join(letter for letter in words if letter.isprintable())[:MOST]
