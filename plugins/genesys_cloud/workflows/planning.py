"""Plans an occurrence: every row of the audience becomes a message or a reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice

from genesys_cloud.ledger import audit, blocking, holding, plans
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.ledger.plans import Origin, Plan
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.consent import ConsentFrom
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.templates import Template
from genesys_cloud.outbound.timing import Timekeeper
from genesys_cloud.workflows.deciding import Job
from genesys_cloud.workflows.planning_workers import Workers, decided

ROWS_PER_TRANSACTION = 5_000
"""How many recipients one transaction writes: on SQLite a thousand at a time take twice as long,
and five thousand hold up other writers for a quarter of a second."""

EXAMPLES = 3
"""How many blocked rows of each kind, and rendered texts of each language, a report shows."""

CONSENTED = {
    ConsentFrom.AUDIENCE: "consent_in_audience",
    ConsentFrom.LEDGER: "consent_asked_of_ledger",
    ConsentFrom.BOTH: "consent_in_audience",
}
"""The reason why the trail says that somebody may be written to; the ledger is asked after that."""


@dataclass
class PlanReport:
    """What a planning found; `examples` names rows, never addresses.

    Of the `planned` so many are `held` until their windows open, the first one at `opens_at`.
    `quiet_hours` is the version of the policy, None where the campaign has none.
    """

    profile: str = "messaging"
    recipients: int = 0
    planned: int = 0
    held: int = 0
    opens_at: datetime | None = None
    quiet_hours: str | None = None
    blocked: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)

    def count(self, message: PlannedMessage) -> None:
        """Add one recipient."""
        self.recipients += 1
        if message.state is not State.BLOCKED:
            self.planned += 1
            if message.held_until is not None:
                self.held += 1
                self.opens_at = min(filter(None, (self.opens_at, message.held_until)))
            self.languages[message.language] += 1
            self.segments += message.segments or 0
            return
        code = message.reason_code or "unspecified"
        self.blocked[code] += 1
        shown = self.examples.setdefault(code, [])
        if len(shown) < EXAMPLES:
            shown.append(f"row {message.row_number}: {message.reason}")

    def block(self, since: Counter[str]) -> None:
        """Count recipients who were ready, and are blocked since by what the ledger knows."""
        self.planned -= since.total()
        self.blocked += since

    def as_counts(self) -> dict[str, object]:
        """The counts alone, as an XCom may carry them."""
        return {
            "recipients": self.recipients,
            "planned": self.planned,
            "held": self.held,
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "blocked": dict(self.blocked.most_common()),
            "languages": dict(self.languages.most_common()),
            "segments": self.segments,
        }


def plan_occurrence(
    ledger: Ledger,
    campaign: Campaign,
    template: Template,
    rows: Iterable[Row],
    *,
    occurrence: str,
    now: datetime,
    profile: str = "messaging",
    only: frozenset[str] | None = None,
    timekeeper: Timekeeper | None = None,
    workers: Workers | None = None,
    actor: str = "plan task",
    origin: Origin | None = None,
    is_test: bool = False,
) -> tuple[Plan, PlanReport]:
    """Write the plan of an occurrence to the ledger, five thousand recipients a transaction.

    `only` holds the address keys of those who are to be planned; nobody else is counted. `origin`
    says what the plan was made by and from. One that `is_test` is outside the statistics.
    `timekeeper` knows the quiet hours, None where nobody has any. `workers` decide where there are
    many rows, None to have them all decided here.
    """
    job = Job(
        campaign=campaign, occurrence=occurrence, profile=profile, timekeeper=timekeeper, now=now
    )
    plan = plans.begin(
        ledger,
        campaign,
        occurrence=occurrence,
        sender=job.planner(template).sender,
        profile=profile,
        template_version=template.version,
        now=now,
        origin=origin,
        is_test=is_test,
    )
    report = PlanReport(profile=profile, quiet_hours=timekeeper.version if timekeeper else None)
    about = AuditEntry(
        at=now,
        actor=actor,
        action="plan.dropped",
        campaign_id=plan.campaign_id,
        details={"occurrence": occurrence, "plan": plan.number},
    )
    consented = CONSENTED[ConsentFrom(campaign.consent_from)]
    with closing(decided(job, template, rows, workers)) as everybody:
        messages = _chosen(everybody, only)
        while batch := list(islice(messages, ROWS_PER_TRANSACTION)):
            plans.add(ledger, plan, batch, _decisions(about, batch, consented))
            for message in batch:
                report.count(message)
    plans.finish(ledger, plan, about)
    most = campaign.most_messages
    report.block(blocking.block_planned(ledger, plan, now, actor=actor, most=most))
    if report.held:
        report.held = holding.count_held(ledger, plan)
    audit.note(ledger, _planned_entry(about, campaign, template, report, origin or Origin()))
    return plan, report


def rehearse(
    campaign: Campaign,
    template: Template,
    rows: Iterable[Row],
    *,
    occurrence: str,
    profile: str = "messaging",
    only: frozenset[str] | None = None,
    timekeeper: Timekeeper | None = None,
    now: datetime | None = None,
    workers: Workers | None = None,
) -> PlanReport:
    """Do all that planning does, and keep nothing: what a dry run reports."""
    report = PlanReport(profile=profile, quiet_hours=timekeeper.version if timekeeper else None)
    job = Job(
        campaign=campaign, occurrence=occurrence, profile=profile, timekeeper=timekeeper,
        now=now or datetime.now(UTC),
    )  # fmt: skip
    with closing(decided(job, template, rows, workers)) as everybody:
        for message in _chosen(everybody, only):
            report.count(message)
    return report


def _chosen(
    messages: Iterable[PlannedMessage], only: frozenset[str] | None
) -> Iterator[PlannedMessage]:
    return (message for message in messages if only is None or message.address_key in only)


def _decisions(
    about: AuditEntry, batch: Sequence[PlannedMessage], consented: str
) -> list[AuditEntry]:
    """Return what was decided about a transaction's worth of recipients, by reason."""
    keys: dict[tuple[State, str], list[str]] = {}
    for message in batch:
        ready = message.state is State.PLANNED
        reason = consented if ready else message.reason_code or "unspecified"
        keys.setdefault((message.state, reason), []).append(message.message_key)
    return [
        entry
        for (state, reason), some in keys.items()
        for entry in audit.about_many(
            replace(
                about,
                action="plan.consented" if state is State.PLANNED else f"plan.{state}",
                new_status=state,
                details={**about.details, "reason": reason},
            ),
            some,
        )
    ]


def _planned_entry(
    about: AuditEntry,
    campaign: Campaign,
    template: Template,
    report: PlanReport,
    origin: Origin,
) -> AuditEntry:
    return replace(
        about,
        action="campaign.planned",
        details={
            **about.details,
            **({"run": f"{origin.dag_id}/{origin.run_id}"} if origin.run_id else {}),
            **({"audience_digest": origin.audience_digest} if origin.audience_digest else {}),
            "channel": campaign.channel,
            "profile": report.profile,
            "template": campaign.template,
            "template_version": template.version,
            "recipients": report.recipients,
            "planned": report.planned,
            "held": report.held,
            "blocked": report.blocked.total(),
            **({"quiet_hours": report.quiet_hours} if report.quiet_hours else {}),
        },
    )
