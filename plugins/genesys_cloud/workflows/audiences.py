"""Opens contact lists: CSV or Parquet, a path of the project or any URL that Airflow can read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from genesys_cloud.errors import AudienceError
from genesys_cloud.outbound.audience import Row, check_columns, read_csv, rows_from_records
from genesys_cloud.outbound.inventory import audience_names, nearest

PARQUET_MAGIC = b"PAR1"
_BLOCK = 1 << 20
_PARQUET_ROWS = 1_000


class Audience(Iterator[Row]):
    """The rows of a contact list; `digest` is the SHA-256 of the file that they come from."""

    def __init__(self, rows: Iterator[Row], digest: str) -> None:
        self.digest = digest
        self._rows = rows

    def __next__(self) -> Row:
        return next(self._rows)


@contextmanager
def open_audience(location: str, include_dir: Path) -> Iterator[Audience]:
    """Yield the rows of a contact list, a block at a time.

    A relative path is looked for below the project, then below include/audiences. Raises
    AudienceError for a file that can't be read at all.
    """
    # Only opening and reading are explained: what goes wrong with the rows is another's to tell.
    with _explained(location):
        stream = _open(location, include_dir)
    with stream:
        digest = _digest(stream, location)
        rows = _rows(stream, location)
        first = list(islice(rows, 1))  # a list without usable columns must not begin a plan
        yield Audience(chain(first, rows), digest)


def _digest(stream: BinaryIO, location: str) -> str:
    digest = hashlib.sha256()
    with _explained(location):
        while block := stream.read(_BLOCK):
            digest.update(block)
        stream.seek(0)
    return digest.hexdigest()


def _rows(stream: BinaryIO, location: str) -> Iterator[Row]:
    with _explained(location):
        magic = stream.read(len(PARQUET_MAGIC))
        stream.seek(0)
        yield from _parquet(stream) if magic == PARQUET_MAGIC else read_csv(stream)


@contextmanager
def _explained(location: str) -> Iterator[None]:
    try:
        yield
    except AudienceError as error:
        raise AudienceError(f"The audience {location!r} can't be used. {error}") from error
    except FileNotFoundError:
        raise _missing(location) from None
    except (OSError, ImportError) as error:
        raise AudienceError(
            f"The audience {location!r} can't be read ({error}). Check the address and the rights."
        ) from error


def check_there(location: str, include_dir: Path) -> None:
    """Raise AudienceError, with what is there, for a file that does not exist; ask no URL."""
    if "://" in location:
        return
    with _explained(location):  # a name may be too long to look for
        there = _locate(location, include_dir).exists()
    if not there:
        raise _missing(location, audience_names(include_dir / "audiences"))


def _missing(location: str, names: Sequence[str] = ()) -> AudienceError:
    there = f" There is: {nearest(location, names)}." if names else ""
    return AudienceError(
        f"The audience {location!r} does not exist. Give a path below include/audiences, an "
        f"absolute path or a URL.{there}"
    )


def storage_path(location: str) -> Any:
    """Return a pathlib.Path for a plain path, an ObjectStoragePath for a URL."""
    if "://" not in location:
        return Path(location)
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(location)


def _open(location: str, include_dir: Path) -> BinaryIO:
    try:
        stream: BinaryIO = _locate(location, include_dir).open("rb")
    except ValueError as error:
        raise AudienceError(
            f"It is no address that Airflow can open here ({error}). Give a path, or install the "
            "Airflow provider that opens such URLs."
        ) from None
    return stream


def _locate(location: str, include_dir: Path) -> Any:
    if "://" in location:
        return storage_path(location)
    below_project = include_dir.parent / location
    return below_project if below_project.exists() else include_dir / "audiences" / location


def _parquet(stream: BinaryIO) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(stream)
        names = file.schema_arrow.names
        check_columns(names)
        batches = (map(_values, batch.columns) for batch in file.iter_batches(_PARQUET_ROWS))
        yield from rows_from_records(
            dict(zip(names, cells, strict=True))
            for columns in batches
            for cells in zip(*columns, strict=True)
        )
    except pyarrow.ArrowException as error:
        raise AudienceError(f"It begins like Parquet and is none ({error}).") from error


def _values(column: Any) -> list[object]:
    """Return a column's values, each in its row; one that Python has no value for is a list."""
    try:
        values: list[object] = column.to_pylist()
    except (ValueError, OverflowError):
        # Text that is not UTF-8, a year past 9999 and such: only its row shall suffer.
        return [_value(each) for each in column]
    return values


def _value(scalar: Any) -> object:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error.object
    except (ValueError, OverflowError):
        return []
