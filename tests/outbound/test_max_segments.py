"""The campaign's own limit of SMS segments, beside the profile's."""

from __future__ import annotations

from typing import Any

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.channels import find_channel
from genesys_cloud.outbound.decisions import Planner
from genesys_cloud.outbound.validation import check_text
from genesys_cloud.outbound.violations import Violation
from tests.outbound.libraries import SHIPPED

FIELDS: dict[str, Any] = {
    "campaign_id": "spring",
    "audience": "list.csv",
    "template": "order_update",
    "channel": "messaging:sms",
    "sender": "+12025550100",
}


def codes(text: str, max_segments: int | None, profile: str = "agentless") -> list[str]:
    channel = find_channel("messaging:sms", profile)
    assert not isinstance(channel, Violation)
    return [violation.code for violation in check_text(channel, text, profile, max_segments)]


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("a" * 306, 2, []),
        ("a" * 307, 2, ["too_many_segments"]),
        ("a" * 161, 1, ["too_many_segments"]),
        ("ł" + "a" * 69, 1, []),
        ("ł" + "a" * 70, 1, ["too_many_segments"]),
        ("a" * 765, 9, []),  # the profile's limit of 5 holds as well
        ("€" * 400, 9, ["too_many_segments"]),
        ("a" * 765, None, []),
    ],
)
def test_the_smaller_of_the_two_limits_holds(
    text: str, most: int | None, expected: list[str]
) -> None:
    assert codes(text, most) == expected


def test_a_profile_without_a_limit_in_segments_has_the_campaign_s() -> None:
    assert codes("ł" * 71, 1, profile="messaging") == ["too_many_segments"]
    assert codes("ł" * 71, None, profile="messaging") == []


def test_the_sentence_says_whose_limit_it_is() -> None:
    campaign = Campaign(**FIELDS, max_segments=1)
    planner = Planner(campaign, SHIPPED.load("order_update", "messaging:sms"), "agentless")
    row = {"address": "+12025550123", "consent": "true", "name": "Żaneta " * 9, "orderId": "1"}
    (found,) = planner.decide(Row(number=1, values=row)).violations
    assert found.code == "too_many_segments"
    assert found.message == (
        "The text takes 2 SMS segments in UCS-2, because of Ż (U+017B); the campaign takes at most "
        "1. Shorten it, or keep to the characters of GSM-7."
    )
    row["name"] = "Ana"
    assert planner.decide(Row(number=2, values=row | {"address": "+12025550124"})).text


def test_other_channels_have_no_segments() -> None:
    channel = find_channel("messaging:web", "messaging")
    assert not isinstance(channel, Violation)
    assert check_text(channel, "a" * 5_000, "messaging", 1) == ()


@pytest.mark.parametrize("most", [0, -1])
def test_a_limit_that_lets_nothing_through_is_refused(most: int) -> None:
    with pytest.raises(CampaignDefinitionError, match="max_segments of at least 1"):
        Campaign(**FIELDS, max_segments=most)
