"""One send task against the simulator; the observer is the simulator's own log."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import (
    AuthenticationError,
    EndpointMissingError,
    NotSentError,
    PermissionDeniedError,
    ThrottledError,
)
from genesys_cloud.ledger import campaigns, sends
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.settings import Account
from genesys_cloud.workflows.clock import Clock
from genesys_cloud.workflows.pace import limits_of
from genesys_cloud.workflows.sending import MOST_SETBACKS, send_shard
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import PLENTY, Sender


def recipients(simulator: SimulatorProcess) -> list[str]:
    return sorted(message["to"] for message in simulator.messages())


def test_everybody_gets_exactly_one_message_with_its_key(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 150))
    assert sender.send(shard) == {"accepted": 150}
    assert recipients(simulator) == [f"+1202555{number:04d}" for number in range(1, 151)]
    metadata = [message["metadata"] for message in simulator.messages()]
    assert {one["campaignId"] for one in metadata} == {CAMPAIGN.campaign_id}
    assert len({one["messageKey"] for one in metadata}) == 150
    assert sender.send(shard) == {}


def test_a_rejected_message_does_not_stop_the_others(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults(
        [{"on": "send", "fault": "status", "status": 400, "match": {"to": "+12025550007"}}]
    )
    shard = only_shard(sender.ledger, plant(sender.ledger, 20))
    assert sender.send(shard) == {"accepted": 19, "rejected": 1}
    assert "+12025550007" not in recipients(simulator)


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "drop_after"},
        {"fault": "status", "status": 503, "after_accept": True},
        {"fault": "status", "status": 500, "after_accept": True},
        {"fault": "hang", "delay_s": 15, "after_accept": True},
        {"fault": "html", "after_accept": True},
        {"fault": "empty", "after_accept": True},
        {"fault": "truncate", "after_accept": True},
    ],
    ids=lambda fault: str(fault["fault"]),
)
def test_no_clear_answer_is_unknown_and_is_never_posted_again(
    simulator: SimulatorProcess, impatient: Sender, fault: dict[str, object]
) -> None:
    simulator.faults([{"on": "send", "match": {"to": "+12025550003"}, **fault}])
    shard = only_shard(impatient.ledger, plant(impatient.ledger, 10))
    impatient.send(shard)
    impatient.send(shard)
    assert impatient.states() == {"accepted": 9, "unknown": 1}
    assert Counter(recipients(simulator)).most_common(1)[0][1] == 1


def test_a_429_waits_as_told_and_loses_nobody(simulator: SimulatorProcess, sender: Sender) -> None:
    simulator.faults([
        {"on": "send", "fault": "status", "status": 429, "headers": {"Retry-After": "7"},
         "times": 3}
    ])  # fmt: skip
    shard = only_shard(sender.ledger, plant(sender.ledger, 30))
    tally = sender.send(shard)
    assert tally["accepted"] == 30
    assert recipients(simulator) == sorted(set(recipients(simulator)))
    assert max(sender.hurried.slept) > 6


@pytest.mark.parametrize("header", [{}, {"Retry-After": "soon"}])
def test_a_429_without_a_usable_wait_backs_off(
    simulator: SimulatorProcess, sender: Sender, header: dict[str, str]
) -> None:
    simulator.faults(
        [{"on": "send", "fault": "status", "status": 429, "headers": header, "times": 5}]
    )
    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    assert sender.send(shard)["accepted"] == 10


def test_a_storm_of_429_is_left_to_the_tasks_retry_with_nothing_lost(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 429}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    with pytest.raises(ThrottledError):
        sender.send(shard)
    assert sender.states() == {"planned": 5}
    assert len(sender.hurried.slept) >= MOST_SETBACKS - 1
    simulator.clear_faults()
    assert sender.send(shard)["accepted"] == 5


def test_a_long_retry_after_frees_the_task_at_once(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults(
        [{"on": "send", "fault": "status", "status": 429, "headers": {"Retry-After": "600"}}]
    )
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    with pytest.raises(ThrottledError) as caught:
        sender.send(shard)
    assert caught.value.retry_after == 600
    assert sum(sender.hurried.slept) < 60


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, AuthenticationError), (403, PermissionDeniedError), (404, EndpointMissingError)],
)
def test_an_error_that_concerns_everybody_stops_the_task_and_rejects_nobody(
    simulator: SimulatorProcess, sender: Sender, status: int, expected: type[Exception]
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": status}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 40))
    with pytest.raises(expected):
        sender.send(shard)
    assert sender.states() == {"planned": 40}
    assert recipients(simulator) == []


def test_a_token_revoked_in_mid_flight_is_renewed(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "revoke_token", "times": 1}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 60))
    assert sender.send(shard)["accepted"] == 60
    assert len(set(recipients(simulator))) == len(recipients(simulator)) == 60


def test_an_unreachable_host_loses_nobody(
    sqlite_ledger: Ledger, account: Account, tmp_path: Path
) -> None:
    away = replace(account, base_url="http://127.0.0.1:1")
    shard = only_shard(sqlite_ledger, plant(sqlite_ledger, 5))
    with GenesysClient(away, state_dir=tmp_path / "away") as client:
        sender = Sender(ledger=sqlite_ledger, client=client, account=away)
        with pytest.raises(NotSentError, match=r"127\.0\.0\.1"):
            sender.send(shard)
        assert sender.states() == {"planned": 5}


def test_a_pause_is_obeyed_within_one_batch(simulator: SimulatorProcess, sender: Sender) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 300))
    hurried, seen = sender.hurried, []

    def pause_once() -> datetime:
        if len(simulator.messages()) >= 64 and not seen:
            seen.append(len(simulator.messages()))
            campaigns.change_state(
                sender.ledger, CAMPAIGN.campaign_id, "paused", reason="stop", actor="tester",
                now=hurried.now(),
            )  # fmt: skip
        return hurried.now()

    slow = Clock(now=pause_once, sleep=hurried.sleep)
    limits = [Limit(name="account", most=1_000_000)]
    send_shard(sender.ledger, sender.client, shard, limits=limits, timeout_s=2, clock=slow)
    assert 64 <= len(recipients(simulator)) <= seen[0] + 64
    assert sender.states()["planned"] == 300 - len(recipients(simulator))
    campaigns.change_state(
        sender.ledger, CAMPAIGN.campaign_id, "active", reason="go", actor="tester",
        now=hurried.now(),
    )  # fmt: skip
    sender.send(shard)
    assert len(set(recipients(simulator))) == len(recipients(simulator)) == 300


def test_the_campaigns_own_limit_spaces_the_sends(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 20))
    limits = limits_of(sender.account, PLENTY, campaign_id="c", messages_per_minute=1_200)
    sender.client.authenticate()  # or the first sends would wait for a token, and for each other
    began = datetime.now(UTC)
    send_shard(sender.ledger, sender.client, shard, limits=limits, timeout_s=2)
    requests = simulator.requests()["requests"]
    posts = [r["at"] for r in requests if r["path"].endswith("/messages") and r["method"] == "POST"]
    # 20 messages at 20 a second: the last slot is 19 intervals of 51 ms, 0.97 s, after the first,
    # which may lie a third of the tolerance, 0.4 s, in the past.
    assert posts[-1] - posts[0] >= 0.45
    assert posts[0] >= began.timestamp()


def test_what_a_stopped_process_left_is_taken_over(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    limits = limits_of(sender.account, PLENTY, campaign_id=CAMPAIGN.campaign_id)
    lease = timedelta(seconds=90)
    now = sender.hurried.now()
    dead = sends.claim(sender.ledger, shard, limits, most=3, now=now, lease=lease)
    sends.begin_attempt(sender.ledger, dead, now=now, lease=lease)
    sends.claim(sender.ledger, shard, limits, most=2, now=now, lease=lease)
    assert sender.send(shard) == {"accepted": 7, "unknown": 3}
    assert len(recipients(simulator)) == 7


def test_the_error_budget_pauses_the_campaign_and_says_why(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 400}])
    campaign = replace(CAMPAIGN, error_budget_count=20, error_budget_share=0.1)
    shard = only_shard(sender.ledger, plant(sender.ledger, 500, campaign=campaign))
    tally = sender.send(shard)
    assert 20 <= tally["rejected"] <= 20 + 64
    counted = campaigns.progress(sender.ledger, CAMPAIGN.campaign_id)
    assert counted.campaign_state == "paused"
    assert counted.reason is not None
    assert counted.reason.startswith("error budget:")
    assert counted.states["planned"] == 500 - tally["rejected"]


def test_a_few_errors_among_many_successes_do_not_pause(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 400, "times": 25}])
    campaign = replace(CAMPAIGN, error_budget_count=20, error_budget_share=0.9)
    shard = only_shard(sender.ledger, plant(sender.ledger, 300, campaign=campaign))
    assert sender.send(shard) == {"accepted": 275, "rejected": 25}


def test_what_could_not_go_out_by_its_deadline_has_expired(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    began = sender.hurried.now()
    deadline = began + timedelta(seconds=30)
    campaign = replace(CAMPAIGN, deadline=deadline)
    shard = only_shard(sender.ledger, plant(sender.ledger, 100, campaign=campaign))
    limits = limits_of(sender.account, PLENTY, campaign_id="c", messages_per_minute=60)
    # A clock that only sleeping moves: a slow machine is not late.
    clock = replace(sender.hurried.clock(), now=lambda: began + sender.hurried.offset)
    send_shard(sender.ledger, sender.client, shard, limits=limits, timeout_s=2, clock=clock)
    states = sender.states()
    assert states["accepted"] + states["expired"] == 100
    # One a second for half a minute.
    assert 28 <= states["accepted"] <= 31
    assert len(recipients(simulator)) == states["accepted"]


def test_a_campaign_cancelled_in_mid_send_leaves_nothing_planned(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 300))
    once = threading.Lock()

    def cancel_once() -> datetime:
        now = sender.hurried.now()
        if len(simulator.messages()) >= 64 and once.acquire(blocking=False):
            campaigns.change_state(
                sender.ledger, CAMPAIGN.campaign_id, "cancelled", reason="", actor="t", now=now
            )
        return now

    limits = limits_of(sender.account, PLENTY, campaign_id=CAMPAIGN.campaign_id)
    clock = Clock(now=cancel_once, sleep=sender.hurried.sleep)
    send_shard(sender.ledger, sender.client, shard, limits=limits, timeout_s=2, clock=clock)
    states = sender.states()
    assert set(states) == {"accepted", "cancelled"}
    assert states["accepted"] == len(recipients(simulator)) <= 128


def test_what_is_logged_holds_no_address(
    simulator: SimulatorProcess, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.faults([
        {"on": "send", "fault": "status", "status": 429, "headers": {"Retry-After": "1"},
         "times": 1},
        {"on": "send", "fault": "status", "status": 400, "match": {"to": "+12025550002"},
         "body": {"message": "no route to +12025550002"}},
    ])  # fmt: skip
    caplog.set_level("DEBUG")
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    sender.send(shard)
    assert "waits" in caplog.text
    assert "1202555" not in caplog.text
    assert json.dumps(simulator.client_secret) not in caplog.text


def test_a_server_that_answers_oddly_costs_nobody_a_record(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    odd = {"id": "msg_odd", "status": "s" * 500, "createdDate": 7}
    simulator.faults([
        {"on": "send", "fault": "status", "status": 201, "body": odd, "times": 1},
        {"on": "send", "fault": "status", "status": 400, "times": 1,
         "body": {"message": "\x00 and " + "x" * 9_000}},
    ])  # fmt: skip
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 10)))
    assert sender.states() == {"accepted": 9, "rejected": 1}


def test_a_used_up_rate_window_holds_everybody_back_before_a_429_comes(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    shard = only_shard(ledger, plant(ledger, 90))
    # Two seconds' windows of 20 messages each, and an account that is believed to be faster.
    with SimulatorProcess(requests_per_minute=600, rate_window_s=2) as simulator:
        account = Account(
            name="hasty", client_id="sim-client", client_secret="sim-secret",
            base_url=simulator.url, requests_per_minute=1_000_000,
        )  # fmt: skip
        with GenesysClient(account, state_dir=tmp_path) as client:
            limits = limits_of(account, PLENTY, campaign_id="c")
            send_shard(ledger, client, shard, limits=limits, timeout_s=5, batch=4)
        statuses = Counter(request["status"] for request in simulator.requests()["requests"])
    ledger.close()
    assert statuses[201] == 90
    assert statuses[429] <= 4 * 5
