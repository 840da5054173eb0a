"""Each check by itself: what it says where something is not as it should be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from genesys_cloud.api.registrations import Order, Registrations
from genesys_cloud.api.rights import RIGHTS
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.doctor import (
    checks_airflow,
    checks_api,
    checks_files,
    checks_ledger,
    checks_policies,
    checks_receiver,
)
from genesys_cloud.workflows.doctor.checks import CHECKS
from genesys_cloud.workflows.doctor.checkup import (
    Check,
    Level,
    Look,
    Scene,
    Step,
    counts,
    first_of,
    table,
)
from tests.api.wire import WireServer, http, says
from tests.ledger.chains import entry
from tests.ledger.planted import plant
from tests.simulator.caller import WEBHOOKS, Caller, a_webhook
from tests.simulator.platform_caller import INTEGRATIONS, RESPONSE_ID, Platform
from tests.simulator.server import SimulatorProcess

URL = "https://hooks.example.org/webhooks/genesys-messaging"
SECRET = "a-secret-of-some-length"


@pytest.fixture(autouse=True)
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the environment folders of the test's own, and return its include folder."""
    shutil.copytree(PROJECT_ROOT / "include", tmp_path / "include")
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(tmp_path / "include"))
    monkeypatch.setenv("GENESYS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("GENESYS_WEBHOOK_SPOOL", str(tmp_path / "spool"))
    return tmp_path / "include"


@pytest.fixture
def connect(simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what makes a scene whose connection has these extras; it is closed afterwards."""
    scenes: list[Scene] = []

    def scene(profile: str, *, url: str | None = None, **extra: object) -> Scene:
        described = {
            "conn_type": "genesys_cloud", "host": simulator.url, "login": simulator.client_id,
            "password": simulator.client_secret,
            "extra": {"profile": profile, "requests_per_minute": 1_000_000, **extra},
        }  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", json.dumps(described))
        if url is not None:
            monkeypatch.setenv("GENESYS_WEBHOOK_URL", url)
        scenes.append(a_scene())
        return scenes[-1]

    yield scene
    for one in scenes:
        one.close()


def a_scene() -> Scene:
    return Scene(conn_id="genesys_cloud_default", try_receiver=True)


def seen(look: Look, scene: Scene | None = None) -> Check:
    """Return the line of a check that has something to say."""
    check = Step(name="it", look=look).run(scene or a_scene())
    assert check is not None
    assert SECRET not in check.said
    return check


def webhook(caller: Caller, **changes: object) -> str:
    """Register a webhook that has our name, and return its id."""
    answer = caller.call("POST", WEBHOOKS, json=a_webhook(URL, **changes))
    return str(answer.json()["id"])


@pytest.fixture
def caller(simulator: SimulatorProcess) -> Iterator[Caller]:
    opened = Caller(simulator)
    yield opened
    opened.close()


def test_a_webhook_that_is_there_keeps_its_address_for_the_trial(
    connect: Any, caller: Caller
) -> None:
    scene = connect("messaging")
    webhook_id = webhook(caller)
    assert seen(checks_receiver.registered, scene).said == f"webhook {webhook_id} posts to {URL}"
    assert scene.registered_url == URL


@pytest.mark.parametrize(
    ("webhooks", "url", "level", "words"),
    [
        ([], None, Level.INFO, "every 15 minutes: keep reconcile_sends switched on"),
        ([], URL, Level.WRONG, f"No webhook is registered for {URL}: run webhook_subscription"),
        ([{"enabled": False}], URL, Level.WRONG, "is switched off: run webhook_subscription"),
        ([{}], f"{URL}/2?key=hush", Level.WRONG, f"{URL}, and GENESYS_WEBHOOK_URL is {URL}/2: run"),
        ([{}, {}], URL, Level.WARNING, "every event comes twice"),
        ([{}, {"enabled": False}], URL, Level.OK, f"posts to {URL}"),
        ([{"name": "another's"}], None, Level.INFO, "no webhook is registered"),
    ],
    ids=["none", "not ours yet", "off", "elsewhere", "twice", "one off", "another's"],
)  # fmt: skip
def test_the_webhooks_of_the_account_are_judged(
    connect: Any,
    caller: Caller,
    *,
    webhooks: list[dict[str, object]],
    url: str | None,
    level: Level,
    words: str,
) -> None:
    scene = connect("messaging", url=url)
    for changes in webhooks:
        webhook(caller, **changes)
    check = seen(checks_receiver.registered, scene)
    assert (check.level, words in check.said) == (level, True), check.said
    assert "hush" not in check.said


def test_a_host_without_a_list_of_webhooks_leaves_it_open(connect: Any) -> None:
    scene = connect("messaging")
    with WireServer(says(http(404))) as server:
        scene.account = replace(scene.account, base_url=server.url)
        check = seen(checks_receiver.registered, scene)
    assert check.level is Level.INFO
    assert check.said == "the host lists no webhooks, so nobody can tell"


def test_a_scope_that_is_lacking_is_found_by_trying(
    connect: Any, simulator: SimulatorProcess
) -> None:
    look = partial(checks_api.right, RIGHTS[0])
    assert seen(look, connect("messaging")).said == "granted: messaging:messages:read"
    simulator.faults([{"on": "list", "fault": "status", "status": 403}])
    check = seen(look, connect("messaging"))
    assert (check.level, check.said) == (
        Level.WRONG,
        "the OAuth client lacks messaging:messages:read. Add that scope to the client in the "
        "Admin Console.",
    )
    simulator.clear_faults()
    simulator.faults([{"on": "list", "fault": "status", "status": 400}])
    assert "HTTP 400" in seen(look, connect("messaging")).said


def test_webhooks_that_may_not_be_seen_matter_to_whoever_has_a_receiver(
    connect: Any, simulator: SimulatorProcess
) -> None:
    simulator.faults([{"on": "webhook", "fault": "status", "status": 403}])
    assert seen(checks_receiver.registered, connect("messaging")).level is Level.INFO
    assert seen(checks_receiver.registered, connect("messaging", url=URL)).level is Level.WRONG


@pytest.fixture
def registrations(connect: Any) -> Registrations:
    return Registrations(connect("agentless").client.session)


BRIDGE = Order(
    kind="eventbridge", aws_account_id="123456789012", aws_region="eu-central-1",
    event_source_suffix="campaigns",
)  # fmt: skip
TRIGGER = Order(
    kind="trigger",
    topic="v2.webmessaging.deployments.{id}.undelivered.messages",
    workflow_id=RESPONSE_ID,
)


def test_what_the_platform_was_told_to_push_is_listed(
    connect: Any, registrations: Registrations
) -> None:
    scene = connect("agentless")
    nothing = seen(checks_receiver.registered, scene)
    assert (nothing.level, scene.registered_url) == (Level.INFO, None)
    assert "keep track_statuses switched on" in nothing.said
    made = [
        registrations.register(order, url=f"{URL}?key=hush", secret=SECRET).id
        for order in (Order(kind="open"), BRIDGE, TRIGGER)
    ]
    check = seen(checks_receiver.registered, scene)
    assert (check.level, check.said) == (
        Level.OK,
        f"open {made[0]} posts to {URL}, eventbridge {made[1]} is on, trigger {made[2]} is on",
    )
    assert scene.registered_url == f"{URL}?key=hush"
    elsewhere = seen(checks_receiver.registered, connect("agentless", url=f"{URL}/2"))
    assert elsewhere.level is Level.WRONG
    assert f"{made[0]} posts to {URL}, and GENESYS_WEBHOOK_URL is {URL}/2" in elsewhere.said


def test_a_registration_that_is_switched_off_is_told(
    connect: Any, registrations: Registrations, simulator: SimulatorProcess
) -> None:
    made = registrations.register(BRIDGE, url=None, secret=None)
    platform = Platform(simulator)
    platform.call("PATCH", f"{INTEGRATIONS}/{made.id}", json={"intendedState": "DISABLED"})
    platform.close()
    check = seen(checks_receiver.registered, connect("agentless"))
    assert check.level is Level.WARNING
    assert f"The eventbridge registration {made.id} is switched off" in check.said


def test_an_api_key_proves_us_where_there_is_no_secret(connect: Any) -> None:
    key = "the-key-of-an-api-destination-and-more"
    with WireServer(says(http(200), http(401))) as server:
        scene = connect("agentless", url=f"{server.url}/hook?key=hush", webhook_api_key=key)
        check = seen(checks_receiver.answers, scene)
        assert check.said.startswith(f"{server.url}/hook takes what this connection signs")
        assert [request.headers.get("x-api-key") for request in server.requests] == [key, None]
    assert key not in check.said


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(204), "takes events that nobody has signed"),
        (http(204), "give it GENESYS_WEBHOOK_SECRET"),
        (http(503), "the receiver's log"),
        (http(401), "the receiver has another one"),
    ],
)
def test_an_address_that_is_no_good_receiver_is_wrong(
    connect: Any, answer: bytes, words: str
) -> None:
    with WireServer(says(answer)) as server:
        scene = connect("messaging", url=server.url, webhook_secret=SECRET)
        check = seen(checks_receiver.answers, scene)
    assert check.level is Level.WRONG
    assert words in check.said
    assert "registered" not in check.said


def test_an_address_that_is_none_is_wrong(connect: Any) -> None:
    scene = connect("messaging", url="ftp://hooks.example.org/")
    assert "no http(s) URL" in seen(checks_receiver.answers, scene).said


APPROVED = f"""
response_id = "{RESPONSE_ID}"
[body]
1 = "{{{{ name }}}}"
"""


def test_an_approved_template_is_held_against_genesys_clouds_own(
    connect: Any, include: Path
) -> None:
    scene = connect("agentless")
    assert Step(name="it", look=checks_files.approved).run(scene) is None
    (include / "templates" / "order_update" / "en.whatsapp.toml").write_text(APPROVED)
    check = seen(checks_files.approved, scene)
    assert check.level is Level.WRONG
    assert "order_update/en.whatsapp.toml" in check.said
    assert RESPONSE_ID in check.said


def test_a_template_that_breaks_when_it_is_rendered_is_wrong(include: Path) -> None:
    # It parses, and the sandbox refuses it.
    (include / "templates" / "order_update" / "de.sms.j2").write_text("{{ name.__class__ }}!")
    check = seen(checks_files.templates)
    assert check.level is Level.WRONG
    assert check.said.startswith("In de: Template 'order_update' can't be rendered")


def test_what_the_lint_remarks_is_a_warning(include: Path) -> None:
    (include / "templates" / "order_update" / "de.j2").write_text("{{ greeting }}, {{ name }}")
    check = seen(checks_files.templates)
    assert (check.level, check.said) == (
        Level.WARNING,
        "order_update: The text in de does not use 'orderId', which that in en, es, fr does. "
        "`genesys-cloud templates lint NAME` says all.",
    )


def test_a_folder_without_templates_is_a_warning(include: Path) -> None:
    shutil.rmtree(include / "templates")
    assert seen(checks_files.templates).level is Level.WARNING


@pytest.mark.parametrize("name", sorted(checks_policies.POLICIES))
def test_every_policy_is_read(include: Path, name: str) -> None:
    (include / "policies" / "retention.toml").unlink()
    (include / "policies" / name).write_text("nonsense = [")
    check = seen(checks_policies.policies)
    assert check.level is Level.WRONG
    assert f"policies/{name}" in check.said
    assert "retention.toml" in check.said  # one that is unclear does not hide another


def test_a_policy_that_nobody_reads_is_a_warning(include: Path) -> None:
    (include / "policies" / "quiet-hours.toml").touch()
    check = seen(checks_policies.policies)
    assert check.level is Level.WARNING
    assert "Nobody reads quiet-hours.toml" in check.said


def test_senders_and_notifications_are_read(include: Path) -> None:
    assert seen(checks_policies.senders).level is Level.OK
    (include / "senders.toml").unlink()
    assert seen(checks_policies.senders).level is Level.INFO
    (include / "senders.toml").write_text("[[senders]]\n")
    assert seen(checks_policies.senders).level is Level.WRONG
    rule = '[mail]\non = ["campaign_paused"]\nnotifier = "airflow.sdk.Nobody"\n'
    (include / "policies" / "notifications.toml").write_text(f"dated = 2026-11-23\n{rule}")
    check = seen(checks_policies.notifications)
    assert (check.level, "airflow.sdk.Nobody" in check.said) == (Level.WRONG, True)


def test_the_spool_is_looked_into(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    assert seen(checks_ledger.spool).level is Level.OK
    spool.mkdir()
    (spool / "events-1.jsonl").write_text("12345\n")
    waits = seen(checks_ledger.spool)
    assert (waits.level, waits.said.startswith("6 bytes of events")) == (Level.INFO, True)
    (spool / "set-aside.jsonl").touch()
    assert seen(checks_ledger.spool).level is Level.WARNING
    shutil.rmtree(spool)
    spool.touch()
    assert seen(checks_ledger.spool).level is Level.WRONG


def test_exports_to_an_address_that_airflow_does_not_know_are_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENESYS_EXPORT_URL", "nope://bucket/exports")
    check = seen(checks_files.exports)
    assert check.level is Level.WRONG
    assert "can't be written to nope://bucket/exports" in check.said
    assert "GENESYS_EXPORT_URL" in check.said


def test_what_waits_in_the_ledger_is_good_to_know(sqlite_ledger: Ledger) -> None:
    scene = a_scene()
    scene.ledger = sqlite_ledger
    assert seen(checks_ledger.unknown_sends, scene).level is Level.OK
    assert seen(checks_ledger.parked_events, scene).level is Level.OK
    plant(sqlite_ledger, 2)
    with sqlite_ledger.write() as connection:
        connection.execute(text("UPDATE messages SET state = 'unknown'"))
        connection.execute(
            text(
                "INSERT INTO status_events (event_id, api_message_id, status, occurred_at,"
                " received_at, outcome) VALUES ('e', 'm', 'sent', '2026-11-23', '2026-11-23',"
                " 'parked')"
            )
        )
    unknown = seen(checks_ledger.unknown_sends, scene)
    assert (unknown.level, unknown.said.startswith("2 may have gone out")) == (Level.INFO, True)
    parked = seen(checks_ledger.parked_events, scene)
    assert (parked.level, parked.said.startswith("1 are about")) == (Level.INFO, True)


def test_an_audit_trail_that_does_not_hold_is_wrong(sqlite_ledger: Ledger) -> None:
    scene = a_scene()
    scene.ledger = sqlite_ledger
    audit.note(sqlite_ledger, entry(1), entry(2))
    assert seen(checks_ledger.audit_trail, scene).level is Level.OK
    with sqlite_ledger.write() as connection:
        connection.execute(text("UPDATE audit_entries SET actor = 'nobody' WHERE seq = 1"))
    check = seen(checks_ledger.audit_trail, scene)
    assert (check.level, check.said.startswith("Entry 1 does not hold")) == (Level.WRONG, True)


def test_airflow_must_map_as_many_tasks_as_a_campaign_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(checks_airflow.fan_out).level is Level.OK
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "100")
    check = seen(checks_airflow.fan_out)
    assert (check.level, "AIRFLOW__CORE__MAX_MAP_LENGTH" in check.said) == (Level.WARNING, True)


def test_a_host_that_asks_for_patience_is_not_waited_for(connect: Any) -> None:
    slept: list[float] = []
    with WireServer(says(http(429, Retry_After="60"))) as server:
        scene = connect("auto")
        scene.account = replace(scene.account, base_url=server.url)
        scene.sleep = slept.append
        check = seen(checks_api.profile, scene)
        assert len(server.requests) == 5
    assert (check.level, "Nobody knows which profile" in check.said) == (Level.WRONG, True)
    assert slept == [1.0] * 4


def test_a_check_that_breaks_hides_no_other_and_tells_no_secret() -> None:
    def breaks(scene: Scene) -> str:
        raise RuntimeError(SECRET)

    check = seen(breaks)
    assert (check.level, check.ok) == (Level.WRONG, False)
    assert "The check itself broke (RuntimeError)" in check.said


def test_every_check_comes_after_what_it_needs() -> None:
    before: set[str] = set()
    for step in CHECKS:
        assert before.issuperset(step.needs), step.name
        assert step.name not in before
        before.add(step.name)


def test_the_document_has_a_row_for_each_check() -> None:
    page = (PROJECT_ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = [name.strip(" `") for row in rows for name in row.split(",")]
    assert [step.name for step in CHECKS] == [name for name in named if name not in set(Level)]


def test_lines_are_counted_and_laid_out() -> None:
    checks = [
        Check(name="token", level=Level.OK, said="a new one"),
        Check(name="ledger_writable", level=Level.WRONG, said="no"),
    ]
    assert counts(checks) == {"ok": 1, "info": 0, "warning": 0, "wrong": 1}
    assert table(checks) == (
        "token            ok       a new one\nledger_writable  wrong    no"
    )  # fmt: skip
    assert table([]) == ""
    assert first_of(["A.", "B.", "A.", "C.", "D.", "E."]) == "A. B. C. And 2 more."
