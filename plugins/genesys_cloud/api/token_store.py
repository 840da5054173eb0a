"""Access tokens on disk, so that all processes of a machine share one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import math
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from genesys_cloud.errors import ConnectionSettingsError

MARGIN_S = 60.0
"""A token is not used in its last minute (the seed tutorial's rule), lest it end in mid-request."""

_LARGEST_FILE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token; times are epoch seconds, `scopes` is None where the server names none."""

    value: str = field(repr=False)
    obtained_at: float
    expires_at: float
    scopes: tuple[str, ...] | None = None

    def usable_at(self, now: float) -> bool:
        """Whether a request may still begin with this token."""
        lifetime = self.expires_at - self.obtained_at
        # A token that lives no longer than the margin would never be used at all.
        margin = MARGIN_S if lifetime > MARGIN_S else lifetime / 2
        return now < self.expires_at - margin


class TokenStore:
    """One token file, named by where the token comes from and for whom.

    The directory is private to the user (0700), as is the file (0600). `locked` excludes all other
    threads and processes of this machine, so that a hundred tasks fetch one token.
    """

    def __init__(self, state_dir: Path, *identity: str) -> None:
        self._directory = state_dir / "tokens"
        # The secret is part of the identity: a changed one is not served the old one's token.
        name = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).hexdigest()
        self._file = self._directory / f"{name[:40]}.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock; raises ConnectionSettingsError where the directory can't be used."""
        descriptor = self._open_lock()
        try:
            with self._as_settings_error():
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def load(self) -> Token | None:
        """Return the stored token, None where there is none that can be trusted."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                return None
            return _parse(file.read(_LARGEST_FILE))

    def save(self, token: Token) -> None:
        """Put the token in place of the one before, in one step."""
        content = json.dumps(asdict(token)).encode()
        with self._as_settings_error():
            descriptor, name = tempfile.mkstemp(dir=self._directory, prefix=".new-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                os.replace(name, self._file)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def forget(self) -> None:
        """Remove the stored token."""
        with self._as_settings_error():
            self._file.unlink(missing_ok=True)

    def _open_lock(self) -> int:
        with self._as_settings_error():
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            found = self._directory.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                raise NotADirectoryError(errno.ENOTDIR, "it is a link, or somebody else's")
            if found.st_mode & 0o077:
                self._directory.chmod(0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            return os.open(self._file.with_suffix(".lock"), flags, 0o600)

    @contextlib.contextmanager
    def _as_settings_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConnectionSettingsError(
                f"Access tokens can't be kept in {self._directory}: {error.strerror}. Set "
                "GENESYS_STATE_DIR to a directory on this machine that its user may write."
            ) from error


def _parse(content: bytes) -> Token | None:
    try:
        fields = json.loads(content)
        token = Token(
            value=fields["value"],
            obtained_at=float(fields["obtained_at"]),
            expires_at=float(fields["expires_at"]),
            scopes=None if fields["scopes"] is None else tuple(map(str, fields["scopes"])),
        )
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    whole = isinstance(token.value, str) and bool(token.value)
    return token if whole and math.isfinite(token.expires_at - token.obtained_at) else None
