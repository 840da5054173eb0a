"""Opens contact lists: CSV or Parquet, a path of the project or any URL that Airflow can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from genesys_cloud.errors import AudienceError
from genesys_cloud.outbound.audience import Row, check_columns, read_csv, rows_from_records

PARQUET_MAGIC = b"PAR1"


@contextmanager
def open_audience(location: str, include_dir: Path) -> Iterator[Iterator[Row]]:
    """Yield the rows of a contact list, a block at a time.

    A relative path is looked for below the project, then below include/audiences. Raises
    AudienceError for a file that can't be read at all.
    """
    try:
        with _locate(location, include_dir).open("rb") as stream:
            magic = stream.read(len(PARQUET_MAGIC))
            stream.seek(0)
            yield _parquet(stream, location) if magic == PARQUET_MAGIC else read_csv(stream)
    except FileNotFoundError:
        raise AudienceError(
            f"The audience {location!r} does not exist. Give a path below include/audiences, an "
            "absolute path or a URL."
        ) from None
    except (OSError, ImportError) as error:
        raise AudienceError(
            f"The audience {location!r} can't be read ({error}). Check the address and the rights."
        ) from error


def storage_path(location: str) -> Any:
    """Return a pathlib.Path for a plain path, an ObjectStoragePath for a URL."""
    if "://" not in location:
        return Path(location)
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(location)


def _locate(location: str, include_dir: Path) -> Any:
    if "://" in location:
        try:
            return storage_path(location)
        except ValueError as error:
            raise AudienceError(
                f"The audience {location!r} is no address that Airflow can open ({error})."
            ) from None
    below_project = include_dir.parent / location
    return below_project if below_project.exists() else include_dir / "audiences" / location


def _parquet(stream: IO[bytes], location: str) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(stream)
        check_columns(file.schema_arrow.names)
        yield from rows_from_records(
            record for batch in file.iter_batches(1_000) for record in batch.to_pylist()
        )
    except pyarrow.ArrowException as error:
        raise AudienceError(
            f"The audience {location!r} begins like Parquet and can't be read ({error})."
        ) from error
