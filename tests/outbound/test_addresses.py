from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.addresses import Address, parse_address, with_plus
from genesys_cloud.outbound.channels import CHANNELS, find_channel, text_length
from genesys_cloud.outbound.phone import Phone, parse_phone
from genesys_cloud.outbound.violations import PROBLEMS, Violation

CONTACT = "5e7b11c2-5a0f-4f3e-9b1c-2f4c1f6b7a11"


def wire(channel: str, text: str, profile: str = "messaging") -> str:
    """The form that the ledger keeps, or the code of what is wrong."""
    found = parse_address(CHANNELS[f"messaging:{channel}"], text, profile)
    return found.wire if isinstance(found, Address) else found.code


@pytest.mark.parametrize(
    ("channel", "text", "expected"),
    [
        ("sms", "+12025550123", "+12025550123"),
        ("sms", " sms:+12025550123", "+12025550123"),
        ("sms", "+1 (202) 555-0123", "+12025550123"),
        ("sms", "+1.202.555.0123", "+12025550123"),
        ("sms", "+1\u00a0202\u202f555\u20110123", "+12025550123"),
        ("sms", "+49 (0)30 23125 000", "+493023125000"),  # the national 0 that Germans write
        ("whatsapp", "+12025550123", "whatsapp:+12025550123"),
        ("whatsapp", "WhatsApp: +12025550123", "whatsapp:+12025550123"),
        ("facebook", "1234567890", "facebook:1234567890"),
        ("facebook", "facebook:a.b_c-d", "facebook:a.b_c-d"),
        ("web", "web:5e7b-11", "web:5e7b-11"),
        ("web", "5e7b-11", "web:5e7b-11"),
        ("web", "Visitor-7", "web:Visitor-7"),
        ("web", f"web:{CONTACT.upper()}", f"web:{CONTACT}"),
    ],
)
def test_an_address_takes_its_wire_form(channel: str, text: str, expected: str) -> None:
    assert wire(channel, text) == expected


@pytest.mark.parametrize(
    ("channel", "text", "code"),
    [
        ("sms", "", "address_missing"),
        ("sms", "  ", "address_missing"),
        ("sms", "sms:", "address_missing"),
        ("web", "web: ", "address_missing"),
        ("sms", "2025550123", "address_not_e164"),
        ("sms", "0012025550123", "address_not_e164"),
        ("sms", "+02025550123", "address_not_e164"),
        ("sms", "+1202555ABCD", "address_not_e164"),
        ("sms", "tel:+12025550123", "address_not_e164"),
        ("sms", "+12025550123,+12025550124", "address_not_e164"),
        ("sms", "+12025550123\n", "+12025550123"),
        ("sms", "+1202555٠١٢٣", "address_not_e164"),  # digits, but not ASCII ones
        ("sms", "+1234567890123456", "address_not_e164"),  # sixteen digits
        ("whatsapp", "whatsapp:whatsapp:+12025550123", "address_not_e164"),
        ("sms", "+15550001234", "number_invalid"),
        ("whatsapp", "whatsapp:+15559998765", "number_invalid"),
        ("sms", "+999123456789", "number_invalid"),
        ("sms", "+34234234234", "number_invalid"),
        ("sms", "+18005550199", "number_not_textable"),
        ("sms", "+19005550199", "number_not_textable"),  # premium rate
        ("sms", "+443069990123", "number_not_textable"),  # a company-wide number
        ("sms", "+80012345678", "number_not_textable"),  # toll-free in every country
        ("sms", "whatsapp:+12025550123", "address_channel_mismatch"),
        ("whatsapp", "sms:+12025550123", "address_channel_mismatch"),
        ("whatsapp", "facebook:123", "address_channel_mismatch"),
        ("facebook", "Web:123", "address_channel_mismatch"),
        ("web", "has space", "address_malformed"),
        ("web", "control\x07", "address_malformed"),
        ("web", "x" * 129, "address_malformed"),
        ("facebook", "+12025550123", "address_malformed"),
        ("facebook", "ünïcode", "address_malformed"),
    ],
)
def test_an_unusable_address_has_a_code(channel: str, text: str, code: str) -> None:
    assert wire(channel, text) == code


@pytest.mark.parametrize(
    ("channel", "text", "expected"),
    [
        ("sms", "+1 202-555-0123", "+12025550123"),
        ("sms", "2025550123", "address_not_e164"),
        ("whatsapp", "+12025550123", "whatsapp:+12025550123"),
        ("whatsapp", "12025550123", "address_not_e164"),
        ("apple", "+12025550123", "apple:+12025550123"),
        ("apple", "Apple:+12025550123", "apple:+12025550123"),
        ("apple", "ann@example.com", "address_not_e164"),
        ("open", "messaging-user@externalservice.com", "open:messaging-user@externalservice.com"),
        ("open", "open:a.b", "open:a.b"),
        ("open", CONTACT.upper(), f"open:{CONTACT.upper()}"),  # its provider's, whatever it means
        ("open", "two words", "address_malformed"),
        ("web", CONTACT, f"web:{CONTACT}"),
        ("web", f"web:{CONTACT.upper()}", f"web:{CONTACT}"),
        ("web", "5e7b-11", "address_malformed"),
        ("web", CONTACT + "0", "address_malformed"),
        ("web", CONTACT.replace("-", ""), "address_malformed"),
        ("web", "", "address_missing"),
        ("web", "apple:+12025550123", "address_channel_mismatch"),
    ],
)
def test_the_agentless_profile_s_addresses(channel: str, text: str, expected: str) -> None:
    assert wire(channel, text, "agentless") == expected


def test_the_sentence_about_a_web_contact_says_what_its_id_is() -> None:
    found = parse_address(CHANNELS["messaging:web"], "visitor-7", "agentless")
    assert isinstance(found, Violation)
    assert "the id of an external contact" in found.message
    assert "visitor-7" not in found.message


@pytest.mark.parametrize(
    ("channel", "text", "expected"),
    [
        ("sms", "12025550123", "+12025550123"),
        ("apple", "12025550123", "+12025550123"),
        ("sms", "+12025550123", "+12025550123"),
        ("sms", "29012345", "+29012345"),
        ("sms", "1" * 15, "+" + "1" * 15),
        ("sms", "5550103", "5550103"),
        ("sms", "1" * 16, "1" * 16),
        ("sms", "1202555012a", "1202555012a"),
        ("web", "12025550123", "12025550123"),
        ("open", "12025550123", "12025550123"),
    ],
)
def test_a_number_of_the_platform_gets_its_plus(channel: str, text: str, expected: str) -> None:
    assert with_plus(CHANNELS[f"messaging:{channel}"], text) == expected


@pytest.mark.parametrize("prefix", ["+4477009", "+3363998", "+1202555"])
def test_the_country_is_the_number_s_not_the_code_s(prefix: str) -> None:
    canadian = parse_phone("+16135550123")
    assert isinstance(canadian, Phone)
    assert canadian.country == "CA"
    assert not hasattr(parse_phone(prefix), "country")


def test_a_number_of_no_country_has_none() -> None:
    found = parse_phone("+88216123456")
    assert isinstance(found, Phone)
    assert found.country is None


def test_the_sentence_shows_no_more_than_two_digits() -> None:
    for text in ("+15550001234", "4155550187", "+18005550199"):
        found = parse_phone(text)
        assert isinstance(found, Violation)
        assert text[:-2] not in found.message
        assert f"…{text[-2:]}" in found.message


def test_the_sentence_of_an_invalid_number_speaks_of_the_examples() -> None:
    found = parse_phone("+15550001234")
    assert isinstance(found, Violation)
    assert "…34 is not a valid number of any numbering plan" in found.message
    assert "+1555000…" in found.message


spellings = st.tuples(
    st.sampled_from(["+12025550123", "+493023125001", "+33199001234", "+442079460123"]),
    st.lists(st.tuples(st.integers(1, 11), st.sampled_from([" ", "-", ".", "(", ")", "\u00a0"]))),
)


@given(spellings)
def test_separators_change_nothing(spelling: tuple[str, list[tuple[int, str]]]) -> None:
    number, separators = spelling
    spelled = number
    for place, separator in separators:
        spelled = spelled[:place] + separator + spelled[place:]
    assert wire("sms", spelled) == number


UUIDS = st.uuids().map(str) | st.uuids().map(lambda one: str(one).upper())


@given(
    st.sampled_from(sorted(CHANNELS)),
    st.text(max_size=40) | st.from_regex(r"\+[0-9 ]{5,20}") | UUIDS,
    st.sampled_from(["messaging", "agentless"]),
)
def test_normalising_twice_is_normalising_once(name: str, text: str, profile: str) -> None:
    found = parse_address(CHANNELS[name], text, profile)
    if isinstance(found, Violation):
        assert found.code in PROBLEMS
    else:
        assert parse_address(CHANNELS[name], found.wire, profile) == found
        # What one profile has in the ledger, the other would find there under the same key.
        assert parse_address(CHANNELS[name], text) == found
        assert parse_address(CHANNELS[name], found.wire) == found
        assert not set(found.wire) & set(" \n\r\t\0")


def test_the_limits_are_the_tutorial_s() -> None:
    limits = {name: channel.limit("messaging") for name, channel in CHANNELS.items()}
    assert limits == {
        "messaging:sms": 160,
        "messaging:whatsapp": 1600,
        "messaging:facebook": 64000,
        "messaging:web": 10000,
        "messaging:open": None,
        "messaging:apple": None,
    }


def test_the_limits_of_the_platform() -> None:
    limits = {name: channel.limit("agentless") for name, channel in CHANNELS.items()}
    assert limits == {
        "messaging:sms": 765,
        "messaging:whatsapp": 2000,
        "messaging:facebook": None,
        "messaging:web": 2000,
        "messaging:open": 2000,
        "messaging:apple": 2000,
    }


def test_facebook_is_refused_with_the_reason() -> None:
    found = find_channel("messaging:facebook", "agentless")
    assert isinstance(found, Violation)
    assert found.code == "channel_unsupported"
    assert found.message == (
        "Unsupported channelType: messaging:facebook. Genesys Cloud has no agentless route to "
        "Facebook, only one within a conversation; use one of messaging:sms, messaging:whatsapp, "
        "messaging:web, messaging:open, messaging:apple."
    )


def test_a_channel_that_the_profile_lacks_is_explained() -> None:
    found = find_channel("messaging:open", "messaging")
    assert isinstance(found, Violation)
    assert found.message.startswith("Unsupported channelType: messaging:open. The profile")
    assert "messaging:web" in found.message
    unknown = find_channel("messaging:pigeon", "messaging")
    assert isinstance(unknown, Violation)
    assert unknown.message == "Unsupported channelType: messaging:pigeon"
    assert not isinstance(find_channel("messaging:open", "agentless"), Violation)


def test_length_is_that_of_javascript() -> None:
    assert [text_length(text) for text in ("abc", "é", "😀", "👨‍👩‍👧", "\ud800")] == [3, 1, 2, 8, 1]
