"""A recipient: what a row says about one person, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genesys_cloud.outbound.audience import KNOWN_COLUMNS


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """One person of an audience; optional cells that are blank are ''.

    `address` is in its wire form; `consent` is true only where the cell says true; `variables` are
    all columns without a meaning of their own, trimmed.
    """

    recipient_id: str = field(repr=False)
    address: str = field(repr=False)
    language: str
    timezone: str
    consent: bool
    consent_at: str
    consent_source: str
    consent_purpose: str
    consent_wording: str
    consent_expires_at: str
    variables: Mapping[str, str] = field(repr=False)


def read_recipient(values: Mapping[str, str], *, address: str) -> Recipient:
    """Return the recipient that a row describes; without a recipient_id the address is the id."""
    cells = {name: value.strip() for name, value in values.items()}
    return Recipient(
        recipient_id=cells.get("recipient_id") or address,
        address=address,
        language=cells.get("language", ""),
        timezone=cells.get("timezone", ""),
        consent=cells.get("consent", "").lower() == "true",
        consent_at=cells.get("consent_at", ""),
        consent_source=cells.get("consent_source", ""),
        consent_purpose=cells.get("consent_purpose", ""),
        consent_wording=cells.get("consent_wording", ""),
        consent_expires_at=cells.get("consent_expires_at", ""),
        variables={name: cell for name, cell in cells.items() if name not in KNOWN_COLUMNS},
    )
