"""How far a suppression reaches, how long it lasts, and who may take it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select, text

from genesys_cloud.ledger import audit, blocking, database, erasure, events, plans, suppressions
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.engine import engine_at
from genesys_cloud.ledger.events import Effect
from genesys_cloud.ledger.plans import Plan, address_key
from genesys_cloud.ledger.suppressions import Added, Suppression
from genesys_cloud.ledger.tables import suppressions as table
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.opt_outs import Choice, Verdict
from genesys_cloud.outbound.scope import Scope, same_person
from tests.ledger.planted import CAMPAIGN, NOW, planned

SMS, WHATSAPP, APPLE, OPEN = (f"messaging:{name}" for name in ("sms", "whatsapp", "apple", "open"))
PHONES = (SMS, WHATSAPP, APPLE)
NUMBER = "+12025550001"
DAY = timedelta(days=1)
_fresh = count(1)


def entry(channel: str = SMS, scope: Scope = Scope.CHANNEL, **changes: object) -> Suppression:
    one = Suppression(
        channel=channel, address=same_person(SMS, NUMBER).get(channel, f"open:{NUMBER[1:]}"),
        reason="opted_out", source="cli:ann", scope=scope,
    )  # fmt: skip
    return replace(one, **changes)  # type: ignore[arg-type]


EVERYWHERE = entry(scope=Scope.EVERYWHERE)


def add(ledger: Ledger, *entries: Suppression, now: datetime = NOW) -> Added:
    return suppressions.add(ledger, entries, actor="cli:ann", now=now)


def remove(ledger: Ledger, one: Suppression) -> bool:
    return suppressions.remove(ledger, one, actor="cli:bob", now=NOW)


def plan(ledger: Ledger, channel: str, address: str) -> Plan:
    """Plan one message to an address."""
    campaign = replace(CAMPAIGN, campaign_id=f"c{next(_fresh)}", channel=channel)
    begun = plans.begin(
        ledger, campaign, occurrence="once", sender="s", template_version="v1", now=NOW
    )
    row = planned(1, occurrence=campaign.campaign_id)._replace(
        address=address, address_key=address_key(channel, address)
    )
    plans.add(ledger, begun, [row])
    return begun


def blocked_on(ledger: Ledger, number: str = NUMBER, *, now: datetime = NOW) -> set[str]:
    """Return on which channels a message to the number is blocked, and on open messaging."""
    wires = {**same_person(SMS, number), OPEN: f"open:{number[1:]}"}
    return {
        channel
        for channel, wire in wires.items()
        if blocking.block_planned(ledger, plan(ledger, channel, wire), now)["suppressed"]
    }


def actions(ledger: Ledger) -> list[tuple[str, str]]:
    return [(one["action"], one["details"]["channel"]) for one in audit.read(ledger)
            if one["action"].startswith("suppression")]  # fmt: skip


def test_one_channel_is_one_channel_and_everywhere_is_the_persons_all(ledger: Ledger) -> None:
    add(ledger, entry(WHATSAPP))
    assert blocked_on(ledger) == {WHATSAPP}
    add(ledger, EVERYWHERE)
    assert blocked_on(ledger) == {*PHONES}
    # Two entries, each told and audited once, in however many rows.
    listed = suppressions.listing(ledger)
    assert sorted(one["scope"] for one in listed) == ["channel", "everywhere"]
    assert {one["masked_address"] for one in listed} == {"…01"}
    assert actions(ledger) == [
        ("suppression.added", WHATSAPP), ("suppression.added", "everywhere"),
    ]  # fmt: skip


@pytest.mark.parametrize("channel", PHONES)
def test_everywhere_is_the_same_entry_whichever_address_is_given(
    ledger: Ledger, channel: str
) -> None:
    assert add(ledger, EVERYWHERE) == Added(added=1)
    assert add(ledger, entry(channel, Scope.EVERYWHERE)) == Added(unchanged=1)
    assert len(suppressions.listing(ledger)) == 1
    assert remove(ledger, entry(channel, Scope.EVERYWHERE))
    assert blocked_on(ledger) == set()


def test_an_id_everywhere_is_its_providers(ledger: Ledger) -> None:
    add(ledger, entry(OPEN, Scope.EVERYWHERE))
    assert blocked_on(ledger) == {OPEN}


def test_what_is_lifted_leaves_the_other_in_force(ledger: Ledger) -> None:
    add(ledger, EVERYWHERE, entry())
    assert remove(ledger, entry())
    assert blocked_on(ledger) == {*PHONES}
    add(ledger, entry())
    assert remove(ledger, EVERYWHERE)
    assert not remove(ledger, EVERYWHERE)
    assert blocked_on(ledger) == {SMS}
    assert suppressions.scopes(ledger, entry(), now=NOW) == {Scope.CHANNEL}
    assert actions(ledger)[-1] == ("suppression.removed", "everywhere")
    assert audit.verify(ledger).ok


def test_what_has_ended_counts_and_is_listed_no_more(ledger: Ledger) -> None:
    add(ledger, replace(EVERYWHERE, expires_at=NOW + DAY), entry(OPEN))
    assert blocked_on(ledger, now=NOW + DAY - timedelta(seconds=1)) == {*PHONES, OPEN}
    assert blocked_on(ledger, now=NOW + DAY) == {OPEN}
    (left,) = suppressions.listing(ledger, at=NOW + DAY)
    assert left["channel"] == OPEN
    assert len(suppressions.listing(ledger)) == 2
    assert suppressions.scopes(ledger, entry(), now=NOW + DAY) == frozenset()


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_rows_of_one_file_the_stronger_holds(ledger: Ledger, order: int) -> None:
    both = [entry(), entry(expires_at=NOW + DAY)][::order]
    add(ledger, *both)
    assert [one["expires_at"] for one in suppressions.listing(ledger)] == [None]


ENTRIES = st.lists(
    st.builds(
        entry,
        st.sampled_from([*PHONES, OPEN]),
        st.sampled_from(Scope),
        source=st.sampled_from(["cli:ann", "inbound message", "delivery receipt"]),
        expires_at=st.one_of(st.none(), st.integers(-1, 9).map(lambda n: NOW + n * DAY)),
    ),
    max_size=6,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENTRIES, st.integers(0, 10))
def test_a_channel_is_shut_exactly_while_some_entry_reaches_it(
    ledger: Ledger, entries: list[Suppression], day: int
) -> None:
    number = f"+1202555{next(_fresh):04d}"
    mine = [
        replace(one, address=same_person(SMS, number).get(one.channel, f"open:{number[1:]}"))
        for one in entries
    ]
    add(ledger, *mine)
    at = NOW + day * DAY
    lasting = [one for one in mine if one.expires_at is None or one.expires_at > at]
    shut = {
        channel
        for one in lasting
        for channel in (
            same_person(one.channel, one.address)
            if one.scope is Scope.EVERYWHERE
            else [one.channel]
        )
    }
    assert blocked_on(ledger, number, now=at) == shut


def test_a_batch_takes_one_statement_whatever_is_on_the_list(ledger: Ledger) -> None:
    def statements() -> int:
        made = plan(ledger, SMS, NUMBER)
        seen: list[str] = []

        def note(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
            if "suppressions" in statement:
                seen.append(statement)

        event.listen(ledger.engine, "before_cursor_execute", note)
        blocking.block_planned(ledger, made, NOW)
        event.remove(ledger.engine, "before_cursor_execute", note)
        return len(seen)

    before = statements()
    add(ledger, EVERYWHERE, entry())
    assert statements() == before == 1


# --- people's own words


def said(
    verdict: Verdict, channel: str = SMS, *, minute: int = 0, scope: Scope = Scope.CHANNEL
) -> Choice:
    return Choice(
        event_id=f"{verdict}-{channel}-{minute}", message_id="conversation:c", channel=channel,
        address=same_person(SMS, NUMBER)[channel], verdict=verdict, scope=scope,
        occurred_at=NOW + timedelta(minutes=minute),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "stopped", "left"),
    [(Scope.CHANNEL, {WHATSAPP}, {WHATSAPP}), (Scope.EVERYWHERE, {*PHONES}, set())],
)
def test_a_stop_reaches_as_far_as_the_policy_says(
    ledger: Ledger, scope: Scope, stopped: set[str], left: set[str]
) -> None:
    assert events.apply(ledger, [said(Verdict.OPT_OUT, WHATSAPP, scope=scope)], NOW) == ["applied"]
    assert blocked_on(ledger) == stopped
    # A START on another channel: it lifts what was stopped everywhere, and no other channel's.
    start = said(Verdict.OPT_IN, SMS, minute=1, scope=scope)
    lifted = events.apply(ledger, [start], NOW + DAY)
    assert lifted == [Effect.IGNORED if left else Effect.APPLIED]
    assert blocked_on(ledger) == left
    assert audit.verify(ledger).ok


def test_a_start_never_lifts_what_people_said_everywhere(ledger: Ledger) -> None:
    add(ledger, EVERYWHERE)
    events.apply(ledger, [said(Verdict.OPT_OUT)], NOW)
    assert events.apply(ledger, [said(Verdict.OPT_IN, minute=1)], NOW + DAY) == [Effect.APPLIED]
    assert blocked_on(ledger) == {*PHONES}


def test_an_older_start_lifts_no_stop_that_came_after_it(ledger: Ledger) -> None:
    stop = said(Verdict.OPT_OUT, minute=5, scope=Scope.EVERYWHERE)
    start = said(Verdict.OPT_IN, WHATSAPP, minute=4)
    assert events.apply(ledger, [stop, start], NOW + DAY) == [Effect.APPLIED, Effect.IGNORED]
    assert blocked_on(ledger) == {*PHONES}


def test_a_word_that_outlasts_a_receipt_gives_its_reason(ledger: Ledger) -> None:
    add(ledger, entry(reason="unreachable", source="delivery receipt", expires_at=NOW + DAY))
    events.apply(ledger, [said(Verdict.OPT_OUT)], NOW)
    (kept,) = suppressions.listing(ledger)
    assert (kept["reason"], kept["source"], kept["expires_at"]) == (
        "opted_out", "inbound message", None,
    )  # fmt: skip


# --- erasure and upgrade


def test_an_erasure_leaves_the_digests_of_a_no_that_holds_everywhere(ledger: Ledger) -> None:
    add(ledger, EVERYWHERE, entry(WHATSAPP, expires_at=NOW + DAY))
    erased = erasure.erase(
        ledger, identify(NUMBER), certificate_id="c", reason="", actor="ann", now=NOW + 2 * DAY
    )
    assert erased.removed["suppressions"] == 1  # it had ended
    assert erased.kept["suppressions"] == 3
    with ledger.read() as connection:
        rows = connection.execute(select(table)).mappings().all()
    assert {(one["masked_address"], one["reason"], one["source"]) for one in rows} == {
        ("…", "kept_after_erasure", "kept_after_erasure")
    }
    assert blocked_on(ledger) == {*PHONES}
    assert events.apply(ledger, [said(Verdict.OPT_IN)], NOW + 3 * DAY) == [Effect.IGNORED]
    forgotten = erasure.erase(
        ledger, identify(NUMBER), certificate_id="d", reason="", actor="ann",
        now=NOW + 2 * DAY, forget_suppression=True,
    )  # fmt: skip
    assert forgotten.removed["suppressions"] == 3
    assert suppressions.listing(ledger) == []


def test_an_upgrade_keeps_every_suppression_as_its_channels(ledger_url: str) -> None:
    ledger = Ledger(engine_at(ledger_url))
    config = Config()
    config.set_main_option(
        "script_location", str(database.Path(database.__file__).parent / "migrations")
    )
    with ledger.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(
            text("INSERT INTO suppressions VALUES (:k, :c, '…01', 'opted_out', 'cli', :at, NULL)"),
            {"k": address_key(SMS, NUMBER), "c": SMS, "at": "2026-11-01 08:00:00"},
        )
    database.upgrade(ledger)
    (kept,) = suppressions.listing(ledger)
    assert (kept["scope"], kept["reason"], kept["expires_at"]) == ("channel", "opted_out", None)
    assert kept["created_at"].isoformat() == "2026-11-01T08:00:00+00:00"
    assert blocked_on(ledger) == {SMS}
    ledger.close()
