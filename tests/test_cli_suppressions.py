"""`genesys-cloud suppressions`, as people use it."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from tests import command_line

NUMBER = "+12025550101"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # undo, after it, what commands set
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = command_line.run("suppressions", *arguments)
    return result.exit_code, result.stdout


def found(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json")[1])


def listed(*options: str) -> list[tuple[str, str]]:
    return [(one["channel"], one["reason"]) for one in found("list", *options)["suppressions"]]


def test_a_suppression_is_made_listed_and_lifted(place: Path) -> None:
    made = found("add", NUMBER, "--reason", "asked", "--source", "letter 7", "--days", "90")
    ends = datetime.fromisoformat(made["expires_at"])
    assert timedelta(days=89) < ends - datetime.now(UTC) <= timedelta(days=90)
    assert (made["channel"], made["scope"], made["changed"]) == ("messaging:sms", "channel", True)
    (shown,) = found("list")["suppressions"]
    assert (shown["source"], shown["expires_at"], shown["in_force"]) == (
        "letter 7", made["expires_at"], True,
    )  # fmt: skip
    assert f"…01  messaging:sms  asked  letter 7  {shown['created_at']}  until" in run("list")[1]
    # A shorter one changes nothing.
    assert not found("add", NUMBER, "--days", "10")["changed"]
    assert "it was already" in run("add", NUMBER, "--days", "10")[1]
    assert found("remove", NUMBER) == {"removed": True, "left": []}
    assert found("remove", NUMBER) == {"removed": False, "left": []}
    assert "was not suppressed" in run("remove", NUMBER)[1]


def test_everywhere_is_one_entry_beside_a_channels(place: Path) -> None:
    run("add", NUMBER, "--everywhere", "--expires", "2100-01-01", "--reason", "court")
    run("add", NUMBER, "--channel", "messaging:whatsapp", "--reason", "asked")
    assert sorted(listed()) == [("everywhere", "court"), ("messaging:whatsapp", "asked")]
    assert "until 2100-01-01T00:00:00+00:00" in run("list")[1]
    code, said = run("remove", NUMBER, "--channel", "messaging:whatsapp")
    assert (code, "one that holds everywhere is left" in said) == (0, True)
    run("add", NUMBER)
    assert "one on messaging:sms is left" in run("remove", NUMBER, "--everywhere")[1]
    assert listed() == [("messaging:sms", "opted_out")]


def test_what_has_ended_is_listed_when_all_are_asked_for(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genesys_cloud.ledger import suppressions
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.ledger.suppressions import Suppression

    entry = Suppression(
        channel="messaging:sms", address=NUMBER, reason="old", source="s",
        expires_at=datetime(2020, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    ledger = open_ledger(f"sqlite:///{place}/ledger.db")
    suppressions.add(ledger, [entry], actor="a", now=datetime(2020, 1, 1, tzinfo=UTC))
    ledger.close()
    assert listed() == []
    assert listed("--all") == [("messaging:sms", "old")]
    assert "ended 2020-01-02" in run("list", "--all")[1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--channel", "messaging:sms", "--everywhere"), "exclude each other"),
        (("--days", "3", "--expires", "2100-01-01"), "exclude each other"),
        (("--expires", "2020-01-01"), "has passed"),
        (("--expires", "soon"), "neither a date nor a time"),
        (("--channel", "messaging:fax"), "There is no channel 'messaging:fax'"),
        (("--channel", "messaging:open"), "Nothing was changed: The address is not an id"),
    ],
)
@pytest.mark.parametrize("command", ["add", "import"])
def test_options_that_make_no_sense_change_nothing(
    place: Path, command: str, options: tuple[str, ...], says: str
) -> None:
    file = place / "list.csv"
    file.write_text("address\n+ 1\n")
    if command == "import" and "is not an id" in says:
        return
    with pytest.raises(CampaignDefinitionError, match=says):
        run(command, str(file) if command == "import" else "+ 1", *options)
    assert listed("--all") == []


def test_a_file_is_read_and_its_bad_rows_are_told(place: Path) -> None:
    file = place / "list.csv"
    file.write_text(
        "address,channel,reason,source,expires_at\n"
        f"{NUMBER},everywhere,court,file 9,2100-01-01\n"
        "nobody,,,,\n"
        "+12025550102,,,,\n"
        "+12025550103,,,,2020-01-01\n"
    )
    code, said = run("import", str(file), "--reason", "list", "--days", "7")
    assert code == 1
    first, *wrong = said.splitlines()
    assert first == "2 suppressed, 0 were already, 2 can't be used"
    assert [one.partition(": The ")[0].partition(": expires")[0] for one in wrong] == [
        "row 2: address_not_e164", "row 4: already_expired",
    ]  # fmt: skip
    assert sorted(listed()) == [("everywhere", "court"), ("messaging:sms", "list")]
    again = found("import", str(file))
    assert (again["suppressed"], again["unchanged"]) == (1, 1)  # the second is for ever now
    assert again["refused"] == {"address_not_e164": 1, "already_expired": 1}
    assert [one["row"] for one in again["rows"]] == [2, 4]
    assert NUMBER[1:] not in said


def test_a_good_file_ends_well(place: Path) -> None:
    file = place / "list.csv"
    file.write_text(f"address\n{NUMBER}\n")
    assert run("import", str(file), "--everywhere")[0] == 0
    assert listed() == [("everywhere", "imported")]


def test_the_list_is_written_for_its_owner_alone(place: Path) -> None:
    run("add", NUMBER, "--reason", "asked")
    file = place / "out.csv"
    assert found("export", str(file)) == {"rows": 1, "without_address": 1}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "1 as a digest alone" in run("export", str(file))[1]
    header, row = file.read_text().splitlines()
    assert header.startswith("address,channel,reason,source,expires_at,")
    assert row.startswith(",messaging:sms,asked,cli:")
    assert run("export", "-")[1].splitlines() == [header, row]
    with pytest.raises(CampaignDefinitionError, match="can't be written"):
        run("export", str(place / "none" / "out.csv"))
    assert [one.name for one in place.glob(".*part")] == []
