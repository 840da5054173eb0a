from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound import segments
from genesys_cloud.outbound.channels import text_length
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.validation import normalise_sender, validate_message
from genesys_cloud.outbound.violations import PROBLEMS, Violation

LIMITS = {
    "messaging:sms": 160,
    "messaging:whatsapp": 1600,
    "messaging:facebook": 64000,
    "messaging:web": 10000,
}

FILLED = FilledTemplate(
    response_id="r-1", body={str(n): "x" * 1000 for n in range(3)}, header={}, button_url={}
)


def validate_payload(payload: Mapping[str, Any]) -> tuple[Violation, ...]:
    """Validate the JSON that the tutorial sends."""
    to = payload.get("to") or [{}]
    return validate_message(
        channel=payload["channelType"],
        text=payload.get("content", {}).get("text", ""),
        consent=payload.get("metadata", {}).get("consentVerified") is True,
        sender=payload.get("from", {}).get("address", ""),
        recipient=to[0].get("address", ""),
    )


def test_the_tutorial_s_example_word_for_word() -> None:
    payload = {
        "channelType": "messaging:sms",
        "from": {"address": "+15550001234"},
        "to": [{"address": "+12025550123"}],
        "content": {"type": "text", "text": "x" * 210},
        "metadata": {"campaignId": "camp_001"},
    }
    assert [violation.message for violation in validate_payload(payload)] == [
        "Channel messaging:sms exceeds character limit of 160. Current length: 210",
        "Consent verification flag is missing or false. Delivery blocked for compliance.",
    ]


def test_the_payload_that_the_tutorial_sends_has_a_number_that_does_not_exist() -> None:
    payload = {
        "channelType": "messaging:whatsapp",
        "from": {"address": "whatsapp:+15550001234", "provider": "whatsapp"},
        "to": [{"address": "whatsapp:+15559998765"}],
        "content": {"text": "Hello Alex, your appointment is confirmed for 2024-02-01."},
        "metadata": {"consentVerified": True, "campaignId": "camp_001"},
    }
    assert [violation.code for violation in validate_payload(payload)] == ["number_invalid"]
    payload["to"] = [{"address": "whatsapp:+12025550123"}]
    assert validate_payload(payload) == ()


def test_all_broken_rules_come_at_once_in_the_tutorial_s_order() -> None:
    found = validate_payload({"channelType": "messaging:pigeon", "to": []})
    assert [(violation.code, violation.message) for violation in found] == [
        ("channel_unsupported", "Unsupported channelType: messaging:pigeon"),
        (
            "consent_not_verified",
            "Consent verification flag is missing or false. Delivery blocked for compliance.",
        ),
        (
            "sender_missing",
            "Invalid from address or empty recipient list. The sender is missing.",
        ),
        (
            "recipient_missing",
            "Invalid from address or empty recipient list. The recipient is missing.",
        ),
    ]


@pytest.mark.parametrize(("channel", "limit"), LIMITS.items())
def test_a_text_at_the_limit_passes_and_one_over_does_not(channel: str, limit: int) -> None:
    def codes(text: str) -> list[str]:
        found = validate_message(
            channel=channel,
            text=text,
            consent=True,
            sender="+12025550100",
            recipient="+12025550123",
        )
        return [violation.code for violation in found if violation.code.startswith("text")]

    assert codes("x" * limit) == []
    assert codes("x" * (limit + 1)) == ["text_too_long"]
    assert codes("😀" * (limit // 2)) == []
    assert codes("😀" * (limit // 2) + "x") == ["text_too_long"]
    assert codes(" \n") == ["text_empty"]


@pytest.mark.parametrize(
    ("channel", "sender", "expected"),
    [
        ("messaging:sms", "+15550001234", "+15550001234"),  # provisioned in Genesys, not ours
        ("messaging:sms", "sms:+1 555 000-1234", "+15550001234"),
        ("messaging:sms", "12345", "12345"),
        ("messaging:whatsapp", "+15550001234", "whatsapp:+15550001234"),
        ("messaging:whatsapp", "whatsapp:+15550001234", "whatsapp:+15550001234"),
        ("messaging:facebook", "1029384756", "facebook:1029384756"),
        ("messaging:web", "web:deploy-1", "web:deploy-1"),
    ],
)
def test_a_sender_takes_its_wire_form(channel: str, sender: str, expected: str) -> None:
    assert normalise_sender(channel, sender) == expected
    assert normalise_sender(channel, expected) == expected


@pytest.mark.parametrize(
    ("channel", "sender"),
    [
        ("messaging:sms", "12"),
        ("messaging:sms", "123456789"),
        ("messaging:sms", "ACME"),
        ("messaging:sms", "whatsapp:+15550001234"),
        ("messaging:whatsapp", "12345"),
        ("messaging:web", "has space"),
    ],
)
def test_a_sender_in_no_usable_form_stops_the_campaign(channel: str, sender: str) -> None:
    with pytest.raises(CampaignDefinitionError, match=f"The sender of a campaign on {channel} is"):
        normalise_sender(channel, sender)


def test_agentless_senders_are_ids_of_integrations() -> None:
    integration = "0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11"
    for channel in ("messaging:whatsapp", "messaging:web", "messaging:open", "messaging:apple"):
        assert normalise_sender(channel, integration, "agentless") == integration
    assert normalise_sender("messaging:sms", "+13175550100", "agentless") == "+13175550100"
    with pytest.raises(CampaignDefinitionError, match="integration or deployment"):
        normalise_sender("messaging:whatsapp", "no id", "agentless")


def test_a_channel_that_can_t_be_sent_on_stops_the_campaign() -> None:
    with pytest.raises(CampaignDefinitionError, match="messaging:open"):
        normalise_sender("messaging:open", "x")


def sms(text: str) -> list[Violation]:
    """What is wrong with an SMS in the profile agentless."""
    return list(
        validate_message(
            channel="messaging:sms",
            text=text,
            consent=True,
            sender="+12025550100",
            recipient="+12025550123",
            profile="agentless",
        )
    )


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("x" * 765, []),  # 5 segments of 153
        ("x" * 766, ["text_too_long", "too_many_segments"]),
        ("€" * 380, []),  # two septets each, 76 to a segment
        ("€" * 381, ["too_many_segments"]),
        ("ł" + "x" * 334, []),  # 5 segments of 67
        ("ł" + "x" * 335, ["too_many_segments"]),
        ("😀" * 165, []),  # 33 to a segment
        ("😀" * 166, ["too_many_segments"]),
    ],
)
def test_an_sms_holds_both_to_its_characters_and_to_its_segments(
    text: str, codes: list[str]
) -> None:
    assert [violation.code for violation in sms(text)] == codes


def test_the_sentence_names_segments_encoding_and_what_forces_it() -> None:
    (found,) = sms("“Zoë” łąćęśż\u200b" + "x" * 400)
    assert found.message == (
        "The text takes 7 SMS segments in UCS-2, because of “ (U+201C), ë (U+00EB), ” (U+201D), "
        "ł (U+0142), ą (U+0105) and others; Genesys Cloud takes at most 5. Shorten it, or keep to "
        "the characters of GSM-7."
    )
    (found,) = sms("€" * 400)
    assert "6 SMS segments in GSM-7; Genesys Cloud takes at most 5" in found.message
    (found,) = sms("\u200b" + "x" * 400)
    assert "because of U+200B;" in found.message


@given(st.text(alphabet="aé€ł😀", min_size=1, max_size=100), st.integers(1, 12))
def test_what_passes_as_an_sms_is_within_both_limits(piece: str, times: int) -> None:
    text = piece * times
    fits = text_length(text) <= 765 and segments.count(text).segments <= 5
    assert (sms(text) == []) == fits


def test_the_tutorial_s_profile_counts_no_segments() -> None:
    found = validate_message(
        channel="messaging:sms",
        text="ł" * 160,
        consent=True,
        sender="+12025550100",
        recipient="+12025550123",
    )
    assert found == ()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (FILLED.as_text(), []),
        ("Hello Alex, your order is ready.", ["template_not_approved"]),
        (" ", ["text_empty"]),
    ],
)
def test_whatsapp_takes_approved_templates_only_and_no_limit_of_texts(
    text: str, codes: list[str]
) -> None:
    found = validate_message(
        channel="messaging:whatsapp",
        text=text,
        consent=True,
        sender="0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11",
        recipient="+12025550123",
        profile="agentless",
    )
    assert [violation.code for violation in found] == codes


@given(
    channel=st.sampled_from([*LIMITS, "messaging:open", "x"]),
    text=st.text(),
    consent=st.booleans(),
    sender=st.text(max_size=20),
    recipient=st.text(max_size=20),
    profile=st.sampled_from(["messaging", "agentless"]),
)
def test_every_code_is_in_the_table_of_problems(**message: Any) -> None:
    found = validate_message(**message)
    assert {violation.code for violation in found} <= set(PROBLEMS)
    assert message["consent"] or "consent_not_verified" in {v.code for v in found}
