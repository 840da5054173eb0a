"""Plans an occurrence: every row of the audience becomes a message or a reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from genesys_cloud.ledger import approvals, audit, blocking, caps, holding, plans, previews
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.foreseeing import Foresight
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.ledger.plans import Origin, Plan
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.consent import ConsentFrom
from genesys_cloud.outbound.messages import WAITING, State
from genesys_cloud.outbound.plan_digest import PlanDigest
from genesys_cloud.outbound.preview import most_first
from genesys_cloud.outbound.preview_tally import PreviewTally
from genesys_cloud.outbound.templates import Template
from genesys_cloud.outbound.timing import Timekeeper
from genesys_cloud.workflows.deciding import Job
from genesys_cloud.workflows.planning_workers import Workers, decided
from genesys_cloud.workflows.previewing import left_to_send, take_back

ROWS_PER_TRANSACTION = 5_000
"""How many recipients one transaction writes: on SQLite a thousand at a time take twice as long,
and five thousand hold up other writers for a quarter of a second."""

EXAMPLES = 3
"""How many blocked rows of each kind a report shows."""

CONSENTED = {
    ConsentFrom.AUDIENCE: "consent_in_audience",
    ConsentFrom.LEDGER: "consent_asked_of_ledger",
    ConsentFrom.BOTH: "consent_in_audience",
}
"""The reason why the trail says that somebody may be written to; the ledger is asked after that."""


@dataclass
class PlanReport:
    """What a planning found; `examples` names rows, and addresses by their last characters.

    Of the `planned` so many are `held` until their windows open, the first one at `opens_at`.
    `quiet_hours` is the version of the policy, None where the campaign has none. `tally` counts the
    messages themselves: those that are planned, and in the end those that are left to send.
    """

    profile: str = "messaging"
    recipients: int = 0
    planned: int = 0
    held: int = 0
    opens_at: datetime | None = None
    quiet_hours: str | None = None
    blocked: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    tally: PreviewTally = field(default_factory=PreviewTally)

    def count(self, message: PlannedMessage) -> None:
        """Add one recipient."""
        self.recipients += 1
        if message.state is not State.BLOCKED:
            self.planned += 1
            if message.state not in WAITING:
                return
            if message.held_until is not None:
                self.held += 1
                self.opens_at = min(filter(None, (self.opens_at, message.held_until)))
            self.tally.see(message, message.country)
            return
        code = message.reason_code or "unspecified"
        self.blocked[code] += 1
        shown = self.examples.setdefault(code, [])
        if len(shown) < EXAMPLES:
            shown.append(previews.example(message.row_number, message.address, message.reason))

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
            "blocked": most_first(self.blocked),
            "languages": most_first(self.tally.languages),
            "segments": self.tally.segments,
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
    asks: bool = False,
) -> tuple[Plan, PlanReport]:
    """Write the plan of an occurrence to the ledger, five thousand recipients a transaction.

    `only` holds the address keys of those who are to be planned; nobody else is counted. `origin`
    says what the plan was made by and from. One that `is_test` is outside the statistics. Where it
    `asks`, nothing of the plan goes out before a person has approved it.
    `timekeeper` knows the quiet hours, None where nobody has any. `workers` decide where there are
    many rows, None to have them all decided here.
    """
    job = Job(
        campaign=campaign, occurrence=occurrence, profile=profile, timekeeper=timekeeper, now=now
    )
    sender = job.planner(template).sender
    plan = plans.begin(
        ledger, campaign, occurrence=occurrence, sender=sender, profile=profile,
        template_version=template.version, now=now, origin=origin, is_test=is_test,
    )  # fmt: skip
    report = PlanReport(profile=profile, quiet_hours=timekeeper.version if timekeeper else None)
    about = _about(plan, actor, now, is_test=is_test)
    consented = CONSENTED[ConsentFrom(campaign.consent_from)]
    digest = _digest_of(job, template, sender, report, origin or Origin())
    with closing(decided(job, template, rows, workers)) as everybody:
        messages = _chosen(everybody, only)
        while batch := list(islice(messages, ROWS_PER_TRANSACTION)):
            plans.add(ledger, plan, batch, _decisions(about, batch, consented))
            for message in batch:
                report.count(message)
                digest.add(message.message_key, message.text_digest, _blocked(message))
    plans.finish(ledger, plan, about)
    approvals.set_aside_unapproved(ledger, plan, now)
    most = campaign.most_messages
    gone = partial(take_back, ledger, report.tally, campaign.channel)
    since = blocking.block_planned(ledger, plan, now, actor=actor, most=most, gone=gone)
    report.block(since)
    if since or plan.number > 1:
        _look_again(ledger, plan, campaign, report, since)
    if report.held:
        report.held, report.opens_at = holding.count_held(ledger, plan)
    plan = approvals.seal(ledger, plan, digest, asks=asks, now=now)
    about = replace(about, details={**about.details, "plan_digest": plan.digest})
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
    foresight: Foresight | None = None,
) -> PlanReport:
    """Do all that planning does, and keep nothing: what a dry run reports.

    `foresight` asks the ledger who must not be written to, None to leave that out.
    """
    report = PlanReport(profile=profile, quiet_hours=timekeeper.version if timekeeper else None)
    job = Job(
        campaign=campaign, occurrence=occurrence, profile=profile, timekeeper=timekeeper,
        now=now or datetime.now(UTC),
    )  # fmt: skip
    with closing(decided(job, template, rows, workers)) as everybody:
        messages = _chosen(everybody, only)
        while batch := list(islice(messages, ROWS_PER_TRANSACTION)):
            for message in foresight.look(batch) if foresight else batch:
                report.count(message)
    return report


def _look_again(
    ledger: Ledger, plan: Plan, campaign: Campaign, report: PlanReport, since: Counter[str]
) -> None:
    """Show what is left to send, where the ledger knew better than the contact list."""
    if plan.number > 1 or since[caps.CAMPAIGN_CAP]:
        report.tally = left_to_send(ledger, plan.occurrence_id, campaign.channel)
    elif lost := report.tally.lost:
        report.tally.show_instead(previews.standing_out(ledger, plan.occurrence_id, lost))
    for code in since:
        shown = report.examples.setdefault(code, [])
        shown += previews.first_blocked(ledger, plan, code, EXAMPLES - len(shown))


def _digest_of(
    job: Job, template: Template, sender: str, report: PlanReport, origin: Origin
) -> PlanDigest:
    return PlanDigest(
        job.campaign,
        occurrence=job.occurrence,
        profile=job.profile,
        sender=sender,
        template_version=template.version,
        audience_digest=origin.audience_digest,
        quiet_hours=report.quiet_hours,
    )


def _blocked(message: PlannedMessage) -> str | None:
    """Return the code of the reason why somebody gets nothing; who is held gets it later."""
    return message.reason_code if message.state is State.BLOCKED else None


def _about(plan: Plan, actor: str, now: datetime, *, is_test: bool) -> AuditEntry:
    """Return what every entry of a planning says; a test's say that it is one."""
    return AuditEntry(
        at=now,
        actor=actor,
        action="plan.dropped",
        campaign_id=plan.campaign_id,
        details={
            "occurrence": plan.occurrence,
            "plan": plan.number,
            **({"test": True} if is_test else {}),
        },
    )


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
