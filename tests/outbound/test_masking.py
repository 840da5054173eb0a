from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.messages import mask_numbers

IDS = st.uuids().map(str) | st.binary(max_size=8).map(lambda data: sha256(data).hexdigest())


@given(st.lists(IDS, min_size=1, max_size=3))
def test_ids_that_support_asks_for_stay_whole(ids: list[str]) -> None:
    text = f"refused (correlation id {ids[0]}): {', '.join(ids)}"
    assert mask_numbers(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("call +1 (202) 555-0123 now", "call …23 now"),
        ("tel12025550123", "tel…23"),
        ("00000000-1202555-0123", "…23"),
        ("since 2026-11-23, not 20261123", "since 2026-11-23, not …23"),
        # As long as an id, and none.
        ("1" * 63, "…11"),
        (f"{UUID(int=0)}12025550123", "…23"),
    ],
)
def test_what_may_be_a_number_is_masked(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked
