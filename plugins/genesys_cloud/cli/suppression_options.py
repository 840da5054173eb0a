"""What the options of `genesys-cloud suppressions` mean: how far one reaches, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from genesys_cloud.cli.terminal import SMS, actor, instant
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.scope import Scope

OnlyChannel = Annotated[
    str | None, typer.Option(help=f"The channel on which it holds; {SMS} where none is named.")
]
Everywhere = Annotated[
    bool, typer.Option("--everywhere", help="On every channel on which the person has an address.")
]
Source = Annotated[
    str, typer.Option(help="Where it comes from; who runs this where none is named.")
]
Expires = Annotated[
    str | None, typer.Option(metavar="TIME", help="When it ends; without it or --days, never.")
]
Days = Annotated[int | None, typer.Option(min=1, max=36_500, help="In how many days it ends.")]


def holds_on(channel: str | None, everywhere: bool) -> str:
    """Return a channel's name, or everywhere; CampaignDefinitionError where both are given."""
    from genesys_cloud.outbound.channels import CHANNELS

    if channel is not None and everywhere:
        raise CampaignDefinitionError(
            "Nothing was changed: --channel and --everywhere exclude each other. Give one of them."
        )
    if channel is not None and channel not in CHANNELS:
        raise CampaignDefinitionError(
            f"There is no channel {channel!r}; use one of {', '.join(sorted(CHANNELS))}."
        )
    return Scope.EVERYWHERE.value if everywhere else channel or SMS


def end(expires: str | None, days: int | None, now: datetime) -> datetime | None:
    """Return when it ends, None for never; CampaignDefinitionError where that has passed."""
    if expires is not None and days is not None:
        raise CampaignDefinitionError(
            "Nothing was changed: --expires and --days exclude each other. Give one of them."
        )
    ends = instant(expires) if days is None else now + timedelta(days=days)
    if ends is not None and ends <= now:
        raise CampaignDefinitionError(
            f"Nothing was changed: --expires {expires} has passed. Give a time that is to come."
        )
    return ends


def suppression(
    address: str, holds: str, reason: str, source: str = "", expires_at: datetime | None = None
) -> Suppression:
    """Return what is to be suppressed; CampaignDefinitionError where the address is none."""
    from genesys_cloud.ledger import suppression_rows
    from genesys_cloud.outbound.violations import Refused

    try:
        return suppression_rows.suppression(
            address, holds, reason=reason, source=source or actor(), expires_at=expires_at
        )
    except Refused as refused:
        why = refused.violations[0].message
        raise CampaignDefinitionError(f"Nothing was changed: {why}") from None
