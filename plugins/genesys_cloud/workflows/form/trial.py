"""The form of a test: the campaign's own fields, and the list of one's own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.workflows.form.offers import TEST_LIST
from genesys_cloud.workflows.form.params import campaign_form

MOST_TEST_RECIPIENTS = 20
"""A longer list is hardly one of one's own numbers."""

FIELDS = ("campaign_id", "template", "channel", "sender", "default_language")
"""What a test takes over from the campaign."""


def trial_form() -> dict[str, Param]:
    """Return the Params of a test."""
    form = campaign_form()
    offered = form["audience"].schema
    audience = offered | {
        "title": "Test audience",
        "examples": [TEST_LIST, *offered.get("examples", [])],
        "description_md": "The list of **your own numbers**, at most "
        f"{MOST_TEST_RECIPIENTS}, with the columns of any contact list: its texts are made of "
        "them. Put your numbers into a list of your own below **include/audiences**; those of "
        f"**{TEST_LIST}** are fictional.",
    }
    campaign_id = form["campaign_id"].schema | {
        "description_md": "The campaign's name; each test of it has a run of its own in the audit "
        "trail."
    }
    return {name: form[name] for name in FIELDS} | {
        "campaign_id": Param(form["campaign_id"].value, **campaign_id),
        "test_audience": Param(TEST_LIST, **audience),
    }


def trial_campaign(params: Mapping[str, Any]) -> Campaign:
    """Return what is sent: the campaign's texts to the test list, without caps and hold-out."""
    return Campaign(audience=params["test_audience"], **{name: params[name] for name in FIELDS})
