"""What a failure makes of its recipient, whichever way it is learnt: pushed, asked, or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from genesys_cloud.errors import PolicyError
from genesys_cloud.ledger import audit, events, lost_statuses, outcomes, sends, suppressions
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.events import Effect
from genesys_cloud.ledger.outcomes import Outcome
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.asking import EVENTS_LOST
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.outbound.failure_policy import OPTED_OUT_ALONE
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.policies import FAILURES, read_failures
from tests.ledger.planted import NOW, only_shard, plant

INCLUDE = Path(__file__).resolve().parents[2] / "include"
POLICY = read_failures(INCLUDE)
LEASE = timedelta(seconds=90)
DAYS_180 = NOW + timedelta(days=180)
CODES = ("RecipientOptedOut", "InvalidDestination", "ServerError", None)
EXPECTED = [("…01", "opted_out", None), ("…02", "unreachable", DAYS_180)]


@pytest.fixture
def ruled(ledger: Ledger) -> Ledger:
    """The ledger with the project's policy."""
    ledger.failures = POLICY
    return ledger


def post(ledger: Ledger, *results: dict[str, object]) -> None:
    """Attempt a campaign's messages, and record what became of each."""
    shard = only_shard(ledger, plant(ledger, len(results)))
    limits = [Limit(name="account", most=1_000_000)]
    batch = sends.claim(ledger, shard, limits, most=10, now=NOW, lease=LEASE)
    begun = sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE)
    done = [
        Outcome(claim=claim, **result)  # type: ignore[arg-type]
        for claim, result in zip(begun.claims, results, strict=True)
    ]
    outcomes.record(ledger, done, now=NOW)


def accepted(count: int) -> list[dict[str, object]]:
    return [
        {"state": State.ACCEPTED, "message_id": f"m-{each}", "status": "queued"}
        for each in range(1, count + 1)
    ]


def failed() -> list[StatusEvent]:
    return [
        StatusEvent(
            event_id=f"e-{each}", message_id=f"m-{each}", status="failed", occurred_at=NOW,
            reason_code=code,
        )
        for each, code in enumerate(CODES, start=1)
    ]  # fmt: skip


def pushed(ledger: Ledger) -> None:
    post(ledger, *accepted(4))
    assert events.apply(ledger, failed(), NOW) == [Effect.APPLIED] * 4


def pushed_too_soon(ledger: Ledger) -> None:
    assert events.apply(ledger, failed(), NOW) == [Effect.PARKED] * 4
    post(ledger, *accepted(4))


def asked(ledger: Ledger) -> None:
    post(ledger, *accepted(4))
    later = NOW + EVENTS_LOST.first
    due = lost_statuses.due(ledger, now=later, schedule=EVENTS_LOST, most=10)
    listed = [
        Delivery(
            message_id=f"m-{each}", channel="messaging:sms", recipient="", status="failed",
            created_at=NOW, error_code=code,
        )
        for each, code in enumerate(CODES, start=1)
    ]  # fmt: skip
    assert lost_statuses.learn(ledger, due, listed, now=NOW).moved == 4


def refused(ledger: Ledger) -> None:
    codes = [code or "rejected_by_genesys" for code in CODES]
    post(ledger, *[{"state": State.REJECTED, "reason_code": code} for code in codes])


def entries(ledger: Ledger) -> list[tuple[str, str, datetime | None]]:
    rows = suppressions.listing(ledger)
    assert {row["source"] for row in rows} <= {"delivery receipt"}
    return sorted((row["masked_address"], row["reason"], row["expires_at"]) for row in rows)


WAYS = (pushed, pushed_too_soon, asked, refused)


@pytest.mark.parametrize("learnt", WAYS)
def test_a_failure_suppresses_as_the_policy_says(
    ruled: Ledger, learnt: Callable[[Ledger], None]
) -> None:
    learnt(ruled)
    assert entries(ruled) == EXPECTED
    added = [one for one in audit.read(ruled) if one["action"] == "suppression.added"]
    assert len(added) == 2
    assert "2025550" not in str(added)
    assert audit.verify(ruled).ok


@pytest.mark.parametrize("learnt", WAYS)
def test_without_a_policy_who_said_no_to_the_carrier_is_let_alone(
    ledger: Ledger, learnt: Callable[[Ledger], None]
) -> None:
    assert ledger.failures is OPTED_OUT_ALONE
    learnt(ledger)
    assert entries(ledger) == EXPECTED[:1]


@pytest.mark.parametrize("state", [State.UNKNOWN, State.PLANNED])
def test_what_is_no_refusal_suppresses_nobody(ruled: Ledger, state: State) -> None:
    post(ruled, {"state": state, "reason_code": "InvalidDestination"})
    assert entries(ruled) == []


def test_a_second_failure_makes_it_last_longer(ruled: Ledger) -> None:
    pushed(ruled)
    later = NOW + timedelta(days=30)
    with ruled.write() as connection:
        connection.execute(update(messages).where(messages.c.row_number == 2).values(status="sent"))
    again = StatusEvent(
        event_id="again", message_id="m-2", status="failed", occurred_at=later,
        reason_code="InvalidDestination",
    )  # fmt: skip
    events.apply(ruled, [again], later)
    assert entries(ruled)[1] == ("…02", "unreachable", later + timedelta(days=180))


def test_a_project_without_a_policy_has_ours_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    assert read_failures(tmp_path) == POLICY
    own = tmp_path / "policies" / FAILURES
    own.parent.mkdir()
    own.write_text("dated = 2026-11-23\n")
    assert read_failures(tmp_path).rules == {}
    own.write_text("dated = 7\n")
    with pytest.raises(PolicyError, match="Mend the file"):
        read_failures(tmp_path)
