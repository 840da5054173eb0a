"""What a preview says of the messages themselves: counted in one pass, in memory that stays flat.

A million rows pass here, so a text is only measured; what few texts need more is looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Protocol

from genesys_cloud.outbound import segments as sms
from genesys_cloud.outbound.estimated_finish import Release
from genesys_cloud.outbound.gsm_spelling import plain
from genesys_cloud.outbound.messages import mask_address
from genesys_cloud.outbound.prices import Traffic

FEW: Final = 3
"""So many different characters may turn a text into UCS-2 for one of them to be worth naming; a
text with more is in another script."""

MOST_SETS: Final = 1_000
"""How many different sets of such characters are counted apart."""

KINDS: Final = ("shortest", "longest", "most_segments")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One message as its recipient would get it; `kind` says why this one is shown."""

    language: str
    kind: str  # one of KINDS
    row_number: int
    address_key: str | None
    masked_address: str
    text: str = field(repr=False)
    segments: int | None


@dataclass
class Turned:
    """Texts that the same few characters turn into UCS-2, and the segments that this costs."""

    messages: int = 0
    segments: int = 0


class Outgoing(Protocol):
    """A message that would go out, as the ledger keeps it."""

    @property
    def language(self) -> str: ...
    @property
    def held_until(self) -> datetime | None: ...
    @property
    def text(self) -> str: ...
    @property
    def segments(self) -> int | None: ...
    @property
    def row_number(self) -> int: ...
    @property
    def address_key(self) -> str | None: ...
    @property
    def address(self) -> str: ...


_Seen = tuple[int, int, Outgoing]
"""A text's length, its segments, and the message."""


@dataclass
class PreviewTally:
    """Counts of what goes out, by language, country and release, and the texts that stand out."""

    messages: int = 0
    segments: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    turned: dict[str, Turned] = field(default_factory=dict)
    _sent: Counter[tuple[str | None, datetime | None]] = field(default_factory=Counter)
    _segments: Counter[tuple[str | None, datetime | None]] = field(default_factory=Counter)
    _shown: dict[str, dict[str, _Seen]] = field(default_factory=dict, repr=False)
    _lost: set[str] = field(default_factory=set)

    def see(self, message: Outgoing, country: str | None) -> None:
        """Count one message that would go out, to a number of a country where it has one."""
        self.messages += 1
        language, text = message.language, message.text
        self.languages[language] += 1
        place = (country, message.held_until)
        self._sent[place] += 1
        count = message.segments or 0
        if count:
            self.segments += count
            self._segments[place] += count
            if _may_save(text, count):
                self._see_turned(text, count)
        length = len(text)
        shown = self._shown.get(language)
        if shown is None:
            shown = self._shown[language] = {}
        elif (
            shown["shortest"][0] <= length <= shown["longest"][0]
            and count <= shown["most_segments"][1]
        ):
            return
        self._show(shown, length, count, message)

    def take_back(
        self, message: Outgoing, country: str | None, held_until: datetime | None
    ) -> None:
        """Count one less, who was seen as held until then, or not held."""
        count, place = message.segments or 0, (country, held_until)
        self.messages -= 1
        self.segments -= count
        _less(self.languages, message.language, 1)
        _less(self._sent, place, 1)
        _less(self._segments, place, count)
        key, saved = _saving(message.text, count) if _may_save(message.text, count) else ("", 0)
        if saved > 0 and (turned := self.turned.get(key)):
            turned.messages -= 1
            turned.segments -= saved
            if not turned.messages:
                del self.turned[key]
        shown = self._shown.get(message.language, {})
        if any(seen[2].row_number == message.row_number for seen in shown.values()):
            self._lost.add(message.language)

    @property
    def lost(self) -> frozenset[str]:
        """The languages of which a text that stood out was taken back."""
        return frozenset(self._lost)

    def show_instead(self, messages: Iterable[Outgoing]) -> None:
        """Take these for the texts that stand out, in the languages that lost one."""
        for language in self._lost:
            del self._shown[language]
        self._lost.clear()
        for message in messages:
            shown = self._shown.setdefault(message.language, {})
            self._show(shown, len(message.text), message.segments or 0, message)

    def traffic(self) -> tuple[Traffic, ...]:
        """Return what goes to which country, the most messages first."""
        messages: Counter[str | None] = Counter()
        segments: Counter[str | None] = Counter()
        for (country, _), count in self._sent.items():
            messages[country] += count
        for (country, _), count in self._segments.items():
            segments[country] += count
        order = sorted(messages, key=lambda country: (-messages[country], country or ""))
        return tuple(Traffic(country=c, messages=messages[c], segments=segments[c]) for c in order)

    def releases(self) -> tuple[Release, ...]:
        """Return what may go out when."""
        found: dict[datetime | None, list[int]] = {}
        for (country, opens_at), count in self._sent.items():
            release = found.setdefault(opens_at, [0, 0])
            release[0] += count
            release[1] += self._segments[country, opens_at]
        return tuple(Release(opens_at=at, messages=m, segments=s) for at, (m, s) in found.items())

    def samples(self) -> Iterator[Sample]:
        """Yield the texts that stand out, by language, each message once."""
        for language, shown in sorted(self._shown.items()):
            rows = set()
            for kind in KINDS:
                message = shown[kind][2]
                if message.row_number not in rows:
                    rows.add(message.row_number)
                    yield _sample(language, kind, message)

    def _show(self, shown: dict[str, _Seen], length: int, segments: int, message: Outgoing) -> None:
        seen = (length, segments, message)
        if not shown:
            shown |= dict.fromkeys(KINDS, seen)
        if length < shown["shortest"][0]:
            shown["shortest"] = seen
        if length > shown["longest"][0]:
            shown["longest"] = seen
        if segments > shown["most_segments"][1]:
            shown["most_segments"] = seen

    def _see_turned(self, text: str, segments: int) -> None:
        key, saved = _saving(text, segments)
        if saved > 0 and (key in self.turned or len(self.turned) < MOST_SETS):
            turned = self.turned.setdefault(key, Turned())
            turned.messages += 1
            turned.segments += saved


def _may_save(text: str, segments: int) -> bool:
    """Return whether a text can be UCS-2: in GSM-7 one of so many segments is longer."""
    return segments > 1 and len(text) <= sms.UCS_2.joined * segments


def _saving(text: str, segments: int) -> tuple[str, int]:
    """Return the few characters that turn a text into UCS-2, and the segments that they cost."""
    forcing = set(text).difference(sms.GSM_BASIC, sms.GSM_EXTENDED)
    if not forcing or len(forcing) > FEW:
        return "", 0
    spelled = text
    for character in forcing:
        spelled = spelled.replace(character, _spelling(character))
    return "".join(sorted(forcing)), segments - sms.count(spelled).segments


def _less(counter: Counter[Any], key: Any, number: int) -> None:
    counter[key] -= number
    if not counter[key]:
        del counter[key]


@lru_cache(maxsize=MOST_SETS)
def _spelling(character: str) -> str:
    """Return how a character is written in GSM-7; what has no plain spelling would have to go."""
    return plain(character) or ""


def _sample(language: str, kind: str, message: Outgoing) -> Sample:
    return Sample(
        language=language,
        kind=kind,
        row_number=message.row_number,
        address_key=message.address_key,
        masked_address=mask_address(message.address),
        text=message.text,
        segments=message.segments,
    )
