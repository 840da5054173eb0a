from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.errors import CampaignDefinitionError, TemplateError
from genesys_cloud.outbound.audience import KNOWN_COLUMNS, Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.decisions import SHOWN, Decision, Planner
from genesys_cloud.outbound.violations import PROBLEMS, Violation
from tests.outbound.libraries import SHIPPED

GOOD = {"address": "+12025550123", "consent": "true", "name": "Alex", "date": "2024-02-01"}


def planner(**changes: Any) -> Planner:
    opaque = changes.get("channel") in {"messaging:facebook", "messaging:web"}
    fields: dict[str, Any] = {
        "campaign_id": "spring",
        "audience": "list.csv",
        "template": "appointment_reminder",
        "channel": "messaging:sms",
        "sender": "1029384756" if opaque else "+15550001234",
    }
    campaign = Campaign(**(fields | changes))
    template = SHIPPED.load(campaign.template, campaign.channel)
    return Planner(campaign, template)


def decide(channel: str = "messaging:sms", **changes: str) -> Decision:
    return planner(channel=channel).decide(Row(number=1, values=GOOD | changes))


def codes(decision: Decision) -> list[str]:
    return [violation.code for violation in decision.violations]


def test_a_good_row_becomes_a_text() -> None:
    assert decide(timezone="America/New_York", consent_source="web_form") == Decision(
        row_number=1,
        recipient_id="+12025550123",
        address="+12025550123",
        address_valid=True,
        country="US",
        language="en",
        locale="en_US",
        timezone="America/New_York",
        consent=True,
        consent_proof='{"source":"web_form"}',
        consent_expires_at=None,
        text="Hello Alex, your appointment is confirmed for February 1, 2024.",
        violations=(),
    )


def test_address_and_id_take_the_channel_s_form() -> None:
    own = decide("messaging:whatsapp", address="+1 202 555-0123")
    assert (own.address, own.recipient_id) == ("whatsapp:+12025550123",) * 2
    assert decide("messaging:whatsapp", recipient_id=" 7 ").recipient_id == "7"
    web = decide("messaging:web", address="visitor-1", language="fr")
    assert (web.address, web.language, web.country) == ("web:visitor-1", "fr", None)


@pytest.mark.parametrize("consent", ["true", "TRUE", " True "])
def test_only_true_is_consent(consent: str) -> None:
    assert not decide(consent=consent).blocked


@pytest.mark.parametrize("consent", ["", "false", "yes", "1", "y", "truee", "t", "x true"])
def test_anything_else_is_none(consent: str) -> None:
    assert codes(decide(consent=consent)) == ["consent_not_verified"]


def test_a_row_without_a_consent_column_has_none() -> None:
    values = {name: value for name, value in GOOD.items() if name != "consent"}
    assert codes(planner().decide(Row(number=1, values=values))) == ["consent_not_verified"]


def test_all_reasons_come_at_once() -> None:
    found = decide(consent="no", address="+15550001234", name="", date="")
    assert codes(found) == [
        "missing_variable",
        "missing_variable",
        "consent_not_verified",
        "number_invalid",
    ]
    assert (found.text, found.address, found.address_valid) == ("", "+15550001234", False)
    long = decide(consent="no", name="x" * 200, address="")
    assert codes(long) == ["text_too_long", "consent_not_verified", "address_missing"]


def test_a_blocked_row_has_no_text_and_can_be_told_apart() -> None:
    found = decide(address="")
    assert (found.text, found.recipient_id, found.address) == ("", "row1", "")


def test_an_address_in_another_spelling_is_a_duplicate_of_the_first_row() -> None:
    plan = planner()
    spellings = ["+12025550123", "+1 (202) 555-0123", "sms:+1.202.555.0123", "+12025550124"]
    rows = [
        Row(number=number, values=GOOD | {"address": address, "recipient_id": str(number)})
        for number, address in enumerate(spellings, start=1)
    ]
    found = [plan.decide(row) for row in rows]
    assert [codes(one) for one in found] == [[], ["duplicate_address"], ["duplicate_address"], []]
    assert found[2].violations[0].message == "The address repeats row 1."


def test_the_first_row_has_the_address_even_where_it_is_blocked() -> None:
    plan = planner()
    refused = plan.decide(Row(number=1, values=GOOD | {"consent": "false"}))
    granted = plan.decide(Row(number=2, values=GOOD))
    assert codes(refused) == ["consent_not_verified"]
    assert codes(granted) == ["duplicate_address"]


def test_a_row_that_can_t_be_read_takes_no_address() -> None:
    plan = planner()
    problem = Violation(code="row_malformed", message="too many cells")
    broken = plan.decide(Row(number=1, values=GOOD, problem=problem))
    assert (broken.violations, broken.address_valid) == ((problem,), False)
    assert not plan.decide(Row(number=2, values=GOOD)).blocked


def test_the_language_of_the_row_then_of_the_number_then_of_the_campaign() -> None:
    assert decide(language="es_MX").text.endswith("para el 1 de febrero de 2024.")
    assert decide(address="+493023125001").language == "de"
    french = planner(default_language="fr").decide(Row(number=1, values=GOOD | {"language": "it"}))
    assert (french.language, french.locale) == ("fr", "fr")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"channel": "messaging:open"}, CampaignDefinitionError, "Campaign 'spring': Unsupported"),
        ({"channel": "sms"}, CampaignDefinitionError, "Unsupported channelType: sms"),
        ({"sender": "ACME"}, CampaignDefinitionError, "The sender of a campaign on messaging:sms"),
        ({"default_language": "it"}, TemplateError, "no text in 'it'.*de, en, es, fr"),
    ],
)
def test_what_is_wrong_with_the_campaign_is_said_before_the_first_row(
    changes: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        planner(**changes)


def test_the_sender_is_known_in_its_wire_form() -> None:
    assert planner(channel="messaging:whatsapp").sender == "whatsapp:+15550001234"


def test_the_representation_shows_neither_address_nor_text() -> None:
    shown = repr(decide()) + repr(decide(address="+15550009876", name=""))
    assert "0123" not in shown
    assert "0009" not in shown
    assert "Alex" not in shown


columns = st.sampled_from([*KNOWN_COLUMNS, "name", "date", "orderId", "greeting", "self", "é"])
cells = st.text(max_size=30) | st.sampled_from(
    [*GOOD.values(), "+1 202 555 0124", "web:1", "{{ name }}", "\ud800", "\0", "x" * 300, "de-AT"]
)
nearly_good = st.dictionaries(columns, cells, max_size=2).map(
    lambda changes: GOOD | {"orderId": "A-17"} | changes
)
arbitrary = nearly_good | st.dictionaries(columns, cells)
problems = st.none() | st.just(Violation(code="row_malformed", message="m"))


@given(
    st.lists(st.tuples(arbitrary, problems), max_size=6),
    st.sampled_from(["messaging:sms", "messaging:whatsapp", "messaging:facebook", "messaging:web"]),
)
def test_any_row_is_decided_and_the_decision_can_be_stored(
    rows: list[tuple[dict[str, str], Violation | None]], channel: str
) -> None:
    plan = planner(channel=channel, template="order_update")
    texts_to: set[str] = set()
    for number, (values, problem) in enumerate(rows, start=1):
        found = plan.decide(Row(number=number, values=values, problem=problem))
        assert found.blocked == (not found.text)
        assert {violation.code for violation in found.violations} <= set(PROBLEMS)
        stored = "".join((found.recipient_id, found.address, found.text, found.timezone))
        assert "\0" not in stored.encode().decode()  # a lone surrogate would not encode
        assert found.recipient_id
        assert len(found.recipient_id) <= SHOWN
        assert len(found.address) <= SHOWN
        if not found.blocked:
            assert values["consent"].strip().lower() == "true"
            assert found.address_valid
            assert found.address not in texts_to  # nobody gets two messages of one list
            texts_to.add(found.address)
            assert values["name"].strip() in found.text
            assert values["orderId"].strip() in found.text
