"""Retention: what is old and final goes, nothing else does, and nothing is counted differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from genesys_cloud.errors import RetentionPolicyError
from genesys_cloud.ledger import audit, campaigns, delivered, people, plans, previews, retention
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.retention_policy import RetentionPolicy, policy_file, read_policy
from genesys_cloud.ledger.tables import messages, status_events
from genesys_cloud.ledger.tables import people as people_table
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.preview_tally import Sample
from genesys_cloud.settings import PROJECT_ROOT
from tests.ledger.planted import CAMPAIGN, NOW, planned, plant
from tests.ledger.raw_files import raw_bytes
from tests.outbound.previewed import PREVIEW

POLICY = RetentionPolicy(
    dated=date(2026, 11, 23), reason="test", days={"texts": 30, "addresses": 100, "events": 50}
)
OPEN = [State.PLANNED, State.HELD, State.CLAIMED, State.ATTEMPTING, State.UNKNOWN]
NOTHING = {"texts": 0, "preview_samples": 0, "digest_keys": 0, "addresses": 0, "events": 0}


def rows(ledger: Ledger) -> dict[int, Any]:
    with ledger.read() as connection:
        return {row.row_number or row.id: row for row in connection.execute(select(messages))}


def settle(ledger: Ledger, number: int, state: str, days: float, **values: Any) -> None:
    settled = NOW - timedelta(days=days)
    with ledger.write() as connection:
        mine = update(messages).where(messages.c.recipient_id == f"r{number}")
        values = {"text": f"Hello number {number}", **values}
        connection.execute(mine.values(state=state, settled_at=settled, **values))


def apply(ledger: Ledger, policy: RetentionPolicy = POLICY, **options: Any) -> Mapping[str, int]:
    return retention.apply(ledger, policy, actor="tester", now=NOW, **options)


def event(ledger: Ledger, name: str, days: float) -> None:
    at = NOW - timedelta(days=days)
    with ledger.write() as connection:
        connection.execute(insert(status_events).values(
            event_id=name, api_message_id=name, status="sent", occurred_at=at, received_at=at,
            outcome="applied",
        ))  # fmt: skip


def test_texts_go_first_and_addresses_later(ledger: Ledger) -> None:
    plant(ledger, 4)
    for number, days in ((1, 29), (2, 31), (3, 99), (4, 101)):
        settle(ledger, number, "accepted", days, api_message_id=f"m-{number}", reason="x")
    assert apply(ledger) == NOTHING | {"texts": 3, "addresses": 1}
    kept = {number: (row.text, row.text_digest != "", row.address) for number, row in
            rows(ledger).items()}  # fmt: skip
    assert kept == {
        1: ("Hello number 1", True, "+12025550001"),
        2: ("", False, "+12025550002"),
        3: ("", False, "+12025550003"),
        4: ("", False, "-"),
    }
    gone = rows(ledger)[4]
    assert (gone.address_key, gone.recipient_id, gone.reason) == (None, "-", None)
    assert (gone.api_message_id, gone.language, gone.segments) == ("m-4", "en", 1)


def test_the_texts_of_old_previews_go_and_their_numbers_stay(ledger: Ledger) -> None:
    for days in (29, 31):
        created = replace(PREVIEW, created_at=NOW - timedelta(days=days))
        shown = Sample(
            language="en", kind="longest", row_number=1, address_key=None, masked_address="…",
            text="Hello Alex", segments=1,
        )  # fmt: skip
        previews.save(ledger, created, [shown, shown], dag_id="d", run_id=f"{days}")
    assert apply(ledger) == NOTHING | {"preview_samples": 2}
    young, old = (previews.find(ledger, "d", run_id) for run_id in ("29", "31"))
    assert young is not None
    assert old is not None
    assert (len(young.samples), len(old.samples)) == (2, 0)
    assert old.preview.recipients == PREVIEW.recipients


def test_events_go_by_the_day_on_which_they_arrived(ledger: Ledger) -> None:
    event(ledger, "old", 51)
    event(ledger, "new", 49)
    assert apply(ledger) == NOTHING | {"events": 1}
    with ledger.read() as connection:
        assert connection.execute(select(status_events.c.event_id)).scalars().all() == ["new"]


@pytest.mark.parametrize("state", OPEN)
def test_what_is_not_final_is_never_touched(ledger: Ledger, state: State) -> None:
    plant(ledger, 1)
    settle(ledger, 1, state, 5_000)
    before = rows(ledger)
    assert apply(ledger) == NOTHING
    assert rows(ledger) == before


def test_who_was_blocked_by_the_plan_is_as_old_as_the_plan(ledger: Ledger) -> None:
    plan = plant(ledger, 0)
    plans.add(ledger, plan, [planned(1, blocked="consent_not_verified")])
    assert apply(ledger) == NOTHING
    later = NOW + timedelta(days=101)
    done = retention.apply(ledger, POLICY, actor="tester", now=later)
    assert done == NOTHING | {"texts": 1, "addresses": 1}
    # And the row stays when the same list is planned once more.
    again = plant(ledger, 0)
    plans.add(ledger, again, [planned(1)])
    plans.finish(ledger, again)
    progress = campaigns.progress(ledger, CAMPAIGN.campaign_id)
    assert (progress.recipients, progress.states["blocked"]) == (1, 1)


def test_campaigns_and_reports_count_as_before(ledger: Ledger) -> None:
    plan = plant(ledger, 5)
    states = ["accepted", "rejected", "cancelled", "expired", "blocked"]
    for number, state in enumerate(states, 1):
        settle(ledger, number, state, 200, api_message_id=f"m-{number}", status="delivered",
               reason_code="suppressed")  # fmt: skip
    ids = [f"m-{number}" for number in range(1, 6)]

    def counted() -> object:
        return (
            campaigns.progress(ledger, CAMPAIGN.campaign_id),
            delivered.find(ledger, ids),
            delivered.states_between(ledger, NOW, NOW + timedelta(seconds=1)),
        )

    before = counted()
    assert apply(ledger)["addresses"] == 5
    assert counted() == before
    # Nobody is sent to a second time either.
    plans.add(ledger, replace(plan, number=2), [planned(number) for number in range(1, 6)])
    assert counted() == before


def test_a_person_of_whom_nothing_is_left_leaves_the_audit_trail_too(ledger: Ledger) -> None:
    plant(ledger, 3)
    with ledger.write() as connection:
        for number in (1, 2, 3):
            people.address_digest(connection, CAMPAIGN.channel, planned(number).address)
    for number, days in ((1, 101), (2, 101), (3, 99)):
        settle(ledger, number, "accepted", days)
    plans.add(ledger, plans.begin(
        ledger, replace(CAMPAIGN, campaign_id="newer"), occurrence="once",
        sender=CAMPAIGN.sender, template_version="v1", now=NOW,
    ), [planned(2, occurrence="newer")])  # fmt: skip
    assert apply(ledger) == NOTHING | {"texts": 3, "digest_keys": 1, "addresses": 2}
    with ledger.read() as connection:
        left = connection.execute(select(people_table.c.address_key)).scalars().all()
    assert set(left) == {planned(2).address_key, planned(3).address_key}


def test_a_second_run_finds_nothing_and_writes_nothing(ledger: Ledger) -> None:
    plant(ledger, 2)
    settle(ledger, 1, "accepted", 200)
    event(ledger, "old", 60)
    assert retention.due(ledger, POLICY, now=NOW) == apply(ledger)
    entries = audit.verify(ledger).entries
    assert retention.due(ledger, POLICY, now=NOW) == apply(ledger) == NOTHING
    assert audit.verify(ledger).entries == entries


def test_every_transaction_is_small_and_in_the_audit_trail(ledger: Ledger) -> None:
    plant(ledger, 7)
    for number in range(1, 8):
        settle(ledger, number, "accepted", 40)
    assert apply(ledger, batch=3)["texts"] == 7
    entries = [one for one in audit.read(ledger) if one["action"] == "retention.texts"]
    assert [one["details"]["rows"] for one in entries] == [3, 3, 1]
    assert entries[0]["actor"] == "tester"
    assert entries[0]["details"] == {
        "rows": 3, "older_than": "2026-10-24T12:00:00+00:00", "days": 30,
        "policy_dated": "2026-11-23",
    }  # fmt: skip
    assert audit.verify(ledger).ok


def test_many_searches_find_everything(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGES", 2)
    plant(ledger, 11)
    for number in range(1, 12):
        settle(ledger, number, "accepted", 40)
    assert apply(ledger, batch=2)["texts"] == 11


def test_a_class_that_is_kept_stays(ledger: Ledger) -> None:
    plant(ledger, 1)
    settle(ledger, 1, "accepted", 5_000)
    event(ledger, "old", 5_000)
    kept = replace(POLICY, days=dict.fromkeys(POLICY.days))
    assert apply(ledger, kept) == retention.due(ledger, kept, now=NOW) == NOTHING


def test_on_sqlite_the_old_bytes_are_overwritten(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    plant(ledger, 50)
    for number in range(1, 51):
        settle(ledger, number, "accepted", 200)
    apply(ledger)
    ledger.close()  # the last one to go empties the write-ahead log
    after = raw_bytes(ledger)
    assert b"Hello number" not in after
    assert b"2025550007" not in after


AGES = st.floats(0, 200, allow_nan=False)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    settled=st.lists(st.tuples(st.sampled_from(State), AGES), min_size=1, max_size=12),
    arrived=st.lists(AGES, max_size=5),
    batch=st.integers(1, 4),
)
def test_nothing_young_and_nothing_unfinished_is_ever_touched(
    tmp_path_factory: pytest.TempPathFactory,
    settled: list[tuple[State, float]],
    arrived: list[float],
    batch: int,
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db")
    plant(ledger, len(settled))
    for number, (state, days) in enumerate(settled, 1):
        settle(ledger, number, state, days)
    for number, days in enumerate(arrived):
        event(ledger, f"e{number}", days)
    before, counts = rows(ledger), campaigns.progress(ledger, CAMPAIGN.campaign_id)
    expected = retention.due(ledger, POLICY, now=NOW)
    assert apply(ledger, batch=batch) == expected
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id) == counts
    by_id = {row.id: row for row in rows(ledger).values()}
    for number, (state, days) in enumerate(settled, 1):
        old, new = before[number], by_id[before[number].id]
        final = state not in OPEN
        assert (new.text == "") == (final and days > 30)
        assert (new.address == "-") == (final and days > 100)
        assert (new.message_key, new.state, new.settled_at) == (
            old.message_key, old.state, old.settled_at
        )  # fmt: skip
        if not final or days <= 30:
            assert new == old
    assert expected["events"] == sum(days > 50 for days in arrived)
    assert audit.verify(ledger).ok
    ledger.close()


def policy(tmp_path: Path, text: str) -> RetentionPolicy:
    file = tmp_path / "retention.toml"
    file.write_text(text, encoding="utf-8")
    return read_policy(file)


WHOLE = """
dated = 2026-11-23
reason = "because"
[texts]
days = 1
reason = "a"
[addresses]
days = 36500
reason = "b"
[events]
days = "keep"
reason = "c"
[audit]
days = "keep"
reason = "d"
"""


def test_the_policy_of_the_project_can_be_read() -> None:
    shipped = read_policy(policy_file(PROJECT_ROOT / "include"))
    assert dict(shipped.days) == {"texts": 90, "addresses": 400, "events": 400}
    assert shipped.reason


def test_a_policy_says_when_each_class_ends(tmp_path: Path) -> None:
    read = policy(tmp_path, WHOLE)
    assert read.dated == date(2026, 11, 23)
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert read.cutoff("texts", noon) == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert read.cutoff("events", noon) is None


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("days = 1\n", "days = -1\n", r"days of \[texts\] are -1"),
        ("days = 1\n", "days = 0\n", r"days of \[texts\] are 0"),
        ("days = 1\n", "days = 1.5\n", r"days of \[texts\] are 1.5"),
        ("days = 1\n", "days = true\n", r"days of \[texts\] are True"),
        ("days = 1\n", 'days = "1"\n', r"days of \[texts\] are '1'"),
        ("days = 1\n", "days = nan\n", r"days of \[texts\] are nan"),
        ("days = 36500", "days = 36501", r"whole number from 1 to 36500"),
        ("days = 1\n", "", r"lacks in \[texts\]: days"),
        ("days = 1\n", "days = 1\nhours = 2\n", r"nobody knows in \[texts\]: hours"),
        ("[audit]", "[audits]", r"nobody knows in the policy: audits"),
        ('[audit]\ndays = "keep"\nreason = "d"', "", r"lacks in the policy: audit"),
        ('[audit]\ndays = "keep"', "[audit]\ndays = 400", r"audit trail can only be kept"),
        ('[events]\ndays = "keep"\nreason = "c"', "", r"lacks in the policy: events"),
        ("[texts]\ndays = 1\nreason = \"a\"", "", "lacks in the policy: texts"),
        ("2026-11-23", '"today"', "`dated` is not a date"),
        ("2026-11-23", "2026-11-23T10:00:00Z", "`dated` is not a date"),
        ('reason = "because"', 'reason = " "', "`reason` says nothing"),
        ('reason = "a"', "reason = 3", r"reason of \[texts\] says nothing"),
        ("days = 1\n", "days = \n", "can't be read"),
        ("[texts]", "[texts", "can't be read"),
        ("[texts]", "[addresses]", "can't be read"),
    ],
)  # fmt: skip
def test_a_policy_that_is_not_clear_is_refused(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    assert old in WHOLE
    with pytest.raises(RetentionPolicyError, match=why) as caught:
        policy(tmp_path, WHOLE.replace(old, new, 1))
    assert "nothing was deleted" in str(caught.value)
    assert "Mend the file" in str(caught.value)


def test_a_section_that_is_none_is_refused(tmp_path: Path) -> None:
    flat = "texts = 30\n" + WHOLE.replace('[texts]\ndays = 1\nreason = "a"\n', "")
    with pytest.raises(RetentionPolicyError, match="`texts` is not a section"):
        policy(tmp_path, flat)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"\0"])
def test_a_policy_that_is_no_text_or_not_there_is_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "retention.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RetentionPolicyError, match="can't be read"):
        read_policy(file)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("policy") / "retention.toml"
    file.write_bytes(content)
    with pytest.raises(RetentionPolicyError, match="nothing was deleted"):
        read_policy(file)
