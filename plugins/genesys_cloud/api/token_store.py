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
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from genesys_cloud.errors import ConnectionSettingsError

MARGIN_S = 60.0
"""A token is not used in its last minute (the seed tutorial's rule), lest it end in mid-request."""

_LARGEST_FILE = 64 * 1024


PROFILES = frozenset({"messaging", "agentless"})


class Profile(NamedTuple):
    """The profile that a host serves, and in a few words how that is known."""

    name: str
    reason: str


class RateLimit(NamedTuple):
    """How many requests a minute an account may make, and in a few words who says so."""

    per_minute: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What was found out with a token; each is None until somebody has asked."""

    profile: Profile | None = None
    limit: RateLimit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token; times are epoch seconds, `scopes` is None where the server names none."""

    value: str = field(repr=False)
    obtained_at: float
    expires_at: float
    scopes: tuple[str, ...] | None = None
    learnt: Learnt = Learnt()

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
        descriptor = self._open_lock(".lock")
        try:
            with self._as_settings_error():
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let one ask a question for all; whoever else comes waits until the first has done.

        Whoever has waited goes on without excluding anybody: where the first found no answer, all
        may ask at once, which is better than one after the other. Tokens can be fetched meanwhile.
        """
        descriptor = self._open_lock(".asking")
        try:
            with self._as_settings_error():
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
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

    def _open_lock(self, suffix: str) -> int:
        with self._as_settings_error():
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            found = self._directory.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                raise NotADirectoryError(errno.ENOTDIR, "it is a link, or somebody else's")
            if found.st_mode & 0o077:
                self._directory.chmod(0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            return os.open(self._file.with_suffix(suffix), flags, 0o600)

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
            # A token that an earlier version kept has none.
            learnt=_parse_learnt(fields.get("learnt") or {}),
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
        return None
    whole = isinstance(token.value, str) and bool(token.value)
    return token if whole and math.isfinite(token.expires_at - token.obtained_at) else None


def _parse_learnt(fields: Mapping[str, Any]) -> Learnt:
    profile, limit = fields.get("profile"), fields.get("limit")
    if profile is not None and profile[0] not in PROFILES:
        raise ValueError("a profile that this version does not know")
    if limit is not None and int(limit[0]) < 1:
        raise ValueError("a limit that lets nothing through")
    return Learnt(
        profile=None if profile is None else Profile(*map(str, profile)),
        limit=None if limit is None else RateLimit(int(limit[0]), str(limit[1])),
    )
