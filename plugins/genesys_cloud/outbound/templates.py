"""The library of templates: one folder a template, one file a language.

`<name>/<language>[.<provider>].j2`: the file with a provider word, such as `es.sms.j2`, wins on
that channel. `greetings.toml` beside the folders says what `{{ greeting }}` is in a language.
Where a profile takes approved templates only, `<name>/<language>.<provider>.toml` has the values of
one, and counts alone; elsewhere nobody reads it.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jinja2
from jinja2.meta import find_undeclared_variables

from genesys_cloud.errors import TemplateError
from genesys_cloud.outbound.approved_text import read_approved
from genesys_cloud.outbound.channels import PROVIDERS, templated
from genesys_cloud.outbound.inventory import nearest, template_names
from genesys_cloud.outbound.languages import match_language, normalise_tag
from genesys_cloud.outbound.rendering import Content, Template, Text
from genesys_cloud.outbound.sandbox import Sandbox
from genesys_cloud.outbound.template_syntax import needed, plural_forms

__all__ = ["Template", "TemplateLibrary"]

GREETINGS: Final = "greetings.toml"

GREETING_FALLBACK: Final = "en"

ENVIRONMENT: Final = Sandbox()


@dataclass(frozen=True, kw_only=True)
class TemplateLibrary:
    """The folder that holds the templates and greetings.toml."""

    root: Path

    def names(self) -> list[str]:
        """Return the templates that exist, in order."""
        return template_names(self.root)

    def check_there(self, name: str) -> None:
        """Raise TemplateError, with what there is, for a name that does not exist."""
        if name not in self.names():
            raise TemplateError(
                f"There is no template {name!r}. Templates that exist: "
                f"{nearest(name, self.names())}."
            )

    def load(self, name: str, channel: str, profile: str = "messaging") -> Template:
        """Return the template called `name` in all languages that it has for `channel`.

        `channel` is a channel's name or its provider word. Raises TemplateError for a name that
        does not exist, a file that does not parse, and a folder without a text for the channel.
        """
        self.check_there(name)
        provider = channel.rpartition(":")[2]
        approved = templated(provider, profile)
        files = self._approved(name, provider, profile) if approved else self._files(name, provider)
        if not files:
            raise TemplateError(
                _unapproved(name, provider)
                if approved
                else f"Template {name!r} has no text for channel {channel!r}."
            )
        greetings = self._greetings()
        digest = hashlib.sha256()
        texts: dict[str, Content] = {}
        for tag, path in sorted(files.items()):
            source = _read(path)
            compiler = _Compiler(file=_shown(path), greeting=_greeting(tag, greetings))
            text = read_approved(_shown(path), source, compiler) if approved else compiler(source)
            texts[tag] = text
            # Lengths go in, so that no two sets of files run together to the same bytes.
            digest.update(f"{path.name} {len(source)} {text.greeting} {source}".encode())
        return Template(
            name=name,
            version=digest.hexdigest()[:12],
            texts=texts,
            greeted_otherwise=frozenset(
                tag
                for tag, text in texts.items()
                if text.greeting and match_language(tag, frozenset(greetings)) is None
            ),
        )

    def _files(self, name: str, provider: str) -> dict[str, Path]:
        general: dict[str, Path] = {}
        own: dict[str, Path] = {}
        for path in sorted((self.root / name).glob("*.j2")):
            word, _, suffix = path.name.removesuffix(".j2").partition(".")
            tag = normalise_tag(word)
            if tag is None or (suffix and suffix not in PROVIDERS):
                raise TemplateError(
                    f"Template file {_shown(path)} is not called <language>[.<channel>].j2 with a "
                    f"language such as es or es-MX and a channel of {', '.join(sorted(PROVIDERS))}."
                )
            if suffix in ("", provider):
                (own if suffix else general)[tag] = path
        return general | own

    def _approved(self, name: str, provider: str, profile: str) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in sorted((self.root / name).glob("*.toml")):
            word, _, suffix = path.name.removesuffix(".toml").partition(".")
            tag = normalise_tag(word)
            if tag is None or not templated(suffix, profile):
                raise TemplateError(
                    f"Template file {_shown(path)} is not called <language>.{provider}.toml with a "
                    "language such as es or es-MX."
                )
            if suffix == provider:
                found[tag] = path
        return found

    def _greetings(self) -> Mapping[str, str]:
        path = self.root / GREETINGS
        if not path.exists():
            return {}
        try:
            table = tomllib.loads(_read(path))
        except tomllib.TOMLDecodeError as error:
            raise TemplateError(f"Template file {GREETINGS} does not parse: {error}.") from error
        return {normalise_tag(tag) or tag: str(word) for tag, word in table.items()}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"Template file {_shown(path)} is not UTF-8: {error}.") from error


@dataclass(frozen=True, kw_only=True)
class _Compiler:
    """Compiles the texts of one template file; errors name it, and a text's place in it."""

    file: str
    greeting: str

    def __call__(self, source: str, place: str = "") -> Text:
        where = f"{self.file}, {place}" if place else self.file
        try:
            tree = ENVIRONMENT.checked(source)
            names = find_undeclared_variables(tree) - set(ENVIRONMENT.globals)
            compiled = ENVIRONMENT.from_string(tree)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                f"Template file {where}, line {error.lineno}: {error.message}"
            ) from error
        except (RecursionError, SyntaxError, ValueError) as error:
            # Nested too deep, or a number with too many digits: Python's words, without a line.
            raise TemplateError(f"Template file {where} does not compile: {error}") from error
        used = self.greeting if "greeting" in names else ""
        if "greeting" in names and not used:
            raise TemplateError(
                f"Template file {where} uses greeting, and {GREETINGS} has none for its language "
                f"or {GREETING_FALLBACK}."
            )
        required = frozenset(names - {"greeting"})
        return Text(
            compiled=compiled,
            greeting=used,
            required=required,
            needed=needed(tree) & required,
            plurals=plural_forms(tree),
        )


def _unapproved(name: str, provider: str) -> str:
    return (
        f"Template {name!r} has no approved template for {provider}, and outside a conversation "
        f"{provider} takes approved templates only. Write include/templates/{name}/"
        f"<language>.{provider}.toml with the response_id that the template has in Genesys Cloud "
        "and a value for each of its substitutions."
    )


def _greeting(tag: str, greetings: Mapping[str, str]) -> str:
    key = match_language(tag, frozenset(greetings)) or GREETING_FALLBACK
    return greetings.get(key, "")


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
