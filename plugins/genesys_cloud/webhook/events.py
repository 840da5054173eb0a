"""From a request's body to normalised status events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from genesys_cloud.api.profiles.messaging import parse_event
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook.trial import is_trial


class NotAnEventError(Exception):
    """The body will never be a status event, however often it is sent."""


class TrialEventError(NotAnEventError):
    """The body is a trial event: its sender asks for a word, and for nothing to be counted."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a body holds: the events, and for each member that is none its number and why."""

    events: Sequence[StatusEvent]
    refused: Sequence[tuple[int, str]] = ()
    is_batch: bool = False


def read_events(body: bytes) -> Body:
    """Return the status event in a body, or those in its array.

    Raises NotAnEventError where not one is in it. A key that comes twice in an object counts as
    its last value, as most readers of JSON have it.
    """
    value = _parse(body)
    if isinstance(value, list):
        return _batch(value)
    try:
        return Body(events=(parse_event(value),))
    except ValueError as error:
        if is_trial(value):
            raise TrialEventError("A trial event is not counted.") from None
        raise NotAnEventError(_sentence(error)) from None


def _batch(members: Sequence[object]) -> Body:
    events: list[StatusEvent] = []
    refused: list[tuple[int, str]] = []
    for number, member in enumerate(members):
        try:
            events.append(parse_event(member))
        except ValueError as error:
            refused.append((number, _sentence(error)))
    if not events:
        first = f"; the first: {refused[0][1]}" if refused else ""
        raise NotAnEventError(f"None of the array's {len(members)} members is an event{first}.")
    return Body(events=events, refused=refused, is_batch=True)


def _parse(body: bytes) -> object:
    try:
        return _JSON.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotAnEventError("The body is not UTF-8.") from None
    except RecursionError:
        raise NotAnEventError("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise NotAnEventError(f"The body is not JSON: {error.msg}.") from None
    except ValueError:  # the standard library's word for a number of thousands of digits
        raise NotAnEventError("The body holds a number that is too long or none.") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_JSON = json.JSONDecoder(parse_constant=_no_number)


def _sentence(error: ValueError) -> str:
    return str(error) if len(str(error)) < 300 else "not a status event"
