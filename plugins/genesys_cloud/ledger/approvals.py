"""Which plan of an occurrence may be sent: sealed by a digest, and approved under that digest.

Planning takes the seal off and puts it on again when it ends. A task that sends names the digest of
the plan that it was cut from; it goes on while that is the occurrence's, and approved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Protocol

from sqlalchemy import Row, select, update

from genesys_cloud.ledger import audit, plans, replanning
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import BEING_PLANNED, Plan
from genesys_cloud.ledger.tables import occurrences
from genesys_cloud.outbound.plan_digest import PlanDigest

PLANNING_TAKES = timedelta(minutes=10)
"""How long a task that sends waits for a planning of its occurrence to end."""

LOOK_AGAIN = timedelta(seconds=5)
"""How often it looks whether it has."""


class Sealed(Protocol):
    """What an occurrence's row says of its plan."""

    @property
    def planned_at(self) -> datetime: ...
    @property
    def plan_digest(self) -> str | None: ...
    @property
    def approved_digest(self) -> str | None: ...


class Verdict(Enum):
    """Whether messages of a plan may go out now."""

    SEND = auto()
    WAIT = auto()
    """The occurrence is being planned anew; the new plan may be the same."""
    STOP = auto()
    """It was planned otherwise since, or nobody has approved the plan."""


def verdict(
    found: Sealed | Row[*tuple[Any, ...]], plan_digest: str | None, now: datetime
) -> Verdict:
    """Return what becomes of a plan with this digest; None is one of before there were digests."""
    if found.plan_digest == BEING_PLANNED:
        return Verdict.WAIT if now < found.planned_at + PLANNING_TAKES else Verdict.STOP
    released = found.plan_digest is None or found.approved_digest == found.plan_digest
    return Verdict.SEND if released and found.plan_digest == plan_digest else Verdict.STOP


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An occurrence's plan as the ledger has it; `approved_by` None where nobody was asked."""

    campaign_id: str
    occurrence: str
    dag_id: str | None
    run_id: str | None
    planned_at: datetime
    deadline: datetime | None
    channel: str
    profile: str
    template: str
    template_version: str
    audience: str
    audience_digest: str | None
    plan_digest: str | None
    approved_digest: str | None
    approved_by: str | None
    approved_at: datetime | None


_STANDING = tuple(occurrences.c[name] for name in Standing.__annotations__)


def standing(ledger: Ledger, occurrence_id: int) -> Standing | None:
    """Return how an occurrence's plan stands, None where there is no such occurrence."""
    with ledger.read() as connection:
        row = connection.execute(
            select(*_STANDING).where(occurrences.c.id == occurrence_id)
        ).one_or_none()
    return None if row is None else Standing(**row._mapping)


def ruling(ledger: Ledger, occurrence_id: int, plan_digest: str | None, now: datetime) -> Verdict:
    """Return whether messages of an occurrence may go out by a plan now."""
    found = standing(ledger, occurrence_id)
    return verdict(found, plan_digest, now) if found else Verdict.STOP


def set_aside_unapproved(ledger: Ledger, plan: Plan, now: datetime) -> None:
    """Block who was planned by a plan that never went out, and is not in this one's list.

    Whoever rejects a plan, and takes people off its list, does not want them to get it.
    """
    if not plan.after_released:
        whose, why = (plan.occurrence_id, plan.campaign_id), replanning.NEVER_RELEASED
        with ledger.write() as connection:
            replanning.set_aside(connection, whose, plan_no=plan.number, code=why, at=now)


def seal(ledger: Ledger, plan: Plan, digest: PlanDigest, *, asks: bool, now: datetime) -> Plan:
    """Put the digest on a plan that is complete, and return it so.

    Where it `asks`, the plan may go out once a person has approved it; who has approved this very
    plan before need not do so again, while a plan that went out unasked is to be asked for now.
    Raises PlanOvertakenError where the occurrence was planned anew meanwhile.
    """
    this = (occurrences.c.id == plan.occurrence_id, occurrences.c.plan_no == plan.number)
    with ledger.write() as connection:
        audit.lock(connection)  # before the messages, as everybody does
        approved = select(occurrences.c.approved_digest, occurrences.c.approved_by)
        before = connection.execute(approved.where(*this).with_for_update()).one_or_none()
        if before is None:
            raise plans.overtaken(plan)
        left_over = replanning.take_along(connection, plan.occurrence_id, plan.number, digest)
        sealed = digest.hexdigest()
        values: dict[str, Any] = {"plan_digest": sealed}
        if before.approved_by is None or before.approved_digest != sealed:
            values |= {
                "approved_digest": None if asks else sealed,
                "approved_by": None,
                "approved_at": None if asks else now,
            }
        connection.execute(update(occurrences).where(*this).values(**values))
    return replace(plan, digest=sealed, left_over=left_over)


def approve(
    ledger: Ledger, occurrence_id: int, plan_digest: str, by: str, entry: AuditEntry
) -> bool:
    """Write down that a person approved a plan, with its entry; False where it is another now."""
    with ledger.write() as connection:
        audit.lock(connection)  # before the occurrence, as everybody does
        changed = connection.execute(
            update(occurrences)
            .where(occurrences.c.id == occurrence_id, occurrences.c.plan_digest == plan_digest)
            .values(approved_digest=plan_digest, approved_by=by, approved_at=entry.at)
        ).rowcount
        if changed:
            audit.append(connection, [entry])
    return changed == 1


def withdraw(ledger: Ledger, occurrence_id: int, plan_digest: str, entry: AuditEntry) -> None:
    """Take back every approval of a plan that a person rejected; its send tasks stop."""
    with ledger.write() as connection:
        audit.lock(connection)
        connection.execute(
            update(occurrences)
            .where(occurrences.c.id == occurrence_id, occurrences.c.approved_digest == plan_digest)
            .values(approved_digest=None, approved_by=None, approved_at=None)
        )
        audit.append(connection, [entry])
