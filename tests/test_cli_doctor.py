"""`genesys-cloud doctor`: what it finds well, and what it says where something is not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from genesys_cloud import cli
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.doctor import checks_airflow
from tests.airflow_warnings import AIRFLOWS_OWN
from tests.api.wire import TOKEN, Behaviour, WireServer, http, says
from tests.simulator.server import SimulatorProcess
from tests.test_cli import script
from tests.webhook.receiver import ReceiverProcess

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

SECRET = "a-signing-secret"
API = ["connection", "token", "profile", "rights"]
RIGHTS = [f"right_to_{to}" for to in ("view", "report", "read_templates", "view_dnc_lists")]
LEDGER = ["ledger", "ledger_writable", "audit", "unknown_sends", "parked_events"]
FILES = ["spool", "templates", "policies", "senders", "notifications", "exports"]
AIRFLOW = ["forms", "fan_out", "pool"]
NAMES = [
    *(*API, *RIGHTS, "limit", "clock", *LEDGER, *FILES),
    *("receiver", "registration", "receiver_answers", *AIRFLOW),
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    """Run a simulator of the platform's own API."""
    with SimulatorProcess(profiles="agentless", requests_per_minute=6000) as process:
        yield process


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverProcess]:
    """Run a receiver that knows the secret."""
    url = f"sqlite:///{tmp_path_factory.mktemp('receiver')}/ledger.db"
    with ReceiverProcess(url, secret=SECRET) as process:
        yield process


@pytest.fixture(autouse=True)
def well(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    simulator: SimulatorProcess,
    receiver: ReceiverProcess,
) -> Path:
    """Set everything up as it should be, and return where it is."""
    shutil.copytree(PROJECT_ROOT / "include", tmp_path / "include")
    for name, value in {
        "_AIRFLOW_PROCESS_CONTEXT": "server",
        "GENESYS_CLIENT_ID": simulator.client_id,
        "GENESYS_CLIENT_SECRET": simulator.client_secret,
        "GENESYS_BASE_URL": simulator.url,
        "GENESYS_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db",
        "GENESYS_EXPORT_URL": str(tmp_path / "exports"),
        "GENESYS_INCLUDE_DIR": str(tmp_path / "include"),
        "GENESYS_STATE_DIR": str(tmp_path / "state"),
        "GENESYS_WEBHOOK_SECRET": SECRET,
        "GENESYS_WEBHOOK_URL": receiver.url,
        "GENESYS_WEBHOOK_SPOOL": str(tmp_path / "spool"),
    }.items():
        monkeypatch.setenv(name, value)
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    # Another test may have made Airflow's database in this process, and no pool in it.
    monkeypatch.setattr(checks_airflow, "_slots", lambda: 4)
    return tmp_path


def doctor(*options: str, exit_code: int) -> dict[str, dict[str, Any]]:
    """Run the command with --json, and return its checks by name."""
    result = CliRunner().invoke(cli.app, ["doctor", "--json", *options], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    assert SECRET not in result.output
    found = json.loads(result.stdout)
    assert found["ok"] is (exit_code == 0)
    return {check["name"]: check for check in found["checks"]}


def ill(*others: str, **problems: str) -> dict[str, dict[str, Any]]:
    """Run the command, expect just these problems with these words, and return the checks.

    `others` may be wrong as well.
    """
    checks = doctor(exit_code=1)
    wrong = {name for name, check in checks.items() if check["level"] == "wrong"}
    assert wrong - set(others) == set(problems)
    assert wrong == {name for name, check in checks.items() if not check["ok"]}
    for name, words in problems.items():
        assert words in checks[name]["said"]
    return checks


def test_where_all_is_well_every_check_says_what_it_found(
    simulator: SimulatorProcess, well: Path, receiver: ReceiverProcess
) -> None:
    checks = doctor(exit_code=0)
    assert list(checks) == NAMES
    said = {name: check["said"] for name, check in checks.items()}
    assert said["connection"].startswith(f"the environment; API at {simulator.url}")
    assert f"{simulator.url}/oauth/token" in said["token"]
    assert said["profile"].startswith("agentless: the host answers 404 for")
    assert "conversation:message:create can't be tried without sending" in said["rights"]
    assert said["right_to_view"] == "granted: conversation:message:view"
    assert said["limit"].startswith("6000 requests a minute: the organisation's limit")
    assert said["ledger"].startswith(f"sqlite:///{well}/ledger.db answers")
    assert "order_update" in said["templates"]
    assert "quiet_hours.toml" in said["policies"]
    assert said["receiver"].startswith("set are signing secrets: 1")
    assert said["receiver_answers"].startswith(f"{receiver.url} takes what this connection signs")
    assert "keep track_statuses switched on" in said["registration"]
    levels = {name: check["level"] for name, check in checks.items()}
    assert {name for name, level in levels.items() if level != "ok"} == {
        *("rights", "registration", "notifications"),
    }  # fmt: skip
    assert "warning" not in levels.values()


def test_a_person_reads_a_line_for_each_check() -> None:
    result = CliRunner().invoke(cli.app, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert {line.split()[1] for line in lines} == {"ok", "info"}


def test_the_script_prints_its_json_alone_and_makes_no_ledger(well: Path) -> None:
    names = ("CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "STATE_DIR")
    environment = {f"GENESYS_{name}": os.environ[f"GENESYS_{name}"] for name in names}
    ended = script(well / "new", "doctor", "--json", **environment)
    assert ended.exit_code == 0, ended.out + ended.err
    checks = {check["name"]: check for check in json.loads(ended.out)["checks"]}
    left_out = {*LEDGER[1:], "receiver_answers"}
    assert list(checks) == [name for name in NAMES if name not in left_out]
    assert "it has no tables yet" in checks["ledger"]["said"]
    assert "none is needed" in checks["receiver"]["said"]
    assert list(well.glob("new/*ledger*")) == []


def test_nothing_is_sent_or_changed(
    simulator: SimulatorProcess, well: Path, receiver: ReceiverProcess
) -> None:
    simulator.reset()
    before = (well / "ledger.db").read_bytes()
    doctor(exit_code=0)
    assert simulator.messages() == []
    changing = [
        one for one in simulator.requests()["requests"] if one["method"] not in {"GET", "HEAD"}
    ]
    assert {one["path"] for one in changing} <= {"/oauth/token"}
    assert (well / "ledger.db").read_bytes() == before
    assert list((well / "exports").rglob("*.*")) == []


def test_without_a_connection_what_rests_on_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GENESYS_CLIENT_SECRET")
    checks = ill(connection="GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET")
    assert list(checks) == ["connection", *LEDGER, *FILES, *AIRFLOW]


def test_another_connection_may_be_looked_at(
    monkeypatch: pytest.MonkeyPatch, simulator: SimulatorProcess
) -> None:
    described = {
        "conn_type": "genesys_cloud", "host": simulator.url, "login": simulator.client_id,
        "password": simulator.client_secret, "extra": {"requests_per_minute": 17},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_ANOTHER", json.dumps(described))
    monkeypatch.delenv("GENESYS_WEBHOOK_URL")
    checks = doctor("--connection", "another", exit_code=0)
    assert checks["connection"]["said"].startswith("Airflow's connection 'another'; API at")
    assert checks["limit"]["said"].startswith("17 requests a minute: connection 'another' says so")


def test_wrong_credentials_are_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "another-secret")
    checks = ill(token="client secret")
    assert {"profile", "rights", *RIGHTS, "limit", "clock", "registration"} & set(checks) == set()
    assert "another-secret" not in json.dumps(checks)


def test_a_right_that_is_lacking_is_named_with_what_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may = "conversation:message:create analytics:conversationDetail:view"
    with SimulatorProcess(profiles="agentless", permissions=may) as simulator:
        monkeypatch.setenv("GENESYS_BASE_URL", simulator.url)
        checks = ill(
            right_to_view="lacks conversation:message:view. In the Admin Console, give the"
        )
    assert checks["right_to_report"]["level"] == "ok"
    for name, why in (("read_templates", "only WhatsApp"), ("view_dnc_lists", "only sync_supp")):
        assert checks[f"right_to_{name}"]["level"] == "warning"
        assert checks[f"right_to_{name}"]["said"].startswith(why)
    assert "may not list open, eventbridge, trigger" in checks["registration"]["said"]


@pytest.mark.parametrize(
    ("behave", "login", "problems"),
    [
        (says(http(500)), says(TOKEN), {"profile": "Nobody knows which profile"}),
        (
            says(http(404, Date="Sun, 22 Nov 2020 22:17:10 GMT")),
            says(TOKEN),
            {"clock": "ahead of Genesys Cloud's. Let NTP set it"},
        ),
        (
            says(http(404, Date="Sun, 22 Nov 2099 22:17:10 GMT")),
            says(TOKEN),
            {"clock": "behind Genesys Cloud's"},
        ),
        (
            says(http(200, b'{"entities":[],"total":0}')),
            says(http(200, b'{"access_token":"t","scope":"analytics:read"}')),
            {"rights": "not granted the scopes messaging:messages:write messaging:messages:read"},
        ),
    ],
)
def test_what_the_host_says_is_judged(
    monkeypatch: pytest.MonkeyPatch, behave: Behaviour, login: Behaviour, problems: dict[str, str]
) -> None:
    with WireServer(behave, login=login) as server:
        monkeypatch.setenv("GENESYS_BASE_URL", server.url)
        # A host that answers the same to everything lacks most of what is asked for.
        ill("right_to_view", "right_to_report", "registration", **problems)


def test_an_old_ledger_is_to_be_upgraded(well: Path) -> None:
    with closing(sqlite3.connect(well / "ledger.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    checks = ill(ledger="Run `genesys-cloud ledger upgrade`")
    assert set(LEDGER) & set(checks) == {"ledger"}


def test_a_ledger_that_can_not_be_made_is_named(
    well: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (well / "file").write_text("no folder")
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{well}/file/deep/ledger.db")
    ill(ledger_writable=f"{well}/file is no folder")


@pytest.mark.parametrize("file", ["de.j2", "de.sms.j2", "de.web.j2", "de.whatsapp.toml"])
def test_a_template_that_does_not_parse_is_named_whichever_channel_it_is_for(
    well: Path, file: str
) -> None:
    (well / "include" / "templates" / "order_update" / file).write_text("{{ name")
    ill("approved", templates=f"order_update/{file}")


def test_a_target_that_can_not_be_written_is_a_problem(well: Path) -> None:
    (well / "exports").write_text("a file where a folder should be")
    ill(exports="GENESYS_EXPORT_URL")


def test_a_receiver_that_verifies_nothing_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENESYS_WEBHOOK_SECRET")
    checks = ill(receiver="has no signing secret")
    assert "receiver_answers" not in checks
    monkeypatch.setenv("GENESYS_WEBHOOK_ALLOW_UNSIGNED", "yes-i-know")
    ill(receiver="anybody who reaches it can change statuses")


def test_a_receiver_with_another_secret_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYS_WEBHOOK_SECRET", "one-that-it-does-not-know")
    checks = ill(receiver_answers="the receiver has another one")
    assert "registered" not in checks["receiver_answers"]["said"]
    untried = doctor("--no-receiver", exit_code=0)
    assert untried["receiver_answers"]["said"].endswith("was not tried")
