"""The spool: events that were taken while the ledger was away, in files until it is back.

Each process writes a file of its own, so that several receivers may share a folder; files of
processes that have died are taken over. Everything is replayed in the order of its arrival, and a
file is removed only after the last of its events has been committed. A replay that is cut short
begins again: the ledger knows an event by its id, so a second time changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from genesys_cloud.outbound.opt_outs import Arrival
from genesys_cloud.webhook.spool_file import SpoolFile, decode, encode

log = logging.getLogger(__name__)

BATCH = 200
"""Events replayed in one transaction."""

SET_ASIDE = "set-aside.jsonl"
"""The file for what can't be replayed; a person looks at it."""

_FILES = "events-*.jsonl"


class SpoolFullError(Exception):
    """The spool may not grow any more, or the disk can't take it."""


class Spool:
    """One process's view of the folder; its threads may share it."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self._lock = threading.Lock()  # held for the file's end only, never while replaying
        self._own: SpoolFile | None = None
        self._adopted: list[SpoolFile] = []

    def append(self, events: Sequence[Arrival]) -> None:
        """Keep the events, durably; raises SpoolFullError, and keeps none, where that can't be."""
        data = encode(events)
        with self._lock:
            if folder_size(self.folder) + len(data) > self.most_bytes:
                raise SpoolFullError(
                    f"The spool {self.folder} holds {self.most_bytes} bytes and takes no more. "
                    "Start the ledger's database again, or raise GENESYS_WEBHOOK_SPOOL_BYTES."
                )
            try:
                self._file().append(data)
            except OSError as error:
                raise SpoolFullError(
                    f"The spool {self.folder} can't be written ({error}). Give a folder with room "
                    "that this user may write in GENESYS_WEBHOOK_SPOOL."
                ) from error

    def adopt(self) -> None:
        """Take over the files of processes that have died."""
        with self._lock:
            mine = {file.path for file in (*self._adopted, self._own) if file}
            others = [path for path in sorted(self.folder.glob(_FILES)) if path not in mine]
            found = [file for path in others if (file := SpoolFile.adopt(path))]
            # Names begin with a time, so that names in order are events in order.
            self._adopted += found
        for file in found:
            log.warning("%s was left by a receiver that ended; it is replayed now", file.path)

    @property
    def waiting(self) -> bool:
        """Whether events of this process, or of one that it took over, wait for the ledger."""
        return bool(self._adopted or self._own)

    @property
    def size(self) -> int:
        """What this process has spooled and taken over, in bytes."""
        return sum(file.size for file in (*self._adopted, self._own) if file)

    def replay(self, count: Callable[[Sequence[Arrival]], Sequence[object]]) -> None:
        """Hand everything to `count`, oldest first; what `count` raises ends the replay for now.

        `count` returns a word for each event, or the error for one that can't be counted.
        """
        while file := self._oldest():
            lines = file.lines()
            while batch := list(islice(lines, BATCH)):
                self._replay(batch, count)
                file.replayed = batch[-1][0]
            self._finish(file)

    def _replay(
        self,
        batch: Sequence[tuple[int, bytes]],
        count: Callable[[Sequence[Arrival]], Sequence[object]],
    ) -> None:
        events: list[Arrival] = []
        lines: list[bytes] = []
        for _, line in batch:
            if not line.strip():
                continue  # the line of a person who was erased; see workflows/spool_erasure.py
            try:
                events.append(decode(line))
                lines.append(line)
            except ValueError as error:
                self._set_aside(line, error)
        outcomes = count(events) if events else ()
        if (failure := general_failure(outcomes)) is not None:
            raise failure
        for line, outcome in zip(lines, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self._set_aside(line, outcome)

    def _oldest(self) -> SpoolFile | None:
        with self._lock:
            return self._adopted[0] if self._adopted else self._own

    def _finish(self, file: SpoolFile) -> None:
        with self._lock:
            if file is not self._own:
                self._adopted.remove(file)
            elif file.replayed < file.size:
                return  # more came while the rest was replayed
            else:
                self._own = None
            file.remove()

    def _file(self) -> SpoolFile:
        if self._own is not None and self._own.is_torn:
            self._adopted.append(self._own)
            self._own = None
        if self._own is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            name = f"events-{time.time_ns():020d}-{os.getpid()}.jsonl"
            self._own = SpoolFile.create(self.folder / name)
        return self._own

    def _set_aside(self, line: bytes, error: Exception) -> None:
        log.error("a spooled event was set aside in %s: %s", SET_ASIDE, type(error).__name__)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.folder / SET_ASIDE, flags, 0o600)
        try:
            os.write(descriptor, line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def general_failure(outcomes: Sequence[object]) -> Exception | None:
    """Return the error where all events have one: it is nobody's own fault, and waiting may help.

    Of an event that is alone nobody can tell.
    """
    failures = [one for one in outcomes if isinstance(one, Exception)]
    return failures[0] if len(failures) == len(outcomes) > 1 else None


def folder_size(folder: Path) -> int:
    """Return how many bytes of events wait in a folder, whichever process has put them there."""
    sizes = 0
    for path in folder.glob(_FILES):
        with contextlib.suppress(FileNotFoundError):  # another process has just replayed it
            sizes += path.stat().st_size
    return sizes
