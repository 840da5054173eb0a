"""Consent: what people decided, and whether that covers a campaign at an instant.

A purpose is a word such as appointments; '' is any. What is on record is a list of decisions, of
which the latest word counts: a withdrawal holds until the person gives consent again on record,
whatever an audience says. Of two decisions of one instant the withdrawal counts. Who withdrew for
every purpose and gave consent for one again is written to for that one only; a campaign that names
no purpose goes to nobody who withdrew for any.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from genesys_cloud.errors import CampaignDefinitionError


class ConsentState(StrEnum):
    """What a person decided."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class ConsentFrom(StrEnum):
    """Where a campaign takes consent from: the audience's column, the ledger's record, or both."""

    AUDIENCE = "audience"
    LEDGER = "ledger"
    BOTH = "both"


class Manner(StrEnum):
    """How a withdrawal reached us; any reasonable manner counts."""

    SMS = "sms"
    EMAIL = "email"
    PHONE = "phone"
    POST = "post"
    OTHER = "other"


WITHDRAWN: Final = "consent_withdrawn"
EXPIRED: Final = "consent_expired"
OTHER_PURPOSE: Final = "consent_other_purpose"
NOT_ON_RECORD: Final = "consent_not_on_record"

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        WITHDRAWN: "The person has withdrawn the consent.",
        EXPIRED: "The consent has expired.",
        OTHER_PURPOSE: "The consent is for another purpose than the campaign's.",
        NOT_ON_RECORD: "No consent of the person is on record.",
    }
)
"""What people read for a code."""

PURPOSE = re.compile(r"(?:[\w][\w.-]{0,63})?\Z")
"""A purpose, in lower case, or nothing."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One decision on record about one channel; `expires_at` None is for ever."""

    state: ConsentState
    purpose: str
    decided_at: datetime
    expires_at: datetime | None = None


def normalise_purpose(text: str) -> str:
    """Return a purpose in the form in which purposes are compared, '' where none is named.

    Raises CampaignDefinitionError for what is no such word.
    """
    purpose = text.strip().lower()
    if not PURPOSE.match(purpose):
        raise CampaignDefinitionError(
            f"The purpose {text[:100]!r} is not usable: use one word of up to 64 letters, digits, "
            "dots, dashes and underscores, such as appointments."
        )
    return purpose


def withdrawals_in_force(decisions: Iterable[Recorded], purpose: str = "") -> list[Recorded]:
    """Return the withdrawals that no later consent has ended, of those that cover a purpose."""
    known = list(decisions)
    given = [one for one in known if one.state is ConsentState.GIVEN]
    return [
        no
        for no in known
        if no.state is ConsentState.WITHDRAWN
        and (not purpose or no.purpose in ("", purpose))
        and not any(_ends(yes, no, purpose) for yes in given)
    ]


def refusal(
    decisions: Collection[Recorded], *, purpose: str, consent_from: ConsentFrom, at: datetime
) -> str | None:
    """Return the code of what the record has against a campaign, None for nothing.

    `at` is when it is asked, for consents that expire. A decision that seems to come after it
    counts too: the clock of whoever recorded it may be ahead.
    """
    if not decisions and consent_from is ConsentFrom.AUDIENCE:
        return None
    if withdrawals_in_force(decisions, purpose):
        return WITHDRAWN
    if consent_from is ConsentFrom.AUDIENCE:
        return None
    standing = [one for one in decisions if _stands(one, decisions, purpose)]
    covering = [one for one in standing if not purpose or one.purpose in ("", purpose)]
    if any(one.expires_at is None or one.expires_at > at for one in covering):
        return None
    if covering:
        return EXPIRED
    return OTHER_PURPOSE if standing else NOT_ON_RECORD


def _ends(yes: Recorded, no: Recorded, purpose: str) -> bool:
    return yes.decided_at > no.decided_at and yes.purpose in ("", no.purpose, purpose)


def _stands(one: Recorded, known: Iterable[Recorded], purpose: str) -> bool:
    """Whether a decision is a consent that no withdrawal has ended for this purpose."""
    return one.state is ConsentState.GIVEN and not any(
        no.state is ConsentState.WITHDRAWN
        and no.decided_at >= one.decided_at
        and (no.purpose in ("", one.purpose, purpose) or one.purpose == purpose == "")
        for no in known
    )
