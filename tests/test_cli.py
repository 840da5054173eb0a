"""The command line: as the installed script for what a process is, in this process for the rest."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from genesys_cloud import cli
from genesys_cloud.cli import terminal
from genesys_cloud.errors import CampaignDefinitionError, LedgerSchemaError, ReceiverCheckError
from genesys_cloud.ledger.database import SCHEMA_REVISIONS, open_ledger
from tests.airflow_warnings import AIRFLOWS_OWN
from tests.closed_port import closed_port
from tests.command_line import run
from tests.ledger.planted import CAMPAIGN, plant
from tests.simulator.caller import Caller
from tests.simulator.server import SimulatorProcess
from tests.webhook.receiver import SECRET, ReceiverProcess

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

SCRIPT = Path(sys.executable).with_name("genesys-cloud")
STATES = {
    *("planned", "blocked", "held", "accepted", "rejected", "unknown", "cancelled", "expired"),
}
STATUSES = ["queued", "sent", "delivered", "read", "failed"]


@pytest.fixture(autouse=True)
def clean_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo, after each test, what a command tells Airflow about its process."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


@pytest.fixture
def ledger_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a ledger, which does not exist yet, that commands use."""
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    return tmp_path / "ledger.db"


@pytest.fixture
def planted(ledger_file: Path) -> str:
    """Plan a campaign of five recipients, and return its id."""
    ledger = open_ledger(f"sqlite:///{ledger_file}")
    plant(ledger, 5)
    ledger.close()
    return CAMPAIGN.campaign_id


def found(*arguments: str, exit_code: int = 0) -> Any:
    """Run a command with --json and return what it printed, which must be JSON and nothing else."""
    result = run(*arguments, "--json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def airflow_home(tmp_path: Path) -> Path:
    """Return an Airflow home of the test's own, without a database."""
    home = tmp_path / "home"
    home.mkdir()
    return home


def script(home: Path, *arguments: str, **env: str) -> Ended:
    """Run the installed script with an environment that holds nothing else."""
    ran = subprocess.run(
        [SCRIPT, *arguments],
        env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(home), **env},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Ended(ran.returncode, ran.stdout, ran.stderr)


def test_an_unknown_campaign_is_a_sentence_and_exit_code_2(airflow_home: Path) -> None:
    ended = script(airflow_home, "campaign", "status", "nobody", "--json")
    assert (ended.exit_code, ended.out) == (2, "")
    sentence = ended.err.splitlines()[-1]
    assert sentence.startswith("genesys-cloud: The ledger sqlite:///")
    assert "genesys_ledger.db knows no campaign 'nobody'. Check the spelling" in sentence
    assert "Traceback" not in ended.err


def test_what_is_printed_as_json_is_json_alone(airflow_home: Path, tmp_path: Path) -> None:
    # The ledger is new: Alembic says so in Airflow's log, which goes to standard error.
    url = f"sqlite:///{tmp_path}/new/ledger.db"
    ended = script(airflow_home, "audit", "verify", "--json", GENESYS_LEDGER_URL=url)
    assert ended.exit_code == 0, ended.err
    assert json.loads(ended.out) == {"ok": True, "entries": 0, "first_bad": None}
    assert "alembic" in ended.err


def test_the_receiver_does_not_start_without_a_secret(airflow_home: Path) -> None:
    ended = script(airflow_home, "receiver", "--port", "0")
    assert ended.exit_code == 2
    assert ended.err.startswith("genesys-cloud: The receiver has no signing secret")
    assert "GENESYS_WEBHOOK_SECRET" in ended.err


def test_the_simulator_explains_its_own_options(airflow_home: Path) -> None:
    ended = script(airflow_home, "simulator", "--help")
    assert ended.exit_code == 0, ended.err
    assert "--requests-per-minute" in ended.out
    assert "--webhook-secret" in ended.out


def test_connections_that_are_kept_in_airflows_database_count(
    tmp_path: Path, airflow_home: Path
) -> None:
    from airflow.utils import db

    # A migrated database: a copy of this session's own, which is quicker made.
    db.initdb()
    own = sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db")
    with closing(own), closing(sqlite3.connect(airflow_home / "airflow.db")) as database:
        own.backup(database)
        database.execute(
            "INSERT INTO connection (conn_id, conn_type, host, is_encrypted, is_extra_encrypted) "
            "VALUES ('genesys_ledger', 'sqlite', ?, 0, 0)",
            (str(tmp_path / "from-the-ui.db"),),
        )
        database.commit()
    ended = script(airflow_home, "ledger", "upgrade", "--json")
    assert ended.exit_code == 0, ended.err
    assert json.loads(ended.out) == {"revision": SCHEMA_REVISIONS[-1]}
    assert (tmp_path / "from-the-ui.db").exists()


def test_no_command_shows_the_help() -> None:
    result = CliRunner().invoke(cli.app, [])
    for command in ("simulator", "receiver", "segments", "campaign", "messages", "audit"):
        assert command in result.output


def test_segments_are_counted_as_carriers_do() -> None:
    assert found("segments", "a" * 161) == {
        "encoding": "GSM-7",
        "segments": 2,
        # 161 septets in segments of 153: 8 in the second.
        "characters_left": 145,
        "forcing": [],
    }
    unicode = found("segments", "Ça va 🎉 ç")
    assert (unicode["encoding"], unicode["segments"]) == ("UCS-2", 1)
    assert unicode["forcing"] == ["🎉", "ç"]
    dear = found("segments", "Your table’s ready. " * 5)
    # 100 characters: two segments of UCS-2, one of GSM-7.
    assert (dear["replacements"], dear["segments_saved"]) == ({"’": "'"}, 1)
    assert "segments        2" in run("segments", "a" * 161).stdout


def test_campaign_status_has_the_documented_shape(planted: str) -> None:
    status = found("campaign", "status", planted)
    assert {"campaign_id", "recipients", "states", "blocked_reasons", "statuses"} <= set(status)
    assert (status["campaign_id"], status["recipients"]) == (planted, 5)
    assert set(status["states"]) == STATES
    assert sum(status["states"].values()) == status["recipients"]
    assert list(status["statuses"]) == STATUSES
    assert status["blocked_reasons"] == {}
    assert f"campaign {planted} (active)" in run("campaign", "status", planted).stdout


def test_a_campaign_is_paused_resumed_and_cancelled(planted: str, ledger_file: Path) -> None:
    paused = found("campaign", "pause", planted, "--reason", "wrong price")
    assert paused == {"campaign_id": planted, "campaign_state": "paused", "messages_cancelled": 0}
    assert found("campaign", "status", planted)["reason"] == "wrong price"
    assert found("campaign", "resume", planted)["campaign_state"] == "active"
    assert found("campaign", "cancel", planted, "--reason", "x")["messages_cancelled"] == 5
    assert found("campaign", "status", planted)["states"]["cancelled"] == 5
    with pytest.raises(CampaignDefinitionError, match="is cancelled, and stays so"):
        run("campaign", "resume", planted)

    with closing(sqlite3.connect(ledger_file)) as ledger:
        query = "SELECT actor, action, details FROM audit_entries ORDER BY seq"
        entries = [
            (actor, action, json.loads(details)["reason"])
            for actor, action, details in ledger.execute(query)
            if action.startswith("campaign.") and action != "campaign.planned"
        ]
    assert [entry[1:] for entry in entries] == [
        ("campaign.paused", "wrong price"),
        ("campaign.active", ""),
        ("campaign.cancelled", "x"),
    ]
    assert {entry[0].partition(":")[0] for entry in entries} == {"cli"}


@pytest.mark.parametrize("command", ["status", "pause", "resume", "cancel"])
def test_every_command_names_a_campaign_that_is_not_there(command: str, ledger_file: Path) -> None:
    with pytest.raises(CampaignDefinitionError, match="knows no campaign 'nobody'"):
        run("campaign", command, "nobody")


def test_the_user_is_named_where_the_system_knows_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_123_456)
    assert terminal.actor() == "cli:uid 4123456"


def test_the_ledger_is_made_and_made_again(ledger_file: Path) -> None:
    for _ in range(2):
        assert found("ledger", "upgrade") == {"revision": SCHEMA_REVISIONS[-1]}
    assert ledger_file.exists()


def test_a_ledger_of_a_newer_version_is_left_alone(planted: str, ledger_file: Path) -> None:
    with closing(sqlite3.connect(ledger_file)) as ledger:
        ledger.execute("UPDATE alembic_version SET version_num = '9999'")
        ledger.commit()
    with pytest.raises(LedgerSchemaError, match="'9999', which this code does not know"):
        run("ledger", "upgrade")


def test_an_audit_trail_that_somebody_changed_is_found(planted: str, ledger_file: Path) -> None:
    for _ in range(3):
        run("campaign", "pause", planted)
    verdict = found("audit", "verify")
    assert (verdict["ok"], verdict["first_bad"]) == (True, None)
    last = verdict["entries"]
    assert f"{last} entries, and every digest fits" in run("audit", "verify").stdout

    with closing(sqlite3.connect(ledger_file)) as ledger:
        ledger.execute("UPDATE audit_entries SET actor = 'nobody' WHERE seq = ?", (last - 1,))
        ledger.commit()
    bad = found("audit", "verify", exit_code=1)
    assert (bad["ok"], bad["first_bad"]) == (False, last - 1)
    assert (
        f"entry {last - 1} does not fit" in CliRunner().invoke(cli.app, ["audit", "verify"]).stdout
    )


def test_an_audit_trail_that_was_cut_off_is_found(planted: str, ledger_file: Path) -> None:
    for _ in range(3):
        run("campaign", "pause", planted)
    entries = found("audit", "verify")["entries"]
    with closing(sqlite3.connect(ledger_file)) as ledger:
        ledger.execute("DELETE FROM audit_entries WHERE seq = ?", (entries,))
        ledger.commit()
    assert found("audit", "verify", exit_code=1)["first_bad"] == entries


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatorProcess]:
    """Run a simulator that the environment's account points at."""
    with SimulatorProcess() as process:
        monkeypatch.setenv("GENESYS_BASE_URL", process.url)
        monkeypatch.setenv("GENESYS_CLIENT_ID", process.client_id)
        monkeypatch.setenv("GENESYS_CLIENT_SECRET", process.client_secret)
        monkeypatch.setenv("GENESYS_STATE_DIR", str(tmp_path / "state"))
        yield process


def test_the_receiver_is_registered_once(simulator: SimulatorProcess, ledger_file: Path) -> None:
    url = "https://hooks.example.org/webhooks/genesys-messaging"
    first = found("webhook", "register", "--no-check", url)
    again = found("webhook", "register", "--no-check", url)
    assert (first["created"], again["created"]) == (True, False)
    assert first["id"] == again["id"]
    client = Caller(simulator)
    (webhook,) = client.get("/api/v2/webhooks").json()["entities"]
    assert webhook["httpTarget"]["url"] == url
    client.close()


def test_a_receiver_that_answers_is_registered(
    simulator: SimulatorProcess, ledger_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYS_WEBHOOK_SECRET", SECRET)
    with ReceiverProcess(f"sqlite:///{ledger_file}") as receiver:
        made = found("webhook", "register", receiver.url)
        told = run("webhook", "register", receiver.url).output
    assert (made["created"], made["checked"]) == (True, True)
    assert f"{receiver.url} is registered as {made['id']}, and it takes signed events" in told
    with closing(sqlite3.connect(ledger_file)) as ledger:
        query = "SELECT actor FROM audit_entries WHERE action = 'webhook.registered'"
        actors = [actor for (actor,) in ledger.execute(query)]
    assert [actor.partition(":")[0] for actor in actors] == ["cli", "cli"]


def test_a_receiver_that_does_not_answer_is_a_sentence(
    simulator: SimulatorProcess, ledger_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYS_WEBHOOK_SECRET", SECRET)
    with (
        closed_port() as port,
        pytest.raises(ReceiverCheckError, match="refuses the connection") as caught,
    ):
        run("webhook", "register", f"http://127.0.0.1:{port}/hook")
    assert "--no-check" in str(caught.value)


def test_unknown_messages_are_listed_and_settled(planted: str, ledger_file: Path) -> None:
    assert found("messages", "unknown") == {"unknown": []}
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    with closing(sqlite3.connect(ledger_file)) as ledger:
        ledger.execute(
            "UPDATE messages SET state = 'unknown', attempted_at = ? WHERE row_number <= 2", (now,)
        )
        ledger.commit()
    listed = found("messages", "unknown", "--campaign", planted)["unknown"]
    assert [one["address"][0] for one in listed] == ["…", "…"]  # never a whole address
    settled = found("messages", "settle", listed[0]["id"], "--as", "sent", "--reason", "asked")
    assert settled == {"id": listed[0]["id"], "settled_as": "sent"}
    run("messages", "settle", listed[1]["id"], "--as", "resend")
    states = found("campaign", "status", planted)["states"]
    assert (states["accepted"], states["planned"], states["unknown"]) == (1, 4, 0)
    with pytest.raises(CampaignDefinitionError, match="names 0 unknown messages"):
        run("messages", "settle", listed[0]["id"], "--as", "sent")


def test_a_wrong_verdict_is_refused() -> None:
    assert run("messages", "settle", "abcdefgh", "--as", "maybe").exit_code == 2


def test_a_consent_is_withdrawn_and_given_again(ledger_file: Path) -> None:
    answer = found("consents", "withdraw", "+1 202 555 0101", "--reason", "asked by phone")
    assert (answer["address"], answer["state"]) == ("…01", "withdrawn")
    assert {"messaging:sms", "messaging:whatsapp"} <= set(answer["channels"])
    listed = found("consents", "list")["consents"]
    assert {one["channel"] for one in listed} == set(answer["channels"])
    assert {(one["state"], one["reason"]) for one in listed} == {("withdrawn", "asked by phone")}
    assert all(one["source"].startswith("cli:") for one in listed)
    assert "is given" in run("consents", "give", "+12025550101").output
    assert "+12025550101" not in run("consents", "list").output


@pytest.mark.parametrize("command", [("consents", "withdraw"), ("suppressions", "add")])
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("12",), "Nothing was changed"), (("+12025550101", "--channel", "sms"), "no channel 'sms'")],
)
@pytest.mark.usefixtures("ledger_file")
def test_an_address_that_is_none_changes_nothing(
    command: tuple[str, ...], arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CampaignDefinitionError, match=sentence):
        run(*command, *arguments)
