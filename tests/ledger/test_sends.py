from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from genesys_cloud.errors import CampaignDefinitionError, LeaseLostError
from genesys_cloud.ledger import audit, campaigns, events, recovery, sends
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.ledger.sends import Batch
from genesys_cloud.ledger.shards import Shard, cut_shards
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.status import StatusEvent
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, plant

FAST = [Limit(name="account", most=60_000)]
LEASE = timedelta(seconds=90)


def claim(ledger: Ledger, shard: Shard, *, most: int = 10) -> Batch:
    return sends.claim(ledger, shard, FAST, most=most, now=NOW, lease=LEASE)


def attempt(ledger: Ledger, batch: Batch) -> bool:
    return bool(sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE).claims)


def accepted(batch: Batch) -> list[Outcome]:
    return [
        Outcome(claim=one, state=State.ACCEPTED, message_id=f"msg_{one.id}", status="queued")
        for one in batch.claims
    ]


def states(ledger: Ledger) -> dict[str, int]:
    counted = campaigns.progress(ledger, CAMPAIGN.campaign_id).states
    return {state: count for state, count in counted.items() if count}


def test_a_message_goes_from_planned_to_accepted(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 3))
    batch = claim(ledger, shard)
    assert attempt(ledger, batch)
    record(ledger, accepted(batch), now=NOW)
    assert states(ledger) == {"accepted": 3}
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).statuses["queued"] == 3


def test_a_second_worker_finds_nothing_that_the_first_has_claimed(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 3))
    assert len(claim(ledger, shard, most=2).claims) == 2
    assert len(claim(ledger, shard).claims) == 1
    assert len(claim(ledger, shard).claims) == 0


def test_a_claim_whose_worker_died_is_planned_again(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    claim(ledger, shard)
    assert recovery.recover(ledger, NOW, shard=shard) == 0  # the lease still runs
    assert states(ledger) == {"planned": 2}
    assert len(claim(ledger, shard).claims) == 0
    recovery.recover(ledger, NOW + LEASE + timedelta(seconds=1), shard=shard)
    assert len(claim(ledger, shard).claims) == 2


def test_an_attempt_whose_worker_died_is_unknown_and_never_claimed_again(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    batch = claim(ledger, shard)
    attempt(ledger, batch)
    assert recovery.recover(ledger, NOW + LEASE, shard=shard) == 2
    assert states(ledger) == {"unknown": 2}
    assert len(claim(ledger, shard).claims) == 0


def test_a_worker_that_wakes_up_late_can_not_record(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    batch = claim(ledger, shard)
    attempt(ledger, batch)
    recovery.recover(ledger, NOW + LEASE, shard=shard)
    with pytest.raises(LeaseLostError, match="taken over"):
        record(ledger, accepted(batch), now=NOW)
    assert states(ledger) == {"unknown": 2}


def test_a_worker_that_wakes_up_late_can_not_attempt(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    late = claim(ledger, shard)
    recovery.recover(ledger, NOW + LEASE + timedelta(seconds=1), shard=shard)
    claim(ledger, shard, most=1)
    with pytest.raises(LeaseLostError, match="another worker"):
        attempt(ledger, late)


def test_a_deferred_message_can_be_claimed_again(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 1))
    batch = claim(ledger, shard)
    attempt(ledger, batch)
    deferred = Outcome(claim=batch.claims[0], state=State.PLANNED, reason_code="throttled")
    record(ledger, [deferred], now=NOW)
    again = claim(ledger, shard)
    assert again.claims[0].fence > batch.claims[0].fence


def test_a_429_holds_back_the_gate_for_everybody(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    batch = claim(ledger, shard, most=1)
    attempt(ledger, batch)
    until = NOW + timedelta(seconds=42)
    deferred = Outcome(claim=batch.claims[0], state=State.PLANNED, reason_code="throttled")
    record(ledger, [deferred], now=NOW, hold_back=(FAST[0], until))
    assert min(claim(ledger, shard).slots) >= until


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_a_campaign_that_may_not_send_gives_out_no_claim(ledger: Ledger, state: str) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    batch = claim(ledger, shard, most=1)
    campaigns.change_state(
        ledger, CAMPAIGN.campaign_id, state, reason="a test", actor="tester", now=NOW
    )
    assert not attempt(ledger, batch)
    assert len(claim(ledger, shard).claims) == 0


def test_a_cancelled_campaign_settles_what_is_planned_and_stays_cancelled(ledger: Ledger) -> None:
    plant(ledger, 2)
    settled = campaigns.change_state(
        ledger, CAMPAIGN.campaign_id, "cancelled", reason="wrong text", actor="tester", now=NOW
    )
    assert settled == 2
    assert states(ledger) == {"cancelled": 2}
    with pytest.raises(CampaignDefinitionError, match="stays so"):
        campaigns.change_state(
            ledger, CAMPAIGN.campaign_id, "active", reason="", actor="tester", now=NOW
        )


def test_an_event_that_came_before_its_message_is_applied_with_the_record(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 1))
    batch = claim(ledger, shard)
    attempt(ledger, batch)
    message_id = f"msg_{batch.claims[0].id}"
    early = [
        StatusEvent(event_id=f"e{n}", message_id=message_id, status=word, occurred_at=NOW)
        for n, word in enumerate(["delivered", "sent"])
    ]
    assert events.apply(ledger, early, NOW) == [events.Effect.PARKED, events.Effect.PARKED]
    record(ledger, accepted(batch), now=NOW)
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).statuses["delivered"] == 1


def test_every_outcome_leaves_an_audit_entry_without_an_address(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    batch = claim(ledger, shard)
    attempt(ledger, batch)
    record(ledger, accepted(batch), now=NOW)
    entries = list(audit.read(ledger, campaign_id=CAMPAIGN.campaign_id))
    assert [entry["action"] for entry in entries] == ["send.attempting"] + ["send.accepted"] * 2
    assert not any("+1202555" in str(dict(entry)) for entry in entries)
    assert audit.verify(ledger).ok


def test_the_same_id_given_out_twice_does_not_undo_the_batch(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    batch = claim(ledger, shard)
    attempt(ledger, batch)
    same = [
        Outcome(claim=one, state=State.ACCEPTED, message_id="msg_same", status="queued")
        for one in batch.claims
    ]
    record(ledger, same, now=NOW)
    assert states(ledger) == {"accepted": 2}


def test_lease_ends_names_the_earliest_lease(ledger: Ledger) -> None:
    shard = only_shard(ledger, plant(ledger, 2))
    assert recovery.lease_ends(ledger, shard) is None
    batch = claim(ledger, shard)
    ends = recovery.lease_ends(ledger, shard)
    assert ends is not None
    assert ends == batch.slots[-1] + LEASE


def test_shards_cut_the_open_messages_and_stay_under_the_cap(ledger: Ledger) -> None:
    plan = plant(ledger, 25)
    cut = cut_shards(ledger, plan.occurrence_id, size=10, most=1000)
    assert [shard.number for shard in cut] == [0, 1, 2]
    assert len(cut_shards(ledger, plan.occurrence_id, size=1, most=4)) == 4
    with ledger.read() as connection:
        ids = connection.execute(select(messages.c.id)).scalars().all()
    covered = [one for one in ids for shard in cut if shard.first_id <= one <= shard.last_id]
    assert sorted(covered) == sorted(ids)
