"""A template in its languages, and the text it gives for each recipient.

A blank value is a missing one. A missing variable blocks the recipient, unless the template only
tests it (`{% if name %}`) or has a `default` for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import jinja2

from genesys_cloud.outbound.formats import LOCALE, InvalidValueError
from genesys_cloud.outbound.sandbox import Missing, bounded
from genesys_cloud.outbound.violations import Refused, Violation

INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters of no width that strip() leaves: a name of these is no name."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """One language of a template, compiled; `required` leaves the greeting out, '' where unused."""

    compiled: jinja2.Template
    greeting: str
    required: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template in all its languages for one channel; `version` is a digest of its files."""

    name: str
    version: str
    texts: Mapping[str, Text] = field(repr=False)

    @property
    def languages(self) -> frozenset[str]:
        """The languages it has, as tags such as en and es-MX."""
        return frozenset(self.texts)

    def required(self, language: str) -> frozenset[str]:
        """Return the variables that the text in `language` mentions."""
        return self.texts[language].required

    def render(self, language: str, locale: str, variables: Mapping[str, str]) -> str:
        """Return the text for one recipient, stripped.

        `locale` is a Babel identifier such as es_MX. Raises Refused with every missing variable,
        or with the value that a filter can't read, or with what the sandbox refused.
        """
        text = self.texts[language]
        noted: list[str] = []
        missing = {
            name: Missing(name, noted)
            for name in text.required
            if is_blank(variables.get(name, ""))
        }
        # The last two are ours; a column of the same name does not replace them.
        context = {**variables, **missing, "greeting": text.greeting, LOCALE: locale}
        try:
            rendered = bounded(text.compiled.generate(context))
        except InvalidValueError as error:
            raise Refused(_invalid(error, text.required, variables)) from None
        except Exception as error:
            # A template is not our code: whatever it raises is about this row, and stays with it.
            if not noted:
                raise Refused(self._refused(error)) from None
        if noted:
            raise Refused(*(_missing(name) for name in sorted(set(noted))))
        return rendered.strip()

    def _refused(self, error: Exception) -> Violation:
        # Only Jinja's own words: another error's message may quote the recipient's data.
        reason = str(error) if isinstance(error, jinja2.TemplateError) else type(error).__name__
        return Violation(
            code="template_refused",
            message=f"Template {self.name!r} can't be rendered for this recipient: {reason}.",
        )


def is_blank(value: str) -> bool:
    """Say whether nobody would see `value`."""
    return not value.strip().strip(INVISIBLE)


def _missing(name: str) -> Violation:
    return Violation(
        code="missing_variable",
        message=f"The template uses {name!r}, and the row has no value for it.",
    )


def _invalid(
    error: InvalidValueError, required: frozenset[str], variables: Mapping[str, str]
) -> Violation:
    names = sorted(name for name in required if variables.get(name) == error.value)
    return Violation(
        code="invalid_value",
        message=f"The value of {' or '.join(map(repr, names)) or 'an expression'} is not {error}.",
    )
