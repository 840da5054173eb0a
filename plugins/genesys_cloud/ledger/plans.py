"""Plans: which recipients an occurrence of a campaign has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.errors import CampaignDefinitionError, PlanOvertakenError
from genesys_cloud.ledger import audit, planned_rows, replanning
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.planned_rows import PlannedMessage, as_columns
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.consent import normalise_purpose
from genesys_cloud.outbound.messages import State

BEING_PLANNED = ""
"""The digest of a plan that is not complete: no task has it, and nobody can approve it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One planning of one occurrence; `number` grows when the same occurrence is planned again.

    `same_audience` is whether the plan before it read the same contact list, `after_released`
    whether that might go out. Once the plan is complete, `digest` is over all that it sends;
    `left_over` of that are an earlier plan's.
    """

    occurrence_id: int
    campaign_id: str
    occurrence: str
    number: int
    same_audience: bool
    after_released: bool = True
    digest: str = BEING_PLANNED
    left_over: int = 0


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a planning was made by and from: an Airflow run, and a contact list's SHA-256."""

    dag_id: str | None = None
    run_id: str | None = None
    audience_digest: str | None = None


def address_key(channel: str, address: str) -> str:
    """Return the digest by which one person is known within an occurrence."""
    return hashlib.sha256(f"{channel}\x1f{address}".encode()).hexdigest()


def begin(
    ledger: Ledger,
    campaign: Campaign,
    *,
    occurrence: str,
    sender: str,
    profile: str = "messaging",
    template_version: str,
    now: datetime,
    origin: Origin | None = None,
    is_test: bool = False,
) -> Plan:
    """Open a planning; the same occurrence planned again keeps its rows and counts one up.

    Until the plan is complete nothing of the occurrence goes out, and for another profile than
    before, nothing of the earlier plan may go out as it is. Raises CampaignDefinitionError where a
    test would become none, or the other way round.
    """
    with ledger.write() as connection:
        audit.lock(connection)  # before the occurrence, or two who begin it miss each other
        connection.execute(
            _dialect(connection)
            .insert(campaigns)
            .values(campaign_id=campaign.campaign_id, state="active", changed_at=now)
            .on_conflict_do_nothing()
        )
        values = _values(campaign, sender, profile, template_version, now)
        values |= asdict(origin or Origin()) | {"is_test": is_test}
        own = occurrences.c.campaign_id == campaign.campaign_id
        query = select(occurrences).where(own, occurrences.c.occurrence == occurrence)
        before = connection.execute(query).one_or_none()
        if before is not None and before.is_test != is_test:
            raise CampaignDefinitionError(
                f"Occurrence {occurrence!r} of campaign {campaign.campaign_id!r} was planned as "
                f"{'a test' if before.is_test else 'no test'}, and stays that. Give another "
                "occurrence."
            )
        row = connection.execute(
            _dialect(connection)
            .insert(occurrences)
            .values(campaign_id=campaign.campaign_id, occurrence=occurrence, plan_no=1, **values)
            .on_conflict_do_update(
                index_elements=["campaign_id", "occurrence"],
                set_={**values, "plan_no": occurrences.c.plan_no + 1},
            )
            .returning(occurrences.c.id, occurrences.c.plan_no)
        ).one()
        if before is not None and before.profile != profile:
            whose, why = (row.id, campaign.campaign_id), replanning.OTHER_PROFILE
            replanning.set_aside(connection, whose, plan_no=row.plan_no, code=why, at=now)
    return Plan(
        occurrence_id=row.id,
        campaign_id=campaign.campaign_id,
        occurrence=occurrence,
        number=row.plan_no,
        same_audience=before is not None and before.audience == campaign.audience,
        after_released=before is None or was_released(before),
    )


def add(
    ledger: Ledger,
    plan: Plan,
    planned: Sequence[PlannedMessage],
    entries: Sequence[AuditEntry] = (),
) -> None:
    """Write one transaction's worth of recipients, and what the audit trail says of them.

    A recipient whom an earlier plan of the occurrence left `planned`, `held` or `blocked` takes the
    new plan's text and verdict; one that a send task has touched stays as it is. Raises
    PlanOvertakenError where another run plans the occurrence by now.
    """
    with ledger.write() as connection:
        # Here as well: it would insert rows that the later plan waits for, and wait for the trail,
        # which the later one has.
        _check_latest(connection, plan)
        if plan.number > 1:
            audit.lock(connection)  # before messages that a sender may have, as everybody does
        known = _known(connection, plan, planned)
        fresh = [one for one in planned if _identity(one) not in known]
        revised = {
            known[_identity(one)].id: as_columns(plan.occurrence_id, plan.number, one)
            for one in planned
            if _identity(one) in known
        }
        if fresh:
            planned_rows.insert(connection, plan.occurrence_id, plan.number, fresh)
        if revised:
            replanning.revise(connection, revised)
        away = [row.id for row in known.values() if row.state in replanning.COMES_BACK]
        replanning.adopt(connection, {one: revised[one] for one in away})
        # Last: whoever has the trail holds up everybody else's entries until it commits. Nobody
        # takes the occurrence over without it.
        audit.lock(connection)
        _check_latest(connection, plan)
        audit.append(connection, entries)


def _check_latest(connection: Connection, plan: Plan) -> None:
    latest = select(occurrences.c.plan_no).where(occurrences.c.id == plan.occurrence_id)
    if connection.execute(latest).scalar_one() > plan.number:
        raise overtaken(plan)


def finish(ledger: Ledger, plan: Plan, entry: AuditEntry | None = None) -> None:
    """Drop the rows that an earlier plan of the same contact list blocked and this one does not.

    Only rows without an address of their own: anybody else keeps one row through all plans. `entry`
    is what the audit trail says of those that are dropped.
    """
    if not plan.same_audience:
        return
    with ledger.write() as connection:
        audit.lock(connection)  # before the messages, as everybody does
        dropped = connection.execute(
            delete(messages)
            .where(
                messages.c.occurrence_id == plan.occurrence_id,
                messages.c.address_key.is_(None),
                messages.c.state == State.BLOCKED,
                messages.c.plan_no < plan.number,
                # An erased person's row has no address of its own either, and is still counted.
                messages.c.erased_at.is_(None),
            )
            .returning(messages.c.message_key)
        )
        if entry is not None:
            audit.append(connection, audit.about_many(entry, list(dropped.scalars())))


def was_released(found: Row[*tuple[Any, ...]]) -> bool:
    """Return whether an occurrence's plan could go out; one of before there were digests could."""
    return found.plan_digest is None or bool(found.approved_digest)


def overtaken(plan: Plan) -> PlanOvertakenError:
    """Return the error of a planning whose occurrence another one has taken over."""
    return PlanOvertakenError(
        f"Campaign {plan.campaign_id!r}, occurrence {plan.occurrence!r}, was planned anew by "
        "another run before this plan was complete, and that run sends it. Let it; start this one "
        "again only where it is to be planned by its settings."
    )


def _values(
    campaign: Campaign, sender: str, profile: str, template_version: str, now: datetime
) -> dict[str, Any]:
    """Return what is kept of an occurrence, each time that it is planned."""
    return {
        "channel": campaign.channel,
        "sender": sender,
        "profile": profile,
        "use_active_conversation": campaign.use_active_conversation,
        "template": campaign.template,
        "template_version": template_version,
        "audience": campaign.audience,
        "planned_at": now,
        "deadline": campaign.deadline,
        "not_before": campaign.not_before,
        "plan_digest": BEING_PLANNED,
        "messages_per_minute": campaign.messages_per_minute,
        "error_budget_count": campaign.error_budget_count,
        "error_budget_share": campaign.error_budget_share,
        "purpose": normalise_purpose(campaign.purpose),
        "consent_from": campaign.consent_from,
        "recipient_cap": campaign.recipient_cap,
        "recipient_cap_days": campaign.recipient_cap_days,
        # Nothing of a capped campaign goes out before it is known which ones are beyond.
        "capped_plan_no": None if campaign.most_messages is None else 0,
    }


def _identity(one: PlannedMessage) -> str:
    return one.address_key or one.message_key


def _known(
    connection: Connection, plan: Plan, planned: Sequence[PlannedMessage]
) -> Mapping[str, Row[*tuple[Any, ...]]]:
    if plan.number == 1:
        return {}
    keys = [one.address_key for one in planned if one.address_key]
    lone = [one.message_key for one in planned if not one.address_key]
    rows = connection.execute(
        select(
            messages.c.id, messages.c.address_key, messages.c.message_key, messages.c.state
        ).where(
            messages.c.occurrence_id == plan.occurrence_id,
            messages.c.address_key.in_(keys) | messages.c.message_key.in_(lone),
        )
    )
    return {row.address_key or row.message_key: row for row in rows}


def _dialect(connection: Connection) -> Any:
    return postgresql if connection.dialect.name == "postgresql" else sqlite
