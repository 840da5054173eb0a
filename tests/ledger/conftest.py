from __future__ import annotations

from collections.abc import Iterator

import pytest

from genesys_cloud.ledger.database import Ledger, open_ledger


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()
