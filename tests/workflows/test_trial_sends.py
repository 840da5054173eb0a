"""Tests of a campaign: who gets one, who is refused, and a campaign proved beside its tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genesys_cloud.errors import AudienceError, CampaignDefinitionError
from genesys_cloud.ledger import audit, suppressions
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.plans import Origin, Plan
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.audiences import open_audience
from genesys_cloud.workflows.form.offers import TEST_LIST
from genesys_cloud.workflows.form.trial import FIELDS, MOST_TEST_RECIPIENTS, trial_campaign
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence
from genesys_cloud.workflows.preparing import Prepared
from genesys_cloud.workflows.previewing import Run, read_prices
from genesys_cloud.workflows.proof import prove
from genesys_cloud.workflows.trial_planning import plan_test
from tests.ledger.planted import CAMPAIGN, NOW, only_shard
from tests.outbound.libraries import SHIPPED
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Sender

READY = Prepared(profile="messaging", template=SHIPPED.load(CAMPAIGN.template, CAMPAIGN.channel))
INCLUDE = PROJECT_ROOT / "include"
PARAMS = {name: getattr(CAMPAIGN, name) for name in FIELDS}


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def write(path: Path, rows: int, consent: str = "true") -> str:
    lines = [
        f"+1202555{number:04d},{consent},en,Al,A-{number}" for number in range(100, 100 + rows)
    ]
    path.write_text("\n".join(["address,consent,language,name,orderId", *lines]), encoding="utf-8")
    return str(path)


def try_out(
    ledger: Ledger, audience: str, occurrence: str = "test-1", ready: Prepared = READY
) -> tuple[Plan, PlanReport]:
    """Plan a test to a list."""
    campaign = trial_campaign(
        {**PARAMS, "template": ready.template.name, "test_audience": audience}
    )
    run = Run(
        dag_id="send_test", run_id=occurrence, campaign=campaign, occurrence=occurrence,
        prepared=ready, prices=read_prices(INCLUDE), now=NOW, dry_run=False, is_test=True,
    )  # fmt: skip
    with open_audience(audience, INCLUDE) as rows:
        return plan_test(ledger, run, rows, actor="ops")


def send_campaign(sender: Sender, audience: str) -> Plan:
    with open_audience(audience, INCLUDE) as rows:
        plan, _ = plan_occurrence(
            sender.ledger, replace(CAMPAIGN, audience=audience), READY.template, rows,
            occurrence="once", now=datetime.now(UTC), origin=Origin(audience_digest=rows.digest),
        )  # fmt: skip
    sender.send(only_shard(sender.ledger, plan))
    return plan


def test_the_shipped_list_serves_every_template_that_ships(ledger: Ledger) -> None:
    for name in ("order_update", "appointment_reminder"):
        ready = replace(READY, template=SHIPPED.load(name, CAMPAIGN.channel))
        _, report = try_out(ledger, TEST_LIST, f"test-{name}", ready)
        assert (report.recipients, report.planned) == (4, 4)
        assert set(report.tally.languages) == {"en", "es", "fr", "de"}


def test_a_test_is_marked_in_the_audit_trail_from_its_plan_on(
    ledger: Ledger, tmp_path: Path
) -> None:
    try_out(ledger, write(tmp_path / "own.csv", 2))
    entries = [one for one in audit.read(ledger) if one["action"].startswith("plan.")]
    (planned,) = (one for one in audit.read(ledger) if one["action"] == "campaign.planned")
    assert all(one["details"]["test"] is True for one in [*entries, planned])
    assert (planned["actor"], planned["details"]["occurrence"]) == ("ops", "test-1")


def test_a_list_may_have_as_many_rows_as_people_have_phones(ledger: Ledger, tmp_path: Path) -> None:
    _, report = try_out(ledger, write(tmp_path / "own.csv", MOST_TEST_RECIPIENTS))
    assert report.planned == 20
    with pytest.raises(AudienceError, match="more than 20 recipients"):
        try_out(ledger, write(tmp_path / "longer.csv", MOST_TEST_RECIPIENTS + 1), "test-2")


def test_who_has_said_no_gets_no_test_either(ledger: Ledger, tmp_path: Path) -> None:
    audience = write(tmp_path / "own.csv", 2)
    stopped = Suppression(
        channel=CAMPAIGN.channel, address="+12025550100", reason="opted_out", source="test"
    )
    suppressions.add(ledger, [stopped], actor="tester", now=NOW)
    _, report = try_out(ledger, audience)
    assert (report.planned, dict(report.blocked)) == (1, {"suppressed": 1})


def test_a_list_of_whom_nobody_may_be_written_to_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match=r"Nobody in .*none\.csv.* \(consent_not_verified\)"):
        try_out(ledger, write(tmp_path / "none.csv", 2, consent="false"))
    with pytest.raises(AudienceError, match="it has no rows"):
        try_out(ledger, write(tmp_path / "empty.csv", 0), "test-2")


def test_the_campaign_s_own_list_is_refused(sender: Sender, tmp_path: Path) -> None:
    own, copy = (write(tmp_path / f"{name}.csv", 3) for name in ("people", "copy"))
    send_campaign(sender, own)
    for audience in (own, copy):
        with pytest.raises(CampaignDefinitionError, match="is the audience of occurrence 'once'"):
            try_out(sender.ledger, audience)


@pytest.mark.parametrize("tested_first", [True, False])
def test_a_campaign_is_proved_whether_it_was_tested_or_not(
    sender: Sender, simulator: SimulatorProcess, tmp_path: Path, tested_first: bool
) -> None:
    own, people = write(tmp_path / "own.csv", 2), write(tmp_path / "people.csv", 5)
    if not tested_first:
        send_campaign(sender, people)
    # Tested twice, to numbers that are the campaign's too: each gets all three messages.
    for occurrence in ("test-1", "test-2"):
        plan, _ = try_out(sender.ledger, own, occurrence)
        sender.send(only_shard(sender.ledger, plan))
    if tested_first:
        send_campaign(sender, people)
    assert len(simulator.messages()) == 5 + 2 * 2
    found = prove(sender.ledger, sender.client, CAMPAIGN.campaign_id, now=datetime.now(UTC))
    assert found.differences == []
    assert (found.recipients, found.listed, found.tests) == (5, 5, 4)
    assert "tests 4, which are left out" in found.as_text()


def test_a_test_whose_answer_was_lost_is_known_too(
    sender: Sender, simulator: SimulatorProcess, tmp_path: Path
) -> None:
    simulator.faults([{"on": "send", "fault": "drop_after", "times": 1}])
    plan, _ = try_out(sender.ledger, write(tmp_path / "own.csv", 1))
    sender.send(only_shard(sender.ledger, plan))
    send_campaign(sender, write(tmp_path / "people.csv", 3))
    assert len(simulator.messages()) == 4
    assert prove(sender.ledger, sender.client, CAMPAIGN.campaign_id, now=datetime.now(UTC)).proved


def test_a_campaign_that_was_only_tested_has_nothing_to_prove(
    sender: Sender, tmp_path: Path
) -> None:
    try_out(sender.ledger, write(tmp_path / "own.csv", 1))
    with pytest.raises(CampaignDefinitionError, match="has no recipients"):
        prove(sender.ledger, sender.client, CAMPAIGN.campaign_id, now=datetime.now(UTC))
