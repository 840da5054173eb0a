"""Replacing a local directory whole, so that no reader sees half of it.

A build writes into a hidden directory beside its place, which it holds locked. A process that was
killed leaves such a directory without a lock; the next build of the same day removes it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def staging(place: Path) -> Iterator[Path]:
    """Give a new directory beside `place`, and remove what is in it afterwards."""
    place.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{place.name}."
    directory = place.with_name(prefix + secrets.token_hex(4))
    with _locked(place.parent):
        for leftover in place.parent.glob(f"{prefix}*"):
            _remove_if_abandoned(leftover)
        directory.mkdir()
        lock = _lock(directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def publish(directory: Path, place: Path) -> None:
    """Put `directory` at `place`; what was there before is then at `directory`, if anywhere."""
    for path in (*directory.iterdir(), directory):
        _flush(path)
    try:
        directory.rename(place)  # nothing there yet
    except OSError:
        _exchange(directory, place)
    _flush(place.parent)


def _exchange(directory: Path, place: Path) -> None:
    """Swap two directories in one step, or in two where the system can't."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.renameat2(
            _AT_FDCWD, os.fsencode(directory), _AT_FDCWD, os.fsencode(place), _RENAME_EXCHANGE
        )
    except AttributeError:  # not Linux, or an old C library
        failed = -1
    if failed:
        _rename_twice(directory, place)


def _rename_twice(directory: Path, place: Path) -> None:
    """Move the old directory aside and the new one in; put the old one back if that fails."""
    aside = directory.with_name(directory.name + ".old")
    place.rename(aside)
    try:
        directory.rename(place)
    except OSError:
        aside.rename(place)
        raise
    aside.rename(directory)


def _remove_if_abandoned(directory: Path) -> None:
    """Remove a directory that no living build holds locked."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)
    except OSError:  # locked, or a file system without locks: it stays
        return
    finally:
        os.close(descriptor)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = _lock(directory)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(directory: Path) -> int:
    """Lock a directory until the descriptor is closed or the process ends."""
    descriptor = os.open(directory, os.O_RDONLY)
    with suppress(OSError):  # a file system without locks never finds a directory abandoned
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _flush(path: Path) -> None:
    """Bring a file or directory to the disk before another is told to rely on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
