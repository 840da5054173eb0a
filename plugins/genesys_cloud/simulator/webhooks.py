"""Webhooks: who is told of a status change."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from genesys_cloud.simulator.exchange import ApiError

EVENT = "messaging:messages:updated"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registration: the body as it is shown, and the secret that never is."""

    id: str
    shown: dict[str, Any]
    secret: str | None

    @property
    def url(self) -> str:
        """Return where events go."""
        return str(self.shown["httpTarget"]["url"])

    @property
    def wants_events(self) -> bool:
        """Return whether status events go to this webhook."""
        return self.shown["enabled"] is True and self.shown["event"] == EVENT


class WebhookBook:
    """The registrations, in the order in which they were made."""

    def __init__(self) -> None:
        self._webhooks: dict[str, Webhook] = {}

    def register(self, body: dict[str, Any], webhook_id: str | None = None) -> Webhook:
        """Keep a registration, new or in place of one; raises ApiError 400 for a bad body."""
        if problems := _problems(body):
            details = [{"errorCode": "invalid.value", "fieldName": name} for name in problems]
            message = "The webhook is not valid: " + ", ".join(problems) + "."
            raise ApiError(400, "bad.request", message, details=details)
        identity = webhook_id or f"wh_{uuid.uuid4().hex}"
        shown = {"id": identity} | {key: body[key] for key in body if key not in ("id", "secret")}
        webhook = Webhook(identity, {"enabled": True} | shown, body.get("secret"))
        self._webhooks[identity] = webhook
        return webhook

    def get(self, webhook_id: str) -> Webhook:
        """Return a registration; raises ApiError 404."""
        if (webhook := self._webhooks.get(webhook_id)) is None:
            raise ApiError(404, "not.found", f"There is no webhook {webhook_id}.")
        return webhook

    def remove(self, webhook_id: str) -> None:
        """Forget a registration; raises ApiError 404."""
        del self._webhooks[self.get(webhook_id).id]

    def all(self) -> list[Webhook]:
        """Return every registration."""
        return list(self._webhooks.values())


def _problems(body: dict[str, Any]) -> list[str]:
    target = body.get("httpTarget")
    url = target.get("url") if isinstance(target, dict) else None
    method = target.get("method", "POST") if isinstance(target, dict) else None
    checks = {
        "name": isinstance(body.get("name"), str) and bool(body["name"].strip()),
        "apiVersion": body.get("apiVersion", "v2") == "v2",
        "domain": body.get("domain") == "messaging",
        "event": body.get("event") == EVENT,
        "httpTarget.url": isinstance(url, str) and is_http(url),
        "httpTarget.method": method == "POST",
        "enabled": isinstance(body.get("enabled", True), bool),
        "secret": isinstance(body.get("secret", ""), str),
    }
    return [name for name, good in checks.items() if not good]


def is_http(url: str) -> bool:
    """Return whether a text is an address that can be posted to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
