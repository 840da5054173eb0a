"""Campaigns that meet quiet hours, sent against the simulator with a clock of the test's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from genesys_cloud.errors import NotSentError, PolicyError
from genesys_cloud.ledger import audit, campaigns, consents, holding, suppressions
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.consent import ConsentState
from genesys_cloud.outbound.messages import OutboundMessage, Receipt
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.quiet_hours import QuietHours
from genesys_cloud.outbound.quiet_policy import parse_policy
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.holding import read_quiet_hours, send_due
from genesys_cloud.workflows.sending import send_shard
from tests import quiet
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Sender

NEW_YORK = ZoneInfo("America/New_York")
PLACE = "marketing|US||America/New_York"
PLENTY = [Limit(name="account", most=1_000_000)]
ONE_A_SECOND = [Limit(name="account", most=60)]

QUIET = parse_policy(quiet.policy())


def wall(text: str) -> datetime:
    """Return when the clock of New York shows a time."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@dataclass(kw_only=True)
class Night:
    """Sends by the clock of a night, and notes when each message left."""

    sender: Sender
    limits: Sequence[Limit] = field(default_factory=lambda: PLENTY)
    left_at: list[datetime] = field(default_factory=list)

    def is_now(self, instant: datetime) -> None:
        self.sender.hurried.offset = instant - datetime.now(UTC)

    def send(self, message: OutboundMessage) -> Receipt:
        self.left_at.append(self.sender.hurried.now())
        return self.sender.client.send(message)

    def send_planned(self, shard: Shard, quiet: QuietHours | None = QUIET) -> Counter[str]:
        return send_shard(
            self.sender.ledger,
            self,
            shard,
            limits=self.limits,
            timeout_s=2,
            clock=self.sender.hurried.clock(),
            quiet=quiet,
        )

    def send_due(self, plan: Plan) -> tuple[Counter[str], datetime | None]:
        now = self.sender.hurried.now
        return send_due(self.sender.ledger, plan.occurrence_id, plan.digest, self.send_planned, now)


@pytest.fixture
def night(sender: Sender) -> Night:
    return Night(sender=sender)


def plant_in_new_york(night: Night, count: int, *, deadline: datetime | None = None) -> Plan:
    plan = plant(night.sender.ledger, count, campaign=replace(CAMPAIGN, deadline=deadline))
    with night.sender.ledger.write() as connection:
        connection.execute(update(messages).values(place=PLACE))
    return plan


def arrived(simulator: SimulatorProcess) -> list[str]:
    return sorted(message["to"] for message in simulator.messages())


def test_a_campaign_that_crosses_the_closing_goes_on_in_the_morning(
    simulator: SimulatorProcess, night: Night
) -> None:
    closing = wall("2026-11-23 21:00")
    plan = plant_in_new_york(night, 40)
    night.limits = ONE_A_SECOND
    night.is_now(closing - timedelta(seconds=15))

    tally = night.send_planned(only_shard(night.sender.ledger, plan))

    evening = len(night.left_at)
    assert 0 < evening < 40
    assert tally == {"accepted": evening, "held": 40 - evening}
    assert max(night.left_at) < closing

    assert night.send_due(plan) == ({}, wall("2026-11-24 08:00"))
    assert len(simulator.messages()) == evening

    night.is_now(wall("2026-11-24 08:00"))
    assert night.send_due(plan) == ({"accepted": 40 - evening}, None)
    assert min(night.left_at[evening:]) >= wall("2026-11-24 08:00")
    assert arrived(simulator) == [f"+1202555{number:04d}" for number in range(1, 41)]
    assert audit.verify(night.sender.ledger).ok


def test_a_message_that_is_claimed_in_time_does_not_leave_after_the_closing(
    simulator: SimulatorProcess, night: Night
) -> None:
    # One slot a minute: the second one is claimed before the closing, and would leave after it.
    plan = plant_in_new_york(night, 3)
    night.limits = [Limit(name="account", most=1)]
    night.is_now(wall("2026-11-23 20:59:30"))

    tally = night.send_planned(only_shard(night.sender.ledger, plan))

    assert tally == {"accepted": 1, "held": 2}
    assert max(night.left_at) < wall("2026-11-23 21:00")


@pytest.mark.parametrize(
    ("evening", "hours"), [("2026-03-07", 10), ("2026-06-01", 11), ("2026-10-31", 12)]
)
def test_the_night_in_which_the_clock_is_set_ends_at_eight_on_the_wall(
    night: Night, evening: str, hours: int
) -> None:
    plan = plant_in_new_york(night, 2)
    night.is_now(wall(f"{evening} 21:00"))

    night.send_planned(only_shard(night.sender.ledger, plan))

    _, next_at = night.send_due(plan)
    assert next_at == wall(f"{evening} 21:00").astimezone(UTC) + timedelta(hours=hours)


def test_a_deadline_before_the_opening_ends_the_waiting(
    simulator: SimulatorProcess, night: Night
) -> None:
    deadline = wall("2026-11-24 06:00")
    plan = plant_in_new_york(night, 3, deadline=deadline)
    night.is_now(wall("2026-11-23 23:00"))
    night.send_planned(only_shard(night.sender.ledger, plan))

    assert night.send_due(plan) == ({}, deadline)
    night.is_now(deadline)
    assert night.send_due(plan) == ({"expired": 3}, None)
    assert simulator.messages() == []
    assert night.sender.states() == {"expired": 3}


def test_a_campaign_that_is_paused_while_it_waits_keeps_what_is_held(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = held_overnight(night, 3)
    steer(night, "paused")
    night.is_now(wall("2026-11-24 08:00"))

    assert night.send_due(plan) == ({}, None)
    assert night.sender.states() == {"held": 3}

    steer(night, "active")
    assert night.send_due(plan) == ({"accepted": 3}, None)


def test_a_campaign_that_is_cancelled_while_it_waits_sends_nothing(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = held_overnight(night, 3)
    steer(night, "cancelled")
    night.is_now(wall("2026-11-24 08:00"))

    assert night.send_due(plan) == ({}, None)
    assert night.sender.states() == {"cancelled": 3}
    assert simulator.messages() == []


def test_who_says_no_while_they_are_held_gets_nothing(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = held_overnight(night, 4)
    ledger, now = night.sender.ledger, night.sender.hurried.now()
    channel = CAMPAIGN.channel
    stopped = Suppression(
        channel=channel, address="+12025550002", reason="opted_out", source="test"
    )
    suppressions.add(ledger, [stopped], actor="tester", now=now)
    withdrawn = Consent(
        channel=channel, address="+12025550003", state=ConsentState.WITHDRAWN, source="test"
    )
    consents.record(ledger, [withdrawn], actor="tester", now=now)
    night.is_now(wall("2026-11-24 08:00"))

    assert night.send_due(plan) == ({"accepted": 2}, None)
    assert arrived(simulator) == ["+12025550001", "+12025550004"]
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).blocked_reasons == {
        "consent_withdrawn": 1,
        "suppressed": 1,
    }


def test_what_a_worker_let_go_before_it_died_is_sent_by_the_next(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = held_overnight(night, 3)
    night.is_now(wall("2026-11-24 08:00"))

    def die(shard: Shard) -> Counter[str]:
        raise NotSentError("killed")

    with pytest.raises(NotSentError):
        send_due(
            night.sender.ledger, plan.occurrence_id, plan.digest, die, night.sender.hurried.now
        )
    assert night.sender.states() == {"planned": 3}

    assert night.send_due(plan) == ({"accepted": 3}, None)
    assert len(simulator.messages()) == 3


def test_a_policy_that_has_changed_since_holds_on(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = held_overnight(night, 2)
    later = parse_policy(quiet.policy(opens="10:00"))
    night.is_now(wall("2026-11-24 08:00"))

    done = send_due(
        night.sender.ledger,
        plan.occurrence_id,
        plan.digest,
        lambda shard: night.send_planned(shard, later),
        night.sender.hurried.now,
    )

    assert done == ({"held": 2}, wall("2026-11-24 10:00"))
    assert simulator.messages() == []


def test_two_that_come_at_once_send_each_message_once(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = held_overnight(night, 6)
    night.is_now(wall("2026-11-24 08:00"))
    seen: list[Counter[str]] = []

    def both(shard: Shard) -> Counter[str]:
        # The other one comes while this one has let go and not sent yet.
        if not seen:
            seen.append(Counter())
            seen.append(night.send_due(plan)[0])
        return night.send_planned(shard)

    send_due(night.sender.ledger, plan.occurrence_id, plan.digest, both, night.sender.hurried.now)

    assert seen[1] == {"accepted": 6}
    assert len(simulator.messages()) == len(set(arrived(simulator))) == 6


def test_messages_without_quiet_hours_leave_at_any_hour(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = plant(night.sender.ledger, 3)
    night.is_now(wall("2026-11-23 23:00"))

    assert night.send_planned(only_shard(night.sender.ledger, plan)) == {"accepted": 3}
    assert night.send_due(plan) == ({}, None)


def test_who_does_not_know_the_hours_sends_nothing_that_has_some(
    simulator: SimulatorProcess, night: Night
) -> None:
    plan = plant_in_new_york(night, 2)
    night.is_now(wall("2026-11-23 12:00"))

    with pytest.raises(PolicyError, match="was not told which"):
        night.send_planned(only_shard(night.sender.ledger, plan), None)
    assert simulator.messages() == []
    assert night.sender.states() == {"planned": 2}


def held_overnight(night: Night, count: int) -> Plan:
    """Return a campaign that began at 23 o'clock, so that all of it waits until eight."""
    plan = plant_in_new_york(night, count)
    night.is_now(wall("2026-11-23 23:00"))
    assert night.send_planned(only_shard(night.sender.ledger, plan)) == {"held": count}
    assert holding.waiting(night.sender.ledger, plan.occurrence_id).next_at == wall(
        "2026-11-24 08:00"
    )
    return plan


def steer(night: Night, state: str) -> None:
    campaigns.change_state(
        night.sender.ledger, CAMPAIGN.campaign_id, state, reason="a test", actor="tester",
        now=night.sender.hurried.now(),
    )  # fmt: skip


def test_an_include_folder_without_a_policy_has_the_projects(tmp_path: Path) -> None:
    shipped = read_quiet_hours(PROJECT_ROOT / "include")

    assert shipped.concern("marketing")
    assert read_quiet_hours(tmp_path).version == shipped.version
    own = tmp_path / "policies" / "quiet_hours.toml"
    own.parent.mkdir()
    own.write_text(quiet.policy())
    assert read_quiet_hours(tmp_path).version == QUIET.version


@pytest.mark.parametrize(
    "content", [b"dated = ", b"\xff\xfe", quiet.policy().replace('"US"', '"USA"').encode()]
)
def test_a_policy_that_is_not_clear_stops_the_run(tmp_path: Path, content: bytes) -> None:
    own = tmp_path / "policies" / "quiet_hours.toml"
    own.parent.mkdir()
    own.write_bytes(content)

    with pytest.raises(PolicyError, match="nothing was sent"):
        read_quiet_hours(tmp_path)
