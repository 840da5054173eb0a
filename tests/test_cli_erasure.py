"""`erase` and `retention` from the command line, with ledger, spool and exports on one disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from genesys_cloud.errors import CampaignDefinitionError, RetentionPolicyError
from genesys_cloud.ledger import delivered
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.reporting.partitions import build_partition
from genesys_cloud.settings import PROJECT_ROOT
from tests.ledger.planted import CAMPAIGN, plant
from tests.test_cli import AIRFLOWS_OWN, clean_context, found, ledger_file, planted, run

__all__ = ["clean_context", "ledger_file", "planted"]

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

NUMBER = "+12025550003"
DIGITS = b"12025550003"
DAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, planted: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything on one disk: ledger, spool, exports; message m-3 went to the number."""
    monkeypatch.setenv("GENESYS_WEBHOOK_SPOOL", str(tmp_path / "spool"))
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        ledger.execute(
            "UPDATE messages SET state = 'accepted', api_message_id = 'm-3', "
            "settled_at = '2026-11-22 10:00:00.000000' WHERE row_number = 3"
        )
        ledger.commit()
    (tmp_path / "spool").mkdir()
    line = {"event_id": "e", "message_id": "m-3", "status": "sent",
            "occurred_at": "2026-11-22T10:00:00+00:00"}  # fmt: skip
    (tmp_path / "spool" / "events-1-1.jsonl").write_text(json.dumps(line) + "\n")
    export(tmp_path)
    return tmp_path


def export(home: Path) -> None:
    """Export the day as the report does; the API names the recipient, an export must not."""
    delivery = Delivery(
        message_id="m-3", channel="messaging:sms", status="delivered", recipient=NUMBER,
        created_at=DAY + timedelta(hours=10),
    )  # fmt: skip
    page = DeliveryPage(number=1, deliveries=[delivery], total=1, has_more=False)
    ledger = open_ledger(f"sqlite:///{home}/ledger.db")
    build_partition(
        [page], lambda ids: delivered.find(ledger, ids), home / "exports", DAY,
        DAY + timedelta(days=1),
    )  # fmt: skip
    ledger.close()


def files_of(home: Path) -> Iterator[tuple[Path, bytes]]:
    for path in home.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()
            if path.suffix == ".parquet":
                yield path, str(pq.read_table(path).to_pylist()).encode()


def quoting(home: Path) -> list[str]:
    """Return the files in which the number stands in any spelling."""
    spellings = (DIGITS, b"2025550003", b"202-555-0003", b"202 555 0003", b"(202) 555")
    return sorted({path.name for path, data in files_of(home) if any(s in data for s in spellings)})


def test_after_an_erasure_no_file_holds_the_number(home: Path) -> None:
    assert "ledger.db" in quoting(home)
    metrics = (home / "exports/deliveries/date=2026-11-22/metrics.json").read_bytes()
    certificate = found("erase", NUMBER, "--reason", "letter of 1 November")
    assert certificate["found"] is True
    assert certificate["removed"]["messages"] == 1
    assert certificate["removed"]["spooled_events"] == 1
    assert certificate["reason"] == "letter of 1 November"
    assert certificate["remnants"] == []
    assert quoting(home) == []

    # The day's report counts as before when it is made again.
    export(home)
    assert (home / "exports/deliveries/date=2026-11-22/metrics.json").read_bytes() == metrics
    assert quoting(home) == []
    assert found("audit", "verify")["ok"]
    status = found("campaign", "status", CAMPAIGN.campaign_id)
    assert (status["recipients"], status["states"]["accepted"]) == (5, 1)


def test_the_certificate_points_at_its_audit_entry(home: Path) -> None:
    certificate = found("erase", NUMBER)
    with closing(sqlite3.connect(home / "ledger.db")) as ledger:
        query = "SELECT action, actor, details FROM audit_entries WHERE seq = ?"
        action, actor, details = ledger.execute(query, (certificate["audit_seq"],)).fetchone()
    assert (action, actor) == ("person.erased", certificate["actor"])
    assert json.loads(details)["certificate"] == certificate["certificate_id"]


def test_a_second_erasure_says_that_nothing_was_found(home: Path) -> None:
    assert "Removed:" in run("erase", NUMBER).stdout
    again = run("erase", "whatsapp: +1 (202) 555-0003")
    assert again.exit_code == 0
    assert "Nothing was found, so nothing was removed." in again.stdout
    assert found("erase", NUMBER)["audit_seq"] is None


def test_an_opt_out_stays_unless_it_is_to_be_forgotten(home: Path) -> None:
    run("suppressions", "add", NUMBER)
    kept = found("erase", NUMBER)["kept"]
    assert {"suppressions", "message_keys"} == {one["what"] for one in kept}
    (listed,) = found("suppressions", "list")["suppressions"]
    assert (listed["masked_address"], listed["reason"]) == ("…", "kept_after_erasure")
    forgotten = found("erase", NUMBER, "--forget-suppression")
    assert forgotten["removed"]["suppressions"] == 1
    assert found("suppressions", "list")["suppressions"] == []


@pytest.mark.parametrize("address", ["12025550003", "nobody at all", "", "+1", "'; DROP TABLE"])
def test_what_is_no_address_is_refused_with_a_sentence(home: Path, address: str) -> None:
    with pytest.raises(CampaignDefinitionError, match=r"The address is .*\."):
        run("erase", address)
    assert "ledger.db" in quoting(home)


def test_a_channel_that_there_is_not_is_named(home: Path) -> None:
    with pytest.raises(CampaignDefinitionError, match="There is no channel 'messaging:fax'"):
        run("erase", NUMBER, "--channel", "messaging:fax")


def test_retention_counts_before_it_destroys(home: Path) -> None:
    with closing(sqlite3.connect(home / "ledger.db")) as ledger:
        ledger.execute("UPDATE messages SET settled_at = '2020-01-01 00:00:00.000000'")
        ledger.commit()
    rows = {"texts": 1, "preview_samples": 0, "digest_keys": 0, "addresses": 1, "events": 0}
    for _ in range(2):
        assert found("retention", "--dry-run") == {
            "dry_run": True, "policy_dated": "2026-11-23", "rows": rows
        }  # fmt: skip
    assert "would be destroyed by the policy of 2026-11-23:" in run("retention", "--dry-run").stdout
    assert found("retention")["rows"] == rows
    assert "         0  texts" in run("retention").stdout


def test_a_policy_that_is_missing_stops_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (PROJECT_ROOT / "include" / "policies" / "retention.toml").exists()
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(home / "nowhere"))
    with pytest.raises(RetentionPolicyError, match="No such file"):
        run("retention")


def test_a_ledger_of_nobody_is_erased_from_without_harm(ledger_file: Path) -> None:
    ledger = open_ledger(f"sqlite:///{ledger_file}")
    plant(ledger, 0)
    ledger.close()
    assert found("erase", NUMBER)["found"] is False
