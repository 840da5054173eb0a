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
from tests.airflow_warnings import AIRFLOWS_OWN
from tests.api.wire import TOKEN, Behaviour, WireServer, http, says
from tests.simulator.server import SimulatorProcess
from tests.test_cli import script

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

NAMES = [
    *("connection", "token", "profile", "rights", "limit", "clock", "ledger", "templates"),
    *("exports", "receiver"),
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    """Run a simulator of the platform's own API."""
    with SimulatorProcess(profiles="agentless", requests_per_minute=600) as process:
        yield process


@pytest.fixture(autouse=True)
def well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulator: SimulatorProcess) -> Path:
    """Set everything up as it should be, and return where it is."""
    shutil.copytree(PROJECT_ROOT / "include" / "templates", tmp_path / "include" / "templates")
    for name, value in {
        "_AIRFLOW_PROCESS_CONTEXT": "server",
        "GENESYS_CLIENT_ID": simulator.client_id,
        "GENESYS_CLIENT_SECRET": simulator.client_secret,
        "GENESYS_BASE_URL": simulator.url,
        "GENESYS_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db",
        "GENESYS_EXPORT_URL": str(tmp_path / "exports"),
        "GENESYS_INCLUDE_DIR": str(tmp_path / "include"),
        "GENESYS_STATE_DIR": str(tmp_path / "state"),
        "GENESYS_WEBHOOK_SECRET": "a-signing-secret",
    }.items():
        monkeypatch.setenv(name, value)
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    return tmp_path


def doctor(*, exit_code: int) -> dict[str, dict[str, Any]]:
    """Run the command with --json, and return its checks by name."""
    result = CliRunner().invoke(cli.app, ["doctor", "--json"], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    found = json.loads(result.stdout)
    assert found["ok"] is (exit_code == 0)
    return {check["name"]: check for check in found["checks"]}


def ill(**problems: str) -> dict[str, dict[str, Any]]:
    """Run the command, expect just these problems with these words, and return the checks."""
    checks = doctor(exit_code=1)
    assert {name for name, check in checks.items() if not check["ok"]} == set(problems)
    for name, words in problems.items():
        assert words in checks[name]["said"]
    return checks


def test_where_all_is_well_every_check_says_what_it_found(
    simulator: SimulatorProcess, well: Path
) -> None:
    checks = doctor(exit_code=0)
    assert list(checks) == NAMES
    said = {name: check["said"] for name, check in checks.items()}
    assert said["connection"].startswith(f"the environment; API at {simulator.url}")
    assert f"{simulator.url}/oauth/token" in said["token"]
    assert said["profile"].startswith("agentless: the host answers 404 for")
    assert "was not tried" in said["rights"]
    assert said["limit"].startswith("600 requests a minute: the organisation's limit")
    assert said["ledger"].startswith(f"sqlite:///{well}/ledger.db answers")
    assert "order_update" in said["templates"]
    assert said["receiver"].startswith("1 signing secrets")


def test_a_person_reads_a_line_for_each_check() -> None:
    result = CliRunner().invoke(cli.app, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "ok:"] for name in NAMES]


def test_the_script_prints_its_json_alone_where_there_is_no_ledger_yet(well: Path) -> None:
    names = ("CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "STATE_DIR", "WEBHOOK_SECRET")
    environment = {f"GENESYS_{name}": os.environ[f"GENESYS_{name}"] for name in names}
    ended = script(well, "doctor", "--json", **environment)
    assert ended.exit_code == 0, ended.out + ended.err
    assert [check["name"] for check in json.loads(ended.out)["checks"]] == NAMES


def test_nothing_is_sent(simulator: SimulatorProcess) -> None:
    doctor(exit_code=0)
    assert simulator.messages() == []


def test_without_a_connection_what_rests_on_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GENESYS_CLIENT_SECRET")
    checks = ill(connection="GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET")
    assert list(checks) == ["connection", "ledger", "templates", "exports"]


def test_wrong_credentials_are_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "another-secret")
    checks = ill(token="client secret")
    assert {"profile", "rights", "limit", "clock"} & set(checks) == set()
    assert "another-secret" not in json.dumps(checks)


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
        ill(**problems)


def test_the_real_platform_has_no_scopes_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    granted = http(200, b'{"access_token":"t","scope":"conversations"}')
    with WireServer(says(http(404)), login=says(granted)) as server:
        monkeypatch.setenv("GENESYS_BASE_URL", server.url)
        assert "role" in doctor(exit_code=0)["rights"]["said"]


def test_an_old_ledger_is_to_be_upgraded(well: Path) -> None:
    doctor(exit_code=0)
    with closing(sqlite3.connect(well / "ledger.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    ill(ledger="Run `genesys-cloud ledger upgrade`")


@pytest.mark.parametrize("file", ["de.j2", "de.sms.j2", "de.web.j2", "de.whatsapp.toml"])
def test_a_template_that_does_not_parse_is_named_whichever_channel_it_is_for(
    well: Path, file: str
) -> None:
    (well / "include" / "templates" / "order_update" / file).write_text("{{ name")
    ill(templates=f"order_update/{file}")


def test_a_target_that_can_not_be_written_is_a_problem(well: Path) -> None:
    (well / "exports").write_text("a file where a folder should be")
    ill(exports="GENESYS_EXPORT_URL")


def test_a_receiver_that_verifies_nothing_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENESYS_WEBHOOK_SECRET")
    ill(receiver="has no signing secret")
    monkeypatch.setenv("GENESYS_WEBHOOK_ALLOW_UNSIGNED", "yes-i-know")
    ill(receiver="anybody who reaches it can change statuses")
