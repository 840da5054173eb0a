"""`genesys-cloud templates lint`, as people run it before a campaign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from genesys_cloud.errors import AudienceError, CampaignDefinitionError, TemplateError
from tests import command_line


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # undo, after it, what commands set
    return tmp_path


def run(*arguments: str) -> Result:
    return command_line.run("templates", "lint", *arguments)


def found(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


@pytest.mark.parametrize("name", ["appointment_reminder", "order_update"])
def test_the_templates_that_ship_have_nothing_to_mend(name: str) -> None:
    result = run(name)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"lint of template {name}\n    de ")
    assert result.stdout.endswith("    nothing to mend\n")


def test_a_list_is_tried_with_its_longest_and_dearest_values() -> None:
    result = run("appointment_reminder", "--audience", "demo_contacts.csv")
    assert result.exit_code == 0
    assert "warning value_not_gsm: " in result.stdout
    assert "note column_unused: No text uses the contact list's column orderId." in result.stdout


def test_what_would_block_everybody_is_exit_code_1(place: Path) -> None:
    (place / "people.csv").write_text("address,consent,Name\n+12025550101,true,Ana\n")
    arguments = ("order_update", "--audience", str(place / "people.csv"))
    assert run(*arguments).exit_code == 1
    report = found(*arguments)
    assert report["ok"] is False
    codes = [finding["code"] for finding in report["findings"]]
    assert codes == ["column_missing", "column_missing", "column_unused"]
    assert "it has 'Name', and capitals count" in report["findings"][0]["message"]


def test_the_channel_and_the_limit_count() -> None:
    whatsapp = found("order_update", "--channel", "messaging:whatsapp")["languages"][0]
    assert (whatsapp["limit"], whatsapp["segments"]) == (1600, None)
    report = found(
        "order_update", "--audience", "orders.csv", "--profile", "agentless", "--max-segments", "1"
    )
    assert "too_many_segments" in [finding["code"] for finding in report["findings"]]


def test_the_default_language_must_have_a_text() -> None:
    report = found("order_update", "--default-language", "pt")
    assert [finding["code"] for finding in report["findings"]] == ["default_language_missing"]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("reminder",), TemplateError, "There is no template 'reminder'"),
        (("order_update", "--channel", "sms"), CampaignDefinitionError, "Unsupported channelType"),
        (
            ("order_update", "--profile", "agentless", "--channel", "messaging:whatsapp"),
            TemplateError,
            "has no approved template",
        ),
        (("order_update", "--audience", "nobody.csv"), AudienceError, "does not exist"),
    ],
)
def test_what_can_t_be_linted_is_a_sentence(
    arguments: tuple[str, ...], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        run(*arguments)
