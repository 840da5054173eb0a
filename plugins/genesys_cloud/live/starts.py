"""Runs that buttons start: each like an earlier one, with some fields of its conf changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from genesys_cloud.ledger.campaign_page import OccurrenceRow
from genesys_cloud.live.safety import Refused
from genesys_cloud.outbound.campaign import MOST_OCCURRENCE
from genesys_cloud.outbound.messages import mask_numbers


@dataclass(frozen=True, kw_only=True)
class Start:
    """A run to start like an earlier one: its conf, with some fields changed."""

    dag_id: str
    run_id: str
    changes: Mapping[str, str | None]
    note: str

    def as_json(self) -> str:
        """Return what the page's script reads."""
        by_hand = ", ".join(
            f"{name} = {value}" if value else f"no {name}" for name, value in self.changes.items()
        )
        return json.dumps(
            {
                "dag_id": self.dag_id,
                "run_id": self.run_id,
                "changes": dict(self.changes),
                "note": self.note,
                "by_hand": f"Start {self.dag_id} by hand, as before and with {by_hand}.",
            }
        )


def resumed(rows: Sequence[OccurrenceRow], reason: str, now: datetime) -> Start | None:
    """Return the run that goes on with what is left, None where nobody is."""
    row = unfinished(rows)
    if row is None:
        return None
    return _like(row, {"occurrence": row.occurrence}, f"Resumed: {reason}", now)


def resent(rows: Sequence[OccurrenceRow], chosen: str, reason: str, now: datetime) -> Start | None:
    """Return the run that sends again to whose message failed in the chosen occurrence."""
    row = next((row for row in rows if row.occurrence == chosen and row.funnel.unreached), None)
    if row is None or row.run_id is None:
        raise Refused(
            400,
            "Choose an occurrence that has failed messages and was planned by a run of Airflow. "
            "Nothing was done.",
        )
    changes = {"only_failed_of": row.occurrence, "occurrence": _again(row.occurrence)}
    if row.deadline and row.deadline <= now:
        raise Refused(
            409,
            f"The deadline of occurrence {row.occurrence} has passed, so that nothing would go "
            f"out. Start {row.dag_id} by hand with a later one, and with only_failed_of = "
            f"{row.occurrence}, occurrence = {changes['occurrence']}. Nothing was done.",
        )
    return _like(row, changes, f"Resend failed: {reason}", now)


def unfinished(rows: Sequence[OccurrenceRow]) -> OccurrenceRow | None:
    """Return the newest occurrence that still has somebody to send to."""
    return next((row for row in rows if row.run_id is not None and row.funnel.left), None)


def _again(occurrence: str) -> str:
    """Return the one occurrence in which the failed of another are sent to again.

    Always the same, so that pressing twice sends no second message to whom the first has reached.
    """
    name = f"{occurrence}-resend"
    if len(name) <= MOST_OCCURRENCE:
        return name
    return f"resend-{hashlib.sha256(occurrence.encode()).hexdigest()[:16]}"


def _like(row: OccurrenceRow, changes: Mapping[str, str], note: str, now: datetime) -> Start | None:
    if row.run_id is None:
        return None
    # A run refuses a start that has passed.
    begun = {"not_before": None} if row.not_before and row.not_before <= now else {}
    return Start(
        dag_id=row.dag_id, run_id=row.run_id, changes={**changes, **begun}, note=mask_numbers(note)
    )
