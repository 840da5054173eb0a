"""Statuses that nobody pushes are asked for: often at first, then rarely, and within bounds."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from genesys_cloud.api.contract import MessageRef
from genesys_cloud.errors import (
    ApiError,
    EndpointMissingError,
    OutcomeUnknownError,
    PagingError,
    PermissionDeniedError,
    RequestRejectedError,
    ServiceFailedError,
)
from genesys_cloud.ledger import audit, erasure, events, lost_statuses, suppressions
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.delivered import learn as learn_from_report
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.asking import POLLED
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.status import FINAL, StatusEvent
from genesys_cloud.workflows import tracking
from genesys_cloud.workflows.asking import LEFT_OVER, Asked, ask
from genesys_cloud.workflows.asking import Bounds as ListBounds
from genesys_cloud.workflows.tracking import MINUTE, SHORTEST_WAIT, Bounds, Tracked
from tests.ledger.planted import CAMPAIGN
from tests.workflows.awaiting import SENT, accepted, changes, delivery, rows, statuses

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
BOUNDS = Bounds.of(300)
OPTED_OUT = "RecipientOptedOut"
track = partial(tracking.track, schedule=POLLED, bounds=BOUNDS)
FIRST = "+12025550001"
"""The address of the first message of an occurrence."""


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


@dataclass(frozen=True, kw_only=True)
class Life:
    """What becomes of a message: each step's age and status, and why it fails if it does."""

    steps: Sequence[tuple[timedelta, str]]
    code: str | None = None

    @property
    def ends(self) -> str:
        return self.steps[-1][1]

    def at(self, age: timedelta) -> str:
        return [status for since, status in self.steps if since <= age][-1]


def dies_of(code: str | None, *, after: timedelta = SECOND) -> Life:
    return Life(steps=[(timedelta(), "queued"), (after, "failed")], code=code)


ARRIVES = Life(steps=[(timedelta(), "queued"), (SECOND, "sent"), (2 * SECOND, "delivered")])
STAYS = Life(steps=[(timedelta(), "queued")])


@dataclass
class Platform:
    """Knows where each message stands at the time that it has, and counts what it is asked.

    Ids that it `refuses` make the answer break off there.
    """

    lives: dict[str, Life]
    now: datetime = SENT
    asked: list[str] = field(default_factory=list)
    refuses: dict[str, Exception] = field(default_factory=dict)

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        for ref in refs:
            self.asked.append(ref.message_id)
            if ref.message_id in self.refuses:
                raise self.refuses[ref.message_id]
            if (life := self.lives.get(ref.message_id)) is None:
                continue
            status = life.at(self.now - SENT)
            yield delivery(
                ref.message_id, status, error_code=life.code if status == "failed" else None
            )


def lives_of(ids: Sequence[str], rng: random.Random) -> dict[str, Life]:
    """Return lives as carriers report them: most end in seconds, some after hours or days."""
    found = {}
    for id_ in ids:
        sent = rng.uniform(1, 8) * SECOND
        [span] = rng.choices([MINUTE, HOUR, 5 * DAY], [80, 15, 5])
        final = sent + rng.uniform(0.02, 1) * span
        [(end, code)] = rng.choices(
            [("delivered", None), ("read", None), ("failed", "InvalidDestination"),
             ("failed", OPTED_OUT)],
            [80, 10, 7, 3],
        )  # fmt: skip
        steps = [(timedelta(), "queued"), (sent, "sent"), (final, end)]
        found[id_] = Life(steps=steps, code=code)
    return found


def passes(ledger: Ledger, platform: Platform, bounds: Bounds = BOUNDS) -> list[Tracked]:
    """Ask until no message owes a status, at the times that each pass gives."""
    made = [track(ledger, platform, now=platform.now, bounds=bounds)]
    while (next_at := made[-1].next_at) is not None:
        assert next_at - platform.now >= SHORTEST_WAIT
        assert next_at - platform.now >= made[-1].asked * MINUTE / bounds.per_minute
        assert made[-1].asked <= bounds.in_pass
        platform.now = next_at
        made.append(track(ledger, platform, now=next_at, bounds=bounds))
    return made


def test_everybody_ends_final_with_few_questions(ledger: Ledger) -> None:
    lives = lives_of(accepted(ledger, 500), random.Random(7))
    platform = Platform(lives)
    made = passes(ledger, platform)
    found = rows(ledger)
    assert {row.api_message_id: row.status for row in found} == {
        id_: life.ends for id_, life in lives.items()
    }
    assert {row.api_message_id: row.reason_code for row in found if row.reason_code} == {
        id_: life.code for id_, life in lives.items() if life.code
    }
    gone = [row.address[-2:] for row in found if row.reason_code == OPTED_OUT]
    assert len(gone) > 5
    kept = suppressions.listing(ledger)
    assert sorted(one["masked_address"] for one in kept) == sorted(f"…{end}" for end in gone)
    assert audit.verify(ledger).ok

    # A question every half minute until the final status would be asked this often.
    steady = sum(life.steps[-1][0] // (MINUTE / 2) + 1 for life in lives.values())
    assert sum(one.asked for one in made) == len(platform.asked)
    assert len(platform.asked) < 500 * 8 < steady / 10
    # An age that doubles is asked about 10 times in 1.4 hours, and 15 times in the first 1.5 days.
    most = max(map(platform.asked.count, lives))
    assert most < 15 + 2 * 5 + 15


def test_what_never_ends_is_asked_about_for_ten_days_and_no_more(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    platform = Platform({one: STAYS})
    passes(ledger, platform)
    # 32 questions as the schedule has it; what a pass is later for makes each distance longer.
    assert 30 <= len(platform.asked) <= 32
    assert platform.now - SENT <= POLLED.oldest + POLLED.longest_distance
    assert statuses(ledger) == ["queued"]
    assert changes(ledger) == []


def test_a_first_question_is_asked_when_the_status_is_ten_seconds_old(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    assert lost_statuses.next_due(ledger, now=SENT, schedule=POLLED) == SENT + POLLED.first
    platform = Platform({one: ARRIVES}, now=SENT + 9 * SECOND)
    early = track(ledger, platform, now=platform.now)
    assert early == Tracked(next_at=platform.now + SHORTEST_WAIT)
    assert platform.asked == []
    platform.now = SENT + POLLED.first
    assert track(ledger, platform, now=platform.now) == Tracked(asked=1, moved=1)
    assert statuses(ledger) == ["delivered"]


def test_a_pass_waits_for_the_next_message_that_is_due(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    now = SENT + HOUR
    platform = Platform({one: STAYS}, now=now)
    assert track(ledger, platform, now=now).next_at == now + HOUR
    # A message that nobody asked about yet is due sooner.
    accepted(ledger, 1, at=now + MINUTE, occurrence="later")
    again = track(ledger, platform, now=now + MINUTE)
    assert again == Tracked(next_at=now + MINUTE + SHORTEST_WAIT)


def test_a_ledger_without_open_messages_has_nothing_due(ledger: Ledger) -> None:
    assert track(ledger, Platform({}), now=SENT) == Tracked()


@pytest.mark.parametrize(
    ("requests_per_minute", "in_pass", "per_minute"),
    # A third of the limit; 1 where a third is none; and no pass of more than a thousand.
    [(300, 100, 100), (180, 60, 60), (2, 1, 1), (30_000, 1_000, 10_000)],
)
def test_most_of_the_accounts_requests_are_left_to_sends(
    requests_per_minute: int, in_pass: int, per_minute: int
) -> None:
    assert Bounds.of(requests_per_minute) == Bounds(in_pass=in_pass, per_minute=per_minute)


def test_the_newest_come_first_and_the_rest_waits_for_its_minute(ledger: Ledger) -> None:
    old = accepted(ledger, 3)
    new = accepted(ledger, 4, at=SENT + MINUTE, occurrence="later")
    platform = Platform(dict.fromkeys([*old, *new], ARRIVES), now=SENT + 2 * MINUTE)
    bounds = Bounds(in_pass=5, per_minute=5)
    first = track(ledger, platform, now=platform.now, bounds=bounds)
    assert set(platform.asked[:4]) == set(new)
    assert platform.asked[4:] == [old[-1]]
    # Five of five a minute: nothing more until it is over, though two are due.
    assert first == Tracked(asked=5, moved=5, next_at=platform.now + MINUTE)
    platform.now += MINUTE
    second = track(ledger, platform, now=platform.now, bounds=bounds)
    assert second == Tracked(asked=2, moved=2)
    assert set(statuses(ledger)) == {"delivered"}


def test_a_crash_between_blocks_loses_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "BLOCK", 3)
    ids = accepted(ledger, 8)
    platform = Platform(dict.fromkeys(ids, ARRIVES), now=SENT + MINUTE)
    platform.refuses[ids[2]] = OutcomeUnknownError("killed")
    with pytest.raises(OutcomeUnknownError):
        track(ledger, platform, now=platform.now)
    # The newest come first: 7, 6, 5 are recorded, and 2 breaks the block of 4, 3, 2.
    assert statuses(ledger) == ["queued"] * 5 + ["delivered"] * 3
    platform.refuses.clear()
    platform.asked.clear()
    assert track(ledger, platform, now=platform.now).moved == 5
    assert set(platform.asked) == set(ids[:5])
    assert len(changes(ledger)) == 8


@pytest.mark.parametrize(
    "error", [RequestRejectedError("no such id", status=400), PagingError("that is no answer")]
)
def test_a_message_that_is_refused_holds_up_nobody_but_its_conversation(
    ledger: Ledger, error: Exception
) -> None:
    ids = accepted(ledger, 5, conversations=["c1", "c2", "c3", "c2", None])
    platform = Platform(dict.fromkeys(ids, ARRIVES), now=SENT + MINUTE)
    platform.refuses[ids[3]] = error
    first = track(ledger, platform, now=platform.now)
    # Its status is a minute old, so that it is asked about in another.
    assert first == Tracked(asked=5, moved=3, not_known=2, next_at=platform.now + MINUTE)
    assert statuses(ledger) == ["delivered", "queued", "delivered", "queued", "delivered"]


@pytest.mark.parametrize("fails", [ServiceFailedError, EndpointMissingError, PermissionDeniedError])
def test_a_message_at_which_genesys_fails_comes_after_the_others_in_the_next_pass(
    ledger: Ledger, fails: type[ApiError]
) -> None:
    ids = accepted(ledger, 4)
    platform = Platform(dict.fromkeys(ids, ARRIVES), now=SENT + MINUTE)
    platform.refuses[ids[2]] = fails("it failed", status=500)
    with pytest.raises(fails):
        track(ledger, platform, now=platform.now)
    assert platform.asked == [ids[3], ids[2]]
    assert statuses(ledger) == ["queued", "queued", "queued", "delivered"]
    # The next pass finds the two that nobody asked about, and not the one that failed.
    second = track(ledger, platform, now=platform.now)
    assert second == Tracked(asked=2, moved=2, next_at=platform.now + MINUTE)
    assert statuses(ledger) == ["delivered", "delivered", "queued", "delivered"]


def test_what_genesys_does_not_know_is_asked_about_again(ledger: Ledger) -> None:
    one, two = accepted(ledger, 2, conversations=["c1", "c2"])
    platform = Platform({two: ARRIVES}, now=SENT + POLLED.first)
    first = track(ledger, platform, now=platform.now)
    assert (first.asked, first.moved, first.not_known) == (2, 1, 1)
    platform.lives[one] = ARRIVES
    assert first.next_at is not None
    second = track(ledger, platform, now=first.next_at)
    assert second == Tracked(asked=1, moved=1)


def test_a_message_is_asked_for_in_its_conversation(ledger: Ledger) -> None:
    one, two = accepted(ledger, 2, conversations=["c1", None])
    asked: list[MessageRef] = []

    class Listening:
        def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
            asked.extend(refs)
            return iter(())

    track(ledger, Listening(), now=SENT + MINUTE)
    assert asked == [MessageRef(message_id=two), MessageRef(message_id=one, conversation_id="c1")]


def test_another_campaign_is_left_alone(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    platform = Platform({one: ARRIVES}, now=SENT + MINUTE)
    another = track(ledger, platform, now=platform.now, campaign_id="another")
    assert another == Tracked()
    own = CAMPAIGN.campaign_id
    assert track(ledger, platform, now=platform.now, campaign_id=own).moved == 1


def test_who_has_opted_out_is_suppressed_with_the_status_and_audited(ledger: Ledger) -> None:
    ids = accepted(ledger, 3)
    codes = [OPTED_OUT, "InvalidDestination", None]
    lives = {id_: dies_of(code) for id_, code in zip(ids, codes, strict=True)}
    platform = Platform(lives, now=SENT + MINUTE)
    track(ledger, platform, now=platform.now)
    assert [row.reason_code for row in rows(ledger)] == codes
    (kept,) = suppressions.listing(ledger)
    assert (kept["reason"], kept["source"], kept["masked_address"], kept["expires_at"]) == (
        "opted_out", "delivery receipt", "…01", None,
    )  # fmt: skip
    *_, added = entries = list(audit.read(ledger))
    assert [one["details"].get("reason") for one in entries if one["new_status"] == "failed"] == [
        *codes
    ]
    assert (added["action"], added["actor"]) == ("suppression.added", tracking.ACTOR)
    assert added["details"]["source"] == "delivery receipt"
    assert FIRST not in str(entries)
    assert audit.verify(ledger).ok


def suppressed_before(ledger: Ledger, *, expires_at: datetime | None = None) -> None:
    entry = Suppression(
        channel=CAMPAIGN.channel, address=FIRST, reason="asked", source="a letter",
        expires_at=expires_at,
    )  # fmt: skip
    suppressions.add(ledger, [entry], actor="cli:test", now=SENT)


def fail_as_opted_out(ledger: Ledger, message_id: str) -> list[Any]:
    """Have a message fail since its recipient has opted out; return the suppressions after it."""
    platform = Platform({message_id: dies_of(OPTED_OUT)}, now=SENT + MINUTE)
    assert track(ledger, platform, now=platform.now).moved == 1
    return [(one["reason"], one["expires_at"]) for one in suppressions.listing(ledger)]


def test_who_is_suppressed_for_ever_stays_so_with_the_old_reason(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    suppressed_before(ledger)
    assert fail_as_opted_out(ledger, one) == [("asked", None)]
    assert [one["action"] for one in audit.read(ledger)].count("suppression.added") == 1


def test_a_suppression_that_ends_some_day_is_made_to_last(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    suppressed_before(ledger, expires_at=SENT + DAY)
    assert fail_as_opted_out(ledger, one) == [("asked", None)]


def test_nobody_is_suppressed_for_a_message_whose_recipient_was_erased(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    erasure.erase(
        ledger, identify(FIRST), certificate_id="c-1", reason="asked", actor="test", now=SENT
    )
    assert fail_as_opted_out(ledger, one) == []


def test_a_person_with_two_messages_is_suppressed_once(ledger: Ledger) -> None:
    ids = [*accepted(ledger, 1), *accepted(ledger, 1, occurrence="later")]
    platform = Platform(dict.fromkeys(ids, dies_of(OPTED_OUT)), now=SENT + MINUTE)
    assert track(ledger, platform, now=platform.now).moved == 2
    assert len(suppressions.listing(ledger)) == 1
    assert [one["action"] for one in audit.read(ledger)].count("suppression.added") == 1


def test_the_reason_of_a_failure_that_was_pushed_is_learnt_from_the_report(ledger: Ledger) -> None:
    # An event says that a message failed, and not why.
    (one,) = accepted(ledger, 1)
    failed = StatusEvent(event_id="e1", message_id=one, status="failed", occurred_at=SENT)
    events.apply(ledger, [failed], SENT)
    listed = [delivery(one, "failed", error_code=OPTED_OUT)]
    for _ in range(2):
        assert learn_from_report(ledger, listed, now=SENT + DAY) == 0
        assert [row.reason_code for row in rows(ledger)] == [OPTED_OUT]
        assert [kept["reason"] for kept in suppressions.listing(ledger)] == ["opted_out"]
    assert len(changes(ledger)) == 1
    assert [one["action"] for one in audit.read(ledger)].count("suppression.added") == 1


class Analytics:
    """Lists every message as analytics does: a failure has a code of its own, and no reason."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.listed = 0

    def pages(self, start: datetime, end: datetime) -> Iterator[DeliveryPage]:
        self.listed += 1
        age = self.platform.now - SENT
        found = [
            delivery(id_, life.at(age), error_code="error.edge" if life.code else None)
            for id_, life in self.platform.lives.items()
        ]
        yield DeliveryPage(number=1, total=None, deliveries=found, has_more=False)


def test_a_list_says_who_failed_and_the_details_why(ledger: Ledger) -> None:
    ids = accepted(ledger, 4)
    lives = [ARRIVES, dies_of(OPTED_OUT), dies_of("InvalidDestination"), STAYS]
    platform = Platform(dict(zip(ids, lives, strict=True)), now=SENT + HOUR)
    done = ask(
        ledger, Analytics(platform), now=platform.now, schedule=POLLED, details=platform
    )  # fmt: skip
    assert done == Asked(moved=3, still_open=1)
    assert platform.asked == ids[1:3]
    assert [row.reason_code for row in rows(ledger)] == [
        None, OPTED_OUT, "InvalidDestination", None,
    ]  # fmt: skip
    assert len(suppressions.listing(ledger)) == 1


def test_failures_beyond_a_runs_bounds_are_explained_by_the_next(ledger: Ledger) -> None:
    ids = accepted(ledger, 5)
    platform = Platform(dict.fromkeys(ids, dies_of("InvalidDestination")), now=SENT + HOUR)
    lister = Analytics(platform)
    runs = [
        ask(ledger, lister, now=platform.now, schedule=POLLED, details=platform,
            bounds=ListBounds(pages=3))
        for _ in range(3)
    ]  # fmt: skip
    # One page and the details of two failures a run; of the rest nothing is recorded yet.
    assert runs == [Asked(moved=2, unasked=3), Asked(moved=2, unasked=1), Asked(moved=1)]
    assert {row.reason_code for row in rows(ledger)} == {"InvalidDestination"}
    assert lister.listed == 3


def test_details_that_are_refused_leave_the_others_explained(ledger: Ledger) -> None:
    ids = accepted(ledger, 3)
    platform = Platform(dict.fromkeys(ids, dies_of("InvalidDestination")), now=SENT + HOUR)
    platform.refuses[ids[0]] = RequestRejectedError("no such id", status=400)
    done = ask(ledger, Analytics(platform), now=platform.now, schedule=POLLED, details=platform)
    assert done == Asked(moved=3)
    assert [row.reason_code for row in rows(ledger)] == [
        "error.edge", "InvalidDestination", "InvalidDestination",
    ]  # fmt: skip


def test_details_at_which_genesys_fails_are_asked_for_after_the_others(ledger: Ledger) -> None:
    ids = accepted(ledger, 4)
    lives = [ARRIVES, *[dies_of(OPTED_OUT)] * 3]
    platform = Platform(dict(zip(ids, lives, strict=True)), now=SENT + HOUR)
    platform.refuses[ids[2]] = ServiceFailedError("it failed", status=500)

    def run() -> Asked:
        return ask(ledger, Analytics(platform), now=platform.now, schedule=POLLED, details=platform)

    with pytest.raises(ServiceFailedError):
        run()
    # Of the message that failed nothing is recorded, or nobody would learn of an opt-out.
    assert statuses(ledger) == ["delivered", "failed", "queued", "queued"]
    assert run() == Asked(moved=1)
    assert statuses(ledger) == ["delivered", "failed", "queued", "failed"]
    platform.refuses.clear()
    platform.now += HOUR
    assert run() == Asked(moved=1)
    assert len(suppressions.listing(ledger)) == 3


def test_a_failure_whose_details_are_gone_keeps_the_code_of_the_list(ledger: Ledger) -> None:
    (one,) = accepted(ledger, 1)
    platform = Platform({one: dies_of("InvalidDestination")}, now=SENT + HOUR)
    done = ask(ledger, Analytics(platform), now=platform.now, schedule=POLLED, details=Platform({}))
    assert done == Asked(moved=1)
    assert [row.reason_code for row in rows(ledger)] == ["error.edge"]


def test_what_is_asked_about_one_by_one_is_left_alone_until_it_is_left_over(
    ledger: Ledger,
) -> None:
    (one,) = accepted(ledger, 1)
    platform = Platform({one: STAYS}, now=SENT + HOUR)
    track(ledger, platform, now=platform.now)  # due again in an hour
    platform.lives[one] = ARRIVES
    lister = Analytics(platform)
    for late, moved in ((HOUR, 0), (HOUR + LEFT_OVER - SECOND, 0), (HOUR + LEFT_OVER, 1)):
        now = SENT + HOUR + late
        done = ask(ledger, lister, now=now, schedule=POLLED, due_by=now - LEFT_OVER)
        assert done == Asked(moved=moved)


def test_an_index_serves_the_search_for_the_next_message(ledger: Ledger) -> None:
    asked: list[tuple[str, Any]] = []
    sqlite = ledger.engine.dialect.name == "sqlite"

    @sqlalchemy.event.listens_for(ledger.engine, "before_cursor_execute")
    def keep(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "ask_at" in statement:
            asked.append((statement, parameters))

    lost_statuses.next_due(ledger, now=SENT, schedule=POLLED)
    lost_statuses.due(ledger, now=SENT, schedule=POLLED, most=10, newest_first=True)
    searches = list(asked)
    assert len(searches) == 2
    for statement, parameters in searches:
        with ledger.read() as connection:
            if not sqlite:  # an empty table is read from end to end, whatever indexes it has
                connection.execute(text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
            told = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
        assert "ix_messages_attempted" in told


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ends=st.lists(st.integers(1, 3 * 86_400), min_size=1, max_size=12),
    per_minute=st.integers(1, 20),
)
def test_whenever_messages_end_everybody_is_asked_until_then_and_within_bounds(
    sqlite_ledger: Ledger, ends: list[int], per_minute: int
) -> None:
    ids = accepted(sqlite_ledger, len(ends), occurrence=uuid.uuid4().hex)
    lives = {
        id_: Life(steps=[(timedelta(), "queued"), (end * SECOND, "delivered")])
        for id_, end in zip(ids, ends, strict=True)
    }
    platform = Platform(lives)
    passes(sqlite_ledger, platform, Bounds(in_pass=per_minute, per_minute=per_minute))
    assert {row.status for row in rows(sqlite_ledger)} <= {status.word for status in FINAL}
    # Nobody is asked about again once the end is known, and it is known within twice its age.
    assert platform.now - SENT <= 2 * max(ends) * SECOND + timedelta(minutes=len(ends) + 1)
