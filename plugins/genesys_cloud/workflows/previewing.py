"""The preview of a run: made of what planning found, kept in the ledger, told in lines."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genesys_cloud.errors import CampaignError
from genesys_cloud.ledger import previews
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.foreseeing import Foresight
from genesys_cloud.outbound import preview_lines
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.channels import CHANNELS, AddressKind
from genesys_cloud.outbound.estimated_finish import Finish, estimate_finish
from genesys_cloud.outbound.numbering import find_line
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.preview import Advice, Preview, compare, most_first, settings_of
from genesys_cloud.outbound.preview_tally import PreviewTally, Sample
from genesys_cloud.outbound.prices import PriceList
from genesys_cloud.policies import read_policy

if TYPE_CHECKING:
    from genesys_cloud.workflows.planning import PlanReport
    from genesys_cloud.workflows.preparing import Prepared

log = logging.getLogger(__name__)

FILE = "prices.toml"

MOST_ADVICE = 10
"""How many sets of characters a preview gives advice on, the dearest first."""

PATIENCE_S = 10
"""How long a dry run waits for the ledger, which it can do without."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~])")


@dataclass(frozen=True, kw_only=True)
class Run:
    """The Airflow run that plans, and what it plans for."""

    dag_id: str
    run_id: str
    campaign: Campaign
    occurrence: str
    prepared: Prepared
    prices: PriceList
    now: datetime
    dry_run: bool
    is_test: bool = False


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A preview as people are shown it; `id` is None where the ledger does not have it."""

    id: int | None
    preview: Preview

    def as_counts(self) -> dict[str, Any]:
        """Return it as an XCom may carry it, its sentences safe in Markdown."""
        preview = self.preview
        changes = preview_lines.difference_lines(preview.difference, preview.bill)
        return {
            "id": self.id,
            "recipients": preview.recipients,
            "planned": preview.planned,
            "held": preview.held,
            "blocked": sum(preview.blocked.values()),
            "segments": preview.segments,
            "cost": _safe(preview_lines.cost_line(preview.bill)),
            "finish": _safe(preview_lines.finish_line(preview)),
            "warnings": _all_safe(preview_lines.warning_lines(preview)),
            "difference": _all_safe(changes),
            "advice": _all_safe([preview_lines.advice_line(each) for each in preview.advice]),
        }


def read_prices(include_dir: Path) -> PriceList:
    """Return what a segment costs; raises PolicyError."""
    return read_policy(
        include_dir, FILE, PriceList.parse, what="prices", undone="nothing was planned"
    )


def left_to_send(ledger: Ledger, occurrence_id: int, channel: str) -> PreviewTally:
    """Return the tally of what an occurrence has left to send, as the ledger keeps it."""
    tally = PreviewTally()
    for message in previews.waiting(ledger, occurrence_id):
        tally.see(message, _country(message, channel))
    return tally


def take_back(
    ledger: Ledger, tally: PreviewTally, channel: str, gone: Mapping[int, datetime | None]
) -> None:
    """Take back those who were blocked after they were counted, by row id with their windows.

    A million rows are not read again because a few of them are on a suppression list.
    """
    for message in previews.named(ledger, list(gone)):
        tally.take_back(message, _country(message, channel), gone[message.id])


def _country(message: Any, channel: str) -> str | None:
    known = CHANNELS.get(channel)
    if known is None or known.kind is not AddressKind.PHONE:
        return None
    line = find_line(message.address.rpartition(":")[2])
    return line.region if line else None


def preview_of(
    run: Run, report: PlanReport, *, audience_digest: str | None, to_send: int | None = None
) -> Preview:
    """Return the preview of what a planning found.

    `to_send` is what is left to this run, None for all that the report's tally has.
    """
    tally = report.tally
    return Preview(
        campaign_id=run.campaign.campaign_id,
        occurrence=run.occurrence,
        created_at=run.now,
        dry_run=run.dry_run,
        is_test=run.is_test,
        profile=report.profile,
        assumed=run.prepared.assumed,
        template=run.campaign.template,
        template_version=run.prepared.template.version,
        audience_digest=audience_digest,
        settings=settings_of(run.campaign),
        recipients=report.recipients,
        planned=report.planned,
        held=report.held,
        opens_at=report.opens_at,
        to_send=report.tally.messages if to_send is None else to_send,
        segments=tally.segments,
        blocked=most_first(report.blocked),
        examples={code: tuple(shown) for code, shown in report.examples.items()},
        languages=most_first(tally.languages),
        bill=run.prices.estimate(run.campaign.channel, tally.traffic()),
        finish=_finish(run, tally),
        advice=_advice(tally),
    )


def keep(
    ledger: Ledger,
    run: Run,
    preview: Preview,
    samples: Iterable[Sample],
    *,
    counted: Callable[[str], tuple[int, int] | None] | None = None,
) -> Shown:
    """Save a preview with what differs from the campaign's last run.

    `counted` returns how many recipients are new since that run's occurrence, and how many gone.
    """
    before = previews.last(ledger, preview.campaign_id, dag_id=run.dag_id, run_id=run.run_id)
    if before is not None and not preview.is_test:
        changed = counted(before.preview.occurrence) if counted else None
        new, gone = changed or (None, None)
        preview = replace(preview, difference=compare(preview, before.preview, new=new, gone=gone))
    saved = previews.save(ledger, preview, samples, dag_id=run.dag_id, run_id=run.run_id)
    return Shown(id=saved, preview=preview)


@contextmanager
def at_hand(ledger_url: str) -> Iterator[Ledger | None]:
    """Give the ledger to a dry run, None where it is away."""
    try:
        ledger = open_ledger(ledger_url, patience_s=PATIENCE_S)
    except CampaignError as error:
        log.warning(
            "This dry run does not know of suppressions, consents on record and caps: %s", error
        )
        yield None
        return
    with closing(ledger):
        yield ledger


def foresee(ledger: Ledger, run: Run) -> Foresight:
    """Return what says to a dry run what planning would find in the ledger."""
    before = previews.last(ledger, run.campaign.campaign_id, dag_id=run.dag_id, run_id=run.run_id)
    return Foresight(
        ledger=ledger,
        campaign=run.campaign,
        occurrence=run.occurrence,
        now=run.now,
        before=before.preview.occurrence if before else None,
        profile=run.prepared.profile,
    )


def keep_rehearsed(
    foresight: Foresight | None, run: Run, preview: Preview, samples: Iterable[Sample]
) -> Shown:
    """Save the preview of a dry run; where the ledger is away, the log alone has it."""
    if foresight is not None:
        try:
            preview = replace(preview, left_over=foresight.left_over())
            return keep(foresight.ledger, run, preview, samples, counted=foresight.changed)
        except CampaignError as error:
            log.warning("The preview of this dry run was not kept, and has no page: %s", error)
    return Shown(id=None, preview=preview)


def _finish(run: Run, tally: PreviewTally) -> Finish:
    campaign = run.campaign
    per_minute = (
        (run.prepared.requests_per_minute, "request"),
        (campaign.messages_per_minute, "message"),
    )
    limits = [
        Limit(name=f"{preview_lines.counted(most, noun)} a minute", most=most)
        for most, noun in per_minute
        if most is not None
    ]
    if (most := campaign.segments_per_second) is not None:
        name = f"{preview_lines.counted(most, 'segment')} a second"
        limits.append(Limit(name=name, most=most, period_s=1, unit="segment"))
    return estimate_finish(
        tally.releases(),
        limits,
        start=max(run.now, campaign.not_before or run.now),
        deadline=campaign.deadline,
    )


def _advice(tally: PreviewTally) -> tuple[Advice, ...]:
    dearest = sorted(tally.turned.items(), key=lambda item: (-item[1].segments, item[0]))
    return tuple(
        Advice(characters=characters, messages=turned.messages, segments=turned.segments)
        for characters, turned in dearest[:MOST_ADVICE]
    )


def _all_safe(lines: Sequence[str]) -> list[str]:
    return [_safe(line) for line in lines]


def _safe(line: str) -> str:
    """Return a line in which Markdown sees no mark-up and no other line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(line.split()))
