"""Commands that only the real platform can answer: DNC lists, and the ways in which it pushes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from tests.simulator.platform_caller import OPEN, Platform
from tests.simulator.server import SimulatorProcess
from tests.test_cli import AIRFLOWS_OWN, clean_context, found, ledger_file, planted, run
from tests.webhook.receiver import SECRET, ReceiverProcess

__all__ = ["clean_context", "ledger_file", "planted"]

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

AWS = ("--aws-account-id", "123456789012", "--aws-region", "eu-central-1")


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Run a simulator of the real platform that the environment's account points at."""
    with SimulatorProcess(profiles="agentless") as process:
        monkeypatch.setenv("GENESYS_BASE_URL", process.url)
        monkeypatch.setenv("GENESYS_CLIENT_ID", process.client_id)
        monkeypatch.setenv("GENESYS_CLIENT_SECRET", process.client_secret)
        monkeypatch.setenv("GENESYS_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setenv("GENESYS_WEBHOOK_SECRET", SECRET)
        caller = Platform(process)
        yield caller
        caller.close()


def test_a_dnc_list_is_found_pulled_and_pushed(planted: str, platform: Platform) -> None:
    body = {"name": "do not contact", "phoneNumbers": ["+12025550001", "5550002"]}
    list_id = platform.admin("dnclists", body)["id"]
    (listed,) = found("suppressions", "lists")["lists"]
    assert (listed["id"], listed["name"], listed["size"]) == (list_id, "do not contact", 2)
    assert f"{list_id}  do not contact  Phone  2\n1 lists" in run("suppressions", "lists").output

    pulled = {"added": 1, "unchanged": 0, "unusable": 1}
    assert found("suppressions", "pull", list_id) == pulled
    assert "0 suppressed, 1 were already" in run("suppressions", "pull", list_id).output
    run("suppressions", "add", "+12025550003")
    run("suppressions", "add", "+12025550199")
    assert found("suppressions", "push", list_id) == {"pushed": 1, "unknown": 1}
    assert "1 put on the list, 1 not" in run("suppressions", "push", list_id).output


def test_the_platform_is_told_how_to_push(ledger_file: Path, platform: Platform) -> None:
    with ReceiverProcess(f"sqlite:///{ledger_file}") as receiver:
        made = found("webhook", "register", receiver.url, "--kind", "open")
    assert (made["created"], made["checked"], made["takes_forged"]) == (True, True, False)
    (integration,) = platform.get(OPEN).json()["entities"]
    assert integration["outboundNotificationWebhookUrl"] == receiver.url
    with pytest.raises(CampaignDefinitionError, match="`open` is"):
        run("webhook", "register", receiver.url, "--no-check")
    with pytest.raises(CampaignDefinitionError, match="event_source_suffix is missing"):
        run("webhook", "register", receiver.url, "--no-check", "--kind", "eventbridge", *AWS)
