"""Every wrong value of a campaign's form: where it is refused, by which name, with which cure.

The form refuses what a JSON schema can tell; the first task refuses the rest, before it has planned
anything.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.errors import ConfigurationError
from tests.dags.contacts import write_contacts
from tests.dags.runs import dag_bag
from tests.dags.test_dag_files import form, refusal

HOUR = timedelta(hours=1)


def from_now(by: timedelta) -> str:
    """Return an instant as the form gives it."""
    return (datetime.now(UTC) + by).isoformat()


IN_THE_FORM = [
    # name, value, what Airflow says after the Param's name
    ("campaign_id", "spring sale", "does not match"),
    ("campaign_id", "a" * 65, "does not match"),
    ("campaign_id", None, "is not of type 'string'"),
    ("audience", "", "does not match"),
    ("audience", " \t", "does not match"),
    ("template", "order_updates", "is not one of ['appointment_reminder', 'order_update']"),
    ("channel", "messaging:fax", "is not one of ['messaging:apple', 'messaging:facebook', "),
    ("sender", 12025550100, "is not of type 'string'"),
    ("sender", " ", "does not match"),
    ("dry_run", "no", "is not of type 'boolean'"),
    ("require_approval", 0, "is not of type 'boolean'"),
    ("approval_by_other", "anybody", "is not of type 'boolean'"),
    ("approval_hours", 0, "less than the minimum of 0.05"),
    ("approval_hours", 200, "greater than the maximum of 168"),
    ("not_before", "tomorrow", "is not a 'date-time'"),
    ("not_before", "2031-05-01T08:00:00", "is not a 'date-time'"),
    ("deadline", "2031-02-30T08:00:00Z", "is not a 'date-time'"),
    ("messages_per_minute", 0, "less than the minimum of 1"),
    ("messages_per_minute", 10**30, "greater than the maximum of 1000000000"),
    ("segments_per_second", 0.5, "is not of type 'null', 'integer'"),
    ("batch_size", 0, "less than the minimum of 1"),
    ("batch_size", 100_001, "greater than the maximum of 100000"),
    ("message_class", "spam", "is not one of ['informational', 'marketing']"),
    ("purpose", "two words", "does not match"),
    ("consent_from", "nobody", "is not one of ['audience', 'ledger', 'both']"),
    ("recipient_cap", 0, "less than the minimum of 1"),
    ("recipient_cap_days", 367, "greater than the maximum of 366"),
    ("most_messages", 0, "less than the minimum of 1"),
    ("hold_out_share", 1, "1 is greater than or equal to the maximum of 1"),
    ("hold_out_share", -0.1, "less than the minimum of 0"),
    ("default_language", "english", "does not match"),
    ("max_segments", 0, "less than the minimum of 1"),
    ("occurrence", "<b>", "does not match"),
    ("occurrence", "../once", "does not match"),
    ("occurrence", "x" * 65, "is too long"),
    ("occurrence", "second reminder ", "does not match"),
    ("occurrence", "second  reminder", "does not match"),
    ("only_failed_of", "x" * 65, "is too long"),
    ("error_budget_count", 0, "less than the minimum of 1"),
    ("error_budget_count", 10**10, "greater than the maximum of 1000000000"),
    ("error_budget_share", 1.5, "greater than the maximum of 1"),
]

FILLED_IN = {
    "campaign_id": "winter",
    "audience": "orders.csv",
    "template": "order_update",
    "sender": "+12025550100",
}


@pytest.mark.parametrize(("name", "value", "words"), IN_THE_FORM)
def test_the_form_refuses_by_name(name: str, value: object, words: str) -> None:
    answer = refusal("send_campaign", FILLED_IN | {name: value})
    assert f"Invalid input for param {name}:" in answer
    assert words in answer


def test_every_field_of_the_form_can_be_wrong() -> None:
    free = {"use_active_conversation"}  # a switch like dry_run, and nothing follows from it alone
    assert set(dag_bag().dags["send_campaign"].params) - {row[0] for row in IN_THE_FORM} == free


IN_THE_FIRST_TASK = [
    # what is filled in, words of the sentence: the Param's name, and the cure
    ({"template": "order_updates"}, "no template 'order_updates'", "exist: order_update, app"),
    (
        {"audience": "order.csv"},
        "audience 'order.csv' does not exist",
        "There is: orders.csv, ",
    ),
    ({"audience": "s3://b/x.csv"}, "audience 's3://b/x.csv' can't be used", "install the Airflow"),
    ({"sender": "Ann"}, "The sender of a campaign on messaging:sms is", "such as +12025550123"),
    (
        {"sender": "whatsapp:+12025550100"},
        "The sender 'whatsapp:+12025550100' is for messaging:whatsapp, and the channel is",
        "Choose one of messaging:sms (+12025550100), or the other channel",
    ),
    (
        {"channel": "messaging:open", "sender": "open:shop"},
        "Unsupported channelType: messaging:open",
        "use one of messaging:sms, messaging:whatsapp",
    ),
    ({"default_language": "pt"}, "in 'pt', the default language", "it has de, en, es, fr"),
    ({"campaign_id": "winter\n"}, "campaign_id 'winter\\n' is not usable", "use up to 64 letters"),
    ({"deadline": from_now(-HOUR)}, "The deadline ", "has passed: nothing could go out. Give a"),
    ({"not_before": from_now(-HOUR)}, "not_before ", "has passed, so this would go out at once. G"),
    ({"not_before": from_now(500 * 24 * HOUR)}, "not_before ", "more than 366 days ahead. Check"),
    (
        {"not_before": from_now(2 * HOUR), "deadline": from_now(HOUR)},
        "has the deadline ",
        "nothing could go out. Give a later deadline",
    ),
    ({"deadline": "2031-05-01T08:00:00"}, "deadline 2031-05-01", "Give it with its offset, such"),
    ({"deadline": "2031-12-31T23:59:60Z"}, "deadline '2031-12-31T23:59:60Z'", "such as 2026-12-"),
    ({"not_before": "9999-12-31T23:59:59-12:00"}, "not_before '9999-12-31", "Give one such as"),
    ({"only_failed_of": "once"}, "only_failed_of is 'once'", "Give a new occurrence, such as"),
    ({"audience": "a" * 300}, "aaa' can't be read", "File name too long"),
    ({"occurrence": "again\n"}, "occurrence 'again\\n' is not usable", "none at the end"),
    ({"purpose": "İ"}, "purpose 'İ' is not usable", "use one word of up to 64 letters"),
]


@pytest.fixture
def params(connection: dict[str, object]) -> dict[str, Any]:
    """Return the Params of a run that would succeed."""
    form = dag_bag().dags["send_campaign"].params.dump()
    return {**form, **FILLED_IN, "dry_run": False, "require_approval": False}


def plan(params: dict[str, Any], dag_run: object = None) -> Any:
    """Run the plan task's function as a run with these Params does."""
    from genesys_cloud.workflows.campaign_tasks import plan

    return plan.function(None, params=params, dag_run=dag_run)


def occurrences(place: Path) -> int:
    """Return how many occurrences the ledger holds, 0 where there is none."""
    if not (place / "ledger.db").exists():
        return 0
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        return int(ledger.execute("SELECT count(*) FROM occurrences").fetchone()[0])


def test_what_is_right_is_planned(params: dict[str, Any], place: Path) -> None:
    # What the refusals below are held against.
    soon = {"not_before": from_now(HOUR), "deadline": from_now(2 * HOUR)}
    assert plan(params | soon)["counts"]["recipients"] == 40
    assert occurrences(place) == 1


@pytest.mark.parametrize(("changes", "name", "cure"), IN_THE_FIRST_TASK)
def test_the_first_task_refuses_by_name(
    params: dict[str, Any], place: Path, changes: dict[str, object], name: str, cure: str
) -> None:
    for dry_run in (True, False):
        with pytest.raises(ConfigurationError) as caught:
            plan(params | changes | {"dry_run": dry_run})
        assert name in str(caught.value)
        assert cure in str(caught.value)
    assert occurrences(place) == 0


def test_the_sentence_stands_on_lines_that_the_log_page_shows_whole(
    params: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(params | {"audience": "order.csv"})
    (record,) = (one for one in caplog.records if one.message.startswith("nothing was planned:"))
    lines = record.message.splitlines()[1:]
    assert " ".join(lines) == str(caught.value)
    assert max(map(len, lines)) <= 90


def test_a_channel_that_the_accounts_profile_lacks_is_refused(
    params: dict[str, Any], connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    described = connection | {"extra": {"profile": "agentless"}}
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", json.dumps(described))
    with pytest.raises(ConfigurationError, match=r"messaging:facebook.*; use one of messaging:sms"):
        plan(params | {"channel": "messaging:facebook", "sender": "page-1"})


def test_an_occurrence_that_never_was_is_refused(params: dict[str, Any], place: Path) -> None:
    plan(params)
    with pytest.raises(ConfigurationError, match=r"has no occurrence 'onec'.*Check its name"):
        plan(params | {"only_failed_of": "onec", "occurrence": "again"})
    assert occurrences(place) == 1


def test_a_list_of_senders_that_is_not_clear_is_named(
    params: dict[str, Any], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "include" / "templates" / "order_update").mkdir(parents=True)
    (place / "include" / "templates" / "order_update" / "en.j2").write_text("Hello {{ name }}")
    (place / "include" / "senders.toml").write_text("[[senders]]\nnumber = 1\n")
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(place / "include"))
    audience = str(write_contacts(place / "contacts.csv"))
    with pytest.raises(ConfigurationError, match=r"senders\.toml can't be used.* Sender 1 needs"):
        plan(params | {"audience": audience})


def test_a_campaign_of_another_dag_is_not_taken_over(params: dict[str, Any], place: Path) -> None:
    from airflow.models.dagrun import DagRun

    now = datetime.now(UTC)
    owner, other = (
        DagRun(dag_id=dag_id, run_id="manual__1", run_after=now)
        for dag_id in ("order_update", "send_campaign")
    )
    plan(params, owner)
    with pytest.raises(ConfigurationError, match=r"campaign_id 'winter' belongs to the DAG order_"):
        plan(params, other)
    assert occurrences(place) == 1


def test_a_run_that_is_cleared_later_is_not_too_late_for_its_own_start(
    params: dict[str, Any],
) -> None:
    from airflow.models.dagrun import DagRun

    yesterday = datetime.now(UTC) - timedelta(days=1)
    run = DagRun(dag_id="send_campaign", run_id="manual__1", run_after=yesterday)
    begun = {"not_before": from_now(-HOUR)}
    assert plan(params | begun, run)["counts"]["recipients"] == 40


def test_a_campaign_that_goes_on_is_not_too_late_for_the_times_it_began_with(
    params: dict[str, Any], place: Path
) -> None:
    plan(params)
    later = {"not_before": from_now(-2 * HOUR), "deadline": from_now(-HOUR)}
    # Resumed hours later, by its first conf: who is left has expired, instead of waiting for ever.
    assert plan(params | later)["to_send"] == 37
    with pytest.raises(ConfigurationError, match=r"The deadline .* has passed"):
        plan(params | later | {"occurrence": "again"})
    assert occurrences(place) == 1


@pytest.mark.parametrize("word", ["März", "Q4/2026", "#2", "2026-11-23T09:00:00+00:00", "1 (late)"])
def test_an_occurrence_is_called_what_people_call_it(word: str) -> None:
    form("send_campaign").deep_merge(FILLED_IN | {"occurrence": word}).validate()
