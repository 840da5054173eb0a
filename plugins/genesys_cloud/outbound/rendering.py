"""A template in its languages, and the text it gives for each recipient.

A blank value is a missing one. A missing variable blocks the recipient, unless the template only
tests it (`{% if name %}`) or has a `default` for it. `{{ abort("...") }}` blocks the recipient too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import jinja2

from genesys_cloud.outbound.formats import LOCALE, InvalidValueError
from genesys_cloud.outbound.messages import storable
from genesys_cloud.outbound.sandbox import Missing, bounded
from genesys_cloud.outbound.template_functions import FUNCTIONS, Aborted
from genesys_cloud.outbound.template_syntax import REASON_LIMIT
from genesys_cloud.outbound.violations import Refused, Violation

INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters of no width that strip() leaves: a name of these is no name."""


class Content(Protocol):
    """One language of a template; `required` leaves the greeting out, '' where unused."""

    @property
    def greeting(self) -> str:
        """What `{{ greeting }}` is."""

    @property
    def required(self) -> frozenset[str]:
        """The variables that it mentions."""

    @property
    def needed(self) -> frozenset[str]:
        """Those of them without which it is never rendered, whatever the others are."""

    @property
    def plurals(self) -> Sequence[frozenset[str]]:
        """The forms that each of its plurals has."""

    def fill(self, context: Mapping[str, object], noted: Sequence[str]) -> str:
        """Return what is sent; `noted` grows by every missing variable that was used."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text that goes out as it is rendered."""

    compiled: jinja2.Template
    greeting: str
    required: frozenset[str]
    needed: frozenset[str] = frozenset()
    plurals: Sequence[frozenset[str]] = ()

    def fill(self, context: Mapping[str, object], noted: Sequence[str]) -> str:
        """Return the text, stripped."""
        return bounded(self.compiled.generate(context)).strip()


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template in all its languages for one channel; `version` is a digest of its files.

    The languages of `greeted_otherwise` have no greeting of their own, and borrow another's.
    """

    name: str
    version: str
    texts: Mapping[str, Content] = field(repr=False)
    greeted_otherwise: frozenset[str] = frozenset()

    @property
    def languages(self) -> frozenset[str]:
        """The languages it has, as tags such as en and es-MX."""
        return frozenset(self.texts)

    @property
    def variables(self) -> frozenset[str]:
        """The variables that some language mentions."""
        return frozenset[str]().union(*(text.required for text in self.texts.values()))

    def required(self, language: str) -> frozenset[str]:
        """Return the variables that the text in `language` mentions."""
        return self.texts[language].required

    def render(self, language: str, locale: str, variables: Mapping[str, str]) -> str:
        """Return the text for one recipient, or its filled template as canonical JSON.

        `locale` is a Babel identifier such as es_MX. Raises Refused with every missing variable,
        or with the value that a filter can't read, or with what the sandbox refused.
        """
        text = self.texts[language]
        noted: list[str] = []
        try:
            rendered = text.fill(context_of(text, locale, variables, noted), noted)
        except Refused as refused:
            raise Refused(*_missing(noted), *refused.violations) from None
        except Aborted as aborted:
            raise Refused(self._aborted(aborted), *_missing(noted)) from None
        except InvalidValueError as error:
            raise Refused(_invalid(error, text.required, variables)) from None
        except Exception as error:
            # A template is not our code: whatever it raises is about this row, and stays with it.
            if not noted:
                raise Refused(self._refused(error)) from None
        if noted:
            raise Refused(*_missing(noted))
        return rendered

    def _aborted(self, aborted: Aborted) -> Violation:
        # The reason stands in the file word for word, so it has no recipient's data.
        reason = storable(str(aborted), most=REASON_LIMIT).strip()
        return Violation(
            code="template_aborted",
            message=f"Template {self.name!r} refuses this recipient: {reason.rstrip('.')}.",
        )

    def _refused(self, error: Exception) -> Violation:
        # Only Jinja's own words: another error's message may quote the recipient's data.
        reason = str(error) if isinstance(error, jinja2.TemplateError) else type(error).__name__
        return Violation(
            code="template_refused",
            message=f"Template {self.name!r} can't be rendered for this recipient: {reason}.",
        )


def context_of(
    text: Content, locale: str, variables: Mapping[str, str], noted: list[str]
) -> dict[str, object]:
    """Return what a text is rendered with; `noted` grows by each missing variable that is used."""
    missing = {
        name: Missing(name, noted) for name in text.required if is_blank(variables.get(name, ""))
    }
    # The last ones are ours; a column of the same name does not replace them.
    return {**variables, **missing, **FUNCTIONS, "greeting": text.greeting, LOCALE: locale}


def is_blank(value: str) -> bool:
    """Say whether nobody would see `value`."""
    return not value.strip().strip(INVISIBLE)


def _missing(noted: Sequence[str]) -> list[Violation]:
    return [
        Violation(
            code="missing_variable",
            message=f"The template uses {name!r}, and the row has no value for it.",
        )
        for name in sorted(set(noted))
    ]


def _invalid(
    error: InvalidValueError, required: frozenset[str], variables: Mapping[str, str]
) -> Violation:
    names = sorted(name for name in required if variables.get(name) == error.value)
    return Violation(
        code="invalid_value",
        message=f"The value of {' or '.join(map(repr, names)) or 'an expression'} is not {error}.",
    )
