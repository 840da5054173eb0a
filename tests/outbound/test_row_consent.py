from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.consent import ConsentFrom
from genesys_cloud.outbound.recipients import Recipient, read_recipient
from genesys_cloud.outbound.row_consent import ConsentRule, moment

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def row(**cells: str) -> Recipient:
    return read_recipient({"consent": "true"} | cells, address="+12025550123")


def rule(source: str = "audience", purpose: str = "") -> ConsentRule:
    return ConsentRule(purpose=purpose, consent_from=ConsentFrom(source), now=NOW)


def codes(recipient: Recipient, source: str = "audience", purpose: str = "") -> list[str]:
    found = rule(source, purpose).check(recipient)
    assert all(one.message for one in found)
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, []),
        ({"consent": "no"}, ["consent_not_verified"]),
        ({"consent_at": "2026-11-22"}, []),
        ({"consent_at": "2026-11-23T12:00:00Z"}, []),
        ({"consent_at": "2026-11-23T12:00:01Z"}, ["consent_time_invalid"]),
        # It is the 24th somewhere already, and nowhere the 25th.
        ({"consent_at": "2026-11-24"}, []),
        ({"consent_at": "2026-11-25"}, ["consent_time_invalid"]),
        ({"consent_at": "23.11.2026"}, ["consent_time_invalid"]),
        ({"consent_at": "soon"}, ["consent_time_invalid"]),
        ({"consent_at": "0001-01-01"}, ["consent_time_invalid"]),
        ({"consent_expires_at": "9999-12-31"}, []),
        ({"consent_expires_at": "never"}, ["consent_time_invalid"]),
        ({"consent_expires_at": "2026-11-23T12:00:00Z"}, ["consent_expired"]),
        ({"consent_expires_at": "2026-11-23T13:00:00+01:00"}, ["consent_expired"]),
        ({"consent_expires_at": "2026-11-23T12:00:01Z"}, []),
        # A day ends the consent where it begins first.
        ({"consent_expires_at": "2026-11-24"}, ["consent_expired"]),
        ({"consent_expires_at": "2026-11-25"}, []),
        ({"consent": "", "consent_at": "x"}, ["consent_not_verified", "consent_time_invalid"]),
    ],
)
def test_the_row_s_own_columns_are_read(cells: dict[str, str], expected: list[str]) -> None:
    assert codes(row(**cells)) == codes(row(**cells), "both") == expected
    assert codes(row(**cells), "ledger") == []


def test_a_row_s_purpose_counts_where_the_campaign_has_one() -> None:
    named = row(consent_purpose="Offers")
    assert codes(named) == codes(named, purpose="offers") == codes(row(), purpose="offers") == []
    assert codes(named, purpose="care") == ["consent_other_purpose"]


@given(st.text(max_size=30))
def test_no_cell_is_an_error(cell: str) -> None:
    codes(row(consent_at=cell, consent_expires_at=cell, consent_purpose=cell), purpose="care")


@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_an_instant_is_read_back_as_it_was_written(at: datetime) -> None:
    if not 2 < at.year < 9998:
        return
    found = moment(at.isoformat())
    assert found is not None
    if at.tzinfo is None:
        assert found + timedelta(hours=14) == at.replace(tzinfo=UTC)
    else:
        # The text keeps whole seconds of the offset at least, as the standard library writes them.
        assert found == datetime.fromisoformat(at.isoformat())


def test_the_proof_is_what_the_row_says_besides_the_yes() -> None:
    assert rule().proof(row()) == (None, None)
    said = row(consent_at="2026-01-02", consent_source="Straße", consent_wording="v3")
    assert rule().proof(said) == ('{"at":"2026-01-02","source":"Straße","wording":"v3"}', None)
    ends = row(consent_expires_at="2027-01-01T00:00:00+02:00", consent_source="x" * 300)
    text, expires_at = rule("both").proof(ends)
    assert expires_at == datetime(2026, 12, 31, 22, tzinfo=UTC)
    assert text is not None
    assert "x" * 200 in text
    assert "x" * 201 not in text
    assert rule("ledger").proof(ends) == (None, None)
