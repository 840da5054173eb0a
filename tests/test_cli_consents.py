"""`genesys-cloud consents`, as people use it: at the desk, from letters, from other systems."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.errors import CampaignDefinitionError, PolicyError
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import open_ledger
from tests import command_line

NUMBER = "+12025550101"
HEADER = "address,consent,consent_at,consent_source,consent_purpose"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # undo, after it, what commands set
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = command_line.run(*arguments)
    return result.exit_code, result.stdout


def found(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json")[1])


def on_record(*options: str) -> Any:
    return found("consents", "show", NUMBER, *options)["on_record"]


def imported(place: Path, *rows: str, header: str = HEADER) -> tuple[int, Any]:
    file = place / "consents.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    code, output = run("consents", "import", str(file), "--json")
    return code, json.loads(output)


def test_a_letter_is_recorded_with_its_manner_and_its_deadline() -> None:
    received = datetime.now(UTC) - timedelta(days=3)
    answer = found(
        "consents", "withdraw", NUMBER, "--manner", "post", "--received-at", received.isoformat(),
        "--evidence", "folder 7",
    )  # fmt: skip
    for one in found("consents", "list")["consents"]:
        assert (one["manner"], one["evidence"]) == ("post", "folder 7")
        assert one["decided_at"] == received.isoformat()
        assert one["honour_by"] == answer["honour_by"]
        assert one["honoured_at"] == one["recorded_at"] > one["decided_at"]
        assert one["honoured_in_time"] is True
    # Ten business days are twelve to fourteen days.
    assert 12 <= (datetime.fromisoformat(answer["honour_by"]) - received).days <= 14


def test_a_letter_that_lay_about_for_too_long_shows() -> None:
    run("consents", "withdraw", NUMBER, "--manner", "post", "--received-at", "2026-01-05")
    (one, *_) = found("consents", "list")["consents"]
    assert (one["honour_by"], one["honoured_in_time"]) == ("2026-01-19T00:00:00+00:00", False)


def test_without_a_channel_all_of_the_person_s_are_meant() -> None:
    answer = found("consents", "withdraw", "whatsapp:+1 202 555 0101")
    assert {"messaging:sms", "messaging:whatsapp"} <= set(answer["channels"])
    assert set(on_record().values()) == {"consent_withdrawn"}
    run("consents", "give", NUMBER)
    states = on_record()
    assert states.pop("messaging:sms") == "consent_given"
    assert set(states.values()) == {"consent_withdrawn"}


def test_a_channel_narrows_a_withdrawal() -> None:
    answer = found("consents", "withdraw", NUMBER, "--channel", "messaging:whatsapp")
    assert answer["channels"] == ["messaging:whatsapp"]
    assert on_record()["messaging:sms"] == "consent_not_on_record"


def test_what_held_at_a_time_can_be_shown_later(place: Path) -> None:
    text = place / "wording.txt"
    text.write_text("We may text you about appointments.")
    run(
        "consents", "give", NUMBER, "--purpose", "care", "--at", "2026-01-01", "--expires",
        "2026-03-01", "--wording", "v3", "--wording-file", str(text), "--evidence", "form 9",
    )  # fmt: skip
    run("consents", "withdraw", NUMBER, "--received-at", "2026-02-01", "--channel", "messaging:sms")
    run("consents", "give", NUMBER, "--at", "2026-04-01")
    sms = ("--channel", "messaging:sms")
    for at, purpose, expected in [
        ("2025-12-31", "care", "consent_not_on_record"),
        ("2026-01-15", "care", "consent_given"),
        ("2026-01-15", "offers", "consent_other_purpose"),
        ("2026-02-15", "care", "consent_withdrawn"),
        ("2026-04-02", "care", "consent_given"),
    ]:
        options = (*sms, "--at", at, "--purpose", purpose)
        assert on_record(*options) == {"messaging:sms": expected}, (at, purpose)
    first = found("consents", "show", NUMBER, *sms)["consents"][0]
    assert first["wording"] == "v3"
    assert first["wording_digest"] == hashlib.sha256(text.read_bytes()).hexdigest()
    assert (
        "The person has withdrawn" in run("consents", "show", NUMBER, *sms, "--at", "2026-03-01")[1]
    )


def test_a_file_is_imported_and_may_be_imported_again(place: Path) -> None:
    rows = [
        f"{NUMBER},given,2026-01-05,web form,Care",
        "+1 202 555 0102,withdrawn,2026-01-06T08:00:00Z,letter,",
    ]
    assert imported(place, *rows) == (
        0, {"recorded": 2, "known": 0, "refused": {}, "examples": []}
    )  # fmt: skip
    assert imported(place, *rows)[1]["known"] == 2
    withdrawn, given = found("consents", "list")["consents"]
    assert (given["purpose"], given["source"], given["state"]) == ("care", "web form", "given")
    assert withdrawn["honour_by"] == "2026-01-20T08:00:00+00:00"


def test_an_import_of_every_night_does_not_end_a_withdrawal(place: Path) -> None:
    row = f"{NUMBER},given,2026-01-05,crm,"
    imported(place, row)
    run("consents", "withdraw", NUMBER)
    imported(place, row)
    assert on_record()["messaging:sms"] == "consent_withdrawn"


def test_each_unusable_row_gets_its_code_and_the_others_count(place: Path) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    code, answer = imported(
        place,
        f"{NUMBER},given,2026-01-05,crm,",
        "+12025550102,given,,crm,",
        f"+12025550102,given,{tomorrow},crm,",
        "+12025550102,given,yesterday,crm,",
        "+12025550102,false,2026-01-05,crm,",
        "junk,given,2026-01-05,crm,",
        "+12025550102,given,2026-01-05,crm,two words",
        f"+12025550102,given,2026-01-05,{'x' * 201},",
        "+12025550102,given,2026-01-05,crm,,surplus",
    )
    assert code == 1
    assert answer["recorded"] == 1
    assert answer["refused"] == {
        "consent_time_invalid": 3, "consent_state": 1, "address_not_e164": 1,
        "consent_purpose": 1, "cell_too_long": 1, "row_malformed": 1,
    }  # fmt: skip
    assert len(answer["examples"]) == 8
    assert "2025550102" not in str(answer)


def test_a_manner_and_a_channel_that_nobody_knows_are_refused(place: Path) -> None:
    header = "address,consent,consent_at,channel,manner,consent_wording_text"
    code, answer = imported(
        place,
        "web:visitor-1,given,2026-01-05,messaging:web,,We may write to you.",
        f"{NUMBER},given,2026-01-05,pigeon,,",
        f"{NUMBER},withdrawn,2026-01-05,,pigeon,",
        header=header,
    )
    assert (code, answer["recorded"]) == (1, 1)
    assert answer["refused"] == {"channel_unsupported": 1, "consent_manner": 1}
    (one,) = found("consents", "list")["consents"]
    assert one["wording_digest"] == hashlib.sha256(b"We may write to you.").hexdigest()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("withdraw", NUMBER, "--received-at", "2999-01-01"), "still to come"),
        (("withdraw", NUMBER, "--received-at", "soon"), "neither a date nor a time"),
        (("give", NUMBER, "--at", "2999-01-01"), "still to come"),
        (("give", NUMBER, "--purpose", "two words"), "one word"),
        (("give", NUMBER, "--expires", "0001-01-01T00:00:00+14:00"), "neither a date"),
        (("show", NUMBER, "--at", "x"), "neither a date"),
    ],
)
def test_what_makes_no_sense_changes_nothing(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CampaignDefinitionError, match=sentence):
        run("consents", *arguments)
    assert found("consents", "list") == {"consents": []}


def test_without_a_clear_policy_nothing_is_recorded(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(place))
    (place / "policies").mkdir()
    (place / "policies" / "revocation.toml").write_text("business_days = 10")
    with pytest.raises(
        PolicyError, match=r"revocation\.toml can't be used, and nothing was changed"
    ):
        run("consents", "withdraw", NUMBER)


def test_an_include_folder_without_a_policy_has_the_projects_own(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(place))
    run("consents", "withdraw", NUMBER)
    assert {one["state"] for one in found("consents", "list")["consents"]} == {"withdrawn"}


def test_the_trail_says_what_was_decided_and_no_evidence(place: Path) -> None:
    run("consents", "withdraw", NUMBER, "--channel", "messaging:sms", "--manner", "email",
        "--purpose", "offers", "--evidence", f"mail of Ann, {NUMBER}")  # fmt: skip
    ledger = open_ledger(f"sqlite:///{place}/ledger.db")
    (entry,) = audit.read(ledger)
    ledger.close()
    details = entry["details"]
    assert (details["manner"], details["purpose"]) == ("email", "offers")
    assert datetime.fromisoformat(details["honour_by"]) > datetime.now(UTC)
    assert "Ann" not in str(entry)
