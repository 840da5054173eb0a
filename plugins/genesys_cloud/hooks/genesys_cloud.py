"""From an Airflow connection to a client, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseHook

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import CampaignError, ConnectionSettingsError
from genesys_cloud.settings import Account, Settings

DEFAULT_CONNECTION = "genesys_cloud_default"
LEDGER_CONNECTION = "genesys_ledger"


class GenesysCloudHook(BaseHook):
    """Opens a client for a `genesys_cloud` connection; without one the environment serves."""

    conn_name_attr = "genesys_conn_id"
    default_conn_name = DEFAULT_CONNECTION
    conn_type = "genesys_cloud"
    hook_name = "Genesys Cloud"

    def __init__(
        self, genesys_conn_id: str = DEFAULT_CONNECTION, *, profile: str | None = None
    ) -> None:
        super().__init__()
        self.genesys_conn_id = genesys_conn_id
        self.profile = profile

    def account(self) -> Account:
        """Return the account that the connection, or else the environment, describes.

        Its secrets are masked in every log from then on.
        """
        from airflow.sdk.log import mask_secret

        connection = find_connection(self.genesys_conn_id)
        if connection is None:
            settings = Settings.from_environment()
            account = _from_environment(settings, self.genesys_conn_id, self.profile)
        else:
            account = _from_connection(connection, self.profile)
        secrets = (account.client_secret, *account.webhook_secrets, *account.webhook_api_keys)
        for secret in secrets:
            mask_secret(secret)
        return account

    def get_conn(self, *, pace: Callable[[int], None] | None = None) -> GenesysClient:
        """Return a client; `pace` waits before each read, given the requests a minute allowed."""
        state_dir = Settings.from_environment().state_dir
        return GenesysClient(self.account(), state_dir=state_dir, pace=pace)

    def test_connection(self) -> tuple[bool, str]:
        """Authenticate for real, and say what was found; Airflow's Test button shows it."""
        try:
            with self.get_conn() as client:
                return True, client.describe()
        except CampaignError as error:
            return False, str(error)


def find_connection(conn_id: str) -> Any | None:
    """Return an Airflow connection, None where there is none of that name."""
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None
    except AirflowRuntimeError as error:
        if "CONNECTION_NOT_FOUND" in str(error):
            return None
        raise


def ledger_url() -> str:
    """Return the ledger's URL: the connection genesys_ledger, else the environment's."""
    connection = find_connection(LEDGER_CONNECTION)
    if connection is None:
        return Settings.from_environment().ledger_url
    if connection.conn_type == "sqlite":
        # Airflow's URI for it percent-encodes the path; its form keeps the path as the host.
        return f"sqlite:///{connection.host or connection.schema}"
    return str(connection.get_uri())


def _from_environment(settings: Settings, conn_id: str, profile: str | None) -> Account:
    return Account(
        name=conn_id,
        client_id=settings.client_id or "",
        client_secret=settings.client_secret or "",
        region=settings.region,
        base_url=settings.base_url,
        profile=profile or "auto",
        webhook_secrets=settings.webhook_secrets,
        webhook_api_keys=settings.webhook_api_keys,
    )


def _from_connection(connection: Any, profile: str | None) -> Account:
    extra = connection.extra_dejson
    if not isinstance(extra, dict):
        raise ConnectionSettingsError(
            f"Connection {connection.conn_id!r} has an extra that is no JSON object. Write it as "
            '{"region": "us-east-1"}.'
        )
    given = {name: value for name, value in extra.items() if value not in (None, "")}
    limit = given.get("requests_per_minute")
    try:
        return Account(
            name=connection.conn_id,
            client_id=connection.login or "",
            client_secret=connection.password or "",
            region=str(given.get("region", "us-east-1")),
            base_url=_base_url(connection),
            profile=profile or str(given.get("profile", "auto")),
            requests_per_minute=int(limit) if limit is not None else None,
            timeout_s=float(given.get("timeout_s", 30)),
            webhook_secrets=_secrets(given.get("webhook_secret")),
            webhook_api_keys=_secrets(given.get("webhook_api_key")),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise ConnectionSettingsError(
            f"Connection {connection.conn_id!r} has an extra that is not a number ({error}). "
            "Correct requests_per_minute and timeout_s."
        ) from None


def _base_url(connection: Any) -> str | None:
    """Return the base URL, put together again where Airflow has split it."""
    host: str | None = connection.host
    if not host:
        return None
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    has_port = host.rsplit(":", 1)[-1].rstrip("/").isdigit()
    return f"{host}:{connection.port}" if connection.port and not has_port else host


def _secrets(value: object) -> tuple[str, ...]:
    words = value if isinstance(value, list) else [value]
    return tuple(str(word) for word in words if word)
