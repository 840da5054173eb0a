from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.hold_out import check_hold_out, place_of

NUMBERS = [f"+1202555{number:04d}" for number in range(10_000)]
SHARES = st.floats(0, 1)


def held(campaign_id: str, share: float) -> set[str]:
    return {number for number in NUMBERS if check_hold_out(campaign_id, number, share)}


def test_it_is_the_same_on_every_machine() -> None:
    """The digest is written down here: were it another one day, people would change groups."""
    assert place_of("spring", "+12025550123") == pytest.approx(0.3032913051, abs=1e-9)


@given(st.text(max_size=64), st.text(max_size=64))
def test_a_place_lies_below_one_and_stays(campaign_id: str, address: str) -> None:
    assert 0 <= place_of(campaign_id, address) < 1
    assert place_of(campaign_id, address) == place_of(campaign_id, address)


@given(st.text(max_size=20), st.text(max_size=20), SHARES, SHARES)
def test_a_larger_share_holds_everybody_whom_a_smaller_one_held(
    campaign_id: str, address: str, one: float, other: float
) -> None:
    smaller, larger = sorted((one, other))
    if check_hold_out(campaign_id, address, smaller):
        assert check_hold_out(campaign_id, address, larger)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_the_group_is_as_large_as_asked_for(share: float) -> None:
    # Four standard deviations of a binomial: once in 16,000 campaign names.
    tolerance = 4 * (share * (1 - share) / len(NUMBERS)) ** 0.5
    for campaign_id in ("spring", "summer", "autumn"):
        assert len(held(campaign_id, share)) / len(NUMBERS) == pytest.approx(share, abs=tolerance)


def test_two_campaigns_hold_out_people_independently() -> None:
    both = held("spring", 0.5) & held("summer", 0.5)
    assert len(both) / len(NUMBERS) == pytest.approx(0.25, abs=4 * (0.1875 / 10_000) ** 0.5)


def test_nobody_and_everybody() -> None:
    assert held("spring", 0) == set()
    assert held("spring", 1) == set(NUMBERS)
    (violation,) = check_hold_out("spring", NUMBERS[0], 1)
    assert violation.code == "held_out"
    assert "100.00%" in violation.message
