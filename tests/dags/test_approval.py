"""Who may let a campaign out, and what voids it; the simulator's log says what went out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from genesys_cloud.hooks.genesys_cloud import ledger_url
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.tables import occurrences
from genesys_cloud.workflows.approval.answering import NOT_SENT
from tests.dags.answers import APPROVE, REJECT, answers
from tests.dags.runs import ROOT, DagRuns, FinishedRun, dag_to_run
from tests.simulator.server import SimulatorProcess

STARTER = "dag_test"
"""The user by whom Airflow's dag.test() starts a run."""

HEADER = "recipient_id,address,consent,language,name,orderId"
PEOPLE = [f"r{n},+1202555{n:04},true,en,Alex,A-{n}" for n in range(101, 104)]


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an include folder of the test's own."""
    folder = tmp_path / "include"
    shutil.copytree(ROOT / "include", folder)
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(folder))
    return folder


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("\n".join([HEADER, *PEOPLE]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def conf(connection: dict[str, object], include: Path, people: Path) -> dict[str, Any]:
    return {
        "campaign_id": "winter",
        "audience": str(people),
        "template": "order_update",
        "sender": "+12025550100",
        "dry_run": False,
        "require_approval": True,
    }


def trail() -> list[Mapping[str, Any]]:
    """Return the entries about approvals."""
    ledger = open_ledger(ledger_url())
    found = [
        row for row in audit.read(ledger) if "appro" in row["action"] or "reje" in row["action"]
    ]
    assert audit.verify(ledger).ok
    ledger.close()
    return found


def occurrence() -> Any:
    ledger = open_ledger(ledger_url())
    with ledger.read() as connection:
        row = connection.execute(select(occurrences)).one()
    ledger.close()
    return row


def why(run: FinishedRun, task_id: str = "approve") -> str:
    """Return with which sentence a task said that nothing is sent."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        row = session.scalar(
            select(XComModel).where(
                XComModel.run_id == run.run_id,
                XComModel.task_id == task_id,
                XComModel.key == NOT_SENT,
            )
        )
        assert row is not None
        return str(XComModel.deserialize_value(row))


def nothing_went_out(run: FinishedRun, simulator: SimulatorProcess) -> None:
    assert run.state == "failed"
    assert run.tasks["shards"] == ["upstream_failed"]
    assert simulator.messages() == []
    assert occurrence().approved_digest is None


def test_a_yes_sends_the_plan_that_was_shown(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    # An answer over REST may carry what it likes: nothing but yes or no was asked.
    with answers((APPROVE, "bob"), params_input={"require_approval": False}) as shown:
        run = runs.run("send_campaign", conf)
    assert run.state == "success"
    assert len(simulator.messages()) == 3
    digest = run.one("plan")["plan_digest"]
    found = occurrence()
    assert (found.plan_digest, found.approved_digest) == (digest, digest)
    assert found.approved_by == "airflow:bob"
    (entry,) = trail()
    assert (entry["action"], entry["actor"]) == ("campaign.approved", "airflow:bob")
    assert entry["details"] == {
        "run": f"send_campaign/{run.run_id}", "occurrence": "once", "plan_digest": digest,
    }  # fmt: skip
    (text,) = shown
    for words in ("**3** messages will be sent", f"`{digest[:12]}`", f"`{STARTER}`", "Preview"):
        assert words in text
    assert "2025550101" not in text
    assert "Alex" not in text


def test_a_no_is_final(runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess) -> None:
    with answers((REJECT, "bob")):
        run = runs.run("send_campaign", conf)
    nothing_went_out(run, simulator)
    assert why(run).startswith("Campaign 'winter' was rejected by airflow:bob. Nothing was sent.")
    assert [(one["action"], one["actor"]) for one in trail()] == [
        ("campaign.rejected", "airflow:bob")
    ]


def voided(run: FinishedRun, simulator: SimulatorProcess, reason: str, words: str) -> None:
    nothing_went_out(run, simulator)
    (entry,) = trail()
    assert (entry["action"], entry["actor"]) == ("campaign.approval_void", "airflow:bob")
    assert entry["details"]["reason"] == reason
    assert entry["details"]["plan_digest"] == run.one("plan")["plan_digest"]
    assert words in why(run)


def test_a_greeting_that_has_changed_since_voids_the_yes(
    runs: DagRuns, conf: dict[str, Any], include: Path, simulator: SimulatorProcess
) -> None:
    def write() -> None:
        file = include / "templates" / "greetings.toml"
        file.write_text(file.read_text(encoding="utf-8").replace("Hello", "Hi"), encoding="utf-8")

    with answers((APPROVE, "bob"), before=write):
        run = runs.run("send_campaign", conf)
    voided(run, simulator, "files_changed", "(or its greeting) is version")


def test_an_approval_of_another_campaign_s_plan_counts_for_nothing(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    """What a task returned can be edited in Airflow: here it names a plan of another campaign."""
    assert runs.run("send_campaign", conf | {"require_approval": False}).state == "success"
    digest = occurrence().plan_digest
    simulator.reset()
    sent = dag_to_run("send_campaign")
    plan = sent.get_task("plan")
    honest = plan.python_callable

    @wraps(honest)
    def crafted(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return dict(honest(*args, **kwargs)) | {"occurrence_id": 1, "plan_digest": digest}

    plan.python_callable = crafted
    other = conf | {"campaign_id": "spring", "require_approval": False}
    ended = sent.test(run_conf=other)
    run = runs._look("send_campaign", str(ended.run_id), str(ended.state.value))
    assert run.tasks["shards"] == ["failed"]
    assert "the ledger has no plan such as this run's" in why(run, "shards")
    assert simulator.messages() == []


def test_who_started_a_run_can_not_approve_it_where_somebody_else_must(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    dag = dag_to_run("send_campaign")
    approve = dag.get_task("approve")
    approve.retries, approve.retry_delay = 3, timedelta(0)
    with answers((APPROVE, STARTER), (APPROVE, f" {STARTER.upper()}"), (APPROVE, "bob")) as shown:
        ended = dag.test(run_conf=conf | {"approval_by_other": True})
    assert str(ended.state.value) == "success"
    assert len(simulator.messages()) == 3
    assert [(one["action"], one["actor"]) for one in trail()] == [
        ("campaign.approval_refused", f"airflow:{STARTER}"),
        ("campaign.approval_refused", f"airflow: {STARTER.upper()}"),
        ("campaign.approved", "airflow:bob"),
    ]
    assert trail()[0]["details"]["reason"] == "same_user"
    assert f"Somebody other than `{STARTER}` has to approve." in shown[0]


def test_a_yes_after_the_question_s_time_counts_for_nothing(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    """Airflow takes answers until its scheduler has looked, which may be down for hours."""
    from airflow.sdk import Param

    dag = dag_to_run("send_campaign")
    dag.params["approval_hours"] = Param(1 / 3_600)  # one second: the answer comes after it
    with answers((APPROVE, "bob"), before=partial(time.sleep, 1)):
        ended = dag.test(run_conf=conf)
    run = runs._look("send_campaign", str(ended.run_id), str(ended.state.value))
    nothing_went_out(run, simulator)
    assert "nobody answered within" in why(run)
    (entry,) = trail()
    assert (entry["action"], entry["actor"]) == ("campaign.approval_missed", "airflow")
    assert entry["details"]["reason"] == "timeout"


def test_a_plan_made_anew_in_a_run_that_has_asked_is_not_approved_by_the_old_one_s_text(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    """Airflow keeps the first text that a run shows, and shows it whenever the run asks again."""
    dag = dag_to_run("send_campaign")
    approve = dag.get_task("approve")
    approve.retries, approve.retry_delay = 1, timedelta(0)
    with (
        pytest.raises(TimeoutError, match="nobody was asked"),
        answers((APPROVE, STARTER), (APPROVE, "bob"), before=plan_otherwise),
    ):
        ended = dag.test(run_conf=conf | {"approval_by_other": True})
    run = runs._look("send_campaign", str(ended.run_id), str(ended.state.value))
    nothing_went_out(run, simulator)
    assert "Airflow would show the text of the plan before it" in why(run)
    assert [(one["action"], one["details"]["reason"]) for one in trail()] == [
        ("campaign.approval_refused", "same_user"),
        ("campaign.approval_void", "planned_anew"),
    ]


def plan_otherwise() -> None:
    """Leave what a person does who has the task plan run again in the run that asks."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    digest = "f" * 64
    ledger = open_ledger(ledger_url())
    with ledger.write() as connection:
        connection.execute(update(occurrences).values(plan_digest=digest))
        (run_id,) = connection.execute(select(occurrences.c.run_id)).one()
    ledger.close()
    about = {"dag_id": "send_campaign", "run_id": run_id, "task_id": "plan"}
    with create_session() as session:
        row = session.scalar(select(XComModel).filter_by(key="return_value", **about))
        planned = XComModel.deserialize_value(row) | {"plan_digest": digest}
        XComModel.set("return_value", planned, serialize=False, session=session, **about)


def test_a_task_marked_as_done_by_hand_lets_nothing_out(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    ended = dag_to_run("send_campaign").test(run_conf=conf, mark_success_pattern="approve")
    run = runs._look("send_campaign", str(ended.run_id), str(ended.state.value))
    assert run.state == "failed"
    assert run.tasks["approve"] == ["success"]
    assert run.tasks["shards"] == ["failed"]
    assert simulator.messages() == []
    assert why(run, "shards").startswith("Nobody has approved the plan ")
    (entry,) = trail()
    assert (entry["action"], entry["actor"]) == ("campaign.approval_void", "airflow")
    assert entry["details"]["reason"] == "not_approved"
