"""What the environment says; nothing else touches os.environ."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from genesys_cloud.errors import ConnectionSettingsError

T = TypeVar("T")

PROJECT_ROOT = Path(__file__).resolve().parents[2]

ALLOW_UNSIGNED = "yes-i-know"
"""What GENESYS_WEBHOOK_ALLOW_UNSIGNED has to say; no other word opens the receiver to everybody."""


def read_clear(path: Path, parse: Callable[[str], T], refused: Callable[[str], Exception]) -> T:
    """Return what `parse` makes of a file's text.

    Where it can't be read, or `parse` raises ValueError, raises what `refused` makes of the reason.
    """
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise refused(str(reason)) from error


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Environment variables, one field each, with their defaults.

    Airflow connections win over these: `genesys_cloud_default` over the GENESYS_CLIENT_* group and
    `genesys_ledger` over GENESYS_LEDGER_URL.
    """

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    region: str = "us-east-1"
    base_url: str | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    webhook_api_key: str | None = field(default=None, repr=False)
    allow_unsigned_events: bool = False
    webhook_tolerance_s: float = 300.0
    webhook_spool: Path = Path(tempfile.gettempdir()) / "genesys_webhook_spool"
    webhook_spool_bytes: int = 256 * 1024 * 1024
    ledger_url: str = field(default="", repr=False)
    export_url: str = ""
    include_dir: Path = PROJECT_ROOT / "include"
    state_dir: Path = Path(tempfile.gettempdir())

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; an empty variable counts as absent."""
        env = os.environ if environ is None else environ  # noqa: TID251 - the one reader
        home = Path(env.get("AIRFLOW_HOME") or Path.home() / "airflow")
        return cls(
            client_id=env.get("GENESYS_CLIENT_ID") or None,
            client_secret=env.get("GENESYS_CLIENT_SECRET") or None,
            region=env.get("GENESYS_REGION") or "us-east-1",
            base_url=env.get("GENESYS_BASE_URL") or None,
            webhook_url=env.get("GENESYS_WEBHOOK_URL") or None,
            webhook_secret=env.get("GENESYS_WEBHOOK_SECRET") or None,
            webhook_api_key=env.get("GENESYS_WEBHOOK_API_KEY") or None,
            allow_unsigned_events=env.get("GENESYS_WEBHOOK_ALLOW_UNSIGNED") == ALLOW_UNSIGNED,
            webhook_tolerance_s=_whole(env.get("GENESYS_WEBHOOK_TOLERANCE_S") or "300"),
            webhook_spool=Path(env.get("GENESYS_WEBHOOK_SPOOL") or home / "genesys_webhook_spool"),
            webhook_spool_bytes=_whole(env.get("GENESYS_WEBHOOK_SPOOL_BYTES") or "268435456"),
            ledger_url=env.get("GENESYS_LEDGER_URL") or f"sqlite:///{home}/genesys_ledger.db",
            export_url=env.get("GENESYS_EXPORT_URL") or str(home / "exports"),
            include_dir=Path(env.get("GENESYS_INCLUDE_DIR") or PROJECT_ROOT / "include"),
            state_dir=Path(env.get("GENESYS_STATE_DIR") or home / "genesys_state"),
        )

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The signing secrets in force; several, comma-separated, while rotating."""
        return _listed(self.webhook_secret)

    @property
    def webhook_api_keys(self) -> tuple[str, ...]:
        """The keys of those who can't sign; several, comma-separated, while rotating."""
        return _listed(self.webhook_api_key)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _whole(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise ConnectionSettingsError(
            f"GENESYS_WEBHOOK_TOLERANCE_S (seconds) and GENESYS_WEBHOOK_SPOOL_BYTES are whole "
            f"numbers; {word[:20]!r} is none."
        )
    return int(word)


def metrics_are_on() -> bool:
    """Return whether the environment turns Airflow's metrics on."""
    switches = ("STATSD_ON", "STATSD_DATADOG_ENABLED", "OTEL_ON")
    values = (os.environ.get(f"AIRFLOW__METRICS__{one}", "") for one in switches)  # noqa: TID251 - the one reader
    return any(value.strip().lower() in {"t", "true", "1"} for value in values)


def find_stored_connections() -> None:
    """Let Airflow look for connections in its database too, from a process that is no task.

    Airflow's own command line sets this variable for the same end.
    """
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")  # noqa: TID251 - see above


@dataclass(frozen=True, kw_only=True)
class Account:
    """One Genesys Cloud account as the client needs it: where, as whom, how fast.

    `requests_per_minute` is the account's limit, None where Genesys is to say; `timeout_s` bounds
    connecting and each read, in seconds; `name` is the connection id that error messages give.
    """

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    region: str = "us-east-1"
    base_url: str | None = None
    profile: str = "auto"
    requests_per_minute: int | None = None
    timeout_s: float = 30.0
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    webhook_api_keys: tuple[str, ...] = field(default=(), repr=False)

    @property
    def signing_secret(self) -> str | None:
        """The secret that events are to be signed with from now on: the first of those in force."""
        return self.webhook_secrets[0] if self.webhook_secrets else None

    @property
    def api_key(self) -> str | None:
        """The key that senders that can't sign are to send: the first of those in force."""
        return self.webhook_api_keys[0] if self.webhook_api_keys else None

    def __post_init__(self) -> None:
        if not self.client_id or not self.client_secret:
            raise ConnectionSettingsError(
                f"Connection {self.name!r} has no OAuth client id or secret. Fill in login and "
                "password of the connection, or GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET."
            )
        if self.profile not in {"auto", "messaging", "agentless"}:
            raise ConnectionSettingsError(
                f"Connection {self.name!r} has profile {self.profile!r}; use auto, messaging or "
                "agentless."
            )
        limit = self.requests_per_minute
        if (limit is not None and limit < 1) or not 0 < self.timeout_s < math.inf:
            raise ConnectionSettingsError(
                f"Connection {self.name!r} needs requests_per_minute of at least 1 and timeout_s "
                "above 0."
            )
