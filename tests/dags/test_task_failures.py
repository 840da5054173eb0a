"""What people get wrong: every task says what, where and what to do, and nothing is sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.errors import (
    AudienceError,
    AuthenticationError,
    CampaignDefinitionError,
    ConfigurationError,
    ConnectionSettingsError,
    EndpointMissingError,
    ExportTargetError,
    LedgerSchemaError,
    LedgerUnavailableError,
    NotSentError,
    TemplateError,
)
from tests.closed_port import closed_port
from tests.dags.contacts import filled_in
from tests.dags.runs import DagRuns
from tests.simulator.server import SimulatorProcess

Change = Callable[..., None]


@pytest.fixture(autouse=True)
def nothing_is_sent(simulator: SimulatorProcess) -> Iterator[None]:
    """Hold, after every test here, that no message was accepted."""
    yield
    assert simulator.messages() == []


@pytest.fixture
def params(connection: dict[str, object], place: Path) -> dict[str, Any]:
    """Return the Params of a run that would succeed."""
    from tests.dags.runs import dag_bag

    return {
        **dag_bag().dags["send_campaign"].params.dump(),
        **filled_in(place),
    }


@pytest.fixture
def change(connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Change:
    """Change the connection."""

    def apply(**fields: object) -> None:
        described = json.dumps(connection | fields)
        monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", described)

    return apply


def plan(params: dict[str, Any], **changes: object) -> Any:
    """Run the plan task's function as a run with these Params does."""
    from genesys_cloud.workflows.campaign_tasks import plan

    return plan.function(None, params=params | changes, dag_run=None)


def test_a_plan_that_is_right_is_made(params: dict[str, Any]) -> None:
    # What the failures below are held against.
    assert plan(params)["counts"]["planned"] == 7


def test_wrong_credentials_are_found_before_anybody_approves(
    params: dict[str, Any], change: Change, place: Path
) -> None:
    change(password="not-the-secret")
    with pytest.raises(AuthenticationError) as caught:
        plan(params)
    assert "genesys_cloud_default" in str(caught.value)
    assert "not-the-secret" not in str(caught.value)
    assert not (place / "ledger.db").exists()


def test_a_missing_scope_is_named(
    params: dict[str, Any], runs: DagRuns, simulator: SimulatorProcess
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 403}])
    run = runs.run("send_campaign", params)
    assert run.state == "failed"
    assert run.tasks["send"] == ["failed"]
    assert run.tasks["summary"] == ["failed"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"host": "", "extra": {"region": "mars-1"}}, r"no region 'mars-1'. Use one of: us-east-1"),
        ({"host": "genesys example"}, r"not a base URL. Write scheme, host and port"),
        ({"login": ""}, r"'genesys_cloud_default' has no OAuth client id or secret. Fill in login"),
        ({"extra": {"profile": "soap"}}, r"profile 'soap'; use auto, messaging or agentless"),
        ({"extra": {"requests_per_minute": "many"}}, r"Correct requests_per_minute and timeout_s"),
    ],
)
def test_a_connection_that_can_not_work_is_refused(
    params: dict[str, Any], change: Change, fields: dict[str, object], sentence: str
) -> None:
    change(**fields)
    with pytest.raises(ConnectionSettingsError, match=sentence):
        plan(params)


def test_a_host_that_does_not_answer_is_named(params: dict[str, Any], change: Change) -> None:
    with closed_port() as port:
        change(host=f"http://127.0.0.1:{port}")
        with pytest.raises(NotSentError, match=f"http://127.0.0.1:{port}"):
            plan(params)


def test_a_host_that_serves_something_else_is_named(
    params: dict[str, Any], change: Change, simulator: SimulatorProcess
) -> None:
    change(host=f"{simulator.url}/_sim")
    with pytest.raises(EndpointMissingError, match="genesys_cloud_default"):
        plan(params)


@pytest.fixture
def templates(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of templates of the test's own."""
    folder = place / "include" / "templates" / "mine"
    folder.mkdir(parents=True)
    (folder / "en.j2").write_text("Hello {{ name }}")
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(place / "include"))
    return folder


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("en.j2", "Hello {{ name }", r"mine/en\.j2, line 1: "),
        ("en.j2", "one\n{% if name %}Hello", r"mine/en\.j2, line 2: "),
        ("english.txt.j2", "Hello", r"mine/english\.txt\.j2 is not called <language>"),
    ],
)
def test_a_template_that_does_not_parse_is_named_with_its_line(
    params: dict[str, Any], templates: Path, name: str, text: str, sentence: str
) -> None:
    (templates / name).write_text(text)
    with pytest.raises(TemplateError, match=sentence):
        plan(params, template="mine")


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"template": "none_such"}, TemplateError, r"no template 'none_such'. Templates that exi"),
        ({"default_language": "pt"}, TemplateError, r"no text in 'pt', .* it has de, en, es, fr"),
        (
            {"channel": "messaging:fax", "sender": "fax:1"},
            CampaignDefinitionError,
            r"Unsupported channelType: messag",
        ),
        (
            {"channel": "messaging:open", "sender": "open:1"},
            CampaignDefinitionError,
            r"'winter'.*does not send on",
        ),
        ({"sender": "Ann"}, CampaignDefinitionError, r"The sender of a campaign on messaging:wha"),
        ({"campaign_id": "a b"}, CampaignDefinitionError, r"campaign_id 'a b' is not usable: use"),
        ({"audience": "nobody.csv"}, AudienceError, r"audience 'nobody.csv' does not exist. Give"),
        ({"audience": "s3://b/x.csv"}, AudienceError, r"'s3://b/x.csv' can't be used.*install the"),
        ({"audience": "/dev"}, AudienceError, r"The audience '/dev' can't be read"),
        ({"deadline": "2026-12-01T18:00"}, CampaignDefinitionError, r"Give it with its offset"),
    ],
)
def test_a_campaign_that_can_not_work_is_refused(
    params: dict[str, Any],
    place: Path,
    changes: dict[str, object],
    error: type[ConfigurationError],
    sentence: str,
) -> None:
    for dry_run in (True, False):
        with pytest.raises(error, match=sentence):
            plan(params, **changes, dry_run=dry_run)
    assert count_of_occurrences(place) == 0


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_list_without_addresses_is_named_and_plans_nothing(
    params: dict[str, Any], place: Path, suffix: str
) -> None:
    location = place / f"list.{suffix}"
    if suffix == "csv":
        location.write_text("name,phone\nAnn,+12025550143\n")
    else:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.table({"name": ["Ann"], "phone": ["+12025550143"]})
        pyarrow.parquet.write_table(table, location)
    with pytest.raises(AudienceError, match=rf"list\.{suffix}.*no address column.*name, phone"):
        plan(params, audience=str(location))
    assert count_of_occurrences(place) == 0


def count_of_occurrences(place: Path) -> int:
    """Return how many plans the ledger holds, 0 where there is no ledger."""
    if not (place / "ledger.db").exists():
        return 0
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        return int(ledger.execute("SELECT count(*) FROM occurrences").fetchone()[0])


def test_a_broken_parquet_file_is_named(params: dict[str, Any], place: Path) -> None:
    (place / "half.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(AudienceError, match=r"half\.parquet.*begins like Parquet"):
        plan(params, audience=str(place / "half.parquet"))


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ("0000", r"ledger\.db has schema '0000', which this code does not know"),
        ("9999", r"ledger\.db has schema '9999'.*Update this project"),
    ],
)
def test_a_ledger_of_another_version_is_refused(
    params: dict[str, Any], place: Path, revision: str, sentence: str
) -> None:
    plan(params)
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        ledger.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        ledger.commit()
    with pytest.raises(LedgerSchemaError, match=sentence):
        plan(params)


def test_a_ledger_that_can_not_be_made_is_not_taken_for_a_bad_audience(
    params: dict[str, Any], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "file").write_text("not a folder")
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{place}/file/ledger.db")
    with pytest.raises(LedgerUnavailableError, match=r"file/ledger\.db.*GENESYS_LEDGER_URL"):
        plan(params)


def test_an_address_of_the_ledger_that_is_none_is_refused_without_its_password(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYS_LEDGER_URL", "oracle://scott:tiger@host/db")
    with pytest.raises(ConnectionSettingsError, match="Set the connection genesys_ledger") as error:
        plan(params)
    assert "tiger" not in str(error.value)


def export(**changes: object) -> Any:
    """Run the report task's function for a day."""
    from genesys_cloud.workflows.report_tasks import export

    given = {"date": "2024-01-15", "allow_incomplete": False, "profile": None, **changes}
    return export.function(params=given, dag_run=None)


@pytest.mark.parametrize("target", ["file/exports", "s3://bucket/exports"])
def test_a_place_for_reports_that_can_not_be_written_is_named(
    change: Change, place: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    (place / "file").write_text("not a folder")
    url = target if "://" in target else str(place / target)
    monkeypatch.setenv("GENESYS_EXPORT_URL", url)
    with pytest.raises(ExportTargetError, match=url):
        export()


def test_a_report_with_wrong_credentials_says_so(change: Change, place: Path) -> None:
    change(password="not-the-secret")
    with pytest.raises(AuthenticationError, match="genesys_cloud_default"):
        export()
    assert not (place / "exports" / "deliveries" / "date=2024-01-15").exists()


def test_a_run_whose_plan_failed_says_where_to_look(runs: DagRuns, params: dict[str, Any]) -> None:
    run = runs.run("send_campaign", params | {"audience": "nobody.csv"})
    assert run.state == "failed"
    assert run.tasks["plan"] == run.tasks["summary"] == ["failed"]
    assert run.tasks["send"] == ["upstream_failed"]
