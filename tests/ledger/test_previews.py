from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from genesys_cloud.ledger import plans, previews
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.page_tables import preview_samples
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.preview import compare
from genesys_cloud.outbound.preview_tally import Sample
from tests.ledger.planted import CAMPAIGN, NOW, planned, plant
from tests.outbound.previewed import PREVIEW

SAMPLE = Sample(
    language="en", kind="shortest", row_number=3, address_key="k3", masked_address="…03",
    text="Hello <b>Alex</b>", segments=1,
)  # fmt: skip


def save(ledger: Ledger, run_id: str = "r1", **changes: object) -> int:
    preview = replace(PREVIEW, **changes)  # type: ignore[arg-type]
    return previews.save(ledger, preview, [SAMPLE], dag_id="send_campaign", run_id=run_id)


def last(ledger: Ledger, run_id: str = "now") -> str | None:
    found = previews.last(ledger, CAMPAIGN.campaign_id, dag_id="send_campaign", run_id=run_id)
    return found.run_id if found else None


def samples(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return connection.execute(select(func.count()).select_from(preview_samples)).scalar_one()


def test_a_preview_is_found_as_it_was_saved(ledger: Ledger) -> None:
    difference = compare(PREVIEW, replace(PREVIEW, recipients=9), new=1, gone=2)
    saved = save(ledger, difference=difference)
    found = previews.find(ledger, "send_campaign", "r1")
    assert found is not None
    assert (found.id, found.samples) == (saved, (SAMPLE,))
    assert found.preview == replace(PREVIEW, difference=difference)
    assert previews.find(ledger, "send_campaign", "r2") is None
    assert previews.find(ledger, "another", "r1") is None


def test_a_cleared_task_replaces_its_preview(ledger: Ledger) -> None:
    first = save(ledger)
    assert save(ledger, recipients=7, planned=7) == first
    found = previews.find(ledger, "send_campaign", "r1")
    assert found is not None
    assert (found.preview.recipients, len(found.samples), samples(ledger)) == (7, 1, 1)


def test_it_is_compared_with_the_last_real_run_of_the_campaign(ledger: Ledger) -> None:
    plant(ledger, 1)
    plant(ledger, 1, occurrence="second")
    plans.begin(
        ledger, CAMPAIGN, occurrence="test-1", sender=CAMPAIGN.sender, template_version="v1",
        now=NOW, is_test=True,
    )  # fmt: skip
    assert last(ledger) is None
    save(ledger, "first")
    save(ledger, "second", occurrence="second", created_at=NOW + timedelta(days=1))
    save(ledger, "now", created_at=NOW + timedelta(days=2))
    save(ledger, "dry", dry_run=True, created_at=NOW + timedelta(days=3))
    save(ledger, "test", occurrence="test-1", created_at=NOW + timedelta(days=3))
    save(ledger, "other", campaign_id="other", created_at=NOW + timedelta(days=3))
    assert last(ledger) == "second"
    assert last(ledger, "second") == "now"
    # Cleared, an old run is planned anew, and is then the last one.
    save(ledger, "first", created_at=NOW + timedelta(days=4))
    assert last(ledger) == "first"


def test_new_and_gone_recipients_are_counted_between_two_occurrences(ledger: Ledger) -> None:
    plant(ledger, 5)
    now = plant(ledger, 3, occurrence="second")
    plans.add(ledger, now, [planned(number, occurrence="second") for number in (20, 21, 22)])
    plans.add(ledger, now, [planned(23, occurrence="second")._replace(address_key=None)])
    assert previews.count_changed(ledger, now.occurrence_id, "once") == (3, 2)
    assert previews.count_changed(ledger, now.occurrence_id, "second") is None
    assert previews.count_changed(ledger, now.occurrence_id, "never") is None


def test_what_waits_is_read_page_by_page(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "PAGE", 2)
    plan = plant(ledger, 5)
    held = planned(7)._replace(state=State.HELD)
    plans.add(ledger, plan, [planned(6, blocked="suppressed"), held])
    found = [row.row_number for row in previews.waiting(ledger, plan.occurrence_id)]
    assert sorted(found) == [1, 2, 3, 4, 5, 7]


def test_no_page_of_what_waits_sorts_all_that_is_left(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    plan = plant(ledger, 1)
    asked: list[tuple[str, Any]] = []

    def keep(*told: Any) -> None:
        asked.append((told[2], told[3]))

    event.listen(ledger.engine, "before_cursor_execute", keep)
    assert len(list(previews.waiting(ledger, plan.occurrence_id))) == 1
    event.remove(ledger.engine, "before_cursor_execute", keep)
    selects = [one for one in asked if one[0].startswith("SELECT")]
    assert selects
    with ledger.read() as connection:
        for statement, values in selects:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            assert [step[-1] for step in steps if "TEMP B-TREE" in step[-1]] == []
    ledger.close()


def test_the_first_blocked_are_shown_masked(ledger: Ledger) -> None:
    plan = plant(ledger, 1)
    plans.add(ledger, plan, [planned(number, blocked="suppressed") for number in (8, 5, 7)])
    plans.add(ledger, plan, [planned(9, blocked="other")])
    shown = previews.first_blocked(ledger, plan, "suppressed", 2)
    assert shown == ["row 8 (…08): suppressed", "row 5 (…05): suppressed"]
