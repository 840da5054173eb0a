"""The lint of a template in a run, and as people read it.

The list is read once: planning reads it, and the lint takes note of each row as it passes. What
would block every row is known from the header, before anything is planned.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from genesys_cloud.errors import TemplateError
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.channels import find_channel
from genesys_cloud.outbound.extremes import Extremes
from genesys_cloud.outbound.lint import Severity, lint_columns, lint_template
from genesys_cloud.outbound.lint_values import LintReport, Measure, lint
from genesys_cloud.outbound.templates import Template
from genesys_cloud.outbound.violations import Violation

log = logging.getLogger(__name__)

ROWS_TRIED = 100
"""How many rows the search for one that can be read takes; its columns are the list's."""


def begin_lint(
    template: Template, campaign: Campaign, rows: Iterator[Row]
) -> tuple[Extremes, Iterator[Row]]:
    """Return the rows, and what takes note of them as they are read.

    Raises TemplateError where a text is missing that every run needs. A list without a column that
    every text needs stops nothing, for each row is to get its reason; the log says so at once.
    """
    tried: list[Row] = []
    for row in rows:
        tried.append(row)
        if row.problem is None or len(tried) == ROWS_TRIED:
            break
    columns = next((list(row.values) for row in tried if row.problem is None), None)
    for each in lint_columns(template, columns) if columns else []:
        if each.severity is Severity.ERROR:
            log.warning("%s", each.message)
    found = lint_template(template, campaign.default_language)
    errors = [each.message for each in found if each.severity is Severity.ERROR]
    if errors:
        raise TemplateError(
            f"Campaign {campaign.campaign_id!r} would reach nobody, and nothing was planned. "
            f"{' '.join(errors)} Mend the template, and start again."
        )
    extremes = Extremes(template.variables)
    return extremes, extremes.watch(chain(tried, rows))


def end_lint(
    template: Template, campaign: Campaign, profile: str, extremes: Extremes
) -> LintReport:
    """Return what the lint found, with the rows that have passed, and print it to the log."""
    channel = find_channel(campaign.channel, profile)
    if isinstance(channel, Violation):  # planning has refused it
        raise TemplateError(channel.message)
    report = lint(
        template,
        channel=channel,
        profile=profile,
        default_language=campaign.default_language,
        extremes=extremes,
        max_segments=campaign.max_segments,
    )
    log.info("%s", lint_table(report))
    return report


def lint_counts(report: LintReport) -> dict[str, int]:
    """Return how many findings there are of each severity, as an XCom may carry them."""
    return dict(Counter(str(finding.severity) for finding in report.findings))


def lint_table(report: LintReport) -> str:
    """Return a report for the task log and the terminal."""
    lines = [f"lint of template {report.template}"]
    lines += [f"    {_measured(measure)}" for measure in report.measures]
    lines += [f"    {each.severity} {each.code}: {each.message}" for each in report.findings]
    return "\n".join(lines) if report.findings else "\n".join([*lines, "    nothing to mend"])


def _measured(measure: Measure) -> str:
    text = f"{measure.language:<8}up to {measure.longest:,} characters"
    if measure.limit is not None:
        text += f" of {measure.limit:,}"
    if measure.segments is None or measure.most_segments is None:
        return text
    numbers = dict.fromkeys((measure.segments, measure.most_segments))
    return f"{text}, SMS segments {' to '.join(map(str, numbers))} ({measure.encoding})"
