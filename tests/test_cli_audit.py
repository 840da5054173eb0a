"""`genesys-cloud audit`, against a ledger with a campaign that was paused a few times."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.database import open_ledger
from tests.airflow_warnings import AIRFLOWS_OWN
from tests.command_line import run
from tests.ledger.chains import strangers_verdict
from tests.ledger.planted import CAMPAIGN, plant

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

ENTRIES = 3


@pytest.fixture(autouse=True)
def clean_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo, after each test, what a command tells Airflow about its process."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


@pytest.fixture
def ledger_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a ledger whose trail has ENTRIES entries."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    monkeypatch.setenv("GENESYS_LEDGER_URL", url)
    ledger = open_ledger(url)
    plant(ledger, 5)
    ledger.close()
    for _ in range(ENTRIES):
        run("campaign", "pause", CAMPAIGN.campaign_id)
    return tmp_path / "ledger.db"


def verdict(*arguments: object, given: str | None = None) -> tuple[int, Any]:
    """Return the exit code of `audit verify --json`, and what it printed."""
    result = run("audit", "verify", "--json", *arguments, given=given)
    return result.exit_code, json.loads(result.stdout)


def forge(ledger_file: Path, statement: str) -> None:
    """Change the database as somebody may who can write it."""
    with closing(sqlite3.connect(ledger_file)) as database:
        database.execute(statement)
        database.commit()


def test_a_head_is_printed_and_holds(ledger_file: Path, tmp_path: Path) -> None:
    head = run("audit", "head").stdout.strip()
    seq, _, digest = head.partition(":")
    assert json.loads(run("audit", "head", "--json").stdout) == {"seq": ENTRIES, "digest": digest}
    assert int(seq) == ENTRIES
    run("campaign", "pause", CAMPAIGN.campaign_id)  # the trail goes on
    (tmp_path / "heads.txt").write_text(f"{head}\n\n")
    good = (0, {"ok": True, "entries": ENTRIES + 1, "first_bad": None})
    assert verdict() == good
    assert verdict("--head", head, "--head", head) == good
    assert verdict("--heads", tmp_path / "heads.txt") == good
    assert verdict("--heads", "-", given=f"{head}\n") == good


def test_a_head_that_disagrees_names_its_entry_and_says_why(ledger_file: Path) -> None:
    other = f"2:{'a' * 64}"
    assert verdict("--head", other) == (1, {"ok": False, "entries": 2, "first_bad": 2})
    said = run("audit", "verify", "--head", other).stdout
    assert "entry 2 does not fit: the known head 2 has another digest" in said
    assert verdict("--head", f"9:{'a' * 64}")[1]["first_bad"] == ENTRIES + 1


def test_what_is_no_head_is_refused(ledger_file: Path) -> None:
    with pytest.raises(CampaignDefinitionError, match="'nonsense' is not the head"):
        run("audit", "verify", "--head", "nonsense")


def test_an_entry_that_was_changed_is_named(ledger_file: Path) -> None:
    forge(ledger_file, "UPDATE audit_entries SET actor = 'nobody' WHERE seq = 2")
    assert verdict() == (1, {"ok": False, "entries": 2, "first_bad": 2})
    assert "entry 2 does not fit: its fields" in run("audit", "verify").stdout


def test_an_export_is_a_file_with_its_manifest(ledger_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "trail.jsonl"
    said = run("audit", "export", "--out", out).stdout
    assert said == f"{ENTRIES} entries are in {out}, their manifest is trail.jsonl.manifest.json\n"
    manifest = json.loads((tmp_path / "trail.jsonl.manifest.json").read_text())
    assert (manifest["complete"], manifest["entries"], manifest["format"]) == (True, 3, "jsonl")
    assert manifest["exported_by"].startswith("cli:")
    assert strangers_verdict(out, tmp_path / "trail.jsonl.manifest.json")[0] == 0
    assert not list(tmp_path.glob(".*"))
    again = json.loads(run("audit", "export", "--out", out, "--json").stdout)
    assert again == json.loads((tmp_path / "trail.jsonl.manifest.json").read_text())
    assert again["entries"] == ENTRIES + 1  # the first export


def test_an_export_of_a_tampered_trail_names_the_same_entry(
    ledger_file: Path, tmp_path: Path
) -> None:
    forge(ledger_file, "UPDATE audit_entries SET actor = 'nobody' WHERE seq = 2")
    out = tmp_path / "trail.jsonl"
    run("audit", "export", "--out", out)
    assert strangers_verdict(out, tmp_path / "trail.jsonl.manifest.json")[:2] == (1, 2)


def test_an_export_to_standard_output_is_the_entries_alone(ledger_file: Path) -> None:
    result = run("audit", "export", "--out", "-", "--campaign", CAMPAIGN.campaign_id)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    manifest = json.loads(result.stderr.splitlines()[-1])
    assert (manifest["filters"]["campaign"], manifest["complete"]) == ("camp_1", False)


def test_an_export_takes_times_formats_and_addresses(ledger_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "trail.csv"
    arguments = ("--from", "2020-01-01", "--to", "2020-01-02T00:00:00+01:00", "--format", "csv")
    manifest = json.loads(run("audit", "export", "--out", out, *arguments, "--json").stdout)
    assert (manifest["filters"]["from"], manifest["filters"]["to"]) == (
        "2020-01-01T00:00:00.000Z",
        "2020-01-01T23:00:00.000Z",
    )
    assert manifest["entries"] == 0
    assert out.read_text().startswith("seq,audit_id,at,actor,action,")
    address = ("--address", "+1 202 555 0001")
    assert run("audit", "export", "--out", out, *address).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("--from", "yesterday"), "Write 2026-03-01 or"),
        (("--address", "nobody at all!"), "E.164|nobody's address"),
    ],
)
def test_what_can_not_be_meant_is_refused(
    ledger_file: Path, tmp_path: Path, arguments: tuple[str, ...], cure: str
) -> None:
    with pytest.raises(CampaignDefinitionError, match=cure):
        run("audit", "export", "--out", tmp_path / "x", *arguments)


def test_a_place_that_can_not_be_written_is_named(ledger_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CampaignDefinitionError, match=r"can't be written to .*No such file"):
        run("audit", "export", "--out", tmp_path / "nowhere" / "trail.jsonl")
    assert verdict()[1]["entries"] == ENTRIES  # nothing was handed out, so nothing is said
