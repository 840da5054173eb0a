"""One language of a template, rendered with the worst values that a contact list has for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from genesys_cloud.outbound import segments
from genesys_cloud.outbound.channels import text_length
from genesys_cloud.outbound.extremes import ColumnExtremes, Extremes
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.formats import InvalidValueError
from genesys_cloud.outbound.languages import choose_language
from genesys_cloud.outbound.rendering import Template, context_of, is_blank
from genesys_cloud.outbound.violations import Refused, Violation

DAYS: Final = 28
"""Days that every month has."""


@dataclass(frozen=True, kw_only=True)
class WorstCase:
    """What a language's text comes to; each text is '' where none could be made.

    `typical` has plain values, `longest` the ones that make it longest, `dearest` the ones that
    take most SMS segments; `turned` are texts by the column whose value forces them into UCS-2.
    `refused` are values that the template does not take, by column, '' for all of them.
    """

    language: str
    locale: str
    typical: str = field(default="", repr=False)
    longest: str = field(default="", repr=False)
    dearest: str = field(default="", repr=False)
    turned: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused: Sequence[tuple[str, Violation]] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def length(self) -> int:
        """The length of the longest text, or of the longest value where the text is approved."""
        return shown_length(self.longest)


Render = Callable[[Mapping[str, str]], "str | Violation"]


def find_worst(template: Template, language: str, extremes: Extremes | None) -> WorstCase:
    """Return the worst that a list makes of a language; values are made up where it has none."""
    choice = choose_language(
        tag=language, country=None, default=language, available=frozenset({language})
    )
    locale = choice.locale if choice else language

    def render(variables: Mapping[str, str]) -> str | Violation:
        try:
            return template.render(language, locale, variables)
        except Refused as refused:
            return refused.violations[0]

    names = sorted(template.required(language))
    columns = extremes.columns if extremes else {}
    filler = _made_up(template, language, locale)
    base = _base(render, filler, extremes.examples if extremes else ())
    if isinstance(base, Violation):
        return WorstCase(language=language, locale=locale, refused=[("", base)])
    tried = _Tried(render=render, base=base)
    known = {name: columns[name] for name in names if name in columns}
    typical = tried.with_plain(known)
    longest = {name: tried.longest(name, column, typical) for name, column in known.items()}
    text = tried.text({**typical, **longest}) or tried.text(typical)
    turned = {
        name: found
        for name, column in known.items()
        if column.dearest and (found := tried.text({**typical, name: column.dearest}))
    }
    dear = (tried.text({**typical, **longest, name: columns[name].dearest}) for name in turned)
    return WorstCase(
        language=language,
        locale=locale,
        typical=tried.text(typical),
        longest=text,
        dearest=max((text, *dear), key=lambda each: segments.count(each).segments),
        turned=turned,
        refused=list(tried.refused.items()),
        values={name: typical.get(name, "") for name in names},
    )


def shown_length(text: str) -> int:
    """Return the UTF-16 code units of a text, or of the longest value of a filled template."""
    try:
        filled = FilledTemplate.parse(text)
    except ValueError:
        return text_length(text)
    values = (value for section in filled.sections().values() for value in section.values())
    return max(map(text_length, values), default=0)


class _Tried:
    """Renders with one value changed at a time, and keeps what was refused, by column."""

    def __init__(self, *, render: Render, base: Mapping[str, str]) -> None:
        self._render = render
        self._base = base
        self.refused: dict[str, Violation] = {}

    def text(self, variables: Mapping[str, str]) -> str:
        """Return the text, '' where it is refused."""
        found = self._render({**self._base, **variables})
        if isinstance(found, Violation):
            self.refused.setdefault("", found)
            return ""
        return found

    def with_plain(self, columns: Mapping[str, ColumnExtremes]) -> dict[str, str]:
        """Return a plain value for each column that has one that serves."""
        plain = {name: column.plain for name, column in columns.items() if column.plain}
        return {name: value for name, value in plain.items() if self._serves(name, value, {})}

    def longest(self, name: str, column: ColumnExtremes, others: Mapping[str, str]) -> str:
        """Return the value of a column that makes the text longest."""
        values = [value for value in column.values() if self._serves(name, value, others)]
        return max(
            (others.get(name, self._base.get(name, "")), *values),
            key=lambda value: shown_length(
                str(self._render({**self._base, **others, name: value}))
            ),
        )

    def _serves(self, name: str, value: str, others: Mapping[str, str]) -> bool:
        found = self._render({**self._base, **others, name: value})
        if isinstance(found, Violation):
            self.refused.setdefault(name, found)
        return not isinstance(found, Violation)


def _base(
    render: Render, filler: Mapping[str, str], examples: Sequence[Mapping[str, str]]
) -> Mapping[str, str] | Violation:
    """Return values of one row, or made up where the row has none, that the template takes."""
    last: Violation | None = None
    filled = [
        {**filler, **{name: value for name, value in row.items() if not is_blank(value)}}
        for row in examples
    ]
    for values in (*examples, *filled, filler):
        found = render(values)
        if isinstance(found, str):
            return values
        last = last or found
    return last or Violation(code="template_refused", message="The template has no text.")


def _made_up(template: Template, language: str, locale: str) -> dict[str, str]:
    """Return a value for each variable that its filters can read.

    A date without dashes is a number and a name too; what wants a time of day gets one. Each is
    another one, so that a filter's complaint tells which it is.
    """
    text = template.texts[language]
    names = sorted(text.required)
    days = (f"2027{month + 1:02}{day + 1:02}" for month in range(12) for day in range(DAYS))
    values = dict(zip(names, days, strict=False))
    for number in range(len(names)):
        noted: list[str] = []
        try:
            text.fill(context_of(text, locale, values, noted), noted)
        except InvalidValueError as error:
            wanting = [name for name, value in values.items() if value == error.value]
            values |= dict.fromkeys(wanting, f"{10 + number % 10}:{15 + number % 40}")
        except Exception:
            # Whatever else a template raises is told when it is rendered with these.
            break
    return values
