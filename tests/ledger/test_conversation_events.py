"""Events that name a conversation and no message, and choices that people make by one word."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from genesys_cloud.ledger import (
    audit,
    erasure,
    events,
    lost_statuses,
    outcomes,
    sends,
    suppressions,
)
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.events import Effect
from genesys_cloud.ledger.outcomes import Outcome
from genesys_cloud.ledger.suppressions import Added, Suppression
from genesys_cloud.ledger.tables import messages, status_events
from genesys_cloud.outbound.asking import POLLED
from genesys_cloud.outbound.deliveries import CLOCKS_APART, Delivery
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.opt_outs import Choice, Verdict
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.status import StatusEvent, about_conversation
from tests.ledger.planted import NOW, only_shard, plant

ADDRESS = "+12025550001"
LEASE = timedelta(seconds=90)


def accept(ledger: Ledger, conversations: Sequence[str | None]) -> None:
    """Have accepted messages m-1, m-2, and so on, each in the conversation that is named."""
    plan = plant(ledger, len(conversations))
    with ledger.write() as connection:
        for number, conversation in enumerate(conversations, start=1):
            connection.execute(
                update(messages)
                .where(
                    messages.c.occurrence_id == plan.occurrence_id, messages.c.row_number == number
                )
                .values(
                    state="accepted", status="queued", status_at=NOW, attempted_at=NOW,
                    api_message_id=f"m-{number}", conversation_id=conversation,
                )
            )  # fmt: skip


def about(
    conversation: str,
    status: str,
    *,
    name: str = "",
    reason: str | None = None,
    at: datetime = NOW,
) -> StatusEvent:
    return StatusEvent(
        event_id=f"{conversation}-{status}{name}",
        message_id=about_conversation(conversation),
        status=status,
        occurred_at=at,
        reason_code=reason,
    )


def rows(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(select(messages).order_by(messages.c.id)))


def statuses(ledger: Ledger) -> list[str | None]:
    return [row.status for row in rows(ledger)]


def trail(ledger: Ledger, action: str) -> list[Any]:
    return [entry for entry in audit.read(ledger) if entry["action"] == action]


def test_an_event_about_a_conversation_moves_its_only_message(ledger: Ledger) -> None:
    accept(ledger, ["c-1", "c-2", None])
    assert events.apply(ledger, [about("c-1", "delivered")], NOW) == [Effect.APPLIED]
    assert statuses(ledger) == ["delivered", "queued", "queued"]
    (entry,) = trail(ledger, "status.changed")
    # The trail names the message, which is what people search by.
    assert entry["api_message_id"] == "m-1"
    assert events.apply(ledger, [about("c-1", "sent")], NOW) == [Effect.STALE]
    assert events.apply(ledger, [about("c-1", "delivered")], NOW) == [Effect.DUPLICATE]


def test_of_several_messages_nobody_moves_and_all_are_asked_about(ledger: Ledger) -> None:
    accept(ledger, ["c-1", "c-1", "c-2"])
    direct = StatusEvent(event_id="d", message_id="m-2", status="delivered", occurred_at=NOW)
    events.apply(ledger, [direct], NOW)
    later = NOW + timedelta(hours=1)
    assert events.apply(ledger, [about("c-1", "read")], later) == [Effect.AMBIGUOUS]
    assert statuses(ledger) == ["queued", "delivered", "queued"]
    # m-2 has a final status, so that only the other one still owes an answer.
    assert [row.ask_at for row in rows(ledger)] == [later, None, None]
    with ledger.read() as connection:
        kept = connection.execute(select(status_events).order_by(status_events.c.id)).all()
    assert [(row.api_message_id, row.outcome) for row in kept] == [
        ("m-2", "applied"), ("conversation:c-1", "ambiguous"),
    ]  # fmt: skip


def test_one_batch_may_name_a_message_both_ways(ledger: Ledger) -> None:
    accept(ledger, ["c-1"])
    sent = StatusEvent(event_id="s", message_id="m-1", status="sent", occurred_at=NOW)
    read = StatusEvent(event_id="r", message_id="m-1", status="read", occurred_at=NOW)
    found = events.apply(ledger, [sent, about("c-1", "delivered"), read], NOW)
    assert found == [Effect.APPLIED] * 3
    assert [entry["new_status"] for entry in trail(ledger, "status.changed")] == [
        "sent", "delivered", "read",
    ]  # fmt: skip
    assert statuses(ledger) == ["read"]


def record(ledger: Ledger, conversations: Sequence[str]) -> None:
    """Send messages for real, as far as the ledger goes."""
    shard = only_shard(ledger, plant(ledger, len(conversations)))
    limits = [Limit(name="account", most=1_000_000)]
    batch = sends.claim(ledger, shard, limits, most=10, now=NOW, lease=LEASE)
    sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE)
    accepted = [
        Outcome(
            claim=claim, state=State.ACCEPTED, message_id=f"m-{claim.id}", status="queued",
            conversation_id=conversation,
        )
        for claim, conversation in zip(batch.claims, conversations, strict=True)
    ]  # fmt: skip
    outcomes.record(ledger, accepted, now=NOW)


def test_events_that_come_before_the_send_is_recorded_wait_for_it(ledger: Ledger) -> None:
    early = [about("c-1", "delivered"), about("c-2", "sent"), about("c-3", "sent")]
    assert events.apply(ledger, early, NOW) == [Effect.PARKED] * 3
    record(ledger, ["c-1", "c-2", "c-2"])
    assert statuses(ledger) == ["delivered", "queued", "queued"]
    assert [row.ask_at for row in rows(ledger)] == [None, NOW, NOW]
    with ledger.read() as connection:
        kept = connection.execute(select(status_events.c.outcome).order_by(status_events.c.id))
        assert list(kept.scalars()) == ["applied", "ambiguous", "parked"]


def test_why_a_message_failed_is_asked_before_it_is_final(ledger: Ledger) -> None:
    accept(ledger, ["c-1", "c-2", "c-3"])
    events.apply(ledger, [about("c-3", "delivered")], NOW)
    told = [
        about("c-1", "failed", reason="30007"), about("c-2", "failed"), about("c-3", "failed"),
    ]  # fmt: skip
    found = events.apply(ledger, told, after(1))
    # The third one arrived before, so that its failure is a contradiction for the reports.
    assert found == [Effect.AMBIGUOUS, Effect.AMBIGUOUS, Effect.APPLIED]
    assert statuses(ledger) == ["queued", "queued", "failed"]
    due = lost_statuses.due(ledger, now=after(1), schedule=POLLED, most=10)
    assert [one.message_id for one in due] == ["m-1", "m-2"]
    details = Delivery(
        message_id="m-1", channel="messaging:sms", status="failed", created_at=NOW,
        error_code="RecipientOptedOut",
    )  # fmt: skip
    lost_statuses.learn(ledger, due, [details], now=after(2), schedule=POLLED)
    assert [row["reason"] for row in suppressions.listing(ledger)] == ["opted_out"]


def test_a_failure_that_nobody_can_ask_about_is_final_and_keeps_its_reason(ledger: Ledger) -> None:
    accept(ledger, ["c-1", "c-2"])
    with ledger.write() as connection:  # settled by its conversation alone
        no_id = update(messages).where(messages.c.conversation_id == "c-1")
        connection.execute(no_id.values(api_message_id=None))
    late = NOW + POLLED.oldest + timedelta(hours=1)
    events.apply(ledger, [about("c-1", "failed", reason="InvalidDestination")], NOW)
    events.apply(ledger, [about("c-2", "failed")], late)
    assert statuses(ledger) == ["failed", "failed"]
    assert [row.reason_code for row in rows(ledger)] == ["InvalidDestination", None]
    first, second = trail(ledger, "status.changed")
    assert (first["details"], second["details"]) == ({"reason": "InvalidDestination"}, {})
    assert suppressions.listing(ledger) == []


def test_an_event_that_is_older_than_the_send_is_another_messages(ledger: Ledger) -> None:
    accept(ledger, ["c-1", "c-1", "c-2"])
    with ledger.write() as connection:
        later = update(messages).where(messages.c.api_message_id == "m-2")
        connection.execute(later.values(attempted_at=after(60)))
    early = about("c-2", "read", at=NOW - CLOCKS_APART - timedelta(seconds=1))
    between = about("c-1", "delivered", at=after(30))
    assert events.apply(ledger, [early, between], after(61)) == [Effect.STALE, Effect.APPLIED]
    assert statuses(ledger) == ["delivered", "queued", "queued"]
    both = about("c-1", "read", at=after(60) - CLOCKS_APART)
    assert events.apply(ledger, [both], after(61)) == [Effect.AMBIGUOUS]


def test_a_parked_event_of_an_earlier_message_does_not_move_the_next_one(ledger: Ledger) -> None:
    early = about("c-1", "delivered", at=NOW - timedelta(hours=1))
    assert events.apply(ledger, [early], NOW) == [Effect.PARKED]
    record(ledger, ["c-1"])
    assert statuses(ledger) == ["queued"]


def test_no_status_is_newer_than_the_arrival_of_its_event(ledger: Ledger) -> None:
    accept(ledger, ["c-1"])
    events.apply(ledger, [about("c-1", "sent", at=datetime(9999, 12, 31, tzinfo=UTC))], after(1))
    assert [row.status_at for row in rows(ledger)] == [after(1)]
    assert lost_statuses.next_due(ledger, now=after(1), schedule=POLLED) == after(1) + POLLED.first


def test_who_opted_out_at_the_carrier_is_suppressed(ledger: Ledger) -> None:
    accept(ledger, ["c-1", "c-2"])
    events.apply(ledger, [about("c-1", "failed", reason="RecipientOptedOut")], NOW)
    (listed,) = suppressions.listing(ledger)
    assert (listed["reason"], listed["source"]) == ("opted_out", "delivery receipt")
    (entry,) = trail(ledger, "suppression.added")
    assert entry["actor"] == "webhook"
    # And START, the word that carriers take, ends it.
    assert events.apply(ledger, [said(Verdict.OPT_IN, at=NOW)], NOW) == [Effect.APPLIED]
    assert suppressions.listing(ledger) == []


def test_an_erasure_takes_the_events_about_the_persons_conversation(ledger: Ledger) -> None:
    accept(ledger, ["c-1", "c-2"])
    events.apply(ledger, [about("c-1", "delivered"), about("c-2", "delivered")], NOW)
    erased = erasure.erase(
        ledger, identify(ADDRESS), certificate_id="c", reason="", actor="ann", now=NOW
    )
    assert set(erased.message_ids) == {"m-1", "conversation:c-1"}
    with ledger.read() as connection:
        kept = connection.execute(select(status_events.c.api_message_id)).scalars().all()
    assert kept == ["conversation:c-2"]


# --- choices


def said(verdict: Verdict, *, at: datetime = NOW, name: str = "", address: str = ADDRESS) -> Choice:
    return Choice(
        event_id=f"{verdict}-{at.isoformat()}{name}",
        message_id="conversation:c-9",
        channel="messaging:sms",
        address=address,
        verdict=verdict,
        occurred_at=at,
    )


def after(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def listed(ledger: Ledger) -> list[tuple[str, str, datetime | None]]:
    return [
        (row["reason"], row["source"], row["expires_at"]) for row in suppressions.listing(ledger)
    ]


def test_a_stop_suppresses_and_a_start_lifts_and_each_counts_once(ledger: Ledger) -> None:
    stop, start = said(Verdict.OPT_OUT), said(Verdict.OPT_IN, at=after(1))
    assert events.apply(ledger, [stop, stop], NOW) == [Effect.APPLIED, Effect.DUPLICATE]
    assert listed(ledger) == [("opted_out", "inbound message", None)]
    assert events.apply(ledger, [start], after(2)) == [Effect.APPLIED]
    assert listed(ledger) == []
    # The stop comes once more: it was obeyed once, and taken back.
    assert events.apply(ledger, [stop, start], after(3)) == [Effect.DUPLICATE] * 2
    assert listed(ledger) == []
    assert [entry["actor"] for entry in trail(ledger, "suppression.added")] == ["webhook"]
    assert len(trail(ledger, "suppression.removed")) == 1
    assert audit.verify(ledger).ok


def test_nothing_of_the_person_is_kept_but_the_digest(ledger: Ledger) -> None:
    events.apply(ledger, [said(Verdict.OPT_OUT)], NOW)
    with ledger.read() as connection:
        (kept,) = connection.execute(select(status_events)).all()
    assert (kept.api_message_id, kept.status, kept.outcome) == (
        "conversation:c-9", "opt_out", "applied",
    )  # fmt: skip
    everything = str([dict(entry) for entry in audit.read(ledger)]) + str(kept)
    assert "2025550001" not in everything


def test_a_start_that_lifts_nothing_is_ignored(ledger: Ledger) -> None:
    assert events.apply(ledger, [said(Verdict.OPT_IN)], NOW) == [Effect.IGNORED]
    assert trail(ledger, "suppression.removed") == []


@pytest.mark.parametrize("source", ["cli:ann", "dnc list 7", "kept_after_erasure"])
@pytest.mark.parametrize("stops_first", [True, False])
def test_a_start_never_lifts_what_people_or_lists_said(
    ledger: Ledger, source: str, stops_first: bool
) -> None:
    entry = Suppression(channel="messaging:sms", address=ADDRESS, reason="no", source=source)
    if stops_first:
        events.apply(ledger, [said(Verdict.OPT_OUT)], NOW)
    suppressions.add(ledger, [entry], actor="ann", now=NOW)
    if not stops_first:
        events.apply(ledger, [said(Verdict.OPT_OUT)], NOW)
    assert events.apply(ledger, [said(Verdict.OPT_IN, at=after(1))], after(1)) == [Effect.IGNORED]
    assert listed(ledger) == [("no", source, None)]


def test_choices_in_any_order_end_at_a_stop_that_was_the_last_word(ledger: Ledger) -> None:
    # Every start is between two stops; whichever way they come, the last stop holds.
    lives = [said(Verdict.OPT_OUT, at=after(0)), said(Verdict.OPT_IN, at=after(2)),
             said(Verdict.OPT_OUT, at=after(4))]  # fmt: skip
    dice = random.Random(7)
    for number in range(30):
        order = dice.sample(lives, 3)
        mine = f"+1202555{number + 100:04d}"
        for one in order:
            events.apply(
                ledger,
                [said(one.verdict, at=one.occurred_at, name=str(number), address=mine)],
                after(5),
            )
        assert len(listed(ledger)) == number + 1, [one.verdict for one in order]


def test_statuses_and_choices_of_one_batch_answer_in_their_order(ledger: Ledger) -> None:
    accept(ledger, ["c-1"])
    arrived = [
        said(Verdict.OPT_IN), about("c-1", "sent"), said(Verdict.OPT_OUT), about("c-2", "sent"),
    ]  # fmt: skip
    assert events.apply(ledger, arrived, NOW) == [
        Effect.IGNORED, Effect.APPLIED, Effect.APPLIED, Effect.PARKED,
    ]  # fmt: skip


# --- lists of others


def entry(ends: datetime | None, *, source: str = "dnc list 7") -> Suppression:
    return Suppression(
        channel="messaging:sms", address=ADDRESS, reason="dnc", source=source, expires_at=ends
    )


def merge(ledger: Ledger, one: Suppression, now: datetime = NOW) -> Added:
    return suppressions.add(ledger, [one], actor="ann", now=now)


def test_a_list_that_is_read_again_changes_nothing_and_leaves_no_entry(ledger: Ledger) -> None:
    day = NOW + timedelta(days=1)
    assert merge(ledger, entry(day)) == Added(added=1)
    assert merge(ledger, entry(day)) == Added(unchanged=1)
    assert len(trail(ledger, "suppression.added")) == 1


@pytest.mark.parametrize(
    ("first", "second", "lasts"),
    [(1, 2, 2), (2, 1, 2), (1, None, None), (None, 1, None), (-1, 1, 1), (1, -1, 1)],
)
def test_no_list_shortens_what_is_there(
    ledger: Ledger, first: int | None, second: int | None, lasts: int | None
) -> None:
    def day(number: int | None) -> datetime | None:
        return None if number is None else NOW + timedelta(days=number)

    suppressions.add(ledger, [entry(day(first), source="ann")], actor="ann", now=NOW)
    merge(ledger, entry(day(second)))
    ((_, source, ends),) = listed(ledger)
    assert ends == day(lasts)
    # One that had ended is the list's own now.
    assert source == ("dnc list 7" if first == -1 else "ann")


def test_a_stop_outlasts_a_list_that_ends(ledger: Ledger) -> None:
    merge(ledger, entry(NOW + timedelta(days=1)))
    events.apply(ledger, [said(Verdict.OPT_OUT)], NOW)
    assert listed(ledger) == [("dnc", "dnc list 7", None)]
    assert merge(ledger, entry(NOW + timedelta(days=1))) == Added(unchanged=1)
    assert listed(ledger) == [("dnc", "dnc list 7", None)]
