"""Takes one person's status events out of the receivers' spool.

A receiver that is running owns its file, appends to it and remembers how far it has read. So a line
is overwritten where it stands, byte for byte with spaces: nothing moves, and nobody has to wait.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.outbound.identity import Identity
from genesys_cloud.webhook.spool_file import decode

_FILES = "*.jsonl"


def erase_spooled(folder: Path, identity: Identity, message_ids: Collection[str]) -> int:
    """Overwrite the lines that are about these messages or quote the address; return how many.

    Raises ConnectionSettingsError for a spool that this user may not write.
    """
    wanted = frozenset(message_ids)
    try:
        return sum(_erase_in(path, identity, wanted) for path in sorted(folder.glob(_FILES)))
    except PermissionError as error:
        raise ConnectionSettingsError(
            f"The ledger is erased, but the receiver's spool {folder} is not ({error.strerror}). "
            "Run the same command again as the user that runs the receiver."
        ) from error


def _erase_in(path: Path, identity: Identity, message_ids: frozenset[str]) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:  # a receiver has just replayed it
        return 0
    erased = 0
    try:
        with open(descriptor, "rb", closefd=False) as file:
            for offset, line in _lines(file.read()):
                if _is_about(line, identity, message_ids):
                    os.pwrite(descriptor, b" " * len(line), offset)
                    erased += 1
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return erased


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for line in data.split(b"\n"):
        yield offset, line
        offset += len(line) + 1


def _is_about(line: bytes, identity: Identity, message_ids: frozenset[str]) -> bool:
    if identity.quoted_in(line.decode("utf-8", "replace")):
        return True
    try:
        return decode(line).message_id in message_ids
    except ValueError:
        return False
