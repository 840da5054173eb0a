"""A campaign's definition: who gets which template on which channel, from whom, how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from genesys_cloud.errors import CampaignDefinitionError

CAMPAIGN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
"""Safe in a file name, a DAG id and a URL."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What a campaign file declares, or what operations people fill in.

    `messages_per_minute` None means the account's limit; `segments_per_second` is what the
    sender's carrier allows, None where nobody counts; `batch_size` is recipients per shard;
    `default_language` is used where neither the row nor the number names a language. What has not
    gone out by `deadline` never does. The campaign pauses itself once `error_budget_count` messages
    have been rejected or are unknown and they are `error_budget_share` (0 to 1) of those tried.
    With `use_active_conversation` a message may go into a conversation that its recipient has.
    """

    campaign_id: str
    audience: str
    template: str
    channel: str
    sender: str
    default_language: str = "en"
    messages_per_minute: int | None = None
    batch_size: int = 500
    segments_per_second: int | None = None
    deadline: datetime | None = None
    error_budget_count: int = 100
    error_budget_share: float = 0.5
    use_active_conversation: bool = False

    def __post_init__(self) -> None:
        if not CAMPAIGN_ID.match(self.campaign_id):
            raise CampaignDefinitionError(
                f"campaign_id {self.campaign_id!r} is not usable: use up to 64 letters, digits, "
                "dots, dashes and underscores, a letter or digit first."
            )
        for name in ("audience", "template", "channel", "sender", "default_language"):
            if not str(getattr(self, name)).strip():
                raise CampaignDefinitionError(
                    f"Campaign {self.campaign_id!r} has no {name}. Fill it in and start again."
                )
        rates = (self.batch_size, self.messages_per_minute, self.segments_per_second)
        if any(rate is not None and rate < 1 for rate in rates):
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} needs batch_size, messages_per_minute and "
                "segments_per_second of at least 1."
            )
        if self.deadline is not None and self.deadline.tzinfo is None:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} has the deadline {self.deadline}, which names no "
                "instant. Give it with its offset, such as 2026-12-01T18:00:00Z."
            )
        if self.error_budget_count < 1 or not 0 <= self.error_budget_share <= 1:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} needs error_budget_count of at least 1 and "
                "error_budget_share between 0 and 1."
            )
