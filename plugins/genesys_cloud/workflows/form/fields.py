"""The fields of a campaign's form, as one table: JSON schema, section and explanation of each.

What every run needs stands outside sections, for Airflow shows sections folded, one open at a time.
Names in the explanations are bold: Airflow paints code over the line above it. An optional text may
be null: Airflow's form takes an empty one that may not for one that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genesys_cloud.outbound.campaign import (
    CAMPAIGN_ID,
    MESSAGE_CLASSES,
    MOST_COUNT,
    MOST_DAYS,
    MOST_OCCURRENCE,
    OCCURRENCE,
)
from genesys_cloud.outbound.channels import CHANNELS
from genesys_cloud.outbound.consent import ConsentFrom

TEXT = {"type": "string", "pattern": r"\S"}
"""A text that has to be there."""


def _whole(pattern: re.Pattern[str]) -> str:
    """Return a pattern as JSON schema writes it; its `$` lets a line end pass, no task does."""
    return "^" + pattern.pattern.replace(r"\Z", "$")


CAMPAIGN_ID_PATTERN = _whole(CAMPAIGN_ID)
WORD = {"type": ["null", "string"], "pattern": r"^\w[\w.-]{0,63}$"}
NAMED_RUN = {
    "type": ["null", "string"], "pattern": _whole(OCCURRENCE), "maxLength": MOST_OCCURRENCE
}  # fmt: skip
INSTANT = {"type": ["null", "string"], "format": "date-time"}
SWITCH = {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 1, "maximum": MOST_COUNT}
ANY_COUNT = {**COUNT, "type": ["null", "integer"]}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}

CHANNEL_WORDS = {
    "messaging:apple": "Apple Messages for Business",
    "messaging:facebook": "Facebook Messenger",
    "messaging:open": "Open messaging",
    "messaging:sms": "SMS",
    "messaging:web": "Web messaging",
    "messaging:whatsapp": "WhatsApp",
}
"""What the drop-down calls the channels; one that is not here goes by its name."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: the schema that its values obey, and what it means, in Markdown."""

    name: str
    schema: Mapping[str, Any]
    help: str


def _field(name: str, schema: Mapping[str, Any], meaning: str, **more: Any) -> Field:
    return Field(name=name, schema={**schema, **more}, help=meaning)


SECTIONS: Mapping[str | None, tuple[Field, ...]] = {
    None: (
        _field(
            "campaign_id",
            TEXT,
            "Its name in the ledger, the reports and the audit trail: letters, digits, dots, "
            "dashes and underscores, such as **spring_reminder**. The same name again "
            "**continues** the campaign.",
            pattern=CAMPAIGN_ID_PATTERN,
        ),
        _field(
            "audience",
            TEXT,
            "The contact list, CSV or Parquet: a file of **include/audiences**, a path or a URL "
            "such as **s3://bucket/people.parquet**. It needs the columns **address** and "
            "**consent**.",
        ),
        _field("template", TEXT, "The text: a folder of **include/templates**."),
        _field(
            "channel",
            {"type": "string"},
            "Where the message goes.",
            enum=sorted(CHANNELS),
            values_display=CHANNEL_WORDS,
        ),
        _field("sender", TEXT, "The address that it comes from, one of this channel."),
        _field("dry_run", SWITCH, "Plan, validate and report, and send **nothing**."),
        _field(
            "require_approval",
            SWITCH,
            "Wait, after planning, until somebody approves in **Required Actions**.",
        ),
    ),
    "When and how fast": (
        _field(
            "not_before",
            INSTANT,
            "Planned and approved now, sent from then on. Empty: at once.",
        ),
        _field(
            "deadline",
            INSTANT,
            "What has not gone out by then never does: it is **expired**.",
        ),
        _field("messages_per_minute", ANY_COUNT, "Empty: as fast as the account's limit allows."),
        _field(
            "segments_per_second",
            ANY_COUNT,
            "What the sender's carrier allows, in SMS segments; all campaigns of the sender share "
            "it. Empty: nobody counts.",
        ),
        _field("batch_size", COUNT, "Recipients per send task.", maximum=100_000),
    ),
    "Who gets it": (
        _field(
            "message_class",
            {"type": "string"},
            "**informational**: people wait for it, it goes out at once. **marketing**: it sells, "
            "and waits for the end of quiet hours where its recipient is "
            "(**include/policies/quiet_hours.toml**).",
            enum=list(MESSAGE_CLASSES),
        ),
        _field(
            "purpose",
            WORD,
            "What consent is asked for, one word such as **appointments**. Empty: for anything; "
            "then whoever withdrew consent for one purpose gets nothing.",
        ),
        _field(
            "consent_from",
            {"type": "string"},
            "**audience**: the column **consent** must be true. **ledger**: a consent for the "
            "channel and the purpose must be on record. **both**. A withdrawal on record always "
            "counts.",
            enum=list(map(str, ConsentFrom)),
        ),
        _field(
            "recipient_cap",
            ANY_COUNT,
            "The most messages to one address, of **all** campaigns, within the days below. "
            "Empty: any number.",
        ),
        _field(
            "recipient_cap_days",
            COUNT,
            "Counted back from the moment of sending.",
            maximum=MOST_DAYS,
        ),
        _field(
            "most_messages",
            ANY_COUNT,
            "The most recipients, the first of the list that may be written to. Empty: all.",
        ),
        _field(
            "hold_out_share",
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "This share of the recipients, 0 to below 1, gets **nothing**, so that the effect of "
            "the others' messages can be measured. They are the same at every start.",
        ),
    ),
    "Text and language": (
        _field(
            "default_language",
            TEXT,
            "For recipients whose row and number name no language that the template has.",
            pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,4}){0,2}$",
        ),
        _field(
            "max_segments",
            ANY_COUNT,
            "Whoever would get a longer SMS is **blocked**. Empty: what Genesys Cloud takes.",
        ),
        _field(
            "use_active_conversation",
            SWITCH,
            "Profile **agentless** only. On: the message goes into a conversation that somebody "
            "is in, and a bot there takes it for the **customer's own words**. Off: it is refused.",
        ),
    ),
    "Approval": (
        _field(
            "approval_by_other",
            SWITCH,
            "Somebody other than whoever starts the run has to approve.",
        ),
        _field(
            "approval_hours",
            {"type": "number", "minimum": 0.05, "maximum": 168},
            "Not answered within these hours: nothing is sent.",
        ),
    ),
    "Send again": (
        _field(
            "occurrence",
            NAMED_RUN,
            "A recipient gets one message per campaign and occurrence, however often it is "
            "started. Empty: the schedule's date, or **once**. Another word, such as **second "
            "reminder**, sends again on purpose.",
        ),
        _field(
            "only_failed_of",
            {"type": ["null", "string"], "maxLength": 64},
            "An earlier occurrence, such as **once**: send only to those whose message was "
            "rejected or failed there. Give a new **occurrence** with it.",
        ),
    ),
    "When to stop": (
        _field(
            "error_budget_count",
            COUNT,
            "The campaign pauses itself once so many messages were rejected or have no clear "
            "answer, **and** they are the share below.",
        ),
        _field("error_budget_share", SHARE, "Of the messages tried, 0 to 1."),
    ),
}
"""The form from top to bottom: each section's fields, None the one that is open."""
