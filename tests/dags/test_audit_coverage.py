"""What the system does leaves its entry, with its actor; docs/audit-format.md lists neither more
nor less than that."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import update
from typer.testing import CliRunner

from genesys_cloud import cli
from genesys_cloud.errors import AnswerRefusedError, NotApprovedError, PlanningInterruptedError
from genesys_cloud.hooks.genesys_cloud import ledger_url
from genesys_cloud.ledger import (
    approvals,
    audit,
    database,
    events,
    holding,
    retention,
    sends,
    suppressions,
)
from genesys_cloud.ledger.audit_chain import Row
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.engine import engine_at
from genesys_cloud.ledger.retention_policy import policy_file, read_policy
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.workflows.approval.approvals import CampaignApproval
from genesys_cloud.workflows.notices.callbacks import tell_end
from tests.dags.clocks import zone_where_it_is
from tests.dags.runs import ROOT, DagRuns, dag_bag, ledger_rows
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.live import site
from tests.mail_server import RULES, mail_server
from tests.simulator.platform_caller import Platform
from tests.simulator.server import SimulatorProcess

HEADER = "recipient_id,address,consent,language,name,orderId"
ROWS = [f"r{number},+1202555{number:04},true,en,Alex,A-{number}" for number in range(101, 109)]
NO_CONSENT = "r9,+12025550109,false,en,Bo,A-9"
JUNK = "r10,nothing,true,en,Cy,A-10"
ADDRESS = "+12025550101"
REACH = timedelta(days=500)
RANDOM = re.compile(r"\b[0-9a-f]{32,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
"""Digests and ids: of thousands of their digits, some are by chance those of a number."""


@pytest.fixture(autouse=True)
def clean_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo, after the test, what a command tells Airflow about its process."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


@dataclass(kw_only=True)
class World:
    """What the flows work with; `seen` and the `plans`' digests grow by what each left."""

    runs: DagRuns
    simulator: SimulatorProcess
    place: Path
    monkeypatch: pytest.MonkeyPatch
    seen: dict[str, Row] = field(default_factory=dict)
    plans: set[str] = field(default_factory=set)

    @property
    def audience(self) -> Path:
        return self.place / "people.csv"

    def contacts(self, *rows: str) -> None:
        self.audience.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")

    def campaign(self, **params: Any) -> str:
        given = {
            "campaign_id": "winter",
            "audience": str(self.audience),
            "template": "order_update",
            "sender": "+12025550100",
            "dry_run": False,
            "require_approval": False,
        }
        return self.runs.run("send_campaign", given | params).state

    def ledger(self) -> Ledger:
        return open_ledger(ledger_url())

    def command(self, *arguments: str) -> None:
        result = CliRunner().invoke(cli.app, list(arguments))
        assert result.exit_code == 0, (result.output, result.exception)

    def key(self, state: str) -> str:
        keys = [row["message_key"] for row in ledger_rows(self.place) if row["state"] == state]
        return str(keys[0])


@pytest.fixture
def world(
    runs: DagRuns,
    connection: dict[str, object],
    simulator: SimulatorProcess,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return World(runs=runs, simulator=simulator, place=place, monkeypatch=monkeypatch)


def send(world: World) -> None:
    """Plan and send, with all that can become of an attempt."""
    world.contacts(*ROWS, NO_CONSENT, JUNK)
    refused = {"fault": "status", "status": 400, "match": {"to": "+12025550101"}}
    throttled = {"fault": "status", "status": 429, "headers": {"Retry-After": "1"}, "times": 1}
    lost = {"fault": "drop_after", "times": 2}
    world.simulator.faults([{"on": "send"} | fault for fault in (refused, lost, throttled)])
    assert world.campaign() == "success"
    world.simulator.clear_faults()


def plan_again(world: World) -> None:
    """Plan the list without a row that nobody could be reached by."""
    world.contacts(*ROWS, NO_CONSENT)
    assert world.campaign() == "success"


def approve(world: World) -> None:
    """Answer as a person does in Required Actions: not as asked, in vain, with no, or too late."""
    task = dag_bag().dags["send_campaign"].get_task("approve")
    ledger = world.ledger()
    found = approvals.standing(ledger, 1)
    ledger.close()
    assert found is not None
    asked = {"occurrence_id": 1, "occurrence": "once", "plan_digest": found.plan_digest}
    run = SimpleNamespace(dag_id="send_campaign", run_id="manual__1", triggering_user_name="ann")
    params = {"campaign_id": "winter", "approval_by_other": True, "approval_hours": 24}
    ti = SimpleNamespace(xcom_push=lambda key, value: None)
    context = {"params": params, "dag_run": run, "ti": ti}

    def answer(word: str, by: str, about: Mapping[str, Any] = asked) -> None:
        event = {
            "chosen_options": [word],
            "params_input": {},
            "responded_at": datetime.now(UTC),
            "responded_by_user": {"id": "7", "name": by},
        }
        task.execute_complete(context, event, about)

    with pytest.raises(AnswerRefusedError):
        answer(CampaignApproval.APPROVE, "ann")
    answer(CampaignApproval.APPROVE, "Bob")
    with pytest.raises(NotApprovedError):
        answer(CampaignApproval.APPROVE, "Bob", asked | {"plan_digest": "f" * 64})
    with pytest.raises(NotApprovedError):
        answer(CampaignApproval.REJECT, "Bob")
    with pytest.raises(NotApprovedError):
        task.execute_complete(context, {"error": "too late", "error_type": "timeout"}, asked)


def settle_by_hand(world: World) -> None:
    """Decide about both unknown messages."""
    world.command("messages", "settle", world.key("unknown"), "--as", "sent", "--reason", "asked")
    world.command("messages", "settle", world.key("unknown"), "--as", "resend", "--reason", "asked")


def steer(world: World) -> None:
    """Pause from the terminal, resume from the UI, cancel what was planned again."""
    world.command("campaign", "pause", "winter", "--reason", "wrong price")
    control = {"campaign_id": "winter", "action": "resume", "reason": "right again"}
    assert world.runs.run("campaign_control", control).state == "success"
    world.command("campaign", "cancel", "winter", "--reason", "over")


def press(world: World) -> None:
    """Ask on the page of a campaign that its failed be sent to again."""
    ledger = world.ledger()
    pressed = replace(CAMPAIGN, campaign_id="pressed")
    site.run(ledger, pressed, dag_id="send_campaign", run_id="m", states=[State.REJECTED], count=2)
    ledger.close()
    with site.Site(ledger_url=ledger_url()) as served:
        asked = {"reason": "by mistake", "occurrence": "pressed"}
        assert served.post("/campaigns/pressed/resend", asked).status_code == 200


def hear(world: World) -> None:
    """Count a status event."""
    (message_id, *_) = [row["api_message_id"] for row in ledger_rows(world.place)
                        if row["state"] == "accepted" and row["api_message_id"]]  # fmt: skip
    now = datetime.now(UTC)
    event = StatusEvent(event_id="e1", message_id=message_id, status="delivered", occurred_at=now)
    ledger = world.ledger()
    events.apply(ledger, [event], now)
    ledger.close()


def refuse(world: World) -> None:
    """Suppress somebody between claim and attempt, and change the lists from the terminal."""
    ledger, now, lease = world.ledger(), datetime.now(UTC), timedelta(seconds=90)
    shard = only_shard(ledger, plant(ledger, 2))
    limits = [Limit(name="account", most=60_000)]
    batch = sends.claim(ledger, shard, limits, most=2, now=now, lease=lease)
    entry = Suppression(
        channel=CAMPAIGN.channel, address="+12025550002", reason="opted_out", source="test"
    )
    suppressions.add(ledger, [entry], actor="cli:test", now=now)
    left = sends.begin_attempt(ledger, batch, now=now, lease=lease)
    assert len(left.claims) == 1
    ledger.close()
    world.command("suppressions", "remove", "+12025550002")
    world.command("consents", "withdraw", "+12025550003", "--reason", "asked")
    world.command("consents", "give", "+12025550003", "--reason", "asked")


def push(world: World) -> None:
    """Put what is suppressed on a DNC list, which only the real platform has."""
    name = "AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT"
    described = json.loads(os.environ[name])
    agentless = described | {"extra": described["extra"] | {"profile": "agentless"}}
    platform = Platform(world.simulator)
    list_id = platform.admin("dnclists", {"name": "do not contact"})["id"]
    platform.close()
    world.monkeypatch.setenv(name, json.dumps(agentless))
    world.command("suppressions", "push", list_id)
    world.command("suppressions", "export", "-")
    world.monkeypatch.setenv(name, json.dumps(described))


def be_late(world: World) -> None:
    """Let a deadline pass between the plan and the send."""
    ledger, now = world.ledger(), datetime.now(UTC)
    shard = only_shard(
        ledger, plant(ledger, 3, occurrence="late", campaign=replace(CAMPAIGN, deadline=now))
    )
    later = now + timedelta(hours=1)
    limits = [Limit(name="account", most=60_000)]
    assert not sends.claim(ledger, shard, limits, most=3, now=later, lease=REACH).claims
    ledger.close()


def wait_for_the_morning(world: World) -> None:
    """Hold people at night at the plan and at the send, and let go of them."""
    row = f"+12025550150,true,{zone_where_it_is(2)},Night,A-9"
    world.audience.write_text(f"address,consent,timezone,name,orderId\n{row}\n", encoding="utf-8")
    over = (datetime.now(UTC) + timedelta(seconds=20)).isoformat()  # nobody is sent to by then
    params = {"campaign_id": "sale", "message_class": "marketing", "deadline": over}
    assert world.campaign(**params) == "success"
    ledger, now, hour = world.ledger(), datetime.now(UTC), timedelta(hours=1)
    ends = replace(CAMPAIGN, deadline=now + 2 * hour)
    shard = only_shard(ledger, plant(ledger, 3, occurrence="night", campaign=ends))
    night = "marketing|US||America/New_York"
    with ledger.write() as connection:
        connection.execute(update(messages).where(shard.holds()).values(place=night))
    assert holding.hold(ledger, shard, {night: now + hour}, now) == 3
    assert holding.let_go(ledger, shard.occurrence_id, now + hour) == {"planned": 3}
    sends.claim(ledger, shard, [], most=3, now=now + 3 * hour, lease=hour)
    ledger.close()


def report(world: World) -> None:
    """Export a day and hand the trail out."""
    day = {"date": datetime.now(UTC).date().isoformat(), "allow_incomplete": True}
    assert world.runs.run("delivery_report", day).state == "success"
    world.command("audit", "export", "--out", str(world.place / "trail.jsonl"))


def tell(world: World) -> None:
    """Tell people by mail how a run ended."""
    include = world.place / "told"
    (include / "policies").mkdir(parents=True)
    (include / "policies" / "notifications.toml").write_text(RULES)
    run = SimpleNamespace(dag_id="send_campaign", run_id="manual__1", triggering_user_name="ann")
    context = {
        "params": {"campaign_id": "winter", "dry_run": False},
        "dag_run": run,
        "ti": SimpleNamespace(xcom_pull=lambda task_ids: None),
        "exception": PlanningInterruptedError("It was killed."),
    }
    with mail_server() as server, world.monkeypatch.context() as patch:
        patch.setenv("GENESYS_INCLUDE_DIR", str(include))
        patch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection)
        tell_end(context)


def register(world: World) -> None:
    """Tell Genesys where the receiver is."""
    url = "https://hooks.example.org/webhooks/genesys-messaging"
    params = {"webhook_url": url, "verify": False}
    assert world.runs.run("webhook_subscription", params).state == "success"


def forget(world: World) -> None:
    """Erase one person, and let time pass for the others."""
    world.command("erase", ADDRESS, "--reason", "asked")
    ledger, policy = world.ledger(), read_policy(policy_file(ROOT / "include"))
    retention.apply(ledger, policy, actor="airflow:scheduled", now=datetime.now(UTC) + REACH)
    ledger.close()


def upgrade(world: World) -> None:
    """Bring a ledger of the first version to this one's schema."""
    world.monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{world.place}/old.db")
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = engine_at(ledger_url())
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    world.command("ledger", "upgrade")


RUN, CLI = r"airflow:.+", r"cli:.+"
FLOWS: Mapping[Callable[[World], None], Mapping[str, str]] = {
    send: {
        "plan.consented": RUN,
        "plan.blocked": RUN,
        "campaign.planned": RUN,
        "campaign.approval_waived": RUN,
        "send.attempting": "send task",
        "send.accepted": "send task",
        "send.rejected": "send task",
        "send.unknown": "send task",
        "send.deferred": "send task",
    },
    plan_again: {"plan.dropped": RUN},
    approve: {
        "campaign.approved": "airflow:Bob",
        "campaign.rejected": "airflow:Bob",
        "campaign.approval_missed": "airflow",
        "campaign.approval_refused": "airflow:ann",
        "campaign.approval_void": "airflow:Bob",
    },
    settle_by_hand: {"send.settled_as_accepted": CLI, "send.settled_as_planned": CLI},
    steer: {
        "campaign.paused": CLI,
        "campaign.active": RUN,
        "campaign.cancelled": CLI,
        "send.cancelled": CLI,
    },
    press: {"campaign.resend": "airflow:ops"},
    hear: {"status.changed": "webhook"},
    refuse: {
        "suppression.added": "cli:test",
        "suppression.removed": CLI,
        "consent.withdrawn": CLI,
        "consent.given": CLI,
        "send.blocked": "send task",
    },
    push: {"suppression.pushed": CLI, "suppression.exported": CLI},
    be_late: {"send.expired": "send task"},
    wait_for_the_morning: {
        "plan.held": RUN,
        "send.held": "send task",
        "send.released": "send task",
    },
    report: {"report.exported": RUN, "audit.exported": CLI},
    tell: {"notice.sent": "airflow:ann"},
    register: {"webhook.registered": RUN},
    forget: {
        "person.erased": CLI,
        "retention.texts": RUN,
        "retention.preview_samples": RUN,
        "retention.digest_keys": RUN,
        "retention.addresses": RUN,
        "retention.events": RUN,
    },
    upgrade: {"ledger.upgraded": CLI},
}
"""What people and the system do, and the new actions that each leaves, by whom."""


def documented() -> set[str]:
    """Return the actions that docs/audit-format.md lists."""
    page = (ROOT / "docs" / "audit-format.md").read_text(encoding="utf-8")
    table = page.partition("\n## Actions\n")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {action for row in rows for action in re.findall(r"`([a-z_.]+)`", row)}


def test_everything_that_is_done_leaves_its_entry(world: World) -> None:
    known: dict[str, str] = {}
    for flow, expected in FLOWS.items():
        flow(world)
        ledger = world.ledger()
        trail = list(audit.read(ledger))
        assert audit.verify(ledger).ok
        ledger.close()
        new = {row["action"]: row for row in trail if row["action"] not in known}
        assert set(new) == set(expected), flow.__name__
        for action, actor in expected.items():
            assert re.fullmatch(actor, new[action]["actor"]), (action, new[action]["actor"])
        world.seen |= new
        world.plans |= {
            row["details"]["plan_digest"] for row in trail if row["action"] == "campaign.planned"
        }
        known |= expected
        assert "202555" not in RANDOM.sub("", str(trail))
    assert set(known) == documented()
    check_plan(world)
    check_report(world)


def check_plan(world: World) -> None:
    """What was planned, from what, and why each recipient was or was not."""
    planned, blocked = world.seen["campaign.planned"], world.seen["plan.blocked"]
    details = planned["details"]
    assert (details["recipients"], details["planned"], details["blocked"]) == (10, 8, 2)
    assert details["run"].startswith("send_campaign/")
    assert re.fullmatch("[0-9a-f]{64}", details["audience_digest"])
    assert details["template"] == "order_update"
    assert {planned["campaign_id"], blocked["campaign_id"]} == {"winter"}
    assert len(world.seen["plan.consented"]["details"]["message_keys"]) == 8
    assert blocked["details"]["reason"] in {"consent_not_verified", "address_not_e164"}
    assert len(blocked["details"]["message_keys"]) == 1
    assert len(world.seen["plan.dropped"]["details"]["message_keys"]) == 1
    approved = world.seen["campaign.approved"]["details"]
    assert (approved["run"], approved["occurrence"]) == ("send_campaign/manual__1", "once")
    assert approved["plan_digest"] in world.plans


def check_report(world: World) -> None:
    """The day that was exported, and the head that was published with it."""
    details = world.seen["report.exported"]["details"]
    assert details["revision"] == 1
    (published,) = (world.place / "exports" / "audit_heads").iterdir()
    head = published.read_text().strip()
    assert (
        head == f"{world.seen['report.exported']['seq']}:{world.seen['report.exported']['digest']}"
    )
    assert published.name == f"{world.seen['report.exported']['seq']:012}.txt"
    upgraded = world.seen["ledger.upgraded"]
    after = database.SCHEMA_REVISIONS[-1]
    assert (upgraded["previous_status"], upgraded["new_status"]) == ("0001", after)
