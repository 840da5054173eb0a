"""Tells the real platform to push to us, in any of three ways, and however often it is asked, once.

Each way has a name of ours; what has it already is found, and changed where it has to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from genesys_cloud.api.client import WEBHOOK_NAME
from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.api.profiles import agentless_registrations as profile
from genesys_cloud.api.profiles.agentless_registrations import Entity
from genesys_cloud.api.session import ApiSession
from genesys_cloud.api.webhooks import Registration
from genesys_cloud.errors import CampaignDefinitionError, ConnectionSettingsError, PagingError

SHORTEST_SECRET = 16

KINDS: Mapping[str, str] = {
    "open": "an Open Messaging integration (webhook_url, and a webhook_secret of the connection "
    f"with at least {SHORTEST_SECRET} characters)",
    "eventbridge": "an EventBridge integration (aws_account_id, aws_region and "
    "event_source_suffix)",
    "trigger": "a process automation trigger (topic and workflow_id)",
}
"""What can be registered, and what each needs."""


def all_kinds() -> str:
    """Return the sentence that lists the kinds."""
    ways = "; ".join(f"`{kind}` is {what}" for kind, what in KINDS.items())
    return f"On the real platform, {ways}."


_LISTS = {
    "open": (profile.OPEN, profile.OPEN_PERMISSIONS),
    "eventbridge": (profile.INTEGRATIONS, profile.INTEGRATION_PERMISSIONS),
}
_MOST_PAGES = 100
_ACCOUNT = re.compile(r"[0-9]{12}\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\Z")
_SUFFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_TOPIC = re.compile(r"v2\.[A-Za-z0-9_.{}-]{1,190}\Z")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A registration that is there; `url` is where an open integration posts to."""

    kind: str
    id: str
    enabled: bool
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """One way in which the platform is to push, with what that way needs."""

    kind: str
    name: str = WEBHOOK_NAME
    aws_account_id: str = ""
    aws_region: str = ""
    event_source_suffix: str = ""
    topic: str = ""
    workflow_id: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise CampaignDefinitionError(
                f"There is no kind {self.kind!r} of registration. {all_kinds()}"
            )
        wrong = [name for name, good in self._checks().items() if not good]
        if wrong:
            raise CampaignDefinitionError(
                f"Nothing was registered: {', '.join(wrong)} is missing or not as it should be. "
                f"`{self.kind}` is {KINDS[self.kind]}."
            )

    def _checks(self) -> dict[str, bool]:
        if self.kind == "eventbridge":
            return {
                "aws_account_id (12 digits)": bool(_ACCOUNT.match(self.aws_account_id)),
                "aws_region (such as eu-central-1)": bool(_REGION.match(self.aws_region)),
                "event_source_suffix": bool(_SUFFIX.match(self.event_source_suffix)),
            }
        if self.kind == "trigger":
            topic = bool(_TOPIC.match(self.topic))
            return {"topic (v2.…)": topic, "workflow_id": bool(self.workflow_id.strip())}
        return {}


class Registrations:
    """The registrations of an account on the real platform."""

    def __init__(self, session: ApiSession) -> None:
        self._session = session

    def register(self, order: Order, *, url: str | None, secret: str | None) -> Registration:
        """Have the platform push as the order says; `url` and `secret` are for `open` alone.

        Raises ConnectionSettingsError where the secret is too short for the platform.
        """
        if order.kind == "open":
            return self._open(order.name, url or "", secret or "")
        return self._event_bridge(order) if order.kind == "eventbridge" else self._trigger(order)

    def standing(self, kind: str, name: str = WEBHOOK_NAME) -> list[Standing]:
        """Return the registrations of a kind that have this name; changes nothing."""
        listed = self._triggers() if kind == "trigger" else self._pages(*_LISTS[kind])
        return [
            Standing(kind=kind, id=one.id, enabled=profile.pushes(one), url=profile.open_url(one))
            for one in self._named(name, listed)
            if kind != "eventbridge" or profile.is_event_bridge(one)
        ]

    def _open(self, name: str, url: str, secret: str) -> Registration:
        if len(secret) < SHORTEST_SECRET:
            raise ConnectionSettingsError(
                f"Open Messaging signs with a secret of at least {SHORTEST_SECRET} characters, and "
                f"connection {self._session.account.name!r} has none. Make webhook_secret with "
                "`openssl rand -hex 32`, there and at the receiver."
            )
        found = self._named(name, self._pages(profile.OPEN, profile.OPEN_PERMISSIONS))
        found.sort(key=lambda one: (profile.open_url(one) != url, one.id))
        body = profile.open_body(name, url, secret)
        what, hide = f"the Open Messaging integration {name!r}", (secret, urlsplit(url).query)
        if not found:
            return self._made(profile.OPEN, body, what, profile.OPEN_PERMISSIONS, hide=hide)
        # The API never shows a secret, so it is put each time.
        path = profile.entity_path(profile.OPEN, found[0].id)
        self._change("PATCH", path, body, what, f"{profile.OPEN_PERMISSIONS}:edit", hide=hide)
        return Registration(id=found[0].id, updated=True)

    def _event_bridge(self, order: Order) -> Registration:
        permissions, what = profile.INTEGRATION_PERMISSIONS, f"the integration {order.name!r}"
        pages = self._pages(profile.INTEGRATIONS, permissions)
        found = [one for one in self._named(order.name, pages) if profile.is_event_bridge(one)]
        if found:
            made, is_on = Registration(id=found[0].id), profile.is_enabled(found[0])
        else:
            body = profile.integration_body(order.name)
            made, is_on = self._made(profile.INTEGRATIONS, body, what, permissions), False
        path = profile.config_path(made.id)
        current = self._session.read(path, what, permission=f"{permissions}:view")
        config = profile.config_body(
            current,
            order.name,
            account_id=order.aws_account_id,
            region=order.aws_region,
            suffix=order.event_source_suffix,
        )
        if config is not None:
            self._change("PUT", path, config, what, f"{permissions}:edit")
        if not is_on:
            path = profile.entity_path(profile.INTEGRATIONS, made.id)
            self._change("PATCH", path, profile.ENABLED, what, f"{permissions}:edit")
        changed = config is not None or not is_on
        return Registration(id=made.id, created=made.created, updated=changed and not made.created)

    def _trigger(self, order: Order) -> Registration:
        permissions, what = profile.TRIGGER_PERMISSIONS, f"the trigger {order.name!r}"
        found = self._named(order.name, self._triggers())
        body = profile.trigger_body(order.name, order.topic, order.workflow_id)
        if not found:
            return self._made(profile.TRIGGERS, body, what, permissions)
        known = found[0]
        if profile.trigger_topic(known) != order.topic:
            raise CampaignDefinitionError(
                f"Nothing was registered: {what} is there for another topic, "
                f"{profile.trigger_topic(known)}, which can't be changed. Give this one a name of "
                "its own."
            )
        update = profile.trigger_update(known, body)
        if update is not None:
            path = profile.entity_path(profile.TRIGGERS, known.id)
            self._change("PUT", path, update, what, f"{permissions}:edit")
        return Registration(id=known.id, updated=update is not None)

    def _named(self, name: str, listed: Iterator[Entity]) -> list[Entity]:
        return sorted((one for one in listed if one.name == name), key=lambda one: one.id)

    def _pages(self, path: str, permissions: str) -> Iterator[Entity]:
        what = f"the list {path}"

        def fetch(number: int) -> profile.EntityPage:
            address = profile.page_path(path, number)
            answer = self._session.read(address, what, permission=f"{permissions}:view")
            return profile.parse_page(answer, what)

        pages = NumberedPages(fetch, ids=lambda page: page.ids, what=what, most=_MOST_PAGES)
        return (one for page in pages for one in page.entities)

    def _triggers(self) -> Iterator[Entity]:
        """Yield the triggers; their list is not numbered and says itself where it goes on."""
        what, permission = "the triggers", f"{profile.TRIGGER_PERMISSIONS}:view"
        path: str | None = f"{profile.TRIGGERS}?pageSize={profile.PAGE_SIZE}"
        seen: set[str] = set()
        while path is not None:
            if path in seen or not path.startswith(profile.TRIGGERS):
                raise PagingError(f"The list of triggers goes on at {path[:100]!r}, which is none.")
            seen.add(path)
            page = profile.parse_page(self._session.read(path, what, permission=permission), what)
            yield from page.entities
            path = page.next_path

    def _made(
        self,
        path: str,
        body: Mapping[str, Any],
        what: str,
        permissions: str,
        *,
        hide: tuple[str, ...] = (),
    ) -> Registration:
        made = self._change("POST", path, body, what, f"{permissions}:add", hide=hide)
        return Registration(id=profile.parse_entity(made).id, created=True)

    def _change(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        what: str,
        permission: str,
        *,
        hide: tuple[str, ...] = (),
    ) -> object:
        return self._session.change(method, path, body, what, permission=permission, hide=hide)
