"""What somebody who asks about a message may have typed, and which messages that means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select, true

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import traces
from genesys_cloud.ledger.tables import (
    IN_CONVERSATION,
    consents,
    messages,
    occurrences,
    suppressions,
)
from genesys_cloud.ledger.unknowns import SHORTEST_KEY
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.messages import mask_address, storable
from genesys_cloud.outbound.phone import strip_separators

LONGEST = 320
"""No address, key or id has more characters."""

_KEY = re.compile(rf"[0-9a-f]{{{SHORTEST_KEY},64}}\Z")
_DIGITS = re.compile(r"(?:00|011)?([1-9][0-9]{6,14})\Z")


class Meaning(StrEnum):
    """What somebody asked for turned out to be."""

    ADDRESS = "address"
    MESSAGE = "message"  # a message key, or its beginning
    API_MESSAGE = "api_message"  # Genesys' id
    CONVERSATION = "conversation"


@dataclass(frozen=True, kw_only=True)
class Needle:
    """One way to read what was asked for: which messages it means, and whose person's keys.

    `masked` is what a page or a log may show of it; ids name nobody.
    """

    meaning: Meaning
    masked: str
    where: ColumnElement[bool]
    keys: Sequence[str] = field(default=(), repr=False)


def read(connection: Connection, text: str) -> tuple[Needle | None, str | None]:
    """Return what a text means, None where the ledger knows nothing by it, and what to do then."""
    hint: str | None = None
    asked = storable(text.strip(), most=LONGEST)
    try:
        readings = list(_readings(asked))
    except CampaignDefinitionError as error:
        readings, hint = list(_ids(asked)), str(error)
    for one in readings:
        if _is_known(connection, one):
            return one, None
    return None, hint


def _readings(text: str) -> Iterator[Needle]:
    """Yield what a text may mean, the likeliest first: a number is rather a person's."""
    number = strip_separators(text)
    if not (number.startswith("+") or number.isdecimal()):
        yield from _ids(text)
    digits = _DIGITS.match(number)
    identity = identify(f"+{digits[1]}" if digits else text)
    keys = traces.keys_of(identity)
    yield Needle(
        meaning=Meaning.ADDRESS,
        masked=mask_address(next(iter(identity.wires.values()))),
        where=messages.c.address_key.in_(keys),
        keys=keys,
    )
    if number.isdecimal():
        yield from _ids(text)


def _ids(text: str) -> Iterator[Needle]:
    key = text.lower()
    if _KEY.match(key):
        column = messages.c.message_key
        whole = and_(column >= key, column < key + "g")  # g comes after all digits of a key
        yield Needle(meaning=Meaning.MESSAGE, masked=key, where=whole)
    api_message = messages.c.api_message_id == text
    yield Needle(meaning=Meaning.API_MESSAGE, masked=text, where=api_message)
    conversation = and_(IN_CONVERSATION, messages.c.conversation_id == text)
    yield Needle(meaning=Meaning.CONVERSATION, masked=text, where=conversation)


def found_by(one: Needle, seen: ColumnElement[bool]) -> Select[Any]:
    """Select the ids of the messages that a needle means, of occurrences that may be `seen`."""
    found = select(messages.c.id).where(one.where)
    if one.meaning is Meaning.ADDRESS:
        # An index leads to a person's messages from each occurrence; no other one does.
        return found.where(messages.c.occurrence_id.in_(select(occurrences.c.id).where(seen)))
    return found.join(occurrences, occurrences.c.id == messages.c.occurrence_id).where(seen)


def _is_known(connection: Connection, one: Needle) -> bool:
    sources = (
        found_by(one, true()),
        select(consents.c.id).where(consents.c.address_key.in_(one.keys)),
        select(suppressions.c.address_key).where(suppressions.c.address_key.in_(one.keys)),
    )
    return any(
        connection.execute(each.limit(1)).first() for each in sources[: 3 if one.keys else 1]
    )
