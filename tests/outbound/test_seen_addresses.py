from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound import seen_addresses
from genesys_cloud.outbound.seen_addresses import NoneSeen, SeenAddresses


@given(st.lists(st.text("ab", max_size=3), max_size=50))
def test_an_address_belongs_to_the_row_that_had_it_first(addresses: list[str]) -> None:
    seen, known = SeenAddresses(), dict[str, int]()
    for row, address in enumerate(addresses, start=1):
        assert seen.first(address, row) == known.setdefault(address, row)


def test_ten_million_rows_are_numbered() -> None:
    seen = SeenAddresses()
    assert seen.first("a", 10_000_000) == seen.first("a", 10_000_001) == 10_000_000


class Prepared:
    """A digest that is chosen, so that one stands across the records of two others."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def digest(self) -> bytes:
        return self._digest


def test_bytes_across_two_records_are_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = b"zz" + b"\x00" * 10 + b"abcd", b"zz" + b"efghij" + b"\x00" * 8
    # The end of the first digest, the number of its row, and the beginning of the second.
    across = b"zz" + b"abcd" + (1).to_bytes(4) + b"efghij"
    digests = {b"first": first, b"second": second, b"across": across}
    monkeypatch.setattr(
        seen_addresses,
        "hashlib",
        type("Fake", (), {"blake2b": lambda text, **_: Prepared(digests[text])}),
    )
    seen = SeenAddresses()
    assert [seen.first(name.decode(), row) for row, name in enumerate(digests, start=1)] == [
        1,
        2,
        3,
    ]
    assert [seen.first(name.decode(), 9) for name in digests] == [1, 2, 3]


def test_a_hundred_thousand_take_little_memory() -> None:
    tracemalloc.start()
    try:
        seen = SeenAddresses()
        for row in range(100_000):
            seen.first(f"+1202{row:07}", row)
        assert tracemalloc.get_traced_memory()[1] < 12_000_000  # a dictionary takes 15
    finally:
        tracemalloc.stop()


def test_who_sees_none_takes_every_row_for_the_first() -> None:
    seen = NoneSeen()
    assert [seen.first("a", row) for row in (1, 2)] == [1, 2]
