"""A client of the simulator's API that hides nothing: every answer comes back as it is."""

from __future__ import annotations

from typing import Any

from requests import Response, Session

from tests.simulator.server import SimulatorProcess

MESSAGES = "/api/v2/messaging/messages"
WEBHOOKS = "/api/v2/webhooks"


def a_message(**changes: Any) -> dict[str, Any]:
    """Return the body of a WhatsApp message, as the contract shows it."""
    channel = {"provider": "whatsapp", "channelType": "messaging:whatsapp"}
    return {
        "channelType": "messaging:whatsapp",
        "from": {"address": "whatsapp:+12025550100", **channel},
        "to": [{"address": "whatsapp:+12025550123"}],
        "content": {"type": "text", "text": "Hello Alex, your order is ready."},
        "metadata": {"consentVerified": True, "campaignId": "camp_789"},
    } | changes


def a_message_to(number: int, text: str = "Hello") -> dict[str, Any]:
    """Return the body of a WhatsApp message to one of many recipients."""
    address = f"whatsapp:+1202555{number:04d}"
    return a_message(to=[{"address": address}], content={"type": "text", "text": text})


def an_sms(**changes: Any) -> dict[str, Any]:
    """Return the body of an SMS."""
    parties = {"from": {"address": "+12025550100"}, "to": [{"address": "+12025550123"}]}
    return a_message(channelType="messaging:sms", **parties) | changes


def a_webhook(url: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a webhook registration, as the contract shows it."""
    return {
        "name": "messaging-status-tracker",
        "description": "Tracks message delivery and updates audit logs",
        "apiVersion": "v2",
        "domain": "messaging",
        "event": "messaging:messages:updated",
        "httpTarget": {"url": url, "method": "POST"},
        "enabled": True,
    } | changes


class Caller:
    """Calls the API of one simulator with a token of its own."""

    def __init__(self, simulator: SimulatorProcess, scope: str | None = None) -> None:
        self._url = simulator.url
        self._session = Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {simulator.token(scope)}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(self, message: dict[str, Any], **arguments: Any) -> Response:
        """Post a message."""
        return self.call("POST", MESSAGES, json=message, **arguments)

    def list(self, **query: object) -> Response:
        """Ask for a page of messages."""
        return self.call("GET", MESSAGES, params=query)

    def get(self, path: str) -> Response:
        """Ask for a path."""
        return self.call("GET", path)

    def call(self, method: str, path: str, **arguments: Any) -> Response:
        """Make a request."""
        arguments.setdefault("timeout", 60)
        return self._session.request(method, self._url + path, **arguments)
