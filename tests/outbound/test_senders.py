"""The senders that a form offers, and which channel they are for."""

from __future__ import annotations

import re

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.senders import Sender, check_sender, parse_senders

SMS = Sender(channel="messaging:sms", address="+12025550100", label="main number")
WHATSAPP = Sender(channel="messaging:whatsapp", address="whatsapp:+12025550100", label="main")


def row(**changes: str) -> str:
    """Return a sender as the file has it."""
    fields = {"channel": SMS.channel, "address": SMS.address, "label": SMS.label} | changes
    lines = [f"{name} = {value!r}" for name, value in fields.items() if value]
    return "\n".join(["[[senders]]", *lines, ""])


def test_senders_are_read_in_their_order() -> None:
    text = row(channel=WHATSAPP.channel, address=WHATSAPP.address, label="main") + row()
    assert parse_senders(text) == (WHATSAPP, SMS)


def test_an_empty_list_has_none() -> None:
    assert parse_senders("# nobody yet") == ()


def test_one_address_may_serve_two_channels() -> None:
    # In the profile agentless an address is an id, and one integration may carry two channels.
    both = parse_senders(row(address="id-1") + row(address="id-1", channel="messaging:open"))
    assert [sender.channel for sender in both] == ["messaging:sms", "messaging:open"]
    check_sender(both, "id-1", "messaging:open")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("senders = 'all'", "[[senders]], written once for each"),
        ("senders = ['all']", "[[senders]], written once for each"),
        ("sender = 1", "something else than [[senders]]"),
        (row(label=""), "Sender 1 needs channel, address, label"),
        (row() + row(note="old"), "Sender 2 needs channel, address, label, and nothing else"),
        (row(channel="messaging:fax"), "`channel` of sender 1 is 'messaging:fax'; use one of"),
        (row(address=" "), "`address` of sender 1 is no text"),
        (row(label="").strip() + "\nlabel = 7\n", "`label` of sender 1 is no text"),
        (row() + row(label="again"), "+12025550100 is there twice for messaging:sms"),
        (row(label="").strip() + '\nlabel = "a\\nb"\n', "sender 1 holds a line break"),
        ("[[senders]", "line 1"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_senders(text)


def test_a_sender_of_another_channel_is_refused_with_those_that_serve() -> None:
    with pytest.raises(CampaignDefinitionError) as caught:
        check_sender((SMS, WHATSAPP), WHATSAPP.address, SMS.channel)
    assert str(caught.value) == (
        "The sender 'whatsapp:+12025550100' is for messaging:whatsapp, and the channel is "
        "messaging:sms. Choose one of messaging:sms (+12025550100), or the other channel."
    )


def test_a_bare_number_may_serve_any_channel_that_takes_numbers() -> None:
    # It is given its channel's prefix when it is planned; which channels it has, Genesys knows.
    check_sender((SMS, WHATSAPP), SMS.address, WHATSAPP.channel)
    check_sender((SMS,), SMS.address, WHATSAPP.channel)


def test_a_sender_that_is_not_listed_may_be_used() -> None:
    check_sender((SMS,), "+12025550111", "messaging:whatsapp")
