"""Registers the receiver with Genesys, once it has shown that it takes our events."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from genesys_cloud.api.receiver_address import AddressCaller, ReceiverAddress
from genesys_cloud.api.webhooks import Registration
from genesys_cloud.errors import ReceiverCheckError
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.webhook import trial
from genesys_cloud.webhook.signature import HEADER, sign

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


def register_receiver(url: str, *, actor: str, verify: bool) -> Registered:
    """Have events go to `url`, signed with the connection's first webhook secret if it has one."""
    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url

    hook = GenesysCloudHook()
    secret = hook.account().signing_secret
    ledger = open_ledger(ledger_url())
    try:
        with hook.get_conn() as client:
            return register(
                ledger, client, url, secret=secret, actor=actor, now=datetime.now(UTC),
                verify=verify,
            )  # fmt: skip
    finally:
        ledger.close()


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
) -> Registered:
    """Have status events go to `url`, signed with `secret`, and audit it.

    With `verify` the address has to answer a trial event first; raises ReceiverCheckError, and
    registers nothing, where it does not.
    """
    address = ReceiverAddress(url=url)
    if address.in_clear:
        log.warning("%s is http: status events travel in clear. Use https.", address.shown)
    takes_forged = check(address, secret, timeout_s=timeout_s) if verify else None
    registration = registrar.register_webhook(url, secret=secret)
    found = Registered(
        registration=registration, shown=address.shown, checked=verify, takes_forged=takes_forged
    )
    details = {**found.as_json(), "url": address.shown}
    audit.note(
        ledger, AuditEntry(at=now, actor=actor, action="webhook.registered", details=details)
    )
    return found


def check(address: ReceiverAddress, secret: str | None, *, timeout_s: float) -> bool:
    """Raise ReceiverCheckError unless the address takes a signed trial event.

    Returns whether it takes one that nobody has signed as well; then it is no receiver of this
    project, or one that allows unsigned events, which the log warns of.
    """
    with AddressCaller(address, timeout_s=timeout_s) as caller:
        body = trial.trial_body()
        signed = {HEADER: sign(body, secret)} if secret else {}
        _expect_taken(_post(caller, body, signed), address, secret)
        forged = {HEADER: sign(body, secrets.token_hex(32))}
        takes_forged = _is_success(_post(caller, body, forged))
    if takes_forged:
        log.warning(
            "%s takes events that nobody has signed: it is not this project's receiver, or one "
            "that allows unsigned events. Anybody who knows the address can report statuses.",
            address.shown,
        )
    return takes_forged


def _post(caller: AddressCaller, body: bytes, headers: dict[str, str]) -> int:
    try:
        return caller.post(body, {"Content-Type": "application/json", **headers})
    except ReceiverCheckError as error:
        raise ReceiverCheckError(f"{error} {NOTHING_DONE} {WITHOUT_CHECK}") from error


def _expect_taken(status: int, address: ReceiverAddress, secret: str | None) -> None:
    if _is_success(status):
        return
    if status == 401:
        cause = "the receiver has another one" if secret else "this connection has none"
        raise ReceiverCheckError(
            f"{address.shown} refuses a trial event with this connection's webhook secret (HTTP "
            f"401): {cause}. Set GENESYS_WEBHOOK_SECRET there and webhook_secret of the "
            f"connection to the same text. {NOTHING_DONE}"
        )
    raise _unexpected(status, address)


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _unexpected(status: int, address: ReceiverAddress) -> ReceiverCheckError:
    cure = _CURES.get(status) or _CURES.get(status // 100) or _CURE
    return ReceiverCheckError(
        f"{address.shown} answers a trial event with HTTP {status}: {cure} {NOTHING_DONE}"
    )


_CURE = "that is not what this project's receiver answers. Check the address."
_CURES = {
    3: "it redirects, and Genesys does not follow. Give the address that it redirects to.",
    400: "an older receiver, which knows no trial events. Update it.",
    403: "something before the receiver keeps us out. Check proxy and firewall.",
    404: "nothing receives events there. The path is /webhooks/genesys-messaging.",
    405: "nothing receives events there. The path is /webhooks/genesys-messaging.",
    5: "the receiver or a proxy before it fails. Look into the receiver's log.",
}
"""What an HTTP status, or its first digit, means and what to do."""
