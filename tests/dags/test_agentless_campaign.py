"""A campaign in the platform's own profile, run; the simulator's own log says what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.dags.runs import DagRuns, dag_to_run, ledger_rows
from tests.simulator.server import SimulatorProcess

INTEGRATION = "0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11"
APPROVED = {
    "en": 'response_id = "5e6f2f0a-3c1d-4b6a-9d52-0c7a1f4e8b21"\n[body]\n'
    '1 = "{{ name }}"\n2 = "{{ orderId }}"\n',
    "es": 'response_id = "order-es"\n[header]\nday = "{{ date | date }}"\n[body]\n'
    '1 = "{{ greeting }} {{ name }}"\n[button_url]\nq = "{{ orderId }}"\n',
}
HEADER = "address,consent,language,name,orderId,date"
PEOPLE = [
    "+12025550143,true,en,Alex,A-1,2027-01-02",
    "+12025550144,true,es,Ana Marker,A-2,2027-01-02",
    "+12025550145,true,en,,A-3,2027-01-02",
    "+12025550146,false,en,Bo,A-4,2027-01-02",
]


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[SimulatorProcess]:
    """Run a simulator that serves the platform's own API alone."""
    with SimulatorProcess(profiles="agentless", requests_per_minute=600_000) as process:
        yield process


@pytest.fixture
def conf(
    connection: dict[str, object],
    simulator: SimulatorProcess,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Any]:
    """Return what a person fills in for a real run, with templates of an organisation's own."""
    folder = place / "include" / "templates" / "order"
    folder.mkdir(parents=True)
    for language, source in APPROVED.items():
        (folder / f"{language}.whatsapp.toml").write_text(source)
    (folder / "en.j2").write_text("Hello {{ name }}, your order {{ orderId }} is ready.")
    (folder.parent / "greetings.toml").write_text('en = "Hello"\nes = "Hola"\n')
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(place / "include"))
    tell(
        simulator,
        "responses",
        id="order-es",
        substitutions=[{"id": "1"}, {"id": "day"}, {"id": "q"}],
        texts=[{"content": "{{day}}: {{1}} ({{q}})"}],
        messagingTemplate={"whatsApp": {"language": "es", "templateStatus": "APPROVED"}},
    )
    return {
        "campaign_id": "winter",
        "audience": people(place, PEOPLE),
        "template": "order",
        "channel": "messaging:whatsapp",
        "sender": INTEGRATION,
        "dry_run": False,
        "require_approval": False,
    }


def people(place: Path, lines: list[str]) -> str:
    (place / "people.csv").write_text("\n".join([HEADER, *lines]))
    return str(place / "people.csv")


def tell(simulator: SimulatorProcess, what: str, **fields: object) -> None:
    answer = requests.post(f"{simulator.url}/_sim/{what}", json=fields, timeout=30)
    answer.raise_for_status()


def arrived(simulator: SimulatorProcess) -> list[tuple[str, str]]:
    return sorted((message["to"], message["text"]) for message in simulator.messages())


def test_everybody_reads_the_approved_template_with_their_own_values(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    run = runs.run("send_campaign", conf)

    assert run.state == "success"
    assert arrived(simulator) == [
        ("12025550143", "Hello Alex, your order A-1 is ready."),
        ("12025550144", "2 de enero de 2027: Hola Ana Marker (A-2)"),
    ]
    assert {message["from"] for message in simulator.messages()} == {INTEGRATION}
    assert run.one("plan")["profile"] == "agentless"
    rows = ledger_rows(place)
    assert [row["reason_code"] for row in rows] == [
        *(None, None, "missing_variable", "consent_not_verified")
    ]
    assert {row["address"] for row in rows[:2]} == {
        *("whatsapp:+12025550143", "whatsapp:+12025550144")
    }
    assert {(row["api_message_id"], row["conversation_id"]) for row in rows[:2]} == {
        (message["id"], message["conversationId"]) for message in simulator.messages()
    }
    assert b"Ana Marker" not in runs.stored()


def test_a_dry_run_says_what_genesys_would_refuse_and_sends_nothing(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    good = runs.run("send_campaign", conf | {"dry_run": True})
    assert good.one("plan")["profile"] == "agentless"
    assert good.one("plan")["counts"]["planned"] == 2

    tell(simulator, "responses", id="order-es", substitutions=[{"id": "1"}, {"id": "2"}])
    for dry_run in (True, False):
        assert runs.run("send_campaign", conf | {"dry_run": dry_run}).tasks["plan"] == ["failed"]
    assert simulator.messages() == []
    assert ledger_rows(place) == []


@pytest.mark.parametrize(
    ("channel", "sender", "address", "wire"),
    [
        ("messaging:sms", "+12025550100", "+12025550143", "+12025550143"),
        ("messaging:apple", INTEGRATION, "apple:+12025550143", "+12025550143"),
        ("messaging:open", INTEGRATION, "user@example.com", "user@example.com"),
        ("messaging:web", INTEGRATION, f"web:{INTEGRATION}", INTEGRATION),
    ],
)
def test_every_other_channel_takes_the_text(
    runs: DagRuns,
    conf: dict[str, Any],
    simulator: SimulatorProcess,
    place: Path,
    *,
    channel: str,
    sender: str,
    address: str,
    wire: str,
) -> None:
    audience = people(place, [f"{address},true,en,Alex,A-1,"])
    changes = {"channel": channel, "sender": sender, "audience": audience}
    assert runs.run("send_campaign", conf | changes).state == "success"
    assert arrived(simulator) == [(wire, "Hello Alex, your order A-1 is ready.")]


@pytest.mark.parametrize("dry_run", [True, False])
def test_facebook_is_refused_before_anything_is_planned(
    runs: DagRuns,
    conf: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    place: Path,
    *,
    dry_run: bool,
) -> None:
    changes = {"channel": "messaging:facebook", "sender": "1029384756", "dry_run": dry_run}
    run = runs.run("send_campaign", conf | changes)
    assert run.tasks["plan"] == ["failed"]
    printed = caplog.text + "".join(capfd.readouterr())
    assert "Genesys Cloud has no agentless route to Facebook" in printed


def test_a_message_goes_into_a_conversation_only_where_the_campaign_says_so(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    parties = {"channel": "sms", "from": "+12025550100", "to": "+12025550143"}
    tell(simulator, "conversations/open", **parties)
    sms = conf | {"channel": "messaging:sms", "sender": "+12025550100"}
    sms |= {"audience": people(place, PEOPLE[:1])}
    refused = runs.run("send_campaign", sms)
    assert refused.one("summary")["states"]["rejected"] == 1
    assert simulator.messages() == []

    runs.run("send_campaign", sms | {"occurrence": "again", "use_active_conversation": True})
    assert [to for to, _ in arrived(simulator)] == ["+12025550143"]


@pytest.fixture(scope="module")
def two_profiles() -> Iterator[SimulatorProcess]:
    """Run a simulator that serves both profiles, as no real host does."""
    with SimulatorProcess(profiles="both", requests_per_minute=600_000) as process:
        yield process


def test_nothing_goes_out_by_another_profile_than_it_was_planned_for(
    runs: DagRuns,
    conf: dict[str, Any],
    connection: dict[str, Any],
    two_profiles: SimulatorProcess,
    place: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (place / "include" / "templates" / "order" / "es.whatsapp.toml").unlink()

    def pin(profile: str) -> None:
        extra = {"profile": profile, "requests_per_minute": 600_000}
        described = connection | {"host": two_profiles.url, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", json.dumps(described))

    pin("agentless")
    dag, errors = dag_to_run("send_campaign"), []
    # Somebody pins the other profile while the campaign waits for its approval.
    dag.get_task("approve")._pre_execute_hook = lambda context: pin("messaging")
    failed = [lambda context: errors.append(str(context["exception"]))]
    dag.get_task("send").partial_kwargs["on_failure_callback"] = failed
    ended = dag.test(run_conf=conf)

    assert ended.state.value == "failed"
    assert errors == [
        "Campaign 'winter' was planned for the profile agentless, and connection "
        "'genesys_cloud_default' now has messaging: nothing was sent. Start the campaign again, "
        "which plans it anew, or give the connection back its profile."
    ]
    assert two_profiles.messages() == []
    assert [row["state"] for row in ledger_rows(place)] == ["planned"] * 2 + ["blocked"] * 2
    pin("agentless")
    runs.run("send_campaign", conf)
    assert len(two_profiles.messages()) == 2
