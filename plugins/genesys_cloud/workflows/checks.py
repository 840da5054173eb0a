"""Whether all that a campaign needs is there: checks that say what was found, or what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import CampaignError, ConnectionSettingsError
from genesys_cloud.hooks.genesys_cloud import (
    DEFAULT_CONNECTION,
    GenesysCloudHook,
    find_connection,
    ledger_url,
)
from genesys_cloud.ledger.database import SCHEMA_REVISIONS, open_ledger
from genesys_cloud.outbound.channels import CHANNELS, templated
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.reporting.targets import check_target
from genesys_cloud.settings import Account, Settings
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.workflows.audiences import storage_path

MOST_SKEW_S = 60.0
"""Seconds that the host's clock and ours may disagree: the margin that a token's end is given."""

PROFILES = ("messaging", "agentless")


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was looked at, whether it is well, and what was found or is to be done."""

    name: str
    ok: bool
    said: str


def look_around(conn_id: str = DEFAULT_CONNECTION) -> Iterator[Check]:
    """Yield each check as it is made; what rests on one that failed is left out."""
    hook, settings = GenesysCloudHook(conn_id), Settings.from_environment()
    connection = _check("connection", lambda: _connection(hook))
    yield connection
    if connection.ok:
        with hook.get_conn() as client:
            yield from _asked(client)
    yield _check("ledger", _ledger)
    yield _check("templates", lambda: _templates(settings.include_dir / "templates"))
    yield _check("exports", lambda: _exports(settings.export_url))
    if connection.ok:
        yield _check("receiver", lambda: _receiver(settings, hook.account()))


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, said=look())
    except CampaignError as error:
        return Check(name=name, ok=False, said=str(error))


def _connection(hook: GenesysCloudHook) -> str:
    account, found = hook.account(), find_connection(hook.genesys_conn_id)
    source = "the environment" if found is None else f"Airflow's connection {account.name!r}"
    with hook.get_conn() as client:
        return f"{source}; API at {client.session.hosts.api}, login at {client.session.hosts.login}"


def _asked(client: GenesysClient) -> Iterator[Check]:
    token = _check("token", lambda: _token(client))
    yield token
    if not token.ok:
        return
    profile = _check("profile", lambda: f"{client.profile}: {client.profile_reason}")
    yield profile
    if profile.ok:
        yield _check("rights", lambda: _rights(client))
        yield _check(
            "limit",
            lambda: f"{client.requests_per_minute} requests a minute: {client.limit_source}",
        )
    yield _check("clock", lambda: _clock(client))


def _token(client: GenesysClient) -> str:
    info = client.renew()
    return f"a new one from {client.session.auth.login_url}, good for {info.seconds_left} s"


def _rights(client: GenesysClient) -> str:
    # Scopes are the tutorial's; on the real platform the rights are those of the client's roles.
    missing = " ".join(client.authenticate().missing_scopes)
    if missing and client.profile == "messaging":
        raise ConnectionSettingsError(
            f"The OAuth client was not granted the scopes {missing}. Add them to the client in "
            "the Admin Console, or what they are for will be refused."
        )
    return client.rights


def _clock(client: GenesysClient) -> str:
    lead = client.clock_lead_s()
    if lead is None:
        return "not compared: the host does not say what time it is"
    if abs(lead) > MOST_SKEW_S:
        direction = "ahead of" if lead > 0 else "behind"
        raise ConnectionSettingsError(
            f"This machine's clock is {abs(lead):,.0f} s {direction} Genesys Cloud's. Let NTP set "
            "it: quiet hours, the ends of tokens and the days of reports go by it."
        )
    return f"within {MOST_SKEW_S:g} s of Genesys Cloud's"


def _ledger() -> str:
    ledger = open_ledger(ledger_url())
    try:
        return f"{ledger.name} answers and has schema {SCHEMA_REVISIONS[-1]}"
    finally:
        ledger.close()


def _templates(root: Path) -> str:
    library = TemplateLibrary(root=root)
    names = library.names()
    for profile in PROFILES:
        for name in names:
            for provider in sorted(_providers(root / name, profile)):
                library.load(name, provider, profile)
    return f"{len(names)} in {root} load: {', '.join(names) or 'none'}"


def _providers(folder: Path, profile: str) -> set[str]:
    """Return the channels that a template's files are for."""
    sendable = [each.provider for each in CHANNELS.values() if each.limit(profile) is not None]
    found: set[str] = set()
    for path in folder.iterdir():
        of_file = path.stem.partition(".")[2]
        found |= {
            provider
            for provider in sendable
            if of_file in ("", provider)
            and path.suffix == (".toml" if templated(provider, profile) else ".j2")
        }
    return found


def _exports(location: str) -> str:
    check_target(storage_path(location))
    return f"{location} can be written"


def _receiver(settings: Settings, account: Account) -> str:
    config = ReceiverConfig.from_settings(
        settings,
        ledger_url="",
        secrets=account.webhook_secrets,
        api_keys=account.webhook_api_keys,
    )
    if config.allow_unsigned:
        raise ConnectionSettingsError(
            "The receiver counts events that nobody has signed, so anybody who reaches it can "
            "change statuses. Set GENESYS_WEBHOOK_SECRET, and unset GENESYS_WEBHOOK_ALLOW_UNSIGNED."
        )
    return f"{len(config.secrets)} signing secrets and {len(config.api_keys)} API keys are set"
