"""The templates that ship, and a way to write others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from genesys_cloud.outbound.templates import TemplateLibrary

SHIPPED = TemplateLibrary(root=Path(__file__).resolve().parents[2] / "include" / "templates")

Write = Callable[[Mapping[str, str]], TemplateLibrary]
