"""Conversations by time: what a query finds, its limits, and pages that do not hold still."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.platform_caller import (
    JULY,
    QUERY,
    Platform,
    a_web_message,
    an_sms,
    an_sms_to,
    ids,
    matching,
    on_a_day,
    past,
    predicate,
)
from tests.simulator.server import SimulatorProcess


def page(platform: Platform, number: int, size: int = 10, **body: Any) -> dict[str, Any]:
    paging = {"pageSize": size, "pageNumber": number}
    return dict(platform.query(interval=JULY, paging=paging, **body).json())


def test_a_conversation_has_two_parties_and_the_latest_status(platform: Platform) -> None:
    sent = platform.accepted(an_sms())
    platform.simulator.wait_until_quiet()
    (known,) = platform.query().json()["conversations"]
    assert known["conversationId"] == sent["conversationId"]
    assert (known["conversationInitiator"], known["originatingDirection"]) == ("api", "outbound")
    assert known["conversationStart"] <= known["conversationEnd"]
    (api,), (customer,) = (each["sessions"] for each in known["participants"])
    assert api["deliveryStatus"] in ("DeliverySuccess", "Read", "DeliveryFailed", "Failed")
    assert api["deliveryStatusChangeDate"] >= known["conversationStart"]
    assert "deliveryStatus" not in customer
    assert (api["peerId"], customer["peerId"]) == (customer["sessionId"], api["sessionId"])
    assert (api["addressFrom"], api["addressTo"]) == ("+13175550100", "+13175550101")
    names = {metric["name"] for metric in api["metrics"]}
    assert {"nOutbound", "oMessageCount"} <= names
    path = f"/api/v2/analytics/conversations/{sent['conversationId']}/details"
    assert platform.get(path).json() == known


def test_a_web_conversation_names_the_contact_and_no_address(platform: Platform) -> None:
    platform.accepted(a_web_message())
    (known,) = platform.query().json()["conversations"]
    assert known["participants"][1]["externalContactId"] == "7d0c5fd0-contact"
    assert all("addressTo" not in each["sessions"][0] for each in known["participants"])
    assert len(platform.found(segmentFilters=matching(externalContactId="7d0c5fd0-contact"))) == 1
    nobody = [{"type": "and", "predicates": [predicate("addressTo", operator="exists")]}]
    assert platform.found(segmentFilters=nobody) == []


def test_only_what_began_on_a_day_that_the_interval_touches_is_found(platform: Platform) -> None:
    platform.admin(
        "conversations",
        [
            past(1, "2026-07-09T23:00:00Z", end="2026-07-10T12:30:00Z"),
            past(2, "2026-07-10T01:00:00Z", end="2026-07-10T12:30:00Z"),
            past(3, "2026-07-10T02:00:00Z", end="2026-07-10T03:00:00Z"),
            past(4, "2026-07-10T12:10:00Z"),
            past(5, "2026-07-10T13:00:00Z"),
        ],
    )
    hour = "2026-07-10T12:00:00Z/2026-07-10T13:00:00Z"
    # 1 began the day before, 3 was over before the hour, 5 began when it had ended.
    assert ids(platform.query(interval=hour).json()) == ["c2", "c4"]


def test_an_opened_conversation_is_analysed_and_can_be_joined(platform: Platform) -> None:
    opened = platform.admin(
        "conversations/open", {"channel": "sms", "from": "+13175550100", "to": "+13175550101"}
    )
    inbound = matching(purpose="customer", direction="inbound", addressFrom="+13175550101")
    assert platform.found(segmentFilters=inbound) == [opened["conversationId"]]
    assert platform.found(segmentFilters=matching(purpose="api")) == []
    for text in ("one", "two"):
        platform.accepted(an_sms(textBody=text, useExistingActiveConversation=True))
    sent = matching(purpose="api", direction="outbound", addressTo="+13175550101")
    assert platform.found(segmentFilters=sent) == [opened["conversationId"]]
    path = f"/api/v2/analytics/conversations/{opened['conversationId']}/details"
    session = platform.get(path).json()["participants"][0]["sessions"][0]
    assert {"oMessageCount": 2}.items() <= {
        m["name"]: m["value"] for m in session["metrics"]
    }.items()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"segmentFilters": matching(addressTo="+13175550002")}, ["c2"]),
        ({"segmentFilters": matching(deliveryStatus="DeliveryFailed")}, ["c2"]),
        ({"segmentFilters": matching(errorCode="InvalidDestination")}, ["c2"]),
        ({"segmentFilters": matching(messageType="whatsapp", purpose="api")}, ["c3"]),
        # No one session is the customer's and has a status.
        ({"segmentFilters": matching(purpose="customer", deliveryStatus="Read")}, []),
        ({"segmentFilters": matching(mediaType="voice")}, []),
        (
            {"segmentFilters": [*matching(purpose="api"), *matching(deliveryStatus="Read")]},
            ["c3"],
        ),
        ({"conversationFilters": matching(conversationId="c1")}, ["c1"]),
        (
            {"conversationFilters": matching(conversationInitiator="api", conversationId="c9")},
            [],
        ),
        (
            {
                "segmentFilters": [
                    {
                        "type": "or",
                        "clauses": [
                            matching(addressTo="+13175550001")[0],
                            matching(messageType="whatsapp")[0],
                        ],
                    }
                ]
            },
            ["c1", "c3"],
        ),
        (
            {
                "segmentFilters": [
                    {
                        "type": "and",
                        "predicates": [
                            predicate("purpose", "api"),
                            predicate("errorCode", operator="notExists"),
                        ],
                    }
                ]
            },
            ["c1", "c3"],
        ),
    ],
)
def test_filters_narrow_what_is_found(
    platform: Platform, filters: dict[str, Any], expected: list[str]
) -> None:
    platform.admin(
        "conversations",
        [
            past(1, "2026-07-10T10:00:00Z"),
            past(
                2, "2026-07-10T11:00:00Z", status="delivery-failed", errorCode="InvalidDestination"
            ),
            past(3, "2026-07-10T12:00:00Z", status="read", channel="whatsapp"),
        ],
    )
    assert ids(platform.query(interval=JULY, **filters).json()) == expected


@pytest.mark.parametrize(
    "filters",
    [
        {"segmentFilters": matching(colour="red")},
        {"conversationFilters": matching(addressTo="+13175550101")},
        {"segmentFilters": [{"type": "xor", "predicates": [predicate("purpose", "api")]}]},
        {"segmentFilters": [{"type": "and"}]},
        {"segmentFilters": "purpose"},
        {"segmentFilters": [{"type": "and", "predicates": [predicate("purpose")]}]},
        {"order": "upwards"},
        {"orderBy": "colour"},
        {"interval": "2026-07-01/2026-07-02"},
        {"interval": "2026-07-02T00:00:00Z/2026-07-01T00:00:00Z"},
        {"paging": {"pageSize": 101}},
        {"paging": {"pageSize": "10"}},
        {"paging": {"pageNumber": 0}},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    platform: Platform, filters: dict[str, Any]
) -> None:
    assert platform.query(**filters).status_code == 400


def test_an_interval_is_needed_and_at_most_31_days_long(platform: Platform) -> None:
    day_more = "2026-07-01T00:00:00Z/2026-08-01T00:00:01Z"
    for answer in (platform.query(interval=day_more), platform.post(QUERY, {})):
        assert answer.status_code == 400
        assert "does not exceed 31 days" in answer.json()["message"]
    assert platform.query(interval=JULY).status_code == 200


def test_pages_end_at_a_hundred_thousand_results(platform: Platform) -> None:
    last = {"pageSize": 100, "pageNumber": 1000}
    assert platform.query(paging=last).status_code == 200
    refused = platform.query(paging=last | {"pageNumber": 1001})
    assert refused.status_code == 400
    assert refused.json()["message"].startswith("Pagination may not exceed 100000 results.")


def test_pages_are_in_order_and_make_up_the_whole(platform: Platform) -> None:
    platform.admin("conversations", on_a_day(25))
    pages = [page(platform, number) for number in (1, 2, 3, 4)]
    everything = [f"c{number}" for number in range(25)]
    assert [each for answer in pages for each in ids(answer)] == everything
    assert {each["totalHits"] for each in pages} == {25}
    # The platform leaves a list out when there is nothing in it.
    assert pages[3].keys() == {"totalHits"}
    assert ids(page(platform, 1, 25, order="desc")) == everything[::-1]
    assert len(ids(platform.query(interval=JULY).json())) == 25


def test_conversations_can_be_ordered_by_their_end(platform: Platform) -> None:
    platform.admin(
        "conversations",
        [
            past(1, "2026-07-10T10:00:00Z", end="2026-07-10T15:00:00Z"),
            past(2, "2026-07-10T11:00:00Z", end="2026-07-10T12:00:00Z"),
        ],
    )
    assert ids(page(platform, 1, orderBy="conversationEnd")) == ["c2", "c1"]


def test_the_same_question_finds_what_has_come_in_since() -> None:
    queued = matching(deliveryStatus="Queued")
    with SimulatorProcess(speed=0.001) as simulator:
        slow = Platform(simulator)
        first = slow.accepted(an_sms_to(1))["conversationId"]
        assert slow.found(segmentFilters=queued) == [first]
        second = slow.accepted(an_sms_to(2))["conversationId"]
        assert slow.found(segmentFilters=queued) == [first, second]
        slow.close()


def test_totals_are_about_right_when_told_so() -> None:
    with SimulatorProcess(approximate_totals=0.2) as simulator:
        platform = Platform(simulator)
        platform.admin("conversations", on_a_day(50))
        totals = [page(platform, number)["totalHits"] for number in (1, 2, 3, 4, 5)]
        found = [each for number in (1, 2, 3, 4, 5) for each in ids(page(platform, number))]
        platform.close()
    assert len(set(totals)) > 1
    assert all(40 <= total <= 60 for total in totals)
    assert len(found) == 50


def test_pages_that_shift_repeat_some_and_lose_none() -> None:
    with SimulatorProcess(shifting_pages=True) as simulator:
        platform = Platform(simulator)
        platform.admin("conversations", on_a_day(50))
        found: list[str] = []
        number, total = 1, 1
        while (number - 1) * 10 < total:
            answer = page(platform, number)
            found, total, number = found + ids(answer), answer["totalHits"], number + 1
        platform.close()
    assert set(found) == {f"c{each}" for each in range(50)}
    # Five pages become six: each after the first begins with one that was on the page before.
    assert len(found) == 55
    assert total == 55
