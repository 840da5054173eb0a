"""`make demo`: a campaign of 5,000 recipients sent, tracked and reported on this machine."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.airflow import ROOT, Airflow
from demo.processes import Processes, free_port
from demo.show import Board, summary
from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.campaigns import Progress, progress
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.settings import Account
from genesys_cloud.workflows.proof import Certificate, prove
from genesys_cloud.workflows.registering import register

HOME = ROOT / ".demo"
CAMPAIGN_ID = "spring_reminder"
AUDIENCE = "demo_contacts.csv"
DAGS = ("send_campaign", "delivery_report", "send_test", "doctor", "campaign_control")

SPEED = 20.0
"""The simulated recipients' phones are this much faster than real ones."""

REQUESTS_PER_MINUTE = 60_000
"""The simulated account's limit; a real one's is 300, and the demo would take a quarter hour."""

STATUSES_TIMEOUT_S = 90.0
"""How long to wait for final statuses; reads go on arriving long after."""

TRACKED_MINUTES = 3
"""How long statuses are asked for, where Genesys pushes none."""

SETTLED_S = 6.0
"""How long nothing final may arrive before the rest is taken for late, as some always are."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The profile that the demo plays in, and what differs between the two."""

    profile: str
    channel: str
    sender: str
    settled_s: float
    further_dags: tuple[str, ...] = ()


STAGES = {
    "messaging": Stage(
        profile="messaging",
        channel="messaging:whatsapp",
        sender="whatsapp:+12025550100",
        settled_s=SETTLED_S,
    ),
    # The platform takes approved templates alone on WhatsApp, and an organisation makes its own.
    # A status that is asked for comes later than one that is pushed.
    "agentless": Stage(
        profile="agentless",
        channel="messaging:sms",
        sender="+12025550100",
        settled_s=45.0,
        further_dags=("track_statuses",),
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; return 1, with a sentence, where it fails."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="stop after the summary")
    parser.add_argument(
        "--profile",
        choices=STAGES,
        default="messaging",
        help="the contract that the simulated Genesys speaks",
    )
    arguments = parser.parse_args(argv)
    board = Board()
    # Whoever stops it politely gets what Ctrl-C gives: everything that was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Processes(HOME / "logs") as processes:
            Demo(processes, board, STAGES[arguments.profile]).run()
            if not arguments.exit:
                board.say("Everything stays up; press Ctrl-C to stop.")
                _stay(processes)
    except KeyboardInterrupt:
        board.say("stopped")
    except RuntimeError as error:
        board.say(f"The demo failed: {error}")
        return 1
    return 0


class Demo:
    """One run: its addresses, its ledger, and the steps in their order."""

    def __init__(self, processes: Processes, board: Board, stage: Stage) -> None:
        self._stage = stage
        self._processes = processes
        self._board = board
        for leftover in ("ledger", "exports", "spool", "airflow/genesys_state"):
            shutil.rmtree(HOME / leftover, ignore_errors=True)
        (HOME / "ledger").mkdir(parents=True)
        self._ledger_url = f"sqlite:///{HOME}/ledger/ledger.db"
        self._webhook_secret = secrets.token_urlsafe(32)
        self._simulator = f"http://127.0.0.1:{free_port(8900)}"
        self._receiver_port = free_port(3000)

    def run(self) -> None:
        """Start everything, send, wait for statuses, report, and print the summary."""
        airflow = self._start()
        ledger = open_ledger(self._ledger_url)
        try:
            run_id = self._send(airflow, ledger)
            if self._stage.profile == "agentless":  # where nothing is pushed
                airflow.trigger("track_statuses", {"window_minutes": TRACKED_MINUTES})
            reached = self._await_statuses(ledger)
            place = self._report(airflow)
            certificate = self._prove(ledger)
        finally:
            ledger.close()
        metrics = json.loads((place / "metrics.json").read_text())
        links = {
            "report": str(place / "report.html"),
            "Airflow UI": airflow.url,
            "campaigns, live": f"{airflow.url}/plugin/genesys-campaigns",
            "this campaign's run": airflow.run_url("send_campaign", run_id),
        }
        self._board.say(summary(reached, metrics, certificate, links))

    def _start(self) -> Airflow:
        board = self._board
        board.step("starting the simulator, the receiver and Airflow")
        python = sys.executable
        env = self._environment()
        self._processes.start(
            "simulator",
            [
                python, "-m", "genesys_cloud.simulator",
                f"--port={self._simulator.rsplit(':', 1)[-1]}", f"--speed={SPEED}",
                f"--webhook-secret={self._webhook_secret}",
                f"--requests-per-minute={REQUESTS_PER_MINUTE}",
                f"--profiles={self._stage.profile}",
            ],
            env,
        )  # fmt: skip
        open_ledger(self._ledger_url).close()
        self._processes.start(
            "receiver",
            [python, "-m", "genesys_cloud.webhook", f"--port={self._receiver_port}"],
            env,
        )
        airflow = Airflow.start(HOME / "airflow", self._processes, env)
        airflow.wait_until_healthy((*DAGS, *self._stage.further_dags))
        if self._stage.profile == "messaging":
            self._register()
        return airflow

    def _register(self) -> None:
        url = f"http://127.0.0.1:{self._receiver_port}/webhooks/genesys-messaging"
        secret, now = self._webhook_secret, datetime.now(UTC)
        with closing(open_ledger(self._ledger_url)) as ledger, self._client() as client:
            register(ledger, client, url, secret=secret, actor="make demo", now=now)

    def _send(self, airflow: Airflow, ledger: Ledger) -> str:
        self._board.step(f"sending campaign {CAMPAIGN_ID} to include/audiences/{AUDIENCE}")
        conf = {
            "campaign_id": CAMPAIGN_ID,
            "audience": AUDIENCE,
            "template": "appointment_reminder",
            "channel": self._stage.channel,
            "sender": self._stage.sender,
            "dry_run": False,
            "require_approval": False,
            "batch_size": 1_250,
        }
        run_id = airflow.trigger("send_campaign", conf)
        airflow.wait_for("send_campaign", run_id, lambda: self._tick(ledger), timeout_s=180)
        self._tick(ledger)
        return run_id

    def _await_statuses(self, ledger: Ledger) -> Progress:
        self._board.step("waiting for the statuses of all messages")
        deadline = time.monotonic() + STATUSES_TIMEOUT_S
        before, moved = -1, time.monotonic()
        while True:
            reached = progress(ledger, CAMPAIGN_ID)
            self._board.progress(reached)
            final = sum(reached.statuses[word] for word in ("delivered", "read", "failed"))
            now = time.monotonic()
            if final != before:
                before, moved = final, now
            over = now > deadline or (final and now > moved + self._stage.settled_s)
            if final >= reached.states["accepted"] or over:
                return reached
            self._processes.check()
            time.sleep(0.5)

    def _report(self, airflow: Airflow) -> Path:
        self._board.step("making the delivery report")
        day = datetime.now(UTC).date().isoformat()
        conf = {"date": day, "allow_incomplete": True}
        run_id = airflow.trigger("delivery_report", conf)
        airflow.wait_for("delivery_report", run_id, lambda: None, timeout_s=180)
        return HOME / "exports" / "deliveries" / f"date={day}"

    def _tick(self, ledger: Ledger) -> None:
        with suppress(CampaignDefinitionError):  # it is not planned yet
            self._board.progress(progress(ledger, CAMPAIGN_ID))

    def _prove(self, ledger: Ledger) -> Certificate:
        self._board.step("comparing the ledger with what Genesys lists")
        with self._client() as client:
            return prove(ledger, client, CAMPAIGN_ID, now=datetime.now(UTC))

    def _client(self) -> GenesysClient:
        account = Account(
            name="genesys_cloud_default",
            client_id="sim-client",
            client_secret="sim-secret",
            base_url=self._simulator,
        )
        return GenesysClient(account, state_dir=HOME / "airflow/genesys_state")

    def _environment(self) -> dict[str, str]:
        connection: dict[str, Any] = {
            "conn_type": "genesys_cloud",
            "host": self._simulator,
            "login": "sim-client",
            "password": "sim-secret",
            "extra": {
                "requests_per_minute": REQUESTS_PER_MINUTE,
                "webhook_secret": self._webhook_secret,
            },
        }
        return {
            "AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT": json.dumps(connection),
            "GENESYS_LEDGER_URL": self._ledger_url,
            "GENESYS_EXPORT_URL": str(HOME / "exports"),
            "GENESYS_WEBHOOK_SECRET": self._webhook_secret,
            "GENESYS_WEBHOOK_SPOOL": str(HOME / "spool"),
        }


def _stay(processes: Processes) -> None:
    while True:
        processes.check()
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
