"""What the demo prints: steps, one line of progress, and a summary for a newcomer."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from genesys_cloud.ledger.campaigns import Progress
from genesys_cloud.workflows.proof import Certificate

QUIET_S = 5.0
"""How often progress is printed where the output is no terminal."""


class Board:
    """Prints steps with the time since the start; progress overwrites itself on a terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = 0.0
        self._open_line = False

    def step(self, text: str) -> None:
        """Begin a step."""
        self.say(f"[{self._seconds():4.0f} s] {text}")

    def say(self, text: str) -> None:
        """Print whole lines."""
        self._end_line()
        print(text, flush=True)

    def progress(self, reached: Progress) -> None:
        """Show how far the campaign is."""
        now = time.monotonic()
        terminal = sys.stdout.isatty()
        if now - self._shown < (0.2 if terminal else QUIET_S):
            return
        self._shown = now
        line = (
            f"[{self._seconds():4.0f} s]   accepted {reached.states['accepted']:,} of "
            f"{reached.recipients - reached.states['blocked']:,}; "
            + ", ".join(f"{word} {count:,}" for word, count in reached.statuses.items())
        )
        print(f"\r{line:<100}" if terminal else line, end="" if terminal else "\n", flush=True)
        self._open_line = terminal

    def _end_line(self) -> None:
        if self._open_line:
            print()
        self._open_line = False

    def _seconds(self) -> float:
        return time.monotonic() - self._began


def summary(
    reached: Progress,
    metrics: Mapping[str, Any],
    certificate: Certificate,
    links: Mapping[str, str],
) -> str:
    """Return the end of the demo: who got it, who did not and why, how fast, where to look."""
    states = reached.states
    lines = [
        "",
        f"Campaign {reached.campaign_id}: where its {reached.recipients:,} recipients are",
        _row("blocked before sending", states["blocked"], "nobody should get a doubtful message"),
        *(_row(f"  {code}", count) for code, count in reached.blocked_reasons.items()),
        _row("accepted by Genesys", states["accepted"], "each sent exactly once"),
        _row("  delivered", metrics["delivered"], "to the recipient's phone, read or not"),
        _row("  failed", metrics["failed"], "the carrier said no"),
        _row("  still on the way", metrics["pending"]),
        *(_row(state, count) for state, count in states.items() if count and state in _OTHERS),
        "",
        f"Success rate {metrics['successRate']} (delivered of delivered and failed)",
        _speed(metrics["deliveryLatency"]),
        "",
        certificate.as_text(),
        "",
        *(f"{name + ':':<22}{place}" for name, place in links.items()),
        "",
    ]
    return "\n".join(lines)


_OTHERS = ("planned", "held", "rejected", "unknown", "cancelled", "expired")


def _speed(latency: Mapping[str, Any]) -> str:
    if latency["p50"] is None:
        return "Nothing was delivered yet, so there is no time to tell."
    return (
        f"From acceptance to delivery: half within {latency['p50']:,.0f} ms, 95 % within "
        f"{latency['p95']:,.0f} ms, the slowest {latency['max']:,.0f} ms (a simulated network)"
    )


def _row(name: str, count: int, remark: str = "") -> str:
    return f"  {name:<30}{count:>8,}  {remark}".rstrip()
