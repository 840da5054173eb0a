"""What the ledger knows of people, asked when a plan ends and when a batch is to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, select, text, update

from genesys_cloud.ledger import audit, blocking, caps, consents, database, plans, sends
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.engine import engine_at
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.ledger.plans import Plan, address_key
from genesys_cloud.ledger.sends import Batch
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.ledger.tables import consents as consents_table
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.consent import ConsentFrom, ConsentState, Recorded, refusal
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, planned, plant, sealed

FAST = [Limit(name="account", most=6_000_000)]
LEASE = timedelta(seconds=90)
GIVEN, WITHDRAWN = ConsentState.GIVEN, ConsentState.WITHDRAWN


def number(each: int) -> str:
    return f"+1202555{each:04d}"


def decide(
    ledger: Ledger, state: ConsentState, *numbers: int, at: datetime = NOW, **more: Any
) -> None:
    decided = [
        Consent(
            channel=CAMPAIGN.channel, address=number(each), state=state, source="test",
            decided_at=at, **more,
        )
        for each in numbers
    ]  # fmt: skip
    consents.record(ledger, decided, actor="tester", now=NOW)


def ask(ledger: Ledger, plan: Plan, **rules: Any) -> Plan:
    """Let an occurrence ask for these rules."""
    with ledger.write() as connection:
        own = occurrences.c.id == plan.occurrence_id
        connection.execute(update(occurrences).where(own).values(**rules))
    return plan


def begun(ledger: Ledger, plan: Plan, *, now: datetime = NOW) -> list[int]:
    """Claim and attempt all that is planned, and return the numbers of those that may leave."""
    return numbers(attempt(ledger, claim(ledger, only_shard(ledger, plan), now=now), now=now))


def claim(ledger: Ledger, shard: Shard, *, now: datetime = NOW) -> Batch:
    return sends.claim(ledger, shard, FAST, most=64, now=now, lease=LEASE)


def attempt(ledger: Ledger, batch: Batch, *, now: datetime = NOW) -> Batch:
    return sends.begin_attempt(ledger, batch, now=now, lease=LEASE)


def numbers(batch: Batch) -> list[int]:
    return [int(one.message.recipient[-4:]) for one in batch.claims]


def reasons(ledger: Ledger, plan: Plan) -> dict[int, str]:
    """Return why who was blocked, by number."""
    query = select(messages.c.row_number, messages.c.reason_code, messages.c.reason).where(
        messages.c.occurrence_id == plan.occurrence_id, messages.c.state == State.BLOCKED
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    assert all(row.reason.endswith(".") for row in rows)
    return {row.row_number: row.reason_code for row in rows}


def another(ledger: Ledger, name: str, count: int = 3, **rules: Any) -> Plan:
    campaign = replace(CAMPAIGN, campaign_id=name)
    plan = plans.begin(
        ledger, campaign, occurrence="once", sender=CAMPAIGN.sender, template_version="v1", now=NOW
    )
    rows = [planned(each, occurrence=name) for each in range(1, count + 1)]
    plans.add(ledger, plan, rows)
    plan = sealed(ledger, plan, campaign=campaign)
    return ask(ledger, plan, **rules) if rules else plan


def settle(ledger: Ledger, batch: Batch, state: State, *, now: datetime = NOW) -> None:
    outcomes = [Outcome(claim=one, state=state) for one in batch.claims]
    record(ledger, outcomes, now=now)


def test_only_a_consent_on_record_counts_where_a_campaign_asks_the_ledger(ledger: Ledger) -> None:
    decide(ledger, GIVEN, 1)
    decide(ledger, GIVEN, 2, purpose="offers")
    decide(ledger, GIVEN, 3, expires_at=NOW)
    decide(ledger, GIVEN, 4, at=NOW - timedelta(days=1))
    decide(ledger, WITHDRAWN, 4)
    decide(ledger, GIVEN, 5, expires_at=NOW + timedelta(seconds=1))
    decide(ledger, GIVEN, 6, purpose="care")
    plan = ask(ledger, plant(ledger, 7), consent_from="ledger", purpose="care")
    counted = blocking.block_planned(ledger, plan, NOW)
    assert reasons(ledger, plan) == {
        2: "consent_other_purpose", 3: "consent_expired", 4: "consent_withdrawn",
        7: "consent_not_on_record",
    }  # fmt: skip
    assert counted == dict.fromkeys(reasons(ledger, plan).values(), 1)
    # And again at the send: what has expired since the plan stays.
    assert begun(ledger, plan, now=NOW + timedelta(seconds=1)) == [1, 6]
    assert reasons(ledger, plan)[5] == "consent_expired"
    assert audit.verify(ledger).ok


decisions = st.lists(
    st.builds(
        Recorded,
        state=st.sampled_from(list(ConsentState)),
        purpose=st.sampled_from(["", "care", "offers"]),
        decided_at=st.integers(-5, 0).map(lambda day: NOW + timedelta(days=day)),
        expires_at=st.none() | st.integers(-2, 2).map(lambda day: NOW + timedelta(days=day)),
    ),
    max_size=4,
)


@pytest.fixture
def planted_once(ledger: Ledger) -> tuple[Ledger, Plan]:
    return ledger, plant(ledger, 3)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    histories=st.lists(decisions, min_size=3, max_size=3),
    source=st.sampled_from(list(ConsentFrom)),
    purpose=st.sampled_from(["", "care"]),
)
def test_the_database_blocks_whom_the_rule_refuses(
    planted_once: tuple[Ledger, Plan],
    histories: Sequence[Sequence[Recorded]],
    source: ConsentFrom,
    purpose: str,
) -> None:
    ledger, plan = planted_once
    ask(ledger, plan, consent_from=source, purpose=purpose)
    with ledger.write() as connection:
        connection.execute(delete(consents_table))
        connection.execute(
            update(messages).values(state=State.PLANNED, reason_code=None, reason=None)
        )
    for each, history in enumerate(histories, 1):
        for one in history:
            decide(ledger, one.state, each, at=one.decided_at, purpose=one.purpose,
                   expires_at=one.expires_at)  # fmt: skip
    blocking.block_planned(ledger, plan, NOW)
    expected = {
        each: code
        for each, history in enumerate(histories, 1)
        if (code := refusal(history, purpose=purpose, consent_from=source, at=NOW))
    }
    assert reasons(ledger, plan) == expected


def test_a_revocation_between_claim_and_attempt_keeps_the_message_back(ledger: Ledger) -> None:
    plan = plant(ledger, 4)
    batch = claim(ledger, only_shard(ledger, plan))
    # The clock of who records it may be ahead or behind: it holds at once.
    decide(ledger, WITHDRAWN, 2, at=NOW + timedelta(minutes=5))
    decide(ledger, WITHDRAWN, 3, at=NOW - timedelta(days=9))
    assert numbers(attempt(ledger, batch)) == [1, 4]
    assert reasons(ledger, plan) == {2: "consent_withdrawn", 3: "consent_withdrawn"}


def test_what_the_audience_said_of_its_end_counts_in_mid_campaign(ledger: Ledger) -> None:
    plan = plant(ledger, 2)
    ends = NOW + timedelta(hours=1)
    with ledger.write() as connection:
        first = messages.c.row_number == 1
        connection.execute(update(messages).where(first).values(consent_expires_at=ends))
    assert blocking.block_planned(ledger, plan, NOW) == {}
    assert begun(ledger, plan, now=ends) == [2]
    assert reasons(ledger, plan) == {1: "consent_expired"}


def test_a_long_plan_is_looked_through_page_by_page(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "PAGE", 3)
    decide(ledger, WITHDRAWN, 1, 3, 4, 7, 10)
    plan = plant(ledger, 10)
    assert blocking.block_planned(ledger, plan, NOW) == {"consent_withdrawn": 5}
    assert blocking.block_planned(ledger, plan, NOW) == {}
    assert list(reasons(ledger, plan)) == [1, 3, 4, 7, 10]


@pytest.mark.parametrize("state", [State.ACCEPTED, State.UNKNOWN, State.ATTEMPTING])
def test_what_may_have_reached_an_address_counts_over_all_campaigns(
    ledger: Ledger, state: State
) -> None:
    for name in ("one", "two"):
        plan = another(ledger, name, 2)
        batch = attempt(ledger, claim(ledger, only_shard(ledger, plan)))
        if state is not State.ATTEMPTING:
            settle(ledger, batch, state)
    capped = another(ledger, "three", 3, recipient_cap=2, recipient_cap_days=7)
    roomy = another(ledger, "four", 3, recipient_cap=3, recipient_cap_days=7)
    assert blocking.block_planned(ledger, capped, NOW) == {"capped": 2}
    assert list(reasons(ledger, capped)) == [1, 2]
    assert blocking.block_planned(ledger, roomy, NOW) == {}
    # A week later it is forgotten.
    late = another(ledger, "five", 3, recipient_cap=1, recipient_cap_days=7)
    assert begun(ledger, late, now=NOW + timedelta(days=7)) == [1, 2, 3]


@pytest.mark.parametrize("state", [State.REJECTED, State.PLANNED])
def test_what_never_reached_anybody_does_not_count(ledger: Ledger, state: State) -> None:
    first = another(ledger, "one", 2)
    settle(ledger, attempt(ledger, claim(ledger, only_shard(ledger, first))), state)
    second = another(ledger, "two", 2, recipient_cap=1, recipient_cap_days=7)
    assert blocking.block_planned(ledger, second, NOW) == {}
    assert begun(ledger, second) == [1, 2]


def test_two_campaigns_that_race_for_the_last_place_send_one_message(ledger: Ledger) -> None:
    rules = {"recipient_cap": 1, "recipient_cap_days": 1}
    one, two = (another(ledger, name, 3, **rules) for name in ("one", "two"))
    assert blocking.block_planned(ledger, one, NOW) == blocking.block_planned(ledger, two, NOW)
    claims = [claim(ledger, only_shard(ledger, plan)) for plan in (one, two)]
    assert numbers(attempt(ledger, claims[0])) == [1, 2, 3]
    assert numbers(attempt(ledger, claims[1])) == []
    assert set(reasons(ledger, two).values()) == {"capped"}


def test_planned_again_an_occurrence_does_not_count_itself(ledger: Ledger) -> None:
    plan = another(ledger, "one", 3, recipient_cap=1, recipient_cap_days=7)
    settle(ledger, attempt(ledger, claim(ledger, only_shard(ledger, plan))), State.UNKNOWN)
    with ledger.write() as connection:  # a person said: send again
        connection.execute(update(messages).values(state=State.PLANNED))
    assert blocking.block_planned(ledger, plan, NOW) == {}


def test_a_campaign_s_cap_counts_what_is_left_after_every_other_rule(ledger: Ledger) -> None:
    decide(ledger, WITHDRAWN, 1, 3)
    plan = plant(ledger, 10)
    ask(ledger, plan, capped_plan_no=0)
    assert claim(ledger, only_shard(ledger, plan)) == Batch(active=False)
    counted = blocking.block_planned(ledger, plan, NOW, most=4)
    assert counted == {"consent_withdrawn": 2, "campaign_cap": 4}
    assert begun(ledger, plan) == [2, 4, 5, 6]
    # What has gone out stays counted when the same list is planned again.
    plan = plant(ledger, 10, campaign=replace(CAMPAIGN, most_messages=5))
    # Until it is known who is beyond the cap, nothing goes out, not from an earlier run either.
    assert claim(ledger, only_shard(ledger, plan)) == Batch(active=False)
    assert blocking.block_planned(ledger, plan, NOW, most=5)["campaign_cap"] == 3
    assert begun(ledger, plan) == [7]
    assert blocking.block_planned(ledger, plan, NOW, most=5) == {}
    entries = [one for one in audit.read(ledger) if one["details"].get("reason") == "campaign_cap"]
    assert sum(len(one["details"]["message_keys"]) for one in entries) == 7


@pytest.mark.parametrize("analysed", [False, True])
def test_every_question_is_answered_by_an_index(ledger: Ledger, *, analysed: bool) -> None:
    """Among many messages, no statement of the send path reads a table from end to end."""
    other = another(ledger, "other", 3_000)
    plan = another(ledger, "this", 3_000, recipient_cap=1, recipient_cap_days=7)
    decide(ledger, GIVEN, *range(1, 3_000))
    own = messages.c.occurrence_id == plan.occurrence_id
    with ledger.write() as connection:
        sent = update(messages).where(messages.c.occurrence_id == other.occurrence_id)
        connection.execute(sent.values(attempted_at=NOW, state=State.ACCEPTED))
        connection.execute(update(messages).where(own).values(state=State.CLAIMED))
        caps.note_attempt(connection, other.occurrence_id, NOW)
        if analysed:
            connection.exec_driver_sql("ANALYZE")
        ids = list(connection.execute(select(messages.c.id).where(own).limit(64)).scalars())
        asked = _statements(connection, lambda: blocking.block_claimed(connection, ids, NOW))
    # Whom the ledger knows, which occurrences sent, and who has had enough of them.
    assert len(asked) == 3
    with ledger.read() as connection:
        for statement, parameters in asked:
            steps = _explained(connection, statement, parameters)
            assert not [one for one in steps if _reads_all(one)], "\n".join(steps)


def _statements(connection: Connection, act: Any) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def keep(*told: Any) -> None:
        seen.append((told[2], told[3]))

    event.listen(connection, "before_cursor_execute", keep)
    act()
    event.remove(connection, "before_cursor_execute", keep)
    return [one for one in seen if one[0].startswith("SELECT") and "audit" not in one[0]]


def _explained(connection: Connection, statement: str, parameters: Any) -> list[str]:
    how = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    rows = connection.exec_driver_sql(f"{how} {statement}", parameters).all()
    return [str(row[-1]) for row in rows]


def _reads_all(step: str) -> bool:
    big = ("messages", "other", "consents")
    words = step.replace("USING", " USING").split()
    if "Seq Scan" in step:
        return any(name in words for name in big)
    return words[0] == "SCAN" and words[1] in big


def test_decisions_from_before_the_history_are_its_beginning(ledger_url: str) -> None:
    ledger = Ledger(engine_at(ledger_url))
    config = Config()
    config.set_main_option(
        "script_location", str(database.Path(database.__file__).parent / "migrations")
    )
    with ledger.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for each, state in ((1, "withdrawn"), (2, "given")):
            connection.execute(
                text("INSERT INTO consents VALUES (:k, :c, '…01', :s, 'cli', 'asked', :at)"),
                {"k": address_key(CAMPAIGN.channel, number(each)), "c": CAMPAIGN.channel,
                 "s": state, "at": "2026-11-01 08:00:00"},
            )  # fmt: skip
    database.upgrade(ledger)
    ledger.close()
    opened = open_ledger(ledger_url)
    found = {row["state"]: row for row in consents.listing(opened)}
    assert found["withdrawn"]["recorded_at"].isoformat() == "2026-11-01T08:00:00+00:00"
    assert (found["given"]["purpose"], found["given"]["reason"]) == ("", "asked")
    plan = plant(opened, 2)
    assert blocking.block_planned(opened, plan, NOW) == {"consent_withdrawn": 1}
    decide(opened, GIVEN, 1)
    assert len(consents.listing(opened)) == 3
    opened.close()
