from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.plan_digest import NOT_DECIDING, PlanDigest

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CAMPAIGN = Campaign(
    campaign_id="orders",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
ABOUT: dict[str, Any] = {
    "occurrence": "once",
    "profile": "messaging",
    "sender": "+12025550100",
    "template_version": "v1",
    "audience_digest": "a" * 64,
    "quiet_hours": None,
}
OTHERWISE: dict[str, Any] = {
    "campaign_id": "other",
    "audience": "more.csv",
    "template": "appointment_reminder",
    "channel": "messaging:whatsapp",
    "default_language": "es",
    "messages_per_minute": 60,
    "segments_per_second": 3,
    "not_before": NOON,
    "deadline": NOON + timedelta(days=1),
    "error_budget_count": 7,
    "error_budget_share": 0.25,
    "use_active_conversation": True,
    "purpose": "offers",
    "consent_from": "ledger",
    "recipient_cap": 2,
    "recipient_cap_days": 3,
    "most_messages": 10,
    "hold_out_share": 0.1,
    "message_class": "marketing",
    "max_segments": 1,
}
"""Another value for each setting of a campaign; its sender counts in the form in which it goes."""

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
ROWS = st.lists(st.tuples(HEX, HEX, st.none() | st.sampled_from(["suppressed", "held_out"])))


def digest_of(
    rows: list[tuple[str, str, str | None]] = [],  # noqa: B006 - nobody writes to it
    left: list[tuple[str, str]] = [],  # noqa: B006
    campaign: Campaign = CAMPAIGN,
    **about: Any,
) -> str:
    digest = PlanDigest(campaign, **ABOUT | about)
    for row in rows:
        digest.add(*row)
    for one in left:
        digest.add_left_over(*one)
    return digest.hexdigest()


@pytest.mark.parametrize("name", [field.name for field in fields(Campaign)])
def test_every_setting_but_those_that_decide_nothing_is_in_the_digest(name: str) -> None:
    if name == "sender":
        assert digest_of(sender="+12025550199") != digest_of()
    elif name in NOT_DECIDING:
        assert digest_of(campaign=replace(CAMPAIGN, batch_size=7)) == digest_of()
    else:
        # A new setting has to be given another value here.
        assert digest_of(campaign=replace(CAMPAIGN, **{name: OTHERWISE[name]})) != digest_of()


@pytest.mark.parametrize("name", list(ABOUT))
def test_what_a_plan_is_made_for_and_from_is_in_the_digest(name: str) -> None:
    assert digest_of(**{name: "other"}) != digest_of()


def test_an_instant_counts_however_its_offset_is_written() -> None:
    paris = NOON.astimezone(timezone(timedelta(hours=1)))
    one, other = (replace(CAMPAIGN, deadline=at) for at in (NOON, paris))
    assert digest_of(campaign=one) == digest_of(campaign=other)


@given(ROWS, ROWS, st.lists(st.tuples(HEX, HEX), max_size=3))
def test_only_the_same_rows_give_the_same_digest(
    one: list[tuple[str, str, str | None]],
    other: list[tuple[str, str, str | None]],
    left: list[tuple[str, str]],
) -> None:
    assert digest_of(one, left) == digest_of(list(one), list(left))
    assert (digest_of(one) == digest_of(other)) == (one == other)
    assert (digest_of(one, left) == digest_of(one)) == (not left)


@given(ROWS.filter(bool), st.randoms(use_true_random=False))
def test_a_change_of_one_person_text_or_verdict_gives_another(
    rows: list[tuple[str, str, str | None]], dice: random.Random
) -> None:
    place = dice.randrange(len(rows))
    key, text, blocked = rows[place]
    for changed in (
        ("f" * 63 + ("0" if key[-1] != "0" else "1"), text, blocked),
        (key, text[:-1] + ("0" if text[-1] != "0" else "1"), blocked),
        (key, text, "suppressed" if blocked is None else None),
    ):
        assert digest_of([*rows[:place], changed, *rows[place + 1 :]]) != digest_of(rows)
    assert digest_of([*rows[:place], *rows[place + 1 :]]) != digest_of(rows)


def test_a_left_over_message_is_not_one_of_the_list() -> None:
    key, text = "a" * 64, "b" * 64
    assert digest_of([(key, text, None)]) != digest_of(left=[(key, text)])
