"""The counts that triggers keep are those of the messages, whatever changed them and however."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import case, delete, event, func, select, text, update

from genesys_cloud.errors import CampaignDefinitionError, StillSendingError
from genesys_cloud.ledger import (
    blocking,
    campaigns,
    counts,
    database,
    erasure,
    events,
    holding,
    outcomes,
    overview,
    plans,
    recovery,
    retention,
    sends,
    shortfall,
    suppressions,
    unknowns,
)
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.engine import engine_at
from genesys_cloud.ledger.outcomes import Outcome
from genesys_cloud.ledger.page_tables import message_counts, sends_per_minute
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.retention_policy import RetentionPolicy
from genesys_cloud.ledger.sends import Batch
from genesys_cloud.ledger.shards import Shard, cut_shards
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.messages import IN_FLIGHT, State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.status import StatusEvent
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, planned, plant, sealed

FAST = [Limit(name="account", most=60_000)]
LEASE = timedelta(seconds=90)
POLICY = RetentionPolicy(
    dated=date(2026, 11, 23), reason="test", days={"texts": 1, "addresses": 1, "events": 1}
)
_numbers = count(1)


def counted(ledger: Ledger) -> dict[Any, int]:
    """Return the sums of the counts."""
    place = [message_counts.c[name] for name in ("occurrence_id", "state", "reason_code", "status")]
    total = func.sum(message_counts.c.messages)
    with ledger.read() as connection:
        rows = connection.execute(select(*place, total).group_by(*place).having(total != 0)).all()
    return {tuple(row[:4]): int(row[4]) for row in rows}


def grouped(ledger: Ledger) -> dict[Any, int]:
    """Return what counting the messages themselves gives."""
    state = case((messages.c.state.in_(IN_FLIGHT), "planned"), else_=messages.c.state)
    inner = select(
        messages.c.occurrence_id,
        state.label("state"),
        func.coalesce(messages.c.reason_code, "").label("reason_code"),
        func.coalesce(messages.c.status, "").label("status"),
    ).subquery()
    with ledger.read() as connection:
        rows = connection.execute(select(*inner.c, func.count()).group_by(*inner.c)).all()
    return {tuple(row[:4]): int(row[4]) for row in rows}


def slots(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return sum(
            connection.execute(
                select(func.count()).select_from(table).where(table.c.slot != 0)
            ).scalar_one()
            for table in (message_counts, sends_per_minute)
        )


def per_minute(ledger: Ledger) -> dict[tuple[str, str], int]:
    columns = (sends_per_minute.c.minute, sends_per_minute.c.state)
    query = select(*columns, func.sum(sends_per_minute.c.messages)).group_by(*columns)
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return {(f"{minute:%H:%M}", state): int(number) for minute, state, number in rows}


class Campaigning:
    """A campaign to which things happen; each method is one of them, at a later minute."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.campaign = replace(CAMPAIGN, campaign_id=f"c{next(_numbers)}")
        self.now = NOW
        self.batch = Batch()
        self.plan: Plan | None = None

    def happen(self, what: str, number: int) -> None:
        self.now += timedelta(minutes=1)
        if self.plan is None:
            self.planning(number)
        getattr(self, what)(number)

    def planning(self, number: int) -> None:
        """Plan so many, every third of them blocked; again with other reasons."""
        begun = plans.begin(
            self.ledger, self.campaign, occurrence="once", sender=CAMPAIGN.sender,
            template_version="v1", now=self.now,
        )  # fmt: skip
        name = self.campaign.campaign_id
        people = [
            planned(one, occurrence=name, blocked=f"why_{number}" if one % 3 == 0 else None)
            for one in range(number, number + 9)
        ]
        lone = planned(100 + number, occurrence=name, blocked="address_invalid")
        plans.add(self.ledger, begun, [*people, lone._replace(address_key=None)])
        entry = AuditEntry(
            at=self.now, actor="tester", action="plan.dropped", campaign_id=begun.campaign_id
        )
        plans.finish(self.ledger, begun, entry)
        self.plan = sealed(self.ledger, begun, campaign=self.campaign)

    def shard(self) -> Shard | None:
        assert self.plan is not None
        found = cut_shards(self.ledger, self.plan.occurrence_id, size=1_000, most=1)
        return found[0] if found else None

    def claim(self, number: int) -> None:
        self.batch = Batch()
        if (shard := self.shard()) is not None:
            self.batch = sends.claim(
                self.ledger, shard, FAST, most=number, now=self.now, lease=LEASE
            )

    def send(self, number: int) -> None:
        self.claim(number)
        self.batch = sends.begin_attempt(self.ledger, self.batch, now=self.now, lease=LEASE)
        kinds = (State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.PLANNED)
        told = [
            Outcome(
                claim=one,
                state=(state := kinds[(place + number) % 4]),
                message_id=f"msg_{one.id}" if state is State.ACCEPTED else None,
                status="queued" if state is State.ACCEPTED else None,
                reason_code="refused" if state is State.REJECTED else None,
            )
            for place, one in enumerate(self.batch.claims)
        ]
        outcomes.record(self.ledger, told, now=self.now)

    def lose_a_worker(self, number: int) -> None:
        self.claim(number)
        if number % 2:
            sends.begin_attempt(self.ledger, self.batch, now=self.now, lease=LEASE)
        self.now += timedelta(hours=1)
        recovery.recover(self.ledger, self.now)

    def retire(self, number: int) -> None:
        state = "cancelled" if number % 2 else "paused"
        campaigns.change_state(
            self.ledger, self.campaign.campaign_id, state, reason="x", actor="tester", now=self.now
        )

    def expire(self, number: int) -> None:
        with self.ledger.write() as connection:
            own = occurrences.c.campaign_id == self.campaign.campaign_id
            connection.execute(update(occurrences).where(own).values(deadline=self.now))
        self.claim(number)

    def hold(self, number: int) -> None:
        self.put("X", number)
        if (shard := self.shard()) is not None:
            holding.hold(self.ledger, shard, {"X": self.now + timedelta(hours=1)}, self.now)
        self.put(None, number)

    def put(self, place: str | None, number: int) -> None:
        assert self.plan is not None
        own = messages.c.occurrence_id == self.plan.occurrence_id
        with self.ledger.write() as connection:
            some = update(messages).where(own, messages.c.id % 2 == number % 2)
            connection.execute(some.values(place=place))

    def let_go(self, number: int) -> None:
        assert self.plan is not None
        holding.let_go(self.ledger, self.plan.occurrence_id, self.now + timedelta(hours=number))

    def suppress(self, number: int) -> None:
        assert self.plan is not None
        entry = Suppression(
            channel=CAMPAIGN.channel, address=f"+1202555{number:04d}", reason="r", source="s"
        )
        suppressions.add(self.ledger, [entry], actor="tester", now=self.now)
        if number % 2:
            blocking.block_planned(self.ledger, self.plan, self.now)

    def status(self, number: int) -> None:
        word = ("sent", "delivered", "read", "failed")[number % 4]
        with self.ledger.read() as connection:
            ids = connection.execute(
                select(messages.c.api_message_id).where(messages.c.api_message_id.is_not(None))
            ).scalars()
            named = [one for place, one in enumerate(ids) if place % 2 == number % 2]
        told = [
            StatusEvent(
                event_id=f"{one}-{word}-{next(_numbers)}", message_id=one, status=word,
                occurred_at=self.now, reason_code="carrier" if number == 3 else None,
            )
            for one in named
        ]  # fmt: skip
        events.apply(self.ledger, told, self.now)

    def settle(self, number: int) -> None:
        for one in unknowns.find(self.ledger)[:2]:
            unknowns.settle(
                self.ledger, one.message_key, "sent" if number % 2 else "resend", reason="r",
                actor="tester", now=self.now,
            )  # fmt: skip

    def erase(self, number: int) -> None:
        erasure.erase(
            self.ledger, identify(f"+1202555{number:04d}"), certificate_id="c", reason="r",
            actor="tester", now=self.now,
        )  # fmt: skip

    def retain(self, number: int) -> None:
        retention.apply(
            self.ledger, POLICY, actor="tester", now=self.now + timedelta(days=number % 4)
        )

    def fold(self, number: int) -> None:
        counts.fold(self.ledger)


WHAT = st.sampled_from([
    "planning", "claim", "send", "send", "send", "lose_a_worker", "retire", "expire", "hold",
    "let_go", "suppress", "status", "status", "settle", "erase", "retain", "fold",
])  # fmt: skip


# Each example finds what the ones before left behind, so that none can be shrunk or tried again.
@settings(
    max_examples=8, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
)
@given(steps=st.lists(st.tuples(WHAT, st.integers(1, 9)), min_size=8, max_size=16))
def test_counts_are_right_whatever_happens(ledger: Ledger, steps: list[tuple[str, int]]) -> None:
    one = Campaigning(ledger)
    for what, number in steps:
        try:
            one.happen(what, number)
        except (CampaignDefinitionError, StillSendingError):
            continue  # cancelled stays cancelled; what is in flight is not erased
        assert counted(ledger) == grouped(ledger), what
    counts.fold(ledger)
    assert counted(ledger) == grouped(ledger)
    assert slots(ledger) == 0
    assert_all_say_the_same(ledger, one)


def assert_all_say_the_same(ledger: Ledger, one: Campaigning) -> None:
    """Hold the live view, `campaign status` and the lists of failures against the messages."""
    campaign_id = one.campaign.campaign_id
    said = campaigns.progress(ledger, campaign_id)
    by_state = _by_state(ledger, campaign_id)
    attempting, claimed = by_state.pop("attempting", 0), by_state.pop("claimed", 0)
    by_state["planned"] += claimed
    assert said.attempting == attempting
    assert {state: n for state, n in said.states.items() if n} == +(
        by_state + Counter(unknown=attempting)
    )
    assert said.recipients == sum(said.states.values())
    page = overview.campaign(ledger, campaign_id, now=one.now, dag_ids=None)
    assert page is not None
    assert dict(page.funnel.states) == +(by_state + Counter(planned=attempting))
    assert page.in_flight == claimed + attempting
    assert page.funnel.reasons.get("blocked", {}) == said.blocked_reasons
    assert {word: page.funnel.statuses.get(word, 0) for word in said.statuses} == said.statuses
    for why in shortfall.reasons(ledger, campaign_id, dag_ids=None):
        assert page.funnel.reasons[why.kind][why.reason_code] == why.messages
        assert _listed(ledger, campaign_id, why) == why.messages


def _by_state(ledger: Ledger, campaign_id: str) -> Counter[str]:
    query = select(messages.c.state, func.count()).group_by(messages.c.state)
    own = occurrences.c.id == messages.c.occurrence_id
    with ledger.read() as connection:
        rows = connection.execute(
            query.join(occurrences, own).where(occurrences.c.campaign_id == campaign_id)
        )
        return Counter({str(state): int(number) for state, number in rows})


def _listed(ledger: Ledger, campaign_id: str, why: shortfall.FailureReason) -> int:
    seen: list[str] = []
    before: str | None = None
    while True:
        page = shortfall.page(
            ledger, campaign_id, why.kind, why.reason_code, dag_ids=None, before=before, limit=2
        )
        seen += [one.message_key for one in page.messages]
        if (before := page.before) is None:
            assert len(set(seen)) == len(seen)
            return len(seen)


def test_a_status_counts_no_message_but_those_in_a_worker_s_hands(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    plant(ledger, 3)
    asked: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(ledger.engine, "before_cursor_execute", keep)
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).states["planned"] == 3
    event.remove(ledger.engine, "before_cursor_execute", keep)
    with ledger.read() as connection:
        steps = [
            step[-1]
            for statement, values in asked
            if statement.startswith("SELECT")
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert [one for one in steps if "messages" in one] == [
        "SEARCH messages USING INDEX ix_messages_work (occurrence_id=? AND state=?)"
    ]
    ledger.close()


def test_what_is_cancelled_while_it_is_held_was_not_stopped_by_quiet_hours(ledger: Ledger) -> None:
    one = Campaigning(ledger)
    one.happen("hold", 1)
    one.happen("retire", 1)
    (found,) = [
        why
        for why in shortfall.reasons(ledger, one.campaign.campaign_id, dag_ids=None)
        if why.kind == "cancelled"
    ]
    assert (found.reason_code, found.messages) == ("unspecified", 6)


def test_rows_that_are_deleted_or_taken_back_do_not_count(ledger: Ledger) -> None:
    plant(ledger, 5)
    with contextlib.suppress(RuntimeError), ledger.write() as connection:
        connection.execute(update(messages).values(state="expired"))
        raise RuntimeError
    assert {key[1:]: number for key, number in counted(ledger).items()} == {("planned", "", ""): 5}
    with ledger.write() as connection:
        connection.execute(delete(messages).where(messages.c.row_number > 3))
    assert sum(counted(ledger).values()) == 3


def test_an_attempt_counts_in_the_minute_in_which_it_was_settled(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 4))
    for minutes in (0, 3):
        now = NOW + timedelta(minutes=minutes, seconds=59)
        batch = sends.claim(ledger, shard, FAST, most=2, now=now, lease=LEASE)
        batch = sends.begin_attempt(ledger, batch, now=now, lease=LEASE)
        states = (State.ACCEPTED, State.REJECTED)
        told = [
            Outcome(claim=one, state=state, message_id=f"msg_{one.id}")
            for one, state in zip(batch.claims, states, strict=True)
        ]
        outcomes.record(ledger, told, now=now + timedelta(seconds=5))
    expected = {
        ("12:01", "accepted"): 1, ("12:01", "rejected"): 1,
        ("12:04", "accepted"): 1, ("12:04", "rejected"): 1,
    }  # fmt: skip
    assert per_minute(ledger) == expected
    counts.fold(ledger)
    assert per_minute(ledger) == expected


def test_a_ledger_of_before_is_counted_by_the_migration(ledger_url: str) -> None:
    ledger = database.Ledger(engine_at(ledger_url))
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with ledger.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for statement in _OLD_ROWS:
            connection.execute(text(statement))
        command.upgrade(config, "0005")
    assert counted(ledger) == grouped(ledger) != {}
    assert per_minute(ledger) == {("12:01", "accepted"): 1, ("12:02", "unknown"): 1}
    ledger.close()


_OCCURRENCE = """INSERT INTO occurrences (id, campaign_id, occurrence, channel, sender, profile,
    use_active_conversation, template, template_version, audience, plan_no, planned_at,
    error_budget_count, error_budget_share, purpose, consent_from)
    VALUES (1, 'c', 'once', 'messaging:sms', '+1', 'messaging', false, 't', 'v', 'a', 1,
    '2026-11-23 12:00:00.000000', 1, 0.5, '', 'audience')"""
_MESSAGE = """INSERT INTO messages (message_key, occurrence_id, row_number, recipient_id, address,
    language, text, text_digest, plan_no, state, reason_code, fence, attempts, attempted_at,
    settled_at, status) VALUES ('{0}', 1, 1, 'r', '+1', 'en', '', '', 1, '{1}', {2}, 0, 0, {3}, {4},
    {5})"""
_AT = "'2026-11-23 12:0{0}:30.000000'"
_OLD_ROWS = (
    "INSERT INTO campaigns VALUES ('c', 'active', NULL, '2026-11-23 12:00:00.000000')",
    _OCCURRENCE,
    _MESSAGE.format("a", "accepted", "NULL", _AT.format(0), _AT.format(1), "'sent'"),
    _MESSAGE.format("b", "unknown", "'timeout'", _AT.format(2), "NULL", "NULL"),
    _MESSAGE.format("c", "claimed", "NULL", "NULL", "NULL", "NULL"),
    _MESSAGE.format("d", "blocked", "'suppressed'", "NULL", "NULL", "NULL"),
)


@pytest.mark.postgres
def test_writers_wait_neither_for_each_other_s_counts_nor_for_who_folds(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    first, second = (plant(ledger, 200, occurrence=name) for name in ("one", "two"))
    with ledger.write() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '1ms'"))
        _move(connection, first, 0)
        # Another one counts the same places and commits, and all is folded, before this one ends.
        with ledger.write() as other:
            other.execute(text("SET LOCAL lock_timeout = '1ms'"))
            _move(other, first, 100)
            _move(other, second, 100)
        counts.fold(ledger)
        _move(connection, second, 0)
    assert counted(ledger) == grouped(ledger)
    ledger.close()


@pytest.mark.postgres
def test_a_fold_of_much_stops_where_it_would_take_long(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_FOLDED", 4)
    ledger = open_ledger(postgres_url)
    plan = plant(ledger, 10)
    for number in range(1, 11):
        with ledger.write() as connection:
            row = messages.c.row_number == number
            connection.execute(update(messages).where(row).values(state="expired"))
    # One of the plan, and two of each message: one place less, another more.
    seen = [slots(ledger)]
    while seen[-1]:
        counts.fold(ledger)
        assert counted(ledger) == grouped(ledger) == {(plan.occurrence_id, "expired", "", ""): 10}
        seen.append(slots(ledger))
    assert seen == [21, 17, 13, 9, 5, 1, 0]
    ledger.close()


def _move(connection: Any, plan: Plan, after: int) -> None:
    own = (messages.c.occurrence_id == plan.occurrence_id) & messages.c.row_number.between(
        after + 1, after + 100
    )
    connection.execute(update(messages).where(own).values(state="expired"))


@pytest.mark.postgres
def test_two_writers_and_two_who_fold_lose_nothing(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    plan = plant(ledger, 60)
    ended = threading.Event()

    def write(half: int) -> None:
        for number in range(1, 31):
            row = messages.c.row_number == number + 30 * half
            for state in ("accepted", "planned", "expired"):
                with ledger.write() as connection:
                    changed = update(messages).where(row).values(state=state, settled_at=NOW)
                    connection.execute(changed)

    def fold() -> None:
        while not ended.is_set():
            counts.fold(ledger)

    with ThreadPoolExecutor(4) as pool:
        folders = [pool.submit(fold) for _ in range(2)]
        writers = [pool.submit(write, half) for half in range(2)]
        wait(writers)
        ended.set()
    assert [one.exception() for one in (*writers, *folders)] == [None] * 4
    counts.fold(ledger)
    assert counted(ledger) == grouped(ledger) == {(plan.occurrence_id, "expired", "", ""): 60}
    assert sum(per_minute(ledger).values()) == 60
    assert slots(ledger) == 0
    ledger.close()
