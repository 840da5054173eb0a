"""A run's Params as a campaign; what no form can refuse is refused here, by name, with the cure.

All of it is known without a word to Genesys Cloud, so a wrong value costs seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.campaign import MOST_DAYS, MOST_OCCURRENCE, OCCURRENCE, Campaign
from genesys_cloud.outbound.senders import check_sender
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.workflows.audiences import check_there
from genesys_cloud.workflows.form.offers import read_senders

INSTANTS = ("not_before", "deadline")


def campaign_of(params: Mapping[str, Any]) -> Campaign:
    """Return the campaign that a form's Params describe.

    Raises CampaignDefinitionError for values that no run can use.
    """
    given = {field.name: params[field.name] for field in fields(Campaign)}
    given["purpose"] = given["purpose"] or ""  # what the form leaves empty
    given |= {name: _instant(name, given[name]) for name in INSTANTS}
    return Campaign(**given)


def checked_campaign(
    params: Mapping[str, Any],
    dag_run: Any,
    *,
    occurrence: str,
    include: Path,
    began: Callable[[str, str], bool],
    now: datetime,
) -> Campaign:
    """Return the campaign of a run that can use it; raises ConfigurationError where it can't.

    `began` says of a campaign id and an occurrence whether that was planned before: it goes on,
    whichever of its times have passed.
    """
    campaign = campaign_of(params)
    _check_occurrence(params["occurrence"])
    check_campaign(campaign, include)
    # A run that is cleared a day later is the same run: its start may have passed by then.
    asked_at = getattr(dag_run, "run_after", now)
    if not (_is_late(campaign, now, asked_at) and began(campaign.campaign_id, occurrence)):
        check_times(campaign, now, asked_at=asked_at)
    if params["only_failed_of"] == occurrence:
        raise CampaignDefinitionError(
            f"only_failed_of is {occurrence!r}, and so is the occurrence of this run, in which "
            "everybody has had their message: nothing would go out. Give a new occurrence, such as "
            f"'{occurrence} again'."
        )
    return campaign


def _check_occurrence(given: str | None) -> None:
    if given and not OCCURRENCE.match(given):
        raise CampaignDefinitionError(
            f"occurrence {given!r} is not usable, for it may look like another one, and then "
            f"everybody gets a second message: use up to {MOST_OCCURRENCE} characters, single "
            "blanks between them and none at the end."
        )


def check_campaign(campaign: Campaign, include: Path) -> None:
    """Raise ConfigurationError for what a run can't use, by its include folder."""
    TemplateLibrary(root=include / "templates").check_there(campaign.template)
    check_there(campaign.audience, include)
    check_sender(read_senders(include), campaign.sender, campaign.channel)


def check_times(campaign: Campaign, now: datetime, *, asked_at: datetime) -> None:
    """Raise CampaignDefinitionError for times that have passed, or are hardly meant."""
    if campaign.deadline and campaign.deadline <= now:
        raise CampaignDefinitionError(
            f"The deadline {campaign.deadline} has passed: nothing could go out. Give a later one, "
            "or none."
        )
    if campaign.not_before and campaign.not_before < asked_at:
        raise CampaignDefinitionError(
            f"not_before {campaign.not_before} has passed, so this would go out at once. Give a "
            "time to come, or none to send at once."
        )
    if campaign.not_before and campaign.not_before > asked_at + timedelta(days=MOST_DAYS):
        raise CampaignDefinitionError(
            f"not_before {campaign.not_before} is more than {MOST_DAYS} days ahead. Check the "
            "year, or start the campaign nearer to the day."
        )


def _is_late(campaign: Campaign, now: datetime, asked_at: datetime) -> bool:
    over = campaign.deadline is not None and campaign.deadline <= now
    return over or (campaign.not_before is not None and campaign.not_before < asked_at)


def _instant(name: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.upper())
        # Without an offset it is left as it is: Campaign refuses it.
        return at.astimezone(UTC) if at.tzinfo else at
    except (ValueError, OverflowError):
        raise CampaignDefinitionError(
            f"The {name} {text!r} is no time. Give one such as 2026-12-01T18:00:00Z."
        ) from None
