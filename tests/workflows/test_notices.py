"""Who is told what: the rules' file, what a notice says, and mails through a real SMTP server."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk.execution_time.supervisor import TASK_OVERTIME_THRESHOLD
from airflow.sdk.execution_time.timeout import timeout

from genesys_cloud.errors import IncompleteExportError, PolicyError
from genesys_cloud.ledger import notices
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.workflows.notices.callbacks import (
    MOST_S,
    ApprovalNotifier,
    tell_end,
    tell_incomplete,
)
from genesys_cloud.workflows.notices.notice import Notice
from genesys_cloud.workflows.notices.rules import FILE, Event, read_rules
from tests.mail_server import RULES, MailServer, body, mail_server

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an include folder whose rules are the shipped example, and a ledger of its own."""
    folder = tmp_path / "include"
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / FILE).write_text(RULES)
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(folder))
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    return folder


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """Serve SMTP, and make it Airflow's default connection."""
    with mail_server() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection)
        yield server


def ended(run_id: str = "manual__1", **changes: Any) -> dict[str, Any]:
    """Return the context of a summary that has ended."""
    returned = {
        "plan": {"occurrence": "2026-11-23"},
        "summary": {
            "campaign_state": "active",
            "recipients": 1_500,
            "states": {"accepted": 1_400, "blocked": 100, "unknown": 0},
        },
    }
    ti = SimpleNamespace(task_id="summary", xcom_pull=lambda task_ids: returned[task_ids])
    context = {
        "params": {"dry_run": False, "campaign_id": "winter"},
        "dag_run": SimpleNamespace(
            dag_id="send_campaign", run_id=run_id, triggering_user_name="ann"
        ),
        "ti": ti,
    }
    return context | changes


def told(tmp_path: Path) -> list[tuple[str, str]]:
    """Return who was told, as the audit trail has it."""
    query = "SELECT campaign_id, details FROM audit_entries WHERE action = 'notice.sent'"
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        return connection.execute(query).fetchall()


def test_a_finished_campaign_is_told_once_with_its_counts(
    include: Path, mails: MailServer, tmp_path: Path
) -> None:
    tell_end(ended())
    tell_end(ended())  # as when the task is cleared

    assert mails.subjects == ["Campaign winter has finished"]
    (mail,) = mails.mails
    assert mail["To"] == "operations@example.com"
    assert "<th align='left'>Accepted</th><td>1,400</td>" in body(mail)
    assert "Unknown" not in body(mail)
    ((campaign_id, details),) = told(tmp_path)
    assert campaign_id == "winter"
    assert '"event":"campaign_finished"' in details
    assert '"run":"send_campaign/manual__1"' in details

    tell_end(ended("manual__2"))
    assert len(mails.mails) == 2


def test_a_failed_run_is_told_with_its_reason_and_nobodys_number(
    include: Path, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/")

    tell_end(ended("a b", exception=PolicyError("Not to +12025550143:\r\nBcc: <b>x</b>")))

    (mail,) = mails.mails
    assert mail["Subject"] == "Campaign winter has failed"
    assert mail["Bcc"] is None
    assert "Not to …43: Bcc: &lt;b&gt;x&lt;/b&gt;" in body(mail)
    page = "https://airflow.example.com/dags/send_campaign/runs/a%20b"
    assert f"<a href='{page}'>" in body(mail)


def test_an_error_of_no_branch_of_ours_is_told_by_its_kind(
    include: Path, mails: MailServer
) -> None:
    tell_end(ended(exception=KeyError("+12025550143")))

    assert "KeyError: the log of the task says more." in body(mails.mails[0])
    assert "0143" not in body(mails.mails[0])


@pytest.mark.parametrize("params", [{"dry_run": True, "campaign_id": "winter"}])
def test_a_dry_run_is_no_news(include: Path, mails: MailServer, params: dict[str, Any]) -> None:
    tell_end(ended(params=params))

    assert mails.mails == []


def test_who_could_not_be_told_is_told_the_next_time(
    include: Path, mails: MailServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mails.answer = "451 not now"
    tell_end(ended())
    assert (mails.mails, told(tmp_path)) == ([], [])
    assert "campaign_finished was not told by [mail]: SMTPDataError" in caplog.text

    mails.answer = None
    tell_end(ended())
    assert mails.subjects == ["Campaign winter has finished"]


def test_a_notifier_that_hangs_is_given_up(
    include: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("genesys_cloud.workflows.notices.callbacks.MOST_S", 0.05)
    hanging = RULES.partition("[mail.with]")[0]
    hanging = hanging.replace(
        "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "tests.mail_server.Hanging"
    )
    (include / "policies" / FILE).write_text(hanging)

    tell_end(ended())

    assert "campaign_finished was not told by [mail]: AirflowTaskTimeout" in caplog.text


def test_notifiers_that_hang_share_the_time_that_airflow_leaves_them(
    include: Path, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    class Watched(timeout):  # type: ignore[misc]  # Airflow's own has no types
        def __init__(self, seconds: float) -> None:
            given.append(seconds)
            super().__init__(0.05)

    monkeypatch.setattr("airflow.sdk.execution_time.timeout.timeout", Watched)
    hanging = '[%s]\non = ["campaign_finished"]\nnotifier = "tests.mail_server.Hanging"\n'
    rules = f"dated = 2026-11-23\n{hanging % 'one'}{hanging % 'two'}"
    (include / "policies" / FILE).write_text(rules)

    tell_end(ended())

    assert len(given) == 2
    assert sum(given) == MOST_S < TASK_OVERTIME_THRESHOLD


def test_a_ledger_that_is_locked_silences_nobody(
    include: Path, mails: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genesys_cloud.workflows.notices.callbacks.PATIENCE_S", 0.01)
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        tell_end(ended())

    assert mails.subjects == ["Campaign winter has finished"]


def test_a_ledger_that_is_away_silences_nobody(
    include: Path, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYS_LEDGER_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    tell_end(ended(exception=PolicyError("There is no plan.")))

    assert mails.subjects == ["Campaign winter has failed"]


def test_a_day_that_is_not_whole_is_told(include: Path, mails: MailServer) -> None:
    error = IncompleteExportError("2 of 250 messages of 2024-01-15 are missing.")
    failed = ended(exception=error, task=SimpleNamespace(op_kwargs={"day": "2024-01-15"}))

    tell_incomplete(failed)

    assert mails.subjects == ["The delivery report of 2024-01-15 is incomplete"]
    assert "2 of 250 messages" in body(mails.mails[0])


def test_a_run_that_waits_is_told_by_the_operators_own_notifier(
    include: Path, mails: MailServer
) -> None:
    rules = include / "policies" / FILE
    rules.write_text(RULES.replace("campaign_paused", "approval_waiting"))

    ApprovalNotifier()(ended())

    assert mails.subjects == ["Campaign winter waits for approval"]


def test_without_rules_nothing_is_looked_at(
    include: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (include / "policies" / FILE).unlink()  # the project's own holds, which tells nobody

    with caplog.at_level(logging.INFO):
        tell_end({})

    assert caplog.text == ""


WRONG = {
    "no date": ("dated = 2026-11-23", "", "`dated` is not a date"),
    "no TOML": ("[mail]", "[mail", "can't be used"),
    "an unknown event": ("campaign_finished", "campaign_begun", "`on` of [mail]"),
    "an unknown key": ("[mail.with]", "[mail.kwargs]", "[mail] holds what nobody knows: kwargs"),
    "no notifier": ("notifier =", "# notifier =", "`mail` is not a section with"),
    "no path": ("airflow.providers.smtp.notifications.smtp.SmtpNotifier", "mail", "import path"),
    "no such class": ("SmtpNotifier", "PigeonNotifier", "can't be imported"),
    "no notifier's class": ("SmtpNotifier", "SmtpHook", "is not a notifier"),
    "an unknown argument": ("smtp_conn_id", "smtp_connection", "does not take what [mail.with]"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_named_and_stops_nothing(
    include: Path,
    mails: MailServer,
    caplog: pytest.LogCaptureFixture,
    wrong: tuple[str, str, str],
) -> None:
    old, new, sentence = wrong
    (include / "policies" / FILE).write_text(RULES.replace(old, new))

    with pytest.raises(PolicyError, match=re.escape(sentence)):
        [rule.make() for rule in read_rules(include)]
    tell_end(ended())

    assert mails.mails == []
    assert sentence in caplog.text


def test_the_shipped_file_tells_nobody_until_its_example_is_uncommented(tmp_path: Path) -> None:
    assert read_rules(ROOT / "include") == []

    text = (ROOT / "include" / "policies" / FILE).read_text()
    head, example = text.split("dated = ")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / FILE).write_text("dated = " + re.sub("(?m)^# ?", "", example))

    (rule,) = read_rules(tmp_path)
    assert rule.on == set(Event) - {Event.WAITING}
    assert isinstance(rule.make(), SmtpNotifier)
    # Every event, and everything that a template may name, is in the comment.
    properties = {name for name, what in vars(Notice).items() if isinstance(what, property)}
    names = (set(Notice.__dataclass_fields__) | properties) - {"about"}
    assert {name for name in names if f"notice.{name}" not in head} == set()
    assert {event for event in Event if event not in head} == set()


def test_of_many_who_notice_at_once_one_tells(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    about = ("mail", "campaign_paused", "winter")

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: notices.take(ledger, about, NOW), range(16)))

    assert sorted(taken) == [False] * 15 + [True]
    notices.give_back(ledger, about)
    assert notices.take(ledger, about, NOW)
    assert notices.take(ledger, (*about, "again"), NOW)
    ledger.close()


def test_a_person_who_pauses_is_not_the_error_budget(sqlite_ledger: Ledger) -> None:
    assert notices.paused_by_budget(sqlite_ledger, "nobody") is None
