"""Every order in which the events of a message can come, however often: it ends where it should."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from genesys_cloud.ledger import audit, events
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.events import Effect
from genesys_cloud.ledger.tables import messages, status_events
from genesys_cloud.outbound.status import REACHED, Status, StatusEvent, advance
from tests.ledger.planted import NOW, plant

LIFE = ("queued", "sent", "delivered", "read", "failed")
RANK = {word: rank for rank, word in enumerate(("pending", *LIFE))}


def event(message_id: str, status: str, *, at: datetime = NOW, name: str = "") -> StatusEvent:
    return StatusEvent(
        event_id=f"{message_id}-{status}{name}",
        message_id=message_id,
        status=status,
        occurred_at=at,
    )


def accept(ledger: Ledger, count: int, *, occurrence: str, status: str | None = "queued") -> None:
    """Have messages that Genesys accepted, with the ids OCCURRENCE-1, OCCURRENCE-2 and so on."""
    plan = plant(ledger, count, occurrence=occurrence)
    number = messages.c.row_number.cast(messages.c.text.type)
    with ledger.write() as connection:
        connection.execute(
            update(messages)
            .where(messages.c.occurrence_id == plan.occurrence_id)
            .values(state="accepted", status=status, api_message_id=f"{occurrence}-" + number)
        )


def status_of(ledger: Ledger, message_id: str) -> str | None:
    query = select(messages.c.status).where(messages.c.api_message_id == message_id)
    with ledger.read() as connection:
        return connection.execute(query).scalar_one()


def changes(ledger: Ledger) -> dict[str, list[Any]]:
    """Return the status changes of each message, as the audit trail has them."""
    found: dict[str, list[Any]] = {}
    for entry in audit.read(ledger):
        if entry["action"] == "status.changed":
            found.setdefault(entry["api_message_id"], []).append(entry)
    return found


def apply(ledger: Ledger, arrived: Sequence[StatusEvent], size: int) -> Counter[Effect]:
    """Apply events in batches of a size, and count the effects."""
    effects: Counter[Effect] = Counter()
    for start in range(0, len(arrived), size):
        effects.update(events.apply(ledger, arrived[start : start + size], NOW))
    return effects


@pytest.mark.parametrize("size", [23, 200])
def test_every_order_of_a_life_each_event_three_times(ledger: Ledger, size: int) -> None:
    orders = list(itertools.permutations(LIFE))
    accept(ledger, len(orders), occurrence="p", status=None)
    lives = {f"p-{number}": order for number, order in enumerate(orders, 1)}
    arrived = [event(one, word) for one, order in lives.items() for word in order for _ in range(3)]
    effects = apply(ledger, arrived, size)

    assert effects[Effect.DUPLICATE] == 2 * len(LIFE) * len(orders)
    trail = changes(ledger)
    for message_id, order in lives.items():
        # Pending at first; each event that is further than all before it moves the message.
        steps = [word for word, best in zip(order, best_before(order), strict=True)
                 if RANK[word] > best]  # fmt: skip
        assert [entry["new_status"] for entry in trail[message_id]] == steps
        assert [entry["previous_status"] for entry in trail[message_id]] == ["pending", *steps[:-1]]
        assert [entry["event_id"] for entry in trail[message_id]] == [
            f"{message_id}-{word}" for word in steps
        ]
        reached = {"delivered", "read"} & set(order[: order.index("failed")])
        assert bool(trail[message_id][-1]["details"].get("contradiction")) is bool(reached)
        assert status_of(ledger, message_id) == "failed"
    assert effects[Effect.APPLIED] == sum(len(entries) for entries in trail.values())
    assert effects.total() == len(arrived)
    assert audit.verify(ledger).ok


def best_before(order: Sequence[str]) -> list[int]:
    """Return the highest rank before each word of an order."""
    ranks = [0, *(RANK[word] for word in order[:-1])]
    return list(itertools.accumulate(ranks, max))


def test_events_of_many_messages_in_any_order_and_any_batches(ledger: Ledger) -> None:
    dice = random.Random(11)
    accept(ledger, 60, occurrence="s")
    arrived = [event(f"s-{n}", word) for n in range(1, 61) for word in LIFE[: 1 + n % 4]] * 2
    dice.shuffle(arrived)
    effects = apply(ledger, arrived, 13)
    assert effects[Effect.DUPLICATE] == len(arrived) // 2
    for number in range(1, 61):
        assert status_of(ledger, f"s-{number}") == LIFE[number % 4]


def test_an_event_of_a_week_ago_still_counts(ledger: Ledger) -> None:
    accept(ledger, 1, occurrence="w")
    late = event("w-1", "delivered", at=NOW)
    assert events.apply(ledger, [late], NOW + timedelta(days=7)) == [Effect.APPLIED]
    with ledger.read() as connection:
        row = connection.execute(select(messages).where(messages.c.api_message_id == "w-1")).one()
    assert (row.status, row.status_at) == ("delivered", NOW)


def test_an_unknown_word_is_kept_and_moves_nothing(ledger: Ledger) -> None:
    accept(ledger, 1, occurrence="u")
    odd, known = event("u-1", "teleported"), event("u-1", "sent")
    assert events.apply(ledger, [odd, known, odd], NOW) == [
        Effect.UNKNOWN_STATUS, Effect.APPLIED, Effect.DUPLICATE,
    ]  # fmt: skip
    with ledger.read() as connection:
        kept = connection.execute(select(status_events.c.status, status_events.c.outcome)).all()
    assert sorted(map(tuple, kept)) == [("sent", "applied"), ("teleported", "unknown_status")]


def test_texts_of_any_script_come_back_as_they_were(ledger: Ledger) -> None:
    names = ["ü", "消息", "🎉", "a'b", 'a"b', "a\\b", "%s", ":x", "$1", "null", "1"]
    arrived = [event(name, "sent") for name in names]
    assert events.apply(ledger, arrived, NOW) == [Effect.PARKED] * len(names)
    assert events.apply(ledger, arrived, NOW) == [Effect.DUPLICATE] * len(names)
    query = select(status_events.c.api_message_id, status_events.c.occurred_at)
    with ledger.read() as connection:
        rows = connection.execute(query.order_by(status_events.c.id)).all()
    assert [tuple(row) for row in rows] == [(name, NOW) for name in names]


def test_times_keep_their_microseconds_and_years(ledger: Ledger) -> None:
    times = [NOW.replace(microsecond=1), NOW.replace(year=1), NOW.replace(year=9999)]
    accept(ledger, 3, occurrence="t")
    arrived = [event(f"t-{number}", "sent", at=at) for number, at in enumerate(times, 1)]
    later = NOW + timedelta(seconds=1)
    assert set(events.apply(ledger, arrived, later)) == {Effect.APPLIED}
    with ledger.read() as connection:
        told = select(status_events.c.occurred_at).order_by(status_events.c.id)
        assert connection.execute(told).scalars().all() == times
        reached = select(messages.c.status_at).order_by(messages.c.row_number)
        # No message got anywhere after the event had come.
        assert connection.execute(reached).scalars().all() == [*times[:2], later]


def test_nothing_is_nothing(ledger: Ledger) -> None:
    assert events.apply(ledger, [], NOW) == []


statuses = st.sampled_from(Status)


@given(st.lists(statuses, max_size=12))
def test_a_message_only_moves_forward_and_ends_at_the_highest(reported: list[Status]) -> None:
    at = Status.PENDING
    for one in reported:
        step = advance(at, one)
        assert step.status >= at
        assert step.moved == (step.status != at)
        assert step.contradiction == (step.moved and one is Status.FAILED and at in REACHED)
        at = step.status
    assert at == max([Status.PENDING, *reported])


@given(statuses, statuses)
def test_the_same_report_again_changes_nothing(at: Status, reported: Status) -> None:
    once = advance(at, reported).status
    assert advance(once, reported) == (once, False, False)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_cut_anyhow_into_batches_the_ledger_agrees_with_the_rule(
    ledger: Ledger, data: st.DataObject
) -> None:
    with ledger.read() as connection:
        run = len(connection.execute(select(messages.c.id)).all())
    occurrence = f"h{run}"
    accept(ledger, 3, occurrence=occurrence, status=None)
    ids = st.sampled_from([f"{occurrence}-{number}" for number in (1, 2, 3)])
    pairs = data.draw(st.lists(st.tuples(ids, st.sampled_from([*LIFE, "odd"])), max_size=20))
    sizes = data.draw(st.integers(1, 8))
    apply(ledger, [event(*pair, name=str(n % 2)) for n, pair in enumerate(pairs)], sizes)
    for number in (1, 2, 3):
        message_id = f"{occurrence}-{number}"
        known = [RANK[word] for one, word in pairs if one == message_id and word in RANK]
        assert RANK[status_of(ledger, message_id) or "pending"] == max([0, *known])
    assert audit.verify(ledger).ok
