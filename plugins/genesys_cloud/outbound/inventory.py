"""What stands in an include folder by name: templates, their languages, contact lists.

It is read whenever a DAG file is parsed, so it opens no file and imports nothing of weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

TEMPLATE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
"""A folder's name; it can't lead out of the templates' folder."""

AUDIENCE_ENDINGS: Final = (".csv", ".parquet")

MOST_OFFERED: Final = 200
"""A form with every list of a year in it would be slow for everybody."""

SHOWN: Final = 10


def template_names(root: Path) -> list[str]:
    """Return the templates below a folder: those of its folders that hold a text, in order."""
    return sorted({path.parent.name for path in _texts(root)})


def template_languages(root: Path) -> list[str]:
    """Return the languages that any template below a folder is written in, as its files say."""
    return sorted({path.name.partition(".")[0] for path in _texts(root)})


def audience_names(root: Path) -> list[str]:
    """Return the contact lists in a folder, in order, as many as a form can offer."""
    return sorted(
        path.name
        for path in _children(root)
        # A name that is not text would keep a DAG out of a database.
        if path.suffix in AUDIENCE_ENDINGS and path.name[0] != "." and path.name.isprintable()
    )[:MOST_OFFERED]


def nearest(wanted: str, names: Iterable[str]) -> str:
    """Return names as a sentence lists them, the one most like `wanted` first."""
    from difflib import get_close_matches  # no DAG file needs it

    every = list(names)
    alike = get_close_matches(wanted[:100], every, n=len(every), cutoff=0) if every else []
    shown = ", ".join(alike[:SHOWN]) or "none"
    return shown if len(every) <= SHOWN else f"{shown} and {len(every) - SHOWN:,} more"


def _texts(root: Path) -> Iterator[Path]:
    for folder in _children(root):
        if TEMPLATE_NAME.match(folder.name):
            yield from (path for path in _children(folder) if path.suffix in (".j2", ".toml"))


def _children(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # there is none, it is a file, or it may not be read
        return []
