"""Heads of the audit trail, published beside the reports: a file each, never written again.

Who keeps the exports where nobody who writes the ledger can change them can show with these files
that the trail up to a head is still the one of that day.
"""

from __future__ import annotations

from genesys_cloud.reporting.targets import ExportRoot, local_directory

FOLDER = "audit_heads"


def publish(root: ExportRoot, head: str, seq: int) -> None:
    """Write a head, SEQ:DIGEST, into a file that is named by its number, unless it is there."""
    folder = (local_directory(root) or root) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{seq:012}.txt"
    if not place.exists():
        with place.open("wb") as file:
            file.write(f"{head}\n".encode())
