"""Template libraries of a test's own, and hypothesis without deadlines: a machine may be busy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from genesys_cloud.outbound.templates import TemplateLibrary
from tests.outbound.libraries import Write

settings.register_profile(
    "outbound", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.load_profile("outbound")


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
