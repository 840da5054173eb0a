"""A list of conversations is joined to the ledger's messages where nothing is left to guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.workflows.joining import Joined
from tests.ledger.planted import plant

MESSAGES = 6


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    place: Path = tmp_path_factory.mktemp("ledger")
    opened = open_ledger(f"sqlite:///{place}/ledger.db")
    plant(opened, MESSAGES)
    yield opened
    opened.close()


def keep(
    ledger: Ledger, conversations: Sequence[int | None], *, unnamed: int | None = None
) -> None:
    """Have message n of the ledger be in a conversation; `unnamed` is the one without an id."""
    with ledger.write() as connection:
        for number, place in enumerate(conversations):
            connection.execute(
                update(messages)
                .where(messages.c.row_number == number + 1)
                .values(
                    conversation_id=None if place is None else f"c{place}",
                    api_message_id=None if number == unnamed else f"m{number}",
                )
            )


def listed(*conversations: int | None) -> DeliveryPage:
    return DeliveryPage(
        number=1,
        total=7,
        deliveries=[
            Delivery(
                message_id=f"c{place}/s{number}" if place is not None else f"plain{number}",
                channel="messaging:sms",
                status="sent",
                created_at=datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=number),
                conversation_id=None if place is None else f"c{place}",
            )
            for number, place in enumerate(conversations)
        ],
        has_more=False,
        approximate=True,
    )


def ids(pages: Sequence[DeliveryPage], ledger: Ledger) -> list[str]:
    return [one.message_id for page in Joined(pages, ledger) for one in page.deliveries]


def test_one_message_in_a_conversation_is_known_by_its_own_id(ledger: Ledger) -> None:
    keep(ledger, [0, 1, None, None, None, None])
    page = listed(1, 0, 4)
    (joined,) = Joined([page], ledger)
    assert [one.message_id for one in joined.deliveries] == ["m1", "m0", "c4/s2"]
    assert (joined.total, joined.approximate, joined.number) == (7, True, 1)
    assert joined.deliveries[0].created_at == page.deliveries[0].created_at


def test_several_messages_of_the_ledger_in_one_conversation_are_not_told_apart(
    ledger: Ledger,
) -> None:
    keep(ledger, [0, 0, None, None, None, None])
    assert ids([listed(0)], ledger) == ["c0/s0"]


def test_several_sessions_of_one_conversation_are_not_told_apart(ledger: Ledger) -> None:
    keep(ledger, [0, None, None, None, None, None])
    assert ids([listed(0, 0)], ledger) == ["c0/s0", "c0/s1"]


def test_a_message_whose_id_is_not_known_keeps_the_lists(ledger: Ledger) -> None:
    keep(ledger, [0, 1, None, None, None, None], unnamed=0)
    assert ids([listed(0, 1)], ledger) == ["c0/s0", "m1"]


def test_what_has_no_conversation_passes_without_a_question() -> None:
    page = listed(None, None)
    (joined,) = Joined([page], None)  # type: ignore[arg-type]  # there is no ledger to ask
    assert joined.deliveries is page.deliveries


def test_a_list_is_joined_as_often_as_it_is_read(ledger: Ledger) -> None:
    keep(ledger, [0, None, None, None, None, None])
    again = Joined([listed(0)], ledger)
    assert len([*again, *again]) == 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(st.none() | st.integers(0, 4), min_size=MESSAGES, max_size=MESSAGES),
    shown=st.lists(st.none() | st.integers(0, 5), max_size=8),
)
def test_no_delivery_is_lost_and_no_message_given_to_two(
    ledger: Ledger, held: list[int | None], shown: list[int | None]
) -> None:
    keep(ledger, held)
    found = ids([listed(*shown)], ledger)
    assert len(found) == len(set(found)) == len(shown)
    kept, seen = Counter(held), Counter(shown)
    for name, place in zip(found, shown, strict=True):
        alone = place is not None and kept[place] == 1 and seen[place] == 1
        assert name.startswith("m") == alone
        assert not alone or held[int(name[1:])] == place
