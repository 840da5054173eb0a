"""`genesys-cloud messages why`, as people ask it at the desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from genesys_cloud.ledger import consents, suppressions
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.consent import ConsentState
from tests import command_line
from tests.ledger.planted import CAMPAIGN, NOW, planned, plant

NUMBER = "+12025550002"
KEY = planned(2).message_key


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # undo, after it, what commands set
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    opened = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    plant(opened, 3)
    yield opened
    opened.close()


def why(*arguments: str) -> tuple[int, str]:
    result = command_line.run("messages", "why", *arguments)
    return result.exit_code, result.stdout


@pytest.mark.parametrize("needle", [NUMBER, "+1 202 555 0002", KEY, KEY[:8]])
def test_it_answers_in_a_sentence_and_masks_the_address(needle: str) -> None:
    code, output = why(needle)
    assert code == 0
    assert f"{KEY[:12]}  camp_1 once to …02" in output
    assert "Not sent yet: it is planned, and waits for its turn." in output
    assert "2025550002" not in output
    assert "Hello" not in output


def test_the_text_is_shown_on_request() -> None:
    assert "text: Hello" in why(KEY, "--text")[1]


def test_json_has_all_of_it() -> None:
    code, output = why(NUMBER, "--json")
    found = json.loads(output)
    assert (code, found["meaning"], found["masked"]) == (0, "address", "…02")
    (one,) = found["messages"]
    assert (one["message_key"], one["state"], one["text"]) == (KEY, "planned", None)
    assert one["planned_at"] == NOW.isoformat()
    assert "2025550002" not in output


def test_a_person_s_decisions_are_told_without_any_message(ledger: Ledger) -> None:
    stranger = "+12025550177"
    channel = CAMPAIGN.channel
    entry = Suppression(channel=channel, address=stranger, reason="asked to", source="desk")
    suppressions.add(ledger, [entry], actor="desk", now=NOW)
    no = Consent(channel=channel, address=stranger, state=ConsentState.WITHDRAWN, source="letter")
    consents.record(ledger, [no], actor="desk", now=NOW)
    code, output = why(stranger)
    assert code == 0
    assert "0 messages by the address …77" in output
    assert "consent withdrawn on messaging:sms for any purpose, 2026-11-23, from letter" in output
    assert "suppressed on messaging:sms since 2026-11-23 (in force): asked to, from desk" in output


def test_what_is_unknown_ends_with_1_and_the_cure() -> None:
    code, output = why("555")
    assert code == 1
    assert "The ledger knows nothing of" in output
    assert "write + and the country code first" in output
