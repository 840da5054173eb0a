"""Quiet hours in a run: the policy it goes by, and what is sent when a window opens."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from genesys_cloud.ledger import approvals, holding
from genesys_cloud.ledger.approvals import Verdict
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.quiet_hours import FARTHEST, QuietHours
from genesys_cloud.outbound.quiet_policy import parse_policy
from genesys_cloud.outbound.timing import Timekeeper
from genesys_cloud.policies import read_policy

log = logging.getLogger(__name__)

FILE = "quiet_hours.toml"

EVERY_ID = 2**62
"""More than any row's."""

AFTER_PLANNING = timedelta(minutes=1)
"""When to come again where the occurrence is being planned anew."""


def read_quiet_hours(include_dir: Path) -> QuietHours:
    """Return when nobody is to be disturbed; raises PolicyError."""
    return read_policy(
        include_dir, FILE, parse_policy, what="quiet hours", undone="nothing was sent"
    )


def timekeeper_of(campaign: Campaign, include_dir: Path, now: datetime) -> Timekeeper:
    """Return who knows the hours of a campaign that is planned `now`; warns of missing holidays."""
    quiet = read_quiet_hours(include_dir)
    timekeeper = Timekeeper(quiet=quiet, message_class=campaign.message_class, now=now)
    unknown = quiet.unknown_holidays(sorted({now.year, (now + FARTHEST).year}))
    if timekeeper.version is not None and unknown:
        log.warning(
            "the quiet hours %s list no public holidays of %s: messages may go out on them",
            quiet.version,
            ", ".join(unknown),
        )
    return timekeeper


def send_due(
    ledger: Ledger,
    occurrence_id: int,
    plan_digest: str | None,
    send: Callable[[Shard], Counter[str]],
    now: Callable[[], datetime],
) -> tuple[Counter[str], datetime | None]:
    """Send what is held and may go out by now, by the plan with this digest.

    Returns how many messages ended in which state, and when to come again, None where nothing is
    held any more or the campaign may not send. Whatever a pass that broke off has let go is sent
    by the next one.
    """
    ruling = approvals.ruling(ledger, occurrence_id, plan_digest, now())
    if ruling is Verdict.WAIT:
        return Counter(), now() + AFTER_PLANNING
    if ruling is Verdict.STOP:
        log.warning("nothing is sent: the plan of this run is another by now, or not approved")
        return Counter(), None
    done = holding.let_go(ledger, occurrence_id, now())
    del done["planned"]
    left = holding.waiting(ledger, occurrence_id)
    if left.active and left.open:
        done += send(
            Shard(
                occurrence_id=occurrence_id,
                profile=left.profile,
                number=0,
                first_id=0,
                last_id=EVERY_ID,
                plan_digest=plan_digest,
            )
        )
        left = holding.waiting(ledger, occurrence_id)
    if left.held and not left.active:
        log.warning("%s messages stay held: the campaign is paused; resume and start it", left.held)
    return done, left.next_at
