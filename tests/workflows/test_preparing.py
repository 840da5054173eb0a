"""What a plan is made for, decided against simulators of both profiles."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import (
    AuthenticationError,
    ConnectionSettingsError,
    NotSentError,
    PermissionDeniedError,
    TemplateError,
)
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.settings import Account
from genesys_cloud.workflows.preparing import Prepared, check_profile, prepare
from tests.closed_port import closed_port
from tests.simulator.server import SimulatorProcess

RESPONSE = "5e6f2f0a-3c1d-4b6a-9d52-0c7a1f4e8b21"
"""The order_update that the simulator knows, with substitutions 1 and 2."""

FILE = f"""\
response_id = "{RESPONSE}"
[body]
1 = "{{{{ name }}}}"
2 = "{{{{ orderId }}}}"
"""
CAMPAIGN = Campaign(
    campaign_id="orders",
    audience="people.csv",
    template="order",
    channel="messaging:whatsapp",
    sender="0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11",
)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A connection as the hook has it, without Airflow."""

    described: Account
    state_dir: Path

    def account(self) -> Account:
        return self.described

    def get_conn(self) -> GenesysClient:
        return GenesysClient(self.described, state_dir=self.state_dir)


@dataclass(frozen=True, kw_only=True)
class Misconfigured:
    """A connection that describes no account."""

    def account(self) -> Account:
        raise ConnectionSettingsError("Fill in login and password.")

    def get_conn(self) -> GenesysClient:
        raise ConnectionSettingsError("Fill in login and password.")


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatorProcess]:
    """Run a simulator of the platform's own API."""
    with SimulatorProcess(profiles="agentless", requests_per_minute=1_000_000) as process:
        yield process


@pytest.fixture
def connection(platform: SimulatorProcess, tmp_path: Path) -> Connection:
    """Return a connection to it, whose profile is for it to say."""
    platform.reset()
    platform.clear_faults()
    return connect(platform, tmp_path)


def connect(simulator: SimulatorProcess, tmp_path: Path, **changes: Any) -> Connection:
    account = Account(
        name="test",
        client_id=simulator.client_id,
        client_secret=simulator.client_secret,
        base_url=simulator.url,
        requests_per_minute=1_000_000,
        timeout_s=60,
    )
    return Connection(described=replace(account, **changes), state_dir=tmp_path / "state")


@pytest.fixture
def library(tmp_path: Path) -> TemplateLibrary:
    """Return a library with an approved template and a text beside it."""
    folder = tmp_path / "templates" / "order"
    folder.mkdir(parents=True)
    (folder / "en.whatsapp.toml").write_text(FILE)
    (folder / "en.j2").write_text("Hello {{ name }}")
    return TemplateLibrary(root=folder.parent)


def other_file(library: TemplateLibrary, language: str, text: str) -> None:
    (library.root / "order" / f"{language}.whatsapp.toml").write_text(text)


def add_response(simulator: SimulatorProcess, **fields: object) -> None:
    answer = requests.post(f"{simulator.url}/_sim/responses", json=fields, timeout=30)
    answer.raise_for_status()


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_template_that_genesys_has_too_is_ready(
    connection: Connection, library: TemplateLibrary, *, dry_run: bool
) -> None:
    ready = prepare(connection, CAMPAIGN, library, dry_run=dry_run)
    assert (ready.profile, ready.assumed) == ("agentless", False)
    text = ready.template.render("en", "en", {"name": "Alex", "orderId": "A-1"})
    assert RESPONSE in text


@pytest.mark.parametrize("dry_run", [True, False])
def test_every_difference_is_named_by_file_response_and_ids(
    connection: Connection,
    platform: SimulatorProcess,
    library: TemplateLibrary,
    *,
    dry_run: bool,
) -> None:
    other_file(library, "en", FILE.replace("2 =", "3 ="))
    other_file(library, "es", FILE.replace(RESPONSE, "no-such-response"))
    other_file(library, "de", FILE.replace(RESPONSE, "paused"))
    whats_app = {"language": "de", "templateStatus": "PAUSED"}
    substitutions = [
        {"id": "1"},
        {"id": "2", "defaultValue": "x"},
        {"id": "9", "defaultValue": "x"},
    ]
    add_response(
        platform,
        id="paused",
        substitutions=substitutions,
        messagingTemplate={"whatsApp": whats_app},
    )
    with pytest.raises(TemplateError) as caught:
        prepare(connection, CAMPAIGN, library, dry_run=dry_run)
    assert str(caught.value) == (
        "Genesys Cloud would refuse template 'order'. "
        "File order/de.whatsapp.toml, response paused: Its status is PAUSED: WhatsApp has not "
        "approved it. "
        f"File order/en.whatsapp.toml, response {RESPONSE}: It needs a value for '2'. "
        f"File order/en.whatsapp.toml, response {RESPONSE}: It has no substitution '3'. "
        "File order/es.whatsapp.toml, response no-such-response: There is no such response. "
        "Mend the file, or the template in Genesys Cloud."
    )


def test_a_response_of_another_kind_is_refused(
    connection: Connection, platform: SimulatorProcess, library: TemplateLibrary
) -> None:
    other_file(library, "en", FILE.replace(RESPONSE, "footer"))
    add_response(platform, id="footer", responseType="Footer")
    with pytest.raises(TemplateError, match="a response of type Footer, not MessagingTemplate"):
        prepare(connection, CAMPAIGN, library, dry_run=False)


def test_a_role_that_may_not_read_templates_is_told_which_permission_it_lacks(
    tmp_path: Path, library: TemplateLibrary
) -> None:
    permissions = "conversation:message:create"
    with SimulatorProcess(profiles="agentless", permissions=permissions) as simulator:
        connection = connect(simulator, tmp_path)
        with pytest.raises(PermissionDeniedError, match="responses:response:view"):
            prepare(connection, CAMPAIGN, library, dry_run=False)


def test_the_tutorial_s_contract_takes_the_text_and_is_asked_for_no_template(
    simulator: SimulatorProcess, tmp_path: Path, library: TemplateLibrary
) -> None:
    ready = prepare(connect(simulator, tmp_path), CAMPAIGN, library, dry_run=False)
    assert ready.profile == "messaging"
    assert ready.template.render("en", "en", {"name": "Alex"}) == "Hello Alex"
    paths = {request["path"] for request in simulator.requests()["requests"]}
    assert not any("responsemanagement" in path for path in paths)


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a port where nobody listens."""
    with closed_port() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(("named", "profile"), [("auto", "messaging"), ("agentless", "agentless")])
def test_a_dry_run_without_an_answer_goes_by_the_connection_and_says_so(
    connection: Connection,
    library: TemplateLibrary,
    caplog: pytest.LogCaptureFixture,
    nobody: str,
    *,
    named: str,
    profile: str,
) -> None:
    away = replace(connection.described, base_url=nobody, profile=named)
    with caplog.at_level(logging.WARNING):
        ready = prepare(replace(connection, described=away), CAMPAIGN, library, dry_run=True)
    assert (ready.profile, ready.assumed) == (profile, True)
    assert f"dry run is for the profile {profile}, unasked: Can't reach" in caplog.text


def test_a_dry_run_needs_no_connection_and_no_right_password(
    connection: Connection, library: TemplateLibrary
) -> None:
    wrong = replace(connection.described, client_secret="not-the-secret")
    for without, limit in (
        (Misconfigured(), None),
        (replace(connection, described=wrong), wrong.requests_per_minute),
    ):
        ready = prepare(without, CAMPAIGN, library, dry_run=True)
        assert ready == Prepared(
            profile="messaging", template=ready.template, assumed=True, requests_per_minute=limit
        )


def test_a_real_run_needs_both(
    connection: Connection, library: TemplateLibrary, nobody: str
) -> None:
    with pytest.raises(ConnectionSettingsError):
        prepare(Misconfigured(), CAMPAIGN, library, dry_run=False)
    wrong = replace(connection.described, client_secret="not-the-secret")
    with pytest.raises(AuthenticationError):
        prepare(replace(connection, described=wrong), CAMPAIGN, library, dry_run=False)
    away = replace(connection.described, base_url=nobody)
    with pytest.raises(NotSentError):
        prepare(replace(connection, described=away), CAMPAIGN, library, dry_run=False)


def test_a_plan_for_another_profile_is_not_sent() -> None:
    planned = {"campaign_id": "orders", "profile": "messaging"}
    check_profile(planned, "messaging", connection="genesys_cloud_default")
    with pytest.raises(ConnectionSettingsError) as caught:
        check_profile(planned, "agentless", connection="genesys_cloud_default")
    assert str(caught.value) == (
        "Campaign 'orders' was planned for the profile messaging, and connection "
        "'genesys_cloud_default' now has agentless: nothing was sent. Start the campaign again, "
        "which plans it anew, or give the connection back its profile."
    )
