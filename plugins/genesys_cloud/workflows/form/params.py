"""The form of a campaign run: Airflow Params, preset by a campaign file and by what exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from datetime import datetime
from typing import Any

from airflow.sdk import Param

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.consent import normalise_purpose
from genesys_cloud.outbound.senders import Sender
from genesys_cloud.settings import Settings
from genesys_cloud.workflows.form.fields import CHANNEL_WORDS, SECTIONS, Field
from genesys_cloud.workflows.form.offers import Offers

ONCE = "once"
"""The occurrence of a campaign that is not repeated."""

APPROVAL_HOURS = 24

LISTED = 10
"""So many senders are explained below their field."""


def campaign_form(
    preset: Campaign | None = None,
    *,
    live: bool = False,
    require_approval: bool = True,
    approval_by_other: bool = False,
    approval_hours: float = APPROVAL_HOURS,
) -> dict[str, Param]:
    """Return the Params of a campaign, preset where a campaign file says so.

    `live` presets a real run, as a schedule needs it; a form filled in by hand begins with a dry
    run. Unless somebody says otherwise, a person is asked before anything goes out.
    """
    values = _campaign_values(preset) | {
        "dry_run": not live,
        "require_approval": require_approval,
        "approval_by_other": approval_by_other,
        "approval_hours": approval_hours,
        "occurrence": None,
        "only_failed_of": None,
    }
    offers = Offers.of(Settings.from_environment().include_dir)
    return {
        field.name: _param(field, section, values[field.name], offers)
        for section, some in SECTIONS.items()
        for field in some
    }


def _campaign_values(preset: Campaign | None) -> dict[str, Any]:
    """Return each field of a campaign as the form shows it, MISSING where somebody has to say."""
    values: dict[str, Any] = {field.name: field.default for field in fields(Campaign)}
    values |= asdict(preset) if preset else {"channel": "messaging:sms"}
    values["purpose"] = normalise_purpose(values["purpose"]) or None
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _param(field: Field, section: str | None, value: Any, offers: Offers) -> Param:
    schema: dict[str, Any] = {
        "title": field.name.replace("_", " ").capitalize(),
        "description_md": field.help,
        **field.schema,
        **_offered(field.name, value, offers),
    }
    if field.name == "sender":
        schema["description_md"] += _listed(offers.senders)
    if section is not None:
        schema["section"] = section
    # A Param that has neither a value nor null is asked for by the form and refused when missing.
    return Param(**schema) if value is MISSING else Param(value, **schema)


def _offered(name: str, value: Any, offers: Offers) -> Mapping[str, Any]:
    """Return what a field's drop-down holds: `enum` where nothing else is possible."""
    if name == "template" and offers.templates:
        # A campaign file's own is there in any case: the first task says that it is missing.
        own = set() if value is MISSING else {value}
        return {"enum": sorted(own.union(offers.templates))}
    suggested: Mapping[str, Sequence[str]] = {
        "audience": offers.audiences,
        "default_language": offers.languages,
        "sender": list(dict.fromkeys(sender.address for sender in offers.senders)),
    }
    return {"examples": list(suggested[name])} if suggested.get(name) else {}


def _listed(senders: Sequence[Sender]) -> str:
    """Return the senders as the end of an explanation: the drop-down shows addresses alone."""
    lines = [
        f"- **{each.address}**: {each.label}, {CHANNEL_WORDS.get(each.channel, each.channel)}"
        for each in senders[:LISTED]
    ]
    if len(senders) > LISTED:
        lines.append(f"- {len(senders) - LISTED} more in **include/senders.toml**")
    return "".join(f"\n{line}" for line in ["", *lines]) if lines else ""
