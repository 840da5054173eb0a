"""What the receiver is told: where events are counted, whose signatures count, where spools lie."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from genesys_cloud.errors import CampaignError, ConnectionSettingsError
from genesys_cloud.settings import ALLOW_UNSIGNED, PROJECT_ROOT, Settings
from genesys_cloud.webhook.api_key import SHORTEST_KEY

log = logging.getLogger(__name__)

READ_AGAIN_S = 60.0
"""For how long a configuration holds; a secret that was rotated counts after that at the latest."""


@dataclass(frozen=True, kw_only=True)
class ReceiverConfig:
    """Where events are counted, and whose signatures count; several secrets while rotating.

    `api_keys` are taken in place of a signature from who can't sign; `include_dir` holds the words
    by which people opt out.
    `tolerance_s` is how far the time of a Standard Webhooks signature may be off, 0 for any.
    `spool` is the folder of the spool, and `spool_bytes` the most that it may hold.
    """

    ledger_url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    spool: Path
    spool_bytes: int
    include_dir: Path = PROJECT_ROOT / "include"
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    tolerance_s: float = 300.0
    allow_unsigned: bool = False

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        ledger_url: str,
        secrets: tuple[str, ...],
        api_keys: tuple[str, ...] = (),
    ) -> ReceiverConfig:
        """Return the configuration; raises ConnectionSettingsError where nothing is verified."""
        if not secrets and not api_keys and not settings.allow_unsigned_events:
            raise ConnectionSettingsError(
                "The receiver has no signing secret, so it could verify nothing. Set "
                "GENESYS_WEBHOOK_SECRET, or webhook_secret in the connection's extra; while "
                "rotating, give both secrets. Senders that can't sign need "
                "GENESYS_WEBHOOK_API_KEY, or webhook_api_key in the extra. To count events that "
                f"anybody may have sent, set GENESYS_WEBHOOK_ALLOW_UNSIGNED={ALLOW_UNSIGNED}."
            )
        if any(len(key) < SHORTEST_KEY for key in api_keys):
            raise ConnectionSettingsError(
                f"A webhook API key is shorter than {SHORTEST_KEY} characters, and could be found "
                "by trying. Make GENESYS_WEBHOOK_API_KEY, or webhook_api_key in the connection's "
                "extra, with `openssl rand -hex 32`."
            )
        return cls(
            ledger_url=ledger_url,
            secrets=secrets,
            spool=settings.webhook_spool,
            spool_bytes=settings.webhook_spool_bytes,
            include_dir=settings.include_dir,
            api_keys=api_keys,
            tolerance_s=settings.webhook_tolerance_s,
            allow_unsigned=not (secrets or api_keys),
        )

    def warn(self) -> None:
        """Say it in the log where anybody may send events."""
        if self.allow_unsigned:
            log.warning(
                "The receiver counts UNSIGNED status events: whoever reaches it can change the "
                "status of any message whose id they know. Set GENESYS_WEBHOOK_SECRET."
            )


class ConfigSource:
    """The configuration in force, read again once a minute; threads may share it."""

    def __init__(
        self,
        configure: Callable[[], ReceiverConfig],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configure = configure
        self._clock = clock
        self._lock = threading.Lock()
        self._config: ReceiverConfig | None = None
        self._holds_until = 0.0

    @property
    def fresh(self) -> ReceiverConfig | None:
        """The configuration as long as it holds; asking costs nothing."""
        return self._config if self._clock() < self._holds_until else None

    def read(self) -> ReceiverConfig:
        """Return the configuration, read again where it holds no longer.

        One that could be read before stays in force when it can't be read now.
        """
        with self._lock:
            return self.fresh or self._read()

    def _read(self) -> ReceiverConfig:
        try:
            config = self._configure()
        except CampaignError as error:
            if self._config is None:
                raise
            log.error("the receiver goes on with the configuration that it has: %s", error)
            config = self._config
        if self._config is None or config.allow_unsigned != self._config.allow_unsigned:
            config.warn()
        self._config, self._holds_until = config, self._clock() + READ_AGAIN_S
        return config
