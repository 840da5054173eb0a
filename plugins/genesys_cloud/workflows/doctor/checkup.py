"""What a check is: a small function that looks at one thing and says what it found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import CampaignError
from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.settings import Account, Settings

PATIENCE_S = 10
"""How long a check waits for a connection, for an answer, or for the ledger's lock."""

LONGEST_PAUSE_S = 1.0
"""How long it waits before it asks again, whatever Genesys says: nobody's message hangs on it."""


class Level(StrEnum):
    """How well a thing is; only what is wrong keeps a campaign from running well."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a check says of a thing that is not simply well."""

    level: Level
    said: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """A line: what was looked at, how well it is, and what was found or is to be done."""

    name: str
    level: Level
    said: str

    @property
    def ok(self) -> bool:
        """Whether nothing has to be done before a campaign runs."""
        return self.level is not Level.WRONG

    def as_json(self) -> dict[str, str | bool]:
        """Return the line as a program reads it."""
        return {"name": self.name, "ok": self.ok, "level": str(self.level), "said": self.said}


@dataclass(kw_only=True)
class Scene:
    """What there is to look at; `try_receiver` is whether its address is sent a trial event."""

    conn_id: str
    try_receiver: bool
    sleep: Callable[[float], None] = time.sleep
    settings: Settings = field(default_factory=Settings.from_environment)
    ledger: Ledger | None = None
    registered_url: str | None = None

    @cached_property
    def account(self) -> Account:
        """The connection's account, with no more patience than a check has."""
        account = GenesysCloudHook(self.conn_id).account()
        return replace(account, timeout_s=min(account.timeout_s, PATIENCE_S))

    @cached_property
    def client(self) -> GenesysClient:
        """A client of it that waits for nothing long."""
        return GenesysClient(
            self.account,
            state_dir=self.settings.state_dir,
            sleep=lambda seconds: self.sleep(min(seconds, LONGEST_PAUSE_S)),
        )

    def close(self) -> None:
        """Close what was opened."""
        if "client" in self.__dict__:
            self.client.close()
        if self.ledger is not None:
            self.ledger.close()


Look = Callable[[Scene], "str | Found | None"]
"""Says what it found, a text where all is well, None where there is nothing to look at.

A CampaignError that it raises is wrong, and its message says what to do.
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A check, its name, and the checks without which it has nothing to go by."""

    name: str
    look: Look
    needs: Sequence[str] = ()

    def run(self, scene: Scene) -> Check | None:
        """Return the line, None where there is nothing to look at; raises nothing."""
        try:
            found = self.look(scene)
        except CampaignError as error:
            found = wrong(str(error))
        except Exception as error:
            # A check that breaks must not hide the others. Not its words: they may hold a secret.
            found = wrong(
                f"The check itself broke ({type(error).__name__}), so nobody knows. Report that."
            )
        if found is None:
            return None
        if isinstance(found, str):
            found = Found(level=Level.OK, said=found)
        return Check(name=self.name, level=found.level, said=found.said)


def info(said: str) -> Found:
    """Return that something optional is not there, or is only good to know."""
    return Found(level=Level.INFO, said=said)


def warning(said: str) -> Found:
    """Return that campaigns run, and that somebody should look at it."""
    return Found(level=Level.WARNING, said=said)


def wrong(said: str) -> Found:
    """Return that something is to be done."""
    return Found(level=Level.WRONG, said=said)


def first_of(sentences: Iterable[str], *, most: int = 3) -> str:
    """Return the first few sentences, each once, and how many more there are."""
    every = list(dict.fromkeys(sentences))
    more = [f"And {len(every) - most:,} more."] if len(every) > most else []
    return " ".join([*every[:most], *more])


def counts(checks: Iterable[Check]) -> Mapping[str, int]:
    """Return how many lines there are of each level."""
    found = Counter(check.level for check in checks)
    return {str(level): found[level] for level in Level}


def table(checks: Sequence[Check]) -> str:
    """Return the lines as people read them."""
    width = max((len(check.name) for check in checks), default=0)
    return "\n".join(f"{check.name:<{width}}  {check.level:<7}  {check.said}" for check in checks)
