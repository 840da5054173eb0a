"""Tries a receiver's address: it has to take our event, and should take nobody else's.

The receiver does not count the event that tries it.
"""

from __future__ import annotations

import secrets

from genesys_cloud.api.receiver_address import AddressCaller, ReceiverAddress
from genesys_cloud.errors import ReceiverCheckError
from genesys_cloud.webhook import api_key, trial
from genesys_cloud.webhook.signature import HEADER, sign

TAKES_FORGED = (
    "takes events that nobody has signed: it is not this project's receiver, or one that allows "
    "unsigned events. Anybody who knows the address can report statuses. Check the address; a "
    "receiver of this project takes them where it has no secret: give it GENESYS_WEBHOOK_SECRET."
)
"""What follows the address of such a receiver."""


def try_out(
    address: ReceiverAddress, secret: str | None, *, timeout_s: float, key: str | None = None
) -> bool:
    """Raise ReceiverCheckError unless the address takes a trial event, signed or with the key.

    Returns whether it takes one that nobody has signed as well. Raises ReceiverSilentError where no
    answer comes within `timeout_s`.
    """
    with AddressCaller(address, timeout_s=timeout_s) as caller:
        body = trial.trial_body()
        signed = {HEADER: sign(body, secret)} if secret else {}
        proof = signed if key is None else {api_key.HEADER: key}
        _expect_taken(_post(caller, body, proof), address, secret, key)
        forged = {HEADER: sign(body, secrets.token_hex(32))}
        return _is_success(_post(caller, body, forged))


def _post(caller: AddressCaller, body: bytes, headers: dict[str, str]) -> int:
    return caller.post(body, {"Content-Type": "application/json", **headers})


def _expect_taken(
    status: int, address: ReceiverAddress, secret: str | None, key: str | None
) -> None:
    if _is_success(status):
        return
    if status != 401:
        raise _unexpected(status, address)
    name = "secret" if key is None else "API key"
    given = "the receiver has another one" if secret or key else "this connection has none"
    raise ReceiverCheckError(
        f"{address.shown} refuses a trial event with this connection's webhook {name} (HTTP 401): "
        f"{given}. Set GENESYS_WEBHOOK_{'SECRET' if key is None else 'API_KEY'} there and "
        f"webhook_{'secret' if key is None else 'api_key'} of the connection to the same text."
    )


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _unexpected(status: int, address: ReceiverAddress) -> ReceiverCheckError:
    cure = _CURES.get(status) or _CURES.get(status // 100) or _CURE
    return ReceiverCheckError(f"{address.shown} answers a trial event with HTTP {status}: {cure}")


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
