"""The webhook registrations of the `messaging` profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from genesys_cloud.api.profiles.fields import entities, has_more, identifier, mapping, text
from genesys_cloud.api.profiles.messaging import EVENT, PAGE_SIZE
from genesys_cloud.errors import PagingError

WEBHOOKS = "/api/v2/webhooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A registration as the API lists it; `entity` is all that the API says of it."""

    webhook_id: str
    name: str | None
    url: str | None
    event: str | None
    enabled: bool
    entity: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPage:
    """One page of registrations."""

    webhooks: Sequence[Webhook]
    has_more: bool

    @property
    def ids(self) -> Sequence[str]:
        """The ids on the page."""
        return [webhook.webhook_id for webhook in self.webhooks]


def webhooks_path(number: int) -> str:
    """Return path and query of one page of the registrations."""
    return f"{WEBHOOKS}?pageSize={PAGE_SIZE}&pageNumber={number}"


def webhook_path(webhook_id: str) -> str:
    """Return the path of one registration."""
    return f"{WEBHOOKS}/{quote(webhook_id, safe='')}"


def webhook_body(url: str, name: str, secret: str | None) -> dict[str, Any]:
    """Return a registration for status events, as the tutorial makes it."""
    body: dict[str, Any] = {
        "name": name,
        "description": "Tracks message delivery and updates audit logs",
        "apiVersion": "v2",
        "domain": "messaging",
        "event": EVENT,
        "httpTarget": {"url": url, "method": "POST"},
        "enabled": True,
    }
    return body | ({"secret": secret} if secret else {})


def disabled(webhook: Webhook) -> dict[str, Any]:
    """Return the body that switches a registration off and leaves the rest as it is."""
    return {**webhook.entity, "enabled": False}


def parse_webhooks(body: object) -> WebhookPage:
    """Return a page of registrations; raises PagingError for what is no page."""
    found = [_parse_webhook(entity) for entity in entities(body, "webhooks")]
    return WebhookPage(webhooks=found, has_more=has_more(body, len(found), PAGE_SIZE))


def parse_webhook_id(body: object) -> str | None:
    """Return the id of a registration that was made or changed."""
    return identifier(mapping(body).get("id"))


def _parse_webhook(entity: object) -> Webhook:
    fields = mapping(entity)
    webhook_id = parse_webhook_id(entity)
    if webhook_id is None:
        raise PagingError("The list of webhooks holds an entity without an id")
    target = mapping(fields.get("httpTarget"))
    return Webhook(
        webhook_id=webhook_id,
        name=text(fields.get("name")),
        url=text(target.get("url"), 2000),
        event=text(fields.get("event")),
        enabled=fields.get("enabled") is not False,
        entity=fields,
    )
