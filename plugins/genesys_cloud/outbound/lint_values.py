"""What the values of a contact list do to a template's texts: too long, too dear, not readable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from genesys_cloud.outbound import segments
from genesys_cloud.outbound.approved_text import PARAMETER_LIMIT
from genesys_cloud.outbound.channels import Channel
from genesys_cloud.outbound.direction import FIRST_STRONG, is_right_to_left, runs_against
from genesys_cloud.outbound.extremes import Extremes
from genesys_cloud.outbound.gsm_spelling import saving
from genesys_cloud.outbound.lint import (
    Finding,
    Severity,
    lint_columns,
    lint_languages,
    lint_template,
    listed,
    warning,
)
from genesys_cloud.outbound.rendering import Template
from genesys_cloud.outbound.validation import check_text
from genesys_cloud.outbound.violations import Violation
from genesys_cloud.outbound.worst_case import WorstCase, find_worst

SMS: Final = "sms"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How long a language's text gets, in UTF-16 code units; segments are None unless it is SMS."""

    language: str
    longest: int
    limit: int | None
    encoding: str | None
    segments: int | None
    most_segments: int | None


@dataclass(frozen=True, kw_only=True)
class LintReport:
    """All findings of a template, errors first, and a measure of each language."""

    template: str
    findings: tuple[Finding, ...]
    measures: tuple[Measure, ...] = field(default=())

    def as_json(self) -> dict[str, object]:
        """Return the report as a program reads it."""
        return {
            "template": self.template,
            "ok": not self.errors,
            "findings": [asdict(finding) for finding in self.findings],
            "languages": [asdict(measure) for measure in self.measures],
        }

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop a run."""
        return tuple(each for each in self.findings if each.severity is Severity.ERROR)


def lint(
    template: Template,
    *,
    channel: Channel,
    profile: str,
    default_language: str,
    extremes: Extremes | None = None,
    max_segments: int | None = None,
) -> LintReport:
    """Return what is wrong with a template, for one list where `extremes` has been filled by it.

    Without a list the texts are measured with made-up values.
    """
    found = lint_template(template, default_language)
    if extremes is not None and extremes.header:
        found += lint_columns(template, extremes.header)
        found += lint_languages(template, default_language, *extremes.languages())
        found += _blanks(template, extremes)
    worst = [find_worst(template, language, extremes) for language in sorted(template.languages)]
    found += _refusals(worst)
    measured = [each for each in worst if each.longest]
    found += _limits(measured, channel, profile, max_segments)
    found += [finding for each in measured for finding in _isolation(each)]
    if channel.provider == SMS:
        found += [finding for each in measured for finding in _own_characters(each)]
        found += _turned(measured, extremes) if extremes else []
    order = list(Severity)
    found.sort(key=lambda each: order.index(each.severity))
    measures = tuple(_measure(each, channel, profile) for each in measured)
    return LintReport(template=template.name, findings=tuple(found), measures=measures)


def _blanks(template: Template, extremes: Extremes) -> Iterator[Finding]:
    for name, column in extremes.columns.items():
        languages = sorted(tag for tag, text in template.texts.items() if name in text.needed)
        if column.blank and languages:
            yield warning(
                "value_blank",
                f"{column.blank:,} of {extremes.rows:,} rows have no value in column "
                f"{listed([name])}, and are blocked where they get {listed(languages)}: the text "
                "there has no default for it.",
            )


def _refusals(worst: Sequence[WorstCase]) -> Iterator[Finding]:
    blank = [each.language for each in worst if not each.longest and not each.refused]
    if blank:
        yield warning("text_empty", f"The text in {listed(blank)} is blank with the values tried.")
    refused: dict[tuple[str, str], list[str]] = {}
    for each in worst:
        for name, violation in each.refused:
            refused.setdefault((name, violation.message), []).append(each.language)
    for (name, message), languages in refused.items():
        whose = f"a value of column {listed([name])}" if name else "the values tried"
        yield warning(
            "value_refused", f"The text in {listed(languages)} blocks a row with {whose}: {message}"
        )


def _limits(
    worst: Sequence[WorstCase], channel: Channel, profile: str, max_segments: int | None
) -> Iterator[Finding]:
    broken: dict[str, dict[str, Violation]] = {}
    for each in sorted(worst, key=lambda one: -one.length):
        for text in dict.fromkeys((each.dearest, each.longest)):
            for violation in check_text(channel, text, profile, max_segments):
                broken.setdefault(violation.code, {}).setdefault(each.language, violation)
    for code, by_language in broken.items():
        yield warning(
            code,
            f"With the longest value of each column the text in {listed(sorted(by_language))} "
            f"would be blocked: {next(iter(by_language.values())).message}",
        )


def _own_characters(worst: WorstCase) -> Iterator[Finding]:
    """Yield what the template's own words have outside GSM-7, where they could do without."""
    counted = segments.count(worst.typical)
    own = [one for one in counted.forcing if not any(one in v for v in worst.values.values())]
    saved = saving(worst.typical, counted)
    if not own or saved is None or any(one in saved.left for one in own):
        return
    spelled = dict(saved.replaced)
    instead = listed(f"{spelled[one]!r} for {_character(one)}" for one in own)
    yield warning(
        "text_not_gsm",
        f"The words of the text in {worst.language} turn every SMS into UCS-2, "
        f"{_segments(counted.segments)}. Written with {instead} they would take "
        f"{_segments(counted.segments - saved.segments)}.",
    )


def _turned(worst: Sequence[WorstCase], extremes: Extremes) -> Iterator[Finding]:
    for name, column in extremes.columns.items():
        turned = [
            (segments.count(each.turned[name]), segments.count(each.typical), each)
            for each in worst
            if name in each.turned
        ]
        turned = [each for each in turned if each[0].encoding != each[1].encoding]
        if not turned:
            continue
        after, before, each = max(turned, key=lambda one: one[0].segments - one[1].segments)
        saved = saving(each.turned[name], after)
        dearer = after.segments > before.segments
        less = f", {saved.segments} fewer in GSM-7 spelling" if saved and saved.segments else ""
        more = f", in {each.language} up to {_segments(after.segments)} rather than"
        yield Finding(
            severity=Severity.WARNING if dearer else Severity.NOTE,
            code="value_not_gsm",
            message=f"{column.forcing:,} of {extremes.rows:,} rows have characters outside GSM-7 "
            f"in column {listed([name])}, such as {listed(map(_character, after.forcing))}: an SMS "
            f"with them is UCS-2{f'{more} {before.segments}{less}' if dearer else ''}.",
        )


def _isolation(worst: WorstCase) -> Iterator[Finding]:
    if not is_right_to_left(worst.locale):
        return
    bare = sorted(
        name
        for name, value in worst.values.items()
        if runs_against(value, worst.locale)
        and not value.isdecimal()
        and value in worst.typical
        and f"{FIRST_STRONG}{value}" not in worst.typical
    )
    if bare:
        yield warning(
            "not_isolated",
            f"The text in {worst.language} runs from right to left, and {listed(bare)} may not: "
            f"{{{{ {bare[0]} | isolate }}}} keeps such a value and what is around it in order.",
        )


def _measure(worst: WorstCase, channel: Channel, profile: str) -> Measure:
    counted = segments.count(worst.dearest) if channel.provider == SMS else None
    approved = profile in channel.templated
    return Measure(
        language=worst.language,
        longest=worst.length,
        limit=PARAMETER_LIMIT if approved else channel.limit(profile),
        encoding=counted.encoding if counted else None,
        segments=segments.count(worst.typical).segments if counted else None,
        most_segments=counted.segments if counted else None,
    )


def _segments(number: int) -> str:
    return f"{number} segment{'' if number == 1 else 's'}"


def _character(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{character} ({code})" if character.isprintable() else code
