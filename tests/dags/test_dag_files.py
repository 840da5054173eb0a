"""Every DAG file, parsed as Airflow parses it: what is there, what its form asks, what it costs."""

from __future__ import annotations

import ast
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.dags.runs import ROOT, dag_bag

DAG_FILES = sorted((ROOT / "dags").glob("*.py"))

CAMPAIGN_PARAMS = {
    # name: (default, JSON types); the surface that people and scripts start campaigns by
    "campaign_id": (None, "string"),
    "audience": (None, "string"),
    "template": (None, "string"),
    "channel": ("messaging:sms", "string"),
    "sender": (None, "string"),
    "default_language": ("en", "string"),
    "dry_run": (True, "boolean"),
    "require_approval": (True, "boolean"),
    "not_before": (None, ["null", "string"]),
    "deadline": (None, ["null", "string"]),
    "approval_by_other": (False, "boolean"),
    "approval_hours": (24, "number"),
    "messages_per_minute": (None, ["null", "integer"]),
    "batch_size": (500, "integer"),
    "use_active_conversation": (False, "boolean"),
}
FILLED_IN = {
    "campaign_id": "winter",
    "audience": "orders.csv",
    "template": "order_update",
    "sender": "+12025550100",
}
HEAVY = ("pandas", "pyarrow", "matplotlib", "requests", "fastapi", "sqlalchemy", "phonenumbers")


def default_of(dag_id: str, name: str) -> Any:
    """Return a Param's default, None where it has none."""
    value = dag_bag().dags[dag_id].params.get_param(name).value
    return value if isinstance(value, (str, int, float, bool)) else None


@cache
def form(dag_id: str) -> Any:
    """Return a DAG's Params as Airflow's server has them, which checks what people fill in."""
    from airflow.serialization.serialized_objects import DagSerialization

    dag = dag_bag().dags[dag_id]
    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).params


def refusal(dag_id: str, conf: Mapping[str, object]) -> str:
    """Return what Airflow answers to a run with these Params."""
    from airflow.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError) as caught:
        form(dag_id).deep_merge(conf).validate()
    return str(caught.value)


def test_no_dag_file_fails_to_parse() -> None:
    assert dag_bag().import_errors == {}


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_every_dag_file_yields_a_dag_of_its_own_name(file: Path) -> None:
    (dag,) = (dag for dag in dag_bag().dags.values() if dag.fileloc == str(file))
    assert dag.dag_id == file.stem
    assert dag.doc_md == ast.get_docstring(ast.parse(file.read_text()), clean=False)


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_airflows_search_does_not_pass_a_file_over(file: Path) -> None:
    # Without both words Airflow skips a file, and says nothing.
    text = file.read_text().lower()
    assert "dag" in text
    assert "airflow" in text


def test_the_dags_that_people_know_are_there() -> None:
    expected = {
        *("send_campaign", "delivery_report", "reconcile_sends", "webhook_subscription"),
        *("campaign_control", "ledger_retention", "appointment_reminder", "order_update"),
        "send_test",
        "sync_suppressions",
        "track_statuses",
    }
    assert expected <= set(dag_bag().dags)


def test_send_campaign_has_the_documented_params() -> None:
    params = dag_bag().dags["send_campaign"].params
    found = {
        name: (default_of("send_campaign", name), params.get_param(name).schema["type"])
        for name in CAMPAIGN_PARAMS
    }
    assert found == CAMPAIGN_PARAMS


def test_the_channels_of_the_form_are_those_that_exist() -> None:
    assert dag_bag().dags["send_campaign"].params.get_param("channel").schema["enum"] == [
        *("messaging:apple", "messaging:facebook", "messaging:open", "messaging:sms"),
        *("messaging:web", "messaging:whatsapp"),
    ]


def test_what_every_run_needs_is_outside_folded_sections() -> None:
    params = dag_bag().dags["send_campaign"].params
    shown = [name for name in params if not params.get_param(name).schema.get("section")]
    assert shown == [
        *("campaign_id", "audience", "template", "channel", "sender"),
        *("dry_run", "require_approval"),
    ]


def test_every_field_of_every_form_is_explained() -> None:
    bare = [
        f"{dag_id}.{name}"
        for dag_id, dag in dag_bag().dags.items()
        for name in dag.params
        if not dag.params.get_param(name).schema.get("description_md")
    ]
    assert bare == []


@pytest.mark.parametrize("dag_id", ["appointment_reminder", "order_update"])
def test_a_scheduled_campaign_sends_without_asking(dag_id: str) -> None:
    dag = dag_bag().dags[dag_id]
    dag.params.validate()
    assert not dag.catchup
    assert default_of(dag_id, "dry_run") is False
    assert default_of(dag_id, "require_approval") is False
    assert default_of(dag_id, "campaign_id") == dag_id


def test_the_report_has_intervals_of_one_utc_day() -> None:
    from airflow.sdk import CronDataIntervalTimetable

    dag = dag_bag().dags["delivery_report"]
    assert isinstance(dag.timetable, CronDataIntervalTimetable)
    assert default_of("delivery_report", "allow_incomplete") is False
    assert {"date", "profile"} <= set(dag.params)


def test_a_filled_in_form_is_taken() -> None:
    form("send_campaign").deep_merge(FILLED_IN).validate()


@pytest.mark.parametrize("name", FILLED_IN)
def test_a_missing_value_is_refused_by_name(name: str) -> None:
    rest = {key: value for key, value in FILLED_IN.items() if key != name}
    assert f"Invalid input for param {name}:" in refusal("send_campaign", rest)


@pytest.mark.parametrize(
    ("dag_id", "name", "value"),
    [
        ("delivery_report", "date", "yesterday"),
        ("delivery_report", "date", "2024-02-30"),
        ("delivery_report", "profile", "other"),
        ("delivery_report", "allow_incomplete", "yes"),
        ("send_campaign", "deadline", "tomorrow"),
        ("send_campaign", "error_budget_share", 1.5),
        ("campaign_control", "action", "delete"),
        ("sync_suppressions", "list_id", ""),
        ("webhook_subscription", "kind", "websocket"),
        ("track_statuses", "window_minutes", 0),
    ],
)
def test_other_forms_refuse_by_name_too(dag_id: str, name: str, value: object) -> None:
    # What a form does not have is none of its business, so one filled-in form serves all.
    assert f"Invalid input for param {name}:" in refusal(dag_id, FILLED_IN | {name: value})


def test_parsing_every_dag_file_loads_nothing_heavy() -> None:
    # Each task process parses its file anew: pandas at the top of one would cost every task 0.5 s.
    script = f"""
import sys
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag({str(ROOT / "dags")!r})
assert not bag.import_errors and bag.dags
heavy = [name for name in {HEAVY!r} if name in sys.modules and name not in before]
ours = sorted(name for name in set(sys.modules) - before if name.startswith("genesys_cloud"))
import json; print(json.dumps([heavy, ours]))
"""
    heavy, ours = json.loads(run_python(script).splitlines()[-1])
    assert heavy == []
    assert [name for name in ours if name.split(".")[1] in {"api", "ledger", "reporting"}] == []


def test_the_plugin_scan_finds_the_shim_and_nothing_else(tmp_path: Path) -> None:
    script = """
import json, statistics, sys
from airflow import plugins_manager
stdlib = statistics.__file__
before = set(sys.modules)
plugins, errors = plugins_manager._get_plugins()
ours = [plugin.name for plugin in plugins if "genesys" in plugin.name]
loaded = [
    name for name, module in list(sys.modules.items())
    if name not in before and "plugins/genesys_cloud" in (getattr(module, "__file__", "") or "")
]
import errno, statistics as again
assert sys.modules["statistics"].__file__ == again.__file__ == stdlib
heavy = [name for name in ("fastapi", "pandas", "requests") if name in set(sys.modules) - before]
print(json.dumps([ours, loaded, {str(k): str(v) for k, v in errors.items()}, heavy]))
"""
    ours, loaded, errors, heavy = json.loads(run_python(script).splitlines()[-1])
    assert ours == ["genesys_cloud"]
    # Under their full names only: the scanner would register `errors` or `settings` bare.
    assert [name for name in loaded if not name.startswith("genesys_cloud")] == []
    assert (errors, heavy) == ({}, [])
    assert statistics.median([1, 2, 9]) == 2


def run_python(script: str) -> str:
    """Run a script in a Python of its own, with this session's Airflow settings."""
    ran = subprocess.run(
        [sys.executable, "-c", script], env=dict(os.environ), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3_000:]
    return ran.stdout
