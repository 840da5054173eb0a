"""Which failures suppress: dated data, and nothing that is not perfectly clear."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from genesys_cloud.outbound.failure_policy import OPTED_OUT_ALONE, FailurePolicy, Rule
from genesys_cloud.outbound.status import OPTED_OUT

FILE = Path(__file__).resolve().parents[2] / "include" / "policies" / "failures.toml"
POLICY = FailurePolicy.parse(FILE.read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_an_opt_out_is_for_ever_and_a_dead_number_for_a_while() -> None:
    assert POLICY.rule(OPTED_OUT) == OPTED_OUT_ALONE.rule(OPTED_OUT) == Rule(reason="opted_out")
    gone = POLICY.rule("InvalidDestination")
    assert gone is not None
    assert gone.expires_at(NOW) == NOW + timedelta(days=180)
    assert Rule(reason="x").expires_at(NOW) is None
    assert POLICY.dated >= date(2026, 11, 23)


@pytest.mark.parametrize(
    "code", ["recipientoptedout", "RECIPIENT_OPTED_OUT", "Recipient-Opted-Out"]
)
def test_the_case_and_the_hyphens_of_a_code_do_not_count(code: str) -> None:
    assert POLICY.rule(code) == OPTED_OUT_ALONE.rule(code) == Rule(reason="opted_out")


@pytest.mark.parametrize(
    "code",
    [None, "", "MessageExpired", "RateLimited", "MessageNotAllowed", "GeneralError", "ServerError",
     "UnsupportedMessage", "DataFiltered", "rejected_by_genesys", "opted"],
)  # fmt: skip
def test_what_says_nothing_of_the_person_suppresses_nobody(code: str | None) -> None:
    assert POLICY.rule(code) is None


GOOD = """
dated = 2026-11-23
[Gone]
reason = "gone"
source = "us"
days = 30
"""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("2026-11-23", '"today"'), "`dated` is not a date"),
        (("days = 30", ""), "needs `days`"),
        (("days = 30", "days = 0"), "from 1 to 3660"),
        (("days = 30", "days = true"), "from 1 to 3660"),
        (("days = 30", "days = 3.5"), "from 1 to 3660"),
        (("days = 30", "for_ever = false"), "or else `for_ever = true`"),
        (("days = 30", "days = 30\nfor_ever = true"), "or else `for_ever = true`"),
        (('"gone"', '" "'), r"\[Gone\] has no `reason`"),
        (('"gone"', f'"{"x" * 65}"'), "over 64 characters"),
        (('source = "us"', ""), r"\[Gone\] has no `source`"),
        (('source = "us"', 'source = "us"\nwhy = 1'), "has more than"),
        (("[Gone]", "Late = 7\n[Gone]"), r"\[Late\] has no `reason`"),
        (("dated", "dated dated"), "Expected"),
    ],
)
def test_a_policy_that_is_not_clear_is_refused(change: tuple[str, str], says: str) -> None:
    assert FailurePolicy.parse(GOOD).rules == {"Gone": Rule(reason="gone", days=30)}
    with pytest.raises(ValueError, match=says):
        FailurePolicy.parse(GOOD.replace(*change, 1))
