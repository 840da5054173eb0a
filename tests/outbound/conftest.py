"""Template libraries of a test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from genesys_cloud.outbound.templates import TemplateLibrary
from tests.outbound.libraries import Write


@pytest.fixture
def library(tmp_path: Path) -> Write:
    """Write files, by path below the library's root, and return the library."""

    def write(files: Mapping[str, str]) -> TemplateLibrary:
        for name, source in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        return TemplateLibrary(root=tmp_path)

    return write
