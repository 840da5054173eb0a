"""The place that exports go to, as its setting names it."""

from __future__ import annotations

from typing import Any

from genesys_cloud.errors import ExportTargetError
from genesys_cloud.workflows.audiences import storage_path


def export_place(location: str) -> Any:
    """Return GENESYS_EXPORT_URL as a path; raises ExportTargetError where it can't be one here."""
    try:
        return storage_path(location)
    except ValueError as error:
        raise ExportTargetError(
            f"Exports can't be written to {location}: Airflow opens no such address ({error}). "
            "Give a path or another URL in GENESYS_EXPORT_URL, or install the Airflow provider "
            "that opens it."
        ) from error
