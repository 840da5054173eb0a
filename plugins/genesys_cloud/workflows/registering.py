"""Registers the receiver with Genesys, once it has shown that it takes our events."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Protocol

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.receiver_address import ReceiverAddress
from genesys_cloud.api.registrations import Order, Registrations, all_kinds
from genesys_cloud.api.webhooks import Registration
from genesys_cloud.errors import CampaignDefinitionError, ReceiverCheckError, ReceiverSilentError
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.workflows import receiver_trial

log = logging.getLogger(__name__)

CHECK_TIMEOUT_S = 10.0
"""How long each answer to a trial event may take; Genesys waits no longer."""

NOTHING_DONE = "Nothing was registered."

WITHOUT_CHECK = (
    "Where Genesys reaches the address and this machine does not, register it without the check: "
    "`--no-check`, or `verify` off in the form."
)


class Registrar(Protocol):
    """What registers an address with Genesys."""

    def register_webhook(self, url: str, *, secret: str | None = None) -> Registration:
        """Have status events go to `url`, from one registration."""


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """Registers in one of the ways that the real platform has."""

    registrations: Registrations
    order: Order

    def register_webhook(self, url: str, *, secret: str | None = None) -> Registration:
        """Have the platform push as the order says; only an open integration knows the address."""
        return self.registrations.register(self.order, url=url, secret=secret)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """The registration in force, its address for logs, and whether that was checked before.

    `takes_forged` is whether the address took a trial event that nobody had signed; None where
    that was not tried.
    """

    registration: Registration
    shown: str
    checked: bool
    takes_forged: bool | None = None

    def as_json(self) -> dict[str, str | bool | list[str] | None]:
        """The registration as task and command line tell of it."""
        return {
            "id": self.registration.id,
            "created": self.registration.created,
            "updated": self.registration.updated,
            "disabled": list(self.registration.disabled),
            "checked": self.checked,
            "takes_forged": self.takes_forged,
        }


def register_receiver(
    url: str, *, actor: str, verify: bool, order: Order | None = None
) -> Registered:
    """Have events go to `url`, in the way that `order` names where the profile is agentless.

    They are signed with the connection's first webhook secret if it has one; EventBridge and data
    actions can't sign, and send its first API key. Raises CampaignDefinitionError for an order that
    the profile can't carry out, or where it needs one.
    """
    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url

    hook = GenesysCloudHook()
    account = hook.account()
    signs = order is None or order.kind == "open"
    if not signs and account.api_key is None:
        log.warning(
            "EventBridge and data actions can't sign, and connection %s has no webhook_api_key: "
            "the receiver takes their events only where something between them signs.",
            account.name,
        )
    ledger = open_ledger(ledger_url())
    try:
        with hook.get_conn() as client:
            return register(
                ledger, registrar(client, order), url, secret=account.signing_secret, actor=actor,
                now=datetime.now(UTC), verify=verify, key=None if signs else account.api_key,
            )  # fmt: skip
    finally:
        ledger.close()


def order_of(given: Mapping[str, Any]) -> Order | None:
    """Return the order that is filled in, None where none is; raises CampaignDefinitionError."""
    filled = {one.name: given[one.name] for one in fields(Order) if given.get(one.name)}
    return Order(**({"kind": ""} | filled)) if filled else None


def registrar(client: GenesysClient, order: Order | None) -> Registrar:
    """Return what registers in the client's profile."""
    if client.profile != "agentless":
        if order is not None:
            raise CampaignDefinitionError(
                f"Nothing was registered: the kind {order.kind!r} is of the profile agentless, and "
                f"this connection's is {client.profile}, which has one way only. Leave it empty."
            )
        return client
    if order is None:
        raise CampaignDefinitionError(
            f"Nothing was registered: the profile agentless has several ways. {all_kinds()} "
            "Without any of them, track_statuses asks for the statuses."
        )
    return Ordered(registrations=Registrations(client.session), order=order)


def register(
    ledger: Ledger,
    registrar: Registrar,
    url: str,
    *,
    secret: str | None,
    actor: str,
    now: datetime,
    verify: bool = True,
    timeout_s: float = CHECK_TIMEOUT_S,
    key: str | None = None,
) -> Registered:
    """Have status events go to `url`, signed with `secret` or carrying `key`, and audit it.

    With `verify` the address has to answer a trial event first; raises ReceiverCheckError, and
    registers nothing, where it does not.
    """
    address = ReceiverAddress(url=url)
    if address.in_clear:
        log.warning("%s is http: status events travel in clear. Use https.", address.shown)
    takes_forged = check(address, secret, key=key, timeout_s=timeout_s) if verify else None
    registration = registrar.register_webhook(url, secret=secret)
    found = Registered(
        registration=registration, shown=address.shown, checked=verify, takes_forged=takes_forged
    )
    details = {**found.as_json(), "url": address.shown}
    audit.note(
        ledger, AuditEntry(at=now, actor=actor, action="webhook.registered", details=details)
    )
    return found


def check(
    address: ReceiverAddress, secret: str | None, *, timeout_s: float, key: str | None = None
) -> bool:
    """Raise ReceiverCheckError unless the address takes a trial event, signed or with the key.

    Returns whether it takes one that nobody has signed as well, which the log warns of.
    """
    try:
        takes_forged = receiver_trial.try_out(address, secret, timeout_s=timeout_s, key=key)
    except ReceiverSilentError as error:
        raise ReceiverSilentError(f"{error} {NOTHING_DONE} {WITHOUT_CHECK}") from error
    except ReceiverCheckError as error:
        raise ReceiverCheckError(f"{error} {NOTHING_DONE}") from error
    if takes_forged:
        log.warning("%s %s", address.shown, receiver_trial.TAKES_FORGED)
    return takes_forged
