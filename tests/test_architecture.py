"""What docs and design promise of the code's shape: arrows, homes, names, sizes.

The arrows point one way (the core imports nobody, the simulator nothing of ours); every library has
one home; names of the wire stay at the wire.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "plugins" / "genesys_cloud"
MODULES = sorted(PACKAGE.rglob("*.py"))

BASE = {"errors", "settings"}
"""Imported by any; they import none but each other."""

ARROWS = {
    "errors": set(),
    "settings": {"errors"},
    "provider_info": set(),
    "outbound": {"errors"},
    "api": BASE | {"outbound"},
    "ledger": BASE | {"outbound"},
    "policies": BASE | {"outbound"},
    "reporting": BASE | {"outbound"},
    # The words of an event are the wire's, so they live with the profile that speaks them.
    "webhook": BASE | {"outbound", "ledger", "policies", "api.profiles"},
    # It knows nothing of Airflow: who asks, workflows/live_view.py tells it.
    "live": BASE | {"outbound", "ledger"},
    "hooks": BASE | {"outbound", "api"},
    "workflows": BASE
    | {"outbound", "api", "ledger", "policies", "reporting", "hooks", "webhook", "live"},
    "simulator": set(),
    "cli": BASE
    | {"outbound", "ledger", "policies", "reporting", "hooks", "workflows", "webhook", "simulator"},
}
"""What each part may import of the others: a part, or a part of one."""

HOMES = {
    "airflow": {"hooks", "workflows"},
    "alembic": {"ledger"},
    "babel": {"outbound"},
    # Two workflows name the type that Airflow mounts.
    "fastapi": {"webhook", "live", "workflows/receiver.py", "workflows/live_view.py"},
    "httpx": {"simulator"},
    "itsdangerous": {"live"},
    "jinja2": {"outbound", "reporting", "live"},
    "markupsafe": {"reporting"},
    "matplotlib": {"reporting"},
    "numpy": {"reporting"},
    "pandas": {"reporting"},
    "phonenumbers": {"outbound"},
    # A contact list may be Parquet too, and outbound does no I/O.
    "pyarrow": {"reporting", "workflows/audiences.py"},
    "pydantic": {"simulator"},
    "requests": {"api"},
    # Airflow's pools and connections are rows of Airflow's own database.
    "sqlalchemy": {"ledger", "workflows/pool.py", "workflows/stored_connections.py"},
    "starlette": {"simulator", "live"},
    "tenacity": {"api"},
    "typer": {"cli"},
    "urllib3": {"api"},
    "uvicorn": {"webhook", "simulator"},
}
"""Where each library lives: a folder, or a module with its reason."""

PURE_STDLIB = {
    *("__future__", "collections", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum"),
    *("functools", "hashlib", "itertools", "json", "numbers", "pathlib", "re", "tomllib", "types"),
    *("typing", "unicodedata", "zoneinfo"),
}
"""What the core may use of the standard library: nothing that talks, waits or guesses."""

CAMEL_CASE = re.compile(r"[a-z]+(?:[A-Z][a-z0-9]+)+\Z")
WIRE = {
    *("api/profiles", "reporting", "simulator"),
    # The error body's fields, the same in every profile.
    "api/failures.py",
    # Keywords of OpenAPI.
    "webhook/openapi.py",
    # Keywords of JSON schema in Airflow's forms.
    *("provider_info.py", "workflows/form/fields.py"),
}
"""Where names of a wire or a file may stand as Python strings."""

MOST_LINES = 300
MOST_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "lib"}


@cache
def parsed(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def part_of(path: Path) -> str:
    """Return the part of the package that a module belongs to."""
    place = path.relative_to(PACKAGE)
    return place.parts[0] if len(place.parts) > 1 else place.stem


def within(path: Path, homes: set[str]) -> bool:
    """Return whether a module is one of these modules or in one of these folders."""
    place = path.relative_to(PACKAGE).as_posix()
    return any(place == home or place.startswith(f"{home}/") for home in homes)


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports, inside functions too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively, which the plugin scan can't take"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_follow_the_arrows(path: Path) -> None:
    part = part_of(path)
    allowed = ARROWS.get(part, set()) | {part}
    strays = [
        name
        for name in imports(path)
        if name.startswith("genesys_cloud.")
        and not any(f"{name}.".startswith(f"genesys_cloud.{arrow}.") for arrow in allowed)
    ]
    assert strays == []


def test_the_table_of_arrows_names_the_parts_that_exist() -> None:
    assert {part_of(path) for path in MODULES} - {"__init__"} == set(ARROWS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_library_stays_in_its_home(path: Path) -> None:
    strays = [
        name
        for name in imports(path)
        if (library := name.partition(".")[0]) not in sys.stdlib_module_names
        and library != "genesys_cloud"
        and not within(path, HOMES.get(library, set()))
    ]
    assert strays == []


def test_the_core_talks_to_nobody() -> None:
    strays = [
        (path.name, name)
        for path in MODULES
        if part_of(path) == "outbound"
        for name in imports(path)
        if (library := name.partition(".")[0]) in sys.stdlib_module_names
        and library not in PURE_STDLIB
    ]
    assert strays == []


def test_only_the_settings_touch_the_environment() -> None:
    touching = [
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"})
        or (isinstance(node, ast.alias) and node.name in {"environ", "environb", "getenv"})
    ]
    assert set(touching) == {"settings.py"}


def test_names_of_the_wire_stay_at_the_wire() -> None:
    strays = [
        (path.relative_to(PACKAGE).as_posix(), node.value)
        for path in MODULES
        if not within(path, WIRE)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CAMEL_CASE.match(node.value)
    ]
    assert strays == []


OURS = [*MODULES, *sorted((ROOT / "dags").glob("*.py")), *sorted((ROOT / "demo").glob("*.py"))]


def test_modules_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in OURS}
    assert {str(path): n for path, n in lengths.items() if n > MOST_LINES} == {}


def test_functions_are_short() -> None:
    long = [
        (str(path), node.name)
        for path in OURS
        # A migration is a list of statements, written once and never read for its logic.
        if "migrations" not in path.parts
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= MOST_FUNCTION_LINES
    ]
    assert long == []


def test_names_say_what_is_inside() -> None:
    python = [
        path for folder in ("plugins", "tests", "demo") for path in (ROOT / folder).rglob("*")
    ]
    assert [str(path) for path in python if path.stem in VAGUE_NAMES] == []


def test_a_module_says_what_it_is_for() -> None:
    bare = [
        str(path) for path in OURS if path.stat().st_size and not ast.get_docstring(parsed(path))
    ]
    assert bare == []


def test_dag_files_only_wire() -> None:
    # What a DAG file computes, every task computes again before it begins.
    allowed = {
        "genesys_cloud.outbound.campaign.Campaign",
        "genesys_cloud.workflows.campaign_dag.campaign_dag",
    }
    for path in sorted((ROOT / "dags").glob("*.py")):
        for name in imports(path):
            known = name in allowed or name.startswith(("airflow.sdk.", "datetime."))
            assert known or name.startswith("genesys_cloud.workflows."), (path.name, name)
        assert not any(
            isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.walk(parsed(path))
        )


def test_the_plugin_folder_hides_the_package_from_airflows_scan() -> None:
    ignored = (ROOT / "plugins" / ".airflowignore").read_text().splitlines()
    assert [line for line in ignored if line and not line.startswith("#")] == ["genesys_cloud/"]
    assert [path.name for path in (ROOT / "plugins").glob("*.py")] == ["genesys_cloud_plugin.py"]
