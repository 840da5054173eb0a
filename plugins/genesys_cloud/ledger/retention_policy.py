"""The retention policy: a dated file that says for how many days each class of data is kept."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from genesys_cloud.errors import RetentionPolicyError
from genesys_cloud.settings import read_clear

CLASSES = ("texts", "addresses", "events")
"""What is destroyed when it is old enough."""

KEEP = "keep"

MOST_DAYS = 36_500


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """When it was decided and why, and for how many days each class is kept, None for ever."""

    dated: date
    reason: str
    days: Mapping[str, int | None]

    def cutoff(self, name: str, now: datetime) -> datetime | None:
        """Return the instant before which a class is destroyed, None where it is kept for ever."""
        days = self.days[name]
        return None if days is None else now - timedelta(days=days)


def policy_file(include_dir: Path) -> Path:
    """Return where a project's retention policy is."""
    return include_dir / "policies" / "retention.toml"


def read_policy(path: Path) -> RetentionPolicy:
    """Read a policy file; raises RetentionPolicyError for anything that is not perfectly clear."""
    table = read_clear(
        path,
        tomllib.loads,
        lambda reason: RetentionPolicyError(
            f"The retention policy {path} can't be read ({reason}), and nothing was deleted. Mend "
            "the file; include/policies/retention.toml of the project shows its form."
        ),
    )
    try:
        return _policy(table)
    except ValueError as error:
        raise RetentionPolicyError(
            f"The retention policy {path} is not clear, and nothing was deleted: {error} Mend the "
            "file."
        ) from None


def _policy(table: dict[str, Any]) -> RetentionPolicy:
    _only(table, {"dated", "reason", "audit", *CLASSES}, "the policy")
    dated, reason = table["dated"], table["reason"]
    if not isinstance(dated, date) or isinstance(dated, datetime):
        raise ValueError("`dated` is not a date, such as 2026-11-23.")
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError("`reason` says nothing.")
    if _days(table["audit"], "audit") is not None:
        raise ValueError(
            'The audit trail can only be kept (days = "keep"): without its beginning nobody could '
            "verify the rest."
        )
    return RetentionPolicy(
        dated=dated, reason=reason, days={name: _days(table[name], name) for name in CLASSES}
    )


def _days(section: object, name: str) -> int | None:
    if not isinstance(section, dict):
        raise ValueError(f"`{name}` is not a section with `days` and `reason`.")
    _only(section, {"days", "reason"}, f"[{name}]")
    if not isinstance(section["reason"], str) or not section["reason"].strip():
        raise ValueError(f"The reason of [{name}] says nothing.")
    days = section["days"]
    if days == KEEP:
        return None
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
        raise ValueError(
            f"The days of [{name}] are {days!r}; give a whole number from 1 to {MOST_DAYS}, or "
            '"keep".'
        )
    return days


def _only(table: dict[str, Any], names: set[str], where: str) -> None:
    if unknown := sorted(set(table) - names):
        raise ValueError(f"It holds what nobody knows in {where}: {', '.join(unknown)}.")
    if missing := sorted(names - set(table)):
        raise ValueError(f"It lacks in {where}: {', '.join(missing)}.")
