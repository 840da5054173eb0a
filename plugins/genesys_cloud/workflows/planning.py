"""Plans an occurrence: every row of the audience becomes a message or a reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from genesys_cloud.ledger import audit, blocking, plans
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Plan, PlannedMessage
from genesys_cloud.outbound import segments
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.decisions import Decision, Planner
from genesys_cloud.outbound.messages import State, message_key, storable, text_digest
from genesys_cloud.outbound.templates import Template

ROWS_PER_TRANSACTION = 1_000
"""How many recipients one transaction writes."""

EXAMPLES = 3
"""How many blocked rows of each kind, and rendered texts of each language, a report shows."""

DUPLICATE = "duplicate_address"

CONSENTED = "consent_in_audience"
"""The reason why the trail says that somebody may be written to."""


@dataclass
class PlanReport:
    """What a planning found; `examples` names rows, never addresses."""

    recipients: int = 0
    planned: int = 0
    blocked: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)

    def count(self, message: PlannedMessage) -> None:
        """Add one recipient."""
        self.recipients += 1
        if message.state is State.PLANNED:
            self.planned += 1
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
    only: frozenset[str] | None = None,
    actor: str = "plan task",
    origin: Mapping[str, str] | None = None,
) -> tuple[Plan, PlanReport]:
    """Write the plan of an occurrence to the ledger, a thousand recipients a transaction.

    `only` holds the address keys of those who are to be planned; nobody else is counted. `origin`
    says in the audit trail what the plan was made from, such as the run and the audience's digest.
    """
    planner = Planner(campaign, template)
    plan = plans.begin(
        ledger,
        campaign,
        occurrence=occurrence,
        sender=planner.sender,
        template_version=template.version,
        now=now,
    )
    report = PlanReport()
    about = AuditEntry(
        at=now,
        actor=actor,
        action="plan.dropped",
        campaign_id=plan.campaign_id,
        details={"occurrence": occurrence, "plan": plan.number},
    )
    messages = _messages(planner, campaign, rows, occurrence, only)
    while batch := list(islice(messages, ROWS_PER_TRANSACTION)):
        plans.add(ledger, plan, batch, _decisions(about, batch))
        for message in batch:
            report.count(message)
    plans.finish(ledger, plan, about)
    report.block(blocking.block_planned(ledger, plan, now, actor=actor))
    audit.note(ledger, _planned_entry(about, campaign, template, report, origin or {}))
    return plan, report


def rehearse(
    campaign: Campaign,
    template: Template,
    rows: Iterable[Row],
    *,
    occurrence: str,
    only: frozenset[str] | None = None,
) -> PlanReport:
    """Do all that planning does, and keep nothing: what a dry run reports."""
    report = PlanReport()
    for message in _messages(Planner(campaign, template), campaign, rows, occurrence, only):
        report.count(message)
    return report


def _messages(
    planner: Planner,
    campaign: Campaign,
    rows: Iterable[Row],
    occurrence: str,
    only: frozenset[str] | None,
) -> Iterator[PlannedMessage]:
    for row in rows:
        message = _message(campaign, occurrence, planner.decide(row))
        if only is None or message.address_key in only:
            yield message


def _message(campaign: Campaign, occurrence: str, decision: Decision) -> PlannedMessage:
    codes = [violation.code for violation in decision.violations]
    own_address = decision.address_valid and DUPLICATE not in codes
    # A row without an address of its own is told apart by its place in the file.
    place = "" if own_address else f"\x1frow {decision.row_number}"
    sms = campaign.channel == "messaging:sms" and not decision.blocked
    return PlannedMessage(
        message_key=message_key(
            campaign_id=campaign.campaign_id,
            occurrence=occurrence,
            recipient_id=decision.recipient_id,
            channel=campaign.channel,
            address=decision.address + place,
        ),
        address_key=plans.address_key(campaign.channel, decision.address) if own_address else None,
        row_number=decision.row_number,
        recipient_id=storable(decision.recipient_id, most=320),
        address=storable(decision.address, most=320),
        language=decision.language,
        text=decision.text,
        text_digest=text_digest(decision.text),
        segments=segments.count(decision.text).segments if sms else None,
        state=State.BLOCKED if decision.blocked else State.PLANNED,
        reason_code=codes[0] if codes else None,
        reason=storable(" ".join(v.message for v in decision.violations), most=1_000) or None,
    )


def _decisions(about: AuditEntry, batch: Sequence[PlannedMessage]) -> list[AuditEntry]:
    """Return what was decided about a transaction's worth of recipients, an entry a reason."""
    keys: dict[str | None, list[str]] = {}
    for message in batch:
        code = None if message.state is State.PLANNED else message.reason_code or "unspecified"
        keys.setdefault(code, []).append(message.message_key)
    return [
        replace(
            about,
            action="plan.blocked" if code else "plan.consented",
            new_status=State.BLOCKED if code else State.PLANNED,
            details={**about.details, "reason": code or CONSENTED, "message_keys": some},
        )
        for code, some in keys.items()
    ]


def _planned_entry(
    about: AuditEntry,
    campaign: Campaign,
    template: Template,
    report: PlanReport,
    origin: Mapping[str, str],
) -> AuditEntry:
    return replace(
        about,
        action="campaign.planned",
        details={
            **about.details,
            **origin,
            "channel": campaign.channel,
            "template": campaign.template,
            "template_version": template.version,
            "recipients": report.recipients,
            "planned": report.planned,
            "blocked": report.blocked.total(),
        },
    )
