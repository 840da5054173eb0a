"""Failures that suppress: which codes say that an address is not worth, or not to be, tried again.

The codes are dated data, in include/policies/failures.toml. Everything else, such as a provider's
bad hour, suppresses nobody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Self

from genesys_cloud.outbound.status import OPTED_OUT

LONGEST_REASON = 64


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a failure makes of the recipient: why they are suppressed, and for how many days.

    `days` None is for ever.
    """

    reason: str
    days: int | None = None

    def expires_at(self, now: datetime) -> datetime | None:
        """Return when a suppression ends that begins now, None for never."""
        return None if self.days is None else now + timedelta(days=self.days)


@dataclass(frozen=True, kw_only=True)
class FailurePolicy:
    """The codes that suppress, as receipts and answers spell them, and since when."""

    dated: date
    rules: Mapping[str, Rule] = field(hash=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy; raises ValueError, with a sentence, for what is not perfectly clear."""
        table = tomllib.loads(text)
        dated = table.pop("dated", None)
        if not isinstance(dated, date) or isinstance(dated, datetime):
            raise ValueError("`dated` is not a date, such as 2026-11-23.")
        return cls(dated=dated, rules={code: _rule(code, each) for code, each in table.items()})

    def rule(self, code: str | None) -> Rule | None:
        """Return what a failure with this code makes of the recipient, None for nothing.

        The platform writes the same code in several ways: its case and its hyphens don't count.
        """
        if code is None:
            return None
        plain = _plain(code)
        return next((rule for known, rule in self.rules.items() if _plain(known) == plain), None)


OPTED_OUT_ALONE = FailurePolicy(
    dated=date(2026, 11, 23), rules={OPTED_OUT: Rule(reason="opted_out")}
)
"""What holds where a project has no policy: nobody is written to who said no to the carrier."""


def _plain(code: str) -> str:
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _rule(code: str, entry: Any) -> Rule:
    fields = entry if isinstance(entry, dict) else {}
    days, for_ever = fields.get("days"), fields.get("for_ever")
    if not set(fields) <= {"reason", "source", "days", "for_ever"}:
        raise ValueError(f"[{code}] has more than reason, source, and days or for_ever.")
    for name in ("reason", "source"):
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            raise ValueError(f"[{code}] has no `{name}`.")
    if len(fields["reason"]) > LONGEST_REASON:
        raise ValueError(f"The reason of [{code}] is over {LONGEST_REASON} characters.")
    if for_ever is True and days is None:
        return Rule(reason=fields["reason"])
    if for_ever is not None or type(days) is not int or not 1 <= days <= 3_660:
        raise ValueError(f"[{code}] needs `days`, from 1 to 3660, or else `for_ever = true`.")
    return Rule(reason=fields["reason"], days=days)
