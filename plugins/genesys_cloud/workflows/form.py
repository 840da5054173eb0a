"""The form of a campaign run: Airflow Params with their JSON schema and their explanations.

What every run needs stays outside sections, for Airflow shows sections folded. Names in the
explanations are bold: Airflow paints code over the line above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from airflow.sdk import Param

from genesys_cloud.outbound.campaign import (
    CAMPAIGN_ID,
    INFORMATIONAL,
    MESSAGE_CLASSES,
    MOST_DAYS,
    Campaign,
)
from genesys_cloud.outbound.channels import CHANNELS
from genesys_cloud.outbound.consent import ConsentFrom

ONCE = "once"
"""The occurrence of a campaign that is not repeated."""

WHO = "Who gets it"


def campaign_form(preset: Campaign | None = None, *, live: bool = False) -> dict[str, Param]:
    """Return the Params of a campaign, preset where a campaign file says so.

    `live` presets a real run without approval, as a schedule needs it; a form filled in by hand
    begins with a dry run that asks.
    """
    given = asdict(preset) if preset else {}
    return {
        **_campaign(given),
        **_safety(live=live),
        **_who(given),
        **_texts(given),
        **_pace(given),
        **_repetition(),
        **_conversations(given),
        **_error_budget(given),
    }


def _campaign(given: Mapping[str, Any]) -> dict[str, Param]:
    return {
        "campaign_id": _text(
            given.get("campaign_id"),
            "Names the campaign in the ledger, reports and audit trail. Letters, digits, dots, "
            "dashes and underscores.",
            pattern="^" + CAMPAIGN_ID.pattern.replace(r"\Z", "$"),
            examples=["spring_reminder"],
        ),
        "audience": _text(
            given.get("audience"),
            "The contact list: CSV or Parquet, a path below **include/audiences** or a URL. It "
            "needs the columns **address** and **consent**.",
            examples=["demo_contacts.csv", "s3://bucket/people.parquet"],
        ),
        "template": _text(
            given.get("template"),
            "A folder below **include/templates**.",
            examples=["appointment_reminder", "order_update"],
        ),
        "channel": Param(
            given.get("channel", "messaging:sms"),
            type="string",
            enum=sorted(CHANNELS),
            description_md="Where the message goes.",
        ),
        "sender": _text(
            given.get("sender"), "The address that it comes from.", examples=["+12025550100"]
        ),
        "default_language": _text(
            given.get("default_language", "en"),
            "For recipients whose row and number name no language that the template has.",
            examples=["en", "es", "fr", "de"],
        ),
    }


def _safety(*, live: bool) -> dict[str, Param]:
    return {
        "dry_run": Param(
            not live,
            type="boolean",
            description_md="Plan, validate and report, and send **nothing**.",
        ),
        "require_approval": Param(
            not live,
            type="boolean",
            description_md="Wait, after planning, until somebody approves in **Required Actions**.",
        ),
    }


def _who(given: Mapping[str, Any]) -> dict[str, Param]:
    return {
        "message_class": Param(
            given.get("message_class", INFORMATIONAL),
            type="string",
            enum=list(MESSAGE_CLASSES),
            description_md="**informational** is what people wait for, such as a reminder: it goes "
            "out at once. **marketing** sells something: whoever has quiet hours, by the clock "
            "where they are, gets it when their window opens. The hours are in "
            "**include/policies/quiet_hours.toml**; the columns **timezone**, **country** and "
            "**region** of the contact list say where people are.",
            section=WHO,
        ),
        "purpose": Param(
            given.get("purpose") or None,
            # Airflow's form takes an empty text that may not be null for one that is missing.
            type=["null", "string"],
            maxLength=64,
            description_md="What consent is asked for, one word such as **appointments**. Empty: "
            "for anything; then whoever withdrew consent for one purpose gets nothing.",
            section=WHO,
        ),
        "consent_from": Param(
            given.get("consent_from", ConsentFrom.AUDIENCE.value),
            type="string",
            enum=list(map(str, ConsentFrom)),
            description_md="**audience**: the column **consent** must be true. **ledger**: a "
            "consent for the channel and the purpose must be on record, whatever the column says. "
            "**both**. A withdrawal on record always counts.",
            section=WHO,
        ),
        **_caps(given),
    }


def _caps(given: Mapping[str, Any]) -> dict[str, Param]:
    return {
        "recipient_cap": Param(
            given.get("recipient_cap"),
            type=["null", "integer"],
            minimum=1,
            description_md="The most messages to one address, of **all** campaigns, within the "
            "days below. Empty: any number.",
            section=WHO,
        ),
        "recipient_cap_days": Param(
            given.get("recipient_cap_days", 7),
            type="integer",
            minimum=1,
            maximum=MOST_DAYS,
            description_md="Counted back from the moment of sending.",
            section=WHO,
        ),
        "most_messages": Param(
            given.get("most_messages"),
            type=["null", "integer"],
            minimum=1,
            description_md="The most recipients of this occurrence, the first of the list that may "
            "be written to. Empty: all.",
            section=WHO,
        ),
        "hold_out_share": Param(
            given.get("hold_out_share", 0.0),
            type="number",
            minimum=0,
            maximum=1,
            description_md="Of the recipients, 0 to 1, this share gets **nothing**, so that the "
            "effect of the others' messages can be measured. They are the same at every start.",
            section=WHO,
        ),
    }


def _texts(given: Mapping[str, Any]) -> dict[str, Param]:
    return {
        "max_segments": Param(
            given.get("max_segments"),
            type=["null", "integer"],
            minimum=1,
            description_md="The most SMS segments of a text; who would get a longer one is "
            "**blocked**. Empty: what Genesys Cloud takes.",
            section="The text",
        ),
    }


def _pace(given: Mapping[str, Any]) -> dict[str, Param]:
    deadline = given.get("deadline")
    return {
        "messages_per_minute": Param(
            given.get("messages_per_minute"),
            type=["null", "integer"],
            minimum=1,
            description_md="Empty: as fast as the account's limit allows.",
            section="Pace and repetition",
        ),
        "segments_per_second": Param(
            given.get("segments_per_second"),
            type=["null", "integer"],
            minimum=1,
            description_md="What the sender's carrier allows, in SMS segments; all campaigns of "
            "the sender share it. Empty: nobody counts.",
            section="Pace and repetition",
        ),
        "batch_size": Param(
            given.get("batch_size", 500),
            type="integer",
            minimum=1,
            maximum=100_000,
            description_md="Recipients per send task.",
            section="Pace and repetition",
        ),
        "deadline": Param(
            deadline.isoformat() if isinstance(deadline, datetime) else None,
            type=["null", "string"],
            format="date-time",
            description_md="What has not gone out by then never does: it is **expired**.",
            section="Pace and repetition",
        ),
    }


def _repetition() -> dict[str, Param]:
    return {
        "only_failed_of": Param(
            None,
            type=["null", "string"],
            maxLength=64,
            description_md="An earlier occurrence of this campaign: send only to those whose "
            "message was rejected or failed there. Give a new **occurrence** with it.",
            section="Pace and repetition",
        ),
        "occurrence": Param(
            None,
            type=["null", "string"],
            maxLength=64,
            description_md="A recipient gets one message per campaign and occurrence, however "
            "often it is started. Empty: the schedule's date, or **once** for a campaign without a "
            "schedule. Give another word to send again on purpose.",
            section="Pace and repetition",
        ),
    }


def _conversations(given: Mapping[str, Any]) -> dict[str, Param]:
    return {
        "use_active_conversation": Param(
            given.get("use_active_conversation", False),
            type="boolean",
            description_md="Profile **agentless** only. Off: Genesys refuses a message to somebody "
            "who is in a conversation already. On: it goes into that conversation, and a bot there "
            "takes the text for the **customer's own words**.",
            section="Conversations",
        ),
    }


def _error_budget(given: Mapping[str, Any]) -> dict[str, Param]:
    return {
        "error_budget_count": Param(
            given.get("error_budget_count", 100),
            type="integer",
            minimum=1,
            description_md="The campaign pauses itself once so many messages were rejected or have "
            "no clear answer, **and** they are the share below.",
            section="Error budget",
        ),
        "error_budget_share": Param(
            given.get("error_budget_share", 0.5),
            type="number",
            minimum=0,
            maximum=1,
            description_md="Of the messages tried, 0 to 1.",
            section="Error budget",
        ),
    }


def _text(default: object, description: str, **schema: Any) -> Param:
    # A Param that has neither a value nor null is asked for by the form and refused when missing.
    schema |= {"type": "string", "minLength": 1, "description_md": description}
    return Param(**schema) if default is None else Param(default, **schema)
