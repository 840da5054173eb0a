"""Suppressions in files: each row becomes one or gets its code, and what is written is read."""

from __future__ import annotations

import csv
import io
import string
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genesys_cloud.ledger import audit, erasure, suppressed_addresses, suppressions
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.suppressed_addresses import Exported
from genesys_cloud.ledger.suppression_rows import NAMED, SuppressionRows
from genesys_cloud.ledger.suppressions import Added, Suppression
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.csv_cells import inert
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.scope import Scope
from tests.ledger.planted import NOW, plant

SMS, WHATSAPP = "messaging:sms", "messaging:whatsapp"
HEADER = "address,channel,reason,source,expires_at"
LATER = NOW + timedelta(days=39)


def rows(*lines: str, header: str = HEADER, **defaults: Any) -> SuppressionRows:
    data = "\n".join([header, *lines]).encode()
    given = {"holds_on": SMS, "reason": "imported", "source": "cli:ann", "expires_at": None}
    return SuppressionRows(rows=read_csv(io.BytesIO(data)), now=NOW, **{**given, **defaults})


def number(which: int) -> str:
    return f"+1202555{which:04d}"


def told(one: Suppression) -> tuple[str, str, str, str, datetime | None]:
    return one.address, one.holds_on, one.reason, one.source, one.expires_at


def test_a_row_says_what_it_says_and_the_options_the_rest() -> None:
    file = rows(
        "+12025550001,,,,",
        "whatsapp:+12025550002,messaging:whatsapp,asked,letter 7,2027-01-01",
        "+12025550003,everywhere,,,2027-01-01T08:00:00+02:00",
        "open:abc,everywhere,,,",
        expires_at=LATER,
    )
    assert [told(one) for one in file] == [
        (number(1), SMS, "imported", "cli:ann", LATER),
        ("whatsapp:" + number(2), WHATSAPP, "asked", "letter 7", LATER.replace(hour=0)),
        (number(3), "everywhere", "imported", "cli:ann", LATER.replace(hour=6)),
        ("open:abc", "everywhere", "imported", "cli:ann", LATER),
    ]
    assert not file.refused


def test_an_address_alone_will_do_in_a_column_of_any_spelling() -> None:
    file = rows(" +1 (202) 555-0001 ", header="Address", holds_on="everywhere")
    assert [one.holds_on for one in file] == ["everywhere"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",messaging:sms,,,", "address_missing"),
        ("12025550001,,,,", "address_not_e164"),
        ("+15550001234,,,,", "number_invalid"),
        ("whatsapp:+12025550002,,,,", "address_channel_mismatch"),
        ("abc,everywhere,,,", "address_not_e164"),
        ("+12025550001,messaging:fax,,,", "channel_unsupported"),
        ("+12025550001,,,,soon", "time_invalid"),
        ("+12025550001,,,,2026-11-23T12:00:00Z", "already_expired"),
        (f"+12025550001,,{'x' * 201},,", "cell_too_long"),
        (f"+12025550001,,,{'x' * 201},", "cell_too_long"),
        ("+12025550001,,\0,,", "row_not_text"),
        ("+12025550001,,,,,more", "row_malformed"),
    ],
)
def test_a_row_that_cant_be_used_has_its_number_and_its_code(row: str, code: str) -> None:
    file = rows("+12025550009,,,,", row, "+12025550008,,,,")
    assert [one.address for one in file] == [number(9), number(8)]
    assert file.refused == {code: 1}
    (wrong,) = file.wrong
    assert (wrong.row, wrong.code) == (2, code)
    assert wrong.message.endswith(".")
    assert "2025550001" not in wrong.message


def test_of_many_wrong_rows_all_are_counted_and_some_named() -> None:
    file = rows(*["nobody"] * (NAMED + 5), header="address")
    assert list(file) == []
    assert (file.refused.total(), len(file.wrong)) == (NAMED + 5, NAMED)


def test_good_rows_are_kept_beside_bad_ones(ledger: Ledger) -> None:
    file = rows(*[number(each) if each % 5 else "nobody" for each in range(2_500)],
                header="address")  # fmt: skip
    done = suppressions.add(ledger, file, actor="cli:ann", now=NOW)
    assert (done, file.refused.total()) == (Added(added=2_000), 500)
    assert len(suppressions.listing(ledger)) == 2_000


# --- export


def written(ledger: Ledger, now: datetime = NOW) -> tuple[Exported, list[dict[str, str]], str]:
    stream = io.StringIO(newline="")
    done = suppressed_addresses.export(ledger, stream, actor="cli:ann", now=now)
    text = stream.getvalue()
    return done, list(csv.DictReader(io.StringIO(text, newline=""))), text


def entry(which: int, **changes: Any) -> Suppression:
    given: dict[str, Any] = {
        "channel": SMS, "address": number(which), "reason": "asked", "source": "letter",
    }  # fmt: skip
    return Suppression(**{**given, **changes})


def add(ledger: Ledger, *entries: Suppression, now: datetime = NOW) -> None:
    suppressions.add(ledger, entries, actor="cli:ann", now=now)


def test_what_is_written_is_read_into_another_ledger(ledger: Ledger, tmp_path: Path) -> None:
    plant(ledger, 4)
    plant(ledger, 4, occurrence="again")
    add(
        ledger,
        entry(1, expires_at=LATER),
        entry(2, reason='=HYPERLINK("x")', source='said "no", twice'),
        entry(3, scope=Scope.EVERYWHERE),
        entry(3, reason="sms too"),
    )
    done, shown, text = written(ledger)
    assert done == Exported(rows=4, without_address=0)
    assert {(one["address"], one["channel"], one["expires_at"]) for one in shown} == {
        ("'" + number(1), SMS, LATER.isoformat()),
        ("'" + number(2), SMS, ""),
        ("'" + number(3), SMS, ""),
        ("'" + number(3), "everywhere", ""),
    }
    # No cell begins as a formula does.
    assert not [c for one in shown for c in one.values() if c[:1] in {"=", "+", "-", "@"}]
    other = open_ledger(f"sqlite:///{tmp_path}/other.db")
    again = rows(*text.splitlines()[1:], header=text.splitlines()[0])
    assert suppressions.add(other, again, actor="cli:bob", now=NOW) == Added(added=4)

    def facts(one: Ledger) -> set[tuple[object, ...]]:
        names = ("address_key", "scope", "reason", "source", "expires_at")
        return {tuple(row[name] for name in names) for row in suppressions.listing(one)}

    assert facts(other) == facts(ledger)
    other.close()


def test_where_no_message_has_the_address_there_is_its_digest(ledger: Ledger) -> None:
    plant(ledger, 2)
    add(ledger, entry(1), entry(2), entry(77), entry(78, scope=Scope.EVERYWHERE))
    erasure.erase(ledger, identify(number(2)), certificate_id="c", reason="", actor="a", now=NOW)
    done, shown, _ = written(ledger)
    assert done == Exported(rows=4, without_address=3)
    by_digest = {one["digest"]: one for one in shown}
    assert by_digest[address_key(SMS, number(1))]["address"] == "'" + number(1)
    for which in (2, 77, 78):
        assert by_digest[address_key(SMS, number(which))]["address"] == ""
    assert by_digest[address_key(SMS, number(2))]["reason"] == "kept_after_erasure"
    # Nobody imports a digest: it says which row, and not whom to suppress.
    again = rows(f",{SMS},asked,letter,")
    assert list(again) == []
    assert again.refused == {"address_missing": 1}


def test_a_text_that_is_too_long_or_no_text_is_kept_as_far_as_it_goes(ledger: Ledger) -> None:
    add(ledger, entry(1, reason="x" * 300, source="\0\udcff"))
    (kept,) = suppressions.listing(ledger)
    assert (kept["reason"], kept["source"]) == ("x" * 200, "�?")


def test_what_has_ended_is_not_written_and_the_export_is_audited(ledger: Ledger) -> None:
    plant(ledger, 2)
    add(ledger, entry(1, expires_at=NOW + timedelta(days=1)), entry(2))
    done, shown, _ = written(ledger, NOW + timedelta(days=1))
    assert [one["masked_address"] for one in shown] == ["…02"]
    *_, last = audit.read(ledger)
    assert (last["action"], last["details"]) == (
        "suppression.exported", {"rows": 1, "without_address": 0},
    )  # fmt: skip
    assert done.rows == 1
    assert "202555" not in str([dict(one) for one in audit.read(ledger)])


@given(st.text(string.printable + "＝＋－＠ßé😀", max_size=30))
def test_any_reason_comes_back_as_it_was(reason: str) -> None:
    told = reason.strip()
    assume("\r" not in told and not told.startswith("'"))
    cells = io.StringIO(newline="")
    csv.writer(cells).writerows([["address", "reason"], [inert(number(1)), inert(told)]])
    (one,) = SuppressionRows(
        rows=read_csv(io.BytesIO(cells.getvalue().encode())), holds_on=SMS, reason="none",
        source="s", expires_at=None, now=NOW,
    )  # fmt: skip
    assert (one.address, one.reason) == (number(1), told or "none")
