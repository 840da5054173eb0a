"""Who is told what: the file include/policies/notifications.toml, read and made into notifiers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from genesys_cloud.errors import PolicyError
from genesys_cloud.policies import read_policy

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier

FILE = "notifications.toml"


class Event(StrEnum):
    """What people can be told of."""

    FINISHED = "campaign_finished"
    PAUSED = "campaign_paused"
    FAILED = "campaign_failed"
    WAITING = "approval_waiting"
    INCOMPLETE = "report_incomplete"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way of telling: what is told, by which notifier, with which of its arguments."""

    name: str
    on: frozenset[Event]
    notifier: str
    arguments: Mapping[str, Any] = field(repr=False)

    def make(self) -> BaseNotifier:
        """Return the notifier; raises PolicyError where there is none of that name, or it won't."""
        from airflow.sdk import BaseNotifier

        try:
            found = resolve_name(self.notifier)
        except Exception as error:
            raise PolicyError(
                f"[{self.name}] of {FILE} names the notifier {self.notifier!r}, which can't be "
                f"imported ({type(error).__name__}). Check its path, and that its provider is "
                "installed."
            ) from error
        if not (isinstance(found, type) and issubclass(found, BaseNotifier)):
            raise PolicyError(
                f"[{self.name}] of {FILE} names {self.notifier!r}, which is not a notifier. Name a "
                "class that derives from airflow.sdk.BaseNotifier."
            )
        try:
            return found(**self.arguments)
        except Exception as error:
            # Not the error's text: it may quote an argument.
            raise PolicyError(
                f"The notifier {self.notifier!r} does not take what [{self.name}.with] of {FILE} "
                f"gives it ({type(error).__name__}). Its documentation lists its arguments."
            ) from error


def read_rules(include_dir: Path) -> Sequence[Rule]:
    """Return who is told what; raises PolicyError."""
    return read_policy(
        include_dir, FILE, _rules, what="rules of notifications", undone="nobody was told"
    )


def _rules(text: str) -> Sequence[Rule]:
    table = tomllib.loads(text)
    dated = table.pop("dated", None)
    if not isinstance(dated, date) or isinstance(dated, datetime):
        raise ValueError("`dated` is not a date, such as 2026-11-23.")
    return [_rule(name, section) for name, section in table.items()]


def _rule(name: str, section: object) -> Rule:
    if not isinstance(section, dict) or not {"on", "notifier"} <= set(section):
        raise ValueError(f"`{name}` is not a section with `on` and `notifier`.")
    if unknown := sorted(set(section) - {"on", "notifier", "with"}):
        raise ValueError(f"[{name}] holds what nobody knows: {', '.join(unknown)}.")
    on, notifier, arguments = section["on"], section["notifier"], section.get("with", {})
    words = [event.value for event in Event]
    if not isinstance(on, list) or not on or not all(one in words for one in on):
        raise ValueError(f"`on` of [{name}] is not a list of some of {', '.join(words)}.")
    if not isinstance(notifier, str) or "." not in notifier:
        raise ValueError(f"`notifier` of [{name}] is not the import path of a class.")
    if not isinstance(arguments, dict):
        raise ValueError(f"`with` of [{name}] is not a section of arguments.")
    return Rule(name=name, on=frozenset(map(Event, on)), notifier=notifier, arguments=arguments)
