"""Checks of files: the templates, and the place that exports go to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from genesys_cloud.errors import CampaignError, TemplateError
from genesys_cloud.outbound.channels import CHANNELS, Channel, templated
from genesys_cloud.outbound.lint_values import lint
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.outbound.worst_case import find_worst
from genesys_cloud.reporting.targets import check_target
from genesys_cloud.workflows.doctor.checkup import Found, Scene, first_of, warning, wrong
from genesys_cloud.workflows.export_place import export_place
from genesys_cloud.workflows.preparing import check_template

PROFILES = ("messaging", "agentless")


def templates(scene: Scene) -> str | Found:
    """Render every template in every language, on every channel, with made-up values."""
    library = _library(scene)
    broken: list[str] = []
    doubtful: list[str] = []
    for name in library.names():
        for channel, profile in _sendable(library.root / name):
            try:
                template = library.load(name, channel.provider, profile)
            except TemplateError as error:
                broken.append(str(error))
                continue
            broken += _failures(template)
            doubtful += _remarks(template, channel, profile)
    if broken:
        return wrong(first_of(broken))
    if not library.names():
        return warning(f"There is none in {library.root}. Each is a folder with a file a language.")
    if doubtful:
        return warning(f"{first_of(doubtful)} `genesys-cloud templates lint NAME` says all.")
    names = ", ".join(library.names())
    return f"{len(library.names())} in {library.root} render in every language: {names}"


def approved(scene: Scene) -> str | Found | None:
    """Hold each approved template against what Genesys Cloud has under its id."""
    if scene.client.profile != "agentless":
        return None
    library, wanting, held = _library(scene), list[str](), 0
    for name in library.names():
        for channel, profile in _sendable(library.root / name):
            if profile != "agentless" or not templated(channel.provider, profile):
                continue
            held += 1
            try:
                check_template(scene.client.session, library.load(name, channel.provider, profile))
            except CampaignError as error:
                wanting.append(str(error))
    if wanting:
        return wrong(first_of(wanting))
    return f"{held} are in Genesys Cloud as they are here" if held else None


def exports(scene: Scene) -> str:
    """Write a file where exports go, and remove it."""
    location = scene.settings.export_url
    check_target(export_place(location))
    return f"{location} can be written"


def _library(scene: Scene) -> TemplateLibrary:
    return TemplateLibrary(root=scene.settings.include_dir / "templates")


def _sendable(folder: Path) -> Iterator[tuple[Channel, str]]:
    """Yield the channels and profiles that a template's files are for."""
    files = {(path.stem.partition(".")[2], path.suffix) for path in folder.iterdir()}
    for profile in PROFILES:
        for channel in CHANNELS.values():
            suffix = ".toml" if templated(channel.provider, profile) else ".j2"
            ours = {("", suffix), (channel.provider, suffix)}
            if channel.limit(profile) is not None and files & ours:
                yield channel, profile


def _failures(template: Template) -> Iterator[str]:
    """Yield where a text can't be rendered at all, whatever the values are."""
    for language in sorted(template.languages):
        for _, violation in find_worst(template, language, None).refused:
            if violation.code == "template_refused":
                yield f"In {language}: {violation.message}"


def _remarks(template: Template, channel: Channel, profile: str) -> Iterator[str]:
    languages = template.languages
    report = lint(
        template,
        channel=channel,
        profile=profile,
        default_language="en" if "en" in languages else min(languages),
    )
    for finding in report.findings:
        yield f"{template.name}: {finding.message}"
