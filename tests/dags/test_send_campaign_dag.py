"""The DAG send_campaign, run; the observer of what was sent is the simulator's own log."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.ledger import previews
from genesys_cloud.ledger.database import open_ledger
from tests.dags.contacts import ARRIVALS, CONTACTS, PERSONAL, REASONS, filled_in
from tests.dags.runs import DagRuns, FinishedRun, ledger_rows
from tests.simulator.server import SimulatorProcess

SENDABLE = len(ARRIVALS)
BLOCKED = Counter(reason for reason in REASONS if reason)


@pytest.fixture
def conf(connection: dict[str, object], tmp_path: Path) -> dict[str, Any]:
    """Return what a person fills in for a real run without approval."""
    return filled_in(tmp_path, batch_size=3)


def arrived(simulator: SimulatorProcess) -> list[tuple[str, str]]:
    """Return address and text of every message that the simulator accepted."""
    return sorted((message["to"], message["text"]) for message in simulator.messages())


def states(run: FinishedRun) -> dict[str, int]:
    """Return the counts that the summary printed, without zeros."""
    return {state: count for state, count in run.one("summary")["states"].items() if count}


def test_a_dry_run_reports_and_sends_nothing(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    run = runs.run("send_campaign", conf | {"dry_run": True})

    assert run.state == "success"
    counts = run.one("plan")["counts"]
    assert (counts["recipients"], counts["planned"]) == (len(CONTACTS), SENDABLE)
    assert counts["blocked"] == dict(BLOCKED)
    # es: c-1 and the 7th; en: c-4, c-5 and c-6; fr: c-2; de: c-3.
    assert counts["languages"] == {"en": 3, "es": 2, "fr": 1, "de": 1}
    assert run.one("summary") == {"dry_run": True, **counts}
    assert run.tasks["send"] == ["skipped"]
    assert simulator.messages() == []
    # The ledger keeps its preview, and nothing else of it.
    assert ledger_rows(place) == []
    with closing(open_ledger(f"sqlite:///{place}/ledger.db")) as ledger:
        kept = previews.find(ledger, "send_campaign", run.run_id)
    assert kept is not None
    shown = run.one("plan")["preview"]
    assert (shown["id"], shown["planned"]) == (kept.id, kept.preview.planned) == (1, SENDABLE)
    assert {sample.language for sample in kept.samples} == set(counts["languages"])
    assert "EXAMPLE prices" in shown["cost"]


def test_everybody_gets_their_text_once_and_nobody_else_gets_any(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    run = runs.run("send_campaign", conf)

    assert run.state == "success"
    assert arrived(simulator) == ARRIVALS
    assert {message["from"] for message in simulator.messages()} == {"whatsapp:+12025550100"}
    assert all(message["metadata"]["consentVerified"] for message in simulator.messages())
    # Shards of 3 recipients: 7 messages take three tasks.
    assert run.tasks["send"] == ["success"] * 3
    assert states(run) == {"accepted": SENDABLE, "blocked": BLOCKED.total()}
    assert run.one("summary")["blocked_reasons"] == dict(BLOCKED)
    rows = ledger_rows(place)
    assert [row["reason_code"] for row in rows] == REASONS
    assert {row["api_message_id"] for row in rows if row["state"] == "accepted"} == {
        message["id"] for message in simulator.messages()
    }

    # Airflow keeps and shows counts and references, never whom or what.
    stored = runs.stored()
    assert b"consent_not_verified" in stored  # the counts are found so, and what is looked for too
    assert [word for word in PERSONAL if word.encode() in stored] == []


def test_personal_data_is_in_no_log(
    runs: DagRuns,
    conf: dict[str, Any],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    runs.run("send_campaign", conf)
    printed = "".join(capfd.readouterr()) + caplog.text
    assert re.search(r"row 9 \(….{2}\): Consent verification flag is missing or false", printed)
    assert [word for word in (*PERSONAL, SimulatorProcess.client_secret) if word in printed] == []


def test_the_same_campaign_again_sends_to_nobody_twice(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    runs.run("send_campaign", conf)
    again = runs.run("send_campaign", conf)

    assert arrived(simulator) == ARRIVALS
    assert again.state == "success"
    # Whoever is asked to approve the second run is told of no message.
    assert again.one("plan")["to_send"] == 0
    assert states(again) == {"accepted": SENDABLE, "blocked": BLOCKED.total()}


def test_somebody_new_in_the_list_is_reached_by_a_second_run(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    runs.run("send_campaign", conf)
    with Path(conf["audience"]).open("a", encoding="utf-8") as stream:
        stream.write("c-99,+12125550199,true,fr,,Late,2027-01-02\n")
    run = runs.run("send_campaign", conf)

    late = (
        "whatsapp:+12125550199",
        "Bonjour Late, votre rendez-vous est confirmé pour le 2 janvier 2027.",
    )
    assert arrived(simulator) == sorted([*ARRIVALS, late])
    assert run.tasks["send"] == ["success"]


def test_another_occurrence_sends_again_on_purpose(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    runs.run("send_campaign", conf)
    again = runs.run("send_campaign", conf | {"occurrence": "second reminder"})

    assert arrived(simulator) == sorted(ARRIVALS * 2)
    assert states(again)["accepted"] == SENDABLE
    assert {row["occurrence"] for row in ledger_rows(place)} == {"once", "second reminder"}


def test_what_genesys_refuses_is_rejected_and_named(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    refusal = {"on": "send", "fault": "status", "status": 400, "match": {"to": "+33199001234"}}
    simulator.faults([refusal])
    run = runs.run("send_campaign", conf)

    assert run.state == "success"
    assert states(run) == {"accepted": SENDABLE - 1, "rejected": 1, "blocked": BLOCKED.total()}
    assert arrived(simulator) == [one for one in ARRIVALS if "+33199001234" not in one[0]]
    (refused,) = (row for row in ledger_rows(place) if row["state"] == "rejected")
    assert refused["reason_code"] == "rejected_by_genesys"
    assert "HTTP 400" in refused["reason"]
