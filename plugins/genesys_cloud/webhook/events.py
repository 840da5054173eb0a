"""From a request's body to one normalised status event."""

from __future__ import annotations

import json

from genesys_cloud.api.profiles.messaging import parse_event
from genesys_cloud.outbound.status import StatusEvent


class NotAnEventError(Exception):
    """The body will never be a status event, however often it is sent."""


def read_event(body: bytes) -> StatusEvent:
    """Return the status event in a body; NotAnEventError says what is wrong with it."""
    try:
        return parse_event(json.loads(body))
    except UnicodeDecodeError:
        raise NotAnEventError("The body is not UTF-8.") from None
    except RecursionError:
        raise NotAnEventError("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise NotAnEventError(f"The body is not JSON: {error.msg}.") from None
    except ValueError as error:
        raise NotAnEventError(str(error)) from None
