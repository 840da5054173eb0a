"""The consent that a row of an audience brings with it: a yes, since when, for what, until when."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from genesys_cloud.outbound.consent import EXPIRED, OTHER_PURPOSE, SENTENCES, ConsentFrom
from genesys_cloud.outbound.recipients import Recipient
from genesys_cloud.outbound.validation import check_consent
from genesys_cloud.outbound.violations import Violation

TIME_INVALID: Final = "consent_time_invalid"

LONGEST = 200
"""Characters that are kept of what a row says of its consent."""

_EARLIEST = timezone(timedelta(hours=14))
"""Where a day begins first."""


@dataclass(frozen=True, kw_only=True)
class ConsentRule:
    """What a campaign asks of the consent that a row brings with it; nothing where only the record
    counts. `purpose` is '' for any."""

    purpose: str
    consent_from: ConsentFrom
    now: datetime

    def check(self, recipient: Recipient) -> list[Violation]:
        """Return what a row's own columns have against the campaign."""
        if self.consent_from is ConsentFrom.LEDGER:
            return []
        found = list(check_consent(recipient.consent))
        if self.purpose and recipient.consent_purpose.lower() not in ("", self.purpose):
            found.append(_violation(OTHER_PURPOSE))
        try:
            given_at = moment(recipient.consent_at)
            expires_at = moment(recipient.consent_expires_at)
        except ValueError:
            return [*found, _time_invalid("is no date and no time")]
        if given_at is not None and given_at > self.now:
            found.append(_time_invalid("is still to come"))
        if expires_at is not None and expires_at <= self.now:
            found.append(_violation(EXPIRED))
        return found

    def proof(self, recipient: Recipient) -> tuple[str | None, datetime | None]:
        """Return what a row that passed says of its consent besides the yes, as JSON, and when
        that ends; None where it says nothing."""
        if self.consent_from is ConsentFrom.LEDGER:
            return None, None
        said = {
            "at": recipient.consent_at,
            "source": recipient.consent_source,
            "purpose": recipient.consent_purpose,
            "wording": recipient.consent_wording,
            "expires_at": recipient.consent_expires_at,
        }
        told = {name: value[:LONGEST] for name, value in said.items() if value}
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":")) if told else None
        return text, moment(recipient.consent_expires_at)


def moment(text: str) -> datetime | None:
    """Return the instant that a cell in ISO 8601 names, None where it is blank.

    A time without an offset, or a day, is taken where it comes first: no consent lasts too long.
    Raises ValueError for anything else.
    """
    if not text:
        return None
    found = datetime.fromisoformat(text)
    try:
        return (found if found.tzinfo else found.replace(tzinfo=_EARLIEST)).astimezone(UTC)
    except OverflowError as error:  # the first and last hours of the calendar
        raise ValueError(text) from error


def _violation(code: str) -> Violation:
    return Violation(code=code, message=SENTENCES[code])


def _time_invalid(what: str) -> Violation:
    message = f"A time of the consent {what}; write it as 2026-11-23 or 2026-11-23T08:00:00Z."
    return Violation(code=TIME_INVALID, message=message)
