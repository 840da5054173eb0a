from __future__ import annotations

from datetime import UTC, datetime, timedelta

from genesys_cloud.ledger import audit, campaigns, sends, suppressions
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.workflows.clock import Clock
from genesys_cloud.workflows.pace import limits_of
from genesys_cloud.workflows.sending import send_shard
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import PLENTY, Sender


def entry(number: int, *, expires_at: datetime | None = None) -> Suppression:
    return Suppression(
        channel=CAMPAIGN.channel, address=f"+1202555{number:04d}", reason="opted_out",
        source="test", expires_at=expires_at,
    )  # fmt: skip


def suppress(sender: Sender, *numbers: int) -> None:
    entries = [entry(number) for number in numbers]
    suppressions.add(sender.ledger, entries, actor="tester", now=sender.hurried.now())


def recipients(simulator: SimulatorProcess) -> set[str]:
    return {message["to"] for message in simulator.messages()}


def test_who_is_suppressed_between_plan_and_send_gets_nothing(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    suppress(sender, 3, 7)
    sender.send(shard)
    counted = campaigns.progress(sender.ledger, CAMPAIGN.campaign_id)
    assert (counted.states["accepted"], counted.states["blocked"]) == (8, 2)
    assert counted.blocked_reasons == {"suppressed": 2}
    assert not recipients(simulator) & {"+12025550003", "+12025550007"}


def test_an_entry_made_in_mid_send_holds_from_the_next_batch_on(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 400))
    made: list[int] = []

    def suppress_once() -> datetime:
        if not made and len(simulator.messages()) >= 64:
            made.append(len(simulator.messages()))
            suppress(sender, *range(300, 401))
        return sender.hurried.now()

    clock = Clock(now=suppress_once, sleep=sender.hurried.sleep)
    limits = limits_of(sender.account, PLENTY, campaign_id="c")
    send_shard(sender.ledger, sender.client, shard, limits=limits, timeout_s=2, clock=clock)
    assert sender.states() == {"accepted": 299, "blocked": 101}
    assert "+12025550300" not in recipients(simulator)


def test_a_batch_that_is_claimed_already_leaves_without_them(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 4))
    lease, now = timedelta(seconds=90), datetime.now(UTC)
    limits = limits_of(sender.account, PLENTY, campaign_id="c")
    batch = sends.claim(sender.ledger, shard, limits, most=4, now=now, lease=lease)
    suppress(sender, 2)
    left = sends.begin_attempt(sender.ledger, batch, now=now, lease=lease)
    assert [one.message.recipient[-1] for one in left.claims] == ["1", "3", "4"]
    assert len(left.slots) == 3


def test_an_expired_or_lifted_entry_blocks_nobody(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    now = datetime.now(UTC)
    entries = [entry(1, expires_at=now - timedelta(days=1)), entry(2)]
    before = now - timedelta(days=2)
    assert suppressions.add(sender.ledger, entries, actor="tester", now=before).added == 2
    assert suppressions.remove(sender.ledger, entry(2), actor="tester", now=now)
    assert not suppressions.remove(sender.ledger, entry(2), actor="tester", now=now)
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 3)))
    assert sender.states() == {"accepted": 3}


def test_entries_are_audited_once_and_listed_without_the_address(sender: Sender) -> None:
    suppress(sender, 5)
    suppress(sender, 5)
    (listed,) = suppressions.listing(sender.ledger)
    assert (listed["masked_address"], listed["reason"]) == ("…05", "opted_out")
    entries = list(audit.read(sender.ledger))
    assert [one["action"] for one in entries] == ["suppression.added"]
    assert "+1202555" not in str([dict(one) for one in entries])
