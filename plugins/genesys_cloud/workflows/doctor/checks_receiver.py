"""Checks of the way by which statuses come: the receiver, and who is told to push to it."""

from __future__ import annotations

from collections.abc import Sequence

from genesys_cloud.api.client import WEBHOOK_NAME
from genesys_cloud.api.profiles.messaging_webhooks import Webhook
from genesys_cloud.api.receiver_address import ReceiverAddress
from genesys_cloud.api.registrations import KINDS, Registrations, Standing
from genesys_cloud.api.webhooks import WebhookRegistry
from genesys_cloud.errors import ApiError, PermissionDeniedError
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.workflows.doctor.checkup import PATIENCE_S, Found, Scene, info, warning, wrong
from genesys_cloud.workflows.receiver_trial import TAKES_FORGED, try_out

ASKED = "statuses come by asking, every 15 minutes: keep {dag} switched on"

REGISTER = "run webhook_subscription, or `genesys-cloud webhook register`"


def configured(scene: Scene) -> str | Found:
    """See that a receiver here would verify what it is sent."""
    account, settings = scene.account, scene.settings
    proofs = account.webhook_secrets or account.webhook_api_keys
    if not (proofs or settings.webhook_url or settings.allow_unsigned_events):
        return info("no receiver is configured, and none is needed where statuses are asked for")
    config = ReceiverConfig.from_settings(
        settings,
        ledger_url="",
        secrets=account.webhook_secrets,
        api_keys=account.webhook_api_keys,
    )
    if config.allow_unsigned:
        return wrong(
            "The receiver counts events that nobody has signed, so anybody who reaches it can "
            "change statuses. Set GENESYS_WEBHOOK_SECRET, and unset GENESYS_WEBHOOK_ALLOW_UNSIGNED."
        )
    return f"set are signing secrets: {len(config.secrets)}, API keys: {len(config.api_keys)}"


def registered(scene: Scene) -> str | Found:
    """Ask Genesys Cloud where it pushes events to, and keep that address for the trial."""
    if scene.client.profile == "messaging":
        return _webhook(scene)
    return _pushes(scene)


def answers(scene: Scene) -> str | Found | None:
    """Send a trial event to the address; None where there is no address."""
    url = scene.settings.webhook_url or scene.registered_url
    if url is None:
        return None
    address, account = ReceiverAddress(url=url), scene.account
    if not scene.try_receiver:
        return info(f"{address.shown} was not tried")
    secret = account.signing_secret
    key = None if secret else account.api_key
    if try_out(address, secret, key=key, timeout_s=PATIENCE_S):
        return wrong(f"{address.shown} {TAKES_FORGED}")
    if address.in_clear:
        return warning(f"{address.shown} is http: status events travel in clear. Use https.")
    return f"{address.shown} takes what this connection signs, and refuses what it does not"


def _webhook(scene: Scene) -> str | Found:
    url, session = scene.settings.webhook_url or "", scene.client.session
    try:
        ours = WebhookRegistry(session.read, session.change).ours(url, WEBHOOK_NAME)
    except PermissionDeniedError:
        if url:
            raise
        return info(f"not to be seen by this client; {ASKED.format(dag='reconcile_sends')}")
    if ours is None:
        return info("the host lists no webhooks, so nobody can tell")
    if ours:
        scene.registered_url = ours[0].url
        return _judged(ours, url)
    if url:
        return wrong(f"No webhook is registered for {_shown(url)}: {REGISTER}.")
    return info(f"no webhook is registered; {ASKED.format(dag='reconcile_sends')}")


def _judged(ours: Sequence[Webhook], url: str) -> str | Found:
    kept, *others = ours
    if not kept.enabled:
        return wrong(f"Webhook {kept.webhook_id} is switched off: {REGISTER}.")
    if url and kept.url != url:
        return wrong(_elsewhere(f"Webhook {kept.webhook_id}", kept.url, url))
    if any(one.enabled for one in others):
        return warning(f"Several webhooks are ours, so every event comes twice: {REGISTER}.")
    return f"webhook {kept.webhook_id} posts to {_shown(kept.url)}"


def _pushes(scene: Scene) -> str | Found:
    """Look for each of the three ways; whoever may not list one need not have it."""
    url, registrations = scene.settings.webhook_url, Registrations(scene.client.session)
    found: list[Standing] = []
    unseen: list[str] = []
    for kind in KINDS:
        try:
            found += registrations.standing(kind)
        except ApiError:
            unseen.append(kind)
    if not found:
        but = f" (the client may not list {', '.join(unseen)})" if unseen else ""
        return info(f"nothing pushes by our name{but}; {ASKED.format(dag='track_statuses')}")
    for one in found:
        scene.registered_url = scene.registered_url or one.url
        if not one.enabled:
            return warning(f"The {one.kind} registration {one.id} is switched off: {REGISTER}.")
        if url and one.url and one.url != url:
            return wrong(_elsewhere(f"The open integration {one.id}", one.url, url))
    return _listed(found)


def _listed(found: Sequence[Standing]) -> str:
    return ", ".join(
        f"{one.kind} {one.id}" + (f" posts to {_shown(one.url)}" if one.url else " is on")
        for one in found
    )


def _elsewhere(who: str, to: str | None, url: str) -> str:
    return f"{who} posts to {_shown(to)}, and GENESYS_WEBHOOK_URL is {_shown(url)}: {REGISTER}."


def _shown(url: str | None) -> str:
    """Return an address without its query: that may hold a secret."""
    return (url or "no address").partition("?")[0]
