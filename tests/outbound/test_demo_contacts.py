from __future__ import annotations

from collections import Counter
from pathlib import Path

import phonenumbers
import pytest

from demo.contacts import AUDIENCES, MARKETS, SPOILS, main, write_contacts
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.decisions import Decision, Planner
from tests.outbound.libraries import SHIPPED


def plan(name: str, template: str, channel: str) -> list[Decision]:
    campaign = Campaign(
        campaign_id="demo", audience=name, template=template, channel=channel, sender="+12025550100"
    )
    loaded = SHIPPED.load(template, channel)
    planner = Planner(campaign, loaded)
    with (AUDIENCES / name).open("rb") as stream:
        return [planner.decide(row) for row in read_csv(stream)]


@pytest.mark.parametrize(
    ("template", "channel", "own_code"),
    [
        ("appointment_reminder", "messaging:whatsapp", "invalid_value"),
        ("order_update", "messaging:sms", "text_too_long"),
    ],
)
def test_the_demo_list_has_every_mistake_and_is_mostly_good(
    template: str, channel: str, own_code: str
) -> None:
    found = plan("demo_contacts.csv", template, channel)
    blocked = [decision for decision in found if decision.blocked]
    reasons = Counter(violation.code for one in blocked for violation in one.violations)
    assert len(found) == 5000
    assert 0.04 < len(blocked) / len(found) < 0.06
    assert {
        *("consent_not_verified", "number_invalid", "number_not_textable", "address_not_e164"),
        *("address_missing", "address_channel_mismatch", "duplicate_address", "missing_variable"),
        *("row_not_text", "row_malformed", own_code),
    } <= set(reasons)
    assert {decision.language for decision in found} == {"en", "es", "fr", "de"}
    assert {"es_MX", "es_US", "fr_CA", "de_AT", "en_GB"} <= {one.locale for one in found}
    assert any(len(decision.violations) > 2 for decision in blocked)


def test_odd_names_go_out_as_they_stand() -> None:
    found = plan("demo_contacts.csv", "order_update", "messaging:sms")
    texts = "\n".join(decision.text for decision in found)
    for name in ("{{ 7*7 }}", "=cmd()", "O'Brien; DROP TABLE messages", "נועה", "🎉", "$& ${name}"):
        assert name in texts


@pytest.mark.parametrize(
    ("name", "template", "channel"),
    [
        ("appointments.csv", "appointment_reminder", "messaging:whatsapp"),
        ("orders.csv", "order_update", "messaging:sms"),
    ],
)
def test_the_small_lists_are_mostly_good(name: str, template: str, channel: str) -> None:
    found = plan(name, template, channel)
    assert (len(found), sum(decision.blocked for decision in found)) == (40, 3)


def test_every_number_is_reserved_for_fiction() -> None:
    prefixes = tuple(prefix for market in MARKETS for prefix, _ in market.prefixes)
    for decision in plan("demo_contacts.csv", "order_update", "messaging:sms"):
        if decision.address_valid:
            assert decision.address.startswith(prefixes)
    for market in MARKETS:
        for prefix, _ in market.prefixes:
            for number in (0, 10**market.width - 1):
                full = phonenumbers.parse(f"{prefix}{number:0{market.width}d}")
                assert phonenumbers.is_valid_number(full)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write_contacts(tmp_path / name, 500, seed=7)
    write_contacts(tmp_path / "c.csv", 500, seed=8)
    a, b, c = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_the_lists_in_the_repository_are_those_that_the_program_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.contacts.AUDIENCES", tmp_path)
    main()
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (AUDIENCES / path.name).read_bytes()


def test_the_mixture_of_mistakes_is_as_it_says() -> None:
    assert sum(count for count, _ in SPOILS.values()) / 5000 == pytest.approx(0.057, abs=0.001)


def test_large_lists_can_be_made_too(tmp_path: Path) -> None:
    write_contacts(tmp_path / "large.csv", 12_000)
    with (tmp_path / "large.csv").open("rb") as stream:
        assert sum(1 for _ in read_csv(stream)) == 12_000
