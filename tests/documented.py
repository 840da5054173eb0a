"""The commands that the documents show, as a reader would type them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))

_BLOCK = re.compile(r"^```(?:sh|bash|console|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:genesys-cloud|airflow|make|python -m benchmarks) [^`]+)`")


@dataclass(frozen=True)
class Command:
    """One command line of a page, in the order of the page."""

    page: str
    line: str

    @property
    def words(self) -> list[str]:
        """What the shell would see of it."""
        return shlex.split(self.line, comments=True)


def shown(page: str) -> list[Command]:
    """Return the commands of a page's shell blocks."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Command(page, line) for block in _BLOCK.finditer(text) for line in _command_lines(block[1])
    ]


def python_shown(page: str) -> list[str]:
    """Return the Python of a page's code blocks."""
    return _PYTHON.findall((ROOT / page).read_text(encoding="utf-8"))


def mentioned(page: str) -> list[Command]:
    """Return the commands that a page names within its sentences."""
    text = _BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    return [Command(page, " ".join(found[1].split())) for found in _INLINE.finditer(text)]


def _command_lines(block: str) -> Iterator[str]:
    """Yield whole commands: a quote or a backslash at a line's end goes on in the next."""
    pending = ""
    for line in block.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:  # an open quotation
            continue
        if words:
            yield pending.strip()
        pending = ""
    assert not pending, f"a command that does not end: {pending}"
