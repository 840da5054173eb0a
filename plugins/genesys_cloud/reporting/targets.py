"""Where partitions live: a local directory that is swapped whole, or an object store.

Locally a reader sees the old partition or the new one, never a mixture. An object store can't
rename a folder, so the files are put one by one and manifest.json, whose digest they must match,
comes last.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from genesys_cloud.errors import ExportTargetError
from genesys_cloud.reporting import local_swap

FOLDER = "deliveries"
MANIFEST = "manifest.json"


class ExportRoot(Protocol):
    """The part of pathlib.Path that Airflow's ObjectStoragePath has as well."""

    def __truediv__(self, name: str, /) -> Self: ...
    def exists(self) -> bool: ...
    def mkdir(self, *, parents: bool, exist_ok: bool) -> None: ...
    def open(self, mode: str, /) -> Any: ...
    def unlink(self) -> None: ...


Root = TypeVar("Root", bound=ExportRoot)


def partition_of(root: Root, day: date) -> Root:
    """Return the place of a day's partition."""
    return root / FOLDER / f"date={day.isoformat()}"


def check_target(root: ExportRoot) -> None:
    """Write and remove a probe; raise ExportTargetError where that is not possible."""
    folder = (local_directory(root) or root) / FOLDER
    probe = folder / f".probe.{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with probe.open("wb"):
            pass  # no write: Airflow would record the probe in its lineage
        probe.unlink()
    except Exception as error:  # each store has exceptions of its own
        reason = str(error).rstrip(".") or type(error).__name__
        raise ExportTargetError(
            f"Exports can't be written to {folder}: {reason}. Give the "
            "Airflow workers write access there, or set GENESYS_EXPORT_URL to another place."
        ) from error


def read_manifest(root: ExportRoot, day: date) -> dict[str, Any] | None:
    """Return the manifest of the partition in place, None where there is none."""
    path = partition_of(local_directory(root) or root, day) / MANIFEST
    if not path.exists():
        return None
    try:
        with path.open("rb") as file:
            manifest = json.loads(file.read())
        return {"revision": int(manifest["revision"]), **manifest}
    except (ValueError, TypeError, KeyError) as error:
        raise ExportTargetError(
            f"{path} is not a manifest, so the revision of {day} can't be told. Move the "
            "partition away and run the day again."
        ) from error


@contextmanager
def opened(root: ExportRoot, day: date, name: str) -> Iterator[Any]:
    """Open a file of the partition in place for reading; give None where there is none."""
    path = partition_of(local_directory(root) or root, day) / name
    if not path.exists():
        yield None
        return
    with path.open("rb") as file:
        yield file


@contextmanager
def staging(root: ExportRoot, day: date) -> Iterator[Path]:
    """Give a local directory to write into; publish it at the end unless the block raises."""
    local = local_directory(root)
    if local is None:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
            _upload(Path(name), partition_of(root, day))
    else:
        place = partition_of(local, day)
        with local_swap.staging(place) as directory:
            yield directory
            local_swap.publish(directory, place)


def local_directory(root: ExportRoot) -> Path | None:
    """Return the local directory that `root` means, None for an object store."""
    if isinstance(root, Path):
        return root
    local = getattr(root, "protocol", None) in {"", "file", "local"}
    return Path(root.path) if local else None  # type: ignore[attr-defined]


def _upload(directory: Path, place: ExportRoot) -> None:
    """Copy every file, the manifest last: whoever sees it sees what it counts."""
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted(directory.iterdir(), key=lambda path: (path.name == MANIFEST, path.name)):
        with path.open("rb") as source, (place / path.name).open("wb") as copy:
            shutil.copyfileobj(source, copy)
