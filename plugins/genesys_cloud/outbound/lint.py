"""What is wrong with a template before it is used: in its files, and for one contact list.

Only what would block every row is an error. No finding quotes a value of the list: columns,
languages and single characters are named, never what a row says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from genesys_cloud.outbound.audience import KNOWN_COLUMNS
from genesys_cloud.outbound.languages import (
    choose_language,
    find_locale,
    match_language,
    normalise_tag,
)
from genesys_cloud.outbound.plurals import OTHER, usual_categories
from genesys_cloud.outbound.rendering import Template

PLACE_COLUMNS: Final = frozenset({"country", "region"})
"""Columns that quiet hours go by, and that templates may show."""

SHOWN: Final = 10
"""How many names a sentence lists."""

NAME_SHOWN: Final = 60
"""Characters of a name that are shown; a hostile header has longer ones."""


class Severity(StrEnum):
    """How much a finding matters: an error stops the run, a note is only good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a person should know of a template before it is sent."""

    severity: Severity
    code: str
    message: str


def error(code: str, message: str) -> Finding:
    """Return a finding that stops the run."""
    return Finding(severity=Severity.ERROR, code=code, message=message)


def warning(code: str, message: str) -> Finding:
    """Return a finding that people should look at."""
    return Finding(severity=Severity.WARNING, code=code, message=message)


def lint_template(template: Template, default_language: str) -> list[Finding]:
    """Return what is wrong with a template's files, whoever it is sent to."""
    return [
        *_default_language(template, default_language),
        *_translations(template),
        *_unknown(template),
        *_greetings(template),
        *_plurals(template),
    ]


def lint_columns(template: Template, columns: Collection[str]) -> list[Finding]:
    """Return how a contact list's columns fit a template's variables."""
    users: dict[str, set[str]] = {}
    for language, text in template.texts.items():
        for name in text.required:
            users.setdefault(name, set()).add(language)
    absent = sorted(set(users) - set(columns))
    found = [_absent(template, name, users[name], columns) for name in absent]
    unused = sorted(set(columns) - set(users) - set(KNOWN_COLUMNS) - PLACE_COLUMNS)
    if unused:
        message = f"No text uses the contact list's {_columns(unused)}."
        found.append(Finding(severity=Severity.NOTE, code="column_unused", message=message))
    return found


def lint_languages(
    template: Template, default_language: str, asked: Mapping[str, int], unreadable: int
) -> list[Finding]:
    """Return which languages a list asks for that the template lacks, and who reads what instead.

    `asked` is rows by language tag; `unreadable` rows say something that is no tag.
    """
    found = []
    for tag, rows in Counter(asked).most_common():
        if match_language(tag, template.languages) is not None:
            continue
        choice = choose_language(
            tag=tag, country=None, default=default_language, available=template.languages
        )
        if choice is not None:
            message = (
                f"{_recipients(rows)} for {tag}, and template {template.name!r} has no text in it: "
                f"they get {choice.language}."
            )
            found.append(warning("translation_missing", message))
    most = found[:SHOWN]
    if len(found) > SHOWN:
        message = f"{len(found) - SHOWN:,} more languages are asked for and have no text."
        most.append(warning("translation_missing", message))
    if unreadable:
        message = (
            f"{unreadable:,} rows have a language that is no tag such as es or es-MX: the country "
            "of the number decides for them, as for rows without one."
        )
        most.append(warning("language_unreadable", message))
    return most


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them, the first few and shortened."""
    every = list(names)
    shown = ", ".join(name[:NAME_SHOWN] for name in every[:SHOWN])
    return shown if len(every) <= SHOWN else f"{shown} and {len(every) - SHOWN:,} more"


def _default_language(template: Template, default: str) -> Iterator[Finding]:
    wish = normalise_tag(default) or default
    if match_language(wish, template.languages) is None:
        yield error(
            "default_language_missing",
            f"Template {template.name!r} has no text in {default[:NAME_SHOWN]!r}, the default "
            f"language; it has {listed(sorted(template.languages))}.",
        )


def _translations(template: Template) -> Iterator[Finding]:
    used = {
        language: text.required | ({"greeting"} if text.greeting else set())
        for language, text in template.texts.items()
    }
    for name in sorted(frozenset[str]().union(*used.values())):
        without = sorted(language for language, names in used.items() if name not in names)
        if without:
            yield warning(
                "translation_differs",
                f"The text in {listed(without)} does not use {name[:NAME_SHOWN]!r}, which that in "
                f"{listed(sorted(set(used) - set(without)))} does.",
            )


def _unknown(template: Template) -> Iterator[Finding]:
    for language in sorted(template.languages):
        if find_locale(language) is None:
            yield warning(
                "language_unknown",
                f"Nobody knows how {language} writes dates and numbers: where the text in it has "
                "a filter for them, it blocks the row.",
            )


def _greetings(template: Template) -> Iterator[Finding]:
    for language in sorted(template.greeted_otherwise):
        yield warning(
            "greeting_missing",
            f"greetings.toml has no greeting in {language}: the text in {language} begins with "
            f"{template.texts[language].greeting!r}.",
        )


def _plurals(template: Template) -> Iterator[Finding]:
    for language, text in sorted(template.texts.items()):
        usual = usual_categories(language)
        for forms in text.plurals:
            if lacking := sorted(usual - forms):
                yield warning(
                    "plural_form_missing",
                    f"A plural in {language} has no {' and no '.join(lacking)}, which whole "
                    f"numbers take there: they get the form of {OTHER}.",
                )


def _absent(
    template: Template, name: str, users: Collection[str], columns: Collection[str]
) -> Finding:
    needing = {tag for tag, text in template.texts.items() if name in text.needed}
    where = f"The text in {listed(sorted(users))} uses {name[:NAME_SHOWN]!r}"
    close = next((column for column in columns if column.casefold() == name.casefold()), None)
    hint = f"; it has {close[:NAME_SHOWN]!r}, and capitals count" if close else ""
    message = f"{where}, and the contact list has no such column{hint}."
    if needing == template.languages:
        return error("column_missing", f"{message} Every row would be blocked.")
    if needing:
        return warning(
            "column_missing", f"{message} Whoever gets {listed(sorted(needing))} is blocked."
        )
    return warning("column_missing", f"{message} The template does without it, or blocks the row.")


def _columns(names: Collection[str]) -> str:
    return f"{'column' if len(names) == 1 else 'columns'} {listed(names)}"


def _recipients(rows: int) -> str:
    return "1 recipient asks" if rows == 1 else f"{rows:,} recipients ask"
