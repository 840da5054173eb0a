"""A campaign's definition: who gets which template on which channel, from whom, how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.consent import ConsentFrom, normalise_purpose

CAMPAIGN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
"""Safe in a file name, a DAG id and a URL."""

OCCURRENCE = re.compile(r"[\w#](?: ?[\w#./:+(),&-])*\Z")
"""No two names that look alike: another occurrence writes to everybody once more."""

MOST_OCCURRENCE = 64
"""Characters of an occurrence's name."""

MOST_COUNT = 1_000_000_000
"""The largest whole number of a campaign; every database's columns hold it."""

MOST_DAYS = 366
"""The longest time over which an address's messages are counted."""


INFORMATIONAL = "informational"
MESSAGE_CLASSES = (INFORMATIONAL, "marketing")
"""What a message is for: its recipient waits for it, or it sells. Quiet hours go by this."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What a campaign file declares, or what operations people fill in.

    `messages_per_minute` None means the account's limit; `segments_per_second` is what the sender's
    carrier allows, None where nobody counts; `batch_size` is recipients per shard;
    `default_language` is used where neither the row nor the number names a language. What has not
    gone out by `deadline` never does, and nothing goes out before `not_before`. The campaign pauses
    itself once `error_budget_count` messages have been rejected or are unknown and they are
    `error_budget_share` (0 to 1) of those tried. With `use_active_conversation` a message may go
    into a conversation that its recipient has.

    `purpose` is what consent is asked for, '' is any; `consent_from` is where it is asked. An
    address gets `recipient_cap` messages of all campaigns within `recipient_cap_days`, and an
    occurrence has `most_messages` recipients, None for any number. `hold_out_share` (0 to below 1)
    of the recipients get nothing. Quiet hours go by `message_class`, one of MESSAGE_CLASSES. An SMS
    of more than `max_segments` is blocked, None where only the profile's limit holds.
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
    not_before: datetime | None = None
    deadline: datetime | None = None
    error_budget_count: int = 100
    error_budget_share: float = 0.5
    use_active_conversation: bool = False
    purpose: str = ""
    consent_from: str = ConsentFrom.AUDIENCE.value
    recipient_cap: int | None = None
    recipient_cap_days: int = 7
    most_messages: int | None = None
    hold_out_share: float = 0.0
    message_class: str = INFORMATIONAL
    max_segments: int | None = None

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
        if self.message_class not in MESSAGE_CLASSES:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} has the message_class {self.message_class!r}; "
                f"give one of {', '.join(MESSAGE_CLASSES)}."
            )
        self._check_rules()
        rates = (self.batch_size, self.messages_per_minute, self.segments_per_second)
        if any(rate is not None and rate < 1 for rate in rates):
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} needs batch_size, messages_per_minute and "
                "segments_per_second of at least 1."
            )
        self._check_times()
        if self.error_budget_count < 1 or not 0 <= self.error_budget_share <= 1:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} needs error_budget_count of at least 1 and "
                "error_budget_share between 0 and 1."
            )

    def _check_times(self) -> None:
        """Raise CampaignDefinitionError unless its times are instants, in their order."""
        for name in ("not_before", "deadline"):
            at: datetime | None = getattr(self, name)
            if at is not None and at.tzinfo is None:
                raise CampaignDefinitionError(
                    f"Campaign {self.campaign_id!r} has the {name} {at}, which names no instant. "
                    "Give it with its offset, such as 2026-12-01T18:00:00Z."
                )
        if self.not_before and self.deadline and self.deadline <= self.not_before:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} has the deadline {self.deadline}, and starts at "
                f"{self.not_before} at the earliest: nothing could go out. Give a later deadline."
            )

    def _check_rules(self) -> None:
        """Raise CampaignDefinitionError unless it is clear who may get a message."""
        normalise_purpose(self.purpose)
        if self.consent_from not in list(ConsentFrom):
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} has consent_from {self.consent_from!r}; use one of "
                f"{', '.join(ConsentFrom)}."
            )
        if self.max_segments is not None and self.max_segments < 1:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} needs max_segments of at least 1."
            )
        caps = (self.recipient_cap, self.recipient_cap_days, self.most_messages)
        if any(cap is not None and cap < 1 for cap in caps) or self.recipient_cap_days > MOST_DAYS:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} needs recipient_cap, recipient_cap_days and "
                f"most_messages of at least 1, and recipient_cap_days of at most {MOST_DAYS}."
            )
        if not 0 <= self.hold_out_share < 1:
            raise CampaignDefinitionError(
                f"Campaign {self.campaign_id!r} needs a hold_out_share between 0 and 1, and below "
                "1: somebody has to get the message."
            )
