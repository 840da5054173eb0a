"""One file of spooled events: append-only, its owner's alone, JSON lines.

A line holds what a StatusEvent or a Choice holds and nothing else; the address of a choice is in
clear, so that an erasure finds it. The lock on the file says that its owner is
alive: it goes with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from genesys_cloud.outbound.opt_outs import Arrival, Choice, Verdict
from genesys_cloud.outbound.scope import Scope
from genesys_cloud.outbound.status import StatusEvent

_CHUNK = 1 << 20
"""Bytes read at a time; far more than the longest line."""


class SpoolFile:
    """A spool file that this process owns."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self.replayed = 0  # bytes whose events are in the ledger
        self.is_torn = False  # what a failed write left could not be taken back

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new file, which only its owner can read."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
        # It gets its name after its lock: nobody shall take it for a dead process's file.
        unlocked = path.with_suffix(".new")
        descriptor = os.open(unlocked, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        unlocked.rename(path)
        _sync_folder(path.parent)
        return cls(path, descriptor)

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Take over a file whose owner has died, None where it lives or another was faster."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError:  # gone meanwhile, or another user's
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        if not os.fstat(descriptor).st_nlink:  # replayed and removed before the lock was ours
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def append(self, data: bytes) -> None:
        """Add lines, durably; raises OSError and takes back what it wrote where that fails."""
        try:
            written = os.write(self._descriptor, data)
            if written < len(data):
                raise OSError(f"only {written} of {len(data)} bytes were written")
            os.fsync(self._descriptor)
        except OSError:
            self.is_torn = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
                self.is_torn = False
            raise
        self.size += len(data)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each whole line that was not replayed yet, with the offset behind it.

        What a crash tore off at the end has no line feed; nobody was told 2xx for it.
        """
        rest, offset = b"", self.replayed
        while chunk := os.pread(self._descriptor, _CHUNK, offset + len(rest)):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                offset += len(line) + 1
                yield offset, line

    def remove(self) -> None:
        """Delete the file, and give up its lock."""
        self.path.unlink(missing_ok=True)
        _sync_folder(self.path.parent)
        os.close(self._descriptor)

    def close(self) -> None:
        """Give up the lock, and leave the file to the next process."""
        os.close(self._descriptor)


def encode(events: Sequence[Arrival]) -> bytes:
    """Return the events as lines."""
    lines = (json.dumps(_fields(event), separators=(",", ":")) for event in events)
    return "".join(f"{line}\n" for line in lines).encode()


def decode(line: bytes) -> Arrival:
    """Return the event in a line; raises ValueError for what is none."""
    try:
        fields = json.loads(line)
        event_id, message_id = _word(fields["event_id"]), _word(fields["message_id"])
        status, reason = _word(fields["status"]), fields.get("reason_code")
        occurred_at = datetime.fromisoformat(fields["occurred_at"])
        if "address" in fields:
            return Choice(
                event_id=event_id,
                message_id=message_id,
                channel=_word(fields["channel"]),
                address=_word(fields["address"]),
                verdict=Verdict(status),
                occurred_at=occurred_at,
                # A line of an older receiver has none.
                scope=Scope(fields.get("scope", Scope.CHANNEL)),
            )
        return StatusEvent(
            event_id=event_id,
            message_id=message_id,
            status=status,
            occurred_at=occurred_at,
            reason_code=None if reason is None else _word(reason),
        )
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no spooled event: {type(error).__name__}") from None


def _fields(event: Arrival) -> dict[str, str]:
    fields = {
        "event_id": event.event_id,
        "message_id": event.message_id,
        "status": event.status,
        "occurred_at": event.occurred_at.isoformat(),
    }
    if isinstance(event, Choice):
        return fields | {"channel": event.channel, "address": event.address, "scope": event.scope}
    return fields | ({"reason_code": event.reason_code} if event.reason_code else {})


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("no spooled event: a field is no text")
    return value


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
