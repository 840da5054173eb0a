"""Rows of a file of consents: each becomes a decision, or is refused with its code.

Every row says when the person decided. Without that, a file that is imported every night would end
the withdrawal of the day before.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.outbound.addresses import Address, parse_address
from genesys_cloud.outbound.audience import Row, short_cell
from genesys_cloud.outbound.channels import CHANNELS
from genesys_cloud.outbound.consent import ConsentState, Manner, normalise_purpose
from genesys_cloud.outbound.revocation import RevocationPolicy
from genesys_cloud.outbound.row_consent import TIME_INVALID, moment
from genesys_cloud.outbound.violations import Refused, Violation

EXAMPLES = 10
"""How many refused rows are named."""

LONGEST_EVIDENCE = 1_000

_STATES = {"given": ConsentState.GIVEN, "true": ConsentState.GIVEN,
           "withdrawn": ConsentState.WITHDRAWN}  # fmt: skip


@dataclass(kw_only=True)
class ConsentRows:
    """The decisions in a file, one after the other; counts what it could not use.

    `channel` and `source` are those of rows that name none.
    """

    rows: Iterable[Row]
    channel: str
    source: str
    policy: RevocationPolicy
    now: datetime
    usable: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Consent]:
        for row in self.rows:
            try:
                found = self._decision(row)
            except Refused as refused:
                self._refuse(row, refused.violations[0])
            else:
                self.usable += 1
                yield found

    def _refuse(self, row: Row, violation: Violation) -> None:
        self.refused[violation.code] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"row {row.number}: {violation.message}")

    def _decision(self, row: Row) -> Consent:
        if row.problem is not None:
            raise Refused(row.problem)
        cells = {name: value.strip() for name, value in row.values.items()}
        channel = cells.get("channel") or self.channel
        state = _STATES.get(cells.get("consent", "").lower())
        if state is None:
            raise Refused.because(
                "consent_state", "The column consent is neither given nor withdrawn."
            )
        decided_at = _moment(cells, "consent_at")
        if decided_at is None or decided_at > self.now:
            raise Refused.because(TIME_INVALID, "consent_at does not say when that was decided.")
        withdrawn = state is ConsentState.WITHDRAWN
        wording = cells.get("consent_wording_text", "")
        return Consent(
            channel=channel,
            address=_wire(channel, cells.get("address", "")),
            state=state,
            purpose=_purpose(cells),
            source=short_cell(cells, "consent_source") or self.source,
            wording=short_cell(cells, "consent_wording"),
            wording_digest=hashlib.sha256(wording.encode()).hexdigest() if wording else None,
            manner=_manner(cells) if withdrawn else None,
            reason=short_cell(cells, "reason"),
            evidence=short_cell(cells, "consent_evidence", LONGEST_EVIDENCE),
            decided_at=decided_at,
            expires_at=_moment(cells, "consent_expires_at"),
            honour_by=self.policy.honour_by(decided_at) if withdrawn else None,
        )


def _wire(channel: str, text: str) -> str:
    if channel not in CHANNELS:
        raise Refused.because("channel_unsupported", f"There is no channel {channel[:100]!r}.")
    parsed = parse_address(CHANNELS[channel], text)
    if not isinstance(parsed, Address):
        raise Refused(parsed)
    return parsed.wire


def _moment(cells: Mapping[str, str], name: str) -> datetime | None:
    try:
        return moment(cells.get(name, ""))
    except ValueError:
        raise Refused.because(TIME_INVALID, f"{name} is no date and no time in ISO 8601.") from None


def _purpose(cells: Mapping[str, str]) -> str:
    try:
        return normalise_purpose(cells.get("consent_purpose", ""))
    except CampaignDefinitionError as error:
        raise Refused.because("consent_purpose", str(error)) from None


def _manner(cells: Mapping[str, str]) -> Manner:
    try:
        return Manner(cells.get("manner", "").lower() or Manner.OTHER)
    except ValueError:
        raise Refused.because("consent_manner", f"manner is none of {', '.join(Manner)}.") from None
