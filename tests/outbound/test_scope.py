"""Whose a suppression is: a number is one person's on every channel with numbers."""

from __future__ import annotations

import pytest

from genesys_cloud.outbound.channels import CHANNELS, AddressKind
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.scope import parse_person, same_person
from genesys_cloud.outbound.violations import Violation

NUMBER = "+12025550123"


@pytest.mark.parametrize("channel", [o for o in CHANNELS.values() if o.kind is AddressKind.PHONE])
def test_a_number_is_the_same_persons_wherever_it_comes_from(channel: object) -> None:
    one = CHANNELS[getattr(channel, "name")]  # noqa: B009 - the table's own entries
    assert same_person(one.name, one.prefix + NUMBER) == identify(NUMBER).wires


@pytest.mark.parametrize("wire", ["open:12025550123", "facebook:9", "web:ab"])
def test_an_id_is_its_providers_alone(wire: str) -> None:
    channel = f"messaging:{wire.partition(':')[0]}"
    assert same_person(channel, wire) == {channel: wire}
    assert same_person("messaging:none", wire) == {"messaging:none": wire}


@pytest.mark.parametrize(
    ("text", "channel", "wire"),
    [
        ("+1 (202) 555-0123", "messaging:sms", NUMBER),
        (" WhatsApp: +12025550123 ", "messaging:whatsapp", f"whatsapp:{NUMBER}"),
        ("open:abc", "messaging:open", "open:abc"),
    ],
)
def test_a_person_is_known_by_any_address(text: str, channel: str, wire: str) -> None:
    person = parse_person(text)
    assert not isinstance(person, Violation)
    assert (person[0].name, person[1].wire) == (channel, wire)


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "address_missing"), ("abc", "address_not_e164"), ("sms:open:x", "address_not_e164")],
)
def test_what_names_nobody_is_refused(text: str, code: str) -> None:
    refused = parse_person(text)
    assert isinstance(refused, Violation)
    assert refused.code == code
