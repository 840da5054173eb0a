"""From a request's body to normalised events: the tutorial's form first, then the platform's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from genesys_cloud.api.profiles import agentless_events
from genesys_cloud.api.profiles.agentless_events import UnknownFormError
from genesys_cloud.api.profiles.messaging import parse_event
from genesys_cloud.outbound.opt_outs import Arrival, Choice, InboundMessage
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook.trial import is_trial


class NotAnEventError(Exception):
    """The body will never be a status event, however often it is sent."""


class TrialEventError(NotAnEventError):
    """The body is a trial event: its sender asks for a word, and for nothing to be counted."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a body holds: the events, and for each member that is none its number and why.

    `inbound` are people's own messages, of which some will be choices. `ignored` counts what has
    nothing to count in it, and is no error: the platform pushes more than anybody asked for.
    """

    events: Sequence[Arrival]
    inbound: Sequence[InboundMessage] = field(default=(), repr=False)
    ignored: int = 0
    refused: Sequence[tuple[int, str]] = ()
    is_batch: bool = False

    def decided(self, choose: Callable[[InboundMessage], Choice | None]) -> Body:
        """Return the body with the choices that its inbound messages make, and without those."""
        choices = [choice for one in self.inbound if (choice := choose(one)) is not None]
        return replace(
            self,
            events=(*self.events, *choices),
            inbound=(),
            ignored=self.ignored + len(self.inbound) - len(choices),
        )


def read_events(body: bytes) -> Body:
    """Return the events in a body, or those in its array.

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
        return _of_the_platform(value, error)


def _of_the_platform(value: object, error: ValueError) -> Body:
    """Read what is no event in the tutorial's form; `error` is why."""
    try:
        found = agentless_events.parse(value)
    except UnknownFormError:
        raise NotAnEventError(_sentence(error)) from None
    except ValueError as other:
        raise NotAnEventError(_sentence(other)) from None
    return Body(
        events=tuple(one for one in found if isinstance(one, StatusEvent)),
        inbound=tuple(one for one in found if isinstance(one, InboundMessage)),
        ignored=0 if found else 1,
        is_batch=len(found) > 1,
    )


def _batch(members: Sequence[object]) -> Body:
    events: list[Arrival] = []
    inbound: list[InboundMessage] = []
    refused: list[tuple[int, str]] = []
    ignored = 0
    for number, member in enumerate(members):
        try:
            events.append(parse_event(member))
        except ValueError as error:
            try:
                other = _of_the_platform(member, error)
            except NotAnEventError as refusal:
                refused.append((number, str(refusal)))
            else:
                events += other.events
                inbound += other.inbound
                ignored += other.ignored
    if len(refused) == len(members):
        first = f"; the first: {refused[0][1]}" if refused else ""
        raise NotAnEventError(f"None of the array's {len(members)} members is an event{first}.")
    return Body(events=events, inbound=inbound, ignored=ignored, refused=refused, is_batch=True)


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
