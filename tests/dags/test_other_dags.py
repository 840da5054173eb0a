"""The DAGs beside send_campaign and delivery_report: scheduled campaigns, set-up, control."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.webhook.signature import HEADER, verify
from tests.dags.runs import ROOT, DagRuns, ledger_rows
from tests.simulator.caller import Caller, a_message
from tests.simulator.platform_caller import INTEGRATIONS, Platform
from tests.simulator.receiver import Receiver
from tests.simulator.server import SimulatorProcess, wait_for
from tests.webhook.receiver import ReceiverProcess

ORDERS = {
    "campaign_id": "winter",
    "audience": "orders.csv",
    "template": "order_update",
    "sender": "+12025550100",
    "dry_run": False,
    "require_approval": False,
}
API_KEY = "the-key-of-an-api-destination"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 3, 9, tzinfo=UTC)


def reachable(audience: str) -> set[str]:
    """Return the addresses of a contact list that may be written to, read without our reader."""
    found = set()
    with (ROOT / "include" / "audiences" / audience).open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            dated = re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])
            if row["consent"].lower() == "true" and dated and row["name"]:
                found.add("whatsapp:" + re.sub(r"[^+\d]", "", row["address"]))
    return found


def test_a_scheduled_campaign_sends_once_a_day(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess, place: Path
) -> None:
    first = runs.run("appointment_reminder", {}, logical_date=MONDAY)
    assert first.state == "success"
    arrived = [message["to"] for message in simulator.messages()]
    # 40 rows: one without consent, one whose date is no date, one number twice.
    assert len(arrived) == 37
    assert set(arrived) == reachable("appointments.csv")

    runs.run("appointment_reminder", {}, logical_date=MONDAY)
    assert len(simulator.messages()) == 37
    runs.run("appointment_reminder", {}, logical_date=TUESDAY)
    assert len(simulator.messages()) == 2 * 37
    assert {row["occurrence"] for row in ledger_rows(place)} == {"2026-03-02", "2026-03-03"}


@pytest.fixture
def signed(
    connection: dict[str, Any], simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> Caller:
    """Give the connection webhook secrets that Genesys does not know, and return a client."""
    extra = connection["extra"] | {"webhook_secret": ["the-new-secret", "the-old-secret"]}
    described = json.dumps(connection | {"extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", described)
    return Caller(simulator)


def test_the_receiver_is_registered_once_and_hears_signed_events(
    runs: DagRuns, signed: Caller
) -> None:
    with Receiver() as receiver:
        conf = {"webhook_url": receiver.url}
        first = runs.run("webhook_subscription", conf)
        again = runs.run("webhook_subscription", conf)
        made, kept = first.one("register"), again.one("register")
        assert (made["created"], kept["created"]) == (True, False)
        assert made["id"] == kept["id"]
        (webhook,) = signed.get("/api/v2/webhooks").json()["entities"]
        assert webhook["httpTarget"]["url"] == receiver.url

        trials = len(receiver.received)
        signed.send(a_message())
        wait_for(lambda: receiver.received[trials:], bool)
        event = receiver.received[trials]
        headers = {name.lower(): value for name, value in event.headers.items()}
        assert verify(event.body, headers[HEADER.lower()], ["the-new-secret"])
    signed.close()


def test_a_receiver_is_registered_where_it_takes_what_we_sign(
    runs: DagRuns, signed: Caller, place: Path
) -> None:
    with ReceiverProcess(f"sqlite:///{place}/other.db", secret="another") as other:
        refused = runs.run("webhook_subscription", {"webhook_url": other.url})
    assert refused.state == "failed"
    with ReceiverProcess(f"sqlite:///{place}/ledger.db", secret="the-new-secret") as receiver:
        made = runs.run("webhook_subscription", {"webhook_url": receiver.url}).one("register")
    assert (made["created"], made["checked"], made["takes_forged"]) == (True, True, False)
    (webhook,) = signed.get("/api/v2/webhooks").json()["entities"]
    assert webhook["httpTarget"]["url"] == receiver.url
    signed.close()
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        query = "SELECT actor, details FROM audit_entries WHERE action = 'webhook.registered'"
        ((actor, details),) = ledger.execute(query)
    assert actor.startswith("airflow:")
    assert json.loads(details)["url"] == receiver.url
    assert "the-new-secret" not in details


def test_an_address_to_register_is_asked_for(connection: dict[str, object]) -> None:
    from genesys_cloud.errors import ConnectionSettingsError
    from genesys_cloud.workflows.webhook_tasks import register

    with pytest.raises(ConnectionSettingsError, match=r"Fill in `webhook_url`, or set GENESYS_WEB"):
        register.function(params={"webhook_url": None})


@pytest.fixture
def on_the_platform(
    connection: dict[str, Any], simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """Have the connection's profile be the real platform's, and return a client of it."""
    extra = connection["extra"] | {"profile": "agentless", "webhook_api_key": API_KEY}
    described = json.dumps(connection | {"extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", described)
    platform = Platform(simulator)
    yield platform
    platform.close()


def test_the_real_platform_is_told_to_push_by_event_bridge(
    runs: DagRuns, on_the_platform: Platform, place: Path
) -> None:
    settings = {"GENESYS_WEBHOOK_API_KEY": API_KEY}
    with ReceiverProcess(f"sqlite:///{place}/ledger.db", settings=settings) as receiver:
        bare = {"webhook_url": receiver.url}
        assert runs.run("webhook_subscription", bare).state == "failed"
        conf = bare | {
            "kind": "eventbridge", "aws_account_id": "123456789012", "aws_region": "eu-central-1",
            "event_source_suffix": "campaigns",
        }  # fmt: skip
        first, again = (runs.run("webhook_subscription", conf).one("register") for _ in range(2))
    assert (first["created"], again["created"], again["updated"]) == (True, False, False)
    (integration,) = on_the_platform.get(INTEGRATIONS).json()["entities"]
    assert (integration["id"], integration["intendedState"]) == (first["id"], "ENABLED")


def test_a_dnc_list_is_pulled_and_pushed(
    runs: DagRuns, on_the_platform: Platform, place: Path
) -> None:
    body = {"name": "do not contact", "phoneNumbers": ["+12025550101", "+12025550102"]}
    list_id = on_the_platform.admin("dnclists", body)["id"]
    pulled = runs.run("sync_suppressions", {"list_id": list_id}).one("sync")
    assert pulled == {"added": 2, "unchanged": 0, "unusable": 0}
    pushed = runs.run("sync_suppressions", {"list_id": list_id, "direction": "push"}).one("sync")
    assert pushed == {"pushed": 0, "unknown": 0}
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        query = "SELECT DISTINCT actor FROM audit_entries WHERE action LIKE 'suppression.%'"
        actors = [actor for (actor,) in ledger.execute(query)]
    assert all(actor.startswith("airflow:") for actor in actors)


def test_a_campaign_is_cancelled_from_the_ui_before_it_was_sent(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess, place: Path
) -> None:
    # The account may not send: nobody gets anything, and everything stays planned.
    simulator.faults([{"on": "send", "fault": "status", "status": 403}])
    assert runs.run("send_campaign", ORDERS).state == "failed"
    simulator.clear_faults()

    control = {"campaign_id": "winter", "action": "cancel", "reason": "wrong price"}
    cancelled = runs.run("campaign_control", control).one("control")
    assert cancelled == {"campaign_id": "winter", "state": "cancelled", "messages_cancelled": 37}
    after = runs.run("send_campaign", ORDERS)
    assert simulator.messages() == []
    assert after.one("summary")["states"]["cancelled"] == 37
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        query = "SELECT actor, details FROM audit_entries WHERE action = 'campaign.cancelled'"
        actor, details = ledger.execute(query).fetchone()
    assert actor.startswith("airflow:")
    assert json.loads(details) == {"reason": "wrong price", "messages": 37}


def test_an_unknown_send_is_reconciled_without_sending_again(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess, place: Path
) -> None:
    simulator.faults([{"on": "send", "fault": "drop_after", "times": 2}])
    sent = runs.run("send_campaign", ORDERS)
    assert sent.one("summary")["states"]["unknown"] == 2

    settled = runs.run("reconcile_sends", {}).one("reconcile")
    assert settled == {
        "recovered": 0, "found": 2, "left": 0,
        "moved": 0, "still_open": 0, "not_listed": 0, "unasked": 0,
    }  # fmt: skip
    assert len(simulator.messages()) == 37
    ids = {row["api_message_id"] for row in ledger_rows(place) if row["state"] == "accepted"}
    assert ids == {message["id"] for message in simulator.messages()}


def test_statuses_that_got_lost_are_asked_for(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess, place: Path
) -> None:
    # No webhook is registered: every event of this campaign gets lost.
    runs.run("send_campaign", ORDERS)
    simulator.wait_until_quiet()
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        ledger.execute("UPDATE messages SET status_at = datetime(status_at, '-10 minutes')")
        ledger.commit()
    conf = {"ask_after_minutes": 5}
    first = runs.run("reconcile_sends", conf).one("reconcile")
    assert (first["moved"], first["still_open"], first["unasked"]) == (37, 0, 0)
    known = {message["id"]: message["status"] for message in simulator.messages()}
    rows = [row for row in ledger_rows(place) if row["state"] == "accepted"]
    assert {row["api_message_id"]: row["status"] for row in rows} == known
    again = runs.run("reconcile_sends", conf).one("reconcile")
    assert set(again.values()) == {0}
