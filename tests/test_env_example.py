""".env.example names every variable that anything of ours reads, and gives no secret away."""

from __future__ import annotations

import ast
import re

import pytest

from tests.compose_file import ROOT, SECRET, SERVICES, interpolations

LINES = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
VARIABLE = re.compile(r"(# )?([A-Z][A-Z0-9_]*)=(.*)")
"""A line with a variable; one that stands behind `# ` is offered, and not set."""

EXAMPLE = {found[2]: found for line in LINES if (found := VARIABLE.fullmatch(line))}
SET = {name: found[3] for name, found in EXAMPLE.items() if not found[1]}


def read_by_settings() -> set[str]:
    """Return the names that settings.py asks the environment for."""
    path = ROOT / "plugins/genesys_cloud/settings.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        node.args[0].value
        for node in calls
        if ast.unparse(node.func) == "env.get" and isinstance(node.args[0], ast.Constant)
    }


def read_by_compose() -> set[str]:
    """Return the names that docker-compose.yaml takes from the environment."""
    passed_on = {
        name
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    return {name for name, _ in interpolations()} | passed_on


def test_every_setting_of_the_package_is_listed() -> None:
    assert len(read_by_settings()) >= 11  # or the search has found nothing
    assert read_by_settings() - set(EXAMPLE) == set()


def test_every_variable_of_the_compose_file_is_listed() -> None:
    assert read_by_compose() - set(EXAMPLE) == set()


def test_nothing_is_listed_that_nobody_reads() -> None:
    assert set(EXAMPLE) - read_by_compose() - read_by_settings() == set()


def test_a_variable_of_the_package_that_the_file_sets_reaches_the_containers() -> None:
    assert (read_by_settings() & set(SET)) - read_by_compose() == set()


@pytest.mark.parametrize("name", [name for name in SET if SECRET.search(name)])
def test_a_secret_has_no_value(name: str) -> None:
    assert SET[name] == ""


@pytest.mark.parametrize("name", EXAMPLE)
def test_a_variable_is_explained_above_itself_or_above_its_neighbours(name: str) -> None:
    above = LINES[: LINES.index(EXAMPLE[name].string)]
    nearest = next(line for line in reversed(above) if not VARIABLE.fullmatch(line))
    assert nearest.startswith("# ")


def test_a_line_is_empty_or_a_comment_or_a_variable() -> None:
    odd = [line for line in LINES if line and not line.startswith("#")]
    assert [line for line in odd if not VARIABLE.fullmatch(line)] == []


def test_the_file_that_holds_the_secrets_is_never_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/.env" in ignored
