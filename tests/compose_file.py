"""docker-compose.yaml as data, for the tests of it and of .env.example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]

SECRET = re.compile(r"SECRET|PASSWORD|_KEY\b|CLIENT_ID")
"""What a variable's name looks like when its value must not be known to others."""


def interpolations(text: str = TEXT) -> list[tuple[str, str]]:
    """Return each `${NAME…}` as its name and the operator after it: `:?`, `:-` or nothing.

    `$${NAME}` is left out: the container's shell reads that one.
    """
    return re.findall(r"(?<!\$)\$\{([A-Z_][A-Z0-9_]*)(:[?-])?", text)


def required() -> set[str]:
    """Return the variables without which the stack does not start."""
    return {name for name, operator in interpolations() if operator == ":?"}
