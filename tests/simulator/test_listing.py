"""Reading messages back: pages, intervals, statuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genesys_cloud.simulator.store import MessageStore
from tests.simulator.caller import MESSAGES, Caller, a_message
from tests.simulator.server import SimulatorProcess, wait_for

START = datetime(2024, 1, 8, tzinfo=UTC)
STATUSES = ("queued", "sent", "delivered", "read", "failed")


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entities(count: int) -> list[dict[str, Any]]:
    """Return messages a minute apart, whose statuses take turns."""
    return [
        {
            "id": f"msg_{number}",
            "channelType": "messaging:sms",
            "status": STATUSES[number % 5],
            "createdDate": iso(START + timedelta(minutes=number)),
        }
        for number in range(count)
    ]


def interval(first: int, after_last: int) -> str:
    start, end = (START + timedelta(minutes=minutes) for minutes in (first, after_last))
    return f"{iso(start)},{iso(end)}"


def ids(body: dict[str, Any]) -> list[str]:
    return [entity["id"] for entity in body["entities"]]


def test_pages_hold_every_message_once_in_order_of_creation(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.load(entities(245)[::-1])
    pages = [
        caller.list(createdDate=interval(0, 500), pageSize=100, pageNumber=number).json()
        for number in (1, 2, 3, 4)
    ]
    assert [len(page["entities"]) for page in pages] == [100, 100, 45, 0]
    assert [page["hasMore"] for page in pages] == [True, True, False, False]
    assert {page["total"] for page in pages} == {245}
    assert [(page["pageNumber"], page["pageSize"]) for page in pages[:2]] == [(1, 100), (2, 100)]
    assert [name for page in pages for name in ids(page)] == [
        f"msg_{number}" for number in range(245)
    ]


def test_a_last_page_that_is_full_has_no_more(simulator: SimulatorProcess, caller: Caller) -> None:
    simulator.load(entities(50))
    page = caller.list(pageSize=25, pageNumber=2).json()
    assert (len(page["entities"]), page["hasMore"]) == (25, False)


def test_the_interval_has_its_start_and_not_its_end(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.load(entities(10))
    assert ids(caller.list(createdDate=interval(3, 6)).json()) == ["msg_3", "msg_4", "msg_5"]
    assert ids(caller.list(createdDate=interval(3, 3)).json()) == []


def test_intervals_that_touch_share_no_message(simulator: SimulatorProcess, caller: Caller) -> None:
    simulator.load(entities(20))
    halves = [caller.list(createdDate=interval(*half)).json() for half in ((0, 7), (7, 20))]
    assert [name for half in halves for name in ids(half)] == [
        f"msg_{number}" for number in range(20)
    ]


def test_an_offset_other_than_utc_names_the_same_instant(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.load(entities(10))
    shifted = "2024-01-08T02:03:00+02:00,2024-01-08T02:05:00+02:00"
    assert ids(caller.list(createdDate=shifted).json()) == ["msg_3", "msg_4"]


def test_only_the_statuses_that_are_asked_for_are_counted(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.load(entities(100))
    page = caller.list(status="delivered,failed", pageSize=10).json()
    assert page["total"] == 40
    assert page["hasMore"] is True
    assert {entity["status"] for entity in page["entities"]} == {"delivered", "failed"}


def test_a_status_that_changes_is_seen_by_the_next_page(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    listed = entities(10)
    simulator.load(listed)
    assert caller.list(status="delivered").json()["total"] == 2
    simulator.load([listed[0] | {"status": "delivered"}])
    assert caller.list(status="delivered").json()["total"] == 3
    assert caller.list().json()["total"] == 10


def test_a_search_that_is_repeated_sees_the_message_that_moved_on() -> None:
    store, sent = MessageStore(), frozenset({"sent"})
    message = store.accept(a_message(), created_ms=1)
    assert store.search(None, None, sent) == []
    store.advance(message, "sent", at_ms=2)
    assert store.search(None, None, sent) == [message]


def test_pages_hold_25_unless_told_otherwise(simulator: SimulatorProcess, caller: Caller) -> None:
    simulator.load(entities(30))
    page = caller.list().json()
    assert (page["pageSize"], len(page["entities"]), page["hasMore"]) == (25, 25, True)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"pageSize": 0}, "invalid.value"),
        ({"pageSize": 101}, "invalid.value"),
        ({"pageSize": "many"}, "invalid.value"),
        ({"pageNumber": 0}, "invalid.value"),
        ({"pageNumber": -1}, "invalid.value"),
        ({"status": "delivered,lost"}, "invalid.value"),
        ({"createdDate": "2024-01-08T00:00:00Z"}, "invalid.date"),
        ({"createdDate": "2024-01-08,2024-01-09"}, "invalid.date"),
        ({"createdDate": "2024-01-08T00:00:00,2024-01-09T00:00:00"}, "invalid.date"),
        ({"createdDate": "2024-01-09T00:00:00Z,2024-01-08T00:00:00Z"}, "invalid.date"),
    ],
)
def test_a_question_that_makes_no_sense_answers_400(
    caller: Caller, query: dict[str, object], code: str
) -> None:
    answer = caller.list(**query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_one_message_is_found_by_its_id_as_it_was_sent(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    sent = a_message()
    message_id = caller.send(sent).json()["id"]
    entity = caller.get(f"{MESSAGES}/{message_id}").json()
    assert entity["id"] == message_id
    assert {key: entity[key] for key in ("channelType", "from", "to", "metadata")} == {
        key: sent[key] for key in ("channelType", "from", "to", "metadata")
    }
    dates = {"createdDate", "sentDate", "deliveredDate", "readDate", "failedDate"}
    assert dates < set(entity)


def test_an_unknown_id_answers_404(caller: Caller) -> None:
    answer = caller.get(f"{MESSAGES}/msg_none")
    assert (answer.status_code, answer.json()["code"]) == (404, "not.found")


def test_an_imported_message_is_shown_as_given_and_stays_so(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    given = entities(1)[0] | {"sentDate": iso(START + timedelta(seconds=2)), "errorCode": "X"}
    simulator.load([given])
    shown = caller.get(f"{MESSAGES}/msg_0").json()
    assert shown == {"deliveredDate": None, "readDate": None, "failedDate": None} | given
    assert simulator.stats()["changesPending"] == 0
    assert simulator.messages() == []


@pytest.mark.parametrize(
    "entity",
    [
        {"status": "sent"},
        {"createdDate": "2024-01-08T00:00:00Z"},
        {"createdDate": "yesterday", "status": "sent"},
        {"createdDate": "2024-01-08T00:00:00Z", "status": "lost"},
    ],
)
def test_an_import_with_one_bad_entity_takes_none(
    simulator: SimulatorProcess, entity: dict[str, str]
) -> None:
    with pytest.raises(RuntimeError, match="400"):
        simulator.load([*entities(3), entity])
    assert simulator.stats()["messages"] == 0


def test_a_live_message_is_listed_under_the_status_it_reaches(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    message_id = caller.send(a_message()).json()["id"]
    final = wait_for(
        lambda: caller.get(f"{MESSAGES}/{message_id}").json()["status"],
        lambda status: status in ("delivered", "read", "failed"),
    )
    simulator.wait_until_quiet()
    final = caller.get(f"{MESSAGES}/{message_id}").json()["status"]
    assert ids(caller.list(status=final).json()) == [message_id]
    assert caller.list(status="queued").json()["total"] == 0
