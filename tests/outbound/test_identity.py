from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.identity import identify

NUMBER = "+12025550123"


@pytest.mark.parametrize(
    "text", [NUMBER, " +1 (202) 555-0123 ", "sms:+12025550123", "WhatsApp: +1-202-555-0123"]
)
def test_a_number_is_one_person_on_every_channel_of_numbers(text: str) -> None:
    assert identify(text).wires == {
        "messaging:sms": NUMBER,
        "messaging:whatsapp": f"whatsapp:{NUMBER}",
        "messaging:apple": f"apple:{NUMBER}",
    }


def test_a_channel_narrows() -> None:
    assert identify(NUMBER, "messaging:whatsapp").wires == {
        "messaging:whatsapp": f"whatsapp:{NUMBER}"
    }
    assert identify("12345678", "messaging:facebook").wires == {
        "messaging:facebook": "facebook:12345678"
    }


def test_an_id_with_its_prefix_is_of_that_channel_and_one_without_of_all() -> None:
    assert identify("web:abc-def").wires == {"messaging:web": "web:abc-def"}
    assert set(identify("abc-def").wires) == {
        "messaging:facebook", "messaging:web", "messaging:open"
    }  # fmt: skip


def test_a_number_that_no_plan_has_may_be_erased_too() -> None:
    assert identify("+15559998765").wires["messaging:sms"] == "+15559998765"


@pytest.mark.parametrize(
    "text",
    ["", " ", "+", "12025550123", "202 555 0123", "+1", "+12025550123x", "whatsapp:12", "facebook:",
     "a b", "x" * 500, "+" + "1" * 400, "\0", "web:\n", "+１２０２５５５０１２３"],
)  # fmt: skip
def test_what_is_no_address_is_answered_with_a_sentence(text: str) -> None:
    with pytest.raises(CampaignDefinitionError, match=r"The address is .*\."):
        identify(text)


@pytest.mark.parametrize(("text", "channel"), [(NUMBER, "messaging:fax"), (NUMBER, "")])
def test_a_channel_that_there_is_not_is_named(text: str, channel: str) -> None:
    with pytest.raises(CampaignDefinitionError, match="There is no channel"):
        identify(text, channel)


@pytest.mark.parametrize(
    "text",
    [NUMBER, "12025550123", "0012025550123", "01112025550123", "whatsapp:+12025550123",
     "+1 (202) 555-0123", "+1.202.555.0123", "call +12025550123!", "202-555-0123", "2025550123",
     "sms:202 555 0123", "+1\u00a0202\u2011555\u20110123"],
)  # fmt: skip
def test_every_spelling_is_found(text: str) -> None:
    assert identify(NUMBER).quoted_in(text)


@pytest.mark.parametrize(
    "text",
    [None, "", "+120255501234", "+912025550123", "+2025550123", "5550123", "call 202-555-0123 now",
     "+1202555012", "order 2025550123 is ready"],
)  # fmt: skip
def test_another_number_or_a_doubtful_one_in_a_text_is_not(text: str | None) -> None:
    assert not identify(NUMBER).quoted_in(text)


def test_a_short_id_is_found_with_its_prefix_only() -> None:
    short, long = identify("web:anna"), identify("web:anna-4711")
    assert short.quoted_in("web:anna")
    assert not short.quoted_in("Dear anna")
    assert long.quoted_in("anna-4711 wrote")
    assert not long.quoted_in("web:anna-47112")


def test_a_text_is_masked_in_every_spelling() -> None:
    masked = identify(NUMBER).masked("from +1 202 555 0123, or 12025550123")
    assert masked == "from …, or …"


@given(st.text(max_size=60), st.sampled_from([NUMBER, "web:anna-4711"]))
def test_what_is_masked_holds_the_address_no_more(text: str, address: str) -> None:
    person = identify(address)
    assert not person.quoted_in(person.masked(f"{text} {address} {text}").replace("…", " … "))


@given(st.text(max_size=30))
def test_any_input_is_a_person_or_refused_with_a_sentence(text: str) -> None:
    with contextlib.suppress(CampaignDefinitionError):
        assert identify(text).wires
