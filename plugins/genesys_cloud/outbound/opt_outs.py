"""Opt-out words: what a person's own message says about being written to.

The words are dated data, in include/policies/opt_out_words.toml. A word counts only where it is the
whole message: who writes "stop" means it, and "don't stop" says something else.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from genesys_cloud.outbound.scope import Scope
from genesys_cloud.outbound.status import StatusEvent, about_conversation

LONGEST_MESSAGE = 200
"""Characters beyond which a message is no single word, whatever it says."""

_COUNTED = ("L", "N")
"""Unicode's letters and digits; the rest of a message is decoration."""


class Verdict(StrEnum):
    """What a word asks for."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"


@dataclass(frozen=True, kw_only=True)
class InboundMessage:
    """What a person wrote to us; `address` is theirs, in the ledger's form."""

    event_id: str
    conversation_id: str | None
    channel: str
    address: str = field(repr=False)
    text: str = field(repr=False)
    occurred_at: datetime


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a person has asked for by one word; the text itself goes no further.

    `scope` is how far an opt-out reaches.

    `event_id`, `message_id`, `status` and `occurred_at` are what a StatusEvent has: the choice is
    counted once as an event is, and names no address there.
    """

    event_id: str
    message_id: str
    channel: str
    address: str = field(repr=False)
    verdict: Verdict
    occurred_at: datetime
    scope: Scope = Scope.CHANNEL

    @property
    def status(self) -> str:
        """The verdict, where an event has a status."""
        return self.verdict.value

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at must be an aware datetime")


Arrival = StatusEvent | Choice
"""What the receiver counts."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The words that count, each in its plain form, since when, and how far an opt-out reaches."""

    dated: date
    words: Mapping[str, Verdict] = field(hash=False)
    scope: Scope = Scope.CHANNEL

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy; raises ValueError, with a sentence, for what is not perfectly clear."""
        table = tomllib.loads(text)
        dated = table.pop("dated", None)
        if not isinstance(dated, date) or isinstance(dated, datetime):
            raise ValueError("`dated` is not a date, such as 2026-11-23.")
        scope = _scope_of(table.pop("holds", {"scope": "channel", "source": "by default"}))
        if unknown := sorted(set(table) - set(Verdict)):
            raise ValueError(f"It holds what nobody knows: {', '.join(unknown)}.")
        words: dict[str, Verdict] = {}
        for verdict in Verdict:
            for word in _words_of(table.get(verdict), verdict):
                if words.setdefault(_plain(word), verdict) is not verdict:
                    raise ValueError(f"{word!r} asks for both: leave it in one of the lists.")
        return cls(dated=dated, words=words, scope=scope)

    def verdict(self, text: str) -> Verdict | None:
        """Return what a message asks for, None where it is not one of the words and nothing else.

        Case, accents, spaces, punctuation and emoji don't matter, nor does saying it twice.
        """
        if len(text) > LONGEST_MESSAGE:
            return None
        found = self.words.get(_plain(text))
        said = {plain for part in text.split() if (plain := _plain(part))}
        return self.words.get(said.pop()) if found is None and len(said) == 1 else found

    def choice(self, message: InboundMessage) -> Choice | None:
        """Return the choice that a message makes, None where it makes none."""
        verdict = self.verdict(message.text)
        if verdict is None:
            return None
        conversation = message.conversation_id
        return Choice(
            event_id=message.event_id,
            message_id=about_conversation(conversation) if conversation else message.event_id,
            channel=message.channel,
            address=message.address,
            verdict=verdict,
            occurred_at=message.occurred_at,
            scope=self.scope,
        )


def _scope_of(section: Any) -> Scope:
    """Return how far an opt-out reaches, as a policy says; it names its source."""
    fields = section if isinstance(section, dict) else {}
    source = fields.get("source")
    if set(fields) != {"scope", "source"} or not isinstance(source, str) or not source.strip():
        raise ValueError("[holds] needs `scope` and `source`, and no more.")
    try:
        return Scope(fields["scope"])
    except ValueError:
        raise ValueError(f"`scope` is none of {', '.join(Scope)}.") from None


def _words_of(section: Any, verdict: str) -> list[str]:
    """Return the words of all languages; each language names its source."""
    if not isinstance(section, dict) or not section:
        raise ValueError(f"It has no [{verdict}.LANGUAGE].")
    found: list[str] = []
    for language, entry in section.items():
        fields = entry if isinstance(entry, dict) else {}
        words, source = fields.get("words"), fields.get("source")
        if set(fields) != {"words", "source"} or not isinstance(source, str) or not source.strip():
            raise ValueError(f"[{verdict}.{language}] needs `words` and `source`, and no more.")
        if not isinstance(words, list) or not words:
            raise ValueError(f"The words of [{verdict}.{language}] are no list.")
        if empty := [word for word in words if not isinstance(word, str) or not _plain(word)]:
            raise ValueError(f"{empty[0]!r} in [{verdict}.{language}] is no word.")
        found += words
    return found


def _plain(text: str) -> str:
    """Return a text's letters and digits, in one case and without accents."""
    taken_apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(each for each in taken_apart if unicodedata.category(each)[0] in _COUNTED)
