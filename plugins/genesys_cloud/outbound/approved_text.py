"""The values of a template that was approved beforehand: from a file in TOML to what is sent.

`response_id` names the template in Genesys Cloud, and the tables `[body]`, `[header]` and
`[button_url]` hold, by substitution id, what each value is: a text in Jinja, as in other templates.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from genesys_cloud.errors import TemplateError
from genesys_cloud.outbound.addresses import OPAQUE_ID
from genesys_cloud.outbound.channels import text_length
from genesys_cloud.outbound.filled_template import SECTIONS, FilledTemplate
from genesys_cloud.outbound.rendering import Text, is_blank
from genesys_cloud.outbound.violations import Refused, Violation

PARAMETER_LIMIT: Final = 1024
"""The most UTF-16 code units of one value, which is what WhatsApp allows a whole body."""

FILE_LIMIT: Final = 100_000
"""The longest file in characters; such a template has a few short values."""

Compile = Callable[[str, str], Text]
"""Compiles a value, given its source and its place in the file."""


@dataclass(frozen=True, kw_only=True)
class ApprovedText:
    """One language of an approved template; `values` are by section and substitution id."""

    file: str
    response_id: str
    values: Mapping[str, Mapping[str, Text]]

    @property
    def greeting(self) -> str:
        """What `{{ greeting }}` is, '' where no value uses it."""
        return next((text.greeting for text in self._texts() if text.greeting), "")

    @property
    def required(self) -> frozenset[str]:
        """The variables that some value mentions."""
        return frozenset[str]().union(*(text.required for text in self._texts()))

    @property
    def needed(self) -> frozenset[str]:
        """Those of them without which some value is never filled in."""
        return frozenset[str]().union(*(text.needed for text in self._texts()))

    @property
    def plurals(self) -> Sequence[frozenset[str]]:
        """The forms that each plural has."""
        return tuple(forms for text in self._texts() for forms in text.plurals)

    @property
    def bound(self) -> frozenset[str]:
        """The ids of the substitutions that have a value, in any section."""
        return frozenset(name for texts in self.values.values() for name in texts)

    def fill(self, context: Mapping[str, object], noted: Sequence[str]) -> str:
        """Return the filled template as canonical JSON; raises Refused for values that can't go."""
        refused: list[Violation] = []
        filled: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
        for section, texts in self.values.items():
            for name, text in texts.items():
                before = len(noted)
                value = filled[section][name] = text.fill(context, noted)
                # A value that is blank for want of a variable is told of that variable.
                if len(noted) == before:
                    refused += _check(_place(section, name), value)
        if refused:
            raise Refused(*refused)
        return FilledTemplate(response_id=self.response_id, **filled).as_text()

    def _texts(self) -> Iterator[Text]:
        return (text for texts in self.values.values() for text in texts.values())


def read_approved(file: str, source: str, compile_value: Compile) -> ApprovedText:
    """Return what a file in TOML describes; raises TemplateError, which names `file` and place."""
    if len(source) > FILE_LIMIT:
        raise TemplateError(f"Template file {file} is longer than {FILE_LIMIT:,} characters.")
    try:
        table = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise TemplateError(f"Template file {file} does not parse: {error}.") from error
    response_id = table.pop("response_id", None)
    if not isinstance(response_id, str) or not OPAQUE_ID.match(response_id):
        raise TemplateError(
            f"Template file {file} names no template of Genesys Cloud: give response_id, in "
            "quotes, the id that the response has there."
        )
    if unknown := sorted(set(table) - set(SECTIONS)):
        raise TemplateError(
            f"Template file {file} has {', '.join(unknown)}, which means nothing here: it has "
            f"response_id and the tables {', '.join(SECTIONS)}."
        )
    return ApprovedText(
        file=file,
        response_id=response_id,
        values={
            section: {
                name: compile_value(text, _place(section, name))
                for name, text in _section(file, section, table.get(section, {})).items()
            }
            for section in SECTIONS
        },
    )


def _section(file: str, section: str, table: object) -> dict[str, str]:
    if not isinstance(table, dict):
        raise TemplateError(f"Template file {file}: {section} is no table; write [{section}].")
    for name, value in table.items():
        if not name.strip() or not isinstance(value, str):
            raise TemplateError(
                f"Template file {file}, {_place(section, name)} is not a text by a substitution's "
                'id: write it in quotes, such as 1 = "{{ name }}".'
            )
    return table


def _check(place: str, value: str) -> list[Violation]:
    if is_blank(value):
        message = f"The template's value {place} is blank for this row."
        return [Violation(code="missing_variable", message=message)]
    if (length := text_length(value)) > PARAMETER_LIMIT:
        message = (
            f"The template's value {place} exceeds the limit of {PARAMETER_LIMIT} characters. "
            f"Current length: {length}"
        )
        return [Violation(code="parameter_too_long", message=message)]
    return []


def _place(section: str, name: str) -> str:
    return f"[{section}] {name}"
