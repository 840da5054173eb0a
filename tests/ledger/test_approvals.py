"""Nothing goes out but by the plan that the ledger has sealed, and somebody approved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, literal, select, text, update

from genesys_cloud.errors import CampaignDefinitionError, PlanOvertakenError
from genesys_cloud.ledger import approvals, audit, blocking, plans, sends
from genesys_cloud.ledger.approvals import LOOK_AGAIN, PLANNING_TAKES, Verdict
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.ledger.plans import BEING_PLANNED, Plan
from genesys_cloud.ledger.sends import Batch
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.ledger.unknowns import settle
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.plan_digest import PlanDigest
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, planned

LIMITS = [Limit(name="account", most=60_000)]
LEASE = timedelta(seconds=90)
ANN = "airflow:ann"
TEXT = "Hello"


def begin(ledger: Ledger, *, is_test: bool = False, profile: str = "messaging") -> Plan:
    return plans.begin(
        ledger, CAMPAIGN, occurrence="once", sender=CAMPAIGN.sender, template_version="v1", now=NOW,
        is_test=is_test, profile=profile,
    )  # fmt: skip


def complete(ledger: Ledger, plan: Plan, people: Mapping[int, str], *, asks: bool = True) -> Plan:
    rows = [planned(number, text=text) for number, text in people.items()]
    digest = PlanDigest(
        CAMPAIGN, occurrence="once", profile="messaging", sender=CAMPAIGN.sender,
        template_version="v1", audience_digest=None, quiet_hours=None,
    )  # fmt: skip
    plans.add(ledger, plan, rows)
    for row in rows:
        digest.add(row.message_key, row.text_digest, None)
    return approvals.seal(ledger, plan, digest, asks=asks, now=NOW)


def everybody(count: int = 3, text: str = TEXT) -> dict[int, str]:
    return dict.fromkeys(range(1, count + 1), text)


def make(ledger: Ledger, people: Mapping[int, str] | None = None, *, asks: bool = True) -> Plan:
    return complete(ledger, begin(ledger), people or everybody(), asks=asks)


def entry(action: str = "campaign.approved") -> AuditEntry:
    return AuditEntry(at=NOW, actor=ANN, action=action, campaign_id=CAMPAIGN.campaign_id)


def approve(ledger: Ledger, plan: Plan) -> bool:
    return approvals.approve(ledger, plan.occurrence_id, plan.digest, ANN, entry())


def claim(
    ledger: Ledger, shard: Shard, *, most: int = 100, later: timedelta = timedelta()
) -> Batch:
    return sends.claim(ledger, shard, LIMITS, most=most, now=NOW + later, lease=LEASE)


def texts(batch: Batch) -> list[str]:
    return [one.message.text for one in batch.claims]


def give_back(ledger: Ledger, batch: Batch) -> None:
    """Let a batch come to nothing, as a busy line does, so that it is planned again."""
    batch = sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE)
    outcomes = [Outcome(claim=one, state=State.PLANNED) for one in batch.claims]
    record(ledger, outcomes, now=NOW)


def test_a_plan_that_asks_waits_for_a_yes(ledger: Ledger) -> None:
    plan = make(ledger)
    shard = only_shard(ledger, plan)
    assert claim(ledger, shard) == Batch(active=False)
    assert approve(ledger, plan)
    assert texts(claim(ledger, shard)) == [TEXT] * 3
    found = approvals.standing(ledger, plan.occurrence_id)
    assert found is not None
    assert (found.approved_digest, found.approved_by, found.approved_at) == (
        plan.digest, ANN, NOW
    )  # fmt: skip
    assert audit.verify(ledger).ok


def test_a_plan_that_does_not_ask_goes_out_and_names_nobody(ledger: Ledger) -> None:
    plan = make(ledger, asks=False)
    assert len(claim(ledger, only_shard(ledger, plan)).claims) == 3
    found = approvals.standing(ledger, plan.occurrence_id)
    assert found is not None
    assert (found.approved_digest, found.approved_by) == (plan.digest, None)


def test_the_same_plan_again_lets_its_tasks_go_on_once_it_is_complete(ledger: Ledger) -> None:
    first = make(ledger)
    approve(ledger, first)
    shard = only_shard(ledger, first)
    assert len(claim(ledger, shard, most=1).claims) == 1
    second = begin(ledger)
    assert claim(ledger, shard) == Batch(wait_until=NOW + LOOK_AGAIN)
    second = complete(ledger, second, everybody())
    assert (second.digest, second.left_over) == (first.digest, 0)
    assert len(claim(ledger, shard).claims) == 2


@pytest.mark.parametrize("people", [everybody(3, "Bye"), everybody(4), everybody(2), {9: TEXT}])
def test_another_plan_stops_the_tasks_of_the_first_until_it_is_approved(
    ledger: Ledger, people: dict[int, str]
) -> None:
    first = make(ledger)
    approve(ledger, first)
    shard = only_shard(ledger, first)
    second = make(ledger, people)
    assert second.digest != first.digest
    assert claim(ledger, shard) == Batch(active=False)
    anew = only_shard(ledger, second)
    assert claim(ledger, anew) == Batch(active=False)
    assert not approve(ledger, first)
    assert approve(ledger, second)
    # Whom only the first plan names is in the second's digest, and waits for its approval.
    assert second.left_over == len(set(everybody()) - set(people))
    assert len(claim(ledger, anew).claims) == len(set(everybody()) | set(people))
    assert claim(ledger, shard) == Batch(active=False)


def test_a_planning_that_never_ends_holds_nobody_up_for_ever(ledger: Ledger) -> None:
    first = make(ledger)
    approve(ledger, first)
    shard = only_shard(ledger, first)
    second = begin(ledger)
    just_before = PLANNING_TAKES - timedelta(seconds=1)
    assert claim(ledger, shard, later=just_before).wait_until is not None
    assert claim(ledger, shard, later=PLANNING_TAKES) == Batch(active=False)
    # Nor is a half-made plan approved, nor sent by a slice that names no plan, or this one.
    assert not approvals.approve(ledger, second.occurrence_id, "f" * 64, ANN, entry())
    for guessed in (None, BEING_PLANNED, "f" * 64):
        made_up = replace(shard, plan_digest=guessed)
        assert claim(ledger, made_up, later=PLANNING_TAKES) == Batch(active=False)


@pytest.mark.parametrize("guessed", [None, BEING_PLANNED, "f" * 64])
def test_a_slice_that_somebody_made_up_sends_nothing(ledger: Ledger, guessed: str | None) -> None:
    plan = make(ledger)
    approve(ledger, plan)
    shard = replace(only_shard(ledger, plan), plan_digest=guessed)
    assert claim(ledger, shard) == Batch(active=False)


def test_a_no_takes_back_the_yes_of_an_earlier_run(ledger: Ledger) -> None:
    plan = make(ledger)
    approve(ledger, plan)
    shard = only_shard(ledger, plan)
    assert len(claim(ledger, shard, most=1).claims) == 1
    approvals.withdraw(ledger, plan.occurrence_id, plan.digest, entry("campaign.rejected"))
    assert claim(ledger, shard) == Batch(active=False)
    assert [one["action"] for one in audit.read(ledger)][-1] == "campaign.rejected"
    # It is a no to that plan, and no later one.
    assert approve(ledger, make(ledger))
    assert len(claim(ledger, shard).claims) == 2


def test_a_no_to_another_plan_takes_nothing_back(ledger: Ledger) -> None:
    plan = make(ledger)
    approve(ledger, plan)
    approvals.withdraw(ledger, plan.occurrence_id, "f" * 64, entry("campaign.rejected"))
    assert len(claim(ledger, only_shard(ledger, plan)).claims) == 3


def test_what_went_out_unasked_is_asked_for_where_the_next_run_asks(ledger: Ledger) -> None:
    free = make(ledger, asks=False)
    shard = only_shard(ledger, free)
    assert make(ledger, asks=True).digest == free.digest
    assert claim(ledger, shard) == Batch(active=False)
    make(ledger, asks=False)
    assert len(claim(ledger, shard).claims) == 3


def test_a_person_s_yes_outlives_a_run_that_does_not_ask(ledger: Ledger) -> None:
    plan = make(ledger)
    approve(ledger, plan)
    make(ledger, asks=False)
    make(ledger, asks=True)
    found = approvals.standing(ledger, plan.occurrence_id)
    assert found is not None
    assert (found.approved_digest, found.approved_by) == (plan.digest, ANN)


def test_an_approval_of_another_plan_writes_nothing(ledger: Ledger) -> None:
    plan = make(ledger)
    assert not approvals.approve(ledger, plan.occurrence_id, "f" * 64, ANN, entry())
    assert not approvals.approve(ledger, plan.occurrence_id + 1, plan.digest, ANN, entry())
    assert list(audit.read(ledger)) == []
    assert approvals.standing(ledger, plan.occurrence_id + 1) is None


def test_a_plan_that_another_has_overtaken_stops_and_is_never_sealed(ledger: Ledger) -> None:
    first = begin(ledger)
    plans.add(ledger, first, [planned(1, text="first")])
    second = begin(ledger)
    with pytest.raises(PlanOvertakenError, match="planned anew by another run"):
        complete(ledger, first, {2: "first"})
    second = complete(ledger, second, {1: "second", 3: "second"})
    with pytest.raises(PlanOvertakenError):
        complete(ledger, first, {})
    approve(ledger, second)
    assert texts(claim(ledger, only_shard(ledger, second))) == ["second"] * 2


def test_who_came_back_unsent_is_in_the_later_plan_whether_it_is_the_same_or_not(
    ledger: Ledger,
) -> None:
    first = make(ledger)
    approve(ledger, first)
    shard = only_shard(ledger, first)
    in_flight = claim(ledger, shard, most=2)
    # Planned anew while two are under way: one with the same text, one with another.
    second = make(ledger, {1: TEXT, 2: "Bye", 3: "Bye"})
    assert second.left_over == 1
    give_back(ledger, in_flight)
    approve(ledger, second)
    # What was in a worker's hands kept its text, and that text is in the digest.
    assert sorted(texts(claim(ledger, only_shard(ledger, second)))) == ["Bye", TEXT, TEXT]


def test_an_unknown_that_is_to_go_again_is_in_the_later_plan_that_names_it(ledger: Ledger) -> None:
    first = make(ledger)
    approve(ledger, first)
    sent = sends.begin_attempt(
        ledger, claim(ledger, only_shard(ledger, first)), now=NOW, lease=LEASE
    )
    record(ledger, [Outcome(claim=one, state=State.UNKNOWN) for one in sent.claims], now=NOW)
    second = make(ledger)
    assert second.digest == first.digest
    for one in sent.claims[:1]:  # a person settles it while the run goes on
        settle(ledger, one.message.message_key, "resend", actor=ANN, reason="lost", now=NOW)
    assert texts(claim(ledger, only_shard(ledger, second))) == [TEXT]


def test_a_cap_that_comes_too_late_touches_nothing_of_the_later_plan(ledger: Ledger) -> None:
    first = begin(ledger)
    second = make(ledger)
    approve(ledger, second)
    with pytest.raises(PlanOvertakenError):
        blocking.block_planned(ledger, first, NOW, most=1)
    assert len(claim(ledger, only_shard(ledger, second)).claims) == 3


def test_planning_anew_and_recording_a_batch_do_not_lock_each_other_up(ledger: Ledger) -> None:
    first = make(ledger)
    approve(ledger, first)
    in_flight = claim(ledger, only_shard(ledger, first), most=2)
    second = begin(ledger)
    rows = [planned(number, text=TEXT) for number in everybody()]
    with ThreadPoolExecutor(max_workers=1) as pool:
        with ledger.write() as connection:
            audit.lock(connection)  # as whoever records a batch does, before its messages
            adding = pool.submit(plans.add, ledger, second, rows, [entry()])
            await_a_lock(ledger)
            mine = messages.c.id.in_([one.id for one in in_flight.claims])
            connection.execute(update(messages).where(mine).values(attempts=1))
        adding.result()


def test_a_plan_that_is_overtaken_while_it_writes_leaves_nobody_behind(ledger: Ledger) -> None:
    first = begin(ledger)
    with ThreadPoolExecutor(max_workers=1) as pool:
        with ledger.write() as connection:
            audit.lock(connection)  # as who begins does
            adding = pool.submit(plans.add, ledger, first, [planned(1, text=TEXT)], [entry()])
            await_a_lock(ledger)
            connection.execute(update(occurrences).values(plan_no=first.number + 1))
        with pytest.raises(PlanOvertakenError):
            adding.result()
    with ledger.read() as connection:
        assert connection.execute(select(messages.c.id)).all() == []


def test_a_plan_that_is_overtaken_writes_nothing_that_another_waits_for(
    postgres_url: str,
) -> None:
    written: list[Any] = []
    with closing(open_ledger(postgres_url)) as ledger:
        first = begin(ledger)
        begin(ledger)
        event.listen(ledger.engine, "savepoint", lambda *told: written.append(told))
        with pytest.raises(PlanOvertakenError):
            plans.add(ledger, first, [planned(1, text=TEXT)])
    assert written == []


def test_a_claim_takes_nothing_that_a_plan_wrote_since_it_looked(postgres_url: str) -> None:
    anew: list[Plan] = []
    with closing(open_ledger(postgres_url)) as ledger, closing(open_ledger(postgres_url)) as other:
        first = make(ledger)
        approve(ledger, first)
        shard = only_shard(ledger, first)

        def plan_anew(_connection: Any, _cursor: Any, statement: str, *_told: Any) -> None:
            if "SKIP LOCKED" in statement and not anew:
                anew.append(begin(other))
                plans.add(other, anew[0], [planned(number, text="Bye") for number in everybody()])

        event.listen(ledger.engine, "before_cursor_execute", plan_anew)
        assert texts(claim(ledger, shard)) == []
    assert anew


@pytest.mark.parametrize("step", ["begin", "finish"])
def test_no_step_of_planning_locks_a_writer_up_who_has_the_trail(ledger: Ledger, step: str) -> None:
    plan = make(ledger)
    lone = planned(9, blocked="address_invalid")._replace(address_key=None)
    plans.add(ledger, plan, [lone])
    steps: dict[str, Callable[[], object]] = {
        "begin": lambda: begin(ledger, profile="agentless"),
        "finish": partial(plans.finish, ledger, begin(ledger), entry("plan.dropped")),
    }
    with ThreadPoolExecutor(max_workers=1) as pool:
        with ledger.write() as connection:
            audit.lock(connection)
            planning = pool.submit(steps[step])
            await_a_lock(ledger)
            connection.execute(update(occurrences).values(approved_by=ANN))
            connection.execute(update(messages).values(settled_at=NOW))
        planning.result()


def test_of_two_that_begin_at_once_the_second_knows_of_the_first(ledger: Ledger) -> None:
    plans.begin(
        ledger, CAMPAIGN, occurrence="other", sender="s", template_version="v", now=NOW,
        is_test=True,
    )  # fmt: skip
    columns = [column for column in occurrences.c if column.name not in ("id", "occurrence")]
    with ThreadPoolExecutor(max_workers=1) as pool:
        with ledger.write() as connection:
            audit.lock(connection)  # as who begins does
            copied = select(literal("once"), *columns)
            connection.execute(insert(occurrences).from_select(["occurrence", *columns], copied))
            second = pool.submit(begin, ledger)
            await_a_lock(ledger)
        with pytest.raises(CampaignDefinitionError, match="was planned as a test"):
            second.result()


def await_a_lock(ledger: Ledger) -> None:
    """Return when somebody waits for a lock; on SQLite there is one writer in any case."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(200 if ledger.engine.dialect.name == "postgresql" else 0):
        with ledger.read() as connection:
            if connection.execute(waiting).scalar_one():
                return
        time.sleep(0.05)


def test_who_is_in_flight_does_not_make_the_same_plan_another(ledger: Ledger) -> None:
    first = make(ledger)
    approve(ledger, first)
    shard = only_shard(ledger, first)
    in_flight = claim(ledger, shard, most=2)
    assert make(ledger).digest == first.digest
    give_back(ledger, in_flight)
    assert len(claim(ledger, shard).claims) == 3


def test_a_ledger_of_before_there_were_digests_goes_on(ledger: Ledger) -> None:
    plan = make(ledger)
    old = {"plan_digest": None, "approved_digest": None}
    with ledger.write() as connection:
        connection.execute(update(occurrences).values(old))
    shard = only_shard(ledger, plan)
    assert shard.plan_digest is None
    assert len(claim(ledger, shard).claims) == 3
    assert approvals.ruling(ledger, plan.occurrence_id, None, NOW) is Verdict.SEND
    assert approvals.ruling(ledger, plan.occurrence_id, plan.digest, NOW) is Verdict.STOP
    assert approvals.ruling(ledger, plan.occurrence_id + 1, None, NOW) is Verdict.STOP


PEOPLE = st.dictionaries(st.integers(1, 4), st.sampled_from(["Hello", "Bye"]), min_size=1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), PEOPLE, st.booleans()),
        st.sampled_from([("approve",), ("reject",), ("claim", 0), ("claim", -1)]),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_whatever_happens_only_an_approved_plan_s_messages_are_claimed(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[tuple[object, ...]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("ledger")
    ledger = open_ledger(f"sqlite:///{folder}/ledger.db")
    made: list[Plan] = []
    waiting: dict[int, str] = {}
    sent: set[int] = set()
    released: set[str] = set()
    by_person: set[str] = set()
    for kind, *rest in steps:
        if kind == "plan":
            people, asks = rest
            assert isinstance(people, dict)
            waiting |= {number: text for number, text in people.items() if number not in sent}
            made.append(make(ledger, people, asks=bool(asks)))
            digest = made[-1].digest
            if not asks:
                released.add(digest)
            elif digest not in by_person:
                released.discard(digest)
            # An approval is kept for the latest plan alone, and a person's only.
            released &= {digest}
            by_person &= {digest}
        elif made and kind == "approve":
            approve(ledger, made[-1])
            released.add(made[-1].digest)
            by_person.add(made[-1].digest)
        elif made and kind == "reject":
            no = entry("campaign.rejected")
            approvals.withdraw(ledger, made[-1].occurrence_id, made[-1].digest, no)
            released.clear()
            by_person.clear()
        elif made:
            plan = made[int(str(rest[0]))]
            shard = Shard(
                occurrence_id=plan.occurrence_id, profile="messaging", number=0, first_id=0,
                last_id=100, plan_digest=plan.digest,
            )  # fmt: skip
            batch = claim(ledger, shard)
            may = plan.digest == made[-1].digest and plan.digest in released
            assert batch.active == may
            assert sorted(texts(batch)) == (sorted(waiting.values()) if may else [])
            if may:
                record(ledger, _accepted(ledger, batch), now=NOW)
                assert len(batch.claims) == len(waiting)
                sent |= set(waiting)
                waiting = {}
    ledger.close()


def _accepted(ledger: Ledger, batch: Batch) -> list[Outcome]:
    begun = sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE)
    return [Outcome(claim=one, state=State.ACCEPTED) for one in begun.claims]
