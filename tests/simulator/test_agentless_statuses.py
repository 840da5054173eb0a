"""What becomes of an agentless message, and how it can be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from genesys_cloud.simulator.agentless.state import slow_by
from genesys_cloud.simulator.agentless.words import next_word
from genesys_cloud.simulator.lifecycle import FAILURES, plan
from genesys_cloud.simulator.options import SimulatorOptions
from tests.simulator.platform_caller import (
    MESSAGES,
    Platform,
    a_web_message,
    an_sms,
    an_sms_to,
)
from tests.simulator.server import SimulatorProcess


def ends(**options: Any) -> list[dict[str, Any]]:
    """Return twenty messages once nothing happens to them any more."""
    with SimulatorProcess(speed=1000, requests_per_minute=100_000, **options) as simulator:
        platform = Platform(simulator)
        sent = [platform.accepted(an_sms_to(number)) for number in range(20)]
        simulator.wait_until_quiet()
        found = [platform.get(f"{MESSAGES}/{each['id']}/details").json() for each in sent]
        platform.close()
    return found


def test_a_delivered_message_has_a_receipt_for_each_change() -> None:
    for message in ends(failure_share=0, read_share=1):
        receipts = message["normalizedReceipts"]
        assert message["status"] == "read"
        assert [each["status"] for each in receipts] == ["Sent", "Delivered", "Read"]
        assert [each["isFinalReceipt"] for each in receipts] == [False, True, True]
        times = [message["timestamp"], *(each["channel"]["time"] for each in receipts)]
        assert times == sorted(times)


def test_a_failed_message_says_why_in_its_receipt() -> None:
    found = ends(failure_share=1)
    # Half are refused before they are sent, half by the carrier.
    assert {message["status"] for message in found} == {"failed", "delivery-failed"}
    for message in found:
        last = message["normalizedReceipts"][-1]
        assert (last["status"], last["isFinalReceipt"]) == ("Failed", True)
        assert last["reasons"][0]["code"] in FAILURES
        sent = [each["status"] for each in message["normalizedReceipts"][:-1]]
        assert sent == (["Sent"] if message["status"] == "delivery-failed" else [])


def test_a_failure_is_the_carriers_once_the_message_was_sent() -> None:
    assert next_word("queued", "failed") == "failed"
    assert next_word("sent", "failed") == "delivery-failed"
    assert next_word("sent", "delivered") == "delivery-success"


def test_slow_messages_are_sent_at_once_and_delivered_hours_later() -> None:
    options = SimulatorOptions(slow_share=0.25, failure_share=0)
    waits = {f"+1317555{n:04d}": slow_by(options, f"+1317555{n:04d}", "Hi") for n in range(400)}
    slow = {address: wait for address, wait in waits.items() if wait}
    # 400 draws at a quarter: 100, and three standard deviations of 8.7 either way.
    assert 73 <= len(slow) <= 127
    assert all(7200 <= wait <= 259_200 for wait in slow.values())
    address, wait = next(iter(slow.items()))
    usual, later = plan(options, address, "Hi"), plan(options, address, "Hi", later_s=wait)
    assert later[0].at_s == usual[0].at_s
    assert [step.at_s for step in later[1:]] == [step.at_s + wait for step in usual[1:]]


def test_a_clock_that_is_fast_enough_brings_the_slow_ones_home() -> None:
    with SimulatorProcess(speed=1_000_000, slow_share=1, failure_share=0) as simulator:
        platform = Platform(simulator)
        sent = platform.accepted(an_sms())
        simulator.wait_until_quiet()
        message = platform.get(f"{MESSAGES}/{sent['id']}/details").json()
        platform.close()
    assert message["status"] in ("delivery-success", "read")


def test_each_way_to_ask_for_a_message_answers_the_same(platform: Platform) -> None:
    sent, other = platform.accepted(an_sms()), platform.accepted(a_web_message())
    platform.simulator.wait_until_quiet()
    conversation = f"{MESSAGES}/{sent['conversationId']}"
    one = platform.get(f"{MESSAGES}/{sent['id']}/details").json()
    assert platform.get(f"{conversation}/messages/{sent['id']}").json() == one
    bulk = platform.post(f"{conversation}/messages/bulk", [sent["id"], other["id"], "unknown"])
    assert bulk.json() == {"entities": [one]}


def test_a_conversation_shows_its_messages_and_what_went_wrong() -> None:
    with SimulatorProcess(speed=1000, failure_share=1) as simulator:
        platform = Platform(simulator)
        sent = platform.accepted(an_sms(textBody="x" * 161))
        simulator.wait_until_quiet()
        shown = platform.get(f"{MESSAGES}/{sent['conversationId']}").json()
        platform.close()
    parties = {each["purpose"]: each for each in shown["participants"]}
    assert parties.keys() == {"api", "customer"}
    assert "messages" not in parties["customer"]
    (details,) = parties["api"]["messages"]
    assert (details["messageId"], details["messageSegmentCount"]) == (sent["id"], 2)
    assert details["messageStatus"] in ("failed", "delivery-failed")
    assert details["errorInfo"]["code"] in FAILURES


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{MESSAGES}/m1/details"),
        ("GET", f"{MESSAGES}/c1"),
        ("GET", f"{MESSAGES}/c1/messages/m1"),
        ("POST", f"{MESSAGES}/c1/messages/bulk"),
        ("GET", "/api/v2/analytics/conversations/c1/details"),
    ],
)
def test_what_is_unknown_is_not_found(platform: Platform, method: str, path: str) -> None:
    answer = platform.call(method, path, json=["m1"])
    assert (answer.status_code, answer.json()["code"]) == (404, "not.found")


def test_a_message_is_not_found_in_another_conversation(platform: Platform) -> None:
    one, other = platform.accepted(an_sms()), platform.accepted(an_sms())
    path = f"{MESSAGES}/{other['conversationId']}/messages/{one['id']}"
    assert platform.get(path).status_code == 404


@pytest.mark.parametrize("body", [["m"] * 1001, {"ids": []}, [5]])
def test_a_bulk_question_is_at_most_a_thousand_ids(platform: Platform, body: Any) -> None:
    sent = platform.accepted(an_sms())
    path = f"{MESSAGES}/{sent['conversationId']}/messages/bulk"
    assert platform.post(path, body).status_code == 400
    assert platform.post(path, ["m"] * 1000).json() == {"entities": []}


def test_the_stats_count_both_profiles_in_the_same_words() -> None:
    with SimulatorProcess(speed=1000, failure_share=0, read_share=0) as simulator:
        platform = Platform(simulator)
        platform.accepted(an_sms())
        stats = simulator.wait_until_quiet()
        platform.close()
    assert stats["messages"] == 1
    assert stats["byStatus"] == {"queued": 0, "sent": 0, "delivered": 1, "read": 0, "failed": 0}
