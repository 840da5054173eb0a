from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.ledger import planned_rows, plans
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.messages import State
from tests.ledger.planted import NOW, planned, plant

HARD = planned(2, text='Señal "uno"\n\ttab \\N \\. ; 日本 \U0001f600')._replace(
    consent_proof='{"at":"2026-01-01"}', consent_expires_at=NOW, place="US|NY|", held_until=NOW,
    state=State.HELD,
)  # fmt: skip


def rows(ledger: Ledger) -> dict[str, PlannedMessage]:
    """What the ledger has, by message key."""
    columns = [messages.c[name] for name in PlannedMessage._fields[:-1]]
    with ledger.read() as connection:
        found = [PlannedMessage(*row) for row in connection.execute(select(*columns))]
    return {one.message_key: one for one in found}


def test_what_is_written_is_what_is_read(ledger: Ledger) -> None:
    plan = plant(ledger, 0)
    written = [planned(1), HARD, planned(3, blocked="duplicate_address")._replace(address_key=None)]
    plans.add(ledger, plan, written)
    assert rows(ledger) == {one.message_key: one for one in written}
    with ledger.read() as connection:
        counters = select(messages.c.fence, messages.c.attempts, messages.c.plan_no).distinct()
        assert connection.execute(counters).all() == [(0, 0, 1)]


def test_a_row_that_another_run_wrote_meanwhile_stays_and_the_others_come(ledger: Ledger) -> None:
    plan = plant(ledger, 2)
    batch = [planned(3), planned(2, text="Other"), planned(4)]
    with ledger.write() as connection:
        planned_rows.insert(connection, plan.occurrence_id, plan.number, batch)
    found = rows(ledger)
    assert len(found) == 4
    assert {one.text for one in found.values()} == {"Hello"}


def test_rows_of_a_transaction_that_fails_are_not_there(ledger: Ledger) -> None:
    plan = plant(ledger, 1)

    def fail() -> None:
        with ledger.write() as connection:
            planned_rows.insert(connection, plan.occurrence_id, plan.number, [planned(2)])
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert len(rows(ledger)) == 1


def test_a_ledger_that_goes_away_in_a_batch_is_told_as_such(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    plan = plant(ledger, 1)

    def lose() -> None:
        with ledger.write() as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with ledger.read() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            planned_rows.insert(connection, plan.occurrence_id, plan.number, [planned(2)])

    with pytest.raises(LedgerUnavailableError):
        lose()
    assert len(rows(ledger)) == 1
    ledger.close()


def test_a_ledger_that_goes_away_in_the_midst_of_a_copy_is_told_as_such(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    plan = plant(ledger, 1)

    class Ending(list[PlannedMessage]):
        """A batch during which the server ends the connection."""

        pid = 0

        def __iter__(self) -> Iterator[PlannedMessage]:
            yield planned(2)
            with ledger.read() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": self.pid})
            yield from (planned(number) for number in range(3, 3_000))

    def lose() -> None:
        with ledger.write() as connection:
            batch = Ending()
            batch.pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            planned_rows.insert(connection, plan.occurrence_id, plan.number, batch)

    with pytest.raises(LedgerUnavailableError):
        lose()
    assert len(rows(ledger)) == 1
    ledger.close()
