"""The end of a campaign run, as people read it and as the run is judged by it."""

from __future__ import annotations

from collections.abc import Mapping

from genesys_cloud.errors import UnaccountedError
from genesys_cloud.ledger.campaigns import Progress
from genesys_cloud.outbound import preview_lines
from genesys_cloud.outbound.preview import Preview
from genesys_cloud.workflows.planning import PlanReport


def plan_table(report: PlanReport, *, assumed: bool = False) -> str:
    """Return a plan as a table for the task log, with the first examples of each reason.

    With `assumed` nobody could ask Genesys which profile it serves.
    """
    suffix = " (assumed: Genesys Cloud was not asked)" if assumed else ""
    lines = [
        f"{'profile':<36}{report.profile:>10}{suffix}",
        _line("recipients", report.recipients),
        _line("ready to send", report.planned),
        *_held(report),
        _line("blocked", report.blocked.total()),
        *_nested(report.blocked),
        *_nested(report.tally.languages, prefix="language "),
    ]
    if report.tally.segments:
        lines.append(_line("SMS segments", report.tally.segments))
    for code, examples in report.examples.items():
        lines += [f"first of {code}:", *(f"    {example}" for example in examples)]
    return "\n".join(lines)


def run_table(report: PlanReport, preview: Preview) -> str:
    """Return a campaign's plan and its preview as a table for the task log.

    Never a text: what recipients would read stands on the preview's page alone.
    """
    changes = preview_lines.difference_lines(preview.difference, preview.bill)
    advice = [preview_lines.advice_line(each) for each in preview.advice]
    return "\n".join([
        plan_table(report, assumed=preview.assumed),
        *([_line("left to this run", preview.to_send)] * (preview.to_send != preview.planned)),
        f"{'estimate of cost':<26}{preview_lines.cost_line(preview.bill)}",
        f"{'estimated finish':<26}{preview_lines.finish_line(preview)}",
        *(f"WARNING: {line}" for line in preview_lines.warning_lines(preview)),
        *(f"{'    ' if number else ''}{line}" for number, line in enumerate(changes)),
        *(f"advice: {line}" for line in advice),
    ])  # fmt: skip


def _held(report: PlanReport) -> list[str]:
    if report.quiet_hours is None:
        return []
    lines = [_line("    of these held by quiet hours", report.held)]
    if report.opens_at is not None:
        lines.append(f"{'    first window opens':<30}{report.opens_at:%Y-%m-%d %H:%M UTC}")
    return [*lines, f"{'quiet hours policy':<26}{report.quiet_hours:>20}"]


def progress_table(progress: Progress) -> str:
    """Return a campaign's counts as a table for the task log and the terminal."""
    states = {state: count for state, count in progress.states.items() if count}
    lines = [f"campaign {progress.campaign_id} ({progress.campaign_state})"]
    lines += [_line("recipients", progress.recipients), *_nested(states)]
    if progress.blocked_reasons:
        lines += ["blocked because", *_nested(progress.blocked_reasons)]
    if any(progress.statuses.values()):
        lines += ["delivery status", *_nested(progress.statuses)]
    if progress.tests:
        lines += ["sent as tests, and counted nowhere above", *_nested(progress.tests)]
    return "\n".join(lines)


def check_accounted(progress: Progress) -> None:
    """Raise UnaccountedError unless every recipient of an active campaign is in a final state."""
    waiting = progress.states["planned"] + progress.states["held"]
    if progress.campaign_state == "active" and (waiting or progress.attempting):
        raise UnaccountedError(
            f"{waiting + progress.attempting} of {progress.recipients} recipients of campaign "
            f"{progress.campaign_id!r} have no outcome: {waiting} were not sent and "
            f"{progress.attempting} are being sent. Look into the failed send tasks, mend "
            "the cause and clear them: they go on where they stopped, and nobody is sent to twice."
        )


def _nested(counts: Mapping[str, int], *, prefix: str = "") -> list[str]:
    return [_line(f"    {prefix}{name}", count) for name, count in counts.items()]


def _line(name: str, count: int) -> str:
    return f"{name:<36}{count:>10,}"
