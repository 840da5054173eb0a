"""Registers the receiver with Genesys, however often it is asked to, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.api.profiles import messaging_webhooks as profile
from genesys_cloud.api.profiles.messaging import EVENT
from genesys_cloud.api.profiles.messaging_webhooks import Webhook
from genesys_cloud.errors import EndpointMissingError, ServiceFailedError


class Change(Protocol):
    """Carries out a POST or PUT and returns the JSON of the answer."""

    def __call__(self, method: str, path: str, body: Mapping[str, Any], what: str) -> object:
        """Raise the errors of a read."""


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The registration that is in force: whether it was made now, or changed now.

    `disabled` are surplus registrations that were switched off.
    """

    id: str
    created: bool = False
    updated: bool = False
    disabled: Sequence[str] = ()


class WebhookRegistry:
    """The registrations of an account; `read` and `change` carry out its requests."""

    def __init__(self, read: Callable[[str, str], object], change: Change) -> None:
        self._read = read
        self._change = change

    def register(self, url: str, name: str, secret: str | None) -> Registration:
        """Have status events go to `url`, from one registration.

        Ours is the one with our name, else one for the same URL; any other for our name or URL
        would deliver every event twice, and is switched off. The API never shows a secret, so one
        that is given is put each time.
        """
        body = profile.webhook_body(url, name, secret)
        ours = self.ours(url, name)
        if ours:
            stale = secret is not None or not ours[0].enabled or ours[0].url != url
            return self._keep_first(ours, url, body, stale=stale)
        made = Registration(id=self._create(body), created=True)
        # Two that register at once both find nothing and both create: each looks again, and both
        # keep the same one. Its maker has put the secret.
        rivals = None if ours is None else self.ours(url, name)
        if not rivals or len(rivals) == 1:
            return made
        kept = self._keep_first(rivals, url, body, stale=False)
        return replace(kept, created=kept.id == made.id)

    def ours(self, url: str, name: str) -> list[Webhook] | None:
        """Return the registrations with our name or URL, the best first; None without a list."""
        pages = NumberedPages(self._page, ids=lambda page: page.ids, what="The webhooks")
        try:
            listed = [webhook for page in pages for webhook in page.webhooks]
        except EndpointMissingError:
            # The tutorial's contract only ever creates: where there is no list, so do we.
            return None
        ours = [
            webhook
            for webhook in listed
            if webhook.event == EVENT and (webhook.name == name or webhook.url == url)
        ]
        return sorted(ours, key=lambda found: _distance(found, url, name))

    def _keep_first(
        self, ours: Sequence[Webhook], url: str, body: Mapping[str, Any], *, stale: bool
    ) -> Registration:
        """Put the body where the first is stale, and switch the others off."""
        kept, surplus = ours[0], [found for found in ours[1:] if found.enabled]
        if stale:
            what = f"an update of webhook {kept.webhook_id}"
            self._change("PUT", profile.webhook_path(kept.webhook_id), body, what)
        for found in surplus:
            what = f"the end of surplus webhook {found.webhook_id}"
            path = profile.webhook_path(found.webhook_id)
            self._change("PUT", path, profile.disabled(found), what)
        if surplus:
            kept = self._in_force(kept, url, str(body["name"]))
        return Registration(
            id=kept.webhook_id,
            updated=stale,
            disabled=tuple(found.webhook_id for found in surplus),
        )

    def _in_force(self, kept: Webhook, url: str, name: str) -> Webhook:
        """Return the registration of ours that is on now that the surplus is off.

        Of many that register one address at once, each keeps the first that it sees; one that was
        made later may come before it, and then that one stays on.
        """
        now = self.ours(url, name) or []
        is_off = any(one.webhook_id == kept.webhook_id and not one.enabled for one in now)
        if not (kept.enabled and is_off):
            return kept
        others = (one for one in now if one.enabled and one.url == url)
        if (other := next(others, None)) is None:
            raise ServiceFailedError(
                f"Webhook {kept.webhook_id} was switched off while it was being registered: "
                "somebody registers another address at the same time. Agree on one, and register "
                "it again.",
                status=200,
            )
        return other

    def _page(self, number: int) -> profile.WebhookPage:
        return profile.parse_webhooks(self._read(profile.webhooks_path(number), "the webhooks"))

    def _create(self, body: Mapping[str, Any]) -> str:
        made = self._change("POST", profile.WEBHOOKS, body, "a new webhook")
        webhook_id = profile.parse_webhook_id(made)
        if webhook_id is None:
            raise ServiceFailedError(
                "Genesys Cloud made a webhook and gave no id for it. Register again: what is there "
                "already is found.",
                status=200,
            )
        return webhook_id


def _distance(webhook: Webhook, url: str, name: str) -> tuple[bool, bool, bool, str]:
    """Rank registrations by how little has to change, our name first; everybody ranks alike."""
    return webhook.name != name, webhook.url != url, not webhook.enabled, webhook.webhook_id
