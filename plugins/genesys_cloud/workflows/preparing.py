"""What a plan is made for: the connection's profile, and the template as that profile takes it.

An approved template is held against what Genesys has under its id, before anybody approves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.responses import fetch
from genesys_cloud.api.session import ApiSession
from genesys_cloud.errors import CampaignError, ConnectionSettingsError, TemplateError
from genesys_cloud.outbound.approved_text import ApprovedText
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.response_check import check_response
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.settings import Account

log = logging.getLogger(__name__)


class Connector(Protocol):
    """What opens a connection to Genesys Cloud."""

    def account(self) -> Account:
        """Return the account that the connection describes."""

    def get_conn(self) -> GenesysClient:
        """Return a client of it."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A profile and a template for it; `assumed` where Genesys could not be asked for either.

    `requests_per_minute` is the account's limit, None where nobody knows it.
    """

    profile: str
    template: Template
    assumed: bool = False
    requests_per_minute: int | None = None


def prepare(
    connector: Connector, campaign: Campaign, library: TemplateLibrary, *, dry_run: bool
) -> Prepared:
    """Return what a campaign is planned for, checked with Genesys Cloud.

    A dry run needs no Genesys: where the connection gives no answer, the profile is the one that it
    names, else `messaging`. Raises TemplateError where Genesys has the template otherwise.
    """
    with ExitStack() as stack:
        try:
            client = stack.enter_context(connector.get_conn())
            client.authenticate()
            profile = client.profile
        except CampaignError as error:
            if not dry_run:
                raise
            profile, most = _named(connector)
            log.warning("This dry run is for the profile %s, unasked: %s", profile, error)
            template = library.load(campaign.template, campaign.channel, profile)
            return Prepared(
                profile=profile, template=template, assumed=True, requests_per_minute=most
            )
        template = library.load(campaign.template, campaign.channel, profile)
        check_template(client.session, template)
        most = client.requests_per_minute
    return Prepared(profile=profile, template=template, requests_per_minute=most)


def check_template(session: ApiSession, template: Template) -> None:
    """Hold every approved text of a template against Genesys Cloud's own.

    Raises TemplateError with all that differs, by file and response.
    """
    problems = [
        f"File {text.file}, response {text.response_id}: {sentence}"
        for language, text in sorted(template.texts.items())
        if isinstance(text, ApprovedText)
        for sentence in _problems(session, text, language)
    ]
    if problems:
        raise TemplateError(
            f"Genesys Cloud would refuse template {template.name!r}. {' '.join(problems)} Mend the "
            "file, or the template in Genesys Cloud."
        )


def check_profile(planned: Mapping[str, Any], profile: str, *, connection: str) -> None:
    """Raise ConnectionSettingsError where a plan was made for another profile than is in force."""
    if planned["profile"] != profile:
        raise ConnectionSettingsError(
            f"Campaign {planned['campaign_id']!r} was planned for the profile "
            f"{planned['profile']}, and connection {connection!r} now has {profile}: nothing was "
            "sent. Start the campaign again, which plans it anew, or give the connection back its "
            "profile."
        )


def _problems(session: ApiSession, text: ApprovedText, language: str) -> tuple[str, ...]:
    definition = fetch(session, text.response_id)
    if definition is None:
        return ("There is no such response.",)
    return check_response(definition, text, language)


def _named(connector: Connector) -> tuple[str, int | None]:
    """Return the profile and the requests a minute that the connection names by itself."""
    try:
        account = connector.account()
    except CampaignError:
        return "messaging", None
    named = account.profile
    return "messaging" if named == "auto" else named, account.requests_per_minute
